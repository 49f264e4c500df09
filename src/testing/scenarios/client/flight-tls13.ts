/** What a client makes of the server's flight behind ServerHello, above all where it resumes: RFC 9846 §4.4, §4.5, §5, §6. */

import { concat, utf8 } from '../../../wire/bytes.ts';
import { AlertDescription, AlertLevel, ExtensionType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ClientScenario } from '../scenario.ts';
import { conforms, identitiesOf, offering, resuming, sentMessage, ticketsOf } from './connections.ts';
import { requireHello } from './hello.ts';
import { alertInstead, firstProtected } from './records.ts';

const TLS13 = { side: 'client', versions: ['TLSv1.3'], mechanism: 'psk' } as const;

/** A CertificateRequest that asks for ecdsa_secp256r1_sha256. */
const CERTIFICATE_REQUEST = Uint8Array.of(13, 0, 0, 11, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3);
const KEY_UPDATE = Uint8Array.of(24, 0, 0, 1, 0);
const END_OF_EARLY_DATA = Uint8Array.of(5, 0, 0, 0);

const finishedMessages: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/finished-wrong',
    title: 'the Finished of a server that resumes is wrong in one bit',
    clause: 'RFC 9846 §4.5.3',
    reason: 'It is all that proves the server in a resumption.',
    severity: 'must',
    expect: ['decrypt_error'],
    run: async (bench) => {
      const wrong = faults.raw('finished', (raw) => raw.map((byte, i) => (i === raw.length - 1 ? byte ^ 1 : byte)));
      return (await resuming(bench, [wrong])).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/finished-empty',
    title: 'the Finished of a server that resumes has no bytes',
    clause: 'RFC 9846 §4.5.3, §6',
    reason: 'Who compares as many bytes as have come accepts it.',
    severity: 'must',
    expect: ['decode_error', 'decrypt_error'],
    run: async (bench) => (await resuming(bench, [faults.raw('finished', () => Uint8Array.of(20, 0, 0, 0))])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/finished-missing',
    title: 'a server that resumes leaves out its Finished, and goes on with tickets',
    clause: 'RFC 9846 §5.2',
    reason: 'What follows is under keys for which it is too early, so that it cannot be opened.',
    severity: 'must',
    expect: ['bad_record_mac'],
    run: async (bench) =>
      (await resuming(bench, [faults.drop('finished')], { tickets: { timing: 'half-rtt' } })).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/finished-early',
    title: 'the Finished of a server that resumes comes before EncryptedExtensions',
    clause: 'RFC 9846 §4',
    reason: 'The order of the messages is fixed.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => (await resuming(bench, [faults.swap('encrypted_extensions')])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/finished-twice',
    title: 'a server that resumes sends its Finished twice in one record',
    clause: 'RFC 9846 §5.1',
    reason: 'The keys change behind the first. Nothing may follow it in its record.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => {
      const twice = faults.raw('finished', (raw) => concat(raw, raw));
      return (await resuming(bench, [twice])).reaction;
    },
  },
];

const messages: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/encrypted-extensions-missing',
    title: 'a server that resumes leaves out EncryptedExtensions',
    clause: 'RFC 9846 §4, §4.4.1',
    reason: 'It comes in every handshake, be it empty.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => (await resuming(bench, [faults.drop('encrypted_extensions')])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/certificate-beside-psk',
    title: 'a server that resumes shows its certificate as well',
    clause: 'RFC 9846 §4, §4.5.1',
    reason: 'With a PSK there is no certificate. A client that takes one may take it for proved.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server();
      const certificate = sentMessage(await server.hand(), 'certificate');
      return (await offering(server, { faults: [faults.insert('finished', certificate)] })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/certificate-request-beside-psk',
    title: 'a server that resumes asks for a certificate',
    clause: 'RFC 9846 §4, §4.4.2',
    reason: 'Servers that resume must not ask in the handshake.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => (await resuming(bench, [faults.insert('finished', CERTIFICATE_REQUEST)])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/end-of-early-data-from-server',
    title: 'a server that resumes sends EndOfEarlyData',
    clause: 'RFC 9846 §4.6',
    reason: 'It is a message of clients.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => (await resuming(bench, [faults.insert('finished', END_OF_EARLY_DATA)])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/key-update-before-finished',
    title: 'a server that resumes sends KeyUpdate before its Finished',
    clause: 'RFC 9846 §4.7.3',
    reason: 'There are no keys yet that it could update.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => (await resuming(bench, [faults.insert('finished', KEY_UPDATE)])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/data-before-finished',
    title: 'a server that resumes sends application data before its Finished',
    clause: 'RFC 9846 §5, §2',
    reason: 'Nobody has proved yet who has sent it.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => (await resuming(bench, [firstProtected('application_data', utf8('too early'))])).reaction,
  },
];

const records: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/change-cipher-spec-protected',
    title: 'a server that resumes sends a ChangeCipherSpec that is protected',
    clause: 'RFC 9846 §5',
    reason: 'It is dropped in the clear alone, where it is for the eyes of those between.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => (await resuming(bench, [firstProtected('change_cipher_spec', Uint8Array.of(1))])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/handshake-record-empty',
    title: 'a server that resumes sends a record of the handshake without content',
    clause: 'RFC 9846 §5.1',
    reason: 'Servers must not send one: it costs work, and brings nothing.',
    severity: 'should',
    expect: ['unexpected_message', 'decode_error', 'illegal_parameter'],
    run: async (bench) => (await resuming(bench, [firstProtected('handshake', new Uint8Array(0))])).reaction,
  },
];

const alerts: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/alert-as-a-warning',
    title: 'a server that resumes sends handshake_failure at the level of a warning, and goes on',
    clause: 'RFC 9846 §6',
    reason: 'In TLS 1.3 the level means nothing: every alert but two ends the connection.',
    severity: 'must',
    expect: ['closes'],
    run: async (bench) => {
      const warning = Uint8Array.of(AlertLevel.warning, AlertDescription.handshake_failure);
      return (await resuming(bench, [firstProtected('alert', warning)])).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/alert-unknown',
    title: 'a server that resumes sends an alert of an unknown number as a warning, and goes on',
    clause: 'RFC 9846 §6',
    reason: 'Alerts that nobody knows are errors.',
    severity: 'must',
    expect: ['closes'],
    run: async (bench) =>
      (await resuming(bench, [firstProtected('alert', Uint8Array.of(AlertLevel.warning, 201))])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/alert-of-one-byte',
    title: 'a server that resumes sends an alert of one byte',
    clause: 'RFC 9846 §5.1, §6',
    reason: 'Alerts must not be spread over records, so half of one cannot be read.',
    severity: 'should',
    expect: ['decode_error', 'unexpected_message', 'illegal_parameter'],
    run: async (bench) => (await resuming(bench, [firstProtected('alert', Uint8Array.of(2))])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/fatal-alert-after-ticket',
    title: 'a connection that has given tickets ends with a fatal alert',
    clause: 'RFC 9846 §6',
    reason: 'The tickets of a connection that has failed should be discarded if possible.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('resume');
      bench.need('session-store');
      const server = bench.server();
      const fatal = Uint8Array.of(AlertLevel.fatal, AlertDescription.internal_error);
      const failed = await server.hand({ faults: [alertInstead(fatal)] });
      const identities = identitiesOf(await server.accept());
      const isOffered = ticketsOf(failed).some((ticket) => identities.includes(ticket));
      return conforms(!isOffered, 'it offers a ticket of the connection that has failed');
    },
  },
  {
    ...TLS13,
    id: 'client/psk/unclean-end-after-ticket',
    title: 'a connection that has given tickets ends without close_notify',
    clause: 'RFC 9846 §6.1',
    reason: 'Many servers end so. TLS 1.3 does not say that their tickets are of no use.',
    severity: 'observed',
    expect: ['resumes'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server();
      await server.hand({ faults: [faults.closeAt('application_data', { closeNotify: false })] });
      return (await server.accept()).reaction;
    },
  },
];

const extensions: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/encrypted-extensions/pre-shared-key',
    title: 'EncryptedExtensions of a resumption has pre_shared_key',
    clause: 'RFC 9846 §4.4.1',
    reason: 'The client must look for what is forbidden there.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const misplaced = faults.extension('encrypted_extensions', ExtensionType.pre_shared_key, Uint8Array.of(0, 0));
      return (await resuming(bench, [misplaced])).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/encrypted-extensions/key-share',
    title: 'EncryptedExtensions of a resumption has key_share',
    clause: 'RFC 9846 §4.4.1',
    reason: 'The client must look for what is forbidden there.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const misplaced = faults.extension(
        'encrypted_extensions',
        ExtensionType.key_share,
        Uint8Array.of(0, 29, 0, 1, 9),
      );
      return (await resuming(bench, [misplaced])).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/encrypted-extensions/psk-key-exchange-modes',
    title: 'EncryptedExtensions of a resumption has psk_key_exchange_modes',
    clause: 'RFC 9846 §4.3.9, §4.4.1',
    reason: 'Servers must not send it.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const type = ExtensionType.psk_key_exchange_modes;
      return (await resuming(bench, [faults.extension('encrypted_extensions', type, Uint8Array.of(1, 1))])).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/encrypted-extensions/early-data-unasked',
    title: 'the server accepts early data though none was offered',
    clause: 'RFC 9846 §4.3',
    reason: 'An extension that answers nothing is unsupported_extension.',
    severity: 'must',
    expect: ['unsupported_extension'],
    run: async (bench) => {
      const unasked = faults.extension('encrypted_extensions', ExtensionType.early_data, new Uint8Array(0));
      return requireHello(await resuming(bench, [unasked]), (hello) => !hello.has('early_data'), 'it offers early data')
        .reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/encrypted-extensions/ticket-request-unasked',
    title: 'EncryptedExtensions answers a ticket_request that the client has not made',
    clause: 'RFC 9846 §4.3',
    reason: 'An extension that answers nothing is unsupported_extension.',
    severity: 'must',
    expect: ['unsupported_extension'],
    run: async (bench) => {
      const unasked = faults.extension('encrypted_extensions', ExtensionType.ticket_request, Uint8Array.of(1));
      return requireHello(
        await resuming(bench, [unasked]),
        (hello) => !hello.has('ticket_request'),
        'it asks for tickets',
      ).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/encrypted-extensions/ticket-request-empty',
    title: 'EncryptedExtensions answers ticket_request by no bytes',
    clause: 'RFC 9149 §3, RFC 9846 §6',
    reason: 'The answer is the number of tickets, in one byte.',
    severity: 'must',
    expect: ['decode_error'],
    run: async (bench) => {
      const empty = faults.extension('encrypted_extensions', ExtensionType.ticket_request, new Uint8Array(0));
      return requireHello(await resuming(bench, [empty]), (hello) => hello.has('ticket_request'), 'it asks for none')
        .reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/encrypted-extensions/unknown',
    title: 'EncryptedExtensions of a resumption has an extension that the client has not offered, and nobody knows',
    clause: 'RFC 9846 §4.3',
    reason: 'Where the client has to be asked first, unknown is not ignored: it is unsupported_extension.',
    severity: 'must',
    expect: ['unsupported_extension'],
    run: async (bench) =>
      (await resuming(bench, [faults.extension('encrypted_extensions', 0xf0f0, Uint8Array.of(1))])).reaction,
  },
];

export const flightTls13: readonly ClientScenario[] = [
  ...finishedMessages,
  ...messages,
  ...records,
  ...alerts,
  ...extensions,
];
