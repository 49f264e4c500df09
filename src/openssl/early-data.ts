/** SSL_CTX_set_max_early_data(3), SSL_CTX_set_allow_early_data_cb(3) as the `earlyData` of a configuration. */

import { earlyData } from '../engine/server/early-data.ts';
import { singleUse } from '../engine/server/single-use.ts';
import type { EarlyDataSettings, TicketSettings } from '../handshake/server/settings.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import { toHex } from '../wire/bytes.ts';
import type { AllowEarlyData } from './callbacks.ts';

/** The settings of early data that a connection copies from its context. */
export interface EarlyDataLimits<S> {
  /** Bytes; 0 for no early data. */
  readonly maxEarlyData: number;
  readonly allowEarlyData: AllowEarlyData<S> | null;
}

/** What a context had before it was made: the option `earlyData`, and the tickets. */
export interface EarlyDataBase {
  readonly earlyData: EarlyDataSettings | undefined;
  readonly tickets: TicketSettings;
  /** What all connections of the context hold together. */
  readonly held: EarlyDataSettings['held'];
}

/**
 * Whether sessions are taken for early data, which has them kept by the server as with SSL_OP_NO_TICKET (SSL_read_early_data(3), replay
 * protection): always, unless the option `earlyData` has another strategy.
 */
export function takesSessions({ maxEarlyData }: { readonly maxEarlyData: number }, base: EarlyDataBase['earlyData']) {
  return maxEarlyData > 0 && base?.admit === undefined;
}

/** How many ids of sessions are remembered after their use. */
const MAX_USED = 4096;

/** The latest ids of sessions that were taken: the get callback may hand one out once more. */
export class UsedIds {
  readonly #ids = new Set<string>();

  /** Notes the use of a session, and returns whether it is the first. */
  isFirst(id: Uint8Array): boolean {
    const key = toHex(id);
    if (this.#ids.has(key)) return false;
    this.#ids.add(key);
    const [oldest] = this.#ids;
    if (this.#ids.size > MAX_USED && oldest !== undefined) this.#ids.delete(oldest);
    return true;
  }
}

/** Returns the `earlyData` of a connection; `undefined` where it takes none, as where there are no sessions. */
export function earlyDataSettings<S>(
  { maxEarlyData: maxSize, allowEarlyData: allow }: EarlyDataLimits<S>,
  { earlyData: base, tickets, held }: EarlyDataBase,
  sslOf: (info: ConnectionInfo) => S,
): EarlyDataSettings | undefined {
  if (maxSize === 0 || tickets.mode === 'off') return undefined;
  const given = { maxSize, antiReplay: singleUse() };
  const settings =
    base ?? earlyData.settings(given, { tickets: { ...tickets, singleUse: true }, sessions: {}, hasPsks: false });
  return {
    ...settings,
    maxSize,
    maxHeld: Math.max(settings.maxHeld, maxSize),
    held,
    refusal: (info) => settings.refusal(info) ?? (allow === null ? undefined : refusalOf(allow(sslOf(info)))),
  };
}

/** @throws TypeError for what is no C int: a promise must not be a yes */
function refusalOf(answer: unknown): 'not-allowed' | undefined {
  if (typeof answer !== 'number' && typeof answer !== 'boolean')
    throw new TypeError('the callback that allows early data answers with a number: 1 or 0');
  return answer ? undefined : 'not-allowed';
}
