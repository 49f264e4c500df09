/**
 * The internal cache: bounded, in order of expiry, expiring (SSL_CTX_sess_set_cache_size(3), SSL_CTX_add_session(3),
 * SSL_CTX_flush_sessions(3)). It knows sessions and whom to tell that one has left; of handshakes it knows nothing.
 */

import type { Version } from '../wire/registry.ts';
import type { OnRemove, RemovalReason } from './callbacks.ts';
import { type Expiring, ExpiryHeap } from './expiry-heap.ts';
import type { Session } from './session.ts';

/** SSL_SESSION_CACHE_MAX_SIZE_DEFAULT */
const DEFAULT_MAX_ENTRIES = 20480;

const MAX_ID = 32;

/** See `compat` of the server's options. */
export type Compat = 'openssl-3';

export interface SessionCacheOptions {
  /** How many sessions it retains, 20480 by default; 0 is no limit. */
  readonly maxEntries?: number | undefined;
  /** 'openssl-3': it retains one less than `maxEntries`, though never none, as OpenSSL 3 does. */
  readonly compat?: Compat | undefined;
  /** Told of each session that leaves, unless the session was added with a listener of its own. */
  readonly onRemove?: OnRemove | undefined;
}

/**
 * Who is told that a session has left, once for each that was added. By then it is out, `size` does not count it and
 * the cache may be used again; the cache's hold on it ends when the listener returns. What a listener throws comes out
 * of the call that made the session leave, after all others have been told.
 */
export interface RemovalListener {
  /** It is out, and will be told of in its turn: others that left with it may come first. Must not use the cache. */
  departing?(session: Session): void;
  removed(session: Session, reason: RemovalReason): void;
  /** Another object has taken its key: no removal, as the key is still there (SSL_CTX_add_session(3)). */
  replaced?(session: Session): void;
}

interface Entry extends Expiring {
  readonly key: string;
  readonly session: Session;
  readonly listener: RemovalListener;
}

interface Departure {
  readonly entry: Entry;
  readonly reason: RemovalReason | 'replaced';
}

/** It has one hold on each of its sessions, and a session is in one cache only. Times are seconds since the epoch. */
export class SessionCache {
  readonly #entries = new Map<string, Entry>();
  readonly #byExpiry = new ExpiryHeap<Entry>();
  readonly #listener: RemovalListener;
  readonly #resort = (session: Session): void => {
    const entry = this.#entryOf(session);
    if (entry?.session === session) this.#byExpiry.move(entry, session.expires);
  };
  readonly #counted: number;
  #maxEntries = DEFAULT_MAX_ENTRIES;
  #evicted = 0;
  #isClosed = false;

  /** @throws TypeError or RangeError naming the option */
  constructor(options: SessionCacheOptions = {}) {
    const { maxEntries = DEFAULT_MAX_ENTRIES, compat, onRemove, ...unknown } = options;
    for (const option of Object.keys(unknown)) {
      throw new TypeError(`unknown option ${option}; a session cache has maxEntries, compat and onRemove`);
    }
    if (compat !== undefined && compat !== 'openssl-3') throw new TypeError("compat: 'openssl-3', or nothing");
    if (onRemove !== undefined && typeof onRemove !== 'function') throw new TypeError('onRemove must be a function');
    this.maxEntries = maxEntries;
    this.#counted = compat === undefined ? 0 : 1; // OpenSSL counts the newcomer before it makes room
    this.#listener = { removed: (session, reason) => onRemove?.(session, reason) };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** How many have had to leave because it was full. */
  get evicted(): number {
    return this.#evicted;
  }

  /** After {@link close} nothing can be added. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether there is a session under this key, expired or not. */
  has(version: Version, id: Uint8Array): boolean {
    return this.#entries.has(keyOf(version, id));
  }

  /** How many sessions it retains; 0 is no limit. A lower limit takes effect when the next session is added. */
  get maxEntries(): number {
    return this.#maxEntries;
  }

  set maxEntries(limit: number) {
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new RangeError(`maxEntries is ${limit}; a whole number is possible, and 0 for no limit`);
    }
    this.#maxEntries = limit;
  }

  /** The sessions as they are now, the soonest to expire first. They are lent. */
  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byExpiry
      .sorted()
      .map(({ session }) => session)
      .values();
  }

  /**
   * Takes a hold on the session and keeps it. Where the cache is full, those that expire first have to leave, never the
   * newcomer. `false`: this very object was here already; it counts as the youngest of those that expire with it.
   * @throws RangeError where nobody could resume it: it has no id, was ruled out or released. @throws Error where
   * another cache has it, or where this one is closed
   */
  add(session: Session, listener: RemovalListener = this.#listener): boolean {
    if (this.#isClosed) throw new Error('this session cache is closed');
    if (!session.isResumable) throw new RangeError('a session without an id, released or ruled out cannot be cached');
    const key = keyOf(session.version, session.id);
    const present = this.#entries.get(key);
    if (present?.session === session) {
      this.#byExpiry.move(present, session.expires);
      return false;
    }
    session.claim(this.#resort);
    session.upRef();
    const departures = present === undefined ? [] : [this.#depart(present, 'replaced')];
    departures.push(...this.#makeRoom());
    const entry: Entry = { key, session, listener, expires: 0, order: 0, place: 0 };
    this.#entries.set(key, entry);
    this.#byExpiry.insert(entry, session.expires);
    this.#tell(departures);
    return true;
  }

  /**
   * The session under this key, lent: take a hold before anything else may run. One that has expired leaves and is
   * told. The last second of a session is still good: OpenSSL compares strictly.
   */
  get(version: Version, id: Uint8Array, now: number): Session | 'expired' | undefined {
    const entry = this.#entries.get(keyOf(version, id));
    if (entry === undefined || now <= entry.session.expires) return entry?.session;
    this.#tell([this.#depart(entry, 'expired')]);
    return 'expired';
  }

  /** Single use: true for the one caller that finds it there. Who resumes it has a hold of its own by then. */
  take(version: Version, id: Uint8Array): boolean {
    const entry = this.#entries.get(keyOf(version, id));
    if (entry !== undefined) this.#tell([this.#depart(entry, 'consumed')]);
    return entry !== undefined;
  }

  /**
   * Removes whatever is cached under the key of this session (SSL_CTX_remove_session(3)): that object is told, and both
   * are ruled out, as they are the same session to its client. Whether there was one.
   */
  remove(session: Session, reason: RemovalReason = 'removed'): boolean {
    const { id } = session;
    if (id.length === 0) return false;
    if (rulesOut(reason)) session.forbidResumption();
    const entry = this.#entries.get(keyOf(session.version, id));
    if (entry !== undefined) this.#tell([this.#depart(entry, reason)]);
    return entry !== undefined;
  }

  /** Whether what is cached under the key of this session was added with this listener. */
  tells(listener: RemovalListener, session: Session): boolean {
    return this.#entryOf(session)?.listener === listener;
  }

  /** Lets go of this very object without a word: the new-session callback did not want it. */
  discard(session: Session): boolean {
    const entry = this.#entryOf(session);
    if (entry?.session !== session) return false;
    this.#unlink(entry);
    session.release();
    return true;
  }

  /**
   * Removes what has expired by `now`, and everything where that is 0 (SSL_CTX_flush_sessions(3)); the soonest to
   * expire is told first. How many there were.
   */
  flush(now = 0, reason: RemovalReason = 'flushed'): number {
    if (!(now >= 0)) throw new RangeError(`flush at ${now}; seconds since the epoch are possible, and 0 for all`);
    const departures = this.#departWhile((first) => now === 0 || now > first.expires, reason);
    this.#tell(departures);
    return departures.length;
  }

  /** Lets everything go, the soonest to expire first (SSL_CTX_free(3)). Nothing can be added any more. */
  close(): void {
    this.#isClosed = true;
    this.flush(0, 'closed');
  }

  /** For one more. The soonest to expire go; a lower limit than there are sessions costs several. */
  #makeRoom(): Departure[] {
    if (this.#maxEntries === 0) return [];
    const departures = this.#departWhile(() => this.size + this.#counted >= this.#maxEntries, 'evicted');
    this.#evicted += departures.length;
    return departures;
  }

  #entryOf(session: Session): Entry | undefined {
    return this.#entries.get(keyOf(session.version, session.id));
  }

  #departWhile(condition: (first: Entry) => boolean, reason: RemovalReason): Departure[] {
    const departures: Departure[] = [];
    for (let first = this.#byExpiry.first; first !== undefined && condition(first); first = this.#byExpiry.first) {
      departures.push(this.#depart(first, reason));
    }
    return departures;
  }

  #depart(entry: Entry, reason: Departure['reason']): Departure {
    this.#unlink(entry);
    if (rulesOut(reason)) entry.session.forbidResumption();
    entry.listener.departing?.(entry.session);
    return { entry, reason };
  }

  #unlink(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#byExpiry.delete(entry);
    entry.session.claim(undefined);
  }

  /** Last in every call: a listener may use the cache, and an error must not leave anything undone. */
  #tell(departures: readonly Departure[]): void {
    const errors: unknown[] = [];
    for (const { entry, reason } of departures) {
      try {
        if (reason === 'replaced') entry.listener.replaced?.(entry.session);
        else entry.listener.removed(entry.session, reason);
      } catch (error) {
        errors.push(error);
      }
      entry.session.release();
    }
    if (errors.length > 0) throw errors[0];
  }
}

/**
 * TLS 1.2 and 1.3 have ids of their own, as in OpenSSL. All at once, not character by character: strings put together from
 * pieces make an addition to a full cache twice as dear.
 */
function keyOf(version: Version, id: Uint8Array): string {
  if (id.length > MAX_ID) return ''; // nobody's, and too long for arguments perhaps
  return String.fromCharCode(version === 'TLSv1.3' ? 3 : 2, ...id);
}

/**
 * That room was needed, or that a twin came, says nothing against a session that somebody else still holds. All other
 * reasons do; `closed` too, as in SSL_CTX_free(3): from then on nobody could revoke it.
 */
function rulesOut(reason: Departure['reason']): boolean {
  return reason !== 'evicted' && reason !== 'replaced';
}
