/**
 * Ticket keys and their phases: a key encrypts, then only decrypts, then is destroyed. Connections that depend on its
 * tickets have forward secrecy from the third phase on (RFC 5077 §5.5; Springall et al., "Measuring the Security Harm of
 * TLS Crypto Shortcuts", IMC 2016). A ring either generates its keys and rotates them by the clock, or holds keys that it
 * is given.
 *
 * A ring makes no timers. It brings its keys up to date whenever it is used, and so on its own it would keep the keys of a server to
 * which nobody connects. The shells lend it a timer ({@link TicketKeyRing.useTimer}). Where there is no shell, call
 * {@link TicketKeyRing.destroyDue} after {@link TicketKeyRing.nextEnd}.
 */

import type { RandomBytes } from '../crypto/provider.ts';
import { toHex } from '../wire/bytes.ts';
import { kindOf, requireBytes } from '../wire/kind-of.ts';
import { type Names, requireNumber, requireOptions, wrongKind } from '../wire/options.ts';
import { drawRandom, secondsOf, systemWorld, timeOf } from '../world.ts';
import type { TicketFormat } from './format.ts';
import { aeadTickets } from './format-aead.ts';
import { requireFormat, TicketKey, type TicketKeyOptions } from './key.ts';
import type { KeyTimer, OpeningKey, TicketKeyProvider } from './key-provider.ts';

/**
 * Seconds. Stolen keys open all tickets sealed in the last `rotateEvery + keepFor` seconds before the theft. `keepFor` must
 * not be shorter than the life of a ticket, or good tickets are refused; 7200 is the default timeout of a session.
 * `rotateEvery` can be shorter: a new key costs 48 random bytes, and a client that returns with an older one gets a new
 * ticket. An hour makes three hours in all. A day, with the seven days that RFC 9846 §4.7.1 allows, would make eight days.
 */
const DEFAULT_ROTATE_EVERY = 3600;
const DEFAULT_KEEP_FOR = 7200;

/** RFC 9846 §4.7.1: the longest life of a ticket. */
const MAX_SECONDS = 604800;
const MIN_ROTATE_EVERY = 60;

/** The most keys in a ring: the name in each ticket is compared with the names of all. */
const MAX_KEYS = 256;

/** The number of destroyed keys that a ring remembers, so that {@link TicketKeyRing.find} can report them. */
const MAX_REMEMBERED = 256;

/**
 * A timer wakes the ring when its next key ends, but after a minute at the latest, as the clock may have jumped or the machine slept;
 * and not before a second has passed, as timers run by another clock and may be early.
 */
const MAX_WAKE_MS = 60_000;
const MIN_WAKE_MS = 1000;

/** The options of a {@link TicketKeyRing} that makes its keys itself. */
export interface RotationOptions extends TicketKeyOptions {
  /** Format of the tickets. Default: {@link aeadTickets}. */
  readonly format?: TicketFormat | undefined;
  /** How many seconds a key encrypts: 60 to 604800, and at least one 255th of `keepFor`. Default: 3600. */
  readonly rotateEvery?: number | undefined;
  /** How many seconds it decrypts after that, which limits the life of tickets: 0 to 604800. Default: 7200. */
  readonly keepFor?: number | undefined;
}

/** The clock and the random source of a ring: milliseconds since the epoch, and unpredictable bytes. */
export interface RingWorld {
  now(): number;
  readonly randomBytes: RandomBytes;
}

/** A description of one key. Times are seconds since the epoch, `undefined` if the key does not end by the clock. */
export interface TicketKeyInfo {
  /** Hexadecimal. */
  readonly name: string;
  readonly format: string;
  readonly phase: 'encrypt' | 'decrypt-only' | 'destroyed';
  /** When the ring generated or received it. */
  readonly since: number;
  /** When it stops encrypting, or stopped. */
  readonly encryptsUntil: number | undefined;
  /** When it stops decrypting, or stopped. */
  readonly decryptsUntil: number | undefined;
  /** The number of tickets that this process has sealed with it. */
  readonly sealed: number;
  /** The number of tickets that it may seal. */
  readonly limit: number;
}

interface Entry {
  readonly key: TicketKey;
  readonly since: number;
  /** Once `false` it stays so, even if the clock is set back. */
  isSealing: boolean;
  sealsUntil: number;
  opensUntil: number;
}

interface Rotation {
  readonly rotateEvery: number;
  readonly keepFor: number;
  readonly generate: () => TicketKey;
}

const NEVER = Number.POSITIVE_INFINITY;

/** A ring of ticket keys. It owns its keys: it destroys each when its time is over, and all of them in {@link close}. */
export class TicketKeyRing implements TicketKeyProvider {
  readonly #world: Pick<RingWorld, 'now'>;
  readonly #rotation: Rotation | undefined;
  readonly #dead = new Map<string, TicketKeyInfo>();
  /** Generated keys, the newest first; or given keys, in the given order. */
  #entries: Entry[] = [];
  #isClosed = false;
  #setTimer: KeyTimer | undefined;
  #isTimerSet = false;

  private constructor(world: Pick<RingWorld, 'now'>, rotation?: Rotation) {
    this.#world = world;
    this.#rotation = rotation;
  }

  /**
   * Returns a ring that generates its keys, the first one when a ticket is to be sealed. `world` is that of the server.
   * @throws TypeError or RangeError naming the option
   */
  static rotating(world: RingWorld = systemWorld, options: RotationOptions = {}): TicketKeyRing {
    requireWorld(world, ['now', 'randomBytes']);
    requireOptions('options', options, ROTATION_OPTIONS);
    const { rotateEvery = DEFAULT_ROTATE_EVERY, keepFor = DEFAULT_KEEP_FOR } = options;
    const { format = aeadTickets, share, counts } = options;
    requireSeconds('rotateEvery', rotateEvery, MIN_ROTATE_EVERY);
    requireSeconds('keepFor', keepFor, 0);
    if (keepFor > rotateEvery * (MAX_KEYS - 1)) {
      throw new RangeError(`rotateEvery ${rotateEvery} would keep over ${MAX_KEYS} keys for ${keepFor} seconds`);
    }
    requireFormat(format);
    const generate = () =>
      TicketKey.generate(format, (length) => drawRandom(world, length, 'ticket key'), { share, counts });
    return new TicketKeyRing(world, { rotateEvery, keepFor, generate });
  }

  /**
   * Returns a ring with these keys, which owns them from now on: the first seals, all open. {@link replace} changes them.
   * @throws TypeError for anything but an array of keys and a clock; RangeError if there is no key, a key occurs twice, or a key is destroyed
   */
  static of(keys: readonly TicketKey[], world: Pick<RingWorld, 'now'> = systemWorld): TicketKeyRing {
    requireKeys(keys);
    requireWorld(world, ['now']);
    const ring = new TicketKeyRing(world);
    ring.replace(keys);
    return ring;
  }

  /**
   * Returns the key to seal with; `undefined` if the ring is closed, or if its keys are given and the first one has sealed its
   * share of tickets. @throws what TicketKey.generate() throws
   */
  sealingKey(): TicketKey | undefined {
    const now = this.#bringUpToDate();
    return (this.#current ?? this.#rotate(now))?.key;
  }

  /** Returns the keys with this name. Compares the names of all keys, each in constant time. */
  openingKeys(keyName: Uint8Array): OpeningKey[] {
    requireBytes('keyName', keyName);
    this.#bringUpToDate();
    const current = this.#current;
    const found: OpeningKey[] = [];
    for (const entry of this.#entries) {
      const { key } = entry;
      if (key.hasName(keyName)) found.push({ key, renewal: entry === current ? 'as-usual' : 'due' });
    }
    return found;
  }

  /** The keys that are not destroyed, the one that encrypts first. */
  get keys(): TicketKeyInfo[] {
    this.#bringUpToDate();
    return this.#entries.map((entry) => this.#info(entry));
  }

  /** Describes the key with this name, destroyed or not; `undefined` if the ring never had it or no longer remembers it. */
  find(keyName: Uint8Array): TicketKeyInfo | undefined {
    requireBytes('keyName', keyName);
    this.#bringUpToDate();
    const living = this.#entries.find(({ key }) => key.hasName(keyName));
    return living === undefined ? this.#dead.get(toHex(keyName)) : this.#info(living);
  }

  /**
   * The last second of the next key to end, in seconds since the epoch: after it the key is to be destroyed. `undefined` if no key
   * ends by the clock.
   */
  get nextEnd(): number | undefined {
    this.#bringUpToDate();
    const end = this.#firstEnd;
    return end === NEVER ? undefined : end;
  }

  /** Destroys the keys whose time is over. Every other use of the ring does so, too: call it where there is no shell and no other use. */
  destroyDue(): void {
    this.#bringUpToDate();
  }

  /**
   * Lends the ring a timer, so that keys are destroyed on time though nobody uses the ring. It is set while the ring has a key that ends
   * by the clock, and holds the ring weakly. The shells call this; later calls have no effect.
   */
  useTimer(setTimer: KeyTimer): void {
    if (typeof setTimer !== 'function') throw wrongKind('setTimer', 'a function', setTimer);
    this.#setTimer ??= setTimer;
    this.#wakeLater();
  }

  /** Retires the key that encrypts; the next ticket is sealed with a new one. @throws Error if the ring was given its keys */
  rotate(): void {
    if (this.#rotation === undefined) throw new Error('this ring does not make keys; give it others with replace()');
    this.#retire(this.#bringUpToDate(), this.#rotation);
  }

  /**
   * Replaces the keys, as {@link TicketKeyRing.of} takes them, and destroys those that are no longer among them. The new list
   * may contain keys of the old one. @throws Error if the ring generates its keys, or is closed
   */
  replace(keys: readonly TicketKey[]): void {
    if (this.#rotation !== undefined) throw new Error('this ring makes its keys itself; use rotate()');
    if (this.#isClosed) throw new Error('this ring is closed');
    requireKeys(keys);
    const now = this.#bringUpToDate();
    const known = new Map(this.#entries.map((entry) => [entry.key, entry]));
    this.#destroy((entry) => !keys.includes(entry.key), now);
    this.#entries = keys.map((key, i) => {
      const before = known.get(key);
      const sealsUntil = i === 0 ? NEVER : Math.min(before?.sealsUntil ?? now, now);
      return { key, since: before?.since ?? now, isSealing: i === 0, sealsUntil, opensUntil: NEVER };
    });
  }

  /** Destroys all keys. The ring seals and opens no more tickets. */
  close(): void {
    this.#isClosed = true;
    this.#destroy(() => true, this.#now());
  }

  #now(): number {
    return secondsOf(this.#world);
  }

  /** Brings the keys up to date and returns the time. A ticket opens in its last second, as a session resumes in its last. */
  #bringUpToDate(): number {
    const now = this.#now();
    if (this.#rotation !== undefined) this.#limitTimes(now, this.#rotation);
    for (const entry of this.#entries) entry.isSealing &&= now < entry.sealsUntil;
    this.#destroy(({ key, opensUntil }) => key.isDestroyed || now > opensUntil, now);
    return now;
  }

  /** If the clock was ahead and has been corrected, a key must not live longer than one generated now. */
  #limitTimes(now: number, { rotateEvery, keepFor }: Rotation): void {
    for (const entry of this.#entries) {
      entry.sealsUntil = Math.min(entry.sealsUntil, now + rotateEvery);
      entry.opensUntil = Math.min(entry.opensUntil, entry.sealsUntil + keepFor);
    }
  }

  get #firstEnd(): number {
    return this.#entries.reduce((first, { opensUntil }) => Math.min(first, opensUntil), NEVER);
  }

  #wakeLater(): void {
    const end = this.#firstEnd;
    if (this.#setTimer === undefined || this.#isTimerSet || end === NEVER) return;
    this.#wakeAfter(Math.min(MAX_WAKE_MS, 1000 * (end + 1) - timeOf(this.#world)));
  }

  #wakeAfter(delay: number): void {
    const self = new WeakRef(this); // a server may be defined for one connection, and its ring must not outlive it in a timer
    this.#isTimerSet = true;
    const wake = () => {
      const ring = self.deref();
      if (ring !== undefined) ring.#wake();
    };
    this.#setTimer?.(wake, Math.max(MIN_WAKE_MS, delay));
  }

  #wake(): void {
    this.#isTimerSet = false;
    try {
      this.#bringUpToDate();
      this.#wakeLater();
    } catch {
      this.#wakeAfter(MAX_WAKE_MS); // the clock throws: that is for a caller to hear, and here is none
    }
  }

  get #current(): Entry | undefined {
    return this.#entries.find((entry) => entry.isSealing && entry.key.canSeal);
  }

  #rotate(now: number): Entry | undefined {
    if (this.#rotation === undefined || this.#isClosed) return undefined;
    const key = this.#rotation.generate();
    this.#retire(now, this.#rotation);
    const sealsUntil = now + this.#rotation.rotateEvery;
    const opensUntil = sealsUntil + this.#rotation.keepFor;
    const entry: Entry = { key, since: now, isSealing: true, sealsUntil, opensUntil };
    this.#entries.unshift(entry);
    const surplus = this.#entries.slice(MAX_KEYS); // only where each key may seal next to nothing
    this.#destroy((each) => surplus.includes(each), now);
    this.#wakeLater();
    return entry;
  }

  /** Stops all keys from sealing, if need be before their time. */
  #retire(now: number, { keepFor }: Rotation): void {
    for (const entry of this.#entries.filter(({ isSealing }) => isSealing)) {
      entry.isSealing = false;
      entry.sealsUntil = now;
      entry.opensUntil = now + keepFor;
    }
  }

  #destroy(condition: (entry: Entry) => boolean, now: number): void {
    if (!this.#entries.some(condition)) return;
    const doomed = this.#entries.filter(condition);
    this.#entries = this.#entries.filter((entry) => !doomed.includes(entry));
    for (const entry of doomed) {
      entry.key.destroy();
      entry.sealsUntil = Math.min(entry.sealsUntil, now);
      entry.opensUntil = Math.min(entry.opensUntil, now);
      this.#remember(this.#info(entry));
    }
  }

  #remember(info: TicketKeyInfo): void {
    this.#dead.set(info.name, info);
    const [oldest] = this.#dead.keys();
    if (this.#dead.size > MAX_REMEMBERED && oldest !== undefined) this.#dead.delete(oldest);
  }

  #info(entry: Entry): TicketKeyInfo {
    const { key, since, sealsUntil, opensUntil } = entry;
    return {
      name: key.hexName,
      format: key.format.name,
      phase: key.isDestroyed ? 'destroyed' : entry === this.#current ? 'encrypt' : 'decrypt-only',
      since,
      encryptsUntil: sealsUntil === NEVER ? undefined : sealsUntil,
      decryptsUntil: opensUntil === NEVER ? undefined : opensUntil,
      sealed: key.sealed,
      limit: key.limit,
    };
  }
}

/** @throws TypeError */
function requireWorld(world: unknown, members: readonly (keyof RingWorld)[]): void {
  for (const member of members) {
    if (typeof Object(world)[member] === 'function') continue;
    throw new TypeError(`world: ${member}() is missing; give systemWorld, or the world of the server`);
  }
}

const ROTATION_OPTIONS = {
  format: true,
  rotateEvery: true,
  keepFor: true,
  share: true,
  counts: true,
} satisfies Names<RotationOptions>;

function requireSeconds(option: string, seconds: number, min: number): void {
  requireNumber(option, seconds);
  if (!Number.isSafeInteger(seconds) || seconds < min || seconds > MAX_SECONDS) {
    throw new RangeError(`${option} is ${seconds}; whole seconds from ${min} to ${MAX_SECONDS} are possible`);
  }
}

/** Refuses two keys with the same secret, whatever their names: rotating between them would change nothing. */
function requireKeys(keys: readonly TicketKey[]): void {
  if (!Array.isArray(keys))
    throw new TypeError(`keys: an array of TicketKey is wanted, not ${kindOf(keys)}; ticketKeysFrom() reads key files`);
  if (keys.length === 0 || keys.length > MAX_KEYS) {
    throw new RangeError(`${keys.length} ticket keys; 1 to ${MAX_KEYS} are possible`);
  }
  for (const [i, key] of keys.entries()) {
    if (!(key instanceof TicketKey))
      throw new TypeError(`keys[${i}]: a TicketKey is wanted, not ${kindOf(key)}; ticketKeysFrom() reads key files`);
    if (key.isDestroyed) throw new RangeError(`ticket key ${i + 1} of ${keys.length} is destroyed`);
    if (keys.slice(0, i).some((earlier) => earlier.isSameAs(key))) {
      throw new RangeError(`ticket key ${i + 1} of ${keys.length} is the same as one before it`);
    }
  }
}
