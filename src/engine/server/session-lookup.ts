/** The session store as one connection sees it: calls the callbacks, keeps holds, and turns each answer into a session or a reason. */

import { type Awaitable, isInstance, isPromise } from '../../awaitable.ts';
import { Given, type RemovalReason } from '../../cache/callbacks.ts';
import type { RemovalListener, RemovalObserver } from '../../cache/session-cache.ts';
import type { CallbackName, NoResumption, NoTicket } from '../../handshake/outcome.ts';
import type { Found, Sessions } from '../../handshake/server/context.ts';
import type { Outcome, Task } from '../../handshake/wait.ts';
import { platform } from '../../platform.ts';
import { ownCertificate, ownId, Session } from '../../sessions/session.ts';
import { MAX_TICKET_PLAINTEXT } from '../../tickets/format.ts';
import { copyOf, EMPTY, equalBytes } from '../../wire/bytes.ts';
import type { Version } from '../../wire/registry.ts';
import { drawRandom } from '../../world.ts';
import { disowned, type Event } from '../events.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { OwnCallbacks } from './policy.ts';
import type { Counted } from './statistics.ts';
import type { SessionStore } from './store.ts';

const ID_LENGTH = 32;

/** A connection may last for weeks, and send tickets all the time. There are at most 255 in one handshake. */
const MAX_HELD = 256;

/** An answer of the internal cache, as opposed to one of a callback. */
class Internal {
  readonly found: Found;

  constructor(found: Found) {
    this.found = found;
  }
}

const UNKNOWN: Found = { reason: 'unknown' };

/** Observes the operations of the store that it runs, and reports sessions that leave as events of the connection. */
export class ConnectionSessions implements Sessions, RemovalObserver {
  #store: SessionStore;
  readonly #host: ConnectionHost;
  /** The sessions of the tickets that were made last. */
  readonly #held: Session[] = [];
  /** Sessions that the client has offered. Once the handshake is complete, one of them is held, if it was resumed. */
  readonly #offered: Session[] = [];
  readonly #later: (() => void)[] = [];
  readonly #counted: Counted[] = [];
  /** Aborts the lookups of this connection. It is made with the first one. */
  #abort: InstanceType<typeof platform.AbortController> | undefined;
  /** The callbacks of the virtual host. They come before those of the store, which may be the server's. */
  own: OwnCallbacks = {};
  #isLate = false;
  isRuledOut = false;

  constructor(store: SessionStore, host: ConnectionHost) {
    this.#store = store;
    this.#host = host;
    this.#count('accept');
  }

  get store(): SessionStore {
    return this.#store;
  }

  /** Changes to the store of the virtual host. The connection counts as begun there. */
  set store(store: SessionStore) {
    this.#store.counters.count('accept', -1);
    store.counters.count('accept');
    this.#store = store;
  }

  /** Counts a thing once per connection, as after a HelloRetryRequest everything is looked up again. */
  #count(what: Counted): void {
    if (this.#counted.includes(what)) return;
    this.#counted.push(what);
    this.store.counters.count(what);
  }

  #emit(event: Event): void {
    this.#host.emit(event);
  }

  /**
   * Calls a user callback, or the cache, which may be of a user's class and goes by the name of the callback that does the same in a
   * store. If it throws, there is an event and the answer is `undefined`. Of remove callbacks that fail, {@link removalFailed} hears.
   */
  #call<T>(callback: CallbackName, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#emit({ type: 'callback-error', callback, error });
      return undefined;
    }
  }

  get listener(): RemovalListener {
    return this.store.listener;
  }

  sessionLeft(session: Session, reason: RemovalReason | 'replaced'): void {
    if (reason === 'replaced') this.#emit({ type: 'session-replaced', session });
    else this.#emit({ type: 'session-removed', session, reason });
  }

  removalFailed(error: unknown): void {
    this.#emit({ type: 'callback-error', callback: 'onRemove', error });
  }

  removalPending(promise: PromiseLike<unknown>): void {
    this.#emit(disowned('onRemove', promise));
  }

  get canFind(): boolean {
    return this.store.canFind;
  }

  get canKeep(): boolean {
    return this.store.canKeep;
  }

  get canFindAgain(): boolean {
    return this.store.canFindAgain;
  }

  canTake(isSealed: boolean): boolean {
    return this.store.canTake(isSealed);
  }

  get acceptsForeign(): boolean {
    return this.store.policy.foreign;
  }

  get movesTime(): boolean {
    return this.store.policy.updateTime;
  }

  find(version: Version, id: Uint8Array): Task<unknown, Found> {
    return {
      kind: 'session',
      callback: 'onGet',
      asked: id,
      budgeted: true,
      run: () => this.#find(version, id),
      conclude: (outcome) => {
        const found = this.#found(version, id, outcome);
        return found.reason === 'unknown' && this.store.wasTaken(id) ? { reason: 'consumed' } : found;
      },
      releaseLateAnswer: releaseGiven,
    };
  }

  #find(version: Version, id: Uint8Array): Awaitable<unknown> {
    const cache = this.store.lookupCache;
    const internal = this.#call('onGet', () => cache?.get(version, id, this.store.now(), this));
    if (internal === 'expired') {
      this.#count('timeouts');
      return new Internal({ reason: 'expired' });
    }
    if (internal !== undefined) return new Internal({ session: this.adoptOffered(internal.upRef()) });
    if (cache !== undefined) this.#count('misses');
    const { onGet } = this.store.policy;
    if (onGet === undefined || !this.#isIssued(version, id)) return new Internal(UNKNOWN);
    if (this.#isLate) return new Internal({ reason: 'store-timeout' });
    this.#abort ??= new platform.AbortController();
    const { signal } = this.#abort;
    return onGet(copyOf(id), this.#host.info(), signal);
  }

  /** Reports whether this server could have issued an id. TLS 1.3 clients may send any bytes; the store is asked only for such ids. */
  #isIssued(version: Version, id: Uint8Array): boolean {
    if (version === 'TLSv1.2' || id.length === ID_LENGTH) return true;
    return (this.own.generateId ?? this.store.policy.generateId) !== undefined;
  }

  #found(version: Version, id: Uint8Array, outcome: Outcome): Found {
    if ('late' in outcome) return this.#missedDeadline();
    if ('error' in outcome) return { reason: 'store-error' };
    const { value } = outcome;
    try {
      if (value instanceof Internal) return value.found;
      return this.#check(version, id, this.#sessionOf(value));
    } catch (error) {
      return this.#failed('store-error', error); // the value is a Proxy, or of a user's class, and throws
    }
  }

  /** Checks that a session is the one that was asked for, and has it put into the internal cache later. */
  #check(version: Version, id: Uint8Array, found: Found): Found {
    const { session } = found;
    if (session === undefined) return found;
    if (session.version !== version) return this.#failed('version', new Error(`a session of ${session.version}`));
    if (!equalBytes(session.id, id))
      return this.#failed('wrong-id', new Error('a session with another id than was asked for'));
    if (session.isResumable) {
      this.#count('callbackHits');
      this.store.announced(session);
      this.#later.push(() => this.#keep(session));
    }
    return found;
  }

  #missedDeadline(): Found {
    this.#isLate = true;
    this.#abort?.abort();
    return { reason: 'store-timeout' };
  }

  #failed(reason: NoResumption, error: unknown): Found {
    this.#emit({ type: 'callback-error', callback: 'onGet', error });
    return { reason };
  }

  /** Turns an answer into a session: lent, given, or bytes. In each case the connection has a hold of its own. */
  #sessionOf(answer: unknown): Found {
    if (answer === undefined || answer === null) return UNKNOWN;
    try {
      const given = answer instanceof Given ? answer.session : answer;
      if (Session.isSession(given)) {
        if (given === answer) given.upRef();
        return { session: this.adoptOffered(given) };
      }
      if (answer instanceof Uint8Array)
        return { session: this.adoptOffered(Session.fromDer(answer, this.store.now())) };
    } catch (error) {
      return this.#failed(answer instanceof Uint8Array ? 'malformed' : 'store-error', error);
    }
    return this.#failed(
      'store-error',
      new TypeError('answer with a Session, give(session), bytes of toDer(), or nothing'),
    );
  }

  /** Takes over a hold on a new session until the connection ends or {@link MAX_HELD} more are made. */
  adopt(session: Session): Session {
    this.#held.push(session);
    const oldest = this.#held.length > MAX_HELD ? this.#held.shift() : undefined;
    if (oldest !== undefined) this.#release(oldest);
    return session;
  }

  /** Takes over a hold on an offered session until the handshake is complete or, if it resumes the session, until the connection ends. */
  adoptOffered(session: Session): Session {
    this.#offered.push(session);
    return session;
  }

  /** Puts a session that the get callback has returned into the internal cache, as OpenSSL does. */
  #keep(session: Session): void {
    const cache = this.store.storeCache;
    if (cache === undefined || cache.isClosed || session.isCached || this.store.now() > session.expires) return;
    if (!cache.fits(session)) return;
    this.#call('onGet', () => this.store.add(session, this));
  }

  askNotResumable(isForwardSecure: boolean): boolean {
    const notResumable = this.own.notResumable ?? this.store.policy.notResumable;
    if (notResumable === undefined) return false;
    // If the callback throws, its answer is unknown, so the session is ruled out.
    const answer = () => this.#atOnce('notResumable', notResumable(this.#host.info(), isForwardSecure));
    return this.#call('notResumable', answer) !== false;
  }

  /** Returns an answer that is wanted at once. @throws TypeError for a promise, as no handshake waits here */
  #atOnce<T>(callback: CallbackName, answer: T): T {
    if (!isPromise(answer)) return answer;
    this.#emit(disowned(callback, answer));
    throw new TypeError(`${callback}: an answer is wanted at once, and no promise`);
  }

  newId(version: Version, offered: Uint8Array = EMPTY): Uint8Array {
    const generateId = this.own.generateId ?? this.store.policy.generateId;
    if (generateId !== undefined) {
      const id = this.#call('generateId', () =>
        this.#requireFresh(version, offered, this.#atOnce('generateId', generateId(this.#host.info()))),
      );
      if (id !== undefined) return id;
    }
    return copyOf(drawRandom(this.#host.world, ID_LENGTH, 'session id'));
  }

  /** SSL_CTX_set_generate_session_id(3). @throws TypeError or Error for a bad id; the handshake then goes on with a random one */
  #requireFresh(version: Version, offered: Uint8Array, id: unknown): Uint8Array | undefined {
    if (id === undefined) return undefined;
    if (!(id instanceof Uint8Array) || id.length < 1 || id.length > ID_LENGTH) {
      throw new TypeError(`generateId: a Uint8Array of 1 to ${ID_LENGTH} bytes is wanted`);
    }
    if (equalBytes(id, offered)) throw new Error('generateId: this id is what the client offers');
    if (this.store.cache?.has(version, id) || this.#host.config.psks?.has(id))
      throw new Error('generateId: this id is in use');
    return copyOf(id);
  }

  fits(session: Session, isKept: boolean): boolean {
    const reason = this.#whyNoTicket(session, isKept);
    if (reason !== undefined) this.noTicket(reason);
    return reason === undefined;
  }

  #whyNoTicket(session: Session, isKept: boolean): 'expired' | 'too-large' | undefined {
    if (session.expires < this.store.now()) return 'expired';
    if ((ownCertificate(session)?.length ?? 0) > MAX_TICKET_PLAINTEXT) return 'too-large'; // a cache should not hold what no ticket could
    return isKept && !this.store.fits(session) && this.store.policy.onNew === undefined ? 'too-large' : undefined;
  }

  noTicket(reason: NoTicket): void {
    this.#emit({ type: 'no-ticket', reason });
  }

  announce(session: Session, isNeeded: boolean): void {
    if (!this.store.isCaching || session.holds === 0) return; // its ticket has left already, and the application has freed it
    // SSL_CTX_sess_set_remove_cb(3): the remove callback is told only of sessions that were in the cache.
    const cache = isNeeded || this.store.policy.onRemove !== undefined ? this.store.storeCache : undefined;
    if (cache?.isClosed === false && cache.fits(session)) this.#call('onNew', () => this.store.add(session, this));
    if (session.isRuledOut) return; // by the remove callback of a session that had to make room: it has been told of this one, too
    this.#emit({ type: 'new-session', session });
    if (this.store.policy.onNew !== undefined) this.#callOnNew(session);
  }

  /** Calls the new callback. It gets a hold, which it keeps by answering true. */
  #callOnNew(session: Session): void {
    if (session.holds === 0) return; // freed by the remove callback of a session that had to make room
    session.upRef();
    this.store.announced(session);
    const answer = this.#call('onNew', () => this.store.policy.onNew?.(session, this.#host.info()));
    if (!isPromise(answer)) return this.#answered(session, answer);
    this.#host.defer('onNew', answer, (outcome) =>
      this.#answered(session, 'value' in outcome ? outcome.value : undefined),
    );
  }

  /** Applies an answer of the new callback. `true` keeps the hold. `false` removes the session from the cache, and onRemove is not told. */
  #answered(session: Session, answer: unknown): void {
    if (answer === true) return;
    if (answer === false && !this.store.isCompatible) {
      this.store.refused(session);
      this.store.cache?.discard(session);
      this.#emit({ type: 'session-refused', session });
    }
    session.release();
  }

  /** Asks the virtual host, or else the server that the client has connected to: a host must not open what its server bars. */
  mayResume(session: Session): Task<unknown, NoResumption | undefined> | undefined {
    const mayResume = this.own.mayResume ?? this.#host.config.store.policy.mayResume;
    if (mayResume === undefined) return undefined;
    return {
      kind: 'resumption',
      callback: 'mayResume',
      budgeted: true,
      run: () => mayResume(session, this.#host.info()),
      conclude: (outcome) => {
        if (!('value' in outcome)) return 'late' in outcome ? 'store-timeout' : 'store-error';
        if (outcome.value !== true) return 'vetoed';
        if (!session.isRuledOut) return undefined;
        return this.wasTaken(session) ? 'consumed' : 'not-resumable'; // meanwhile, perhaps by the callback itself
      },
    };
  }

  wasTaken(session: Session): boolean {
    return this.store.wasTaken(ownId(session));
  }

  take(session: Session): Task<unknown, NoResumption | undefined> {
    const { onTake } = this.store.policy;
    return {
      kind: 'take',
      callback: 'onTake',
      budgeted: true,
      run: () => this.#take(session),
      conclude: (outcome) => {
        // Not before, as onRemove hears of it, and may delete from the store what onTake is to take out of it.
        if (onTake !== undefined) this.#later.push(() => void this.#takeCached(session));
        if ('value' in outcome) return outcome.value === true ? undefined : 'consumed';
        return 'late' in outcome ? 'store-timeout' : 'store-error';
      },
    };
  }

  #take(session: Session): Awaitable<boolean> {
    this.store.taken(session.id);
    const { onTake, onGet } = this.store.policy;
    if (onTake !== undefined) return onTake(session.id);
    return this.#takeCached(session) && onGet === undefined; // onGet without onTake: a virtual host wants single use, and the server's store may have a copy
  }

  #takeCached(session: Session): boolean {
    return this.#call('onTake', () => this.store.cache?.take(session.version, session.id, this)) ?? false;
  }

  expire(session: Session, isCached: boolean): void {
    this.#count('timeouts');
    if (isCached) this.#call('onRemove', () => this.store.remove(session, 'expired', this));
  }

  hit(): void {
    this.#count('hits');
  }

  remove(session: Session, reason: 'alert-sent' | 'alert-received' | 'unclean'): void {
    this.#call('onRemove', () => this.store.remove(session, reason, this));
  }

  /** Called when the handshake is complete, and nothing is looked up any more. `resumed` is the session that it resumed, if any. */
  completed(resumed: Session | undefined): void {
    this.catchUp(); // sessions that are to be kept are still held
    this.#abort = undefined;
    for (const session of this.#offered.splice(0)) {
      if (session === resumed) this.#offered.push(session);
      else this.#release(session);
    }
    this.#call('onRemove', () => {
      if (resumed?.isCached) this.#touch(resumed);
      this.store.completed(this);
    });
  }

  /** SSL_SESS_CACHE_UPDATE_TIME: the timeout counts from the last use by a peer that has proved that it holds the session. */
  #touch(session: Session): void {
    if (this.store.policy.updateTime && !this.store.isCompatible) session.time = this.store.now();
  }

  /** Runs the actions that must not run while the handshake does. */
  catchUp(): void {
    for (let action = this.#later.shift(); action !== undefined; action = this.#later.shift()) action();
  }

  /** Called when the connection ends. Aborts its lookups and releases its holds. */
  close(): void {
    this.#abort?.abort();
    for (const session of [...this.#held.splice(0), ...this.#offered.splice(0)]) this.#release(session);
  }

  /** The session may be of a user's class. Whatever that does, the others are released, too. */
  #release(session: Session): void {
    try {
      session.release();
    } catch (error) {
      this.#emit({ type: 'callback-error', callback: 'onGet', error });
    }
  }
}

/** Releases the hold in an answer of onGet that came when no handshake waited for it any more. */
function releaseGiven(answer: unknown): void {
  if (isInstance(answer, Given) && Session.isSession(answer.session)) answer.session.release();
}
