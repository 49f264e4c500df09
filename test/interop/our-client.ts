/** Our client at servers of others: what it says of a connection itself, and what was on the wire and in the answer. */

import { once } from 'node:events';
import type { ClientConfig } from '../../src/engine/client/config.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import type { ClientOptions } from '../../src/engine/client/options.ts';
import type { ClientResumption } from '../../src/handshake/outcome.ts';
import { connect, type NodeClientOptions, verifyChain } from '../../src/node/index.ts';
import type { Session } from '../../src/sessions/session.ts';
import { certificates, fixture } from '../fixtures.ts';
import { testProvider } from '../support/provider.ts';
import type { Version } from './clients.ts';
import { openRelay, type Passage } from './relay.ts';

export const clientPair = {
  cert: fixture('certificates/client-ecdsa-p256.cert.pem'),
  key: fixture('certificates/client-ecdsa-p256.key.pem'),
};

/** A client of one version that trusts the certificate of the harness, and keeps its sessions. */
export function clientOf(version: Version, options: ClientOptions = {}): ClientConfig {
  return defineClient({
    verifyServer: verifyChain({ ca: certificates.ecdsaP256.cert }),
    minVersion: version,
    maxVersion: version,
    crypto: testProvider,
    ...options,
  });
}

export interface Visited extends Omit<ClientResumption, 'session'> {
  readonly version: string | undefined;
  readonly cipherSuite: string | undefined;
  readonly group: string | undefined;
  /** Whether the server has signed. */
  readonly isSigned: boolean;
  readonly hasCertificate: boolean;
  readonly isTruncated: boolean;
  /** How many sessions it was given. */
  readonly sessions: number;
  readonly page: string;
}

/** Connects, asks for a page, and reads to the end. `onSession` has to take a hold of what it keeps. */
export async function visitServer(
  port: number,
  options: NodeClientOptions,
  onSession: (session: Session) => void = () => {},
): Promise<Visited> {
  const socket = connect({ host: '127.0.0.1', port }, { serverName: 'localhost', ...options });
  socket.setTimeout(8000, () => socket.destroy(new Error('no answer')));
  let page = '';
  let sessions = 0;
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    page += chunk;
  });
  socket.on('session', (session) => {
    sessions += 1;
    onSession(session);
  });
  socket.once('secureConnect', () => socket.write('GET / HTTP/1.0\r\nHost: localhost\r\n\r\n'));
  await once(socket, 'close'); // rejects on 'error'
  const { connection, isTruncated } = socket;
  const { session: _, ...resumption } = connection.resumption;
  return {
    ...resumption,
    version: connection.version,
    cipherSuite: connection.cipherSuite,
    group: connection.group,
    isSigned: connection.signatureScheme !== undefined,
    hasCertificate: connection.peerCertificate !== undefined,
    isTruncated,
    sessions,
    page,
  };
}

export interface Tour {
  readonly visits: readonly Visited[];
  readonly passages: readonly Passage[];
}

/** Visits the servers one after another, through a relay, by which they are one and the same to the client. */
export async function tour(ports: readonly number[], config: ClientConfig): Promise<Tour> {
  const relay = await openRelay((index) => ports[index] ?? 0);
  try {
    const visits: Visited[] = [];
    for (const _ of ports) visits.push(await visitServer(relay.port, { config }));
    return { visits, passages: await relay.gone(ports.length) };
  } finally {
    await relay.close();
  }
}
