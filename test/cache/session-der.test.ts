import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { Session, type SessionParameters } from '../../src/cache/session.ts';
import { SESSION_PEM_LABEL, SessionDecodeError } from '../../src/cache/session-der.ts';
import { ascii, concat, EMPTY, fromHex, toHex } from '../../src/wire/bytes.ts';
import { explicit, implicit, integer, octetString, sequence, tlv } from '../../src/wire/der.ts';
import { encodePem, parsePem } from '../../src/wire/pem.ts';
import { fixture, fixturePath } from '../fixtures.ts';

/** Written by OpenSSL 3.0.19: s… by servers, c… and sc… (s_client -sess_out) by clients. */
const SERVER_FILES = ['s12id', 's12tk', 's13', 's13ed'];
const FILES = [...SERVER_FILES, 'c12id', 'c12tk', 'c13', 'c13ed', 'sc12id', 'sc12tk', 'sc13'];
const vector = (name: string) => new Uint8Array(readFileSync(fixturePath(`sessions/${name}.der`)));

/** SSLSession with the tagged fields given. */
function session12(...fields: Uint8Array[]): Uint8Array {
  return head({ fields });
}

interface Head {
  readonly version?: Uint8Array;
  readonly sslVersion?: Uint8Array;
  readonly cipher?: Uint8Array;
  readonly id?: Uint8Array;
  readonly secret?: Uint8Array;
  readonly fields?: readonly Uint8Array[];
}

function head({
  version = integer(1),
  sslVersion = integer(0x0303),
  cipher = fromHex('c02b'),
  id = EMPTY,
  secret = new Uint8Array(48).fill(7),
  fields = [],
}: Head): Uint8Array {
  return sequence(version, sslVersion, octetString(cipher), octetString(id), octetString(secret), ...fields);
}

/** The field that the error names. */
function refusedField(bytes: Uint8Array): string {
  try {
    Session.fromDer(bytes);
  } catch (error) {
    if (error instanceof SessionDecodeError) return error.field;
    throw error;
  }
  return 'none';
}

describe('session DER', () => {
  describe('OpenSSL', () => {
    for (const name of FILES) {
      it(`${name} comes back byte for byte`, () => {
        const bytes = vector(name);
        expect(toHex(Session.fromDer(bytes).toDer())).to.equal(toHex(bytes));
        expect(toHex(Session.fromDer(bytes, 4e9).toDer())).to.equal(toHex(bytes));
      });
    }

    it('s12id is what its server negotiated', () => {
      const session = Session.fromDer(vector('s12id'));
      expect(session).to.include({ version: 'TLSv1.2', cipherSuite: 0xc02c, time: 1795227381, timeout: 7200 });
      expect(session).to.include({ serverName: 'example.org', alpnProtocol: 'h2', group: 29, authTime: 1795227381 });
      expect(session).to.include({ extendedMasterSecret: true, scope: undefined, holds: 1, isResumable: true });
      expect(toHex(session.id)).to.match(/^70c08b59eabccbf6.*201b133f$/);
      expect(toHex(session.secret)).to.match(/^393de29b36103ee5.*c6632f64$/);
      expect(session.idContext).to.deep.equal(ascii('ctx'));
    });

    it('s12tk has application data', () => {
      expect(Session.fromDer(vector('s12tk')).applicationData).to.deep.equal(ascii('APPDATA'));
    });

    it('s13 and s13ed have ticket_age_add, and max_early_data', () => {
      expect(Session.fromDer(vector('s13'))).to.include({ version: 'TLSv1.3', ticketAgeAdd: 0x2032b31f });
      const early = Session.fromDer(vector('s13ed'));
      expect(early).to.include({ ticketAgeAdd: 0xd65c599a, extendedMasterSecret: true });
      expect(early.foreign.maxEarlyData).to.equal(16384);
    });

    it('c13ed has what clients have', () => {
      const { foreign, peerCertificate } = Session.fromDer(vector('c13ed'));
      expect(foreign).to.include({ verifyResult: 18, ticketLifetimeHint: 7200 });
      expect(foreign.ticket).to.have.length(32);
      expect(peerCertificate).to.have.length(385);
    });

    it('writes the PEM of s_client -sess_out', () => {
      const [block] = parsePem(fixture('sessions/sc13.pem'));
      expect(block?.label).to.equal(SESSION_PEM_LABEL);
      expect(encodePem(SESSION_PEM_LABEL, Session.fromDer(vector('sc13')).toDer())).to.equal(
        fixture('sessions/sc13.pem'),
      );
    });
  });

  it('keeps every field of SSLSession', () => {
    const text = (n: number) => explicit(n, octetString(ascii(`field ${n}`)));
    const bytes = session12(
      explicit(1, integer(1000)),
      explicit(2, integer(60)),
      explicit(3, sequence(integer(3))),
      ...[4, 6, 7, 8].flatMap((n) => (n === 6 ? [explicit(5, integer(20)), text(6)] : [text(n)])),
      explicit(9, integer(7200)),
      text(10),
      explicit(11, octetString(Uint8Array.of(1))),
      text(12),
      explicit(13, integer(0x80000003)),
      explicit(14, integer(0xffffffff)),
      explicit(15, integer(16384)),
      text(16),
      explicit(17, integer(4)),
      text(18),
      explicit(19, integer(0x11ec)),
      text(20),
    );
    const session = Session.fromDer(bytes);
    expect(toHex(session.toDer())).to.equal(toHex(bytes));
    expect(toHex(session.dup().toDer())).to.equal(toHex(bytes));
    expect(session.foreign).to.include({ flags: 0x80000002, compressionMethod: 1, maxFragmentLength: 4 });
  });

  it('does not keep the bytes that it was made from', () => {
    const bytes = vector('c12tk');
    const session = Session.fromDer(bytes);
    bytes.fill(0);
    expect(toHex(session.toDer())).to.equal(toHex(vector('c12tk')));
  });

  describe('absent fields', () => {
    it('are those of d2i_SSL_SESSION: 3 seconds from now', () => {
      const session = Session.fromDer(session12(), 5000);
      expect(session).to.include({ time: 5000, timeout: 3, authTime: 5000, group: 0, extendedMasterSecret: false });
      // OpenSSL makes 119 bytes of 97 in the same way: [1], [2], an empty [4] and [19] are added.
      const added = [
        explicit(1, integer(5000)),
        explicit(2, integer(3)),
        explicit(4, octetString()),
        explicit(19, integer(0)),
      ];
      expect(toHex(session.toDer())).to.equal(toHex(session12(...added)));
    });

    it('have time 0 without a clock', () => {
      expect(Session.fromDer(session12())).to.include({ time: 0, expires: 3 });
    });

    it('skips key_arg', () => {
      expect(Session.fromDer(session12(implicit(0, Uint8Array.of(1, 2)), explicit(2, integer(9)))).timeout).to.equal(9);
    });
  });

  it('does not let a session from the future live longer', () => {
    const bytes = session12(explicit(1, integer(2 ** 40)), explicit(2, integer(60)));
    expect(Session.fromDer(bytes, 5000)).to.include({ time: 5000, authTime: 5000, expires: 5060 });
    expect(Session.fromDer(bytes).time).to.equal(2 ** 40);
  });

  it('takes suites that are not ours: the acceptance function refuses them', () => {
    expect(Session.fromDer(head({ cipher: fromHex('002f') })).cipherSuite).to.equal(0x002f);
  });

  describe('refusals name the field', () => {
    const refusals: [field: string, why: string, bytes: Uint8Array][] = [
      ['version', 'another format', head({ version: integer(2) })],
      ['ssl_version', 'TLS 1.1', head({ sslVersion: integer(0x0302) })],
      ['ssl_version', 'DTLS 1.2', head({ sslVersion: integer(0xfefd) })],
      ['cipher', 'three bytes', head({ cipher: fromHex('00c02b') })],
      ['session_id', '33 bytes', head({ id: new Uint8Array(33) })],
      ['master_key', '47 bytes in TLS 1.2', head({ secret: new Uint8Array(47) })],
      ['master_key', 'empty', head({ sslVersion: integer(0x0304), secret: EMPTY })],
      ['master_key', '513 bytes', head({ sslVersion: integer(0x0304), secret: new Uint8Array(513) })],
      ['time', 'negative', session12(explicit(1, tlv(2, Uint8Array.of(0xff))))],
      ['timeout', 'negative', session12(explicit(2, tlv(2, Uint8Array.of(0xff))))],
      ['timeout', 'two integers', session12(explicit(2, integer(1), integer(1)))],
      ['peer', 'no certificate', session12(explicit(3, octetString()))],
      ['sid_ctx', '33 bytes', session12(explicit(4, octetString(new Uint8Array(33))))],
      ['verify_result', 'over 32 bits', session12(explicit(5, integer(2 ** 32)))],
      ['hostname', 'a NUL', session12(explicit(6, octetString(ascii('a.example\0.b.example'))))],
      ['comp_id', 'two bytes', session12(explicit(11, octetString(Uint8Array.of(1, 1))))],
      ['ticket_age_add', 'over 32 bits', session12(explicit(14, integer(2 ** 32)))],
      ['alpn_selected', '256 bytes', session12(explicit(16, octetString(new Uint8Array(256).fill(1))))],
      ['max_fragment_len_mode', 'no such code', session12(explicit(17, integer(5)))],
      ['session', 'out of order', session12(explicit(2, integer(1)), explicit(1, integer(1)))],
      ['session', 'twice', session12(explicit(2, integer(1)), explicit(2, integer(1)))],
      ['session', 'an unknown tag', session12(explicit(21, octetString()))],
      ['session', 'a byte after it', concat(session12(), Uint8Array.of(0))],
      ['session', 'nothing', EMPTY],
    ];
    for (const [field, why, bytes] of refusals) {
      it(`${field}: ${why}`, () => expect(refusedField(bytes)).to.equal(field));
    }
  });

  describe('what SSLSession has no field for', () => {
    const base = Session.fromDer(vector('s12tk'));

    it('travels in ticket_appdata, beside the data of the application', () => {
      const session = Session.fromDer(base.dup({ authTime: 1000, scope: 'label:é' }).toDer());
      expect(session).to.include({ authTime: 1000, scope: 'label:é' });
      expect(session.applicationData).to.deep.equal(ascii('APPDATA'));
    });

    it('is laid out as documented', () => {
      const bytes = base.dup({ authTime: 1000, scope: 'x', applicationData: ascii('A') }).toDer();
      expect(toHex(bytes)).to.include('0413' + '544c5352' + '01' + '00000000000003e8' + '000178' + '000141');
    });

    it('keeps application data that looks like it', () => {
      const applicationData = ascii('TLSR');
      expect(Session.fromDer(base.dup({ applicationData }).toDer()).applicationData).to.deep.equal(applicationData);
    });

    it('does not let the full handshake lie after the session', () => {
      expect(Session.fromDer(base.dup({ authTime: base.time + 1 }).toDer()).authTime).to.equal(base.time);
    });

    const record = (hex: string) => session12(explicit(18, octetString(ascii('TLSR'), fromHex(hex))));
    const refusals: [string, string][] = [
      ['ticket_appdata.authTime', '01'],
      ['ticket_appdata', '02000000000000000000000000'],
      ['ticket_appdata.authTime', '01ffffffffffffffff00000000'],
      ['ticket_appdata.scope', '0100000000000000000001ff0000'],
      ['ticket_appdata', '0100000000000000000000000000'],
    ];
    for (const [field, hex] of refusals) {
      it(`refuses ${hex}`, () => expect(refusedField(record(hex))).to.equal(field));
    }
  });

  it('refuses every proper prefix', () => {
    for (const name of FILES) {
      const bytes = vector(name);
      for (let length = 0; length < bytes.length; length++) {
        expect(() => Session.fromDer(bytes.subarray(0, length)), `${name}, ${length} bytes`).to.throw(
          SessionDecodeError,
        );
      }
    }
  });

  it('makes of every other byte a session or a SessionDecodeError', () => {
    const masks = [1, 2, 4, 8, 16, 32, 64, 128, 255];
    for (const name of FILES) {
      const bytes = vector(name);
      for (let at = 0; at < bytes.length; at++) {
        for (const mask of SERVER_FILES.includes(name) ? masks : [1, 255]) requireStable(bytes, at, mask);
      }
    }
  });

  it('turns every session into bytes and back', () => {
    fc.assert(
      fc.property(anySession, (parameters) => {
        const session = new Session(parameters);
        const again = Session.fromDer(session.toDer());
        expect(again.parameters()).to.deep.include({ ...parameters, foreign: again.foreign });
        for (const [name, value] of Object.entries(parameters.foreign ?? {})) {
          expect(again.foreign).to.deep.include({ [name]: value });
        }
        expect(toHex(again.toDer())).to.equal(toHex(session.toDer()));
      }),
    );
  });
});

/** What decodes must encode, and decode to the same again. */
function requireStable(original: Uint8Array, at: number, mask: number): void {
  const bytes = original.slice();
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  try {
    const once = Session.fromDer(bytes).toDer();
    if (toHex(Session.fromDer(once).toDer()) !== toHex(once)) throw new Error(`byte ${at} ^ ${mask} is not stable`);
  } catch (error) {
    if (!(error instanceof SessionDecodeError)) throw error;
  }
}

const octets = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Uint8Array.from(bytes));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const name = (maxLength: number) =>
  fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((c) => String.fromCharCode(c)), maxLength });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });

const anySession: fc.Arbitrary<SessionParameters> = fc
  .record({
    version: fc.constantFrom('TLSv1.2' as const, 'TLSv1.3' as const),
    cipherSuite: fc.integer({ min: 0, max: 0xffff }),
    id: octets(0, 32),
    secret: octets(48, 48),
    time: fc.nat(),
    timeout: fc.integer({ min: 1 }),
    authTime: fc.nat(),
    extendedMasterSecret: fc.boolean(),
    idContext: octets(0, 32),
    serverName: maybe(name(40)),
    alpnProtocol: maybe(name(255)),
    group: uint32,
    ticketAgeAdd: uint32,
    scope: maybe(fc.string({ unit: 'binary', minLength: 1 })),
    applicationData: fc.oneof(
      octets(0, 300),
      octets(0, 9).map((tail) => concat(ascii('TLSR'), tail)),
    ),
    peerCertificate: maybe(octets(0, 300).map((bytes) => sequence(bytes))),
    foreign: fc.record({
      verifyResult: uint32,
      ticket: maybe(octets(0, 300)),
      pskIdentity: maybe(octets(0, 300)),
      maxFragmentLength: fc.nat(4),
      flags: fc.nat(0x7ffffffe).map((n) => n - (n % 2)),
      peerRawPublicKey: maybe(octets(0, 300)),
    }),
  })
  .map((session) => ({
    ...session,
    authTime: Math.min(session.authTime, session.time),
    extendedMasterSecret: session.extendedMasterSecret || session.version === 'TLSv1.3',
  }));
