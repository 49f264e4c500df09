/**
 * Protection against replay of early data: RFC 9846 §8. A server accepts early data only with a strategy, which admits a hello at most
 * once. Strategies differ in what they need, and in what a crash or a lost write costs; docs/early-data.md has the table.
 */

import type { Awaitable } from '../../awaitable.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';

/** A first hello whose early data would be accepted, if it has not been accepted before. */
export interface EarlyDataAttempt {
  /** SHA-256 of the binder that has been verified: the same for the same hello, and of no use to anybody else. */
  readonly key: Uint8Array;
  /**
   * For how many milliseconds the same hello may still be fresh: a record of it must be kept for at least as long. A record that several
   * servers share must be kept for as much longer as their clocks may differ. `Infinity` under an external PSK, which has no age: see
   * {@link AntiReplay.keepsForever}.
   */
  readonly expiresIn: number;
  readonly connection: ConnectionInfo;
}

/**
 * A strategy. `admit` is the last check, made once a connection at most. What is not `true` rejects the early data and not the
 * connection, also if `admit` throws, rejects, or does not answer within `sessions.lookupTimeoutMs`.
 */
export interface AntiReplay {
  /**
   * How far the arrival of a hello may be from the one that its ticket age leads to expect, in milliseconds: RFC 9846 §8.3. Default
   * 10,000. A hello is fresh for at most twice as long.
   */
  readonly windowMs?: number | undefined;
  /** Whether nothing is admitted for now, as records of the time before may be missing. Then `admit` is not called. */
  readonly isBlackedOut?: boolean | undefined;
  /**
   * Whether a record is kept for ever if `expiresIn` is `Infinity`. It is so under an external PSK alone: such a key has no age, so that
   * a hello never becomes stale (RFC 9846 §4.3.11). Default false: early data under external PSKs is rejected, and `admit` not asked.
   */
  readonly keepsForever?: boolean | undefined;
  admit(attempt: EarlyDataAttempt): Awaitable<boolean>;
}
