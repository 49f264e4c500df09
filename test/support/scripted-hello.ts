/** The hello of a scripted client: what its options say, as edits of the product's; every field can be wrong, and the binders still be right. */

import type { HashName } from '../../src/crypto/provider.ts';
import { SUITES } from '../../src/crypto/suites.ts';
import type { HelloEdits } from '../../src/handshake/client/context.ts';
import type { DraftPsk, HelloDraft } from '../../src/handshake/client/hello-draft.ts';
import { helloExtensions, OfferedPsks } from '../../src/handshake/messages/client-hello.ts';
import { concat, EMPTY, equalBytes } from '../../src/wire/bytes.ts';
import { type Codec, decode, encode } from '../../src/wire/codec.ts';
import {
  CipherSuite,
  ExtensionType,
  type GroupName,
  HandshakeType,
  NamedGroup,
  PskKeyExchangeMode,
  SignatureScheme,
  type SignatureSchemeName,
} from '../../src/wire/registry.ts';
import type { ClientOptions, ClientPsk, HelloFields, RawExtension } from './scripted-options.ts';

export type { ClientPsk, HelloFields, RawExtension } from './scripted-options.ts';

type ExtensionFields = HelloFields['extensions'];

/** What the edits learn of the connection, and what they leave behind. */
export interface HelloContext {
  /** The hash of the suite of a HelloRetryRequest. */
  readonly retryHash: HashName | undefined;
  /** The hellos as they were before anything was rewritten in bytes. */
  readonly hellos: HelloFields[];
}

/** The edits by which a client says what its options have it say. */
export function helloEdits(options: ClientOptions, context: HelloContext): HelloEdits {
  return {
    hello: (draft, attempt) => {
      const fields = scripted(draft, options, context.retryHash);
      context.hellos.push(fields);
      const rewritten = draftOf(options.rewriteHello?.(fields, attempt) ?? fields, draft, options.psks ?? []);
      return options.rewriteExtensions === undefined
        ? rewritten
        : {
            ...rewritten,
            extensions: rewriteExtensions(rewritten, (list) => options.rewriteExtensions?.(list, attempt)),
          };
    },
  };
}

/** A pre_shared_key that has been touched, or is not the last, is on its own, with binders of zeros. */
function rewriteExtensions(
  { extensions, psks }: HelloDraft,
  rewrite: (list: readonly RawExtension[]) => readonly RawExtension[] | undefined,
): HelloDraft['extensions'] {
  const offer = psks.length === 0 ? undefined : extensions?.at(-1);
  if (offer !== undefined) {
    const binders = psks.map(({ hash }) => new Uint8Array(hash === 'sha384' ? 48 : 32));
    offer.data = encode(OfferedPsks, { identities: psks, binders });
  }
  const list = [...(rewrite(extensions ?? []) ?? [])];
  if (offer !== undefined && list.at(-1) === offer) list[list.length - 1] = { type: offer.type, data: EMPTY };
  return list.length === 0 && extensions === undefined ? undefined : list;
}

function scripted(draft: HelloDraft, options: ClientOptions, retryHash: HashName | undefined): HelloFields {
  const { version = 'TLSv1.3', session, fallbackScsv = false, renegotiationInfo = 'extension' } = options;
  const suites = options.ciphers ?? SUITES.filter((suite) => suite.version <= version).map(({ name }) => name);
  const signals = [
    ...(renegotiationInfo === 'scsv' ? [CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV] : []),
    ...(fallbackScsv ? [CipherSuite.TLS_FALLBACK_SCSV] : []),
  ];
  return {
    ...draft,
    legacyCompressionMethods: [...draft.legacyCompressionMethods],
    legacySessionId: options.sessionId ?? session?.id ?? draft.legacySessionId,
    cipherSuites: [...suites.map((suite) => (typeof suite === 'number' ? suite : CipherSuite[suite])), ...signals],
    extensions: { ...commonExtensions(options), ...(version === 'TLSv1.3' && ofTls13(draft, options, retryHash)) },
  };
}

function commonExtensions(options: ClientOptions): ExtensionFields {
  const { ems = true, renegotiationInfo = 'extension', signatureAlgorithms, ecPointFormats = [0] } = options;
  const { groups = ['x25519', 'secp256r1', 'secp384r1'], ticketExt = options.session?.ticket } = options;
  const schemes = signatureAlgorithms ?? (Object.keys(SignatureScheme) as SignatureSchemeName[]);
  return {
    serverName: options.sni === undefined ? undefined : [{ nameType: 0, name: options.sni }],
    supportedGroups:
      groups === false ? undefined : groups.map((one) => (typeof one === 'number' ? one : NamedGroup[one])),
    ecPointFormats: ecPointFormats === false ? undefined : ecPointFormats,
    signatureAlgorithms: schemes === false ? undefined : schemes.map((scheme) => SignatureScheme[scheme]),
    alpn: options.alpn,
    extendedMasterSecret: ems ? true : undefined,
    recordSizeLimit: options.recordSizeLimit,
    maxFragmentLength: options.maxFragmentLength,
    sessionTicket: ticketExt === false ? undefined : ticketExt,
    renegotiationInfo: renegotiationInfo === 'extension' ? EMPTY : undefined,
  };
}

function ofTls13(draft: HelloDraft, options: ClientOptions, retryHash: HashName | undefined): ExtensionFields {
  const { supportedVersions = [0x0304, 0x0303], pskModes = ['psk_dhe_ke', 'psk_ke'], psks = [] } = options;
  // RFC 9846 §4.2.2: those whose hash is another than the suite's leave with the second hello.
  const offered = psks.filter(({ hash }) => retryHash === undefined || hash === retryHash);
  return {
    supportedVersions: supportedVersions === false ? undefined : supportedVersions,
    ticketRequest: options.ticketRequest,
    cookie: fieldIn(draft, 'cookie') as Uint8Array | undefined,
    earlyData: options.earlyData && retryHash === undefined ? true : undefined,
    pskKeyExchangeModes: pskModes === false ? undefined : pskModes.map((mode) => PskKeyExchangeMode[mode]),
    keyShare: options.keyShares === false ? undefined : sharesIn(draft, retryHash === undefined && options.keyShares),
    preSharedKey: offered.length === 0 ? undefined : offerOf(offered),
  };
}

/** Those of a draft; in the first hello, in the order and as often as they are wanted. */
function sharesIn(draft: HelloDraft, wanted: readonly GroupName[] | false | undefined): ExtensionFields['keyShare'] {
  const shares = [...((fieldIn(draft, 'keyShare') as ExtensionFields['keyShare']) ?? [])];
  return wanted ? wanted.flatMap((name) => shares.filter(({ group }) => group === NamedGroup[name])) : shares;
}

function offerOf(psks: readonly ClientPsk[]): ExtensionFields['preSharedKey'] {
  return {
    identities: psks.map(({ identity, obfuscatedTicketAge = 0 }) => ({ identity, obfuscatedTicketAge })),
    binders: psks.map(({ hash }) => new Uint8Array(hash === 'sha384' ? 48 : 32)),
  };
}

/** The content of an extension of a draft. */
function fieldIn({ extensions = [] }: HelloDraft, name: keyof typeof helloExtensions): unknown {
  const [type, codec] = helloExtensions[name];
  const data = extensions.find((extension) => extension.type === type)?.data;
  return data && decode(codec as Codec<unknown>, data);
}

/** The binder of a PSK that the client has is made; that of any other is as it is given. */
function draftOf(fields: HelloFields, draft: HelloDraft, known: readonly ClientPsk[]): HelloDraft {
  const { preSharedKey, ...others } = fields.extensions;
  const list = (Object.keys(helloExtensions) as (keyof typeof helloExtensions)[]).flatMap((name) => {
    const value = name === 'preSharedKey' ? undefined : others[name];
    if (value === undefined) return [];
    const [type, codec] = helloExtensions[name];
    return [{ type, data: encode(codec as Codec<unknown>, value) }];
  });
  const psks = (preSharedKey?.identities ?? []).map((offered, i): DraftPsk => {
    const psk = known.find(({ identity }) => equalBytes(identity, offered.identity));
    return {
      ...offered,
      ...(psk ? { secret: psk.secret, hash: psk.hash, kind: psk.kind } : { binder: preSharedKey?.binders[i] }),
    };
  });
  if (preSharedKey !== undefined) list.push({ type: ExtensionType.pre_shared_key, data: EMPTY });
  return {
    ...draft,
    ...fields,
    cipherSuites: [...fields.cipherSuites],
    legacyCompressionMethods: Uint8Array.from(fields.legacyCompressionMethods),
    extensions: Object.keys(fields.extensions).length === 0 ? undefined : list,
    psks,
  };
}

/** Returns the content of pre_shared_key with other binders. */
export function withBinders(
  data: Uint8Array,
  rewrite: (binders: readonly Uint8Array[]) => readonly Uint8Array[],
): Uint8Array {
  const start = 2 + 256 * (data[0] ?? 0) + (data[1] ?? 0);
  const binders: Uint8Array[] = [];
  for (let at = start + 2; at < data.length; at += 1 + (data[at] ?? 0))
    binders.push(data.slice(at + 1, at + 1 + (data[at] ?? 0)));
  const list = rewrite(binders).flatMap((binder) => [binder.length, ...binder]);
  return concat(data.subarray(0, start), Uint8Array.of(list.length >> 8, list.length & 0xff), Uint8Array.from(list));
}

/** The bytes of one extension of a hello, by another name. */
export function rawExtension(type: number, ...data: readonly number[]): RawExtension {
  return { type, data: Uint8Array.from(data) };
}

/** A list with one extension changed; where it is not there yet it is added, before pre_shared_key. */
export function withExtension(list: readonly RawExtension[], type: number, ...data: readonly number[]): RawExtension[] {
  return withRawExtension(list, rawExtension(type, ...data));
}

/** The same for any number of bytes: a call has room for so many arguments only as the stack has. */
export function withRawExtension(list: readonly RawExtension[], changed: RawExtension): RawExtension[] {
  if (list.some(({ type }) => type === changed.type)) {
    return list.map((extension) => (extension.type === changed.type ? changed : extension));
  }
  const before = list.filter((extension) => extension.type !== ExtensionType.pre_shared_key);
  return [...before, changed, ...list.filter((extension) => extension.type === ExtensionType.pre_shared_key)];
}

export function withoutExtension(list: readonly RawExtension[], ...types: readonly number[]): RawExtension[] {
  return list.filter(({ type }) => !types.includes(type));
}

/** Any message as its bytes, for tests that write one by hand. */
export function rawMessage(name: keyof typeof HandshakeType, ...body: readonly number[]): Uint8Array {
  return Uint8Array.of(HandshakeType[name], body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff, ...body);
}
