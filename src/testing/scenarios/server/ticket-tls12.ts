/** The tickets of TLS 1.2: what a server makes of those that it is shown, and when it hands out others. RFC 5077. */

import type { Session } from '../../../sessions/session.ts';
import { ExtensionType } from '../../../wire/registry.ts';
import type { ServerBench } from '../bench.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun, type Reaction, type Visit } from '../visit.ts';
import {
  answerOf,
  BY_ID,
  BY_TICKET,
  hello,
  resumable,
  TLS12,
  ticketOf,
  WRONG_FINISHED,
  withExtension,
} from './tls12.ts';

const TICKET = { ...TLS12, mechanism: 'session-ticket' } as const;

/** The most connections of a scenario that tries many. */
const MOST = 100;

/** What the server makes of a ticket. `sessions` is what the client would resume by it. */
function shown(bench: ServerBench, ticket: Uint8Array, sessions: readonly Session[] = []): Promise<Visit> {
  const edits = hello(withExtension(ExtensionType.session_ticket, ticket));
  return BY_TICKET.client(bench).visit({ sessions, edits });
}

/** Shows the server many variants of a ticket that it resumes. Each should be met by the same reaction, which is returned. */
async function sameForAll(
  bench: ServerBench,
  variants: (ticket: Uint8Array) => readonly Uint8Array[],
): Promise<Reaction> {
  const session = await resumable(BY_TICKET, BY_TICKET.client(bench));
  let common: Reaction | undefined;
  for (const variant of variants(ticketOf(session))) {
    const { reaction } = await shown(bench, variant, [session]);
    common ??= reaction;
    if (reaction !== common) return `differs: ${common}, and then ${reaction}`;
  }
  return common ?? 'hangs';
}

/** At most {@link MOST} numbers below `length`, the first and the last among them. */
function spread(length: number): readonly number[] {
  const step = Math.ceil(length / MOST);
  const places = Array.from({ length: Math.ceil(length / step) }, (_, i) => i * step);
  return places.at(-1) === length - 1 ? places : [...places, length - 1];
}

/** Whether the server sends a NewSessionTicket exactly if its hello has promised one. */
function promiseOf(visit: Visit): Reaction {
  const isPromised = answerOf(visit).extensions['sessionTicket'] === true;
  const sent = visit.received('new_session_ticket').length;
  if (!isPromised && sent === 0) throw new NotRun('the server hands out no ticket');
  if (isPromised && sent === 1) return 'conforms';
  return isPromised ? `differs: ${sent} tickets, where one was promised` : 'differs: a ticket that was not promised';
}

export const serverTicketTls12: readonly ServerScenario[] = [
  {
    ...TICKET,
    id: 'server/ticket-tls12/bit-flips',
    title: 'a ticket that is wrong in one bit, at each of its bytes',
    clause: 'RFC 5077 §3.2, §5.3',
    reason:
      'A ticket must be protected as a whole, and a server that cannot verify it goes on in full. A reaction that depends on the place tells about the key.',
    severity: 'must',
    isIntrusive: true,
    expect: ['full handshake'],
    run: (bench) =>
      sameForAll(bench, (ticket) =>
        spread(ticket.length).map((at) => ticket.map((byte, i) => (i === at ? byte ^ 1 : byte))),
      ),
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/cut-short',
    title: 'a ticket of each length from 1 on, without its end',
    clause: 'RFC 5077 §3.2',
    reason: 'Servers have read beyond the end of tickets that were shorter than a key name, a vector and a MAC.',
    severity: 'should',
    isIntrusive: true,
    expect: ['full handshake'],
    run: (bench) =>
      sameForAll(bench, (ticket) => spread(ticket.length - 1).map((length) => ticket.subarray(0, length + 1))),
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/of-zeros',
    title: 'a ticket of zeros, as long as those of the server',
    clause: 'RFC 5077 §3.2',
    reason: 'Nobody has sealed it. A server whose key was never set has opened the like of it.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      const ticket = ticketOf(await resumable(BY_TICKET, BY_TICKET.client(bench)));
      return (await shown(bench, new Uint8Array(ticket.length))).reaction;
    },
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/of-65000-bytes',
    title: 'a ticket of 65,000 bytes',
    clause: 'RFC 5077 §3.2',
    reason: 'A hello has room for it. It is a ticket that does not verify, and no reason to fail.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      await BY_TICKET.session(BY_TICKET.client(bench));
      return (await shown(bench, bench.randomBytes(65_000))).reaction;
    },
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/of-tls13',
    title: 'a ticket of TLS 1.3 in the extension session_ticket',
    clause: 'RFC 5077 §3.2',
    reason: 'The keys of both versions may be the same, but a secret of TLS 1.3 is no master secret.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      await BY_TICKET.session(BY_TICKET.client(bench));
      const [session] = await bench.client({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }).sessions();
      return (await shown(bench, ticketOf(session))).reaction;
    },
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/id-echoed',
    title: 'a ticket beside ids of 1, 7, 16, 31 and 32 random bytes',
    clause: 'RFC 5077 §3.4',
    reason:
      'The echo tells the client that it resumes, so it must be exact. Servers have sent 32 bytes whatever the length, the rest from their memory.',
    severity: 'must',
    expect: ['ignores'],
    run: async (bench) => {
      const tester = BY_TICKET.client(bench);
      const session = await resumable(BY_TICKET, tester);
      for (const length of [1, 7, 16, 31, 32]) {
        const edits = hello((draft) => {
          draft.legacySessionId = bench.randomBytes(length);
        });
        const { reaction } = await tester.visit({ sessions: [session], edits });
        if (reaction !== 'resumes') return reaction;
      }
      return 'resumes';
    },
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/without-id',
    title: 'a ticket, and no id beside it',
    clause: 'RFC 5077 §3.4',
    reason: 'A client may leave the id out, and learns by the next message whether it resumes.',
    severity: 'should',
    expect: ['ignores'],
    run: async (bench) => {
      const tester = BY_TICKET.client(bench);
      const session = await resumable(BY_TICKET, tester);
      const edits = hello((draft) => {
        draft.legacySessionId = new Uint8Array(0);
      });
      return (await tester.visit({ sessions: [session], edits })).reaction;
    },
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/beside-known-id',
    title: 'a ticket that nobody has sealed, beside the id of a session that the server has',
    clause: 'RFC 5077 §3.4',
    reason: 'With a ticket the id means nothing to the server: it must not look for a session by it.',
    severity: 'must',
    expect: ['full handshake'],
    run: async (bench) => {
      const { length } = ticketOf(await BY_TICKET.session(BY_TICKET.client(bench)));
      const session = await resumable(BY_ID, BY_ID.client(bench));
      return (await shown(bench, bench.randomBytes(length), [session])).reaction;
    },
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/empty-beside-known-id',
    title: 'an empty ticket, beside the id of a session that the server has',
    clause: 'RFC 5077 §3.2, §3.4',
    reason: 'An empty ticket asks for one, and is none: the id may be looked up as ever.',
    severity: 'observed',
    expect: ['resumes'],
    run: async (bench) => {
      const session = await resumable(BY_ID, BY_ID.client(bench));
      return (await shown(bench, new Uint8Array(0), [session])).reaction;
    },
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/not-asked-for',
    title: 'a hello without the extension session_ticket',
    clause: 'RFC 5077 §3.2',
    reason: 'The server must not answer an extension that was not sent, nor send a ticket that was not asked for.',
    severity: 'must',
    expect: ['full handshake'],
    run: async (bench) => {
      await BY_TICKET.session(BY_TICKET.client(bench));
      return (await BY_ID.client(bench).visit()).reaction;
    },
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/promise-kept',
    title: 'an empty ticket, which asks for one',
    clause: 'RFC 5077 §3.3',
    reason: 'A NewSessionTicket must come if ServerHello has the extension, and must not if it has not.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => promiseOf(await BY_TICKET.client(bench).visit()),
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/before-finished',
    title: 'an empty ticket, in a handshake whose Finished is wrong',
    clause: 'RFC 5077 §3.3',
    reason: "In a full handshake the server must verify the client's Finished before it sends a ticket.",
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const tester = BY_TICKET.client(bench);
      await BY_TICKET.session(tester);
      const visit = await tester.visit({ faults: [WRONG_FINISHED] });
      answerOf(visit);
      return visit.received('new_session_ticket').length === 0 ? 'conforms' : 'differs: it has sent a ticket';
    },
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/another-after-declined',
    title: 'a ticket that is of no use, and then the one that the server hands out instead',
    clause: 'RFC 5077 §3.1, §3.4',
    reason: 'Without another ticket the client would show the useless one for ever, and never resume.',
    severity: 'observed',
    expect: ['resumes'],
    run: async (bench) => {
      const { length } = ticketOf(await resumable(BY_TICKET, BY_TICKET.client(bench)));
      const declined = await shown(bench, bench.randomBytes(length));
      if (declined.received('new_session_ticket').length === 0) return 'differs: it hands out no other ticket';
      return (await BY_TICKET.client(bench).visit({ sessions: [...declined.sessions] })).reaction;
    },
  },
  {
    ...TICKET,
    id: 'server/ticket-tls12/renewed',
    title: 'the ticket that a resumption has handed out',
    clause: 'RFC 5077 §3.3',
    reason: 'A server may renew a ticket when it resumes, and then the client shows the new one.',
    severity: 'observed',
    expect: ['resumes'],
    run: async (bench) => {
      const tester = BY_TICKET.client(bench);
      const renewing = await tester.visit({ sessions: [await resumable(BY_TICKET, tester)] });
      const [renewed] = renewing.sessions;
      if (!renewing.isResumed || renewed === undefined) throw new NotRun('the server does not renew its tickets');
      return (await tester.visit({ sessions: [renewed] })).reaction;
    },
  },
];
