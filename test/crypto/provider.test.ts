/** The optional parts of what an application provides, given as `undefined`, are absent. */

import { expect } from 'chai';
import { openInPlace, sealInPlace } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { warmup } from '../../src/engine/server/warmup.ts';
import { nodeCrypto } from '../../src/node/index.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { Bench, expectResumed, returning } from '../support/mechanisms.ts';
import { toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';

describe('an optional part that is undefined', () => {
  for (const [name, provider] of Object.entries({ nodeCrypto, toyCrypto })) {
    it(`of ${name} is absent`, () => {
      const groups = { ...defaultProvider.groups, secp256r1: undefined, x25519: toyCrypto.groups.x25519 };
      const bench = new Bench();
      const crypto = { ...provider, groups, signer: undefined, verifier: undefined };
      const config = bench.server('psk-stateful', { crypto });
      expect(config.groups).to.deep.equal(['x25519', 'secp384r1']);
      const first = bench.visit('psk-stateful', config);
      expectResumed(bench.connect(config, returning(first)), 'psk-stateful');
      expect(() => warmup({ crypto }, 1)).not.to.throw();
      bench.close();
    });
  }

  it('of an AEAD key is replaced by what seal() and open() do', () => {
    const key = defaultProvider.aeads['aes-128-gcm'].key(new Uint8Array(16));
    const plain = { seal: key.seal.bind(key), open: key.open.bind(key), wipe: () => key.wipe() };
    const slow = { ...plain, sealInPlace: undefined, openInPlace: undefined };
    const buffer = Uint8Array.of(1, 2, 3, ...new Uint8Array(16));
    sealInPlace(slow, new Uint8Array(12), new Uint8Array(0), buffer, 0, 3);
    expect(openInPlace(key, new Uint8Array(12), new Uint8Array(0), buffer, 0, 19)).to.equal(true);
    expect([...buffer.subarray(0, 3)]).to.deep.equal([1, 2, 3]);
  });

  it('of a source of ticket keys is absent', () => {
    const bench = new Bench();
    const ring = TicketKeyRing.rotating(new TestWorld(3));
    const keys = {
      sealingKey: () => ring.sealingKey(),
      openingKeys: (name: Uint8Array) => ring.openingKeys(name),
      find: undefined,
      useTimer: undefined,
    };
    const config = bench.server('psk-stateless', { tickets: { mode: 'stateless', keys } });
    const first = bench.connect(config, { version: 'TLSv1.3' }, { keyTimer: () => {} });
    expectResumed(bench.connect(config, returning(first), { keyTimer: () => {} }), 'psk-stateless');
    ring.close();
    bench.close();
  });
});
