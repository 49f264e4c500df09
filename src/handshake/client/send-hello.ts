/** The ClientHello, first and second: RFC 9846 §4.2.2, the extensions of §4.3, and those of TLS 1.2. */

import { Plaintext } from '../../crypto/protection.ts';
import type { DecapsulationKey } from '../../crypto/provider.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { EMPTY, equalBytes } from '../../wire/bytes.ts';
import { type Codec, encode } from '../../wire/codec.ts';
import { MAX_PLAINTEXT } from '../../wire/record.ts';
import {
  ExtensionType,
  type GroupName,
  NamedGroup,
  ProtocolVersion,
  PskKeyExchangeMode,
  type PskMode,
  SignatureScheme,
  type Version,
} from '../../wire/registry.ts';
import { generateKey } from '../key-exchange.ts';
import { helloExtensions } from '../messages/client-hello.ts';
import type { HelloRetryRequest } from '../messages/server-hello.ts';
import type { WirePsk } from '../psk.ts';
import { call, type Handshake } from '../wait.ts';
import type { ClientHandshake, ClientSettings, PskOffer, SentHello, SessionOffer } from './context.ts';
import { allowsEarlyData, sendEarlyData, termsOf } from './early-data.ts';
import {
  type DraftExtension,
  type DraftPsk,
  encodeHello,
  type HelloDraft,
  lengthOf,
  MAX_EXTENSIONS,
  PSK_LISTS,
  pskLength,
} from './hello-draft.ts';

/** The types of the extensions in a hello. */
export function typesIn({ extensions = [] }: HelloDraft): ReadonlySet<number> {
  return new Set(extensions.map(({ type }) => type));
}

/** The content of an extension of a hello; `undefined` if the hello has none. */
export function extensionIn({ extensions = [] }: HelloDraft, wanted: number): Uint8Array | undefined {
  return extensions.find(({ type }) => type === wanted)?.data;
}

/** Whether a hello offers a PSK key exchange mode (§4.3.9). */
export function offersMode(draft: HelloDraft, mode: PskMode): boolean {
  return extensionIn(draft, ExtensionType.psk_key_exchange_modes)?.includes(PskKeyExchangeMode[mode], 1) === true;
}

/** Whether a hello offers a version: by supported_versions or, without that, TLS 1.2 (§4.3.1). */
export function offersVersion(draft: HelloDraft, version: Version): boolean {
  const data = extensionIn(draft, ExtensionType.supported_versions);
  if (data === undefined) return version === 'TLSv1.2';
  const wanted = ProtocolVersion[version];
  for (let at = 1; at < data.length; at += 2)
    if (data[at] === wanted >> 8 && data[at + 1] === (wanted & 0xff)) return true;
  return false;
}

/** Makes the first hello and sends it. */
export function* sendClientHello(context: ClientHandshake, offers: readonly SessionOffer[]): Handshake<SentHello> {
  const keys = yield* generateKeys(context, speaks(context.settings, 'TLSv1.3') ? context.settings.keyShares : []);
  const { psks, tls12 } = selectOffers(context, offers, keys);
  const draft = draftHello(context, { keys, psks, tls12 });
  const ofSessions = (tls12?.ticket?.length ?? 0) + (psks.length > 0 ? 4 : 0); // the PSKs are not in the draft yet
  const room = MAX_EXTENSIONS - lengthOf(draft.extensions) + ofSessions;
  context.protectWriting(new Plaintext(ProtocolVersion['TLSv1.0'])); // RFC 9846 §5.1, RFC 5246 Appendix E.1: for old servers
  const sent = yield* send(context, draft, 1);
  context.protectWriting(new Plaintext());
  const behind = psks.find((offer) => isOffered(offer, sent.draft.psks[0]?.identity));
  const early = sendEarlyData(context, sent.draft, termsOf(behind));
  return { ...sent, keys, psks, tls12, early, room };
}

/**
 * The longest ticket of TLS 1.3 for which a hello like this has room: the block of extensions has 2^16-1 bytes (§4.2.2), in which
 * pre_shared_key has a header, two lists, an age and a binder (§4.3.11). The longest of TLS 1.2 has `room` bytes.
 */
export function longestTicket({ room }: SentHello, binderLength: number): number {
  return room - 4 - PSK_LISTS - pskLength(EMPTY, binderLength);
}

/**
 * Leaves out the sessions of a version that is not offered, and those for whose tickets the hello has no room: a ticket may be as long
 * as all extensions together.
 */
function selectOffers(
  context: ClientHandshake,
  offers: readonly SessionOffer[],
  keys: SentHello['keys'],
): Pick<SentHello, 'psks' | 'tls12'> {
  const { settings, crypto } = context;
  if (offers.length === 0 && settings.psks.length === 0) return { psks: [], tls12: undefined };
  let room = MAX_EXTENSIONS - lengthOf(draftExtensions(context, { keys, psks: [], tls12: undefined }));
  const isTaken = (length: number): boolean => {
    if (length > room) return false;
    room -= length;
    return true;
  };
  const offered = offers.filter(({ session }) => speaks(settings, session.version));
  const tls12 = offered.find(
    ({ session, ticket }) =>
      session.version === 'TLSv1.2' && (ticket === undefined || (settings.sessionTicket && isTaken(ticket.length))),
  );
  room -= 4 + PSK_LISTS;
  const tickets = offered.filter(({ session }) => session.version === 'TLSv1.3');
  const external = settings.psks.filter((psk) => isUsable(settings, psk)).map((psk) => ({ psk, hash: psk.hash }));
  const psks = [...tickets, ...external].filter((offer: PskOffer) =>
    isTaken(pskLength(identityOf(offer), crypto.hashes[offer.hash].length)),
  );
  return { psks, tls12 };
}

function isOffered(offer: PskOffer, identity: Uint8Array | undefined): boolean {
  return identity !== undefined && equalBytes(identityOf(offer), identity);
}

/** §4.3.11: whether there is a suite for an external PSK. */
function isUsable({ suites }: ClientSettings, psk: WirePsk): boolean {
  return suites.some(({ version, hash }) => version === 'TLSv1.3' && hash === psk.hash);
}

function identityOf(offer: PskOffer): Uint8Array {
  return offer.session === undefined ? offer.psk.identity : (offer.ticket ?? offer.session.id);
}

/**
 * §4.2.2: makes the hello that answers a HelloRetryRequest, and sends it. It has one share of the group that was asked for, the
 * cookie, and the PSKs that fit the suite of the retry.
 */
export function* sendSecondHello(
  context: ClientHandshake,
  first: SentHello,
  { extensions: { keyShare, cookie } }: HelloRetryRequest,
): Handshake<SentHello> {
  const group = context.settings.groups.find((name) => NamedGroup[name] === keyShare);
  const keys = group === undefined ? first.keys : yield* generateKeys(context, [group]);
  const hash = context.facts.suite?.hash;
  const psks = first.psks.filter((offer) => offer.hash === hash);
  const { draft } = first;
  const extensions = (draft.extensions ?? []).filter(({ type }) => type !== ExtensionType.early_data);
  if (group !== undefined) replace(extensions, extension('keyShare', sharesOf(keys)));
  if (cookie !== undefined) insert(extensions, extension('cookie', cookie));
  const kept = draft.psks.filter((psk) => psk.hash === undefined || psk.hash === hash);
  const second = { ...draft, extensions, psks: kept.map((psk) => renewed(context, psk, offerOf(first, psk))) };
  if (second.psks.length === 0) remove(extensions, ExtensionType.pre_shared_key);
  if (cookie !== undefined) requireRoom(context, second);
  return { ...(yield* send(context, second, 2)), keys, psks, tls12: first.tls12, early: first.early, room: first.room };
}

/** @throws TlsAlert illegal_parameter if no hello has room for the cookie that was asked for */
function requireRoom({ crypto }: ClientHandshake, { extensions, psks }: HelloDraft): void {
  const binderLength = ({ binder, hash }: DraftPsk) => binder?.length ?? (hash ? crypto.hashes[hash].length : 0);
  const ofPsks = psks.reduce((length, psk) => length + pskLength(psk.identity, binderLength(psk)), PSK_LISTS);
  if (lengthOf(extensions) + (psks.length > 0 ? ofPsks : 0) > MAX_EXTENSIONS)
    throw new TlsAlert('illegal_parameter', 'a cookie for which the hello has no room');
}

/** Returns what stands behind a PSK of a hello; `undefined` for one that a tester has made up. */
export function offerOf({ psks }: SentHello, { identity }: DraftPsk): PskOffer | undefined {
  return psks.find((offer) => isOffered(offer, identity));
}

function* generateKeys(
  context: ClientHandshake,
  groups: readonly GroupName[],
): Handshake<ReadonlyMap<GroupName, DecapsulationKey>> {
  const keys = new Map<GroupName, DecapsulationKey>();
  for (const group of groups) keys.set(group, yield* generateKey(context, group));
  return keys;
}

/** Sends a draft as the tester has changed it, if one has. */
function* send(context: ClientHandshake, draft: HelloDraft, attempt: 1 | 2): Handshake<Pick<SentHello, 'draft'>> {
  const { edits, transcript, crypto } = context;
  const edited = edits.hello === undefined ? draft : yield* call(() => edits.hello?.(draft, attempt) ?? draft);
  const made = encodeHello(edited, transcript, crypto);
  const raw = edits.bytes === undefined ? made : yield* call(() => edits.bytes?.(made, attempt) ?? made);
  context.facts.clientRandom = edited.random;
  transcript.add(context.sendRaw(raw));
  return { draft: edited };
}

export function speaks({ minVersion, maxVersion }: ClientSettings, version: Version): boolean {
  return (
    ProtocolVersion[minVersion] <= ProtocolVersion[version] && ProtocolVersion[version] <= ProtocolVersion[maxVersion]
  );
}

/** What a hello offers. */
type Offer = Omit<SentHello, 'draft' | 'early' | 'room'>;

function draftHello(context: ClientHandshake, { keys, psks, tls12 }: Offer): HelloDraft {
  const { settings } = context;
  return {
    legacyVersion: ProtocolVersion['TLSv1.2'],
    random: context.randomBytes(32, 'random'),
    legacySessionId: sessionId(context, tls12),
    cipherSuites: suitesFor(settings, psks[0]),
    legacyCompressionMethods: Uint8Array.of(0),
    extensions: draftExtensions(context, { keys, psks, tls12 }),
    psks: psks.map((offer) => draftPsk(context, offer)),
  };
}

/**
 * The suites in the order of preference, but first that of the first PSK, without which no early data is accepted (§4.3.10), and then those with
 * its hash: there are servers that take the first, and then no PSK of another hash.
 */
function suitesFor({ suites }: ClientSettings, psk: PskOffer | undefined): number[] {
  const own = suites.filter(({ id }) => id === termsOf(psk)?.cipherSuite);
  const alike = suites.filter(({ version, hash }) => version === 'TLSv1.3' && hash === psk?.hash);
  return [...new Set([...own, ...alike, ...suites])].map(({ id }) => id);
}

/**
 * RFC 5246 §7.4.1.2: the id of the session that is offered; RFC 5077 §3.4: one beside a ticket, by whose echo the client learns that
 * it resumes; RFC 9846 Appendix E.4: a random one, or none.
 */
function sessionId(context: ClientHandshake, tls12: SessionOffer | undefined): Uint8Array {
  if (tls12 !== undefined && tls12.session.id.length > 0) return tls12.session.id;
  const isRandom =
    tls12 !== undefined || (speaks(context.settings, 'TLSv1.3') && context.settings.middleboxCompatibility);
  return isRandom ? context.randomBytes(32, 'legacy_session_id') : EMPTY;
}

/** Encodes one extension of the struct in messages/client-hello.ts. */
function extension<K extends keyof typeof helloExtensions>(name: K, value: unknown): DraftExtension {
  const [type, codec] = helloExtensions[name];
  return { type, data: encode(codec as Codec<unknown>, value) };
}

/** The extensions of each version, as far as the client speaks it. pre_shared_key stands last (§4.3.11). */
function draftExtensions(context: ClientHandshake, { keys, psks, tls12 }: Offer): DraftExtension[] {
  const { settings, serverName } = context;
  const list: DraftExtension[] = [];
  const add = <K extends keyof typeof helloExtensions>(name: K, value: unknown): void => {
    if (value !== undefined) list.push(extension(name, value));
  };
  const name = hostName(serverName);
  add('serverName', name && [{ nameType: 0, name }]);
  add(
    'supportedGroups',
    settings.groups.map((group) => NamedGroup[group]),
  );
  add(
    'signatureAlgorithms',
    settings.signatureAlgorithms.map((scheme) => SignatureScheme[scheme]),
  );
  add('alpn', settings.alpn.length === 0 ? undefined : settings.alpn);
  add('maxFragmentLength', settings.maxFragmentLength);
  add('statusRequest', settings.statusRequest || undefined);
  add('signedCertificateTimestamp', settings.signedCertificateTimestamp || undefined);
  if (speaks(settings, 'TLSv1.2')) {
    add('ecPointFormats', [0]); // RFC 8422 §5.1.2: uncompressed
    add('extendedMasterSecret', true);
    add('renegotiationInfo', EMPTY); // RFC 5746 §3.4
    if (settings.sessionTicket) add('sessionTicket', tls12?.ticket ?? EMPTY);
  }
  const contentType = speaks(settings, 'TLSv1.3') ? 1 : 0; // RFC 8449 §4: a limit for TLS 1.3 includes it
  const { recordSizeLimit: limit } = settings;
  add('recordSizeLimit', limit === undefined ? undefined : Math.min(limit, MAX_PLAINTEXT) + contentType);
  if (speaks(settings, 'TLSv1.3')) addTls13(settings, add, { keys, psks });
  if (allowsEarlyData(context, psks[0], name?.toLowerCase())) add('earlyData', true);
  if (psks.length > 0) list.push({ type: ExtensionType.pre_shared_key, data: EMPTY });
  return list;
}

/** RFC 6066 §3: no address, and no dot at the end. */
function hostName(name: string | undefined): string | undefined {
  return name === undefined || /^\d+(\.\d+){3}$|:/.test(name) ? undefined : name.replace(/\.$/, '') || undefined;
}

type Add = <K extends keyof typeof helloExtensions>(name: K, value: unknown) => void;

function addTls13(settings: ClientSettings, add: Add, { keys, psks }: Pick<Offer, 'keys' | 'psks'>): void {
  const versions = (['TLSv1.3', 'TLSv1.2'] as const).filter((version) => speaks(settings, version));
  add(
    'supportedVersions',
    versions.map((version) => ProtocolVersion[version]),
  );
  add(
    'pskKeyExchangeModes',
    settings.pskModes.map((mode) => PskKeyExchangeMode[mode]),
  );
  const { ticketRequest } = settings;
  const mayResume = psks.some(({ session }) => session !== undefined);
  add('ticketRequest', mayResume ? ticketRequest : ticketRequest && { ...ticketRequest, resumptionCount: 0 }); // RFC 9149 §3
  add('keyShare', sharesOf(keys));
}

function sharesOf(keys: SentHello['keys']) {
  return [...keys].map(([group, { publicKey }]) => ({ group: NamedGroup[group], keyExchange: publicKey }));
}

/** §4.3.11 */
function draftPsk(context: ClientHandshake, offer: PskOffer): DraftPsk {
  const { hash } = offer;
  const { kind, secret } = offer.session === undefined ? offer.psk : { kind: undefined, secret: offer.session.secret };
  return { identity: identityOf(offer), obfuscatedTicketAge: obfuscatedAge(context, offer), secret, hash, kind };
}

/** §4.3.11.1: modulo 2^32. §4.3.11: 0 for an external PSK. */
function obfuscatedAge(context: ClientHandshake, offer: PskOffer): number {
  if (offer.session === undefined) return 0;
  return (context.ageOf(offer) + offer.session.ticketAgeAdd) % 2 ** 32;
}

/** §4.2.2: the age is that of the moment, so that of a second hello is another. */
function renewed(context: ClientHandshake, psk: DraftPsk, offer: PskOffer | undefined): DraftPsk {
  if (offer === undefined) return psk;
  return { ...psk, obfuscatedTicketAge: obfuscatedAge(context, offer) };
}

function replace(extensions: DraftExtension[], changed: DraftExtension): void {
  const at = extensions.findIndex(({ type }) => type === changed.type);
  if (at < 0) insert(extensions, changed);
  else extensions[at] = changed;
}

function insert(extensions: DraftExtension[], added: DraftExtension): void {
  const isLast = extensions.at(-1)?.type === ExtensionType.pre_shared_key;
  extensions.splice(extensions.length - (isLast ? 1 : 0), 0, added);
}

function remove(extensions: DraftExtension[], unwanted: number): void {
  const at = extensions.findIndex(({ type }) => type === unwanted);
  if (at >= 0) extensions.splice(at, 1);
}
