/**
 * A provider that does what another does and counts it: the deterministic measure of what a handshake costs. Compressions of
 * SHA-256 are computed from the lengths of messages, as an implementation needs them that keeps its states (FIPS 180-4 §5.1.1,
 * RFC 2104 §4): one for each whole block, one or two for the end, two for an HMAC key that is not longer than a block, and
 * one for the outer hash.
 */

import type { Aead, AeadKey, CryptoProvider, Hash, HmacKey } from '../../src/crypto/provider.ts';

export interface OperationCounts {
  /** Compressions of SHA-256, but for those of running hashes. */
  compressions: number;
  /** Compressions of running hashes, which are transcripts: whole blocks, and those of peeks. */
  transcript: { hashes: number; bytes: number; blocks: number; peeks: number; peekCompressions: number };
  hmacs: number;
  hmacKeyings: number;
  aeadKeyings: number;
  aeadOperations: number;
}

export interface CountingProvider extends CryptoProvider {
  /** What has been done since the last time, or the beginning. */
  take(): OperationCounts;
}

export function counting(provider: CryptoProvider): CountingProvider {
  let counts = none();
  const current = () => counts;
  const { sha256 } = provider.hashes;
  return {
    ...provider,
    hashes: { ...provider.hashes, sha256: countingHash(sha256, current) },
    aeads: {
      'aes-128-gcm': countingAead(provider.aeads['aes-128-gcm'], current),
      'aes-256-gcm': countingAead(provider.aeads['aes-256-gcm'], current),
      'chacha20-poly1305': countingAead(provider.aeads['chacha20-poly1305'], current),
    },
    take: () => {
      const taken = counts;
      counts = none();
      return taken;
    },
  };
}

function none(): OperationCounts {
  return {
    compressions: 0,
    transcript: { hashes: 0, bytes: 0, blocks: 0, peeks: 0, peekCompressions: 0 },
    hmacs: 0,
    hmacKeyings: 0,
    aeadKeyings: 0,
    aeadOperations: 0,
  };
}

const BLOCK = 64;
/** A bit and the length: what a message ends with has room for. */
const PADDING = 9;

/** Of a whole message, whose end it has in it. */
const compressionsOf = (bytes: number): number => Math.ceil((bytes + PADDING) / BLOCK);

function countingHash(hash: Hash, counts: () => OperationCounts): Hash {
  return {
    ...hash,
    digest: (message) => {
      counts().compressions += compressionsOf(message.length);
      return hash.digest(message);
    },
    start: () => {
      const running = hash.start();
      counts().transcript.hashes++;
      let length = 0;
      return {
        update: (message) => {
          const { transcript } = counts();
          transcript.blocks += Math.floor((length + message.length) / BLOCK) - Math.floor(length / BLOCK);
          transcript.bytes += message.length;
          length += message.length;
          running.update(message);
        },
        peek: (ahead) => {
          const { transcript } = counts();
          transcript.peeks++;
          transcript.peekCompressions += compressionsOf((length % BLOCK) + (ahead?.length ?? 0));
          return running.peek(ahead);
        },
      };
    },
    hmac: (key) => {
      counts().hmacKeyings++;
      counts().compressions += 2 + (key.length > BLOCK ? compressionsOf(key.length) : 0);
      return countingHmac(hash.hmac(key), counts);
    },
  };
}

function countingHmac(key: HmacKey, counts: () => OperationCounts): HmacKey {
  return {
    sign: (...parts) => {
      counts().hmacs++;
      counts().compressions += compressionsOf(parts.reduce((sum, { length }) => sum + length, 0)) + 1;
      return key.sign(...parts);
    },
    wipe: () => key.wipe(),
  };
}

function countingAead(aead: Aead, counts: () => OperationCounts): Aead {
  return {
    ...aead,
    key: (bytes) => {
      counts().aeadKeyings++;
      return countingKey(aead.key(bytes), counts);
    },
  };
}

/** Without the ways in place, where the key has none. */
function countingKey(key: AeadKey, counts: () => OperationCounts): AeadKey {
  const count =
    <A extends unknown[], R>(operation: (...args: A) => R) =>
    (...args: A): R => {
      counts().aeadOperations++;
      return operation.apply(key, args);
    };
  return {
    seal: count(key.seal),
    open: count(key.open),
    ...(key.sealInPlace && { sealInPlace: count(key.sealInPlace) }),
    ...(key.openInPlace && { openInPlace: count(key.openInPlace) }),
    wipe: () => key.wipe(),
  };
}
