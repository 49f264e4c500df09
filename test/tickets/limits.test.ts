/** The limits of tickets and their keys, from both sides. */

import { expect } from 'chai';
import { cbcTickets } from '../../src/tickets/format-cbc.ts';
import { TicketKey } from '../../src/tickets/key.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { weaknessOf } from '../../src/tickets/key-strength.ts';
import { ticketKeyName } from '../../src/tickets/ticket.ts';
import { concat } from '../../src/wire/bytes.ts';
import { atMost, range, testLimits } from '../support/limits.ts';
import { TestWorld } from '../support/world.ts';
import { FORMATS, newKey, random } from './support.ts';

const world = new TestWorld();

/** @throws Error with what is wrong */
function refuse(what: string | undefined): void {
  if (what !== undefined) throw new Error(what);
}

describe('limits of ticket keys', () => {
  testLimits({
    'seconds that a key encrypts': {
      ...range(60, 604_800),
      attempt: (rotateEvery) => TicketKeyRing.rotating(world, { rotateEvery }),
      error: 'rotateEvery',
    },
    'seconds that a key decrypts': {
      ...range(0, 604_800),
      attempt: (keepFor) => TicketKeyRing.rotating(world, { rotateEvery: 604_800, keepFor }),
      error: 'keepFor',
    },
    'seconds that a key decrypts, where each encrypts for 60': {
      ...atMost(255 * 60),
      attempt: (keepFor) => TicketKeyRing.rotating(world, { rotateEvery: 60, keepFor }),
      error: 'would keep over 256 keys',
    },
    'keys of a ring': {
      ...range(1, 256),
      attempt: (length) =>
        TicketKeyRing.of(
          Array.from({ length }, () => newKey()),
          world,
        ).close(),
      error: '1 to 256 are possible',
    },
    'bytes of what may be a ticket': {
      ...range(32, 65_535),
      attempt: (length) => refuse(ticketKeyName(new Uint8Array(length)) === undefined ? 'no name' : undefined),
      error: 'no name',
    },
  });

  it('a key of characters between space and tilde, with lines and tabs, is text; one byte beyond makes it none', () => {
    const text = concat(
      Uint8Array.from('\t\n\r ~', (character) => character.charCodeAt(0)),
      random(27).map((byte) => 0x20 + (byte % 95)),
    );
    const isText = (byte: number) =>
      weaknessOf(random(16), concat(text.subarray(0, 31), Uint8Array.of(byte)))?.includes('text');
    expect([0x20, 0x7e, 0x09, 0x0a, 0x0d].map(isText)).to.deep.equal(new Array(5).fill(true));
    expect([0x1f, 0x7f, 0x08, 0x0b, 0x0c, 0x0e].map(isText)).to.deep.equal(new Array(6).fill(undefined));
  });

  it('equal or counting bytes are a weakness if they are eight, in a place that is a multiple of eight', () => {
    const secret = random(32);
    secret.fill(7, 8, 15);
    secret[15] = 8;
    expect(weaknessOf(random(16), secret)).to.equal(undefined);
    secret[15] = 7;
    expect(weaknessOf(random(16), secret)).to.contain('in a row');
  });

  for (const { format, overhead } of FORMATS) {
    it(`${format.name}: a ticket without a session in it is malformed, and the shortest with one is judged by its key`, () => {
      const key = newKey(format);
      const shortest = overhead + (format.name.includes('cbc') ? 16 : 1);
      const of = (length: number) => concat(key.name, Uint8Array.of(1), random(length - 17));
      expect(key.open(of(overhead))).to.equal('malformed');
      expect(key.open(of(shortest - 1))).to.equal('malformed');
      expect(key.open(of(shortest))).to.equal('bad-mac');
    });
  }

  it('the secret of a key has the length that its format says', () => {
    for (const format of [cbcTickets(16), cbcTickets(32)]) {
      const attempt = (length: number) => new TicketKey(format, random(16), random(length));
      expect(() => attempt(format.secretLength)).not.to.throw();
      for (const by of [-1, 1]) expect(() => attempt(format.secretLength + by)).to.throw(RangeError, 'are wanted');
    }
  });

  it('a ring refuses an option that it does not know', () => {
    expect(() => TicketKeyRing.rotating(world, { rotateEvry: 60 } as never)).to.throw(TypeError, 'rotateEvry');
  });

  it('a ring remembers the last 256 keys that it has destroyed', () => {
    const ring = TicketKeyRing.of([newKey()], world);
    const names = Array.from({ length: 257 }, () => {
      const [{ name } = { name: '' }] = ring.keys;
      ring.replace([newKey()]);
      return Uint8Array.from(name.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16));
    });
    expect(names.slice(0, 2).map((name) => ring.find(name)?.phase)).to.deep.equal([undefined, 'destroyed']);
  });
});
