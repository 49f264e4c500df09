/** Records that have no place, or an unusual shape: RFC 5246 §6, RFC 9846 §5. */

import type { Fault } from '../../../engine/fault.ts';
import { concat, EMPTY } from '../../../wire/bytes.ts';
import { ContentType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ServerBench } from '../bench.ts';
import { clearRecord, inFrontOf, instead } from '../record-faults.ts';
import type { ServerScenario } from '../scenario.ts';
import type { Reaction } from '../visit.ts';
import { TLS12 } from './tls12.ts';

const BOTH = { ...TLS12, versions: ['TLSv1.2', 'TLSv1.3'] } as const;

/** user_canceled, as a warning. */
const WARNING = Uint8Array.of(1, 90);
const HEARTBEAT = 24;
const NO_TYPE = 99;
const MANY = 1000;

/** The reaction to a full handshake, and data after it, with a fault. */
async function reactionTo(bench: ServerBench, fault: Fault): Promise<Reaction> {
  const client = bench.client({ groups: ['x25519', 'secp256r1'], keyShares: ['x25519', 'secp256r1'] });
  return (await client.visit({ faults: [fault] })).reaction;
}

/** A CLIENT-HELLO of SSL 2.0 (RFC 5246 Appendix E.2) that offers TLS 1.2, two suites and a challenge of 32 bytes. */
function helloOfSsl2(bench: ServerBench): Uint8Array {
  const suites = [0, 0xc0, 0x2b, 0, 0xc0, 0x2f];
  const body = concat(
    Uint8Array.of(1, 3, 3, 0, suites.length, 0, 0, 0, 32),
    Uint8Array.from(suites),
    bench.randomBytes(32),
  );
  return concat(Uint8Array.of(0x80 | (body.length >> 8), body.length), body);
}

export const serverRecords: readonly ServerScenario[] = [
  ...[0x0300, 0x0301, 0x0302, 0x0304, 0x03ff].map(
    (version): ServerScenario => ({
      ...BOTH,
      id: `server/records/version-${version.toString(16).padStart(4, '0')}`,
      title: `a hello in a record of the version 0x${version.toString(16).padStart(4, '0')}`,
      clause: 'RFC 5246 Appendix E.1, RFC 9846 §5.1',
      reason: 'A server must accept any record of a hello whose version begins with 3: it negotiates by the hello.',
      severity: 'must',
      expect: ['full handshake'],
      run: (bench) => reactionTo(bench, faults.header('handshake', { version })),
    }),
  ),
  {
    ...BOTH,
    id: 'server/records/hello-of-ssl2',
    title: 'a CLIENT-HELLO of SSL 2.0 that offers TLS 1.2',
    clause: 'RFC 9846 Appendix E.5',
    reason: 'It has no extensions, so that nothing can be protected by them. It is not recommended to accept it.',
    severity: 'should',
    expect: ['aborts'],
    run: (bench) =>
      reactionTo(
        bench,
        instead('handshake', () => [helloOfSsl2(bench)]),
      ),
  },
  {
    ...BOTH,
    id: 'server/records/heartbeat',
    title: 'a record of heartbeat, which was not negotiated, after the handshake',
    clause: 'RFC 5246 §6, RFC 9846 §5',
    reason: 'A record of an unexpected type must be answered with unexpected_message.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: (bench) => reactionTo(bench, faults.contentType('application_data', HEARTBEAT)),
  },
  {
    ...BOTH,
    id: 'server/records/unknown-type',
    title: 'a record of the type 99 after the handshake',
    clause: 'RFC 5246 §6, RFC 9846 §5',
    reason: 'A record of an unexpected type must be answered with unexpected_message.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: (bench) => reactionTo(bench, faults.contentType('application_data', NO_TYPE)),
  },
  {
    ...TLS12,
    id: 'server/records/heartbeat-in-handshake',
    title: 'a record of heartbeat before ClientKeyExchange',
    clause: 'RFC 5246 §6',
    reason: 'Servers have answered heartbeats in the clear, with what was in their memory.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: (bench) =>
      reactionTo(
        bench,
        inFrontOf('handshake', () => [clearRecord(HEARTBEAT, Uint8Array.of(1, 0x40, 0))], 2),
      ),
  },
  {
    ...TLS12,
    id: 'server/records/empty-handshake',
    title: 'a record of handshake without content before ClientKeyExchange',
    clause: 'RFC 5246 §6.2.1',
    reason:
      'Such a record must not be sent. Many cost the server work and the client nothing, and no text has it end there.',
    severity: 'observed',
    expect: ['aborts'],
    run: (bench) =>
      reactionTo(
        bench,
        inFrontOf('handshake', () => [clearRecord(ContentType.handshake, EMPTY)], 2),
      ),
  },
  {
    ...TLS12,
    versions: ['TLSv1.3'],
    id: 'server/records/empty-handshake-protected',
    title: 'a protected record of handshake without content before Finished',
    clause: 'RFC 9846 §5.4',
    reason: 'Such records must not be sent, and must be answered with unexpected_message.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: (bench) =>
      reactionTo(
        bench,
        inFrontOf('handshake', (seal) => [seal(ContentType.handshake, EMPTY)], 2),
      ),
  },
  {
    ...BOTH,
    id: 'server/records/empty-data',
    title: 'a record of data without content before the first data',
    clause: 'RFC 5246 §6.2.1, RFC 9846 §5.4',
    reason: 'It may be sent, against who counts records.',
    severity: 'should',
    expect: ['full handshake'],
    run: (bench) =>
      reactionTo(
        bench,
        inFrontOf('application_data', (seal) => [seal(ContentType.application_data, EMPTY)]),
      ),
  },
  {
    ...BOTH,
    id: 'server/records/many-empty-data',
    title: `${MANY} records of data without content`,
    clause: 'RFC 5246 §6.2.1, RFC 9846 §5.4',
    reason: 'Each costs the server work, and the application hears of none. A server may count them.',
    severity: 'observed',
    isIntrusive: true,
    expect: ['aborts'],
    run: (bench) =>
      reactionTo(
        bench,
        inFrontOf('application_data', (seal) =>
          Array.from({ length: MANY }, () => seal(ContentType.application_data, EMPTY)),
        ),
      ),
  },
  {
    ...TLS12,
    id: 'server/records/many-warnings',
    title: `${MANY} warnings before ClientKeyExchange`,
    clause: 'RFC 5246 §7.2.2',
    reason: 'Nothing comes of a warning. Servers have read them for ever, and done nothing else.',
    severity: 'observed',
    isIntrusive: true,
    expect: ['aborts'],
    run: (bench) =>
      reactionTo(
        bench,
        inFrontOf('handshake', () => Array.from({ length: MANY }, () => clearRecord(ContentType.alert, WARNING)), 2),
      ),
  },
  {
    ...TLS12,
    id: 'server/records/one-warning',
    title: 'a warning before ClientKeyExchange',
    clause: 'RFC 5246 §7.2.2',
    reason: 'A connection can generally go on after it.',
    severity: 'observed',
    expect: ['full handshake'],
    run: (bench) =>
      reactionTo(
        bench,
        inFrontOf('handshake', () => [clearRecord(ContentType.alert, WARNING)], 2),
      ),
  },
];
