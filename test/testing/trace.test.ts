/** The trace of a pair: what it writes down, in which order, and that it keeps no secret. */

import { expect } from 'chai';
import { defineClient } from '../../src/client.ts';
import { defineServer, type ServerOptions } from '../../src/index.ts';
import { type MessageEntry, type PairOptions, pair, seededWorld, type TraceEntry } from '../../src/testing.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { testProvider as crypto } from '../support/provider.ts';

function run(options: Partial<ServerOptions> = {}, pairOptions: PairOptions = {}) {
  const world = seededWorld('trace');
  const server = defineServer({ credentials: [certificates.ecdsaP256], crypto, world, ...options });
  return pair(defineClient({ verifyServer: 'any', crypto, world }), server, pairOptions).runSync();
}

const sentBy = (entries: readonly MessageEntry[]) =>
  entries.filter(({ direction }) => direction === 'sent').map(({ side, epoch, name }) => `${side} ${epoch} ${name}`);

describe('a trace', () => {
  it('has every message of both sides in TLS 1.3, in order, with its epoch', () => {
    expect(sentBy(run().trace.messages)).to.deep.equal([
      'client 0 client_hello',
      'server 0 server_hello',
      'server 1 encrypted_extensions',
      'server 1 certificate',
      'server 1 certificate_verify',
      'server 1 finished',
      'client 1 finished',
      'server 2 new_session_ticket',
      'server 2 new_session_ticket',
    ]);
  });

  it('tells a HelloRetryRequest from a ServerHello', () => {
    expect(sentBy(run({ groups: ['secp256r1'] }).trace.messages).slice(0, 4)).to.deep.equal([
      'client 0 client_hello',
      'server 0 hello_retry_request',
      'client 0 client_hello',
      'server 0 server_hello',
    ]);
  });

  it('has every message of both sides in TLS 1.2', () => {
    const { messages } = run({ maxVersion: 'TLSv1.2', tickets: { mode: 'stateless' } }).trace;
    expect(sentBy(messages)).to.deep.equal([
      'client 0 client_hello',
      'server 0 server_hello',
      'server 0 certificate',
      'server 0 server_key_exchange',
      'server 0 server_hello_done',
      'client 0 client_key_exchange',
      'client 1 finished',
      'server 0 new_session_ticket',
      'server 1 finished',
    ]);
    expect(messages.every(({ error, fields }) => error === undefined && fields !== undefined)).to.equal(true);
  });

  it('has what each side has received, which is what the other has sent', () => {
    const { messages } = run({}, { chunks: 10 }).trace;
    const list = (direction: string) =>
      messages
        .filter((one) => one.direction === direction)
        .map(({ raw }) => toHex(raw))
        .sort();
    expect(list('received')).to.deep.equal(list('sent'));
  });

  it('has the fields of the messages', () => {
    const hello = run().trace.messages.find(({ name }) => name === 'server_hello');
    expect(hello?.fields).to.deep.include({ cipherSuite: 0x1301, legacyVersion: 0x0303 });
  });

  it('has records, with what they carry and the length that they have on the wire', () => {
    const both = run();
    both.take('client', both.client.write(Buffer.from('hello'))).take('client', both.client.end());
    both.runSync();
    const records = both.trace.entries.filter((entry) => entry.kind === 'record');
    const data = records.filter(({ type }) => type === 'application_data');
    expect(
      data.map(({ side, direction, epoch, length, wire }) => [side, direction, epoch, length, wire]),
    ).to.deep.equal([
      ['client', 'sent', 2, 5, 5 + 5 + 1 + 16],
      ['server', 'received', 2, 5, 5 + 5 + 1 + 16],
    ]);
    const alerts = records.filter(({ type }) => type === 'alert').map(({ side, alert }) => `${side} ${alert}`);
    expect(alerts).to.deep.equal(['client warning close_notify', 'server warning close_notify']);
  });

  it('has events and callbacks, with answers, but no keys', () => {
    const { entries } = run({ onServerName: () => undefined }, { client: { serverName: 'a.example' } }).trace;
    const of = <K extends TraceEntry['kind']>(kind: K) =>
      entries.filter((entry): entry is Extract<TraceEntry, { kind: K }> => entry.kind === kind);
    expect(of('callback').map(({ side, name, outcome }) => `${side} ${name} ${outcome}`)).to.include.members([
      'server onServerName value',
      'server sign value',
      'client verifyServer value',
    ]);
    expect(
      of('callback')
        .filter(({ name }) => name === 'agree')
        .map(({ answer }) => answer),
    ).to.deep.equal([undefined, undefined, undefined, undefined]);
    expect(of('event').filter(({ event }) => event.type === 'established')).to.have.length(2);
    expect(of('callback').map(({ question, asked }) => [question, asked])).to.deep.include.members([
      ['server-name', 'a.example'],
      ['key-generation', 'x25519'],
    ]);
  });

  it('lists what was asked and answered, and what events tell', () => {
    const world = seededWorld('asked');
    const sessions = { cache: false, onNew: () => {}, onGet: () => stored, mayResume: () => false } as const;
    const server = defineServer({ credentials: [certificates.ecdsaP256], crypto, world, sessions });
    const client = defineClient({ verifyServer: 'any', crypto, world });
    let stored: Uint8Array | undefined;
    stored = pair(client, server).runSync().server.session?.toDer();
    const text = pair(client, server).runSync().trace.toText();
    expect(text).to.match(/^server +callback onGet +session "[0-9a-f]+…$/m);
    expect(text).to.match(/^server +callback mayResume +resumption: false$/m);
    expect(text).to.match(/^server +event verdicts +psk-stateful vetoed$/m);
  });

  it('lists what ends a connection', () => {
    const both = run();
    both.take('client', both.client.end()).runSync();
    const text = both.trace.toText();
    expect(text).to.match(/^client +event alert +sent warning close_notify$/m);
    expect(text).to.match(/^server +event end$/m);
  });

  it('is JSON and text, without the secrets of the sessions', () => {
    const both = run();
    const json = JSON.stringify(both.trace);
    const text = both.trace.toText();
    for (const session of both.client.sessions) {
      expect(json).not.to.contain(toHex(session.secret));
      expect(json).to.contain(toHex(session.foreign.ticket ?? new Uint8Array(0)));
    }
    expect(text.split('\n').filter((line) => line.includes('client_hello'))[0]).to.match(
      /^client → 0 +client_hello +legacyVersion=771 /,
    );
    expect(both.trace.toText({ color: true })).to.contain('\x1b[1mclient → 0');
  });

  it('is empty where it is not wanted', () => {
    expect(run({}, { trace: false }).trace.entries).to.deep.equal([]);
  });

  it('says of a message that cannot be read why not', () => {
    const edits = { bytes: (raw: Uint8Array) => raw.slice(0, 39) };
    const { messages } = run({}, { client: { edits: { bytes: (raw) => fixed(edits.bytes(raw)) } } }).trace;
    expect(messages[0]).to.deep.include({ name: 'client_hello', fields: undefined });
    expect(messages[0]?.error).to.match(/bytes wanted/);
  });
});

/** A message that has been cut, with its length put right. */
function fixed(raw: Uint8Array): Uint8Array {
  raw[3] = raw.length - 4;
  raw[2] = 0;
  return raw;
}
