/** What a session is made of, and the ranges that its fields must keep. */

import { EMPTY } from '../wire/bytes.ts';
import type { Version } from '../wire/registry.ts';
import type { Scope } from './scope.ts';

/**
 * Fields of OpenSSL's SSL_SESSION that the engine neither fills nor asks for: a session of another server brings them
 * along, and takes them along again.
 */
export interface ForeignFields {
  /** X509_V_ERR_…; 0 is X509_V_OK. What is not 0 is another server's: here a certificate is accepted or ends the handshake. */
  readonly verifyResult?: number | undefined;
  readonly pskIdentityHint?: Uint8Array | undefined;
  readonly pskIdentity?: Uint8Array | undefined;
  /** Seconds. */
  readonly ticketLifetimeHint?: number | undefined;
  /** The ticket that a client has been given. */
  readonly ticket?: Uint8Array | undefined;
  readonly compressionMethod?: number | undefined;
  readonly srpUsername?: Uint8Array | undefined;
  /** Without SSL_SESS_FLAG_EXTMS, which is `extendedMasterSecret`. */
  readonly flags?: number | undefined;
  readonly maxEarlyData?: number | undefined;
  /** The code of RFC 6066 §4; 0 where it was not negotiated. */
  readonly maxFragmentLength?: number | undefined;
  /** RFC 7250 */
  readonly peerRawPublicKey?: Uint8Array | undefined;
}

/** What was negotiated. It is frozen: a session in use by several handshakes must not change under them. */
export interface SessionParameters {
  readonly version: Version;
  /** IANA's number of the cipher suite. */
  readonly cipherSuite: number;
  /**
   * TLS 1.2: the session id. TLS 1.3: the ticket of a stateful session, which is its key in caches and stores. 0 to 32
   * bytes.
   */
  readonly id: Uint8Array;
  /** TLS 1.2: the master secret, 48 bytes. TLS 1.3: the PSK of the ticket. The session owns and wipes it. */
  readonly secret: Uint8Array;
  /** Seconds since the epoch: when the session was made. */
  readonly time: number;
  /** Seconds that it is good for after `time`. */
  readonly timeout: number;
  /** Seconds since the epoch: the full handshake at the beginning of a chain of resumptions. */
  readonly authTime: number;
  /** RFC 7627; always true in TLS 1.3. */
  readonly extendedMasterSecret: boolean;
  /** The session id context (OpenSSL's `sid_ctx`), at most 32 bytes. */
  readonly idContext: Uint8Array;
  /** The host name of the full handshake, as the client sent it. */
  readonly serverName?: string | undefined;
  /** The application protocol that was negotiated when the session was made. */
  readonly alpnProtocol?: string | undefined;
  /** IANA's number of the (EC)DHE group; 0 where there was none. */
  readonly group?: number | undefined;
  /** RFC 8446 §4.6.1, `ticket_age_add`. */
  readonly ticketAgeAdd?: number | undefined;
  /** What it may be resumed under; `undefined` for a session of another server, which says nothing of that. */
  readonly scope?: Scope | undefined;
  /** The application's own (SSL_SESSION_set1_ticket_appdata(3)): it travels with the session. At most 65535 bytes. */
  readonly applicationData?: Uint8Array | undefined;
  /** The client's own certificate, DER, where it showed one in the full handshake (SSL_SESSION_get0_peer(3)). */
  readonly peerCertificate?: Uint8Array | undefined;
  readonly foreign?: ForeignFields | undefined;
}

/** @throws RangeError naming the field that is out of its range */
export function requireRanges(parameters: SessionParameters): void {
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
}

export function requireLength(field: string, bytes: Uint8Array, min: number, max: number): void {
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

/** Names are compared as bytes and written as bytes: one a character. */
function requireText(field: string, text: string | undefined, max: number): void {
  if (text === undefined) return;
  if (text.length > max || /[^\0-\xff]/.test(text)) {
    throw new RangeError(`session ${field} is not a text of at most ${max} characters of one byte each`);
  }
}
