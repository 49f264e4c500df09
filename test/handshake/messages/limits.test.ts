/** The vectors of the messages: as long and as short as their declarations allow, and no longer or shorter. A declaration reads and writes. */

import { Certificate } from '../../../src/handshake/messages/certificate.ts';
import { CertificateRequest, CertificateRequestTls12 } from '../../../src/handshake/messages/certificate-request.ts';
import { CertificateVerify } from '../../../src/handshake/messages/certificate-verify.ts';
import { ClientHello, KeyShareEntry, OfferedPsks } from '../../../src/handshake/messages/client-hello.ts';
import { ClientKeyExchange } from '../../../src/handshake/messages/client-key-exchange.ts';
import { EncryptedExtensions } from '../../../src/handshake/messages/encrypted-extensions.ts';
import { KeyUpdate } from '../../../src/handshake/messages/key-update.ts';
import { NewSessionTicket, NewSessionTicketTls12 } from '../../../src/handshake/messages/new-session-ticket.ts';
import { ServerHello, ServerHelloTls12 } from '../../../src/handshake/messages/server-hello.ts';
import { ServerECDHParams } from '../../../src/handshake/messages/server-key-exchange.ts';
import { type Codec, decode, encode } from '../../../src/wire/codec.ts';
import { range, testLimits } from '../../support/limits.ts';

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const items = (length: number): number[] => new Array(Math.max(0, length)).fill(7);
const names = (length: number): string[] => ['x'.repeat(length)];

/** The value is written, and can be read again. */
const both =
  <T>(codec: Codec<T>, value: (size: number) => T) =>
  (size: number): void =>
    void decode(codec, encode(codec, value(size)));

const hello = (changes: Partial<ClientHello>): ClientHello => ({
  legacyVersion: 0x0303,
  random: bytes(32),
  legacySessionId: bytes(0),
  cipherSuites: items(1),
  legacyCompressionMethods: [0],
  extensions: {},
  ...changes,
});
const extended = (extensions: (size: number) => ClientHello['extensions']) =>
  both(ClientHello, (size) => hello({ extensions: extensions(size) }));

const serverHello = {
  legacyVersion: 0x0303,
  random: bytes(32),
  legacySessionIdEcho: bytes(0),
  cipherSuite: 1,
  legacyCompressionMethod: 0,
  extensions: {},
};
const ticket = { ticketLifetime: 1, ticketAgeAdd: 1, ticketNonce: bytes(1), ticket: bytes(1), extensions: {} };
const psks = (identity: number, binders: readonly number[]): OfferedPsks => ({
  identities: [{ identity: bytes(identity), obfuscatedTicketAge: 0 }],
  binders: binders.map(bytes),
});

/** From so many to so many, and what is made of each number. */
type Row = readonly [min: number, max: number, attempt: (size: number) => unknown];

/** Bytes: at a minimum of 0 there is nothing below. */
const opaque: Readonly<Record<string, Row>> = {
  'ClientHello.legacy_session_id': [0, 32, both(ClientHello, (n) => hello({ legacySessionId: bytes(n) }))],
  'ClientHello.legacy_compression_methods': [
    1,
    255,
    both(ClientHello, (n) => hello({ legacyCompressionMethods: items(n) })),
  ],
  'ClientHello ec_point_formats': [1, 255, extended((n) => ({ ecPointFormats: items(n) }))],
  'ClientHello renegotiation_info': [0, 255, extended((n) => ({ renegotiationInfo: bytes(n) }))],
  'ClientHello psk_key_exchange_modes': [1, 255, extended((n) => ({ pskKeyExchangeModes: items(n) }))],
  'ClientHello cookie': [1, 0xffff - 6, extended((n) => ({ cookie: bytes(n) }))],
  'ClientHello ALPN, a name': [1, 255, extended((n) => ({ alpn: names(n) }))],
  'ClientHello server_name, a name': [
    1,
    0xffff - 4 - 2 - 3,
    extended((n) => ({ serverName: [{ nameType: 0, name: 'x'.repeat(n) }] })),
  ],
  'KeyShareEntry.key_exchange': [1, 0xffff, both(KeyShareEntry, (n) => ({ group: 1, keyExchange: bytes(n) }))],
  'OfferedPsks, an identity': [1, 0xffff - 6, both(OfferedPsks, (n) => psks(n, [32]))],
  'OfferedPsks, a binder': [32, 255, both(OfferedPsks, (n) => psks(1, [n]))],
  'ServerHello.legacy_session_id_echo': [
    0,
    32,
    both(ServerHello, (n) => ({ ...serverHello, legacySessionIdEcho: bytes(n) })),
  ],
  'ServerHello of TLS 1.2, ec_point_formats': [
    1,
    255,
    both(ServerHelloTls12, (n) => ({ ...serverHello, extensions: { ecPointFormats: items(n) } })),
  ],
  'ServerHello of TLS 1.2, renegotiation_info': [
    0,
    255,
    both(ServerHelloTls12, (n) => ({ ...serverHello, extensions: { renegotiationInfo: bytes(n) } })),
  ],
  'ServerECDHParams.point': [
    1,
    255,
    both(ServerECDHParams, (n) => ({ curveType: 'named_curve' as const, namedCurve: 1, point: bytes(n) })),
  ],
  'ClientKeyExchange.point': [1, 255, both(ClientKeyExchange, (n) => ({ point: bytes(n) }))],
  'Certificate.certificate_request_context': [
    0,
    255,
    both(Certificate, (n) => ({ certificateRequestContext: bytes(n), certificateList: [] })),
  ],
  'CertificateRequest.certificate_request_context': [
    0,
    255,
    both(CertificateRequest, (n) => ({ certificateRequestContext: bytes(n), extensions: {} })),
  ],
  'CertificateRequest of TLS 1.2, certificate_types': [
    1,
    255,
    both(CertificateRequestTls12, (n) => ({
      certificateTypes: items(n),
      supportedSignatureAlgorithms: [1],
      certificateAuthorities: [],
    })),
  ],
  'CertificateRequest of TLS 1.2, a name': [
    1,
    0xffff - 2,
    both(CertificateRequestTls12, (n) => ({
      certificateTypes: [1],
      supportedSignatureAlgorithms: [1],
      certificateAuthorities: [bytes(n)],
    })),
  ],
  'CertificateVerify.signature': [0, 0xffff, both(CertificateVerify, (n) => ({ algorithm: 1, signature: bytes(n) }))],
  'NewSessionTicket.ticket_nonce': [0, 255, both(NewSessionTicket, (n) => ({ ...ticket, ticketNonce: bytes(n) }))],
  'NewSessionTicket.ticket': [1, 0xffff, both(NewSessionTicket, (n) => ({ ...ticket, ticket: bytes(n) }))],
  'NewSessionTicket of TLS 1.2, ticket': [
    0,
    0xffff,
    both(NewSessionTicketTls12, (n) => ({ ticketLifetimeHint: 0, ticket: bytes(n) })),
  ],
  'KeyUpdate.request_update': [0, 1, both(KeyUpdate, (n) => ({ requestUpdate: n }))],
};

/** Entries, of which one is the fewest. */
const lists: Readonly<Record<string, Row>> = {
  'ClientHello.cipher_suites': [1, 0x7fff, both(ClientHello, (n) => hello({ cipherSuites: items(n) }))],
  'ClientHello supported_versions': [1, 127, extended((n) => ({ supportedVersions: items(n) }))],
  'ClientHello supported_groups': [1, 0x7ffc, extended((n) => ({ supportedGroups: items(n) }))],
  'ClientHello signature_algorithms': [1, 0x7ffc, extended((n) => ({ signatureAlgorithms: items(n) }))],
  'ClientHello signature_algorithms_cert': [1, 0x7ffc, extended((n) => ({ signatureAlgorithmsCert: items(n) }))],
  'ClientHello ALPN': [1, 0x7ffc, extended((n) => ({ alpn: items(n).map(() => 'x') }))],
  'ClientHello server_name': [
    1,
    0x3ffe,
    extended((n) => ({ serverName: items(n).map(() => ({ nameType: 0, name: 'x' })) })),
  ],
  'OfferedPsks.identities': [
    1,
    9362,
    both(OfferedPsks, (n) => ({
      identities: items(n).map(() => ({ identity: bytes(1), obfuscatedTicketAge: 0 })),
      binders: [bytes(32)],
    })),
  ],
  'OfferedPsks.binders': [1, 1985, both(OfferedPsks, (n) => psks(1, items(n).fill(32)))],
  'EncryptedExtensions supported_groups': [
    1,
    0x7ffc,
    both(EncryptedExtensions, (n) => ({ extensions: { supportedGroups: items(n) } })),
  ],
  'ServerHello of TLS 1.2, ALPN': [
    1,
    0x7ffc,
    both(ServerHelloTls12, (n) => ({ ...serverHello, extensions: { alpn: items(n).map(() => 'x') } })),
  ],
  'CertificateRequest signature_algorithms': [
    1,
    0x7ffc,
    both(CertificateRequest, (n) => ({
      certificateRequestContext: bytes(0),
      extensions: { signatureAlgorithms: items(n) },
    })),
  ],
  'CertificateRequest certificate_authorities': [
    1,
    0x5553,
    both(CertificateRequest, (n) => ({
      certificateRequestContext: bytes(0),
      extensions: { certificateAuthorities: items(n).map(() => bytes(1)) },
    })),
  ],
  'CertificateRequest of TLS 1.2, supported_signature_algorithms': [
    1,
    0x7fff,
    both(CertificateRequestTls12, (n) => ({
      certificateTypes: [1],
      supportedSignatureAlgorithms: items(n),
      certificateAuthorities: [],
    })),
  ],
};

describe('the vectors of the messages', () => {
  for (const [what, [min, max, attempt]] of Object.entries({ ...opaque, ...lists })) {
    const { passes, refused } = range(min, max);
    testLimits({ [what]: { passes, refused: refused.filter((value) => value >= 0), attempt, error: '' } });
  }
});
