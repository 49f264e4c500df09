/**
 * The session: what a full handshake leaves behind and a later one resumes from (RFC 5246 §7.4.1.2, RFC 8446 §4.6.1).
 */

import { copyOf, EMPTY, wipe } from '../wire/bytes.ts';
import { encodePem } from '../wire/pem.ts';
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
import type { Scope } from './scope.ts';

const NOTHING_FOREIGN: ForeignFields = Object.freeze({});

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
