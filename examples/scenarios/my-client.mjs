/** The client under test: here that of node:tls, with a session for each name. Put yours in its place. */

import tls from 'node:tls';
import { selfSignedCertificate, systemWorld } from 'tls-resume';
import { clientOverTcp } from 'tls-resume/judges';

const credential = selfSignedCertificate(systemWorld); // the tester's, for localhost
const sessions = new Map();

export const myClient = clientOverTcp({
  credentials: [credential],
  abilities: ['resume', 'server-name'],
  forget: () => sessions.clear(),
  connect: ({ host, port, serverName, resumes }) =>
    new Promise((resolve) => {
      const session = resumes ? sessions.get(serverName) : undefined;
      const socket = tls.connect({ host, port, servername: serverName, rejectUnauthorized: false, session });
      socket.once('secureConnect', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
      socket.on('session', (fresh) => sessions.set(serverName, fresh));
      socket.on('error', () => {}); // the tester sees what came of it
      socket.once('close', resolve);
      socket.resume();
    }),
});
