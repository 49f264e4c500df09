/** The entry tls-resume/tls13: TLS 1.3 as ever, and nothing of TLS 1.2; what it leaves out unless told. Node's own client is the judge. */

import { once } from 'node:events';
import { connect } from 'node:tls';
import { expect } from 'chai';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import { defineServer as defineWhole } from '../../src/engine/server/define-server.ts';
import * as index from '../../src/index.ts';
import * as entry from '../../src/tls13.ts';
import { certificates } from '../fixtures.ts';
import { only, startServer, stopServers, visit } from './support.ts';

const { clientCertificates, credentialFromPem, defaultProvider, defineServer, sealedTickets, webCryptoCredential } =
  entry;
const idContext = Uint8Array.of(1);

afterEach(stopServers);

/** Comes, and comes back with the session; which of the two visits resumed. */
async function twice(config: ServerConfig, options: Parameters<typeof visit>[0] = {}): Promise<readonly boolean[]> {
  const { port } = await startServer({ config });
  const first = await visit({ port, ...options });
  const second = await visit({ port, ...options, session: first.session });
  expect([first, second].map(({ protocol, text }) => [protocol, text])).to.deep.equal(
    Array.from({ length: 2 }, () => ['TLSv1.3', 'bye']),
  );
  return [first.isReused, second.isReused];
}

/** How a client that has TLS 1.2 and no more fares. */
async function refusal(port: number): Promise<unknown> {
  const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...only('TLSv1.2') });
  const [error] = await once(client, 'error');
  return error.code;
}

describe('tls-resume/tls13', () => {
  for (const kind of ['ecdsaP256', 'ecdsaP384', 'rsa2048', 'chain'] as const) {
    it(`serves with Web Crypto alone and a key of the kind ${kind}: full, then resumed`, async () => {
      const config = defineServer({ credentials: [await webCryptoCredential(certificates[kind])] });
      expect(await twice(config)).to.deep.equal([false, true]);
      expect(config.store.statistics()).to.include({ accept: 2, acceptGood: 2, hits: 1 });
    });
  }

  it("serves with @noble's curves, each group", async () => {
    const config = defineServer({ credentials: [credentialFromPem(certificates.ecdsaP256)], crypto: defaultProvider });
    for (const ecdhCurve of ['X25519', 'P-256', 'P-384'])
      expect(await twice(config, { ecdhCurve })).to.deep.equal([false, true]);
  });

  it('serves with sealed tickets, where it is given that part', async () => {
    const credentials = [await webCryptoCredential(certificates.ecdsaP256)];
    const config = defineServer({ credentials, tickets: { mode: 'stateless' } }, { sealedTickets });
    expect(await twice(config)).to.deep.equal([false, true]);
    expect(config.store.cache?.size).to.equal(0);
  });

  it('asks for client certificates, where it is given that part', async () => {
    const credentials = [await webCryptoCredential(certificates.ecdsaP256)];
    const clientAuth = { mode: 'require', verifyClient: () => true } as const;
    const config = defineServer({ credentials, clientAuth, sessions: { idContext } }, { clientCertificates });
    expect(config.crypto.verifier).to.equal(entry.webCrypto.verifier);
    const shown: (number | undefined)[] = [];
    const { port } = await startServer({ config }, (socket) => {
      shown.push(socket.peerCertificate?.length);
      socket.end('bye');
    });
    const { session } = await visit({ port, ...certificates.aExample });
    const again = await visit({ port, session });
    expect(again.isReused).to.equal(true);
    expect(shown[0]).to.be.above(100);
    expect(shown[1]).to.equal(shown[0]);
  });

  it('tells a client without TLS 1.3 that there is no version in common', async () => {
    const config = defineServer({ credentials: [await webCryptoCredential(certificates.ecdsaP256)] });
    const { server, port } = await startServer({ config });
    const failed = once(server, 'tlsClientError');
    expect(await refusal(port)).to.equal('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    expect((await failed)[0]).to.include({ alert: 'protocol_version' });
    expect((await visit({ port, maxVersion: 'TLSv1.3', minVersion: 'TLSv1.2' })).protocol).to.equal('TLSv1.3');
  });

  it('has a virtual host with TLS 1.2 beside it', async () => {
    const credentials = [credentialFromPem(certificates.ecdsaP256)];
    const older = defineWhole({ credentials });
    const onServerName = (name?: string) => (name === 'old.example' ? older : undefined);
    const { port } = await startServer({ config: defineServer({ credentials, onServerName }) });
    const old = await visit({ port, ...only('TLSv1.2'), servername: 'old.example' });
    expect(old.protocol).to.equal('TLSv1.2');
    expect(await refusal(port)).to.equal('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  const credentials = [credentialFromPem(certificates.ecdsaP256)];
  const clientAuth = { mode: 'request', verifyClient: () => true } as const;
  for (const [options, message] of [
    [{ minVersion: 'TLSv1.2' }, /^minVersion: "TLSv1.2" is not one of TLSv1.3$/],
    [{ ciphers: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] }, /^ciphers: none of them belongs to TLSv1.3/],
    [{ clientAuth }, /^clientAuth: .* defineServer\(options, { clientCertificates }\)$/],
    [{ tickets: { mode: 'stateless' } }, /^tickets.mode 'stateless': .* defineServer\(options, { sealedTickets }\)$/],
    [{ credentials: [certificates.ecdsaP256] }, /^credentials\[0\]: PEM is for webCryptoCredential\(\)/],
    [{ requireExtendedMasterSecret: true }, /^requireExtendedMasterSecret is for TLS 1.2/],
    [{ credentials: [] }, /^credentials: give at least one credential, which webCryptoCredential\(\) makes$/],
  ] as const) {
    it(`refuses ${JSON.stringify(options).slice(0, 60)}`, () => {
      const define = () => defineServer({ credentials, ...options } as entry.Tls13Options);
      expect(define).to.throw(message);
    });
  }

  it('refuses a part that there is not, and names those that there are', () => {
    const parts = { sealedTicket: sealedTickets } as entry.OptionalParts;
    expect(() => defineServer({ credentials }, parts)).to.throw(
      TypeError,
      /parts.sealedTicket; .* sealedTickets; is parts.sealedTickets meant\?$/,
    );
  });

  it('accept() refuses options in the place of a configuration', async () => {
    const transport = { readable: new ReadableStream(), writable: new WritableStream() };
    const options: unknown = { credentials };
    const error: unknown = await entry.accept(transport, options as ServerConfig).catch((reason: unknown) => reason);
    expect(error)
      .to.be.instanceOf(TypeError)
      .with.property(
        'message',
        'config: what defineServer() returned is wanted, and no copy; these are options: pass defineServer(options)',
      );
  });

  it('exports what the index exports, and the parts that are its own', () => {
    const own = ['accept', 'clientCertificates', 'defineServer', 'earlyData', 'externalPsks', 'sealedTickets'];
    const shared = Object.entries(entry).filter(([name]) => !own.includes(name));
    expect(shared).to.have.length.above(10);
    for (const [name, value] of shared) expect(index, name).to.have.property(name, value);
  });
});
