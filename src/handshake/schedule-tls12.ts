/** The keys of a TLS 1.2 handshake, in either role: RFC 5246 §6.3, §8.1, RFC 7627. */

import {
  type Tls12MasterSecret,
  tls12ExportKeyingMaterial,
  tls12ExtendedMasterSecret,
  tls12Keys,
  tls12MasterSecret,
} from '../crypto/prf.ts';
import { explicitNonceLength, type Protection, Tls12Protection } from '../crypto/protection.ts';
import type { SuiteParameters } from '../crypto/suites.ts';
import { wipe } from '../wire/bytes.ts';
import type { ExpectedMessage } from '../wire/handshake-buffer.ts';
import type { Established } from './established.ts';
import type { HandshakeIO } from './io.ts';

export interface Randoms {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

export interface Keys {
  readonly randoms: Randoms;
  readonly master: Tls12MasterSecret;
  /** What the client sends under. */
  readonly client: Protection;
  /** What the server sends under. */
  readonly server: Protection;
}

/** RFC 7627 §4 if both sides have the extension, RFC 5246 §8.1 otherwise. Wipes `premaster`. */
export function masterSecret(
  { crypto, transcript }: HandshakeIO,
  { hash: name }: SuiteParameters,
  isExtended: boolean | undefined,
  premaster: Uint8Array,
  randoms: Randoms,
): Tls12MasterSecret {
  const hash = crypto.hashes[name];
  const master = isExtended
    ? tls12ExtendedMasterSecret(hash, premaster, transcript.peek())
    : tls12MasterSecret(hash, premaster, randoms.client, randoms.server);
  wipe(premaster);
  return master;
}

export function deriveKeys(
  context: HandshakeIO,
  suite: SuiteParameters,
  randoms: Randoms,
  master: Tls12MasterSecret,
): Keys {
  context.own(master, 'closed');
  if (context.logsKeys) context.keylog('CLIENT_RANDOM', master.bytes);
  const aead = context.crypto.aeads[suite.aead];
  const lengths = { key: aead.keyLength, iv: 12 - explicitNonceLength(aead) };
  const keys = tls12Keys(master, randoms, lengths);
  // The connection owns them from here on, as the handshake may end before they are used.
  const client = context.own(new Tls12Protection(aead, { key: keys.clientKey, iv: keys.clientIv }), 'closed');
  const server = context.own(new Tls12Protection(aead, { key: keys.serverKey, iv: keys.serverIv }), 'closed');
  wipe(keys.clientKey, keys.serverKey);
  return { randoms, master, client, server };
}

/** Returns what the connection goes on with. RFC 7627 §5.4: there is no exporter without the extension. */
export function establishedTls12(
  { randoms, master }: Keys,
  isExtended: boolean | undefined,
  renegotiation: ExpectedMessage,
): Established {
  master.dropHmacKey(); // only an export may still need it
  return {
    traffic: undefined,
    renegotiation,
    exportKeyingMaterial: (length, label, exporterContext) => {
      if (!isExtended) throw new Error('exportKeyingMaterial() without extended_master_secret');
      const request = { label, context: exporterContext, length };
      return tls12ExportKeyingMaterial(master, randoms, request);
    },
  };
}
