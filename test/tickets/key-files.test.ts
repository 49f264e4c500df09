import { expect } from 'chai';
import {
  TicketKeyFileError,
  type TicketKeyProducer,
  ticketKeyFile,
  ticketKeysFrom,
} from '../../src/tickets/key-files.ts';
import { WeakTicketKeyError } from '../../src/tickets/key-strength.ts';
import { ascii, concat, toHex } from '../../src/wire/bytes.ts';
import { FORMATS, newKey, random, sealed } from './support.ts';

type Part = 'hmac' | 'aes' | 'key';

/** Producer, length of the file, what follows the name, name of the format. */
const LAYOUTS: readonly (readonly [TicketKeyProducer, number, readonly Part[], string])[] = [
  ['tls-resume', 48, ['key'], 'tls-resume-1'],
  ['openssl', 80, ['hmac', 'aes'], 'aes-256-cbc-hmac-sha256'],
  ['node', 48, ['hmac', 'aes'], 'aes-128-cbc-hmac-sha256'],
  ['apache', 48, ['hmac', 'aes'], 'aes-128-cbc-hmac-sha256'],
  ['nginx', 48, ['aes', 'hmac'], 'aes-128-cbc-hmac-sha256'],
  ['nginx', 80, ['hmac', 'aes'], 'aes-256-cbc-hmac-sha256'],
  ['haproxy', 48, ['aes', 'hmac'], 'aes-128-cbc-hmac-sha256'],
  ['haproxy', 80, ['aes', 'hmac'], 'aes-256-cbc-hmac-sha256'],
];

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
/** A file of HAProxy's; each key in a line of its own. */
const lines = (...files: readonly Uint8Array[]) => ascii(`${files.map(base64).join('\n')}\n`);
const names = (keys: readonly { readonly name: Uint8Array }[]) => keys.map(({ name }) => toHex(name));
const nameOf = (file: Uint8Array | undefined) => toHex(file?.subarray(0, 16) ?? random(1));

describe('ticket key files', () => {
  for (const [producer, length, parts, formatName] of LAYOUTS) {
    describe(`${producer}, ${length} bytes`, () => {
      const file = random(length);
      const [name, rest] = [file.subarray(0, 16), file.subarray(16)];
      const partLength = rest.length / parts.length;
      const part = (wanted: Part) => {
        const at = parts.indexOf(wanted) * partLength;
        return rest.subarray(at, at + partLength);
      };
      const load = () => {
        const text = producer === 'haproxy' ? lines(random(length), file, random(length)) : file;
        const [key] = ticketKeysFrom(producer, text);
        if (key === undefined) throw new Error('no key');
        return key;
      };

      it('is laid out as the producer has it: node:crypto makes tickets of it that open', () => {
        const key = load();
        const known = FORMATS.find(({ format }) => format.name === formatName);
        const secret = parts.includes('key') ? part('key') : concat(part('hmac'), part('aes'));
        const [nonce, plaintext] = [random(known?.nonceLength ?? 0), random(77)];
        const ticket = known?.reference(name, secret, nonce, plaintext);
        expect(key.format.name).to.equal(formatName);
        expect(toHex(key.name)).to.equal(toHex(name));
        expect(ticket && key.open(ticket)).to.deep.equal(plaintext);
        expect(key.seal(plaintext, () => nonce)).to.deep.equal(ticket);
      });

      it('is written as it was read', () => expect(toHex(ticketKeyFile(producer, load()))).to.equal(toHex(file)));
    });
  }

  it('no producer takes a file of another length', () => {
    for (const producer of ['tls-resume', 'openssl', 'node', 'apache', 'nginx'] as const) {
      const lengths = LAYOUTS.filter(([name]) => name === producer).map(([, length]) => length);
      for (let length = 0; length <= 200; length++) {
        if (lengths.includes(length)) continue;
        expect(() => ticketKeysFrom(producer, random(length)), `${length}`).to.throw(TicketKeyFileError, producer);
      }
    }
  });

  it('the first file of several seals', () => {
    const files = [random(80), random(48), random(80)];
    expect(names(ticketKeysFrom('nginx', files))).to.deep.equal(files.map(nameOf));
  });

  it('names the file that is wrong', () => {
    expect(() => ticketKeysFrom('nginx', [random(48), random(47)])).to.throw('file 2: 47 bytes');
    expect(() => ticketKeysFrom('nginx', [])).to.throw(TicketKeyFileError, 'no ticket key file');
    const producer = 'caddy' as TicketKeyProducer;
    expect(() => ticketKeysFrom(producer, random(48))).to.throw(TypeError, 'caddy');
    expect(() => ticketKeysFrom('toString' as TicketKeyProducer, random(48))).to.throw(TypeError, 'toString');
  });

  it('weak keys are refused, from whatever file', () => {
    expect(() => ticketKeysFrom('node', new Uint8Array(48))).to.throw(WeakTicketKeyError);
    expect(() => ticketKeysFrom('openssl', concat(random(16), new Uint8Array(64)))).to.throw(WeakTicketKeyError);
    expect(() => ticketKeysFrom('haproxy', lines(random(48), new Uint8Array(48), random(48)))).to.throw(
      WeakTicketKeyError,
    );
  });

  it('leaves the bytes as they are', () => {
    const file = random(48);
    const before = toHex(file);
    ticketKeysFrom('nginx', file)[0]?.destroy();
    expect(toHex(file)).to.equal(before);
  });

  it('knows that a producer has no such tickets', () => {
    expect(() => ticketKeyFile('node', newKey())).to.throw(TicketKeyFileError, 'tls-resume-1');
  });

  it('takes the share along', () => {
    const [key] = ticketKeysFrom('node', random(48), { share: 1 / 4 });
    expect(key?.limit).to.equal(2 ** 30);
  });

  describe('haproxy', () => {
    for (const length of [48, 80]) {
      it(`the last but one of three lines of ${length} bytes seals, all open`, () => {
        const files = [random(length), random(length), random(length)];
        const keys = ticketKeysFrom('haproxy', lines(...files));
        const [before, sealing, next] = files.map(nameOf);
        expect(names(keys)).to.deep.equal([sealing, next, before]);
        for (const key of keys) expect(key.open(sealed(key, ascii('state')))).to.deep.equal(ascii('state'));
      });
    }

    it('the last three of more', () => {
      const files = Array.from({ length: 6 }, () => random(80));
      const expected = [files[4], files[5], files[3]].map(nameOf);
      expect(names(ticketKeysFrom('haproxy', lines(...files)))).to.deep.equal(expected);
    });

    it('with line ends of either kind, and empty lines behind', () => {
      const files = [random(48), random(48), random(48)];
      const text = `${files.map(base64).join('\r\n')}\r\n\r\n`;
      expect(names(ticketKeysFrom('haproxy', ascii(text)))).to.include(nameOf(files[2]));
    });

    it('says what is wrong', () => {
      const three = [random(48), random(48), random(48)];
      const wrong: readonly (readonly [Uint8Array, string])[] = [
        [lines(random(48), random(48)), '2 lines'],
        [new Uint8Array(0), '0 lines'],
        [lines(random(48), random(48), random(80)), 'line 3: a key of another length'],
        [lines(random(48), random(47), random(48)), 'line 2: a key of another length'],
        [lines(random(47), random(47), random(47)), 'line 1: 47 bytes'],
        [ascii(`${base64(random(48))}\n*\n${base64(random(48))}`), 'line 2: not base64'],
        [new Uint8Array(144).fill(0x80), 'haproxy wants at least 3'],
      ];
      for (const [text, message] of wrong) {
        expect(() => ticketKeysFrom('haproxy', text)).to.throw(TicketKeyFileError, message);
      }
      expect(() => ticketKeysFrom('haproxy', [lines(...three), lines(...three)])).to.throw('one ticket key file');
    });
  });
});
