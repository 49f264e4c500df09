/** What a server does about sessions: its versions, its ids, its tickets, and a verdict for each clause that says how it should. */

import type { HelloDraft } from '../handshake/client/hello-draft.ts';
import type { Session } from '../sessions/session.ts';
import { scenarios } from '../testing/catalogue/scenarios.ts';
import { ServerBench, type TesterClient } from '../testing/scenarios/bench.ts';
import { type Judgement, judgeServer } from '../testing/scenarios/judge.ts';
import { REQUEST } from '../testing/scenarios/party.ts';
import { isExpected, type ServerScenario } from '../testing/scenarios/scenario.ts';
import { NotRun, type Reaction, type Visit } from '../testing/scenarios/visit.ts';
import type { Version } from '../wire/registry.ts';
import type { GentleServer } from './gently.ts';
import { knownKeyOf } from './known-keys.ts';
import {
  changeOf,
  type FormatGuess,
  formatOf,
  type KeyChange,
  type KeySeen,
  keysOf,
  looksRandom,
  noncesOf,
  type Randomness,
  randomnessOf,
  type TicketSample,
} from './ticket-structure.ts';

/** What is known of the tickets of one version. */
export interface TicketFacts {
  /** How many come after a full handshake, and after a resumption. */
  readonly full: number;
  readonly resumed: number | undefined;
  /** Bytes of each length that has come. */
  readonly lengths: readonly number[];
  /** Seconds, each that has come. */
  readonly lifetimes: readonly number[];
  readonly format: FormatGuess | undefined;
  readonly nonces: string | undefined;
  readonly ageAdd: Randomness | undefined;
  readonly maxEarlyData: number | undefined;
}

/** What is known of one version. */
export interface VersionFacts {
  readonly version: Version;
  /** What came of the first handshake in it; the rest is there if it was completed. */
  readonly handshake: Reaction;
  readonly suite?: number | undefined;
  readonly tickets?: TicketFacts | undefined;
  /** What the server makes of its own session, by its ticket. */
  readonly byTicket?: Reaction | undefined;
  /** TLS 1.2: the length of the ids that it hands out, and what it makes of one. */
  readonly idLength?: number | undefined;
  readonly byId?: Reaction | undefined;
  /** TLS 1.3: whether it has accepted early data; `undefined` if its tickets do not allow any. */
  readonly acceptsEarlyData?: boolean | undefined;
}

/** All that a probe has found. */
export interface Probe {
  /** When it began, in milliseconds since the epoch. */
  readonly time: number;
  readonly connections: number;
  readonly versions: readonly VersionFacts[];
  /** What came of a hello in TLS 1.1, which nobody should answer any more; `undefined` if none was sent. */
  readonly tls11: Reaction | undefined;
  /** The keys of its tickets by their names, of all versions. */
  readonly keys: readonly KeySeen[];
  readonly keyChange: KeyChange;
  readonly judgements: readonly Judgement[];
}

/** Who may make the tickets: whom all versions that have any speak for; all that one of them does where they do not agree. */
export function producersOf(versions: readonly VersionFacts[]): readonly string[] {
  const guesses = versions.flatMap(({ tickets }) => tickets?.format?.producers ?? []);
  const named = versions.filter(({ tickets }) => (tickets?.format?.producers.length ?? 0) > 0);
  const all = [...new Set(guesses)];
  const agreed = all.filter((one) => guesses.filter((other) => other === one).length === named.length);
  return agreed.length > 0 ? agreed : all;
}

/** What an earlier probe of the same server has found of its keys. */
export interface EarlierKeys {
  readonly time: number;
  readonly keys: readonly Pick<KeySeen, 'name' | 'first'>[];
}

/** What a probe may do, and when it ends. */
export interface ProbeOptions {
  /** Whether to replay early data, and to try changes of a ticket at many places. Default false. */
  readonly isIntrusive?: boolean | undefined;
  readonly earlier?: EarlierKeys | undefined;
  /** The ids of the scenarios to put. Default {@link PROBED}. */
  readonly scenarios?: readonly string[] | undefined;
  /** Called with what is asked next. */
  readonly progress?: ((what: string) => void) | undefined;
  /** Resolves when the probe is to stop, and to tell what it has. */
  readonly stop?: Promise<void> | undefined;
}

/** The scenarios of the catalogue that a probe puts, in this order: what belongs together stands together. */
export const PROBED: readonly string[] = [
  'server/psk/modes-psk-ke-only',
  'server/psk/modes-both',
  'server/psk/identity-unknown',
  'server/psk/identity-unknown-in-front',
  'server/psk/binder-wrong',
  'server/tickets/used-twice',
  'server/tickets/renewed',
  'server/tickets/another-name',
  'server/tickets/another-suite',
  'server/tickets/another-protocol',
  'server/tickets/after-unclean-end',
  'server/tickets/after-alert-of-client',
  'server/tickets/after-wrong-finished',
  'server/early-data/skipped-with-session',
  'server/early-data/another-name',
  'server/early-data/another-protocol',
  'server/early-data/replayed',
  ...['session-id', 'ticket-tls12'].flatMap((topic) =>
    ['another-name', 'suite-not-offered', 'another-protocol', 'extended-master-secret-dropped'].map(
      (what) => `server/${topic}/${what}`,
    ),
  ),
  'server/session-id/after-unclean-end',
  'server/session-id/after-alert-of-client',
  'server/session-id/after-alert-of-server',
  'server/session-id/in-hello-of-tls11',
  'server/ticket-tls12/promise-kept',
  'server/ticket-tls12/of-zeros',
  'server/tickets/ticket-of-tls12',
  'server/ticket-tls12/of-tls13',
  // Last, as they take the most connections.
  'server/tickets/bit-flips',
  'server/ticket-tls12/bit-flips',
];

const VERSIONS: readonly Version[] = ['TLSv1.3', 'TLSv1.2'];
/** Full handshakes whose tickets are compared. */
const HANDSHAKES = 3;

/** Probes a server. @throws NotRun if nobody is there */
export async function probe(server: GentleServer, options: ProbeOptions = {}): Promise<Probe> {
  const run = new Run(server, options);
  const time = server.world.now();
  const surveys: Survey[] = [];
  for (const version of VERSIONS) {
    if (run.isStopped) break;
    options.progress?.(`${version}: handshakes`);
    surveys.push(await survey(run, version));
  }
  const tls11 = run.isStopped ? undefined : await inTls11(run);
  const spoken = surveys.filter(({ facts }) => facts.suite !== undefined).map(({ facts }) => facts.version);
  const judgements: Judgement[] = [];
  for (const [scenario, version] of questions(spoken, options)) {
    if (run.isStopped) break;
    options.progress?.(`${scenario.id} (${version})`);
    const judgement = await run.untilStopped(judgeServer(scenario, server, version));
    if (judgement === undefined) break;
    run.note(judgement.visits);
    judgements.push(judgement);
  }
  const keys = keysOf(run.samples);
  return {
    time,
    connections: server.starts.length,
    versions: surveys.map((one) => withTickets(one, run.samples)),
    tls11,
    keys,
    keyChange: changeOf(keys),
    judgements: [
      ...ofTickets(run.samples, surveys),
      ...ofKeys(run.samples, keys, time, options.earlier),
      ...judgements,
    ],
  };
}

function questions(
  spoken: readonly Version[],
  { isIntrusive = false, scenarios: ids = PROBED }: ProbeOptions,
): readonly (readonly [ServerScenario, Version])[] {
  const all = scenarios.forServers();
  return ids.flatMap((id) => {
    const scenario = all.find((one) => one.id === id);
    if (scenario === undefined) throw new TypeError(`no scenario is ${id}`);
    if (scenario.isIntrusive === true && !isIntrusive) return [];
    return scenario.versions.filter((one) => spoken.includes(one)).map((version) => [scenario, version] as const);
  });
}

/** The most tickets of a connection that are looked at: those of a server that sends thousands tell no more. */
const MOST_TICKETS = 100;

/** What a probe has seen so far. */
class Run {
  readonly server: GentleServer;
  readonly samples: TicketSample[] = [];
  isStopped = false;
  readonly #stop: Promise<void>;
  #noted = 0;

  constructor(server: GentleServer, { stop = new Promise<void>(() => {}) }: ProbeOptions) {
    this.server = server;
    this.#stop = stop.then(() => {
      this.isStopped = true;
    });
  }

  /** `undefined` if the probe is to stop first. */
  untilStopped<T>(work: Promise<T>): Promise<T | undefined> {
    return Promise.race([work, this.#stop.then(() => undefined)]);
  }

  /** Keeps the tickets of connections, which are all that there were since the last call. */
  note(visits: readonly Visit[]): void {
    for (const visit of visits) {
      const connection = this.#noted++;
      const at = this.server.starts[connection] ?? 0;
      this.samples.push(...samplesOf(visit, connection, at).slice(0, MOST_TICKETS));
    }
  }
}

interface NewSessionTicket {
  readonly ticket: Uint8Array;
  readonly ticketLifetime?: number | undefined;
  readonly ticketLifetimeHint?: number | undefined;
  readonly ticketAgeAdd?: number | undefined;
  readonly ticketNonce?: Uint8Array | undefined;
  readonly extensions?: { readonly earlyData?: number | undefined } | undefined;
}

function samplesOf(visit: Visit, connection: number, at: number): TicketSample[] {
  const { version } = visit.facts;
  if (version === undefined) return [];
  return visit
    .received<NewSessionTicket>('new_session_ticket')
    .filter(({ fields }) => (fields?.ticket?.length ?? 0) > 0)
    .map(({ fields }) => ({
      version,
      at,
      connection,
      ticket: fields.ticket,
      lifetime: fields.ticketLifetime ?? fields.ticketLifetimeHint ?? 0,
      ageAdd: fields.ticketAgeAdd,
      nonce: fields.ticketNonce,
      maxEarlyData: fields.extensions?.earlyData,
    }));
}

/** What the handshakes without fault have shown. */
interface Survey {
  readonly facts: VersionFacts;
  readonly samples: readonly TicketSample[];
  readonly extendedMasterSecret: boolean;
  readonly serverName: string | undefined;
  readonly visits: readonly Visit[];
}

const GROUPS = ['x25519', 'secp256r1'] as const;

async function survey(run: Run, version: Version): Promise<Survey> {
  const bench = new ServerBench(run.server, version);
  const tester = bench.client(version === 'TLSv1.3' ? { groups: GROUPS, keyShares: GROUPS } : {});
  let facts: VersionFacts = { version, handshake: NOT_ASKED };
  try {
    const first = await tester.visit();
    facts = { version, handshake: first.reaction };
    const [message] = first.received<{ readonly cipherSuite: number }>('server_hello');
    if (!first.facts.isEstablished || message?.fields === undefined) return surveyOf(bench, run, facts);
    facts = { ...facts, suite: message.fields.cipherSuite };
    for (let count = 1; count < HANDSHAKES; count++) await tester.visit();
    const held = bench.visits.flatMap(({ sessions }) => sessions.slice(0, 1));
    facts = { ...facts, ...(await resumptions(bench, tester, held)) };
  } catch (error) {
    if (!(error instanceof NotRun) || run.server.starts.length === 0) throw error;
  } finally {
    for (const visit of bench.visits) visit.dispose();
  }
  return surveyOf(bench, run, facts);
}

const NOT_ASKED: Reaction = 'differs: it was not asked';

/** RFC 8996 §5 */
async function inTls11(run: Run): Promise<Reaction | undefined> {
  const bench = new ServerBench(run.server, 'TLSv1.2');
  const hello = (draft: HelloDraft): HelloDraft => Object.assign(draft, { legacyVersion: 0x0302 });
  try {
    return (await bench.client().visit({ edits: { hello } })).reaction;
  } catch (error) {
    if (error instanceof NotRun) return undefined;
    throw error;
  } finally {
    run.note(bench.visits);
    for (const visit of bench.visits) visit.dispose();
  }
}

/** Resumes by what the handshakes have left. */
async function resumptions(
  bench: ServerBench,
  tester: TesterClient,
  held: readonly Session[],
): Promise<Partial<VersionFacts>> {
  const [session, other] = held;
  const hasTicket = session !== undefined && (bench.version === 'TLSv1.3' || session.foreign.ticket !== undefined);
  const byTicket = hasTicket ? (await tester.visit({ sessions: [session] })).reaction : undefined;
  if (bench.version === 'TLSv1.3') return { byTicket, acceptsEarlyData: await earlyData(tester, other) };
  const plain = bench.client({ sessionTicket: false });
  const visit = await plain.visit();
  const idLength = visit.sessions[0]?.id.length ?? 0;
  return {
    byTicket,
    idLength,
    byId: idLength === 0 ? undefined : (await plain.visit({ sessions: [...visit.sessions] })).reaction,
  };
}

async function earlyData(tester: TesterClient, session: Session | undefined): Promise<boolean | undefined> {
  if (session === undefined || (session.foreign.maxEarlyData ?? 0) < REQUEST.length) return undefined;
  const visit = await tester.visit({ sessions: [session], earlyData: REQUEST });
  const [answers] = visit.received<{ readonly extensions: { readonly earlyData?: true } }>('encrypted_extensions');
  return answers?.fields?.extensions.earlyData === true;
}

function surveyOf(bench: ServerBench, run: Run, facts: VersionFacts): Survey {
  const before = run.samples.length;
  run.note(bench.visits);
  const [session] = bench.visits.flatMap(({ sessions }) => sessions);
  return {
    facts,
    samples: run.samples.slice(before),
    extendedMasterSecret: session?.extendedMasterSecret ?? false,
    serverName: bench.peer.serverName,
    visits: bench.visits,
  };
}

/** Adds what is known of the tickets, now that all have come. */
function withTickets({ facts, samples, visits, ...rest }: Survey, all: readonly TicketSample[]): VersionFacts {
  const { version, suite } = facts;
  if (suite === undefined) return facts;
  const count = (isResumed: boolean) =>
    visits
      .filter((visit) => visit.isResumed === isResumed && visit.facts.isEstablished)
      .map((visit) => samplesOf(visit, 0, 0).length);
  const same = all.filter((one) => one.version === version);
  const [first] = samples;
  const ages = same.flatMap(({ ageAdd }) => ageAdd ?? []);
  const full = samples.filter(({ connection }) => connection === first?.connection);
  const tickets: TicketFacts = {
    full: Math.max(0, ...count(false)),
    resumed: count(true).length === 0 ? undefined : Math.max(...count(true)),
    lengths: unique(samples.map(({ ticket }) => ticket.length)),
    lifetimes: unique(samples.map(({ lifetime }) => lifetime)),
    format: formatOf(ofFullHandshakes(samples, visits), { ...rest, cipherSuite: suite }),
    nonces: version === 'TLSv1.3' ? noncesOf(full.flatMap(({ nonce }) => nonce ?? [])) : undefined,
    ageAdd: version === 'TLSv1.3' ? randomnessOf(ages) : undefined,
    maxEarlyData: first?.maxEarlyData,
  };
  return { ...facts, tickets };
}

/** A resumption may have its tickets made otherwise. */
function ofFullHandshakes(samples: readonly TicketSample[], visits: readonly Visit[]): readonly TicketSample[] {
  const first = samples[0]?.connection ?? 0;
  const connections = visits.slice(0, HANDSHAKES).length;
  return samples.filter(({ connection }) => connection < first + connections);
}

function unique(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

/** The parts of a judgement that is not a scenario's. */
type Question = Pick<Judgement, 'id' | 'title' | 'clause' | 'version' | 'severity'>;

function judged(question: Question, got: () => Reaction, visits: readonly Visit[] = []): Judgement {
  const about = { side: 'server', mechanism: 'none', expected: ['conforms'], ...question, visits } as const;
  try {
    const reaction = got();
    if (isExpected(reaction, about.expected)) return { ...about, got: reaction, verdict: 'pass' };
    return { ...about, got: reaction, verdict: question.severity === 'observed' ? 'differs' : 'finding' };
  } catch (error) {
    if (error instanceof NotRun) return { ...about, got: error.message, verdict: 'not-run' };
    throw error;
  }
}

const conforms = (isRight: boolean, otherwise: string): Reaction => (isRight ? 'conforms' : `differs: ${otherwise}`);

function need(samples: readonly TicketSample[], least: number): void {
  if (samples.length < least) throw new NotRun(`${samples.length} tickets have come`);
}

const WEEK = 604_800;

/** What the tickets themselves say, of TLS 1.3. */
function ofTickets(all: readonly TicketSample[], surveys: readonly Survey[]): Judgement[] {
  const survey = surveys.find(({ facts }) => facts.version === 'TLSv1.3' && facts.suite !== undefined);
  if (survey === undefined) return [];
  const samples = all.filter(({ version }) => version === 'TLSv1.3');
  const about = { clause: 'RFC 9846 §4.7.1', version: 'TLSv1.3' } as const;
  const randomness = randomnessOf(samples.flatMap(({ ageAdd }) => ageAdd ?? []));
  const judge = (id: string, title: string, severity: Question['severity'], least: number, got: () => Reaction) =>
    judged(
      { ...about, id: `probe/tickets/${id}`, title, severity },
      () => {
        need(samples, least);
        return got();
      },
      survey.visits,
    );
  return [
    judge('lifetime', 'no ticket lives longer than seven days', 'must', 1, () => {
      const most = Math.max(...samples.map(({ lifetime }) => lifetime));
      return conforms(most <= WEEK, `${most} seconds`);
    }),
    judge('age-add-fresh', 'each ticket has a ticket_age_add of its own', 'must', 2, () =>
      conforms(randomness.areDistinct, `the same came twice, in ${randomness.count}`),
    ),
    judge('age-add-random', 'the values of ticket_age_add are random', 'should', 8, () =>
      conforms(looksRandom(randomness), randomnessText(randomness)),
    ),
    judge('nonces', 'each ticket of a connection has a nonce of its own', 'should', 2, () => noncesDiffer(samples)),
  ];
}

function noncesDiffer(samples: readonly TicketSample[]): Reaction {
  const seen = new Set<string>();
  for (const { connection, nonce } of samples) {
    const one = `${connection} ${nonce}`;
    if (seen.has(one)) return 'differs: one came twice on a connection';
    seen.add(one);
  }
  if (seen.size === new Set(samples.map(({ connection }) => connection)).size)
    throw new NotRun('it sends one ticket on each connection');
  return 'conforms';
}

/** What the bits of some values look like. */
export function randomnessText(randomness: Randomness): string {
  const { count, areDistinct, fixedBits, counts } = randomness;
  if (!areDistinct) return `${count} values, not all different`;
  if (counts) return `${count} values that count`;
  return looksRandom(randomness) ? `${count} different values` : `${count} values with ${fixedBits} bits in common`;
}

const DAY = 86_400_000;

/** What is known of the keys. */
function ofKeys(
  samples: readonly TicketSample[],
  keys: readonly KeySeen[],
  time: number,
  earlier: EarlierKeys | undefined,
): Judgement[] {
  const sealed = samples.filter(({ ticket }) => ticket.length > 32);
  const [sample] = sealed;
  if (sample === undefined) return [];
  const about = { clause: 'RFC 5077 §5.5', version: sample.version } as const;
  const secret = {
    ...about,
    id: 'probe/keys/secret',
    title: 'the key of the tickets is none that all know',
    severity: 'should',
  } as const;
  const results = [
    judged(secret, () => {
      const found = onePerKey(sealed).flatMap(({ ticket }) => knownKeyOf(ticket) ?? [])[0];
      return conforms(found === undefined, `${found}`);
    }),
    judged(
      {
        ...about,
        id: 'probe/keys/shared',
        title: 'all tickets are under one key, or one after the other',
        severity: 'observed',
      },
      () => {
        if (keys.length === 0) throw new NotRun('its tickets show no name of a key');
        return conforms(changeOf(keys) !== 'alternating', `${keys.length} keys come to and fro`);
      },
    ),
  ];
  if (earlier === undefined) return results;
  const changed = {
    ...about,
    id: 'probe/keys/changed',
    title: 'the key of the tickets changes',
    severity: 'should',
  } as const;
  return [
    ...results,
    judged(changed, () => {
      if (keys.length === 0 || earlier.keys.length === 0) throw new NotRun('its tickets show no name of a key');
      const kept = earlier.keys.filter(({ name }) => keys.some((key) => key.name === name));
      const days = (time - Math.min(...kept.map(({ first }) => first))) / DAY;
      if (kept.length > 0 && days < DAYS) throw new NotRun(`the key is ${days.toFixed(1)} days old so far`);
      return conforms(kept.length === 0, `the key of ${days.toFixed(1)} days ago is still in use`);
    }),
  ];
}

/** The longest that a ticket of TLS 1.3 lives. A key that is in use for longer opens more than any of its tickets needs. */
const DAYS = 7;

/** One ticket of each beginning: there are not more of these than keys, if keys have names. At most a few. */
function onePerKey(samples: readonly TicketSample[]): readonly TicketSample[] {
  const named = new Map(samples.map((one) => [`${one.version} ${one.ticket.subarray(0, 16)}`, one]));
  return [...named.values()].slice(0, MOST_KEYS);
}

const MOST_KEYS = 4;
