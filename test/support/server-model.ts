/** What a server and its connections do to sessions, as a model for {@link Lockstep}: who looks where, who holds what, who is told. */

import type { RemovalReason } from '../../src/cache/callbacks.ts';
import type { Counted } from '../../src/engine/server/statistics.ts';
import type { CallbackName } from '../../src/handshake/outcome.ts';
import type { Version } from '../../src/wire/registry.ts';
import {
  type Course,
  type Departure,
  type ModelCache,
  type ModelObserver,
  ModelSession,
  type Owner,
  retime,
} from './session-model.ts';

export interface ModelPolicy {
  readonly isKeeping: boolean;
  readonly internalLookup: boolean;
  readonly internalStore: boolean;
  readonly updateTime: boolean;
  readonly singleUse: boolean;
  readonly removeUnclean: readonly Version[];
  readonly timeout: number;
  readonly hasOnNew: boolean;
  /** onGet and onTake. */
  readonly hasStore: boolean;
}

/** What the world around the servers knows. */
export interface Surroundings {
  /** Seconds since the epoch. */
  now(): number;
  holds(session: ModelSession): number;
  /** A session that came into being inside of the engine. */
  born(session: ModelSession): ModelSession;
}

/** Events of a Step that concern sessions. */
export interface ModelEvent {
  readonly type:
    | 'new-session'
    | 'session-removed'
    | 'session-replaced'
    | 'session-refused'
    | 'callback-error'
    | 'deferred';
  readonly session?: ModelSession | undefined;
  readonly reason?: RemovalReason | undefined;
  readonly callback?: CallbackName | undefined;
}

/** What the get callback of a test may answer. `give` comes with a hold that is passing. */
export type GetAnswer =
  | { readonly kind: 'nothing' | 'error' | 'promise' | 'late' }
  | { readonly kind: 'lend' | 'give'; readonly session: ModelSession }
  /** Of `source`; they become the session. */
  | { readonly kind: 'bytes'; readonly session: ModelSession; readonly source: ModelSession };

export type NewAnswer = boolean | 'promise' | undefined;

export class ModelServer implements Owner {
  readonly cache: ModelCache;
  readonly policy: ModelPolicy;
  readonly world: Surroundings;
  readonly announced = new Set<ModelSession>();
  readonly counts: Record<Counted, number> = {
    accept: 0,
    acceptGood: 0,
    hits: 0,
    callbackHits: 0,
    misses: 0,
    timeouts: 0,
  };
  readonly #leaving = new Set<ModelSession>();

  constructor(cache: ModelCache, policy: ModelPolicy, world: Surroundings) {
    this.cache = cache;
    this.policy = policy;
    this.world = world;
  }

  get storeCache(): ModelCache | undefined {
    return this.policy.internalStore ? this.cache : undefined;
  }

  get canFind(): boolean {
    return this.policy.internalLookup || this.policy.hasStore;
  }

  get canKeep(): boolean {
    const { isKeeping, internalLookup, hasOnNew, hasStore } = this.policy;
    const isOpen = this.cache !== undefined && !this.cache.isClosed;
    return isKeeping && (isOpen || hasOnNew) && ((internalLookup && isOpen) || hasStore);
  }

  departing(session: ModelSession): void {
    this.announced.delete(session);
  }

  *tell({ session, reason, observer }: Departure): Course<void> {
    if (reason !== 'replaced') yield* this.#removed(session, reason, observer);
    else if (observer?.server === this) observer.left(session, reason);
  }

  *#removed(session: ModelSession, reason: RemovalReason, observer: ModelObserver | undefined): Course<void> {
    if (this.#leaving.has(session)) return;
    if (observer?.server === this) observer.left(session, reason);
    this.#leaving.add(session);
    yield { callback: 'removed', owner: this, session, reason };
    this.#leaving.delete(session);
  }

  *add(session: ModelSession, observer?: ModelObserver): Course<boolean> {
    const { world, policy } = this;
    if (this.#leaving.has(session)) return false; // the remove callback is being told of it
    if (policy.updateTime && session.isResumable(world.holds(session))) retime(session, { time: world.now() });
    return yield* this.cache.add(session, this, world.holds(session), observer);
  }

  /** Who has been told of it, and nobody else, is told of its end. */
  *remove(session: ModelSession, reason: RemovalReason = 'removed', observer?: ModelObserver): Course<boolean> {
    if (session.id === '') return false;
    const isTold = this.cache.tells(session, this);
    const wasCached = yield* this.cache.remove(session, reason, observer);
    const wasAnnounced = this.announced.delete(session);
    if (!isTold && wasAnnounced) yield* this.#removed(session, reason, observer);
    return wasCached;
  }
}

export class ModelConnection implements ModelObserver {
  readonly server: ModelServer;
  readonly version: Version;
  readonly events: ModelEvent[] = [];
  readonly held: ModelSession[] = [];
  /** The one that was found, which is held until the handshake is complete or, if it is resumed, until the end. */
  #offered: ModelSession | undefined;
  state: 'handshaking' | 'established' | 'closed' | 'failed' = 'handshaking';
  /** A get callback has answered with a promise. */
  isAsking = false;
  isEnded = false;
  isDeaf = false;
  session: ModelSession | undefined;
  resumed: ModelSession | undefined;
  /** The id that the get callback was asked for. */
  asked = '';
  #hasProof = false;
  #id = '';
  readonly #counted = new Set<Counted>();

  constructor(server: ModelServer, version: Version) {
    this.server = server;
    this.version = version;
    this.#count('accept');
  }

  #count(what: Counted): void {
    if (this.#counted.has(what)) return;
    this.#counted.add(what);
    this.server.counts[what]++;
  }

  left(session: ModelSession, reason: Departure['reason']): void {
    this.events.push(
      reason === 'replaced' ? { type: 'session-replaced', session } : { type: 'session-removed', session, reason },
    );
  }

  get #now(): number {
    return this.server.world.now();
  }

  /** ClientHello, which offers this session. */
  *hello(offered: ModelSession | undefined): Course<void> {
    if (offered === undefined || !this.server.canFind) return yield* this.#full();
    this.asked = offered.id;
    const { cache, policy } = this.server;
    if (policy.internalLookup) {
      const internal = yield* cache.get(offered.key, this.#now, this);
      if (internal === 'expired') {
        this.#count('timeouts');
        return yield* this.#full();
      }
      if (internal !== undefined) {
        this.#holdOffered(internal);
        return yield* this.#candidate(internal);
      }
      this.#count('misses');
    }
    if (!policy.hasStore) return yield* this.#full();
    const answer = (yield { callback: 'get', owner: this.server }) as GetAnswer;
    if (answer.kind === 'promise') this.isAsking = true;
    else yield* this.#answered(answer);
  }

  /** The promise of the get callback has settled, or is too late. */
  *answer(answer: GetAnswer): Course<void> {
    if (this.isAsking) {
      this.isAsking = false;
      return yield* this.#answered(answer);
    }
    if (answer.kind === 'give') answer.session.passing--;
  }

  *#answered(answer: GetAnswer): Course<void> {
    const found = this.#found(answer);
    if (found === undefined) return yield* this.#full();
    const { server } = this;
    if (!found.isResumable(server.world.holds(found))) return yield* this.#full();
    this.#count('callbackHits');
    server.announced.add(found);
    const { storeCache } = server;
    const isGood = this.#now <= found.expires;
    // As it was when it came: what it does to the cache comes after the decision.
    if (storeCache !== undefined && !storeCache.isClosed && found.cache === undefined && isGood)
      yield* server.add(found, this);
    yield* this.#candidate(found, isGood, true);
  }

  #holdOffered(session: ModelSession): void {
    this.held.push(session);
    this.#offered = session;
  }

  /** A session under the id that was asked for, which the connection holds by then. */
  #found(answer: GetAnswer): ModelSession | undefined {
    const { server } = this;
    const error: ModelEvent = { type: 'callback-error', callback: 'onGet' };
    if (answer.kind === 'nothing') return undefined;
    if (!('session' in answer)) return void this.events.push(error);
    const { kind, session } = answer;
    if (kind === 'give') session.passing--;
    if (kind === 'lend' && server.world.holds(session) === 0) return void this.events.push(error);
    this.#holdOffered(session);
    if (session.version !== this.version || session.id !== this.asked) return void this.events.push(error);
    return session;
  }

  /** May it be resumed? What the cache had has not expired: that has been seen to. */
  *#candidate(session: ModelSession, isGood = this.#now <= session.expires, wasResumable = false): Course<void> {
    if (!wasResumable && session.isRuledOut) return yield* this.#full();
    if (!isGood) {
      this.#count('timeouts');
      yield* this.server.remove(session, 'expired', this);
      return yield* this.#full();
    }
    const isTaken = this.version === 'TLSv1.3' && this.server.policy.singleUse;
    if (isTaken && !(yield* this.#take(session))) return yield* this.#full();
    this.#count('hits');
    this.session = session;
    this.resumed = session;
  }

  *#take(session: ModelSession): Course<boolean> {
    if (!this.server.policy.hasStore) return yield* this.server.cache.take(session.key, this);
    const isFirst = (yield { callback: 'take', owner: this.server }) as boolean;
    yield* this.server.cache.take(session.key, this);
    return isFirst;
  }

  *#full(): Course<void> {
    if (this.version === 'TLSv1.2') this.#id = yield* this.#newId();
  }

  *#newId(): Course<string> {
    return this.server.canKeep ? ((yield { callback: 'id', owner: this.server }) as string) : '';
  }

  /** The client's Finished. */
  *finish(): Course<void> {
    this.#hasProof = true;
    if (this.version === 'TLSv1.3') yield* this.#tickets();
    else if (this.resumed === undefined) yield* this.#issue(this.#id);
    this.state = 'established';
    const offered = this.#offered;
    if (offered !== undefined && offered !== this.resumed) this.held.splice(this.held.indexOf(offered), 1);
    if (this.resumed?.cache !== undefined && this.server.policy.updateTime) retime(this.resumed, { time: this.#now });
    this.#count('acceptGood');
  }

  *#tickets(): Course<void> {
    const count = this.resumed === undefined ? 2 : 1;
    if (!this.server.canKeep) return this.resumed === undefined ? yield* this.#issue('') : undefined;
    for (let i = 0; i < count && this.server.canKeep; i++) yield* this.#issue(yield* this.#newId());
  }

  *#issue(id: string): Course<void> {
    const { server, version } = this;
    const { world, policy, storeCache } = server;
    const session = world.born(new ModelSession({ version, id, time: this.#now, timeout: policy.timeout }));
    this.session = session;
    this.held.push(session);
    if (id === '') return;
    if (storeCache !== undefined && !storeCache.isClosed) yield* server.add(session, this);
    if (!session.isResumable(world.holds(session))) return; // it has left already
    this.events.push({ type: 'new-session', session });
    if (!policy.hasOnNew) return;
    session.passing++;
    server.announced.add(session);
    const answer = (yield { callback: 'new', owner: server, session }) as NewAnswer;
    if (answer === 'promise') this.events.push({ type: 'deferred', session });
    else this.#settle(session, answer);
  }

  /** The new callback's answer; that it left at once is told as an event only. */
  #settle(session: ModelSession, answer: Exclude<NewAnswer, 'promise'>): void {
    session.passing--;
    if (answer === true) session.application++;
    if (answer !== false) return;
    this.server.announced.delete(session);
    this.server.cache.discard(session);
    this.events.push({ type: 'session-refused', session });
  }

  // biome-ignore lint/correctness/useYield: no callback is called.
  *settled(session: ModelSession, answer: boolean | 'error' | undefined): Course<void> {
    if (answer === 'error') this.events.push({ type: 'callback-error', callback: 'onNew' });
    this.#settle(session, answer === 'error' ? undefined : answer);
  }

  // biome-ignore lint/correctness/useYield: no callback is called.
  *end(): Course<void> {
    this.isEnded = true;
  }

  /** A fatal alert; only who has proved that he holds the session ends it. None is sent after a close_notify. */
  *fail(reason: 'alert-sent' | 'alert-received'): Course<void> {
    this.state = 'failed';
    const isEntitled = this.#hasProof || this.session !== this.resumed;
    const isTold = reason === 'alert-received' || !this.isEnded;
    if (this.session !== undefined && isEntitled && isTold) yield* this.server.remove(this.session, reason, this);
    this.#release();
  }

  *transportEnded(): Course<void> {
    if (!this.isDeaf) yield* this.#unclean();
    this.isDeaf = true;
  }

  *dispose(clean: boolean): Course<void> {
    if (!clean) yield* this.#unclean();
    if (this.state !== 'failed') this.state = 'closed';
    this.isEnded = true;
    this.isAsking = false;
    this.#release();
  }

  *#unclean(): Course<void> {
    const { session, server } = this;
    if (this.state !== 'established' || this.isEnded || session === undefined) return;
    if (server.policy.removeUnclean.includes(this.version)) yield* server.remove(session, 'unclean', this);
  }

  #release(): void {
    this.isDeaf = true;
    this.held.length = 0;
  }
}
