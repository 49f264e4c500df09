/** Whose fault bytes are that do not decode: the peer's where a message of its is read, and nowhere else. */

import { expect } from 'chai';
import type { CryptoProvider } from '../../../src/crypto/provider.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { faults } from '../../../src/testing.ts';
import { decode, uint32 } from '../../../src/wire/codec.ts';
import { DecodeError } from '../../../src/wire/reader.ts';
import { Exchange } from '../../support/exchange.ts';
import { ScriptedClient } from '../../support/scripted-client.ts';
import { testServer, toyCrypto } from '../../support/servers.ts';

const decodeOurs = (): never => {
  decode(uint32, Uint8Array.of(1, 2, 3));
  throw new Error('it does decode');
};

const CIPHERS = {
  'TLSv1.2': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLSv1.3': 'TLS_AES_128_GCM_SHA256',
} as const;

const decoding = faults.change('server_hello', decodeOurs);

/** A provider that reads something of its own where it opens a record. */
const { aeads } = toyCrypto;
const reading: CryptoProvider = {
  ...toyCrypto,
  aeads: {
    ...aeads,
    'aes-128-gcm': {
      ...aeads['aes-128-gcm'],
      key: (bytes) => {
        const key = aeads['aes-128-gcm'].key(bytes);
        return { seal: (...parameters) => key.seal(...parameters), open: decodeOurs, wipe: () => key.wipe() };
      },
    },
  },
};

describe('bytes of our own that do not decode', () => {
  for (const [where, make] of [
    ['a message that is made', () => new ServerConnection(testServer({ crypto: toyCrypto }), { faults: [decoding] })],
    ['a provider', () => new ServerConnection(testServer({ crypto: reading }))],
  ] as const) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`are a bug, and no decode_error to the peer: ${where}, ${version}`, () => {
        const peer = new ScriptedClient({ version, crypto: toyCrypto, ciphers: [CIPHERS[version]] });
        const connection = make();
        expect(() => new Exchange(peer, connection).run()).to.throw(DecodeError, '4 bytes wanted, 3 left');
        const { events } = connection.dispose();
        const failed = events.find(({ type }) => type === 'failed');
        expect(failed?.type === 'failed' && failed.error.alert).to.equal('internal_error');
      });
    }
  }
});
