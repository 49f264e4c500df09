/**
 * The boundary to cryptography. A provider is a plain object. Parts of providers can be combined by spreading:
 * `{ ...defaultProvider, groups: { ...defaultProvider.groups, x25519: mine } }`.
 */

import type { Awaitable } from '../awaitable.ts';
import type { GroupName, HybridGroupName, SignatureSchemeName } from '../wire/registry.ts';

/** The hashes of the cipher suites. */
export type HashName = 'sha256' | 'sha384';
/** The AEADs of the cipher suites (RFC 5116, RFC 8439). */
export type AeadName = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';

/** Returns exactly `length` unpredictable bytes. */
export type RandomBytes = (length: number) => Uint8Array;

/** The cryptographic algorithms of a server. */
export interface CryptoProvider {
  readonly hashes: Readonly<Record<HashName, Hash>>;
  readonly aeads: Readonly<Record<AeadName, Aead>>;
  /** A provider need not have all. {@link KeyEncapsulation} is the interface of the hybrid groups, {@link KeyAgreement} that of the curves. */
  readonly groups: Groups;
  /**
   * Optional. Returns a function that signs with this private key, or `undefined` if the provider does not support it; then
   * @noble signs or, with RSA keys, Web Crypto. Called once for each key in PEM, when the server is defined, and only with
   * keys that are valid and of a supported kind.
   */
  readonly signer?: ((key: PrivateKeyDer) => Sign | undefined) | undefined;
  /**
   * Optional. Returns a function that verifies signatures by this public key, or a promise of one. If the result is `undefined`,
   * because the provider does not support the key, @noble verifies or, with RSA keys, Web Crypto. Called for each client that
   * proves that it has the key of its certificate, and only with keys that are valid and of a supported kind.
   */
  readonly verifier?: ((key: PublicKeyDer) => Awaitable<Verify | undefined>) | undefined;
}

/** The groups of a provider, by name. */
export type Groups = {
  readonly [G in GroupName]?: (G extends HybridGroupName ? KeyEncapsulation : KeyAgreement) | undefined;
};

/** A private key in PKCS#8 (RFC 5958 §2), SEC1 (RFC 5915 §3) or PKCS#1 (RFC 8017 Appendix A.1.2), not encrypted. */
export interface PrivateKeyDer {
  readonly format: 'pkcs8' | 'sec1' | 'pkcs1';
  /** Must not be written to. */
  readonly bytes: Uint8Array;
}

/**
 * Signs `message` (not its digest) by one of the key's schemes. Returns the signature in the encoding of RFC 9846 §4.3.3. In TLS 1.2 an
 * ECDSA key of any curve is asked to sign with the hash of any ECDSA scheme: the curve in the name of the scheme means nothing there.
 */
export type Sign = (scheme: SignatureSchemeName, message: Uint8Array) => Awaitable<Uint8Array>;

/** The public key of a certificate: a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER. */
export interface PublicKeyDer {
  readonly format: 'spki';
  readonly kind: 'secp256r1' | 'secp384r1' | 'ed25519' | 'rsa';
  /** Must not be written to. The point of a curve is not compressed. */
  readonly bytes: Uint8Array;
}

/**
 * Reports whether `signature`, in the encoding of RFC 9846 §4.3.3, is the key's signature over `message` (not over its digest) by
 * one of the key's schemes. In TLS 1.2 a scheme of ECDSA names the hash only, so that either goes with either curve. A signature
 * of RSA has the length of the modulus. With `false` the peer gets decrypt_error, and with an {@link InvalidPublicKey} that is thrown
 * bad_certificate. Anything else is a failure of the provider: the peer gets internal_error.
 */
export type Verify = (scheme: SignatureSchemeName, message: Uint8Array, signature: Uint8Array) => Awaitable<boolean>;

/** A hash function, and HMAC with it. The caller owns everything it returns. */
export interface Hash {
  readonly name: HashName;
  /** The length of a digest, in bytes. */
  readonly length: number;
  digest(message: Uint8Array): Uint8Array;
  /** Starts a running hash, as for the transcript. */
  start(): RunningHash;
  /** Sets up a key of HMAC (RFC 2104) for any number of messages. */
  hmac(key: Uint8Array): HmacKey;
}

/** A hash that is fed piece by piece. */
export interface RunningHash {
  update(message: Uint8Array): void;
  /** Returns the digest so far, or what it would be after `ahead`. Does not change the running hash. */
  peek(ahead?: Uint8Array): Uint8Array;
}

/** A key of HMAC (RFC 2104), prepared. */
export interface HmacKey {
  /** Returns the MAC of the concatenated parts. */
  sign(...parts: readonly Uint8Array[]): Uint8Array;
  /** Overwrites the key. */
  wipe(): void;
}

const TAG_LENGTH = 16;

/** An AEAD with a nonce of 12 and a tag of 16 bytes (RFC 5116 §5.1, RFC 8439 §2.8). */
export interface Aead {
  readonly name: AeadName;
  readonly keyLength: number;
  /** Sets up a key, which is copied. A nonce must never repeat under it. */
  key(key: Uint8Array): AeadKey;
}

/** A key of an AEAD, prepared. Nonces have 12 bytes. */
export interface AeadKey {
  /** Returns the ciphertext followed by the tag. Nonce and additional data are the one record's, here and below; do not write to them. */
  seal(nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Returns the plaintext, or `undefined` if the tag does not match. Releases nothing before it has checked the tag. */
  open(nonce: Uint8Array, additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
  /**
   * Optional; saves an array and a copy for each record. Encrypts `buffer` from `start` to `end`, and writes the tag to the 16
   * bytes after `end`. {@link sealInPlace} does the same with any key.
   * @throws RangeError if there is no room for the tag
   */
  readonly sealInPlace?:
    | ((nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number) => void)
    | undefined;
  /**
   * The counterpart: `buffer` has ciphertext and tag from `start` to `end`. If the tag matches, replaces the ciphertext by the
   * plaintext, which ends 16 bytes before `end`. If it does not, returns `false` and leaves the buffer as it was.
   * {@link openInPlace} does the same with any key.
   */
  readonly openInPlace?:
    | ((nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number) => boolean)
    | undefined;
  /** Overwrites the key. Using a wiped key must throw: the zeros that remain are a key everyone knows. */
  wipe(): void;
}

/**
 * Does what {@link AeadKey.sealInPlace} does, by way of {@link AeadKey.seal} if the key does not have it.
 * @throws RangeError if the sealed text does not have the length of the plaintext and a tag: plaintext would remain
 */
export function sealInPlace(
  key: AeadKey,
  nonce: Uint8Array,
  additionalData: Uint8Array,
  buffer: Uint8Array,
  start: number,
  end: number,
): void {
  if (key.sealInPlace !== undefined) key.sealInPlace(nonce, additionalData, buffer, start, end);
  else {
    const sealed = key.seal(nonce, additionalData, buffer.subarray(start, end));
    if (sealed.length !== end - start + TAG_LENGTH) throw new RangeError('seal: text and tag are wanted, as bytes');
    buffer.set(sealed, start);
  }
}

/** Does what {@link AeadKey.openInPlace} does, by way of {@link AeadKey.open} if the key does not have it. */
export function openInPlace(
  key: AeadKey,
  nonce: Uint8Array,
  additionalData: Uint8Array,
  buffer: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (key.openInPlace !== undefined) return key.openInPlace(nonce, additionalData, buffer, start, end);
  const plaintext = key.open(nonce, additionalData, buffer.subarray(start, end));
  if (plaintext === undefined) return false;
  buffer.set(plaintext, start);
  return true;
}

/**
 * A public key that its group or its algorithm does not allow. A key agreement throws it for a key share of the peer, which then gets
 * the alert illegal_parameter; a verifier for the key of a certificate, which is bad_certificate. Any other error, a RangeError of the engine's own included, is a failure of the provider: the peer
 * gets internal_error.
 */
export class InvalidPublicKey extends RangeError {
  override readonly name = 'InvalidPublicKey';
}

/**
 * A group as a key encapsulation mechanism. The side whose share goes first, which is the client in TLS 1.3, generates a key pair and
 * decapsulates the answer; the other side encapsulates. Each step may return a promise, for which the handshake waits. If one fails,
 * or its answer is none, the peer gets internal_error, and the connection tells of it in a callback-error event for 'agree'.
 */
export interface KeyEncapsulation {
  generate(randomBytes: RandomBytes): Awaitable<DecapsulationKey>;
  /**
   * Answers the share of a peer: its {@link DecapsulationKey.publicKey}.
   * @throws InvalidPublicKey (or rejects with it) if `peer` is not a public key of the group
   */
  encapsulate(peer: Uint8Array, randomBytes: RandomBytes): Awaitable<Encapsulation>;
}

/** A key pair for one key exchange. */
export interface DecapsulationKey {
  /** The share that the peer gets. */
  readonly publicKey: Uint8Array;
  /**
   * Returns the shared secret from the peer's answer. Called once.
   * @throws InvalidPublicKey (or rejects with it) if `keyShare` is no answer of the group
   */
  decapsulate(keyShare: Uint8Array): Awaitable<Uint8Array>;
  /** Overwrites the private key. */
  wipe(): void;
}

/** The answer to a share. */
export interface Encapsulation {
  /** The share that the peer gets, which decapsulates it. */
  readonly keyShare: Uint8Array;
  /** The engine copies and then overwrites it. */
  readonly sharedSecret: Uint8Array;
}

/**
 * An (EC)DHE group. It needs no functions of its own for what a {@link KeyEncapsulation} does: to encapsulate is to generate a key pair,
 * to agree, and to send the public key. Both steps may return a promise, for which the handshake waits. If one fails, or its answer is none, the peer gets
 * internal_error, and the connection tells of it in a callback-error event for 'agree'.
 */
export interface KeyAgreement {
  generate(randomBytes: RandomBytes): Awaitable<EphemeralKey>;
}

/** A key pair for one key agreement. */
export interface EphemeralKey {
  /** The public key in the encoding of RFC 9846 §4.3.8.2. */
  readonly publicKey: Uint8Array;
  /**
   * Returns the shared secret with the peer's public key. Called once.
   * @throws InvalidPublicKey (or rejects with it) if `peer` is not a public key of the group, or if the shared secret is all zero
   * (RFC 7748 §6.1)
   */
  agree(peer: Uint8Array): Awaitable<Uint8Array>;
  /** Overwrites the private key. */
  wipe(): void;
}
