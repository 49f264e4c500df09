/** The ticket settings of a connection: whether it issues tickets, of which kind, and how many. */

import type { TicketSettings } from '../handshake/server/settings.ts';
import { SSL_OP_NO_TICKET } from './constants.ts';
import type { Copied } from './copied-settings.ts';

/**
 * Applies SSL_OP_NO_TICKET, which early data implies unless a strategy protects it, and SSL_CTX_set_num_tickets(3). A resumption gets one
 * ticket at most, as in OpenSSL.
 */
export function ticketSettings(
  defined: TicketSettings,
  { options, numTickets }: Pick<Copied<unknown>, 'options' | 'numTickets'>,
  takesSessions: boolean,
): TicketSettings {
  const wanted = options & SSL_OP_NO_TICKET || takesSessions ? 'stateful' : 'stateless';
  const mode = defined.mode === 'off' ? 'off' : wanted;
  return { ...defined, mode, initial: numTickets, afterResumption: Math.min(1, numTickets) };
}

/** For a connection whose server name selected another context: the numbers of `before`, stateless only if both are, single use if one is. */
export function ticketSettingsOf(selected: TicketSettings, before: TicketSettings): TicketSettings {
  const { mode, initial, afterResumption } = before;
  const singleUse = before.singleUse || selected.singleUse;
  return { ...selected, mode: weaker(mode, selected.mode), singleUse, initial, afterResumption };
}

const STRENGTH: readonly TicketSettings['mode'][] = ['off', 'stateful', 'stateless'];

function weaker(one: TicketSettings['mode'], other: TicketSettings['mode']): TicketSettings['mode'] {
  return STRENGTH.indexOf(one) < STRENGTH.indexOf(other) ? one : other;
}
