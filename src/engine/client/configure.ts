/** Makes the configuration of a client from its options: validates, fills in defaults, freezes. */

import type { KeyReader } from '../../crypto/credentials/public-key.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { ClientProtocol, ClientSettings } from '../../handshake/client/context.ts';
import { PEER_SCHEMES } from '../../handshake/peer-signature.ts';
import { toHex, utf8 } from '../../wire/bytes.ts';
import { type Names, requireObject, requireOptions, requireString } from '../../wire/options.ts';
import { isHybrid, type SignatureSchemeName } from '../../wire/registry.ts';
import { systemWorld } from '../../world.ts';
import { boolean, callback, complete, integer, list, oneOf } from '../checks.ts';
import { type CredentialFromPem, credential, provider } from '../credential-options.ts';
import { protocolSettings } from '../protocol-options.ts';
import { brandClientConfig, type ClientConfig, isClientConfig } from './config.ts';
import type { ClientExternalPsks } from './external-psks.ts';
import type { ClientOptions, ClientSessionOptions, ClientSessionStore, TicketRequest } from './options.ts';
import { ClientSessions } from './session-cache.ts';
import { trust } from './trust.ts';

/** What a client is made of. A bundle contains only the parts that its entry names. */
export interface Parts {
  /** In rising order of their versions. */
  readonly protocols: readonly ClientProtocol[];
  readonly readPublicKey: KeyReader;
  readonly crypto: CryptoProvider;
  readonly credentialFromPem?: CredentialFromPem | undefined;
  /** Without it, the option `psks` is refused. */
  readonly externalPsks?: ClientExternalPsks | undefined;
}

/** The names of the core's options. A shell may have more. */
export const CLIENT_OPTIONS = {
  verifyServer: true,
  pins: true,
  minVersion: true,
  maxVersion: true,
  ciphers: true,
  groups: true,
  keyShares: true,
  signatureAlgorithms: true,
  alpn: true,
  pskModes: true,
  psks: true,
  credential: true,
  requireExtendedMasterSecret: true,
  sessionTicket: true,
  ticketRequest: true,
  recordSizeLimit: true,
  maxFragmentLength: true,
  statusRequest: true,
  signedCertificateTimestamp: true,
  middleboxCompatibility: true,
  sessions: true,
  crypto: true,
  world: true,
  recordsPerKey: true,
  keylog: true,
} satisfies Names<ClientOptions>;
const SESSION_OPTIONS = {
  cache: true,
  maxPeers: true,
  maxPerPeer: true,
  maxBytes: true,
  singleUse: true,
  store: true,
  lookupTimeoutMs: true,
  timeout: true,
  onNew: true,
} satisfies Names<ClientSessionOptions>;
const TICKET_REQUEST = { newSessionCount: true, resumptionCount: true } satisfies Names<TicketRequest>;

/**
 * Returns the configuration for `options` of a client that is made of `parts`.
 * @throws TypeError naming the option that is unknown, missing or of the wrong kind; RangeError for a value out of range
 */
export function configure(options: ClientOptions, parts: Parts): ClientConfig {
  requireObject('options', options);
  if (isClientConfig(options)) throw new TypeError('options: this is what defineClient() returned; give it to a shell');
  requireOptions('options', options, CLIENT_OPTIONS);
  const crypto = provider(options.crypto ?? parts.crypto);
  const world = complete('world', options.world ?? systemWorld, ['now', 'randomBytes']);
  const protocols = protocolSettings(options, parts.protocols, {
    crypto,
    hasCertificates: options.psks === undefined || options.verifyServer !== undefined || options.pins !== undefined,
  });
  const psks = pskSettings(options.psks, parts.externalPsks, { crypto, suites: protocols.suites });
  const judge = trust(options.verifyServer, options.pins, crypto, options.psks !== undefined);
  const shown = options.credential && credential('credential', options.credential, crypto, parts.credentialFromPem);
  return brandClientConfig({
    ...protocols,
    readPublicKey: parts.readPublicKey,
    keyShares: keyShares(options.keyShares, protocols.groups),
    signatureAlgorithms: signatureAlgorithms(options.signatureAlgorithms),
    psks,
    credential: shown,
    requireExtendedMasterSecret: boolean('requireExtendedMasterSecret', options.requireExtendedMasterSecret, false),
    sessionTicket: boolean('sessionTicket', options.sessionTicket, true),
    ticketRequest: ticketRequest(options.ticketRequest),
    maxFragmentLength: fragmentLengthCode(options.maxFragmentLength),
    statusRequest: boolean('statusRequest', options.statusRequest, false),
    signedCertificateTimestamp: boolean('signedCertificateTimestamp', options.signedCertificateTimestamp, false),
    middleboxCompatibility: boolean('middleboxCompatibility', options.middleboxCompatibility, true),
    crypto,
    world,
    trust: judge,
    sessions: sessionSettings(options.sessions ?? {}, { ...protocols, trust: judge, psks, credential: shown, crypto }),
    recordsPerKey: integer('recordsPerKey', options.recordsPerKey, Number.MAX_SAFE_INTEGER, 4),
    keylog: callback('keylog', options.keylog),
  });
}

const NO_PSKS: readonly never[] = Object.freeze([]);

function pskSettings(
  given: ClientOptions['psks'],
  part: ClientExternalPsks | undefined,
  how: Pick<ClientConfig, 'crypto' | 'suites'>,
): ClientSettings['psks'] {
  if (given === undefined) return NO_PSKS;
  if (part !== undefined) return part.settings(given, how.crypto, how.suites);
  throw new TypeError('psks: this client is made without; say defineClient(options, { externalPsks })');
}

/** By default the first group, and the first curve, as many servers have no hybrid group. */
function keyShares(given: ClientOptions['keyShares'], own: ClientSettings['groups']): ClientSettings['keyShares'] {
  if (given !== undefined && !Array.isArray(given))
    throw new TypeError("keyShares: an array is wanted, such as ['x25519']");
  const wanted = given?.map((name) => oneOf('keyShares', name, own)) ?? [own[0], own.find((name) => !isHybrid(name))];
  return Object.freeze(own.filter((name) => wanted.includes(name))); // RFC 9846 §4.3.8: once each, and in the order of the groups
}

function signatureAlgorithms(given: ClientOptions['signatureAlgorithms']): readonly SignatureSchemeName[] {
  const names = list('signatureAlgorithms', given ?? PEER_SCHEMES, "['ecdsa_secp256r1_sha256']");
  return Object.freeze(names.map((name) => oneOf('signatureAlgorithms', name, PEER_SCHEMES)));
}

function ticketRequest(given: TicketRequest | undefined): ClientSettings['ticketRequest'] {
  if (given === undefined) return undefined;
  requireOptions('ticketRequest', given, TICKET_REQUEST);
  return Object.freeze({
    newSessionCount: integer('ticketRequest.newSessionCount', given.newSessionCount, 0, 0, 255),
    resumptionCount: integer('ticketRequest.resumptionCount', given.resumptionCount, 0, 0, 255),
  });
}

/** RFC 6066 §4: 2^9 is 1. */
const FRAGMENT_LENGTHS = [512, 1024, 2048, 4096];

function fragmentLengthCode(length: number | undefined): number | undefined {
  if (length === undefined) return undefined;
  const code = 1 + FRAGMENT_LENGTHS.indexOf(length);
  if (code === 0) throw new RangeError(`maxFragmentLength is ${length}; ${FRAGMENT_LENGTHS.join(', ')} are possible`);
  return code;
}

/** What a session depends on besides its peer. */
type Policy = Pick<ClientConfig, 'minVersion' | 'maxVersion' | 'credential' | 'crypto' | 'trust' | 'psks'>;

function policyDigest(
  { minVersion, maxVersion, credential, crypto, trust: { pins, isAny }, psks }: Policy,
  label = '',
): Uint8Array {
  const { sha256 } = crypto.hashes;
  const leaf = credential?.certificateChain[0];
  const parts = [minVersion, maxVersion, label, isAny, pins, leaf ? toHex(sha256.digest(leaf)) : null];
  // Whoever has one of the PSKs is accepted, too.
  return sha256.digest(utf8(JSON.stringify([...parts, ...psks.map(({ identity }) => toHex(identity))])));
}

function sessionStore(given: ClientSessionStore | undefined): ClientSessionStore | undefined {
  if (given === undefined) return undefined;
  complete('sessions.store', given, ['load', 'save']);
  callback('sessions.store.load', given.load);
  callback('sessions.store.save', given.save);
  requireString('sessions.store.label', given.label);
  return given;
}

/** The default of `maxBytes`: so many bytes for each session, and at least so many in all, as in the cache of a server. */
const BYTES_PER_SESSION = 4096;
const MIN_DEFAULT_BYTES = 2 ** 20;

function sessionSettings(given: ClientSessionOptions, policy: Policy): ClientConfig['sessions'] {
  requireOptions('sessions', given, SESSION_OPTIONS);
  const store = sessionStore(given.store);
  const isKept = boolean('sessions.cache', given.cache, true);
  if (store !== undefined && !isKept) throw new TypeError('sessions.store: is of no use with cache: false');
  const maxPeers = integer('sessions.maxPeers', given.maxPeers, 256, 1);
  const maxPerPeer = integer('sessions.maxPerPeer', given.maxPerPeer, 4, 1);
  const preset = Math.max(BYTES_PER_SESSION * maxPeers * maxPerPeer, MIN_DEFAULT_BYTES);
  const cache = new ClientSessions({
    maxPeers,
    maxPerPeer,
    maxBytes: integer('sessions.maxBytes', given.maxBytes, preset, 0) || Number.POSITIVE_INFINITY,
    singleUse: boolean('sessions.singleUse', given.singleUse, true),
    store,
    policy: policyDigest(policy, store?.label),
    acceptedBy: policy.trust,
  });
  return Object.freeze({
    timeout: integer('sessions.timeout', given.timeout, 7200, 1),
    lookupTimeoutMs: integer('sessions.lookupTimeoutMs', given.lookupTimeoutMs, 1000, 0, 2 ** 31 - 1),
    onNew: callback('sessions.onNew', given.onNew),
    cache: isKept ? cache : undefined,
  });
}
