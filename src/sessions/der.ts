/**
 * Sessions as bytes: OpenSSL's SSL_SESSION, as i2d_SSL_SESSION(3) writes it and d2i_SSL_SESSION(3) reads it
 * (ssl_asn1.c).
 *
 *     SSLSession ::= SEQUENCE {
 *         version               INTEGER (1),
 *         ssl_version           INTEGER,                            -- 0x0303 or 0x0304 here
 *         cipher                OCTET STRING (SIZE (2)),
 *         session_id            OCTET STRING (SIZE (0..32)),
 *         master_key            OCTET STRING (SIZE (1..512)),       -- TLS 1.2: 48
 *         key_arg               [0] IMPLICIT OCTET STRING OPTIONAL, -- skipped, never written
 *         time                  [1] INTEGER OPTIONAL,               -- always written: 0 is a second, and not "none"
 *         timeout               [2] INTEGER OPTIONAL,               -- likewise
 *         peer                  [3] Certificate OPTIONAL,
 *         sid_ctx               [4] OCTET STRING (SIZE (0..32)) OPTIONAL,      -- always written
 *         verify_result         [5] INTEGER DEFAULT 0,
 *         hostname              [6] OCTET STRING OPTIONAL,
 *         psk_identity_hint     [7] OCTET STRING OPTIONAL,
 *         psk_identity          [8] OCTET STRING OPTIONAL,
 *         ticket_lifetime_hint  [9] INTEGER DEFAULT 0,
 *         ticket               [10] OCTET STRING OPTIONAL,
 *         comp_id              [11] OCTET STRING (SIZE (1)) OPTIONAL,
 *         srp_username         [12] OCTET STRING OPTIONAL,
 *         flags                [13] INTEGER DEFAULT 0,              -- bit 0: extended master secret, in TLS 1.2
 *         ticket_age_add       [14] INTEGER DEFAULT 0,
 *         max_early_data       [15] INTEGER DEFAULT 0,
 *         alpn_selected        [16] OCTET STRING OPTIONAL,
 *         max_fragment_len_mode [17] INTEGER (0..4) DEFAULT 0,
 *         ticket_appdata       [18] OCTET STRING OPTIONAL,          -- see appdata.ts
 *         kex_group            [19] INTEGER DEFAULT 0,              -- always written
 *         peer_rpk             [20] OCTET STRING OPTIONAL }         -- all of them EXPLICIT but [0]
 */

import { ascii, copyOf, EMPTY, latin1 } from '../wire/bytes.ts';
import { DerError, DerReader, explicitTag, implicitTag, Tag } from '../wire/der.ts';
import { DerWriter } from '../wire/der-writer.ts';
import { type Pem, PemError, parsePem } from '../wire/pem.ts';
import { DecodeError } from '../wire/reader.ts';
import { ProtocolVersion, type Version } from '../wire/registry.ts';
import {
  decodeTicketAppdata,
  isTicketAppdata,
  MAX_TICKET_APPDATA,
  type OwnFields,
  writeTicketAppdata,
} from './appdata.ts';
import type { ForeignFields, SessionParameters } from './parameters.ts';

/** The label that PEM_write_SSL_SESSION(3) writes after BEGIN. */
export const SESSION_PEM_LABEL = 'SSL SESSION PARAMETERS';

/** The timeout that d2i_SSL_SESSION(3) gives to a session that states none. */
const DEFAULT_TIMEOUT = 3;
const EXTENDED_MASTER_SECRET = 1;
const UINT32 = 0xffffffff;
/** ssl_asn1.c: verify_result is an int32_t. */
const INT32 = 0x7fffffff;
const MAX_OCTETS = 0xffff;
/** RFC 9846 §4.5.1: the longest certificate that a Certificate message can carry. */
const MAX_CERTIFICATE = 0xffffff;

/** Thrown for bytes that are not a supported session. Names the field of SSLSession, or of Node's wrapping, and what is wrong with it. */
export class SessionDecodeError extends Error {
  override readonly name = 'SessionDecodeError';
  readonly field: string;
  readonly reason: string;

  constructor(field: string, reason: string, options?: ErrorOptions) {
    super(`${field}: ${reason}`, options);
    this.field = field;
    this.reason = reason;
  }
}

/** One for all calls of {@link sessionToDer}, which never waits. */
const writer = new DerWriter();

/**
 * Encodes a session. The bytes contain the secret in the clear: seal them, or store them as safely as the private key of
 * the certificate. @throws RangeError or SyntaxError if a digest of the scope is invalid
 */
export function sessionToDer(session: SessionParameters): Uint8Array {
  try {
    writeExtras(session);
    writeContext(session);
    writeHead(session);
    writer.wrap(Tag.sequence, 0);
    return writer.finish();
  } finally {
    writer.clear();
  }
}

/** From [20] back to [13]. */
function writeExtras(session: SessionParameters): void {
  const { foreign = {}, alpnProtocol } = session;
  const isMarked = session.extendedMasterSecret && session.version === 'TLSv1.2';
  octetsField(20, foreign.peerRawPublicKey);
  writer.explicitInteger(19, session.group ?? 0);
  writeApplicationData(session);
  integerField(17, foreign.maxFragmentLength);
  octetsField(16, alpnProtocol === undefined ? undefined : ascii(alpnProtocol));
  integerField(15, foreign.maxEarlyData);
  integerField(14, session.ticketAgeAdd);
  integerField(13, ((foreign.flags ?? 0) | (isMarked ? EXTENDED_MASTER_SECRET : 0)) >>> 0);
}

/** From [12] back to [3]. */
function writeContext({ foreign = {}, serverName, idContext, peerCertificate }: SessionParameters): void {
  octetsField(12, foreign.srpUsername);
  if (foreign.compressionMethod) writer.explicitOctets(11, Uint8Array.of(foreign.compressionMethod));
  octetsField(10, foreign.ticket);
  integerField(9, foreign.ticketLifetimeHint);
  octetsField(8, foreign.pskIdentity);
  octetsField(7, foreign.pskIdentityHint);
  octetsField(6, serverName === undefined ? undefined : ascii(serverName));
  integerField(5, foreign.verifyResult);
  writer.explicitOctets(4, idContext);
  if (peerCertificate === undefined) return;
  const before = writer.length;
  writer.raw(peerCertificate);
  writer.wrap(explicitTag(3), before);
}

/** From [2] back to the first. */
function writeHead({ version, cipherSuite, id, secret, time, timeout }: SessionParameters): void {
  writer.explicitInteger(2, timeout);
  writer.explicitInteger(1, time);
  writer.octetString(secret);
  writer.octetString(id);
  const before = writer.length;
  writer.uint(2, cipherSuite);
  writer.wrap(Tag.octetString, before);
  writer.integer(ProtocolVersion[version]);
  writer.integer(1);
}

function integerField(n: number, value = 0): void {
  if (value !== 0) writer.explicitInteger(n, value);
}

function octetsField(n: number, value: Uint8Array | undefined): void {
  if (value !== undefined) writer.explicitOctets(n, value);
}

/** [18] */
function writeApplicationData({ time, authTime, scope, applicationData = EMPTY }: SessionParameters): void {
  const before = writer.length;
  if (authTime !== time || scope !== undefined || isTicketAppdata(applicationData)) {
    writeTicketAppdata(writer, { authTime, scope, applicationData });
  } else if (applicationData.length === 0) return;
  else writer.raw(applicationData);
  writer.wrap(Tag.octetString, before);
  writer.wrap(explicitTag(18), before);
}

/**
 * Decodes a session that {@link sessionToDer} or OpenSSL wrote. The byte strings of the result are views of `bytes`, except
 * those in `foreign`: copy the ones that are kept. Unknown cipher suites are accepted. If `now` (seconds since the epoch) is
 * given, a time that is missing or later becomes `now`. If `id` is given, it replaces the session's own.
 *
 * Stricter than OpenSSL: trailing bytes are refused, and so is a negative time or timeout, which means an expired session.
 * @throws SessionDecodeError
 */
export function sessionFromDer(bytes: Uint8Array, now?: number, id?: Uint8Array): SessionParameters {
  try {
    const outer = new DerReader(bytes);
    const body = outer.enter(Tag.sequence);
    outer.finish();
    const parameters = readSession(body, now, id);
    const tag = body.peekTag();
    if (tag !== undefined) throw new SessionDecodeError('session', `tag ${tag} is unknown or out of order`);
    return parameters;
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new SessionDecodeError(error.path || 'session', error.reason, { cause: error });
  }
}

/**
 * Returns the DER in the first block of a text that has the label of a session. Other blocks, such as the certificates
 * that `s_client` prints, are skipped. The caller wipes the bytes.
 * @throws SessionDecodeError
 */
export function sessionDerInPem(text: Pem): Uint8Array {
  try {
    const block = parsePem(text).find(({ label }) => label === SESSION_PEM_LABEL);
    if (block === undefined) throw new PemError(`no ${SESSION_PEM_LABEL} block in it`);
    if (block.encrypted) throw new PemError(`the ${SESSION_PEM_LABEL} block is encrypted; take its pass phrase away`);
    return block.bytes;
  } catch (error) {
    if (!(error instanceof PemError)) throw error;
    throw new SessionDecodeError('session', error.message, { cause: error });
  }
}

/** The fields are read in the order of the statements. */
function readSession(body: DerReader, now: number | undefined, givenId: Uint8Array | undefined): SessionParameters {
  if (body.integer('version') !== 1) throw new SessionDecodeError('version', 'not 1');
  const version = versionOf(body.integer('ssl_version'));
  const suite = requireSize('cipher', body.octets('cipher'), 2, 2);
  const id = requireSize('session_id', body.octets('session_id'), 0, 32);
  const isTls12 = version === 'TLSv1.2'; // RFC 5246 §8.1
  const secret = requireSize('master_key', body.octets('master_key'), isTls12 ? 48 : 1, isTls12 ? 48 : 512);
  body.optional(implicitTag(0), 'key_arg');
  const time = notAfter(now, readOptionalInteger(body, 1, 'time', Number.MAX_SAFE_INTEGER));
  const timeout = readOptionalInteger(body, 2, 'timeout', Number.MAX_SAFE_INTEGER) ?? DEFAULT_TIMEOUT;
  const peerCertificate = readCertificate(body);
  const idContext = readOctets(body, 4, 'sid_ctx', 0, 32) ?? EMPTY;
  const verifyResult = readInteger(body, 5, 'verify_result', INT32);
  const hostname = readText(body, 6, 'hostname');
  const client = readClientFields(body);
  const flags = readInteger(body, 13, 'flags');
  const ticketAgeAdd = readInteger(body, 14, 'ticket_age_add');
  const maxEarlyData = readInteger(body, 15, 'max_early_data');
  const alpn = readOctets(body, 16, 'alpn_selected', 0, 255);
  const maxFragmentLength = readInteger(body, 17, 'max_fragment_len_mode', 4);
  const own = readApplicationData(body, time);
  const group = readInteger(body, 19, 'kex_group');
  const peerRawPublicKey = copied(readOctets(body, 20, 'peer_rpk'));
  const isMarked = isTls12 && flags % 2 === EXTENDED_MASTER_SECRET;
  const ofServers = {
    verifyResult,
    flags: isMarked ? flags - EXTENDED_MASTER_SECRET : flags,
    maxEarlyData,
    maxFragmentLength,
    peerRawPublicKey,
  };
  // Written out: merging objects of twenty fields takes longer than reading them.
  return {
    version,
    cipherSuite: 256 * (suite[0] as number) + (suite[1] as number),
    id: givenId ?? id,
    secret,
    time,
    timeout,
    authTime: own.authTime,
    extendedMasterSecret: isMarked || !isTls12,
    idContext,
    serverName: hostname && latin1(hostname),
    alpnProtocol: alpn && latin1(alpn),
    group,
    ticketAgeAdd,
    scope: own.scope,
    applicationData: own.applicationData,
    peerCertificate,
    foreign: foreignFields(client, ofServers),
  };
}

type ServerFields = Omit<ForeignFields, keyof typeof NO_CLIENT_FIELDS>;

const NO_CLIENT_FIELDS = Object.freeze({
  pskIdentityHint: undefined,
  pskIdentity: undefined,
  ticketLifetimeHint: 0,
  ticket: undefined,
  compressionMethod: undefined,
  srpUsername: undefined,
}) satisfies ForeignFields;

/** [7] to [12]: fields of clients, and of cipher suites that are not supported. */
function readClientFields(body: DerReader): ForeignFields {
  const tag = body.peekTag();
  if (tag === undefined || tag < explicitTag(7) || tag > explicitTag(12)) return NO_CLIENT_FIELDS;
  return {
    pskIdentityHint: copied(readText(body, 7, 'psk_identity_hint')),
    pskIdentity: copied(readText(body, 8, 'psk_identity')),
    ticketLifetimeHint: readInteger(body, 9, 'ticket_lifetime_hint'),
    ticket: copied(readOctets(body, 10, 'ticket')),
    compressionMethod: readOctets(body, 11, 'comp_id', 1, 1)?.[0],
    srpUsername: copied(readText(body, 12, 'srp_username')),
  };
}

/** The foreign fields of sessions made here: one object for all. */
const NONE_FOREIGN: ForeignFields = foreignFieldsOf(NO_CLIENT_FIELDS, {
  verifyResult: 0,
  flags: 0,
  maxEarlyData: 0,
  maxFragmentLength: 0,
});

function foreignFields(client: ForeignFields, server: ServerFields): ForeignFields {
  const { verifyResult, flags, maxEarlyData, maxFragmentLength, peerRawPublicKey } = server;
  const isNone = !(verifyResult || flags || maxEarlyData || maxFragmentLength || peerRawPublicKey);
  return isNone && client === NO_CLIENT_FIELDS ? NONE_FOREIGN : foreignFieldsOf(client, server);
}

function foreignFieldsOf(client: ForeignFields, server: ServerFields): ForeignFields {
  return Object.freeze({
    verifyResult: server.verifyResult,
    pskIdentityHint: client.pskIdentityHint,
    pskIdentity: client.pskIdentity,
    ticketLifetimeHint: client.ticketLifetimeHint,
    ticket: client.ticket,
    compressionMethod: client.compressionMethod,
    srpUsername: client.srpUsername,
    flags: server.flags,
    maxEarlyData: server.maxEarlyData,
    maxFragmentLength: server.maxFragmentLength,
    peerRawPublicKey: server.peerRawPublicKey,
  });
}

function copied(octets: Uint8Array | undefined): Uint8Array | undefined {
  return octets && copyOf(octets);
}

function versionOf(wire: number): Version {
  if (wire === ProtocolVersion['TLSv1.2']) return 'TLSv1.2';
  if (wire === ProtocolVersion['TLSv1.3']) return 'TLSv1.3';
  throw new SessionDecodeError('ssl_version', `${wire} is neither TLS 1.2 nor TLS 1.3`);
}

/** A session from the future starts now; OpenSSL lets it live longer. Without a time it starts now, or else in second 0. */
function notAfter(now: number | undefined, time: number | undefined): number {
  return Math.min(time ?? now ?? 0, now ?? Number.POSITIVE_INFINITY);
}

function readInteger(body: DerReader, n: number, name: string, max = UINT32): number {
  return readOptionalInteger(body, n, name, max) ?? 0;
}

/** Returns `undefined` for a field that is absent, which is another thing than one that is 0. */
function readOptionalInteger(body: DerReader, n: number, name: string, max: number): number | undefined {
  const value = body.optionalInteger(explicitTag(n), name);
  if (value !== undefined && value > max) throw new SessionDecodeError(name, `${value} is more than ${max}`);
  return value;
}

function readOctets(body: DerReader, n: number, name: string, min = 0, max = MAX_OCTETS): Uint8Array | undefined {
  const octets = body.optionalOctets(explicitTag(n), name);
  return octets && requireSize(name, octets, min, max);
}

/** OpenSSL reads a C string and cuts it at a NUL, which would make it another name than the one negotiated. */
function readText(body: DerReader, n: number, name: string): Uint8Array | undefined {
  const octets = readOctets(body, n, name);
  if (octets?.includes(0)) throw new SessionDecodeError(name, 'a NUL in it');
  return octets;
}

/** The client's certificate, not parsed: it was verified when the session was made. */
function readCertificate(body: DerReader): Uint8Array | undefined {
  const field = body.optional(explicitTag(3), 'peer');
  if (field !== undefined && field.peekTag() !== Tag.sequence) throw new SessionDecodeError('peer', 'no certificate');
  const certificate = field?.raw();
  field?.finish();
  return certificate && requireSize('peer', certificate, 0, MAX_CERTIFICATE);
}

function requireSize(name: string, bytes: Uint8Array, min: number, max: number): Uint8Array {
  if (bytes.length >= min && bytes.length <= max) return bytes;
  throw new SessionDecodeError(name, `${bytes.length} bytes, outside ${min}..${max}`);
}

/** [18] */
function readApplicationData(body: DerReader, time: number): OwnFields {
  const octets = readOctets(body, 18, 'ticket_appdata', 0, MAX_TICKET_APPDATA) ?? EMPTY;
  if (!isTicketAppdata(octets)) {
    const applicationData = requireSize('ticket_appdata', octets, 0, MAX_OCTETS);
    return { authTime: time, scope: undefined, applicationData };
  }
  try {
    const { authTime, scope, applicationData } = decodeTicketAppdata(octets);
    return { authTime: Math.min(authTime, time), scope, applicationData };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new SessionDecodeError(['ticket_appdata', ...error.path].join('.'), error.reason, { cause: error });
  }
}
