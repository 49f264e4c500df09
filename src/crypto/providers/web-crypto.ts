/**
 * Key agreement by Web Crypto, which browsers, workers, Deno, Bun and Node have: native code, private keys that cannot be exported,
 * and the random numbers of the host. Each step returns a promise. Of the rest of a handshake Web Crypto only verifies the
 * signatures of clients, since a promise for each call costs more than all hashes of a resumption.
 */

import { platform, type WebCryptoAgreement, type WebCryptoKey } from '../../platform.ts';
import type { CurveName } from '../../wire/registry.ts';
import { type EphemeralKey, InvalidPublicKey, type KeyAgreement } from '../provider.ts';
import { webCryptoVerifier } from './web-crypto-verifier.ts';

interface Group {
  readonly algorithm: WebCryptoAgreement;
  /** The lengths of a public key and of a shared secret, in bytes. */
  readonly publicKeyLength: number;
  readonly length: number;
}

const X25519: Group = { algorithm: { name: 'X25519' }, publicKeyLength: 32, length: 32 };
const P256: Group = { algorithm: { name: 'ECDH', namedCurve: 'P-256' }, publicKeyLength: 65, length: 32 };
const P384: Group = { algorithm: { name: 'ECDH', namedCurve: 'P-384' }, publicKeyLength: 97, length: 48 };

class WebCryptoEphemeralKey implements EphemeralKey {
  readonly publicKey: Uint8Array;
  readonly #group: Group;
  #privateKey: WebCryptoKey | undefined;

  constructor(group: Group, publicKey: Uint8Array, privateKey: WebCryptoKey) {
    this.#group = group;
    this.publicKey = publicKey;
    this.#privateKey = privateKey;
  }

  agree(peer: Uint8Array): Promise<Uint8Array> {
    const { algorithm, publicKeyLength, length } = this.#group;
    const privateKey = this.#privateKey;
    if (privateKey === undefined) return Promise.reject(new Error('this key has been wiped'));
    // RFC 9846 §4.3.8.2: uncompressed points only. Web Crypto may accept compressed ones.
    const isPoint = algorithm.name === 'ECDH';
    if (peer.length !== publicKeyLength || (isPoint && peer[0] !== 4))
      return Promise.reject(new InvalidPublicKey('not a public key'));
    const { subtle } = platform.crypto;
    return subtle
      .importKey('raw', peer, algorithm, false, [])
      .then((key) => subtle.deriveBits({ ...algorithm, public: key }, privateKey, 8 * length))
      .then(nonZero, refusal);
  }

  /** Drops the key, which the host owns. */
  wipe(): void {
    this.#privateKey = undefined;
  }
}

/** RFC 7748 §6.1, for hosts that do not check it. */
function nonZero(bits: ArrayBuffer): Uint8Array {
  const shared = new Uint8Array(bits);
  if (shared.every((byte) => byte === 0)) throw new InvalidPublicKey('a point of small order');
  return shared;
}

/** The errors of Web Crypto for an invalid key, when it is imported or used. Other errors are not the peer's fault. */
const REFUSALS: readonly unknown[] = ['DataError', 'OperationError'];

function refusal(cause: unknown): never {
  const isRefused = typeof cause === 'object' && cause !== null && 'name' in cause && REFUSALS.includes(cause.name);
  throw isRefused ? new InvalidPublicKey('not a public key of this group', { cause }) : cause;
}

function generate(group: Group): Promise<EphemeralKey> {
  const { subtle } = platform.crypto;
  return subtle
    .generateKey(group.algorithm, false, ['deriveBits'])
    .then(({ publicKey, privateKey }) =>
      subtle
        .exportKey('raw', publicKey)
        .then((bytes) => new WebCryptoEphemeralKey(group, new Uint8Array(bytes), privateKey)),
    );
}

function agreement(group: Group): KeyAgreement {
  return { generate: () => generate(group) };
}

/** All groups. A host may lack one. */
export const webCryptoGroups: Readonly<Record<CurveName, KeyAgreement>> = {
  x25519: agreement(X25519),
  secp256r1: agreement(P256),
  secp384r1: agreement(P384),
};

/** Resolves to the groups that this host supports. Makes a key in each to find out. */
function supportedGroups(): Promise<Readonly<Partial<Record<CurveName, KeyAgreement>>>> {
  const tried = Object.entries(webCryptoGroups).map(([name, group]) =>
    Promise.resolve()
      .then(() => group.generate(noDice))
      .then(
        () => [[name, group]] as const,
        () => [],
      ),
  );
  return Promise.all(tried).then((found) => Object.fromEntries(found.flat()));
}

function noDice(): never {
  throw new Error('Web Crypto has dice of its own');
}

/**
 * Groups for a provider, and a verifier for client certificates: `{ ...defaultProvider, groups: webCrypto.groups }`. Every host has the NIST curves, and all current hosts
 * have X25519. For older hosts, `groups: { ...defaultProvider.groups, ...(await webCrypto.supportedGroups()) }` falls back to
 * curves in TypeScript; without the first part, groups that the host lacks are not negotiated.
 */
export const webCrypto = { groups: webCryptoGroups, supportedGroups, verifier: webCryptoVerifier } as const;
