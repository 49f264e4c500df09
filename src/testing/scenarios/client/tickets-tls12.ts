/** What a client makes of the tickets of TLS 1.2: RFC 5077. */

import type { Fault } from '../../../engine/fault.ts';
import { concat, EMPTY } from '../../../wire/bytes.ts';
import { ContentType, ExtensionType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ClientBench } from '../bench.ts';
import type { ClientScenario } from '../scenario.ts';
import { NotRun, type Reaction } from '../visit.ts';
import {
  begins,
  follow,
  given,
  Heard,
  newTicket,
  notOffered,
  offered,
  offers,
  plainRecord,
  records,
  resume,
  serverOf,
} from './tls12.ts';

const TICKET = { side: 'client', versions: ['TLSv1.2'], mechanism: 'session-ticket' } as const;
const MEANS = 'session-ticket';
const { session_ticket } = ExtensionType;

interface TicketFields {
  readonly ticketLifetimeHint: number;
  readonly ticket: Uint8Array;
}

const ticket = (fields: Partial<TicketFields>): Fault =>
  faults.change<TicketFields>('new_session_ticket', (body) => ({ ...body, ...fields }));

const extension = (data: Uint8Array | undefined): Fault => faults.extension('server_hello', session_ticket, data);

const wrongFinished = (): Fault =>
  faults.change<{ readonly verifyData: Uint8Array }>('finished', ({ verifyData }) => ({
    verifyData: verifyData.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
  }));

/** A full handshake, with faults, of a client that asks for a ticket. @throws NotRun if it does not */
const ticketed =
  (faultsOf: (bench: ClientBench) => readonly Fault[]) =>
  async (bench: ClientBench): Promise<Reaction> => {
    const visit = await serverOf(bench, MEANS).accept({ resumes: false, faults: faultsOf(bench) });
    if (offered(visit).ticket === undefined) throw new NotRun('the client does not ask for a ticket');
    return visit.reaction;
  };

/** A resumption by a ticket, with faults. */
const resumed =
  (faultsOf: (bench: ClientBench) => readonly Fault[]) =>
  async (bench: ClientBench): Promise<Reaction> =>
    (await resume(bench, MEANS, faultsOf(bench))).reaction;

/** Two handshakes, the first with a ticket that has been changed. Returns what becomes of the first that is no full handshake. */
async function offersChanged(bench: ClientBench, change: Fault, wait = 0): Promise<Reaction> {
  bench.need('resume');
  if (wait > 0) bench.need('session-store'); // the hint is for whoever keeps the ticket
  const server = serverOf(bench, MEANS);
  const first = await server.accept({ resumes: false, faults: [change] });
  if (offered(first).ticket === undefined) throw new NotRun('the client does not ask for a ticket');
  if (first.reaction !== 'full handshake') return first.reaction;
  if (wait > 0) await bench.wait(wait);
  return (await server.accept()).reaction;
}

/** Sends one message more behind the server's Finished. */
const behindFinished = (message: Uint8Array): Fault =>
  records('behind Finished', (type, content, put) =>
    begins(type, content, 'finished') ? [put(type, content), put(ContentType.handshake, message)] : undefined,
  );

/** Sends NewSessionTicket, the message of which is longer by a byte than a record may be, in one record. */
const inOneRecord = (): Fault => {
  let held: Uint8Array | undefined;
  return records('a record of 2^14+1 bytes', (type, content) => {
    if (held !== undefined && type === ContentType.handshake) {
      const whole = concat(held, content);
      held = undefined;
      return [plainRecord(type, whole)];
    }
    if (!begins(type, content, 'new_session_ticket') || content.length < 2 ** 14) return undefined;
    held = content.slice();
    return [];
  });
};

/** Without the header, the hint and the length. */
const ticketOf = (message: number): number => message - 10;

export const ticketsTls12: readonly ClientScenario[] = [
  {
    ...TICKET,
    id: 'client/session-ticket/resumed',
    title: 'a ticket, which the client offers, and an id of its own that is echoed',
    clause: 'RFC 5077 §3.4',
    reason: 'No client has to resume. What the other scenarios ask can be asked of one that does.',
    severity: 'observed',
    expect: ['resumes'],
    run: async (bench) => {
      bench.need('resume');
      const server = serverOf(bench, MEANS);
      given(await server.hand(), MEANS);
      return (await server.accept()).reaction;
    },
  },
  {
    ...TICKET,
    id: 'client/session-ticket/not-promised',
    title: 'NewSessionTicket after a ServerHello without session_ticket',
    clause: 'RFC 5246 §7.4, RFC 5077 §3.3',
    reason: 'A server must not send a ticket that it has not promised; the message is out of order.',
    severity: 'must',
    expect: ['aborts'],
    run: ticketed(() => [extension(undefined)]),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/not-promised-on-resumption',
    title: 'NewSessionTicket in a resumption after a ServerHello without session_ticket',
    clause: 'RFC 5246 §7.4, RFC 5077 §3.3',
    reason: 'A server must not send a ticket that it has not promised; the message is out of order.',
    severity: 'must',
    expect: ['aborts'],
    run: resumed((bench) => [follow('server_hello', newTicket(bench.randomBytes(160)))]),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/promised-and-missing',
    title: 'ChangeCipherSpec in the place of the NewSessionTicket that ServerHello has promised',
    clause: 'RFC 5077 §3.3',
    reason: 'A server that has promised a ticket must send one, be it empty.',
    severity: 'should',
    expect: ['aborts'],
    run: ticketed(() => [faults.drop('new_session_ticket')]),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/promised-and-missing-on-resumption',
    title: 'ChangeCipherSpec in a resumption, in the place of the NewSessionTicket that ServerHello has promised',
    clause: 'RFC 5077 §3.3',
    reason: 'A server that has promised a ticket must send one, be it empty.',
    severity: 'should',
    expect: ['aborts'],
    run: resumed(() => [extension(EMPTY)]),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/twice',
    title: 'NewSessionTicket comes twice',
    clause: 'RFC 5246 §7.4, RFC 5077 §3.3',
    reason: 'In TLS 1.2 there is one ticket a handshake. What comes behind it is ChangeCipherSpec.',
    severity: 'must',
    expect: ['aborts'],
    run: ticketed(() => [faults.repeat('new_session_ticket')]),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/before-certificate',
    title: 'NewSessionTicket right behind ServerHello in a full handshake',
    clause: 'RFC 5246 §7.4, RFC 5077 §3.3',
    reason:
      "In a full handshake the ticket stands behind the client's Finished. Before that nothing binds it to the session.",
    severity: 'must',
    expect: ['aborts'],
    run: ticketed((bench) => [follow('server_hello', newTicket(bench.randomBytes(160)))]),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/after-finished',
    title: "NewSessionTicket behind the server's Finished",
    clause: 'RFC 5246 §7.4, RFC 5077 §3.3',
    reason: 'In TLS 1.2 a ticket comes before ChangeCipherSpec; tickets after the handshake are those of TLS 1.3.',
    severity: 'must',
    expect: ['aborts'],
    run: resumed((bench) => [behindFinished(newTicket(bench.randomBytes(160)))]),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/empty',
    title: 'a ticket of no bytes',
    clause: 'RFC 5077 §3.3',
    reason:
      'A server sends it that has promised a ticket and has none. The handshake goes on, and there is nothing to offer.',
    severity: 'should',
    expect: ['full handshake'],
    run: (bench) => offersChanged(bench, ticket({ ticket: EMPTY, ticketLifetimeHint: 0 })),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/of-65535-bytes',
    title: 'a ticket of 65,535 bytes',
    clause: 'RFC 5077 §3.3',
    reason:
      'A ticket may be so long, but no hello has room for it. A client may keep none, or have a limit of its own.',
    severity: 'observed',
    expect: ['full handshake'],
    run: (bench) => offersChanged(bench, ticket({ ticket: bench.randomBytes(65_535) })),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/lifetime-hint-zero',
    title: 'a ticket whose lifetime hint is 0',
    clause: 'RFC 5077 §3.3',
    reason: 'In TLS 1.2 zero states no lifetime. In TLS 1.3 it says that the ticket is to be discarded.',
    severity: 'observed',
    expect: ['resumes'],
    run: (bench) => offersChanged(bench, ticket({ ticketLifetimeHint: 0 })),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/lifetime-hint-of-32-bits',
    title: 'a ticket whose lifetime hint is 2^32-1',
    clause: 'RFC 5077 §3.3',
    reason: 'In TLS 1.2 there is no upper limit. A sum of seconds in 32 bits overflows.',
    severity: 'observed',
    expect: ['resumes'],
    run: (bench) => offersChanged(bench, ticket({ ticketLifetimeHint: 2 ** 32 - 1 })),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/lifetime-hint-over',
    title: 'a ticket whose lifetime hint is 1 second, 3 seconds later',
    clause: 'RFC 5077 §3.3',
    reason: 'A client should delete a ticket when its time is over.',
    severity: 'should',
    expect: ['full handshake'],
    run: (bench) => offersChanged(bench, ticket({ ticketLifetimeHint: 1 }), 3000),
  },
  {
    ...TICKET,
    id: 'client/session-ticket/renewed',
    title: 'a new ticket in a resumption, and what is offered next',
    clause: 'RFC 5077 §3.3',
    reason: 'The client should start to use the new ticket: the key of the old one goes.',
    severity: 'observed',
    expect: ['conforms'],
    run: async (bench) => {
      const server = serverOf(bench, MEANS);
      const renewed = bench.randomBytes(160);
      const visit = await resume(bench, MEANS, [extension(EMPTY), follow('server_hello', newTicket(renewed))], {
        server,
      });
      if (visit.reaction !== 'resumes') return visit.reaction;
      return offers(await server.accept(), MEANS, renewed) ? 'conforms' : 'differs: the new ticket is not offered';
    },
  },
  {
    ...TICKET,
    id: 'client/session-ticket/kept-before-finished',
    title: 'a ticket, and then a Finished that is wrong in one bit',
    clause: 'RFC 5077 §3.3',
    reason: 'A ticket is not valid before Finished has been verified: until then anybody may have put it there.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('resume');
      const server = serverOf(bench, MEANS);
      const visit = await server.accept({ resumes: false, faults: [wrongFinished()] });
      const bad = given(visit, MEANS);
      if (visit.facts.isEstablished && visit.hasData) return 'differs: it accepts the Finished';
      return notOffered(await server.accept(), MEANS, bad);
    },
  },
  {
    ...TICKET,
    id: 'client/session-ticket/renewed-before-finished',
    title: 'a new ticket in a resumption, and then a Finished that is wrong in one bit',
    clause: 'RFC 5077 §3.3',
    reason: 'A ticket is not valid before Finished has been verified: until then anybody may have put it there.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const server = serverOf(bench, MEANS);
      const bad = bench.randomBytes(160);
      const wrong = [extension(EMPTY), follow('server_hello', newTicket(bad)), wrongFinished()];
      await resume(bench, MEANS, wrong, { server });
      return notOffered(await server.accept(), MEANS, bad);
    },
  },
  {
    ...TICKET,
    id: 'client/session-ticket/declined',
    title: 'the server answers a ticket by a full handshake',
    clause: 'RFC 5077 §3.4',
    reason: 'A server that cannot open the ticket falls back to a full handshake, and the client goes along.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      bench.need('resume');
      const bytes = given(await serverOf(bench, MEANS).hand(), MEANS);
      const visit = await serverOf(bench, MEANS).accept();
      if (!offers(visit, MEANS, bytes)) throw new NotRun('the client does not offer its ticket');
      return visit.reaction;
    },
  },
  {
    ...TICKET,
    id: 'client/session-ticket/certificate-after-echo',
    title: 'ServerHello echoes the id beside the ticket, and the server sends its certificate',
    clause: 'RFC 5077 §3.4, RFC 5246 §7.4',
    reason: 'By the echo the server accepts the ticket: Finished has to follow, and a certificate is out of order.',
    severity: 'must',
    expect: ['aborts'],
    run: async (bench) => {
      bench.need('resume');
      const bytes = given(await serverOf(bench, MEANS).hand(), MEANS);
      const heard = new Heard();
      const echo = faults.change<object>('server_hello', (fields) => ({
        ...fields,
        legacySessionIdEcho: heard.offered?.id ?? EMPTY,
      }));
      const visit = await serverOf(bench, MEANS).accept({ faults: [heard.fault, echo] });
      if (!offers(visit, MEANS, bytes)) throw new NotRun('the client does not offer its ticket');
      if (offered(visit).id.length === 0) throw new NotRun('the client sends no id beside its ticket');
      return visit.reaction;
    },
  },
  {
    ...TICKET,
    id: 'client/session-ticket/echo-other',
    title: 'the server resumes by the ticket with another id than that of the hello',
    clause: 'RFC 5077 §3.4',
    reason: 'A client that has sent an id tells by its echo whether the server resumes.',
    severity: 'should',
    expect: ['aborts'],
    run: async (bench) => {
      const other = faults.change<{ readonly legacySessionIdEcho: Uint8Array }>('server_hello', (fields) => ({
        ...fields,
        legacySessionIdEcho: fields.legacySessionIdEcho.map((byte) => byte ^ 0xff),
      }));
      const visit = await resume(bench, MEANS, [other]);
      if (offered(visit).id.length === 0) throw new NotRun('the client sends no id beside its ticket');
      return visit.reaction;
    },
  },
  {
    ...TICKET,
    id: 'client/session-ticket/extended-master-secret-dropped',
    title: 'ServerHello resumes by a ticket without extended_master_secret, which the session has',
    clause: 'RFC 7627 §5.3, §5.2',
    reason:
      'Without the extension the keys are not bound to the handshake: the triple handshake attack is possible again.',
    severity: 'must',
    expect: ['handshake_failure'],
    run: async (bench) => {
      const { extended_master_secret } = ExtensionType;
      const dropped = faults.extension('server_hello', extended_master_secret, undefined);
      const visit = await resume(bench, MEANS, [dropped]);
      if (!offered(visit).extensions.has(extended_master_secret))
        throw new NotRun('the client does not offer extended_master_secret');
      return visit.reaction;
    },
  },
  {
    ...TICKET,
    id: 'client/session-ticket/id-of-the-server-kept',
    title: 'a ticket beside an id in ServerHello, and what is offered next',
    clause: 'RFC 5077 §3.4',
    reason:
      'A client that is given a ticket discards the id: offered together, nobody could tell which of the two is resumed.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('resume');
      const server = serverOf(bench, MEANS);
      const id = bench.randomBytes(32);
      const named = faults.change<object>('server_hello', (fields) => ({ ...fields, legacySessionIdEcho: id }));
      const first = await server.hand({ faults: [named] });
      const visit = await server.accept();
      if (!offers(visit, MEANS, given(first, MEANS))) throw new NotRun('the client does not offer its ticket');
      return notOffered(visit, 'session-id', id);
    },
  },
  {
    ...TICKET,
    id: 'client/none/record-of-16385-bytes',
    title: 'a record of 2^14+1 bytes, in the clear',
    clause: 'RFC 5246 §6.2.1',
    reason: 'The length must not exceed 2^14: buffers are made for that.',
    mechanism: 'none',
    severity: 'should',
    expect: ['aborts'],
    run: ticketed((bench) => [ticket({ ticket: bench.randomBytes(ticketOf(2 ** 14 + 1)) }), inOneRecord()]),
  },
];
