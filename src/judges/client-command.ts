/** A client under test that is a command: started anew for each connection, or once for several. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedCertificate } from '../crypto/credentials/self-signed.ts';
import type { Ability } from '../testing/scenarios/bench.ts';
import { REQUEST, type Speech } from '../testing/scenarios/party.ts';
import { systemWorld } from '../world.ts';
import { type ClientErrand, clientOverTcp, type TcpClient } from './client-over-tcp.ts';

/**
 * How a command is had to speak. `stdin`: it sends what it reads there, which stays open until the connection has ended. `http`: it
 * makes a request of HTTP by itself. `echo`: it says something by itself, and wants it back. `reconnect`: one process makes the
 * connections one after the other.
 */
export type Driver = 'stdin' | 'http' | 'echo' | 'reconnect';

/** A command, and what it can do. */
export interface ClientCommand {
  /**
   * Words for the shell. `{host}`, `{port}`, `{name}`, `{ca}` and `{session}` stand for the address, the server name, and two files:
   * the tester's certificate in PEM, and one in which the command may keep its session. What stands in brackets is for connections
   * that resume: `[-sess_in {session}]`.
   */
  readonly command: string;
  readonly driver: Driver;
  /** How long each connection may take, in milliseconds. Default 5000. */
  readonly timeLimitMs?: number | undefined;
}

const ECHO: Speech = { answer: (request) => request };

/** Returns the client of a command. Nothing runs yet. */
export function clientCommand({ command, driver, timeLimitMs }: ClientCommand): TcpClient {
  const folder = mkdtempSync(join(tmpdir(), 'tls-resume-scenarios-'));
  const credential = selfSignedCertificate(systemWorld);
  const [session, ca] = [join(folder, 'session'), join(folder, 'ca.pem')];
  writeFileSync(ca, credential.cert);
  let running: ChildProcess | undefined;

  const start = (errand: ClientErrand): ChildProcess => {
    const { host, port, serverName, resumes } = errand;
    const isResuming = resumes && existsSync(session);
    const words = command
      .replace(/\[([^\]]*)\]/g, isResuming ? '$1' : '')
      .replace(
        /\{(\w+)\}/g,
        (whole, name: string) => ({ host, port, name: serverName, ca, session })[name]?.toString() ?? whole,
      );
    // A group of its own, so that what the shell starts ends with it.
    const child = spawn('/bin/sh', ['-c', words], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    child.stdin?.on('error', () => {}); // it need not read
    if (driver === 'stdin') child.stdin?.write(REQUEST);
    return child;
  };

  const connect = async (errand: ClientErrand): Promise<void> => {
    if (!errand.resumes && driver !== 'reconnect') rmSync(session, { force: true });
    const isOver = running === undefined || running.exitCode !== null || running.signalCode !== null;
    const child =
      driver === 'reconnect' && errand.resumes && !isOver && running !== undefined ? running : start(errand);
    if (driver === 'reconnect') {
      if (running !== child && running !== undefined) end(running);
      running = child;
      return;
    }
    await new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      errand.signal.addEventListener('abort', () => setTimeout(() => end(child), GRACE_MS).unref());
    });
  };

  const abilities: readonly Ability[] = abilitiesOf(command, driver);
  const client = clientOverTcp({
    connect,
    credentials: [credential],
    speech: driver === 'echo' ? ECHO : undefined,
    timeLimitMs,
    abilities,
  });
  return {
    ...client,
    close: () => {
      if (running !== undefined) end(running);
      client.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** How long a command has to end once its connection has. */
const GRACE_MS = 500;

/** Ends a process with all that it has started. */
function end({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in between.
  }
}

function abilitiesOf(command: string, driver: Driver): readonly Ability[] {
  const resumes: readonly Ability[] = command.includes('{session}') || driver === 'reconnect' ? ['resume'] : [];
  return command.includes('{name}') ? [...resumes, 'server-name'] : resumes;
}

/** Clients that are known by name. */
export const KNOWN_CLIENTS: Readonly<Record<string, ClientCommand>> = {
  openssl: {
    command: 'openssl s_client -connect {host}:{port} -servername {name} -sess_out {session} [-sess_in {session}]',
    driver: 'stdin',
  },
  gnutls: {
    command: 'gnutls-cli --insecure --resume --waitresumption --sni-hostname {name} -p {port} {host}',
    driver: 'stdin',
  },
  curl: {
    command:
      'curl -sk --connect-to ::{host}:{port} https://{name}/1 https://{name}/2 https://{name}/3 https://{name}/4 --no-keepalive',
    driver: 'reconnect',
  },
};
