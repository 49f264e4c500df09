/**
 * The boundary to cryptography. A provider is a plain object, whole and composable by spreading:
 * `{ ...defaultProvider, groups: { ...defaultProvider.groups, x25519: mine } }`.
 */

import type { Awaitable } from '../awaitable.ts';
import type { GroupName, SignatureSchemeName } from '../wire/registry.ts';

export type HashName = 'sha256' | 'sha384';
export type AeadName = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';

/** Source of random bytes: exactly `length` of them, unpredictable. */
export type RandomBytes = (length: number) => Uint8Array;

export interface CryptoProvider {
  readonly hashes: Readonly<Record<HashName, Hash>>;
  readonly aeads: Readonly<Record<AeadName, Aead>>;
  readonly groups: Readonly<Partial<Record<GroupName, KeyAgreement>>>;
  /**
   * Optional: what signs with a private key that comes as PEM, in the place of @noble and, for RSA, Web Crypto. `undefined` where
   * it does not take that key. It is asked once a key, when the server is defined, and is given keys only that have been found to
   * be sound and of a kind that can serve.
   */
  signer?(key: PrivateKeyDer): Sign | undefined;
}

/** PKCS#8 (RFC 5958 §2), SEC1 (RFC 5915 §3) or PKCS#1 (RFC 8017 Appendix A.1.2), not encrypted. */
export interface PrivateKeyDer {
  readonly format: 'pkcs8' | 'sec1' | 'pkcs1';
  /** Not to be written to. */
  readonly bytes: Uint8Array;
}

/** The signature over `message` (not its digest) in the encoding of RFC 8446 §4.2.3, by one of the key's schemes. */
export type Sign = (scheme: SignatureSchemeName, message: Uint8Array) => Awaitable<Uint8Array>;

/** A hash function, alone and under HMAC. Everything it returns belongs to the caller. */
export interface Hash {
  readonly name: HashName;
  /** Bytes of a digest. */
  readonly length: number;
  digest(message: Uint8Array): Uint8Array;
  /** A running hash: the transcript. */
  start(): RunningHash;
  /** HMAC (RFC 2104) with the key set up once and used for as many messages as wanted. */
  hmac(key: Uint8Array): HmacKey;
}

export interface RunningHash {
  update(message: Uint8Array): void;
  /** The digest so far, or as it would be with `ahead` added; the hash goes on without. */
  peek(ahead?: Uint8Array): Uint8Array;
}

export interface HmacKey {
  /** MAC over the concatenation of the parts. */
  sign(...parts: readonly Uint8Array[]): Uint8Array;
  /** Overwrites the key. */
  wipe(): void;
}

const TAG_LENGTH = 16;

/** An AEAD with a nonce of 12 and a tag of 16 bytes (RFC 5116 §5.1, RFC 8439 §2.8). */
export interface Aead {
  readonly name: AeadName;
  readonly keyLength: number;
  /** Sets up a key, which is copied; the nonce must never repeat under it. */
  key(key: Uint8Array): AeadKey;
}

export interface AeadKey {
  /** Ciphertext with the tag behind it. Nonce and additional data are lent, here as below: the next record overwrites them. */
  seal(nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** The plaintext, or `undefined` where the tag does not fit; nothing is released before the tag has been checked. */
  open(nonce: Uint8Array, additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
  /**
   * Optional, so that a record takes one array and no copy: encrypts `buffer` from `start` to `end`, and writes the tag to the
   * 16 bytes behind `end`. {@link sealInPlace} does it with any key.
   * @throws RangeError where they are not there
   */
  sealInPlace?(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void;
  /**
   * Its counterpart: from `start` to `end` there are ciphertext and tag. Where the tag fits, the plaintext takes their place, up
   * to 16 bytes before `end`; where it does not, the answer is `false` and the buffer as it was. {@link openInPlace} does it
   * with any key.
   */
  openInPlace?(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean;
  /** Overwrites the key. Whoever uses it all the same must get an error: what is left of it is everybody's. */
  wipe(): void;
}

/**
 * {@link AeadKey.sealInPlace}, where need be with copies.
 * @throws RangeError where a provider's key has sealed to something else than as many bytes and a tag: plaintext would remain
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

/** {@link AeadKey.openInPlace}, where need be with copies. */
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
 * the alert illegal_parameter. Any other error, a RangeError of the engine's own included, is a failure of the provider: the peer
 * gets internal_error.
 */
export class InvalidPublicKey extends RangeError {
  override readonly name = 'InvalidPublicKey';
}

/** An (EC)DHE group. Either step may answer with a promise; the handshake then waits. */
export interface KeyAgreement {
  generate(randomBytes: RandomBytes): Awaitable<EphemeralKey>;
}

export interface EphemeralKey {
  /** The public key in the encoding of RFC 8446 §4.2.8.2. */
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
