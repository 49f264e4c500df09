/**
 * A program for a Node without most of its globals: it keeps those of the language and those that its arguments name, loads
 * tls-resume/node, and serves node:tls a full handshake and a resumption in each version. It prints a line for each.
 */

import { once } from 'node:events';
import { connect, type SecureVersion } from 'node:tls';
import { runInNewContext } from 'node:vm';
import { certificates } from '../fixtures.ts';

const { stdout, argv } = process;
const ofTheLanguage: readonly string[] = runInNewContext('Object.getOwnPropertyNames(globalThis)');
const kept = new Set(['globalThis', ...ofTheLanguage, ...argv.slice(2)]);
for (const name of Object.getOwnPropertyNames(globalThis))
  if (!kept.has(name)) Reflect.deleteProperty(globalThis, name);
for (const name of Object.getOwnPropertyNames(globalThis)) if (!kept.has(name)) throw new Error(`${name} has remained`);

const { createServer } = await import('../../src/node/index.ts');
const { cert, key } = certificates.ecdsaP256;
const sessions = { onGet: async () => undefined };
const server = createServer({ cert, key, sessions }, (socket) => {
  stdout.write(`${socket.resumption.resumed ? 'resumed' : 'full'} ${socket.getProtocol()}\n`);
  socket.setTimeout(10_000);
  socket.end('x');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
for (const version of ['TLSv1.2', 'TLSv1.3'] as const) await visit(version, await visit(version, undefined));
server.close();

async function visit(version: SecureVersion, session: Buffer | undefined): Promise<Buffer | undefined> {
  const { port } = server.address() as { port: number };
  const options = { port, host: '127.0.0.1', ca: cert, minVersion: version, maxVersion: version };
  const socket = connect({ ...options, ...(session && { session }) });
  let given = session;
  socket.on('session', (bytes) => {
    given = bytes;
  });
  socket.resume();
  await once(socket, 'close');
  return given;
}
