/** A client for tests of the command: Node's own, which is OpenSSL, and no code of this library. */

import { once } from 'node:events';
import { connect } from 'node:tls';
import type { Version } from '../../src/wire/registry.ts';

/** Milliseconds after which a client reports that the server does not answer. */
const TIMEOUT_MS = 10_000;

export interface Visit {
  readonly resumed: boolean;
  readonly cipherSuite: string;
  /** The session to resume next time, in OpenSSL's bytes. In TLS 1.3 it has the last ticket. */
  readonly session: Buffer | undefined;
  /** The number of sessions that it received. */
  readonly sessions: number;
  /** The first line of the server's answer. */
  readonly answer: string;
}

interface VisitOptions {
  readonly port: number;
  readonly version: Version;
  /** The PEM of the certificate to trust. */
  readonly ca: string;
  readonly session?: Buffer | undefined;
}

/** Connects, asks for the page, and reads until the server closes. */
export async function visit({ port, version, ca, session }: VisitOptions): Promise<Visit> {
  const versions = { minVersion: version, maxVersion: version };
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca, session, ...versions });
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('the server does not answer')));
  const sessions: Buffer[] = [];
  socket.on('session', (given: Buffer) => sessions.push(given));
  await once(socket, 'secureConnect');
  const facts = { resumed: socket.isSessionReused(), cipherSuite: socket.getCipher().standardName };
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += chunk;
  const [answer = ''] = text.split('\r\n', 1);
  return { ...facts, session: sessions.at(-1), sessions: sessions.length, answer };
}
