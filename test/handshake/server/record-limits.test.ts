/** How messages and data lie in records, and how much of what is taken in: RFC 9846 §5.1, §5.4, §4.3.10, RFC 8449. */

import { expect } from 'chai';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { concat, toHex } from '../../../src/wire/bytes.ts';
import { ContentType, ExtensionType, type Version } from '../../../src/wire/registry.ts';
import { type ClientOptions, type Exchange, exchange, ScriptedClient } from '../../support/scripted-client.ts';
import { testServer } from '../../support/servers.ts';

function connect(client: ClientOptions = {}, server: Partial<ServerOptions> = {}): Exchange {
  return exchange(new ScriptedClient(client), new ServerConnection(testServer(server)));
}

function expectEstablished(link: Exchange): Exchange {
  expect(link.failure).to.equal(undefined);
  expect(link.connection.isEstablished).to.equal(true);
  return link;
}

const VERSIONS: readonly Version[] = ['TLSv1.3', 'TLSv1.2'];
const large = (type: number, length: number) => ({ type, data: new Uint8Array(length) });
const DATA = Uint8Array.from({ length: 40_000 }, (_, i) => i & 0xff);

const recordSizeLimitOf = (extensions: object | undefined) =>
  extensions !== undefined && 'recordSizeLimit' in extensions ? extensions.recordSizeLimit : undefined;

describe('records', () => {
  describe('of the client’s hello', () => {
    for (const version of VERSIONS) {
      for (const fragment of [1, 2, 3, 5, 100, 16384]) {
        it(`may hold ${fragment} bytes of it each, ${version}`, () => {
          expectEstablished(connect({ version, fragment }));
        });
      }

      it(`may be as many as a hello of 60 kB takes, ${version}`, () => {
        const link = connect({
          version,
          rewriteExtensions: (list) => [large(ExtensionType.padding, 60_000), ...list],
        });
        expectEstablished(link);
      });
    }

    it('may be as many as two hellos of 60 kB take, with a HelloRetryRequest and a PSK in between (GnuTLS CVE-2021-20231)', () => {
      const config = testServer();
      const { client: before } = exchange(new ScriptedClient(), new ServerConnection(config));
      const client = new ScriptedClient({
        psks: before.tickets,
        keyShares: [],
        rewriteExtensions: (list) => [large(ExtensionType.padding, 60_000), ...list],
      });
      expectEstablished(exchange(client, new ServerConnection(config)));
      expect(client.isResumed).to.equal(true);
    });

    it('may be as many as the longest hello takes: 30,000 suites, and extensions of 65 kB', () => {
      const ciphers = Array.from({ length: 30_000 }, (_, i) => (i < 29_999 ? 0x8000 : 0x1301));
      const link = connect({
        ciphers,
        rewriteExtensions: (list) => [...list, large(ExtensionType.padding, 65_000)],
      });
      expectEstablished(link);
    });

    for (const version of VERSIONS) {
      it(`may be as many as the longest legal hello takes, ${version}`, () => {
        let length = 0;
        const link = connect({
          version,
          sessionId: new Uint8Array(32),
          ciphers: Array.from({ length: 0x7fff }, (_, i) => [0x1301, 0xc02b][i] ?? 0x8000),
          // TLS 1.3 demands that null be the only one (RFC 9846 §4.2.2).
          rewriteHello: (hello) =>
            version === 'TLSv1.3' ? hello : { ...hello, legacyCompressionMethods: [0, ...new Array(254).fill(1)] },
          rewriteExtensions: (list) => {
            const taken = list.reduce((sum, { data }) => sum + 4 + data.length, 0);
            return [...list, large(ExtensionType.padding, 0xffff - 4 - taken)];
          },
          rewriteMessage: (name, raw) => {
            if (name === 'client_hello') length = raw.length - 4;
            return raw;
          },
        });
        expect(length).to.equal(version === 'TLSv1.3' ? 131_396 - 254 : 131_396);
        expectEstablished(link);
      });
    }

    it('is refused by its header alone, before the rest has come', () => {
      const link = connect({ stopBefore: 'client_hello' });
      link.send(Uint8Array.of(22, 3, 1, 0, 100, 20));
      expect(link.failure).to.equal(undefined); // the record is not whole
      link.send(new Uint8Array(99));
      expect(link.failure?.alert).to.equal('unexpected_message');
    });

    it('may have Finished in pieces too', () => {
      for (const version of VERSIONS) {
        const link = connect({ version, stopBefore: 'finished', fragment: 7 });
        link.client.proceed();
        expectEstablished(link.run());
      }
    });
  });

  describe('of data', () => {
    for (const version of VERSIONS) {
      it(`may hold 2^14 bytes, ${version}`, () => {
        const link = connect({ version });
        link.client.sendRecord(ContentType.application_data, DATA.subarray(0, 16384));
        expect(link.run().data).to.have.lengthOf(16384);
      });

      it(`may be empty 32 times in a row, and again after some that are not, ${version}`, () => {
        const link = connect({ version, changeCipherSpec: false });
        for (let round = 0; round < 3; round++) {
          for (let i = 0; i < 32; i++) link.client.sendRecord(ContentType.application_data, new Uint8Array(0));
          link.client.sendData(Uint8Array.of(round));
        }
        expect([...expectEstablished(link.run()).data]).to.deep.equal([0, 1, 2]);
        expect(link.events.filter(({ type }) => type === 'data')).to.have.lengthOf(3);
      });
    }

    it('may be padded to 2^14 + 1 bytes inside (§5.4)', () => {
      const link = connect();
      link.client.injector.record(ContentType.application_data, Uint8Array.of(5), { padding: 16383 });
      expect([...link.run().data]).to.deep.equal([5]);
    });
  });

  describe('record_size_limit (RFC 8449)', () => {
    for (const version of VERSIONS) {
      const contentType = version === 'TLSv1.3' ? 1 : 0;
      for (const limit of [64, 100, 512, 16384, 16385, 65535]) {
        const most = Math.min(limit - contentType, 16384);
        it(`of ${limit} makes records of at most ${most} bytes, ${version}`, () => {
          const link = expectEstablished(connect({ version, recordSizeLimit: limit }));
          const before = link.client.receivedRecords.length;
          link.step(link.connection.write(DATA));
          expect(toHex(link.client.data)).to.equal(toHex(DATA));
          const records = link.client.receivedRecords;
          const sizes = records.filter((record) => record.protected).map(({ content }) => content.length);
          expect(Math.max(...sizes)).to.equal(most);
          expect(records.length - before).to.equal(Math.ceil(DATA.length / most));
        });
      }

      it(`is answered with what a record may hold, ${version}`, () => {
        const { client } = connect({ version, recordSizeLimit: 1000 });
        const answer =
          version === 'TLSv1.3'
            ? client.encryptedExtensions?.recordSizeLimit
            : recordSizeLimitOf(client.serverHello?.extensions);
        expect(answer).to.equal(16384 + contentType);
      });
    }

    for (const version of VERSIONS) {
      const own = { recordSizeLimit: 100 };
      const contentType = version === 'TLSv1.3' ? 1 : 0;
      const sending = (length: number, client: ClientOptions, server: Partial<ServerOptions>) => {
        const link = expectEstablished(connect({ version, ...client }, server));
        link.client.injector.record(ContentType.application_data, DATA.subarray(0, length));
        return link.run();
      };

      it(`of the server's own is told to a client that has sent one, ${version}`, () => {
        const told = ({ client }: Exchange) =>
          version === 'TLSv1.3'
            ? client.encryptedExtensions?.recordSizeLimit
            : recordSizeLimitOf(client.serverHello?.extensions);
        expect(told(connect({ version, recordSizeLimit: 1000 }, own))).to.equal(100 + contentType);
        expect(told(connect({ version, recordSizeLimit: 1000 }, { recordSizeLimit: 64 }))).to.equal(64 + contentType);
        expect(told(connect({ version }, own))).to.equal(undefined);
      });

      it(`of the server's own is what it takes in, and one byte more is record_overflow, ${version}`, () => {
        expect(sending(100, { recordSizeLimit: 1000 }, own).data).to.have.lengthOf(100);
        expect(sending(101, { recordSizeLimit: 1000 }, own).failure?.alert).to.equal('record_overflow');
      });

      it(`of the server's own does not bind a client that has sent none, ${version}`, () => {
        expect(sending(16384, {}, own).data).to.have.lengthOf(16384);
      });
    }

    it('of the server’s own counts the padding of TLS 1.3', () => {
      const link = connect({ recordSizeLimit: 1000 }, { recordSizeLimit: 100 });
      link.client.injector.record(ContentType.application_data, Uint8Array.of(5), { padding: 99 });
      expect([...expectEstablished(link.run()).data]).to.deep.equal([5]);
      link.client.injector.record(ContentType.application_data, Uint8Array.of(5), { padding: 100 });
      expect(link.run().failure?.alert).to.equal('record_overflow');
    });

    it('of the server’s own counts in a resumption of TLS 1.2, and not for what is in the clear', () => {
      const config = testServer({ recordSizeLimit: 64 });
      const offer = { version: 'TLSv1.2', recordSizeLimit: 1000 } as const;
      const { client: before } = expectEstablished(exchange(new ScriptedClient(offer), new ServerConnection(config)));
      const client = new ScriptedClient({ ...offer, session: before.session });
      const link = expectEstablished(exchange(client, new ServerConnection(config)));
      expect(client.isResumed).to.equal(true);
      client.injector.record(ContentType.application_data, DATA.subarray(0, 65));
      expect(link.run().failure?.alert).to.equal('record_overflow');
    });

    it('of the server’s own does not bind early data, whose sender has not seen it', () => {
      const link = connect({ recordSizeLimit: 1000, earlyData: true, stopBefore: 'finished' }, { recordSizeLimit: 64 });
      const early = concat(Uint8Array.of(23, 3, 3, 4, 0), DATA.subarray(0, 1024));
      link.client.injector.bytes(early);
      link.client.proceed();
      expectEstablished(link.run());
    });

    it('counts for the certificate too, and not before ServerHello is out', () => {
      const { client } = connect({ recordSizeLimit: 64 });
      const [first, ...others] = client.receivedRecords;
      expect(first?.content.length).to.be.greaterThan(64); // "records of subsequent": ServerHello is in the clear
      const largest = Math.max(...others.map(({ content }) => content.length));
      expect(largest).to.equal(63);
    });

    it('counts on resumption', () => {
      for (const version of VERSIONS) {
        const config = testServer();
        const { client: before } = exchange(new ScriptedClient({ version }), new ServerConnection(config));
        const offer = version === 'TLSv1.3' ? { psks: before.tickets } : { session: before.session };
        const client = new ScriptedClient({ version, ...offer, recordSizeLimit: 70 });
        const link = expectEstablished(exchange(client, new ServerConnection(config)));
        expect(client.isResumed).to.equal(true);
        link.step(link.connection.write(DATA.subarray(0, 700)));
        const sizes = client.receivedRecords.filter(({ type }) => type === 23).map(({ content }) => content.length);
        expect(Math.max(...sizes)).to.equal(version === 'TLSv1.3' ? 69 : 70);
      }
    });
  });

  describe('of early data that nobody reads (§4.3.10)', () => {
    /** A record that looks like 0-RTT data: the server has no key for it. */
    const early = (length: number) =>
      concat(Uint8Array.of(23, 3, 3, length >> 8, length & 0xff), DATA.subarray(0, length));
    const limits = { skippedEarlyData: 100 };

    it('are skipped, as many as come before Finished', () => {
      const link = connect({ earlyData: true, stopBefore: 'finished' });
      for (let i = 0; i < 5; i++) link.client.injector.bytes(early(1000));
      link.client.proceed();
      expectEstablished(link.run());
      link.client.sendData(Uint8Array.of(1));
      expect([...link.run().data]).to.deep.equal([1]);
    });

    it('are skipped where they come with the hello', () => {
      const link = connect({ earlyData: true, stopBefore: 'client_hello' });
      link.client.proceed();
      link.client.injector.bytes(early(500));
      expectEstablished(link.run());
    });

    it('are skipped before the second hello of a HelloRetryRequest', () => {
      const link = connect({ earlyData: true, keyShares: [], stopBefore: 'second_client_hello' });
      for (let i = 0; i < 5; i++) link.client.injector.bytes(early(1000));
      link.client.proceed();
      expectEstablished(link.run());
      expect(link.client.hellos).to.have.lengthOf(2);
    });

    for (const keyShares of [undefined, []]) {
      const where = keyShares === undefined ? 'without HelloRetryRequest' : 'with HelloRetryRequest';
      const stopBefore = keyShares === undefined ? 'finished' : 'second_client_hello';

      it(`are skipped up to the limit, ${where}`, () => {
        const link = connect({ earlyData: true, keyShares, stopBefore }, { limits });
        link.client.injector.bytes(early(60));
        link.client.injector.bytes(early(40));
        link.client.proceed();
        expectEstablished(link.run());
      });

      it(`are refused beyond it, ${where}`, () => {
        const link = connect({ earlyData: true, keyShares, stopBefore }, { limits });
        link.client.injector.bytes(early(60));
        link.client.injector.bytes(early(41));
        expect(link.run().failure?.alert).to.equal('unexpected_message');
      });

      it(`are refused at a limit of 0, ${where}`, () => {
        const server = { limits: { skippedEarlyData: 0 } };
        const link = connect({ earlyData: true, keyShares, stopBefore }, server);
        link.client.injector.bytes(early(17));
        expect(link.run().failure?.alert).to.equal('unexpected_message');
      });
    }

    for (const keyShares of [undefined, []]) {
      const where = keyShares === undefined ? 'without HelloRetryRequest' : 'with HelloRetryRequest';
      const stopBefore = keyShares === undefined ? 'finished' : 'second_client_hello';

      it(`are skipped by default if they hold 16384 bytes, in one record or in a hundred, ${where}`, () => {
        for (const count of [1, 100]) {
          const link = connect({ earlyData: true, keyShares, stopBefore });
          for (let i = 0; i < count; i++) link.client.injector.bytes(early(Math.floor(16384 / count) + 17));
          link.client.proceed();
          expectEstablished(link.run());
        }
      });

      it(`may be as long as a protected record, and not longer, ${where}`, () => {
        for (const length of [16640, 16641]) {
          const link = connect({ earlyData: true, keyShares, stopBefore }, { limits: { skippedEarlyData: 50_000 } });
          link.client.injector.bytes(early(length));
          link.client.proceed();
          expect(link.run().failure?.alert).to.equal(length === 16640 ? undefined : 'record_overflow');
        }
      });
    }

    it('do not make other records longer: record_overflow', () => {
      const link = connect({ earlyData: true, keyShares: [], stopBefore: 'second_client_hello' });
      link.client.injector.bytes(concat(Uint8Array.of(22, 3, 3, 0x40, 1), DATA.subarray(0, 16385)));
      expect(link.run().failure?.alert).to.equal('record_overflow');
    });

    it('are not skipped where the hello did not announce them', () => {
      const link = connect({ stopBefore: 'finished' });
      link.client.injector.bytes(early(60));
      expect(link.run().failure?.alert).to.equal('bad_record_mac');
    });

    it('are not skipped in TLS 1.2', () => {
      const link = connect({ version: 'TLSv1.2', stopBefore: 'client_key_exchange' });
      link.client.injector.bytes(early(60));
      expect(link.run().failure?.alert).to.equal('unexpected_message');
    });

    it('end with the first record that opens', () => {
      const link = connect({ earlyData: true, stopBefore: 'finished', fragment: 10 });
      link.client.injector.bytes(early(60));
      link.client.proceed();
      expectEstablished(link.run());
      link.client.injector.bytes(early(60));
      expect(link.run().failure?.alert).to.equal('bad_record_mac');
    });
  });

  describe('while a question is open', () => {
    const server = { onServerName: () => new Promise<undefined>(() => {}) };

    it('are only buffered, up to 64 KiB; more is the caller’s mistake', () => {
      const link = connect({}, server);
      expect(link.question?.kind).to.equal('server-name');
      const { connection } = link;
      const step = connection.receive(new Uint8Array(65_000));
      expect(step.output.length + step.events.length).to.equal(0);
      expect(() => connection.receive(new Uint8Array(1000))).to.throw(RangeError, 'stop reading');
    });

    it('wait for the answer, and go on from there', async () => {
      const asynchronous = { onServerName: async () => undefined };
      const link = connect({}, asynchronous);
      link.client.injector.bytes(Uint8Array.of(23, 3, 3, 0, 20));
      link.send(link.client.take());
      expect(link.failure).to.equal(undefined);
      await link.runAsync();
      link.send(new Uint8Array(20));
      expect(link.failure?.alert).to.equal('bad_record_mac');
    });
  });
});
