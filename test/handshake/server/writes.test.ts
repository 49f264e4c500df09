/** Each flight of the server's leaves in one piece: a write is a system call, and to the peer a packet to wake up for. */

import { expect } from 'chai';
import {
  Bench,
  type BenchOptions,
  expectResumed,
  firstOffer,
  MECHANISMS,
  returning,
} from '../../support/mechanisms.ts';
import type { ClientOptions } from '../../support/scripted-client.ts';

describe('one write for a flight', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench.close());

  /** What of the server's is more than one flight, and why. */
  const FULL: Record<string, [flights: number, options: BenchOptions, client: ClientOptions]> = {
    'TLS 1.2: ServerHello to ServerHelloDone, and its Finished': [2, {}, { version: 'TLSv1.2' }],
    'TLS 1.3: ServerHello to Finished, and the tickets': [2, {}, {}],
    'TLS 1.3 with tickets in the first flight': [1, { tickets: { timing: 'half-rtt' } }, {}],
    'TLS 1.3 without tickets': [1, { tickets: { initial: 0 } }, {}],
    'TLS 1.3 with four tickets': [2, { tickets: { initial: 4 } }, {}],
    'TLS 1.3 with a HelloRetryRequest': [3, {}, { keyShares: [] }],
  };
  for (const [what, [flights, options, client]] of Object.entries(FULL)) {
    it(what, () => {
      const link = bench.connect(bench.bare(options), client);
      expect(link.connection.isEstablished).to.equal(true);
      expect(link.output).to.have.lengthOf(flights);
    });
  }

  for (const mechanism of MECHANISMS) {
    for (const timing of ['after-finished', 'half-rtt', 'with-first-write'] as const) {
      const flights = timing === 'after-finished' && mechanism.startsWith('psk') ? 2 : 1;
      it(`resumption, ${mechanism}, tickets ${timing}: ${flights}`, () => {
        const config = bench.server(mechanism, { tickets: { timing } });
        const first = bench.connect(config, firstOffer(mechanism));
        if (timing === 'with-first-write') first.step(first.connection.write(Uint8Array.of(1)));
        const link = bench.connect(config, returning(first));
        expectResumed(link, mechanism);
        expect(link.output).to.have.lengthOf(flights);
        link.step(link.connection.write(Uint8Array.of(1)));
        expect(link.output, 'a ticket that waits for it shares a write with data').to.have.lengthOf(flights + 1);
      });
    }
  }
});
