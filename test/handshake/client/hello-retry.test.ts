/** HelloRetryRequest: what a client refuses in it, and what its second hello is. RFC 9846 §4.2.2, §4.2.4, §4.3.8, §4.3.11. */

import { expect } from 'chai';
import type { ConnectOptions } from '../../../src/engine/client/client-connection.ts';
import type { HelloDraft } from '../../../src/handshake/client/hello-draft.ts';
import { rawExtensions } from '../../../src/handshake/messages/client-hello.ts';
import {
  type HelloRetryRequest,
  helloRetryRequest,
  type ServerHello,
  serverHello,
} from '../../../src/handshake/messages/server-hello.ts';
import { concat, EMPTY, toHex } from '../../../src/wire/bytes.ts';
import { CipherSuite, ContentType, ExtensionType, NamedGroup, ProtocolVersion } from '../../../src/wire/registry.ts';
import {
  expectEstablished,
  extensionsOfHello,
  hellosOf,
  Meeting,
  type Rule,
  rawExtension,
  rewriting,
  sending,
  table,
  withByte,
  withExtensions,
} from '../../support/client-exchange.ts';
import { reusingKeys, synchronousProvider } from '../../support/provider.ts';

/** A client that sends no share, so that it must be asked for one. */
const CLIENT = { keyShares: [] } as const;
const retry = (change: (body: HelloRetryRequest) => Partial<HelloRetryRequest>) =>
  rewriting(helloRetryRequest, (body) => ({ ...body, ...change(body) }));
const extended = (change: (extensions: HelloRetryRequest['extensions']) => HelloRetryRequest['extensions']) =>
  retry(({ extensions }) => ({ extensions: { ...extensions, ...change(extensions) } }));
const adding = (type: number, ...data: number[]) =>
  sending(helloRetryRequest, (raw) => withExtensions(raw, extensionsOfHello(raw), rawExtension(type, ...data)));
const answer = (change: (body: ServerHello) => Partial<ServerHello>) =>
  rewriting(serverHello, (body) => ({ ...body, ...change(body) }));

const rules: Rule[] = [
  {
    rule: '§4.2.4: legacy_version is 0x0303',
    alter: [retry(() => ({ legacyVersion: 0x0304 }))],
    alert: 'protocol_version',
  },
  {
    rule: '§4.2.4: the session id is echoed',
    alter: [retry(({ legacySessionIdEcho: id }) => ({ legacySessionIdEcho: withByte(id, 0, (id[0] as number) ^ 1) }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.4: the suite is one that was offered',
    client: { ...CLIENT, ciphers: ['TLS_AES_128_GCM_SHA256'] },
    alter: [retry(() => ({ cipherSuite: CipherSuite.TLS_AES_256_GCM_SHA384 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.4: there is no compression',
    alter: [retry(() => ({ legacyCompressionMethod: 1 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.4: supported_versions is there',
    alter: [extended(() => ({ supportedVersions: undefined }))],
    alert: 'missing_extension',
  },
  {
    rule: '§4.3.1: supported_versions selects TLS 1.3',
    alter: [extended(() => ({ supportedVersions: ProtocolVersion['TLSv1.2'] }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.4: it asks for something',
    alter: [extended(() => ({ keyShare: undefined }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.8: the group is in supported_groups',
    client: { ...CLIENT, groups: ['x25519'] },
    alter: [extended(() => ({ keyShare: NamedGroup.secp384r1 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.8: the group has no share yet',
    client: { keyShares: ['secp256r1'] },
    server: { groups: ['x25519'] },
    alter: [extended(() => ({ keyShare: NamedGroup.secp256r1 }))],
    alert: 'illegal_parameter',
  },
  { rule: '§4.3.2: a cookie is not empty', alter: [adding(ExtensionType.cookie, 0, 0)], alert: 'decode_error' },
  {
    rule: '§4.3.2: a cookie that no hello has room for',
    alter: [extended(() => ({ cookie: new Uint8Array(65500) }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.8: key_share is a group, and no share',
    alter: [extended(() => ({ keyShare: undefined })), adding(ExtensionType.key_share, 0, 29, 0, 1, 0)],
    alert: 'decode_error',
  },
  { rule: '§4.3: an extension that was not offered', alter: [adding(0x3a3a)], alert: 'unsupported_extension' },
  {
    rule: '§4.3: an extension that was offered, and is for EncryptedExtensions',
    client: { ...CLIENT, alpn: ['h2'] },
    alter: [adding(ExtensionType.application_layer_protocol_negotiation, 0, 3, 2, 0x68, 0x32)],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3: pre_shared_key',
    resumes: true,
    alter: [adding(ExtensionType.pre_shared_key, 0, 0)],
    alert: 'illegal_parameter',
  },
  {
    rule: 'RFC 9149 §3: ticket_request',
    client: { ...CLIENT, ticketRequest: { newSessionCount: 1, resumptionCount: 1 } },
    alter: [adding(ExtensionType.ticket_request, 1)],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3: an extension that comes twice',
    alter: [adding(ExtensionType.supported_versions, 3, 4)],
    alert: 'illegal_parameter',
  },
  {
    rule: '§5.1: nothing follows in its record',
    alter: [sending(helloRetryRequest, (raw) => concat(raw, Uint8Array.of(2)))],
    alert: 'unexpected_message',
  },
];
table(
  'a HelloRetryRequest',
  rules.map((rule) => ({ client: CLIENT, ...rule })),
);

/** Sends the first answer of the server once more instead of a ServerHello. */
function twice() {
  let first = EMPTY;
  return [
    sending(helloRetryRequest, (raw) => {
      first = raw;
      return raw;
    }),
    sending(serverHello, () => first),
  ];
}

const second: Rule[] = [
  { rule: '§4.2.4: no second HelloRetryRequest', alter: twice(), alert: 'unexpected_message' },
  {
    rule: '§4.2.4: the suite is that of the retry',
    alter: [answer(() => ({ cipherSuite: CipherSuite.TLS_CHACHA20_POLY1305_SHA256 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.4: the suite is that of the retry, not one with another hash',
    alter: [answer(() => ({ cipherSuite: CipherSuite.TLS_AES_256_GCM_SHA384 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.4: the version is that of the retry',
    alter: [answer(({ extensions }) => ({ extensions: { ...extensions, supportedVersions: 0x0303 } }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.4: the version is that of the retry, and not left out',
    alter: [answer(({ extensions }) => ({ extensions: { ...extensions, supportedVersions: undefined } }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.3: legacy_version is 0x0303',
    alter: [answer(() => ({ legacyVersion: 0x0302 }))],
    alert: 'protocol_version',
  },
  {
    rule: '§4.2.3: there is no compression',
    alter: [answer(() => ({ legacyCompressionMethod: 1 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.2.3: the session id is echoed',
    alter: [answer(() => ({ legacySessionIdEcho: EMPTY }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.8: the share is of the group of the retry',
    client: { keyShares: ['secp256r1'] },
    server: { groups: ['x25519'] },
    alter: [
      answer(({ extensions }) => ({
        extensions: {
          ...extensions,
          keyShare: extensions.keyShare && { ...extensions.keyShare, group: NamedGroup.secp256r1 },
        },
      })),
    ],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3: pre_shared_key, of which the second hello had none',
    client: { ...CLIENT, ciphers: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'] },
    alter: [answer(({ extensions }) => ({ extensions: { ...extensions, preSharedKey: 0 } }))],
    alert: 'unsupported_extension',
  },
];
table(
  'a ServerHello after a HelloRetryRequest',
  second.map((rule) => ({ client: CLIENT, ...rule })),
);

/** The extensions of a hello by their types. */
function extensionsIn(raw: Uint8Array | undefined): Map<number, Uint8Array> {
  return new Map([...rawExtensions(raw ?? EMPTY)].map(({ type, data }) => [type, data]));
}

/** Both hellos of a handshake with a retry. */
function bothHellos(meeting: Meeting, script: Parameters<Meeting['pair']>[0] = {}) {
  const link = meeting.pair(script);
  const hellos = hellosOf(link);
  link.runSync();
  const [one, two, ...more] = hellos;
  if (one === undefined || two === undefined || more.length > 0)
    throw link.eventsOf('server', 'failed')[0]?.error ?? new Error(`${hellos.length} hellos`);
  return { link, one, two };
}

describe('the second hello of a client', () => {
  it('§4.2.2: is the first, but for one new share', () => {
    const meeting = new Meeting({
      client: { keyShares: ['secp256r1'], alpn: ['h2'], ticketRequest: { newSessionCount: 1, resumptionCount: 1 } },
      server: { groups: ['x25519'] },
    });
    const { link, one, two } = bothHellos(meeting, { connect: { serverName: 'localhost' } });
    expectEstablished(link);
    expect([...(two.body.extensions.keyShare ?? [])].map(({ group }) => group)).to.deep.equal([NamedGroup.x25519]);
    const [first, last] = [extensionsIn(one.raw), extensionsIn(two.raw)];
    for (const extensions of [first, last]) extensions.delete(ExtensionType.key_share);
    expect([...last]).to.deep.equal([...first]);
    const { extensions: _, ...fields } = one.body;
    const { extensions: __, ...others } = two.body;
    expect(others).to.deep.equal(fields);
  });

  it('§4.3.2: has the cookie, and the same shares if it was asked for no other', () => {
    const cookie = Uint8Array.of(1, 2, 3);
    const meeting = new Meeting({ client: { keyShares: ['secp256r1'] }, server: { groups: ['x25519'] } });
    const { one, two } = bothHellos(meeting, { alter: [extended(() => ({ cookie, keyShare: undefined }))] });
    expect(two.body.extensions.cookie).to.deep.equal(cookie);
    expect(one.body.extensions.cookie).to.equal(undefined);
    expect(extensionsIn(two.raw).get(ExtensionType.key_share)).to.deep.equal(
      extensionsIn(one.raw).get(ExtensionType.key_share),
    );
  });

  it('§4.3.2: has the cookie and the share, and pre_shared_key last', () => {
    const meeting = new Meeting({ client: CLIENT });
    const sessions = meeting.sessions();
    const { two } = bothHellos(meeting, {
      connect: { sessions },
      alter: [extended(() => ({ cookie: Uint8Array.of(7) }))],
    });
    expect([...extensionsIn(two.raw).keys()].slice(-2)).to.deep.equal([
      ExtensionType.cookie,
      ExtensionType.pre_shared_key,
    ]);
    expect([...(two.body.extensions.keyShare ?? [])]).to.have.lengthOf(1);
  });

  it('§4.2.2: has no early_data', () => {
    const edits = {
      hello: ({ extensions }: HelloDraft, attempt: 1 | 2) =>
        attempt === 1 ? void extensions?.unshift({ type: ExtensionType.early_data, data: EMPTY }) : undefined,
    };
    const { link, one, two } = bothHellos(new Meeting({ client: CLIENT }), { connect: { edits } });
    expectEstablished(link);
    expect([one, two].map(({ raw }) => extensionsIn(raw).has(ExtensionType.early_data))).to.deep.equal([true, false]);
  });

  it('§4.3.11.2: has binders over both hellos and the retry, and a new age', () => {
    const meeting = new Meeting({ client: CLIENT });
    const sessions = meeting.sessions();
    meeting.world.time += 1500;
    const edits = {
      hello: (_: HelloDraft, attempt: 1 | 2) => {
        if (attempt === 1) meeting.world.time += 250; // later than this call, which has read the clock
        return undefined;
      },
    };
    const { link, one, two } = bothHellos(meeting, { connect: { sessions, edits } });
    expectEstablished(link);
    expect(link.client.resumption).to.include({ resumed: true, identityIndex: 0 });
    const ages = [one, two].map(({ body }) =>
      [...(body.extensions.preSharedKey?.identities ?? [])].map(
        ({ obfuscatedTicketAge }, i) => (obfuscatedTicketAge - (sessions[i]?.ticketAgeAdd ?? 0) + 2 ** 32) % 2 ** 32,
      ),
    );
    expect(ages).to.deep.equal([
      [1500, 1500],
      [1750, 1750],
    ]);
  });

  it('§4.2.4: offers no PSK of another hash than that of the retry', () => {
    const [sha256, sha384] = (['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'] as const).map((cipher) => {
      const meeting = new Meeting({ client: { ciphers: [cipher] } });
      return meeting.sessions()[0];
    });
    if (sha256 === undefined || sha384 === undefined) throw new Error('no session');
    const meeting = () => new Meeting({ client: CLIENT, server: { ciphers: ['TLS_AES_256_GCM_SHA384'] } });
    const { link, one, two } = bothHellos(meeting(), { connect: { sessions: [sha256, sha384, sha256] } });
    expectEstablished(link);
    expect([...(one.body.extensions.preSharedKey?.identities ?? [])]).to.have.lengthOf(3);
    expect([...(two.body.extensions.preSharedKey?.identities ?? [])].map(({ identity }) => identity)).to.deep.equal([
      sha384.foreign.ticket,
    ]);
    const none = bothHellos(meeting(), { connect: { sessions: [sha256] } });
    expectEstablished(none.link);
    expect(extensionsIn(none.two.raw).has(ExtensionType.pre_shared_key)).to.equal(false);
  });

  it('§4.3.8: has a key of its own in each connection', () => {
    const meeting = new Meeting();
    const shares = Array.from({ length: 3 }, () => {
      const link = meeting.pair();
      const hellos = hellosOf(link);
      link.runSync();
      return String([...(hellos[0]?.body.extensions.keyShare ?? [])][0]?.keyExchange);
    });
    expect(new Set(shares).size).to.equal(3);
  });

  it('§4.3.8: takes the share of a server that has used it before', () => {
    const meeting = new Meeting({ server: { crypto: reusingKeys(synchronousProvider) } });
    const shares: string[] = [];
    const watch = rewriting(serverHello, (hello) => {
      shares.push(toHex(hello.extensions.keyShare?.keyExchange ?? EMPTY));
      return hello;
    });
    for (let i = 0; i < 2; i++) expectEstablished(meeting.meet({ alter: [watch] }));
    expect(shares).to.have.lengthOf(2);
    expect(shares[0]).to.equal(shares[1]).and.have.lengthOf(64);
  });

  it('E.4: is where the one ChangeCipherSpec is sent before', () => {
    for (const client of [CLIENT, {}, { ...CLIENT, middleboxCompatibility: false }]) {
      const link = new Meeting({ client }).pair();
      const types: number[] = [];
      const { writer } = link.client.channel;
      const record = writer.record.bind(writer);
      writer.record = (type, content) => {
        types.push(type);
        record(type, content);
      };
      link.runSync();
      expectEstablished(link);
      const isCompatible = !('middleboxCompatibility' in client);
      expect(types.filter((type) => type === ContentType.change_cipher_spec)).to.have.lengthOf(isCompatible ? 1 : 0);
    }
  });

  it('§4.3.8: has shares once each and in the order of the groups, however they are asked for', () => {
    const keyShares = ['secp384r1', 'x25519', 'secp384r1'] as const;
    const link = new Meeting({ client: { groups: ['x25519', 'secp256r1', 'secp384r1', 'x25519'], keyShares } }).pair();
    const hellos = hellosOf(link);
    link.runSync();
    expectEstablished(link);
    const { keyShare = [], supportedGroups = [] } = hellos[0]?.body.extensions ?? {};
    expect([...keyShare].map(({ group }) => group)).to.deep.equal([NamedGroup.x25519, NamedGroup.secp384r1]);
    expect([...supportedGroups]).to.deep.equal([NamedGroup.x25519, NamedGroup.secp256r1, NamedGroup.secp384r1]);
  });
});

describe('the name in a hello (RFC 6066 §3)', () => {
  for (const serverName of ['', 'münchen.example', 'a b', 'x'.repeat(256)])
    it(`${JSON.stringify(serverName.slice(0, 20))} is none`, () => {
      expect(() => new Meeting().pair({ connect: { serverName } })).to.throw(RangeError, 'serverName: ');
    });

  for (const [serverName, sent] of [
    ['example.org', 'example.org'],
    ['example.org.', 'example.org'],
    ['127.0.0.1', undefined],
    ['::1', undefined],
    ['1.example', '1.example'],
    ['.', undefined],
  ] as const)
    it(`${serverName} is sent as ${sent ?? 'nothing'}`, () => {
      let judged: string | undefined;
      const verifyServer = (_: readonly Uint8Array[], name: string | undefined) => {
        judged = name;
        return true;
      };
      const connect: ConnectOptions = { serverName };
      const link = new Meeting({ client: { verifyServer } }).meet({ connect });
      expectEstablished(link);
      expect(link.server.serverName).to.equal(sent);
      expect(judged).to.equal(serverName);
    });
});
