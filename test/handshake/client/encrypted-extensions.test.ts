/** EncryptedExtensions: what a client refuses in it, and what it makes of it. RFC 9846 §4.4.1, RFC 7301, RFC 6066 §4, RFC 8449. */

import { expect } from 'chai';
import type { HelloDraft } from '../../../src/handshake/client/hello-draft.ts';
import { certificateTls12 } from '../../../src/handshake/messages/certificate.ts';
import { type EncryptedExtensions, encryptedExtensions } from '../../../src/handshake/messages/encrypted-extensions.ts';
import { serverHelloTls12 } from '../../../src/handshake/messages/server-hello.ts';
import { EMPTY } from '../../../src/wire/bytes.ts';
import { ContentType, ExtensionType } from '../../../src/wire/registry.ts';
import {
  expectAlert,
  expectEstablished,
  type Meeting,
  play,
  type Rule,
  rawExtension,
  rawMessage,
  rewriting,
  sending,
  table,
  withExtensions,
} from '../../support/client-exchange.ts';

type Answers = EncryptedExtensions['extensions'];
const answering = (answers: Answers) =>
  rewriting(encryptedExtensions, ({ extensions }) => ({ extensions: { ...extensions, ...answers } }));
const adding = (type: number, ...data: number[]) =>
  sending(encryptedExtensions, (raw) => withExtensions(raw, 0, rawExtension(type, ...data)));
const bytes = (...body: number[]) =>
  sending(encryptedExtensions, () => rawMessage('encrypted_extensions', Uint8Array.from(body)));
const ALPN = { client: { alpn: ['h2', 'http/1.1'] } } as const;
const LIMITED = { client: { recordSizeLimit: 1000 } } as const;
const FRAGMENTED = { client: { maxFragmentLength: 512 } } as const;

const rules: Rule[] = [
  { rule: '§4.3: an extension that was not offered', alter: [adding(0x3a3a)], alert: 'unsupported_extension' },
  {
    rule: '§4.3: server_name that was not offered',
    alter: [adding(ExtensionType.server_name)],
    alert: 'unsupported_extension',
  },
  {
    rule: '§4.3: early_data that was not offered',
    alter: [adding(ExtensionType.early_data)],
    alert: 'unsupported_extension',
  },
  {
    rule: '§4.3: psk_key_exchange_modes, which a server never sends',
    alter: [adding(ExtensionType.psk_key_exchange_modes, 1, 1)],
    alert: 'illegal_parameter',
  },
  { rule: '§4.4.1: key_share', alter: [adding(ExtensionType.key_share, 0, 29, 0, 1, 1)], alert: 'illegal_parameter' },
  {
    rule: '§4.4.1: supported_versions',
    alter: [adding(ExtensionType.supported_versions, 3, 4)],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.4.1: signature_algorithms',
    alter: [adding(ExtensionType.signature_algorithms, 0, 2, 4, 3)],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.4.1: pre_shared_key',
    resumes: true,
    alter: [adding(ExtensionType.pre_shared_key, 0, 0)],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.4.1: renegotiation_info, of TLS 1.2',
    alter: [adding(ExtensionType.renegotiation_info, 0)],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.4.1: session_ticket, of TLS 1.2',
    alter: [adding(ExtensionType.session_ticket)],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3: an extension that comes twice',
    ...ALPN,
    server: { alpn: ['h2'] },
    alter: [adding(ExtensionType.application_layer_protocol_negotiation, 0, 3, 2, 0x68, 0x32)],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 6066 §3: server_name is empty',
    connect: { serverName: 'localhost' },
    alter: [bytes(0, 5, 0, 0, 0, 1, 0)],
    alert: 'decode_error',
  },
  { rule: '§6: an extension that breaks off', alter: [bytes(0, 3, 0, 10, 0)], alert: 'decode_error' },
  { rule: '§6: a block that ends after the message', alter: [bytes(0, 9)], alert: 'decode_error' },
  { rule: '§6: a message without a block', alter: [bytes()], alert: 'decode_error' },
  { rule: '§6: a byte behind the block', alter: [bytes(0, 0, 0)], alert: 'decode_error' },
  {
    rule: 'RFC 7301 §3.1: one protocol, not two',
    ...ALPN,
    alter: [answering({ alpn: ['h2', 'http/1.1'] })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 7301 §3.1: one protocol, not none',
    ...ALPN,
    alter: [bytes(0, 6, 0, 16, 0, 2, 0, 0)],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 7301 §3.1: no protocol has an empty name',
    ...ALPN,
    alter: [bytes(0, 7, 0, 16, 0, 3, 0, 1, 0)],
    alert: 'decode_error',
  },
  {
    rule: 'RFC 7301 §3.2: a protocol that was offered',
    ...ALPN,
    alter: [answering({ alpn: ['h3'] })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 7301 §3.1: none if none was offered',
    alter: [answering({ alpn: ['h2'] })],
    alert: 'unsupported_extension',
  },
  {
    rule: 'RFC 8449 §4: a limit of at least 64',
    ...LIMITED,
    alter: [answering({ recordSizeLimit: 63 })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 8449 §4: no limit unless one was sent',
    alter: [answering({ recordSizeLimit: 64 })],
    alert: 'unsupported_extension',
  },
  {
    rule: 'RFC 8449 §5: not both limits',
    client: { recordSizeLimit: 1000, maxFragmentLength: 512 },
    alter: [answering({ maxFragmentLength: 1 })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 6066 §4: the length that was asked for',
    ...FRAGMENTED,
    alter: [answering({ maxFragmentLength: 2 })],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 6066 §4: no length unless one was asked for',
    alter: [answering({ maxFragmentLength: 1 })],
    alert: 'unsupported_extension',
  },
  {
    rule: 'RFC 9149 §3: no count unless tickets were asked for',
    alter: [answering({ ticketRequest: 1 })],
    alert: 'unsupported_extension',
  },
  {
    rule: '§4.3.7: supported_groups is not empty',
    alter: [
      sending(encryptedExtensions, (raw) => withExtensions(raw, 0, rawExtension(ExtensionType.supported_groups, 0, 0))),
    ],
    alert: 'decode_error',
  },
];
table('EncryptedExtensions', rules);

/** Has an established server send application data in one record. */
function record(link: ReturnType<Meeting['meet']>, length: number) {
  link.server.channel.writer.record(ContentType.application_data, new Uint8Array(length));
  return link.take('server', link.server.receive(EMPTY)).runSync();
}

describe('what a client makes of EncryptedExtensions', () => {
  it('RFC 9849 §6.2: ignores the answer to an encrypted_client_hello that a tester has made up', () => {
    const type = ExtensionType.encrypted_client_hello;
    const edits = {
      hello: ({ extensions }: HelloDraft) => void extensions?.unshift({ type, data: new Uint8Array(100) }),
    };
    expectEstablished(play({ connect: { edits }, alter: [adding(type, 0, 1, 1)] }));
  });

  it('RFC 7301: the protocol that the server has selected', () => {
    const link = play({ ...ALPN, server: { alpn: ['http/1.1'] } });
    expectEstablished(link);
    expect(link.client.alpnProtocol).to.equal('http/1.1');
  });

  it('RFC 7301: a protocol that a tester has put into the hello, and none that a tester has taken out', () => {
    const type = ExtensionType.application_layer_protocol_negotiation;
    const edits = (data: Uint8Array) => ({
      hello: ({ extensions = [] }: HelloDraft) => {
        for (const one of extensions) if (one.type === type) one.data = data;
        return undefined;
      },
    });
    const h3 = Uint8Array.of(0, 3, 2, 0x68, 0x33);
    const link = play({ ...ALPN, server: { alpn: ['h3'] }, connect: { edits: edits(h3) } });
    expectEstablished(link);
    expect(link.client.alpnProtocol).to.equal('h3');
    const alter = [answering({ alpn: ['h2'] })];
    expectAlert(play({ ...ALPN, connect: { edits: edits(h3) }, alter }), 'illegal_parameter');
  });

  it('§4.3.7: takes note of supported_groups, whatever is in it', () => {
    expectEstablished(play({ alter: [answering({ supportedGroups: [0x11ec, 29, 23, 29] })] }));
  });

  it('RFC 9149 §3: takes a count, whatever it is', () => {
    const client = { ticketRequest: { newSessionCount: 3, resumptionCount: 1 } };
    const link = play({ client, alter: [answering({ ticketRequest: 255 })] });
    expectEstablished(link);
    expect(link.client.sessions).to.have.lengthOf(3);
  });

  it('RFC 8449 §4: what it sends obeys the limit of the server, which includes the content type', () => {
    const link = play({ ...LIMITED, alter: [answering({ recordSizeLimit: 65 })] });
    expectEstablished(link);
    const { output } = link.client.write(new Uint8Array(640));
    expect(output.length).to.equal(10 * (5 + 64 + 1 + 16));
  });

  it('RFC 8449 §4: a limit above 2^14 + 1 is as good as none', () => {
    const link = play({ ...LIMITED, alter: [answering({ recordSizeLimit: 0xffff })] });
    expectEstablished(link);
    expect(link.client.write(new Uint8Array(16384)).output.length).to.equal(5 + 16384 + 1 + 16);
  });

  it('RFC 8449 §4: it takes a record of its limit, and none that is longer by one → record_overflow', () => {
    const fits = record(play(LIMITED), 1000);
    expectEstablished(fits);
    expect(fits.eventsOf('client', 'data')).to.have.lengthOf(1);
    expectAlert(record(play(LIMITED), 1001), 'record_overflow');
  });

  it('RFC 6066 §4: so it is with max_fragment_length', () => {
    expectEstablished(record(play(FRAGMENTED), 512));
    expectAlert(record(play(FRAGMENTED), 513), 'record_overflow');
  });

  it('§5.1: without either a record has 2^14 bytes, and not one more → record_overflow', () => {
    expectEstablished(record(play({}), 16384));
    expectAlert(record(play({}), 16385), 'record_overflow');
  });
});

describe('the limits of records in TLS 1.2', () => {
  const TLS12 = { version: 'TLSv1.2', ...LIMITED } as const;
  /** From the certificate on, in records as long as they may be without a limit. */
  const inLongRecords = sending(certificateTls12, (raw, { channel }) => {
    channel.writer.endFlight();
    channel.writer.contentLimit = 16384;
    return raw;
  });

  it('RFC 8449 §4: a client that offers TLS 1.3 as well takes records of the limit that it has sent, which is longer by one', () => {
    expectEstablished(record(play(TLS12), 1001));
    expectAlert(record(play(TLS12), 1002), 'record_overflow');
  });

  it('RFC 8449 §4: a client of TLS 1.2 alone has sent its limit itself', () => {
    const alone = { ...TLS12, client: { ...LIMITED.client, maxVersion: 'TLSv1.2' } } as const;
    expectEstablished(record(play(alone), 1000));
    expectAlert(record(play(alone), 1001), 'record_overflow');
  });

  it('RFC 8449 §4: what is not protected is not subject to the limit', () => {
    const link = play({ ...TLS12, client: { recordSizeLimit: 64 }, alter: [inLongRecords] });
    expectEstablished(link);
  });

  it('RFC 8449 §4: a limit below 64 → illegal_parameter', () => {
    const alter = [
      rewriting(serverHelloTls12, (body) => ({ ...body, extensions: { ...body.extensions, recordSizeLimit: 63 } })),
    ];
    expectAlert(play({ ...TLS12, alter }), 'illegal_parameter');
  });

  it('RFC 6066 §4: max_fragment_length binds the handshake, too', () => {
    expectAlert(play({ version: 'TLSv1.2', ...FRAGMENTED, alter: [inLongRecords] }), 'record_overflow');
  });
});
