/** Every field of SSLSession, and every byte, as the OpenSSL under node:tls reads and writes it. */

import { expect } from 'chai';
import { Session } from '../../src/sessions/session.ts';
import { ascii, concat, EMPTY, fromHex, toHex } from '../../src/wire/bytes.ts';
import { explicit, implicit, integer, octetString, sequence, tlv } from '../../src/wire/der.ts';
import { ReferenceSession } from '../support/reference-session.ts';
import {
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

/** OpenSSL 3.5 counts nanoseconds in 64 bits, and begins again at 0 after so many seconds. 3.0 has 64 bits of seconds. */
const MOST_SECONDS = 18_446_744_073;

/** What OpenSSL takes and we do not: by the message of our refusal. */
const STRICTER = [
  /^ssl_version: \d+ is neither/,
  /^master_key: \d+ bytes, outside 48/,
  /^(time|timeout|verify_result): INTEGER is negative$/,
  /^(hostname|psk_identity|psk_identity_hint|srp_username): a NUL in it$/,
  /^comp_id: \d+ bytes/, // read by those builds alone that can compress
  /^max_fragment_len_mode: \d+ is more than 4$/,
  /^session: tag 160 is unknown/, // key_arg in a wrapping
  /^session: (\d+ trailing bytes|length is not minimal|length 80 refused)/,
  /^[a-z_]+: tag 04 wanted, 24 found$/, // BER: a string of strings
];

/** `undefined`: as it should be. */
function compare(bytes: Uint8Array, original: Session, reference: ReferenceSession): string | undefined {
  const theirs = reference.recode(bytes);
  // The time that OpenSSL gives to a session that has none.
  const ours = tryDecode(bytes, theirs && tryDecode(theirs)?.time);
  if (ours === undefined) {
    if (theirs === undefined) return undefined;
    const why = refusal(bytes)?.message ?? '';
    return STRICTER.some((reason) => reason.test(why)) ? undefined : `refused (${why}), but ${toHex(theirs)}`;
  }
  if (theirs !== undefined) {
    const written = toHex(withoutZeros(ours, Session.fromDer(theirs).time).toDer());
    return written === toHex(theirs) ? undefined : `${written}, not ${toHex(theirs)}`;
  }
  // Suite and certificate are not looked at; all else must be as OpenSSL would have it.
  const { cipherSuite, peerCertificate } = original;
  const changed = ours.dup({ cipherSuite, peerCertificate });
  return reference.recode(changed.toDer()) === undefined ? `taken, but refused: ${toHex(bytes)}` : undefined;
}

/** What OpenSSL makes of second 0 and of a timeout of no seconds: to it they are absent. */
function withoutZeros(session: Session, now: number): Session {
  const { time, timeout, authTime } = session;
  const isOld = session.scope !== undefined || authTime !== time;
  return session.dup({ time: time || now, authTime: isOld ? authTime : time || now, timeout: timeout || 3 });
}

describe('session DER, beside the OpenSSL of node:tls', () => {
  let reference: ReferenceSession;
  before(() => {
    reference = new ReferenceSession(
      Session.fromDer(vector('s13ed'))
        .dup({ idContext: ascii('nobody') })
        .toDer(),
    );
  });
  after(() => reference.close());

  // 1000 and 60 seconds, an empty context, no group: what is always written.
  const low = [explicit(1, integer(1000)), explicit(2, integer(60))];
  const full = (...fields: Uint8Array[]) => session12(...low, explicit(4, text(0)), ...fields, group(0));
  const group = (n: number) => explicit(19, integer(n));
  const strings = { 7: 'psk_identity_hint', 8: 'psk_identity', 10: 'ticket', 12: 'srp_username' };

  const sameBytes: [what: string, bytes: Uint8Array][] = [
    ['the least', full()],
    ['TLS 1.3', head13({ fields: [...low, explicit(4, text(0)), group(0)] })],
    ['TLS 1.3, its flag set', head13({ fields: [...low, explicit(4, text(0)), explicit(13, integer(1)), group(0)] })],
    [
      'the longest master_key',
      head13({ secret: new Uint8Array(512), fields: [...low, explicit(4, text(0)), group(0)] }),
    ],
    ['the longest session_id', head({ id: new Uint8Array(32), fields: [...low, explicit(4, text(0)), group(0)] })],
    ['no session_id context', session12(...low, group(0))],
    ['no group', session12(...low, explicit(4, text(0)))],
    ['key_arg', session12(implicit(0, Uint8Array.of(1, 2)), ...low, explicit(4, text(0)), group(0))],
    ['the most seconds', session12(...[1, 2].map((n) => explicit(n, integer(MOST_SECONDS))))],
    ['the longest context', session12(...low, explicit(4, text(32)), group(0))],
    ['zeros, which are not written', full(...[9, 13, 14, 15, 17].map((n) => explicit(n, integer(0))))],
    ['the last verify_result', session12(...low, explicit(4, text(0)), explicit(5, integer(0x7fffffff)))],
    ['a name that is empty', full(explicit(6, text(0)))],
    ['a name of any bytes', full(explicit(6, octetString(fromHex('01c3a9ff'))))],
    ['a protocol that is empty', full(explicit(16, text(0)))],
    ['a protocol of any bytes', full(explicit(16, octetString(fromHex('00c3a9ff00'))))],
    ['the longest protocol', full(explicit(16, text(255)))],
    ['application data of any bytes', full(explicit(18, octetString(fromHex('00ff'))))],
    ['the longest application data', full(explicit(18, text(0xffff)))],
    ['the largest fragment length', full(explicit(17, integer(4)))],
    ...[1, 127, 128, 255, 256, 0x7fffffff, 0x80000000, 0xffffffff].flatMap((value): [string, Uint8Array][] => [
      [`${value} in 9, 13, 14, 15`, full(...[9, 13, 14, 15].map((n) => explicit(n, integer(value))))],
      [`group ${value}`, session12(...low, explicit(4, text(0)), group(value))],
    ]),
    ...Object.entries(strings).flatMap(([n, name]): [string, Uint8Array][] => [
      [`${name}, empty`, full(explicit(Number(n), text(0)))],
      [`${name}, long`, full(explicit(Number(n), text(0xffff)))],
    ]),
    [
      'the record of ours in ticket_appdata',
      Session.fromDer(full())
        .dup({ authTime: 1, scope: { label: '00112233445566778899aabbccddeeff' } })
        .toDer(),
    ],
  ];
  for (const [what, bytes] of sameBytes) {
    it(`writes the same: ${what}`, () => {
      expect(toHex(Session.fromDer(bytes).toDer())).to.equal(reference.recodeHex(bytes));
    });
  }

  it('writes second 0 and a timeout of 0 as they are, where OpenSSL makes them the present and 3', () => {
    const bytes = session12(explicit(1, integer(0)), explicit(2, integer(0)), explicit(4, text(0)), group(0));
    expect(toHex(Session.fromDer(bytes, 5000).toDer())).to.equal(toHex(bytes));
    const theirs = Session.fromDer(reference.recode(bytes) ?? bytes);
    expect(theirs.timeout).to.equal(3);
    expect(theirs.time).to.be.greaterThan(5000);
  });

  it('writes 2^53 - 1 seconds as they are, whatever OpenSSL makes of them', () => {
    const bytes = session12(
      ...[1, 2].map((n) => explicit(n, integer(Number.MAX_SAFE_INTEGER))),
      explicit(4, text(0)),
      group(0),
    );
    expect(toHex(Session.fromDer(bytes).toDer())).to.equal(toHex(bytes));
  });

  it('writes the same: all that one server or client of its own has written', () => {
    for (const name of FILES) {
      expect(reference.recodeHex(vector(name)), name).to.equal(toHex(vector(name)));
    }
  });

  it('writes the same where there is no time: now', () => {
    const theirs = reference.recode(session12()) ?? EMPTY;
    const { time } = Session.fromDer(theirs);
    expect(time).to.be.above(1.7e9);
    expect(toHex(Session.fromDer(session12(), time).toDer())).to.equal(toHex(theirs));
  });

  it('but drops application data of no bytes, which no server writes', () => {
    const bytes = full(explicit(18, text(0)));
    expect(reference.recodeHex(bytes)).to.equal(toHex(bytes));
    expect(toHex(Session.fromDer(bytes).toDer())).to.equal(toHex(full()));
  });

  const bothRefuse: [field: string, why: string, bytes: Uint8Array][] = [
    ['version', 'another format', head({ version: integer(2) })],
    ['cipher', 'three bytes', head({ cipher: fromHex('00c02b') })],
    ['session_id', '33 bytes', head({ id: new Uint8Array(33) })],
    ['master_key', '513 bytes', head13({ secret: new Uint8Array(513) })],
    ['sid_ctx', '33 bytes', session12(explicit(4, text(33)))],
    ['verify_result', 'over 31 bits', session12(explicit(5, integer(0x80000000)))],
    ['flags', 'negative', session12(explicit(13, MINUS_ONE))],
    ['ticket_age_add', 'over 32 bits', session12(explicit(14, integer(2 ** 32)))],
    ['max_early_data', 'over 32 bits', session12(explicit(15, integer(2 ** 32)))],
    ['kex_group', 'over 32 bits', session12(explicit(19, integer(2 ** 32)))],
    ['flags', 'two integers', session12(explicit(13, integer(1), integer(1)))],
    ['session', 'out of order', session12(explicit(2, integer(1)), explicit(1, integer(1)))],
    ['session', 'an unknown tag', session12(explicit(21, octetString()))],
  ];
  for (const [field, why, bytes] of bothRefuse) {
    it(`refuses what it refuses: ${field}, ${why}`, () => {
      expect(reference.recodeHex(bytes)).to.equal(undefined);
      expect(refusedField(bytes)).to.equal(field);
    });
  }

  const stricter: [field: string, why: string, bytes: Uint8Array][] = [
    ['ssl_version', 'TLS 1.1', head({ sslVersion: integer(0x0302) })],
    ['ssl_version', 'DTLS 1.2', head({ sslVersion: integer(0xfefd) })],
    ['ssl_version', 'what comes after TLS 1.3', head({ sslVersion: integer(0x0305) })],
    ['master_key', '47 bytes in TLS 1.2', head({ secret: new Uint8Array(47) })],
    ['master_key', 'empty', head13({ secret: EMPTY })],
    ['time', 'negative', session12(explicit(1, MINUS_ONE))],
    ['timeout', 'negative', session12(explicit(2, MINUS_ONE))],
    ['timeout', 'an integer of no bytes', session12(explicit(2, tlv(2)))],
    ['verify_result', 'negative', session12(explicit(5, MINUS_ONE))],
    ['hostname', 'a NUL', session12(explicit(6, octetString(Uint8Array.of(97, 0))))],
    ['ticket', '64 KiB', session12(explicit(10, text(0x10000)))],
    ['alpn_selected', '256 bytes', session12(explicit(16, text(256)))],
    ['max_fragment_len_mode', 'no such code', session12(explicit(17, integer(5)))],
    ['session', 'key_arg in a wrapping', session12(explicit(0, octetString()))],
    ['session', 'a byte after it', concat(session12(), Uint8Array.of(0))],
    ['session', 'BER', concat(fromHex('3080'), session12().subarray(2), fromHex('0000'))],
  ];
  for (const [field, why, bytes] of stricter) {
    it(`refuses what it takes: ${field}, ${why}`, () => {
      expect(reference.recodeHex(bytes)).to.be.a('string');
      expect(refusedField(bytes)).to.equal(field);
    });
  }

  const laxer: [what: string, bytes: Uint8Array][] = [
    ['a suite that it does not know', head({ cipher: fromHex('ff01') })],
    ['a certificate that is none', session12(explicit(3, sequence(integer(3))))],
  ];
  for (const [what, bytes] of laxer) {
    it(`takes what it refuses, and does not use it: ${what}`, () => {
      expect(reference.recodeHex(bytes)).to.equal(undefined);
      expect(refusedField(bytes)).to.equal('none');
    });
  }

  it('107 of the 150 low-bit flips of s12id are sessions to either, and 105 to both', () => {
    const ours: number[] = [];
    const theirs: number[] = [];
    forEachMutation(vector('s12id'), [1], (bytes, at) => {
      if (tryDecode(bytes) !== undefined) ours.push(at);
      if (reference.recode(bytes) !== undefined) theirs.push(at);
    });
    expect([ours.length, theirs.length]).to.deep.equal([107, 107]);
    // ssl_version says TLS 1.1; the time is a key_arg in a wrapping, and so there is none.
    expect(theirs.filter((at) => !ours.includes(at))).to.deep.equal([9, 98]);
    // The two bytes of the suite, to which the acceptance function says no.
    expect(ours.filter((at) => !theirs.includes(at))).to.deep.equal([12, 13]);
  });

  for (const name of FILES) {
    const masks = SERVER_FILES.includes(name) ? MASKS : [1];
    it(`judges ${name} with one byte changed as it does, but for what is listed`, () => {
      const original = Session.fromDer(vector(name));
      forEachMutation(vector(name), masks, (bytes, at, mask) => {
        const verdict = compare(bytes, original, reference);
        if (verdict !== undefined) throw new Error(`byte ${at} ^ ${mask}: ${verdict}`);
      });
    });
  }
});
