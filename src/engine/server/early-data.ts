/** The option `earlyData`, with what carries it out: a part of a server, so that a bundle has it only where it is wanted. */

import type { AntiReplay } from '../../handshake/server/anti-replay.ts';
import type { EarlyDataPart } from '../../handshake/server/context.ts';
import * as handshake from '../../handshake/server/early-data.ts';
import type { EarlyDataSettings, TicketSettings } from '../../handshake/server/settings.ts';
import { type Names, requireOptions, wrongKind } from '../../wire/options.ts';
import { boolean, callback, complete, integer } from '../checks.ts';
import type { EarlyDataOptions, SessionOptions } from './options.ts';
import { SingleUse } from './single-use.ts';
import { windowOf } from './window.ts';

const EARLY_DATA_OPTIONS = { maxSize: true, antiReplay: true, maxHeld: true } satisfies Names<EarlyDataOptions>;
/** What a ticket can say. */
const MAX_SIZE = 0xffffffff;
/** How many connections may hold all that they may send, by default. */
const CONNECTIONS = 64;

/** What the strategy has to fit. */
export interface EarlyDataSurroundings {
  readonly tickets: TicketSettings;
  readonly sessions: SessionOptions;
  readonly hasPsks: boolean;
}

/** The part of a server that accepts early data, such as `earlyData` of tls-resume/tls13. */
export interface EarlyData extends EarlyDataPart {
  /** @internal @throws TypeError or RangeError that names the option */
  settings(given: EarlyDataOptions, surroundings: EarlyDataSurroundings): EarlyDataSettings;
}

/** The part that accepts early data. */
export const earlyData: EarlyData = Object.freeze({ ...handshake.earlyData, settings });

function settings(given: EarlyDataOptions, surroundings: EarlyDataSurroundings): EarlyDataSettings {
  requireOptions('earlyData', given, EARLY_DATA_OPTIONS);
  const { antiReplay } = given;
  if (antiReplay === undefined)
    throw new TypeError(
      'earlyData.antiReplay is missing: anybody can send early data again. Give singleUse() or recordHellos()',
    );
  if (typeof antiReplay !== 'object' || antiReplay === null)
    throw wrongKind('earlyData.antiReplay', 'a strategy', antiReplay, '; singleUse() and recordHellos() make one');
  callback('earlyData.antiReplay.admit', complete('earlyData.antiReplay', antiReplay, ['admit']).admit);
  if (given.maxSize === undefined)
    throw new TypeError('earlyData.maxSize is missing: how many bytes of early data may a client send?');
  const maxSize = integer('earlyData.maxSize', given.maxSize, 0, 1, MAX_SIZE);
  const isSingleUse = antiReplay instanceof SingleUse;
  const keepsForever = !isSingleUse && boolean('earlyData.antiReplay.keepsForever', antiReplay.keepsForever, false);
  if (!(surroundings.hasPsks && keepsForever)) requireTickets(surroundings);
  requireFit(surroundings, isSingleUse);
  return Object.freeze({
    maxSize,
    maxHeld: integer('earlyData.maxHeld', given.maxHeld, CONNECTIONS * maxSize, maxSize),
    held: { bytes: 0 },
    windowMs: windowOf(antiReplay.windowMs, 'earlyData.antiReplay.windowMs'),
    admit: isSingleUse ? undefined : (attempt: Parameters<AntiReplay['admit']>[0]) => antiReplay.admit(attempt),
    keepsForever,
    refusal: () => (antiReplay.isBlackedOut === true ? 'blackout' : undefined),
  });
}

/** @throws TypeError where nothing allows early data */
function requireTickets({ tickets, hasPsks }: EarlyDataSurroundings): void {
  if (tickets.mode !== 'off') return;
  const remedy = hasPsks ? ', and for external PSKs antiReplay needs keepsForever' : '';
  throw new TypeError(`earlyData: with tickets.mode 'off' there is no session to send it under${remedy}`);
}

/** @throws TypeError where the strategy could not do what it promises */
function requireFit({ tickets, sessions }: EarlyDataSurroundings, isSingleUse: boolean): void {
  if (!isSingleUse && sessions.updateTime === true)
    throw new TypeError(
      'earlyData with sessions.updateTime needs singleUse(): ticket ages would count from a time that moves',
    );
  if (!isSingleUse || tickets.singleUse) return;
  if (tickets.mode === 'stateless')
    throw new TypeError(
      "earlyData.antiReplay: with tickets.mode 'stateless' singleUse() needs tickets.singleUse; recordHellos() does not",
    );
  if (sessions.onGet !== undefined && sessions.onTake === undefined)
    throw new TypeError(
      'earlyData.antiReplay: singleUse() with sessions.onGet needs sessions.onTake: only the store knows who was first',
    );
}
