/** What a tester sends by hand: under which keys it goes, and what waits meanwhile. */

import { expect } from 'chai';
import { type ClientOptions, defineClient } from '../../src/client.ts';
import { defineServer } from '../../src/index.ts';
import { type Injector, type InjectorOptions, injector, pair, seededWorld } from '../../src/testing.ts';
import type { Fault } from '../../src/types.ts';
import { ascii } from '../../src/wire/bytes.ts';
import type { Version } from '../../src/wire/registry.ts';
import { certificates } from '../fixtures.ts';
import { synchronousProvider as crypto } from '../support/provider.ts';

const NOTHING = new Uint8Array(0);

function start(
  options: InjectorOptions = {},
  version: Version = 'TLSv1.3',
  more: Partial<ClientOptions> = {},
  others: readonly Fault[] = [],
) {
  const world = seededWorld('injector');
  const settings = { crypto, world, minVersion: version, maxVersion: version };
  const server = defineServer({ ...settings, credentials: [certificates.ecdsaP256] });
  const client = defineClient({ ...settings, verifyServer: 'any', ...more });
  const hand = injector(options);
  const both = pair(client, server, { client: { faults: [hand, ...others] } }).runSync();
  return { both, hand, flush: () => both.take('client', both.client.receive(NOTHING)).runSync() };
}

function alertOf(both: ReturnType<typeof start>['both']): string | undefined {
  return both.eventsOf('server', 'failed')[0]?.error.alert;
}

const dataOf = ({ both }: ReturnType<typeof start>) => both.eventsOf('server', 'data').map(({ data }) => [...data]);

describe('an injector', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`sends records under the keys in force, ${version}`, () => {
      const run = start({}, version);
      run.hand.record('application_data', ascii('a'));
      run.hand.record(23, ascii('b'));
      run.flush();
      expect(dataOf(run)).to.deep.equal([[97], [98]]);
    });

    it(`holds back a message with all that follows, until it is released, ${version}`, () => {
      const { both, hand, flush } = start({ holdBefore: 'finished' }, version);
      expect([hand.isHolding, both.server.isEstablished]).to.deep.equal([true, false]);
      hand.release();
      flush();
      expect([hand.isHolding, both.server.isEstablished, both.client.isEstablished]).to.deep.equal([false, true, true]);
    });

    it(`writes after what it has released, ${version}`, () => {
      const run = start({ holdBefore: 'finished' }, version);
      run.hand.release();
      run.hand.record('application_data', ascii('a'));
      run.flush();
      expect(dataOf(run)).to.deep.equal([[97]]);
    });

    it(`sends a message under the keys of the handshake while it holds, ${version}`, () => {
      const { both, hand, flush } = start({ holdBefore: 'finished' }, version);
      hand.message(Uint8Array.of(15, 0, 0, 4, 4, 3, 0, 0));
      flush();
      expect(alertOf(both)).to.equal('unexpected_message'); // and not bad_record_mac
    });

    it(`leaves out what it holds first, ${version}`, () => {
      const { both, hand, flush } = start({ holdBefore: 'finished' }, version);
      hand.discard();
      flush();
      expect([hand.isHolding, both.server.isEstablished, alertOf(both)]).to.deep.equal([false, false, undefined]);
    });

    it(`does not hold back the alert of a client that fails, and forgets what it holds, ${version}`, () => {
      const { both, hand } = start({ holdBefore: 'finished' }, version);
      both.take('client', both.client.receive(Uint8Array.of(23, 3, 3, 0, 20, ...new Uint8Array(20)))).runSync();
      const [alert] = both.eventsOf('server', 'alert').filter(({ direction }) => direction === 'received');
      expect([alert?.level, hand.isHolding]).to.deep.equal([2, false]);
    });
  }

  it('leaves out a ChangeCipherSpec together with the new key', () => {
    const { both, hand, flush } = start({ holdBefore: 'change_cipher_spec' }, 'TLSv1.2');
    hand.discard();
    flush();
    expect(alertOf(both)).to.equal('unexpected_message'); // Finished in the clear
  });

  it('counts: the second hello alone', () => {
    const { both, hand, flush } = start({ holdBefore: 'client_hello', which: 2 }, 'TLSv1.3', { keyShares: [] });
    expect([hand.isHolding, both.server.waitingFor?.kind]).to.deep.equal([true, 'message']);
    hand.release();
    flush();
    expect([both.server.isEstablished, both.client.isEstablished]).to.deep.equal([true, true]);
  });

  it('sends in the clear, with padding, and bytes as they are', () => {
    const padded = start();
    padded.hand.record('application_data', ascii('a'), { padding: 100 });
    padded.flush();
    expect(dataOf(padded)).to.deep.equal([[97]]);
    const clear = start();
    clear.hand.record('application_data', ascii('a'), { plaintext: true });
    clear.flush();
    expect(alertOf(clear.both)).to.equal('bad_record_mac');
    const raw = start();
    raw.hand.bytes(Uint8Array.of(22, 3, 3, 0, 1, 1));
    raw.flush();
    expect(alertOf(raw.both)).to.equal('unexpected_message');
  });

  it('splits a message that no record has room for', () => {
    const { both, hand, flush } = start({ holdBefore: 'finished' });
    hand.message(Uint8Array.of(11, 0, 0x80, 0, ...new Uint8Array(0x8000)));
    flush();
    expect(alertOf(both)).to.equal('unexpected_message'); // and not record_overflow
  });

  it('is for one connection, and for one that it knows', () => {
    const hand: Injector = injector();
    expect(() => hand.bytes(NOTHING)).to.throw(Error, 'the injector is not among the faults of any connection');
    const { hand: used } = start();
    expect(() => start({}, 'TLSv1.3', {}, [used])).to.throw(TypeError, 'faults: an injector is for one connection');
  });

  it('names the option that is wrong', () => {
    expect(() => injector({ holdsBefore: 'finished' } as InjectorOptions)).to.throw(TypeError, 'holdBefore');
    expect(() => injector({ which: 0 })).to.throw(RangeError, 'which');
  });
});
