/**
 * What a passive bystander reads from the plaintext of one TLS connection. It is written from the RFCs alone and
 * imports nothing of src/: the judge of the interop tests must not share a parser with the accused.
 */

export type Side = 'client' | 'server';

export interface ClientHelloSeen {
  readonly legacyVersion: number;
  readonly random: Buffer;
  readonly sessionId: Buffer;
  readonly cipherSuites: readonly number[];
  /** Extension types in the order of the hello. */
  readonly extensions: readonly number[];
  readonly serverName: string | undefined;
  readonly supportedVersions: readonly number[];
  readonly extendedMasterSecret: boolean;
  /** The ticket of session_ticket (RFC 5077), empty where the client only says that it knows them. */
  readonly sessionTicket: Buffer | undefined;
  /** In the order of pre_shared_key (RFC 9846 §4.3.11). */
  readonly pskIdentities: readonly Buffer[];
  /** 0 is psk_ke, 1 is psk_dhe_ke (§4.3.9). */
  readonly pskModes: readonly number[];
  readonly keyShareGroups: readonly number[];
}

export interface ServerHelloSeen {
  /** What was negotiated: supported_versions where it is there, else legacy_version. */
  readonly version: number;
  readonly random: Buffer;
  readonly cipherSuite: number;
  readonly sessionId: Buffer;
  readonly extensions: readonly number[];
  readonly selectedIdentity: number | undefined;
  /** In a HelloRetryRequest the group that is asked for. */
  readonly keyShareGroup: number | undefined;
}

export interface AlertSeen {
  readonly from: Side;
  readonly level: number;
  readonly description: number;
}

export interface Seen {
  /** Two where there was a HelloRetryRequest. */
  readonly clientHellos: ClientHelloSeen[];
  helloRetryRequest: ServerHelloSeen | undefined;
  serverHello: ServerHelloSeen | undefined;
  /** The server's plaintext messages by name, ChangeCipherSpec among them. TLS 1.3 encrypts all but the first. */
  readonly serverFlight: string[];
  /** Alerts in plaintext only. */
  readonly alerts: AlertSeen[];
  /** Who sent the first ChangeCipherSpec: in an abbreviated TLS 1.2 handshake the server (RFC 5246 §7.3, Figure 2). */
  firstChangeCipherSpec: Side | undefined;
  /** Whether the hellos say that it resumed; `undefined` when the server has not come so far. */
  resumed: boolean | undefined;
  /** From what, by the hellos: a TLS 1.2 client that has a ticket offers a session id too, the ticket then counts. */
  mechanism: 'session-id' | 'ticket' | 'psk' | undefined;
  /** A message that could not be read, and in which direction: the watch is blind from there on. */
  readonly problems: string[];
}

const HANDSHAKE_NAMES: Readonly<Record<number, string>> = {
  1: 'client_hello',
  2: 'server_hello',
  4: 'new_session_ticket',
  11: 'certificate',
  12: 'server_key_exchange',
  13: 'certificate_request',
  14: 'server_hello_done',
  16: 'client_key_exchange',
  22: 'certificate_status',
};

const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const TLS12 = 0x0303;
const TLS13 = 0x0304;

/** The SHA-256 of "HelloRetryRequest", which marks one (RFC 9846 §4.2.3). */
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

/** Longer than any hello of a real client: what claims more is not followed. */
const LONGEST_MESSAGE = 1 << 17;

export class WireWatch {
  readonly seen: Seen = {
    clientHellos: [],
    helloRetryRequest: undefined,
    serverHello: undefined,
    serverFlight: [],
    alerts: [],
    firstChangeCipherSpec: undefined,
    resumed: undefined,
    mechanism: undefined,
    problems: [],
  };

  readonly #client = new Direction();
  readonly #server = new Direction();

  /** The next bytes of one side, in any chunks. Never throws. */
  feed(from: Side, bytes: Buffer): void {
    const direction = from === 'client' ? this.#client : this.#server;
    if (direction.blind) return;
    try {
      for (const { type, body } of direction.records(bytes)) {
        this.#record(from, direction, type, body);
        if (direction.blind) return;
      }
    } catch (error) {
      direction.blind = true;
      this.seen.problems.push(`${from}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #record(from: Side, direction: Direction, type: number, body: Buffer): void {
    if (type === HANDSHAKE) {
      for (const message of direction.messages(body)) this.#message(from, message);
      // All that a TLS 1.3 server sends after its ServerHello is encrypted, and under another record type.
    } else if (type === ALERT && body.length === 2) {
      this.seen.alerts.push({ from, level: body.readUInt8(0), description: body.readUInt8(1) });
    } else if (type === CHANGE_CIPHER_SPEC) {
      this.#changeCipherSpec(from, direction);
    } else {
      direction.blind = true; // application data
    }
  }

  #changeCipherSpec(from: Side, direction: Direction): void {
    this.seen.firstChangeCipherSpec ??= from;
    if (from === 'server') this.seen.serverFlight.push('change_cipher_spec');
    // In TLS 1.3 it means nothing, and the second ClientHello may come after it (RFC 9846 §E.4).
    if (this.seen.serverHello?.version !== TLS12) return;
    direction.blind = true;
    if (from === 'server') this.#judgeTls12();
  }

  #message(from: Side, { type, body }: { type: number; body: Buffer }): void {
    if (from === 'client') {
      if (type === 1) this.seen.clientHellos.push(readClientHello(new Reader(body)));
      return;
    }
    this.seen.serverFlight.push(HANDSHAKE_NAMES[type] ?? `handshake ${type}`);
    if (type !== 2) return;
    const hello = readServerHello(new Reader(body));
    if (hello.random.equals(RETRY_RANDOM)) {
      this.seen.helloRetryRequest = hello;
    } else {
      this.seen.serverHello = hello;
      if (hello.version === TLS13) this.#judgeTls13(hello);
    }
  }

  /** RFC 9846 §4.3.11: a server that takes a PSK says which. */
  #judgeTls13(hello: ServerHelloSeen): void {
    this.seen.resumed = hello.selectedIdentity !== undefined;
    if (this.seen.resumed) this.seen.mechanism = 'psk';
  }

  /** RFC 5246 §7.3: the abbreviated handshake has nothing but (RFC 5077) a NewSessionTicket before ChangeCipherSpec. */
  #judgeTls12(): void {
    const between = this.seen.serverFlight.slice(1, -1).filter((name) => name !== 'new_session_ticket');
    const client = this.seen.clientHellos[0];
    // A full handshake's CCS comes behind Certificate … ServerHelloDone, and the client's own.
    this.seen.resumed = between.length === 0 && this.seen.firstChangeCipherSpec === 'server';
    if (!this.seen.resumed) return;
    this.seen.mechanism = (client?.sessionTicket?.length ?? 0) > 0 ? 'ticket' : 'session-id';
  }
}

/** One direction's bytes, put together again: TCP cuts records, records cut messages. */
class Direction {
  /** Nothing more can be read: encrypted, or not understood. */
  blind = false;
  #bytes = Buffer.alloc(0);
  #messages = Buffer.alloc(0);

  *records(chunk: Buffer): Generator<{ type: number; body: Buffer }> {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 5) {
      const end = 5 + this.#bytes.readUInt16BE(3);
      const type = this.#bytes.readUInt8(0);
      if (type < CHANGE_CIPHER_SPEC || type > 24) throw new Error(`record type ${type}`);
      if (this.#bytes.length < end) return;
      const body = this.#bytes.subarray(5, end);
      this.#bytes = this.#bytes.subarray(end);
      yield { type, body };
    }
  }

  *messages(fragment: Buffer): Generator<{ type: number; body: Buffer }> {
    this.#messages = Buffer.concat([this.#messages, fragment]);
    while (this.#messages.length >= 4) {
      const length = this.#messages.readUIntBE(1, 3);
      if (length > LONGEST_MESSAGE) throw new Error(`a message of ${length} bytes`);
      if (this.#messages.length < 4 + length) return;
      const message = { type: this.#messages.readUInt8(0), body: this.#messages.subarray(4, 4 + length) };
      this.#messages = this.#messages.subarray(4 + length);
      yield message;
    }
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  bytes(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new Error('a vector that is longer than its message');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(size: number): number {
    return this.bytes(size).readUIntBE(0, size);
  }

  /** A vector with a length of `size` bytes before it. */
  vector(size: number): Reader {
    return new Reader(this.opaque(size));
  }

  opaque(size: number): Buffer {
    return Buffer.from(this.bytes(this.number(size)));
  }

  numbers(size: number): number[] {
    return this.list(() => this.number(size));
  }

  list<T>(one: () => T): T[] {
    const all: T[] = [];
    while (!this.done) all.push(one());
    return all;
  }

  /** To the end, by type; an extension twice is an error (RFC 9846 §4.3). */
  extensions(): Map<number, Reader> {
    const all = new Map<number, Reader>();
    if (this.done) return all; // a TLS 1.2 hello may have none
    const list = this.vector(2);
    while (!list.done) {
      const type = list.number(2);
      if (all.has(type)) throw new Error(`extension ${type} twice`);
      all.set(type, list.vector(2));
    }
    return all;
  }
}

const SERVER_NAME = 0;
const EXTENDED_MASTER_SECRET = 23;
const SESSION_TICKET = 35;
const PRE_SHARED_KEY = 41;
const SUPPORTED_VERSIONS = 43;
const PSK_KEY_EXCHANGE_MODES = 45;
const KEY_SHARE = 51;

function readClientHello(hello: Reader): ClientHelloSeen {
  const legacyVersion = hello.number(2);
  const random = Buffer.from(hello.bytes(32));
  const sessionId = hello.opaque(1);
  const cipherSuites = hello.vector(2).numbers(2);
  hello.opaque(1); // legacy_compression_methods
  const extensions = hello.extensions();
  const ticket = extensions.get(SESSION_TICKET);
  return {
    legacyVersion,
    random,
    sessionId,
    cipherSuites,
    extensions: [...extensions.keys()],
    serverName: readServerName(extensions.get(SERVER_NAME)),
    supportedVersions: extensions.get(SUPPORTED_VERSIONS)?.vector(1).numbers(2) ?? [],
    extendedMasterSecret: extensions.has(EXTENDED_MASTER_SECRET),
    sessionTicket: ticket && Buffer.concat(ticket.list(() => ticket.bytes(1))),
    pskIdentities: readIdentities(extensions.get(PRE_SHARED_KEY)?.vector(2)),
    pskModes: extensions.get(PSK_KEY_EXCHANGE_MODES)?.vector(1).numbers(1) ?? [],
    keyShareGroups: readGroups(extensions.get(KEY_SHARE)?.vector(2)),
  };
}

function readServerName(extension: Reader | undefined): string | undefined {
  const names = extension?.vector(2);
  if (names === undefined || names.done) return undefined;
  return names.number(1) === 0 ? names.opaque(2).toString('latin1') : undefined;
}

function readIdentities(list: Reader | undefined): Buffer[] {
  if (list === undefined) return [];
  return list.list(() => {
    const identity = list.opaque(2);
    list.bytes(4); // obfuscated_ticket_age
    return identity;
  });
}

function readGroups(list: Reader | undefined): number[] {
  if (list === undefined) return [];
  return list.list(() => {
    const group = list.number(2);
    list.opaque(2);
    return group;
  });
}

function readServerHello(hello: Reader): ServerHelloSeen {
  const legacyVersion = hello.number(2);
  const random = Buffer.from(hello.bytes(32));
  const sessionId = hello.opaque(1);
  const cipherSuite = hello.number(2);
  hello.number(1); // legacy_compression_method
  const extensions = hello.extensions();
  return {
    version: extensions.get(SUPPORTED_VERSIONS)?.number(2) ?? legacyVersion,
    random,
    cipherSuite,
    sessionId,
    extensions: [...extensions.keys()],
    selectedIdentity: extensions.get(PRE_SHARED_KEY)?.number(2),
    keyShareGroup: extensions.get(KEY_SHARE)?.number(2),
  };
}
