/** What comes after ServerHello in TLS 1.2, on resumption and in full: RFC 5246 §7.1, §7.3, §7.4. */

import type { Fault } from '../../../engine/fault.ts';
import { ContentType, HandshakeType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import { clearMessage, clearRecord, inFrontOf, instead } from '../record-faults.ts';
import type { ServerScenario } from '../scenario.ts';
import { bothWays, resumable, TLS12, WRONG_FINISHED } from './tls12.ts';

/** A scenario in which the client's second flight has these faults. */
interface FlightCase {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly reason: string;
  readonly severity?: ServerScenario['severity'];
  readonly expect?: ServerScenario['expect'];
  readonly faults: readonly Fault[];
}

const finishedOf = (edit: (verifyData: Uint8Array) => Uint8Array): Fault =>
  faults.change<{ readonly verifyData: Uint8Array }>('finished', ({ verifyData }) => ({
    verifyData: edit(verifyData),
  }));

const NOTHING = new Uint8Array(0);
const CHANGE = Uint8Array.of(1);
/** A Certificate without any, as who has none sends it. */
const NO_CERTIFICATE = clearMessage(HandshakeType.certificate, new Uint8Array(3));
/** A ClientKeyExchange with a point of 32 bytes. */
const KEY_EXCHANGE = clearMessage(HandshakeType.client_key_exchange, new Uint8Array(33).fill(32, 0, 1));

const ORDER = 'RFC 5246 §7.4';

/** On resumption the client sends ChangeCipherSpec and Finished, which alone proves that it has the session. */
const RESUMED: readonly FlightCase[] = [
  {
    id: 'finished-wrong',
    title: 'a Finished that is wrong',
    clause: 'RFC 5246 §7.4.9',
    reason: 'Recipients must verify it: it is all that shows that nobody has changed the hellos.',
    faults: [WRONG_FINISHED],
  },
  {
    id: 'finished-empty',
    title: 'a Finished of no bytes',
    clause: 'RFC 5246 §7.4.9',
    reason: 'Who compares as many bytes as have come compares none.',
    faults: [finishedOf(() => NOTHING)],
  },
  {
    id: 'finished-short',
    title: 'a Finished without its last byte',
    clause: 'RFC 5246 §7.4.9',
    reason: 'Its length is 12 bytes, unless the cipher suite says otherwise.',
    faults: [finishedOf((verifyData) => verifyData.subarray(0, -1))],
  },
  {
    id: 'finished-missing',
    title: 'data in the place of Finished',
    clause: 'RFC 5246 §6, §7.3',
    reason: 'A server that takes data before Finished serves who has only copied a session.',
    expect: ['unexpected_message'],
    faults: [faults.drop('finished')],
  },
  {
    id: 'change-cipher-spec-missing',
    title: 'a Finished in the clear, without ChangeCipherSpec',
    clause: 'RFC 5246 §7.4.9',
    reason: 'It is a fatal error if Finished is not preceded by ChangeCipherSpec.',
    faults: [instead('change_cipher_spec', () => []), faults.plaintext('handshake', 2)],
  },
  {
    id: 'change-cipher-spec-twice',
    title: 'ChangeCipherSpec twice',
    clause: 'RFC 5246 §6, §7.1',
    reason: 'The second would change to keys that nobody has.',
    faults: [
      instead('change_cipher_spec', (content, seal) => [
        seal(ContentType.change_cipher_spec, content),
        seal(ContentType.change_cipher_spec, content),
      ]),
    ],
  },
  {
    id: 'certificate-unasked',
    title: 'a Certificate before ChangeCipherSpec',
    clause: ORDER,
    reason: 'A resumption has no certificates: what the client is was settled with the session.',
    faults: [inFrontOf('change_cipher_spec', () => [NO_CERTIFICATE])],
  },
  {
    id: 'key-exchange-unasked',
    title: 'a ClientKeyExchange before ChangeCipherSpec',
    clause: ORDER,
    reason: 'A resumption has a master secret, and one more would be a second.',
    faults: [inFrontOf('change_cipher_spec', () => [KEY_EXCHANGE])],
  },
  {
    id: 'data-before-change-cipher-spec',
    title: 'data in the clear before ChangeCipherSpec',
    clause: 'RFC 5246 §6, §7.3',
    reason: 'It would pass for what the client has said under its keys.',
    expect: ['unexpected_message'],
    faults: [inFrontOf('change_cipher_spec', () => [clearRecord(ContentType.application_data, CHANGE)])],
  },
];

const FULL: readonly FlightCase[] = [
  {
    id: 'change-cipher-spec-first',
    title: 'ChangeCipherSpec before ClientKeyExchange',
    clause: 'RFC 5246 §6, §7.1',
    reason: 'Servers have changed to keys of an empty master secret, which everybody has.',
    faults: [inFrontOf('handshake', () => [clearRecord(ContentType.change_cipher_spec, CHANGE)], 2)],
  },
  {
    id: 'change-cipher-spec-of-another-value',
    title: 'a ChangeCipherSpec of the value 2',
    clause: 'RFC 5246 §7.1',
    reason: 'The message is a single byte of the value 1. No text says what becomes of another.',
    severity: 'observed',
    faults: [instead('change_cipher_spec', (_, seal) => [seal(ContentType.change_cipher_spec, Uint8Array.of(2))])],
  },
  {
    id: 'data-before-key-exchange',
    title: 'data in the clear before ClientKeyExchange',
    clause: 'RFC 5246 §6, §7.3',
    reason: 'It would pass for what the client has said under its keys.',
    expect: ['unexpected_message'],
    faults: [inFrontOf('handshake', () => [clearRecord(ContentType.application_data, CHANGE)], 2)],
  },
  {
    id: 'certificate-unasked',
    title: 'a Certificate that was not asked for',
    clause: ORDER,
    reason: 'Without a CertificateRequest it has no place.',
    faults: [inFrontOf('handshake', () => [NO_CERTIFICATE], 2)],
  },
];

export const serverSecondFlightTls12: readonly ServerScenario[] = [
  ...RESUMED.flatMap(({ faults: all, ...about }) =>
    bothWays((way) => ({
      ...TLS12,
      mechanism: way.mechanism,
      severity: 'must',
      expect: ['aborts'],
      ...about,
      id: `server/${way.topic}/${about.id}`,
      run: async (bench) => {
        const tester = way.client(bench);
        const session = await resumable(way, tester);
        return (await tester.visit({ sessions: [session], faults: all })).reaction;
      },
    })),
  ),
  ...FULL.map(
    ({ faults: all, ...about }): ServerScenario => ({
      ...TLS12,
      severity: 'must',
      expect: ['aborts'],
      ...about,
      id: `server/full-flight-tls12/${about.id}`,
      run: async (bench) => (await bench.client().visit({ faults: all })).reaction,
    }),
  ),
];
