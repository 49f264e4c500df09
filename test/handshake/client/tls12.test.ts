/** TLS 1.2: what a client refuses, in full handshakes and abbreviated ones. RFC 5246, 5077, 5746, 6066, 7627, 8422. */

import { expect } from 'chai';
import type { HelloDraft } from '../../../src/handshake/client/hello-draft.ts';
import { certificateTls12 } from '../../../src/handshake/messages/certificate.ts';
import { certificateRequestTls12 } from '../../../src/handshake/messages/certificate-request.ts';
import { finished } from '../../../src/handshake/messages/finished.ts';
import { frame } from '../../../src/handshake/messages/message.ts';
import { newSessionTicketTls12 } from '../../../src/handshake/messages/new-session-ticket.ts';
import { type ServerHelloTls12, serverHelloTls12 } from '../../../src/handshake/messages/server-hello.ts';
import { serverHelloDone } from '../../../src/handshake/messages/server-hello-done.ts';
import { type ServerKeyExchange, serverKeyExchange } from '../../../src/handshake/messages/server-key-exchange.ts';
import type { Session } from '../../../src/sessions/session.ts';
import { type Pair, pair } from '../../../src/testing/pair.ts';
import { concat, EMPTY } from '../../../src/wire/bytes.ts';
import {
  AlertDescription,
  AlertLevel,
  CipherSuite,
  ContentType,
  ExtensionType,
  NamedGroup,
  SignatureScheme,
} from '../../../src/wire/registry.ts';
import {
  type Alteration,
  expectAlert,
  expectEstablished,
  extensionsLength,
  extensionsOfHello,
  hellosOf,
  Meeting,
  play,
  type Rule,
  rawExtension,
  rawMessage,
  rewriting,
  type Script,
  say,
  sending,
  table,
  withByte,
  withExtensions,
} from '../../support/client-exchange.ts';
import { synchronousProvider } from '../../support/provider.ts';
import { credential } from '../../support/servers.ts';

const TLS12 = { version: 'TLSv1.2' } as const;
const STATELESS = { ...TLS12, server: { tickets: { mode: 'stateless' } } } as const;
const ASKING = {
  ...TLS12,
  server: { clientAuth: { mode: 'request', verifyClient: () => true }, sessions: { idContext: Uint8Array.of(1) } },
} as const;

const hello = (change: (body: ServerHelloTls12) => Partial<ServerHelloTls12>) =>
  rewriting(serverHelloTls12, (body) => ({ ...body, ...change(body) }));
const extended = (answers: ServerHelloTls12['extensions']) =>
  hello(({ extensions }) => ({ extensions: { ...extensions, ...answers } }));
const adding = (type: number, ...data: number[]) =>
  sending(serverHelloTls12, (raw) => withExtensions(raw, extensionsOfHello(raw), rawExtension(type, ...data)));
const key = (change: (body: ServerKeyExchange) => Partial<ServerKeyExchange>) =>
  rewriting(serverKeyExchange, (body) => ({ ...body, ...change(body) }));
const point = (change: (point: Uint8Array) => Uint8Array) =>
  key(({ params }) => ({ params: { ...params, point: change(params.point) } }));
const signed = (change: Partial<ServerKeyExchange['signed']>) =>
  key((body) => ({ signed: { ...body.signed, ...change } }));
const flip = (bytes: Uint8Array, at: number) => withByte(bytes, at, (bytes[at] as number) ^ 1);

/** Writes a record before a message. */
const before = (message: Parameters<typeof sending>[0], type: number, ...content: number[]): Alteration =>
  sending(message, (raw, { channel }) => {
    channel.writer.record(type, Uint8Array.from(content));
    return raw;
  });

/** Has the server write another content, or nothing, instead of its ChangeCipherSpec. */
const change = (content: Uint8Array | undefined): Alteration =>
  sending(serverHelloTls12, (raw, { channel }) => {
    channel.writer.changeCipherSpec = () => {
      if (content !== undefined) channel.writer.record(ContentType.change_cipher_spec, content);
    };
    return raw;
  });

const hellos: Rule[] = [
  {
    rule: 'RFC 5246 §7.4.1.3: the suite is one that was offered',
    client: { ciphers: ['TLS_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] },
    alter: [hello(() => ({ cipherSuite: CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 9846 §4.2.3: the suite is not of TLS 1.3',
    alter: [hello(() => ({ cipherSuite: CipherSuite.TLS_AES_128_GCM_SHA256 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5246 §7.4.1.3: there is no compression',
    alter: [hello(() => ({ legacyCompressionMethod: 1 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5246 §7.4.1.3: a session id has at most 32 bytes',
    alter: [sending(serverHelloTls12, (raw) => withByte(raw, 4 + 34, 33))],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 5246 §7.4.1.3: no echo of an id that is no session’s',
    alter: [
      sending(serverHelloTls12, (raw) => {
        const id = lastId.get();
        return rawMessage(
          'server_hello',
          raw.subarray(4, 38),
          Uint8Array.of(id.length),
          id,
          raw.subarray(39 + (raw[38] as number)),
        );
      }),
    ],
    connect: { edits: { hello: ({ legacySessionId }) => void lastId.set(legacySessionId) } },
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5246 §7.4.1.4: an extension that was not offered',
    alter: [adding(0x3a3a)],
    alert: 'unsupported_extension',
  },
  {
    rule: 'RFC 5077 §3.2: no session_ticket unless it was offered',
    client: { sessionTicket: false },
    alter: [adding(ExtensionType.session_ticket)],
    alert: 'unsupported_extension',
  },
  {
    rule: 'RFC 6066 §3: no server_name unless it was offered',
    alter: [adding(ExtensionType.server_name)],
    alert: 'unsupported_extension',
  },
  {
    rule: 'RFC 9846 §4.3: an extension of TLS 1.3',
    alter: [adding(ExtensionType.key_share, 0, 29, 0, 1, 1)],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5246 §7.4.1.4: an extension that comes twice',
    alter: [adding(ExtensionType.renegotiation_info, 0)],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5746 §3.4: renegotiated_connection is empty',
    alter: [extended({ renegotiationInfo: Uint8Array.of(1) })],
    alert: 'handshake_failure',
  },
  {
    rule: 'RFC 8422 §5.1.2: ec_point_formats has the uncompressed one',
    alter: [extended({ ecPointFormats: [1, 2] })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 7627 §5.1: extended_master_secret is empty',
    alter: [extended({ extendedMasterSecret: undefined }), adding(ExtensionType.extended_master_secret, 0)],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 7627 §5.2: extended_master_secret, if it is required',
    client: { requireExtendedMasterSecret: true },
    alter: [extended({ extendedMasterSecret: undefined })],
    alert: 'handshake_failure',
  },
  {
    rule: 'RFC 5077 §3.2: session_ticket is empty',
    alter: [adding(ExtensionType.session_ticket, 1)],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 7301 §3.1: one protocol',
    client: { alpn: ['h2', 'http/1.1'] },
    alter: [extended({ alpn: ['h2', 'http/1.1'] })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 7301 §3.2: a protocol that was offered',
    client: { alpn: ['h2'] },
    alter: [extended({ alpn: ['h3'] })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 6066 §4: the length that was asked for',
    client: { maxFragmentLength: 512 },
    alter: [extended({ maxFragmentLength: 4 })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5246 §7.4.1.3: a byte behind the extensions',
    alter: [sending(serverHelloTls12, (raw) => rawMessage('server_hello', raw.subarray(4), Uint8Array.of(0)))],
    alert: 'decode_error',
  },
];

/** The session id of the last hello. */
const lastId = {
  id: EMPTY,
  get: () => lastId.id,
  set: (id: Uint8Array) => {
    lastId.id = id;
  },
};

const keys: Rule[] = [
  {
    rule: 'RFC 5246 §7.4.2: Certificate is not empty',
    alter: [rewriting(certificateTls12, () => ({ certificateList: [] }))],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 5246 §7.4.2: the first is a certificate',
    alter: [rewriting(certificateTls12, () => ({ certificateList: [Uint8Array.of(0x30, 1, 0)] }))],
    alert: 'bad_certificate',
  },
  {
    rule: 'RFC 5246 §7.4.2: the list ends with the message',
    alter: [sending(certificateTls12, () => rawMessage('certificate', Uint8Array.of(0, 0, 9, 0, 0, 1, 1)))],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 5246 §7.4.3: ServerKeyExchange is not left out',
    alter: [sending(serverKeyExchange, () => EMPTY)],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.3: Certificate comes once',
    alter: [sending(certificateTls12, (raw) => concat(raw, raw))],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 8422 §5.4: the curve is a named one',
    alter: [sending(serverKeyExchange, (raw) => withByte(raw, 4, 1))],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 8422 §5.4: the group is one that was offered',
    client: { groups: ['secp256r1'] },
    alter: [key(({ params }) => ({ params: { ...params, namedCurve: NamedGroup.x25519 } }))],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 8422 §5.4: the signature covers the point',
    alter: [point((bytes) => flip(bytes, 3))],
    alert: 'decrypt_error',
  },
  {
    rule: 'RFC 8422 §5.4: a point is not empty',
    alter: [sending(serverKeyExchange, (raw) => withByte(raw, 7, 0))],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 8422 §5.4: the signature covers the randoms',
    alter: [hello(({ random: sent }) => ({ random: flip(sent, 5) }))],
    alert: 'decrypt_error',
  },
  {
    rule: 'RFC 5246 §7.4.3: the signature verifies',
    alter: [key((body) => ({ signed: { ...body.signed, signature: flip(body.signed.signature, 15) } }))],
    alert: 'decrypt_error',
  },
  {
    rule: 'RFC 5246 §7.4.3: the scheme is one that was offered',
    client: { signatureAlgorithms: ['ecdsa_secp256r1_sha256'] },
    alter: [signed({ algorithm: SignatureScheme.ecdsa_secp384r1_sha384 })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5246 §7.4.3: the scheme is not of SHA-1, which was not offered',
    alter: [signed({ algorithm: 0x0203 })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5246 §7.4.3: the scheme is for the key',
    alter: [signed({ algorithm: SignatureScheme.ed25519 })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5246 §7.4.2: the scheme is for the suite, which says ECDSA',
    alter: [signed({ algorithm: SignatureScheme.rsa_pss_rsae_sha256 })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5246 §7.4.2: the suite is for the key, which is not RSA’s',
    alter: [hello(() => ({ cipherSuite: CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5246 §7.4.5: ServerHelloDone is empty',
    alter: [sending(serverHelloDone, () => rawMessage('server_hello_done', Uint8Array.of(0)))],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 5246 §7.3: ServerHelloDone comes last',
    alter: [
      sending(serverHelloDone, (raw, { channel }) => {
        channel.writer.handshake(raw); // which the server does not hash
        return raw;
      }),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.3: CertificateRequest comes after ServerKeyExchange',
    ...ASKING,
    alter: [sending(serverKeyExchange, (raw) => concat(rawMessage('certificate_request', new Uint8Array(9)), raw))],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.3: CertificateRequest comes once',
    ...ASKING,
    alter: [sending(certificateRequestTls12, (raw) => concat(raw, raw))],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.4.4: CertificateRequest names types',
    ...ASKING,
    alter: [
      sending(certificateRequestTls12, () => rawMessage('certificate_request', Uint8Array.of(0, 0, 2, 4, 3, 0, 0))),
    ],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 5246 §7.4.4: CertificateRequest names algorithms',
    ...ASKING,
    alter: [
      sending(certificateRequestTls12, () => rawMessage('certificate_request', Uint8Array.of(1, 64, 0, 0, 0, 0))),
    ],
    alert: 'decode_error',
  },
];

const ends: Rule[] = [
  {
    rule: 'RFC 5246 §7.4.9: Finished verifies',
    alter: [rewriting(finished, ({ verifyData }) => ({ verifyData: flip(verifyData, 0) }))],
    alert: 'decrypt_error',
  },
  {
    rule: 'RFC 5246 §7.4.9: Finished has twelve bytes',
    alter: [rewriting(finished, ({ verifyData }) => ({ verifyData: verifyData.subarray(1) }))],
    alert: 'decode_error',
  },
  { rule: 'RFC 5246 §7.1: ChangeCipherSpec is not left out', alter: [change(undefined)], alert: 'unexpected_message' },
  { rule: 'RFC 5246 §7.1: ChangeCipherSpec is 1', alter: [change(Uint8Array.of(2))], alert: 'unexpected_message' },
  {
    rule: 'RFC 5246 §7.1: ChangeCipherSpec is one byte',
    alter: [change(Uint8Array.of(1, 1))],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.1: ChangeCipherSpec does not come before the keys',
    alter: [before(serverKeyExchange, ContentType.change_cipher_spec, 1)],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.1: ChangeCipherSpec does not come twice',
    alter: [before(finished, ContentType.change_cipher_spec, 1)],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.1: ChangeCipherSpec does not come within a message',
    alter: [
      sending(serverKeyExchange, (raw, { channel }) => {
        channel.writer.record(ContentType.handshake, raw.subarray(0, 5));
        channel.writer.record(ContentType.change_cipher_spec, Uint8Array.of(1));
        return raw.subarray(5);
      }),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.4.9: nothing but Finished follows ChangeCipherSpec',
    alter: [sending(finished, () => frame(serverHelloDone, {}))],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.4.9: no application data before Finished',
    alter: [before(finished, ContentType.application_data, 1)],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §6.2.1: no application data in the clear',
    alter: [before(serverKeyExchange, ContentType.application_data, 1)],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §6.2.1: no handshake record without content',
    alter: [before(serverKeyExchange, ContentType.handshake)],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.2: no alert of one byte',
    alter: [before(serverKeyExchange, ContentType.alert, 1)],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 5246 §7.4.1.1: no HelloRequests without end',
    alter: [
      sending(serverKeyExchange, (raw) => concat(...Array.from({ length: 5 }, () => rawMessage('hello_request')), raw)),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.4.1.1: a HelloRequest is empty',
    alter: [sending(serverKeyExchange, (raw) => concat(rawMessage('hello_request', Uint8Array.of(0)), raw))],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 5077 §3.3: a ticket that was promised comes',
    ...STATELESS,
    alter: [sending(newSessionTicketTls12, () => EMPTY)],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5077 §3.3: a ticket that was not promised does not come',
    ...STATELESS,
    alter: [extended({ sessionTicket: undefined })],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5077 §3.3: a ticket comes before ChangeCipherSpec',
    ...STATELESS,
    alter: [
      sending(newSessionTicketTls12, () => EMPTY),
      sending(finished, (raw) => concat(frame(newSessionTicketTls12, { ticketLifetimeHint: 1, ticket: EMPTY }), raw)),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5077 §3.3: a ticket comes after ServerHelloDone',
    ...STATELESS,
    alter: [
      sending(certificateTls12, (raw) =>
        concat(frame(newSessionTicketTls12, { ticketLifetimeHint: 1, ticket: EMPTY }), raw),
      ),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5077 §3.3: a ticket is a vector that ends with its message',
    ...STATELESS,
    alter: [sending(newSessionTicketTls12, () => rawMessage('new_session_ticket', Uint8Array.of(0, 0, 0, 0, 0, 2, 1)))],
    alert: 'decode_error',
  },
];

const resumptions: Rule[] = [
  {
    rule: 'RFC 5246 §7.4.1.3: the suite is that of the session',
    alter: [hello(() => ({ cipherSuite: CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 5246 §7.4.1.3: the suite is that of the session, not another of its hash',
    alter: [hello(() => ({ cipherSuite: CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 7627 §5.3: extended_master_secret as in the session',
    alter: [extended({ extendedMasterSecret: undefined })],
    alert: 'handshake_failure',
  },
  {
    rule: 'RFC 5246 §7.4.9: Finished verifies',
    alter: [rewriting(finished, ({ verifyData }) => ({ verifyData: flip(verifyData, 11) }))],
    alert: 'decrypt_error',
  },
  {
    rule: 'RFC 5246 §7.3: no Certificate after the echo of the id',
    alter: [
      sending(serverHelloTls12, (raw) => concat(raw, frame(certificateTls12, { certificateList: [Uint8Array.of(1)] }))),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5077 §3.3: no ticket that was not promised',
    alter: [
      sending(serverHelloTls12, (raw) =>
        concat(raw, frame(newSessionTicketTls12, { ticketLifetimeHint: 0, ticket: Uint8Array.of(1) })),
      ),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5077 §3.3: a ticket that was promised',
    alter: [extended({ sessionTicket: true })],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5246 §7.3: no abbreviated handshake without the echo of the id',
    alter: [hello(() => ({ legacySessionIdEcho: Uint8Array.of(1, 2, 3) }))],
    alert: 'unexpected_message',
  },
  {
    rule: 'RFC 5746 §3.4: renegotiated_connection is empty',
    alter: [extended({ renegotiationInfo: new Uint8Array(12) })],
    alert: 'handshake_failure',
  },
];

table(
  'a ServerHello of TLS 1.2',
  hellos.map((rule) => ({ ...TLS12, ...rule })),
);
table(
  'the certificate and the key of a server of TLS 1.2',
  keys.map((rule) => ({ ...TLS12, ...rule })),
);
table(
  'the end of a handshake of TLS 1.2',
  ends.map((rule) => ({ ...TLS12, ...rule })),
);
table(
  'the resumption of a session of TLS 1.2',
  resumptions.map((rule) => ({ ...TLS12, resumes: true, ...rule })),
);
table(
  'the resumption of a ticket of TLS 1.2',
  resumptions.slice(0, 3).map((rule) => ({ ...STATELESS, resumes: true, ...rule })),
);

describe('a full handshake of TLS 1.2', () => {
  it('RFC 8422 §5.4: a point that is on no curve, with a good signature → illegal_parameter', () => {
    const key = {
      publicKey: withByte(new Uint8Array(65).fill(7), 0, 4),
      agree: () => new Uint8Array(32),
      wipe: () => {},
    };
    const crypto = { ...synchronousProvider, groups: { secp256r1: { generate: () => key } } };
    expectAlert(play({ ...TLS12, server: { crypto } }), 'illegal_parameter');
  });

  it('RFC 5246 §7.4.3: of an RSA key, with either of its schemes', async () => {
    for (const scheme of ['rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256'] as const) {
      const client = { signatureAlgorithms: [scheme] };
      const link = await new Meeting({ ...TLS12, client, server: { credentials: [credential('rsa2048')] } })
        .pair()
        .run();
      expectEstablished(link);
      expect(link.client.signatureScheme).to.equal(scheme);
    }
  });

  it('RFC 5246 §7.4.1.1: HelloRequests in the handshake are ignored, and not hashed', () => {
    const link = new Meeting(TLS12).pair();
    const { writer } = link.server.channel;
    const handshake = writer.handshake.bind(writer);
    writer.handshake = (raw) => {
      handshake(rawMessage('hello_request'));
      handshake(raw);
    };
    const changeCipherSpec = writer.changeCipherSpec.bind(writer);
    writer.changeCipherSpec = () => {
      handshake(rawMessage('hello_request'));
      changeCipherSpec();
    };
    expectEstablished(link.runSync());
  });

  it('takes supported_groups in ServerHello, as some servers send it', () => {
    expectEstablished(play({ ...TLS12, alter: [adding(ExtensionType.supported_groups, 0, 2, 0, 29)] }));
  });

  it('RFC 5246 §7.4.1.4: takes a ServerHello without extensions', () => {
    const alter = [
      sending(serverHelloTls12, (raw) => rawMessage('server_hello', raw.subarray(4, 4 + extensionsOfHello(raw)))),
    ];
    const edits = {
      hello: (draft: HelloDraft) => ({
        ...draft,
        extensions: draft.extensions?.filter(({ type }) => type !== ExtensionType.extended_master_secret),
      }),
    };
    expectEstablished(play({ ...TLS12, alter, connect: { edits } }));
  });

  it('RFC 5246 §7.2.2: warnings are ignored', () => {
    expectEstablished(
      play({ ...TLS12, alter: [before(serverKeyExchange, ContentType.alert, 1, AlertDescription.unrecognized_name)] }),
    );
  });

  it('RFC 5246 §7.4.6: shows no certificate of a type that is not asked for', () => {
    for (const [type, shows] of [
      [64, true],
      [1, false],
    ] as const) {
      let seen = false;
      const server = {
        ...ASKING.server,
        clientAuth: {
          mode: 'request',
          verifyClient: () => {
            seen = true;
            return true;
          },
        },
      } as const;
      const alter = [rewriting(certificateRequestTls12, (body) => ({ ...body, certificateTypes: [type] }))];
      expectEstablished(play({ ...TLS12, client: { credential: credential('ed25519') }, server, alter }));
      expect(seen).to.equal(shows);
    }
  });
});

describe('after the handshake of TLS 1.2', () => {
  const warnings = (link: Pair) =>
    link
      .eventsOf('client', 'alert')
      .filter(({ direction }) => direction === 'sent')
      .map(({ level, description }) => [level, description]);
  const NO_RENEGOTIATION = [AlertLevel.warning, AlertDescription.no_renegotiation];

  it('RFC 5246 §7.4.1.1, RFC 5746 §5: a HelloRequest is refused by a warning, and the connection goes on', () => {
    const link = play(TLS12);
    say(link, rawMessage('hello_request'));
    expect(warnings(link)).to.deep.equal([NO_RENEGOTIATION]);
    link.take('client', link.client.write(Uint8Array.of(1))).runSync();
    expect(link.eventsOf('server', 'data')).to.have.lengthOf(1);
  });

  it('so are four, and the fifth → unexpected_message', () => {
    const link = play(TLS12);
    for (let i = 0; i < 4; i++) say(link, rawMessage('hello_request'));
    expect(warnings(link)).to.deep.equal(new Array(4).fill(NO_RENEGOTIATION));
    say(link, rawMessage('hello_request'));
    expect(link.eventsOf('client', 'failed')[0]?.error.alert).to.equal('unexpected_message');
  });

  for (const [rule, message, alert] of [
    ['a HelloRequest that is not empty', rawMessage('hello_request', Uint8Array.of(0)), 'decode_error'],
    ['a ServerHello', rawMessage('server_hello', new Uint8Array(40)), 'unexpected_message'],
    ['a ticket', rawMessage('new_session_ticket', new Uint8Array(6)), 'unexpected_message'],
    ['a KeyUpdate', rawMessage('key_update', Uint8Array.of(0)), 'unexpected_message'],
  ] as const)
    it(`RFC 5246 §7.4: ${rule} → ${alert}`, () => expectAlert(say(play(TLS12), message), alert));

  it('RFC 5246 §7.1: a ChangeCipherSpec → unexpected_message', () => {
    const link = play(TLS12);
    link.server.channel.writer.record(ContentType.change_cipher_spec, Uint8Array.of(1));
    expectAlert(say(link), 'unexpected_message');
  });
});

describe('a session of TLS 1.2', () => {
  /** A resumption of what a good handshake has left, and both connections. */
  function resumed(script: Script, connect: Script['connect'] = {}, alter: readonly Alteration[] = []) {
    const meeting = new Meeting(script);
    const first = meeting.meet();
    expectEstablished(first);
    meeting.world.advance(5);
    const link = meeting.pair({ connect: { sessions: first.client.sessions, ...connect }, alter });
    const sent = hellosOf(link);
    return { first, link: link.runSync(), hello: () => sent[0]?.body ?? expect.fail('no hello') };
  }
  const withoutId = { edits: { hello: (draft: HelloDraft) => ({ ...draft, legacySessionId: EMPTY }) } };
  const RENEWING = {
    ...TLS12,
    server: { tickets: { mode: 'stateless', onDecrypt: (session) => (session ? 'use-renew' : 'ignore-renew') } },
  } satisfies Script;

  it('RFC 5246 §7.3: is resumed by its id, and stays the one', () => {
    const { first, link, hello: sent } = resumed(TLS12);
    expectEstablished(link);
    const [session] = first.client.sessions;
    expect(sent().legacySessionId).to.deep.equal(session?.id);
    expect(link.client.resumption).to.include({ resumed: true, mechanism: 'session-id', session });
    expect(link.client.session).to.equal(session);
    expect(link.client.sessions).to.have.lengthOf(0);
  });

  it('RFC 5077 §3.4: is resumed by its ticket, with an id by whose echo the client knows', () => {
    const { first, link, hello: sent } = resumed(STATELESS);
    expectEstablished(link);
    const [session] = first.client.sessions;
    expect(sent().extensions.sessionTicket).to.deep.equal(session?.foreign.ticket);
    expect(sent().legacySessionId).to.have.lengthOf(32);
    expect(link.client.resumption).to.include({ resumed: true, mechanism: 'ticket', session });
  });

  it('RFC 5077 §3.4: is resumed by its ticket without an id, which only the next message shows', () => {
    const { link } = resumed(STATELESS, withoutId);
    expectEstablished(link);
    expect(link.client.resumption).to.include({ resumed: true, mechanism: 'ticket' });
  });

  it('RFC 5077 §3.4: the same, with a full handshake instead', () => {
    const meeting = new Meeting(STATELESS);
    const sessions = meeting.sessions();
    const link = new Meeting(STATELESS).meet({ connect: { sessions, ...withoutId } });
    expectEstablished(link);
    expect(link.client.resumption).to.include({ resumed: false, reason: 'declined' });
  });

  for (const [name, connect] of [
    ['with an id', {}],
    ['without one', withoutId],
  ] as const)
    it(`RFC 5077 §3.3: is resumed by its ticket ${name}, and gets a new one`, () => {
      const { first, link } = resumed(RENEWING, connect);
      expectEstablished(link);
      expect(link.client.resumption.resumed).to.equal(true);
      const [[old], [renewed]] = [first.client.sessions, link.client.sessions];
      expect(renewed?.secret).to.deep.equal(old?.secret);
      expect(renewed?.foreign.ticket).to.not.deep.equal(old?.foreign.ticket);
      expect(renewed?.authTime).to.equal(old?.authTime);
      expect(renewed?.peerCertificate).to.deep.equal(old?.peerCertificate);
    });

  it('RFC 5077 §3.3: is resumed by its ticket, which stays the one if the new one is empty', () => {
    const { first, link } = resumed(RENEWING, {}, [
      rewriting(newSessionTicketTls12, () => ({ ticketLifetimeHint: 0, ticket: EMPTY })),
    ]);
    expectEstablished(link);
    expect(link.client.sessions).to.have.lengthOf(0);
    expect(link.client.session).to.equal(first.client.sessions[0]);
  });

  it('RFC 5077 §3.3: is none if neither a ticket comes nor an id', () => {
    const link = play({
      ...STATELESS,
      alter: [rewriting(newSessionTicketTls12, () => ({ ticketLifetimeHint: 0, ticket: EMPTY }))],
    });
    expectEstablished(link);
    expect(link.client.sessions).to.have.lengthOf(0);
  });

  it('RFC 5077 §3.4: has its ticket, and not the id of the ServerHello', () => {
    const alter = [hello(() => ({ legacySessionIdEcho: Uint8Array.of(9) }))];
    const [session] = play({ ...STATELESS, alter }).client.sessions;
    expect(session?.id).to.have.lengthOf(32);
    expect(session?.foreign.ticket?.length).to.be.above(0);
  });

  it('RFC 5077 §3.3: lives as long as the hint, or if that is 0 as the settings say', () => {
    for (const [ticketLifetimeHint, timeout] of [
      [77, 77],
      [0, 33],
      [604_800, 604_800],
      [604_801, 604_800], // at most the seven days of RFC 9846 §4.7.1: a client may delete it earlier
      [2 ** 32 - 1, 604_800],
    ] as const) {
      const alter = [rewriting(newSessionTicketTls12, (body) => ({ ...body, ticketLifetimeHint }))];
      const [session] = play({ ...STATELESS, client: { sessions: { timeout: 33 } }, alter }).client.sessions;
      expect(session?.timeout).to.equal(timeout);
    }
  });

  it('RFC 5246 §7.4.1.2: has a ticket for which the next hello has room, to the byte, or is not kept', () => {
    const meeting = new Meeting(STATELESS);
    const withTicket = (length: number) => [
      rewriting(newSessionTicketTls12, (body) => ({ ...body, ticket: new Uint8Array(length).fill(1) })),
    ];
    const first = meeting.pair();
    const hellos = hellosOf(first);
    first.runSync();
    const longest = 65_535 - extensionsLength(hellos[0]?.raw);
    for (const length of [65_535, longest + 1])
      expect(meeting.meet({ alter: withTicket(length) }).client.sessions).to.have.lengthOf(0);
    const { sessions } = meeting.meet({ alter: withTicket(longest) }).client;
    const link = meeting.pair({ connect: { sessions } });
    const sent = hellosOf(link);
    link.runSync();
    expectEstablished(link);
    expect(sent[0]?.body.extensions.sessionTicket).to.have.lengthOf(longest);
    expect(extensionsLength(sent[0]?.raw)).to.equal(65_535);
  });

  it('RFC 5077 §3.3: has a ticket that is kept without the message that it came in', () => {
    const [session] = play(STATELESS).client.sessions;
    expect(session?.foreign.ticket?.buffer.byteLength).to.equal(session?.foreign.ticket?.length);
  });

  it('RFC 7627 §5.3: of the master secret of RFC 5246 is not resumed by a server that has the extension → handshake_failure', () => {
    const meeting = new Meeting(TLS12);
    const sessions: readonly Session[] = meeting.sessions().map((one) => one.dup({ extendedMasterSecret: false }));
    expectAlert(meeting.meet({ connect: { sessions, forceSessions: true } }), 'handshake_failure');
  });

  for (const tickets of [{ mode: 'stateful' }, { mode: 'stateless' }] as const)
    it(`RFC 7627 §5.3: of the master secret of RFC 5246 is not offered, but a full handshake, ${tickets.mode}`, () => {
      const meeting = new Meeting({ ...TLS12, client: { maxVersion: 'TLSv1.2' }, server: { tickets } });
      const sessions: readonly Session[] = meeting.sessions().map((one) => one.dup({ extendedMasterSecret: false }));
      const link = meeting.pair({ connect: { sessions } });
      const hellos = hellosOf(link);
      expectEstablished(link.runSync());
      const [hello] = hellos;
      expect(hello?.body.legacySessionId).to.have.lengthOf(0);
      expect(hello?.body.extensions.sessionTicket).to.have.lengthOf(0);
      expect(link.client.resumption).to.include({ resumed: false, reason: 'not-offered' });
    });

  it('RFC 7627 §5.3: has the extension in the hello that offers it', () => {
    const { hello: sent } = resumed(TLS12);
    expect(sent().extensions.extendedMasterSecret).to.equal(true);
  });

  it('RFC 5246 §7.4.1.2: has its suite in the hello that offers it', () => {
    const { first, hello: sent } = resumed(TLS12);
    expect(sent().cipherSuites.includes(first.client.sessions[0]?.cipherSuite ?? 0)).to.equal(true);
  });

  it('is offered beside PSKs, and each server takes its own', () => {
    const meetings = (['TLSv1.3', 'TLSv1.2'] as const).map((version) => new Meeting({ version }));
    const sessions = meetings.flatMap((meeting) => meeting.sessions());
    expect(sessions.map(({ version }) => version)).to.deep.equal(['TLSv1.3', 'TLSv1.3', 'TLSv1.2']);
    for (const [i, meeting] of meetings.entries()) {
      const link = meeting.meet({ connect: { sessions } });
      expectEstablished(link);
      expect(link.client.resumption).to.include({ resumed: true, mechanism: i === 0 ? 'psk' : 'session-id' });
    }
  });

  it('is not resumed by a server that selects TLS 1.3', () => {
    const sessions = new Meeting(TLS12).sessions();
    const link = new Meeting().meet({ connect: { sessions } });
    expectEstablished(link);
    expect(link.client.resumption).to.include({ resumed: false, reason: 'version' });
  });

  it('RFC 6066 §4: keeps its max_fragment_length, also for a client that does not ask again', () => {
    const server = { tickets: { mode: 'stateless' } } as const;
    const asking = new Meeting({ ...TLS12, client: { maxFragmentLength: 512 }, server });
    const { sessions } = asking.meet().client;
    const link = pair(new Meeting(TLS12).client, asking.server, { client: { sessions } }).runSync();
    expectEstablished(link);
    expect(link.client.resumption.resumed).to.equal(true);
    const { output } = link.client.write(new Uint8Array(1024));
    expect(output.length).to.equal(2 * (5 + 8 + 512 + 16));
  });

  it('RFC 6066 §1.1, §4: binds the server to its max_fragment_length where that is asked for again, and not answered', () => {
    for (const [length, alert] of [
      [512, undefined],
      [513, 'record_overflow'],
    ] as const) {
      const asking = new Meeting({ ...TLS12, client: { maxFragmentLength: 512 } });
      const link = asking.meet({ connect: { sessions: asking.sessions() } });
      expectEstablished(link);
      expect(link.client.resumption.resumed).to.equal(true);
      link.server.channel.writer.record(ContentType.application_data, new Uint8Array(length));
      say(link);
      expect(link.eventsOf('client', 'failed').map(({ error }) => error.alert)).to.deep.equal(alert ? [alert] : []);
    }
  });

  it('RFC 5246 §7.2.2: is not offered again after a fatal alert', () => {
    const link = play(TLS12);
    const [session] = link.client.sessions;
    link.server.channel.writer.record(ContentType.alert, Uint8Array.of(2, 80));
    say(link);
    expect(session?.isRuledOut).to.equal(true);
  });
});
