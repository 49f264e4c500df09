/** KeyUpdate both ways, and the limits that call for it: RFC 9846 §4.7.3, §5.5. */

import { expect } from 'chai';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { ascii, toHex } from '../../src/wire/bytes.ts';
import { ContentType } from '../../src/wire/registry.ts';
import { type ClientOptions, type Exchange, exchange, ScriptedClient } from '../support/scripted-client.ts';
import { rawMessage } from '../support/scripted-hello.ts';
import { testServer } from '../support/servers.ts';

function connect(client: ClientOptions = {}, server: Partial<ServerOptions> = {}): Exchange {
  return exchange(new ScriptedClient(client), new ServerConnection(testServer(server)));
}

/** Data both ways; whatever keys there are. */
function expectWorking(link: Exchange): void {
  const { client, connection } = link;
  const [heard, had] = [link.data.length, client.data.length];
  client.sendData(ascii('ping'));
  link
    .run()
    .step(connection.write(ascii('pong')))
    .run();
  expect(link.failure).to.equal(undefined);
  expect(toHex(link.data.subarray(heard))).to.equal(toHex(ascii('ping')));
  expect(toHex(client.data.subarray(had))).to.equal(toHex(ascii('pong')));
}

/** request_update of the KeyUpdates that the server has sent. */
const updates = ({ client }: Exchange) =>
  client.received.flatMap((item) => (item.kind === 'handshake' && item.name === 'key_update' ? [item.raw.at(-1)] : []));

describe('KeyUpdate', () => {
  describe('of the client’s', () => {
    it('moves its direction on, and ours stays', () => {
      const link = connect();
      for (let i = 0; i < 3; i++) {
        link.client.sendKeyUpdate();
        expectWorking(link);
      }
      expect(updates(link)).to.deep.equal([]);
    });

    it('that asks for ours is answered by one that does not ask', () => {
      const link = connect();
      link.client.sendKeyUpdate('update_requested');
      expectWorking(link);
      expect(updates(link)).to.deep.equal([0]);
    });

    it('is answered before anything else that we send', () => {
      const link = connect();
      link.client.sendKeyUpdate('update_requested');
      link.run().step(link.connection.write(ascii('x')));
      expect(link.client.heard.slice(-2)).to.deep.equal(['key_update', 'data']);
    });

    it('may come several times before we say anything', () => {
      const link = connect();
      for (let i = 0; i < 4; i++) link.client.sendKeyUpdate('update_requested');
      expectWorking(link);
      expect(updates(link)).to.deep.equal([0, 0, 0, 0]);
    });

    it('may be in pieces', () => {
      const link = connect({ fragment: 1 });
      link.client.sendKeyUpdate('update_requested');
      expectWorking(link);
      expect(updates(link)).to.deep.equal([0]);
    });

    it('makes the old key worthless', () => {
      const link = connect();
      link.client.sendMessage(rawMessage('key_update', 0)); // and goes on under the old one
      link.client.sendData(Uint8Array.of(1));
      expect(link.run().failure?.alert).to.equal('bad_record_mac');
    });

    it('is not answered after our close_notify, and is obeyed all the same', () => {
      const link = connect();
      link.step(link.connection.end());
      link.client.sendKeyUpdate('update_requested');
      link.client.sendData(ascii('still'));
      link.client.close();
      link.run();
      expect(link.failure).to.equal(undefined);
      expect(toHex(link.data)).to.equal(toHex(ascii('still')));
      expect(link.client.heard.at(-1)).to.equal('alert');
    });

    it('of a client that never sends data is taken 32 times in a row, and data makes them start anew', () => {
      const link = connect({ changeCipherSpec: false });
      for (let round = 0; round < 2; round++) {
        for (let i = 0; i < 32; i++) link.client.sendKeyUpdate();
        expectWorking(link);
      }
    });
  });

  describe('of ours', () => {
    it('moves our direction on', () => {
      const link = connect();
      for (let i = 0; i < 3; i++) {
        link.step(link.connection.updateKeys());
        expectWorking(link);
      }
      expect(updates(link)).to.deep.equal([0, 0, 0]);
    });

    it('may ask for the client’s', () => {
      const link = connect();
      const before = link.client.writeKeys;
      link.step(link.connection.updateKeys(true));
      expect(link.client.writeKeys).to.equal(before + 1);
      expectWorking(link);
      expect(updates(link)).to.deep.equal([1]);
    });

    it('may cross one of the client’s on the wire', () => {
      const link = connect();
      link.client.sendKeyUpdate('update_requested');
      const crossing = link.client.take();
      link.step(link.connection.updateKeys(true));
      link.send(crossing);
      expectWorking(link);
      expect(updates(link)).to.deep.equal([1, 0]);
    });

    it('is alone in its record', () => {
      const link = connect();
      link.step(link.connection.updateKeys());
      const last = link.client.receivedRecords.at(-1);
      expect(last?.type).to.equal(ContentType.handshake);
      expect([...(last?.content ?? [])]).to.deep.equal([...rawMessage('key_update', 0)]);
    });

    it('is for TLS 1.3, once established, and not after the end', () => {
      const { connection: tls12 } = connect({ version: 'TLSv1.2' });
      expect(() => tls12.updateKeys()).to.throw('TLS 1.3');
      const { connection: early } = connect({ stopBefore: 'finished' });
      expect(() => early.updateKeys()).to.throw('establishment');
      const { connection: ended } = connect();
      ended.end();
      expect(() => ended.updateKeys()).to.throw('end');
    });
  });

  describe('by itself', () => {
    const limits = { recordsPerKey: 10 };

    it('comes before a key of ours has protected as much as it may', () => {
      const link = connect({}, { limits });
      for (let i = 0; i < 40; i++) link.step(link.connection.write(Uint8Array.of(i)));
      expect(link.client.data).to.deep.equal(Uint8Array.from({ length: 40 }, (_, i) => i));
      const perKey = recordsPerKey(link);
      expect(perKey.length).to.be.greaterThan(4);
      expect(Math.max(...perKey)).to.equal(10);
      expect(updates(link).every((request) => request === 0)).to.equal(true);
    });

    it('comes in the middle of one long write too', () => {
      const link = connect({}, { limits });
      const data = new Uint8Array(16384 * 25).fill(7);
      link.step(link.connection.write(data));
      expect(link.client.data.length).to.equal(data.length);
      expect(Math.max(...recordsPerKey(link))).to.be.at.most(10);
    });

    it('asks a client whose key has protected enough, once a key', () => {
      const link = connect({ polite: false }, { limits });
      for (let i = 0; i < 15; i++) {
        link.client.sendData(Uint8Array.of(i));
        link.run();
      }
      expect(updates(link)).to.deep.equal([1]);
      link.client.proceed(); // with its answer
      for (let i = 0; i < 9; i++) link.client.sendData(Uint8Array.of(i));
      link.run();
      expect(updates(link)).to.deep.equal([1]);
      link.client.sendData(Uint8Array.of(9));
      link.run();
      expect(updates(link)).to.deep.equal([1, 1]);
      expectWorking(link);
    });

    it('does not ask for the sake of the limit of the suite, which binds the sender alone (RFC 9846 §5.5)', () => {
      const link = connect({ polite: false });
      pretendRecords(link, 2 ** 40);
      expectWorking(link);
      expect(updates(link)).to.deep.equal([]);
    });

    it('does not ask after our close_notify', () => {
      const link = connect({ polite: false }, { limits });
      link.step(link.connection.end());
      for (let i = 0; i < 15; i++) link.client.sendData(Uint8Array.of(i));
      link.run();
      expect(updates(link)).to.deep.equal([]);
      expect(link.data).to.have.lengthOf(15);
    });
  });

  describe('does not exist in TLS 1.2:', () => {
    const server = { limits: { recordsPerKey: 10 } };

    it('a write key at its limit closes the connection with a close_notify, its last record', () => {
      const link = connect({ version: 'TLSv1.2' }, server);
      // Finished was the first record under the key.
      for (let i = 0; i < 8; i++) link.step(link.connection.write(Uint8Array.of(i)));
      expect(link.failure).to.equal(undefined);
      link.step(link.connection.write(Uint8Array.of(8)));
      expect(link.failure?.alert).to.equal('close_notify');
      expect(link.client.alert).to.deep.include({ name: 'close_notify', level: 1, protected: true });
      expect(link.client.data).to.have.lengthOf(8);
      expect(link.client.receivedRecords.filter((record) => record.protected)).to.have.lengthOf(10);
      expect(() => link.connection.write(Uint8Array.of(1))).to.throw('write()');
    });

    it('in a long write too, where what fits is sent', () => {
      const link = connect({ version: 'TLSv1.2' }, server);
      link.step(link.connection.write(new Uint8Array(16384 * 20)));
      expect(link.client.data).to.have.lengthOf(16384 * 8);
      expect(link.client.alert?.name).to.equal('close_notify');
    });

    it('a read key at its limit does too', () => {
      const link = connect({ version: 'TLSv1.2' }, server);
      for (let i = 0; i < 20; i++) {
        link.client.sendData(Uint8Array.of(i));
        link.run();
      }
      expect(link.failure?.alert).to.equal('close_notify');
      expect(link.data).to.have.lengthOf(9);
      expect(link.client.alert?.name).to.equal('close_notify');
    });

    it('a read key beyond the limit of its suite closes nothing, as that binds the sender alone (RFC 9846 §5.5)', () => {
      const link = connect({ version: 'TLSv1.2' });
      pretendRecords(link, 2 ** 40);
      expectWorking(link);
      expect(link.failure).to.equal(undefined);
    });

    it('and the session is as good as before', () => {
      const config = testServer(server);
      const link = exchange(new ScriptedClient({ version: 'TLSv1.2' }), new ServerConnection(config));
      link.step(link.connection.write(new Uint8Array(16384 * 20)));
      expect(link.failure?.alert).to.equal('close_notify');
      const { session } = link.client;
      const again = exchange(new ScriptedClient({ version: 'TLSv1.2', session }), new ServerConnection(config));
      expect(again.connection.resumption.resumed).to.equal(true);
    });
  });

  it('survives a record that is all padding but for its type', () => {
    const link = connect();
    link.client.injector.record('application_data', new Uint8Array(0), { padding: 100 });
    expectWorking(link);
  });
});

/** Has the server count this many records under the client's key: more than any test could send. */
function pretendRecords({ connection }: Exchange, count: number): void {
  Object.defineProperty(connection.channel.reader, 'records', { get: () => count });
}

/** How many records came under each application key of the server's: a KeyUpdate is the last under the old one. */
function recordsPerKey({ client }: Exchange): number[] {
  const finished = client.receivedRecords.findIndex(({ type, content }) => type === 22 && endsWithFinished(content));
  const counts = [0];
  for (const { type, content } of client.receivedRecords.slice(finished + 1)) {
    counts.push((counts.pop() ?? 0) + 1);
    if (type === ContentType.handshake && content[0] === 24) counts.push(0);
  }
  return counts;
}

/** The server's flight is one record; Finished is its last message. */
const endsWithFinished = (content: Uint8Array) => content[0] === 8;
