/** ServerHello and HelloRetryRequest: RFC 9846 §4.2.3, §4.2.4; for TLS 1.2 RFC 5246 §7.4.1.3 with its extensions. */

import { fromHex } from '../../wire/bytes.ts';
import {
  extensions,
  fixed,
  flag,
  type Infer,
  mapped,
  opaque,
  optionalTail,
  rest,
  struct,
  uint8,
  uint16,
  vector,
} from '../../wire/codec.ts';
import { ExtensionType } from '../../wire/registry.ts';
import { KeyShareEntry, ProtocolNameList } from './client-hello.ts';
import { message } from './message.ts';

export const helloFields = {
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionIdEcho: opaque(0, 32),
  cipherSuite: uint16,
  legacyCompressionMethod: uint8,
};

export const ServerHello = struct({
  ...helloFields,
  extensions: extensions({
    preSharedKey: [ExtensionType.pre_shared_key, uint16],
    keyShare: [ExtensionType.key_share, KeyShareEntry],
    supportedVersions: [ExtensionType.supported_versions, uint16],
  }),
});
export type ServerHello = Infer<typeof ServerHello>;
export const serverHello = message('server_hello', ServerHello);

export const HelloRetryRequest = struct({
  ...helloFields,
  extensions: extensions({
    cookie: [ExtensionType.cookie, opaque(1, 0xffff)],
    keyShare: [ExtensionType.key_share, uint16],
    supportedVersions: [ExtensionType.supported_versions, uint16],
  }),
});
export type HelloRetryRequest = Infer<typeof HelloRetryRequest>;
export const helloRetryRequest = message('server_hello', HelloRetryRequest);

/** §4.2.3: the random of a HelloRetryRequest, SHA-256 of "HelloRetryRequest". */
export const HELLO_RETRY_REQUEST_RANDOM: Uint8Array = fromHex(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
);

/** §4.2.3: the end of the random of a TLS 1.3 server that negotiates TLS 1.2. */
export const DOWNGRADE_TO_TLS12: Uint8Array = fromHex('444f574e47524401');

const ServerHelloTls12Extensions = extensions({
  serverName: [ExtensionType.server_name, flag],
  renegotiationInfo: [ExtensionType.renegotiation_info, opaque(0, 255)],
  ecPointFormats: [ExtensionType.ec_point_formats, vector(1, 255, uint8)],
  alpn: [ExtensionType.application_layer_protocol_negotiation, ProtocolNameList],
  extendedMasterSecret: [ExtensionType.extended_master_secret, flag],
  recordSizeLimit: [ExtensionType.record_size_limit, uint16],
  maxFragmentLength: [ExtensionType.max_fragment_length, uint8],
  statusRequest: [ExtensionType.status_request, flag],
  signedCertificateTimestamp: [ExtensionType.signed_certificate_timestamp, rest], // a SignedCertificateTimestampList
  sessionTicket: [ExtensionType.session_ticket, flag],
});

/** A client that sends no extensions gets none (RFC 5246 §7.4.1.4), not even an empty block. */
export const ServerHelloTls12 = struct({
  ...helloFields,
  extensions: mapped(
    optionalTail(ServerHelloTls12Extensions),
    (value): Infer<typeof ServerHelloTls12Extensions> => value ?? {},
    (value) => (Object.values(value).every((body) => body === undefined) ? undefined : value),
  ),
});
export type ServerHelloTls12 = Infer<typeof ServerHelloTls12>;
export const serverHelloTls12 = message('server_hello', ServerHelloTls12);
