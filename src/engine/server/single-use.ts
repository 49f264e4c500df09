/** The strategy of single-use tickets: RFC 9846 §8.1. */

import type { AntiReplay } from '../../handshake/server/anti-replay.ts';
import { requireOptions } from '../../wire/options.ts';
import { windowOf } from './window.ts';

/** The options of {@link singleUse}. */
export interface SingleUseOptions {
  /** How far the arrival of a hello may be from the expected one, in milliseconds. Default 10,000. */
  readonly windowMs?: number | undefined;
}

/** Admits by taking the session, which the engine does: it has the session, and a strategy is not given it. */
export class SingleUse implements AntiReplay {
  readonly windowMs: number;

  /** @internal */
  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  /** @throws Error always: what admits is the server's taking of the session */
  admit(): boolean {
    throw new Error(
      'singleUse(): only a server can admit, by taking the session; pass the strategy itself as earlyData.antiReplay, or use recordHellos()',
    );
  }
}

/**
 * Returns the strategy that admits a hello by taking its session out of the cache or the store, which succeeds once: RFC 9846 §8.1. A
 * session that is used for early data is gone, and one that is not stays as it was. It needs sessions that can be taken, so
 * stateful ones or `tickets.singleUse`, and `sessions.onTake` if there is a store. Servers may share the store if its `onTake` is atomic: it answers
 * true to one caller only, whichever process asks.
 *
 * It needs no records, no blackout and no clock: a server that loses its sessions resumes none of them. Freshness is checked all the
 * same. A store that loses takings, as one does that is restored from a backup, admits once more for each.
 * @throws TypeError or RangeError for what is no option
 */
export function singleUse(options: SingleUseOptions = {}): SingleUse {
  requireOptions('options', options, { windowMs: true });
  return new SingleUse(windowOf(options.windowMs));
}
