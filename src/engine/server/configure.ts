/**
 * Makes the configuration of a server from its options, for every defineServer(): validates, fills in defaults, freezes. Each
 * object and list is frozen where it is made.
 */

import type { Compat, Settings } from '../../handshake/server/settings.ts';
import { requireSession } from '../../sessions/session.ts';
import { type Names, requireObject, requireOptions, requireString } from '../../wire/options.ts';
import { systemWorld } from '../../world.ts';
import { boolean, callback, complete, integer, oneOf } from '../checks.ts';
import { provider } from '../credential-options.ts';
import { protocolSettings } from '../protocol-options.ts';
import type { ServerConfig } from './config.ts';
import { brandConfig, refuseConfig } from './config-brand.ts';
import type { EarlyDataSurroundings } from './early-data.ts';
import { clientAuth, credentials, psks } from './identity-options.ts';
import type { EarlyDataOptions, LimitOptions, ScopeOptions, ServerOptions } from './options.ts';
import type { Parts } from './parts.ts';
import {
  hasOwnStore,
  ownCallbacks,
  requireSessionOptions,
  sessionCache,
  sessionPolicy,
  sessionSettings,
} from './session-options.ts';
import { SessionStore } from './store.ts';
import { ticketPolicy, ticketSettings } from './ticket-options.ts';

/** The names of the core's options. A shell may have more. */
export const CORE_OPTIONS = {
  credentials: true,
  minVersion: true,
  maxVersion: true,
  ciphers: true,
  groups: true,
  alpn: true,
  onAlpn: true,
  onServerName: true,
  clientAuth: true,
  psks: true,
  hideUnknownPsks: true,
  earlyData: true,
  sessions: true,
  tickets: true,
  pskModes: true,
  scope: true,
  requireExtendedMasterSecret: true,
  recordSizeLimit: true,
  compat: true,
  crypto: true,
  world: true,
  limits: true,
  keylog: true,
} satisfies Names<ServerOptions>;
const SCOPE_OPTIONS = {
  label: true,
  shareAcross: true,
  bindLocalAddress: true,
  bindAlpn: true,
} satisfies Names<ScopeOptions>;
const LIMIT_OPTIONS = { recordsPerKey: true, skippedEarlyData: true } satisfies Names<LimitOptions>;

/**
 * Returns the configuration for `options` of a server that is made of `parts`.
 * @throws TypeError naming the option that is unknown, missing or of the wrong kind; RangeError for a value out of range
 */
export function configure(options: ServerOptions, parts: Parts): ServerConfig {
  requireObject('options', options);
  refuseConfig('options', options);
  requireOptions('options', options, CORE_OPTIONS, remedyFor);
  const sessions = options.sessions ?? {};
  requireSessionOptions(sessions);
  const compat = options.compat === undefined ? undefined : oneOf<Compat>('compat', options.compat, ['openssl-3']);
  const crypto = provider(options.crypto ?? parts.crypto);
  const world = complete('world', options.world ?? systemWorld, ['now', 'randomBytes']);
  callback('world.now', world.now);
  callback('world.randomBytes', world.randomBytes);
  const policy = sessionPolicy(sessions);
  const store = new SessionStore({ cache: sessionCache(sessions, compat), policy, world, compat });
  const tickets = ticketSettings(options.tickets ?? {}, sessions);
  const protocols = protocolSettings(options, parts.protocols, {
    crypto,
    hasCertificates: options.psks === undefined || options.credentials !== undefined,
  });
  const source = psks(options, parts, { crypto, suites: protocols.suites });
  return brandConfig({
    ...protocols,
    ...sessionSettings(sessions),
    credentials: source?.isAlone ? [] : credentials(options.credentials, crypto, parts),
    psks: source,
    compat,
    requireExtendedMasterSecret: boolean('requireExtendedMasterSecret', options.requireExtendedMasterSecret, false),
    scope: scope(options.scope ?? {}),
    clientAuth: clientAuth(options.clientAuth, parts),
    clientCertificates: parts.clientCertificates,
    earlyData: earlyData(options.earlyData, parts, { tickets, sessions, hasPsks: source !== undefined }),
    zeroRtt: parts.zeroRtt,
    tickets,
    ticketPolicy: ticketPolicy(options.tickets ?? {}, tickets, { world, sealing: parts.sealedTickets }),
    hasOwnTicketKeys: options.tickets?.keys !== undefined,
    ownCallbacks: ownCallbacks(policy),
    hasOwnStore: hasOwnStore(sessions),
    crypto,
    world,
    store,
    addSession: (session) => store.add(requireSession('addSession()', session)),
    removeSession: (session) => store.remove(requireSession('removeSession()', session)),
    flushSessions: (now, atMost) => store.flush(now, atMost),
    closeSessions: () => store.close(),
    statistics: () => store.statistics(),
    limits: limits(options.limits ?? {}),
    onAlpn: callback('onAlpn', options.onAlpn),
    onServerName: callback('onServerName', options.onServerName),
    keylog: callback('keylog', options.keylog),
  });
}

function remedyFor(name: string): string {
  if (name === 'cert' || name === 'key') return 'write credentials: [{ cert, key }]';
  return 'docs/node-tls.md translates those of node:tls';
}

function earlyData(
  given: EarlyDataOptions | undefined,
  { zeroRtt }: Parts,
  surroundings: EarlyDataSurroundings,
): ServerConfig['earlyData'] {
  if (given === undefined) return undefined;
  if (zeroRtt !== undefined) return zeroRtt.settings(given, surroundings);
  throw new TypeError('earlyData: this server is made without; say defineServer(options, { earlyData })');
}

function scope(given: ScopeOptions): Settings['scope'] {
  requireOptions('scope', given, SCOPE_OPTIONS);
  const { label = '', shareAcross } = given;
  requireString('scope.label', label);
  requireString('scope.shareAcross', shareAcross);
  return Object.freeze({
    label,
    shareAcross,
    bindLocalAddress: boolean('scope.bindLocalAddress', given.bindLocalAddress, false),
    bindAlpn: boolean('scope.bindAlpn', given.bindAlpn, false),
  });
}

function limits(given: LimitOptions): ServerConfig['limits'] {
  requireOptions('limits', given, LIMIT_OPTIONS);
  return Object.freeze({
    recordsPerKey: integer('limits.recordsPerKey', given.recordsPerKey, Number.MAX_SAFE_INTEGER, 4),
    skippedEarlyData: integer('limits.skippedEarlyData', given.skippedEarlyData, 18432, 0),
  });
}
