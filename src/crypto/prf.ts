/** The pseudorandom function of TLS 1.2 and the secrets derived with it: RFC 5246 §5, §6.3, §8.1; RFC 7627 §4; RFC 5705. */

import { ascii, concat, copyOf, copyRange, wipe } from '../wire/bytes.ts';
import { encode, opaque } from '../wire/codec.ts';
import type { Hash } from './provider.ts';
import { Secret } from './secret.ts';

/** 48 bytes, RFC 5246 §8.1. */
export type Tls12MasterSecret = Secret<'TLS 1.2 master'>;

/** §5: P_hash */
export function prf({ hash, key }: Secret<string>, label: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  let a = key.sign(label, seed);
  for (let at = 0; at < length; at += hash.length) {
    if (at > 0) a = key.sign(a);
    const block = key.sign(a, label, seed);
    for (let i = 0; i < block.length && at + i < length; i++) output[at + i] = block[i] as number;
    wipe(block);
  }
  return output;
}

/** The labels, encoded once. */
const LABELS = {
  masterSecret: ascii('master secret'),
  extendedMasterSecret: ascii('extended master secret'),
  keyExpansion: ascii('key expansion'),
  client: ascii('client finished'),
  server: ascii('server finished'),
};

function masterOf(hash: Hash, premaster: Uint8Array, label: Uint8Array, seed: Uint8Array): Tls12MasterSecret {
  const secret = new Secret<'premaster'>(hash, premaster);
  const master = prf(secret, label, seed, 48);
  secret.dropHmacKey(); // the caller owns the bytes
  return new Secret(hash, master);
}

/** §8.1: over client_random and server_random. */
export function tls12MasterSecret(
  hash: Hash,
  premaster: Uint8Array,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
): Tls12MasterSecret {
  return masterOf(hash, premaster, LABELS.masterSecret, concat(clientRandom, serverRandom));
}

/** RFC 7627 §4: over the hash of ClientHello…ClientKeyExchange. */
export function tls12ExtendedMasterSecret(
  hash: Hash,
  premaster: Uint8Array,
  sessionHash: Uint8Array,
): Tls12MasterSecret {
  return masterOf(hash, premaster, LABELS.extendedMasterSecret, sessionHash);
}

/** Returns the master secret of a session. */
export function storedMasterSecret(hash: Hash, secret: Uint8Array): Tls12MasterSecret {
  if (secret.length !== 48)
    throw new RangeError(`a TLS 1.2 master secret has 48 bytes, this session's has ${secret.length}`);
  return new Secret(hash, copyOf(secret));
}

/** RFC 5246 §6.3, for AEAD suites, which have no MAC keys. */
export interface Tls12Keys {
  readonly clientKey: Uint8Array;
  readonly serverKey: Uint8Array;
  readonly clientIv: Uint8Array;
  readonly serverIv: Uint8Array;
}

export function tls12Keys(
  master: Tls12MasterSecret,
  randoms: { readonly client: Uint8Array; readonly server: Uint8Array },
  lengths: { readonly key: number; readonly iv: number },
): Tls12Keys {
  const { key, iv } = lengths;
  const keyBlock = prf(master, LABELS.keyExpansion, concat(randoms.server, randoms.client), 2 * (key + iv));
  const keys = {
    clientKey: copyRange(keyBlock, 0, key),
    serverKey: copyRange(keyBlock, key, 2 * key),
    clientIv: copyRange(keyBlock, 2 * key, 2 * key + iv),
    serverIv: copyRange(keyBlock, 2 * key + iv, 2 * (key + iv)),
  };
  wipe(keyBlock);
  return keys;
}

/** §7.4.9: verify_data */
export function tls12VerifyData(
  master: Tls12MasterSecret,
  sender: 'client' | 'server',
  transcriptHash: Uint8Array,
): Uint8Array {
  return prf(master, LABELS[sender], transcriptHash, 12);
}

/** RFC 5705 §4. Without a context its length is omitted too, so no context and an empty one give different results. */
export function tls12ExportKeyingMaterial(
  master: Tls12MasterSecret,
  randoms: { readonly client: Uint8Array; readonly server: Uint8Array },
  request: { readonly label: string; readonly context: Uint8Array | undefined; readonly length: number },
): Uint8Array {
  const { label, context, length } = request;
  const tail = context === undefined ? [] : [encode(opaque(0, 0xffff), context)];
  return prf(master, ascii(label), concat(randoms.client, randoms.server, ...tail), length);
}
