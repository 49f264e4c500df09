/** The last thing before the wire: output that waits, stops, or is cut off. */

import type { ChannelOwner } from '../engine/channel.ts';
import { Deferral } from '../engine/questions.ts';
import { platform, unref } from '../platform.ts';
import { TlsAlert } from '../wire/alert.ts';
import { concat } from '../wire/bytes.ts';
import { isNext, type Which } from './which.ts';

/** What happens to all that goes out from some point on. */
export type Happening =
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'stall' }
  | { readonly kind: 'close'; readonly closeNotify: boolean };

/** What happens when: after the messages, or the records, of a name, or before them. */
export interface Timing {
  readonly at: string;
  readonly which: Which;
  readonly isBefore: boolean;
  readonly happening: Happening;
}

/**
 * The promise of a delay. Its time begins when somebody waits for it, so that no timer runs where a clock with hands says what time it is.
 * The timer does not keep a process alive.
 */
export class Pause implements PromiseLike<void> {
  /** How long it takes, in milliseconds. */
  readonly ms: number;
  #passed: Promise<void> | undefined;

  constructor(ms: number) {
    this.ms = ms;
  }

  get #promise(): Promise<void> {
    this.#passed ??= new Promise((resolve) => unref(platform.setTimeout(() => resolve(), this.ms)));
    return this.#passed;
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise
  then: PromiseLike<void>['then'] = (passed, failed) => this.#promise.then(passed, failed);
}

/** The output of one connection. A delay is a 'deferred' event: when the shell settles it, what has waited is in the output of that Step. */
export class Outflow {
  readonly #owner: ChannelOwner;
  readonly #timings: readonly Timing[];
  readonly #counts: number[];
  #ready: Uint8Array[] = [];
  /** What waits for the end of a pause, in order: records, and the lengths of further pauses. */
  readonly #held: (Uint8Array | number)[] = [];
  #isPaused = false;
  /** Whether nothing is sent any more. */
  #isCut = false;
  /** Whether our end of the transport stays open nevertheless. */
  #isStalled = false;
  /** Whether the peer has gone, or the connection is over: no stall keeps the transport open from now on. */
  #isLifted = false;
  #isEnding = false;
  /** What is to be done once everything has been sent. */
  #actions: (() => void)[] = [];

  constructor(owner: ChannelOwner, timings: readonly Timing[]) {
    this.#owner = owner;
    this.#timings = timings;
    this.#counts = timings.map(() => 0);
  }

  /** Returns what happens before, or else after, the next message or record of this name. Ask once for each of the two. */
  due(name: string, isBefore: boolean): readonly Happening[] {
    return this.#timings.flatMap((timing, i) => {
      if (timing.at !== name || timing.isBefore !== isBefore) return [];
      const count = (this.#counts[i] ?? 0) + 1;
      this.#counts[i] = count;
      return isNext(timing.which, count) ? [timing.happening] : [];
    });
  }

  /** @throws TlsAlert close_notify to close the connection */
  happen(happenings: readonly Happening[]): void {
    for (const happening of happenings) {
      if (happening.kind === 'delay') this.#pause(happening.ms);
      else if (happening.kind === 'stall') this.#stall();
      else this.#close(happening.closeNotify);
    }
  }

  put(record: Uint8Array): void {
    if (this.#isCut) return;
    if (this.#isPaused) this.#held.push(record);
    else this.#ready.push(record);
  }

  take(): Uint8Array {
    return concat(...this.#ready.splice(0));
  }

  /** Calls `action`, which ends the transport, once nothing is held back any more; after a stall, not before {@link lift}. */
  whenSent(action: () => void): void {
    if (this.#isPaused || this.#isStalled) this.#actions.push(action);
    else action();
  }

  /** Lets the transport end in spite of a stall, as the peer has gone, or the connection is over. */
  lift(): void {
    this.#isLifted = true;
    this.#isStalled = false;
    this.#act();
  }

  /** Runs what says that the connection ends: it is not ended again amid that. */
  ending(action: () => void): void {
    const before = this.#isEnding;
    this.#isEnding = true;
    try {
      action();
    } finally {
      this.#isEnding = before;
    }
  }

  #stall(): void {
    this.#isStalled = !this.#isCut && !this.#isLifted;
    this.#isCut = true;
  }

  #close(closeNotify: boolean): void {
    if (this.#isCut) return;
    this.#isCut = !closeNotify || this.#isEnding;
    if (!this.#isEnding) throw new TlsAlert('close_notify', 'faults.closeAt() has closed the connection');
  }

  #pause(ms: number): void {
    if (this.#isCut) return;
    if (this.#isPaused) this.#held.push(ms);
    else this.#begin(ms);
  }

  #begin(ms: number): void {
    this.#isPaused = true;
    const deferred = new Deferral('faults', new Pause(ms), this.#owner, () => this.#resume());
    this.#owner.emit({ type: 'deferred', deferred });
  }

  #resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused) {
      const next = this.#held.shift();
      if (next === undefined) return this.#act();
      if (typeof next === 'number') this.#begin(next);
      else this.#ready.push(next);
    }
  }

  /** Not at once: the shell has yet to send the output of this Step. */
  #act(): void {
    if (this.#isPaused || this.#isStalled || this.#actions.length === 0) return;
    const actions = this.#actions;
    this.#actions = [];
    platform.queueMicrotask(() => {
      for (const action of actions) action();
    });
  }
}
