/** What a resumed handshake costs, counted and not timed: as few operations as the protocol can do with, and no more. */

import { expect } from 'chai';
import { defaultProvider } from '../../../src/crypto/providers/default.ts';
import type { TicketOptions } from '../../../src/engine/server/options.ts';
import type { CipherSuiteName, PskMode } from '../../../src/wire/registry.ts';
import { counting, type OperationCounts } from '../../support/counting.ts';
import type { Exchange } from '../../support/exchange.ts';
import { Bench, expectResumed, firstOffer, MECHANISMS, returning, versionOf } from '../../support/mechanisms.ts';
import type { ClientOptions } from '../../support/scripted-client.ts';
import { toyCrypto } from '../../support/servers.ts';

type Bound = Omit<OperationCounts, 'transcript'> & { readonly peeks: number };

/**
 * RFC 5246: one key (2), 40 bytes of key block (11), two Finished (5 each). Opening a ticket is the ticket key's business, which is
 * no server's provider's.
 */
const TLS12: Bound = { compressions: 23, hmacs: 8, hmacKeyings: 1, peeks: 2, aeadKeyings: 2, aeadOperations: 2 };
/** RFC 9846 §7.1: 14 secrets that key HMAC (28), 26 HMACs of no more than a block (52). The key of the first is no secret. */
const TLS13: Bound = { compressions: 80, hmacs: 26, hmacKeyings: 14, peeks: 5, aeadKeyings: 4, aeadOperations: 3 };

const SUITES: Record<'TLSv1.2' | 'TLSv1.3', CipherSuiteName> = {
  'TLSv1.2': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLSv1.3': 'TLS_AES_128_GCM_SHA256',
};
const PSK_MODES: readonly PskMode[] = ['psk_ke', 'psk_dhe_ke'];
const TIMINGS = ['after-finished', 'half-rtt'] as const;

function check({ transcript, ...rest }: OperationCounts, { peeks, ...bound }: Bound): void {
  expect(rest).to.deep.equal(bound);
  expect(transcript.hashes).to.equal(1); // every message once
  expect(transcript.blocks).to.equal(Math.floor(transcript.bytes / 64));
  expect(transcript.peeks).to.equal(peeks);
  expect(transcript.peekCompressions).to.be.within(peeks, 2 * peeks);
}

describe('the operations of a resumed handshake are no more than need be', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench.close());

  /** Of the second resumption: what is made once for all handshakes has been made by then. */
  function measure(
    mechanism: (typeof MECHANISMS)[number],
    pskModes?: readonly PskMode[],
    tickets: TicketOptions = {},
  ): OperationCounts {
    const options: ClientOptions = pskModes === undefined ? {} : { pskModes };
    const provider = counting({ ...defaultProvider, groups: toyCrypto.groups });
    const version = versionOf(mechanism);
    const suites = [SUITES[version]];
    const config = bench.server(mechanism, {
      crypto: provider,
      ciphers: suites,
      tickets,
      ...(pskModes && { pskModes }),
    });
    const first = bench.connect(config, { ...firstOffer(mechanism), ...options });
    const second = bench.connect(config, returning(first, options));
    provider.take();
    const last: Exchange = version === 'TLSv1.2' ? first : second; // in 1.2 the session stays, in 1.3 a ticket is for one use
    const link = bench.connect(config, returning(last, options));
    const counts = provider.take();
    expectResumed(link, mechanism);
    if (version === 'TLSv1.3') expect(link.client.tickets).to.have.lengthOf(1);
    return counts;
  }

  for (const mechanism of MECHANISMS) {
    if (versionOf(mechanism) === 'TLSv1.2') {
      it(`TLS 1.2, ${mechanism}`, () => check(measure(mechanism), TLS12));
      continue;
    }
    for (const mode of PSK_MODES) {
      for (const timing of TIMINGS) {
        it(`TLS 1.3, ${mechanism}, ${mode}, a ticket ${timing}`, () =>
          check(measure(mechanism, [mode], { timing }), TLS13));
      }
    }
  }

  /** What may have the Master Secret wiped before a ticket is asked for. */
  const LATER: Record<string, (link: Exchange) => void> = {
    nothing: () => {},
    'an exporter': ({ connection }) => void connection.exportKeyingMaterial(32, 'EXPORTER-test'),
    'new keys': (link) => link.step(link.connection.updateKeys()),
  };
  for (const [what, happens] of Object.entries(LATER)) {
    it(`TLS 1.3: no secret for tickets until one is asked for, and ${what} before that`, () => {
      const provider = counting({ ...defaultProvider, groups: toyCrypto.groups });
      const config = bench.server('psk-stateful', { crypto: provider, tickets: { afterResumption: 0 } });
      const first = bench.connect(config, {});
      provider.take();
      const link = bench.connect(config, returning(first));
      expect(provider.take().compressions).to.equal(TLS13.compressions - 6); // its derivation, its key, and a PSK
      happens(link);
      link.step(link.connection.sendTicket());
      expect(link.client.tickets).to.have.lengthOf(1);
      expectResumed(bench.connect(config, returning(link)), 'psk-stateful');
    });
  }

  it('what asks for more is seen: an exporter, a key log', () => {
    const provider = counting({ ...defaultProvider, groups: toyCrypto.groups });
    const { connection } = bench.connect(bench.server('psk-stateful', { crypto: provider }), {});
    provider.take();
    connection.exportKeyingMaterial(32, 'EXPORTER-test');
    const { compressions } = provider.take();
    expect(compressions).to.be.above(0);
    connection.exportKeyingMaterial(32, 'EXPORTER-test');
    expect(provider.take().compressions).to.be.within(1, compressions - 1); // its secret has been made
  });
});
