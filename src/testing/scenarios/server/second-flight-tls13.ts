/** What a client sends behind the server's flight on a resumption, and ChangeCipherSpec: RFC 9846 §4, §4.5.3, §5. */

import type { Fault } from '../../../engine/fault.ts';
import { concat, EMPTY } from '../../../wire/bytes.ts';
import { ContentType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ServerBench } from '../bench.ts';
import type { Speech } from '../party.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun, type Reaction } from '../visit.ts';
import { client, TLS13 } from './tls13.ts';

/** Returns what the server makes of a resumption with these faults. @throws NotRun if it does not resume */
async function resumed(bench: ServerBench, list: readonly Fault[], speech?: Speech): Promise<Reaction> {
  const tester = client(bench);
  const sessions = await tester.sessions();
  const visit = await tester.visit({ sessions, faults: list, ...(speech && { speech }) });
  const [hello] = visit.received<{ readonly extensions: { readonly preSharedKey?: number } }>('server_hello');
  if (hello !== undefined && hello.fields.extensions.preSharedKey === undefined)
    throw new NotRun(`it does not resume: ${visit.reaction}`);
  return visit.reaction;
}

/** A scenario with one fault of the flight. */
interface Flight {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly reason: string;
  readonly expect: readonly Reaction[];
  readonly faults: () => readonly Fault[];
  readonly speech?: Speech | undefined;
}

const KEY_UPDATE = Uint8Array.of(24, 0, 0, 1, 0);
const EMPTY_CERTIFICATE = Uint8Array.of(11, 0, 0, 4, 0, 0, 0, 0);
const END_OF_EARLY_DATA = Uint8Array.of(5, 0, 0, 0);
const A_FINISHED = Uint8Array.of(20, 0, 0, 32, ...new Uint8Array(32));
/** The content of a ChangeCipherSpec. */
const ONE = Uint8Array.of(1);

function flipped(raw: Uint8Array): Uint8Array {
  return raw.map((byte, i) => (i === raw.length - 1 ? byte ^ 1 : byte));
}

/** Sends the hello of the connection once more, in front of Finished. */
function helloAgain(): readonly Fault[] {
  let hello: Uint8Array = EMPTY;
  const keep = (raw: Uint8Array) => {
    hello = raw;
    return raw;
  };
  return [faults.raw('client_hello', keep), faults.raw('finished', (raw) => concat(hello, raw))];
}

const FLIGHTS: readonly Flight[] = [
  {
    id: 'finished-wrong',
    title: 'a Finished that is wrong in one bit',
    clause: 'RFC 9846 §4.5.3',
    reason:
      'Finished binds what the server has read to what the client has sent. The binder does not cover the answer.',
    expect: ['decrypt_error'],
    faults: () => [faults.raw('finished', flipped)],
  },
  {
    id: 'finished-short',
    title: 'a Finished of 12 bytes, as in TLS 1.2',
    clause: 'RFC 9846 §4.5.3, §6',
    reason: 'It has the length of the hash. Who compares as many bytes as there are accepts one of none.',
    expect: ['decode_error', 'decrypt_error'],
    faults: () => [faults.raw('finished', (raw) => Uint8Array.of(20, 0, 0, 12, ...raw.subarray(4, 16)))],
  },
  {
    id: 'finished-missing',
    title: 'application data in the place of Finished',
    clause: 'RFC 9846 §5.2',
    reason: 'The data are under a key that is not in use before Finished has come.',
    expect: ['bad_record_mac'],
    faults: () => [faults.drop('finished')],
  },
  {
    id: 'finished-first',
    title: 'a Finished in front of the ClientHello',
    clause: 'RFC 9846 §4, §4.2.2',
    reason: 'The hello is the first message. A message out of order ends the handshake.',
    expect: ['unexpected_message'],
    faults: () => [faults.insert('client_hello', A_FINISHED)],
  },
  {
    id: 'finished-twice',
    title: 'Finished twice in one record',
    clause: 'RFC 9846 §5.1',
    reason: 'Finished changes the key. What stands behind it in its record would be read under the old one.',
    expect: ['unexpected_message'],
    faults: () => [faults.repeat('finished')],
  },
  {
    id: 'client-hello-again',
    title: 'a ClientHello in front of Finished',
    clause: 'RFC 9846 §4.2.2',
    reason: 'TLS 1.3 has no renegotiation. A second hello, but for one that was asked for, ends the connection.',
    expect: ['unexpected_message'],
    faults: helloAgain,
  },
  {
    id: 'certificate-beside-psk',
    title: 'a Certificate of the client, which nobody has asked for',
    clause: 'RFC 9846 §4, §4.5.1',
    reason:
      'Certificates of clients are not available with a PSK. One that is taken in would change who the client is.',
    expect: ['unexpected_message'],
    faults: () => [faults.insert('finished', EMPTY_CERTIFICATE)],
  },
  {
    id: 'key-update-before-finished',
    title: 'a KeyUpdate in front of Finished',
    clause: 'RFC 9846 §4.7.3',
    reason: 'There is no traffic key yet that could be replaced.',
    expect: ['unexpected_message'],
    faults: () => [faults.insert('finished', KEY_UPDATE)],
  },
  {
    id: 'end-of-early-data-unasked',
    title: 'EndOfEarlyData, though no early data were accepted',
    clause: 'RFC 9846 §4, §4.6',
    reason: 'It changes the key of early data for that of the handshake, which is in use already.',
    expect: ['unexpected_message'],
    faults: () => [faults.insert('finished', END_OF_EARLY_DATA)],
  },
  {
    id: 'change-cipher-spec-of-another-value',
    title: 'a ChangeCipherSpec of the value 0',
    clause: 'RFC 9846 §5',
    reason: 'Only the one byte 1 is dropped. Any other has no meaning, in no version.',
    expect: ['unexpected_message'],
    faults: () => [faults.corrupt('change_cipher_spec')],
  },
  {
    id: 'change-cipher-spec-protected',
    title: 'a protected ChangeCipherSpec in the place of Finished',
    clause: 'RFC 9846 §5',
    reason: 'The record is for middleboxes, which see nothing of this one.',
    expect: ['unexpected_message'],
    faults: () => [
      faults.raw('finished', () => ONE),
      faults.contentType('handshake', ContentType.change_cipher_spec, 2),
    ],
  },
  {
    id: 'change-cipher-spec-after-finished',
    title: 'a ChangeCipherSpec behind Finished',
    clause: 'RFC 9846 §5',
    reason: 'It is dropped up to Finished only. Behind it a record in the clear may be anybody’s.',
    expect: ['unexpected_message'],
    faults: () => [
      faults.plaintext('application_data'),
      faults.header('application_data', { type: ContentType.change_cipher_spec }),
    ],
    speech: { request: ONE },
  },
];

export const serverSecondFlightTls13: readonly ServerScenario[] = FLIGHTS.map(({ id, speech, ...flight }) => ({
  ...TLS13,
  ...flight,
  id: `server/second-flight/${id}`,
  title: `on a resumption, ${flight.title}`,
  severity: 'must',
  run: (bench) => resumed(bench, flight.faults(), speech),
}));
