/** What a client makes of the NewSessionTicket of TLS 1.3: RFC 9846 §4.7.1. */

import { faults } from '../../faults.ts';
import type { ClientScenario } from '../scenario.ts';

const SEVEN_DAYS = 604_800;
const TLS13 = { side: 'client', versions: ['TLSv1.3'], mechanism: 'psk' } as const;

/** A change of the first ticket. */
const ticket = (fields: { readonly ticketLifetime?: number; readonly ticket?: Uint8Array }) =>
  faults.change<object>('new_session_ticket', (body) => ({ ...body, ...fields }), 'each');

export const ticketsTls13: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/ticket-lifetime-zero',
    title: 'a ticket whose lifetime is 0',
    clause: 'RFC 9846 §4.7.1',
    reason: 'A lifetime of zero says that the ticket is to be discarded at once.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server();
      await server.hand({ faults: [ticket({ ticketLifetime: 0 })] });
      return (await server.accept()).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-lifetime-over',
    title: 'a ticket that is offered after its life of 2 seconds',
    clause: 'RFC 9846 §4.7.1',
    reason:
      'A ticket whose lifetime is over must not be offered: its server has forgotten the keys, and an observer can link the two.',
    severity: 'must',
    expect: ['full handshake'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server();
      await server.hand({ faults: [ticket({ ticketLifetime: 2 })] });
      await bench.wait(3000);
      return (await server.accept()).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-lifetime-above-seven-days',
    title: 'a ticket whose lifetime is a second more than seven days',
    clause: 'RFC 9846 §4.7.1',
    reason:
      'A server must not state more than seven days. What a client makes of it is its own affair: it may refuse, or cut it short.',
    severity: 'observed',
    expect: ['ignores', 'illegal_parameter'],
    run: async (bench) =>
      (await bench.server().hand({ faults: [ticket({ ticketLifetime: SEVEN_DAYS + 1 })] })).reaction,
  },
];
