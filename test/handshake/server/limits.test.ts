/** What a user's code may answer and a client may show, and how long a session lasts: from both sides of each limit. */

import { expect } from 'chai';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import type { TicketFormat } from '../../../src/tickets/format.ts';
import { aeadTickets } from '../../../src/tickets/format-aead.ts';
import { TicketKey } from '../../../src/tickets/key.ts';
import { TicketKeyRing } from '../../../src/tickets/key-ring.ts';
import { SealCounts } from '../../../src/tickets/seal-counts.ts';
import { fromHex } from '../../../src/wire/bytes.ts';
import { oid, sequence, set, utf8String } from '../../../src/wire/der.ts';
import { encodePem } from '../../../src/wire/pem.ts';
import { certificateFor, clientCertificate } from '../../support/client-certificates.ts';
import { atMost, range, testLimits } from '../../support/limits.ts';
import { Bench, type BenchOptions, firstTicket, MECHANISMS, returning } from '../../support/mechanisms.ts';
import { quickCredential } from '../../support/servers.ts';

const bench = new Bench();
after(() => bench.close());

/** @throws Error with the alert that ended the connection, or with the first error that it told of */
function connect(options: BenchOptions, client: Parameters<Bench['connect']>[1] = {}): void {
  const link = bench.connect(bench.bare(options), { verify: false, ...client });
  if (link.failure !== undefined) throw new Error(link.failure.alert);
  for (const event of link.events) if (event.type === 'callback-error') throw event.error;
}

const demanding: Partial<ServerOptions> = {
  clientAuth: { mode: 'require', verifyClient: () => true },
  sessions: { idContext: Uint8Array.of(1) },
};
const sized = (length: number): TicketFormat => ({
  ...aeadTickets,
  cipher: (name, secret) => ({ ...aeadTickets.cipher(name, secret), seal: () => new Uint8Array(length) }),
});

/** Of Ed25519. */
const PUBLIC_KEY = fromHex(`302a300506032b6570032100${'01'.repeat(32)}`);
/** The bytes of a Name around a commonName of 256 bytes or more. */
const AROUND_NAME = sequence(set(sequence(oid('2.5.4.3'), utf8String('x'.repeat(256))))).length - 256;

describe('limits of answers', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    testLimits({
      [`bytes of a signature, ${version}`]: {
        ...range(1, 65_535),
        attempt: (length) =>
          connect({ credentials: [{ ...quickCredential, sign: () => new Uint8Array(length) }] }, { version }),
        error: 'internal_error',
      },
      [`bytes of an id, ${version}`]: {
        ...range(1, 32),
        attempt: (length) =>
          connect(
            { sessions: { generateId: () => bench.world.randomBytes(length) }, tickets: { initial: 1 } },
            { version },
          ),
        error: '1 to 32 bytes',
      },
      [`certificates of a client, ${version}`]: {
        ...atMost(16),
        attempt: (length) => {
          const shown = clientCertificate('ed25519');
          connect(demanding, { version, certificate: { ...shown, chain: new Array(length).fill(shown.chain[0]) } });
        },
        error: 'illegal_parameter',
      },
    });
  }

  testLimits({
    "bytes of a ticket of the user's own format": {
      ...range(1, 65_535),
      attempt: (length) => {
        const key = TicketKey.generate(sized(length), (n) => bench.world.randomBytes(n), { counts: new SealCounts() });
        connect({ tickets: { mode: 'stateless', keys: TicketKeyRing.of([key], bench.world), initial: 1 } });
      },
      error: '1 to 65535 bytes are possible',
    },
    'bytes of the names of authorities': {
      ...atMost(65_280),
      attempt: (length) => {
        const authorities = encodePem('CERTIFICATE', certificateFor(PUBLIC_KEY, 'x'.repeat(length - 2 - AROUND_NAME)));
        bench.bare({ ...demanding, clientAuth: { mode: 'request', verifyClient: () => true, authorities } });
      },
      error: 'bytes of names, more than 65280',
    },
  });

  it('a ticket of TLS 1.3 is looked up as an id if it has at most 32 bytes', () => {
    for (const [length, isAsked] of [
      [32, true],
      [33, false],
    ] as const) {
      const asked: number[] = [];
      const onGet = (id: Uint8Array) => void asked.push(id.length);
      const psk = { ...firstTicket(bench.visit('psk-stateful', bench.bare())), identity: new Uint8Array(length) };
      bench.connect(bench.bare({ sessions: { onGet } }), { psks: [psk] });
      expect(asked).to.deep.equal(isAsked ? [length] : []);
    }
  });
});

describe('limits of time', () => {
  for (const mechanism of MECHANISMS) {
    const ages: Readonly<Record<string, BenchOptions>> = {
      'its timeout': { sessions: { timeout: 100 } },
      'tickets.maxAuthAge': { tickets: { maxAuthAge: 100 } },
    };
    for (const [what, options] of Object.entries(ages)) {
      it(`a session is resumed in the last second of ${what}, and not in the next, ${mechanism}`, () => {
        for (const [age, isResumed] of [
          [100, true],
          [101, false],
        ] as const) {
          const config = bench.server(mechanism, options);
          const offer = returning(bench.visit(mechanism, config));
          bench.world.advance(age);
          expect(bench.connect(config, offer).connection.resumption.resumed, `${age} s`).to.equal(isResumed);
        }
      });
    }
  }
});
