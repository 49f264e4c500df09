/** Single use of stateful sessions, as protection against replay: RFC 9846 §8.1. */

import type { AntiReplay } from '../../handshake/server/anti-replay.ts';

/** A strategy without a record of its own. The connection carries it out. */
export class SingleUse implements AntiReplay {
  readonly windowMs: number | undefined;

  constructor(windowMs: number | undefined) {
    this.windowMs = windowMs;
  }

  /** @throws Error always: it is the session that is taken */
  admit(): never {
    throw new Error(
      'singleUse() is for the option earlyData.antiReplay of a server: it takes sessions, of which this call knows none',
    );
  }
}

export function singleUse({ windowMs }: { readonly windowMs?: number | undefined } = {}): AntiReplay {
  return new SingleUse(windowMs);
}
