/** Recordings: what is in them and what is not, and that a replay notices whatever is otherwise. */

import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { CryptoProvider } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { ClientConnection, type ConnectOptions } from '../../src/engine/client/client-connection.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import type { Step } from '../../src/engine/events.ts';
import type { Question } from '../../src/engine/questions.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { connectionOf, ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { Session } from '../../src/sessions/session.ts';
import { faults } from '../../src/testing/faults.ts';
import { injector } from '../../src/testing/injector.ts';
import { type Pair, pair } from '../../src/testing/pair.ts';
import { ReplayDifference } from '../../src/testing/player.ts';
import { record } from '../../src/testing/record.ts';
import type { RecordedCall, RecordedTask, Recording } from '../../src/testing/recording.ts';
import { explain, fork, replay } from '../../src/testing/replay.ts';
import { seededWorld } from '../../src/testing/seeded-world.ts';
import { aeadTickets } from '../../src/tickets/format-aead.ts';
import { TicketKey } from '../../src/tickets/key.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { certificates, fixturePath } from '../fixtures.ts';
import { memory } from '../support/memory.ts';
import { PLAINTEXT, randomExchange } from '../support/random-exchanges.ts';
import { credential, testServer } from '../support/servers.ts';
import { wildExchange } from '../support/wild-exchanges.ts';

const world = seededWorld('recordings');
const server = (options: Partial<ServerOptions> = {}) =>
  testServer({ world, credentials: [credential('ecdsaP256')], ...options });
const client = (options: Parameters<typeof defineClient>[0] = {}) =>
  defineClient({ world, verifyServer: 'any', ...options });

/** A recorded meeting. */
function meet(
  theirs = server(),
  ours = client(),
  { data = false, ...connect }: ConnectOptions & { readonly data?: boolean } = {},
): Pair {
  return pair(ours, theirs, { client: connect, record: { applicationData: data }, trace: false }).runSync();
}

/** A copy that is altered. */
function altered(recording: Recording, alter: (copy: Altered) => void): Recording {
  const copy = JSON.parse(JSON.stringify(recording));
  alter(copy);
  return copy;
}

interface Altered extends Omit<Recording, 'calls'> {
  readonly calls: { output: string[]; work: unknown[]; events: unknown[] }[];
}

function differenceIn(recording: Recording): string {
  try {
    replay(recording);
  } catch (error) {
    if (error instanceof ReplayDifference) return error.message;
    throw error;
  }
  return 'none';
}

/** All tasks of a recording, in order. */
function tasksIn(recording: Recording): RecordedTask[] {
  const tasksOf = (calls: readonly (RecordedCall | RecordedTask)[]): RecordedTask[] =>
    calls.flatMap((one) => [...('task' in one ? [one] : []), ...tasksOf(one.work ?? [])]);
  return tasksOf(recording.calls);
}

describe('a recording', () => {
  it('replays, of every kind', async () => {
    for (let seed = 0; seed < 24; seed++) {
      const { recordings } = await randomExchange(seed);
      for (const [index, recording] of recordings.entries()) {
        const replayed = replay(JSON.stringify(recording));
        expect(replayed.connection.version, `${seed}, ${index}`).to.equal(recording.facts.version);
      }
    }
  });

  it('replays where all goes wrong that can, and has no secrets then', async () => {
    for (let seed = 0; seed < 6; seed++) {
      const { recordings, secrets, keys } = await wildExchange(seed);
      for (const [index, { recording, hasData }] of recordings.entries()) {
        const text = JSON.stringify(recording);
        expect(differenceIn(JSON.parse(text)), `${seed}, ${index}`).to.equal('none');
        for (const secret of hasData ? keys : [...keys, ...secrets]) expect(text).not.to.include(secret);
      }
    }
  });

  it('replays in another process', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tls-resume-'));
    try {
      for (let seed = 100; seed < 106; seed++) {
        const texts = (await randomExchange(seed)).recordings.map((one) => JSON.stringify(one));
        writeFileSync(join(folder, `${seed}.json`), JSON.stringify(texts));
      }
      const program = fileURLToPath(new URL('../campaigns/replays.js', import.meta.url));
      expect(execFileSync(process.execPath, [program, folder], { encoding: 'utf8' })).to.equal('  24 passing\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('that was made long ago replays', () => {
    const folder = fixturePath('recordings');
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    expect(names).to.have.length.above(7);
    for (const name of names) {
      const text = readFileSync(join(folder, name), 'utf8');
      expect(() => replay(text), name).not.to.throw();
    }
  });

  it('replays an answer to a question that was answered before, while another is open', () => {
    const tape = record();
    const { sign, ...rest } = credential('ecdsaP256');
    const config = server({
      onServerName: () => new Promise(() => {}),
      credentials: [{ ...rest, sign: (scheme, content) => Promise.resolve(sign(scheme, content)) }],
    });
    const theirs = new ServerConnection(config, { faults: [tape] });
    const ours = new ClientConnection(client(), { serverName: 'localhost' });
    const { question: first } = theirs.receive(ours.connect().output);
    const { question: second } = theirs.answer(first as Question, { value: undefined });
    expect(second?.kind).to.equal('signature');
    expect(theirs.answer(first as Question, { value: undefined }).question).to.equal(second);
    theirs.answer(second as Question, { value: new Uint8Array(70) });
    expect(tape.recording.calls.map(({ outcome }) => outcome)).to.deep.equal([undefined, 'value', 'stale', 'value']);
    replay(tape.recording);
    theirs.dispose();
    ours.dispose();
  });

  it('says first how secret it is', () => {
    expect(JSON.stringify(meet().recordings.server)).to.match(
      /^\{"warning":"Keep this as you keep a private key: with/,
    );
  });

  it('has no private key, no key of tickets, and no seed but its own', async () => {
    const key = TicketKey.generate(aeadTickets, (length) => world.randomBytes(length));
    const keys = TicketKeyRing.of([key], world);
    const theirs = server({
      credentials: [credential('ecdsaP256'), credential('rsa2048')],
      tickets: { mode: 'stateless', keys },
    });
    const ours = client({ credential: credential('ed25519') });
    for (let i = 0; i < 2; i++) {
      const { recordings } = meet(theirs, ours);
      const texts = [JSON.stringify(recordings.client), JSON.stringify(recordings.server)];
      for (const { key: pem } of [certificates.ecdsaP256, certificates.rsa2048, certificates.ed25519]) {
        const { d = '', p = d, q = d } = createPrivateKey(pem).export({ format: 'jwk' });
        const secrets = [d, p, q].map((secret) => Buffer.from(secret, 'base64url').toString('hex'));
        for (const text of texts) for (const secret of secrets) expect(text).not.to.include(secret.slice(0, 40));
      }
      for (const text of texts) expect(text).not.to.include(toHex(key.exportSecret()).slice(0, 32));
      expect(recordings.client.seed).not.to.equal(recordings.server.seed);
      for (const { seed } of [recordings.client, recordings.server])
        expect(seed).not.to.equal(toHex(seededWorld('recordings').randomBytes(32, 'recording')).slice(2));
    }
  });

  it('has the secret of the session that was resumed, and of no other', () => {
    const theirs = server();
    const sessions: Session[] = [];
    for (let i = 0; i < 3; i++) {
      const run = meet(theirs, client(), { sessions: [] });
      sessions.push(...run.client.sessions.map((session) => session.upRef()));
    }
    const secrets = sessions.map(({ secret }) => toHex(secret));
    const { recordings, client: connection } = meet(theirs, client(), { sessions: sessions.slice(1, 4) });
    expect(connection.resumption.identityIndex).to.equal(0);
    for (const text of [JSON.stringify(recordings.client), JSON.stringify(recordings.server)]) {
      expect(secrets.map((secret) => text.includes(secret))).to.deep.equal([false, true, false, false, false, false]);
    }
    expect(recordings.client.sessions.map(({ isUsed }) => isUsed)).to.deep.equal([true, false, false]);
    replay(recordings.client);
    replay(recordings.server);
  });

  it('has no secret of a session that breaks a rule', () => {
    const theirs = server({ sessions: { timeout: 60 } });
    const ours = client();
    const first = meet(theirs, ours, { sessions: [] });
    const kept = first.client.session;
    const stored = first.server.session?.toDer();
    const secret = toHex(kept?.secret ?? new Uint8Array(32));
    const moved = defineServer({
      world,
      credentials: [credential('ecdsaP256')],
      sessions: { cache: false, onGet: () => stored },
      scope: { label: 'moved' },
    });
    const { recordings, server: connection } = meet(moved, ours, { sessions: kept ? [kept] : [] });
    expect(connection.resumption.reason).to.equal('scope');
    for (const recording of Object.values(recordings)) expect(JSON.stringify(recording)).not.to.include(secret);
    replay(recordings.server);
    replay(recordings.client);
  });

  it('leaves application data out, and says of how many records', () => {
    const run = meet();
    run.take('client', run.client.write(utf8(PLAINTEXT))).runSync();
    run.take('server', run.server.write(utf8(PLAINTEXT))).runSync();
    run.take('client', run.client.end()).runSync();
    const { client: ours, server: theirs } = run.recordings;
    for (const recording of [ours, theirs]) {
      const text = JSON.stringify(recording);
      expect(text).not.to.include(toHex(utf8(PLAINTEXT)));
      expect(text).not.to.include(PLAINTEXT);
      expect(replay(text).maskedRecords).to.equal(2);
    }
    const received = theirs.calls.flatMap(({ input = [] }) => input).filter((piece) => typeof piece !== 'string');
    expect(received).to.deep.equal([
      { direction: 'received', epoch: 2, type: 'application_data', length: PLAINTEXT.length },
    ]);
  });

  it('leaves no ciphertext of application data in it either', () => {
    const run = meet();
    const step = run.client.write(utf8(PLAINTEXT));
    run.take('client', step).runSync();
    const cipher = toHex(step.output.subarray(5));
    for (const recording of Object.values(run.recordings)) expect(JSON.stringify(recording)).not.to.include(cipher);
  });

  it('has application data if it is told to', () => {
    const run = meet(server(), client(), { data: true });
    run.take('client', run.client.write(utf8(PLAINTEXT))).runSync();
    const { client: ours, server: theirs } = run.recordings;
    expect(JSON.stringify(ours)).to.include(toHex(utf8(PLAINTEXT)));
    expect(replay(theirs).maskedRecords).to.equal(0);
    expect(toHex(utf8(PLAINTEXT))).to.equal(
      replay(theirs)
        .trace.entries.flatMap((one) =>
          one.kind === 'event' && one.event.type === 'data' ? [toHex(one.event.data)] : [],
        )
        .join(''),
    );
  });

  it('can be taken at any time, and is not changed by what follows', () => {
    const run = meet();
    const early = run.recordings.server;
    const text = JSON.stringify(early);
    run.take('client', run.client.write(utf8(PLAINTEXT))).runSync();
    run.dispose();
    expect(JSON.stringify(early)).to.equal(text);
    replay(early);
    expect(run.recordings.server.calls.length).to.be.above(early.calls.length);
    replay(run.recordings.server);
  });
});

describe('application data that a recording leaves out', () => {
  /** A pair that has met, and a record of the client's with data. */
  function talking(data = PLAINTEXT): { readonly run: Pair; readonly sealed: Uint8Array } {
    const run = meet();
    return { run, sealed: run.client.write(utf8(data)).output };
  }
  /** The server's recording, which replays and has nothing of these bytes. */
  function without(run: Pair, sealed: Uint8Array): Recording {
    const recording = run.recordings.server;
    const text = JSON.stringify(recording);
    for (let at = 5; at + 8 <= sealed.length; at += 8) expect(text).not.to.include(toHex(sealed.subarray(at, at + 8)));
    expect(differenceIn(recording)).to.equal('none');
    return recording;
  }

  it('is left out if the recording is taken amid a record, and that can be taken again', () => {
    const { run, sealed } = talking();
    run.server.receive(sealed.subarray(0, 20));
    without(run, sealed);
    run.server.receive(sealed.subarray(20));
    expect(replay(without(run, sealed)).maskedRecords).to.equal(1);
  });

  it('is left out whatever a header says of its type', () => {
    for (const type of [0x14, 0x15, 0x16, 0x18]) {
      const { run, sealed } = talking();
      run.server.receive(Uint8Array.of(type, ...sealed.subarray(1)));
      without(run, sealed);
    }
  });

  it('is left out whatever a header says of its length', () => {
    for (const length of [0, 3, 30, 0xffff]) {
      const { run, sealed } = talking();
      run.server.receive(Uint8Array.of(...sealed.subarray(0, 3), length >> 8, length & 0xff, ...sealed.subarray(5)));
      without(run, sealed);
    }
  });

  it('is left out after the end, in any number of pieces', () => {
    const { run, sealed } = talking();
    run.server.transportEnded();
    for (let at = 0; at < sealed.length; at += 10) run.server.receive(sealed.subarray(at, at + 10));
    const { calls } = without(run, sealed);
    expect(calls.at(-1)?.input).to.deep.equal([
      { direction: 'received', epoch: 2, type: 'ignored', length: sealed.length % 10 || 10 },
    ]);
  });

  it('is left out if it is early data before a second ClientHello', () => {
    const tape = record();
    const theirs = new ServerConnection(server(), { faults: [faults.retryWith('secp384r1'), tape] });
    const early = Uint8Array.of(0x17, 3, 3, 0, 40, ...world.randomBytes(40));
    let isFirst = true;
    const type = { type: 42, data: new Uint8Array(0) }; // early_data
    const opening = new ClientConnection(client(), {
      edits: { hello: (draft) => (isFirst ? { ...draft, extensions: [type, ...(draft.extensions ?? [])] } : draft) },
    });
    const { output } = theirs.receive(opening.connect().output);
    theirs.receive(early);
    isFirst = false;
    const again = opening.receive(output);
    theirs.receive(again.output);
    expect(theirs.hasFailed).to.equal(false);
    expect(JSON.stringify(tape)).not.to.include(toHex(early.subarray(5, 21)));
    expect(differenceIn(tape.recording)).to.equal('none');
  });

  it('is told apart by why a record was refused', () => {
    for (const fault of [faults.pad('application_data', 20_000), faults.header('application_data', { length: 9 })]) {
      const run = pair(client(), server(), { client: { faults: [fault] }, record: true }).runSync();
      run.take('client', run.client.write(utf8(PLAINTEXT))).runSync();
      for (const recording of Object.values(run.recordings))
        expect(differenceIn(recording), fault.name).to.equal('none');
    }
  });

  it('does not stay in memory after a stall, nor after the end', () => {
    const run = pair(client(), server(), {
      client: { faults: [faults.stall('application_data')] },
      record: true,
    }).runSync();
    const data = new Uint8Array(1 << 20);
    run.client.write(data);
    run.server.transportEnded();
    const before = memory();
    for (let i = 0; i < 40; i++) {
      run.client.write(data);
      run.server.receive(data);
    }
    expect(memory() - before).to.be.below(10 << 20);
    expect(run.recordings.client.calls).to.have.length.above(40);
  });
});

describe('a recording of work', () => {
  const der = (of: Pair): Uint8Array => of.server.session?.toDer() ?? new Uint8Array(0);

  it('has answers that came late, or too late', () => {
    const options = {
      sessions: { cache: false as const, onNew: () => {}, onGet: () => new Promise<undefined>(() => {}) },
    };
    const ours = client();
    meet(server({ sessions: { cache: false, onNew: () => {}, onGet: () => undefined } }), ours);
    const tape = record();
    const connection = new ServerConnection(server(options), { faults: [tape] });
    const opening = new ClientConnection(ours).connect();
    const step = connection.receive(opening.output);
    expect(step.question?.kind).to.equal('session');
    const next = step.question && connection.answer(step.question, { late: true });
    expect(next?.output).not.to.have.length(0);
    if (step.question) connection.answer(step.question, { value: undefined }); // stale
    connection.dispose();
    expect(tape.recording.calls.map(({ call, outcome }) => [call, outcome])).to.deep.equal([
      ['receive', undefined],
      ['answer', 'late'],
      ['answer', 'stale'],
      ['dispose', undefined],
    ]);
    const { trace } = replay(tape.recording);
    expect(
      trace.entries.some((one) => one.kind === 'callback' && one.name === 'onGet' && one.outcome === 'late'),
    ).to.equal(true);
  });

  it('has an answer after which a callback called the connection', async () => {
    const ours = client();
    const first = meet(server({ sessions: { cache: false, onNew: () => {}, onGet: () => undefined } }), ours);
    const stored = der(first);
    const mayResume: NonNullable<ServerOptions['sessions']>['mayResume'] = (_session, info) => {
      connectionOf(info)?.end();
      return true;
    };
    const theirs = server({ sessions: { cache: false, onNew: () => {}, onGet: async () => stored, mayResume } });
    const run = await pair(ours, theirs, { record: true }).run();
    const { server: recording } = run.recordings;
    expect(recording.calls.find(({ call }) => call === 'answer')?.outcome).to.equal('value');
    expect(differenceIn(recording)).to.equal('none');
  });

  it('has no bytes that the connection refused, as the shell brings them again', async () => {
    const ours = client();
    const silent = { cache: false as const, onNew: () => {}, onGet: () => undefined };
    meet(server({ sessions: silent }), ours);
    const tape = record();
    const theirs = new ServerConnection(server({ sessions: { ...silent, onGet: async () => undefined } }), {
      faults: [tape],
    });
    const opening = new ClientConnection(ours);
    const { question } = theirs.receive(opening.connect().output);
    expect(() => theirs.receive(new Uint8Array(70_000).fill(0x17))).to.throw(RangeError);
    const { output } = theirs.answer(question as Question, { value: undefined });
    theirs.receive(opening.receive(output).output);
    theirs.receive(opening.write(utf8(PLAINTEXT)).output);
    expect(replay(tape.recording).maskedRecords).to.equal(1);
  });

  it('has the choice of an application protocol', async () => {
    const onAlpn = (protocols: readonly string[]) => Promise.resolve(protocols[1]);
    const link = pair(client({ alpn: ['h2', 'http/1.1'] }), server({ onAlpn }), { record: true });
    await link.run();
    const [task] = tasksIn(link.recordings.server as Recording).filter(({ task }) => task === 'application-protocol');
    expect(task).to.include({ callback: 'onAlpn', value: 'http/1.1', later: true });
    expect(replay(link.recordings.server).connection.alpnProtocol).to.equal('http/1.1');
  });

  it('has staples: those of the options, and the answers of functions', async () => {
    const asking = { statusRequest: true, signedCertificateTimestamp: true };
    const signedCertificateTimestamps = [Uint8Array.of(1, 2)];
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const)
      for (const ocspResponse of [Uint8Array.of(9), () => Promise.resolve(Uint8Array.of(9))]) {
        const credentials = [{ ...certificates.ecdsaP256, ocspResponse, signedCertificateTimestamps }];
        const link = pair(client({ maxVersion, verifyServer: 'any', ...asking }), server({ credentials }), {
          record: true,
        });
        await link.run();
        const tasks = tasksIn(link.recordings.server as Recording).filter(({ task }) => task === 'ocsp-response');
        expect(tasks.map(({ value }) => value)).to.deep.equal(
          typeof ocspResponse === 'function' ? [{ $bytes: '09' }] : [],
        );
        replay(link.recordings.server);
        const { connection } = replay(link.recordings.client);
        expect(connection).to.have.deep.property('ocspResponse', Uint8Array.of(9));
        expect(connection).to.have.deep.property('signedCertificateTimestamps', signedCertificateTimestamps);
      }
  });

  it('has the calls that callbacks made', () => {
    const first = meet(server({ sessions: { cache: false, onNew: () => {}, onGet: () => undefined } }));
    const steps: Step[] = [];
    const theirs = server({
      sessions: {
        cache: false,
        onNew: () => {},
        onGet: (_id, info) => {
          const connection = connectionOf(info);
          if (connection !== undefined) steps.push(connection.end());
          return der(first);
        },
      },
    });
    const run = pair(client(), theirs, {
      client: { sessions: first.client.sessions, forceSessions: true },
      record: true,
    });
    run.step();
    run.step();
    expect(steps).to.have.length(1);
    const { server: recording } = run.recordings;
    expect(
      tasksIn(recording)
        .find(({ task }) => task === 'session')
        ?.work?.map(({ call }) => call),
    ).to.deep.equal(['end']);
    replay(recording);
  });

  it('has the calls that a provider made amid our work', () => {
    const { hashes } = defaultProvider;
    let connection: ServerConnection | undefined;
    const meddling: CryptoProvider = {
      ...defaultProvider,
      hashes: {
        ...hashes,
        sha256: {
          ...hashes.sha256,
          digest: (bytes) => {
            const [own] = [connection];
            connection = undefined;
            own?.write(utf8('amid'));
            return hashes.sha256.digest(bytes);
          },
        },
      },
    };
    const run = pair(client(), server({ crypto: meddling }), { record: true }).runSync();
    connection = run.server;
    run
      .take('client', run.client.write(utf8('x')))
      .take('client', run.client.updateKeys(true))
      .runSync();
    run.take('client', run.client.end()).runSync();
    expect(differenceIn(run.recordings.server)).to.equal('none');
  });

  it('has errors, and what the handshake made of them', () => {
    const onGet = () => {
      throw new Error('the store is down');
    };
    const first = meet(server({ sessions: { cache: false, onNew: () => {}, onGet: () => undefined } }));
    const theirs = server({ sessions: { cache: false, onNew: () => {}, onGet } });
    const { recordings } = meet(theirs, client(), { sessions: first.client.sessions, forceSessions: true });
    const task = tasksIn(recordings.server).find(({ callback }) => callback === 'onGet');
    expect(task?.failed).to.deep.equal({ name: 'Error', message: 'the store is down' });
    expect(task?.value).to.deep.equal({ reason: 'store-error' });
    replay(recordings.server);
  });

  it('has what faults and decisions made', () => {
    const theirs = server();
    for (const fault of [
      faults.repeat('certificate_verify'),
      faults.corrupt('handshake'),
      faults.plaintext('handshake', 2),
      faults.split('handshake', 50, 'each'),
      faults.retryWith('secp384r1'),
      faults.ticket({ lifetime: 7, nonce: utf8('n') }),
    ]) {
      const run = pair(client(), theirs, { server: { faults: [fault] }, record: true }).runSync();
      for (const recording of Object.values(run.recordings))
        expect(differenceIn(recording), fault.name).to.equal('none');
    }
  });

  it('has what faults of time held back, and when it went out', async () => {
    for (const fault of [
      faults.delay('finished', 5),
      faults.delay('server_hello', 5, { isBefore: true }),
      faults.stall('certificate'),
      faults.closeAt('finished', { closeNotify: true }),
      faults.closeAt('server_hello'),
    ]) {
      const run = await pair(client(), server(), { server: { faults: [fault] }, record: true }).run();
      run.dispose();
      for (const recording of Object.values(run.recordings))
        expect(differenceIn(recording), fault.name).to.equal('none');
    }
  });

  it('has what an injector wrote, held back and let go', () => {
    for (const end of ['client', 'server'] as const) {
      for (const letGo of ['release', 'discard'] as const) {
        const hand = injector({ holdBefore: 'finished' });
        const run = pair(client(), server(), { [end]: { faults: [hand] }, record: true }).runSync();
        expect(hand.isHolding).to.equal(true);
        hand.record('alert', Uint8Array.of(1, 90));
        hand[letGo]();
        run.take(end, run[end].receive(new Uint8Array(0))).runSync();
        if (run[end].isEstablished) hand.record('application_data', utf8(PLAINTEXT), { padding: 9 });
        hand.bytes(Uint8Array.of(21, 3, 3, 0, 0));
        run.take(end, run[end].receive(new Uint8Array(0))).runSync();
        for (const recording of Object.values(run.recordings)) {
          expect(differenceIn(recording), `${end}, ${letGo}`).to.equal('none');
          expect(JSON.stringify(recording)).not.to.include(toHex(utf8(PLAINTEXT)));
        }
      }
    }
  });

  it('has edits of the hello', () => {
    const theirs = server();
    const [session] = meet(theirs).client.sessions;
    const run = meet(theirs, client(), {
      sessions: session ? [session] : [],
      edits: {
        hello: (draft) => ({ ...draft, random: new Uint8Array(32).fill(7) }),
        bytes: (raw) => raw,
      },
    });
    expect(run.client.resumption.resumed).to.equal(true);
    replay(run.recordings.client);
    replay(run.recordings.server);
  });

  it('has what was sent before an error of a fault, or of a provider', () => {
    const fault = faults.raw('certificate_verify', () => {
      throw new Error('it is broken');
    });
    const tape = record();
    const connection = new ServerConnection(server(), { faults: [fault, tape] });
    const { output } = new ClientConnection(client()).connect();
    expect(() => connection.receive(output)).to.throw('it is broken');
    connection.dispose();
    const [call] = tape.recording.calls;
    expect(call?.sent?.at(-1)?.error).to.deep.equal({ name: 'Error', message: 'it is broken' });
    expect(differenceIn(tape.recording)).to.equal('none');
  });

  it('is of one connection', () => {
    const tape = record();
    const config = server();
    expect(() => tape.recording).to.throw(Error, 'no connection has been given this');
    new ServerConnection(config, { faults: [tape] });
    expect(() => new ServerConnection(config, { faults: [tape] })).to.throw(
      TypeError,
      'one recording is of one connection',
    );
  });
});

describe('a replay', () => {
  let recording: Recording;
  let offered: Recording;
  before(() => {
    recording = meet().recordings.server;
    offered = meet().recordings.client;
  });

  it('names the first field that differs', () => {
    const dice = altered(recording, (copy) => void Object.assign(copy, { seed: 'ab'.repeat(32) }));
    expect(differenceIn(dice)).to.match(/^calls\[0\]\.server_hello\.random: [0-9a-f]{64} was recorded, and now it is /);
    const suites = altered(recording, ({ configs }) => {
      Object.assign(configs[0] as object, { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] });
    });
    expect(differenceIn(suites)).to.equal('calls[0].server_hello.cipherSuite: 4865 was recorded, and now it is 4867');
    const hello = altered(offered, (copy) => void Object.assign(copy.connection, { serverName: 'other.example' }));
    expect(differenceIn(hello)).to.match(/^calls\[0\]\.client_hello\.extensions\.serverName/);
  });

  it('notices another byte on the wire, another answer, another event, another end', () => {
    const wire = altered(recording, ({ calls }) => {
      const [call] = calls;
      call?.output.splice(0, 1, `17${call.output[0]?.slice(2)}`);
    });
    expect(differenceIn(wire)).to.equal('calls[0].output[0]: 17 was recorded, and now it is 16');
    const work = altered(recording, ({ calls }) => void calls[0]?.work.pop());
    expect(differenceIn(work)).to.match(/^calls\[0\]: the next task is 'signature', and the recording has no more/);
    const more = altered(recording, ({ calls }) => {
      calls[0]?.work.push(calls[0].work[0]);
    });
    expect(differenceIn(more)).to.match(/^calls\[0\]: .* was asked for, and is not now/);
    const events = altered(recording, ({ calls }) => {
      const call = calls.find(({ events: list }) => JSON.stringify(list ?? []).includes('established'));
      Object.assign(call ?? {}, { events: [{ type: 'end' }] });
    });
    expect(differenceIn(events)).to.match(/\.events\[0\]\.type: end was recorded, and now it is established$/);
    const facts = altered(
      recording,
      (copy) => void Object.assign(copy.facts, { cipherSuite: 'TLS_AES_256_GCM_SHA384' }),
    );
    expect(differenceIn(facts)).to.match(/^facts\.cipherSuite: /);
    const reason = altered(recording, (copy) => void Object.assign(copy.facts, { reason: 'vetoed' }));
    expect(differenceIn(reason)).to.equal('facts.reason: vetoed was recorded, and now it is not-offered');
  });

  it('notices another verdict on a session', () => {
    const theirs = server({ sessions: { mayResume: () => false } });
    const ours = client();
    meet(theirs, ours);
    const vetoed = meet(theirs, ours).recordings.server;
    const other = JSON.parse(JSON.stringify(vetoed).replaceAll('"reason":"vetoed"', '"reason":"expired"'));
    expect(differenceIn({ ...other, facts: vetoed.facts })).to.match(
      /^calls\[\d+\]\.events\[\d\]\.verdicts\[0\]\.reason: expired was recorded, and now it is vetoed$/,
    );
  });

  it('refuses what is no recording, and says why', () => {
    const cases: [unknown, RegExp][] = [
      ['{', /^recording: it is not JSON, or it is cut off$/],
      ['[]', /^recording: what record\(\) has written is wanted/],
      [null, /^recording: what record\(\) has written/],
      [{ ...recording, format: 2 }, /^recording: its format is 2, and this version reads 1$/],
      [{ ...recording, seed: 'x' }, /^recording\.seed: missing or wrong; /],
      [{ ...recording, calls: 1 }, /^recording\.calls: missing or wrong; /],
      [{ ...recording, side: 'both' }, /^recording\.side: missing or wrong; /],
      [{ ...recording, calls: [{ call: 'toString' }] }, /^recording\.calls\[0\]\.call: missing or wrong; connect, /],
      [
        { ...recording, calls: [{ call: 'receive', input: 'zz' }] },
        /^recording\.calls\[0\]\.input: missing or wrong; /,
      ],
      [
        { ...recording, calls: [{ call: 'receive', input: ['zz'] }] },
        /^recording\.calls\[0\]\.input\[0\]: missing or wrong; /,
      ],
    ];
    for (const [given, message] of cases) expect(() => replay(given as string)).to.throw(message);
  });

  it('names the field that is of another kind, and takes no memory for what a file only claims', () => {
    const call = recording.calls[0] ?? { call: 'dispose' };
    const deep = JSON.parse(`${'['.repeat(9000)}${']'.repeat(9000)}`);
    const cases: [Partial<Record<keyof RecordedCall, unknown>>, RegExp][] = [
      [{ call: 'constructor' }, /^recording\.calls\[0\]\.call: missing or wrong; connect, /],
      [{ time: 1e17 }, /^recording\.calls\[0\]\.time: /],
      [{ input: '16' }, /^recording\.calls\[0\]\.input: .* a list is wanted$/],
      [{ input: [null] }, /^recording\.calls\[0\]\.input\[0\]: .* an object is wanted$/],
      [{ output: [{ direction: 'sent', epoch: 1, type: 'unopened', length: 2 ** 53 }] }, /\.output\[0\]\.length: /],
      [{ work: [7] }, /^recording\.calls\[0\]\.work\[0\]: /],
      [{ work: [{ task: 'session', value: deep }] }, /\.value\.0.*levels is wanted$/],
      [{ events: [null] }, /^recording\.calls\[0\]\.events\[0\]: /],
      [{ sent: [{ message: 'xy' }] }, /^recording\.calls\[0\]\.sent\[0\]\.message: .* hexadecimal text is wanted$/],
    ];
    for (const [changed, message] of cases) {
      const [, ...others] = recording.calls;
      const broken = { ...recording, calls: [{ ...call, ...changed }, ...others] };
      expect(() => replay(broken as Recording), String(message)).to.throw(TypeError, message);
    }
    const huge = { call: 'write', data: 2 ** 30 } as const;
    const claims = { ...recording, calls: [...recording.calls, huge] };
    expect(differenceIn(claims)).to.match(/\.data: 1073741824 bytes were written, of which 0 were sent$/);
    const [config = {}] = recording.configs as readonly object[];
    expect(() => replay({ ...recording, configs: [{ ...config, groups: ['x'] }] })).to.throw(
      TypeError,
      /^recording\.configs\[0\]: groups: /,
    );
  });

  it('notices a message that is sent no more, and an error that nobody threw', () => {
    const more = altered(recording, ({ calls }) => {
      const call = calls[0] as unknown as { sent: unknown[] };
      call.sent.push(call.sent[0]);
    });
    expect(differenceIn(more)).to.match(/^calls\[0\]: \d+ messages were sent, and now there are \d+$/);
    const ended = { ...recording, calls: [...recording.calls, { call: 'dispose' }, { call: 'write', data: 1 }] };
    expect(differenceIn(ended as Recording)).to.match(/: it has thrown nothing, and throws now: Error: write\(\) /);
  });

  it('ends in an error for a recording of nonsense, and never hangs', () => {
    const { calls } = recording;
    for (const [i] of calls.entries()) {
      for (const nonsense of [
        {},
        { call: 'toString' },
        { call: 'receive', input: [{}] },
        { call: 'write', data: 'zz' },
      ]) {
        const broken = { ...recording, calls: calls.map((call, at) => (at === i ? nonsense : call)) };
        expect(() => replay(broken as Recording), JSON.stringify(nonsense)).to.throw();
      }
    }
  });

  it('gives the secrets of the connection for its key log', () => {
    const labels = replay(recording).keylog.map((line) => line.split(' ')[0]);
    expect(labels).to.include('CLIENT_TRAFFIC_SECRET_0');
  });
});

describe('a fork', () => {
  let recording: Recording;
  before(() => {
    const theirs = server({ sessions: { timeout: 60, mayResume: () => true } });
    const ours = client();
    meet(theirs, ours);
    recording = meet(theirs, ours).recordings.server;
  });

  it('is the same without a change', () => {
    const { connection, output } = fork(recording, { at: 0 });
    expect(connection.resumption.resumed).to.equal(true);
    expect(toHex(output)).to.equal((recording.calls[0]?.output ?? []).join(''));
  });

  it('runs under another clock', () => {
    const { time = 0 } = recording.calls[0] ?? {};
    const { connection } = fork(recording, { at: 0, clock: time + 61_000 });
    expect(connection.resumption).to.include({ resumed: false, reason: 'expired' });
  });

  it('runs with another answer', () => {
    const answer = ({ callback }: { readonly callback: string | undefined }) =>
      callback === 'mayResume' ? { value: false } : undefined;
    const { connection } = fork(JSON.stringify(recording), { at: 0, answer });
    expect(connection.resumption).to.include({ resumed: false, reason: 'vetoed' });
  });

  it('runs with other bytes, and can be called on', () => {
    const bytes = Uint8Array.of(0x15, 3, 3, 0, 2, 1, 0);
    const { events, connection } = fork(recording, { at: 0, bytes });
    expect(events.map(({ type }) => type)).to.include('end');
    expect(connection.dispose().output).to.have.length(0);
  });

  it('refuses what cannot be', () => {
    expect(() => fork(recording, { at: 99 })).to.throw(RangeError, 'at');
    expect(() => fork(recording, { at: -1 })).to.throw(RangeError, 'at');
    const { client: offer } = meet().recordings;
    expect(() => fork(offer, { at: 0, bytes: new Uint8Array(1) })).to.throw(TypeError, 'call 0 is connect()');
    expect(() => fork(recording, { at: 0, now: 1 } as never)).to.throw(TypeError, 'now');
    expect(() => fork(recording, { at: 0, answer: 1 as never })).to.throw(TypeError, 'answer');
    expect(() => fork(recording, { at: 0, answer: () => 1 as never })).to.throw(TypeError, 'answer: { value } or');
  });
});

describe('an explanation', () => {
  it('has each call, each message with its fields, and each verdict with its rules', () => {
    const theirs = server({ sessions: { mayResume: () => false } });
    const ours = client();
    meet(theirs, ours);
    const run = meet(theirs, ours);
    run.take('client', run.client.write(utf8(PLAINTEXT))).runSync();
    const text = explain(run.recordings.server);
    for (const part of [
      /^A TLSv1\.3 server: established, not resumed \(vetoed\)\.\n/,
      /\n0 {2}receive\(\d+ bytes\) {2}2026-01-01T/,
      / client_hello +legacyVersion=771 random=/,
      /\n {3}verdict on a psk-stateful: not resumed, vetoed\n {6}ok {2}resumable\n/,
      /\n {6}remedy: /,
      /\n1 record masked: /,
    ])
      expect(text).to.match(part);
    expect(text).not.to.include('\x1b');
    expect(explain(run.recordings.server, { color: true })).to.include('\x1b[');
  });
});
