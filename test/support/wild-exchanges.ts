/**
 * Exchanges in which all goes wrong that can, recorded at both ends: answers that come late, callbacks that call the connection, faults
 * of every kind, bytes that were changed on their way, single bytes, and recordings that are taken amid it.
 */

import { SessionCache } from '../../src/cache/session-cache.ts';
import { ClientConnection, type ConnectOptions } from '../../src/engine/client/client-connection.ts';
import type { ClientConfig } from '../../src/engine/client/config.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import type { ClientSessionStore } from '../../src/engine/client/options.ts';
import type { Step } from '../../src/engine/events.ts';
import type { Fault } from '../../src/engine/fault.ts';
import type { Deferred, Question } from '../../src/engine/questions.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import type { ServerOptions, SessionOptions, TicketOptions } from '../../src/engine/server/options.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { Outcome } from '../../src/handshake/wait.ts';
import type { Session } from '../../src/sessions/session.ts';
import { faults } from '../../src/testing/faults.ts';
import { Pause } from '../../src/testing/outflow.ts';
import { type Recorder, record } from '../../src/testing/record.ts';
import type { Recording } from '../../src/testing/recording.ts';
import { type SeededWorld, seededWorld } from '../../src/testing/seeded-world.ts';
import type { Side } from '../../src/testing/trace-entry.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { TlsAlert } from '../../src/wire/alert.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import type { World } from '../../src/world.ts';
import {
  CREDENTIALS,
  Dice,
  GROUPS,
  PLAINTEXT,
  PROVIDERS,
  randomEarlyData,
  randomlyEarly,
  randomlyStapled,
  randomOnAlpn,
  randomPskSource,
  randomPsks,
  TIMINGS,
} from './random-exchanges.ts';
import { credential } from './servers.ts';

/** What came of an exchange. */
export interface WildExchange {
  readonly recordings: readonly WildRecording[];
  /** In hexadecimal: what no recording without application data may have. */
  readonly secrets: readonly string[];
  /** The same of recordings with application data: keys, and secrets of sessions that were not used. */
  readonly keys: readonly string[];
}

/** A recording, and whether it has application data. */
export interface WildRecording {
  readonly recording: Recording;
  readonly hasData: boolean;
}

type Connection = ServerConnection | ClientConnection;

/** One end: what has arrived, what it waits for. */
class End {
  readonly side: Side;
  readonly connection: Connection;
  readonly tape: Recorder;
  readonly arriving: Uint8Array[] = [];
  readonly late: Question[] = [];
  readonly deferred: Deferred[] = [];
  question: Question | undefined;

  constructor(side: Side, connection: Connection, tape: Recorder) {
    this.side = side;
    this.connection = connection;
    this.tape = tape;
  }
}

/** Runs an exchange of three meetings. */
export async function wildExchange(seed: number): Promise<WildExchange> {
  const run = new Wild(seed);
  for (let meeting = 0; meeting < 3; meeting++) await run.meet(meeting);
  return run.finish();
}

class Wild {
  readonly #world: SeededWorld;
  readonly #dice: Dice;
  readonly #server: ServerConfig;
  readonly #client: ClientConfig;
  readonly #ring: TicketKeyRing;
  readonly #recordings: WildRecording[] = [];
  #isOfOddType = false;
  readonly #secrets: string[] = [toHex(utf8(PLAINTEXT))];
  readonly #kept: Session[] = [];
  readonly #caches: SessionCache[] = [];
  #keepsData = false;
  #ends: Record<Side, End> | undefined;
  /** How deep callbacks have called, so that it ends. */
  #depth = 0;
  /** How often in so many a callback calls the connection; 0 for never. */
  readonly #meddling: number;
  readonly #garbling: number;

  constructor(seed: number) {
    this.#world = seededWorld(`wild ${seed}`);
    this.#dice = new Dice(this.#world.fork('choices'));
    this.#meddling = this.#dice.of([0, 0, 30, 4]);
    this.#garbling = this.#dice.of([0, 0, 0, 40, 8]);
    this.#ring = TicketKeyRing.rotating(this.#world.fork('ring'));
    this.#server = this.#makeServer();
    this.#client = this.#makeClient();
  }

  finish(): WildExchange {
    const keys: string[] = [];
    const key = this.#ring.sealingKey();
    if (key !== undefined) keys.push(toHex(key.exportSecret()).slice(0, 32));
    for (const session of this.#kept) session.release();
    return { recordings: this.#recordings, secrets: this.#secrets, keys };
  }

  async meet(meeting: number): Promise<void> {
    const dice = this.#dice;
    this.#isOfOddType = false;
    this.#keepsData = dice.once(3);
    const kept = this.#kept.filter(({ holds }) => holds > 0);
    const offered = meeting > 0 && dice.once(2) ? kept.slice(-1 - dice.below(3)) : undefined;
    const [ours, theirs] = [record({ applicationData: this.#keepsData }), record({ applicationData: this.#keepsData })];
    const client = new ClientConnection(this.#client, this.#connectOptions(offered, ours));
    const server = new ServerConnection(this.#server, {
      faults: [...this.#faults(), theirs],
      addresses: { localAddress: '192.0.2.1' },
    });
    this.#ends = { client: new End('client', client, ours), server: new End('server', server, theirs) };
    if (dice.once(12)) this.#ends.server.arriving.push(this.#garbage());
    this.#call('client', () => client.connect());
    for (let turn = 0; turn < 400 && (await this.#turn()); turn++);
    for (let act = 0; act < 8; act++) {
      this.#act(dice.of(['client', 'server']));
      for (let turn = 0; turn < 40 && (await this.#turn()); turn++);
    }
    if (dice.once(3)) this.#snapshot();
    for (const { side, connection } of Object.values(this.#ends)) this.#call(side, () => connection.dispose());
    this.#snapshot();
    this.#world.advance(dice.of([0, 5, 3000, 90_000_000]));
  }

  #snapshot(): void {
    const { client, server } = this.#ends ?? {};
    for (const end of [client, server])
      if (end) this.#recordings.push({ recording: end.tape.recording, hasData: this.#keepsData });
    for (const session of client?.connection instanceof ClientConnection ? client.connection.sessions : [])
      if (session.holds > 0) this.#kept.push(session.upRef());
  }

  #garbage(): Uint8Array {
    return this.#dice.of([
      utf8('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      Uint8Array.of(0x15, 3, 3, 0, 2, 1, 0),
      Uint8Array.of(0x14, 3, 3, 0, 1, 1),
      Uint8Array.of(0x17, 3, 3, 0, 0),
      Uint8Array.of(0x17, 3, 3, 0, 4, 0, 0, 0, 0),
      Uint8Array.of(0x16, 3, 1, 0xff, 0xff),
    ]);
  }

  /** Has a call made, and takes its Step to the other end. */
  #call(side: Side, run: () => Step): void {
    const end = this.#ends?.[side];
    if (end === undefined) return;
    let step: Step;
    try {
      step = run();
    } catch {
      return; // a wrong call
    }
    const other = this.#ends?.[side === 'client' ? 'server' : 'client'];
    for (const piece of this.#cut(step.output)) other?.arriving.push(piece);
    for (const event of step.events) if (event.type === 'deferred') end.deferred.push(event.deferred);
    end.question = step.question;
  }

  #cut(bytes: Uint8Array): Uint8Array[] {
    const dice = this.#dice;
    const size = dice.of([bytes.length, bytes.length, bytes.length, 1 + dice.below(400), dice.once(20) ? 1 : 7]);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.slice(at, at + size);
      if (this.#garbling > 0 && dice.once(this.#garbling * (size === bytes.length ? 1 : 20))) {
        const place = dice.below(piece.length);
        piece[place] = (piece[place] ?? 0) ^ (1 << dice.below(8));
      }
      pieces.push(piece);
    }
    if (dice.once(40)) pieces.push(this.#garbage());
    return pieces;
  }

  async #turn(): Promise<boolean> {
    const dice = this.#dice;
    if (dice.once(25)) this.#world.advance(dice.below(1000));
    if (dice.once(150)) this.#snapshot();
    const { connection: client } = this.#ends?.client ?? {};
    if (dice.once(client !== undefined && client.earlyRoom > 0 ? 6 : 60)) this.#act(dice.of(['client', 'server']));
    const ends = Object.values(this.#ends ?? {});
    if (dice.once(2)) ends.reverse();
    for (const end of ends) {
      const { side, connection, question } = end;
      const deferred = end.deferred.shift();
      if (deferred !== undefined) {
        const outcome = deferred.promise instanceof Pause ? { value: undefined } : await outcomeOf(deferred.promise);
        this.#call(side, () => connection.settle(deferred, outcome));
        return true;
      }
      if (end.late.length > 0 && dice.once(3)) {
        const late = end.late.shift() as Question;
        this.#call(side, () => connection.answer(late, { value: undefined }));
        return true;
      }
      if (question !== undefined && dice.once(2)) {
        const isLate = question.budgeted && dice.once(4);
        const outcome = isLate ? { late: true as const } : await outcomeOf(question.promise);
        if (isLate) end.late.push(question);
        this.#call(side, () => connection.answer(question, outcome));
        return true;
      }
      const next = question === undefined || dice.once(3) ? end.arriving.shift() : undefined;
      if (next !== undefined) {
        this.#call(side, () => connection.receive(next));
        return true;
      }
    }
    return ends.some(({ question, arriving }) => question !== undefined || arriving.length > 0);
  }

  /** Calls a connection, as its application might. */
  #act(side: Side): void {
    const end = this.#ends?.[side];
    if (end === undefined) return;
    const { connection } = end;
    const dice = this.#dice;
    const choice = dice.below(20);
    this.#call(side, () => {
      if (choice < 4) return connection.updateKeys(dice.once(2));
      if (choice < 6 && connection instanceof ServerConnection) return connection.sendTicket();
      if (choice === 6) return connection.end();
      if (choice === 7 && dice.once(2)) return connection.transportEnded();
      if (choice === 8 && dice.once(4)) return connection.dispose(dice.once(2));
      if (choice === 9) return connection.write(new Uint8Array(0));
      if (connection.earlyRoom > 0) {
        const early = connection.writeEarlyData(utf8(`${PLAINTEXT} `).subarray(0, connection.earlyRoom));
        this.#note(early.output);
        return early;
      }
      const step = connection.write(utf8(`${PLAINTEXT} `.repeat(1 + dice.below(dice.once(8) ? 1500 : 3))));
      if (!step.events.some(({ type }) => type === 'alert')) this.#note(step.output);
      return step;
    });
  }

  /** Notes ciphertext that no recording may have. */
  #note(output: Uint8Array): void {
    if (this.#keepsData || this.#isOfOddType || output.length < 60) return;
    this.#secrets.push(toHex(output.subarray(output.length - 24)));
  }

  /** What a callback does besides its work. */
  #meddle(side: Side): false {
    if (this.#meddling === 0 || this.#depth > 1 || !this.#dice.once(this.#meddling)) return false;
    this.#depth++;
    if (this.#dice.once(3)) this.#world.advance(1500);
    this.#act(side);
    this.#depth--;
    return false;
  }

  #worldOf(side: Side): World {
    const world = this.#world.fork(side);
    const isMeddling = this.#dice.once(6);
    return {
      now: () => this.#world.now(),
      randomBytes: (length, label) => {
        if (isMeddling) this.#meddle(side);
        return world.randomBytes(length, label);
      },
    };
  }

  /** An answer at once, or later; or an error, now and then. */
  #answer<T>(side: Side, value: T): T | Promise<T> {
    const dice = this.#dice;
    this.#meddle(side);
    if (dice.once(25)) throw dice.of([new Error('it is down'), new TlsAlert('access_denied', 'it says so')]);
    if (dice.once(25)) return Promise.reject(dice.of([new Error('down'), new TlsAlert('certificate_revoked', 'so')]));
    return dice.once(2) ? Promise.resolve(value) : value;
  }

  #makeServer(): ServerConfig {
    const dice = this.#dice;
    const answer = <T>(value: T) => this.#answer('server', value);
    const [sessions, tickets] = [this.#sessions(), this.#tickets()];
    const options: ServerOptions = {
      world: this.#worldOf('server'),
      credentials: [
        randomlyStapled(dice, credential(dice.once(6) ? dice.of(CREDENTIALS) : 'ecdsaP256')),
        credential('ecdsaP256'),
      ],
      psks: randomPskSource(dice),
      earlyData: randomEarlyData(dice, this.#world, { tickets, sessions }),
      onAlpn: randomOnAlpn(dice),
      recordSizeLimit: dice.once(6) ? 64 + dice.below(2000) : undefined,
      crypto: dice.once(20) ? dice.of(PROVIDERS) : undefined,
      groups: dice.once(8) ? [dice.of(GROUPS)] : undefined,
      alpn: dice.once(3) ? ['h2', 'http/1.1'] : undefined,
      maxVersion: dice.once(3) ? 'TLSv1.2' : undefined,
      pskModes: dice.of([undefined, ['psk_ke'], ['psk_dhe_ke', 'psk_ke']] as const),
      ciphers: dice.once(3)
        ? [
            'TLS_AES_256_GCM_SHA384',
            'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
            'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
          ]
        : undefined,
      clientAuth: dice.once(3)
        ? { mode: dice.of(['request', 'require']), verifyClient: () => answer(!dice.once(4)) }
        : undefined,
      sessions,
      tickets,
      limits: { recordsPerKey: dice.of([undefined, 4, 5]), skippedEarlyData: dice.of([undefined, 0, 200]) },
      scope: dice.once(5) ? { bindAlpn: true, label: 'a' } : undefined,
    };
    const server = defineServer(options);
    if (!dice.once(3)) return server;
    const host = defineServer({ ...options, credentials: [credential('ecdsaP256')] });
    return defineServer({
      ...options,
      onServerName: (name) => answer<ServerConfig | undefined>(name === undefined || dice.once(3) ? undefined : host),
    });
  }

  #tickets(): TicketOptions {
    const dice = this.#dice;
    const answer = <T>(value: T) => this.#answer('server', value);
    const timing = dice.of(TIMINGS);
    const common: TicketOptions = {
      timing,
      initial: dice.below(4),
      afterResumption: dice.below(3),
      onGenerate: dice.once(3) ? () => answer(dice.of([undefined, true, utf8('application data')])) : undefined,
    };
    const mode = dice.of(['stateful', 'stateless', 'stateless', 'off'] as const);
    if (mode === 'off') return { mode };
    if (mode === 'stateful') return { mode, timing, singleUse: dice.once(2) };
    const ring = this.#ring;
    const keys = {
      sealingKey: () => answer(ring.sealingKey()),
      openingKeys: (name: Uint8Array) => answer(ring.openingKeys(name)),
    };
    return {
      ...common,
      mode,
      keys: dice.once(2) ? keys : ring,
      onDecrypt: dice.once(3)
        ? (_session, _name, status) =>
            answer(
              status === 'success' || status === 'success-renew'
                ? dice.of(['use', 'use-renew', 'ignore', 'abort'])
                : 'ignore-renew',
            )
        : undefined,
    };
  }

  #sessions(): SessionOptions {
    const dice = this.#dice;
    const answer = <T>(value: T) => this.#answer('server', value);
    const others: SessionOptions = {
      idContext: utf8('members'),
      notResumable: dice.once(4) ? () => this.#meddle('server') || dice.once(2) : undefined,
      mayResume: dice.once(2) ? () => answer(!dice.once(4)) : undefined,
      timeout: dice.of([undefined, 3]),
      removeUnclean: dice.of([undefined, ['TLSv1.2', 'TLSv1.3']] as const),
      onRemove: dice.once(2) ? () => void this.#meddle('server') : undefined,
      updateTime: dice.once(2),
    };
    if (dice.once(2)) {
      const cache = new SessionCache();
      this.#caches.push(cache);
      const closing = () => {
        if (dice.once(30)) cache.close();
        this.#meddle('server');
      };
      return { ...others, cache: dice.once(2) ? cache : undefined, onNew: dice.once(3) ? closing : undefined };
    }
    const store = new Map<string, Uint8Array>();
    return {
      ...others,
      cache: false,
      onNew: (session) => {
        store.set(toHex(session.id), session.toDer());
        return answer(false);
      },
      onGet: (id) => answer(dice.once(8) ? utf8('no session') : store.get(toHex(id))),
      onTake: (id) => answer(store.delete(toHex(id))),
    };
  }

  #makeClient(): ClientConfig {
    const dice = this.#dice;
    const answer = <T>(value: T) => this.#answer('client', value);
    const saved = new Map<string, readonly Uint8Array[]>();
    const store: ClientSessionStore = {
      load: (key) => answer(saved.get(key)),
      save: (key, sessions) => {
        saved.set(
          key,
          sessions.map((der) => der.slice()),
        );
        return answer(undefined);
      },
      label: 'wild',
    };
    return defineClient({
      world: this.#worldOf('client'),
      verifyServer: () => answer(!dice.once(12)),
      crypto: dice.once(20) ? dice.of(PROVIDERS) : undefined,
      maxVersion: dice.once(3) ? 'TLSv1.2' : undefined,
      groups: dice.once(8) ? [dice.of(GROUPS), 'secp256r1'] : undefined,
      keyShares: dice.once(4) ? [] : undefined,
      alpn: dice.once(3) ? ['http/1.1'] : undefined,
      pskModes: dice.of([undefined, ['psk_ke'], ['psk_dhe_ke', 'psk_ke']] as const),
      ciphers: dice.once(4)
        ? ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256']
        : undefined,
      credential: dice.once(2) ? credential(dice.of(CREDENTIALS)) : undefined,
      psks: randomPsks(dice),
      statusRequest: dice.once(2),
      signedCertificateTimestamp: dice.once(2),
      sessionTicket: dice.once(4) ? false : undefined,
      ticketRequest: dice.once(4) ? { newSessionCount: dice.below(4), resumptionCount: 1 } : undefined,
      recordSizeLimit: dice.once(6) ? 64 + dice.below(2000) : undefined,
      maxFragmentLength: dice.once(8) ? 512 : undefined,
      middleboxCompatibility: dice.once(4) ? false : undefined,
      recordsPerKey: dice.of([undefined, undefined, 4]),
      sessions: {
        singleUse: dice.once(2),
        store: dice.once(3) ? store : undefined,
        onNew: () => void this.#meddle('client'),
      },
    });
  }

  #connectOptions(sessions: readonly Session[] | undefined, tape: Recorder): ConnectOptions {
    const dice = this.#dice;
    return {
      serverName: 'localhost',
      sessions,
      forceSessions: sessions !== undefined,
      ticketAge: dice.once(8) ? dice.below(60_000) : undefined,
      earlyData: randomlyEarly(dice),
      faults: [...this.#faults(), tape],
      edits: dice.once(8)
        ? {
            hello: (draft) => ({
              ...draft,
              extensions: [{ type: 0x0a0a, data: new Uint8Array(0) }, ...(draft.extensions ?? [])],
            }),
          }
        : {},
    };
  }

  #faults(): Fault[] {
    const list: Fault[] = [];
    while (this.#dice.once(3) && list.length < 3) list.push(this.#fault());
    return list;
  }

  #fault(): Fault {
    const dice = this.#dice;
    const which = dice.of([1, 2, 'each'] as const);
    const content = dice.of([
      'handshake',
      'application_data',
      'application_data',
      'alert',
      'change_cipher_spec',
    ] as const);
    const message = dice.of([
      'client_hello',
      'server_hello',
      'hello_retry_request',
      'certificate',
      'certificate_verify',
      'finished',
      'new_session_ticket',
      'encrypted_extensions',
      'key_update',
      'end_of_early_data',
      'server_hello_done',
      'client_key_exchange',
      'server_key_exchange',
    ] as const);
    const point = dice.once(2) ? content : message;
    const isBefore = dice.once(2);
    return dice.of([
      () => faults.drop(message, which),
      () => faults.repeat(message, which),
      () => faults.swap(message, which),
      () =>
        faults.insert(
          message,
          dice.of([Uint8Array.of(0, 0, 0, 0), Uint8Array.of(24, 0, 0, 1, 1), Uint8Array.of(14, 0, 0, 0)]),
          which,
        ),
      () =>
        faults.raw(message, (raw) => raw.slice(0, Math.max(0, raw.length - 1 - dice.below(9))), {
          which,
          isHashed: dice.once(2),
        }),
      () => faults.extension(message, 0xfafa, dice.once(2) ? undefined : utf8('x'), which),
      () => faults.split(content, 1 + dice.below(300), which),
      () => faults.merge(content, which),
      () => faults.pad(content, dice.of([0, 1, 77, 300, 16384, 20000]), which),
      () => faults.corrupt(content, { which, at: dice.below(30) }),
      () => faults.plaintext(content, which),
      () => faults.wrongKey(content, which),
      () =>
        faults.header(
          content,
          dice.of([
            { type: 22 },
            { type: 23 },
            { type: 99 },
            { version: 0x0301 },
            { length: 3 },
            { length: 9000 },
            { length: 0 },
          ]),
          which,
        ),
      () => {
        this.#isOfOddType = true; // what was data is none any more
        return faults.contentType(content, dice.of([0, 20, 21, 22, 23, 24]), which);
      },
      () => faults.delay(point, dice.below(50), { which, isBefore }),
      () => faults.stall(point, { which, isBefore }),
      () => faults.closeAt(point, { which, isBefore, closeNotify: dice.once(2) }),
      () => faults.retryWith(dice.of(GROUPS)),
      () => faults.selectIdentity(dice.below(3)),
      () => faults.resumeUnder(dice.of(['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_256_GCM_SHA384'] as const)),
      () => faults.ticket({ lifetime: dice.below(10_000), ageAdd: 7, nonce: dice.once(2) ? utf8('n') : undefined }),
    ])();
  }
}

function outcomeOf(promise: PromiseLike<unknown>): Promise<Outcome> {
  return Promise.resolve(promise).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}
