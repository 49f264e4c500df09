/** What a client offers, and to whom: RFC 9846 §4.3.9, §4.3.11, Appendix C.4. */

import type { ClientScenario } from '../scenario.ts';
import { NotRun, type Visit } from '../visit.ts';
import { conforms, identitiesOf, offering, resuming, ticketsOf } from './connections.ts';
import { helloOf } from './hello.ts';

const TLS13 = { side: 'client', versions: ['TLSv1.3'], mechanism: 'psk' } as const;

/** What a ticket says. */
interface TicketFields {
  readonly ticketAgeAdd: number;
  readonly ticketLifetime: number;
  readonly ticket: Uint8Array;
}

/** The tickets of a connection that belong to these identities. */
function ticketsBehind({ facts }: Visit, visit: Visit) {
  return helloOf(visit).psks.flatMap((psk) => {
    const sent = facts.trace.messages.filter(
      ({ name, direction }) => name === 'new_session_ticket' && direction === 'sent',
    );
    const found = sent
      .map(({ fields }) => fields as TicketFields)
      .find(({ ticket }) => ticket.join() === psk.identity.join());
    return found === undefined ? [] : [{ ...found, obfuscatedTicketAge: psk.obfuscatedTicketAge }];
  });
}

/** Whether a hello offers a ticket that another connection has given. */
function offersAny(visit: Visit, given: Visit): boolean {
  const identities = identitiesOf(visit);
  return ticketsOf(given).some((ticket) => identities.includes(ticket));
}

/** How far the age in a hello may be from the truth, in milliseconds: clients that count seconds are a second off. */
const TOLERANCE = 1500;

const hellos: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/resumes',
    title: 'a ticket is offered, and the server has it',
    clause: 'RFC 9846 §4.3.11.2',
    reason: 'The binder has to be right, and all keys behind it.',
    severity: 'should',
    expect: ['resumes'],
    run: async (bench) => (await resuming(bench, [])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/extension-last',
    title: 'the place of pre_shared_key in the hello',
    clause: 'RFC 9846 §4.3.11',
    reason: 'Its binders cover what stands before them. It must be the last extension.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const { types } = helloOf(await resuming(bench, []));
      return conforms(types.indexOf(41) === types.length - 1, 'it is not the last extension');
    },
  },
  {
    ...TLS13,
    id: 'client/psk/modes-sent',
    title: 'the modes of a hello with pre_shared_key',
    clause: 'RFC 9846 §4.3.9',
    reason: 'A hello with pre_shared_key must have psk_key_exchange_modes. Servers abort without.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const { modes } = helloOf(await resuming(bench, []));
      return conforms(modes.length > 0, 'it has no psk_key_exchange_modes');
    },
  },
  {
    ...TLS13,
    id: 'client/psk/fallback-offered',
    title: 'the shares of a hello with pre_shared_key',
    clause: 'RFC 9846 §2.2',
    reason: 'A server that declines the session needs a share for a full handshake.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      const hello = helloOf(await resuming(bench, []));
      return conforms(hello.has('key_share') && hello.has('signature_algorithms'), 'the server cannot decline');
    },
  },
  {
    ...TLS13,
    id: 'client/psk/suite-offered',
    title: 'the suites of a hello whose ticket has SHA-384',
    clause: 'RFC 9846 §4.2.2',
    reason: 'Without a suite of the hash of the PSK no server can select it.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      const { fields } = helloOf(await resuming(bench, [], { ciphers: ['TLS_AES_256_GCM_SHA384'] }));
      return conforms(fields.cipherSuites.includes(0x1302), 'it has no suite with SHA-384');
    },
  },
  {
    ...TLS13,
    id: 'client/psk/age',
    title: 'the age of a ticket after 2 seconds',
    clause: 'RFC 9846 §4.3.11.1',
    reason:
      'It is stated in milliseconds, plus ticket_age_add. Servers reject early data by it, and an age in the clear is a mark.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('resume');
      const { world } = bench.peer;
      const server = bench.server();
      const given = await server.hand();
      const from = world.now();
      await bench.wait(2000);
      const visit = await offering(server);
      const [ticket] = ticketsBehind(given, visit);
      if (ticket === undefined) throw new NotRun('it offers another ticket');
      const age = (ticket.obfuscatedTicketAge - ticket.ticketAgeAdd + 2 ** 32) % 2 ** 32;
      const isNear = age >= 2000 - TOLERANCE && age <= world.now() - from + TOLERANCE;
      return conforms(isNear, `it says ${age} ms`);
    },
  },
  {
    ...TLS13,
    id: 'client/psk/random-fresh',
    title: 'random and key shares of two connections that resume',
    clause: 'RFC 9846 §4.2.2, §4.3.8',
    reason: 'A key share must not be used for two connections, and a random makes each of them another.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server();
      await server.hand();
      const [first, second] = [helloOf(await offering(server)), helloOf(await offering(server))];
      const isSame = (one: Uint8Array | undefined, other: Uint8Array | undefined) => one?.join() === other?.join();
      if (isSame(first.fields.random, second.fields.random)) return 'differs: the random is the same';
      const hasShare = first.shares.length > 0;
      return conforms(
        !hasShare || !isSame(first.data('key_share'), second.data('key_share')),
        'the shares are the same',
      );
    },
  },
];

const reuse: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/ticket-reused',
    title: 'a ticket that was used, and no other was given',
    clause: 'RFC 9846 Appendix C.4',
    reason: 'By a ticket that comes twice, whoever listens can tell that two connections are of the same client.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('resume');
      bench.need('session-store');
      const server = bench.server({ tickets: { initial: 1, afterResumption: 0 } });
      const given = await server.hand();
      await offering(server);
      return conforms(!offersAny(await server.accept(), given), 'it offers the ticket again');
    },
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-reused-after-rejection',
    title: 'a ticket that the server has declined, and no other was given',
    clause: 'RFC 9846 Appendix C.4',
    reason: 'It has been seen on the wire, and the server does not know it any more.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('resume');
      bench.need('session-store');
      const given = await bench.server({ tickets: { initial: 1 } }).hand();
      const stranger = bench.server({ tickets: { initial: 0 } });
      await offering(stranger);
      return conforms(!offersAny(await stranger.accept(), given), 'it offers the ticket again');
    },
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-of-another-name',
    title: 'a connection to another server name than the ticket is from',
    clause: 'RFC 9846 §4.7.1',
    reason: 'The certificate of the session need not be good for it, and nobody looks at one when it resumes.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('resume');
      bench.need('session-store');
      bench.need('server-name');
      const server = bench.server();
      const given = await server.hand();
      const visit = await server.accept({ serverName: 'other.example' });
      return conforms(!offersAny(visit, given), 'it offers the ticket to another name');
    },
  },
  {
    ...TLS13,
    id: 'client/psk/tickets-of-two-names',
    title: 'a connection to one of two server names of which the client has tickets',
    clause: 'RFC 9846 §4.7.1, Appendix C.4',
    reason: 'Both tickets in one hello would tell each server of the other.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('resume');
      bench.need('session-store');
      bench.need('server-name');
      const server = bench.server();
      const one = await server.hand();
      const other = await server.hand({ serverName: 'other.example' });
      const visit = await server.accept();
      if (!offersAny(visit, one) && !offersAny(visit, other)) throw new NotRun('the client offers no ticket');
      return conforms(!offersAny(visit, other), 'it offers a ticket of the other name');
    },
  },
];

export const offersTls13: readonly ClientScenario[] = [...hellos, ...reuse];
