/**
 * The session: what a full handshake leaves behind and a later one resumes from (RFC 5246 §7.4.1.2, RFC 8446 §4.6.1).
 */

import { copyOf, EMPTY, wipe } from '../wire/bytes.ts';
import { encodePem } from '../wire/pem.ts';
import type { Version } from '../wire/registry.ts';
import { splitNodeSession } from './node-session.ts';
import type { Scope } from './scope.ts';
import { SESSION_PEM_LABEL, sessionDerInPem, sessionFromDer, sessionToDer } from './session-der.ts';

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

const NOTHING_FOREIGN: ForeignFields = Object.freeze({});

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

/** A copy that nobody can change, unless it is that already. */
function frozen<T extends object>(value: T): Readonly<T> {
  return Object.isFrozen(value) ? value : Object.freeze({ ...value });
}

/** A copy; of nothing there is one for all. */
function kept(bytes: Uint8Array = EMPTY): Uint8Array {
  return bytes.length === 0 ? EMPTY : copyOf(bytes);
}

/** Told when time or timeout of a session change, so that the cache which holds it can put it in its new place. */
export type Resort = (session: Session) => void;

/** The id itself, not a copy, for a cache to look at: it must not change it. */
export let ownId: (session: Session) => Uint8Array;

/**
 * One session. The count of holds guards its secret: when the last is released the secret is wiped and every use of it
 * throws. Whoever makes a session has the first hold.
 */
export class Session {
  readonly version: Version;
  readonly cipherSuite: number;
  readonly authTime: number;
  readonly extendedMasterSecret: boolean;
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  readonly group: number;
  readonly ticketAgeAdd: number;
  readonly scope: Scope | undefined;
  readonly foreign: ForeignFields;
  /** A slot for the application. It stays with this object: `toDer()` writes `applicationData` instead. */
  data: unknown;

  readonly #id: Uint8Array;
  readonly #idContext: Uint8Array;
  readonly #secret: Uint8Array;
  readonly #peerCertificate: Uint8Array | undefined;
  #applicationData: Uint8Array;
  #time: number;
  #timeout: number;
  #resumable = true;
  #holds = 1;
  #resort: Resort | undefined;

  static {
    ownId = (session) => session.#id;
  }

  /**
   * @throws RangeError naming the field that is out of its range. Secret, id, context, application data and certificate are copied.
   */
  constructor(parameters: SessionParameters) {
    requireRanges(parameters);
    this.version = parameters.version;
    this.cipherSuite = parameters.cipherSuite;
    this.authTime = parameters.authTime;
    this.extendedMasterSecret = parameters.extendedMasterSecret;
    this.serverName = parameters.serverName;
    this.alpnProtocol = parameters.alpnProtocol;
    this.group = parameters.group ?? 0;
    this.ticketAgeAdd = parameters.ticketAgeAdd ?? 0;
    const { scope } = parameters;
    this.scope = scope && frozen(scope); // many sessions share one
    this.foreign = parameters.foreign === undefined ? NOTHING_FOREIGN : frozen(parameters.foreign);
    this.#id = copyOf(parameters.id);
    this.#idContext = kept(parameters.idContext);
    this.#secret = copyOf(parameters.secret);
    this.#peerCertificate = parameters.peerCertificate && copyOf(parameters.peerCertificate);
    this.#applicationData = kept(parameters.applicationData);
    this.#time = parameters.time;
    this.#timeout = parameters.timeout;
  }

  /**
   * The session that {@link Session.toDer} or OpenSSL wrote, or that the client of node:tls has handed out, wrapped or not,
   * with one hold, the caller's. The bytes are not needed any more; who owns them wipes them. Given `now` (seconds since the
   * epoch), a time that is missing or to come becomes `now`. Given an `id`, that is the session's, whatever was written.
   * @throws SessionDecodeError saying which field is wrong @throws RangeError where `id` is too long
   */
  static fromDer(bytes: Uint8Array, now?: number, id?: Uint8Array): Session {
    return new Session(sessionFromDer(splitNodeSession(bytes).der, now, id));
  }

  /**
   * PEM_read_bio_SSL_SESSION(3): {@link Session.fromDer} of the first `SSL SESSION PARAMETERS` block of a text, which may
   * have other blocks. It must not be encrypted.
   * @throws SessionDecodeError also where there is no such block, or it is no PEM
   */
  static fromPem(text: string, now?: number): Session {
    const bytes = sessionDerInPem(text);
    try {
      return Session.fromDer(bytes, now);
    } finally {
      wipe(bytes);
    }
  }

  /** Whether it is one, and neither a Proxy nor something with its prototype. */
  static isSession(value: unknown): value is Session {
    return typeof value === 'object' && value !== null && #holds in value;
  }

  /** A copy: the caller may keep it or change it. */
  get id(): Uint8Array {
    return copyOf(this.#id);
  }

  get idContext(): Uint8Array {
    return copyOf(this.#idContext);
  }

  /** A copy; empty where there is none. */
  get applicationData(): Uint8Array {
    return copyOf(this.#applicationData);
  }

  /** SSL_SESSION_set1_ticket_appdata(3): at most 65535 bytes, which are copied. Tickets that are out have the old. */
  set applicationData(data: Uint8Array) {
    requireLength('application data', data, 0, 0xffff);
    this.#applicationData = kept(data);
  }

  /**
   * A copy of the certificate, DER, that the client showed in the full handshake; `undefined` where it showed none. Whether it was
   * accepted is {@link ForeignFields.verifyResult}: always, where the session was made here.
   */
  get peerCertificate(): Uint8Array | undefined {
    return this.#peerCertificate && copyOf(this.#peerCertificate);
  }

  /**
   * The master secret or PSK itself, not a copy: do not keep it and do not change it.
   * @throws Error once the last hold has been released
   */
  get secret(): Uint8Array {
    this.#requireHeld('secret');
    return this.#secret;
  }

  /**
   * Seconds since the epoch from which `timeout` counts. Setting it moves the session to its new place in its cache.
   */
  get time(): number {
    return this.#time;
  }

  set time(seconds: number) {
    requireSeconds('time', seconds);
    this.#time = seconds;
    this.#resort?.(this);
  }

  /** Seconds. Setting it moves the session to its new place in its cache. */
  get timeout(): number {
    return this.#timeout;
  }

  set timeout(seconds: number) {
    requireSeconds('timeout', seconds);
    this.#timeout = seconds;
    this.#resort?.(this);
  }

  /** The last second in which the session is still good. */
  get expires(): number {
    return this.#time + this.#timeout;
  }

  /** How many holds there are; 0 once the secret has been wiped. */
  get holds(): number {
    return this.#holds;
  }

  /**
   * Whether it may be resumed at all: it has an id, its secret is held and nothing has ruled it out. Expiry is not
   * looked at.
   */
  get isResumable(): boolean {
    return !this.isRuledOut && this.#id.length > 0;
  }

  /** Whether it must not be resumed, whatever else it has: it was ruled out, or its secret is gone. */
  get isRuledOut(): boolean {
    return !this.#resumable || this.#holds === 0;
  }

  /** Rules it out for good: for this object and whoever else holds it. */
  forbidResumption(): void {
    this.#resumable = false;
  }

  /** Takes one more hold; to be given back with {@link free}. @throws Error once the last hold has been released */
  upRef(): this {
    this.#requireHeld('upRef()');
    this.#holds++;
    return this;
  }

  /** Releases one hold; the last one wipes the secret. @throws Error when there is none left to release */
  free(): void {
    this.#requireHeld('free()');
    this.#holds--;
    if (this.#holds === 0) wipe(this.#secret);
  }

  /** {@link free} for the engine's own holds: who has freed once too often must not break those who have not. */
  release(): void {
    if (this.#holds > 0) this.free();
  }

  /**
   * A session of its own with the same content and one hold, in no cache. @throws Error once the last hold has been
   * released
   */
  dup(changes: Partial<SessionParameters> = {}): Session {
    const copy = new Session(Object.assign(this.parameters(), changes));
    copy.data = this.data;
    if (!this.#resumable) copy.forbidResumption();
    return copy;
  }

  /**
   * All that is needed to make this session again; the secret is the session's own. @throws Error after the last
   * release
   */
  parameters(): SessionParameters {
    return {
      version: this.version,
      cipherSuite: this.cipherSuite,
      id: this.#id,
      secret: this.secret,
      time: this.#time,
      timeout: this.#timeout,
      authTime: this.authTime,
      extendedMasterSecret: this.extendedMasterSecret,
      idContext: this.#idContext,
      serverName: this.serverName,
      alpnProtocol: this.alpnProtocol,
      group: this.group,
      ticketAgeAdd: this.ticketAgeAdd,
      scope: this.scope,
      applicationData: this.#applicationData,
      peerCertificate: this.#peerCertificate,
      foreign: this.foreign,
    };
  }

  /**
   * OpenSSL's SSL_SESSION, for a store: all of it but `data`, the holds and whether it may be resumed. The secret is in
   * it in the clear. @throws Error once the last hold has been released
   */
  toDer(): Uint8Array {
    return sessionToDer(this.parameters());
  }

  /**
   * PEM_write_bio_SSL_SESSION(3): {@link toDer} as text, which `openssl s_client -sess_in` reads. The secret is in it
   * in the clear. @throws Error once the last hold has been released
   */
  toPem(): string {
    const bytes = this.toDer();
    const text = encodePem(SESSION_PEM_LABEL, bytes);
    wipe(bytes);
    return text;
  }

  /** Whether a cache has it. */
  get isCached(): boolean {
    return this.#resort !== undefined;
  }

  /**
   * One cache per session: the cache that takes it claims it, and gives it up again with `undefined`.
   * @throws Error where another cache has it
   */
  claim(resort: Resort | undefined): void {
    if (resort !== undefined && this.#resort !== undefined) {
      throw new Error('this session is in another cache; put session.dup() into this one');
    }
    this.#resort = resort;
  }

  #requireHeld(use: string): void {
    if (this.#holds === 0) {
      throw new Error(`session.${use} after its last free(): take a hold with upRef() before you keep a session`);
    }
  }

  /** For logs: no secret in it. */
  toJSON(): Record<string, unknown> {
    return { version: this.version, cipherSuite: this.cipherSuite, serverName: this.serverName, expires: this.expires };
  }
}

function requireRanges(parameters: SessionParameters): void {
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

function requireLength(field: string, bytes: Uint8Array, min: number, max: number): void {
  if (bytes.length < min || bytes.length > max) {
    throw new RangeError(`session ${field} has ${bytes.length} bytes; ${min} to ${max} are possible`);
  }
}

function requireSeconds(field: string, seconds: number): void {
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
