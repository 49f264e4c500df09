/** What the runner has the shim check: the flags -expect-… */

import { readFileSync } from 'node:fs';
import { ServerConnection } from 'tls-resume';
import { ClientConnection, type Session } from 'tls-resume/client';
import { type Flags, Unimplemented } from './flags.ts';
import { numberOf } from './names.ts';

export type Connection = ServerConnection | ClientConnection;

/** What a connection has been through, besides what it says itself. */
export interface Course {
  readonly flags: Flags;
  /** Whether this is the second connection, or a later one. */
  readonly isResume: boolean;
  /** The session that a client has offered. */
  readonly offered: Session | undefined;
  /** Whether a HelloRetryRequest has passed. */
  readonly hasRetried: boolean;
  readonly newSessions: readonly Session[];
}

function expectSame(what: string, got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`${what}: ${got}, where ${wanted} was expected`);
}

function expectBytes(what: string, got: Uint8Array | undefined, wanted: Uint8Array | undefined): void {
  if (wanted !== undefined && Buffer.compare(got ?? new Uint8Array(), wanted) !== 0)
    throw new Error(`${what}: not what was expected`);
}

/** Checks a connection once its handshake is complete. */
export function checkHandshake(connection: Connection, course: Course): void {
  const { flags, isResume } = course;
  expectSame('resumed', connection.resumption.resumed, isResume && !flags['expect-session-miss']);
  const numbers = [
    ['version', flags['expect-version'], numberOf('version', connection.version)],
    ['cipher suite', flags['expect-cipher'], numberOf('suite', connection.cipherSuite)],
    ['group', connection.group && flags['expect-curve-id'], numberOf('group', connection.group)], // TLS 1.2 has none where it resumes
    ['scheme', flags['expect-peer-signature-algorithm'], numberOf('scheme', connection.signatureScheme)],
  ] as const;
  for (const [what, wanted, got] of numbers) if (wanted) expectSame(what, got, wanted);
  if (flags['expect-hrr']) expectSame('HelloRetryRequest', course.hasRetried, true);
  if (flags['expect-no-hrr']) expectSame('HelloRetryRequest', course.hasRetried, false);
  if (flags['expect-extended-master-secret'] && connection.version === 'TLSv1.2')
    expectSame('extended_master_secret', connection.session?.extendedMasterSecret, true);
  checkEarlyData(connection, course);
  checkCertificates(connection, flags);
  if (connection instanceof ClientConnection) checkClient(connection, course);
  else checkServer(connection, course);
}

function checkEarlyData(connection: Connection, course: Course): void {
  const { flags } = course;
  if (flags['expect-accept-early-data']) expectSame('early data', connection.earlyData, 'accepted');
  if (flags['expect-reject-early-data'] && connection.earlyData === 'accepted')
    throw new Error('early data: accepted, where it was not to be');
  const reason = flags['expect-early-data-reason'];
  if (reason !== undefined) expectSame('early data', earlyDataReason(connection, course), reason);
}

const REFUSALS: Readonly<Record<string, string>> = {
  disabled: 'disabled',
  'not-resumed': 'session_not_resumed',
  'not-allowed': 'unsupported_for_session',
  alpn: 'alpn_mismatch',
  age: 'ticket_age_skew',
  retry: 'hello_retry_request',
};

/** BoringSSL's word for what became of early data. A client of this library knows what, and not why. */
function earlyDataReason(connection: Connection, { flags, hasRetried, offered }: Course): string | undefined {
  if (connection.earlyData === 'accepted') return 'accept';
  if (!flags['enable-early-data']) return 'disabled';
  if (connection instanceof ServerConnection) {
    if (connection.version !== 'TLSv1.3') return 'protocol_version';
    if (connection.resumption.reason === 'not-offered') return 'no_session_offered';
    const { earlyDataRefusal } = connection;
    if (earlyDataRefusal === undefined) throw new Unimplemented('why a client that resumes has sent no early data');
    return REFUSALS[earlyDataRefusal] ?? earlyDataRefusal;
  }
  if (offered === undefined) return 'no_session_offered';
  if (connection.earlyData === 'none') return 'unsupported_for_session';
  if (hasRetried) return 'hello_retry_request';
  return connection.resumption.resumed ? 'peer_declined' : 'session_not_resumed';
}

function checkCertificates(connection: Connection, flags: Flags): void {
  const wantsOne = connection instanceof ClientConnection || flags['require-any-client-certificate'];
  if (wantsOne && connection.peerCertificate === undefined) throw new Error('the peer has shown no certificate');
  const file = flags['expect-peer-cert-file'];
  if (file === undefined) return;
  const [leaf] = readFileSync(file, 'latin1').split('-----END CERTIFICATE-----');
  const der = Buffer.from((leaf ?? '').replace(/-----BEGIN CERTIFICATE-----/, ''), 'base64');
  expectBytes('certificate of the peer', connection.peerCertificate, der);
}

function checkClient(connection: ClientConnection, { flags }: Course): void {
  expectSame('ALPN', connection.alpnProtocol, flags['expect-alpn'] || undefined);
  expectBytes('OCSP response', connection.ocspResponse, flags['expect-ocsp-response']);
  const timestamps = flags['expect-signed-cert-timestamps'];
  expectBytes('SCTs', listed(connection.signedCertificateTimestamps), timestamps);
}

function listed(timestamps: readonly Uint8Array[] | undefined): Uint8Array | undefined {
  if (timestamps === undefined) return undefined;
  const prefixed = (bytes: Uint8Array) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  return prefixed(Buffer.concat(timestamps.map(prefixed)));
}

function checkServer(connection: ServerConnection, { flags, isResume, newSessions }: Course): void {
  expectSame('ALPN', connection.alpnProtocol, flags['select-alpn'] || undefined);
  const name = flags['expect-server-name'];
  if (name !== undefined) expectSame('server name', connection.serverName, name);
  if (isResume) return;
  if (flags['expect-session-id']) expectSame('a cached session', newSessions.length > 0, true);
  if (flags['expect-no-session-id']) expectSame('a cached session', newSessions.length > 0, false);
}

/** Checks a connection after its end: by then a client has its tickets. */
export function checkTickets(connection: Connection, { flags, newSessions }: Course): void {
  if (!(connection instanceof ClientConnection)) return;
  const isNew = !connection.resumption.resumed || flags['expect-ticket-renewal'] === true;
  const isGiven = connection.version === 'TLSv1.2' ? isNew : !flags['shim-shuts-down'];
  const isDue = isGiven && !flags['expect-no-session'];
  expectSame('a new session', newSessions.length > 0, isDue);
  if (!isDue || connection.version === 'TLSv1.2') return;
  const allows = (newSessions.at(-1)?.foreign.maxEarlyData ?? 0) > 0;
  expectSame('a ticket for early data', allows, flags['expect-ticket-supports-early-data'] === true);
}
