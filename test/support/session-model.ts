/**
 * What sessions and session caches do, said once more and as plainly as it can be: an array in order, from which everything is
 * found by looking. Each operation is a generator that yields wherever a callback is due, so that real thing and model run in
 * {@link Lockstep}, also through callbacks that use the cache themselves.
 */

import type { RemovalReason } from '../../src/cache/callbacks.ts';
import type { Session } from '../../src/sessions/session.ts';
import { copyOf, equalBytes, fromHex, toHex } from '../../src/wire/bytes.ts';
import type { Version } from '../../src/wire/registry.ts';

/** A callback that is due; what it answers goes back into the generator. */
export interface Due {
  readonly callback: 'removed' | 'replaced' | 'new' | 'get' | 'take' | 'id';
  /** Whose callback it is. */
  readonly owner: object;
  readonly session?: ModelSession | undefined;
  readonly reason?: RemovalReason | undefined;
}

export type Course<T> = Generator<Due, T, unknown>;

/** A misuse that the real thing answers with an error of this kind. */
export class Misuse extends Error {
  readonly kind: typeof Error;

  constructor(kind: typeof Error) {
    super(kind.name);
    this.kind = kind;
  }
}

export function same(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`);
}

/** A session as it ought to be; the real one is found as soon as anything shows it. */
export class ModelSession {
  readonly version: Version;
  /** Hexadecimal. */
  readonly id: string;
  readonly idBytes: Uint8Array;
  time: number;
  timeout: number;
  isRuledOut = false;
  /** Holds of the application. */
  application = 0;
  /** Holds that are changing hands: a callback's that has not answered yet, an answer's that nobody has taken. */
  passing = 0;
  /** Where it is. */
  cache: ModelCache | undefined;
  #real: Session | undefined;
  #secret: Uint8Array | undefined;
  #original: Uint8Array | undefined;

  constructor({ version, id, time, timeout }: { version: Version; id: string; time: number; timeout: number }) {
    this.version = version;
    this.id = id;
    this.idBytes = fromHex(id);
    this.time = time;
    this.timeout = timeout;
  }

  /** One that the application has made, and has the first hold on. */
  static of(real: Session): ModelSession {
    const { version, time, timeout } = real;
    const session = new ModelSession({ version, id: toHex(real.id), time, timeout });
    session.application = 1;
    return session.identify(real);
  }

  get key(): string {
    return keyOf(this.version, this.id);
  }

  get expires(): number {
    return this.time + this.timeout;
  }

  get isKnown(): boolean {
    return this.#real !== undefined;
  }

  get real(): Session {
    if (this.#real === undefined) throw new Error(`session ${this.id} has not been seen yet`);
    return this.#real;
  }

  /** The secret as it was before anybody could wipe it. */
  get original(): Uint8Array {
    return this.#original ?? new Uint8Array(0);
  }

  /** This is the one. It is to be one that is still held when it is first seen. */
  identify(real: Session): this {
    if (this.#real === real) return this;
    same(this.#real, undefined, `another object for session ${this.id}`);
    same(`${real.version} ${toHex(real.id)}`, `${this.version} ${this.id}`, 'the session');
    this.#real = real;
    this.#secret = real.secret;
    this.#original = copyOf(real.secret);
    return this;
  }

  /** Everything that can be seen of it, given the number of those who hold it. */
  check(holds: number): void {
    const { real, id } = this;
    same(real.holds, holds, `holds of ${id}`);
    same(real.isCached, this.cache !== undefined, `${id} is cached`);
    same(real.isResumable, this.isResumable(holds), `${id} is resumable`);
    same(real.expires, this.expires, `expiry of ${id}`);
    this.#checkSecret(holds > 0);
  }

  isResumable(holds: number): boolean {
    return !this.isRuledOut && holds > 0 && this.id !== '';
  }

  /** While somebody holds the session it is what it was; afterwards nobody can read it, also who has kept the bytes. */
  #checkSecret(isHeld: boolean): void {
    const content = isHeld ? this.original : new Uint8Array(this.original.length);
    if (!equalBytes(this.#secret ?? new Uint8Array(0), content)) {
      throw new Error(`the secret of ${this.id} is ${isHeld ? 'not what it was' : 'not wiped'}`);
    }
    same(isReadable(this.real), isHeld, `secret of ${this.id} is readable`);
  }
}

function isReadable(session: Session): boolean {
  try {
    return session.secret.length > 0;
  } catch {
    return false;
  }
}

export function keyOf(version: Version, id: string): string {
  return `${version} ${id}`;
}

/** Who is told of what leaves a cache. */
export interface Owner {
  tell(departure: Departure): Course<void>;
  /** Comes before anybody is told. */
  departing?(session: ModelSession): void;
}

export interface Departure {
  readonly session: ModelSession;
  readonly owner: Owner;
  readonly reason: RemovalReason | 'replaced';
  readonly observer: ModelObserver | undefined;
}

/** The connection on whose behalf sessions leave. */
export interface ModelObserver {
  readonly server: Owner;
  left(session: ModelSession, reason: Departure['reason']): void;
}

interface Entry {
  readonly session: ModelSession;
  readonly owner: Owner;
}

export class ModelCache {
  /** The soonest to expire first; of equals the oldest first. */
  entries: Entry[] = [];
  limit: number;
  evicted = 0;
  isClosed = false;
  /** Out already, and still held until they have been told. */
  readonly leaving = new Set<Departure>();

  constructor(limit: number) {
    this.limit = limit;
  }

  find(key: string): ModelSession | undefined {
    return this.#entry(key)?.session;
  }

  #entry(key: string): Entry | undefined {
    return this.entries.find(({ session }) => session.key === key);
  }

  *add(session: ModelSession, owner: Owner, holds: number, observer?: ModelObserver): Course<boolean> {
    if (this.isClosed) throw new Misuse(Error);
    if (!session.isResumable(holds)) throw new Misuse(RangeError);
    const present = this.#entry(session.key);
    if (present?.session === session) {
      this.resort(session);
      return false;
    }
    if (session.cache !== undefined) throw new Misuse(Error);
    const departures = present === undefined ? [] : [this.#depart(present, 'replaced', observer)];
    const room = this.limit === 0 ? 0 : this.entries.length - this.limit + 1;
    const victims = this.entries.slice(0, Math.max(0, room));
    this.evicted += victims.length;
    departures.push(...victims.map((entry) => this.#depart(entry, 'evicted', observer)));
    session.cache = this;
    this.#insert({ session, owner });
    if (this.limit > 0 && this.entries.length > this.limit) throw new Error('the model is wrong: more than fit');
    yield* this.#tell(departures);
    return true;
  }

  #insert(entry: Entry): void {
    const after = this.entries.findIndex(({ session }) => session.expires > entry.session.expires);
    this.entries.splice(after < 0 ? this.entries.length : after, 0, entry);
  }

  /** It is the youngest of those that expire with it. */
  resort(session: ModelSession): void {
    const entry = this.#entry(session.key);
    if (entry?.session !== session) return;
    this.#unlink(entry);
    session.cache = this;
    this.#insert(entry);
  }

  *get(key: string, now: number, observer?: ModelObserver): Course<ModelSession | 'expired' | undefined> {
    const entry = this.#entry(key);
    if (entry === undefined || now <= entry.session.expires) return entry?.session;
    yield* this.#tell([this.#depart(entry, 'expired', observer)]);
    return 'expired';
  }

  *take(key: string, observer?: ModelObserver): Course<boolean> {
    return yield* this.#leave(this.#entry(key), 'consumed', observer);
  }

  *remove(session: ModelSession, reason: RemovalReason = 'removed', observer?: ModelObserver): Course<boolean> {
    if (session.id === '') return false;
    session.isRuledOut = true;
    return yield* this.#leave(this.#entry(session.key), reason, observer);
  }

  /** Whether it is this owner who hears of the removal of what has the key. */
  tells(session: ModelSession, owner: Owner): boolean {
    return this.#entry(session.key)?.owner === owner;
  }

  discard(session: ModelSession): boolean {
    const entry = this.#entry(session.key);
    if (entry?.session !== session) return false;
    this.#unlink(entry);
    return true;
  }

  *flush(now: number, reason: RemovalReason = 'flushed', atMost = this.entries.length): Course<number> {
    const gone = this.entries.filter(({ session }) => now === 0 || now > session.expires).slice(0, atMost);
    yield* this.#tell(gone.map((entry) => this.#depart(entry, reason, undefined)));
    return gone.length;
  }

  *close(): Course<void> {
    this.isClosed = true;
    yield* this.flush(0, 'closed');
  }

  *#leave(entry: Entry | undefined, reason: RemovalReason, observer: Departure['observer']): Course<boolean> {
    if (entry !== undefined) yield* this.#tell([this.#depart(entry, reason, observer)]);
    return entry !== undefined;
  }

  #unlink(entry: Entry): void {
    this.entries = this.entries.filter((other) => other !== entry);
    entry.session.cache = undefined;
  }

  #depart(entry: Entry, reason: Departure['reason'], observer: Departure['observer']): Departure {
    this.#unlink(entry);
    if (reason !== 'evicted' && reason !== 'replaced') entry.session.isRuledOut = true;
    entry.owner.departing?.(entry.session);
    const departure = { ...entry, reason, observer };
    this.leaving.add(departure);
    return departure;
  }

  *#tell(departures: readonly Departure[]): Course<void> {
    for (const departure of departures) {
      yield* departure.owner.tell(departure);
      this.leaving.delete(departure);
    }
  }
}

/** Sets a time, and all that follows from it. */
export function retime(session: ModelSession, change: { time?: number; timeout?: number }): void {
  session.time = change.time ?? session.time;
  session.timeout = change.timeout ?? session.timeout;
  session.cache?.resort(session);
}

interface Running {
  readonly course: Course<unknown>;
  state: IteratorResult<Due, unknown>;
}

/** Model and real thing, callback by callback. */
export class Lockstep {
  readonly #running: Running[] = [];
  /** What the engine has made of an error of ours is no matter: the first one counts. */
  #failure: unknown;

  /** Whether a callback is on the stack. */
  get isInside(): boolean {
    return this.#running.length > 0;
  }

  /** Both do the same, call the same callbacks in the same order, and come to the same result, which may be a misuse. */
  run<T>(course: Course<T>, real: () => T): void {
    const running: Running = { course, state: { done: true, value: undefined } };
    this.#running.push(running);
    const expected = outcomeOf(() => {
      running.state = course.next();
    });
    const actual = outcomeOf(real);
    this.#running.pop();
    if (this.#failure !== undefined) throw this.#failure;
    const { state } = running;
    if (!state.done) throw new Error(`${describe(state.value)} was not called; instead ${String(actual.error)}`);
    if (expected.error === undefined && actual.error !== undefined) throw actual.error;
    if (expected.error === undefined) return same(actual.value, state.value, 'the result');
    if (!(expected.error instanceof Misuse)) throw expected.error;
    same((actual.error as Error | undefined)?.constructor, expected.error.kind, 'the error');
  }

  /** The real callback was called: with what the model says? `attend` is what goes on inside of it, and its answer. */
  callback<T>(called: Called, attend: (due: Due) => Attended<T>): T {
    try {
      return this.#callback(called, attend);
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }

  #callback<T>(called: Called, attend: (due: Due) => Attended<T>): T {
    const running = this.#running.at(-1);
    if (running === undefined || running.state.done)
      throw new Error(`${describe(called)} was called, and nothing was due`);
    const due = running.state.value;
    same(describe(called), describe(due), 'the callback');
    same(called.owner, due.owner, `owner of the callback ${describe(due)}`);
    if (called.real !== undefined) due.session?.identify(called.real);
    const { answer, value } = attend(due);
    running.state = running.course.next(answer);
    return value;
  }
}

export type Called = Due & { readonly real?: Session | undefined };

/** What a callback tells the model, and what it returns. */
export interface Attended<T> {
  readonly answer: unknown;
  readonly value: T;
}

function describe({ callback, reason }: Due): string {
  return reason === undefined ? callback : `${callback} (${reason})`;
}

function outcomeOf<T>(run: () => T): { readonly value?: T; readonly error?: unknown } {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
}
