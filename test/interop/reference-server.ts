/** Servers of others, to try the relay and the clients on: `node:tls` in process, and `openssl s_server`. */

import { spawn } from 'node:child_process';
import { constants } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { fixturePath } from '../fixtures.ts';
import { findProgram, plainEnvironment } from './peers.ts';

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface ReferenceOptions {
  /** Off is SSL_OP_NO_TICKET: TLS 1.2 by session id, TLS 1.3 by stateful ticket. */
  readonly tickets: boolean;
  /** Where sessions go by their ids, hexadecimal: another server may have the same. Default a map of its own. */
  readonly store?: Map<string, Uint8Array> | undefined;
  /** Further options of node:tls. */
  readonly tls?: TlsOptions | undefined;
}

/** What all servers answer: one line, which {@link Told.pages} finds again. */
export function answer(body: string): string {
  const page = `page: ${body}\n`;
  const headers = [
    'HTTP/1.1 200 OK',
    'Content-Type: text/plain',
    `Content-Length: ${page.length}`,
    'Connection: close',
  ];
  return `${headers.join('\r\n')}\r\n\r\n${page}`;
}

/**
 * Without tickets it has newSession and resumeSession over a map, the usual way to an outside store, which resumes in
 * TLS 1.2 alone (nodejs/node#60847).
 */
export async function startNodeServer(
  pair: { cert: string; key: string },
  options: ReferenceOptions,
): Promise<RunningServer> {
  const open = new Set<TLSSocket>();
  const secureOptions = options.tickets ? 0 : constants.SSL_OP_NO_TICKET;
  const server = createServer({ ...pair, ...options.tls, secureOptions }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => {}); // a client that leaves early is the client's affair
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.endsWith('\r\n\r\n')) socket.end(answer(socket.isSessionReused() ? 'resumed' : 'full'));
    });
  });
  if (!options.tickets) {
    const store = options.store ?? new Map<string, Uint8Array>();
    server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
      store.set(id.toString('hex'), session);
      done();
    });
    server.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
      const session = store.get(id.toString('hex'));
      done(null, session ? Buffer.from(session) : null);
    });
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** `openssl s_server -www` with its own cache, whose stateful TLS 1.3 tickets resume (unlike those of Node). */
export async function startOpensslServer(certificate: string, { tickets }: ReferenceOptions): Promise<RunningServer> {
  const pair = [
    '-cert',
    fixturePath(`certificates/${certificate}.cert.pem`),
    '-key',
    fixturePath(`certificates/${certificate}.key.pem`),
  ];
  const args = ['s_server', '-accept', '127.0.0.1:0', '-www', ...pair, ...(tickets ? [] : ['-no_ticket'])];
  return startProgram('openssl', args);
}

/** A server that says `ACCEPT 127.0.0.1:` and its port when it listens. */
export async function startProgram(name: string, args: readonly string[]): Promise<RunningServer> {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  const child = spawn(path, args, { env: plainEnvironment(), stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = once(child, 'close');
  const port = await new Promise<number>((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const [, found] = /^ACCEPT 127\.0\.0\.1:(\d+)$/m.exec(text) ?? [];
      if (found !== undefined) resolve(Number(found));
    });
    void gone.then(() => reject(new Error(`${name} ${args.join(' ')} has ended: ${text}`)));
  });
  return {
    port,
    close: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
