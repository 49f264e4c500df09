/** What a client makes of the NewSessionTicket of TLS 1.3: RFC 9846 §4.7.1. */

import { concat, utf8 } from '../../../wire/bytes.ts';
import { encode, opaque, uint16, uint24 } from '../../../wire/codec.ts';
import { ExtensionType } from '../../../wire/registry.ts';
import { framed, joinMessage, requireSplit } from '../../extension-block.ts';
import { faults } from '../../faults.ts';
import type { ClientScenario } from '../scenario.ts';
import { afterTicket, offering, refused, resuming } from './connections.ts';
import { dataInTicket } from './records.ts';

const SEVEN_DAYS = 604_800;
const TLS13 = { side: 'client', versions: ['TLSv1.3'], mechanism: 'psk' } as const;
const CLAUSE = 'RFC 9846 §4.7.1';
/** A number that nobody has registered. */
const UNKNOWN_EXTENSION = 0xf0f0;

/** A change of each ticket. */
const ticket = (fields: { readonly ticketLifetime?: number; readonly ticket?: Uint8Array }) =>
  faults.change<object>('new_session_ticket', (body) => ({ ...body, ...fields }), 'each');

/** The bytes of each ticket, header included. */
const rawTicket = (edit: (raw: Uint8Array) => Uint8Array) => faults.raw('new_session_ticket', edit, { which: 'each' });

/** The body of a message, under a header of its length. */
const reframed = (raw: Uint8Array, edit: (body: Uint8Array) => Uint8Array) =>
  framed(raw[0] ?? 0, edit(raw.subarray(4)));

/** An opaque ticket of no bytes, which the fields of the message cannot be. */
function withoutTicket(raw: Uint8Array): Uint8Array {
  return reframed(raw, (body) => {
    const nonce = 9 + (body[8] ?? 0);
    const length = 256 * (body[nonce] ?? 0) + (body[nonce + 1] ?? 0);
    return concat(body.subarray(0, nonce), encode(uint16, 0), body.subarray(nonce + 2 + length));
  });
}

/** early_data, twice in one block. */
function withEarlyDataTwice(raw: Uint8Array): Uint8Array {
  const { head } = requireSplit(raw, 'TLSv1.3');
  const one = { type: ExtensionType.early_data, data: Uint8Array.of(0, 0, 1, 0) };
  return joinMessage(raw[0] ?? 0, head, [one, one]);
}

/** A ticket as the server never makes one: for where there is no other yet. */
function madeUpTicket(): Uint8Array {
  const body = concat(
    Uint8Array.of(0, 0, 28, 32, 1, 2, 3, 4),
    encode(opaque(0, 255), Uint8Array.of(0)),
    encode(opaque(1, 0xffff), utf8('a ticket before its time')),
    encode(uint16, 0),
  );
  return concat(Uint8Array.of(4), encode(uint24, body.length), body);
}

const lifetimes: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/ticket-lifetime-zero',
    title: 'a ticket whose lifetime is 0',
    clause: CLAUSE,
    reason: 'A lifetime of zero says that the ticket is to be discarded at once.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      bench.need('resume');
      bench.need('session-store');
      const server = bench.server();
      await server.hand({ faults: [ticket({ ticketLifetime: 0 })] });
      return (await server.accept()).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-lifetime-over',
    title: 'a ticket that is offered after its life of a second',
    clause: 'RFC 9846 §4.3.11.1',
    reason:
      'A ticket whose lifetime is over must not be offered: its server has forgotten the keys, and an observer can link the two.',
    severity: 'must',
    expect: ['full handshake'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server();
      await server.hand({ faults: [ticket({ ticketLifetime: 1 })] });
      await bench.wait(3500); // clients that count whole seconds round in their own favour
      return (await server.accept()).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-lifetime-short',
    title: 'a ticket with a life of 2 seconds, in a connection that follows at once',
    clause: CLAUSE,
    reason: 'A short lifetime is a lifetime. A client that rounds it away never resumes at such a server.',
    severity: 'observed',
    expect: ['resumes'],
    run: (bench) => afterTicket(bench, [ticket({ ticketLifetime: 2 })]),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-lifetime-above-seven-days',
    title: 'a ticket whose lifetime is a second more than seven days',
    clause: CLAUSE,
    reason:
      'A server must not state more than seven days. What a client makes of it is its own affair: it may refuse, or cut it short.',
    severity: 'observed',
    expect: ['ignores', 'illegal_parameter'],
    run: async (bench) =>
      (await bench.server().hand({ faults: [ticket({ ticketLifetime: SEVEN_DAYS + 1 })] })).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-lifetime-highest',
    title: 'a ticket whose lifetime is 2^32-1, in a connection that follows at once',
    clause: CLAUSE,
    reason: 'A client that adds it to its clock in 32 bits has a ticket that is over before it begins, or never ends.',
    severity: 'observed',
    expect: ['ignores', 'illegal_parameter'],
    run: (bench) => afterTicket(bench, [ticket({ ticketLifetime: 2 ** 32 - 1 })]),
  },
];

const contents: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/ticket-nonce-empty',
    title: 'tickets whose nonce has no bytes',
    clause: CLAUSE,
    reason: 'The nonce is a vector of 0 to 255 bytes. The PSK has to be made of it, whatever its length.',
    severity: 'should',
    expect: ['ignores'],
    run: (bench) => afterTicket(bench, [faults.ticket({ nonce: new Uint8Array(0) })]),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-nonce-longest',
    title: 'tickets whose nonce has 255 bytes',
    clause: CLAUSE,
    reason: 'A client with a shorter buffer makes another PSK than the server, or writes beyond its end.',
    severity: 'should',
    expect: ['ignores'],
    run: (bench) => afterTicket(bench, [faults.ticket({ nonce: new Uint8Array(255).fill(0xa5) })]),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-nonce-repeated',
    title: 'two tickets of one connection with the same nonce',
    clause: CLAUSE,
    reason: 'The two have the same PSK. Only the server is told to avoid that, so a client need not look.',
    severity: 'observed',
    expect: ['ignores'],
    run: (bench) => afterTicket(bench, [faults.ticket({ nonce: new Uint8Array(8) })], { tickets: { initial: 2 } }),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-empty',
    title: 'a ticket of no bytes',
    clause: 'RFC 9846 §4.7.1, §6',
    reason: 'A ticket has a byte at least. An empty one is an identity that no hello can carry.',
    severity: 'must',
    expect: ['decode_error'],
    run: (bench) => afterTicket(bench, [rawTicket(withoutTicket)]),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-longest',
    title: 'a ticket of 65,535 bytes',
    clause: CLAUSE,
    reason: 'It is allowed, and longer than any hello has room for. It costs no more than the resumption.',
    severity: 'should',
    expect: ['full handshake'],
    run: (bench) => afterTicket(bench, [ticket({ ticket: new Uint8Array(0xffff).fill(0x5a) })]),
  },
  {
    ...TLS13,
    id: 'client/psk/tickets-many',
    title: '100 tickets in one connection',
    clause: CLAUSE,
    reason: 'A server may send as many as it likes. A client keeps what it can use.',
    severity: 'observed',
    expect: ['ignores'],
    run: (bench) => afterTicket(bench, [], { tickets: { initial: 100 } }),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-truncated',
    title: 'a NewSessionTicket whose last byte is missing',
    clause: 'RFC 9846 §6',
    reason: 'The length of a vector goes beyond the end of the message.',
    severity: 'must',
    expect: ['decode_error'],
    run: (bench) => afterTicket(bench, [rawTicket((raw) => reframed(raw, (body) => body.subarray(0, -1)))]),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-with-a-byte-more',
    title: 'a NewSessionTicket with a byte after its extensions',
    clause: 'RFC 9846 §6',
    reason: 'What follows the last field is of no message.',
    severity: 'must',
    expect: ['decode_error'],
    run: (bench) => afterTicket(bench, [rawTicket((raw) => reframed(raw, (body) => concat(body, Uint8Array.of(0))))]),
  },
];

const extensions: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/ticket-extension-unknown',
    title: 'tickets with an extension that nobody knows',
    clause: CLAUSE,
    reason: 'Clients must ignore what they do not know, or no extension can ever be added.',
    severity: 'must',
    expect: ['ignores'],
    run: (bench) =>
      afterTicket(bench, [faults.extension('new_session_ticket', UNKNOWN_EXTENSION, Uint8Array.of(1, 2, 3), 'each')]),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-extension-grease',
    title: 'tickets with an extension of a reserved number',
    clause: 'RFC 8701 §4.1, RFC 9846 §4.7.1',
    reason: 'Servers send such numbers to find the clients that cannot bear anything new.',
    severity: 'must',
    expect: ['ignores'],
    run: (bench) => afterTicket(bench, [faults.grease('new_session_ticket')]),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-extension-misplaced',
    title: 'tickets with the extension supported_versions',
    clause: 'RFC 9846 §4.3',
    reason: 'Every client of TLS 1.3 knows it, and it has no place there.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: (bench) =>
      afterTicket(bench, [
        faults.extension('new_session_ticket', ExtensionType.supported_versions, Uint8Array.of(3, 4), 'each'),
      ]),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-early-data-twice',
    title: 'tickets with early_data twice',
    clause: 'RFC 9846 §4.3',
    reason: 'One type occurs once in a block. Which of two limits would be the true one?',
    severity: 'should',
    expect: ['illegal_parameter', 'decode_error'],
    run: (bench) => afterTicket(bench, [rawTicket(withEarlyDataTwice)]),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-early-data-short',
    title: 'tickets whose early_data has 2 bytes',
    clause: 'RFC 9846 §6, §4.3.10',
    reason: 'In a ticket it is a number of 4 bytes. One that breaks off cannot be read.',
    severity: 'must',
    expect: ['decode_error'],
    run: (bench) =>
      afterTicket(bench, [
        faults.extension('new_session_ticket', ExtensionType.early_data, Uint8Array.of(16, 0), 'each'),
      ]),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-early-data-long',
    title: 'tickets whose early_data has 5 bytes',
    clause: 'RFC 9846 §4.3, §4.3.10',
    reason: 'Data that is left over after the structure of an extension is a decode_error.',
    severity: 'must',
    expect: ['decode_error'],
    run: (bench) =>
      afterTicket(bench, [
        faults.extension('new_session_ticket', ExtensionType.early_data, Uint8Array.of(0, 0, 16, 0, 0), 'each'),
      ]),
  },
];

const framing: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/ticket-before-finished',
    title: 'a ticket in front of the Finished of the server',
    clause: 'RFC 9846 §4',
    reason: 'Nobody has proved yet who the server is. The order of the messages is fixed.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) =>
      (await bench.server().accept({ resumes: false, faults: [faults.insert('finished', madeUpTicket())] })).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-before-finished-of-a-resumption',
    title: 'a ticket in front of the Finished of a server that resumes',
    clause: 'RFC 9846 §4',
    reason: 'The order of the messages is fixed, and there are no certificates between to notice it by.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => (await resuming(bench, [faults.insert('finished', madeUpTicket())])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-in-the-record-of-finished',
    title: 'a ticket in the record of the Finished',
    clause: 'RFC 9846 §5.1',
    reason: 'The keys change behind Finished. What shares its record has been protected by keys of the handshake.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => {
      const behind = faults.raw('finished', (raw) => concat(raw, madeUpTicket()));
      return (await bench.server().accept({ resumes: false, faults: [behind] })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/tickets-in-one-record',
    title: 'three tickets in one record',
    clause: 'RFC 9846 §5.1',
    reason: 'A record may have several messages of the handshake.',
    severity: 'should',
    expect: ['ignores'],
    run: (bench) =>
      afterTicket(bench, [rawTicket((raw) => concat(madeUpTicket(), madeUpTicket(), raw))], {
        tickets: { initial: 1 },
      }),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-in-many-records',
    title: 'tickets in records of 7 bytes',
    clause: 'RFC 9846 §5.1',
    reason: 'A message may be spread over any number of records.',
    severity: 'should',
    expect: ['ignores'],
    run: (bench) => afterTicket(bench, [faults.split('handshake', 7, 'each')]),
  },
  {
    ...TLS13,
    id: 'client/psk/ticket-with-data-inside',
    title: 'a record of data between two records of one ticket',
    clause: 'RFC 9846 §5.1, §5',
    reason: 'No other record may come between those of one message. Whoever allows it may lose track of the two.',
    severity: 'should',
    expect: ['unexpected_message'],
    run: (bench) => afterTicket(bench, [dataInTicket(utf8('between'))]),
  },
];

const keyUpdates: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/ticket-after-key-update',
    title: 'a ticket under keys that the server has renewed',
    clause: 'RFC 9846 §4.7.3, §7.5',
    reason: 'The secret of tickets is that of the handshake, however often the keys of the records change.',
    severity: 'should',
    expect: ['ignores'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server({ tickets: { timing: 'manual' } });
      const first = await server.hand({ act: (connection) => [connection.updateKeys(), connection.sendTicket()] });
      return refused(first) ?? (await server.accept()).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/key-update-while-resumed',
    title: 'a server that has resumed renews its keys, and asks for those of the client',
    clause: 'RFC 9846 §4.7.3',
    reason: 'The receiver must update its keys, in a resumption as in any other connection.',
    severity: 'must',
    expect: ['resumes'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server();
      await server.hand();
      return (await offering(server, { act: (connection) => [connection.updateKeys(true)] })).reaction;
    },
  },
];

export const ticketsTls13: readonly ClientScenario[] = [
  ...lifetimes,
  ...contents,
  ...extensions,
  ...framing,
  ...keyUpdates,
];
