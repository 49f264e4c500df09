/** The demo's client: OpenSSL, the one in Node. Nothing of ours is in it. */

import { once } from 'node:events';
import { connect } from 'node:tls';
import type { Version } from '../wire/registry.ts';

/** A client that waits longer than this for the server says so. */
const TIMEOUT_MS = 10_000;

export interface Visit {
  readonly resumed: boolean;
  readonly cipherSuite: string;
  /** What it may resume from next time; OpenSSL's bytes. TLS 1.3: the last ticket. */
  readonly session: Buffer | undefined;
  /** How many sessions it was given. */
  readonly sessions: number;
  /** The first line of the server's answer. */
  readonly answer: string;
}

export interface VisitOptions {
  readonly port: number;
  readonly version: Version;
  /** PEM of the certificate to be trusted. */
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
