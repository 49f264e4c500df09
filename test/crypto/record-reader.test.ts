import { expect } from 'chai';
import fc from 'fast-check';
import { type Protection, Tls12Protection, Tls13Protection } from '../../src/crypto/protection.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { type Incoming, RecordReader } from '../../src/crypto/record-reader.ts';
import { TlsAlert } from '../../src/wire/alert.ts';
import { concat, EMPTY, toHex } from '../../src/wire/bytes.ts';
import type { ExpectedMessage } from '../../src/wire/handshake-buffer.ts';
import { recordHeader } from '../../src/wire/record.ts';
import { ContentType } from '../../src/wire/registry.ts';
import { seal } from '../support/seal.ts';

const { alert, application_data, change_cipher_spec, handshake } = ContentType;

const finished: ExpectedMessage = { name: 'finished', type: 20, limit: 64 };
const FINISHED = Uint8Array.of(20, 0, 0, 4, 1, 2, 3, 4);
const CHANGE_CIPHER_SPEC = record(change_cipher_spec, Uint8Array.of(1));

function record(type: number, content: Uint8Array): Uint8Array {
  return concat(recordHeader(type, 0x0303, content.length), content);
}

/** Under one key, to write with and to read with. */
function pair(byte: number): { writing: Protection; reading: Protection } {
  const keys = { key: new Uint8Array(16).fill(byte), iv: new Uint8Array(12).fill(byte) };
  const make = () => new Tls13Protection(noble.aeads['aes-128-gcm'], keys);
  return { writing: make(), reading: make() };
}

function readerOf(...records: readonly Uint8Array[]): RecordReader {
  const reader = new RecordReader();
  reader.push(concat(...records));
  return reader;
}

function alertOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TlsAlert) return error.alert;
    throw error;
  }
  return 'none';
}

/** What came in, in a form to compare. */
function told(incoming: Incoming | undefined): string | undefined {
  switch (incoming?.kind) {
    case undefined:
      return undefined;
    case 'handshake':
      return `handshake ${toHex(incoming.frame.raw)}`;
    case 'alert':
      return `alert ${incoming.level} ${incoming.description}`;
    case 'data':
      return `data ${toHex(incoming.data)}`;
    case 'change_cipher_spec':
      return incoming.kind;
  }
}

function all(reader: RecordReader, expected?: ExpectedMessage): string[] {
  const seen: string[] = [];
  for (let next = told(reader.next(expected)); next !== undefined; next = told(reader.next(expected))) seen.push(next);
  return seen;
}

describe('RecordReader', () => {
  it('says what came in, in order, however it is chunked', () => {
    const { writing } = pair(1);
    const stream = concat(
      seal(writing, handshake, FINISHED.subarray(0, 3)),
      seal(writing, handshake, concat(FINISHED.subarray(3), FINISHED)),
      seal(writing, application_data, Uint8Array.of(7)),
      seal(writing, alert, Uint8Array.of(1, 0)),
    );
    const one = `handshake ${toHex(FINISHED)}`;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: stream.length }), (size) => {
        const reader = new RecordReader();
        reader.protect(pair(1).reading);
        const seen: string[] = [];
        for (let at = 0; at < stream.length; at += size) {
          reader.push(stream.subarray(at, at + size));
          seen.push(...all(reader, finished));
        }
        expect(seen).to.deep.equal([one, one, 'data 07', 'alert 1 0']);
        expect(reader.records).to.equal(4);
        expect(reader.buffered).to.equal(0);
      }),
    );
  });

  describe('ChangeCipherSpec', () => {
    it('is told where it is not tolerated, and dropped where it is (RFC 9846 §5)', () => {
      expect(all(readerOf(CHANGE_CIPHER_SPEC))).to.deep.equal(['change_cipher_spec']);
      const reader = readerOf(CHANGE_CIPHER_SPEC, CHANGE_CIPHER_SPEC, record(handshake, FINISHED));
      reader.tolerateChangeCipherSpec(true);
      expect(all(reader, finished)).to.deep.equal([`handshake ${toHex(FINISHED)}`]);
    });

    it('stays in the clear under a key', () => {
      const { writing, reading } = pair(1);
      const reader = readerOf(CHANGE_CIPHER_SPEC, seal(writing, handshake, FINISHED));
      reader.protect(reading);
      reader.tolerateChangeCipherSpec(true);
      expect(all(reader, finished)).to.deep.equal([`handshake ${toHex(FINISHED)}`]);
    });

    it('is one byte, and that is 1', () => {
      for (const content of [EMPTY, Uint8Array.of(0), Uint8Array.of(2), Uint8Array.of(1, 1)]) {
        for (const tolerate of [true, false]) {
          const reader = readerOf(record(change_cipher_spec, content));
          reader.tolerateChangeCipherSpec(tolerate);
          expect(alertOf(() => reader.next(finished))).to.equal('unexpected_message');
        }
      }
    });

    it('is refused under protection, and inside a handshake message', () => {
      const { writing, reading } = pair(1);
      const hidden = readerOf(seal(writing, change_cipher_spec, Uint8Array.of(1)));
      hidden.protect(reading);
      hidden.tolerateChangeCipherSpec(true);
      expect(alertOf(() => hidden.next(finished))).to.equal('unexpected_message');
      const inside = readerOf(record(handshake, FINISHED.subarray(0, 5)), CHANGE_CIPHER_SPEC);
      inside.tolerateChangeCipherSpec(true);
      expect(alertOf(() => inside.next(finished))).to.equal('unexpected_message');
    });
  });

  describe('order (§5.1)', () => {
    it('has no application data inside a handshake message', () => {
      for (const data of [Uint8Array.of(1), EMPTY]) {
        const { writing, reading } = pair(1);
        const reader = readerOf(
          seal(writing, handshake, FINISHED.subarray(0, 7)),
          seal(writing, application_data, data),
        );
        reader.protect(reading);
        expect(alertOf(() => reader.next(finished))).to.equal('unexpected_message');
      }
    });

    it('has no message that straddles a change of keys', () => {
      const reader = readerOf(record(handshake, concat(FINISHED, FINISHED.subarray(0, 1))));
      expect(told(reader.next(finished))).to.equal(`handshake ${toHex(FINISHED)}`);
      expect(alertOf(() => reader.protect(pair(1).reading))).to.equal('unexpected_message');
    });

    it('takes records under the new key that came together with the last under the old', () => {
      const [first, second] = [pair(1), pair(2)];
      const reader = readerOf(seal(first.writing, handshake, FINISHED), seal(second.writing, handshake, FINISHED));
      reader.protect(first.reading);
      expect(told(reader.next(finished))).to.equal(`handshake ${toHex(FINISHED)}`);
      reader.protect(second.reading);
      expect(reader.records).to.equal(0);
      expect(told(reader.next(finished))).to.equal(`handshake ${toHex(FINISHED)}`);
    });
  });

  describe('limits', () => {
    it('are those of the protection: record_overflow from the header alone', () => {
      const header = (length: number) => recordHeader(application_data, 0x0303, length);
      const keys = { key: new Uint8Array(16), iv: new Uint8Array(4) };
      for (const [protection, limit] of [
        [undefined, 16384],
        [pair(1).reading, 16384 + 256],
        [new Tls12Protection(noble.aeads['aes-128-gcm'], keys), 16384 + 2048],
      ] as const) {
        const over = readerOf(header(limit + 1));
        if (protection !== undefined) over.protect(protection);
        expect(
          alertOf(() => over.next(undefined)),
          `${limit}`,
        ).to.equal('record_overflow');
        const most = readerOf(header(limit));
        if (protection !== undefined) most.protect(protection);
        expect(most.next(undefined)).to.equal(undefined);
      }
    });

    it('take 32 idle records in a row and no more, and application data starts the count anew', () => {
      const { writing, reading } = pair(1);
      const empties = (count: number) => Array.from({ length: count }, () => seal(writing, application_data, EMPTY));
      const reader = readerOf(...empties(32), seal(writing, application_data, Uint8Array.of(1)), ...empties(33));
      reader.protect(reading);
      const told33 = Array.from({ length: 33 }, () => told(reader.next(undefined)));
      expect(told33).to.deep.equal([...Array.from({ length: 32 }, () => 'data '), 'data 01']);
      for (let i = 0; i < 32; i++) expect(told(reader.next(undefined))).to.equal('data ');
      expect(alertOf(() => reader.next(undefined))).to.equal('unexpected_message');
    });

    it('count ChangeCipherSpec records that are dropped', () => {
      const reader = readerOf(...Array.from({ length: 33 }, () => CHANGE_CIPHER_SPEC));
      reader.tolerateChangeCipherSpec(true);
      expect(alertOf(() => reader.next(finished))).to.equal('unexpected_message');
    });
  });

  it('refuses an empty handshake record (§5.1)', () => {
    expect(alertOf(() => readerOf(record(handshake, EMPTY)).next(finished))).to.equal('unexpected_message');
  });

  it('refuses an alert of another length than two (§6)', () => {
    for (const content of [EMPTY, Uint8Array.of(2), Uint8Array.of(2, 40, 0), Uint8Array.of(1, 0, 1, 0)]) {
      expect(alertOf(() => readerOf(record(alert, content)).next(finished))).to.equal('decode_error');
    }
  });

  it('refuses an unknown content type under protection', () => {
    const { writing, reading } = pair(1);
    const reader = readerOf(seal(writing, 24, Uint8Array.of(1)));
    reader.protect(reading);
    expect(alertOf(() => reader.next(finished))).to.equal('unexpected_message');
  });

  it('reads an alert in the clear of a client that has no keys yet, and only of one', () => {
    const { writing, reading } = pair(1);
    const clear = record(alert, Uint8Array.of(2, 47));
    const early = readerOf(clear);
    early.protect(reading);
    early.tolerateChangeCipherSpec(true);
    expect(all(early)).to.deep.equal(['alert 2 47']);
    const late = readerOf(seal(writing, handshake, FINISHED), clear);
    late.protect(pair(1).reading);
    late.tolerateChangeCipherSpec(true);
    expect(told(late.next(finished))).to.equal(`handshake ${toHex(FINISHED)}`);
    expect(alertOf(() => late.next(finished))).to.equal('unexpected_message');
    const established = readerOf(clear);
    established.protect(pair(1).reading);
    expect(alertOf(() => established.next(finished))).to.equal('unexpected_message');
  });

  it('forgets what waits, and its key, when wiped', () => {
    const { writing, reading } = pair(1);
    const reader = readerOf(seal(writing, application_data, Uint8Array.of(1)).subarray(0, 10));
    reader.protect(reading);
    reader.wipe();
    expect(reader.buffered).to.equal(0);
    reader.push(seal(pair(1).writing, application_data, Uint8Array.of(1)));
    expect(() => reader.next(undefined)).to.throw('wiped');
  });
});

describe('early data that nobody reads (RFC 9846 §4.3.10)', () => {
  const early = (length: number) => record(application_data, new Uint8Array(length).fill(0xed));

  it('is skipped under the handshake key until the first record that opens', () => {
    const { writing, reading } = pair(1);
    const reader = readerOf(early(100), early(200), seal(writing, handshake, FINISHED), early(100));
    reader.skipEarlyData(1000);
    reader.protect(reading);
    expect(told(reader.next(finished))).to.equal(`handshake ${toHex(FINISHED)}`);
    expect(alertOf(() => reader.next(finished))).to.equal('bad_record_mac');
  });

  it('is skipped by its type where the second ClientHello comes in the clear', () => {
    const reader = readerOf(early(100), record(handshake, FINISHED), early(100));
    reader.skipEarlyData(1000);
    expect(told(reader.next(finished))).to.equal(`handshake ${toHex(FINISHED)}`);
    expect(told(reader.next(finished))).to.equal(`data ${'ed'.repeat(100)}`); // no longer early, and the handshake refuses it
  });

  it('is skipped up to the limit and no further', () => {
    for (const protect of [true, false]) {
      const skipping = (...records: readonly Uint8Array[]) => {
        const reader = readerOf(...records);
        reader.skipEarlyData(300);
        if (protect) reader.protect(pair(1).reading);
        return reader;
      };
      expect(skipping(early(100), early(200)).next(finished)).to.equal(undefined);
      expect(alertOf(() => skipping(early(100), early(201)).next(finished))).to.equal('unexpected_message');
      expect(alertOf(() => skipping(early(300), early(17)).next(finished))).to.equal('unexpected_message');
    }
  });

  it('may not come without end in records that hold nothing: 32 in a row of at most 16 bytes are skipped, any number of larger ones', () => {
    for (const protect of [true, false]) {
      const skipping = (count: number, length: number) => {
        const reader = readerOf(...Array.from({ length: count }, () => early(length)));
        reader.skipEarlyData(1000);
        if (protect) reader.protect(pair(1).reading);
        return reader;
      };
      for (const length of [0, 16]) {
        expect(skipping(32, length).next(finished)).to.equal(undefined);
        expect(alertOf(() => skipping(33, length).next(finished))).to.equal('unexpected_message');
      }
      expect(skipping(33, 17).next(finished)).to.equal(undefined);
    }
  });

  it('is not what hides records of another type', () => {
    const reader = readerOf(record(handshake, FINISHED));
    reader.skipEarlyData(1000);
    reader.protect(pair(1).reading);
    expect(alertOf(() => reader.next(finished))).to.equal('unexpected_message');
  });
});
