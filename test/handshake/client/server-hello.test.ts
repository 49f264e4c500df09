/** ServerHello: what a client refuses in it, and with which alert. RFC 9846 §4.2.3, §4.3. */

import { expect } from 'chai';
import type { ClientOptions } from '../../../src/engine/client/options.ts';
import { certificate } from '../../../src/handshake/messages/certificate.ts';
import { clientHello } from '../../../src/handshake/messages/client-hello.ts';
import { encryptedExtensions } from '../../../src/handshake/messages/encrypted-extensions.ts';
import { finished } from '../../../src/handshake/messages/finished.ts';
import { frame, type Message } from '../../../src/handshake/messages/message.ts';
import { type ServerHello, serverHello, serverHelloTls12 } from '../../../src/handshake/messages/server-hello.ts';
import { concat, EMPTY, fromHex } from '../../../src/wire/bytes.ts';
import {
  AlertDescription,
  AlertLevel,
  CipherSuite,
  ContentType,
  ExtensionType,
  NamedGroup,
  ProtocolVersion,
  type Version,
} from '../../../src/wire/registry.ts';
import {
  expectAlert,
  expectEstablished,
  extensionsOfHello,
  Meeting,
  play,
  rawExtension,
  rawMessage,
  rewriting,
  sending,
  table,
  withByte,
  withExtensions,
} from '../../support/client-exchange.ts';

const hello = (change: (body: ServerHello) => Partial<ServerHello>) => [
  rewriting(serverHello, (body) => ({ ...body, ...change(body) })),
];
const extended = (change: (extensions: ServerHello['extensions']) => ServerHello['extensions']) =>
  hello(({ extensions }) => ({ extensions: { ...extensions, ...change(extensions) } }));
/** ServerHello with one more extension, given as bytes. */
const adding = (type: number, ...data: number[]) => [
  sending(serverHello, (raw) => withExtensions(raw, extensionsOfHello(raw), rawExtension(type, ...data))),
];
const PSK_KE = { client: { pskModes: ['psk_ke'] }, server: { pskModes: ['psk_ke'] } } as const;
const BOTH = ['psk_dhe_ke', 'psk_ke'] as const;

table('a ServerHello of TLS 1.3', [
  {
    rule: '§4.2.3: legacy_version is 0x0303, not 0x0304',
    alter: hello(() => ({ legacyVersion: 0x0304 })),
    alert: 'protocol_version',
  },
  {
    rule: '§4.2.3: legacy_version is 0x0303, not 0x0301',
    alter: hello(() => ({ legacyVersion: 0x0301 })),
    alert: 'protocol_version',
  },
  {
    rule: '§4.2.3: legacy_session_id_echo is what the client sent',
    alter: hello(({ legacySessionIdEcho }) => ({ legacySessionIdEcho: legacySessionIdEcho.map((byte) => byte ^ 1) })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.3: legacy_session_id_echo is not left out',
    alter: hello(() => ({ legacySessionIdEcho: EMPTY })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.3: there is no echo of a session id that was not sent',
    client: { middleboxCompatibility: false },
    alter: hello(() => ({ legacySessionIdEcho: new Uint8Array(32) })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.3: a session id has at most 32 bytes',
    alter: [sending(serverHello, (raw) => withByte(raw, 4 + 34, 33))],
    alert: 'decode_error',
  },
  {
    rule: '§4.2.3: the suite is one that was offered',
    client: { ciphers: ['TLS_AES_128_GCM_SHA256'] },
    alter: hello(() => ({ cipherSuite: CipherSuite.TLS_AES_256_GCM_SHA384 })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.3: the suite is one that exists',
    alter: hello(() => ({ cipherSuite: 0x1304 })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.3: the suite is of TLS 1.3',
    alter: hello(() => ({ cipherSuite: CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.3: there is no compression',
    alter: hello(() => ({ legacyCompressionMethod: 1 })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.1: supported_versions does not select TLS 1.2',
    alter: extended(() => ({ supportedVersions: ProtocolVersion['TLSv1.2'] })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.1: supported_versions does not select a version that was not offered',
    alter: extended(() => ({ supportedVersions: 0x7f1c })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.1: supported_versions is not answered if it was not sent',
    client: { maxVersion: 'TLSv1.2' },
    server: {},
    alter: [
      sending(serverHelloTls12, (raw) =>
        withExtensions(raw, extensionsOfHello(raw), rawExtension(ExtensionType.supported_versions, 3, 4)),
      ),
    ],
    alert: 'unsupported_extension',
  },
  {
    rule: '§4.3.1: without supported_versions it is of TLS 1.2, which was not offered',
    client: { minVersion: 'TLSv1.3' },
    alter: extended(() => ({ supportedVersions: undefined })),
    alert: 'protocol_version',
  },
  {
    rule: '§4.3.8: the share is of a group of which one was sent',
    alter: extended(({ keyShare }) => ({
      keyShare: keyShare && { ...keyShare, group: NamedGroup.secp256r1 },
    })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.8.2: the point is on its curve',
    client: { groups: ['secp256r1'] },
    alter: extended(({ keyShare }) => ({
      keyShare: keyShare && {
        ...keyShare,
        keyExchange: withByte(keyShare.keyExchange, 64, (keyShare.keyExchange[64] as number) ^ 1),
      },
    })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.8.2: the point is not compressed',
    client: { groups: ['secp256r1'] },
    alter: extended(({ keyShare }) => ({
      keyShare: keyShare && { ...keyShare, keyExchange: withByte(keyShare.keyExchange.subarray(0, 33), 0, 2) },
    })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.8.2: an x25519 share has 32 bytes',
    alter: extended(({ keyShare }) => ({
      keyShare: keyShare && { ...keyShare, keyExchange: new Uint8Array(31).fill(9) },
    })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§7.4.2: the x25519 secret is not all zeros',
    alter: extended(({ keyShare }) => ({ keyShare: keyShare && { ...keyShare, keyExchange: new Uint8Array(32) } })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.8: a share is not empty',
    alter: [
      rewriting(serverHello, (body) => ({ ...body, extensions: { ...body.extensions, keyShare: undefined } })),
      ...adding(ExtensionType.key_share, 0, 29, 0, 0),
    ],
    alert: 'decode_error',
  },
  {
    rule: '§9.2: there is a share, or a PSK',
    alter: extended(() => ({ keyShare: undefined })),
    alert: 'missing_extension',
  },
  {
    rule: '§4.3: no pre_shared_key unless it was sent',
    alter: extended(() => ({ preSharedKey: 0 })),
    alert: 'unsupported_extension',
  },
  {
    rule: '§4.3.11: selected_identity is within the range',
    resumes: true,
    alter: extended(() => ({ preSharedKey: 2 })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.11: the suite has the hash of the PSK',
    client: { ciphers: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'] },
    server: { ciphers: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'] },
    resumes: true,
    alter: hello(() => ({ cipherSuite: CipherSuite.TLS_AES_256_GCM_SHA384 })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.11: under psk_dhe_ke there is a share',
    resumes: true,
    alter: extended(() => ({ keyShare: undefined })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.9: under psk_ke there is none',
    ...PSK_KE,
    resumes: true,
    alter: extended(() => ({ keyShare: { group: NamedGroup.x25519, keyExchange: new Uint8Array(32).fill(9) } })),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3: an extension that was not offered',
    alter: adding(0x3a3a),
    alert: 'unsupported_extension',
  },
  {
    rule: '§4.3: an extension that is known, and was not offered',
    alter: adding(ExtensionType.cookie, 0, 1, 1),
    alert: 'unsupported_extension',
  },
  {
    rule: '§4.3: an extension that was offered, and is for EncryptedExtensions',
    client: { alpn: ['h2'] },
    alter: adding(ExtensionType.application_layer_protocol_negotiation, 0, 3, 2, 0x68, 0x32),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3: an extension of TLS 1.2',
    alter: adding(ExtensionType.extended_master_secret),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3: an extension that comes twice',
    alter: adding(ExtensionType.supported_versions, 3, 4),
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3: an extension with more than its struct',
    alter: [
      rewriting(serverHello, (body) => ({ ...body, extensions: { ...body.extensions, supportedVersions: undefined } })),
      ...adding(ExtensionType.supported_versions, 3, 4, 0),
    ],
    alert: 'decode_error',
  },
  {
    rule: '§6: a byte behind the extensions',
    alter: [sending(serverHello, (raw) => concat(rawMessage('server_hello', raw.subarray(4), Uint8Array.of(0))))],
    alert: 'decode_error',
  },
  {
    rule: '§4: EncryptedExtensions does not come first',
    alter: [sending(serverHello, () => rawMessage('encrypted_extensions', Uint8Array.of(0, 0)))],
    alert: 'unexpected_message',
  },
  {
    rule: '§4: a ServerHello is no ClientHello',
    alter: [sending(serverHello, (raw) => withByte(raw, 0, clientHello.type))],
    alert: 'unexpected_message',
  },
  {
    rule: '§5.1: nothing follows in its record',
    alter: [sending(serverHello, (raw) => concat(raw, Uint8Array.of(8, 0)))],
    alert: 'unexpected_message',
  },
]);

table('the messages after ServerHello', [
  {
    rule: '§4.4.1: EncryptedExtensions is not left out',
    alter: [sending(encryptedExtensions, () => EMPTY)],
    alert: 'unexpected_message',
  },
  {
    rule: '§4: there is no second ServerHello',
    alter: [
      sending(encryptedExtensions, () =>
        frame(serverHello, {
          legacyVersion: 0x0303,
          random: new Uint8Array(32),
          legacySessionIdEcho: EMPTY,
          cipherSuite: 0x1301,
          legacyCompressionMethod: 0,
          extensions: {},
        }),
      ),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: '§5: a protected ChangeCipherSpec',
    alter: [
      sending(encryptedExtensions, (raw, { channel }) => {
        channel.writer.record(ContentType.change_cipher_spec, Uint8Array.of(1));
        return raw;
      }),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: '§6: an alert in the clear once the keys are there',
    alter: [
      sending(serverHello, (raw, { channel }) => {
        const { writer } = channel;
        const protect = writer.protect.bind(writer);
        writer.protect = (protection) => {
          writer.record(ContentType.alert, Uint8Array.of(2, 40));
          writer.protect = protect;
          protect(protection);
        };
        return raw;
      }),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: '§5.1: application data before Finished',
    alter: [
      sending(certificate, (raw, { channel }) => {
        channel.writer.record(ContentType.application_data, Uint8Array.of(1));
        return raw;
      }),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: '§5.1: a handshake record without content',
    alter: [
      sending(certificate, (raw, { channel }) => {
        channel.writer.record(ContentType.handshake, EMPTY);
        return raw;
      }),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: '§5.1: another record within a message',
    alter: [
      sending(certificate, (raw, { channel }) => {
        channel.writer.record(ContentType.handshake, raw.subarray(0, 9));
        channel.writer.record(ContentType.application_data, Uint8Array.of(1));
        return raw.subarray(9);
      }),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: '§5: a record type that does not exist',
    alter: [
      sending(certificate, (raw, { channel }) => {
        channel.writer.record(24, Uint8Array.of(1));
        return raw;
      }),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: '§5.4: a record of nothing but padding',
    alter: [
      sending(certificate, (raw, { channel }) => {
        channel.writer.record(0, new Uint8Array(5));
        return raw;
      }),
    ],
    alert: 'unexpected_message',
  },
]);

describe('the versions that a client may be answered in', () => {
  it('§4.3.1: it offers those that it speaks, and never one below TLS 1.2', () => {
    for (const [options, versions] of [
      [{}, [0x0304, 0x0303]],
      [{ minVersion: 'TLSv1.3' }, [0x0304]],
    ] as const) {
      const meeting = new Meeting({ client: options });
      const seen: number[] = [];
      meeting.meet({
        connect: {
          edits: {
            hello: ({ extensions = [] }) => {
              const { data = EMPTY } = extensions.find(({ type }) => type === ExtensionType.supported_versions) ?? {};
              for (let at = 1; at < data.length; at += 2)
                seen.push(256 * (data[at] as number) + (data[at + 1] as number));
              return undefined;
            },
          },
        },
      });
      expect(seen).to.deep.equal(versions);
    }
  });

  for (const [name, end] of [
    ['TLS 1.2', '444f574e47524401'],
    ['TLS 1.1', '444f574e47524400'],
  ] as const)
    it(`§4.2.3: the sentinel of ${name} says that somebody has downgraded the version → illegal_parameter`, () => {
      const alter = [
        rewriting(serverHelloTls12, (body) => ({ ...body, random: concat(body.random.subarray(0, 24), fromHex(end)) })),
      ];
      expectAlert(play({ version: 'TLSv1.2', alter }), 'illegal_parameter');
    });

  it('§4.2.3: a server of both versions that is asked for TLS 1.2 alone sets the sentinel, which is right', () => {
    expectEstablished(play({ client: { maxVersion: 'TLSv1.2' } }));
  });

  it('§4.2.3: so it is if a tester takes TLS 1.3 out of the hello', () => {
    const link = play({
      connect: {
        edits: {
          hello: (draft) => ({
            ...draft,
            extensions: draft.extensions?.filter(({ type }) => type !== ExtensionType.supported_versions),
          }),
        },
      },
    });
    expectEstablished(link);
    expect(link.client.version).to.equal('TLSv1.2');
  });

  const below = (legacyVersion: number, end?: string) => [
    rewriting(serverHelloTls12, ({ random, ...body }) => ({
      ...body,
      random: end === undefined ? random : concat(random.subarray(0, 24), fromHex(end)),
      legacyVersion,
    })),
  ];

  for (const legacyVersion of [0x0301, 0x0302]) {
    it(`E.1: a server of version ${legacyVersion} → protocol_version`, () => {
      expectAlert(play({ version: 'TLSv1.2', alter: below(legacyVersion) }), 'protocol_version');
    });

    it(`§4.2.3: a server of version ${legacyVersion} with a sentinel → illegal_parameter`, () => {
      for (const end of ['444f574e47524401', '444f574e47524400'])
        expectAlert(play({ version: 'TLSv1.2', alter: below(legacyVersion, end) }), 'illegal_parameter');
    });

    it(`§4.2.3: a client of TLS 1.2 alone looks for that of version ${legacyVersion} → illegal_parameter`, () => {
      const client = { maxVersion: 'TLSv1.2' } as const;
      expectAlert(play({ client, alter: below(legacyVersion, '444f574e47524400') }), 'illegal_parameter');
      expectAlert(play({ client, alter: below(legacyVersion, '444f574e47524401') }), 'protocol_version');
    });
  }

  it('§4.2.3: a client of TLS 1.3 alone looks for it, too → illegal_parameter', () => {
    const client = { minVersion: 'TLSv1.3' } as const;
    const say = (end: string) => [
      rewriting(serverHello, ({ random, extensions, ...body }) => ({
        ...body,
        random: concat(random.subarray(0, 24), fromHex(end)),
        extensions: { ...extensions, supportedVersions: undefined as never },
      })),
    ];
    expectAlert(play({ client, alter: say('444f574e47524401') }), 'illegal_parameter');
    expectAlert(play({ client, alter: say('0000000000000000') }), 'protocol_version');
  });
});

describe('a resumption', () => {
  const nothing = {
    resumed: false,
    session: undefined,
    mechanism: undefined,
    pskMode: undefined,
    identityIndex: undefined,
  };

  it('is not one before the ServerHello is found to be right', () => {
    const { keyShare } = { keyShare: { group: NamedGroup.secp384r1, keyExchange: new Uint8Array(97).fill(4) } };
    const link = play({
      version: 'TLSv1.3',
      resumes: true,
      alter: extended((extensions) => ({ ...extensions, keyShare })),
    });
    expectAlert(link, 'illegal_parameter');
    expect(link.client.resumption).to.include(nothing);
    expect(link.client.session).to.equal(undefined);
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`is not one before the server's Finished has proved it, ${version}`, () => {
      const alter = [rewriting(finished, ({ verifyData }) => ({ verifyData: verifyData.map((byte) => byte ^ 1) }))];
      const link = play({ version, resumes: true, alter });
      expectAlert(link, 'decrypt_error');
      expect(link.client.resumption).to.include(nothing);
      expect(link.client.session).to.equal(undefined);
      expect(play({ version, resumes: true }).client.resumption.resumed).to.equal(true);
    });
});

describe('an alert before ServerHello, of level warning', () => {
  const warned = (client: Partial<ClientOptions>) => {
    const link = new Meeting({ client }).pair();
    link.take('client', link.client.connect());
    const { handshake_failure } = AlertDescription;
    return link.take(
      'client',
      link.client.receive(Uint8Array.of(21, 3, 3, 0, 2, AlertLevel.warning, handshake_failure)),
    );
  };

  it('§6: is an error to a client of TLS 1.3 alone, whatever its level', () => {
    const [failed] = warned({ minVersion: 'TLSv1.3' }).eventsOf('client', 'failed');
    expect(failed?.error).to.include({ alert: 'handshake_failure', origin: 'remote' });
  });

  it('RFC 5246 §7.2: is a warning to one that may be answered in TLS 1.2', () => {
    expect(warned({}).client.hasFailed).to.equal(false);
  });
});

describe('a HelloRequest before ServerHello', () => {
  const requested = (client: Partial<ClientOptions>, version: Version) =>
    play({
      client,
      version,
      alter: [
        ...[serverHello, serverHelloTls12].map((message) =>
          sending(message as Message<unknown>, (raw, { channel }) => {
            channel.writer.handshake(rawMessage('hello_request'));
            return raw;
          }),
        ),
      ],
    });

  it('RFC 5246 §7.4.1.1: is ignored by a client that may be answered in TLS 1.2', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) expectEstablished(requested({}, version));
  });

  it('RFC 9846 §4: is none to a client of TLS 1.3 alone → unexpected_message', () => {
    expectAlert(requested({ minVersion: 'TLSv1.3' }, 'TLSv1.3'), 'unexpected_message');
  });
});

describe('what a client takes in its stride', () => {
  it('§5: ChangeCipherSpec records before ServerHello, and before every message of the handshake', () => {
    const change = (raw: Uint8Array, channel: { writer: { record(type: number, content: Uint8Array): void } }) => {
      channel.writer.record(ContentType.change_cipher_spec, Uint8Array.of(1));
      return raw;
    };
    expectEstablished(play({ alter: [sending(serverHello, (raw, { channel }) => change(raw, channel))] }));
  });

  it('§4.3: an answer to an extension that a tester has put in, which it does not know', () => {
    const edits = {
      hello: (draft: { extensions: { type: number; data: Uint8Array }[] | undefined }) =>
        void draft.extensions?.unshift({ type: 0x3a3a, data: EMPTY }),
    };
    expectEstablished(play({ connect: { edits }, alter: adding(0x3a3a) }));
  });

  it('§4.3: extensions in any order', () => {
    const alter = [
      rewriting(serverHello, (body) => ({ ...body, extensions: { ...body.extensions, supportedVersions: undefined } })),
      ...adding(ExtensionType.supported_versions, 3, 4),
    ];
    expectEstablished(play({ alter }));
  });

  it('§4.3.9: under both modes, what the server selects', () => {
    for (const mode of BOTH) {
      const link = play({ client: { pskModes: BOTH }, server: { pskModes: [mode] }, resumes: true });
      expectEstablished(link);
      expect(link.client.resumption).to.include({ resumed: true, pskMode: mode, mechanism: 'psk' });
    }
  });
});
