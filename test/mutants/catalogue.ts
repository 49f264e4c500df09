/** For each scenario, a mutant that fails it: the check that the scenario is about, taken out. */

import type { MutantEdit } from './build.ts';

export type Mutants = Readonly<Record<string, readonly MutantEdit[]>>;

export const MUTANTS: Mutants = {
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
      find: "if (psk?.secret === undefined) throw new TlsAlert('illegal_parameter', `identity ${index}, which was not offered`);",
      replace: 'if (psk?.secret === undefined) return undefined;',
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
  'server/psk/binder-wrong': [
    {
      file: 'handshake/server/psk.ts',
      within: 'selectPsk',
      find: "throw new TlsAlert('decrypt_error', 'the binder does not verify');",
      replace: 'return undefined;',
    },
  ],
  'server/psk/identity-unknown': [
    {
      file: 'handshake/server/psk.ts',
      within: 'selectPsk',
      find: 'found === undefined',
      replace:
        "found === undefined && facts.verdicts.length > 0) throw new TlsAlert('decrypt_error', ''); if (found === undefined",
    },
  ],
};
