/**
 * When a strategy that keeps records in memory may admit nothing, as records of hellos that are still fresh may be missing: after its
 * start (RFC 9846 §8.2), and after the clock has been set back.
 *
 * A hello that was admitted at time t of the clock is fresh until t + 2 · windowMs at most, since it may have come at the early edge of
 * its window.
 * - A process that ended at t starts again when the clock says t − maxSkewMs at the earliest. So t + 2 · windowMs is no later than
 *   the start + the period, which is 2 · windowMs + maxSkewMs. That moment itself is part of the window.
 * - Of a clock that goes back by any amount, the highest time that was seen bounds both what was admitted and what was forgotten: a
 *   record is forgotten at h only if it was made before h − period, so its hello is stale at h and later. Between the new time and
 *   h, the hello may be fresh once more. So the blackout lasts until h, however far off that is, and a period at least, as after a start.
 */

/** The end of a blackout, itself included, and what a clock has shown. All are milliseconds since the epoch. */
export interface BlackoutTimes {
  readonly last: number;
  readonly highest: number;
  readonly until: number;
}

export class Blackout implements BlackoutTimes {
  readonly #period: number;
  #last: number;
  #highest: number;
  #until: number;

  /** @param period 2 · windowMs + maxSkewMs */
  constructor(period: number, { last, highest, until }: BlackoutTimes) {
    this.#period = period;
    this.#last = last;
    this.#highest = highest;
    this.#until = until;
  }

  /** The time that was seen last. */
  get last(): number {
    return this.#last;
  }

  get highest(): number {
    return this.#highest;
  }

  get until(): number {
    return this.#until;
  }

  /** Takes note of the time. Reports whether the blackout goes on then. */
  isOn(now: number): boolean {
    if (now < this.#last) this.#until = Math.max(this.#until, this.#highest, now + this.#period);
    this.#last = now;
    this.#highest = Math.max(this.#highest, now);
    return now <= this.#until;
  }
}
