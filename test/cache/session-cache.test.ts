import { expect } from 'chai';
import type { RemovalReason } from '../../src/cache/callbacks.ts';
import { type RemovalListener, SessionCache, type SessionCacheOptions } from '../../src/cache/session-cache.ts';
import type { SessionParameters } from '../../src/sessions/parameters.ts';
import { Session } from '../../src/sessions/session.ts';
import { bufferMemory } from '../support/memory.ts';
import { testServer } from '../support/servers.ts';

/** A session with this id whose last second is `expires`. */
function session(id: number, expires: number, changes: Partial<SessionParameters> = {}): Session {
  return new Session({
    version: 'TLSv1.3',
    cipherSuite: 0x1301,
    id: Uint8Array.of(id),
    secret: new Uint8Array(32).fill(id),
    time: 0,
    timeout: expires,
    authTime: 0,
    extendedMasterSecret: true,
    idContext: new Uint8Array(0),
    ...changes,
  });
}

const idOf = ({ id }: Session) => id[0] ?? 0;
const ids = (cache: SessionCache) => [...cache].map(idOf);

/** A cache that writes down what it tells. */
function recorded(options: SessionCacheOptions = {}): {
  cache: SessionCache;
  told: string[];
  listener: RemovalListener;
} {
  const told: string[] = [];
  const removed = (gone: Session, reason: RemovalReason) => void told.push(`${reason} ${idOf(gone)}`);
  const cache = new SessionCache({ onRemove: removed, ...options });
  const listener = { removed, replaced: (gone: Session) => void told.push(`replaced ${idOf(gone)}`) };
  return { cache, told, listener };
}

describe('SessionCache', () => {
  describe('options', () => {
    it('retains 20480 sessions by default', () => expect(new SessionCache().maxEntries).to.equal(20480));

    it('names the one that is wrong', () => {
      const misspelt: object = { maxEntrys: 1 };
      expect(() => new SessionCache(misspelt)).to.throw(TypeError, 'maxEntrys');
      const noFunction: object = { onRemove: true };
      expect(() => new SessionCache(noFunction)).to.throw(TypeError, 'onRemove');
      for (const limit of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => new SessionCache({ maxEntries: limit })).to.throw(RangeError, 'maxEntries');
        expect(() => new SessionCache({ maxBytes: limit })).to.throw(RangeError, 'maxBytes');
      }
    });

    it('retains 4096 bytes for each entry by default, at least 1 MiB, and any number if entries have no limit', () => {
      expect(new SessionCache().maxBytes).to.equal(80 * 2 ** 20);
      const cache = new SessionCache({ maxEntries: 256 });
      expect(cache.maxBytes).to.equal(2 ** 20);
      cache.maxEntries = 257;
      expect(cache.maxBytes).to.equal(2 ** 20 + 4096);
      cache.maxEntries = 0;
      expect(cache.maxBytes).to.equal(0);
      cache.maxBytes = 5;
      cache.maxEntries = 300;
      expect(cache.maxBytes).to.equal(5);
    });
  });

  describe('randomness', () => {
    /** Writes down the lengths that it is asked for. */
    const dice = () => {
      const drawn: number[] = [];
      const randomBytes = (length: number) => {
        drawn.push(length);
        return new Uint8Array(length);
      };
      return { drawn, randomBytes, now: () => 0 };
    };
    const withoutCrypto = (action: () => void) => {
      const crypto = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
      Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
      try {
        action();
      } finally {
        if (crypto !== undefined) Object.defineProperty(globalThis, 'crypto', crypto);
      }
    };

    it('is that of its world, once, with the first session', () => {
      const world = dice();
      const cache = new SessionCache({ world });
      expect(world.drawn).to.deep.equal([]);
      withoutCrypto(() => cache.add(session(1, 10)));
      cache.add(session(2, 10));
      expect(world.drawn).to.deep.equal([8]);
    });

    it('is that of the first server that has it, if the cache has no world', () => {
      const [first, second, own] = [dice(), dice(), dice()];
      const [shared, independent] = [new SessionCache(), new SessionCache({ world: own })];
      for (const cache of [shared, independent])
        for (const world of [first, second]) testServer({ world, sessions: { cache } });
      shared.add(session(1, 10));
      independent.add(session(1, 10));
      expect([first.drawn, second.drawn, own.drawn]).to.deep.equal([[8], [], [8]]);
    });

    it("is the server's in a cache of its own", () => {
      const world = dice();
      withoutCrypto(() => testServer({ world }).addSession(session(1, 10)));
      expect(world.drawn).to.deep.equal([8]);
    });

    it('is refused if it is too little', () => {
      const world = { randomBytes: () => new Uint8Array(7) };
      expect(() => new SessionCache({ world }).add(session(1, 10))).to.throw(RangeError, 'world.randomBytes(8)');
    });
  });

  describe('add', () => {
    it('is true for a new key and for another object, false for the same (SSL_CTX_add_session)', () => {
      const { cache, told } = recorded();
      const first = session(1, 10);
      expect(cache.add(first)).to.equal(true);
      expect(cache.add(first)).to.equal(false);
      expect(first.holds).to.equal(2);
      expect(cache.add(session(1, 10))).to.equal(true);
      expect(cache.size).to.equal(1);
      expect(first).to.include({ holds: 1, isResumable: true });
      expect(told).to.deep.equal([]);
    });

    it('tells of a replacement as an event, to the listener of the one replaced', () => {
      const { cache, told, listener } = recorded();
      cache.add(session(1, 10), listener);
      cache.add(session(1, 20));
      cache.add(session(1, 30));
      expect(told).to.deep.equal(['replaced 1']);
    });

    it('keeps the versions apart', () => {
      const cache = new SessionCache();
      cache.add(session(1, 10));
      cache.add(session(1, 10, { version: 'TLSv1.2' }));
      expect(cache.size).to.equal(2);
    });

    it('refuses what nobody could resume, and what another cache has', () => {
      const cache = new SessionCache();
      const forbidden = session(1, 10);
      forbidden.forbidResumption();
      const released = session(1, 10);
      released.free();
      for (const useless of [forbidden, released, session(1, 10, { id: new Uint8Array(0) })]) {
        expect(() => cache.add(useless)).to.throw(RangeError, 'cannot be cached');
      }
      const elsewhere = session(1, 10);
      new SessionCache().add(elsewhere);
      cache.add(session(1, 10));
      expect(() => cache.add(elsewhere)).to.throw('in another cache');
      expect(elsewhere.holds).to.equal(2);
      expect(cache.size).to.equal(1);
    });
  });

  describe('capacity', () => {
    it('is what it retains; the soonest to expire have to go', () => {
      const { cache, told } = recorded({ maxEntries: 3 });
      for (const [id, expires] of [
        [1, 30],
        [2, 10],
        [3, 20],
        [4, 40],
        [5, 50],
      ] as const)
        cache.add(session(id, expires));
      expect(ids(cache)).to.deep.equal([1, 4, 5]);
      expect(told).to.deep.equal(['evicted 2', 'evicted 3']);
    });

    /** A session of so many bytes. */
    const sized = (id: number, expires: number, bytes: number): Session => {
      const empty = session(id, expires).byteLength;
      const large = session(id, expires, { peerCertificate: new Uint8Array(bytes - empty) });
      expect(large.byteLength).to.equal(bytes);
      return large;
    };

    it('is bytes, too: as many of the soonest to expire have to go as it takes', () => {
      const { cache, told } = recorded({ maxBytes: 10_000 });
      for (const [id, bytes] of [
        [1, 3000],
        [2, 3000],
        [3, 4000],
      ] as const)
        cache.add(sized(id, 10 * id, bytes));
      expect(cache).to.include({ size: 3, bytes: 10_000, evicted: 0 });
      cache.add(sized(4, 1, 1000));
      expect(cache).to.include({ size: 3, bytes: 8000, evicted: 1 });
      cache.add(sized(5, 99, 5001));
      expect(cache).to.include({ size: 2, bytes: 9001, evicted: 3 });
      expect(told).to.deep.equal(['evicted 1', 'evicted 4', 'evicted 2']);
    });

    it('takes a session of exactly maxBytes, and none that is larger', () => {
      const { cache, told } = recorded({ maxBytes: 5000 });
      cache.add(sized(1, 10, 2000));
      const [largest, larger] = [sized(2, 20, 5000), sized(3, 30, 5001)];
      expect([largest, larger].map((one) => cache.fits(one))).to.deep.equal([true, false]);
      expect(() => cache.add(larger)).to.throw(RangeError, 'maxBytes');
      expect(larger).to.include({ holds: 1, isCached: false });
      expect(ids(cache)).to.deep.equal([1]);
      cache.add(largest);
      expect(told).to.deep.equal(['evicted 1']);
      cache.maxBytes = 0;
      expect(cache.fits(larger)).to.equal(true);
      cache.add(larger);
      expect(cache.bytes).to.equal(10_001);
    });

    it('takes nothing where the world has no seed for the table, and the next time it does', () => {
      let draws = 0;
      const randomBytes = (length: number) => new Uint8Array(draws++ === 0 ? 0 : length);
      const cache = new SessionCache({ world: { randomBytes } });
      const one = session(1, 10);
      expect(() => cache.add(one)).to.throw(RangeError, 'randomBytes');
      expect(one).to.include({ holds: 1, isCached: false });
      expect(cache.add(one)).to.equal(true);
      expect([...cache]).to.deep.equal([one]);
    });

    it('counts a session anew when its data grows, and no longer once it has left, however it left', () => {
      const cache = new SessionCache({ maxEntries: 0 });
      const one = session(1, 10);
      const { byteLength } = one;
      cache.add(one);
      one.applicationData = new Uint8Array(1000);
      expect(cache.bytes).to.equal(byteLength + 1000);
      one.timeout = 12;
      cache.add(one);
      expect(cache.bytes).to.equal(byteLength + 1000);
      const ends: ((session: Session) => unknown)[] = [
        (gone) => cache.remove(gone),
        (gone) => cache.discard(gone),
        (gone) => cache.take('TLSv1.3', gone.id),
        (gone) => cache.get('TLSv1.3', gone.id, 11),
        () => cache.flush(11),
      ];
      for (const [i, end] of ends.entries()) {
        const gone = sized(10 + i, 10, 2000);
        cache.add(gone);
        cache.add(sized(10 + i, 10, 3000)); // takes its place
        cache.add(gone);
        expect(cache.bytes).to.equal(byteLength + 3000);
        end(gone);
        expect(cache.bytes).to.equal(byteLength + 1000);
      }
      cache.close();
      expect(cache.bytes).to.equal(0);
    });

    it('holds for sessions that grow: the soonest to expire leave, or else the one that is too large on its own', () => {
      const { cache, told } = recorded({ maxBytes: 10_000 });
      const [one, two, three] = [sized(1, 10, 3000), sized(2, 20, 3000), sized(3, 30, 3000)];
      for (const each of [one, two, three]) cache.add(each);
      const { length } = three.applicationData;
      three.applicationData = new Uint8Array(length + 1000);
      expect(cache).to.include({ size: 3, bytes: 10_000, evicted: 0 });
      three.applicationData = new Uint8Array(length + 1001);
      expect(cache).to.include({ size: 2, bytes: 7001, evicted: 1 });
      three.applicationData = new Uint8Array(20_000);
      expect(cache).to.include({ size: 1, bytes: 3000, evicted: 2 });
      expect(told).to.deep.equal(['evicted 1', 'evicted 3']);
      cache.maxBytes = 100;
      two.timeout = 25;
      expect(cache.size, 'it has not grown').to.equal(1);
      cache.maxBytes = 0;
      two.applicationData = new Uint8Array(60_000);
      expect(cache.size).to.equal(1);
    });

    it('never costs the newcomer, but next time it does', () => {
      const { cache, told } = recorded({ maxEntries: 2 });
      for (const [id, expires] of [
        [1, 30],
        [2, 20],
        [3, 1],
        [4, 2],
      ] as const)
        cache.add(session(id, expires));
      expect(ids(cache)).to.deep.equal([4, 1]);
      expect(told).to.deep.equal(['evicted 2', 'evicted 3']);
    });

    it('evicts the oldest of those that expire together; touching one makes it the youngest', () => {
      const { cache, told } = recorded({ maxEntries: 3 });
      const [a, b, c] = [session(1, 10), session(2, 10), session(3, 10)];
      for (const one of [a, b, c]) cache.add(one);
      cache.add(a);
      b.timeout = 10;
      expect(ids(cache)).to.deep.equal([3, 1, 2]);
      cache.add(session(4, 10));
      expect(told).to.deep.equal(['evicted 3']);
    });

    it('leaves an evicted session to those who hold it', () => {
      const cache = new SessionCache({ maxEntries: 1 });
      const first = session(1, 10);
      cache.add(first);
      cache.add(session(2, 10));
      expect(first).to.include({ holds: 1, isResumable: true });
      expect(new SessionCache().add(first)).to.equal(true);
    });

    it('of 0 is no limit, and a lower one takes effect at the next add', () => {
      const { cache, told } = recorded({ maxEntries: 0 });
      for (let id = 0; id < 10; id++) cache.add(session(id, id));
      cache.maxEntries = 3;
      expect(cache.size).to.equal(10);
      cache.add(session(10, 5));
      expect(ids(cache)).to.deep.equal([10, 8, 9]);
      expect(told).to.have.length(8);
      expect(cache.maxEntries).to.equal(3);
    });
  });

  it('sorts a session again when its time or timeout changes', () => {
    const cache = new SessionCache();
    const sessions = [5, 3, 8, 1, 9, 2].map((expires, id) => session(id, expires));
    for (const one of sessions) cache.add(one);
    expect(ids(cache)).to.deep.equal([3, 5, 1, 0, 2, 4]);
    for (const [i, expires] of [60, 50, 40, 30, 20, 10].entries()) {
      const one = sessions[i];
      if (one !== undefined) one.timeout = expires;
    }
    expect(ids(cache)).to.deep.equal([5, 4, 3, 2, 1, 0]);
  });

  describe('get', () => {
    it('lends the session in its last second, and drops it after that', () => {
      const { cache, told } = recorded();
      const one = session(1, 10);
      cache.add(one);
      expect(cache.get('TLSv1.3', Uint8Array.of(1), 10)).to.equal(one);
      expect(one.holds).to.equal(2);
      expect(cache.get('TLSv1.2', Uint8Array.of(1), 10)).to.equal(undefined);
      expect(cache.get('TLSv1.3', Uint8Array.of(1), 11)).to.equal('expired');
      expect(cache.get('TLSv1.3', Uint8Array.of(1), 11)).to.equal(undefined);
      expect(told).to.deep.equal(['expired 1']);
      expect(one).to.include({ holds: 1, isResumable: false });
    });
  });

  it('has nothing under an id that is longer than ids are', () => {
    const cache = new SessionCache();
    cache.add(session(0, 10, { id: new Uint8Array(32) }));
    for (const length of [33, 2 ** 20]) {
      expect(cache.has('TLSv1.3', new Uint8Array(length))).to.equal(false);
      expect(cache.get('TLSv1.3', new Uint8Array(length), 0)).to.equal(undefined);
    }
  });

  describe('take', () => {
    it('is true once', () => {
      const { cache, told } = recorded();
      const one = session(1, 10);
      cache.add(one);
      expect([1, 1, 2].map((id) => cache.take('TLSv1.3', Uint8Array.of(id)))).to.deep.equal([true, false, false]);
      expect(told).to.deep.equal(['consumed 1']);
      expect(one.secret).to.deep.equal(new Uint8Array(32).fill(1));
    });
  });

  describe('remove', () => {
    it('takes whatever has the key, and rules out both (SSL_CTX_remove_session)', () => {
      const { cache, told } = recorded();
      const [cached, twin] = [session(1, 10), session(1, 99)];
      cache.add(cached);
      expect(cache.remove(twin, 'unclean')).to.equal(true);
      expect(cache.remove(twin)).to.equal(false);
      expect(told).to.deep.equal(['unclean 1']);
      expect([cached, twin].map(({ isResumable, holds }) => [isResumable, holds])).to.deep.equal([
        [false, 1],
        [false, 1],
      ]);
    });

    it('does nothing to a session without an id', () => {
      const none = session(1, 10, { id: new Uint8Array(0) });
      expect(new SessionCache().remove(none)).to.equal(false);
    });
  });

  it('discards without a word, and that object only', () => {
    const { cache, told } = recorded();
    const one = session(1, 10);
    cache.add(one);
    expect(cache.discard(session(1, 10))).to.equal(false);
    expect(cache.discard(one)).to.equal(true);
    expect(cache.discard(one)).to.equal(false);
    expect(one).to.include({ holds: 1, isResumable: true });
    expect(told).to.deep.equal([]);
  });

  describe('flush', () => {
    it('removes what has expired, in order, strictly (SSL_CTX_flush_sessions)', () => {
      const { cache, told } = recorded();
      for (const expires of [7, 3, 5, 4, 6]) cache.add(session(expires, expires));
      expect(cache.flush(5)).to.equal(2);
      expect(cache.flush(6, 'expired')).to.equal(1);
      expect(ids(cache)).to.deep.equal([6, 7]);
      expect(cache.flush()).to.equal(2);
      expect(told).to.deep.equal(['flushed 3', 'flushed 4', 'expired 5', 'flushed 6', 'flushed 7']);
      expect(() => cache.flush(Number.NaN)).to.throw(RangeError);
    });

    it('removes at most as many as it is told to', () => {
      const { cache, told } = recorded();
      for (const expires of [3, 1, 2, 9]) cache.add(session(expires, expires));
      expect([2, 2, 2].map((atMost) => cache.flush(5, 'flushed', atMost))).to.deep.equal([2, 1, 0]);
      expect(cache.flush(0, 'flushed', 1)).to.equal(1);
      expect(told).to.deep.equal(['flushed 1', 'flushed 2', 'flushed 3', 'flushed 9']);
      for (const atMost of [0, -1, Number.NaN]) {
        expect(() => cache.flush(0, 'flushed', atMost)).to.throw(RangeError, 'at most');
      }
    });

    it('of what has expired by second 0 removes nothing that is good, as that second is a time like any other', () => {
      const { cache, told } = recorded();
      for (const expires of [0, 5]) cache.add(session(expires, expires));
      expect(cache.expire(0)).to.equal(0);
      expect(cache.expire(1)).to.equal(1);
      expect(told).to.deep.equal(['expired 0']);
      expect(() => cache.expire(0, 'expired', 0)).to.throw(RangeError, 'at most');
      expect(cache.flush(0)).to.equal(1);
    });

    it('gives back what a great many took, and the cache goes on as before', () => {
      const { cache } = recorded({ maxEntries: 0 });
      for (let round = 0; round < 3; round++) {
        for (let n = 0; n < 3000; n++) cache.add(session(0, n, { id: Uint8Array.of(n >> 8, n) }));
        expect(cache.size).to.equal(3000);
        expect(cache.get('TLSv1.3', Uint8Array.of(2, 2), 0)?.toString()).to.not.equal(undefined);
        expect(cache.flush()).to.equal(3000);
        expect(ids(cache)).to.deep.equal([]);
      }
    });

    it('keeps the tables of 1024 sessions, and gives back those of 1025 with every byte', () => {
      const keptBy = (sessions: number) => {
        const before = bufferMemory();
        const { cache } = recorded({ maxEntries: 0 });
        for (let n = 0; n < sessions; n++) cache.add(session(0, n, { id: Uint8Array.of(n >> 8, n) }));
        cache.flush();
        return bufferMemory() - before + cache.size;
      };
      expect(keptBy(1024)).to.be.above(200_000); // a page of records is 224 KiB
      expect(keptBy(1025)).to.be.below(5000);
    });
  });

  describe('close', () => {
    it('tells of all, in order, and takes no more', () => {
      const { cache, told } = recorded();
      const one = session(3, 3);
      for (const other of [session(2, 2), one, session(1, 1)]) cache.add(other);
      cache.close();
      cache.close();
      expect(told).to.deep.equal(['closed 1', 'closed 2', 'closed 3']);
      expect(one).to.include({ holds: 1, isResumable: false });
      expect(() => cache.add(session(4, 4))).to.throw('closed');
    });
  });

  describe('listeners', () => {
    it('find the session out of the cache, ruled out and still held', () => {
      const seen: unknown[] = [];
      const cache = new SessionCache({
        onRemove: (gone) => seen.push([cache.size, gone.isResumable, gone.holds, gone.secret.length]),
      });
      const one = session(1, 1);
      cache.add(one);
      one.free();
      cache.add(session(2, 2));
      cache.remove(one);
      expect(seen).to.deep.equal([[1, false, 1, 32]]);
      expect(one.holds).to.equal(0);
    });

    it('are those under which each session was added', () => {
      const { cache, told } = recorded();
      const other: string[] = [];
      cache.add(session(1, 1), { removed: (gone) => other.push(`other ${idOf(gone)}`) });
      cache.add(session(2, 2));
      cache.flush();
      expect([told, other]).to.deep.equal([['flushed 2'], ['other 1']]);
    });

    it('may add, remove and flush', () => {
      const told: string[] = [];
      const cache = new SessionCache({
        maxEntries: 2,
        onRemove: (gone, reason) => {
          told.push(`${reason} ${idOf(gone)}`);
          cache.remove(gone);
          if (idOf(gone) === 1) cache.flush();
          if (idOf(gone) === 3) cache.add(session(9, 9));
        },
      });
      for (const id of [1, 2, 3]) cache.add(session(id, id));
      expect(told).to.deep.equal(['evicted 1', 'flushed 2', 'flushed 3']);
      expect(ids(cache)).to.deep.equal([9]);
    });

    it('may throw: the others are told, the cache is whole, and the first error comes out', () => {
      const told: number[] = [];
      const onRemove = (gone: Session) => {
        told.push(idOf(gone));
        throw new Error(`listener ${idOf(gone)}`);
      };
      const cache = new SessionCache({ maxEntries: 3, onRemove });
      const sessions = [1, 2, 3, 4].map((id) => session(id, id));
      for (const one of sessions.slice(0, 3)) cache.add(one);
      expect(() => sessions[3] && cache.add(sessions[3])).to.throw('listener 1');
      expect(ids(cache)).to.deep.equal([2, 3, 4]);
      expect(() => cache.flush()).to.throw('listener 2');
      expect(told).to.deep.equal([1, 2, 3, 4]);
      expect(sessions.map(({ holds }) => holds)).to.deep.equal([1, 1, 1, 1]);
    });

    it('are told even after somebody has freed a session once too often', () => {
      const { cache, told } = recorded();
      const one = session(1, 1);
      cache.add(one);
      one.free();
      one.free();
      cache.flush();
      expect(told).to.deep.equal(['flushed 1']);
    });
  });
});
