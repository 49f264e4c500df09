import { sha384 } from '@noble/hashes/sha2.js';
import { expect } from 'chai';
import { pooledHash } from '../../../src/crypto/providers/pooled-hash.ts';

/** SHA-384 that counts the states that are made for keys. */
function counted() {
  let made = 0;
  const create = () => {
    const state = sha384.create();
    const clone = state._cloneInto.bind(state);
    state._cloneInto = (to) => {
      if (to === undefined) made++;
      return clone(to);
    };
    return state;
  };
  const noble: typeof sha384 = Object.create(sha384, { create: { value: create } });
  return { hash: pooledHash('sha384', noble), made: () => made };
}

describe('a pool of hash states', () => {
  it('has the states of wiped keys for later ones, 128 of them at most', () => {
    const { hash, made } = counted();
    const keys = (count: number) => Array.from({ length: count }, () => hash.hmac(Uint8Array.of(1)));
    for (const key of keys(70)) {
      key.wipe();
      key.wipe(); // has no more states to give
    }
    expect(made()).to.equal(140);
    const later = keys(64);
    expect(made(), '64 keys, of two states each').to.equal(140);
    expect(keys(1)).to.have.length(1);
    expect(made()).to.equal(142);
    expect(new Set(later.map((key) => key.sign(Uint8Array.of(2)).join())).size).to.equal(1);
  });
});
