/** A session as text and as JSON: every field, and its secrets only on request. */

import { printable } from '../judges/printable.ts';
import { SCOPE_FIELDS } from '../sessions/scope.ts';
import type { Session } from '../sessions/session.ts';
import { latin1, toHex } from '../wire/bytes.ts';
import { CipherSuite, NamedGroup, nameOf } from '../wire/registry.ts';

/** A ticket, and the key that opened it. */
export interface SealedBy {
  /** Bytes. */
  readonly length: number;
  /** Hexadecimal. */
  readonly keyName: string;
  readonly producer?: string | undefined;
  readonly file?: string | undefined;
  readonly format: string | undefined;
}

/** Where a session was found. */
export interface Origin {
  readonly sealedBy?: SealedBy | undefined;
  /** The server that the client of `node:tls` was talking to, if the session says so. */
  readonly nodeHost?: string | undefined;
}

export type SessionDescription = ReturnType<typeof describeSession>;

/** Bytes are hexadecimal, and times are ISO 8601. A field is `null` if it is absent or not shown. */
export function describeSession(session: Session, { sealedBy, nodeHost }: Origin, showSecrets: boolean) {
  const { secret, idContext, applicationData, scope, foreign, time, timeout } = session;
  return {
    nodeHost: nodeHost ?? null,
    ticket: sealedBy ?? null,
    version: session.version,
    cipherSuite: nameOf(CipherSuite, session.cipherSuite),
    id: toHex(session.id),
    idContext: toHex(idContext),
    idContextText: textIn(idContext),
    secret: showSecrets ? toHex(secret) : null,
    secretLength: secret.length,
    time: isoTime(time),
    timeout,
    expires: isoTime(session.expires),
    authTime: isoTime(session.authTime),
    extendedMasterSecret: session.extendedMasterSecret,
    serverName: session.serverName ?? null,
    alpnProtocol: session.alpnProtocol ?? null,
    group: session.group === 0 ? null : nameOf(NamedGroup, session.group),
    ticketAgeAdd: session.ticketAgeAdd,
    scope: scope ?? null,
    applicationData: showSecrets ? toHex(applicationData) : null,
    applicationDataLength: applicationData.length,
    peerCertificateLength: session.peerCertificate?.length ?? 0,
    ...describeForeign(foreign),
  };
}

/** Fields that only sessions of clients or of other servers have. */
function describeForeign(foreign: Session['foreign']) {
  return {
    verifyResult: foreign.verifyResult ?? 0,
    pskIdentityHint: foreign.pskIdentityHint === undefined ? null : latin1(foreign.pskIdentityHint),
    pskIdentity: foreign.pskIdentity === undefined ? null : latin1(foreign.pskIdentity),
    ticketLifetimeHint: foreign.ticketLifetimeHint ?? 0,
    clientTicketLength: foreign.ticket?.length ?? 0,
    compressionMethod: foreign.compressionMethod ?? 0,
    srpUsername: foreign.srpUsername === undefined ? null : latin1(foreign.srpUsername),
    flags: foreign.flags ?? 0,
    maxEarlyData: foreign.maxEarlyData ?? 0,
    maxFragmentLength: foreign.maxFragmentLength ?? 0,
    peerRawPublicKeyLength: foreign.peerRawPublicKey?.length ?? 0,
  };
}

/** One line a field. Rare fields are left out if they are absent. */
export function textOf(description: SessionDescription): string[] {
  const parts = [hostRows, ticketRows, rows, scopeRows, foreignRows];
  return parts.flatMap((part) => part(description)).map(([name, value]) => `${name.padEnd(27)}${printable(value)}`);
}

type Row = readonly [name: string, value: string];

function hostRows({ nodeHost }: SessionDescription): Row[] {
  return nodeHost === null ? [] : [["Node client's host", nodeHost]];
}

function ticketRows({ ticket }: SessionDescription): Row[] {
  if (ticket === null) return [];
  return [
    ['ticket', `${ticket.length} bytes, ${ticket.format ?? 'of an unknown format'}`],
    ['key name', ticket.keyName],
    ['key', `${ticket.producer}:${ticket.file}`],
  ];
}

function rows(session: SessionDescription): Row[] {
  const { idContext, idContextText, secret, secretLength, applicationData, applicationDataLength } = session;
  return [
    ['version', session.version],
    ['cipher suite', session.cipherSuite],
    ['session id', session.id || '-'],
    ['session id context', contextText(idContext, idContextText)],
    [session.version === 'TLSv1.3' ? 'PSK' : 'master secret', secret ?? hidden(secretLength)],
    ['made', session.time],
    ['expires', `${session.expires} (timeout ${session.timeout} s)`],
    ['full handshake', session.authTime],
    ['extended master secret', session.extendedMasterSecret ? 'yes' : 'no'],
    ['server name', session.serverName ?? '-'],
    ['ALPN', session.alpnProtocol ?? '-'],
    ['group', session.group ?? '-'],
    ['ticket age add', String(session.ticketAgeAdd)],
    ['application data', applicationDataLength === 0 ? '-' : (applicationData ?? hidden(applicationDataLength))],
  ];
}

function contextText(hex: string, text: string | null): string {
  if (hex === '') return '-';
  return text === null ? `hex:${hex}` : `hex:${hex} (the text '${text}')`;
}

/** Some are words, some are digests. */
function textIn(bytes: Uint8Array): string | null {
  const text = latin1(bytes);
  return /^[\x20-\x7e]*$/.test(text) ? text : null;
}

function hidden(length: number): string {
  return `${length} bytes, not shown without --show-secrets`;
}

function scopeRows({ scope, clientTicketLength }: SessionDescription): Row[] {
  if (scope === null && clientTicketLength > 0)
    return [['scope', "- (known to the server alone: this is a client's session)"]];
  if (scope === null) return [['scope', '- (of another server: resumes with foreign: true only)']];
  return SCOPE_FIELDS.map((field) => [`scope ${field}`, scope[field] ?? '-'] as const);
}

function foreignRows(session: SessionDescription): Row[] {
  const all: readonly (readonly [string, string | number | null])[] = [
    ['peer certificate', bytes(session.peerCertificateLength)],
    ['verify result', session.verifyResult],
    ['PSK identity hint', session.pskIdentityHint],
    ['PSK identity', session.pskIdentity],
    ['ticket lifetime hint', session.ticketLifetimeHint === 0 ? null : `${session.ticketLifetimeHint} s`],
    ["client's ticket", bytes(session.clientTicketLength)],
    ['compression method', session.compressionMethod],
    ['SRP username', session.srpUsername],
    ['flags', session.flags],
    ['max early data', session.maxEarlyData],
    ['max fragment length code', session.maxFragmentLength],
    ['peer raw public key', bytes(session.peerRawPublicKeyLength)],
  ];
  return all.filter(([, value]) => value !== null && value !== 0).map(([name, value]) => [name, String(value)]);
}

function bytes(length: number): string | null {
  return length === 0 ? null : `${length} bytes`;
}

/** The last time that a Date can hold, in seconds. */
const LAST_DATE = 8.64e12;

function isoTime(seconds: number): string {
  return seconds > LAST_DATE ? `${seconds} s` : new Date(seconds * 1000).toISOString();
}
