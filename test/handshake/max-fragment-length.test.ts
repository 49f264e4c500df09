/** max_fragment_length: RFC 6066 §4, and record_size_limit, which supersedes it (RFC 8449 §5). */

import { expect } from 'chai';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { Session } from '../../src/sessions/session.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { AlertLevel, ContentType, type Version } from '../../src/wire/registry.ts';
import { Bench, MECHANISMS, returning, versionOf } from '../support/mechanisms.ts';
import { type ClientOptions, type Exchange, exchange, ScriptedClient } from '../support/scripted-client.ts';
import { testServer } from '../support/servers.ts';

const VERSIONS: readonly Version[] = ['TLSv1.3', 'TLSv1.2'];
const LENGTHS = [
  [1, 512],
  [2, 1024],
  [3, 2048],
  [4, 4096],
] as const;
const DATA = Uint8Array.from({ length: 9000 }, (_, i) => i & 0xff);

const connect = (client: ClientOptions, config: ServerConfig = testServer()) =>
  exchange(new ScriptedClient(client), new ServerConnection(config));

function expectEstablished(link: Exchange): Exchange {
  expect(link.failure).to.equal(undefined);
  expect(link.connection.isEstablished).to.equal(true);
  return link;
}

/** The code that the server has answered with. */
function answerOf({ client }: Exchange): number | undefined {
  const extensions = client.version === 'TLSv1.3' ? client.encryptedExtensions : client.serverHello?.extensions;
  return extensions !== undefined && 'maxFragmentLength' in extensions ? extensions.maxFragmentLength : undefined;
}

/** The longest content of a record of the server's, in which all of DATA comes. */
function longestOf(link: Exchange): number {
  link.step(link.connection.write(DATA));
  expect(toHex(link.client.data)).to.equal(toHex(DATA));
  return Math.max(...link.client.receivedRecords.map(({ content }) => content.length));
}

describe('max_fragment_length', () => {
  for (const version of VERSIONS) {
    describe(version, () => {
      for (const [code, length] of LENGTHS) {
        it(`${code} is answered, and no record of ours has more than ${length} bytes, handshake included`, () => {
          const link = expectEstablished(connect({ version, maxFragmentLength: code }));
          expect(answerOf(link)).to.equal(code);
          expect(longestOf(link)).to.equal(length);
        });

        it(`${code} lets the client send ${length} bytes in a record, and one more is record_overflow`, () => {
          const link = expectEstablished(connect({ version, maxFragmentLength: code }));
          link.client.sendRecord(ContentType.application_data, DATA.subarray(0, length));
          expect(link.run().data).to.have.lengthOf(length);
          link.client.sendRecord(ContentType.application_data, DATA.subarray(0, length + 1));
          expect(link.run().failure?.alert).to.equal('record_overflow');
          expect(link.client.alert).to.deep.include({ name: 'record_overflow', level: AlertLevel.fatal });
        });
      }

      for (const code of [0, 5, 255]) {
        it(`${code} is illegal_parameter, before anything else is sent`, () => {
          const link = connect({ version, maxFragmentLength: code });
          expect(link.failure?.alert).to.equal('illegal_parameter');
          expect(link.client.heard).to.deep.equal(['alert']);
        });
      }

      it('is ignored beside record_size_limit, whatever it is', () => {
        for (const code of [1, 9]) {
          const link = expectEstablished(connect({ version, maxFragmentLength: code, recordSizeLimit: 2000 }));
          expect(answerOf(link)).to.equal(undefined);
          expect(longestOf(link)).to.equal(version === 'TLSv1.3' ? 1999 : 2000);
          link.client.sendRecord(ContentType.application_data, new Uint8Array(16384));
          expect(link.run().data).to.have.lengthOf(16384);
        }
      });

      it('is not answered where it was not asked for', () => {
        const link = expectEstablished(connect({ version }));
        expect(answerOf(link)).to.equal(undefined);
        expect(longestOf(link)).to.equal(DATA.length);
      });
    });
  }

  it('binds the handshake of a TLS 1.2 client before there are keys', () => {
    const link = connect({ version: 'TLSv1.2', maxFragmentLength: 1, stopBefore: 'client_key_exchange' });
    link.client.injector.record(ContentType.handshake, new Uint8Array(513).fill(16));
    expect(link.run().failure?.alert).to.equal('record_overflow');
  });

  it('counts the padding of TLS 1.3 (RFC 9846 §5.4)', () => {
    const padded = (padding: number) => {
      const link = connect({ maxFragmentLength: 1 });
      link.client.injector.record(ContentType.application_data, Uint8Array.of(5), { padding });
      return link.run();
    };
    expect([...padded(511).data]).to.deep.equal([5]);
    expect(padded(512).failure?.alert).to.equal('record_overflow');
  });

  it('does not bind early data, which is skipped, as its sender has not seen the answer', () => {
    const link = connect({ maxFragmentLength: 1, earlyData: true, stopBefore: 'finished' });
    link.client.injector.bytes(Uint8Array.of(23, 3, 3, 16, 0, ...new Uint8Array(4096)));
    link.client.proceed();
    expectEstablished(link.run());
    link.client.sendRecord(ContentType.application_data, new Uint8Array(513));
    expect(link.run().failure?.alert).to.equal('record_overflow');
  });

  it('holds after a HelloRetryRequest', () => {
    const link = expectEstablished(connect({ maxFragmentLength: 2, keyShares: [] }));
    expect([answerOf(link), longestOf(link)]).to.deep.equal([2, 1024]);
  });

  for (const mechanism of MECHANISMS) {
    describe(`of a session, ${mechanism}`, () => {
      const bench = new Bench();
      after(() => bench.close());
      const version = versionOf(mechanism);
      const first = (maxFragmentLength?: number) =>
        bench.visit(mechanism, bench.server(mechanism), { maxFragmentLength });
      const second = (before: Exchange, offer: ClientOptions) =>
        expectEstablished(bench.connect(bench.server(mechanism), returning(before, offer)));

      // RFC 6066 §1.1: a ServerHello that resumes answers none of these extensions. In EncryptedExtensions it is answered.
      const answer = version === 'TLSv1.3' ? 1 : undefined;

      it('is kept and obeyed where it is asked for again, from one resumption to the next', () => {
        let link = first(1);
        for (let visit = 0; visit < 3; visit++) {
          link = second(link, { maxFragmentLength: 1 });
          expect(link.connection.resumption.resumed).to.equal(true);
          expect([answerOf(link), longestOf(link)]).to.deep.equal([answer, 512]);
        }
        link.client.sendRecord(ContentType.application_data, new Uint8Array(513));
        expect(link.run().failure?.alert).to.equal('record_overflow');
      });

      it('is kept where it is not asked for again, and is not answered', () => {
        const link = second(first(1), {});
        expect(link.connection.resumption.resumed).to.equal(true);
        expect([answerOf(link), longestOf(link)]).to.deep.equal([undefined, 512]);
      });

      it('yields to record_size_limit, larger or smaller, and counts again in a resumption without', () => {
        for (const recordSizeLimit of [2000, 100]) {
          const link = second(first(1), { recordSizeLimit, maxFragmentLength: 3 });
          expect(link.connection.resumption.resumed).to.equal(true);
          link.step(link.connection.write(DATA));
          const sizes = link.client.receivedRecords.filter(({ type }) => type === ContentType.application_data);
          const longest = version === 'TLSv1.3' ? recordSizeLimit - 1 : recordSizeLimit;
          expect(Math.max(...sizes.map(({ content }) => content.length))).to.equal(longest);
          expect(longestOf(second(link, {}))).to.equal(512);
        }
      });

      for (const [had, wants] of [
        [1, 2],
        [2, 1],
        [undefined, 1],
      ] as const) {
        it(`of ${had} is no session for a client that asks for ${wants}, which gets a full handshake with that`, () => {
          const link = second(first(had), { maxFragmentLength: wants });
          expect(link.connection.resumption.reason).to.equal('max-fragment-length');
          expect([answerOf(link), longestOf(link)]).to.deep.equal([wants, 2 ** (8 + wants)]);
        });
      }
    });
  }

  it('is in the session as OpenSSL has it, through DER and PEM', () => {
    for (const version of VERSIONS) {
      const { connection } = connect({ version, maxFragmentLength: 3 });
      const session = connection.session as Session;
      expect(session.foreign.maxFragmentLength).to.equal(3);
      expect(Session.fromDer(session.toDer()).foreign.maxFragmentLength).to.equal(3);
      expect(Session.fromPem(session.toPem()).foreign.maxFragmentLength).to.equal(3);
      expect(connect({ version }).connection.session?.foreign.maxFragmentLength ?? 0).to.equal(0);
    }
  });
});
