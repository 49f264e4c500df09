/** The connection as its handshake acts on it: the hands of handshake/server/context.ts. */

import type { Protection } from '../../crypto/protection.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { Transcript } from '../../crypto/transcript.ts';
import type { Message } from '../../handshake/messages/message.ts';
import { notResumed } from '../../handshake/outcome.ts';
import type { HandshakeParts, ServerFacts, ServerHandshake } from '../../handshake/server/context.ts';
import type { Outcome, Task } from '../../handshake/wait.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { EMPTY, toHex } from '../../wire/bytes.ts';
import { drawRandom } from '../../world.ts';
import type { Channel } from '../channel.ts';
import type { Event } from '../events.ts';
import type { Secrets, Wipeable } from '../secrets.ts';
import type { ServerConfig } from './config.ts';
import type { ConnectionSessions } from './session-lookup.ts';
import { SessionStore } from './store.ts';
import type { ConnectionTickets, TicketPolicy } from './ticket-judging.ts';

/** What a handshake acts with. */
interface Parts {
  readonly channel: Channel;
  readonly secrets: Secrets;
  readonly sessions: ConnectionSessions;
  readonly tickets: ConnectionTickets;
}

/** What a connection lends its handshake. */
export interface HandshakeHost {
  readonly config: ServerConfig;
  /** Whether anybody hears of the secrets. */
  wantsKeylog(): boolean;
  info(): ConnectionInfo;
  now(): number;
  emit(event: Event): void;
}

const NOTHING_NEGOTIATED: ServerFacts = {
  version: undefined,
  suite: undefined,
  group: undefined,
  serverName: undefined,
  alpnProtocol: undefined,
  signatureScheme: undefined,
  clientRandom: undefined,
  peerCertificate: undefined,
  peerCertificateChain: undefined,
  session: undefined,
  resumption: notResumed('not-offered'),
  verdicts: [],
};

/** A class, as there is one a connection and its functions are many. */
export class ConnectionHandshaking implements ServerHandshake {
  settings: ServerConfig;
  readonly facts: ServerFacts = { ...NOTHING_NEGOTIATED };
  readonly transcript = new Transcript();
  readonly sessions: ConnectionSessions;
  readonly tickets: ConnectionTickets;
  /** Whether the peer has shown that it holds the session. */
  hasProof = false;
  readonly #host: HandshakeHost;
  readonly #channel: Channel;
  readonly #secrets: Secrets;

  constructor(host: HandshakeHost, { channel, secrets, sessions, tickets }: Parts) {
    this.#host = host;
    this.settings = host.config;
    this.#channel = channel;
    this.#secrets = secrets;
    this.sessions = sessions;
    this.tickets = tickets;
  }

  /** Handed on to providers, and so without a `this`. */
  readonly randomBytes = (length: number): Uint8Array => drawRandom(this.#host.config.world, length);

  now(): number {
    return this.#host.now();
  }

  get parts(): HandshakeParts {
    return this.settings;
  }

  get crypto(): CryptoProvider {
    return this.settings.crypto;
  }

  get localAddress(): string | undefined {
    return this.#host.info().localAddress;
  }

  send<T>(message: Message<T>, body: T): Uint8Array {
    return this.#channel.send(message, body);
  }

  sendChangeCipherSpec(): void {
    this.#channel.writer.changeCipherSpec();
  }

  protectReading(protection: Protection): void {
    this.#channel.reader.protect(protection);
  }

  protectWriting(protection: Protection): void {
    this.#channel.writer.protect(protection);
  }

  limitRecords(contentLimit: number): void {
    this.#channel.writer.contentLimit = contentLimit;
  }

  tolerateChangeCipherSpec(tolerate: boolean): void {
    this.#channel.reader.tolerateChangeCipherSpec(tolerate);
  }

  skipEarlyData(): void {
    this.#channel.reader.skipEarlyData(this.#host.config.limits.skippedEarlyData);
  }

  own<S extends Uint8Array | Wipeable>(secret: S, until?: 'established' | 'closed'): S {
    return this.#secrets.own(secret, until);
  }

  discard(secret: Wipeable): void {
    this.#secrets.discard(secret);
  }

  get selectsServers(): boolean {
    return this.#host.config.onServerName !== undefined;
  }

  /** RFC 6066 §3: the name decides which server this is, before anything else is decided. */
  selectServer(name: string | undefined): Task<unknown, void> {
    return {
      kind: 'server-name',
      callback: 'onServerName',
      budgeted: false,
      run: () => this.#host.config.onServerName?.(name),
      conclude: (outcome) => {
        // To go on under the default configuration could show one host's sessions or certificate to another.
        if (!('value' in outcome))
          throw new TlsAlert('internal_error', 'no configuration could be selected for the server name');
        this.#serveAs(outcome.value);
      },
    };
  }

  #serveAs(selected: unknown): void {
    const { config, emit } = this.#host;
    if (selected === undefined || selected === config) return;
    if (!isServerConfig(selected)) {
      const error = new TypeError('onServerName: answer with what defineServer() returned, or nothing');
      emit({ type: 'callback-error', callback: 'onServerName', error });
      throw new TlsAlert('internal_error', 'no configuration for the server name');
    }
    if (selected.hasOwnStore) this.sessions.store = selected.store;
    this.sessions.own = selected.ownCallbacks;
    this.tickets.policy = ticketPolicyOf(selected, config);
    this.settings = selected;
  }

  /**
   * `true` and nothing else accepts. A refusal without a reason is certificate_unknown, "some other issue" of §6.2; the
   * application may give its reason with an alert of its own.
   */
  verifyClient(chain: readonly Uint8Array[]): Task<unknown, void> {
    return {
      kind: 'client-certificate',
      callback: 'verifyClient',
      budgeted: false,
      run: () => this.settings.clientAuth?.verifyClient(chain, this.#host.info()),
      conclude: requireAccepted,
      isAnswer: TlsAlert.isAlert,
    };
  }

  get logsKeys(): boolean {
    return this.#host.wantsKeylog();
  }

  /** NSS key log format. */
  keylog(label: string, secret: Uint8Array): void {
    const line = `${label} ${toHex(this.facts.clientRandom ?? EMPTY)} ${toHex(secret)}`;
    this.#host.emit({ type: 'keylog', line });
  }

  proved(): void {
    this.hasProof = true;
  }
}

function requireAccepted(outcome: Outcome): void {
  if ('value' in outcome && outcome.value === true) return;
  if ('value' in outcome) throw new TlsAlert('certificate_unknown', 'the application has refused the certificate');
  if ('error' in outcome && TlsAlert.isAlert(outcome.error)) throw outcome.error;
  throw new TlsAlert('internal_error', 'nobody has judged the certificate');
}

/** A Proxy may throw when it is looked at. */
function isServerConfig(value: unknown): value is ServerConfig {
  try {
    return typeof value === 'object' && value !== null && 'store' in value && value.store instanceof SessionStore;
  } catch {
    return false;
  }
}

/** Of a virtual host: keys, with what is said of them, and callbacks are the server's, unless it brings its own. */
function ticketPolicyOf(selected: ServerConfig, base: ServerConfig): TicketPolicy {
  const keeper = selected.hasOwnTicketKeys || base.ticketPolicy.keys === undefined ? selected : base;
  const [own, given] = [selected.ticketPolicy.callbacks, base.ticketPolicy.callbacks];
  const callbacks = {
    onGenerate: own.onGenerate ?? given.onGenerate,
    onDecrypt: own.onDecrypt ?? given.onDecrypt,
  };
  return { ...keeper.ticketPolicy, callbacks };
}
