/** When a connection has tickets, of which kind, and how many. */

import type { TicketSettings } from '../handshake/server/settings.ts';
import { SSL_OP_NO_TICKET } from './constants.ts';
import type { Copied } from './ssl-context.ts';

/** SSL_OP_NO_TICKET; and as many as SSL_CTX_set_num_tickets(3) has them, of which a resumption has one. */
export function ticketSettings(defined: TicketSettings, { options, numTickets }: Copied): TicketSettings {
  const wanted = options & SSL_OP_NO_TICKET ? 'stateful' : 'stateless';
  const mode = defined.mode === 'off' ? 'off' : wanted;
  return { ...defined, mode, initial: numTickets, afterResumption: Math.min(1, numTickets) };
}

/** Once a name has led to another context: the numbers of `before`, and stateless ones where both have them. */
export function ticketSettingsOf(selected: TicketSettings, before: TicketSettings): TicketSettings {
  const { mode, initial, afterResumption } = before;
  return { ...selected, mode: weaker(mode, selected.mode), initial, afterResumption };
}

const STRENGTH: readonly TicketSettings['mode'][] = ['off', 'stateful', 'stateless'];

function weaker(one: TicketSettings['mode'], other: TicketSettings['mode']): TicketSettings['mode'] {
  return STRENGTH.indexOf(one) < STRENGTH.indexOf(other) ? one : other;
}
