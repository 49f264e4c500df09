/** Sessions of a client of TLS 1.3: RFC 9846 §4.7.1. */

import { resumptionPsk } from '../../crypto/key-schedule.ts';
import { copyOf, wipe } from '../../wire/bytes.ts';
import type { HandshakeFrame } from '../../wire/handshake-buffer.ts';
import { ExtensionType, NamedGroup } from '../../wire/registry.ts';
import type { TicketReceiver } from '../established.ts';
import type { MainSecret } from '../main-secret.ts';
import { parse } from '../messages/message.ts';
import { MAX_TICKET_LIFETIME, type NewSessionTicket, newSessionTicket } from '../messages/new-session-ticket.ts';
import { requirePlaced } from './answer-rules.ts';
import type { ClientHandshake } from './context.ts';

export class NewSessionTickets implements TicketReceiver {
  readonly message = newSessionTicket;
  readonly #context: ClientHandshake;
  readonly #main: MainSecret;
  readonly #longest: number;

  /** `longest` is the length of the longest ticket that can be offered. */
  constructor(context: ClientHandshake, main: MainSecret, longest: number) {
    this.#context = context;
    this.#main = main;
    this.#longest = longest;
  }

  /**
   * A lifetime of 0 says that the ticket is to be discarded at once; none is used for longer than seven days. One for which no hello has
   * room is not kept either.
   */
  receive({ raw }: HandshakeFrame): void {
    const ticket = parse(newSessionTicket, raw);
    requirePlaced(ticket.extensions.order, [ExtensionType.early_data]);
    if (ticket.ticketLifetime > 0 && ticket.ticket.length <= this.#longest) this.#keep(ticket);
  }

  #keep({ ticket, ticketLifetime, ticketAgeAdd, ticketNonce, extensions }: NewSessionTicket): void {
    const { facts } = this.#context;
    const secret = resumptionPsk(this.#main.resumption, ticketNonce);
    this.#main.dropHmacKey();
    this.#context.adopt({
      version: 'TLSv1.3',
      cipherSuite: facts.suite?.id ?? 0,
      secret,
      timeout: Math.min(ticketLifetime, MAX_TICKET_LIFETIME),
      extendedMasterSecret: true,
      group: facts.group === undefined ? 0 : NamedGroup[facts.group],
      ticketAgeAdd,
      foreign: {
        ticket: copyOf(ticket), // a view would keep the whole message
        ticketLifetimeHint: ticketLifetime,
        maxEarlyData: extensions.earlyData,
      },
    });
    wipe(secret);
  }
}
