/** The options of the Node shell's client: the core's, node:tls's ways to give certificates, and what concerns one connection. */

import type { TcpNetConnectOpts } from 'node:net';
import { boolean } from '../engine/checks.ts';
import type { ConnectOptions } from '../engine/client/client-connection.ts';
import { type ClientConfig, isClientConfig } from '../engine/client/config.ts';
import { CLIENT_OPTIONS } from '../engine/client/configure.ts';
import { defineClient } from '../engine/client/define-client.ts';
import type { ClientOptions } from '../engine/client/options.ts';
import { requireMilliseconds } from '../web/time-limit.ts';
import { latin1 } from '../wire/bytes.ts';
import { kindOf } from '../wire/kind-of.ts';
import { type Names, requireOptions } from '../wire/options.ts';
import type { Pem } from '../wire/pem.ts';
import { systemWorld, type World } from '../world.ts';
import { defaultCrypto } from './default-crypto.ts';
import type { TlsSocketOptions } from './options.ts';
import { type ChainVerifier, verifyChain } from './verify-chain.ts';

/**
 * Where {@link connect} connects to: the options of net.connect(). What http.request() passes to a `createConnection` will do, too.
 * One of `port` and `path` is required.
 */
export interface ConnectTarget extends Omit<Partial<TcpNetConnectOpts>, 'host' | 'port'> {
  /** A name or an address. Default 'localhost'. */
  readonly host?: string | null | undefined;
  readonly port?: number | string | null | undefined;
  /** A socket of the system, instead of `port`. */
  readonly path?: string | null | undefined;
  /** The host name that an http.Agent has found out: the default of `serverName`. */
  readonly servername?: string | undefined;
}

/** The options of one connection. `host` and `port` say where its transport leads to. */
export interface ClientSocketOptions extends Omit<ConnectOptions, 'wantsKeylog'>, TlsSocketOptions {}

/**
 * The options of {@link connect}. One of `ca`, `pins`, `verifyServer`, `psks` and `config` is required: nothing is trusted by accident.
 * `sessions` are those to offer. The event 'session' tells of those that the server hands out; only with a `config` are they kept,
 * and offered to the same peer again.
 */
export interface NodeClientOptions extends Omit<ClientOptions, 'sessions'>, Omit<ClientSocketOptions, 'host' | 'port'> {
  /**
   * The authorities that are trusted, as {@link verifyChain} takes them: it checks the chain, and that the certificate is for
   * `serverName`. Those that Node trusts are `rootCertificates` of node:tls. Beside `pins`, both must accept.
   */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /** As in node:tls, instead of `credential`: a certificate chain in PEM, and its key. */
  readonly cert?: Pem | undefined;
  readonly key?: Pem | undefined;
  /** As in node:tls, instead of `statusRequest`: whether an OCSP response is asked for, which the event 'OCSPResponse' brings. */
  readonly requestOCSP?: boolean | undefined;
  /** A result of defineClient(), instead of `ca` and all of the core's options. */
  readonly config?: ClientConfig | undefined;
}

const CONNECTION_OPTIONS = {
  serverName: true,
  sessions: true,
  sessionIsTrusted: true,
  forceSessions: true,
  ticketAge: true,
  earlyData: true,
  edits: true,
  faults: true,
  allowHalfOpen: true,
  handshakeTimeout: true,
} satisfies Names<Omit<ClientSocketOptions, 'host' | 'port'>>;

const OPTIONS = {
  ...CLIENT_OPTIONS,
  ...CONNECTION_OPTIONS,
  ca: true,
  cert: true,
  key: true,
  requestOCSP: true,
  config: true,
} satisfies Names<NodeClientOptions>;

/** Options of node:tls, and what to use instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  ALPNProtocols: 'alpn',
  checkServerIdentity: 'verifyServer, which judges the chain and the name',
  ecdhCurve: 'groups',
  host: 'it belongs to the first argument, beside port',
  port: 'it belongs to the first argument, beside host',
  rejectUnauthorized: "verifyServer: 'any', which trusts everybody",
  secureContext: 'config, which defineClient() makes',
  servername: 'serverName',
  session: 'sessions, an array',
  sigalgs: 'signatureAlgorithms',
  timeout: 'handshakeTimeout, or setTimeout() of the socket',
};

/** @throws TypeError or RangeError naming the option */
export function clientOptions(given: NodeClientOptions | ClientConfig): {
  readonly config: ClientConfig;
  readonly socket: ClientSocketOptions;
} {
  if (isClientConfig(given)) return { config: given, socket: {} };
  if (typeof given !== 'object' || given === null)
    throw new TypeError(
      `options: an object is wanted, with ca, pins or verifyServer, or what defineClient() returned, not ${kindOf(given)}`,
    );
  requireOptions('options', given, OPTIONS, (name) =>
    Object.hasOwn(INSTEAD, name) ? `${name} is one of node:tls; here: ${INSTEAD[name]}` : undefined,
  );
  const { serverName, sessions, sessionIsTrusted, forceSessions, ticketAge, earlyData, edits, faults, ...others } =
    given;
  const { allowHalfOpen, handshakeTimeout, config, ...rest } = others;
  if (allowHalfOpen !== undefined && typeof allowHalfOpen !== 'boolean')
    throw new TypeError(`allowHalfOpen: true or false is wanted, not ${kindOf(allowHalfOpen)}`);
  if (handshakeTimeout !== undefined) requireMilliseconds('handshakeTimeout', handshakeTimeout);
  const ofSessions = { sessions, sessionIsTrusted, forceSessions, ticketAge };
  const socket = { serverName, ...ofSessions, earlyData, edits, faults, allowHalfOpen, handshakeTimeout };
  if (config === undefined) return { config: defineClient(coreOptions(rest)), socket };
  if (!isClientConfig(config)) throw new TypeError('config: what defineClient() returned is wanted, and no copy');
  const [other] = Object.entries(rest).find(([, value]) => value !== undefined) ?? [];
  if (other !== undefined) throw new TypeError(`give either config or ${other}`);
  return { config, socket };
}

type Rest = Omit<NodeClientOptions, keyof ClientSocketOptions | 'config'>;

function coreOptions({ ca, cert, key, requestOCSP, ...rest }: Rest): ClientOptions {
  const { verifyServer, pins, psks, credential, world = systemWorld } = rest;
  if (ca === undefined && verifyServer === undefined && pins === undefined && psks === undefined)
    throw new TypeError(
      "who judges the server? Give ca (authorities), pins (digests of keys) or verifyServer (a function, or 'any', which trusts everybody)",
    );
  if (ca !== undefined && verifyServer !== undefined) throw new TypeError('give either ca or verifyServer');
  if (credential !== undefined && (cert ?? key) !== undefined)
    throw new TypeError('give either credential, or cert and key');
  if ((cert === undefined) !== (key === undefined))
    throw new TypeError(
      cert === undefined ? 'key without its cert; give cert, too' : 'cert without its key; give key, too',
    );
  if (requestOCSP !== undefined && rest.statusRequest !== undefined)
    throw new TypeError('give either requestOCSP or statusRequest');
  return {
    ...rest,
    crypto: rest.crypto ?? defaultCrypto,
    statusRequest: rest.statusRequest ?? boolean('requestOCSP', requestOCSP, false),
    sessions: { cache: false },
    verifyServer: ca === undefined ? verifyServer : verifierFor(ca, world),
    credential: cert === undefined || key === undefined ? credential : { cert, key },
  };
}

/** As many lists of authorities as a program has, and more. */
const MAX_KNOWN = 16;
const known = new WeakMap<World, Map<string, ChainVerifier>>();

/** The same function for the same authorities, which are read once: by it a session that is offered again knows who has accepted it. */
function verifierFor(ca: NonNullable<NodeClientOptions['ca']>, world: World): ChainVerifier {
  const list: readonly Pem[] = Array.isArray(ca) ? ca : [ca];
  const key = list.map((pem) => (pem instanceof Uint8Array ? latin1(pem) : `${pem}`)).join('\n');
  const ofWorld = known.get(world) ?? new Map<string, ChainVerifier>();
  const before = ofWorld.get(key);
  if (before !== undefined) return before;
  const verifier = verifyChain({ ca, now: () => world.now() });
  if (ofWorld.size >= MAX_KNOWN) ofWorld.clear();
  known.set(world, ofWorld.set(key, verifier));
  return verifier;
}
