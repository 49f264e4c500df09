import { createCipheriv, createHmac } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { aeadTickets } from '../../src/tickets/format-aead.ts';
import { cbcTickets } from '../../src/tickets/format-cbc.ts';
import { ticketKeysFrom } from '../../src/tickets/key-files.ts';
import { concat, copyOf, EMPTY, latin1, toHex } from '../../src/wire/bytes.ts';
import { many, patience } from '../support/runs.ts';
import { FORMATS, newKey, random, sealed, VECTOR_NAMES, vector } from './support.ts';

const shown = (result: Uint8Array | string) => (typeof result === 'string' ? result : toHex(result));
const hmac = (key: Uint8Array, body: Uint8Array) => Uint8Array.from(createHmac('sha256', key).update(body).digest());
const of = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

type Parts = [name: Uint8Array, secret: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array];

describe('ticket formats', () => {
  describe('vectors', () => {
    for (const name of VECTOR_NAMES) {
      const { keyFile, ticket, plaintext } = vector(name);
      const [key] = ticketKeysFrom(name.startsWith('node') ? 'node' : 'openssl', keyFile);

      it(`${name} opens`, () => expect(shown(key?.open(ticket) ?? 'no key')).to.equal(toHex(plaintext)));
      it(`${name} is sealed byte for byte, given its vector`, () => {
        const iv = ticket.subarray(16, 32);
        expect(shown(key?.seal(plaintext, () => iv) ?? 'no key')).to.equal(toHex(ticket));
      });
    }
  });

  for (const { format, overhead, nonceLength, reference } of FORMATS) {
    describe(format.name, () => {
      it("is what node:crypto computes, and opens node:crypto's", () => {
        fc.assert(
          fc.property(
            of(16),
            of(format.secretLength),
            of(nonceLength),
            fc.uint8Array({ minLength: 1, maxLength: 300 }),
            (name, secret, nonce, plaintext) => {
              const cipher = format.cipher(name, secret);
              const expected = reference(name, secret, nonce, plaintext);
              expect(toHex(cipher.seal(plaintext, () => nonce))).to.equal(toHex(expected));
              expect(shown(cipher.open(expected))).to.equal(toHex(plaintext));
            },
          ),
        );
      });

      it('opens nothing of any length from 0 to its overhead and beyond', () => {
        const key = newKey(format);
        const ticket = sealed(key, random(200));
        for (let length = 0; length <= overhead + 33; length++) {
          const isLong = length > overhead && (format === aeadTickets || (length - overhead) % 16 === 0);
          const expected = isLong ? 'bad-mac' : 'malformed';
          expect(shown(key.open(ticket.subarray(0, length))), `${length} bytes of a ticket`).to.equal(expected);
          expect(key.open(random(length)), `${length} random bytes`).to.be.oneOf(['malformed', 'bad-mac']);
          expect(key.open(new Uint8Array(length)), `${length} zeros`).to.be.oneOf(['malformed', 'bad-mac']);
        }
      });

      it('opens nothing that is a byte longer or shorter, or half of it again', () => {
        const key = newKey(format);
        const ticket = sealed(key, random(127));
        for (const other of [concat(ticket, random(1)), ticket.subarray(1), ticket.subarray(0, -1)]) {
          expect(key.open(other)).to.be.oneOf(['malformed', 'bad-mac']);
        }
        expect(key.open(concat(ticket, ticket))).to.be.oneOf(['malformed', 'bad-mac']);
      });

      it('opens nothing of which any bit of any byte has changed', () => {
        const key = newKey(format);
        const ticket = sealed(key, random(50));
        for (let at = 0; at < ticket.length; at++) {
          for (let bit = 1; bit < 256; bit *= 2) {
            const forged = copyOf(ticket);
            forged[at] = (forged[at] as number) ^ bit;
            expect(key.open(forged), `byte ${at}`).to.be.oneOf(['malformed', 'bad-mac']);
          }
        }
        expect(shown(key.open(ticket))).to.have.length(100);
      });

      it('opens nothing of another key, nor of the same secret under another name', () => {
        const secret = random(format.secretLength);
        const ticket = format.cipher(random(16), secret).seal(random(50), random);
        expect(format.cipher(random(16), random(format.secretLength)).open(ticket)).to.equal('bad-mac');
        const renamed = random(16);
        expect(format.cipher(renamed, secret).open(concat(renamed, ticket.subarray(16)))).to.equal('bad-mac');
      });

      it('takes tickets that are views of a larger memory, and leaves them as they are', () => {
        const key = newKey(format);
        const plaintext = random(61);
        const ticket = sealed(key, plaintext);
        for (let offset = 0; offset < 5; offset++) {
          const memory = concat(random(offset), ticket, random(3));
          const before = toHex(memory);
          const opened = key.open(memory.subarray(offset, offset + ticket.length));
          expect(shown(opened)).to.equal(toHex(plaintext));
          expect(toHex(memory)).to.equal(before);
          expect(opened).to.not.have.property('buffer', memory.buffer);
        }
      });

      it('keeps copies of name and secret', () => {
        const [name, secret, nonce, plaintext] = [16, format.secretLength, nonceLength, 30].map((length) =>
          random(length),
        ) as Parts;
        const expected = reference(name, secret, nonce, plaintext);
        const [ownName, ownSecret] = [copyOf(name), copyOf(secret)];
        const cipher = format.cipher(ownName, ownSecret);
        ownName.fill(0);
        ownSecret.fill(0);
        expect(toHex(cipher.seal(plaintext, () => nonce))).to.equal(toHex(expected));
      });

      it('refuses dice that fall short', () => {
        const key = newKey(format);
        expect(() => key.seal(random(9), () => random(1))).to.throw(RangeError, 'returned 1 bytes');
      });

      it(`has no nonce twice in ${many(10_000)} tickets`, function () {
        this.timeout(patience());
        const key = newKey(format);
        const nonceAt = format === aeadTickets ? 17 : 16;
        const nonces = new Set<string>();
        const plaintext = random(1);
        for (let i = 0; i < many(10_000); i++) {
          nonces.add(latin1(sealed(key, plaintext).subarray(nonceAt, nonceAt + nonceLength)));
        }
        expect(nonces.size).to.equal(many(10_000));
        expect(key.sealed).to.equal(many(10_000));
      });
    });
  }

  it('a padding that is wrong under a right MAC is as good as a wrong MAC', () => {
    const format = cbcTickets(16);
    const secret = random(format.secretLength);
    const name = random(16);
    const iv = random(16);
    const aes = createCipheriv('aes-128-cbc', secret.subarray(16), iv).setAutoPadding(false);
    const state = Buffer.concat([aes.update(new Uint8Array(48)), aes.final()]);
    const cipher = format.cipher(name, secret);
    const body = concat(name, iv, state);
    const [, sha256] = FORMATS;
    const empty = sha256?.reference(name, secret, iv, EMPTY) ?? EMPTY;
    expect(shown(cipher.open(empty))).to.equal(''); // a whole block of padding is right
    expect(cipher.open(concat(body, hmac(secret.subarray(0, 16), body)))).to.equal('bad-mac');
  });

  it('our own knows its version', () => {
    const key = newKey();
    const ticket = sealed(key, random(30));
    ticket[16] = 2;
    expect(key.open(ticket)).to.equal('malformed');
  });

  it('our own hides what it seals and shows how long it is', () => {
    const key = newKey();
    const plaintext = random(128);
    const ticket = sealed(key, plaintext);
    expect(ticket).to.have.length(128 + 45);
    expect(toHex(ticket)).to.not.contain(toHex(plaintext.subarray(0, 8)));
    expect(toHex(ticket.subarray(0, 16))).to.equal(toHex(key.name));
  });
});
