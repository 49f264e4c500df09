/** RFC 9846 §4.5 and §7 once more, on node:crypto and out of nothing of src/: what both sides of a test cannot get wrong together. */

import { createHash, createHmac } from 'node:crypto';

export type HashAlgorithm = 'sha256' | 'sha384';

export const digest = (hash: HashAlgorithm, ...parts: readonly Uint8Array[]): Uint8Array => {
  const running = createHash(hash);
  for (const part of parts) running.update(part);
  return running.digest();
};

const hmac = (hash: HashAlgorithm, key: Uint8Array, data: Uint8Array): Buffer =>
  createHmac(hash, key).update(data).digest();

/** §7.1: HKDF-Expand-Label with the length of the hash. */
function expandLabel(hash: HashAlgorithm, secret: Uint8Array, label: string, context: Uint8Array): Uint8Array {
  const length = hash === 'sha256' ? 32 : 48;
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([
    Buffer.of(0, length, name.length),
    name,
    Buffer.of(context.length),
    context,
    Buffer.of(1),
  ]);
  return hmac(hash, secret, info);
}

/** §4.5.3: verify_data over these messages under a handshake traffic secret. */
export function verifyData(hash: HashAlgorithm, secret: Uint8Array, ...messages: readonly Uint8Array[]): Uint8Array {
  const key = expandLabel(hash, secret, 'finished', new Uint8Array(0));
  return hmac(hash, key, digest(hash, ...messages));
}

/** §4.1: what stands for a ClientHello that was answered by a HelloRetryRequest. */
export function messageHash(hash: HashAlgorithm, hello: Uint8Array): Uint8Array {
  const hashed = digest(hash, hello);
  return Buffer.concat([Buffer.of(254, 0, 0, hashed.length), hashed]);
}
