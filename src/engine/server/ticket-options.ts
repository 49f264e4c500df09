/** The option `tickets`: the settings of the handshake, and the keys and callbacks of a server's tickets. */

import { MAX_TICKET_LIFETIME } from '../../handshake/messages/new-session-ticket.ts';
import type { TicketSettings } from '../../handshake/server/settings.ts';
import { type Names, requireOptions } from '../../wire/options.ts';
import type { World } from '../../world.ts';
import { boolean, callback, integer, oneOf } from '../checks.ts';
import type { SessionOptions, TicketOptions } from './options.ts';
import { keepsSessions } from './session-options.ts';
import type { SealedTickets, TicketPolicy } from './ticket-policy.ts';

const TICKET_MODES = ['stateful', 'stateless', 'off'] as const;
const TIMINGS = ['after-finished', 'half-rtt', 'with-first-write', 'manual'] as const;
const TICKET_OPTIONS = {
  mode: true,
  initial: true,
  afterResumption: true,
  timing: true,
  maxRequested: true,
  keys: true,
  foreign: true,
  onGenerate: true,
  onDecrypt: true,
  singleUse: true,
  maxAuthAge: true,
} satisfies Names<TicketOptions>;

export function ticketSettings(tickets: TicketOptions, sessions: SessionOptions): TicketSettings {
  requireOptions('tickets', tickets, TICKET_OPTIONS);
  const mode = oneOf<TicketSettings['mode']>('tickets.mode', tickets.mode ?? 'stateful', TICKET_MODES);
  if (tickets.keys !== undefined && mode !== 'stateless') {
    throw new TypeError(
      `tickets.keys: the mode '${mode}' uses none; leave them out, or set tickets.mode to 'stateless'`,
    );
  }
  const singleUse = boolean('tickets.singleUse', tickets.singleUse, false);
  if (singleUse && sessions.onGet !== undefined && sessions.onTake === undefined) {
    throw new TypeError(
      'tickets.singleUse with sessions.onGet needs sessions.onTake: only the store knows who was first',
    );
  }
  if (singleUse && mode === 'stateless' && sessions.onTake === undefined && !keepsSessions(sessions)) {
    throw new TypeError('tickets.singleUse needs an internal cache that new sessions go into, or sessions.onTake');
  }
  return Object.freeze({
    mode,
    timing: oneOf<TicketSettings['timing']>('tickets.timing', tickets.timing ?? 'after-finished', TIMINGS),
    maxRequested: integer('tickets.maxRequested', tickets.maxRequested, 10, 0, 255),
    initial: integer('tickets.initial', tickets.initial, 2, 0, 255),
    afterResumption: integer('tickets.afterResumption', tickets.afterResumption, 1, 0, 255),
    singleUse,
    maxAuthAge: integer('tickets.maxAuthAge', tickets.maxAuthAge, MAX_TICKET_LIFETIME, 1, MAX_TICKET_LIFETIME),
  });
}

/**
 * Returns the keys and callbacks of a server's tickets. A server of the mode 'stateless' whose options name no keys gets fresh
 * ones of its own: there is no default key that others could know, and the server never goes without.
 */
export function ticketPolicy(
  options: TicketOptions,
  { mode }: TicketSettings,
  { world, sealing }: { readonly world: World; readonly sealing: SealedTickets | undefined },
): TicketPolicy {
  if (mode === 'stateless' && sealing === undefined)
    throw new TypeError(
      "tickets.mode 'stateless': this server is made without; say defineServer(options, { sealedTickets })",
    );
  return Object.freeze({
    keys: mode === 'stateless' ? sealing?.keys(options.keys, world) : undefined,
    sealing,
    acceptsForeign: boolean('tickets.foreign', options.foreign, false),
    callbacks: Object.freeze({
      onGenerate: callback('tickets.onGenerate', options.onGenerate)?.bind(options),
      onDecrypt: callback('tickets.onDecrypt', options.onDecrypt)?.bind(options),
    }),
  });
}
