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
 *         key_arg               [0] IMPLICIT OCTET STRING OPTIONAL, -- read over, never written
 *         time                  [1] INTEGER OPTIONAL,
 *         timeout               [2] INTEGER OPTIONAL,
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
 *         ticket_appdata       [18] OCTET STRING OPTIONAL,          -- see TicketAppdata
 *         kex_group            [19] INTEGER DEFAULT 0,              -- always written
 *         peer_rpk             [20] OCTET STRING OPTIONAL }         -- all of them EXPLICIT but [0]
 */

import { ascii, copyOf, EMPTY, latin1 } from '../wire/bytes.ts';
import { type Codec, DecodeError, decode, encode, opaque, struct, uint8, uint32 } from '../wire/codec.ts';
import {
  DerError,
  DerReader,
  explicit,
  explicitTag,
  implicitTag,
  integer,
  octetString,
  sequence,
  Tag,
} from '../wire/der.ts';
import { PemError, parsePem } from '../wire/pem.ts';
import { ProtocolVersion, type Version } from '../wire/registry.ts';
import { ScopeCodec } from './scope.ts';
import type { ForeignFields, SessionParameters } from './session.ts';

/** What PEM_write_SSL_SESSION(3) puts behind BEGIN. */
export const SESSION_PEM_LABEL = 'SSL SESSION PARAMETERS';

/** d2i_SSL_SESSION(3) gives this to a session that says nothing of its timeout. */
const DEFAULT_TIMEOUT = 3;
const EXTENDED_MASTER_SECRET = 1;
const UINT32 = 0xffffffff;
/** ssl_asn1.c: verify_result is an int32_t. */
const INT32 = 0x7fffffff;
const MAX_OCTETS = 0xffff;
/** RFC 8446 §4.4.2: what a Certificate message can carry. */
const MAX_CERTIFICATE = 0xffffff;

/** Bytes that are not a session we could have: says what is wrong, and with which field of SSLSession. */
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

/** The bytes hold the secret in the clear: seal them, or keep them where the key of the certificate could be kept. */
export function sessionToDer(session: SessionParameters): Uint8Array {
  const { version, cipherSuite, serverName, alpnProtocol, foreign = {} } = session;
  const isMarked = session.extendedMasterSecret && version === 'TLSv1.2';
  return sequence(
    integer(1),
    integer(ProtocolVersion[version]),
    octetString(Uint8Array.of(cipherSuite >> 8, cipherSuite & 0xff)),
    octetString(session.id),
    octetString(session.secret),
    integerField(1, session.time),
    integerField(2, session.timeout),
    session.peerCertificate === undefined ? EMPTY : explicit(3, session.peerCertificate),
    explicit(4, octetString(session.idContext)),
    integerField(5, foreign.verifyResult),
    octetsField(6, serverName === undefined ? undefined : ascii(serverName)),
    octetsField(7, foreign.pskIdentityHint),
    octetsField(8, foreign.pskIdentity),
    integerField(9, foreign.ticketLifetimeHint),
    octetsField(10, foreign.ticket),
    foreign.compressionMethod ? explicit(11, octetString(Uint8Array.of(foreign.compressionMethod))) : EMPTY,
    octetsField(12, foreign.srpUsername),
    integerField(13, ((foreign.flags ?? 0) | (isMarked ? EXTENDED_MASTER_SECRET : 0)) >>> 0),
    integerField(14, session.ticketAgeAdd),
    integerField(15, foreign.maxEarlyData),
    octetsField(16, alpnProtocol === undefined ? undefined : ascii(alpnProtocol)),
    integerField(17, foreign.maxFragmentLength),
    octetsField(18, ticketAppdata(session)),
    explicit(19, integer(session.group ?? 0)),
    octetsField(20, foreign.peerRawPublicKey),
  );
}

function integerField(n: number, value = 0): Uint8Array {
  return value === 0 ? EMPTY : explicit(n, integer(value));
}

function octetsField(n: number, value: Uint8Array | undefined): Uint8Array {
  return value === undefined ? EMPTY : explicit(n, octetString(value));
}

/**
 * What {@link sessionToDer} wrote, or OpenSSL; its `secret` is a view of `bytes`. Suites that are not ours are let
 * through. A time that is missing, or is later than `now` (seconds since the epoch), is `now`; without `now` it is 0,
 * or what it is. Stricter than OpenSSL: nothing may follow, and a negative time or timeout, which is an expired
 * session, is refused.
 * @throws SessionDecodeError
 */
export function sessionFromDer(bytes: Uint8Array, now?: number): SessionParameters {
  try {
    const outer = new DerReader(bytes);
    const body = outer.enter(Tag.sequence);
    outer.finish();
    const parameters = readSession(body, now);
    const tag = body.peekTag();
    if (tag !== undefined) throw new SessionDecodeError('session', `tag ${tag} is unknown or out of order`);
    return parameters;
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new SessionDecodeError(error.path || 'session', error.reason, { cause: error });
  }
}

/**
 * The DER in the first block of a text that has the label of a session; blocks of others, as the certificates of
 * `s_client`, are passed over. The bytes are the caller's to wipe.
 * @throws SessionDecodeError
 */
export function sessionDerInPem(text: string): Uint8Array {
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

/** Initialisers run in the order in which they are written, which is the order of the fields. */
function readSession(body: DerReader, now: number | undefined): SessionParameters {
  if (body.integer('version') !== 1) throw new SessionDecodeError('version', 'not 1');
  const version = versionOf(body.integer('ssl_version'));
  const [high = 0, low = 0] = requireSize('cipher', body.octets('cipher'), 2, 2);
  const id = requireSize('session_id', body.octets('session_id'), 0, 32);
  const [min, max] = version === 'TLSv1.2' ? [48, 48] : [1, 512]; // RFC 5246 §8.1
  const secret = requireSize('master_key', body.octets('master_key'), min, max);
  body.optional(implicitTag(0), 'key_arg');
  const time = notAfter(now, readInteger(body, 1, 'time', Number.MAX_SAFE_INTEGER));
  const timeout = readInteger(body, 2, 'timeout', Number.MAX_SAFE_INTEGER) || DEFAULT_TIMEOUT;
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
  const own = readTicketAppdata(body, time);
  const group = readInteger(body, 19, 'kex_group');
  const peerRawPublicKey = readOctets(body, 20, 'peer_rpk');
  const isMarked = version === 'TLSv1.2' && flags % 2 === EXTENDED_MASTER_SECRET;
  // Written out: putting objects of twenty fields together takes longer than reading them.
  return {
    version,
    cipherSuite: 256 * high + low,
    id,
    secret,
    time,
    timeout,
    authTime: own.authTime,
    extendedMasterSecret: isMarked || version === 'TLSv1.3',
    idContext,
    serverName: hostname && latin1(hostname),
    alpnProtocol: alpn && latin1(alpn),
    group,
    ticketAgeAdd,
    scope: own.scope,
    applicationData: own.applicationData,
    peerCertificate,
    foreign: {
      verifyResult,
      pskIdentityHint: client.pskIdentityHint,
      pskIdentity: client.pskIdentity,
      ticketLifetimeHint: client.ticketLifetimeHint,
      ticket: client.ticket,
      compressionMethod: client.compressionMethod,
      srpUsername: client.srpUsername,
      flags: isMarked ? flags - EXTENDED_MASTER_SECRET : flags,
      maxEarlyData,
      maxFragmentLength,
      peerRawPublicKey,
    },
  };
}

/** [7] to [12]: what only clients have, or what died with its cipher suites. */
function readClientFields(body: DerReader): ForeignFields {
  return {
    pskIdentityHint: readText(body, 7, 'psk_identity_hint'),
    pskIdentity: readText(body, 8, 'psk_identity'),
    ticketLifetimeHint: readInteger(body, 9, 'ticket_lifetime_hint'),
    ticket: readOctets(body, 10, 'ticket'),
    compressionMethod: readOctets(body, 11, 'comp_id', 1, 1)?.[0],
    srpUsername: readText(body, 12, 'srp_username'),
  };
}

function versionOf(wire: number): Version {
  if (wire === ProtocolVersion['TLSv1.2']) return 'TLSv1.2';
  if (wire === ProtocolVersion['TLSv1.3']) return 'TLSv1.3';
  throw new SessionDecodeError('ssl_version', `${wire} is neither TLS 1.2 nor TLS 1.3`);
}

/** OpenSSL lets a session from the future live longer; here its time begins now. */
function notAfter(now: number | undefined, time: number): number {
  if (now === undefined) return time;
  return time === 0 ? now : Math.min(time, now);
}

function readInteger(body: DerReader, n: number, name: string, max = UINT32): number {
  const field = body.optional(explicitTag(n), name);
  const value = field?.integer() ?? 0;
  field?.finish();
  if (value > max) throw new SessionDecodeError(name, `${value} is more than ${max}`);
  return value;
}

/** A copy, so that nothing but the secret lies in the bytes that are wiped after use. */
function readOctets(body: DerReader, n: number, name: string, min = 0, max = MAX_OCTETS): Uint8Array | undefined {
  const field = body.optional(explicitTag(n), name);
  const octets = field?.octets();
  field?.finish();
  return octets && copyOf(requireSize(name, octets, min, max));
}

/** A C string in OpenSSL, which cuts it at a NUL: another name than the one that was negotiated. */
function readText(body: DerReader, n: number, name: string): Uint8Array | undefined {
  const octets = readOctets(body, n, name);
  if (octets?.includes(0)) throw new SessionDecodeError(name, 'a NUL in it');
  return octets;
}

/** The leaf, unread: it was judged when the session was made. */
function readCertificate(body: DerReader): Uint8Array | undefined {
  const field = body.optional(explicitTag(3), 'peer');
  if (field !== undefined && field.peekTag() !== Tag.sequence) throw new SessionDecodeError('peer', 'no certificate');
  const certificate = field?.raw();
  field?.finish();
  return certificate && copyOf(requireSize('peer', certificate, 0, MAX_CERTIFICATE));
}

function requireSize(name: string, bytes: Uint8Array, min: number, max: number): Uint8Array {
  if (bytes.length >= min && bytes.length <= max) return bytes;
  throw new SessionDecodeError(name, `${bytes.length} bytes, outside ${min}..${max}`);
}

/** Seconds since the epoch. */
const uint64: Codec<number> = {
  read: (reader) => {
    const value = reader.uint(8);
    if (!Number.isSafeInteger(value)) throw new DecodeError(`${value} seconds`);
    return value;
  },
  write: (writer, value) => writer.uint(8, value),
};

/** "TLSR" */
const MAGIC = 0x544c5352;
const MAGIC_BYTES = ascii('TLSR');
const FORMAT = 2;

/**
 * What SSLSession has no field for travels in the one that is the application's, with the application's own data:
 *
 *     struct {
 *         uint32 magic = 0x544c5352;          // "TLSR"
 *         uint8  format = 2;
 *         uint64 auth_time;                   // seconds since the epoch
 *         ScopeEntry scope<0..2^16-1>;        // see scope.ts; empty: none
 *         opaque application_data<0..2^16-1>;
 *     } TicketAppdata;
 *
 * A ticket_appdata without the magic is application data, and `auth_time` is then `time`. So it is also written where
 * this says all, and bytes of OpenSSL's come back as they were.
 */
const TicketAppdata = struct({
  magic: uint32,
  format: uint8,
  authTime: uint64,
  scope: ScopeCodec,
  applicationData: opaque(0, MAX_OCTETS),
});

const MAX_TICKET_APPDATA = 4 + 1 + 8 + 2 * (2 + MAX_OCTETS);

function isTicketAppdata(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && MAGIC_BYTES.every((byte, i) => bytes[i] === byte);
}

function ticketAppdata({ time, authTime, scope, applicationData = EMPTY }: SessionParameters): Uint8Array | undefined {
  if (authTime !== time || scope !== undefined || isTicketAppdata(applicationData)) {
    return encode(TicketAppdata, { magic: MAGIC, format: FORMAT, authTime, scope, applicationData });
  }
  return applicationData.length === 0 ? undefined : applicationData;
}

function readTicketAppdata(
  body: DerReader,
  time: number,
): Pick<SessionParameters, 'authTime' | 'scope' | 'applicationData'> {
  const octets = readOctets(body, 18, 'ticket_appdata', 0, MAX_TICKET_APPDATA) ?? EMPTY;
  if (!isTicketAppdata(octets)) {
    return { authTime: time, applicationData: requireSize('ticket_appdata', octets, 0, MAX_OCTETS) };
  }
  try {
    const { format, authTime, scope, applicationData } = decode(TicketAppdata, octets);
    if (format !== FORMAT) throw new DecodeError(`format ${format} is not known`);
    return { authTime: Math.min(authTime, time), scope, applicationData };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new SessionDecodeError(['ticket_appdata', ...error.path].join('.'), error.reason, { cause: error });
  }
}
