/**
 * Ticket keys and their phases: a key encrypts, then only decrypts, then is destroyed. Forward secrecy of what rests on
 * tickets begins at the third (RFC 5077 §5.5; Springall et al., "Measuring the Security Harm of TLS Crypto Shortcuts",
 * IMC 2016). A ring either makes its keys and rotates them by the clock, or has those that it is given.
 *
 * There are no timers: what is due happens when the ring is next asked anything. {@link TicketKeyRing.keys} asks.
 */

import type { RandomBytes } from '../crypto/provider.ts';
import { toHex } from '../wire/bytes.ts';
import type { TicketFormat } from './format.ts';
import { aeadTickets } from './format-aead.ts';
import { TicketKey, type TicketKeyOptions } from './key.ts';
import type { OpeningKey, TicketKeyProvider } from './key-provider.ts';

/**
 * Seconds. A thief of the keys opens what was sealed in `rotateEvery + keepFor` before the theft. `keepFor` cannot be
 * shorter than tickets live without refusing good ones, and 7200 is the timeout that sessions have by default.
 * `rotateEvery` can: a new key costs 48 random bytes, and who comes back with an older one gets a new ticket. So one
 * hour, which makes three hours in all, where a day and the seven days that RFC 8446 §4.6.1 allows would make eight
 * days.
 */
const DEFAULT_ROTATE_EVERY = 3600;
const DEFAULT_KEEP_FOR = 7200;

/** RFC 8446 §4.6.1: no ticket lives longer. */
const MAX_SECONDS = 604800;
const MIN_ROTATE_EVERY = 60;

/** Living keys of a ring: each ticket is compared with the names of all. */
const MAX_KEYS = 256;

/** Dead keys of which the name is remembered, so that it can be said what became of them. */
const MAX_REMEMBERED = 256;

export interface RotationOptions extends TicketKeyOptions {
  /** Format of the tickets; our own by default. */
  readonly format?: TicketFormat | undefined;
  /** Seconds that a key encrypts: 60 to 604800, 3600 by default. At least one 255th of `keepFor`. */
  readonly rotateEvery?: number | undefined;
  /** Seconds that it decrypts after that, which is how long tickets live: 0 to 604800, 7200 by default. */
  readonly keepFor?: number | undefined;
}

/** What a ring knows of the outside: milliseconds since the epoch, and unpredictable bytes. */
export interface RingWorld {
  now(): number;
  readonly randomBytes: RandomBytes;
}

/** One key, to be told about. Times are seconds since the epoch, `undefined` where the clock has no say. */
export interface TicketKeyInfo {
  /** Hexadecimal. */
  readonly name: string;
  readonly format: string;
  readonly phase: 'encrypt' | 'decrypt-only' | 'destroyed';
  /** When the ring got it. */
  readonly since: number;
  /** When it ceases to encrypt, or ceased to. */
  readonly encryptsUntil: number | undefined;
  /** When it ceases to decrypt, or ceased to. */
  readonly decryptsUntil: number | undefined;
  /** Tickets that this process has sealed with it, and how many it may. */
  readonly sealed: number;
  readonly limit: number;
}

interface Entry {
  readonly key: TicketKey;
  readonly since: number;
  /** Never again, once it has ceased to; not even where the clock is put back. */
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

/** It owns its keys: it destroys them when their time is over, and at its end. */
export class TicketKeyRing implements TicketKeyProvider {
  readonly #world: Pick<RingWorld, 'now'>;
  readonly #rotation: Rotation | undefined;
  readonly #dead = new Map<string, TicketKeyInfo>();
  /** The youngest first; of given keys in their order. */
  #entries: Entry[] = [];
  #isClosed = false;

  private constructor(world: Pick<RingWorld, 'now'>, rotation?: Rotation) {
    this.#world = world;
    this.#rotation = rotation;
  }

  /** Makes its keys itself, the first when a ticket is to be sealed. @throws RangeError naming the option */
  static rotating(world: RingWorld, options: RotationOptions = {}): TicketKeyRing {
    const { format = aeadTickets, rotateEvery = DEFAULT_ROTATE_EVERY, keepFor = DEFAULT_KEEP_FOR } = options;
    requireSeconds('rotateEvery', rotateEvery, MIN_ROTATE_EVERY);
    requireSeconds('keepFor', keepFor, 0);
    if (keepFor > rotateEvery * (MAX_KEYS - 1)) {
      throw new RangeError(`rotateEvery ${rotateEvery} would keep over ${MAX_KEYS} keys for ${keepFor} seconds`);
    }
    const generate = () => TicketKey.generate(format, (length) => world.randomBytes(length), options);
    return new TicketKeyRing(world, { rotateEvery, keepFor, generate });
  }

  /**
   * Has these keys until it is given others: the first seals, all open. It owns them from now on.
   * @throws RangeError where there is none, a key comes twice, or one is destroyed
   */
  static of(keys: readonly TicketKey[], world: Pick<RingWorld, 'now'>): TicketKeyRing {
    const ring = new TicketKeyRing(world);
    ring.replace(keys);
    return ring;
  }

  /** None where the ring is closed, or its key has sealed its share of tickets. @throws as TicketKey.generate() */
  sealingKey(): TicketKey | undefined {
    const now = this.#settle();
    return (this.#current ?? this.#rotate(now))?.key;
  }

  /** All keys are compared, each in constant time. */
  openingKeys(keyName: Uint8Array): OpeningKey[] {
    this.#settle();
    const current = this.#current;
    const found: OpeningKey[] = [];
    for (const entry of this.#entries) {
      const { key } = entry;
      if (key.hasName(keyName)) found.push({ key, renewal: entry === current ? 'as-usual' : 'due' });
    }
    return found;
  }

  /** The living keys, the one that encrypts before the others. */
  get keys(): TicketKeyInfo[] {
    this.#settle();
    return this.#entries.map((entry) => this.#info(entry));
  }

  /** What became of the key of this name; `undefined` where the ring has never had it, or has forgotten. */
  find(keyName: Uint8Array): TicketKeyInfo | undefined {
    this.#settle();
    const living = this.#entries.find(({ key }) => key.hasName(keyName));
    return living === undefined ? this.#dead.get(toHex(keyName)) : this.#info(living);
  }

  /** Ends the time of the key that encrypts; the next ticket has a new one. @throws Error where the keys are given */
  rotate(): void {
    if (this.#rotation === undefined) throw new Error('this ring does not make keys; give it others with replace()');
    this.#retire(this.#settle(), this.#rotation);
  }

  /**
   * Other keys, as with {@link TicketKeyRing.of}; those not among them are destroyed. An object that the ring had
   * before may come again. @throws Error where the ring makes its keys itself, or is closed
   */
  replace(keys: readonly TicketKey[]): void {
    if (this.#rotation !== undefined) throw new Error('this ring makes its keys itself; use rotate()');
    if (this.#isClosed) throw new Error('this ring is closed');
    requireKeys(keys);
    const now = this.#settle();
    const known = new Map(this.#entries.map((entry) => [entry.key, entry]));
    this.#destroy((entry) => !keys.includes(entry.key), now);
    this.#entries = keys.map((key, i) => {
      const before = known.get(key);
      const sealsUntil = i === 0 ? NEVER : Math.min(before?.sealsUntil ?? now, now);
      return { key, since: before?.since ?? now, isSealing: i === 0, sealsUntil, opensUntil: NEVER };
    });
  }

  /** Destroys all keys. From now on there are no tickets. */
  close(): void {
    this.#isClosed = true;
    this.#destroy(() => true, this.#now());
  }

  #now(): number {
    return Math.floor(this.#world.now() / 1000);
  }

  /** Brings the keys up to date. The last second of a ticket is still good, as that of a session is. */
  #settle(): number {
    const now = this.#now();
    if (this.#rotation !== undefined) this.#limitTimes(now, this.#rotation);
    for (const entry of this.#entries) entry.isSealing &&= now < entry.sealsUntil;
    this.#destroy(({ key, opensUntil }) => key.isDestroyed || now > opensUntil, now);
    return now;
  }

  /** A clock that was ahead and has been put right must not make a key live longer than it would now. */
  #limitTimes(now: number, { rotateEvery, keepFor }: Rotation): void {
    for (const entry of this.#entries) {
      entry.sealsUntil = Math.min(entry.sealsUntil, now + rotateEvery);
      entry.opensUntil = Math.min(entry.opensUntil, entry.sealsUntil + keepFor);
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
    return entry;
  }

  /** Whatever still seals ceases to, before its time perhaps. */
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

function requireSeconds(option: string, seconds: number, min: number): void {
  if (!Number.isSafeInteger(seconds) || seconds < min || seconds > MAX_SECONDS) {
    throw new RangeError(`${option} is ${seconds}; whole seconds from ${min} to ${MAX_SECONDS} are possible`);
  }
}

/** The same secret twice is a rotation that does not rotate, whatever the names say. */
function requireKeys(keys: readonly TicketKey[]): void {
  if (keys.length === 0 || keys.length > MAX_KEYS) {
    throw new RangeError(`${keys.length} ticket keys; 1 to ${MAX_KEYS} are possible`);
  }
  for (const [i, key] of keys.entries()) {
    if (key.isDestroyed) throw new RangeError(`ticket key ${i + 1} of ${keys.length} is destroyed`);
    if (keys.slice(0, i).some((earlier) => earlier.isSameAs(key))) {
      throw new RangeError(`ticket key ${i + 1} of ${keys.length} is the same as one before it`);
    }
  }
}
