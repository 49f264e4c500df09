/** Certificates of real clients at our server: shown once, by each kind of key, and remembered when the client comes again. */

import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import type { ClientAuthOptions, ServerOptions } from '../../src/engine/server/options.ts';
import { TlsAlert } from '../../src/wire/alert.ts';
import { fixture } from '../fixtures.ts';
import { type Client, curl, gnutlsCli, nodeTls, opensslSessionFile, type Version } from './clients.ts';
import { describeClient, fullThen, onTheWire, travel } from './harness.ts';
import { startOurs } from './our-server.ts';

const KINDS = ['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-2048'] as const;
const AUTHORITY = fixture('certificates/client-ca.cert.pem');
const ON_THE_WIRE: Readonly<Record<Version, string>> = { 'TLSv1.2': 'session-id', 'TLSv1.3': 'psk' };

/** What an application might do: it knows the one issuer. */
const verifyClient: ClientAuthOptions['verifyClient'] = ([leaf]) => {
  if (leaf === undefined) return false;
  const certificate = new X509Certificate(leaf);
  return certificate.verify(new X509Certificate(AUTHORITY).publicKey);
};

const demanding = (options: Partial<ServerOptions> = {}): Partial<ServerOptions> => ({
  clientAuth: { mode: 'require', verifyClient, authorities: [AUTHORITY] },
  sessions: { idContext: Uint8Array.of(1) },
  ...options,
});

describe('interop: certificates of real clients', () => {
  for (const client of [nodeTls, opensslSessionFile(), curl, gnutlsCli]) {
    describeClient(client, [], () => {
      for (const version of client.versions) describe(version, () => meetings(client, version));
    });
  }
});

function meetings(client: Client, version: Version): void {
  for (const kind of KINDS) {
    it(`${kind}, and again from the session`, async () => {
      const server = await startOurs(demanding());
      try {
        const { passages } = await travel({ client, version, port: server.port, shows: `client-${kind}` });
        expect(onTheWire(passages)).to.deep.equal(fullThen(ON_THE_WIRE[version], 2));
        const { raw } = new X509Certificate(fixture(`certificates/client-${kind}.cert.pem`));
        const seen = server.accepted.map(({ peerCertificate }) => Buffer.from(peerCertificate ?? []));
        expect(seen.map((leaf) => leaf.equals(raw))).to.deep.equal([true, true]);
        expect(server.accepted.map(({ isSessionReused }) => isSessionReused)).to.deep.equal([false, true]);
        expect(server.errors).to.deep.equal([]);
      } finally {
        await server.close();
      }
    });
  }

  it('from a stateless ticket, where the client takes one', async () => {
    const server = await startOurs(demanding({ tickets: { mode: 'stateless' } }));
    try {
      const { passages } = await travel({ client, version, port: server.port, shows: 'client-ecdsa-p256' });
      const [, second] = server.accepted;
      const mechanism = second?.resumption.mechanism;
      expect(mechanism).to.be.oneOf(version === 'TLSv1.3' ? ['psk-stateless'] : ['ticket', 'session-id']);
      expect(passages.map(({ resumed }) => resumed)).to.deep.equal([false, true]);
      for (const { peerCertificate } of server.accepted) expect(peerCertificate).to.not.equal(undefined);
    } finally {
      await server.close();
    }
  });

  if (client === gnutlsCli) return; // it shows none but of an issuer that the server names, and then waits for ever
  it('of another issuer: refused', async () => {
    const server = await startOurs(demanding());
    try {
      const trip = travel({ client, version, port: server.port, shows: 'ecdsa-p256', connections: 1 });
      await trip.catch(() => {}); // most programs make it their own failure
      expect(server.accepted).to.deep.equal([]);
      expect(server.errors.map((error) => error instanceof TlsAlert && error.alert)).to.deep.equal([
        'certificate_unknown',
      ]);
    } finally {
      await server.close();
    }
  });
}
