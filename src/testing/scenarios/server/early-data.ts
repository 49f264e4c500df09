/** Early data, taken or skipped: RFC 9846 §4.2.4, §4.3.10, §4.6, §8. */

import type { DraftPsk } from '../../../handshake/client/hello-draft.ts';
import type { Session } from '../../../sessions/session.ts';
import { equalBytes, toHex, utf8 } from '../../../wire/bytes.ts';
import { ExtensionType } from '../../../wire/registry.ts';
import type { World } from '../../../world.ts';
import { faults } from '../../faults.ts';
import { seededWorld } from '../../seeded-world.ts';
import type { ServerBench, TesterClient } from '../bench.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun, type Reaction, type Visit } from '../visit.ts';
import { answersOf, client, first, onlyPsk, setExtension, TLS13 } from './tls13.ts';

const EARLY = { ...TLS13, mechanism: 'early-data' } as const;
/** More than any server skips. */
const MUCH = 1 << 20;

type Options = NonNullable<Parameters<TesterClient['visit']>[0]>;

/**
 * The beginning of a request, which what is said after the handshake makes a whole one: a server that has all of it in early data may answer
 * and close before it has seen what comes next.
 */
const BEGINNING = utf8('GET / HTTP/1.0\r\nX: ');

/** The same of so many bytes: of lines that are short enough for any server. */
function beginningOf(length: number): Uint8Array {
  return utf8(`GET / HTTP/1.0\r\n${'X: y\r\n'.repeat(length / 6)}`.slice(0, length));
}

/** A PSK that no server has, under which early data can be sent all the same. */
function madeUp(bench: ServerBench): DraftPsk {
  return { identity: bench.randomBytes(64), obfuscatedTicketAge: 0, secret: bench.randomBytes(32), hash: 'sha256' };
}

/** Announces early data, whatever the session allows. */
const announced = first((draft) => setExtension(draft, ExtensionType.early_data, new Uint8Array(0)));

/** Sessions that allow early data. @throws NotRun if the server hands out none */
async function earlySessions(bench: ServerBench, tester: TesterClient, count: number): Promise<readonly Session[]> {
  bench.need('early-data');
  const sessions = await tester.sessions(count);
  if (sessions.some(({ foreign }) => (foreign.maxEarlyData ?? 0) < BEGINNING.length))
    throw new NotRun('its tickets allow no early data');
  return sessions;
}

function isAccepted(visit: Visit): boolean {
  return visit.received('encrypted_extensions').length > 0 && answersOf(visit).earlyData === true;
}

/** Returns the visit with a fault, once the server has accepted early data without it. */
async function afterAccepted(
  bench: ServerBench,
  fault: Options | ((session: Session) => Options),
  tester = client(bench),
  other = tester,
): Promise<Visit> {
  const [one, two] = (await earlySessions(bench, tester, 2)) as readonly [Session, Session];
  const control = await tester.visit({ sessions: [one], earlyData: BEGINNING });
  if (!isAccepted(control)) throw new NotRun(`it does not accept early data: ${control.reaction}`);
  return other.visit({ sessions: [two], earlyData: BEGINNING, ...(typeof fault === 'function' ? fault(two) : fault) });
}

/** What a server makes of early data that it has to reject: whether it goes on without. */
function rejection(visit: Visit): Reaction {
  return isAccepted(visit) ? 'differs: it accepts the early data' : visit.reaction;
}

/** A tester's world that has the same dice each time: two connections of it send the same hello. */
function repeating({ peer }: ServerBench, seed: string): World {
  const dice = seededWorld(seed);
  return { now: () => peer.world.now(), randomBytes: (length, label) => dice.randomBytes(length, label) };
}

function helloOf(visit: Visit): Uint8Array {
  const sent = visit.facts.trace.messages.find(
    ({ direction, name }) => direction === 'sent' && name === 'client_hello',
  );
  return sent?.raw ?? new Uint8Array(0);
}

/**
 * An age of the ticket that is not the right one. The highest number is none: modulo 2^32 it is a millisecond less than nothing, which a
 * server that knows the time of the ticket to the second alone cannot tell from the right age.
 */
const LIES = [
  { id: 'age-too-old', title: 'an hour more than the ticket has', ticketAge: 3_600_000 },
  { id: 'age-too-young', title: 'an hour less than the ticket has', ticketAge: 2 ** 32 - 3_600_000 },
  { id: 'age-half-way', title: '2^31 milliseconds, which is as far off as can be', ticketAge: 2 ** 31 },
] as const;

export const serverEarlyData: readonly ServerScenario[] = [
  {
    ...EARLY,
    id: 'server/early-data/skipped-with-session',
    title: 'early data under a session that does not allow any, or does',
    clause: 'RFC 9846 §4.3.10',
    reason: 'A server that does not take early data must skip it, and go on as if there were none.',
    severity: 'must',
    expect: ['ignores'],
    run: async (bench) => {
      const tester = client(bench);
      const sessions = await tester.sessions();
      return (await tester.visit({ sessions, edits: announced, earlyData: BEGINNING })).reaction;
    },
  },
  {
    ...EARLY,
    id: 'server/early-data/skipped-with-unknown-psk',
    title: 'early data under a PSK that the server does not know',
    clause: 'RFC 9846 §4.3.10',
    reason: 'A server that has lost its ticket keys gets early data that it cannot open. It must skip them.',
    severity: 'must',
    expect: ['full handshake'],
    run: async (bench) => {
      const tester = client(bench);
      const sessions = await tester.sessions();
      const edits = first((draft) => {
        draft.psks = [madeUp(bench)];
        setExtension(draft, ExtensionType.early_data, new Uint8Array(0));
      });
      return (await tester.visit({ sessions, edits, earlyData: BEGINNING })).reaction;
    },
  },
  {
    ...EARLY,
    id: 'server/early-data/skipped-after-retry',
    title: 'early data in front of a HelloRetryRequest',
    clause: 'RFC 9846 §4.3.10',
    reason:
      'The early data are on their way when the server asks again. It must skip all records up to the second hello.',
    severity: 'must',
    expect: ['ignores'],
    run: async (bench) => {
      const sessions = await client(bench).sessions();
      const tester = client(bench, { keyShares: [] });
      const visit = await tester.visit({ sessions, edits: announced, earlyData: BEGINNING });
      if (visit.received('hello_retry_request').length === 0) throw new NotRun('it sends no HelloRetryRequest');
      return visit.reaction;
    },
  },
  {
    ...EARLY,
    id: 'server/early-data/skipped-too-much',
    title: `early data of ${MUCH} bytes that the server cannot open`,
    clause: 'RFC 9846 §4.3.10, §4.7.1',
    reason: 'What is skipped costs the server work, and its client nothing. It should stop at what its tickets allow.',
    severity: 'should',
    isIntrusive: true,
    expect: ['unexpected_message', 'bad_record_mac', 'closes'],
    run: async (bench) => {
      const tester = client(bench);
      const sessions = await tester.sessions();
      const edits = first((draft) => {
        draft.psks = [madeUp(bench)];
        setExtension(draft, ExtensionType.early_data, new Uint8Array(0));
      });
      return (await tester.visit({ sessions, edits, earlyData: new Uint8Array(MUCH) })).reaction;
    },
  },
  {
    ...EARLY,
    id: 'server/early-data/record-does-not-open',
    title: 'early data that are accepted, and do not open',
    clause: 'RFC 9846 §4.3.10',
    reason: 'Once it has accepted, a server may not skip any more: part of the data would be missing.',
    severity: 'must',
    expect: ['bad_record_mac'],
    run: async (bench) => (await afterAccepted(bench, { faults: [faults.corrupt('application_data')] })).reaction,
  },
  {
    ...EARLY,
    id: 'server/early-data/end-missing',
    title: 'accepted early data without EndOfEarlyData',
    clause: 'RFC 9846 §4.6, §5.2',
    reason:
      'Finished is under another key than what the server reads by. Whoever changes keys unasked lets data be cut off.',
    severity: 'must',
    expect: ['bad_record_mac'],
    run: async (bench) => (await afterAccepted(bench, { faults: [faults.drop('end_of_early_data')] })).reaction,
  },
  {
    ...EARLY,
    id: 'server/early-data/end-twice',
    title: 'EndOfEarlyData twice',
    clause: 'RFC 9846 §5.1',
    reason: 'No message may stand between the one that changes the keys and the change.',
    severity: 'must',
    expect: ['unexpected_message', 'bad_record_mac'],
    run: async (bench) => (await afterAccepted(bench, { faults: [faults.repeat('end_of_early_data')] })).reaction,
  },
  {
    ...EARLY,
    id: 'server/early-data/end-with-content',
    title: 'EndOfEarlyData with a byte in it',
    clause: 'RFC 9846 §6, §4.6',
    reason: 'The message is empty. What is longer cannot be parsed.',
    severity: 'must',
    expect: ['decode_error'],
    run: async (bench) => {
      const longer = faults.raw('end_of_early_data', () => Uint8Array.of(5, 0, 0, 1, 0), { isHashed: true });
      return (await afterAccepted(bench, { faults: [longer] })).reaction;
    },
  },
  {
    ...EARLY,
    id: 'server/early-data/finished-in-place-of-end',
    title: 'a Finished under the early key, in front of EndOfEarlyData',
    clause: 'RFC 9846 §4',
    reason: 'Under the early key nothing comes but data and their end. A message out of order ends the handshake.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => {
      const early = faults.insert('end_of_early_data', Uint8Array.of(20, 0, 0, 32, ...bench.randomBytes(32)));
      return (await afterAccepted(bench, { faults: [early] })).reaction;
    },
  },
  {
    ...EARLY,
    id: 'server/early-data/too-much',
    title: 'a byte more early data than the ticket allows',
    clause: 'RFC 9846 §4.7.1',
    reason: 'The limit is what a server has to hold for somebody who has not proved that he is there.',
    severity: 'should',
    expect: ['unexpected_message', 'closes'],
    run: async (bench) => {
      const visit = await afterAccepted(bench, (session) => {
        const { maxEarlyData = 0 } = session.foreign;
        if (maxEarlyData >= MUCH) throw new NotRun(`its tickets allow ${maxEarlyData} bytes`);
        const foreign = { ...session.foreign, maxEarlyData: maxEarlyData + 1 };
        return { sessions: [session.dup({ foreign })], earlyData: beginningOf(maxEarlyData + 1) };
      });
      if (!isAccepted(visit)) throw new NotRun('it rejects these early data');
      return visit.reaction;
    },
  },
  {
    ...EARLY,
    id: 'server/early-data/skipped-to-the-limit',
    title: 'as much early data as the ticket allows, with an age that has them rejected',
    clause: 'RFC 9846 §4.3.10, §4.7.1',
    reason:
      'A client may send so much before it hears that nothing of it counts. A server that ends there breaks its own word.',
    severity: 'must',
    expect: ['ignores'],
    run: async (bench) => {
      const tester = client(bench);
      const [session] = (await earlySessions(bench, tester, 1)) as readonly [Session];
      const { maxEarlyData = 0 } = session.foreign;
      if (maxEarlyData >= MUCH) throw new NotRun(`its tickets allow ${maxEarlyData} bytes`);
      const visit = await tester.visit({
        sessions: [session],
        earlyData: new Uint8Array(maxEarlyData),
        ticketAge: 3_600_000,
      });
      if (isAccepted(visit)) throw new NotRun('it accepts these early data');
      return visit.reaction;
    },
  },
  {
    ...EARLY,
    id: 'server/early-data/second-identity',
    title: 'early data under an unknown identity, and behind it a known one',
    clause: 'RFC 9846 §4.3.10',
    reason: 'Early data are under the first PSK. A server that selects the second cannot have read them.',
    severity: 'must',
    expect: ['ignores'],
    run: async (bench) => {
      const edits = first((draft) => {
        const { obfuscatedTicketAge } = onlyPsk(draft);
        draft.psks.unshift({ ...madeUp(bench), obfuscatedTicketAge });
      });
      return rejection(await afterAccepted(bench, { edits }));
    },
  },
  ...LIES.map(
    ({ id, title, ticketAge }): ServerScenario => ({
      ...EARLY,
      id: `server/early-data/${id}`,
      title: `early data with a stated age of ${title}`,
      clause: 'RFC 9846 §4.3.10, §8.3',
      reason: 'A server must validate the age. Without that, a hello can be replayed after its record is forgotten.',
      severity: 'must',
      expect: ['ignores', 'aborts'],
      run: async (bench) => rejection(await afterAccepted(bench, { ticketAge })),
    }),
  ),
  {
    ...EARLY,
    id: 'server/early-data/another-protocol',
    title: 'early data, and another application protocol than that of the ticket',
    clause: 'RFC 9846 §4.3.10',
    reason: 'The data would be read as something else than they were written for.',
    severity: 'must',
    expect: ['ignores', 'no_application_protocol'],
    run: async (bench) => {
      const one = client(bench, { alpn: ['http/1.1'] });
      const other = client(bench, { alpn: ['h2'] });
      const visit = await afterAccepted(bench, { edits: announced }, one, other);
      const [before] = bench.visits[0]?.sessions ?? [];
      if (before?.alpnProtocol === undefined) throw new NotRun('it has no application protocol');
      return rejection(visit);
    },
  },
  {
    ...EARLY,
    id: 'server/early-data/another-suite',
    title: 'early data, and another suite than that of the ticket',
    clause: 'RFC 9846 §4.3.10',
    reason: 'The suite of the data is that of the ticket. A server that selects another cannot have read them.',
    severity: 'must',
    expect: ['ignores', 'handshake_failure'],
    run: async (bench) => {
      const visit = await afterAccepted(bench, (session) => {
        const others: Readonly<Record<number, number>> = { 4865: 0x1303, 4867: 0x1301 };
        const suite = others[session.cipherSuite];
        if (suite === undefined) throw new NotRun('its hash has no other suite');
        return {
          edits: first((draft) => {
            draft.cipherSuites = [suite];
          }),
        };
      });
      return rejection(visit);
    },
  },
  {
    ...EARLY,
    id: 'server/early-data/another-name',
    title: 'early data, and another host name than that of the ticket',
    clause: 'RFC 9846 §4.3.10, Appendix E.1',
    reason: 'What is said to one virtual host should not be done by another. No text of TLS forbids it.',
    severity: 'observed',
    expect: ['ignores', 'unrecognized_name'],
    run: async (bench) => {
      bench.need('server-name');
      return rejection(await afterAccepted(bench, { serverName: 'other.example', edits: announced }));
    },
  },
  {
    ...EARLY,
    id: 'server/early-data/replayed',
    title: 'the same hello with early data twice',
    clause: 'RFC 9846 §8',
    reason:
      'Any one instance of a server must accept the early data of one handshake once at most, or a request is done twice.',
    severity: 'must',
    isIntrusive: true,
    expect: ['ignores', 'aborts'],
    run: async (bench) => {
      const [session] = (await earlySessions(bench, client(bench), 1)) as readonly [Session];
      const seed = toHex(bench.randomBytes(16));
      const send = () => {
        const tester = client(bench, { world: repeating(bench, seed) });
        return tester.visit({ sessions: [session], earlyData: BEGINNING, ticketAge: 0 });
      };
      const once = await send();
      if (!isAccepted(once)) throw new NotRun(`it does not accept early data: ${once.reaction}`);
      const again = await send();
      if (!equalBytes(helloOf(once), helloOf(again))) throw new NotRun('the hello could not be repeated');
      return rejection(again);
    },
  },
];
