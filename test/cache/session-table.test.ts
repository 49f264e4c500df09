import { expect } from 'chai';
import fc from 'fast-check';
import { KEY_WORDS, type KeyHash, randomKeyHash, seededKeyHash, writeKey } from '../../src/cache/session-key.ts';
import { SessionTable } from '../../src/cache/session-table.ts';
import { NONE } from '../../src/cache/slot-table.ts';
import { Session } from '../../src/sessions/session.ts';
import { toHex } from '../../src/wire/bytes.ts';
import type { Version } from '../../src/wire/registry.ts';
import { systemWorld } from '../../src/world.ts';
import { growth } from '../support/memory.ts';
import { runs } from '../support/runs.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

function session(version: Version, id: Uint8Array): Session {
  return new Session({
    version,
    cipherSuite: 0x1301,
    id,
    secret: new Uint8Array(32),
    time: 0,
    timeout: 1,
    authTime: 0,
    extendedMasterSecret: true,
    idContext: new Uint8Array(0),
  });
}

function keyOf(version: Version, id: Uint8Array): Int32Array {
  const key = new Int32Array(KEY_WORDS).fill(-1); // what was there before must not matter
  writeKey(key, version, id);
  return key;
}

/** Zeros at either end, prefixes of each other, and any length. */
const ids = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 3, max: 1 }),
  fc.nat(32).chain((length) => fc.constantFrom(new Uint8Array(length), new Uint8Array(length).fill(255))),
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
);

const HASHES: Readonly<Record<string, () => KeyHash>> = {
  'of its own': () => randomKeyHash(systemWorld),
  'under which all collide': () => () => 7,
  'with four values': () => (key) => (key[0] as number) & 3,
};

describe('SessionTable', () => {
  for (const [name, makeHash] of Object.entries(HASHES)) {
    it(`is what a Map by version and id is, with a hash ${name}`, () => {
      const operation = fc.tuple(fc.boolean(), fc.constantFrom(...VERSIONS), ids);
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 80, size: 'max' }), (history) => {
          const table = new SessionTable<string>(makeHash());
          const model = new Map<string, { readonly session: Session; readonly slot: number }>();
          for (const [isInsertion, version, id] of history) {
            const key = `${version} ${toHex(id)}`;
            const there = model.get(key);
            expect(table.find(version, id)).to.equal(there?.slot ?? NONE);
            if (there !== undefined) {
              expect(table.session(there.slot)).to.equal(there.session);
              expect(table.listener(there.slot)).to.equal(key);
            }
            if (isInsertion && there === undefined) {
              const added = session(version, id);
              model.set(key, { session: added, slot: table.insert(added, key) });
            } else if (there !== undefined) {
              table.delete(there.slot);
              model.delete(key);
            }
            expect(table.size).to.equal(model.size);
          }
          expect(new Set([...model.values()].map(({ slot }) => slot)).size, 'a slot each').to.equal(model.size);
        }),
        runs(100),
      );
    });
  }

  it('has room for more than a page, and takes no more slots than were ever in use at once', () => {
    const table = new SessionTable<undefined>();
    const idOf = (n: number) => Uint8Array.of(n >> 8, n);
    for (let n = 0; n < 5000; n++) {
      table.insert(session('TLSv1.3', idOf(n)), undefined);
      if (n >= 2000) table.delete(table.find('TLSv1.3', idOf(n - 2000)));
    }
    expect([table.size, table.slots]).to.deep.equal([2000, 2001]);
    for (let n = 0; n < 5000; n++) expect(table.find('TLSv1.3', idOf(n)) !== NONE).to.equal(n >= 3000);
    for (let n = 3000; n < 5000; n++) table.delete(table.find('TLSv1.3', idOf(n)));
    table.reset();
    expect([table.size, table.slots]).to.deep.equal([0, 0]);
    expect(table.insert(session('TLSv1.3', idOf(1)), undefined)).to.equal(0);
  });

  it('keeps none of its pages after a reset', () => {
    const one = session('TLSv1.3', Uint8Array.of(1));
    const tables: SessionTable<undefined>[] = [];
    const limit = 300_000; // either list of pages would be 400 kB, and the heap of a long run is not quiet
    const grown = growth(() => {
      let hash = 0;
      const table = new SessionTable<undefined>(() => Math.imul(hash++, 0x9e3779b1));
      for (let n = 0; n < 50_000; n++) table.insert(one, undefined);
      for (let n = 0; n < 50_000; n++) table.delete(n);
      table.reset();
      tables.push(table);
    }, limit);
    expect(grown).to.be.below(limit);
    for (const { size, slots } of tables) expect([size, slots]).to.deep.equal([0, 0]);
  });

  it('finds nothing under ids that are too long to be any', () => {
    const table = new SessionTable<undefined>(() => 0);
    table.insert(session('TLSv1.3', new Uint8Array(32)), undefined);
    expect(table.find('TLSv1.3', new Uint8Array(33))).to.equal(NONE);
  });
});

describe('keys of sessions', () => {
  it('are equal where version and id are, and differ where those do', () => {
    const pair = fc.tuple(fc.constantFrom(...VERSIONS), ids);
    fc.assert(
      fc.property(pair, pair, ([version, id], [otherVersion, other]) => {
        const isSame = version === otherVersion && toHex(id) === toHex(other);
        expect(keyOf(version, id).join() === keyOf(otherVersion, other).join()).to.equal(isSame);
      }),
      runs(500),
    );
  });

  it('are hashed with both halves of the seed: who knows one set of collisions knows none for another', () => {
    const keys = Array.from({ length: 200 }, (_, n) => keyOf('TLSv1.3', Uint8Array.of(n)));
    const hashed = (low: number, high: number) => new Set(keys.map(seededKeyHash(low, high)));
    const all = [hashed(0, 0), hashed(1, 0), hashed(0, 1), hashed(-5, 77)];
    expect(all.map((hashes) => hashes.size)).to.deep.equal([200, 200, 200, 200]);
    expect(new Set(all.flatMap((hashes) => [...hashes])).size).to.be.greaterThan(795);
  });

  it('spread over all parts of a table, though ids count up', () => {
    const hash = seededKeyHash(1, 2);
    const counts = new Array<number>(64).fill(0);
    for (let n = 0; n < 64_000; n++) {
      const part = hash(keyOf('TLSv1.3', Uint8Array.of(0, 0, n >> 8, n))) >>> 26;
      counts[part] = (counts[part] ?? 0) + 1;
    }
    // A thousand each, with a standard deviation of 32.
    expect(Math.min(...counts)).to.be.greaterThan(800);
    expect(Math.max(...counts)).to.be.lessThan(1200);
  });
});
