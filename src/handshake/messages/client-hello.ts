/**
 * ClientHello: RFC 9846 §4.2.2 and the extensions of §4.3 that a server reads. Its long lists are {@link Entries}: they stay bytes,
 * because a client may send thousands of entries, and half-open connections are many.
 */

import {
  type Codec,
  decode,
  decodeLater,
  type Extensions,
  entries,
  extensions,
  fixed,
  flag,
  type Infer,
  mapped,
  numbers,
  opaque,
  optionalTail,
  rest,
  struct,
  text,
  uint8,
  uint16,
  uint32,
  vector,
} from '../../wire/codec.ts';
import { MESSAGE_HEADER } from '../../wire/handshake-buffer.ts';
import { DecodeError } from '../../wire/reader.ts';
import { ExtensionType, type Version } from '../../wire/registry.ts';
import { CertificateStatusRequest } from './certificate-status.ts';
import { fromPeer, message } from './message.ts';

/** RFC 6066 §3. Only host_name (0) exists. */
const ServerName = struct({ nameType: uint8, name: text(1, 0xffff) });

/** §4.3.8 */
export const KeyShareEntry = struct({ group: uint16, keyExchange: opaque(1, 0xffff) });
export type KeyShareEntry = Infer<typeof KeyShareEntry>;

/** §4.3.11 */
const PskIdentity = struct({ identity: opaque(1, 0xffff), obfuscatedTicketAge: uint32 });
const Binders = entries(33, 0xffff, opaque(32, 255));
export const OfferedPsks = struct({ identities: entries(7, 0xffff, PskIdentity), binders: Binders });
export type OfferedPsks = Infer<typeof OfferedPsks>;

/** RFC 9149 §3 */
const TicketRequest = struct({ newSessionCount: uint8, resumptionCount: uint8 });

/** RFC 7301 §3.1 */
const ProtocolName = text(1, 255);
export const ProtocolNameList = vector(2, 0xffff, ProtocolName);

/** Those of one version alone are named with it. pre_shared_key stands last because §4.3.11 demands it. */
export const helloExtensions = {
  serverName: [ExtensionType.server_name, entries(1, 0xffff, ServerName)],
  supportedGroups: [ExtensionType.supported_groups, numbers(2, 0xffff)],
  ecPointFormats: [ExtensionType.ec_point_formats, vector(1, 255, uint8), 'TLSv1.2'],
  signatureAlgorithms: [ExtensionType.signature_algorithms, numbers(2, 0xfffe)],
  signatureAlgorithmsCert: [ExtensionType.signature_algorithms_cert, numbers(2, 0xfffe)],
  alpn: [ExtensionType.application_layer_protocol_negotiation, entries(2, 0xffff, ProtocolName)],
  extendedMasterSecret: [ExtensionType.extended_master_secret, flag, 'TLSv1.2'],
  recordSizeLimit: [ExtensionType.record_size_limit, uint16],
  maxFragmentLength: [ExtensionType.max_fragment_length, uint8],
  statusRequest: [ExtensionType.status_request, CertificateStatusRequest],
  signedCertificateTimestamp: [ExtensionType.signed_certificate_timestamp, flag],
  sessionTicket: [ExtensionType.session_ticket, rest, 'TLSv1.2'],
  ticketRequest: [ExtensionType.ticket_request, TicketRequest, 'TLSv1.3'],
  renegotiationInfo: [ExtensionType.renegotiation_info, opaque(0, 255), 'TLSv1.2'],
  supportedVersions: [ExtensionType.supported_versions, vector(2, 254, uint16)],
  cookie: [ExtensionType.cookie, opaque(1, 0xffff), 'TLSv1.3'],
  earlyData: [ExtensionType.early_data, flag, 'TLSv1.3'],
  pskKeyExchangeModes: [ExtensionType.psk_key_exchange_modes, vector(1, 255, uint8), 'TLSv1.3'],
  keyShare: [ExtensionType.key_share, entries(0, 0xffff, KeyShareEntry), 'TLSv1.3'],
  preSharedKey: [ExtensionType.pre_shared_key, OfferedPsks, 'TLSv1.3'],
} as const;

export type ClientHelloExtensions = Extensions<typeof helloExtensions>;

const head = {
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionId: opaque(0, 32),
  cipherSuites: numbers(2, 0xfffe),
  legacyCompressionMethods: vector(1, 255, uint8),
};

/** TLS 1.2 clients may omit the whole block of extensions (RFC 5246 §7.4.1.2). */
const helloWith = (codec: Codec<ClientHelloExtensions>) =>
  struct({
    ...head,
    extensions: mapped(
      optionalTail(codec),
      (value): ClientHelloExtensions => value ?? {},
      (value) => (Object.keys(value).length === 0 ? undefined : value),
    ),
  });

export const ClientHello = /* @__PURE__ */ helloWith(/* @__PURE__ */ extensions(helloExtensions));
export type ClientHello = Infer<typeof ClientHello>;

/** At most 131,396 bytes. */
export const clientHello = /* @__PURE__ */ message('client_hello', ClientHello);

/** A hello before its version has been selected: only the extensions that decide on it are decoded. */
export const undecidedHello = message(
  'client_hello',
  helloWith(extensions(helloExtensions, ['serverName', 'supportedVersions'])),
);

/** Decodes the other extensions that the selected version uses. @throws TlsAlert decode_error */
export function decideHello({ extensions }: ClientHello, version: Version): void {
  fromPeer(() => {
    try {
      decodeLater(extensions, version);
    } catch (error) {
      throw error instanceof DecodeError ? error.within('extensions') : error;
    }
  });
}

const RawExtension = struct({ type: uint16, data: opaque(0, 0xffff) });
export type RawExtension = Infer<typeof RawExtension>;
const RawClientHello = struct({ ...head, extensions: optionalTail(entries(0, 0xffff, RawExtension)) });

/** Returns the extensions of a message that has been parsed before as views of `raw`, including those that this library does not read. */
export function rawExtensions(raw: Uint8Array): Iterable<RawExtension> {
  return decode(RawClientHello, raw, MESSAGE_HEADER).extensions ?? [];
}

/** §4.3.11.2: returns the hello up to the list of binders, without the list and its length. */
export function truncateBeforeBinders(raw: Uint8Array, { binders }: OfferedPsks): Uint8Array {
  let length = 2;
  for (const binder of binders) length += 1 + binder.length;
  return raw.subarray(0, raw.length - length);
}
