/** Node's tls as a client under test, for the driver `lines`. It is handed its session for each connection. */

export const NODE_CLIENT = `import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';

const sessions = new Map();

function connect(host, port, servername) {
  return new Promise((resolve) => {
    const session = sessions.get(servername);
    const socket = connectTls({ host, port: Number(port), servername, session, rejectUnauthorized: false });
    socket.setTimeout(60_000, () => socket.destroy());
    socket.on('secureConnect', () => socket.write('GET / HTTP/1.0\\r\\n\\r\\n'));
    socket.on('session', (given) => sessions.set(servername, given));
    socket.on('error', (error) => console.error(error.message));
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve());
    socket.resume();
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...words] = line.split(' ');
  if (command === 'forget') sessions.clear();
  else await connect(...words);
}
process.exit();
`;
