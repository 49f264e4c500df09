import { expect } from 'chai';
import fc from 'fast-check';
import { SESSION_PEM_LABEL, SessionDecodeError, sessionToDer } from '../../src/sessions/der.ts';
import type { SessionParameters } from '../../src/sessions/parameters.ts';
import { SCOPE_FIELDS, type Scope } from '../../src/sessions/scope.ts';
import { Session } from '../../src/sessions/session.ts';
import { ascii, concat, EMPTY, fromHex, toHex } from '../../src/wire/bytes.ts';
import { explicit, implicit, integer, octetString, sequence, tlv } from '../../src/wire/der.ts';
import { encodePem, parsePem } from '../../src/wire/pem.ts';
import { fixture } from '../fixtures.ts';
import {
  ALL_MASKS,
  FILES,
  forEachMutation,
  head,
  head13,
  MASKS,
  MINUS_ONE,
  refusal,
  refusedField,
  SERVER_FILES,
  session12,
  text,
  tryDecode,
  vector,
} from '../support/session-der.ts';

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

    it('writes and reads the PEM of s_client -sess_out', () => {
      const pem = fixture('sessions/sc13.pem');
      expect(parsePem(pem)[0]?.label).to.equal(SESSION_PEM_LABEL);
      expect(Session.fromDer(vector('sc13')).toPem()).to.equal(pem);
      expect(Session.fromPem(pem).toPem()).to.equal(pem);
    });
  });

  describe('PEM', () => {
    const other = encodePem('CERTIFICATE', sequence());

    it('is the DER between two lines, among other blocks or alone', () => {
      for (const name of FILES) {
        const pem = encodePem(SESSION_PEM_LABEL, vector(name));
        expect(Session.fromDer(vector(name)).toPem()).to.equal(pem);
        expect(toHex(Session.fromPem(`${other}words\n${pem}${other}`).toDer())).to.equal(toHex(vector(name)));
        expect(toHex(Session.fromPem(pem.replaceAll('\n', '\r\n')).toDer())).to.equal(toHex(vector(name)));
      }
    });

    it('knows the time, as DER does', () => {
      const pem = encodePem(SESSION_PEM_LABEL, session12());
      expect(Session.fromPem(pem, 5000)).to.include({ time: 5000, expires: 5003 });
    });

    const good = encodePem(SESSION_PEM_LABEL, session12());
    const refusals: [why: string, text: string][] = [
      ['nothing', ''],
      ['no PEM', 'session'],
      ['another label', other],
      ['half a block', good.slice(0, -30)],
      ['no base64', good.replace(/^M/m, '*')],
      ['encrypted', good.replace('\n', '\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n')],
      ['no session in it', encodePem(SESSION_PEM_LABEL, sequence(integer(1)).subarray(0, 3))],
    ];
    for (const [why, pem] of refusals) {
      it(`is refused: ${why}`, () => expect(() => Session.fromPem(pem)).to.throw(SessionDecodeError));
    }

    it('is refused naming the field that is wrong', () => {
      const pem = encodePem(SESSION_PEM_LABEL, head({ version: integer(2) }));
      expect(() => Session.fromPem(pem))
        .to.throw(SessionDecodeError)
        .with.property('field', 'version');
    });

    it('is not written of a session that has been wiped', () => {
      const session = Session.fromDer(vector('s13'));
      session.free();
      expect(() => session.toPem()).to.throw(/last free/);
      expect(() => session.toDer()).to.throw(/last free/);
    });
  });

  it('keeps every field of SSLSession', () => {
    const named = (n: number) => explicit(n, octetString(ascii(`field ${n}`)));
    const bytes = session12(
      explicit(1, integer(1000)),
      explicit(2, integer(60)),
      explicit(3, sequence(integer(3))),
      ...[4, 6, 7, 8].flatMap((n) => (n === 6 ? [explicit(5, integer(20)), named(6)] : [named(n)])),
      explicit(9, integer(7200)),
      named(10),
      explicit(11, octetString(Uint8Array.of(1))),
      named(12),
      explicit(13, integer(0x80000003)),
      explicit(14, integer(0xffffffff)),
      explicit(15, integer(16384)),
      named(16),
      explicit(17, integer(4)),
      named(18),
      explicit(19, integer(0x11ec)),
      named(20),
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

    it('are another thing than second 0 and no seconds, which come back as they are', () => {
      const zero = session12(explicit(1, integer(0)), explicit(2, integer(0)), explicit(4, octetString()));
      const session = Session.fromDer(zero, 5000);
      expect(session).to.include({ time: 0, timeout: 0, authTime: 0, expires: 0 });
      expect(Session.fromDer(session.toDer(), 5000)).to.include({ time: 0, timeout: 0, authTime: 0 });
      expect(Session.fromDer(Session.fromDer(session12()).toDer(), 5000).time, 'read without a clock').to.equal(0);
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
      ['ssl_version', 'what comes after TLS 1.3', head({ sslVersion: integer(0x0305) })],
      ['ssl_version', 'SSL 3.0', head({ sslVersion: integer(0x0300) })],
      ['cipher', 'one byte', head({ cipher: fromHex('2b') })],
      ['master_key', '49 bytes in TLS 1.2', head({ secret: new Uint8Array(49) })],
      ['timeout', 'two integers', session12(explicit(2, integer(1), integer(1)))],
      ['timeout', 'no integer', session12(explicit(2, octetString()))],
      ['timeout', 'nothing', session12(explicit(2))],
      ['timeout', 'an integer of no bytes', session12(explicit(2, tlv(2)))],
      ['timeout', 'an integer that begins with a zero', session12(explicit(2, tlv(2, Uint8Array.of(0, 1))))],
      ['peer', 'no certificate', session12(explicit(3, octetString()))],
      ['sid_ctx', 'no OCTET STRING', session12(explicit(4, integer(1)))],
      ['comp_id', 'empty', session12(explicit(11, octetString()))],
      ['session', 'key_arg in a wrapping', session12(explicit(0, octetString()))],
      ['session', 'out of order', session12(explicit(2, integer(1)), explicit(1, integer(1)))],
      ['session', 'twice', session12(explicit(2, integer(1)), explicit(2, integer(1)))],
      ['session', 'an unknown tag', session12(explicit(21, octetString()))],
      ['session', 'a byte after it', concat(session12(), Uint8Array.of(0))],
      ['session', 'nothing', EMPTY],
    ];
    for (const [field, why, bytes] of refusals) {
      it(`${field}: ${why}`, () => expect(refusedField(bytes)).to.equal(field));
    }

    const integers = { 1: 'time', 2: 'timeout', 5: 'verify_result', 9: 'ticket_lifetime_hint', 13: 'flags' };
    const unsigned = { 14: 'ticket_age_add', 15: 'max_early_data', 17: 'max_fragment_len_mode', 19: 'kex_group' };
    for (const [n, field] of Object.entries({ ...integers, ...unsigned })) {
      it(`${field}: negative`, () => expect(refusedField(session12(explicit(Number(n), MINUS_ONE)))).to.equal(field));
    }

    // Not cut, as OpenSSL does: another name than the one that was negotiated.
    for (const [n, field] of [
      [6, 'hostname'],
      [7, 'psk_identity_hint'],
      [8, 'psk_identity'],
      [12, 'srp_username'],
    ] as const) {
      const bytes = session12(explicit(n, octetString(ascii('a.example\0.b.example'))));
      it(`${field}: a NUL`, () => expect(refusedField(bytes)).to.equal(field));
    }
  });

  describe('size', () => {
    const octets = (n: number) => (size: number) => session12(explicit(n, text(size)));
    const uint = (n: number) => (value: number) => session12(explicit(n, integer(value)));
    const record = (size: number) => concat(fromHex('544c535202000000000000000000000000'), new Uint8Array(size - 17));
    const limits: [field: string, largest: number, make: (size: number) => Uint8Array][] = [
      ['version', 1, (value) => head({ version: integer(value) })],
      ['ssl_version', 0x0304, (value) => head({ sslVersion: integer(value) })],
      ['cipher', 2, (size) => head({ cipher: new Uint8Array(size) })],
      ['session_id', 32, (size) => head({ id: new Uint8Array(size) })],
      ['master_key', 48, (size) => head({ secret: new Uint8Array(size) })],
      ['master_key', 512, (size) => head13({ secret: new Uint8Array(size) })],
      ['time', Number.MAX_SAFE_INTEGER, uint(1)],
      ['timeout', Number.MAX_SAFE_INTEGER, uint(2)],
      ['peer', 0xffffff, (size) => session12(explicit(3, sequence(new Uint8Array(size - 5))))],
      ['sid_ctx', 32, octets(4)],
      ['verify_result', 0x7fffffff, uint(5)],
      ['hostname', 0xffff, octets(6)],
      ['psk_identity_hint', 0xffff, octets(7)],
      ['psk_identity', 0xffff, octets(8)],
      ['ticket_lifetime_hint', 0xffffffff, uint(9)],
      ['ticket', 0xffff, octets(10)],
      ['comp_id', 1, octets(11)],
      ['srp_username', 0xffff, octets(12)],
      ['flags', 0xffffffff, uint(13)],
      ['ticket_age_add', 0xffffffff, uint(14)],
      ['max_early_data', 0xffffffff, uint(15)],
      ['alpn_selected', 0xff, octets(16)],
      ['max_fragment_len_mode', 4, uint(17)],
      ['ticket_appdata', 0xffff, octets(18)],
      ['kex_group', 0xffffffff, uint(19)],
      ['peer_rpk', 0xffff, octets(20)],
    ];
    for (const [field, largest, make] of limits) {
      it(`${field}: ${largest} is the most`, () => {
        expect(refusedField(make(largest))).to.equal('none');
        expect(refusedField(largest === Number.MAX_SAFE_INTEGER ? explicitTime(field) : make(largest + 1))).to.equal(
          field,
        );
      });
    }

    /** 2^53 seconds: no number says them. */
    function explicitTime(field: string): Uint8Array {
      return session12(explicit(field === 'time' ? 1 : 2, integer(fromHex('20000000000000'))));
    }

    it('ticket_appdata: a record of more than its fields can have', () => {
      const bytes = (size: number) => session12(explicit(18, octetString(record(size))));
      expect(refusedField(bytes(17))).to.equal('none');
      for (const size of [18, 0x10000, 131_088]) expect(refusedField(bytes(size))).to.equal('ticket_appdata');
    });

    it('session: a length that more than is there would have', () => {
      const bytes = session12();
      for (const length of ['8400000061', '84ffffffff', '8500ffffffff', '80', 'ff']) {
        expect(refusedField(concat(fromHex(`30${length}`), bytes.subarray(2)))).to.equal('session');
      }
    });
  });

  describe('what SSLSession has no field for', () => {
    const DIGEST = '00112233445566778899aabbccddeeff';
    const base = Session.fromDer(vector('s12tk'));

    it('travels in ticket_appdata, beside the data of the application', () => {
      const session = Session.fromDer(base.dup({ authTime: 1000, scope: { label: DIGEST } }).toDer());
      expect(session.authTime).to.equal(1000);
      expect(session.scope).to.deep.equal({ label: DIGEST });
      expect(session.applicationData).to.deep.equal(ascii('APPDATA'));
    });

    it('is laid out as documented', () => {
      const bytes = base.dup({ authTime: 1000, scope: { label: DIGEST }, applicationData: ascii('A') }).toDer();
      expect(toHex(bytes)).to.include(`0423${'544c5352'}02${'00000000000003e8'}001104${DIGEST}000141`);
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
      ['ticket_appdata.authTime', '02'],
      ['ticket_appdata', '01000000000000000000000000'],
      ['ticket_appdata.authTime', '02ffffffffffffffff00000000'],
      ['ticket_appdata.scope', `0200000000000000000011${'09'}${DIGEST}0000`],
      ['ticket_appdata.scope', `0200000000000000000022${'04'}${DIGEST}04${DIGEST}0000`],
      ['ticket_appdata.scope.[0].digest', '0200000000000000000001ff0000'],
      ['ticket_appdata', '0200000000000000000000000000'],
    ];
    for (const [field, hex] of refusals) {
      it(`refuses ${hex}`, () => expect(refusedField(record(hex))).to.equal(field));
    }
  });

  it('goes by the id that it is given, whatever was written', () => {
    const id = Uint8Array.of(1, 2, 3);
    const session = Session.fromDer(vector('s12id'), undefined, id);
    id.fill(0);
    expect(session.id).to.deep.equal(Uint8Array.of(1, 2, 3));
    const same = Session.fromDer(vector('s12id')).dup({ id: Uint8Array.of(1, 2, 3) });
    expect(session.parameters()).to.deep.equal(same.parameters());
    expect(Session.fromDer(vector('s12id'), undefined, EMPTY).id).to.have.length(0);
    expect(() => Session.fromDer(vector('s12id'), undefined, new Uint8Array(33))).to.throw(RangeError, 'session id');
  });

  describe('scopes that come again', () => {
    const digest = (n: number) => n.toString(16).padStart(32, '0');
    const base = Session.fromDer(vector('s12tk'));

    it('of forty servers, in any order, are each what they were', () => {
      const sessions = Array.from({ length: 40 }, (_, n) =>
        base.dup({ scope: { serverName: digest(n >> 1), alpn: digest(n) }, applicationData: text(n % 3) }),
      );
      for (const step of [1, 3, 7, 39]) {
        for (let i = 0; i < 80; i++) {
          const session = sessions[(i * step) % 40] as Session;
          const again = Session.fromDer(session.toDer());
          expect(again.scope).to.deep.equal(session.scope).and.to.be.frozen;
          expect(again.parameters()).to.deep.equal({ ...session.parameters(), foreign: again.foreign });
        }
      }
    });

    it('are refused as at the first time where a byte is wrong', () => {
      const bytes = base.dup({ scope: { label: digest(1), alpn: digest(2) }, applicationData: ascii('A') }).toDer();
      const told = (at: number) => {
        const changed = bytes.map((byte, i) => byte ^ Number(i === at));
        return refusal(changed)?.message ?? Session.fromDer(changed).parameters();
      };
      Session.fromDer(bytes);
      const known = Array.from(bytes.keys(), told);
      for (let n = 0; n < 20; n++) Session.fromDer(base.dup({ scope: { shared: digest(n) } }).toDer()); // forgets the others
      for (const at of bytes.keys()) expect(told(at), `byte ${at}`).to.deep.equal(known[at]);
    });

    it('are read as their bytes say, whoever has written them', () => {
      const hex = 'ABCDEF'.repeat(6).slice(0, 32);
      const odd = Object.freeze({ label: hex, other: hex }) as Scope;
      for (let i = 0; i < 3; i++) {
        const bytes = base.dup({ scope: odd }).toDer();
        expect(Session.fromDer(bytes).scope).to.deep.equal({ label: hex.toLowerCase() });
      }
    });

    it('without fields are none', () => {
      const none = Object.freeze({});
      for (const scope of [none, undefined, none, {}]) {
        const bytes = base.dup({ scope, authTime: base.time - 1 }).toDer();
        expect(Session.fromDer(bytes)).to.include({ scope: undefined, authTime: base.time - 1 });
      }
    });

    it('may change in the hands of whoever writes them without a session', () => {
      const scope = { label: digest(1) };
      const written = (): string => toHex(sessionToDer({ ...base.parameters(), scope }));
      expect(written()).to.include(digest(1));
      scope.label = digest(2);
      expect(written()).to.include(digest(2));
    });
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

  describe('one byte changed', () => {
    for (const name of FILES) {
      it(`${name}: a session that is written as it is read, or a SessionDecodeError`, () => {
        forEachMutation(vector(name), SERVER_FILES.includes(name) ? MASKS : [1, 255], requireStable);
      });
    }

    for (const name of SERVER_FILES) {
      it(`${name}: the same, whichever of the 255 others it is`, () => {
        forEachMutation(vector(name), ALL_MASKS, (bytes) => void tryDecode(bytes));
      });
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
function requireStable(bytes: Uint8Array, at: number, mask: number): void {
  const once = tryDecode(bytes)?.toDer();
  if (once !== undefined && toHex(Session.fromDer(once).toDer()) !== toHex(once)) {
    throw new Error(`byte ${at} ^ ${mask} is not stable`);
  }
}

const octets = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Uint8Array.from(bytes));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const name = (min: number, maxLength: number) =>
  fc.string({ unit: fc.integer({ min, max: 255 }).map((c) => String.fromCharCode(c)), maxLength });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });

const digest = octets(16, 16).map(toHex);
const anyScope = fc
  .subarray([...SCOPE_FIELDS], { minLength: 1 })
  .chain((fields) => fc.record(Object.fromEntries(fields.map((field) => [field, digest]))));

const anySession: fc.Arbitrary<SessionParameters> = fc
  .record({
    version: fc.constantFrom('TLSv1.2' as const, 'TLSv1.3' as const),
    cipherSuite: fc.integer({ min: 0, max: 0xffff }),
    id: octets(0, 32),
    secret: octets(48, 48),
    time: fc.nat(),
    timeout: fc.nat(),
    authTime: fc.nat(),
    extendedMasterSecret: fc.boolean(),
    idContext: octets(0, 32),
    serverName: maybe(name(1, 40)),
    alpnProtocol: maybe(name(0, 255)),
    group: uint32,
    ticketAgeAdd: uint32,
    scope: maybe(anyScope),
    applicationData: fc.oneof(
      octets(0, 300),
      octets(0, 9).map((tail) => concat(ascii('TLSR'), tail)),
    ),
    peerCertificate: maybe(octets(0, 300).map((bytes) => sequence(bytes))),
    foreign: fc.record({
      verifyResult: fc.nat(0x7fffffff),
      ticket: maybe(octets(0, 300)),
      pskIdentity: maybe(octets(0, 300).map((bytes) => bytes.map((byte) => byte || 1))), // a C string
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
