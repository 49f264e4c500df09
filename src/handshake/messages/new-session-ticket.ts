/** NewSessionTicket: RFC 9846 §4.7.1; for TLS 1.2 RFC 5077 §3.3. */

import { extensions, type Infer, opaque, struct, uint32 } from '../../wire/codec.ts';
import { ExtensionType } from '../../wire/registry.ts';
import { message } from './message.ts';

export const NewSessionTicket = struct({
  ticketLifetime: uint32,
  ticketAgeAdd: uint32,
  ticketNonce: opaque(0, 255),
  ticket: opaque(1, 0xffff),
  extensions: extensions({ earlyData: [ExtensionType.early_data, uint32] }),
});
export type NewSessionTicket = Infer<typeof NewSessionTicket>;
export const newSessionTicket = message('new_session_ticket', NewSessionTicket);

/** RFC 5077 §3.3. A server that has promised a ticket and cannot make one sends an empty one. */
export const NewSessionTicketTls12 = struct({ ticketLifetimeHint: uint32, ticket: opaque(0, 0xffff) });
export type NewSessionTicketTls12 = Infer<typeof NewSessionTicketTls12>;
export const newSessionTicketTls12 = message('new_session_ticket', NewSessionTicketTls12);

/** §4.7.1: servers MUST NOT use a value greater than seven days. */
export const MAX_TICKET_LIFETIME = 604800;
