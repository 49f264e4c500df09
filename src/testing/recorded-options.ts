/**
 * The options of both roles as JSON, defaults included, so that a recording means the same whatever a later default is; and
 * configurations made of them. Callbacks, keys and signers are not in it: a replay answers in their place.
 */

import { SessionCache } from '../cache/session-cache.ts';
import type { Credential } from '../crypto/credentials/credential.ts';
import type { Staples } from '../crypto/credentials/staples.ts';
import type { CryptoProvider, KeyEncapsulation } from '../crypto/provider.ts';
import { defaultProvider } from '../crypto/providers/default.ts';
import { brandClientConfig, type ClientConfig } from '../engine/client/config.ts';
import { defineClient } from '../engine/client/define-client.ts';
import type { ClientOptions } from '../engine/client/options.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { configure } from '../engine/server/configure.ts';
import { ALL_PARTS } from '../engine/server/define-server.ts';
import type { ServerOptions, SessionOptions } from '../engine/server/options.ts';
import { singleUse } from '../engine/server/single-use.ts';
import type { WirePsk } from '../handshake/psk.ts';
import { isBytes } from '../platform.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { encodePem } from '../wire/pem.ts';
import type { World } from '../world.ts';

/** What a credential says of itself. */
interface RecordedCredential extends Omit<Credential, 'certificateChain' | 'sign' | keyof Staples> {
  readonly certificateChain: readonly string[];
  /** `true` for a function, of whose answers the recording has what it needs. */
  readonly ocspResponse?: string | true | undefined;
  readonly signedCertificateTimestamps?: string | readonly string[] | undefined;
}

function writeCredential({ certificateChain, sign: _, ...rest }: Credential): RecordedCredential {
  const { schemes, schemesTls12, names, certificateSchemes, ocspResponse: response } = rest;
  const { signedCertificateTimestamps: timestamps } = rest;
  return {
    certificateChain: certificateChain.map(toHex),
    schemes,
    schemesTls12,
    names,
    certificateSchemes,
    ocspResponse: typeof response === 'function' ? true : response && toHex(response),
    signedCertificateTimestamps: timestamps && (isBytes(timestamps) ? toHex(timestamps) : timestamps.map(toHex)),
  };
}

function bytesOf(hex: string | undefined): Uint8Array | undefined {
  return hex === undefined ? undefined : fromHex(hex);
}

function readCredential({ certificateChain, ...recorded }: RecordedCredential): Credential {
  const { ocspResponse: response, signedCertificateTimestamps: timestamps, ...rest } = recorded;
  return {
    ...rest,
    certificateChain: certificateChain.map(fromHex),
    ocspResponse: response === true ? absent : bytesOf(response),
    signedCertificateTimestamps: typeof timestamps === 'string' ? fromHex(timestamps) : timestamps?.map(fromHex),
    sign: absent,
  };
}

/** Stands for what the recording has answers of. */
function absent(): never {
  throw new Error('this is not in the recording');
}

const SESSION_CALLBACKS = [
  'generateId',
  'notResumable',
  'mayResume',
  'onNew',
  'onGet',
  'onTake',
  'onRemove',
] as const satisfies readonly (keyof SessionOptions)[];

/** A replay makes no keys: a group has to be there, so that it is negotiated. */
const GROUP: KeyEncapsulation = { generate: absent, encapsulate: absent };
const CRYPTO: CryptoProvider = {
  ...defaultProvider,
  groups: { ...defaultProvider.groups, X25519MLKEM768: GROUP, SecP256r1MLKEM768: GROUP },
};

/** The names of those that are there. */
function namesOf<N extends string>(names: readonly N[], object: Readonly<Partial<Record<N, unknown>>>): N[] {
  return names.filter((name) => object[name] !== undefined);
}

/** A function under each of these names, which is there and not called. */
function stubs<N extends string>(names: readonly N[]): Record<N, () => never> {
  return Object.fromEntries(names.map((name) => [name, absent])) as Record<N, () => never>;
}

/** Returns the options of a server, resolved. */
export function writeServer(config: ServerConfig) {
  const { store, ticketPolicy, clientAuth, tickets, scope, limits } = config;
  const { policy, cache } = store;
  return {
    credentials: config.credentials.map(writeCredential),
    minVersion: config.minVersion,
    maxVersion: config.maxVersion,
    ciphers: [...new Set(config.suites.map(({ name }) => name))],
    groups: config.groups,
    alpn: config.alpn,
    pskModes: config.pskModes,
    scope,
    requireExtendedMasterSecret: config.requireExtendedMasterSecret,
    recordSizeLimit: config.recordSizeLimit,
    compat: config.compat,
    limits,
    choosesAlpn: config.onAlpn !== undefined,
    selectsServers: config.onServerName !== undefined,
    psks: config.psks && { isAlone: config.psks.isAlone, hides: config.psks.hides },
    earlyData: config.earlyData && {
      maxSize: config.earlyData.maxSize,
      maxHeld: config.earlyData.maxHeld,
      windowMs: config.earlyData.windowMs,
      isSingleUse: config.earlyData.admit === undefined,
      keepsForever: config.earlyData.keepsForever,
    },
    clientAuth: clientAuth && { mode: clientAuth.mode, authorities: clientAuth.anchors.map(toHex) },
    sessions: {
      cache: cache && { maxEntries: cache.maxEntries, maxBytes: cache.maxBytes, isClosed: cache.isClosed },
      isOwn: config.hasOwnStore,
      mode: policy.mode,
      internalLookup: policy.internalLookup,
      internalStore: policy.internalStore,
      autoClear: policy.autoClear,
      updateTime: policy.updateTime,
      foreign: policy.foreign,
      removeUnclean: policy.removeUnclean,
      timeout: config.sessionTimeout(),
      idContext: toHex(config.idContext),
      lookupTimeoutMs: config.lookupTimeoutMs,
      maxIdentities: config.maxIdentities,
      callbacks: namesOf(SESSION_CALLBACKS, policy),
    },
    tickets: {
      ...tickets,
      foreign: ticketPolicy.acceptsForeign,
      callbacks: namesOf(['onGenerate', 'onDecrypt'], ticketPolicy.callbacks),
      hasOwnKeys: config.hasOwnTicketKeys,
    },
  };
}

export type RecordedServer = ReturnType<typeof writeServer>;

/** Makes a server of recorded options. Its clock and dice are those of `world`. */
export function readServer(recorded: RecordedServer, world: World): ServerConfig {
  const { credentials, earlyData, clientAuth, sessions, tickets, choosesAlpn, selectsServers, psks, ...rest } =
    recorded;
  const { callbacks, hasOwnKeys: _, ...ticketOptions } = tickets;
  const options: ServerOptions = {
    ...rest,
    credentials: psks?.isAlone ? undefined : credentials.map(readCredential),
    psks: psks && absent, // each lookup is a task
    hideUnknownPsks: psks?.isAlone ? psks.hides : undefined,
    onAlpn: choosesAlpn ? absent : undefined,
    onServerName: selectsServers ? () => undefined : undefined,
    earlyData: earlyData && readEarlyData(earlyData),
    clientAuth: clientAuth && {
      mode: clientAuth.mode,
      verifyClient: absent,
      authorities: clientAuth.authorities.map((der) => encodePem('CERTIFICATE', fromHex(der))),
    },
    sessions: readSessions(sessions),
    tickets: { ...ticketOptions, ...stubs(callbacks) },
    crypto: CRYPTO,
    world,
  };
  return configure(options, ALL_PARTS);
}

/** What a strategy has answered is in the recording. */
function readEarlyData(recorded: NonNullable<RecordedServer['earlyData']>) {
  const { maxSize, maxHeld, windowMs, isSingleUse, keepsForever } = recorded;
  const antiReplay = isSingleUse ? singleUse({ windowMs }) : { windowMs, keepsForever, admit: absent };
  return { maxSize, maxHeld, antiReplay };
}

function readSessions(recorded: RecordedServer['sessions']): SessionOptions {
  const { cache, isOwn, idContext, callbacks, ...rest } = recorded;
  const options = { ...rest, idContext: fromHex(idContext), ...stubs(callbacks) };
  if (cache === undefined) return { ...options, cache: false };
  const { isClosed, ...limits } = cache;
  if (!isOwn) return { ...options, ...limits };
  const made = new SessionCache(limits);
  if (isClosed) made.close();
  return { ...options, cache: made };
}

const FRAGMENT_LENGTHS = [undefined, 512, 1024, 2048, 4096] as const;

/** An external PSK. Of one that was not used there are zeros for the secret. */
interface RecordedPsk extends Omit<WirePsk, 'identity' | 'secret' | 'session'> {
  readonly identity: string;
  readonly secret: string;
}

/** Returns the options of a client, resolved. `isUsed` names the external PSKs whose secrets are in them. */
export function writeClient(config: ClientConfig, isUsed: (psk: WirePsk) => boolean = () => false) {
  return {
    psks: config.psks.map(
      (psk): RecordedPsk => ({
        kind: psk.kind,
        identity: toHex(psk.identity),
        secret: toHex(isUsed(psk) ? psk.secret : new Uint8Array(psk.secret.length)),
        hash: psk.hash,
        role: psk.role,
        earlyData: psk.earlyData,
      }),
    ),
    minVersion: config.minVersion,
    maxVersion: config.maxVersion,
    ciphers: [...new Set(config.suites.map(({ name }) => name))],
    groups: config.groups,
    keyShares: config.keyShares,
    signatureAlgorithms: config.signatureAlgorithms,
    alpn: config.alpn,
    pskModes: config.pskModes,
    credential: config.credential && writeCredential(config.credential),
    requireExtendedMasterSecret: config.requireExtendedMasterSecret,
    sessionTicket: config.sessionTicket,
    ticketRequest: config.ticketRequest,
    recordSizeLimit: config.recordSizeLimit,
    maxFragmentLength: FRAGMENT_LENGTHS[config.maxFragmentLength ?? 0],
    statusRequest: config.statusRequest,
    signedCertificateTimestamp: config.signedCertificateTimestamp,
    middleboxCompatibility: config.middleboxCompatibility,
    recordsPerKey: config.recordsPerKey,
    timeout: config.sessions.timeout,
    lookupTimeoutMs: config.sessions.lookupTimeoutMs,
  };
}

export type RecordedClient = ReturnType<typeof writeClient>;

/** Stands for the external PSKs of a client until they are there. */
const PLACEHOLDER = { identity: Uint8Array.of(0), secret: new Uint8Array(16) };

/** Makes a client of recorded options. It trusts what the recording says was accepted, and keeps no sessions. */
export function readClient(recorded: RecordedClient, world: World): ClientConfig {
  const { credential, timeout, lookupTimeoutMs, psks = [], ...rest } = recorded;
  const options: ClientOptions = {
    ...rest,
    credential: credential && readCredential(credential),
    sessions: { cache: false, timeout, lookupTimeoutMs },
    verifyServer: 'any',
    psks: psks.length > 0 ? [PLACEHOLDER] : undefined, // some suites need one
    crypto: CRYPTO,
    world,
  };
  const read = psks.map((psk) => ({ ...psk, identity: fromHex(psk.identity), secret: fromHex(psk.secret) }));
  return brandClientConfig({ ...defineClient(options), psks: Object.freeze(read) });
}
