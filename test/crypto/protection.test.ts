import { createCipheriv } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  explicitNonceLength,
  Plaintext,
  type Protection,
  Tls12Protection,
  Tls13Protection,
} from '../../src/crypto/protection.ts';
import type { Aead, AeadName } from '../../src/crypto/provider.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { TlsAlert } from '../../src/wire/alert.ts';
import { concat, EMPTY, fromHex, toHex } from '../../src/wire/bytes.ts';
import { RecordBuffer, recordHeader, type TlsRecord } from '../../src/wire/record.ts';
import { ContentType } from '../../src/wire/registry.ts';
import { seal } from '../support/seal.ts';

const { alert, application_data, change_cipher_spec, handshake } = ContentType;
const AEADS = ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305'] as const;
const SEQUENCES = [
  0,
  1,
  255,
  256,
  65535,
  2 ** 24,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 40 + 5,
  2 ** 48 - 1,
  2 ** 53 - 2,
];

function record(bytes: Uint8Array): TlsRecord {
  const buffer = new RecordBuffer();
  buffer.push(bytes);
  const whole = buffer.next(0xffff);
  if (whole === undefined || buffer.length > 0) throw new Error('not one record');
  return whole;
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

const plain = ({ type, content }: { type: number; content: Uint8Array }) => ({ type, content: toHex(content) });

/** As a node:crypto cipher has it. */
function sealByNode(name: AeadName, key: Uint8Array, nonce: Uint8Array, data: Uint8Array, plaintext: Uint8Array) {
  const cipher = createCipheriv(name as 'aes-128-gcm', key, nonce, { authTagLength: 16 });
  cipher.setAAD(data, { plaintextLength: plaintext.length });
  return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/** The sequence number in eight bytes, by another way than that of the source. */
function sequenceBytes(sequence: number): Uint8Array {
  return fromHex(BigInt(sequence).toString(16).padStart(16, '0'));
}

const xor = (a: Uint8Array, b: Uint8Array) => a.map((byte, i) => byte ^ (b[i] ?? 0));

function keysOf(name: AeadName, ivLength: number) {
  return {
    key: Uint8Array.from({ length: noble.aeads[name].keyLength }, (_, i) => 3 * i + 1),
    iv: Uint8Array.from({ length: ivLength }, (_, i) => 0xa0 + i),
  };
}

/** A protection that has done so many records. */
function at<P extends Protection & { records: number }>(protection: P, records: number): P {
  protection.records = records;
  return protection;
}

describe('Plaintext', () => {
  it('puts a header of version 0x0303 before the content, and takes it away', () => {
    const protection = new Plaintext();
    const sealed = seal(protection, alert, Uint8Array.of(2, 40));
    expect(toHex(sealed)).to.equal('15030300020228');
    expect(plain(new Plaintext().open(record(sealed)))).to.deep.equal({ type: alert, content: '0228' });
    expect(protection.records).to.equal(1);
    expect(protection.fragmentLimit).to.equal(16384);
    protection.wipe();
  });
});

describe('Tls13Protection, RFC 9846 §5.2', () => {
  for (const name of AEADS) {
    const aead = noble.aeads[name];
    const keys = keysOf(name, 12);
    const fresh = () => new Tls13Protection(aead, keys);

    it(`${name}: nonce is IV xor sequence number, additional data is the header (§5.3)`, () => {
      for (const sequence of SEQUENCES) {
        const writing = at(fresh(), sequence);
        const content = Uint8Array.of(1, 2, 3);
        const header = recordHeader(application_data, 0x0303, 3 + 1 + 16);
        const nonce = xor(keys.iv, concat(new Uint8Array(4), sequenceBytes(sequence)));
        const expected = sealByNode(name, keys.key, nonce, header, Uint8Array.of(1, 2, 3, handshake));
        const sealed = seal(writing, handshake, content);
        expect(toHex(sealed), `${sequence}`).to.equal(toHex(concat(header, expected)));
        expect(writing.records).to.equal(sequence + 1);
        const reading = at(fresh(), sequence);
        expect(plain(reading.open(record(sealed)))).to.deep.equal({ type: handshake, content: '010203' });
        expect(reading.records).to.equal(sequence + 1);
      }
    });

    it(`${name}: what one end seals the other opens, in order only`, () => {
      const [writing, reading] = [fresh(), fresh()];
      const sealed = [1, 2, 3].map((byte) => record(seal(writing, application_data, Uint8Array.of(byte))));
      const [first, second, third] = sealed as [TlsRecord, TlsRecord, TlsRecord];
      expect(toHex(reading.open(first).content)).to.equal('01');
      expect(alertOf(() => reading.open(first))).to.equal('bad_record_mac');
      expect(alertOf(() => reading.open(third))).to.equal('bad_record_mac');
      expect(reading.records).to.equal(1); // what does not open does not count
      expect(toHex(reading.open(second).content)).to.equal('02');
      expect(toHex(reading.open(third).content)).to.equal('03');
    });
  }

  const aead = noble.aeads['aes-128-gcm'];
  const keys = keysOf('aes-128-gcm', 12);
  const fresh = () => new Tls13Protection(aead, keys);
  /** A record whose TLSInnerPlaintext is this. */
  const sealInner = (inner: Uint8Array) => {
    const header = recordHeader(application_data, 0x0303, inner.length + 16);
    return record(concat(header, aead.key(keys.key).seal(keys.iv, header, inner)));
  };

  it('takes padding off, however long (§5.4)', () => {
    const content = fc.uint8Array({ minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(content, fc.constantFrom(alert, handshake, application_data), fc.nat(300), (bytes, type, padding) => {
        const inner = concat(bytes, Uint8Array.of(type), new Uint8Array(padding));
        expect(plain(fresh().open(sealInner(inner)))).to.deep.equal({ type, content: toHex(bytes) });
      }),
    );
    const zeros = concat(new Uint8Array(10), Uint8Array.of(application_data), new Uint8Array(16374));
    expect(fresh().open(sealInner(zeros)).content).to.deep.equal(new Uint8Array(10));
  });

  it('refuses a record of nothing but padding (§5.4)', () => {
    for (const length of [1, 2, 1000, 16385]) {
      expect(alertOf(() => fresh().open(sealInner(new Uint8Array(length))))).to.equal('unexpected_message');
    }
    expect(alertOf(() => fresh().open(sealInner(EMPTY)))).to.equal('unexpected_message');
  });

  it('takes empty application data, and no other empty content (§5.4)', () => {
    for (const padding of [0, 5]) {
      const empty = (type: number) => sealInner(concat(Uint8Array.of(type), new Uint8Array(padding)));
      expect(plain(fresh().open(empty(application_data)))).to.deep.equal({ type: application_data, content: '' });
      for (const type of [alert, handshake, change_cipher_spec]) {
        expect(alertOf(() => fresh().open(empty(type)))).to.equal('unexpected_message');
      }
    }
  });

  it('holds 2^14 bytes of content and no more, padding included (§5.2, §5.4)', () => {
    const inner = (content: number, padding: number) =>
      concat(new Uint8Array(content).fill(1), Uint8Array.of(application_data), new Uint8Array(padding));
    expect(fresh().open(sealInner(inner(16384, 0))).content).to.have.length(16384);
    expect(fresh().open(sealInner(inner(1, 16383))).content).to.have.length(1);
    for (const [content, padding] of [
      [16385, 0],
      [16384, 1],
      [1, 16384],
      [16384, 239],
    ] as const) {
      expect(alertOf(() => fresh().open(sealInner(inner(content, padding))))).to.equal('record_overflow');
    }
    expect(fresh().fragmentLimit).to.equal(16384 + 256);
  });

  it('refuses a record that is not protected, and one whose header has been changed', () => {
    const sealed = seal(fresh(), application_data, Uint8Array.of(1));
    for (const type of [alert, handshake, change_cipher_spec]) {
      const bytes = sealed.slice();
      bytes[0] = type;
      expect(alertOf(() => fresh().open(record(bytes)))).to.equal('unexpected_message');
    }
    const older = sealed.slice();
    older[2] = 1; // the version is in the additional data
    expect(alertOf(() => fresh().open(record(older)))).to.equal('bad_record_mac');
    const short = record(recordHeader(application_data, 0x0303, 0));
    expect(alertOf(() => fresh().open(short))).to.equal('bad_record_mac');
  });

  it('copies its keys, and forgets them when wiped', () => {
    const given = { key: keys.key.slice(), iv: keys.iv.slice() };
    const writing = new Tls13Protection(aead, given);
    given.key.fill(0);
    const expected = toHex(seal(fresh(), alert, Uint8Array.of(1, 0)));
    expect(toHex(seal(writing, alert, Uint8Array.of(1, 0)))).to.equal(expected);
    writing.wipe();
    expect(() => seal(at(writing, 0), alert, Uint8Array.of(1, 0))).to.throw('wiped');
    expect(given.iv).to.deep.equal(new Uint8Array(12));
  });
});

describe('Tls12Protection, RFC 5246 §6.2.3.3', () => {
  for (const name of AEADS) {
    const aead = noble.aeads[name];
    const isGcm = name !== 'chacha20-poly1305';
    const explicitLength = isGcm ? 8 : 0;
    const keys = keysOf(name, isGcm ? 4 : 12);
    const fresh = () => new Tls12Protection(aead, keys);
    const additionalData = (sequence: number, type: number, length: number) =>
      concat(sequenceBytes(sequence), recordHeader(type, 0x0303, length));
    const nonceOf = (sequence: number, explicit: Uint8Array) =>
      isGcm ? concat(keys.iv, explicit) : xor(keys.iv, concat(new Uint8Array(4), sequenceBytes(sequence)));
    const sealed = (sequence: number, type: number, content: Uint8Array, explicit: Uint8Array) => {
      const data = additionalData(sequence, type, content.length);
      const body = sealByNode(name, keys.key, nonceOf(sequence, explicit), data, content);
      return concat(recordHeader(type, 0x0303, explicitLength + body.length), explicit.slice(0, explicitLength), body);
    };

    it(`${name}: nonce and additional data (RFC ${isGcm ? '5288 §3' : '7905 §2'})`, () => {
      expect(explicitNonceLength(aead)).to.equal(explicitLength);
      for (const sequence of SEQUENCES) {
        const writing = at(fresh(), sequence);
        const bytes = seal(writing, application_data, Uint8Array.of(1, 2));
        const expected = sealed(sequence, application_data, Uint8Array.of(1, 2), sequenceBytes(sequence));
        expect(toHex(bytes), `${sequence}`).to.equal(toHex(expected));
        expect(plain(at(fresh(), sequence).open(record(bytes)))).to.deep.equal({
          type: application_data,
          content: '0102',
        });
      }
    });

    it(`${name}: what one end seals the other opens, in order only`, () => {
      const [writing, reading] = [fresh(), fresh()];
      const [first, second] = [handshake, alert].map((type) => record(seal(writing, type, Uint8Array.of(9, 9))));
      if (first === undefined || second === undefined) throw new Error('no records');
      expect(alertOf(() => reading.open(second))).to.equal('bad_record_mac');
      expect(reading.records).to.equal(0);
      expect(plain(reading.open(first))).to.deep.equal({ type: handshake, content: '0909' });
      expect(plain(reading.open(second))).to.deep.equal({ type: alert, content: '0909' });
      expect(alertOf(() => reading.open(second))).to.equal('bad_record_mac');
    });

    it(`${name}: type, version and length are authenticated, and every byte`, () => {
      const bytes = seal(fresh(), application_data, Uint8Array.of(1, 2, 3));
      for (const [at, byte] of [
        [0, alert],
        [2, 1],
      ] as const) {
        const changed = bytes.slice();
        changed[at] = byte;
        expect(alertOf(() => fresh().open(record(changed)))).to.equal('bad_record_mac');
      }
      for (let at = 5; at < bytes.length; at++) {
        const changed = bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
        expect(
          alertOf(() => fresh().open(record(changed))),
          `byte ${at}`,
        ).to.equal('bad_record_mac');
      }
    });

    it(`${name}: refuses a record too short for its tag, takes an empty one`, () => {
      for (let length = 0; length < explicitLength + 16; length++) {
        const short = record(concat(recordHeader(application_data, 0x0303, length), new Uint8Array(length)));
        expect(
          alertOf(() => fresh().open(short)),
          `${length}`,
        ).to.equal('bad_record_mac');
      }
      const empty = seal(fresh(), application_data, EMPTY);
      expect(plain(fresh().open(record(empty)))).to.deep.equal({ type: application_data, content: '' });
    });

    it(`${name}: holds 2^14 bytes and no more (§6.2.1)`, () => {
      const most = seal(fresh(), application_data, new Uint8Array(16384));
      expect(fresh().open(record(most)).content).to.have.length(16384);
      const over = seal(fresh(), application_data, new Uint8Array(16385));
      expect(alertOf(() => fresh().open(record(over)))).to.equal('record_overflow');
      expect(fresh().fragmentLimit).to.equal(16384 + 2048);
    });

    if (isGcm) {
      it(`${name}: takes any explicit nonce that a peer chooses`, () => {
        const explicit = fromHex('ffeeddccbbaa9988');
        const bytes = sealed(0, handshake, Uint8Array.of(5), explicit);
        expect(plain(fresh().open(record(bytes)))).to.deep.equal({ type: handshake, content: '05' });
      });
    }

    it(`${name}: forgets its keys when wiped`, () => {
      const writing = fresh();
      writing.wipe();
      expect(() => seal(writing, alert, Uint8Array.of(1, 0))).to.throw('wiped');
    });
  }
});

describe('a provider that calls another connection while it works', () => {
  /** An AEAD whose keys call `meanwhile` before they look at what they were given. */
  const interrupted = (aead: Aead, meanwhile: () => void): Aead => ({
    ...aead,
    key: (bytes) => {
      const key = aead.key(bytes);
      return {
        seal: (...parameters) => {
          meanwhile();
          return key.seal(...parameters);
        },
        open: (...parameters) => {
          meanwhile();
          return key.open(...parameters);
        },
        wipe: () => key.wipe(),
      };
    },
  });

  for (const [version, name, ivLength] of [
    [Tls13Protection, 'aes-128-gcm', 12],
    [Tls12Protection, 'aes-128-gcm', 4],
    [Tls12Protection, 'chacha20-poly1305', 12],
  ] as const) {
    const aead = noble.aeads[name];
    const make = (meanwhile = () => {}) => new version(interrupted(aead, meanwhile), keysOf(name, ivLength));
    const content = fromHex('0102030405');

    it(`${version.name}, ${name}: seals with its own nonce and additional data`, () => {
      const other = at(make(), 77);
      const writing = make(() => seal(other, application_data, EMPTY));
      expect(toHex(seal(writing, handshake, content))).to.equal(toHex(seal(make(), handshake, content)));
    });

    it(`${version.name}, ${name}: opens with its own nonce and additional data`, () => {
      const foreign = record(seal(at(make(), 77), application_data, content));
      const other = at(make(), 77);
      const reading = make(() => other.open(foreign));
      const opened = reading.open(record(seal(make(), handshake, content)));
      expect(plain(opened)).to.deep.equal({ type: handshake, content: toHex(content) });
    });
  }
});
