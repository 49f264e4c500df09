/** The server of the command, in this process, with what it says; and clients of node:tls for it. */

import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { parseCommand } from '../../src/cli/args.ts';
import { type Running, serve } from '../../src/cli/serve.ts';

const started = new Set<Running>();

export interface Started {
  readonly port: number;
  readonly ca: string;
  /** All lines so far. */
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
  /** The first line that fits, perhaps one that is still to come. */
  says(pattern: RegExp): Promise<string>;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly idleMs?: number;
}

/** `tls-resume serve --port 0` and more words. */
export async function start(words: readonly string[] = [], { idleMs }: StartOptions = {}): Promise<Started> {
  const command = parseCommand(['serve', '--port', '0', ...words]);
  if (command.name !== 'serve') throw new Error('serve it is');
  const lines: string[] = [];
  const warnings: string[] = [];
  let onLine = (): void => {};
  const write = (line: string): void => {
    lines.push(line);
    onLine();
  };
  const running = await serve(command.settings, { write, warn: (line) => warnings.push(line), idleMs });
  started.add(running);
  const says = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        onLine = resolve;
      });
    }
  };
  const stop = (): Promise<void> => {
    started.delete(running);
    return running.close();
  };
  return { port: running.port, ca: running.ephemeralCertificate ?? '', lines, warnings, says, stop };
}

/** For `afterEach`. */
export async function stopAll(): Promise<void> {
  await Promise.all([...started].map((running) => running.close()));
  started.clear();
}

/** A client whose handshake is complete. Without `ca` it trusts everybody. */
export async function client(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const trust = options.ca === undefined ? { rejectUnauthorized: false } : {};
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ...trust, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** All that the server sends until it closes. */
export async function readAll(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

export const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
