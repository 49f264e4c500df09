/** Rules of the RFCs that one file of the server alone does not show: each with what would break it. */

import { expect } from 'chai';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { concat } from '../../../src/wire/bytes.ts';
import { ExtensionType, SignatureScheme } from '../../../src/wire/registry.ts';
import { type ClientOptions, type Exchange, exchange, ScriptedClient } from '../../support/scripted-client.ts';
import { rawExtension, withExtension } from '../../support/scripted-hello.ts';
import { credential, quickCredential, testServer } from '../../support/servers.ts';
import { TestWorld } from '../../support/world.ts';

function connect(client: ClientOptions = {}, server: Partial<ServerOptions> = {}): Exchange {
  return exchange(new ScriptedClient(client), new ServerConnection(testServer(server)));
}

describe('rules of the RFCs', () => {
  for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
    it(`nothing follows a close_notify in the middle of the handshake, ${version} (RFC 9846 §6.1, RFC 5246 §7.2.1)`, () => {
      const link = connect({ version, stopBefore: 'finished' });
      link.step(link.connection.end());
      const before = link.client.received.length;
      expect(link.client.received.at(-1)).to.include({ kind: 'alert', name: 'close_notify' });
      link.client.proceed();
      link.run();
      expect(link.client.heard.slice(before)).to.deep.equal([]);
      expect(link.connection.isEstablished).to.equal(false);
    });
  }

  it('nothing follows a close_notify before the hello', () => {
    const link = connect({ stopBefore: 'client_hello' });
    const { output } = link.connection.end();
    expect(output.length).to.be.greaterThan(0);
    link.client.proceed();
    expect(link.connection.receive(link.client.take()).output).to.have.lengthOf(0);
  });

  it('an ECDHE share is not sent in psk_ke, after a HelloRetryRequest either (RFC 9846 §4.3.9)', () => {
    const config = testServer({ pskModes: ['psk_ke'], sessions: { maxIdentities: 1 } });
    const visit = (options: ClientOptions) => exchange(new ScriptedClient(options), new ServerConnection(config));
    const { tickets } = visit({ ciphers: ['TLS_AES_128_GCM_SHA256'] }).client;
    const other = { identity: Uint8Array.of(1, 2, 3), secret: new Uint8Array(48), hash: 'sha384' } as const;
    const link = visit({ psks: [other, ...tickets.slice(0, 1)], pskModes: ['psk_ke'], keyShares: [] });
    expect(link.failure).to.equal(undefined);
    const { extensions } = link.client.serverHello ?? {};
    const both = extensions !== undefined && 'keyShare' in extensions && 'preSharedKey' in extensions;
    expect(both && extensions.keyShare !== undefined && extensions.preSharedKey !== undefined).to.equal(false);
  });

  it('TLS 1.2 without extended_master_secret has no exporter (RFC 7627 §5.4)', () => {
    const config = testServer();
    const visit = (options: ClientOptions) =>
      exchange(new ScriptedClient({ version: 'TLSv1.2', ...options }), new ServerConnection(config));
    const first = visit({ ems: false });
    expect(() => first.connection.exportKeyingMaterial(32, 'EXPORTER-x')).to.throw('extended_master_secret');
    const second = visit({ ems: false, session: first.client.session });
    expect(second.connection.resumption.resumed).to.equal(true);
    expect(() => second.connection.exportKeyingMaterial(32, 'EXPORTER-x')).to.throw('extended_master_secret');
    expect(visit({}).connection.exportKeyingMaterial(32, 'EXPORTER-x')).to.have.lengthOf(32);
  });

  it('the context of a TLS 1.2 exporter has at most 2^16 - 1 bytes (RFC 5705 §4)', () => {
    const { connection } = connect({ version: 'TLSv1.2' });
    const context = new Uint8Array(65536);
    expect(() => connection.exportKeyingMaterial(32, 'EXPORTER-x', context)).to.throw(RangeError);
  });

  it('a KeyUpdate that we have asked for is no idle record (RFC 9846 §4.7.3)', () => {
    const link = connect();
    for (let i = 0; i < 40; i++) {
      link.step(link.connection.updateKeys(true)).run();
      link.step(link.connection.write(Uint8Array.of(i))); // without data, they are idle records to the client
    }
    expect(link.failure).to.equal(undefined);
  });

  it('a KeyUpdate is asked for once until one has come (RFC 9846 §4.7.3)', () => {
    const link = connect({ polite: false });
    for (let i = 0; i < 3; i++) link.step(link.connection.updateKeys(true));
    const updates = link.client.received.flatMap((item) =>
      item.kind === 'handshake' && item.name === 'key_update' ? [item.raw.at(-1)] : [],
    );
    expect(updates).to.deep.equal([1, 0, 0]);
  });

  it('a server without suites of TLS 1.3 speaks TLS 1.2 with a client that has both (RFC 5246 App. E.1, RFC 9846 §4.3.1)', () => {
    const link = connect({}, { ciphers: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] });
    expect(link.failure).to.equal(undefined);
    expect(link.connection.version).to.equal('TLSv1.2');
  });

  it('a hello and the beginning of the next one in one record are refused (RFC 9846 §5.1)', () => {
    let hellos = 0;
    const link = connect({
      keyShares: [],
      changeCipherSpec: false,
      // The first byte of the second hello comes with the first.
      rewriteWire: (name, raw) =>
        name !== 'client_hello' ? raw : hellos++ === 0 ? concat(raw, Uint8Array.of(1)) : raw.subarray(1),
    });
    expect(link.failure?.alert).to.equal('unexpected_message');
  });

  const different: Record<string, ClientOptions['rewriteExtensions']> = {
    'an extension more that is not read': (list, attempt) =>
      attempt === 2 ? [rawExtension(0x1234, 1), ...list] : list,
    'an extension less that is not read': (list, attempt) =>
      attempt === 1 ? [rawExtension(0x1234, 1), ...list] : list,
    'an extension that is not read, and changes': (list, attempt) => [rawExtension(0x1234, attempt), ...list],
    'another status_request': (list, attempt) => withExtension([...list], 5, 2, attempt),
  };
  for (const [what, rewriteExtensions] of Object.entries(different)) {
    it(`the second ClientHello may not have ${what} (RFC 9846 §4.2.2)`, () => {
      const link = connect({ keyShares: [], rewriteExtensions });
      expect(link.failure?.alert).to.equal('illegal_parameter');
    });
  }
  for (const [what, type] of [
    ['padding', ExtensionType.padding],
    ['encrypted_client_hello', 0xfe0d],
  ] as const) {
    it(`the second ClientHello may have other ${what}`, () => {
      const link = connect({
        keyShares: [],
        rewriteExtensions: (list, attempt) => withExtension([...list], type, ...new Array(attempt).fill(0)),
      });
      expect(link.failure).to.equal(undefined);
    });
  }
  it('the second ClientHello has the identities in the order of the first, each once (RFC 9846 §4.2.2)', () => {
    const config = testServer();
    const { tickets } = exchange(new ScriptedClient(), new ServerConnection(config)).client;
    for (const change of [
      (list: readonly unknown[]) => [...list].reverse(),
      (list: readonly unknown[]) => [...list, ...list],
    ]) {
      const client = new ScriptedClient({
        psks: tickets,
        keyShares: [],
        rewriteHello: (hello, attempt) => {
          const { preSharedKey } = hello.extensions;
          if (attempt === 1 || preSharedKey === undefined) return hello;
          const changed = {
            identities: change(preSharedKey.identities) as typeof preSharedKey.identities,
            binders: change(preSharedKey.binders) as typeof preSharedKey.binders,
          };
          return { ...hello, extensions: { ...hello.extensions, preSharedKey: changed } };
        },
      });
      expect(exchange(client, new ServerConnection(config)).failure?.alert).to.equal('illegal_parameter');
    }
  });

  it('two names of one type, whatever type (RFC 6066 §3)', () => {
    const link = connect({ rewriteExtensions: (list) => withExtension([...list], 0, 0, 8, 1, 0, 1, 97, 1, 0, 1, 98) });
    expect(link.failure?.alert).to.equal('illegal_parameter');
  });

  it('TLS_FALLBACK_SCSV with versions above ours only is no fallback (RFC 7507 §3)', () => {
    const link = connect({ supportedVersions: [0x0305], fallbackScsv: true });
    expect(link.failure?.alert).to.equal('protocol_version');
  });

  it('no ticket is sent that is worth nothing (RFC 9846 §4.7.1)', () => {
    const world = new TestWorld(2);
    const config = testServer({ world, tickets: { maxAuthAge: 100 } });
    const { tickets } = exchange(new ScriptedClient(), new ServerConnection(config)).client;
    world.advance(100);
    const link = exchange(new ScriptedClient({ psks: tickets }), new ServerConnection(config));
    expect(link.connection.resumption.resumed).to.equal(true);
    expect(link.client.tickets).to.deep.equal([]);
  });

  for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
    it(`a chain that the client can verify comes before one that it cannot, ${version} (RFC 9846 §4.5.1.2)`, () => {
      const rsaSigned = { ...quickCredential, certificateSchemes: ['rsa_pkcs1_sha256'] } as const;
      const { certificateChain } = credential('ecdsaP256');
      const ecdsaSigned = {
        ...quickCredential,
        certificateChain,
        certificateSchemes: ['ecdsa_secp256r1_sha256'],
      } as const;
      const shown = (signatureAlgorithms: ClientOptions['signatureAlgorithms']) =>
        connect({ version, signatureAlgorithms }, { credentials: [rsaSigned, ecdsaSigned] }).client.certificates?.[0]
          ?.length;
      expect(shown(['ecdsa_secp256r1_sha256'])).to.equal(certificateChain[0]?.length);
      expect(shown(['ecdsa_secp256r1_sha256', 'rsa_pkcs1_sha256'])).to.equal(300);
    });

    it(`signature_algorithms_cert says which chain that is, if it is there, ${version} (RFC 9846 §4.3.3)`, () => {
      const { certificateChain } = credential('ecdsaP256');
      const rsaSigned = { ...quickCredential, certificateSchemes: ['rsa_pkcs1_sha256'] } as const;
      const ecdsaSigned = { ...rsaSigned, certificateChain, certificateSchemes: ['ecdsa_secp256r1_sha256'] } as const;
      const shown = (...signatureAlgorithmsCert: readonly number[]) => {
        const rewriteHello: ClientOptions['rewriteHello'] = (hello) => {
          const extensions = { ...hello.extensions, signatureAlgorithmsCert };
          return { ...hello, extensions };
        };
        const link = connect({ version, rewriteHello }, { credentials: [rsaSigned, ecdsaSigned] });
        return link.client.certificates?.[0]?.length;
      };
      expect(shown(SignatureScheme.ecdsa_secp256r1_sha256)).to.equal(certificateChain[0]?.length);
      expect(shown(SignatureScheme.rsa_pkcs1_sha256)).to.equal(300);
    });
  }
});
