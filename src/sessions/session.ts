/**
 * The session: what a full handshake leaves behind and a later one resumes from (RFC 5246 §7.4.1.2, RFC 9846 §4.7.1).
 */

import { copyOf, EMPTY, wipe } from '../wire/bytes.ts';
import { kindOf } from '../wire/kind-of.ts';
import { encodePem, type Pem } from '../wire/pem.ts';
import type { Version } from '../wire/registry.ts';
import { SESSION_PEM_LABEL, sessionDerInPem, sessionFromDer, sessionToDer } from './der.ts';
import { splitNodeSession } from './node-session.ts';
import {
  type ForeignFields,
  requireLength,
  requireRanges,
  requireSeconds,
  type SessionParameters,
} from './parameters.ts';
import { lastSecondOf, sharedCertificate } from './peer-certificate.ts';
import type { Scope } from './scope.ts';

const NOTHING_FOREIGN: ForeignFields = Object.freeze({});

const FOREIGN_OCTETS = ['pskIdentityHint', 'pskIdentity', 'ticket', 'srpUsername', 'peerRawPublicKey'] as const;

/** Returns a frozen copy, or the value itself if it is frozen already. */
function frozen<T extends object>(value: T): Readonly<T> {
  return Object.isFrozen(value) ? value : Object.freeze({ ...value });
}

/** Returns a copy. All empty ones are the same object. */
function kept(bytes: Uint8Array = EMPTY): Uint8Array {
  return bytes.length === 0 ? EMPTY : copyOf(bytes);
}

/**
 * About how many bytes of memory a session takes besides its byte strings and names: the object, its other fields, and its place in
 * a cache. Measured with V8.
 */
const OVERHEAD = 700;

/**
 * Called when the time, the timeout or the size of a session changes, so that the cache that holds it can move it to its new place
 * and count it anew.
 */
export type Resort = (session: Session) => void;

/** Returns the id itself, not a copy, for a cache to compare. The cache must not write to it. */
export let ownId: (session: Session) => Uint8Array;

/** Returns the session id context itself, not a copy. Callers must neither hand it out nor write to it. */
export let ownIdContext: (session: Session) => Uint8Array;

/** Returns the certificate itself, not a copy, for other sessions to share. Callers must neither hand it out nor write to it. */
export let ownCertificate: (session: Session) => Uint8Array | undefined;

/**
 * A session. Its secret is guarded by a count of holds: when the last hold is released the secret is wiped, and every use
 * of it throws. The caller that makes a session has the first hold.
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
  /** A slot for the application. It belongs to this object and is not encoded; `toDer()` writes `applicationData` instead. */
  data: unknown;

  readonly #id: Uint8Array;
  readonly #idContext: Uint8Array;
  readonly #secret: Uint8Array;
  readonly #peerCertificate: Uint8Array | undefined;
  /** Infinity if there is no certificate, or none that can be read, for which the rules of resumption have a word. */
  readonly #certificateExpires: number;
  #applicationData: Uint8Array;
  #time: number;
  #timeout: number;
  #resumable = true;
  #holds = 1;
  #resort: Resort | undefined;

  static {
    ownId = (session) => session.#id;
    ownIdContext = (session) => session.#idContext;
    ownCertificate = (session) => session.#peerCertificate;
  }

  /**
   * Copies secret, id, id context, application data and certificate; a copy of a session shares its certificate.
   * @throws RangeError naming the field that is out of its range
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
    this.#peerCertificate = parameters.peerCertificate && sharedCertificate(parameters.peerCertificate);
    const end = this.#peerCertificate && lastSecondOf(this.#peerCertificate);
    this.#certificateExpires = end === undefined || Number.isNaN(end) ? Number.POSITIVE_INFINITY : end;
    this.#applicationData = kept(parameters.applicationData);
    this.#time = parameters.time;
    this.#timeout = parameters.timeout;
  }

  /**
   * Reads a session that {@link Session.toDer} or OpenSSL wrote, or that a client of node:tls handed out, wrapped or not, and
   * returns it with one hold, the caller's. The bytes are not needed afterwards; their owner should wipe them. If `now` (seconds since the epoch) is given, a time that is
   * missing or in the future becomes `now`. If `id` is given, it replaces the id that was written.
   * @throws SessionDecodeError naming the field that is wrong @throws RangeError if `id` is too long
   */
  static fromDer(bytes: Uint8Array, now?: number, id?: Uint8Array): Session {
    return new Session(sessionFromDer(splitNodeSession(bytes).der, now, id));
  }

  /**
   * Reads a session from the first `SSL SESSION PARAMETERS` block of a text, as PEM_read_bio_SSL_SESSION(3) does, with
   * {@link Session.fromDer}. The text may contain other blocks. The block must not be encrypted.
   * @throws SessionDecodeError as fromDer() does, and if the text is not PEM or has no such block
   */
  static fromPem(text: Pem, now?: number): Session {
    const bytes = sessionDerInPem(text);
    try {
      return Session.fromDer(bytes, now);
    } finally {
      wipe(bytes);
    }
  }

  /** Reports whether the value is a session. A Proxy of one, or an object with its prototype, is not. */
  static isSession(value: unknown): value is Session {
    return typeof value === 'object' && value !== null && #holds in value;
  }

  /** A copy, which the caller may keep or change. */
  get id(): Uint8Array {
    return copyOf(this.#id);
  }

  get idContext(): Uint8Array {
    return copyOf(this.#idContext);
  }

  /** A copy; empty if there is none. */
  get applicationData(): Uint8Array {
    return copyOf(this.#applicationData);
  }

  /** SSL_SESSION_set1_ticket_appdata(3): at most 65535 bytes, which are copied. Tickets already sent keep the old data. */
  set applicationData(data: Uint8Array) {
    requireLength('application data', data, 0, 0xffff);
    this.#applicationData = kept(data);
    this.#resort?.(this);
  }

  /**
   * About how many bytes of memory the session takes: those of its fields, and 700 for the rest. The certificate counts in full,
   * though sessions of one connection share it; {@link data} does not count.
   */
  get byteLength(): number {
    const { foreign } = this;
    let bytes =
      OVERHEAD + this.#id.length + this.#idContext.length + this.#secret.length + this.#applicationData.length;
    bytes += (this.serverName?.length ?? 0) + (this.alpnProtocol?.length ?? 0) + (this.#peerCertificate?.length ?? 0);
    if (foreign === NOTHING_FOREIGN) return bytes;
    for (const name of FOREIGN_OCTETS) bytes += foreign[name]?.length ?? 0;
    return bytes;
  }

  /**
   * A copy of the certificate, in DER, that the client sent in the full handshake; `undefined` if it sent none. If this
   * server made the session, the certificate was accepted; otherwise see {@link ForeignFields.verifyResult}.
   */
  get peerCertificate(): Uint8Array | undefined {
    return this.#peerCertificate && copyOf(this.#peerCertificate);
  }

  /**
   * The master secret or PSK itself, not a copy. Callers must neither keep it nor change it.
   * @throws Error if the last hold has been released
   */
  get secret(): Uint8Array {
    this.#requireHeld('secret');
    return this.#secret;
  }

  /** The second since the epoch from which `timeout` counts. Setting it moves the session to its new place in its cache. */
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

  /**
   * The last second in which the session may be resumed: `timeout` after `time`, and never after the client's certificate has
   * expired. It cannot be set: a later time or timeout does not move it beyond that.
   */
  get expires(): number {
    return Math.min(this.#time + this.#timeout, this.#certificateExpires);
  }

  /** The number of holds; 0 once the secret has been wiped. */
  get holds(): number {
    return this.#holds;
  }

  /** Whether it can be resumed: it has an id, its secret is held, and it has not been ruled out. Ignores expiry. */
  get isResumable(): boolean {
    return !this.isRuledOut && this.#id.length > 0;
  }

  /** Whether it must not be resumed: it was ruled out, or its secret has been wiped. */
  get isRuledOut(): boolean {
    return !this.#resumable || this.#holds === 0;
  }

  /** Rules the session out for good, for all that hold this object. */
  forbidResumption(): void {
    this.#resumable = false;
  }

  /** Takes one more hold, which {@link free} releases. @throws Error if the last hold has been released */
  upRef(): this {
    this.#requireHeld('upRef()');
    this.#holds++;
    return this;
  }

  /** Releases one hold. Releasing the last one wipes the secret. @throws Error if no hold is left */
  free(): void {
    this.#requireHeld('free()');
    this.#holds--;
    if (this.#holds === 0) wipe(this.#secret);
  }

  /** Does what {@link free} does for the engine's own holds. It never throws: an application that frees too often must not break the engine. */
  release(): void {
    if (this.#holds > 0) this.free();
  }

  /**
   * Returns a separate session with the same content and one hold, in no cache.
   * @throws Error if the last hold has been released
   */
  dup(changes: Partial<SessionParameters> = {}): Session {
    const copy = new Session(Object.assign(this.parameters(), changes));
    copy.data = this.data;
    if (!this.#resumable) copy.forbidResumption();
    return copy;
  }

  /**
   * Returns what a copy of this session can be made of. The byte strings are the session's own, the secret included.
   * @throws Error if the last hold has been released
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
   * Encodes the session as OpenSSL's SSL_SESSION, for a store. `data`, the holds and whether it was ruled out are not
   * encoded. The secret is, in the clear. @throws Error if the last hold has been released
   */
  toDer(): Uint8Array {
    return sessionToDer(this.parameters());
  }

  /**
   * Encodes the session as text, as PEM_write_bio_SSL_SESSION(3) does: {@link toDer} in PEM, which `openssl s_client
   * -sess_in` reads. The secret is in it in the clear. @throws Error if the last hold has been released
   */
  toPem(): string {
    const bytes = this.toDer();
    const text = encodePem(SESSION_PEM_LABEL, bytes);
    wipe(bytes);
    return text;
  }

  /** Whether a cache holds it. */
  get isCached(): boolean {
    return this.#resort !== undefined;
  }

  /**
   * @internal Makes a cache the only one that holds this session. The cache gives it up again by passing `undefined`.
   * @throws Error if another cache holds it
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

  /** A summary for logs, without secrets. */
  toJSON(): Record<string, unknown> {
    return { version: this.version, cipherSuite: this.cipherSuite, serverName: this.serverName, expires: this.expires };
  }
}

/** Returns the session. @throws TypeError that begins with `name` if it is none */
export function requireSession(name: string, session: Session): Session {
  if (Session.isSession(session)) return session;
  throw new TypeError(`${name}: a Session is wanted, such as Session.fromDer(bytes), not ${kindOf(session)}`);
}
