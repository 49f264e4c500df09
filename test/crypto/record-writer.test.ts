import { expect } from 'chai';
import fc from 'fast-check';
import { type Protection, Tls12Protection, Tls13Protection } from '../../src/crypto/protection.ts';
import type { AeadKey } from '../../src/crypto/provider.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { RecordWriter } from '../../src/crypto/record-writer.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { RecordBuffer, recordHeader, type TlsRecord } from '../../src/wire/record.ts';
import { ContentType } from '../../src/wire/registry.ts';

const { alert, application_data, change_cipher_spec, handshake } = ContentType;

function recordsIn(output: Uint8Array): TlsRecord[] {
  const buffer = new RecordBuffer();
  buffer.push(output);
  const records: TlsRecord[] = [];
  for (let record = buffer.next(0x5000); record !== undefined; record = buffer.next(0x5000)) records.push(record);
  expect(buffer.length).to.equal(0);
  return records;
}

const plain = (output: Uint8Array) => recordsIn(output).map(({ type, fragment }) => `${type}:${toHex(fragment)}`);

/** Protects by marking with its name, so that a test sees under which key a record went. */
function marking(mark: number, wiped: number[] = []): Protection {
  const protection = {
    isProtected: true,
    records: 0,
    fragmentLimit: 16384,
    expansion: 6,
    seal: (type: number, content: Uint8Array, output: Uint8Array, at: number) => {
      protection.records++;
      output.set(concat(recordHeader(type, 0x0303, content.length + 1), Uint8Array.of(mark), content), at);
    },
    open: () => {
      throw new Error('for writing only');
    },
    wipe: () => {
      wiped.push(mark);
    },
  };
  return protection;
}

function throws(): never {
  throw new Error('broken');
}

const bytes = (...values: readonly number[]) => Uint8Array.from(values);

describe('RecordWriter', () => {
  it('puts the messages of a flight into one record', () => {
    const writer = new RecordWriter();
    for (const byte of [1, 2, 3]) writer.handshake(bytes(byte, byte));
    expect(plain(writer.take())).to.deep.equal([`${handshake}:010102020303`]);
    expect(writer.take()).to.have.length(0);
    expect(writer.records).to.equal(1);
  });

  it('puts messages out before anything else, and before a change of key', () => {
    const wiped: number[] = [];
    const writer = new RecordWriter();
    writer.handshake(bytes(1));
    writer.changeCipherSpec();
    writer.handshake(bytes(2));
    writer.protect(marking(0xaa, wiped));
    writer.handshake(bytes(3));
    writer.record(alert, bytes(1, 0));
    writer.handshake(bytes(4));
    writer.protect(marking(0xbb, wiped));
    expect(wiped).to.deep.equal([0xaa]);
    expect(writer.records).to.equal(0);
    writer.record(application_data, bytes(5));
    expect(writer.records).to.equal(1);
    expect(plain(writer.take())).to.deep.equal([
      `${handshake}:01`,
      `${change_cipher_spec}:01`,
      `${handshake}:02`,
      `${handshake}:aa03`,
      `${alert}:aa0100`,
      `${handshake}:aa04`,
      `${application_data}:bb05`,
    ]);
  });

  it('fragments a flight at the limit of the peer, and loses no byte', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 64, max: 1500 }), (sizes, limit) => {
        const writer = new RecordWriter();
        writer.contentLimit = limit;
        const messages = sizes.map((size, index) => new Uint8Array(size).fill(index + 1));
        for (const message of messages) writer.handshake(message);
        const records = recordsIn(writer.take());
        expect(toHex(concat(...records.map(({ fragment }) => fragment)))).to.equal(toHex(concat(...messages)));
        for (const { fragment } of records.slice(0, -1)) expect(fragment).to.have.length(limit);
        expect(records.at(-1)?.fragment.length).to.be.within(1, limit);
      }),
    );
  });

  it('fills a record with 2^14 bytes and no more', () => {
    const writer = new RecordWriter();
    writer.handshake(new Uint8Array(16384));
    writer.handshake(new Uint8Array(16385));
    expect(recordsIn(writer.take()).map(({ fragment }) => fragment.length)).to.deep.equal([16384, 16384, 1]);
  });

  it('wipes its key at the end, and what is ready can still be taken', () => {
    const wiped: number[] = [];
    const writer = new RecordWriter();
    writer.protect(marking(0xcc, wiped));
    writer.handshake(bytes(1));
    writer.wipe();
    expect(wiped).to.deep.equal([0xcc]);
    expect(plain(writer.take())).to.deep.equal([`${handshake}:cc01`]);
  });

  for (const version of [Tls12Protection, Tls13Protection]) {
    for (const [what, broken] of [
      ['throws', () => throws()],
      ['answers with a promise', (sealed) => Promise.resolve(sealed)],
      ['answers with a buffer', (sealed) => sealed.slice().buffer],
      ['forgets the tag', (sealed) => sealed.subarray(16)],
    ] as readonly (readonly [string, (sealed: Uint8Array) => unknown])[]) {
      it(`lets no plaintext out of ${version.name} where a provider's cipher ${what}`, () => {
        const aead = noble.aeads['aes-128-gcm'];
        const key = (bytes: Uint8Array): AeadKey => ({
          ...aead.key(bytes),
          seal: (...text) => broken(aead.key(bytes).seal(...text)) as Uint8Array,
        });
        const writer = new RecordWriter();
        writer.record(alert, bytes(1, 2));
        const before = writer.take();
        writer.protect(
          new version(
            { ...aead, key },
            { key: new Uint8Array(16), iv: new Uint8Array(version === Tls12Protection ? 4 : 12) },
          ),
        );
        const secret = new Uint8Array(40).fill(0x5e);
        expect(() => writer.record(application_data, secret)).to.throw(what === 'throws' ? 'broken' : 'tag');
        expect(writer.take()).to.have.length(0);
        expect(toHex(new Uint8Array(before.buffer))).not.to.include('5e5e');
      });
    }
  }

  it('protects as the other end opens', () => {
    const aead = noble.aeads['aes-128-gcm'];
    const keys = { key: new Uint8Array(16).fill(1), iv: new Uint8Array(12).fill(2) };
    const writer = new RecordWriter();
    writer.protect(new Tls13Protection(aead, keys));
    writer.contentLimit = 100;
    writer.handshake(new Uint8Array(250).fill(7));
    writer.record(application_data, bytes(9));
    const reading = new Tls13Protection(aead, keys);
    const opened = recordsIn(writer.take()).map((record) => reading.open(record));
    expect(opened.map(({ type, content }) => [type, content.length])).to.deep.equal([
      [handshake, 100],
      [handshake, 100],
      [handshake, 50],
      [application_data, 1],
    ]);
  });

  it('leaves alone what has been taken', () => {
    const writer = new RecordWriter();
    const taken = Array.from({ length: 100 }, (_, byte) => {
      writer.record(alert, bytes(byte, byte));
      return writer.take();
    });
    taken.forEach((output, byte) => {
      expect(plain(output)).to.deep.equal([`${alert}:${toHex(bytes(byte, byte))}`]);
    });
  });

  it('goes on when what has been taken was transferred', () => {
    const writer = new RecordWriter();
    for (const byte of [1, 2, 3]) {
      writer.record(alert, bytes(byte, byte));
      const output = writer.take();
      expect(plain(output)).to.deep.equal([`${alert}:0${byte}0${byte}`]);
      structuredClone(output, { transfer: [output.buffer as ArrayBuffer] });
      expect(output).to.have.length(0);
    }
  });
});
