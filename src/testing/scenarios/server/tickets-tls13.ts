/** The tickets that a server of TLS 1.3 hands out, and where they may be used: RFC 9846 §4.7.1, RFC 9149. */

import type { HashName } from '../../../crypto/provider.ts';
import type { Session } from '../../../sessions/session.ts';
import { equalBytes, toHex } from '../../../wire/bytes.ts';
import { CipherSuite, ExtensionType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ServerBench } from '../bench.ts';
import { REQUEST } from '../party.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun, type Reaction, type Visit } from '../visit.ts';
import { afterControl, answersOf, client, first, onlyPsk, setExtension, TLS13 } from './tls13.ts';

const SEVEN_DAYS = 604_800;
/** The most connections with a changed ticket. */
const MAX_FLIPS = 150;

interface NewSessionTicket {
  readonly ticketLifetime: number;
  readonly ticketAgeAdd: number;
  readonly ticketNonce: Uint8Array;
  readonly ticket: Uint8Array;
}

/** The tickets of a connection. @throws NotRun if there are fewer than `least` */
function ticketsOf(visit: Visit, least = 1): readonly NewSessionTicket[] {
  const tickets = visit.received<NewSessionTicket>('new_session_ticket').map(({ fields }) => fields);
  if (tickets.length < least) throw new NotRun(`it sends ${tickets.length} tickets`);
  return tickets;
}

/** Looks at the tickets after a full handshake. */
async function look(
  bench: ServerBench,
  least: number,
  isRight: (tickets: readonly NewSessionTicket[]) => boolean,
  otherwise: string,
): Promise<Reaction> {
  const visit = await client(bench).visit();
  return isRight(ticketsOf(visit, least)) ? 'conforms' : `differs: ${otherwise}`;
}

function areDistinct(values: readonly (string | number)[]): boolean {
  return new Set(values).size === values.length;
}

/** Returns what the server makes of a session of TLS 1.2, its id or its ticket, in the place of a PSK identity. */
async function crossVersion(bench: ServerBench, identityOf: (session: Session) => Uint8Array): Promise<Reaction> {
  const [old] = await bench.client({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }).sessions();
  const identity = identityOf(old);
  if (identity.length === 0) throw new NotRun('the session of TLS 1.2 has none');
  const tester = client(bench);
  const sessions = await tester.sessions();
  const hash: HashName = 'sha384'; // as long as the master secret
  const edit = first((draft) => {
    draft.psks = [{ identity, obfuscatedTicketAge: 0, secret: old.secret, hash }];
  });
  return (await tester.visit({ sessions, edits: edit })).reaction;
}

/** Counts the tickets of a client that has asked for so many. @throws NotRun if the server does not answer such requests */
async function counted(
  bench: ServerBench,
  asked: number,
): Promise<{ readonly promised: number; readonly sent: number }> {
  const ticketRequest = { newSessionCount: asked, resumptionCount: asked };
  const visit = await client(bench, { ticketRequest }).visit();
  const promised = answersOf(visit).ticketRequest;
  if (promised === undefined) throw new NotRun('it does not answer ticket_request');
  return { promised, sent: visit.received('new_session_ticket').length };
}

/** Offers a session once more after a resumption that ended otherwise than it should. */
async function afterEnding(
  bench: ServerBench,
  fault: Parameters<ReturnType<typeof client>['visit']>[0],
): Promise<Reaction> {
  const tester = client(bench);
  const sessions = await tester.sessions();
  const { isResumed, reaction } = await tester.visit({ sessions, ...fault });
  if (!isResumed) throw new NotRun(`it does not resume: ${reaction}`);
  return (await tester.visit({ sessions })).reaction;
}

/** Offers the last ticket of a connection that has ended with a fatal alert. */
async function afterAlert(
  bench: ServerBench,
  fault: Parameters<ReturnType<typeof client>['visit']>[0],
): Promise<Reaction> {
  const tester = client(bench);
  const session = (await tester.visit(fault)).sessions.at(-1);
  if (session === undefined) throw new NotRun('it sends no ticket before its answer');
  return (await tester.visit({ sessions: [session] })).reaction;
}

/** A fatal alert, as the content of a record. */
const FATAL_ALERT = Uint8Array.of(2, 80);
const ALERT = 21;

export const serverTicketsTls13: readonly ServerScenario[] = [
  {
    ...TLS13,
    id: 'server/tickets/lifetime',
    title: 'the lifetimes of its tickets',
    clause: 'RFC 9846 §4.7.1',
    reason: 'A server must not state more than seven days: for so long a stolen key opens what was said under it.',
    severity: 'must',
    expect: ['conforms'],
    run: (bench) =>
      look(bench, 1, (all) => all.every(({ ticketLifetime }) => ticketLifetime <= SEVEN_DAYS), 'more than seven days'),
  },
  {
    ...TLS13,
    id: 'server/tickets/nonces',
    title: 'the nonces of the tickets of a connection',
    clause: 'RFC 9846 §4.7.1',
    reason: 'The nonce is all that makes the PSKs of a connection differ.',
    severity: 'should',
    expect: ['conforms'],
    run: (bench) =>
      look(bench, 2, (all) => areDistinct(all.map(({ ticketNonce }) => toHex(ticketNonce))), 'a nonce comes twice'),
  },
  {
    ...TLS13,
    id: 'server/tickets/age-add',
    title: 'the ticket_age_add of the tickets of a connection',
    clause: 'RFC 9846 §4.7.1',
    reason: 'It hides the age of a ticket. The server must make a fresh one for each, or two uses can be connected.',
    severity: 'must',
    expect: ['conforms'],
    run: (bench) =>
      look(bench, 2, (all) => areDistinct(all.map(({ ticketAgeAdd }) => ticketAgeAdd)), 'one comes twice'),
  },
  {
    ...TLS13,
    id: 'server/tickets/distinct',
    title: 'the tickets of a connection',
    clause: 'RFC 9846 §4.7.1',
    reason: 'A ticket is a unique association with its PSK. The same one twice would stand for two.',
    severity: 'should',
    expect: ['conforms'],
    run: (bench) =>
      look(bench, 2, (all) => areDistinct(all.map(({ ticket }) => toHex(ticket))), 'a ticket comes twice'),
  },
  {
    ...TLS13,
    id: 'server/tickets/modes-absent',
    title: 'tickets for a client that does not say in which modes it would use them',
    clause: 'RFC 9846 §4.7.1, §4.3.9',
    reason: 'Without psk_key_exchange_modes a client cannot resume. What it is sent is lost, and is a session to keep.',
    severity: 'should',
    mechanism: 'none',
    expect: ['conforms'],
    run: async (bench) => {
      const edits = first((draft) => setExtension(draft, ExtensionType.psk_key_exchange_modes, undefined));
      const visit = await client(bench).visit({ edits });
      if (!visit.hasData) return visit.reaction;
      return visit.received('new_session_ticket').length === 0 ? 'conforms' : 'differs: it sends tickets';
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/modes-unknown-only',
    title: 'tickets for a client with a mode that nobody has',
    clause: 'RFC 9846 §4.3.9',
    reason: 'A server should not send tickets that the modes of its client do not fit.',
    severity: 'should',
    mechanism: 'none',
    expect: ['conforms'],
    run: async (bench) => {
      const edits = first((draft) => setExtension(draft, ExtensionType.psk_key_exchange_modes, Uint8Array.of(1, 0x0b)));
      const visit = await client(bench).visit({ edits });
      if (!visit.hasData) return visit.reaction;
      return visit.received('new_session_ticket').length === 0 ? 'conforms' : 'differs: it sends tickets';
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/requested-none',
    title: 'a client asks for no ticket',
    clause: 'RFC 9149 §3',
    reason: 'A server that knows the request should not send more tickets than it asks for.',
    severity: 'should',
    mechanism: 'none',
    expect: ['conforms'],
    run: async (bench) => {
      const { sent } = await counted(bench, 0);
      return sent === 0 ? 'conforms' : `differs: it sends ${sent}`;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/requested-one',
    title: 'a client asks for one ticket',
    clause: 'RFC 9149 §3',
    reason: 'A server that knows the request should not send more tickets than it asks for.',
    severity: 'should',
    mechanism: 'none',
    expect: ['conforms'],
    run: async (bench) => {
      const { sent } = await counted(bench, 1);
      return sent <= 1 ? 'conforms' : `differs: it sends ${sent}`;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/requested-many',
    title: 'a client asks for 255 tickets',
    clause: 'RFC 9149 §3',
    reason: 'A server should have a limit of its own. Without one, each handshake costs it what 255 do.',
    severity: 'should',
    mechanism: 'none',
    expect: ['conforms'],
    run: async (bench) => {
      const { sent } = await counted(bench, 255);
      return sent < 255 ? 'conforms' : `differs: it sends ${sent}`;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/request-promise-kept',
    title: 'a client asks for three tickets, and is told how many it gets',
    clause: 'RFC 9149 §3',
    reason: 'expected_count is what the client plans by. More than that nobody waits for.',
    severity: 'observed',
    mechanism: 'none',
    expect: ['conforms'],
    run: async (bench) => {
      const { promised, sent } = await counted(bench, 3);
      return sent === promised ? 'conforms' : `differs: it promises ${promised} and sends ${sent}`;
    },
  },
  ...([1, 3] as const).map(
    (length): ServerScenario => ({
      ...TLS13,
      id: `server/tickets/request-of-${length}-byte${length === 1 ? '' : 's'}`,
      title: `ticket_request with ${length} byte${length === 1 ? '' : 's'} instead of two`,
      clause: 'RFC 9149 §3, RFC 9846 §6',
      reason: 'What cannot be parsed ends the connection, where the extension is known.',
      severity: 'must',
      mechanism: 'none',
      expect: ['decode_error'],
      run: async (bench) => {
        await counted(bench, 2);
        const edits = first((draft) =>
          setExtension(draft, ExtensionType.ticket_request, new Uint8Array(length).fill(1)),
        );
        return (await client(bench).visit({ edits })).reaction;
      },
    }),
  ),
  {
    ...TLS13,
    id: 'server/tickets/bit-flips',
    title: 'a ticket with one bit changed, at each byte',
    clause: 'RFC 9846 §4.3.11, Appendix B.3.4',
    reason:
      'A changed ticket is an unknown one, wherever the change is. A server that reacts otherwise at some bytes tells how its tickets are made, or what is in them.',
    severity: 'should',
    isIntrusive: true,
    expect: ['full handshake'],
    run: async (bench) => {
      const tester = client(bench);
      const sessions = await tester.sessions(2);
      const [one, other] = sessions as readonly [Session, Session];
      if (!(await tester.visit({ sessions: [one] })).isResumed) throw new NotRun('it does not resume');
      let length = 0;
      const flip = (at: number) =>
        first((draft) => {
          const psk = onlyPsk(draft);
          ({ length } = psk.identity);
          psk.identity = psk.identity.map((byte, i) => (i === at ? byte ^ 1 : byte));
        });
      const { reaction } = await tester.visit({ sessions: [other], edits: flip(0) });
      const step = Math.ceil(length / MAX_FLIPS);
      for (let at = step; at < length; at += step) {
        const next = await tester.visit({ sessions: [other], edits: flip(at) });
        if (next.reaction !== reaction) return `differs: ${reaction} at byte 0, ${next.reaction} at byte ${at}`;
      }
      return reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/cut',
    title: 'a ticket without its last byte',
    clause: 'RFC 9846 §4.3.11',
    reason: 'It is no ticket of the server, and so an unknown PSK, which should be ignored.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      const cut = first((draft) => {
        const psk = onlyPsk(draft);
        psk.identity = psk.identity.subarray(0, -1);
      });
      return (await afterControl(client(bench), {}, { edits: cut })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/of-one-byte',
    title: 'a PSK identity of one byte',
    clause: 'RFC 9846 §4.3.11',
    reason: 'Shorter than any key name, nonce or tag that a ticket could have. It is unknown, and no more.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      const short = first((draft) => {
        onlyPsk(draft).identity = Uint8Array.of(0);
      });
      return (await afterControl(client(bench), {}, { edits: short })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/longest',
    title: 'a PSK identity of 60,000 bytes',
    clause: 'RFC 9846 §4.3.11',
    reason: 'A client may have a ticket of any length up to 2^16-1 bytes. One that is unknown should be ignored.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      const long = first((draft) => {
        onlyPsk(draft).identity = bench.randomBytes(60_000);
      });
      return (await afterControl(client(bench), {}, { edits: long })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/id-of-tls12',
    title: 'the session id of TLS 1.2 as a PSK identity',
    clause: 'RFC 9846 §4.3.11',
    reason: 'A main secret of TLS 1.2 is no PSK. Taken for one, it would be under two key schedules.',
    severity: 'should',
    expect: ['full handshake'],
    run: (bench) => crossVersion(bench, ({ id }) => id),
  },
  {
    ...TLS13,
    id: 'server/tickets/ticket-of-tls12',
    title: 'a ticket of TLS 1.2 as a PSK identity',
    clause: 'RFC 9846 §4.3.11',
    reason: 'The same keys may seal the tickets of both versions. The version has to be in them.',
    severity: 'should',
    expect: ['full handshake'],
    run: (bench) => crossVersion(bench, ({ foreign }) => foreign.ticket ?? new Uint8Array(0)),
  },
  {
    ...TLS13,
    id: 'server/tickets/another-name',
    title: 'a ticket of one host name, offered to another',
    clause: 'RFC 9846 §4.3.11',
    reason:
      'No text forbids it, but the certificate that the client accepted may not be for that name, and virtual hosts may not trust each other.',
    severity: 'observed',
    expect: ['full handshake'],
    run: async (bench) => {
      bench.need('server-name');
      const tester = client(bench);
      const sessions = await tester.sessions(2);
      const serverName = 'other.example';
      const plain = await tester.visit({ serverName });
      if (!plain.hasData) throw new NotRun(`it does not serve another name: ${plain.reaction}`);
      return (await tester.visit({ sessions: sessions.slice(0, 1), serverName })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/name-left-out',
    title: 'a ticket of a host name, in a hello without any',
    clause: 'RFC 9846 §4.3.11',
    reason: 'Who can leave the name out of a hello reaches the host that is the default, with the session of another.',
    severity: 'observed',
    expect: ['full handshake'],
    run: async (bench) => {
      bench.need('server-name');
      const edits = first((draft) => setExtension(draft, ExtensionType.server_name, undefined));
      return (await afterControl(client(bench), {}, { edits })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/name-in-capitals',
    title: 'a ticket with its own host name in capital letters',
    clause: 'RFC 6066 §3',
    reason: 'Names of hosts are the same in any case. A server need not resume, and most clients write small letters.',
    severity: 'observed',
    expect: ['resumes'],
    run: async (bench) => {
      bench.need('server-name');
      const serverName = bench.peer.serverName?.toUpperCase();
      return (await afterControl(client(bench), {}, { serverName })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/another-suite',
    title: 'a ticket with another suite of its hash alone',
    clause: 'RFC 9846 §4.2.3, §4.7.1',
    reason: 'The suite is chosen from the list of this hello, whatever the suite of the ticket was.',
    severity: 'must',
    expect: ['ignores', 'handshake_failure'],
    run: async (bench) => {
      const [session] = await client(bench).sessions();
      const others = { 4865: 'TLS_CHACHA20_POLY1305_SHA256', 4867: 'TLS_AES_128_GCM_SHA256' } as const;
      const suite = others[session.cipherSuite as keyof typeof others];
      if (suite === undefined || !(suite in CipherSuite)) throw new NotRun('its hash has no other suite');
      return (await client(bench, { ciphers: [suite] }).visit({ sessions: [session] })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/another-protocol',
    title: 'a ticket from under one application protocol, and a hello with another',
    clause: 'RFC 9846 §4.3',
    reason: 'Extensions are negotiated for each handshake. The protocol of the ticket must not come back unasked.',
    severity: 'must',
    expect: ['conforms', 'full handshake', 'no_application_protocol'],
    run: async (bench) => {
      const [session] = await client(bench, { alpn: ['http/1.1', 'h2'] }).sessions();
      const before = session.alpnProtocol;
      if (before === undefined) throw new NotRun('it has no application protocol');
      const tester = client(bench, { alpn: [before === 'h2' ? 'http/1.1' : 'h2'] });
      const { reaction } = await tester.visit({ sessions: [session] });
      return reaction === 'resumes' ? 'conforms' : reaction; // the tester refuses a protocol that it has not offered
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/used-twice',
    title: 'a ticket that is used twice',
    clause: 'RFC 9846 §8.1',
    reason: 'A server may take a ticket for one use only. Then no copy of it is good for anything.',
    severity: 'observed',
    expect: ['full handshake'],
    run: (bench) => afterEnding(bench, {}),
  },
  {
    ...TLS13,
    id: 'server/tickets/after-key-update',
    title: 'the tickets of a connection whose keys have been replaced',
    clause: 'RFC 9846 §4.7.3, §7.1',
    reason: 'The PSK comes from the resumption secret of the handshake, which a KeyUpdate does not change.',
    severity: 'should',
    expect: ['resumes'],
    run: async (bench) => {
      const tester = client(bench);
      const visit = await tester.visit({ speech: { request: REQUEST, updatesKeys: true } });
      if (!visit.hasData) return visit.reaction;
      const [session] = visit.sessions.slice(-1);
      if (session === undefined) throw new NotRun('it sends no ticket');
      return (await tester.visit({ sessions: [session] })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/after-unclean-end',
    title: 'a ticket whose connection ended without close_notify',
    clause: 'RFC 9846 §6.1',
    reason: 'Many clients close so. No text of TLS 1.3 takes their tickets away.',
    severity: 'observed',
    expect: ['resumes'],
    run: (bench) => afterEnding(bench, { faults: [faults.closeAt('application_data', { isBefore: true })] }),
  },
  {
    ...TLS13,
    id: 'server/tickets/after-alert-before-finished',
    title: 'a ticket whose resumption the client breaks off by a fatal alert in the place of Finished',
    clause: 'RFC 9846 §6',
    reason: 'Nothing was established that would have to be forgotten, and the client may try again.',
    severity: 'observed',
    expect: ['resumes'],
    run: (bench) =>
      afterEnding(bench, {
        faults: [faults.raw('finished', () => FATAL_ALERT), faults.contentType('handshake', ALERT, 2)],
      }),
  },
  {
    ...TLS13,
    id: 'server/tickets/after-alert-of-client',
    title: 'the last ticket of a connection that the client has ended by a fatal alert',
    clause: 'RFC 9846 §6',
    reason:
      'The PSKs of a failed connection should be discarded if possible, which it is not where the ticket is all there is.',
    severity: 'observed',
    expect: ['full handshake'],
    run: (bench) =>
      afterAlert(bench, { speech: { request: FATAL_ALERT }, faults: [faults.contentType('application_data', ALERT)] }),
  },
  {
    ...TLS13,
    id: 'server/tickets/after-wrong-finished',
    title: 'a ticket whose resumption the server has ended for a wrong Finished',
    clause: 'RFC 9846 §6',
    reason: 'Anybody on the way can spoil a Finished. Who has the ticket should not lose it by that.',
    severity: 'observed',
    expect: ['resumes'],
    run: async (bench) => {
      const tester = client(bench);
      const sessions = await tester.sessions();
      const wrong = faults.raw('finished', (raw) => raw.map((byte, i) => (i === 4 ? byte ^ 1 : byte)));
      const { reaction } = await tester.visit({ sessions, faults: [wrong] });
      if (reaction !== 'decrypt_error') throw new NotRun(`a wrong Finished ends so: ${reaction}`);
      return (await tester.visit({ sessions })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/tickets/renewed',
    title: 'a connection that resumes is given a ticket',
    clause: 'RFC 9846 Appendix C.4',
    reason: 'A client should use a ticket once. So a server should send new ones in each connection.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      const tester = client(bench);
      const visit = await tester.visit({ sessions: await tester.sessions() });
      if (!visit.isResumed) throw new NotRun(`it does not resume: ${visit.reaction}`);
      const [sent] = visit.received<NewSessionTicket>('new_session_ticket');
      if (sent === undefined) return 'differs: it sends none';
      const before = bench.visits[0]?.received<NewSessionTicket>('new_session_ticket') ?? [];
      const isOld = before.some(({ fields }) => equalBytes(fields.ticket, sent.fields.ticket));
      return isOld ? 'differs: it sends the same again' : 'conforms';
    },
  },
];
