/** The output of the command: one object for each event, printed as a line of JSON or as a line for people. */

import type { RemovalReason } from '../cache/callbacks.ts';
import type {
  CallbackName,
  Check,
  Mechanism,
  NoEarlyData,
  NoResumption,
  NoTicket,
  TicketFacts,
} from '../handshake/outcome.ts';
import { printable } from '../judges/printable.ts';
import type { PskMode, Version } from '../wire/registry.ts';

/** A client, and the number of its connection. */
export interface Client {
  readonly id: number;
  readonly remoteAddress: string | null;
  readonly remotePort: number | null;
}

/** The result of a handshake. A field is `null` if it does not apply. */
export interface Facts {
  readonly version: Version | null;
  readonly cipherSuite: string | null;
  /** The (EC)DHE group; `null` in a TLS 1.2 resumption and with psk_ke. */
  readonly group: string | null;
  readonly resumed: boolean;
  readonly mechanism: Mechanism | null;
  readonly pskMode: PskMode | null;
  readonly identityIndex: number | null;
  /** Why it was not resumed. */
  readonly reason: NoResumption | null;
  readonly serverName: string | null;
  readonly alpnProtocol: string | null;
  /** The signature scheme of the certificate's key; `null` after a resumption. */
  readonly signatureScheme: string | null;
}

/** The verdict on a session that the client offered. A field is `null` if it does not apply. */
export interface Offered {
  readonly mechanism: Mechanism;
  readonly identityIndex: number | null;
  readonly accepted: boolean;
  readonly reason: NoResumption | null;
  /** A remedy: what would have let it pass. */
  readonly remedy: string | null;
  /** Sealed tickets only. */
  readonly ticket: { readonly [Name in keyof TicketFacts]: Exclude<TicketFacts[Name], undefined> | null } | null;
  readonly session: string | null;
  /** Seconds, as `authAge`. */
  readonly age: number | null;
  readonly authAge: number | null;
  readonly checks: readonly Check[];
}

export interface Listening {
  readonly event: 'listening';
  readonly host: string;
  readonly port: number;
  readonly versions: readonly Version[];
  readonly certificate: 'ephemeral' | 'from files' | 'none';
}

export type Told =
  | Listening
  | ({ readonly event: 'connection' } & Client & Facts)
  | ({
      readonly event: 'handshake-failed';
      /** The RFC name of the alert; `null` if the transport ended without one. */
      readonly alert: string | null;
      /** The side that sent the alert. */
      readonly origin: 'local' | 'remote' | null;
      readonly message: string;
    } & Client)
  /** The operating system refused a connection, for example for lack of file descriptors. The server goes on. */
  | { readonly event: 'accept-failed'; readonly message: string }
  | Detail;

/** The events that only `--verbose` prints. */
export type Detail = { readonly id: number } & (
  | { readonly event: 'session-new' | 'session-refused'; readonly session: string; readonly version: Version }
  | { readonly event: 'session-removed'; readonly session: string; readonly reason: RemovalReason }
  | { readonly event: 'verdicts'; readonly verdicts: readonly Offered[] }
  | { readonly event: 'no-ticket'; readonly reason: NoTicket }
  | { readonly event: 'early-data'; readonly status: 'accepted' | 'rejected'; readonly reason: NoEarlyData | null }
  | { readonly event: 'alert'; readonly direction: 'sent' | 'received'; readonly alert: string }
  | { readonly event: 'callback-error'; readonly callback: CallbackName; readonly message: string }
  | { readonly event: 'closed'; readonly reason: 'clean' | 'idle' | 'error'; readonly message: string | null }
);

const DETAILS: readonly Told['event'][] = [
  'verdicts',
  'no-ticket',
  'early-data',
  'session-new',
  'session-removed',
  'session-refused',
  'alert',
  'callback-error',
  'closed',
];

export interface Style {
  readonly json: boolean;
  readonly verbose: boolean;
}

export type Tell = (told: Told) => void;

/** Writes a line for each event. */
export function teller({ json, verbose }: Style, write: (line: string) => void): Tell {
  return (told) => {
    if (!verbose && DETAILS.includes(told.event)) return;
    if (json) return write(JSON.stringify(told));
    for (const line of linesOf(told, verbose)) write(line);
  };
}

function linesOf(told: Told, verbose: boolean): string[] {
  if (told.event === 'verdicts') return told.verdicts.flatMap(verdictLines).map((line) => `#${told.id} ${line}`);
  const line = asText(told);
  return verbose && told.event === 'connection' ? [line, `#${told.id} ${extensions(told)}`] : [line];
}

/** One line for people. {@link verdictLines} makes the several lines of a verdict. */
export function asText(told: Exclude<Told, { event: 'verdicts' }>): string {
  if (told.event === 'listening') return listening(told);
  if (told.event === 'accept-failed') return `a connection could not be accepted: ${told.message}`;
  return `#${told.id} ${happening(told)}`;
}

/** `full (not-offered)`, or `resumed` and the mechanism, or that of an external PSK. */
export function resumptionText({
  resumed,
  mechanism,
  pskMode,
  identityIndex,
  reason,
}: Pick<Facts, 'resumed' | 'identityIndex'> & {
  readonly mechanism: string | null | undefined;
  readonly pskMode: string | null | undefined;
  readonly reason: string | null | undefined;
}): string {
  if (typeof mechanism !== 'string') return `full (${reason})`;
  const how = [mechanism, pskMode, identityIndex === null ? null : `identity ${identityIndex}`];
  return `${resumed ? 'resumed' : 'external PSK'} (${how.filter((word) => typeof word === 'string').join(', ')})`;
}

/** `127.0.0.1:8443`, `[::1]:8443` */
export function addressText(host: string | null, port: number | null): string {
  if (host === null) return 'unknown';
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listening({ host, port, versions, certificate }: Listening): string {
  const what = {
    ephemeral: 'ephemeral certificate for localhost',
    'from files': 'certificate from files',
    none: 'no certificate',
  }[certificate];
  return `listening on ${addressText(host, port)} (${versions.join(', ')}; ${what})`;
}

function happening(told: Exclude<Extract<Told, { id: number }>, { event: 'verdicts' }>): string {
  switch (told.event) {
    case 'connection':
      return [clientText(told), told.version, told.cipherSuite, told.group ?? '-', resumptionText(told)].join(' ');
    case 'handshake-failed':
      return `${clientText(told)} failed${told.origin === null ? '' : alertBy[told.origin]}: ${printable(told.message)}`;
    case 'session-new':
      return `${told.version === 'TLSv1.3' ? 'ticket sent for new session' : 'new session'} ${short(told.session)}`;
    case 'session-removed':
      return `session ${short(told.session)} removed (${told.reason})`;
    case 'session-refused':
      return `session ${short(told.session)} refused by onNew`;
    case 'no-ticket':
      return `no ticket (${told.reason})`;
    case 'early-data':
      return `early data: ${told.status}${told.reason === null ? '' : ` (${told.reason})`}`;
    case 'alert':
      return `alert ${told.direction}: ${told.alert}`;
    case 'callback-error':
      return `callback ${told.callback} failed: ${printable(told.message)}`;
    case 'closed':
      return told.message === null ? `closed (${told.reason})` : `closed (${told.reason}: ${printable(told.message)})`;
  }
}

/** The lines of a verdict: the offer and its outcome, the known facts, the checks, and the remedy. */
export function verdictLines(offered: Offered): string[] {
  const { mechanism, identityIndex, accepted, reason, checks, remedy } = offered;
  const which = identityIndex === null ? mechanism : `${mechanism}, identity ${identityIndex}`;
  const failed = checks.filter(({ passed }) => !passed).map(({ rule }) => `failed: ${rule}`);
  const passed = checks.filter(({ passed }) => passed).map(({ rule }) => rule);
  const known = [...ticketText(offered), ...sessionText(offered)];
  return [
    `offered ${which}: ${accepted ? 'accepted' : `declined (${reason})`}`,
    ...(known.length === 0 ? [] : [`  ${known.join(', ')}`]),
    ...(checks.length === 0 ? [] : [`  ${[...failed, `passed: ${passed.join(', ') || 'none'}`].join('; ')}`]),
    ...(remedy === null ? [] : [`  it takes: ${remedy}`]),
  ];
}

function ticketText({ ticket }: Offered): string[] {
  if (ticket === null) return [];
  const { keyName, format, phase, failure } = ticket;
  const key = keyName === null ? 'no key name' : `key ${keyName}`;
  const known = [format, phase].filter((word) => word !== null);
  return [known.length === 0 ? key : `${key} (${known.join(', ')})`, ...(failure === null ? [] : [failure])];
}

function sessionText({ session, age, authAge }: Offered): string[] {
  if (age === null) return [];
  const which = session === null || session === '' ? 'session' : `session ${short(session)}`;
  return [`${which} is ${age} s old`, `authenticated ${authAge} s ago`];
}

const alertBy = { local: ', alert sent', remote: ', alert received' } as const;

function extensions({ serverName, alpnProtocol, signatureScheme }: Facts): string {
  const name = serverName === null ? 'no server name' : `server name ${printable(serverName)}`;
  const protocol = alpnProtocol === null ? 'no ALPN' : `ALPN ${printable(alpnProtocol)}`;
  return `${name}, ${protocol}, ${signatureScheme === null ? 'no signature' : `signed with ${signatureScheme}`}`;
}

function clientText({ remoteAddress, remotePort }: Client): string {
  return addressText(remoteAddress, remotePort);
}

/** The beginning of a session's id, enough to tell sessions apart. */
function short(session: string): string {
  return session.length > 16 ? `${session.slice(0, 16)}…` : session;
}
