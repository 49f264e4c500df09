/** The client of the demo: that of this library, over TCP. */

import { once } from 'node:events';
import { connect } from '../node/connect.ts';
import type { Session } from '../sessions/session.ts';
import type { Version } from '../wire/registry.ts';

/** Milliseconds after which a client reports that the server does not answer. */
const TIMEOUT_MS = 10_000;

export interface Visit {
  readonly resumed: boolean;
  readonly cipherSuite: string;
  /** The session to resume next time: in TLS 1.3 it has the last ticket. The hold is the caller's. */
  readonly session: Session | undefined;
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
  readonly session?: Session | undefined;
}

/** Connects, asks for the page, and reads until the server closes. */
export async function visit({ port, version, ca, session }: VisitOptions): Promise<Visit> {
  const versions = { minVersion: version, maxVersion: version };
  const sessions = session === undefined ? [] : [session];
  const socket = connect({ host: '127.0.0.1', port }, { ca, serverName: 'localhost', sessions, ...versions });
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('the server does not answer')));
  const given: Session[] = [];
  socket.on('session', (fresh) => given.push(fresh.upRef()));
  await once(socket, 'secureConnect');
  const { resumption, cipherSuite = '' } = socket.connection;
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += chunk;
  const [answer = ''] = text.split('\r\n', 1);
  const last = given.pop();
  const seen = {
    resumed: resumption.resumed,
    cipherSuite,
    session: last,
    sessions: given.length + (last ? 1 : 0),
    answer,
  };
  for (const other of given) other.free();
  return seen;
}
