/** The fields of a session, and the ranges of their values. */

import { EMPTY } from '../wire/bytes.ts';
import { requireBytes } from '../wire/kind-of.ts';
import { requireObject, requireString, wrongKind } from '../wire/options.ts';
import type { Version } from '../wire/registry.ts';
import type { Scope } from './scope.ts';

/**
 * Fields of OpenSSL's SSL_SESSION that sessions made here do not have, but for `maxFragmentLength`. A session of another server keeps
 * them when it is decoded and encoded again.
 */
export interface ForeignFields {
  /** X509_V_ERR_…; 0 is X509_V_OK. Sessions made here have 0: a certificate that is not accepted ends the handshake. */
  readonly verifyResult?: number | undefined;
  readonly pskIdentityHint?: Uint8Array | undefined;
  readonly pskIdentity?: Uint8Array | undefined;
  /** Seconds. */
  readonly ticketLifetimeHint?: number | undefined;
  /** The ticket, in a session that a client has stored. */
  readonly ticket?: Uint8Array | undefined;
  readonly compressionMethod?: number | undefined;
  readonly srpUsername?: Uint8Array | undefined;
  /** Without SSL_SESS_FLAG_EXTMS, which is `extendedMasterSecret`. */
  readonly flags?: number | undefined;
  readonly maxEarlyData?: number | undefined;
  /** The code of max_fragment_length (RFC 6066 §4), 1 to 4; 0 if it was not negotiated. Also of sessions made here. */
  readonly maxFragmentLength?: number | undefined;
  /** RFC 7250 */
  readonly peerRawPublicKey?: Uint8Array | undefined;
}

/** The fields of a session as it was negotiated. Several handshakes may use a session at once, so they do not change. */
export interface SessionParameters {
  readonly version: Version;
  /** IANA's number of the cipher suite. */
  readonly cipherSuite: number;
  /** The key of the session in caches and stores, 0 to 32 bytes. TLS 1.2: the session id. TLS 1.3: the ticket of a stateful session. */
  readonly id: Uint8Array;
  /** TLS 1.2: the master secret, 48 bytes. TLS 1.3: the PSK of the ticket. */
  readonly secret: Uint8Array;
  /** When the session was made, in seconds since the epoch. */
  readonly time: number;
  /** How many seconds after `time` it may be resumed. */
  readonly timeout: number;
  /** When the full handshake at the start of the chain of resumptions took place, in seconds since the epoch. */
  readonly authTime: number;
  /** RFC 7627; always true in TLS 1.3. */
  readonly extendedMasterSecret: boolean;
  /** The session id context (OpenSSL's `sid_ctx`), at most 32 bytes. */
  readonly idContext: Uint8Array;
  /** The host name that the client sent in the full handshake. */
  readonly serverName?: string | undefined;
  /** The application protocol that was negotiated when the session was made. */
  readonly alpnProtocol?: string | undefined;
  /** IANA's number of the (EC)DHE group; 0 if there was none. */
  readonly group?: number | undefined;
  /** RFC 9846 §4.7.1, `ticket_age_add`: what a client adds to an age that counts from `time`, a whole second. */
  readonly ticketAgeAdd?: number | undefined;
  /** The conditions for resuming it; `undefined` for a session of another server, which does not state any. */
  readonly scope?: Scope | undefined;
  /** Data of the application (SSL_SESSION_set1_ticket_appdata(3)), which is encoded with the session. At most 65535 bytes. */
  readonly applicationData?: Uint8Array | undefined;
  /** The client's own certificate in DER, if it sent one in the full handshake (SSL_SESSION_get0_peer(3)). */
  readonly peerCertificate?: Uint8Array | undefined;
  readonly foreign?: ForeignFields | undefined;
}

/** @throws RangeError naming the field that is out of its range, or TypeError one that is not bytes */
export function requireRanges(parameters: SessionParameters): void {
  if (typeof parameters !== 'object' || parameters === null)
    throw wrongKind('session', 'an object', parameters, '; Session.fromDer() reads bytes');
  requireLength('id', parameters.id, 0, 32);
  requireLength('idContext', parameters.idContext, 0, 32);
  requireLength('secret', parameters.secret, 1, 512);
  requireLength('applicationData', parameters.applicationData ?? EMPTY, 0, 0xffff);
  requireSeconds('time', parameters.time);
  requireSeconds('timeout', parameters.timeout);
  requireSeconds('authTime', parameters.authTime);
  requireUint('cipherSuite', parameters.cipherSuite, 16);
  requireUint('group', parameters.group ?? 0, 32);
  requireUint('ticketAgeAdd', parameters.ticketAgeAdd ?? 0, 32);
  requireText('serverName', parameters.serverName, 0xffff);
  requireText('alpnProtocol', parameters.alpnProtocol, 255);
  const { scope, peerCertificate, foreign } = parameters;
  if (scope !== undefined) requireObject('session scope', scope);
  if (peerCertificate !== undefined) requireBytes('session peerCertificate', peerCertificate);
  if (foreign !== undefined) requireObject('session foreign', foreign);
}

export function requireLength(field: string, bytes: Uint8Array, min: number, max: number): void {
  requireBytes(`session ${field}`, bytes);
  if (bytes.length < min || bytes.length > max) {
    throw new RangeError(`session ${field} has ${bytes.length} bytes; ${min} to ${max} are possible`);
  }
}

export function requireSeconds(field: string, seconds: number): void {
  if (!Number.isSafeInteger(seconds) || seconds < 0) {
    throw new RangeError(`session ${field} is ${seconds}; whole seconds from 0 are possible`);
  }
}

function requireUint(field: string, value: number, bits: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits) {
    throw new RangeError(`session ${field} is ${value}; a uint${bits} is possible`);
  }
}

/** Names are compared and written as bytes, one a character. */
function requireText(field: string, text: string | undefined, max: number): void {
  requireString(`session ${field}`, text);
  if (text === undefined) return;
  if (text.length > max || /[^\0-\xff]/.test(text)) {
    throw new RangeError(`session ${field} is not a text of at most ${max} characters of one byte each`);
  }
}
