/** What stands behind each defineServer(): validates the options, fills in the defaults, and freezes the result. */

import { isPromise } from '../../awaitable.ts';
import { type Compat, SessionCache } from '../../cache/session-cache.ts';
import type { Credential } from '../../crypto/credentials/credential.ts';
import { certificatesFromPem } from '../../crypto/credentials/credential-pem.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { SUITES, type SuiteParameters, suiteByName } from '../../crypto/suites.ts';
import { MAX_TICKET_LIFETIME } from '../../handshake/messages/new-session-ticket.ts';
import type { HandshakeParts } from '../../handshake/server/context.ts';
import type { Settings, TicketSettings } from '../../handshake/server/settings.ts';
import type { Session } from '../../sessions/session.ts';
import { copyOf } from '../../wire/bytes.ts';
import { type GroupName, NamedGroup, PskKeyExchangeMode, type PskMode, type Version } from '../../wire/registry.ts';
import { systemWorld, type World } from '../../world.ts';
import type { PemCredential, ServerOptions, SessionOptions, TicketOptions } from './options.ts';
import type { Parts } from './parts.ts';
import { type OwnCallbacks, sessionPolicy } from './policy.ts';
import type { SessionStatistics } from './statistics.ts';
import { SessionStore } from './store.ts';
import type { TicketPolicy } from './ticket-judging.ts';

/** A server's settings, validated and frozen. Any number of connections may use it. Made by `defineServer()`. */
export interface ServerConfig extends Settings, HandshakeParts {
  /**
   * Puts a session into the internal cache, for as long as it is good there: {@link SessionStore.add}.
   * `false` where this very object was there already (SSL_CTX_add_session(3)).
   */
  addSession(session: Session): boolean;
  /**
   * Rules a session out for good and has it leave cache and store, of which `onRemove` hears: {@link SessionStore.remove}.
   * `false` where it was not in the internal cache (SSL_CTX_remove_session(3)). After each resumption of TLS 1.3 it makes
   * sessions good for one use: `removeSession(connection.resumption.session)`.
   */
  removeSession(session: Session): boolean;
  /**
   * Removes what has expired by `now`, seconds since the epoch and by default the present; all, where it is 0. How many there
   * were (SSL_CTX_flush_sessions(3)). With `atMost` that is the most that leave at once, so that nothing else has to wait
   * for a million: a shell's {@link flushInSlices} calls it as often as is needed.
   */
  flushSessions(now?: number, atMost?: number): number;
  /** The end of the internal cache: `onRemove` hears of every session in it, and none is added any more (SSL_CTX_free(3)). */
  closeSessions(): void;
  /** What has happened so far; a snapshot (SSL_CTX_sess_number(3)). */
  statistics(): SessionStatistics;
  readonly world: World;
  readonly store: SessionStore;
  readonly ticketPolicy: TicketPolicy;
  /** Whether the options named ticket keys, so that as a virtual host it keeps to its own. */
  readonly hasOwnTicketKeys: boolean;
  /** Whether the options named a cache or a callback, so that as a virtual host it keeps to its own. */
  readonly hasOwnStore: boolean;
  /** Those that the options named, so that as a virtual host it keeps to them, whosever the store is. */
  readonly ownCallbacks: OwnCallbacks;
  readonly lookupTimeoutMs: number;
  readonly onServerName: ServerOptions['onServerName'];
  readonly keylog: ServerOptions['keylog'];
  readonly limits: { readonly recordsPerKey: number; readonly skippedEarlyData: number };
}

const DEFAULT_TIMEOUT = 7200;
const DEFAULT_MAX_ENTRIES = 20480;
const DEFAULT_LOOKUP_TIMEOUT_MS = 1000;
/** What a timer can wait: setTimeout() takes more for 1. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const DEFAULT_MAX_IDENTITIES = 5;
const DEFAULT_GROUPS: readonly GroupName[] = ['x25519', 'secp256r1', 'secp384r1'];

export const CORE_OPTIONS = [
  'credentials minVersion maxVersion ciphers groups alpn onServerName clientAuth sessions tickets pskModes scope',
  'requireExtendedMasterSecret compat crypto world limits keylog',
].join(' ');
const SESSION_OPTIONS = [
  'cache mode internalLookup internalStore autoClear updateTime removeUnclean timeout maxEntries idContext generateId',
  'foreign notResumable onNew onGet onTake onRemove lookupTimeoutMs maxIdentities',
].join(' ');
const OWN_STORE = ['cache', 'onNew', 'onGet', 'onTake', 'onRemove'] as const;
const TICKET_OPTIONS =
  'mode initial afterResumption timing maxRequested keys foreign onGenerate onDecrypt singleUse maxAuthAge';
const CLIENT_AUTH_MODES = ['request', 'require'] as const;
/** In one extension, beside another (RFC 8446 §4.2.4). */
const MAX_NAMES = 0xff00;
const TICKET_MODES = ['stateful', 'stateless', 'off'] as const;
const TIMINGS = ['after-finished', 'half-rtt', 'with-first-write', 'manual'] as const;

/** @throws TypeError naming the option that is unknown, missing or of the wrong kind; RangeError for a value out of range */
export function configure(options: ServerOptions, parts: Parts): ServerConfig {
  requireObject('options', options);
  requireKnown('', options, CORE_OPTIONS);
  const sessions = options.sessions ?? {};
  requireObject('sessions', sessions);
  requireKnown('sessions.', sessions, SESSION_OPTIONS);
  const compat = options.compat === undefined ? undefined : oneOf<Compat>('compat', options.compat, ['openssl-3']);
  const crypto = provider(options.crypto ?? parts.crypto);
  const world = complete('world', options.world ?? systemWorld, ['now', 'randomBytes']);
  const policy = sessionPolicy(sessions);
  const store = new SessionStore({ cache: sessionCache(sessions, compat), policy, world, compat });
  const tickets = ticketSettings(options.tickets ?? {}, sessions);
  return frozen({
    ...protocolSettings(options, parts.protocols),
    groups: groups(options.groups, crypto),
    ...sessionSettings(sessions),
    credentials: credentials(options.credentials, crypto, parts),
    compat,
    requireExtendedMasterSecret: boolean('requireExtendedMasterSecret', options.requireExtendedMasterSecret, false),
    scope: scope(options.scope ?? {}),
    clientAuth: clientAuth(options.clientAuth, parts),
    clientCertificates: parts.clientCertificates,
    tickets,
    ticketPolicy: ticketPolicy(options.tickets ?? {}, tickets, { world, sealing: parts.sealedTickets }),
    hasOwnTicketKeys: options.tickets?.keys !== undefined,
    ownCallbacks: Object.freeze({ generateId: policy.generateId, notResumable: policy.notResumable }),
    hasOwnStore: OWN_STORE.some((name) => sessions[name] !== undefined),
    crypto,
    world,
    store,
    addSession: (session) => store.add(session),
    removeSession: (session) => store.remove(session),
    flushSessions: (now, atMost) => store.flush(now, atMost),
    closeSessions: () => store.close(),
    statistics: () => store.statistics(),
    limits: limits(options.limits ?? {}),
    onServerName: callback('onServerName', options.onServerName),
    keylog: callback('keylog', options.keylog),
  });
}

function protocolSettings(options: ServerOptions, protocols: Parts['protocols']) {
  const versions = protocols.map(({ version }) => version);
  const minVersion = oneOf<Version>('minVersion', options.minVersion ?? versions[0] ?? '', versions);
  const maxVersion = oneOf<Version>('maxVersion', options.maxVersion ?? versions.at(-1) ?? '', versions);
  if (minVersion > maxVersion) throw new RangeError(`minVersion ${minVersion} is above maxVersion ${maxVersion}`);
  const suites = (options.ciphers === undefined ? SUITES : list('ciphers', options.ciphers).map(suite)).filter(
    ({ version }) => version >= minVersion && version <= maxVersion,
  );
  if (suites.length === 0) throw new RangeError(`ciphers: none of them belongs to ${minVersion} to ${maxVersion}`);
  const spoken = versions.filter((version) => suites.some((candidate) => candidate.version === version));
  const modeNames = Object.keys(PskKeyExchangeMode) as PskMode[];
  return {
    protocols,
    // A version without a suite is not spoken: to choose it would refuse who has both (RFC 8446 §4.2.1).
    minVersion: spoken[0] ?? minVersion,
    maxVersion: spoken.at(-1) ?? maxVersion,
    suites,
    pskModes: list('pskModes', options.pskModes ?? ['psk_dhe_ke']).map((name) => oneOf('pskModes', name, modeNames)),
    alpn: protocolNames(options.alpn ?? []),
  };
}

/** Complete, so that what a spread has left out is found here and not by the first client. @throws TypeError */
function provider(given: CryptoProvider): CryptoProvider {
  if (typeof given === 'string') throw new TypeError('crypto: an object is wanted, the provider and not its name');
  const remedy = '; spread a whole provider, and then yours';
  const { hashes, aeads, groups } = complete('crypto', given, ['hashes', 'aeads', 'groups'], remedy);
  complete('crypto.hashes', hashes, ['sha256', 'sha384'], remedy);
  complete('crypto.aeads', aeads, ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305'], remedy);
  requireNoPromise('crypto.groups', groups);
  return given;
}

/** By default those that the provider has: an engine's Web Crypto, say, need not have them all. */
function groups(given: ServerOptions['groups'], crypto: CryptoProvider): readonly GroupName[] {
  const names = Object.keys(NamedGroup) as GroupName[];
  const has = (name: GroupName) => crypto.groups[name] !== undefined;
  if (given === undefined) {
    const present = DEFAULT_GROUPS.filter(has);
    if (present.length === 0) throw new TypeError(`crypto.groups: has none of ${DEFAULT_GROUPS.join(', ')}`);
    return present;
  }
  const chosen = list('groups', given).map((name) => oneOf('groups', name, names));
  const missing = chosen.find((name) => !has(name));
  if (missing !== undefined) throw new TypeError(`groups: the crypto provider has no ${missing}`);
  return chosen;
}

function suite(name: string): SuiteParameters {
  const known = suiteByName(name);
  if (known === undefined) {
    throw new TypeError(`ciphers: ${name} is not one of ${SUITES.map((candidate) => candidate.name).join(', ')}`);
  }
  return known;
}

/** None is allowed: the extension is ignored then. */
function protocolNames(given: readonly string[]): readonly string[] {
  if (!Array.isArray(given)) throw new TypeError('alpn: an array is wanted');
  return given.map(protocolName);
}

/** RFC 7301 §3.1: 1 to 255 bytes. */
function protocolName(name: string): string {
  if (typeof name !== 'string' || !/^[\0-\xff]{1,255}$/.test(name)) {
    throw new TypeError(`alpn: ${JSON.stringify(name)} is no protocol name; 1 to 255 bytes are`);
  }
  return name;
}

function credentials(
  given: ServerOptions['credentials'],
  crypto: CryptoProvider,
  { credentialFromPem }: Parts,
): readonly Credential[] {
  if (!Array.isArray(given) || given.length === 0) {
    const wanted = credentialFromPem ? '{ cert, key }, both PEM' : 'credential, which webCryptoCredential() makes';
    throw new TypeError(`credentials: give at least one ${wanted}`);
  }
  return given.map((credential: Credential | PemCredential) => {
    requireObject('credentials[]', credential);
    requireNoPromise('credentials[]', credential);
    if ('sign' in credential) return complete('credentials[]', credential, ['certificateChain', 'schemes', 'names']);
    requireKnown('credentials[].', credential, 'cert key');
    if (credentialFromPem === undefined)
      throw new TypeError(
        'credentials[]: PEM is for webCryptoCredential(), or credentialFromPem(); give what it returns',
      );
    return credentialFromPem(credential, crypto);
  });
}

function clientAuth(given: ServerOptions['clientAuth'], { clientCertificates }: Parts): Settings['clientAuth'] {
  if (given === undefined) return undefined;
  requireObject('clientAuth', given);
  requireKnown('clientAuth.', given, 'mode verifyClient authorities');
  if (given.verifyClient === undefined)
    throw new TypeError('clientAuth.verifyClient is missing: only you can judge a chain');
  if (clientCertificates === undefined)
    throw new TypeError('clientAuth: this server is made without; say defineServer(options, { clientCertificates })');
  const { authorities = [] } = given;
  if (!Array.isArray(authorities)) throw new TypeError('clientAuth.authorities: an array of PEM is wanted');
  const anchors = authorities.flatMap(authoritiesFromPem);
  const names = anchors.map(({ subject }) => subject);
  const length = names.reduce((sum, name) => sum + 2 + name.length, 0);
  if (length > MAX_NAMES)
    throw new RangeError(`clientAuth.authorities: ${length} bytes of names, more than ${MAX_NAMES}`);
  return Object.freeze({
    mode: oneOf('clientAuth.mode', given.mode, CLIENT_AUTH_MODES),
    verifyClient: callback('clientAuth.verifyClient', given.verifyClient).bind(given),
    authorities: Object.freeze(names),
    anchors: Object.freeze(anchors.map(({ bytes }) => bytes)),
  });
}

function authoritiesFromPem(pem: string): ReturnType<typeof certificatesFromPem> {
  const certificates = certificatesFromPem('clientAuth.authorities', pem);
  if (certificates.length === 0) throw new TypeError('clientAuth.authorities: no CERTIFICATE in it');
  return certificates;
}

function sessionCache({ cache, maxEntries }: SessionOptions, compat: Compat | undefined): SessionCache | undefined {
  if (cache === undefined)
    return new SessionCache({ maxEntries: integer('sessions.maxEntries', maxEntries, DEFAULT_MAX_ENTRIES, 0), compat });
  if (maxEntries !== undefined)
    throw new TypeError("sessions.maxEntries is for a cache of the server's own: set it on the cache");
  if (cache === false) return undefined;
  if (!(cache instanceof SessionCache)) throw new TypeError('sessions.cache: a SessionCache, or false');
  return cache;
}

function sessionSettings(sessions: SessionOptions) {
  const idContext = sessions.idContext ?? new Uint8Array(0);
  if (!(idContext instanceof Uint8Array)) throw new TypeError('sessions.idContext: a Uint8Array');
  if (idContext.length > 32) throw new RangeError(`sessions.idContext has ${idContext.length} bytes, 32 are possible`);
  return {
    idContext: copyOf(idContext),
    sessionTimeout: integer('sessions.timeout', sessions.timeout, DEFAULT_TIMEOUT, 1),
    maxIdentities: integer('sessions.maxIdentities', sessions.maxIdentities, DEFAULT_MAX_IDENTITIES, 1),
    lookupTimeoutMs: integer(
      'sessions.lookupTimeoutMs',
      sessions.lookupTimeoutMs,
      DEFAULT_LOOKUP_TIMEOUT_MS,
      0,
      MAX_TIMER_MS,
    ),
  };
}

function ticketSettings(tickets: TicketOptions, sessions: SessionOptions): TicketSettings {
  requireObject('tickets', tickets);
  requireKnown('tickets.', tickets, TICKET_OPTIONS);
  const mode = oneOf<TicketSettings['mode']>('tickets.mode', tickets.mode ?? 'stateful', TICKET_MODES);
  if (tickets.keys !== undefined && mode !== 'stateless') {
    throw new TypeError(
      `tickets.keys: the mode '${mode}' uses none; leave them out, or set tickets.mode to 'stateless'`,
    );
  }
  const singleUse = boolean('tickets.singleUse', tickets.singleUse, false);
  if (singleUse && sessions.onGet !== undefined && sessions.onTake === undefined) {
    throw new TypeError(
      'tickets.singleUse with sessions.onGet needs sessions.onTake: only the store can tell who is the one',
    );
  }
  if (singleUse && mode === 'stateless' && sessions.onTake === undefined && !keepsSessions(sessions)) {
    throw new TypeError('tickets.singleUse needs an internal cache that new sessions go into, or sessions.onTake');
  }
  return {
    mode,
    timing: oneOf<TicketSettings['timing']>('tickets.timing', tickets.timing ?? 'after-finished', TIMINGS),
    maxRequested: integer('tickets.maxRequested', tickets.maxRequested, 10, 0, 255),
    initial: integer('tickets.initial', tickets.initial, 2, 0, 255),
    afterResumption: integer('tickets.afterResumption', tickets.afterResumption, 1, 0, 255),
    singleUse,
    maxAuthAge: integer('tickets.maxAuthAge', tickets.maxAuthAge, MAX_TICKET_LIFETIME, 1, MAX_TICKET_LIFETIME),
  };
}

/** Whether the internal cache has every new session. */
function keepsSessions({ cache, internalStore, mode = 'server' }: SessionOptions): boolean {
  return cache !== false && internalStore !== false && (mode === 'server' || mode === 'both');
}

/** Of its own, where nobody has given any: never a default key, and never none where tickets are wanted. */
function ticketPolicy(
  options: TicketOptions,
  { mode }: TicketSettings,
  { world, sealing }: { readonly world: World; readonly sealing: TicketPolicy['sealing'] },
): TicketPolicy {
  if (mode === 'stateless' && sealing === undefined)
    throw new TypeError(
      "tickets.mode 'stateless': this server is made without; say defineServer(options, { sealedTickets })",
    );
  const keys = options.keys ?? (mode === 'stateless' ? sealing?.newKeys(world) : undefined);
  if (keys !== undefined) complete('tickets.keys', keys, ['sealingKey', 'openingKeys']);
  return {
    keys,
    sealing,
    acceptsForeign: boolean('tickets.foreign', options.foreign, false),
    callbacks: {
      onGenerate: callback('tickets.onGenerate', options.onGenerate)?.bind(options),
      onDecrypt: callback('tickets.onDecrypt', options.onDecrypt)?.bind(options),
    },
  };
}

function scope(given: NonNullable<ServerOptions['scope']>): Settings['scope'] {
  requireObject('scope', given);
  requireKnown('scope.', given, 'label shareAcross bindLocalAddress bindAlpn');
  const { label = '', shareAcross } = given;
  if (typeof label !== 'string') throw new TypeError('scope.label: a string');
  if (shareAcross !== undefined && typeof shareAcross !== 'string') throw new TypeError('scope.shareAcross: a string');
  return {
    label,
    shareAcross,
    bindLocalAddress: boolean('scope.bindLocalAddress', given.bindLocalAddress, false),
    bindAlpn: boolean('scope.bindAlpn', given.bindAlpn, false),
  };
}

function limits(given: NonNullable<ServerOptions['limits']>): ServerConfig['limits'] {
  requireObject('limits', given);
  requireKnown('limits.', given, 'recordsPerKey skippedEarlyData');
  return {
    recordsPerKey: integer('limits.recordsPerKey', given.recordsPerKey, Number.MAX_SAFE_INTEGER, 4),
    skippedEarlyData: integer('limits.skippedEarlyData', given.skippedEarlyData, 16384, 0),
  };
}

function requireObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name}: an object is wanted`);
  }
}

/** What is made by a promise, as webCryptoCredential() does, is easily forgotten to be waited for. */
function requireNoPromise(name: string, value: unknown): void {
  if (isPromise(value)) throw new TypeError(`${name}: await the promise, and give what it brings`);
}

/** What the user has made himself: it is not looked into, but something else in its place is named. */
function complete<T extends object>(name: string, value: T, members: readonly (keyof T & string)[], remedy = ''): T {
  requireObject(name, value);
  const missing = members.find((member) => value[member] === undefined);
  if (missing !== undefined) throw new TypeError(`${name}: ${missing} is missing${remedy}`);
  return value;
}

/** With the lists and groups of settings that were made here. */
function frozen(config: ServerConfig): ServerConfig {
  const { credentials, suites, groups, alpn, pskModes, scope, tickets, limits } = config;
  for (const part of [credentials, suites, groups, alpn, pskModes, scope, tickets, limits]) Object.freeze(part);
  return Object.freeze(config);
}

/** @throws TypeError for the first name that is not among the `known`, which are separated by spaces */
export function requireKnown(prefix: string, value: object, known: string): void {
  const names = known.split(' ');
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) throw new TypeError(`unknown option ${prefix}${name}; there are ${names.join(', ')}`);
  }
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new TypeError(`${name}: ${JSON.stringify(value)} is not one of ${allowed.join(', ')}`);
  return found;
}

function list<T>(name: string, value: readonly T[]): readonly T[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new TypeError(`${name}: an array with at least one entry is wanted`);
  return value;
}

function boolean(name: string, value: boolean | undefined, preset: boolean): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw new TypeError(`${name}: true or false is wanted`);
  return value ?? preset;
}

function integer(
  name: string,
  value: number | undefined,
  preset: number,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  if (value === undefined) return preset;
  if (typeof value !== 'number') throw new TypeError(`${name}: a number is wanted`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} is ${value}; whole numbers from ${min} to ${max} are possible`);
  }
  return value;
}

function callback<T>(name: string, value: T): T {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name}: a function is wanted`);
  return value;
}
