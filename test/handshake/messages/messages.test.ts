/** Every message struct: there and back, every proper prefix refused, one byte too many refused, errors that name the place. */

import { expect } from 'chai';
import fc from 'fast-check';
import { certificate, certificateTls12 } from '../../../src/handshake/messages/certificate.ts';
import { certificateRequest, certificateRequestTls12 } from '../../../src/handshake/messages/certificate-request.ts';
import { certificateVerify } from '../../../src/handshake/messages/certificate-verify.ts';
import {
  ClientHello,
  clientHello,
  OfferedPsks,
  truncateBeforeBinders,
  undecidedHello,
} from '../../../src/handshake/messages/client-hello.ts';
import { clientKeyExchange } from '../../../src/handshake/messages/client-key-exchange.ts';
import { encryptedExtensions } from '../../../src/handshake/messages/encrypted-extensions.ts';
import { finished } from '../../../src/handshake/messages/finished.ts';
import { keyUpdate } from '../../../src/handshake/messages/key-update.ts';
import { frame, type Message } from '../../../src/handshake/messages/message.ts';
import { newSessionTicket, newSessionTicketTls12 } from '../../../src/handshake/messages/new-session-ticket.ts';
import {
  HELLO_RETRY_REQUEST_RANDOM,
  helloRetryRequest,
  type ServerHelloTls12,
  serverHello,
  serverHelloTls12,
} from '../../../src/handshake/messages/server-hello.ts';
import { serverHelloDone } from '../../../src/handshake/messages/server-hello-done.ts';
import { serverKeyExchange } from '../../../src/handshake/messages/server-key-exchange.ts';
import { concat, EMPTY, fromHex, toHex } from '../../../src/wire/bytes.ts';
import { type Codec, decode, encode, type Infer } from '../../../src/wire/codec.ts';
import { DecodeError } from '../../../src/wire/reader.ts';
import { HandshakeType, NamedGroup } from '../../../src/wire/registry.ts';

const RUNS = { numRuns: 40 };

const uint8 = fc.nat(0xff);
const uint16 = fc.nat(0xffff);
const uint32 = fc.nat(0xffffffff);
const opaque = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const some = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 3 });
const name = opaque(1, 20).map((bytes) => String.fromCharCode(...bytes));
const here = fc.constant(true as const);
/** Each field there or not. */
const optional = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] });

const keyShareEntry = fc.record({ group: uint16, keyExchange: opaque(1, 40) });

const clientHelloExtensions = optional({
  serverName: some(fc.record({ nameType: uint8, name })),
  supportedGroups: some(uint16),
  ecPointFormats: some(uint8),
  signatureAlgorithms: some(uint16),
  signatureAlgorithmsCert: some(uint16),
  alpn: some(name),
  extendedMasterSecret: here,
  recordSizeLimit: uint16,
  sessionTicket: opaque(0, 20),
  renegotiationInfo: opaque(0, 12),
  supportedVersions: some(uint16),
  cookie: opaque(1, 20),
  earlyData: here,
  pskKeyExchangeModes: some(uint8),
  keyShare: fc.array(keyShareEntry, { maxLength: 3 }),
  preSharedKey: fc.record({
    identities: some(fc.record({ identity: opaque(1, 33), obfuscatedTicketAge: uint32 })),
    binders: some(opaque(32, 48)),
  }),
});

const helloOf = <E>(extensions: fc.Arbitrary<E>) =>
  fc.record({
    legacyVersion: uint16,
    random: opaque(32, 32),
    legacySessionIdEcho: opaque(0, 32),
    cipherSuite: uint16,
    legacyCompressionMethod: uint8,
    extensions,
  });

const clientHelloValue: fc.Arbitrary<ClientHello> = fc.record({
  legacyVersion: uint16,
  random: opaque(32, 32),
  legacySessionId: opaque(0, 32),
  cipherSuites: some(uint16),
  legacyCompressionMethods: some(uint8),
  extensions: clientHelloExtensions,
});

const serverHelloTls12Value: fc.Arbitrary<ServerHelloTls12> = helloOf(
  optional({
    serverName: here,
    renegotiationInfo: opaque(0, 24),
    ecPointFormats: some(uint8),
    alpn: some(name),
    extendedMasterSecret: here,
    recordSizeLimit: uint16,
    sessionTicket: here,
  }),
);

const signed = fc.record({ algorithm: uint16, signature: opaque(0, 80) });

/** A value to compare: bytes as hexadecimal, entries as arrays, without what is undefined, and without the order that was only received. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Symbol.iterator in value) return Array.from(value as Iterable<unknown>, plain);
  const entries = Object.entries(value).filter(
    ([key, field]) => field !== undefined && key !== 'order' && key !== 'last',
  );
  return Object.fromEntries(entries.map(([key, field]) => [key, plain(field)]));
}

/** "" or what the DecodeError says. */
function refusal(codec: Codec<unknown>, bytes: Uint8Array): string {
  try {
    decode(codec, bytes);
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
  return '';
}

interface Tail<T> {
  /** Where the RFC lets the struct end early: how many bytes come before that. */
  readonly optionalAfter?: (value: T) => number;
  /** Its length is that of the framing, so that any prefix and any addition is another one of its kind. */
  readonly isRest?: boolean;
}

function describeMessage<T>(title: string, message: Message<T>, values: fc.Arbitrary<T>, tail: Tail<T> = {}): void {
  const { optionalAfter, isRest = false } = tail;
  describe(title, () => {
    it('comes back as it went', () => {
      fc.assert(
        fc.property(values, (value) => {
          const bytes = encode(message.body, value);
          const read = decode(message.body, bytes);
          expect(plain(read)).to.deep.equal(plain(value));
          expect(toHex(encode(message.body, read))).to.equal(toHex(bytes));
        }),
      );
    });

    it('has its type and length in front', () => {
      fc.assert(
        fc.property(values, (value) => {
          const bytes = encode(message.body, value);
          const raw = frame(message, value);
          expect([...raw.subarray(0, 4)]).to.deep.equal([message.type, 0, bytes.length >> 8, bytes.length & 0xff]);
          expect(toHex(raw.subarray(4))).to.equal(toHex(bytes));
          expect(message.type).to.equal(HandshakeType[message.name]);
        }),
        RUNS,
      );
    });

    if (isRest) return;

    it(`is refused ${optionalAfter === undefined ? 'cut off anywhere' : 'cut off anywhere but before its optional tail'}`, () => {
      fc.assert(
        fc.property(values, (value) => {
          const bytes = encode(message.body, value);
          for (let length = 0; length < bytes.length; length++) {
            const why = refusal(message.body, bytes.subarray(0, length));
            if (length === optionalAfter?.(value)) expect(why, `${length} bytes`).to.equal('');
            else expect(why, `${length} of ${bytes.length} bytes`).to.match(/wanted|outside/);
          }
        }),
        RUNS,
      );
    });

    it('is refused with a byte too many', () => {
      fc.assert(
        fc.property(values, uint8, (value, byte) => {
          const bytes = concat(encode(message.body, value), Uint8Array.of(byte));
          expect(refusal(message.body, bytes)).to.match(/1 trailing bytes|2 bytes wanted, 1 left/);
        }),
        RUNS,
      );
    });
  });
}

describeMessage('ClientHello', clientHello, clientHelloValue, {
  // RFC 5246 §7.4.1.2: extensions may be left out altogether.
  optionalAfter: ({ legacySessionId, cipherSuites, legacyCompressionMethods }) =>
    2 + 32 + 1 + legacySessionId.length + 2 + 2 * cipherSuites.length + 1 + legacyCompressionMethods.length,
});

describeMessage(
  'ServerHello',
  serverHello,
  helloOf(optional({ preSharedKey: uint16, keyShare: keyShareEntry, supportedVersions: uint16 })),
);

describeMessage(
  'HelloRetryRequest',
  helloRetryRequest,
  helloOf(optional({ keyShare: uint16, supportedVersions: uint16 })),
);

describeMessage('ServerHello of TLS 1.2', serverHelloTls12, serverHelloTls12Value, {
  // RFC 5246 §7.4.1.3: the same.
  optionalAfter: ({ legacySessionIdEcho }) => 2 + 32 + 1 + legacySessionIdEcho.length + 2 + 1,
});

describeMessage(
  'EncryptedExtensions',
  encryptedExtensions,
  fc.record({
    extensions: optional({
      supportedGroups: some(uint16),
      recordSizeLimit: uint16,
      serverName: here,
      alpn: some(name),
    }),
  }),
);

describeMessage(
  'Certificate',
  certificate,
  fc.record({
    certificateRequestContext: opaque(0, 20),
    certificateList: fc.array(fc.record({ certData: opaque(1, 80), extensions: fc.constant({}) }), { maxLength: 3 }),
  }),
);

describeMessage(
  'Certificate of TLS 1.2',
  certificateTls12,
  fc.record({ certificateList: fc.array(opaque(1, 80), { maxLength: 3 }) }),
);

describeMessage(
  'CertificateRequest',
  certificateRequest,
  fc.record({
    certificateRequestContext: opaque(0, 20),
    extensions: optional({ signatureAlgorithms: some(uint16), certificateAuthorities: some(opaque(1, 40)) }),
  }),
);

describeMessage(
  'CertificateRequest of TLS 1.2',
  certificateRequestTls12,
  fc.record({
    certificateTypes: some(uint8),
    supportedSignatureAlgorithms: some(uint16),
    certificateAuthorities: fc.array(opaque(1, 40), { maxLength: 3 }),
  }),
);

describeMessage('CertificateVerify', certificateVerify, signed);

// RFC 9846 §4.5.3: its length is the hash's, which the handshake knows and compares.
describeMessage('Finished', finished, fc.record({ verifyData: opaque(0, 48) }), { isRest: true });

describeMessage(
  'NewSessionTicket',
  newSessionTicket,
  fc.record({
    ticketLifetime: uint32,
    ticketAgeAdd: uint32,
    ticketNonce: opaque(0, 20),
    ticket: opaque(1, 80),
    extensions: optional({ earlyData: uint32 }),
  }),
);

describeMessage('KeyUpdate', keyUpdate, fc.record({ requestUpdate: fc.nat(1) }));

describeMessage(
  'ServerKeyExchange',
  serverKeyExchange,
  fc.record({
    params: fc.record({ curveType: fc.constant('named_curve' as const), namedCurve: uint16, point: opaque(1, 97) }),
    signed,
  }),
);

describeMessage('ServerHelloDone', serverHelloDone, fc.constant({}));

describeMessage('ClientKeyExchange', clientKeyExchange, fc.record({ point: opaque(1, 97) }));

/** A hello whose block of extensions is the given bytes. */
function helloWith(extensions: string): Uint8Array {
  const length = (extensions.length / 2).toString(16).padStart(4, '0');
  return fromHex(`0303${'00'.repeat(32)}00000213010100${length}${extensions}`);
}

describe('the error of a message that does not fit', () => {
  for (const [extension, why] of [
    ['0033000b0006001d00020000ffffff', 'extensions.keyShare: 3 trailing bytes'],
    ['003300080006001d0003aabb', 'extensions.keyShare.[0].keyExchange: 3 bytes wanted, 2 left'],
    ['003300060004001d0000', 'extensions.keyShare.[0].keyExchange: length 0 outside <1..65535>'],
    ['000a00050004001d00', 'extensions.supportedGroups: 4 bytes wanted, 3 left'],
    ['000a00050003001d00', 'extensions.supportedGroups.[1]: 2 bytes wanted, 1 left'],
    ['000d00020000', 'extensions.signatureAlgorithms: length 0 outside <2..65534>'],
    ['002b000100', 'extensions.supportedVersions: length 0 outside <2..254>'],
    ['0000000500030000ff', 'extensions.serverName.[0].name: 255 bytes wanted, 0 left'],
    ['0010000400030161', 'extensions.alpn: 3 bytes wanted, 2 left'],
    ['00100003000100', 'extensions.alpn: length 1 outside <2..65535>'],
    ['001000050003016100', 'extensions.alpn.[1]: length 0 outside <1..255>'],
    ['0017000101', 'extensions.extendedMasterSecret: 1 trailing bytes'],
    ['002a000100', 'extensions.earlyData: 1 trailing bytes'],
    ['001c000140', 'extensions.recordSizeLimit: 2 bytes wanted, 1 left'],
    ['002900020000', 'extensions.preSharedKey.identities: length 0 outside <7..65535>'],
    ['0029000b0007000141000000000000', 'extensions.preSharedKey.binders: length 0 outside <33..65535>'],
    ['002d000100', 'extensions.pskKeyExchangeModes: length 0 outside <1..255>'],
    ['002c00020000', 'extensions.cookie: length 0 outside <1..65535>'],
  ] as const) {
    it(`says ${why}`, () => {
      expect(() => decode(ClientHello, helloWith(extension)))
        .to.throw(DecodeError, why)
        .with.property('alert', 'decode_error');
    });
  }

  it('says so of the other messages', () => {
    const bytes = frame(certificateTls12, { certificateList: [Uint8Array.of(1)] });
    expect(refusal(certificateTls12.body, bytes.subarray(4, -1))).to.equal('certificateList: 4 bytes wanted, 3 left');
    expect(refusal(certificate.body, fromHex('000000050000010000'))).to.equal(
      'certificateList.[0].extensions: 2 bytes wanted, 1 left',
    );
    expect(refusal(newSessionTicket.body, fromHex('0000000000000000000000'))).to.equal(
      'ticket: length 0 outside <1..65535>',
    );
    expect(refusal(serverHello.body, helloOfServer('00330007001d0001aa0000'))).to.equal(
      'extensions.keyShare: 2 trailing bytes',
    );
    expect(refusal(clientKeyExchange.body, fromHex('00'))).to.equal('point: length 0 outside <1..255>');
  });

  it('is an illegal_parameter where the RFC says so', () => {
    for (const [codec, hex, why] of [
      [keyUpdate.body, '02', 'requestUpdate: request 2'],
      [serverKeyExchange.body, '01', 'params.curveType: curve type 1'],
      [clientHello.body, toHex(helloWith('0017000000170000')), 'extensions: extension 23 twice'],
    ] as readonly [Codec<unknown>, string, string][]) {
      expect(() => decode(codec, fromHex(hex)))
        .to.throw(DecodeError, why)
        .with.property('alert', 'illegal_parameter');
    }
  });
});

function helloOfServer(extensions: string): Uint8Array {
  const length = (extensions.length / 2).toString(16).padStart(4, '0');
  return fromHex(`0303${'00'.repeat(32)}00130100${length}${extensions}`);
}

describe('the longest body of a message', () => {
  const longest: readonly [Message<never> | Message<object>, number][] = [
    [clientHello, 2 + 32 + 33 + 2 + 0xfffe + 256 + 2 + 0xffff],
    [serverHello, 2 + 32 + 33 + 3 + 2 + 0xffff],
    [serverHelloTls12, 2 + 32 + 33 + 3 + 2 + 0xffff],
    [helloRetryRequest, 2 + 32 + 33 + 3 + 2 + 0xffff],
    [encryptedExtensions, 2 + 0xffff],
    [certificateRequest, 256 + 2 + 0xffff],
    [certificateRequestTls12, 256 + 2 + 0xfffe + 2 + 0xffff],
    [certificate, 65536], // of 2^24 - 1, which a peer must not make us keep
    [certificateTls12, 65536],
    [certificateVerify, 2 + 2 + 0xffff],
    [serverKeyExchange, 1 + 2 + 256 + 2 + 2 + 0xffff],
    [serverHelloDone, 0],
    [clientKeyExchange, 256],
    [finished, 48],
    [newSessionTicket, 4 + 4 + 256 + 2 + 0xffff + 2 + 0xffff],
    [newSessionTicketTls12, 4 + 2 + 0xffff],
    [keyUpdate, 1],
  ];
  for (const [{ name, limit }, bytes] of longest) {
    it(`is what its struct allows: ${name}, ${bytes} bytes`, () => {
      expect(limit).to.equal(bytes);
    });
  }
});

describe('a hello', () => {
  it('knows the last of its extensions, known or not', () => {
    const lastOf = (extensions: string) => decode(undecidedHello.body, helloWith(extensions)).extensions.last;
    expect(lastOf('1a1a000000170000')).to.equal(23);
    expect(lastOf('001700001a1a0000')).to.equal(0x1a1a);
  });

  it('without extensions is not one with none', () => {
    const without = helloWith('').subarray(0, -2);
    expect(decode(ClientHello, without).extensions).to.deep.equal({});
    expect(decode(ClientHello, helloWith('')).extensions).to.deep.equal({ order: [] });
    for (const bytes of [without, helloWith('')]) {
      expect(toHex(encode(ClientHello, decode(ClientHello, bytes)))).to.equal(toHex(bytes));
    }
  });

  it('is cut before its binders, and their length', () => {
    const psk = fc.record({
      identities: some(fc.record({ identity: opaque(1, 33), obfuscatedTicketAge: uint32 })),
      binders: some(opaque(32, 48)),
    });
    fc.assert(
      fc.property(clientHelloValue, psk, (hello, preSharedKey: Infer<typeof OfferedPsks>) => {
        const raw = frame(clientHello, { ...hello, extensions: { ...hello.extensions, preSharedKey } });
        const truncated = truncateBeforeBinders(raw, preSharedKey);
        const tail = raw.subarray(truncated.length);
        const psks = encode(OfferedPsks, preSharedKey);
        const identities = psks.length - tail.length;
        expect(toHex(psks.subarray(identities))).to.equal(toHex(tail));
        expect(256 * (psks[0] ?? 0) + (psks[1] ?? 0)).to.equal(identities - 2);
      }),
      RUNS,
    );
  });

  it('of a server that retries has the random that says so', () => {
    const body = {
      legacyVersion: 0x0303,
      random: HELLO_RETRY_REQUEST_RANDOM,
      legacySessionIdEcho: EMPTY,
      cipherSuite: 0x1301,
      legacyCompressionMethod: 0,
      extensions: { keyShare: NamedGroup.secp256r1, supportedVersions: 0x0304 },
    };
    const raw = toHex(frame(helloRetryRequest, body));
    expect(raw).to.equal(`020000340303${toHex(HELLO_RETRY_REQUEST_RANDOM)}00130100000c003300020017002b00020304`);
  });
});
