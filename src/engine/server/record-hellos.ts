/** The strategy of recording hellos: RFC 9846 §8.2. */

import type { AntiReplay, EarlyDataAttempt } from '../../handshake/server/anti-replay.ts';
import { bytesFrom } from '../../wire/bytes.ts';
import { requireBytes } from '../../wire/kind-of.ts';
import { type Names, requireOptions } from '../../wire/options.ts';
import { systemWorld, timeOf, type World } from '../../world.ts';
import { complete, integer } from '../checks.ts';
import { Blackout, type BlackoutTimes } from './blackout.ts';
import { FINGERPRINT_BYTES, Fingerprints, MAX_FINGERPRINTS } from './fingerprints.ts';
import { decodeSaved, encodeSaved, type SavedHellos } from './saved-hellos.ts';
import { windowOf } from './window.ts';

/** The options of {@link recordHellos}. */
export interface RecordHellosOptions {
  /** How far the arrival of a hello may be from the expected one, in milliseconds. Default 10,000. */
  readonly windowMs?: number | undefined;
  /**
   * By how many milliseconds at most the clock may have been set back while the process was not running. Default 1000. A blackout is
   * longer by as much.
   */
  readonly maxSkewMs?: number | undefined;
  /**
   * How many hellos at most are admitted in 2 · windowMs + maxSkewMs, which is 21 seconds by default. Default 65,536. The next one is
   * rejected. The records take 24 bytes × maxEntries, in two parts: one when the first hello is admitted, one that long after it.
   */
  readonly maxEntries?: number | undefined;
  /** The clock; that of the server. Default: the clock of the host. */
  readonly world?: Pick<World, 'now'> | undefined;
  /** What {@link RecordHellos.close} has returned, to be used once. */
  readonly saved?: Uint8Array | undefined;
}

const OPTIONS = {
  windowMs: true,
  maxSkewMs: true,
  maxEntries: true,
  world: true,
  saved: true,
} satisfies Names<RecordHellosOptions>;
const DEFAULT_MAX_SKEW_MS = 1000;
const DEFAULT_MAX_ENTRIES = 65_536;
/** A day. */
const MAX_SKEW_MS = 86_400_000;

interface Settings {
  readonly windowMs: number;
  readonly maxSkewMs: number;
  readonly maxEntries: number;
}

/**
 * Remembers hellos in two generations. A generation takes records for a period of 2 · windowMs + maxSkewMs and is kept for one more, so
 * each record is remembered for a period at least. {@link recordHellos} makes one.
 */
export class RecordHellos implements AntiReplay {
  readonly windowMs: number;
  /**
   * Whether the records of `saved` have been taken up, so that there was no blackout at the start. They are not if the bytes are
   * damaged, if the options have changed, or if the clock has been set back since.
   */
  readonly isRestored: boolean;
  readonly #settings: Settings;
  readonly #world: Pick<World, 'now'>;
  readonly #period: number;
  readonly #blackout: Blackout;
  #current: Fingerprints;
  #previous: Fingerprints;
  /** When the current generation began. */
  #since: number;
  #isClosed = false;

  /** @internal */
  constructor(settings: Settings, world: Pick<World, 'now'>, saved: SavedHellos | undefined) {
    this.windowMs = settings.windowMs;
    this.#settings = settings;
    this.#world = world;
    this.#period = periodOf(settings);
    this.#current = new Fingerprints(settings.maxEntries);
    this.#previous = new Fingerprints(settings.maxEntries);
    const now = timeOf(world);
    const isTakenUp = saved !== undefined && this.#takeUp(saved);
    this.#since = isTakenUp ? saved.since : now;
    this.#blackout = new Blackout(this.#period, isTakenUp ? saved : startAt(now, this.#period, saved));
    this.isRestored = isTakenUp && now >= saved.last;
    this.#blackout.isOn(now); // takes note of the time
  }

  /** Whether nothing is admitted for now: after a start, after the clock has been set back, and once closed. It looks at the clock. */
  get isBlackedOut(): boolean {
    return this.#isClosed || this.#blackout.isOn(timeOf(this.#world));
  }

  /**
   * Admits a hello whose record is not there, and records it. It is false also for a hello of which the same 64 bits are recorded, with a
   * probability of no more than maxEntries / 2^63, and if there is no room.
   * @throws RangeError if the hello stays fresh for longer than records are kept
   */
  admit({ key, expiresIn }: Pick<EarlyDataAttempt, 'key' | 'expiresIn'>): boolean {
    requireBytes('key', key);
    if (key.length < FINGERPRINT_BYTES) throw new RangeError(`key has ${key.length} bytes, a hash is wanted`);
    if (this.isBlackedOut) return false;
    if (expiresIn > this.#period) {
      throw new RangeError(
        `expiresIn is ${expiresIn}, and records are kept for ${this.#period} ms: give recordHellos() the windowMs of the server`,
      );
    }
    if (!(expiresIn >= 0)) return false; // NaN among them
    this.#rotate(this.#blackout.last);
    return !this.#previous.has(key) && this.#current.add(key);
  }

  /**
   * Ends the strategy, which admits nothing any more, and returns its records for the `saved` of the next process. They are no secret. They
   * can be used once: who restores the same bytes twice has lost what was admitted in between.
   * @throws Error if it is closed already
   */
  close(): Uint8Array {
    if (this.#isClosed) throw new Error('recordHellos() is closed: the first close() has returned its records');
    this.#blackout.isOn(timeOf(this.#world)); // takes note of the time
    this.#isClosed = true;
    const { windowMs, maxSkewMs } = this.#settings;
    const { last, highest, until } = this.#blackout;
    const [current, previous] = [this.#current.toBytes(), this.#previous.toBytes()];
    this.#forget();
    return encodeSaved({ windowMs, maxSkewMs, last, highest, until, since: this.#since, current, previous });
  }

  /** Brings the generations up to date. */
  #rotate(now: number): void {
    const age = now - this.#since;
    if (age < this.#period) return;
    [this.#current, this.#previous] = [this.#previous, this.#current];
    this.#current.clear();
    if (age >= 2 * this.#period) this.#previous.clear();
    this.#since = now;
  }

  /** Takes up records. Returns false, and takes up none, if they were made for another period or are more than are possible. */
  #takeUp(saved: SavedHellos): boolean {
    const { windowMs, maxSkewMs } = this.#settings;
    if (saved.windowMs !== windowMs || saved.maxSkewMs !== maxSkewMs) return false;
    if (this.#current.addAll(saved.current) && this.#previous.addAll(saved.previous)) return true;
    this.#forget();
    return false;
  }

  /** Also releases the memory. */
  #forget(): void {
    this.#current = new Fingerprints(this.#settings.maxEntries);
    this.#previous = new Fingerprints(this.#settings.maxEntries);
  }
}

/**
 * The blackout of a start without records. Where records are there that cannot be taken up, it covers what the process before admitted: of
 * a longer window, or by a clock that was ahead of this one.
 */
function startAt(now: number, period: number, saved: SavedHellos | undefined): BlackoutTimes {
  const from = Math.max(now, saved?.highest ?? 0);
  const wait = Math.max(period, saved === undefined ? 0 : periodOf(saved));
  return { last: now, highest: now, until: from + wait };
}

/** For how long a record is kept, and a process that has none waits. */
function periodOf({ windowMs, maxSkewMs }: Pick<Settings, 'windowMs' | 'maxSkewMs'>): number {
  return 2 * windowMs + maxSkewMs;
}

/**
 * Returns the strategy that records the hellos that it admits: RFC 9846 §8.2. It needs no store and fits tickets that contain the session. Every
 * process admits a hello once, so of several servers with the same ticket keys each may: docs/early-data.md has the table.
 *
 * A process that has just started knows nothing of those before it, so it admits nothing for 2 · windowMs + maxSkewMs: 21 seconds by
 * default. It does without that wait if the process before it has ended by {@link RecordHellos.close} and passed its records on as `saved`. The
 * wait begins anew when the clock is set back.
 *
 * It sets no timer. Its memory is fixed, 24 bytes × maxEntries.
 * @throws TypeError or RangeError for what is no option. What is in `saved` does not matter: records that cannot be used are none, and
 * the wait takes their place
 */
export function recordHellos(options: RecordHellosOptions = {}): RecordHellos {
  requireOptions('options', options, OPTIONS);
  const { world = systemWorld, saved } = options;
  complete('world', world, ['now']);
  const settings = {
    windowMs: windowOf(options.windowMs),
    maxSkewMs: integer('maxSkewMs', options.maxSkewMs, DEFAULT_MAX_SKEW_MS, 0, MAX_SKEW_MS),
    maxEntries: integer('maxEntries', options.maxEntries, DEFAULT_MAX_ENTRIES, 1, MAX_FINGERPRINTS),
  };
  return new RecordHellos(settings, world, saved === undefined ? undefined : decodeSaved(copyOfSaved(saved)));
}

/** Neither a Proxy nor another thread can change the copy. */
function copyOfSaved(saved: Uint8Array): Uint8Array {
  return bytesFrom(requireBytes('saved', saved)) ?? new Uint8Array(0);
}
