/** Our server for the interop tests, and the outside store that it asks. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { OnGet, OnNew } from '../../src/cache/callbacks.ts';
import type { Resumption, Verdict } from '../../src/handshake/outcome.ts';
import { createServer, type NodeServerOptions } from '../../src/node/index.ts';
import { systemWorld, type World } from '../../src/world.ts';
import { certificates } from '../fixtures.ts';
import { testProvider } from '../support/provider.ts';
import { answer, type RunningServer } from './reference-server.ts';

/** What the server itself says of a connection. */
export interface Accepted {
  readonly protocol: string | null;
  readonly resumption: Resumption;
  readonly isSessionReused: boolean;
  readonly peerCertificate: Uint8Array | undefined;
  /** Of each offered session. */
  readonly verdicts: readonly Verdict[];
}

export interface OurServer extends RunningServer {
  readonly accepted: readonly Accepted[];
  /** What went wrong on a connection. */
  readonly errors: readonly unknown[];
}

export async function startOurs(options: NodeServerOptions): Promise<OurServer> {
  const accepted: Accepted[] = [];
  const errors: unknown[] = [];
  const server = createServer({ credentials: [certificates.ecdsaP256], crypto: testProvider, ...options }, (socket) => {
    const { resumption, peerCertificate } = socket;
    accepted.push({
      protocol: socket.getProtocol(),
      resumption,
      isSessionReused: socket.isSessionReused(),
      peerCertificate,
      verdicts: socket.connection.verdicts,
    });
    let text = '';
    socket.on('error', (error) => errors.push(error));
    // A client that only shakes hands ends without a request; it is ended, too, by the shell.
    socket.on('data', (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString('latin1');
      if (text.endsWith('\r\n\r\n')) socket.end(answer(resumption.mechanism ?? resumption.reason ?? ''));
    });
  });
  server.on('tlsClientError', (error: unknown) => errors.push(error));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    accepted,
    errors,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** A store outside of the process, but for the process: it keeps bytes, and may take its time. */
export interface Store {
  readonly onNew: OnNew;
  readonly onGet: OnGet;
  /** The ids that it was asked for, hexadecimal, in order. */
  readonly asked: readonly string[];
  readonly size: number;
  clear(): void;
}

/** @param delayMs `undefined`: answers at once, without a promise */
export function openStore(delayMs?: number): Store {
  const rows = new Map<string, Uint8Array>();
  const asked: string[] = [];
  const find = (id: string): Uint8Array | undefined => rows.get(id);
  return {
    onNew: (session) => {
      rows.set(hex(session.id), session.toDer());
    },
    onGet: (bytes) => {
      const id = hex(bytes);
      asked.push(id);
      return delayMs === undefined ? find(id) : delay(delayMs).then(() => find(id));
    },
    asked,
    get size() {
      return rows.size;
    },
    clear: () => rows.clear(),
  };
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The system's world with a clock that can be put forward. */
export function movableWorld(): World & { forward(seconds: number): void } {
  let ahead = 0;
  return {
    now: () => systemWorld.now() + ahead,
    randomBytes: systemWorld.randomBytes,
    forward: (seconds) => {
      ahead += seconds * 1000;
    },
  };
}
