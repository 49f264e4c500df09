import { expect } from 'chai';
import fc from 'fast-check';
import { TlsAlert } from '../../src/wire/alert.ts';
import { concat, fromHex } from '../../src/wire/bytes.ts';
import { refuseClient } from '../../src/wire/not-tls.ts';
import { MAX_EXPANSION, MAX_PLAINTEXT, RecordBuffer, recordHeader, type TlsRecord } from '../../src/wire/record.ts';
import { ContentType } from '../../src/wire/registry.ts';

function alertOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof TlsAlert) return error.alert;
    throw error;
  }
  return 'none';
}

function bufferOf(...parts: readonly Uint8Array[]): RecordBuffer {
  const buffer = new RecordBuffer();
  for (const part of parts) buffer.push(part);
  return buffer;
}

function drain(buffer: RecordBuffer): TlsRecord[] {
  const records: TlsRecord[] = [];
  for (let record = buffer.next(MAX_PLAINTEXT); record !== undefined; record = buffer.next(MAX_PLAINTEXT)) {
    records.push(record);
  }
  return records;
}

const record = fc.record({
  type: fc.constantFrom(...Object.values(ContentType)),
  version: fc.constantFrom(0x0301, 0x0303),
  fragment: fc.uint8Array({ maxLength: 80 }),
});

describe('RecordBuffer', () => {
  for (const part of [1, 4, 500]) {
    it(`keeps little more than ${part} bytes of a record that has begun, however large the chunk was`, () => {
      const whole = concat(recordHeader(ContentType.handshake, 0x0303, 2000), new Uint8Array(2000));
      const chunk = concat(...new Array<Uint8Array>(30).fill(whole), whole.subarray(0, part));
      const buffer = bufferOf(chunk);
      expect(drain(buffer)).to.have.length(30);
      buffer.push(whole.subarray(part, 1000));
      expect(buffer.next(MAX_PLAINTEXT)).to.equal(undefined);
      buffer.push(whole.subarray(1000));
      expect(buffer.next(MAX_PLAINTEXT)?.fragment.buffer.byteLength).to.be.within(2000, 2600);
    });
  }

  it('cuts any stream into its records, however it is chunked', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 6 }), cuts, (records, sizes) => {
        const raw = records.map(({ type, version, fragment }) =>
          concat(recordHeader(type, version, fragment.length), fragment),
        );
        const stream = concat(...raw);
        const buffer = new RecordBuffer();
        const seen: TlsRecord[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          buffer.push(stream.subarray(at, at + size));
          at += size;
          seen.push(...drain(buffer));
        }
        expect(buffer.length).to.equal(0);
        expect(seen).to.deep.equal(records);
      }),
    );
  });

  it('waits for the rest of a record', () => {
    const raw = concat(recordHeader(ContentType.handshake, 0x0303, 4), Uint8Array.of(1, 2, 3, 4));
    for (let length = 0; length < raw.length; length++) {
      const buffer = bufferOf(raw.subarray(0, length));
      expect(buffer.next(MAX_PLAINTEXT)).to.equal(undefined);
      expect(buffer.length).to.equal(length);
    }
  });

  it('refuses a record above the limit by its header alone, and takes one at the limit', () => {
    for (const limit of [MAX_PLAINTEXT, MAX_PLAINTEXT + MAX_EXPANSION['TLSv1.3'], MAX_PLAINTEXT + 2048]) {
      const over = recordHeader(ContentType.application_data, 0x0303, limit + 1);
      expect(alertOf(() => bufferOf(over).next(limit))).to.equal('record_overflow');
      const most = concat(recordHeader(ContentType.application_data, 0x0303, limit), new Uint8Array(limit));
      expect(bufferOf(most).next(limit)?.fragment).to.have.length(limit);
    }
    expect(MAX_EXPANSION).to.deep.equal({ 'TLSv1.3': 256, 'TLSv1.2': 2048 });
  });

  it('refuses an unknown type before its length is there', () => {
    for (const type of [0, 1, 19, 24, 25, 0x47, 0x7f, 0x80, 0xff]) {
      expect(
        alertOf(() => bufferOf(Uint8Array.of(type, 3, 3)).next(MAX_PLAINTEXT)),
        `${type}`,
      ).to.equal('unexpected_message');
    }
  });

  it('knows an SSLv2 hello for what it is, as the first bytes of all only', () => {
    const ssl2 = fromHex('802e0103010015');
    expect(alertOf(() => bufferOf(ssl2).next(MAX_PLAINTEXT, refuseClient))).to.equal('protocol_version');
    const first = concat(recordHeader(ContentType.alert, 0x0303, 2), Uint8Array.of(1, 0));
    const buffer = bufferOf(first, ssl2);
    expect(buffer.next(MAX_PLAINTEXT)?.type).to.equal(ContentType.alert);
    expect(alertOf(() => buffer.next(MAX_PLAINTEXT))).to.equal('unexpected_message');
  });

  it('takes an empty fragment as a record, and forgets what waits on clear', () => {
    const buffer = bufferOf(recordHeader(ContentType.application_data, 0x0303, 0), Uint8Array.of(23, 3));
    expect(buffer.next(MAX_PLAINTEXT)?.fragment).to.have.length(0);
    buffer.clear();
    expect(buffer.length).to.equal(0);
  });
});

describe('recordHeader', () => {
  it('is type, version and length', () => {
    expect([...recordHeader(22, 0x0303, 0x4001)]).to.deep.equal([22, 3, 3, 0x40, 1]);
  });
});
