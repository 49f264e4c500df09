import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import type { TicketFormat } from '../../src/tickets/format.ts';
import { aeadTickets } from '../../src/tickets/format-aead.ts';
import { cbcTickets } from '../../src/tickets/format-cbc.ts';
import { TicketKey } from '../../src/tickets/key.ts';
import { WeakTicketKeyError } from '../../src/tickets/key-strength.ts';
import { MAX_SEALS, SealCounts } from '../../src/tickets/seal-counts.ts';
import { ascii, concat, copyOf, fromHex, toHex } from '../../src/wire/bytes.ts';
import { FORMATS, newKey, random, sealed } from './support.ts';

const counting = (length: number, start: number, step = 1) =>
  Uint8Array.from({ length }, (_, i) => (start + i * step) & 0xff);
const repeating = (length: number, hex: string) => {
  const pattern = fromHex(hex);
  return Uint8Array.from({ length }, (_, i) => pattern[i % pattern.length] as number);
};

/** What scanners look for: the patterns that they repeat, beside constant and counting keys. */
const PATTERNS =
  'abbababe baadf00d badbadbadbad baddcafe cafefeed deadbeef deadf00d feeefeee 00008123 1badb002 8badf00d abadbabe ' +
  'abadcafe b16b00b5 baaaaaad bad22222 badc0ffee0ddf00d bbadbeef beefcace c00010ff cafebabe cafed00d 0d15ea5e ' +
  'dead10cc deadbabe deadcafe deadc0de deadfa11 defec8ed deaddead d00d2bad fadedead fee1dead feedface';

/** Each with the other half, or what is missing of the whole, random. */
const KNOWN: Readonly<Record<string, string>> = {
  'found on servers, 16 bytes': '31313131313131310000000000000000',
  'found on servers, 32 bytes': '3131313131313131313131313131313100000000000000000000000000000000',
  'hexadecimal digits': '00112233445566778899aabbccddeeff',
  'FIPS 197 A.1': '2b7e151628aed2a6abf7158809cf4f3c',
  'FIPS 197 A.3': '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
  'FIPS 197 B, input': '3243f6a8885a308d313198a2e0370734',
  'examples of GCM': 'feffe9928665731c6d6a8f9467308308',
};

/** The error that refuses a key with this secret; in its message nothing of the secret. */
function refusal(format: TicketFormat, secret: Uint8Array, name = random(16)): string {
  try {
    new TicketKey(format, name, secret);
  } catch (error) {
    expect(error).to.be.instanceOf(WeakTicketKeyError);
    const message = String(error);
    expect(message).to.not.contain(toHex(secret.subarray(0, 4)));
    return message;
  }
  return 'accepted';
}

describe('TicketKey', () => {
  for (const format of [aeadTickets, cbcTickets(16), cbcTickets(32)]) {
    describe(`strength, ${format.name}`, () => {
      const half = format.secretLength / 2;

      /** Refused as the whole secret, and as either half beside a random one. */
      const refuseEach = (what: string, make: (length: number) => Uint8Array) => {
        expect(refusal(format, make(2 * half)), what).to.contain('not random');
        expect(refusal(format, concat(make(half), random(half))), `${what}, first half`).to.contain('not random');
        expect(refusal(format, concat(random(half), make(half))), `${what}, second half`).to.contain('not random');
        expect(refusal(format, concat(make(half), make(half))), `${what}, twice`).to.contain('not random');
      };

      it('refuses zeros, and every other byte repeated', () => {
        for (let byte = 0; byte < 256; byte++) refuseEach(`${byte}`, (length) => new Uint8Array(length).fill(byte));
      });

      it('refuses what counts, from every start, up and down and in other steps', () => {
        for (let start = 0; start < 256; start++) {
          for (const step of [1, 0xff, 2, 0x10, 0x11]) {
            refuseEach(`from ${start} by ${step}`, (length) => counting(length, start, step));
          }
        }
      });

      it('refuses the patterns of programmers', () => {
        for (const pattern of PATTERNS.split(' ')) refuseEach(pattern, (length) => repeating(length, pattern));
      });

      for (const [what, hex] of Object.entries(KNOWN)) {
        it(`refuses what is known: ${what}`, () => {
          const known = fromHex(hex);
          const filled = concat(known, random(format.secretLength - known.length));
          expect(refusal(format, filled)).to.contain('not random');
          const behind = concat(random(format.secretLength - known.length), known);
          expect(refusal(format, behind)).to.contain('not random');
        });
      }

      it('refuses the same half twice, and a key that was filled up with zeros', () => {
        const part = random(half);
        expect(refusal(format, concat(part, part))).to.contain('repeated');
        expect(refusal(format, concat(random(2 * half - 8), new Uint8Array(8)))).to.contain('equal or count');
      });

      it('refuses text: digits of a key that nobody has decoded', () => {
        const digits = ascii(toHex(random(half)));
        expect(refusal(format, digits)).to.contain('text');
      });

      it('refuses a key that its public name is part of', () => {
        const secret = random(format.secretLength);
        expect(refusal(format, secret, secret.subarray(0, 16))).to.contain('name');
        expect(refusal(format, secret, secret.subarray(-16))).to.contain('name');
      });

      it('accepts ten thousand random ones', () => {
        for (let i = 0; i < 10000; i++) {
          expect(refusal(format, random(format.secretLength))).to.equal('accepted');
        }
      });
    });
  }

  it('is not made of dice that always fall the same way, or fall short', () => {
    for (const byte of [0, 1, 0xff]) {
      expect(() => TicketKey.generate(aeadTickets, (length) => new Uint8Array(length).fill(byte))).to.throw(
        WeakTicketKeyError,
      );
    }
    expect(() => TicketKey.generate(aeadTickets, () => random(1))).to.throw(RangeError, 'returned 1 bytes');
  });

  it('refuses lengths and shares that cannot be', () => {
    for (const { format } of FORMATS) {
      for (const length of [0, 1, 15, 17]) {
        expect(() => new TicketKey(format, random(length), random(format.secretLength))).to.throw(RangeError, 'name');
      }
      for (const change of [-1, 1, 16]) {
        const secret = random(format.secretLength + change);
        expect(() => new TicketKey(format, random(16), secret)).to.throw(RangeError, format.name);
      }
    }
    for (const share of [0, -1, 1.01, 2 ** -33, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => newKey(aeadTickets, { share })).to.throw(RangeError, 'share');
    }
  });

  it('has a random name that is no part of the key', () => {
    const key = newKey();
    expect(key.name).to.have.length(16);
    expect(toHex(key.exportSecret())).to.not.contain(toHex(key.name.subarray(0, 4)));
    expect(newKey().hasName(key.name)).to.equal(false);
    expect(key.hasName(key.name)).to.equal(true);
    expect(key.hasName(key.name.subarray(1))).to.equal(false);
    key.name.fill(0);
    expect(toHex(key.name)).to.not.equal('00'.repeat(16));
  });

  it('keeps copies of what it is given', () => {
    const [name, secret] = [random(16), random(32)];
    const key = new TicketKey(aeadTickets, name, secret);
    const [before, secretBefore] = [toHex(name), toHex(secret)];
    name.fill(0);
    secret.fill(0);
    expect([toHex(key.name), toHex(key.exportSecret())]).to.deep.equal([before, secretBefore]);
    const plaintext = random(20);
    expect(key.open(sealed(key, plaintext))).to.deep.equal(plaintext);
  });

  it('seals no more than OpenSSL does: 0xff00 bytes', () => {
    for (const { format } of FORMATS) {
      const key = newKey(format);
      const ticket = sealed(key, new Uint8Array(0xff00));
      expect(ticket.length).to.be.below(65530); // a PskIdentity of at most 2^16 - 1, with its lengths and its age
      expect(key.seal(new Uint8Array(0xff01), random)).to.equal('too-large');
      expect(key.sealed).to.equal(1);
    }
  });

  it('shows nothing of the secret', () => {
    const key = newKey();
    expect(Object.keys(JSON.parse(JSON.stringify(key)))).to.deep.equal(['name', 'format', 'sealed', 'isDestroyed']);
  });

  describe('counts', () => {
    it('up to 2^32, and to its share of that', () => {
      expect(MAX_SEALS).to.equal(4294967296);
      expect(newKey().limit).to.equal(2 ** 32);
      expect(newKey(aeadTickets, { share: 1 / 20 }).limit).to.equal(214748364);
      expect(newKey(aeadTickets, { share: 2 ** -32 }).limit).to.equal(1);
    });

    it('then only opens', () => {
      for (const { format } of FORMATS) {
        const key = newKey(format, { share: 3 / 2 ** 32 });
        const plaintext = random(40);
        const tickets = [1, 2, 3].map(() => sealed(key, plaintext));
        expect(key.canSeal).to.equal(false);
        expect(key.seal(plaintext, random)).to.equal('exhausted');
        expect(key.sealed).to.equal(3);
        for (const ticket of tickets) expect(key.open(ticket)).to.deep.equal(plaintext);
      }
    });

    it('what the key has sealed, however often it is loaded, under whatever name', () => {
      const counts = new SealCounts();
      const secret = random(32);
      const options = { counts, share: 4 / 2 ** 32 };
      const load = () => new TicketKey(aeadTickets, random(16), secret, options);
      const first = load();
      sealed(first, random(9));
      first.destroy();
      const [second, third] = [load(), load()];
      sealed(second, random(9));
      sealed(third, random(9));
      sealed(third, random(9));
      expect(second.seal(random(9), random)).to.equal('exhausted');
      expect(counts.of('another')).to.equal(0);
    });

    it('in this process by default', () => {
      const secret = random(32);
      sealed(new TicketKey(aeadTickets, random(16), secret), random(9));
      expect(new TicketKey(aeadTickets, random(16), secret).sealed).to.equal(1);
    });

    it('of 65536 keys, and forgets the one that has not sealed for longest', () => {
      const counts = new SealCounts();
      for (let i = 0; i < 65536; i++) counts.take(`${i}`, 9);
      counts.take('0', 9);
      counts.take('one more', 9);
      expect([counts.of('0'), counts.of('1'), counts.of('2')]).to.deep.equal([2, 0, 1]);
    });
  });

  describe('destroy', () => {
    it('overwrites the secret', () => {
      let held: Uint8Array = new Uint8Array(0);
      const spying: TicketFormat = {
        ...aeadTickets,
        cipher: (name, secret) => {
          held = secret;
          return aeadTickets.cipher(name, secret);
        },
      };
      const key = newKey(spying);
      expect(toHex(held)).to.equal(toHex(key.exportSecret()));
      key.destroy();
      expect(toHex(held)).to.equal('00'.repeat(32));
    });

    it('overwrites what our format keeps of it', () => {
      const cipher = aeadTickets.cipher(random(16), random(32));
      cipher.wipe();
      expect(attempt(() => cipher.seal(random(40), random))).to.equal('refused');
    });

    it('overwrites what the other formats keep of it', () => {
      const [name, secret, iv] = [random(16), random(64), random(16)];
      const cipher = cbcTickets(32).cipher(name, secret);
      const filled = fillsDuring(() => cipher.wipe());
      expect(filled).to.include(toHex(secret.subarray(32)));
      const ticket = attempt(() => cipher.seal(random(40), () => iv));
      if (!(ticket instanceof Uint8Array)) return expect(ticket).to.equal('refused');
      const mac = createHmac('sha256', secret.subarray(0, 32)).update(ticket.subarray(0, -32)).digest();
      return expect(toHex(ticket.subarray(-32))).to.not.equal(toHex(mac));
    });

    it('overwrites what a key is generated from', () => {
      const drawn: Uint8Array[] = [];
      const key = TicketKey.generate(aeadTickets, (length) => {
        const bytes = random(length);
        drawn.push(bytes);
        return bytes;
      });
      expect(drawn.map(({ length }) => length)).to.deep.equal([16, 32]);
      expect(drawn[0]).to.deep.equal(key.name);
      expect(drawn[1]).to.deep.equal(new Uint8Array(32));
    });

    it('leaves a key that neither opens nor seals, nor throws', () => {
      for (const { format } of FORMATS) {
        const key = newKey(format);
        const ticket = sealed(key, random(9));
        key.destroy();
        key.destroy();
        expect(key).to.include({ isDestroyed: true, canSeal: false });
        expect(key.open(ticket)).to.equal('unknown-key');
        expect(key.seal(random(9), random)).to.equal('no-key');
        expect(() => key.exportSecret()).to.throw('destroyed');
      }
    });

    it('leaves a copy alone', () => {
      const key = newKey();
      const copy = key.exportSecret();
      const before = copyOf(copy);
      key.destroy();
      expect(copy).to.deep.equal(before);
    });
  });
});

function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch {
    return 'refused';
  }
}

/** What the arrays held that were overwritten meanwhile. */
function fillsDuring(run: () => void): string[] {
  const { fill } = Uint8Array.prototype;
  const filled: string[] = [];
  Uint8Array.prototype.fill = function (this: Uint8Array<ArrayBuffer>, ...parameters: Parameters<typeof fill>) {
    filled.push(toHex(this));
    return fill.apply(this, parameters);
  };
  try {
    run();
  } finally {
    Uint8Array.prototype.fill = fill;
  }
  return filled;
}
