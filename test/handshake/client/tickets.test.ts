/** What comes after the handshake of TLS 1.3, and the tickets in it: RFC 9846 §4.7, §4.3.11, §5, §6. */

import { expect } from 'chai';
import type { HelloDraft } from '../../../src/handshake/client/hello-draft.ts';
import { frame } from '../../../src/handshake/messages/message.ts';
import { type NewSessionTicket, newSessionTicket } from '../../../src/handshake/messages/new-session-ticket.ts';
import { serverHello } from '../../../src/handshake/messages/server-hello.ts';
import { Session } from '../../../src/sessions/session.ts';
import { type Pair, pair } from '../../../src/testing/pair.ts';
import { concat, EMPTY } from '../../../src/wire/bytes.ts';
import { AlertDescription, type AlertName, ContentType, ExtensionType } from '../../../src/wire/registry.ts';
import {
  expectAlert,
  expectEstablished,
  extensionsLength,
  hellosOf,
  Meeting,
  play,
  rawExtension,
  rawMessage,
  rewriting,
  say,
  withExtensions,
} from '../../support/client-exchange.ts';

const NONE = { server: { tickets: { initial: 0 } } } as const;

function ticket(body: Partial<NewSessionTicket> = {}): Uint8Array {
  return frame(newSessionTicket, {
    ticketLifetime: 100,
    ticketAgeAdd: 0xfffffff0,
    ticketNonce: Uint8Array.of(1),
    ticket: Uint8Array.of(1, 2, 3),
    extensions: {},
    ...body,
  });
}

/** A ticket with these extensions, as bytes. */
function extendedTicket(...extensions: readonly Uint8Array[]): Uint8Array {
  const raw = ticket();
  return withExtensions(raw, raw.length - 4 - 2, ...extensions);
}

/** An established pair whose client has no session yet. */
function established(script: Parameters<typeof play>[0] = {}): Pair {
  const link = play({ ...NONE, ...script });
  expectEstablished(link);
  return link;
}

const refused: readonly [string, readonly Uint8Array[], AlertName][] = [
  ['§4.7.1: a ticket is not empty', [encodeTicket(0)], 'decode_error'],
  ['§6: a ticket that breaks off', [rawMessage('new_session_ticket', new Uint8Array(12))], 'decode_error'],
  [
    '§6: a byte behind a ticket',
    [rawMessage('new_session_ticket', ticket().subarray(4), Uint8Array.of(0))],
    'decode_error',
  ],
  ['§4.3: an extension that comes twice', [extendedTicket(rawExtension(9), rawExtension(9))], 'illegal_parameter'],
  [
    '§4.3: an extension that is known, and has no place there',
    [extendedTicket(rawExtension(ExtensionType.server_name))],
    'illegal_parameter',
  ],
  [
    '§4.3.10: early_data has four bytes',
    [extendedTicket(rawExtension(ExtensionType.early_data, 0, 0, 0))],
    'decode_error',
  ],
  [
    '§4.7.2: a CertificateRequest, as no post_handshake_auth was sent',
    [rawMessage('certificate_request', Uint8Array.of(1, 1, 0, 8), rawExtension(13, 0, 2, 8, 7))],
    'unexpected_message',
  ],
  ['§4.7: a HelloRequest', [rawMessage('hello_request')], 'unexpected_message'],
  ['§4.7: a ServerHello', [rawMessage('server_hello', new Uint8Array(40))], 'unexpected_message'],
  ['§4.7: a Finished', [rawMessage('finished', new Uint8Array(32))], 'unexpected_message'],
  ['§4.7.3: a KeyUpdate with request 2', [rawMessage('key_update', Uint8Array.of(2))], 'illegal_parameter'],
  ['§4.7.3: a KeyUpdate without request', [rawMessage('key_update')], 'decode_error'],
  ['§4.7.3: a KeyUpdate with more', [rawMessage('key_update', Uint8Array.of(0, 0))], 'decode_error'],
  [
    '§5.1: a KeyUpdate that another message follows',
    [rawMessage('key_update', Uint8Array.of(0)), ticket()],
    'unexpected_message',
  ],
];

function encodeTicket(length: number): Uint8Array {
  return rawMessage(
    'new_session_ticket',
    new Uint8Array(8),
    Uint8Array.of(0, length >> 8, length),
    new Uint8Array(length + 2),
  );
}

describe('after the handshake of TLS 1.3, a client refuses', () => {
  for (const [rule, messages, alert] of refused)
    it(`${rule} → ${alert}`, () => expectAlert(say(established(), ...messages), alert));

  const records: readonly [string, number, Uint8Array, AlertName][] = [
    ['§5: a ChangeCipherSpec', ContentType.change_cipher_spec, Uint8Array.of(1), 'unexpected_message'],
    ['§5.1: a handshake record without content', ContentType.handshake, EMPTY, 'unexpected_message'],
    ['§6: an alert of three bytes', ContentType.alert, Uint8Array.of(1, 0, 0), 'decode_error'],
    ['§6: two alerts in a record', ContentType.alert, Uint8Array.of(1, 90, 1, 90), 'decode_error'],
    ['§5.4: an alert without content', ContentType.alert, EMPTY, 'unexpected_message'],
    ['§5: a record type that does not exist', 25, Uint8Array.of(1), 'unexpected_message'],
  ];
  for (const [rule, type, content, alert] of records)
    it(`${rule} → ${alert}`, () => {
      const link = established();
      link.server.channel.writer.record(type, content);
      expectAlert(say(link), alert);
    });

  it('§5: a ChangeCipherSpec in the clear → unexpected_message', () => {
    const link = established();
    link.take('client', link.client.receive(Uint8Array.of(20, 3, 3, 0, 1, 1)));
    expect(link.eventsOf('client', 'failed')[0]?.error.alert).to.equal('unexpected_message');
  });

  it('§5.2: a record that does not open → bad_record_mac', () => {
    const link = established();
    link.take('client', link.client.receive(Uint8Array.of(23, 3, 3, 0, 20, ...new Uint8Array(20))));
    expect(link.eventsOf('client', 'failed')[0]?.error.alert).to.equal('bad_record_mac');
  });

  it('§5.2: a record longer than 2^14 + 256 → record_overflow', () => {
    const link = established();
    link.take('client', link.client.receive(Uint8Array.of(23, 3, 3, 65, 1)));
    expect(link.eventsOf('client', 'failed')[0]?.error.alert).to.equal('record_overflow');
  });

  it('§4.7.3: KeyUpdates without end, with nothing between → unexpected_message', () => {
    const link = established();
    for (let i = 0; i < 40 && !link.client.hasFailed; i++) link.take('server', link.server.updateKeys(false)).runSync();
    expectAlert(link, 'unexpected_message');
  });

  it('§5.5, §4.7.3: a record under the old key after a KeyUpdate → bad_record_mac', () => {
    const link = established();
    link.server.channel.writer.handshake(rawMessage('key_update', Uint8Array.of(0)));
    link.server.channel.writer.record(ContentType.application_data, Uint8Array.of(1));
    expectAlert(say(link), 'bad_record_mac');
  });
});

describe('KeyUpdate at a client', () => {
  const data = (link: Pair, side: 'client' | 'server') =>
    link.eventsOf(side, 'data').reduce((sum, event) => sum + event.data.length, 0);

  for (const [name, update] of [
    ['the server’s', (link: Pair) => link.take('server', link.server.updateKeys(false))],
    ['the server’s, with a request', (link: Pair) => link.take('server', link.server.updateKeys(true))],
    ['the client’s', (link: Pair) => link.take('client', link.client.updateKeys(false))],
    ['the client’s, with a request', (link: Pair) => link.take('client', link.client.updateKeys(true))],
    [
      'both, which cross',
      (link: Pair) => link.take('server', link.server.updateKeys(true)).take('client', link.client.updateKeys(true)),
    ],
  ] as const)
    it(`§4.7.3: ${name}: both directions go on, and tickets come`, () => {
      const link = established();
      update(link).runSync();
      link.take('server', link.server.write(Uint8Array.of(1))).take('client', link.client.write(Uint8Array.of(1)));
      link.take('server', link.server.sendTicket()).runSync();
      expectEstablished(link);
      expect([data(link, 'client'), data(link, 'server')]).to.deep.equal([1, 1]);
      expect(link.client.sessions).to.have.lengthOf(1);
    });

  it('§4.7.3: a request is answered once, before anything else, and not by a request', () => {
    const link = established();
    const { output } = link.client.receive(link.server.updateKeys(true).output);
    expect(output.length).to.equal(5 + 5 + 1 + 16);
    expect(link.server.receive(output).output.length).to.equal(0);
  });

  it('§6.1: after its close_notify it is silent', () => {
    const link = established();
    link.take('client', link.client.end()).runSync();
    const { output } = link.client.receive(link.server.updateKeys(true).output);
    expect(output.length).to.equal(0);
    expect(link.client.hasFailed).to.equal(false);
  });
});

describe('a ticket that a client gets', () => {
  const given = (body: Partial<NewSessionTicket>) => say(established(), ticket(body)).client.sessions;

  it('App. E: is of a session that has the extended main secret', () => {
    for (const session of new Meeting().sessions()) expect(session.extendedMasterSecret).to.equal(true);
  });

  it('§4.7.1: is discarded at once if its lifetime is 0', () => {
    const link = say(established(), ticket({ ticketLifetime: 0 }));
    expect(link.client.sessions).to.have.lengthOf(0);
    expect(link.eventsOf('client', 'new-session')).to.have.lengthOf(0);
    expectEstablished(link);
  });

  for (const ticketLifetime of [604801, 2 ** 32 - 1])
    it(`§4.7.1: is kept for seven days if its lifetime is ${ticketLifetime}`, () => {
      const [session] = given({ ticketLifetime });
      expect(session?.timeout).to.equal(604800);
    });

  it('§4.7.1: has extensions that it does not know, which it ignores, and early_data', () => {
    const link = say(
      established(),
      extendedTicket(rawExtension(0x3a3a, 1), rawExtension(ExtensionType.early_data, 0, 0, 64, 0)),
    );
    expectEstablished(link);
    expect(link.client.sessions).to.have.lengthOf(1);
  });

  it('§4.7.1: has a nonce, by which its PSK differs from others; one that comes twice gives the same PSK', () => {
    const link = say(
      established(),
      ticket({ ticket: Uint8Array.of(1) }),
      ticket({ ticket: Uint8Array.of(2) }),
      ticket({ ticket: Uint8Array.of(3), ticketNonce: EMPTY }),
      ticket({ ticket: Uint8Array.of(4), ticketNonce: new Uint8Array(255) }),
    );
    const psks = link.client.sessions.map(({ secret }) => secret.join());
    expect(psks).to.have.lengthOf(4);
    expect(new Set(psks).size).to.equal(3);
  });

  it('comes a hundred times', () => {
    const tickets = Array.from({ length: 100 }, (_, i) =>
      ticket({ ticketNonce: Uint8Array.of(i), ticket: Uint8Array.of(i, 1) }),
    );
    const link = say(established(), ...tickets);
    expectEstablished(link);
    expect(link.client.sessions.map(({ foreign }) => foreign.ticket?.[0])).to.deep.equal(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect(link.eventsOf('client', 'new-session')).to.have.lengthOf(100);
  });

  it('comes without end: the last 256 are held', () => {
    const told: Session[] = [];
    const link = established({ client: { sessions: { onNew: (session) => void told.push(session) } } });
    for (let i = 0; i < 3; i++)
      say(link, ...Array.from({ length: 100 }, (_, k) => ticket({ ticket: Uint8Array.of(1, i, k) })));
    expectEstablished(link);
    expect(told).to.have.lengthOf(300);
    expect(link.client.sessions).to.deep.equal(told.slice(-256));
    expect(told.map(({ holds }) => holds > 0)).to.deep.equal(told.map((_, i) => i >= 44));
  });

  it('§4.2.2: is kept if the next hello has room for it, to the byte, and else neither kept nor told', () => {
    for (const alpn of [undefined, ['a-protocol', 'another']]) {
      const meeting = new Meeting({ ...NONE, client: { ...(alpn && { alpn }), ciphers: ['TLS_AES_128_GCM_SHA256'] } });
      const first = meeting.pair();
      const seen = hellosOf(first);
      first.runSync();
      const longest = 65535 - extensionsLength(seen[0]?.raw) - (4 + 2 + 2 + 4 + 2 + 1 + 32); // §4.3.11
      const long = (length: number) => ticket({ ticket: new Uint8Array(length).fill(7) });
      say(first, long(65535), long(longest + 1), long(longest), ticket());
      const lengths = first.client.sessions.map(({ foreign }) => foreign.ticket?.length);
      expect(lengths).to.deep.equal([longest, 3]);
      expect(first.eventsOf('client', 'new-session')).to.have.lengthOf(2);
      const link = meeting.pair({ connect: { sessions: first.client.sessions.slice(0, 1) } });
      const hellos = hellosOf(link);
      link.runSync();
      expectEstablished(link);
      expect(extensionsLength(hellos[0]?.raw)).to.equal(65535);
    }
  });

  it('has no room in a hello beside others, and is left out of it', () => {
    const meeting = new Meeting(NONE);
    const first = meeting.meet();
    const long = ticket({ ticket: new Uint8Array(40_000).fill(7) });
    say(first, long, long, ticket());
    const link = meeting.pair({ connect: { sessions: first.client.sessions } });
    const hellos = hellosOf(link);
    link.runSync();
    expectEstablished(link);
    const { preSharedKey } = hellos[0]?.body.extensions ?? {};
    expect([...(preSharedKey?.identities ?? [])].map(({ identity }) => identity.length)).to.deep.equal([40_000, 3]);
  });

  it('comes without end, and is long: the last are held, of 1 MiB together', () => {
    const told: Session[] = [];
    const link = established({ client: { sessions: { cache: false, onNew: (session) => void told.push(session) } } });
    for (let i = 0; i < 40; i++) say(link, ticket({ ticket: new Uint8Array(60_000).fill(i + 1) }));
    expectEstablished(link);
    expect(told).to.have.lengthOf(40);
    const { sessions } = link.client;
    expect(sessions).to.deep.equal(told.slice(-sessions.length));
    const bytes = sessions.reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(bytes).to.be.within(2 ** 20 - 70_000, 2 ** 20);
    expect(told.map(({ holds }) => holds)).to.deep.equal(told.map((_, i) => (i < 40 - sessions.length ? 0 : 1)));
  });

  it('is kept without the message that it came in', () => {
    const long = extendedTicket(concat(Uint8Array.of(0x3a, 0x3a, 0xf0, 0), new Uint8Array(0xf000)));
    const [session] = say(established(), long).client.sessions;
    expect(session?.foreign.ticket?.buffer.byteLength).to.equal(3);
  });

  it('comes in the same flight as the server’s Finished', () => {
    const link = play({ server: { tickets: { timing: 'half-rtt', initial: 3 } } });
    expectEstablished(link);
    expect(link.client.sessions).to.have.lengthOf(3);
    expect(link.client.sessions.map(({ secret }) => secret.join()).sort()).to.have.lengthOf(3);
  });

  it('§4.7.1: is of a connection that has failed since: it is not offered again', () => {
    const link = say(established(), ticket(), rawMessage('key_update', Uint8Array.of(2)));
    expect(link.eventsOf('client', 'new-session')[0]?.session.isRuledOut).to.equal(true);
  });
});

describe('a ticket that a client offers', () => {
  /** The identities in the first hello, and the connection. */
  function offering(meeting: Meeting, sessions: readonly Session[], ticketAge?: number) {
    const link = meeting.pair({ connect: { sessions, ticketAge } });
    const hellos = hellosOf(link);
    link.runSync();
    return { link, identities: [...(hellos[0]?.body.extensions.preSharedKey?.identities ?? [])] };
  }

  it('§4.3.11.1: has an age in milliseconds since it came, to which ticket_age_add is added modulo 2^32', () => {
    const meeting = new Meeting(NONE);
    const first = meeting.meet();
    meeting.world.time += 789;
    say(first, ticket({ ticketAgeAdd: 2 ** 32 - 1 }));
    meeting.world.time += 54321;
    const { link, identities } = offering(meeting, first.client.sessions);
    expect(identities.map(({ obfuscatedTicketAge }) => obfuscatedTicketAge)).to.deep.equal([54320]);
    expectEstablished(link);
    expect(link.client.resumption).to.include({ resumed: false, reason: 'declined' });
  });

  it('§4.3.11.1: has the age that a tester states', () => {
    const meeting = new Meeting(NONE);
    const first = say(meeting.meet(), ticket({ ticketAgeAdd: 5 }));
    const { identities } = offering(meeting, first.client.sessions, 2 ** 32 - 1);
    expect(identities.map(({ obfuscatedTicketAge }) => obfuscatedTicketAge)).to.deep.equal([4]);
  });

  it('§4.3.11.1: is not older than its lifetime, not by a millisecond', () => {
    for (const millisecond of [0, 500, 999]) {
      const meeting = new Meeting(NONE);
      meeting.world.time += millisecond;
      const first = say(meeting.meet(), ticket({ ticketLifetime: 10 }));
      meeting.world.time += 10000;
      expect(offering(meeting, first.client.sessions).identities).to.have.lengthOf(1);
      meeting.world.time += 1;
      expect(offering(meeting, first.client.sessions).identities).to.have.lengthOf(0);
    }
  });

  it('§4.7.1: is not older than seven days, whatever the application makes of its timeout', () => {
    const meeting = new Meeting(NONE);
    const first = say(meeting.meet(), ticket({ ticketLifetime: 2 ** 32 - 1 }));
    for (const session of first.client.sessions) session.timeout = 2 ** 31;
    meeting.world.advance(604800);
    expect(offering(meeting, first.client.sessions).identities).to.have.lengthOf(1);
    meeting.world.advance(1);
    expect(offering(meeting, first.client.sessions).identities).to.have.lengthOf(0);
  });

  it('is as old as a tester likes, and may have been ruled out', () => {
    const meeting = new Meeting(NONE);
    const { sessions } = say(meeting.meet(), ticket({ ticketLifetime: 1 })).client;
    for (const session of sessions) session.forbidResumption();
    meeting.world.advance(8 * 24 * 3600);
    const link = meeting.pair({ connect: { sessions, forceSessions: true } });
    const hellos = hellosOf(link);
    expectEstablished(link.runSync());
    expect([...(hellos[0]?.body.extensions.preSharedKey?.identities ?? [])]).to.have.lengthOf(1);
  });

  it('§4.3.11: is one of several, of which the server takes the one that it knows', () => {
    const meeting = new Meeting();
    const [good] = meeting.sessions();
    const strangers = say(new Meeting(NONE).meet(), ticket(), ticket({ ticket: Uint8Array.of(9) })).client.sessions;
    if (good === undefined) throw new Error('no session');
    const { link, identities } = offering(meeting, [...strangers, good]);
    expectEstablished(link);
    expect(identities).to.have.lengthOf(3);
    expect(link.client.resumption).to.include({ resumed: true, identityIndex: 2, session: good });
    expect(link.server.resumption.identityIndex).to.equal(2);
  });

  it('§4.3.9: is resumed in the mode that a tester has put into the hello', () => {
    const meeting = new Meeting({ server: { pskModes: ['psk_ke', 'psk_dhe_ke'] } });
    const edits = {
      hello: ({ extensions = [] }: HelloDraft) => {
        for (const one of extensions)
          if (one.type === ExtensionType.psk_key_exchange_modes) one.data = Uint8Array.of(1, 0);
        return undefined;
      },
    };
    const link = meeting.meet({ connect: { sessions: meeting.sessions(), edits } });
    expectEstablished(link);
    expect(link.client.resumption).to.include({ resumed: true, pskMode: 'psk_ke' });
  });

  it('§2.2: comes with a key share, so that the server may decline', () => {
    const meeting = new Meeting();
    const link = meeting.pair({ connect: { sessions: meeting.sessions() } });
    const hellos = hellosOf(link);
    link.runSync();
    expect([...(hellos[0]?.body.extensions.preSharedKey?.identities ?? [])]).to.have.lengthOf.at.least(1);
    expect([...(hellos[0]?.body.extensions.keyShare ?? [])]).to.have.lengthOf(1);
    const stranger = new Meeting(); // which knows none of these tickets
    const other = pair(meeting.client, stranger.server, { client: { sessions: meeting.sessions() } }).runSync();
    expectEstablished(other);
    expect(other.client.resumption).to.include({ resumed: false, reason: 'declined' });
  });

  it('§4.3.9: comes with psk_key_exchange_modes', () => {
    const meeting = new Meeting({ client: { pskModes: ['psk_ke', 'psk_dhe_ke'] } });
    const link = meeting.pair({ connect: { sessions: meeting.sessions() } });
    const hellos = hellosOf(link);
    link.runSync();
    expect([...(hellos[0]?.body.extensions.pskKeyExchangeModes ?? [])]).to.deep.equal([0, 1]);
  });

  it('serves no second time if the server sends another in its place', () => {
    const link = play({ resumes: true, alter: [rewriting(serverHello, (body) => body)] });
    expectEstablished(link);
    expect(link.client.sessions).to.have.lengthOf(1);
    expect(link.client.session).to.equal(link.client.sessions[0]);
  });

  it('is read from OpenSSL’s DER, without the moment in which it came', () => {
    const meeting = new Meeting();
    const [session] = meeting.sessions();
    if (session === undefined) throw new Error('no session');
    meeting.world.advance(20);
    const { link } = offering(meeting, [Session.fromDer(session.toDer())]);
    expectEstablished(link);
    expect(link.client.resumption).to.include({ resumed: true });
  });
});

describe('alerts at a client of TLS 1.3', () => {
  for (const [level, description] of [
    [1, AlertDescription.handshake_failure],
    [2, AlertDescription.internal_error],
    [1, 200],
  ] as const)
    it(`§6: alert ${description} of level ${level} is an error, and nothing is sent for it`, () => {
      const link = established();
      link.server.channel.writer.record(ContentType.alert, Uint8Array.of(level, description));
      say(link);
      expect(link.eventsOf('client', 'failed')[0]?.error.origin).to.equal('remote');
      expect(link.eventsOf('client', 'alert').filter(({ direction }) => direction === 'sent')).to.have.lengthOf(0);
    });

  it('§6.1: user_canceled is ignored', () => {
    const link = established();
    link.server.channel.writer.record(ContentType.alert, Uint8Array.of(1, AlertDescription.user_canceled));
    expectEstablished(say(link));
  });

  it('§6.1: close_notify ends one direction, and what comes after it is ignored', () => {
    const link = established();
    link.server.channel.writer.record(ContentType.alert, Uint8Array.of(2, AlertDescription.close_notify));
    link.server.channel.writer.record(ContentType.application_data, Uint8Array.of(1));
    say(link);
    expect(link.eventsOf('client', 'end')).to.have.lengthOf(1);
    expect(link.eventsOf('client', 'data')).to.have.lengthOf(0);
    link.take('client', link.client.write(Uint8Array.of(1))).runSync();
    expect(link.eventsOf('server', 'data')).to.have.lengthOf(1);
  });
});
