import { expect } from 'chai';
import { lastSecondOf, sharedCertificate } from '../../src/sessions/peer-certificate.ts';
import { Session } from '../../src/sessions/session.ts';
import { ascii, EMPTY } from '../../src/wire/bytes.ts';
import { explicit, integer, sequence, tlv } from '../../src/wire/der.ts';
import { certificateFor } from '../support/client-certificates.ts';

const UTC = 0x17;
const GENERALIZED = 0x18;

/** The beginning of a certificate that expires at this time, as it is written. */
function until(tag: number, text: string): Uint8Array {
  const time = tlv(tag, ascii(text));
  const tbs = sequence(explicit(0, integer(2)), integer(1), sequence(), sequence(), sequence(time, time), sequence());
  return sequence(tbs);
}

function session(peerCertificate: Uint8Array | undefined, time: number, timeout: number): Session {
  return new Session({
    version: 'TLSv1.3',
    cipherSuite: 0x1301,
    id: Uint8Array.of(1),
    secret: new Uint8Array(32),
    time,
    timeout,
    authTime: time,
    extendedMasterSecret: true,
    idContext: EMPTY,
    peerCertificate,
  });
}

describe("the client's certificate in a session", () => {
  const ends: [tag: number, text: string, second: number][] = [
    [UTC, '700101000000Z', 0],
    [UTC, '491231235959Z', Date.UTC(2049, 11, 31, 23, 59, 59) / 1000],
    [UTC, '500101000000Z', Date.UTC(1950, 0, 1) / 1000], // RFC 5280 §4.1.2.5.1
    [GENERALIZED, '20500101000000Z', Date.UTC(2050, 0, 1) / 1000],
    [GENERALIZED, '20260228235959Z', Date.UTC(2026, 1, 28, 23, 59, 59) / 1000],
    [GENERALIZED, '99991231235959Z', 253402300799], // §4.1.2.5: none that is well defined
  ];
  for (const [tag, text, second] of ends) {
    it(`ends in the second ${text}`, () => expect(lastSecondOf(sharedCertificate(until(tag, text)))).to.equal(second));
  }

  const unreadable: [why: string, der: Uint8Array][] = [
    ['nothing', EMPTY],
    ['an empty sequence', sequence()],
    ['a time without seconds', until(UTC, '2601010000Z')],
    ['a day that is none', until(GENERALIZED, '20260230000000Z')],
    ['a fraction of a second', until(GENERALIZED, '20260101000000.5Z')],
    ['a time zone', until(UTC, '260101000000+0100')],
  ];
  for (const [why, der] of unreadable) {
    it(`has no end that can be read: ${why}`, () => expect(lastSecondOf(sharedCertificate(der))).to.be.NaN);
  }

  it('ends the session at the latest, whatever becomes of its time and timeout', () => {
    const certificate = certificateFor(sequence(), 'somebody', { notAfter: 5_000_000 });
    const one = session(certificate, 1000, 3999);
    expect(one.expires).to.equal(4999);
    one.timeout = 4000;
    expect(one.expires).to.equal(5000);
    one.timeout = 4001;
    expect(one.expires).to.equal(5000);
    one.time = 4000;
    expect(one.expires).to.equal(5000);
    expect(session(undefined, 1000, 4001).expires).to.equal(5001);
    expect(Session.fromDer(one.toDer()).expires).to.equal(5000);
    expect(session(sequence(), 1000, 4001).expires, 'the rules of resumption refuse it').to.equal(5001);
  });
});
