/**
 * Random histories of sessions, caches, servers and connections beside a model of them: after every operation and inside of every
 * callback the caches have what they ought to have, the holds add up, and what nobody holds cannot be read any more. Who is
 * called, of what, why and in which order is the model's to say. A failure prints the seed and the path for `fc.assert`.
 */

import fc from 'fast-check';
import { give, type OnGet, type OnRemove } from '../../../src/cache/callbacks.ts';
import { type RemovalListener, SessionCache } from '../../../src/cache/session-cache.ts';
import { suiteById } from '../../../src/crypto/suites.ts';
import type { Event } from '../../../src/engine/events.ts';
import type { Deferred, Question } from '../../../src/engine/questions.ts';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { SessionOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import type { Counted } from '../../../src/engine/server/statistics.ts';
import type { Outcome } from '../../../src/handshake/wait.ts';
import { Session } from '../../../src/sessions/session.ts';
import { toHex } from '../../../src/wire/bytes.ts';
import type { Version } from '../../../src/wire/registry.ts';
import { Exchange } from '../../support/exchange.ts';
import { patience, runs } from '../../support/runs.ts';
import { type ClientOptions, ScriptedClient } from '../../support/scripted-client.ts';
import {
  type GetAnswer,
  ModelConnection,
  type ModelEvent,
  type ModelPolicy,
  ModelServer,
  type NewAnswer,
} from '../../support/server-model.ts';
import { testServer, toyCrypto } from '../../support/servers.ts';
import {
  type Attended,
  type Called,
  type Course,
  type Departure,
  Lockstep,
  Misuse,
  ModelCache,
  ModelSession,
  type Owner,
  retime,
  same,
} from '../../support/session-model.ts';
import { TestWorld } from '../../support/world.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/** What is done, to which of the things that are there, and how. */
interface Operation<Verb> {
  readonly verb: Verb;
  readonly a: number;
  readonly b: number;
  readonly n: number;
}

/** An operation, and what the callbacks do that it leads to, in the order in which they are called. */
interface Turn<Verb> {
  readonly operation: Operation<Verb>;
  readonly inside: readonly Operation<Verb>[];
}

function turns<Verb extends string>(
  weights: Readonly<Record<Verb, number>>,
  length: number,
): fc.Arbitrary<Turn<Verb>[]> {
  const verbs = Object.entries<number>(weights).map(([verb, weight]) => ({
    weight,
    arbitrary: fc.constant(verb as Verb),
  }));
  const operation = fc.record({ verb: fc.oneof(...verbs), a: fc.nat(63), b: fc.nat(63), n: fc.nat(63) });
  const turn = fc.record({ operation, inside: fc.array(operation, { maxLength: 4 }) });
  return fc.array(turn, { maxLength: length, size: 'max' });
}

function pick<T>(list: readonly T[], n: number): T | undefined {
  return list[n % Math.max(1, list.length)];
}

/** Sessions and caches, and everything that an application may do with them. */
abstract class Histories<Verb> {
  readonly world = new TestWorld(1);
  readonly lockstep = new Lockstep();
  readonly sessions: ModelSession[] = [];
  /** How many ids the application has for the sessions that it makes. */
  abstract readonly keys: number;
  abstract readonly caches: readonly { readonly model: ModelCache; readonly real: SessionCache }[];
  #inside: Operation<Verb>[] = [];

  abstract perform(operation: Operation<Verb>): void;

  run(history: readonly Turn<Verb>[]): void {
    for (const { operation, inside } of history) {
      this.#inside = [...inside];
      this.perform(operation);
      this.check();
    }
    this.#inside = [];
    this.end();
    this.check();
    for (const session of this.sessions) same(this.holds(session), 0, 'holds in the end');
  }

  /** Everybody lets go of everything. */
  end(): void {
    for (const session of this.sessions) while (session.application > 0) this.#free(session);
  }

  now(): number {
    return Math.floor(this.world.now() / 1000);
  }

  born(session: ModelSession): ModelSession {
    this.sessions.push(session);
    return session;
  }

  holds(session: ModelSession): number {
    let holds = session.application + session.passing + (session.cache === undefined ? 0 : 1);
    for (const { model } of this.caches)
      for (const departure of model.leaving) if (departure.session === session) holds++;
    return holds;
  }

  /** Inside of a callback: all is in order, and then the application does something. What that was. */
  callback(): Operation<Verb> | undefined {
    this.check();
    const next = this.#inside.shift();
    if (next !== undefined) this.perform(next);
    return next;
  }

  modelOf(real: Session): ModelSession {
    const found = this.sessions.find((session) => session.isKnown && session.real === real);
    if (found === undefined) throw new Error(`a session that nobody knows: ${toHex(real.id)}`);
    return found;
  }

  /** A session of the application's. Twins, under the same key, have the same secret. */
  make({ a, b, n }: Operation<Verb>): void {
    const version = pick(VERSIONS, a) ?? 'TLSv1.2';
    const id = Uint8Array.of(b % this.keys);
    const real = new Session({
      version,
      cipherSuite: version === 'TLSv1.2' ? 0xc02b : 0x1301,
      id,
      secret: new Uint8Array(version === 'TLSv1.2' ? 48 : 32).fill(1 + (b % this.keys)),
      time: this.now(),
      timeout: n % 16,
      authTime: this.now(),
      extendedMasterSecret: true,
      idContext: new Uint8Array(0),
      serverName: 'localhost',
    });
    this.born(ModelSession.of(real));
  }

  own(session: ModelSession, verb: OwnVerb, n: number): void {
    switch (verb) {
      case 'time':
        return this.#retime(session, { time: this.now() - (n % 4) });
      case 'timeout':
        return this.#retime(session, { timeout: n % 16 });
      case 'dup':
        return this.#dup(session);
      case 'upRef':
        return this.#upRef(session);
      case 'free':
        return this.#free(session);
      case 'forbid':
        session.isRuledOut = true;
        session.real.forbidResumption();
    }
  }

  #retime(session: ModelSession, change: { time?: number; timeout?: number }): void {
    retime(session, change);
    Object.assign(session.real, change);
  }

  #dup(session: ModelSession): void {
    if (this.holds(session) === 0) return this.#misuse(() => session.real.dup());
    const copy = ModelSession.of(session.real.dup());
    copy.isRuledOut = session.isRuledOut;
    this.born(copy);
  }

  #upRef(session: ModelSession): void {
    if (this.holds(session) === 0) return this.#misuse(() => session.real.upRef());
    session.real.upRef();
    session.application++;
  }

  #free(session: ModelSession): void {
    if (this.holds(session) === 0) return this.#misuse(() => session.real.free());
    if (session.application === 0) return; // it would be another's hold
    session.application--;
    session.real.free();
  }

  #misuse(real: () => unknown): void {
    this.lockstep.run(refused(), real);
  }

  /** A second in which some have expired; 0, which is all of them, now and then. */
  flushAt(n: number): number {
    return n % 8 === 0 ? 0 : this.now() + (n % 6) - 1;
  }

  limit({ a, n }: Operation<Verb>): void {
    const cache = pick(this.caches, a);
    if (cache !== undefined) cache.real.maxEntries = cache.model.limit = n % (this.keys + 1);
  }

  check(): void {
    for (const { model, real } of this.caches) this.#checkCache(model, real);
    for (const session of this.sessions) if (session.isKnown) session.check(this.holds(session));
  }

  #checkCache(model: ModelCache, real: SessionCache): void {
    const inside = [...real];
    same(inside.length, model.entries.length, 'sessions in the cache');
    same(real.size, model.entries.length, 'size of the cache');
    same(real.evicted, model.evicted, 'evicted');
    same(real.isClosed, model.isClosed, 'closed');
    for (const [place, { session }] of model.entries.entries()) {
      const there = inside[place];
      if (there !== undefined) session.identify(there);
    }
    for (const { version, id, idBytes, key } of this.sessions) {
      same(real.has(version, idBytes), model.find(key) !== undefined, `has ${id}`);
    }
  }
}

// biome-ignore lint/correctness/useYield: it stands for a call that fails at once.
function* refused(): Course<never> {
  throw new Misuse(Error);
}

/** What an application does with a session of its own, and how often. */
const OWN_VERBS = { time: 5, timeout: 5, dup: 2, upRef: 3, free: 8, forbid: 1 } as const;
type OwnVerb = keyof typeof OWN_VERBS;

const CACHE_VERBS = {
  ...OWN_VERBS,
  make: 8,
  put: 40,
  add: 15,
  limit: 3,
  clock: 2,
  remove: 4,
  discard: 3,
  take: 3,
  get: 5,
  flush: 2,
  close: 1,
} as const;
type CacheVerb = keyof typeof CACHE_VERBS;

/** Whom a cache tells by default, and whom it tells of sessions that were added with a listener of their own. */
class Told implements Owner {
  readonly hearsReplacements: boolean;

  constructor(hearsReplacements: boolean) {
    this.hearsReplacements = hearsReplacements;
  }

  *tell({ session, reason }: Departure): Course<void> {
    if (reason !== 'replaced') yield { callback: 'removed', owner: this, session, reason };
    else if (this.hearsReplacements) yield { callback: 'replaced', owner: this, session };
  }
}

/** Two caches without servers; some sessions are added with a listener of their own. */
class Caches extends Histories<CacheVerb> {
  readonly keys = 12;
  readonly #own = new Told(true);
  readonly caches = [this.#makeCache(), this.#makeCache()];
  readonly #listener: RemovalListener = {
    removed: (real, reason) => this.#told({ callback: 'removed', owner: this.#own, reason, real }),
    replaced: (real) => this.#told({ callback: 'replaced', owner: this.#own, real }),
  };

  #makeCache() {
    const owner = new Told(false);
    const onRemove: OnRemove = (real, reason) => this.#told({ callback: 'removed', owner, reason, real });
    return { model: new ModelCache(10), real: new SessionCache({ onRemove, maxEntries: 10 }), owner };
  }

  #told(called: Called): void {
    this.lockstep.callback(called, () => ({ answer: this.callback(), value: undefined }));
  }

  perform(operation: Operation<CacheVerb>): void {
    const { verb, a, b, n } = operation;
    const session = pick(this.sessions, b);
    const cache = pick(this.caches, a);
    if (verb === 'make' || verb === 'put') this.make(operation);
    if (verb === 'make') return;
    if (verb === 'put') return this.perform({ ...operation, verb: 'add', b: this.sessions.length - 1 });
    if (verb === 'limit') return this.limit(operation);
    if (verb === 'clock') return this.world.advance(n % 3);
    if (session === undefined || cache === undefined) return;
    this.#performOn(session, cache, verb, n);
  }

  override end(): void {
    for (const { model, real } of this.caches) this.lockstep.run(model.close(), () => real.close());
    super.end();
  }

  #performOn(
    session: ModelSession,
    cache: Caches['caches'][number],
    verb: Exclude<CacheVerb, 'make' | 'put' | 'limit' | 'clock'>,
    n: number,
  ): void {
    const { lockstep } = this;
    const { model, real } = cache;
    const { version, key } = session;
    const id = session.idBytes;
    switch (verb) {
      case 'add': {
        const isOwn = n % 2 === 0;
        const course = model.add(session, isOwn ? this.#own : cache.owner, this.holds(session));
        return lockstep.run(course, () => real.add(session.real, isOwn ? this.#listener : undefined));
      }
      case 'remove':
        return lockstep.run(model.remove(session), () => real.remove(session.real));
      case 'discard':
        return same(real.discard(session.real), model.discard(session), 'discard');
      case 'take':
        return lockstep.run(model.take(key), () => real.take(version, id));
      case 'get':
        return lockstep.run(model.get(key, this.now()), () => this.#found(real.get(version, id, this.now())));
      case 'flush': {
        const at = this.flushAt(n);
        const atMost = n % 3 === 0 ? undefined : n % 3;
        return lockstep.run(model.flush(at, 'flushed', atMost), () => real.flush(at, 'flushed', atMost));
      }
      case 'close':
        if (n % 4 === 0) lockstep.run(model.close(), () => real.close());
        return;
      default:
        return this.own(session, verb, n);
    }
  }

  #found(real: Session | 'expired' | undefined): ModelSession | 'expired' | undefined {
    return real instanceof Session ? this.modelOf(real) : real;
  }
}

const SERVER_VERBS = {
  ...OWN_VERBS,
  make: 8,
  limit: 2,
  clock: 4,
  add: 8,
  remove: 3,
  take: 2,
  flush: 2,
  close: 1,
  connect: 20,
  finish: 4,
  answer: 4,
  settle: 3,
  end: 2,
  transportEnded: 2,
  dispose: 10,
  alert: 4,
} as const;
type ServerVerb = keyof typeof SERVER_VERBS;

/** A server, and its model. */
interface Server {
  readonly model: ModelServer;
  readonly config: ServerConfig;
}

/** A connection with both its ends, and its model. */
interface Connection {
  readonly model: ModelConnection;
  readonly exchange: Exchange;
  question: Question | undefined;
  isInStep: boolean;
}

/** What the get callback answers; a promise settles to one of the first. */
const ANSWERS = [
  'lend',
  'give',
  'bytes',
  'lend',
  'give',
  'bytes',
  'nothing',
  'error',
  'promise',
  'promise',
  'promise',
] as const;
const SETTLED = 8;

type Policies = readonly [ModelPolicy, ModelPolicy, ModelPolicy];

/** Two servers that share a cache, and a third with a store of the application's behind its own. */
class Servers extends Histories<ServerVerb> {
  readonly keys = 5;
  readonly #shared = { model: new ModelCache(4), real: new SessionCache({ maxEntries: 4 }) };
  readonly #third = { model: new ModelCache(3), real: new SessionCache({ maxEntries: 3 }) };
  readonly caches = [this.#shared, this.#third];
  readonly #servers: readonly Server[];
  readonly #connections: Connection[] = [];
  readonly #deferred: {
    readonly connection: Connection;
    readonly deferred: Deferred;
    readonly session: ModelSession;
  }[] = [];
  #ids = 0;

  constructor([first, second, third]: Policies) {
    super();
    this.#servers = [
      this.#serve(this.#shared, first),
      this.#serve(this.#shared, second),
      this.#serve(this.#third, third),
    ];
  }

  #serve(cache: (typeof this.caches)[number], policy: ModelPolicy): Server {
    const model = new ModelServer(cache.model, policy, this);
    const sessions: SessionOptions = {
      cache: cache.real,
      mode: policy.isKeeping ? 'server' : 'off',
      internalLookup: policy.internalLookup,
      internalStore: policy.internalStore,
      foreign: true, // the sessions made by hand have no scope
      updateTime: policy.updateTime,
      removeUnclean: policy.removeUnclean,
      timeout: policy.timeout,
      ...this.#callbacks(model),
    };
    const { singleUse } = policy;
    const config = testServer({
      world: this.world,
      crypto: toyCrypto,
      groups: ['x25519'],
      sessions,
      tickets: { singleUse },
    });
    return { model, config };
  }

  #callbacks(owner: ModelServer): SessionOptions {
    const { hasOnNew, hasStore } = owner.policy;
    return {
      onRemove: (real, reason) =>
        this.lockstep.callback({ callback: 'removed', owner, reason, real }, () => ({
          answer: this.callback(),
          value: undefined,
        })),
      generateId: () => this.lockstep.callback({ callback: 'id', owner }, () => this.#newId()),
      onNew: hasOnNew
        ? (real) => this.lockstep.callback({ callback: 'new', owner, real }, () => this.#answerNew())
        : undefined,
      onGet: hasStore ? (id) => this.#get(owner, id) : undefined,
      onTake: hasStore
        ? () => this.lockstep.callback({ callback: 'take', owner }, () => this.#answerTake())
        : undefined,
    };
  }

  #newId(): Attended<Uint8Array> {
    this.callback();
    const id = Uint8Array.of(0xff, ++this.#ids >> 8, this.#ids);
    return { answer: toHex(id), value: id };
  }

  #answerNew(): Attended<boolean | undefined | Promise<boolean>> {
    const answer = pick<NewAnswer>([undefined, true, false, 'promise'], this.callback()?.n ?? 0);
    return { answer, value: answer === 'promise' ? new Promise(() => {}) : answer };
  }

  #answerTake(): Attended<boolean> {
    const answer = (this.callback()?.n ?? 0) % 2 === 0;
    return { answer, value: answer };
  }

  #get(owner: ModelServer, id: Uint8Array): ReturnType<OnGet> {
    return this.lockstep.callback<() => ReturnType<OnGet>>({ callback: 'get', owner }, () => {
      const { n = 0, b = 0 } = this.callback() ?? {};
      const answer = this.#answerGet(toHex(id), n, b);
      return { answer, value: () => this.#realAnswer(answer) };
    })();
  }

  /** Mostly of a session with this id, if there is one. */
  #answerGet(id: string, n: number, b: number): GetAnswer {
    const kind = pick(ANSWERS, n) ?? 'nothing';
    if (kind === 'nothing' || kind === 'error' || kind === 'promise') return { kind };
    const known = this.sessions.filter((session) => session.isKnown);
    const fitting = known.filter((session) => session.id === id);
    const session = pick(n % 5 > 0 ? fitting : known, b);
    if (session === undefined) return { kind: 'nothing' };
    if (kind === 'lend') return { kind, session };
    if (this.holds(session) === 0) return { kind: 'error' };
    if (kind === 'bytes') {
      const { version, time, timeout } = session;
      return {
        kind,
        session: this.born(new ModelSession({ version, id: session.id, time, timeout })),
        source: session,
      };
    }
    session.passing++;
    if (session.application > 0)
      session.application--; // its own hold, which may be the last
    else session.real.upRef();
    return { kind, session };
  }

  #realAnswer(answer: GetAnswer): ReturnType<OnGet> {
    switch (answer.kind) {
      case 'error':
        throw new Error("the application's");
      case 'promise':
        return new Promise(() => {});
      case 'lend':
        return answer.session.real;
      case 'give':
        return give(answer.session.real);
      case 'bytes':
        return answer.source.real.toDer();
      default:
        return undefined;
    }
  }

  override holds(session: ModelSession): number {
    let holds = super.holds(session);
    for (const { model } of this.#connections) for (const held of model.held) if (held === session) holds++;
    return holds;
  }

  perform(operation: Operation<ServerVerb>): void {
    const { verb, a, b, n } = operation;
    const server = pick([...this.#servers, ...this.#servers.slice(-1)], a);
    if (server === undefined) return;
    switch (verb) {
      case 'make':
        return this.make(operation);
      case 'limit':
        return this.limit(operation);
      case 'clock':
        // A step of a connection has one time.
        return this.lockstep.isInside ? undefined : this.world.advance(n % 3);
      case 'flush': {
        const at = this.flushAt(n);
        return this.lockstep.run(server.model.cache.flush(at), () => server.config.flushSessions(at));
      }
      case 'close':
        return n % 8 === 0
          ? this.lockstep.run(server.model.cache.close(), () => server.config.closeSessions())
          : undefined;
      case 'connect':
        return this.#connect(server, operation);
      case 'settle':
        return this.#settle(operation);
      case 'answer': {
        const asking = this.#connections.filter(({ question, isInStep }) => question !== undefined && !isInStep);
        const connection = pick(asking, a);
        return connection === undefined ? undefined : this.#onConnection(connection, operation);
      }
      case 'finish':
      case 'end':
      case 'transportEnded':
      case 'dispose':
      case 'alert': {
        const connection = pick(this.#connections, a);
        return connection === undefined || connection.isInStep ? undefined : this.#onConnection(connection, operation);
      }
      default: {
        const known = this.sessions.filter((session) => session.isKnown);
        const session = pick(known, b);
        return session === undefined ? undefined : this.#onSession(session, server, verb, n);
      }
    }
  }

  #onSession(
    session: ModelSession,
    { model, config }: Server,
    verb: OwnVerb | 'add' | 'remove' | 'take',
    n: number,
  ): void {
    const { lockstep } = this;
    switch (verb) {
      case 'add':
        return lockstep.run(model.add(session), () => config.addSession(session.real));
      case 'remove':
        return lockstep.run(model.remove(session), () => config.removeSession(session.real));
      case 'take':
        return lockstep.run(model.cache.take(session.key), () =>
          config.store.cache?.take(session.version, session.real.id),
        );
      default:
        return this.own(session, verb, n);
    }
  }

  #connect(server: Server, { b, n }: Operation<ServerVerb>): void {
    const known = this.sessions.filter(({ isKnown, id }) => isKnown && id !== '');
    const offered = n % 4 === 0 ? undefined : pick(known, b);
    const version = offered?.version ?? pick(VERSIONS, b) ?? 'TLSv1.2';
    const client = new ScriptedClient({
      sni: 'localhost',
      crypto: toyCrypto,
      groups: ['x25519', 'secp256r1'],
      ...offer(version, offered),
    });
    const model = new ModelConnection(server.model, version);
    const exchange = new Exchange(client, new ServerConnection(server.config));
    const connection: Connection = { model, exchange, question: undefined, isInStep: false };
    this.#connections.push(connection);
    this.#step(connection, model.hello(offered), () => exchange.send(client.take()));
    if (n % 3 > 0) this.#onConnection(connection, { verb: 'finish', a: 0, b, n });
  }

  #onConnection(connection: Connection, { verb, b, n }: Operation<ServerVerb>): void {
    const { model, exchange, question } = connection;
    const { client, connection: real } = exchange;
    const isOpen = !model.isDeaf && !model.isAsking;
    switch (verb) {
      case 'answer':
        if (question !== undefined) this.#answer(connection, question, n, b);
        return;
      case 'finish':
        if (model.state !== 'handshaking' || !isOpen) return;
        return this.#step(connection, model.finish(), () => {
          client.proceed();
          exchange.send(client.take());
        });
      case 'alert':
        if (isOpen) this.#alert(connection, n);
        return;
      case 'end':
        if (model.state === 'established') this.#step(connection, model.end(), () => exchange.step(real.end()));
        return;
      case 'transportEnded':
        if (model.isAsking) return; // how far such a handshake still goes is of no consequence
        return this.#step(connection, model.transportEnded(), () => exchange.step(real.transportEnded()));
      case 'dispose':
        return this.#step(connection, model.dispose(n % 2 === 0), () => exchange.step(real.dispose(n % 2 === 0)));
    }
  }

  /** The client's, or ours about a record that does not open. */
  #alert(connection: Connection, n: number): void {
    const { model, exchange } = connection;
    const { client } = exchange;
    if (n % 2 === 0) {
      return this.#step(connection, model.fail('alert-received'), () => {
        client.sendAlert('bad_certificate');
        exchange.send(client.take());
      });
    }
    if (model.state !== 'established') return;
    const garbage = Uint8Array.of(23, 3, 3, 0, 24, ...new Uint8Array(24));
    this.#step(connection, model.fail('alert-sent'), () => exchange.send(garbage));
  }

  #answer(connection: Connection, question: Question, n: number, b: number): void {
    const { model, exchange } = connection;
    const answer: GetAnswer = n % 9 === 8 ? { kind: 'late' } : this.#answerGet(model.asked, n % SETTLED, b);
    this.#step(connection, model.answer(answer), () =>
      exchange.step(exchange.connection.answer(question, this.#outcome(answer))),
    );
  }

  #outcome(answer: GetAnswer): Outcome {
    if (answer.kind === 'late') return { late: true };
    if (answer.kind === 'error') return { error: new Error("the application's") };
    return { value: this.#realAnswer(answer) };
  }

  #settle({ a, n }: Pick<Operation<ServerVerb>, 'a' | 'n'>): void {
    const free = this.#deferred.filter(({ connection }) => !connection.isInStep);
    const pending = pick(free, a);
    if (pending === undefined) return;
    this.#deferred.splice(this.#deferred.indexOf(pending), 1);
    const { connection, deferred, session } = pending;
    const answer = pick([true, false, undefined, 'error'] as const, n);
    const outcome = answer === 'error' ? { error: new Error("the application's") } : { value: answer };
    this.#step(connection, connection.model.settled(session, answer), () =>
      connection.exchange.step(connection.exchange.connection.settle(deferred, outcome)),
    );
  }

  #step(connection: Connection, course: Course<void>, real: () => void): void {
    const { exchange } = connection;
    const from = exchange.events.length;
    connection.isInStep = true;
    this.lockstep.run(course, () => void real());
    connection.isInStep = false;
    connection.question = exchange.question ?? connection.question;
    this.#checkEvents(connection, exchange.events.slice(from));
    this.#checkConnection(connection);
  }

  /** What a Step tells of sessions, in order. */
  #checkEvents(connection: Connection, events: readonly Event[]): void {
    const actual = events.filter(({ type }) => /session|deferred|callback-error/.test(type));
    const expected = connection.model.events.splice(0);
    same(actual.map(inWords).join(', '), expected.map(inWords).join(', '), 'the events');
    for (const [place, event] of actual.entries()) {
      const { session } = expected[place] ?? {};
      if (session !== undefined && 'session' in event) session.identify(event.session);
      if (session !== undefined && event.type === 'deferred')
        this.#deferred.push({ connection, deferred: event.deferred, session });
    }
  }

  #checkConnection({ model, exchange }: Connection): void {
    const { connection } = exchange;
    if (model.state === 'closed' || model.state === 'failed') return;
    same(connection.isEstablished, model.state === 'established', 'established');
    if (connection.session !== undefined) model.session?.identify(connection.session);
    same(connection.session, model.session?.real, 'the session of the connection');
    if (!model.isAsking) same(connection.resumption.session, model.resumed?.real, 'the session resumed from');
  }

  override check(): void {
    super.check();
    if (this.lockstep.isInside) return; // a step that is not over may have counted more than the model, or less
    for (const { model, config } of this.#servers) {
      const statistics = config.statistics();
      for (const [name, count] of Object.entries(model.counts)) same(statistics[name as Counted], count, name);
    }
  }

  override end(): void {
    for (const connection of this.#connections) this.#onConnection(connection, { verb: 'dispose', a: 0, b: 0, n: 0 });
    while (this.#deferred.length > 0) this.#settle({ a: 0, n: 1 });
    for (const { model, config } of this.#servers) this.lockstep.run(model.cache.close(), () => config.closeSessions());
    super.end();
  }
}

function inWords(event: Event | ModelEvent): string {
  const { type } = event;
  const reason = 'reason' in event ? event.reason : '';
  const callback = 'callback' in event ? event.callback : '';
  return `${type} ${reason ?? ''}${callback ?? ''}`;
}

/** A client of this version, who waits before the first message that only a peer with the right keys can send. */
function offer(version: Version, session: ModelSession | undefined): ClientOptions {
  const stopBefore = version === 'TLSv1.2' ? 'change_cipher_spec' : 'finished';
  if (session === undefined) return { version, stopBefore };
  const { cipherSuite } = session.real;
  const id = session.idBytes;
  if (version === 'TLSv1.2') return { version, stopBefore, session: { id, secret: session.original, cipherSuite } };
  const hash = suiteById(cipherSuite)?.hash ?? 'sha256';
  return { version, stopBefore, psks: [{ identity: id, secret: session.original, hash }] };
}

const flag = (weight: number) =>
  fc.oneof({ weight, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) });

function policy(preset: Pick<ModelPolicy, 'timeout' | 'hasOnNew' | 'hasStore'>): fc.Arbitrary<ModelPolicy> {
  return fc.record({
    isKeeping: flag(9),
    internalLookup: flag(5),
    internalStore: flag(5),
    updateTime: fc.boolean(),
    singleUse: fc.boolean(),
    removeUnclean: fc.subarray([...VERSIONS]),
    timeout: fc.constant(preset.timeout),
    hasOnNew: fc.constant(preset.hasOnNew),
    hasStore: fc.constant(preset.hasStore),
  });
}

const policies: fc.Arbitrary<Policies> = fc.tuple(
  policy({ timeout: 4, hasOnNew: true, hasStore: false }),
  policy({ timeout: 6, hasOnNew: false, hasStore: false }),
  policy({ timeout: 5, hasOnNew: true, hasStore: true }),
);

describe('sessions beside their model', function () {
  this.timeout(patience(60_000)); // seconds of computing, which others on the machine may stretch

  it('in caches alone', () => {
    fc.assert(
      fc.property(turns(CACHE_VERBS, 100), (history) => new Caches().run(history)),
      runs(100),
    );
  });

  it('on two servers that share a cache, and on one with a store behind its own', () => {
    fc.assert(
      fc.property(policies, turns(SERVER_VERBS, 60), (three, history) => new Servers(three).run(history)),
      runs(80),
    );
  });
});
