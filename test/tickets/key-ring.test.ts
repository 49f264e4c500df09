import { expect } from 'chai';
import { aeadTickets } from '../../src/tickets/format-aead.ts';
import { cbcTickets } from '../../src/tickets/format-cbc.ts';
import { TicketKey } from '../../src/tickets/key.ts';
import { ticketKeysFrom } from '../../src/tickets/key-files.ts';
import { type RotationOptions, TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { WeakTicketKeyError } from '../../src/tickets/key-strength.ts';
import { SealCounts } from '../../src/tickets/seal-counts.ts';
import { openTicket } from '../../src/tickets/ticket.ts';
import { ascii, copyOf, toHex } from '../../src/wire/bytes.ts';
import { NEW_YEAR, TestWorld } from '../support/world.ts';
import { newKey, random, sealed } from './support.ts';

const START = NEW_YEAR / 1000;
const STATE = ascii('state');

interface Rotating {
  readonly world: TestWorld;
  readonly ring: TicketKeyRing;
}

function rotating(options: RotationOptions = {}): Rotating {
  const world = new TestWorld();
  return { world, ring: TicketKeyRing.rotating(world, { counts: new SealCounts(), ...options }) };
}

const ticketOf = (ring: TicketKeyRing) => sealed(ring.sealingKey(), STATE);

/** What a ticket comes to: how it is renewed, or why it does not open. */
function outcome(ring: TicketKeyRing, ticket: Uint8Array): string {
  const opened = openTicket(ticket, ring.openingKeys(ticket.subarray(0, 16)));
  return opened.status === 'opened' ? opened.renewal : opened.status;
}

const phases = (ring: TicketKeyRing) => ring.keys.map(({ phase }) => phase);

describe('TicketKeyRing', () => {
  describe('rotating', () => {
    it('makes its first key when it is asked for, of the dice', () => {
      const { ring } = rotating();
      expect(ring.keys).to.deep.equal([]);
      expect(ring.openingKeys(random(16))).to.deep.equal([]);
      const key = ring.sealingKey();
      expect(key?.format).to.equal(aeadTickets);
      expect(ring.sealingKey()).to.equal(key);
      expect(ring.keys).to.deep.equal([
        {
          name: toHex(key?.name ?? random(1)),
          format: 'tls-resume-1',
          phase: 'encrypt',
          since: START,
          encryptsUntil: START + 3600,
          decryptsUntil: START + 3600 + 7200,
          sealed: 0,
          limit: 2 ** 32,
        },
      ]);
    });

    it('without a world both kinds of ring have the clock and the dice of the host', () => {
      const ring = TicketKeyRing.rotating();
      const ticket = ticketOf(ring);
      const given = TicketKeyRing.of([newKey()]);
      for (const { keys } of [ring, given]) expect(keys[0]?.since).to.be.greaterThan(NEW_YEAR / 1000);
      expect([outcome(ring, ticket), outcome(given, ticket)]).to.deep.equal(['as-usual', 'unknown-key']);
      ring.close();
      given.close();
    });

    it('two rings have nothing in common', () => {
      const world = new TestWorld();
      const [one, other] = [TicketKeyRing.rotating(world), TicketKeyRing.rotating(world)];
      expect(outcome(other, ticketOf(one))).to.equal('unknown-key');
      ticketOf(other);
      expect(outcome(other, ticketOf(one))).to.equal('unknown-key');
    });

    it('has no key, rather than a bad one, where the dice are broken', () => {
      const world = { now: () => NEW_YEAR, randomBytes: (length: number) => new Uint8Array(length) };
      const ring = TicketKeyRing.rotating(world);
      for (let i = 0; i < 3; i++) expect(() => ring.sealingKey()).to.throw(WeakTicketKeyError);
      expect(ring.keys).to.deep.equal([]);
      const short = TicketKeyRing.rotating({ ...world, randomBytes: () => random(1) });
      expect(() => short.sealingKey()).to.throw(RangeError);
    });

    it('keeps a key for rotateEvery, opens its tickets for keepFor after that, then destroys it', () => {
      const { world, ring } = rotating({ rotateEvery: 100, keepFor: 50 });
      const first = ring.sealingKey();
      const ticket = ticketOf(ring);
      world.advance(99);
      expect(ring.sealingKey()).to.equal(first);
      expect(outcome(ring, ticket)).to.equal('as-usual');
      world.advance(1);
      expect(outcome(ring, ticket)).to.equal('due');
      expect(phases(ring)).to.deep.equal(['decrypt-only']);
      const second = ring.sealingKey();
      expect(second).to.not.equal(first);
      expect(phases(ring)).to.deep.equal(['encrypt', 'decrypt-only']);
      world.advance(50);
      expect(outcome(ring, ticket), 'the last second of a ticket').to.equal('due');
      expect(first?.isDestroyed).to.equal(false);
      world.advance(1);
      expect(outcome(ring, ticket)).to.equal('unknown-key');
      expect(first?.isDestroyed).to.equal(true);
      expect(second?.isDestroyed).to.equal(false);
      expect(ring.sealingKey()).to.equal(second);
    });

    it('counts the time from when a key ceased to seal by the clock, not from when somebody noticed', () => {
      const { world, ring } = rotating({ rotateEvery: 100, keepFor: 50 });
      const ticket = ticketOf(ring);
      world.advance(151);
      ring.sealingKey();
      expect(outcome(ring, ticket)).to.equal('unknown-key');
      expect(phases(ring)).to.deep.equal(['encrypt']);
    });

    it('no ticket opens after its time, whatever the order of questions', () => {
      const { world, ring } = rotating({ rotateEvery: 60, keepFor: 200 });
      const tickets: { readonly ticket: Uint8Array; readonly at: number }[] = [];
      for (let at = 0; at < 2000; at += 17) {
        world.time = NEW_YEAR + 1000 * at;
        for (const { ticket, at: sealedAt } of tickets) {
          const age = at - sealedAt;
          if (age <= 200) expect(outcome(ring, ticket), `age ${age}`).to.be.oneOf(['as-usual', 'due']);
          if (age > 260) expect(outcome(ring, ticket), `age ${age}`).to.equal('unknown-key');
        }
        tickets.push({ ticket: ticketOf(ring), at });
        expect(ring.keys.length).to.be.at.most(5);
        expect(phases(ring).filter((phase) => phase === 'encrypt')).to.have.length(1);
      }
    });

    it('rotates when it is told to', () => {
      const { world, ring } = rotating({ rotateEvery: 100, keepFor: 50 });
      const ticket = ticketOf(ring);
      world.advance(10);
      ring.rotate();
      expect(outcome(ring, ticket)).to.equal('due');
      expect(outcome(ring, ticketOf(ring))).to.equal('as-usual');
      world.advance(51);
      expect(outcome(ring, ticket)).to.equal('unknown-key');
    });

    it('goes on with a new key where one has sealed its share', () => {
      const { world, ring } = rotating({ rotateEvery: 100, keepFor: 50, share: 4 / 2 ** 32 });
      const tickets = Array.from({ length: 9 }, () => ticketOf(ring));
      expect(new Set(tickets.map((ticket) => toHex(ticket.subarray(0, 16)))).size).to.equal(3);
      expect(ring.keys.map(({ sealed: count, limit }) => [count, limit])).to.deep.equal([
        [1, 4],
        [4, 4],
        [4, 4],
      ]);
      expect(tickets.map((ticket) => outcome(ring, ticket))).to.deep.equal([
        ...Array.from({ length: 8 }, () => 'due'),
        'as-usual',
      ]);
      world.advance(51);
      expect(ring.keys).to.have.length(1);
    });

    it('has 256 keys at most, however little each may seal', () => {
      const { ring } = rotating({ share: 1 / 2 ** 32 });
      const tickets = Array.from({ length: 300 }, () => ticketOf(ring));
      expect(ring.keys).to.have.length(256);
      expect(tickets.map((ticket) => outcome(ring, ticket)).filter((each) => each === 'unknown-key')).to.have.length(
        44,
      );
    });

    describe('with a timer that a shell has lent', () => {
      interface Timed extends Rotating {
        readonly set: { readonly action: () => void; readonly delayMs: number }[];
      }
      const timed = (options: RotationOptions = {}): Timed => {
        const set: Timed['set'] = [];
        const { world, ring } = rotating({ rotateEvery: 60, keepFor: 30, ...options });
        ring.useTimer((action, delayMs) => void set.push({ action, delayMs }));
        return { world, ring, set };
      };
      /** Lets the timers run out one after the other, while nobody uses the ring. Returns their delays. */
      const runOut = ({ world, set }: Timed): number[] => {
        const delays: number[] = [];
        for (let timer = set.shift(); timer !== undefined; timer = set.shift()) {
          delays.push(timer.delayMs);
          world.time += timer.delayMs;
          timer.action();
        }
        return delays;
      };

      it('destroys a key after its last second, though nobody uses the ring, and then sets no more timers', () => {
        const link = timed();
        expect(link.set, 'it has no key yet').to.have.length(0);
        const key = link.ring.sealingKey();
        expect(link.set).to.have.length(1);
        expect(runOut(link)).to.deep.equal([60_000, 31_000]);
        expect(key?.isDestroyed).to.equal(true);
        expect(link.world.time).to.equal(NEW_YEAR + 91_000);
      });

      it('not before: in its last second it is there, also where the timer is early', () => {
        const { world, ring, set } = timed({ rotateEvery: 60, keepFor: 0 });
        const key = ring.sealingKey();
        world.time += 60_999;
        set.shift()?.action();
        expect(key?.isDestroyed).to.equal(false);
        expect(set.map(({ delayMs }) => delayMs)).to.deep.equal([1000]);
        world.time += 1;
        set.shift()?.action();
        expect(key?.isDestroyed).to.equal(true);
      });

      it('has one timer at a time, whoever lends it and however many keys there are', () => {
        const link = timed();
        const key = link.ring.sealingKey();
        link.ring.useTimer(() => expect.fail('the first one is used'));
        link.world.advance(61);
        const next = link.ring.sealingKey();
        expect(next).to.not.equal(key);
        link.ring.rotate();
        link.ring.sealingKey();
        expect(link.set).to.have.length(1);
        runOut(link);
        expect([key, next].map((each) => each?.isDestroyed)).to.deep.equal([true, true]);
        expect(link.ring.keys).to.deep.equal([]);
        link.ring.sealingKey();
        expect(link.set, 'and a new one for the next key').to.have.length(1);
      });

      it('ends no process where the clock throws, and destroys the key once that goes again', () => {
        const link = timed();
        const { world, ring, set } = link;
        const key = ring.sealingKey();
        const now = world.now.bind(world);
        world.now = () => Number.NaN;
        set.shift()?.action();
        expect(set.map(({ delayMs }) => delayMs)).to.deep.equal([60_000]);
        expect(() => ring.keys).to.throw('world.now()');
        world.now = now;
        world.advance(91);
        runOut(link);
        expect(key?.isDestroyed).to.equal(true);
      });

      it('is lent one after its first key, too, and none is set for keys that are given, or of a closed ring', () => {
        const { ring } = rotating();
        ring.sealingKey();
        const set: number[] = [];
        const setTimer = (_: () => void, delayMs: number) => void set.push(delayMs);
        ring.useTimer(setTimer);
        expect(set).to.deep.equal([60_000]);
        TicketKeyRing.of([newKey()], new TestWorld()).useTimer(setTimer);
        const closed = rotating().ring;
        closed.sealingKey();
        closed.close();
        closed.useTimer(setTimer);
        expect(set).to.have.length(1);
      });
    });

    it('tells when its next key ends, for who has timers and no shell, and destroys what is due', () => {
      const { world, ring } = rotating();
      expect(ring.nextEnd).to.equal(undefined);
      const key = ring.sealingKey();
      expect(ring.nextEnd).to.equal(START + 10_800);
      world.advance(3600);
      ring.sealingKey();
      expect(ring.nextEnd).to.equal(START + 10_800);
      world.advance(7200);
      ring.destroyDue();
      expect(key?.isDestroyed).to.equal(false);
      world.advance(1);
      ring.destroyDue();
      expect(key?.isDestroyed).to.equal(true);
      expect(ring.nextEnd).to.equal(START + 14_400);
      expect(TicketKeyRing.of([newKey()], world).nextEnd).to.equal(undefined);
    });

    describe('where the clock is put back', () => {
      it('a key does not live longer for having been made in the future', () => {
        const { world, ring } = rotating({ rotateEvery: 100, keepFor: 50 });
        world.advance(1e6);
        const ticket = ticketOf(ring);
        world.advance(-1e6);
        expect(outcome(ring, ticket)).to.equal('as-usual');
        expect(ring.keys[0]).to.include({ encryptsUntil: START + 100, decryptsUntil: START + 150 });
        world.advance(100);
        expect(outcome(ring, ticket)).to.equal('due');
        world.advance(51);
        expect(outcome(ring, ticket)).to.equal('unknown-key');
      });

      it('nor for having been retired there, and it does not seal again', () => {
        const { world, ring } = rotating({ rotateEvery: 100, keepFor: 50 });
        world.advance(1e6);
        const ticket = ticketOf(ring);
        ring.rotate();
        world.advance(-1e6);
        expect(phases(ring)).to.deep.equal(['decrypt-only']);
        expect(outcome(ring, ticketOf(ring))).to.equal('as-usual');
        expect(outcome(ring, ticket)).to.equal('due');
        world.advance(151);
        expect(outcome(ring, ticket)).to.equal('unknown-key');
      });
    });

    it('has other formats', () => {
      const { ring } = rotating({ format: cbcTickets(16) });
      expect(ring.sealingKey()?.format.name).to.equal('aes-128-cbc-hmac-sha256');
    });

    it('tells what became of a key', () => {
      const { world, ring } = rotating({ rotateEvery: 100, keepFor: 50 });
      const name = copyOf(ticketOf(ring).subarray(0, 16));
      expect(ring.find(name)).to.include({ phase: 'encrypt', sealed: 1 });
      world.advance(100);
      expect(ring.find(name)).to.include({ phase: 'decrypt-only', encryptsUntil: START + 100 });
      world.advance(1000);
      expect(ring.find(name)).to.include({
        phase: 'destroyed',
        since: START,
        encryptsUntil: START + 100,
        decryptsUntil: START + 150,
      });
      expect(ring.find(random(16))).to.equal(undefined);
      for (let i = 0; i < 256; i++) {
        ring.sealingKey();
        world.advance(1000);
      }
      expect(ring.find(name), 'after 256 others').to.equal(undefined);
    });

    it('names the option that is wrong', () => {
      const wrong: readonly (readonly [RotationOptions, string])[] = [
        [{ rotateEvery: 59 }, 'rotateEvery'],
        [{ rotateEvery: 604801 }, 'rotateEvery'],
        [{ rotateEvery: Number.NaN }, 'rotateEvery'],
        [{ rotateEvery: 100.5 }, 'rotateEvery'],
        [{ keepFor: -1 }, 'keepFor'],
        [{ keepFor: 604801 }, 'keepFor'],
        [{ rotateEvery: 60, keepFor: 604800 }, 'rotateEvery 60'],
      ];
      for (const [options, message] of wrong) expect(() => rotating(options)).to.throw(RangeError, message);
      expect(() => rotating({ rotateEvery: 604800, keepFor: 604800 })).to.not.throw();
      expect(() => rotating({ keepFor: 604800 })).to.not.throw();
    });

    it('does not take keys', () => {
      expect(() => rotating().ring.replace([newKey()])).to.throw('makes its keys itself');
    });
  });

  describe('of given keys', () => {
    const world = new TestWorld();

    it('the first seals, all open; what the others have sealed is due for renewal', () => {
      const keys = [newKey(), newKey(cbcTickets(32)), newKey(cbcTickets(16))];
      const ring = TicketKeyRing.of(keys, world);
      expect(ring.sealingKey()).to.equal(keys[0]);
      expect(keys.map((key) => outcome(ring, sealed(key, STATE)))).to.deep.equal(['as-usual', 'due', 'due']);
      expect(phases(ring)).to.deep.equal(['encrypt', 'decrypt-only', 'decrypt-only']);
      expect(ring.keys[0]).to.include({ since: START, encryptsUntil: undefined, decryptsUntil: undefined });
    });

    it('HAProxy: the last but one line seals, by now everybody can open it', () => {
      const files = [random(80), random(80), random(80)];
      const text = ascii(files.map((file) => Buffer.from(file).toString('base64')).join('\n'));
      const ring = TicketKeyRing.of(ticketKeysFrom('haproxy', text), world);
      expect(toHex(ticketOf(ring).subarray(0, 16))).to.equal(toHex(files[1]?.subarray(0, 16) ?? random(1)));
      const states = files.map((file) => outcome(ring, sealed(ticketKeysFrom('openssl', swapped(file))[0], STATE)));
      expect(states).to.deep.equal(['due', 'as-usual', 'due']);
    });

    it('nginx: the first file seals, the others open', () => {
      const files = [random(80), random(48)];
      const ring = TicketKeyRing.of(ticketKeysFrom('nginx', files), world);
      const ticket = ticketOf(ring);
      const turned = TicketKeyRing.of(ticketKeysFrom('nginx', [...files].reverse()), world);
      expect([outcome(ring, ticket), outcome(turned, ticket)]).to.deep.equal(['as-usual', 'due']);
    });

    it('keys of one name are all tried', () => {
      const name = random(16);
      const keys = [1, 2, 3].map(() => new TicketKey(aeadTickets, name, random(32)));
      const ring = TicketKeyRing.of(keys, world);
      expect(keys.map((key) => outcome(ring, sealed(key, STATE)))).to.deep.equal(['as-usual', 'due', 'due']);
      expect(outcome(ring, sealed(new TicketKey(aeadTickets, name, random(32)), STATE))).to.equal('bad-mac');
    });

    it('stays as it is, whatever the clock says', () => {
      const clock = new TestWorld();
      const ring = TicketKeyRing.of([newKey()], clock);
      const ticket = ticketOf(ring);
      clock.advance(1e9);
      expect(outcome(ring, ticket)).to.equal('as-usual');
      expect(() => ring.rotate()).to.throw('replace()');
    });

    it('has none to seal with where the first has sealed its share: the others do not step in', () => {
      const ring = TicketKeyRing.of([newKey(aeadTickets, { share: 1 / 2 ** 32 }), newKey()], world);
      const ticket = ticketOf(ring);
      expect(ring.sealingKey()).to.equal(undefined);
      expect(phases(ring)).to.deep.equal(['decrypt-only', 'decrypt-only']);
      expect(outcome(ring, ticket)).to.equal('due');
    });

    it('replace keeps those that come again and destroys the others', () => {
      const clock = new TestWorld();
      const [one, two, three] = [newKey(), newKey(), newKey()];
      const ring = TicketKeyRing.of([one, two], clock);
      const tickets = [one, two, three].map((key) => sealed(key, STATE));
      clock.advance(10);
      ring.replace([three, one]);
      expect(tickets.map((ticket) => outcome(ring, ticket))).to.deep.equal(['due', 'unknown-key', 'as-usual']);
      expect([one, two, three].map(({ isDestroyed }) => isDestroyed)).to.deep.equal([false, true, false]);
      expect(ring.find(one.name)).to.include({ phase: 'decrypt-only', since: START, encryptsUntil: START + 10 });
      expect(ring.find(two.name)).to.include({ phase: 'destroyed', decryptsUntil: START + 10 });
      expect(ring.find(three.name)).to.include({ phase: 'encrypt', since: START + 10 });
    });

    it('the same file read anew is the same key', () => {
      const file = random(48);
      const options = { counts: new SealCounts(), share: 3 / 2 ** 32 };
      const ring = TicketKeyRing.of(ticketKeysFrom('nginx', file, options), world);
      const ticket = ticketOf(ring);
      ring.replace(ticketKeysFrom('nginx', file, options));
      expect(outcome(ring, ticket)).to.equal('as-usual');
      expect(ring.keys[0]).to.include({ sealed: 1, phase: 'encrypt' });
    });

    it('refuses none, one twice, one destroyed, too many; and stays as it was', () => {
      const key = newKey();
      const ring = TicketKeyRing.of([key], world);
      const destroyed = newKey();
      destroyed.destroy();
      const twin = new TicketKey(aeadTickets, random(16), key.exportSecret());
      const wrong: readonly (readonly [readonly TicketKey[], string])[] = [
        [[], '0 ticket keys'],
        [[key, newKey(), key], 'ticket key 3 of 3 is the same'],
        [[key, twin], 'ticket key 2 of 2 is the same'],
        [[newKey(), destroyed], 'ticket key 2 of 2 is destroyed'],
        [Array.from({ length: 257 }, () => newKey()), '257 ticket keys'],
      ];
      for (const [keys, message] of wrong) expect(() => ring.replace(keys)).to.throw(RangeError, message);
      expect(ring.sealingKey()).to.equal(key);
    });

    it('a key that its maker has destroyed is gone', () => {
      const key = newKey();
      const ring = TicketKeyRing.of([key], world);
      const ticket = ticketOf(ring);
      key.destroy();
      expect(ring.sealingKey()).to.equal(undefined);
      expect(outcome(ring, ticket)).to.equal('unknown-key');
      expect(ring.keys).to.deep.equal([]);
      expect(ring.find(key.name)).to.include({ phase: 'destroyed' });
    });
  });

  it('close destroys all keys; there are no tickets any more, and no errors', () => {
    const world = new TestWorld();
    for (const ring of [TicketKeyRing.rotating(world), TicketKeyRing.of([newKey(), newKey()], world)]) {
      const key = ring.sealingKey();
      const ticket = ticketOf(ring);
      const found = ring.openingKeys(ticket.subarray(0, 16));
      ring.close();
      ring.close();
      expect(key?.isDestroyed).to.equal(true);
      expect(ring.sealingKey()).to.equal(undefined);
      expect(outcome(ring, ticket)).to.equal('unknown-key');
      expect(ring.keys).to.deep.equal([]);
      expect(openTicket(ticket, found).status, 'keys found before').to.equal('unknown-key');
    }
    const given = TicketKeyRing.of([newKey()], world);
    given.close();
    expect(() => given.replace([newKey()])).to.throw('closed');
  });
});

/** HAProxy's 80 bytes as OpenSSL has them: the halves of the secret the other way round. */
function swapped(file: Uint8Array): Uint8Array {
  return Uint8Array.from([...file.subarray(0, 16), ...file.subarray(48), ...file.subarray(16, 48)]);
}
