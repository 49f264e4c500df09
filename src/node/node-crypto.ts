/**
 * The crypto provider of Node: node:crypto, called synchronously. That is OpenSSL, at some microseconds a call: faster where a call
 * does much (curves, signatures, long records), slower for the many small calls of a handshake.
 */

import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hash as digestAtOnce,
} from 'node:crypto';
import type { Aead, AeadKey, AeadName, CryptoProvider, Hash, HashName, HmacKey } from '../crypto/provider.ts';
import { copyOf, wipe } from '../wire/bytes.ts';
import { nodeGroups } from './node-groups.ts';
import { nodeHybridGroups } from './node-ml-kem.ts';
import { nodeSigner, nodeVerifier } from './node-signatures.ts';
import { plain } from './plain.ts';

const TAG_LENGTH = 16;

function hash(name: HashName, length: number): Hash {
  return {
    name,
    length,
    digest: (message) => plain(digestAtOnce(name, message, 'buffer')),
    start: () => {
      const running = createHash(name);
      return {
        update: (message) => {
          running.update(message);
        },
        peek: (ahead) => {
          const copy = running.copy();
          if (ahead !== undefined) copy.update(ahead);
          return plain(copy.digest());
        },
      };
    },
    hmac: (key) => new NodeHmacKey(name, key),
  };
}

/** Keeps the bytes of the key: most keys are used once or twice, and creating a KeyObject costs as much as using one. */
class NodeHmacKey implements HmacKey {
  readonly #name: HashName;
  readonly #key: Uint8Array;
  #isWiped = false;

  constructor(name: HashName, key: Uint8Array) {
    this.#name = name;
    this.#key = copyOf(key);
  }

  sign(...parts: readonly Uint8Array[]): Uint8Array {
    if (this.#isWiped) throw new Error('this key has been wiped');
    const mac = createHmac(this.#name, this.#key);
    for (const part of parts) mac.update(part);
    return plain(mac.digest());
  }

  wipe(): void {
    this.#isWiped = true;
    wipe(this.#key);
  }
}

function aead(name: AeadName, keyLength: number): Aead {
  return {
    name,
    keyLength,
    key: (key) => {
      if (key.length !== keyLength) throw new RangeError(`a key of ${key.length} bytes, ${keyLength} are wanted`);
      return new NodeAeadKey(name, key);
    },
  };
}

class NodeAeadKey implements AeadKey {
  /** Also for ChaCha20-Poly1305, whose types differ only in the length of the text, which CCM alone needs. */
  readonly #cipher: CipherGCMTypes;
  readonly #key: Uint8Array;
  #isWiped = false;

  constructor(name: AeadName, key: Uint8Array) {
    this.#cipher = name as CipherGCMTypes;
    this.#key = copyOf(key);
  }

  seal(nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + TAG_LENGTH);
    this.#seal(nonce, additionalData, plaintext, sealed, 0);
    return sealed;
  }

  sealInPlace(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    if (end + TAG_LENGTH > buffer.length) throw new RangeError('no room for the tag');
    this.#seal(nonce, additionalData, buffer.subarray(start, end), buffer, start);
  }

  #seal(nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array, to: Uint8Array, at: number): void {
    this.#require();
    const cipher = createCipheriv(this.#cipher, this.#key, nonce, { authTagLength: TAG_LENGTH });
    cipher.setAAD(additionalData);
    to.set(cipher.update(plaintext), at);
    cipher.final(); // a stream cipher has no bytes left
    to.set(cipher.getAuthTag(), at + plaintext.length);
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    this.#require();
    const length = ciphertext.length - TAG_LENGTH;
    if (length < 0) return undefined;
    const decipher = createDecipheriv(this.#cipher, this.#key, nonce, { authTagLength: TAG_LENGTH });
    decipher.setAAD(additionalData);
    decipher.setAuthTag(ciphertext.subarray(length));
    const plaintext = plain(decipher.update(ciphertext.subarray(0, length)));
    try {
      decipher.final();
      return plaintext;
    } catch {
      wipe(plaintext); // decrypted before the tag was checked, and not returned
      return undefined;
    }
  }

  #require(): void {
    if (this.#isWiped) throw new Error('this key has been wiped');
  }

  wipe(): void {
    this.#isWiped = true;
    wipe(this.#key);
  }
}

/**
 * The crypto provider for `createServer({ crypto: nodeCrypto, … })`. If many clients resume and little data is sent,
 * `{ ...nodeCrypto, hashes: fast.hashes, aeads: fast.aeads }` is faster: OpenSSL then does the curves and signatures, while the many
 * small hashes are computed without calling it.
 */
export const nodeCrypto: CryptoProvider = {
  hashes: { sha256: hash('sha256', 32), sha384: hash('sha384', 48) },
  aeads: {
    'aes-128-gcm': aead('aes-128-gcm', 16),
    'aes-256-gcm': aead('aes-256-gcm', 32),
    'chacha20-poly1305': aead('chacha20-poly1305', 32),
  },
  groups: { ...nodeGroups, ...nodeHybridGroups },
  signer: nodeSigner,
  verifier: nodeVerifier,
};
