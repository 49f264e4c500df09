/**
 * Random sequences of calls on a connection: by its shell, by its peer's messages, by answers that come late, twice or never, and by
 * user code of every kind amid all that. Whatever the sequence, no call throws but for what its documentation says, the client can
 * read all output in its order, the connection ends once, and in the end nothing is left of it. A seed makes a sequence.
 */

import { SessionCache } from '../../src/cache/session-cache.ts';
import type { Aead, CryptoProvider, EphemeralKey, Hash, HmacKey, KeyAgreement } from '../../src/crypto/provider.ts';
import type { Event, Step } from '../../src/engine/events.ts';
import type { Deferred, Question } from '../../src/engine/questions.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { Outcome } from '../../src/handshake/wait.ts';
import type { Session } from '../../src/sessions/session.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { concat, EMPTY } from '../../src/wire/bytes.ts';
import type { Version } from '../../src/wire/registry.ts';
import { type ClientOptions, exchange, ScriptedClient } from './scripted-client.ts';
import { quickCredential, testServer, toyCrypto } from './servers.ts';
import { TestWorld } from './world.ts';

/** How a callback answers. */
const WAYS = ['now', 'now', 'now', 'later', 'rejects', 'throws'] as const;
const CALLS = 14;

function same(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`);
}

/** One connection, its client, and user code that behaves as its dice say. */
class Sequence {
  readonly #dice: TestWorld;
  readonly #world = new TestWorld(5);
  readonly #live = new Set<object>();
  readonly #sessions = new Set<Session>();
  readonly #outcomes = new Map<unknown, Outcome>();
  readonly #stale: Question[] = [];
  readonly #deferred: Deferred[] = [];
  readonly #events: Event[] = [];
  readonly #lines = new Set<string>();
  readonly #version: Version;
  readonly #config: ServerConfig;
  #connection: ServerConnection | undefined;
  #client: ScriptedClient | undefined;
  #question: Question | undefined;
  #depth = 0;
  #isDisposed = false;
  /** Whether the peer has sent what no client does, after which it understands nothing any more. */
  #isGarbled = false;

  constructor(seed: number) {
    this.#dice = new TestWorld(seed);
    this.#version = this.#pick(['TLSv1.2', 'TLSv1.3'] as const);
    this.#config = testServer(this.#options());
  }

  #below(limit: number): number {
    const [high = 0, low = 0] = this.#dice.randomBytes(2);
    return (256 * high + low) % limit;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  #chance(oneIn: number): boolean {
    return this.#below(oneIn) === 0;
  }

  // User code.

  /** What user code of every kind may do before it answers: call the connection. */
  #meddle(oneIn = 4): void {
    if (this.#connection === undefined || this.#depth > 3 || !this.#chance(oneIn)) return;
    this.#depth++;
    this.#call();
    this.#depth--;
  }

  #answer<T>(value: T): T | Promise<T> {
    this.#meddle();
    const error = new Error('the callback');
    const way = this.#connection === undefined ? 'now' : this.#pick(WAYS);
    if (way === 'throws') throw error;
    if (way === 'now') return value;
    const promise = way === 'later' ? Promise.resolve(value) : Promise.reject<T>(error);
    this.#outcomes.set(promise, way === 'later' ? { value } : { error });
    return promise;
  }

  #synchronous<T>(value: T): T {
    this.#meddle();
    return value;
  }

  /** A provider that knows which of its keys have not been wiped, and whose parts call the connection. */
  #crypto(): CryptoProvider {
    const watched = <K extends { wipe(): void }>(key: K, parts: Partial<K>): K => {
      this.#live.add(key);
      const wipe = () => {
        this.#live.delete(key);
        key.wipe();
      };
      return { ...key, ...parts, wipe };
    };
    const aead = (made: Aead): Aead => ({
      ...made,
      key: (bytes) => {
        const key = made.key(bytes);
        return watched(
          {
            seal: (...parts: Parameters<typeof key.seal>) => key.seal(...parts),
            open: (...parts: Parameters<typeof key.open>) => key.open(...parts),
            wipe: () => key.wipe(),
          },
          {
            seal: (...parts) => {
              this.#meddle(12);
              return key.seal(...parts);
            },
          },
        );
      },
    });
    const hash = (made: Hash): Hash => ({
      name: made.name,
      length: made.length,
      digest: (message) => made.digest(message),
      start: () => made.start(),
      hmac: (bytes) => {
        const key = made.hmac(bytes);
        const isSecret = bytes.some((byte) => byte !== 0); // the key of RFC 9846 §7.1 without a salt is none, and is kept for all
        return isSecret
          ? watched<HmacKey>({ sign: (...parts) => key.sign(...parts), wipe: () => key.wipe() }, {})
          : key;
      },
    });
    const group = toyCrypto.groups.x25519 as KeyAgreement;
    const { aeads, hashes } = toyCrypto;
    return {
      ...toyCrypto,
      hashes: { sha256: hash(hashes.sha256), sha384: hash(hashes.sha384) },
      aeads: {
        'aes-128-gcm': aead(aeads['aes-128-gcm']),
        'aes-256-gcm': aead(aeads['aes-256-gcm']),
        'chacha20-poly1305': aead(aeads['chacha20-poly1305']),
      },
      groups: {
        x25519: {
          generate: (randomBytes) => {
            const key = group.generate(randomBytes) as EphemeralKey;
            return watched(key, { agree: (peer) => this.#synchronous(key.agree(peer)) });
          },
        },
      },
    };
  }

  #options(): Partial<ServerOptions> {
    const isStateless = this.#chance(2);
    const keys = TicketKeyRing.rotating(this.#world);
    const world = {
      now: () => {
        this.#meddle(15);
        return this.#world.now();
      },
      randomBytes: (length: number) => {
        this.#meddle(12);
        return this.#world.randomBytes(length);
      },
    };
    return {
      world,
      crypto: this.#crypto(),
      credentials: [{ ...quickCredential, sign: () => this.#answer(new Uint8Array(70)) }],
      keylog: (line) => {
        if (this.#connection === undefined) return;
        same(this.#lines.has(line), false, `a second ${line}`);
        this.#lines.add(line);
        return this.#answer(undefined) as undefined;
      },
      onServerName: () => this.#answer(undefined),
      sessions: this.#sessionOptions(),
      tickets: {
        ...(isStateless && {
          mode: 'stateless',
          keys: {
            sealingKey: () => this.#answer(keys.sealingKey()),
            openingKeys: (name) => this.#answer(keys.openingKeys(name)),
          },
          onDecrypt: (session) => this.#answer(session === undefined ? 'ignore-renew' : 'use-renew'),
        }),
        timing: this.#pick(['after-finished', 'half-rtt', 'with-first-write', 'manual'] as const),
        onGenerate: () => this.#answer(undefined),
      },
      ...(this.#chance(4) && { limits: { recordsPerKey: 4 } }),
    };
  }

  #sessionOptions(): ServerOptions['sessions'] {
    const keep = (session: Session): boolean => {
      this.#sessions.add(session);
      return false;
    };
    return {
      cache: new SessionCache(),
      removeUnclean: this.#pick([[], ['TLSv1.2', 'TLSv1.3']] as const),
      generateId: () => this.#synchronous(undefined) as never,
      notResumable: () => this.#synchronous(false),
      onNew: (session) => {
        const isKept = keep(session);
        return this.#answer(this.#connection === undefined ? undefined : isKept) as boolean | undefined;
      },
      onGet: () => this.#answer(undefined),
      onRemove: () => void this.#synchronous(undefined),
    };
  }

  // Calls.

  /** Passes a Step on as a shell does. */
  #take({ output, events, question }: Step): void {
    if (output.length > 0 && !this.#isGarbled) this.#client?.receive(output);
    for (const event of events) {
      this.#events.push(event);
      if (event.type === 'deferred') this.#deferred.push(event.deferred);
    }
    this.#question = question;
    if (question === undefined || this.#stale.includes(question)) return;
    this.#stale.push(question);
    Promise.resolve(question.promise).catch(() => {}); // as who follows it
  }

  /** Makes a call. It may throw only if the documentation says so. */
  #try(isAllowed: boolean, call: () => Step): void {
    let step: Step;
    try {
      step = call();
    } catch (error) {
      if (isAllowed) throw error;
      return;
    }
    if (!isAllowed) throw new Error(`no error from ${String(call)}`);
    this.#take(step);
  }

  #call(): void {
    const connection = this.#connection as ServerConnection;
    const { canWrite, version } = connection;
    const calls: readonly (() => void)[] = [
      () => this.#peer(),
      () => this.#peer(),
      () => this.#peer(),
      () => this.#reply(),
      () => this.#reply(),
      () => this.#try(canWrite, () => connection.write(this.#dice.randomBytes(this.#below(40)))),
      () => this.#try(canWrite, () => connection.write(this.#dice.randomBytes(this.#below(40)))),
      () => this.#try(connection.hasTickets, () => connection.sendTicket()),
      () => this.#try(canWrite && version === 'TLSv1.3', () => connection.updateKeys(this.#chance(2))),
      () => this.#settle(),
      () => this.#try(true, () => connection.receive(EMPTY)),
      () => this.#chance(3) && this.#try(true, () => connection.end()),
      () => this.#chance(3) && this.#try(true, () => connection.transportEnded()),
      () => this.#chance(3) && this.#dispose(),
    ];
    calls[this.#below(calls.length)]?.();
  }

  #dispose(): void {
    this.#isDisposed = true;
    this.#try(true, () => (this.#connection as ServerConnection).dispose());
  }

  /** Answers the open question, or one that is open no more. */
  #reply(): void {
    const question = this.#chance(4) ? this.#stale[this.#below(this.#stale.length || 1)] : this.#question;
    if (question === undefined) return;
    const outcome = this.#outcomes.get(question.promise) ?? { error: new Error('whose promise?') };
    const connection = this.#connection as ServerConnection;
    this.#try(true, () => connection.answer(question, this.#chance(8) ? { late: true } : outcome));
  }

  #settle(): void {
    const deferred = this.#deferred[this.#below(this.#deferred.length || 1)];
    if (deferred === undefined) return;
    const outcome = this.#outcomes.get(deferred.promise) ?? { value: undefined };
    this.#try(true, () => (this.#connection as ServerConnection).settle(deferred, outcome));
  }

  /** The peer sends what is due, or something else, whole or in pieces. */
  #peer(): void {
    const [connection, client] = [this.#connection as ServerConnection, this.#client as ScriptedClient];
    const isBusy = this.#question !== undefined || this.#depth > 0;
    const isOn = client.isEstablished && !this.#isGarbled;
    if (client.connection.hasFailed) client.injector.bytes(this.#leftover());
    else if (isOn && this.#chance(2)) client.sendData(this.#dice.randomBytes(1 + this.#below(30)));
    else if (isOn && this.#version === 'TLSv1.3' && this.#chance(4)) client.sendKeyUpdate('update_requested');
    else if (!this.#isGarbled && this.#chance(8)) client.sendAlert('user_canceled', 1);
    else if (!this.#isGarbled && this.#chance(12)) client.sendAlert(this.#pick(['close_notify', 'handshake_failure']));
    else if (!isBusy && this.#chance(20)) {
      client.injector.bytes(Uint8Array.of(22, 3, 3, 0, 1, 77));
      this.#isGarbled = true;
    }
    const bytes = client.take();
    const cut = this.#chance(3) ? this.#below(bytes.length + 1) : bytes.length;
    // biome-ignore format: two pieces
    for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) this.#try(true, () => connection.receive(piece));
  }

  /** A record of a client whose keys are gone: to the server it looks like any other. */
  #leftover(): Uint8Array {
    const length = 17 + this.#below(30);
    return concat(Uint8Array.of(this.#pick([21, 22, 23]), 3, 3, 0, length), this.#dice.randomBytes(length));
  }

  // The course of a sequence.

  run(): void {
    const offer = this.#offer();
    this.#client = new ScriptedClient(offer);
    this.#connection = new ServerConnection(this.#config);
    for (let i = this.#below(3 * CALLS); i >= 0; i--) this.#call();
    this.#check();
    this.#finish();
  }

  #offer(): ClientOptions {
    const version = this.#version;
    const options: ClientOptions = { version, sni: 'localhost', crypto: toyCrypto, keyShares: ['x25519'] };
    const ticketExt = version === 'TLSv1.2' && this.#chance(2) ? EMPTY : undefined;
    if (this.#chance(2)) return { ...options, ticketExt };
    const first = exchange(new ScriptedClient({ ...options, ticketExt }), new ServerConnection(this.#config));
    if (version === 'TLSv1.3' && first.connection.hasTickets) first.step(first.connection.sendTicket());
    const { client } = first;
    first.connection.dispose(true);
    if (version === 'TLSv1.2') return { ...options, session: client.session };
    return { ...options, psks: client.tickets.slice(0, 1) };
  }

  #check(): void {
    const count = (type: Event['type']) => this.#events.filter((event) => event.type === type).length;
    for (const type of ['established', 'end', 'failed'] as const)
      if (count(type) > 1) throw new Error(`${count(type)} events '${type}'`);
    const at = (type: Event['type']) => this.#events.findIndex((event) => event.type === type);
    const last = this.#events.map(({ type }) => type).lastIndexOf('data');
    if (last >= 0 && at('established') > last) throw new Error('data before its time');
    for (const type of ['end', 'failed'] as const)
      if (at(type) >= 0 && last > at(type)) throw new Error(`data after '${type}'`);
    if (at('failed') >= 0 && at('end') > at('failed')) throw new Error("'end' after 'failed'");
  }

  /** The connection is disposed of, answers come that nobody waits for, and nothing is left. */
  #finish(): void {
    const connection = this.#connection as ServerConnection;
    const before = this.#isDisposed;
    this.#depth = 9; // user code is quiet from here on
    const step = connection.dispose();
    if (before) same(step.output.length, 0, 'output after dispose()');
    this.#take(step);
    same(connection.waitingFor, undefined, 'a wait at the end');
    for (const question of this.#stale)
      this.#take(connection.answer(question, this.#outcomes.get(question.promise) ?? { late: true }));
    for (let deferred = this.#deferred.pop(); deferred !== undefined; deferred = this.#deferred.pop())
      this.#take(connection.settle(deferred, this.#outcomes.get(deferred.promise) ?? { value: undefined }));
    const late = connection.receive(new Uint8Array(100));
    same(late.output.length + late.events.length + connection.channel.reader.buffered, 0, 'what comes after the end');
    same(late.question, undefined, 'a question at the end');
    this.#check();
    this.#config.closeSessions();
    same(this.#live.size, 0, 'keys that are not wiped');
    for (const session of this.#sessions) same(session.holds, 0, 'holds of a session at the end');
  }
}

/** Runs the sequence of a seed. @throws Error that says which, if anything is not as it should be */
export function runCalls(seed: number): void {
  try {
    new Sequence(seed).run();
  } catch (cause) {
    throw new Error(`runCalls(${seed}): ${cause instanceof Error ? cause.stack : String(cause)}`, { cause });
  }
}
