/** The TLS 1.3 server against a scripted client: RFC 9846 §2 to §4, Appendix E.4. */

import { expect } from 'chai';
import type { Event } from '../../../src/engine/events.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { EncryptedExtensions } from '../../../src/handshake/messages/encrypted-extensions.ts';
import { HELLO_RETRY_REQUEST_RANDOM } from '../../../src/handshake/messages/server-hello.ts';
import { ascii, toHex } from '../../../src/wire/bytes.ts';
import { decode } from '../../../src/wire/codec.ts';
import { ContentType, NamedGroup, type SignatureSchemeName } from '../../../src/wire/registry.ts';
import { reusingKeys, synchronousProvider } from '../../support/provider.ts';
import { type HashAlgorithm, messageHash, verifyData } from '../../support/reference-schedule.ts';
import {
  type ClientOptions,
  type Exchange,
  exchange,
  exchangeAsync,
  ScriptedClient,
} from '../../support/scripted-client.ts';
import { rawExtension } from '../../support/scripted-hello.ts';
import { type CredentialKind, credential, quickCredential, testServer } from '../../support/servers.ts';

function connect(client: ClientOptions = {}, server: Partial<ServerOptions> = {}): Exchange {
  return exchange(new ScriptedClient(client), new ServerConnection(testServer(server)));
}

/** Established on both sides, and data goes through both ways. */
function expectWorking(link: Exchange): Exchange {
  const { client, connection } = link;
  expect(link.failure).to.equal(undefined);
  expect(connection.isEstablished && client.isEstablished).to.equal(true);
  expect(connection.waitingFor).to.equal(undefined);
  expect(connection.version).to.equal('TLSv1.3');
  expect(connection.cipherSuite).to.equal(client.suite?.name);
  const before = client.data.length;
  client.sendData(ascii('ping'));
  link.run().step(connection.write(ascii('pong')));
  expect(toHex(link.data)).to.equal(toHex(ascii('ping')));
  expect(toHex(client.data.subarray(before))).to.equal(toHex(ascii('pong')));
  return link;
}

const typesOf = (events: readonly Event[]) => events.map(({ type }) => type);
const FULL_FLIGHT = ['encrypted_extensions', 'certificate', 'certificate_verify', 'finished'];
const TICKETS = ['new_session_ticket', 'new_session_ticket'];

describe('the TLS 1.3 server', () => {
  describe('full handshake', () => {
    const suites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const;
    const groups = ['x25519', 'secp256r1', 'secp384r1'] as const;
    for (const suite of suites) {
      for (const group of groups) {
        it(`${suite} with ${group}`, () => {
          const link = expectWorking(connect({ ciphers: [suite], groups: [group] }));
          expect(link.connection.group).to.equal(group);
          expect(link.client.group).to.equal(group);
          expect(link.connection.cipherSuite).to.equal(suite);
        });
      }
    }

    const signatures: readonly [CredentialKind, SignatureSchemeName][] = [
      ['ecdsaP256', 'ecdsa_secp256r1_sha256'],
      ['ecdsaP384', 'ecdsa_secp384r1_sha384'],
      ['ed25519', 'ed25519'],
      ['rsa2048', 'rsa_pss_rsae_sha256'],
      ['rsa2048', 'rsa_pss_rsae_sha384'],
      ['rsa2048', 'rsa_pss_rsae_sha512'],
      ['chain', 'ecdsa_secp256r1_sha256'],
    ];
    for (const [kind, scheme] of signatures) {
      it(`${kind} signs with ${scheme}, and OpenSSL verifies it`, async () => {
        const config = testServer({ credentials: [credential(kind)] });
        const client = new ScriptedClient({ signatureAlgorithms: ['rsa_pkcs1_sha256', scheme], verify: true });
        const link = expectWorking(await exchangeAsync(client, new ServerConnection(config)));
        expect(link.connection.signatureScheme).to.equal(scheme);
        expect(client.certificates).to.deep.equal(credential(kind).certificateChain);
      });
    }

    it('is the flight of Figure 1, then the tickets', () => {
      const { client, events } = connect({ sessionId: new Uint8Array(0) });
      expect(client.heard).to.deep.equal(['server_hello', ...FULL_FLIGHT, ...TICKETS]);
      expect(typesOf(events).filter((type) => type !== 'keylog')).to.deep.equal([
        'new-session',
        'new-session',
        'established',
      ]);
    });

    it('sends the flight in as few records as it takes, and says TLS 1.2 in each header (§5.1)', () => {
      const { client } = connect({ sessionId: new Uint8Array(0) });
      expect(client.receivedRecords.map(({ outerType }) => outerType)).to.deep.equal([
        ContentType.handshake,
        ContentType.application_data,
        ContentType.application_data,
      ]);
      expect(client.receivedRecords.every(({ version }) => version === 0x0303)).to.equal(true);
    });

    it('answers with the frozen fields of §4.2.3', () => {
      const { client } = connect();
      const { serverHello: hello } = client;
      expect(hello?.legacyVersion).to.equal(0x0303);
      expect(hello?.legacyCompressionMethod).to.equal(0);
      expect(hello?.extensions).to.have.property('supportedVersions', 0x0304);
      expect(hello?.extensions.order).to.deep.equal([51, 43]);
    });

    it('has a random of its own each time, whatever the client’s (RFC 9846 §4.2.3)', () => {
      const config = testServer();
      const links = [0, 1].map(() => exchange(new ScriptedClient(), new ServerConnection(config)));
      const randoms = links.map(({ client: { hellos, serverHello } }) => [hellos[0]?.random, serverHello?.random]);
      const [theirs, first, same, second] = randoms.flat().map((random) => toHex(random ?? new Uint8Array()));
      expect(theirs).to.equal(same);
      expect(new Set([theirs, first, second, '0'.repeat(64)]).size).to.equal(4);
    });

    it('waits for the signature where that takes time, and for nothing else', async () => {
      const sign = async () => new Uint8Array(70);
      const link = connect({}, { credentials: [{ ...quickCredential, sign }] });
      expect(link.question?.kind).to.equal('signature');
      expect(link.connection.waitingFor?.kind).to.equal('task');
      expectWorking(await link.runAsync());
    });

    it('takes a ClientHello of unknown things for what it knows of it (§4.2.2, RFC 8701)', () => {
      const link = connect({
        supportedVersions: [0x1a1a, 0x7f1c, 0x0304],
        ciphers: [0x2a2a, 'TLS_AES_128_GCM_SHA256', 0xc014],
        groups: [0x3a3a, 0x11ec, 'x25519'],
        rewriteExtensions: (list) => [rawExtension(0x4a4a), ...list, rawExtension(0x5a5a, 0), rawExtension(21, 0, 0)],
      });
      expectWorking(link);
    });

    it('answers the same share by another of its own each time (RFC 9846 §4.3.8)', () => {
      const config = testServer();
      const crypto = reusingKeys(synchronousProvider);
      const links = [0, 1].map(() => exchange(new ScriptedClient({ crypto }), new ServerConnection(config)));
      const [first, second] = links.map(({ client: { serverHello } }) => {
        const share = serverHello && 'keyShare' in serverHello.extensions ? serverHello.extensions.keyShare : undefined;
        return share && toHex(share.keyExchange);
      });
      for (const link of links) expectWorking(link);
      expect(first).to.have.lengthOf(64);
      expect(first).to.not.equal(second);
    });

    it('ignores a share of a group that it does not know (§4.3.8)', () => {
      const link = connect({
        groups: [0x11ec, 'x25519'],
        rewriteHello: (hello) => {
          const unknown = { group: 0x11ec, keyExchange: new Uint8Array(1216) };
          const keyShare = [unknown, ...(hello.extensions.keyShare ?? [])];
          return { ...hello, extensions: { ...hello.extensions, keyShare } };
        },
      });
      expect(expectWorking(link).client.helloRetryRequest).to.equal(undefined);
    });

    for (const version of [0x0300, 0x0301, 0x0304, 0x1234]) {
      it(`ignores version 0x${version.toString(16).padStart(4, '0')} in the header of the first record (§5.1)`, () => {
        const link = connect({ stopBefore: 'client_hello' });
        const plain = new ScriptedClient();
        const bytes = plain.take();
        link.client.proceed();
        link.client.take();
        bytes[1] = version >> 8;
        bytes[2] = version & 0xff;
        expectWorking(link.send(bytes).run());
      });
    }
  });

  describe('the choice of suite, group and certificate', () => {
    it('has the server’s order of suites, not the client’s', () => {
      const { connection } = connect(
        { ciphers: ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'] },
        { ciphers: ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'] },
      );
      expect(connection.cipherSuite).to.equal('TLS_CHACHA20_POLY1305_SHA256');
    });

    it('takes a group whose share is there before one that costs a round trip', () => {
      const { connection, client } = connect({ keyShares: ['secp256r1'] });
      expect(connection.group).to.equal('secp256r1');
      expect(client.helloRetryRequest).to.equal(undefined);
    });

    it('takes the server’s first of the shares that are there', () => {
      const { connection } = connect({ keyShares: ['secp256r1', 'x25519'] });
      expect(connection.group).to.equal('x25519');
    });

    it('takes the first credential that the signature algorithms allow', async () => {
      const credentials = [credential('ecdsaP256'), credential('rsa2048')];
      for (const [signatureAlgorithms, scheme] of [
        [['rsa_pss_rsae_sha256', 'ecdsa_secp256r1_sha256'], 'ecdsa_secp256r1_sha256'],
        [['rsa_pkcs1_sha256', 'rsa_pss_rsae_sha512'], 'rsa_pss_rsae_sha512'],
      ] as const) {
        const client = new ScriptedClient({ signatureAlgorithms, verify: true });
        await exchangeAsync(client, new ServerConnection(testServer({ credentials })));
        expect(client.isEstablished).to.equal(true);
        expect(client.certificateVerify?.algorithm).to.equal(scheme === 'rsa_pss_rsae_sha512' ? 0x0806 : 0x0403);
      }
    });

    for (const [sni, kind] of [
      ['a.example', 'aExample'],
      ['WWW.A.Example', 'aExample'],
      ['b.example', 'bExample'],
      ['b.example.', 'bExample'],
      ['any.b.example', 'bExample'],
      ['too.far.b.example', 'ecdsaP256'],
      ['nobody.example', 'ecdsaP256'],
      [undefined, 'ecdsaP256'],
    ] as const) {
      it(`shows ${kind} to ${sni ?? 'nobody in particular'} (RFC 6066 §3, RFC 6125 §6.4)`, () => {
        const credentials = (['ecdsaP256', 'aExample', 'bExample'] as const).map(credential);
        const { client } = connect({ sni, verify: true }, { credentials });
        expect(client.certificates?.[0]).to.deep.equal(credential(kind).certificateChain[0]);
      });
    }

    it('is that of the configuration for the server name', () => {
      const other = testServer({ ciphers: ['TLS_AES_256_GCM_SHA384'], alpn: ['h2'] });
      const link = connect(
        { sni: 'b.example', alpn: ['h2'] },
        { onServerName: (name) => (name === 'b.example' ? other : undefined) },
      );
      expectWorking(link);
      expect(link.connection.cipherSuite).to.equal('TLS_AES_256_GCM_SHA384');
      expect(link.connection.alpnProtocol).to.equal('h2');
      expect(link.connection.serverName).to.equal('b.example');
    });
  });

  describe('EncryptedExtensions', () => {
    it('are empty where nothing was offered', () => {
      const { client } = connect();
      expect(client.encryptedExtensions?.order).to.deep.equal([]);
    });

    it('acknowledge the server name, but on resumption, though it counts anew there (RFC 6066 §3)', () => {
      const config = testServer();
      const first = exchange(new ScriptedClient({ sni: 'localhost' }), new ServerConnection(config));
      expect(first.client.encryptedExtensions?.serverName).to.equal(true);
      expect(first.connection.serverName).to.equal('localhost');
      const again = new ScriptedClient({ sni: 'localhost', psks: first.client.tickets });
      expect(expectWorking(exchange(again, new ServerConnection(config))).connection.serverName).to.equal('localhost');
      expect(again.isResumed).to.equal(true);
      expect(again.encryptedExtensions?.order).to.deep.equal([]);
    });

    it('name the groups of the server for a client that has sent no share of the first (RFC 9846 §4.3.7)', () => {
      const groups = (client: ClientOptions) =>
        expectWorking(connect(client, { groups: ['x25519', 'secp384r1', 'secp256r1'] })).client.encryptedExtensions
          ?.supportedGroups;
      expect(groups({ keyShares: ['secp256r1', 'x25519'] })).to.equal(undefined);
      expect(groups({ keyShares: [] }), 'after a HelloRetryRequest for the first').to.equal(undefined);
      expect(groups({ keyShares: ['secp256r1'] })).to.deep.equal([29, 24, 23]);
      expect(groups({ groups: ['secp256r1'], keyShares: [] })).to.deep.equal([29, 24, 23]);
    });

    it('name the groups of the server on resumption too, but for psk_ke, which has no share', () => {
      for (const [pskMode, expected] of [
        ['psk_dhe_ke', [29, 23, 24]],
        ['psk_ke', undefined],
      ] as const) {
        const config = testServer({ pskModes: [pskMode] });
        const { tickets: psks } = exchange(new ScriptedClient(), new ServerConnection(config)).client;
        const client = new ScriptedClient({ psks, keyShares: ['secp256r1'] });
        expectWorking(exchange(client, new ServerConnection(config)));
        expect(client.isResumed).to.equal(true);
        expect(client.encryptedExtensions?.supportedGroups).to.deep.equal(expected);
      }
    });

    it('name the one protocol of ALPN, in the server’s order (RFC 7301 §3.2)', () => {
      const { client, connection } = connect({ alpn: ['http/1.1', 'h2'] }, { alpn: ['h2', 'http/1.1'] });
      expect(client.encryptedExtensions?.alpn).to.deep.equal(['h2']);
      expect(connection.alpnProtocol).to.equal('h2');
    });

    it('say nothing of ALPN where either side does not speak of it', () => {
      expect(connect({ alpn: ['h2'] }).client.encryptedExtensions?.alpn).to.equal(undefined);
      const { client, connection } = connect({}, { alpn: ['h2'] });
      expect(client.encryptedExtensions?.alpn).to.equal(undefined);
      expect(connection.alpnProtocol).to.equal(undefined);
    });

    it('have nothing of TLS 1.2: no renegotiation_info, extended_master_secret, ec_point_formats, session_ticket', () => {
      const { client } = connect({ sni: 'localhost', alpn: ['h2'], ticketExt: new Uint8Array(0) }, { alpn: ['h2'] });
      const raw = client.received.find((item) => item.kind === 'handshake' && item.name === 'encrypted_extensions');
      const body = raw?.kind === 'handshake' ? raw.raw.subarray(4) : new Uint8Array(0);
      expect(decode(EncryptedExtensions, body).extensions.order).to.deep.equal([0, 16]);
    });
  });

  describe('HelloRetryRequest', () => {
    for (const group of ['x25519', 'secp256r1', 'secp384r1'] as const) {
      it(`asks for ${group}, and goes on with it`, () => {
        const link = expectWorking(connect({ groups: [group], keyShares: [] }));
        expect(link.client.helloRetryRequest?.extensions).to.deep.include({
          keyShare: NamedGroup[group],
          supportedVersions: 0x0304,
        });
        expect(link.connection.group).to.equal(group);
      });
    }

    it('has the random of §4.2.3, the session id, the suite that stays, and no cookie', () => {
      const { client } = connect({ keyShares: [] });
      const hello = client.helloRetryRequest;
      expect(hello?.random).to.deep.equal(HELLO_RETRY_REQUEST_RANDOM);
      expect(hello?.legacySessionIdEcho).to.have.lengthOf(32);
      expect(hello?.legacySessionIdEcho).to.deep.equal(client.hellos[0]?.legacySessionId);
      expect(hello?.legacyCompressionMethod).to.equal(0);
      expect(hello?.extensions.order).to.deep.equal([51, 43]);
      expect(hello?.cipherSuite).to.equal(client.serverHello?.cipherSuite);
    });

    it('is sent once: exactly two hellos each', () => {
      const { client } = connect({ keyShares: [] });
      expect(client.hellos).to.have.lengthOf(2);
      expect(client.heard.filter((name) => name === 'server_hello')).to.have.lengthOf(2);
    });

    it('asks for the server’s first group even where the client would rather another', () => {
      const { client } = connect({ groups: ['secp384r1', 'secp256r1'], keyShares: [] });
      expect(client.group).to.equal('secp256r1');
    });

    for (const [suite, hash] of [
      ['TLS_AES_128_GCM_SHA256', 'sha256'],
      ['TLS_AES_256_GCM_SHA384', 'sha384'],
    ] as const) {
      it(`puts message_hash in place of the first hello, with ${hash} (§4.1)`, () => {
        const { client } = connect({ ciphers: [suite], keyShares: [] });
        const [first, second] = client.sent.map(({ raw }) => raw);
        expect(finishedOf(client)).to.equal(
          toHex(expectedFinished(client, hash, [messageHash(hash, first as Uint8Array), second as Uint8Array])),
        );
      });
    }

    it('hashes the hello as it is without one', () => {
      const { client } = connect();
      const [hello] = client.sent.map(({ raw }) => raw);
      expect(finishedOf(client)).to.equal(toHex(expectedFinished(client, 'sha256', [hello as Uint8Array])));
    });

    it('may be followed by a hello with other padding (§4.2.2)', () => {
      expectWorking(
        connect({
          keyShares: [],
          rewriteExtensions: (list, attempt) => [...list, rawExtension(21, ...new Array(attempt).fill(0))],
        }),
      );
    });

    it('may be followed by a hello without early_data (§4.2.2)', () => {
      expectWorking(connect({ keyShares: [], earlyData: true }));
    });
  });

  describe('middlebox compatibility (Appendix E.4)', () => {
    it('has a ChangeCipherSpec right after ServerHello where there is a session id', () => {
      expect(connect().client.heard).to.deep.equal(['server_hello', 'change_cipher_spec', ...FULL_FLIGHT, ...TICKETS]);
    });

    it('has none without a session id', () => {
      expect(connect({ sessionId: new Uint8Array(0) }).client.heard).not.to.include('change_cipher_spec');
    });

    it('has it right after HelloRetryRequest, and then no second one', () => {
      const { client } = connect({ keyShares: [] });
      expect(client.heard).to.deep.equal([
        'server_hello',
        'change_cipher_spec',
        'server_hello',
        ...FULL_FLIGHT,
        ...TICKETS,
      ]);
    });

    it('has none after HelloRetryRequest without a session id', () => {
      expect(connect({ keyShares: [], sessionId: new Uint8Array(0) }).client.heard).not.to.include(
        'change_cipher_spec',
      );
    });

    it('has it on resumption as well', () => {
      const config = testServer();
      const { client: before } = exchange(new ScriptedClient(), new ServerConnection(config));
      const { client } = exchange(new ScriptedClient({ psks: before.tickets }), new ServerConnection(config));
      expect(client.heard.slice(0, 3)).to.deep.equal(['server_hello', 'change_cipher_spec', 'encrypted_extensions']);
    });

    for (const length of [0, 1, 16, 31, 32]) {
      it(`echoes a session id of ${length} bytes (Ticketbleed)`, () => {
        const sessionId = Uint8Array.from({ length }, (_, i) => 200 + i);
        const { client } = connect({ sessionId, keyShares: [] });
        expect(client.helloRetryRequest?.legacySessionIdEcho).to.deep.equal(sessionId);
        expect(client.serverHello?.legacySessionIdEcho).to.deep.equal(sessionId);
      });
    }

    it('does without the client’s ChangeCipherSpec', () => {
      expectWorking(connect({ changeCipherSpec: false }));
    });

    it('drops the client’s ChangeCipherSpec even without a session id (§5)', () => {
      const link = connect({ sessionId: new Uint8Array(0), stopBefore: 'finished' });
      link.client.sendChangeCipherSpec();
      link.client.proceed();
      expectWorking(link.run());
    });

    it('drops several, wherever they may come: after the first hello, and until Finished', () => {
      const link = connect({ keyShares: [], stopBefore: 'second_client_hello' });
      link.client.sendChangeCipherSpec();
      link.client.proceed();
      expectWorking(link.run());
      const other = connect({ stopBefore: 'finished' });
      for (let i = 0; i < 5; i++) other.client.sendChangeCipherSpec();
      other.client.proceed();
      expectWorking(other.run());
    });
  });

  describe('resumption', () => {
    const resumed = (client: ClientOptions, server: Partial<ServerOptions> = {}) => {
      const config = testServer({ pskModes: ['psk_dhe_ke', 'psk_ke'], ...server });
      const { client: before } = exchange(new ScriptedClient(), new ServerConnection(config));
      return exchange(new ScriptedClient({ psks: before.tickets, ...client }), new ServerConnection(config));
    };

    it('with psk_dhe_ke has a share and no certificate, and one ticket (Figure 3)', () => {
      const { client, connection } = expectWorking(resumed({}));
      expect(client.heard.slice(2)).to.deep.equal(['encrypted_extensions', 'finished', 'new_session_ticket', 'data']);
      expect(client.serverHello?.extensions.order).to.deep.equal([41, 51, 43]);
      expect(connection.group).to.equal('x25519');
    });

    it('with psk_ke has no share', () => {
      const { client, connection } = expectWorking(resumed({ pskModes: ['psk_ke'] }));
      expect(client.serverHello?.extensions.order).to.deep.equal([41, 43]);
      expect(connection.group).to.equal(undefined);
    });

    it('with psk_ke needs no HelloRetryRequest', () => {
      const { client } = expectWorking(resumed({ pskModes: ['psk_ke'], keyShares: [] }));
      expect(client.helloRetryRequest).to.equal(undefined);
    });

    it('with psk_dhe_ke keeps the PSK across a HelloRetryRequest', () => {
      const { client } = expectWorking(resumed({ keyShares: [] }));
      expect(client.isResumed).to.equal(true);
      expect(client.hellos).to.have.lengthOf(2);
    });

    for (const suite of ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const) {
      it(`under ${suite}`, () => {
        const ciphers = [suite];
        const { connection } = expectWorking(resumed({}, { ciphers }));
        expect(connection.resumption.resumed).to.equal(true);
      });
    }
  });

  describe('exporters (§7.5)', () => {
    for (const ciphers of [['TLS_AES_128_GCM_SHA256'], ['TLS_AES_256_GCM_SHA384']] as const) {
      it(`are the same on both sides, ${ciphers}`, () => {
        const { client, connection } = connect({ ciphers });
        for (const [length, label, context] of [
          [32, 'EXPORTER-Channel-Binding', undefined],
          [20, 'EXPERIMENTAL-test', ascii('context')],
          [200, 'EXPERIMENTAL-test', new Uint8Array(0)],
        ] as const) {
          expect(toHex(connection.exportKeyingMaterial(length, label, context))).to.equal(
            toHex(client.exportKeyingMaterial(length, label, context)),
          );
        }
      });
    }

    it('do not tell no context from an empty one, but labels, contexts and connections', () => {
      const { connection } = connect();
      const material = (label: string, context?: Uint8Array) =>
        toHex(connection.exportKeyingMaterial(32, label, context));
      expect(material('a')).to.equal(material('a', new Uint8Array(0)));
      expect(new Set([material('a'), material('b'), material('a', ascii('c'))]).size).to.equal(3);
    });

    it('are refused before the handshake is complete, after its end, and beyond their bounds', () => {
      const link = connect({ stopBefore: 'finished' });
      expect(() => link.connection.exportKeyingMaterial(32, 'a')).to.throw('before');
      link.client.proceed();
      link.run();
      expect(() => link.connection.exportKeyingMaterial(0, 'a')).to.throw(RangeError);
      expect(() => link.connection.exportKeyingMaterial(9000, 'a')).to.throw(RangeError);
      expect(() => link.connection.exportKeyingMaterial(32, '')).to.throw(RangeError, '1 to 249');
      expect(link.connection.exportKeyingMaterial(32, 'x'.repeat(249))).to.have.lengthOf(32);
      expect(() => link.connection.exportKeyingMaterial(32, 'x'.repeat(250))).to.throw(RangeError);
      link.connection.dispose();
      expect(() => link.connection.exportKeyingMaterial(32, 'a')).to.throw('after the end');
    });
  });

  describe('key log', () => {
    for (const options of [{}, { keyShares: [] }] as const) {
      it(`has every secret of the connection${'keyShares' in options ? ', with a HelloRetryRequest' : ''}`, () => {
        const lines: string[] = [];
        const link = connect(options, { keylog: (line) => void lines.push(line) });
        expect(lines).to.have.members(expectedLines(link.client));
        expect(lines).to.have.lengthOf(5);
        const told = link.events.map((event) => (event.type === 'keylog' ? event.line : ''));
        expect(told.filter((line) => line !== '')).to.deep.equal(lines);
      });
    }
  });

  describe('the end (§6.1)', () => {
    it('of the client’s direction leaves ours open', () => {
      const link = connect();
      link.client.close();
      link.run();
      expect(link.events.at(-1)).to.deep.equal({ type: 'end' });
      expect(link.client.isEnded).to.equal(false);
      link.step(link.connection.write(ascii('still here')));
      expect(toHex(link.client.data)).to.equal(toHex(ascii('still here')));
      link.step(link.connection.end());
      expect(link.client.isEnded).to.equal(true);
    });

    it('of our direction leaves the client’s open', () => {
      const link = connect();
      link.step(link.connection.end());
      expect(link.client.isEnded).to.equal(true);
      expect(() => link.connection.write(Uint8Array.of(1))).to.throw('write()');
      link.client.sendData(ascii('and another thing'));
      link.client.close();
      link.run();
      expect(toHex(link.data)).to.equal(toHex(ascii('and another thing')));
      expect(link.events.at(-1)).to.deep.equal({ type: 'end' });
      expect(link.failure).to.equal(undefined);
    });

    it('is said once', () => {
      const link = connect();
      link.step(link.connection.end()).step(link.connection.end());
      expect(link.client.alerts).to.have.lengthOf(1);
      expect(link.client.alert).to.deep.include({ level: 1, name: 'close_notify', protected: true });
    });

    it('has nothing behind it: what comes after a close_notify is ignored', () => {
      const link = connect();
      link.client.close();
      link.client.sendData(ascii('too late'));
      link.run();
      link.send(Uint8Array.of(99, 99, 99));
      expect(link.data).to.have.lengthOf(0);
      expect(link.failure).to.equal(undefined);
    });

    it('in the middle of the handshake is no failure', () => {
      const link = connect({ stopBefore: 'finished' });
      link.client.close();
      link.run();
      expect(link.events.at(-1)).to.deep.equal({ type: 'end' });
      expect(link.failure).to.equal(undefined);
      expect(link.connection.isEstablished).to.equal(false);
    });

    it('by dispose() says nothing more, and wipes the secrets', () => {
      const link = connect();
      expect(link.connection.dispose().output).to.have.lengthOf(0);
      expect(link.connection.receive(Uint8Array.of(1)).events).to.deep.equal([]);
      expect(link.connection.end().output).to.have.lengthOf(0);
    });
  });

  describe('data', () => {
    it('of 100 kB goes through both ways, in records of 2^14 bytes', () => {
      const link = connect();
      const data = Uint8Array.from({ length: 100_000 }, (_, i) => i & 0xff);
      link.client.sendData(data);
      link.run().step(link.connection.write(data));
      expect(toHex(link.data)).to.equal(toHex(data));
      expect(toHex(link.client.data)).to.equal(toHex(data));
      const sizes = link.client.receivedRecords.filter(({ type }) => type === 23).map(({ content }) => content.length);
      expect(sizes).to.deep.equal([16384, 16384, 16384, 16384, 16384, 16384, 1696]);
    });

    it('cannot be written before the handshake is complete', () => {
      const { connection } = connect({ stopBefore: 'finished' });
      expect(() => connection.write(Uint8Array.of(1))).to.throw('before the handshake is complete');
    });

    it('may be padded by the client (§5.4)', () => {
      expectWorking(connect({ padding: 1 }));
      expectWorking(connect({ padding: 500 }));
    });
  });
});

/** The server's verify_data as it was on the wire. */
function finishedOf(client: ScriptedClient): string {
  const item = client.received.find((received) => received.kind === 'handshake' && received.name === 'finished');
  return item?.kind === 'handshake' ? toHex(item.raw.subarray(4)) : '';
}

/** What it has to be, after these hellos of the client's and everything that the server said before. */
function expectedFinished(client: ScriptedClient, hash: HashAlgorithm, hellos: readonly Uint8Array[]): Uint8Array {
  const heard = client.received.flatMap((item) => (item.kind === 'handshake' ? [item] : []));
  const before = heard
    .slice(
      0,
      heard.findIndex(({ name }) => name === 'finished'),
    )
    .map(({ raw }) => raw);
  const retry = client.helloRetryRequest === undefined ? [] : before.splice(0, 1);
  const [first, ...others] = hellos;
  const secret = client.secrets.get('SERVER_HANDSHAKE_TRAFFIC_SECRET') as Uint8Array;
  return verifyData(hash, secret, first as Uint8Array, ...retry, ...others, ...before);
}

/** NSS key log format. */
function expectedLines(client: ScriptedClient): string[] {
  return [...client.secrets].map(([label, secret]) => `${label} ${toHex(client.clientRandom)} ${toHex(secret)}`);
}
