/** What a probe has found, for people and for programs. */

import type { Reaction } from '../testing/scenarios/visit.ts';
import { CipherSuite } from '../wire/registry.ts';
import type { Probe, TicketFacts, VersionFacts } from './probe.ts';
import { producersOf, randomnessText } from './probe.ts';
import { aligned, type ReportedResult, resultOf, sorted } from './report.ts';
import type { KeySeen } from './ticket-structure.ts';

/** What a probe says in JSON. */
export interface ProbeReport {
  /** Of the shape of this object. */
  readonly version: 1;
  readonly host: string;
  readonly port: number;
  readonly serverName: string | null;
  /** When it began, in milliseconds since the epoch. */
  readonly time: number;
  readonly connections: number;
  readonly versions: readonly VersionFacts[];
  readonly tls11: Reaction | undefined;
  /** Who may make its tickets. */
  readonly producers: readonly string[];
  readonly keys: readonly KeySeen[];
  readonly keyChange: Probe['keyChange'];
  readonly results: readonly ReportedResult[];
}

/** Who was probed. */
export type Probed = Pick<ProbeReport, 'host' | 'port' | 'serverName'>;

/** Returns what is told of a probe: without its connections, which are not for JSON. */
export function reportOf({ judgements, ...facts }: Probe, probed: Probed): ProbeReport {
  const results = sorted(judgements.map((judgement) => resultOf(judgement, new Set())));
  return { version: 1, ...probed, ...facts, producers: producersOf(facts.versions), results };
}

/** Whether a result fails a probe: a rule that binds the server is broken, or all the world knows the key of its tickets. */
export function failsProbe({ verdict, severity, id }: ReportedResult): boolean {
  return verdict === 'finding' && (severity === 'must' || id === 'probe/keys/secret');
}

/** Whether a probe fails. */
export function probeFails({ results }: ProbeReport): boolean {
  return results.some(failsProbe);
}

/** A row: what it is about, and what is so. */
export type Fact = readonly [string, string];

/** What was seen, without a verdict. */
export function probeFacts(report: ProbeReport): readonly Fact[] {
  const { versions, producers, tls11 } = report;
  const older: readonly Fact[] = tls11 === undefined ? [] : [['TLSv1.1', olderText(tls11)]];
  const makers: readonly Fact[] = producers.length === 0 ? [] : [['tickets made by, perhaps', producers.join(', ')]];
  return [...versions.flatMap((one) => ofVersion(one)), ...older, ...makers, ...ofKeys(report)];
}

/** What this client is answered in TLS 1.1 it refuses. */
function olderText(tls11: Reaction): string {
  return tls11.startsWith('differs') || tls11 === 'resumes' || tls11 === 'full handshake'
    ? 'the server answers such a hello'
    : `no handshake: ${tls11}`;
}

function ofVersion({ version, handshake, suite, tickets, ...facts }: VersionFacts): Fact[] {
  if (suite === undefined) return [[version, `no handshake: ${handshake}`]];
  const name = Object.entries(CipherSuite).find(([, id]) => id === suite)?.[0] ?? `0x${suite.toString(16)}`;
  const rows: (readonly [string, string | undefined])[] = [
    [version, name],
    ['  id', facts.idLength === undefined ? undefined : idText(facts)],
    ['  tickets', tickets === undefined ? undefined : countText(tickets)],
    ...(tickets === undefined || tickets.lengths.length === 0 ? [] : ofTickets(tickets)),
    ['  resumption by ticket', facts.byTicket],
    ['  early data', version === 'TLSv1.3' && (tickets?.full ?? 0) > 0 ? earlyText(tickets, facts) : undefined],
  ];
  return rows.flatMap(([label, text]) => (text === undefined ? [] : [[label, text] as const]));
}

function idText({ idLength = 0, byId }: Pick<VersionFacts, 'idLength' | 'byId'>): string {
  return idLength === 0 ? 'none, where no ticket is asked for' : `${idLength} bytes; offered: ${byId}`;
}

function countText({ full, resumed }: TicketFacts): string {
  return resumed === undefined || full === 0
    ? `${full} after a full handshake`
    : `${full} after a full handshake, ${resumed} after a resumption`;
}

function ofTickets({
  lengths,
  lifetimes,
  format,
  nonces,
  ageAdd,
}: TicketFacts): readonly (readonly [string, string | undefined])[] {
  return [
    ['  ticket length', `${lengths.join(' or ')} bytes`],
    ['  ticket lifetime', `${lifetimes.join(' or ')} s`],
    ['  ticket format', format?.layout],
    ['  ticket_nonce', nonces],
    ['  ticket_age_add', ageAdd === undefined ? undefined : randomnessText(ageAdd)],
  ];
}

function earlyText(
  tickets: TicketFacts | undefined,
  { acceptsEarlyData }: Pick<VersionFacts, 'acceptsEarlyData'>,
): string {
  if (tickets?.maxEarlyData === undefined) return 'not allowed by its tickets';
  const outcome =
    acceptsEarlyData === undefined ? 'too little for a request' : acceptsEarlyData ? 'accepted' : 'rejected';
  return `up to ${tickets.maxEarlyData} bytes; ${outcome}`;
}

function ofKeys({ keys, keyChange }: ProbeReport): Fact[] {
  const rows = keys
    .slice(0, MOST_KEYS)
    .map(({ name, tickets }): Fact => ['key name', `${name} in ${tickets} ticket${tickets === 1 ? '' : 's'}`]);
  if (keyChange === 'none') return rows;
  return [...rows, ['keys', keyChange === 'changed' ? 'changed while the probe went on' : 'come to and fro']];
}

/** A server may have a key for each connection. */
const MOST_KEYS = 10;

/** Lines of text: the facts, and the verdicts by clause. */
export function probeLines(report: ProbeReport): string[] {
  const { host, port, connections, results } = report;
  const at = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const count = (verdict: ReportedResult['verdict']) => results.filter((one) => one.verdict === verdict).length;
  const rows = results.map(({ verdict, severity, version, mechanism, clause, title, got, expected }) => [
    verdict === 'finding' ? severity : verdict,
    mechanism.startsWith('session-') ? `${version}, ${mechanism.slice('session-'.length)}` : version,
    clause,
    verdict === 'pass'
      ? `${title}: ${got}`
      : `${title}: ${got}${verdict === 'not-run' ? '' : `, not ${expected.join(' or ')}`}`,
  ]);
  return [
    `${at}, ${connections} connections`,
    '',
    ...aligned(probeFacts(report)),
    ...(rows.length === 0
      ? []
      : ['', ...aligned([['verdict', 'version', 'clause', 'what, and what came of it'], ...rows])]),
    '',
    `${count('pass')} passed, ${count('finding')} findings, ${count('differs')} differ, ${count('not-run')} not run`,
  ];
}
