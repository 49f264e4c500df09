/** Mutants for the scenarios with a client of TLS 1.3: what each is about, taken out. */

import type { Mutants } from './build.ts';

export const clientTls13: Mutants = {
  'client/psk/ticket-lifetime-zero': [
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: 'receive',
      find: 'ticket.ticketLifetime > 0',
      replace: 'true',
    },
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: '#keep',
      find: 'Math.min(ticketLifetime, MAX_TICKET_LIFETIME)',
      replace: '7200',
    },
  ],
  'client/psk/ticket-lifetime-over': [
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: '#keep',
      find: 'Math.min(ticketLifetime, MAX_TICKET_LIFETIME)',
      replace: '7200',
    },
  ],
  'client/psk/ticket-lifetime-above-seven-days': [
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: 'receive',
      find: 'parse(newSessionTicket, raw)',
      replace:
        "parse(newSessionTicket, raw); if (ticket.ticketLifetime > MAX_TICKET_LIFETIME) throw new TlsAlert('decode_error', '')",
    },
    {
      file: 'handshake/client/new-session-tickets.ts',
      find: "import { MAX_TICKET_LIFETIME, type NewSessionTicket, newSessionTicket } from '../messages/new-session-ticket.ts';",
      replace:
        "import { MAX_TICKET_LIFETIME, type NewSessionTicket, newSessionTicket } from '../messages/new-session-ticket.ts'; import { TlsAlert } from '../../wire/alert.ts';",
    },
  ],
  'client/psk/selected-identity-out-of-range': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'selectedPsk',
      find: 'sent.draft.psks[index]',
      replace: 'sent.draft.psks[index] ?? sent.draft.psks[0]',
    },
  ],
  'client/psk/selected-unasked': [
    {
      file: 'handshake/client/answer-rules.ts',
      within: 'requireAnswers',
      find: 'unsolicited !== undefined',
      replace: 'false',
    },
  ],
};
