/** Servers that cannot choose a port by themselves, and say so. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { findProgram, plainEnvironment } from './peers.ts';
import type { RunningServer } from './reference-server.ts';

const MOST_ATTEMPTS = 5;

export interface TalkingServer extends RunningServer {
  /** What it has said on stderr so far. */
  readonly said: string;
}

/** For servers that must be told their port: another one where somebody else was quicker. */
export async function startOnFreePort(
  name: string,
  argsFor: (port: number) => Promise<string[]>,
  env: Readonly<Record<string, string>> = {},
): Promise<TalkingServer> {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const args = await argsFor(port);
    const child = spawn(path, args, { env: { ...plainEnvironment(), ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
    const gone = once(child, 'close');
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    if (await listens(child, port))
      return {
        port,
        close: () => ended(child, gone),
        get said() {
          return said;
        },
      };
    await ended(child, gone);
    if (attempt === MOST_ATTEMPTS || !/in use|cannot bind/i.test(said))
      throw new Error(`${name} does not run: ${said}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const START_MS = 10_000;

/** Whether it does, in the end; `false` when it has left before. */
async function listens(child: ChildProcess, port: number): Promise<boolean> {
  const late = Date.now() + START_MS;
  while (child.exitCode === null && child.signalCode === null && Date.now() < late) {
    if (await canConnect(port)) return true;
    await delay(10);
  }
  return false;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => {});
    socket.once('close', (failed) => resolve(!failed));
  });
}

async function ended(child: ChildProcess, gone: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL');
  await gone;
}
