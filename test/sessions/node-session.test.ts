/** Sessions as Node's client wraps them: what comes back, and what is refused. */

import { expect } from 'chai';
import fc from 'fast-check';
import { SessionDecodeError } from '../../src/sessions/der.ts';
import { readNodeSession, splitNodeSession, writeNodeSession } from '../../src/sessions/node-session.ts';
import { Session } from '../../src/sessions/session.ts';
import { ascii, concat, EMPTY, fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { FILES, refusal, vector } from '../support/session-der.ts';

const LABEL = ascii('\0nodejs:tls:session:1\0');

/** The layout by hand. */
function wrapping(host: Uint8Array, length = host.length, label = LABEL): Uint8Array {
  return concat(label, Uint8Array.of(length >> 8, length & 0xff), host);
}

/** Of any characters, but without halves of surrogate pairs, which UTF-8 has not got. */
const hosts = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 });

describe("a session of Node's client", () => {
  it('is laid out as Node does it', () => {
    const der = vector('c13');
    const bytes = writeNodeSession(der, 'exämple.org');
    expect(toHex(bytes.subarray(0, 22))).to.equal('006e6f64656a733a746c733a73657373696f6e3a3100');
    expect(toHex(bytes)).to.equal(toHex(concat(wrapping(utf8('exämple.org')), der)));
    expect(toHex(bytes.subarray(22, 24))).to.equal('000c');
  });

  it('comes back, whatever the host', () => {
    fc.assert(
      fc.property(hosts, fc.constantFrom(...FILES), (host, name) => {
        const der = vector(name);
        const bytes = writeNodeSession(der, host);
        const read = readNodeSession(bytes);
        expect([read.host, toHex(read.der)]).to.deep.equal([host, toHex(der)]);
        expect(toHex(Session.fromDer(bytes).toDer())).to.equal(toHex(der));
      }),
    );
  });

  it('comes back with the longest host that there can be', () => {
    const host = 'x'.repeat(0xffff);
    expect(readNodeSession(writeNodeSession(vector('c13'), host)).host).to.equal(host);
  });

  it('comes back with a host that begins with a byte order mark', () => {
    expect(readNodeSession(writeNodeSession(vector('c13'), '\ufeffhost')).host).to.equal('\ufeffhost');
  });

  for (const name of FILES) {
    it(`may be the DER alone: ${name}`, () => {
      const der = vector(name);
      const read = readNodeSession(der);
      expect([read.host, toHex(read.der)]).to.deep.equal([undefined, toHex(der)]);
    });
  }

  it('has the same parameters, wrapped or not', () => {
    const der = vector('c12tk');
    const wrapped = writeNodeSession(der, 'localhost');
    const id = Uint8Array.of(1, 2, 3);
    expect(Session.fromDer(wrapped).parameters()).to.deep.equal(Session.fromDer(der).parameters());
    expect(Session.fromDer(wrapped, 1000, id).parameters()).to.deep.equal(Session.fromDer(der, 1000, id).parameters());
  });

  it('is refused in every proper prefix', () => {
    const bytes = writeNodeSession(vector('c13'), 'localhost');
    for (let length = 0; length < bytes.length; length++) {
      const prefix = bytes.subarray(0, length);
      expect(() => readNodeSession(prefix), `${length} bytes`).to.throw(SessionDecodeError);
      expect(() => Session.fromDer(prefix), `${length} bytes`).to.throw(SessionDecodeError);
    }
  });

  describe('is refused', () => {
    const der = vector('c13');
    const LATER = ascii('\0nodejs:tls:session:2\0');
    const UNKNOWN = 'unknown';
    const REFUSED: readonly (readonly [why: string, field: string, reason: string, bytes: Uint8Array])[] = [
      ['in the middle of its label', 'label', '22 bytes wanted, 7 left', LABEL.subarray(0, 7)],
      ['in a later version', 'label', UNKNOWN, concat(wrapping(ascii('a'), 1, LATER), der)],
      ['with nothing but zeros', 'host', 'length 0 outside <1..65535>', new Uint8Array(100)],
      ['without a length', 'host', '2 bytes wanted, 1 left', concat(LABEL, Uint8Array.of(0))],
      ['with a length past the end', 'host', '65535 bytes wanted, ', concat(wrapping(ascii('a'), 0xffff), der)],
      ['in the middle of its host', 'host', '9 bytes wanted, 5 left', wrapping(ascii('local'), 9)],
      ['without a host', 'host', 'length 0 outside <1..65535>', concat(wrapping(EMPTY), der)],
      ['with a host that is no text', '', '', concat(wrapping(fromHex('61ff')), der)],
      ['with half a character', '', '', concat(wrapping(fromHex('61c3')), der)],
      ['with a surrogate', '', '', concat(wrapping(fromHex('eda080')), der)],
    ];
    for (const [why, field, reason, bytes] of REFUSED) {
      it(`${why}: says what to do`, () => {
        const error = refusal(bytes);
        expect(error?.field).to.equal('NodeSession');
        expect(error?.reason).to.match(/; pass all that Node's client gave, or update tls-resume$/);
        expect(error?.message).to.contain(field === '' ? 'Error' : `${field}: ${reason}`);
        expect(() => readNodeSession(bytes)).to.throw(SessionDecodeError, error?.message);
      });
    }

    const OF_THE_DER: readonly (readonly [why: string, bytes: Uint8Array])[] = [
      ['without a session', wrapping(ascii('a'))],
      ['with a byte behind it', concat(wrapping(ascii('a')), der, Uint8Array.of(0))],
      ['wrapped twice', concat(wrapping(ascii('a')), wrapping(ascii('a')), der)],
    ];
    for (const [why, bytes] of OF_THE_DER) {
      it(why, () => {
        expect(refusal(bytes)?.field).to.equal('session');
        expect(() => readNodeSession(bytes)).to.throw(SessionDecodeError);
        expect(splitNodeSession(bytes).host).to.equal('a'); // so that it is the DER that has been refused
      });
    }
  });

  it('is not written without a host, with one that is too long, or of what is no session', () => {
    const der = vector('c13');
    expect(() => writeNodeSession(der, '')).to.throw(RangeError, 'host: 0 bytes, outside 1..65535');
    expect(() => writeNodeSession(der, 'ä'.repeat(0x8000))).to.throw(RangeError, 'host: 65536 bytes, outside 1..65535');
    for (const bytes of [EMPTY, der.subarray(1), concat(der, EMPTY, Uint8Array.of(0)), writeNodeSession(der, 'a')])
      expect(() => writeNodeSession(bytes, 'a')).to.throw(SessionDecodeError);
  });
});
