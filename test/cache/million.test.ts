/** A cache that is full stays as large as it is, whatever goes through it: neither it nor what has left keeps memory. */

import { expect } from 'chai';
import { SessionCache } from '../../src/cache/session-cache.ts';
import { Session } from '../../src/sessions/session.ts';
import { memory } from '../support/memory.ts';
import { many, patience } from '../support/runs.ts';

const CAPACITY = 20_480;

/** As a handshake makes it: the id is 32 bytes, and some lifetimes are shorter than others. */
function session(n: number): Session {
  const id = new Uint8Array(32);
  new DataView(id.buffer).setUint32(0, n);
  return new Session({
    version: 'TLSv1.3',
    cipherSuite: 0x1301,
    id,
    secret: new Uint8Array(32).fill(0x5a),
    time: Math.floor(n / 1000),
    timeout: 7200 - (n % 97),
    authTime: Math.floor(n / 1000),
    extendedMasterSecret: true,
    idContext: new Uint8Array(0),
    serverName: 'localhost',
    group: 29,
    scope: { label: '00112233445566778899aabbccddeeff' },
  });
}

/** A full cache that sessions go through; of one in a thousand the application has a hold. */
class Stream {
  readonly kept = new Set<Session>();
  evicted = 0;
  readable = 0;
  #leaving: { readonly session: Session; readonly secret: Uint8Array } | undefined;
  #next = 0;
  readonly cache = new SessionCache({
    onRemove: (gone) => {
      this.evicted++;
      this.#leaving = { session: gone, secret: gone.secret };
    },
  });

  /** Adds sessions until there have been so many. */
  fill(total: number): void {
    for (; this.#next < total; this.#next++) {
      const one = session(this.#next);
      this.cache.add(one);
      if (this.#next % 1000 === 0) this.kept.add(one);
      else one.free();
      this.#inspect();
    }
  }

  /** Who has left is wiped, unless somebody still holds him. */
  #inspect(): void {
    if (this.#leaving === undefined) return;
    const { session: gone, secret } = this.#leaving;
    if (gone.holds === 0 ? secret.some((byte) => byte !== 0) : !this.kept.has(gone)) this.readable++;
    this.#leaving = undefined;
  }
}

/** What a long run adds to the heap by itself is below that. */
const LIMIT = 2 ** 20;
/** A million for `npm run searches`. */
const COUNT = many(100_000);

describe(`${COUNT} sessions`, function () {
  this.timeout(patience());

  it('go through a cache of 20480, which does not grow; who has left is wiped', () => {
    const stream = new Stream();
    stream.fill(COUNT / 4);
    const before = memory();
    stream.fill(COUNT);
    const after = memory();
    expect(stream.cache.size).to.equal(CAPACITY);
    expect(stream.evicted).to.equal(COUNT - CAPACITY);
    expect(stream.readable, 'secrets that were left readable').to.equal(0);
    for (const one of stream.kept) expect(one.secret[0]).to.equal(0x5a);
    // Each session takes about a kilobyte: if only one in fifty stayed, that would be 1.5 MiB of 100,000, and 15 MiB of a million.
    expect(after - before).to.be.lessThan(LIMIT);
  });
});
