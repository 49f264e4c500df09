/**
 * Pairs of connections in a process of their own. By hand, for a profile:
 *
 *     node --cpu-prof dist/bench/pairing.js '{"mode":"tls12-id","trace":false,"handshakes":20000}'
 */

import { defineClient, type Session } from '../src/client.ts';
import { defineServer } from '../src/index.ts';
import { type Pair, pair } from '../src/testing.ts';
import { answer, cpuMicroseconds } from './child.ts';
import { isResumption, type ModeName, ourClientOptions, ourOptions } from './modes.ts';

export interface PairChoice {
  readonly mode: ModeName;
  /** Whether the pair keeps its trace, as it does unless it is told. */
  readonly trace: boolean;
  /** How many right away, where nobody asks. */
  readonly handshakes?: number;
}

const { mode, trace, handshakes = 0 }: PairChoice = JSON.parse(process.argv[2] ?? '');
const server = defineServer(ourOptions(mode));
const client = defineClient({ ...ourClientOptions(mode), verifyServer: 'any', sessions: { cache: false } });

function connected(sessions: readonly Session[]): Pair {
  return pair(client, server, { trace, client: { serverName: 'localhost', sessions } }).runSync();
}

/** With close_notify from both sides: without it, a server of TLS 1.2 forgets the session. */
function close(made: Pair): void {
  made.take('client', made.client.end()).runSync();
  made.take('server', made.server.end()).runSync();
  made.dispose();
}

function primed(): Session[] {
  const made = connected([]);
  const session = made.client.session?.upRef();
  close(made);
  return session === undefined ? [] : [session];
}

const sessions = isResumption(mode) ? primed() : [];

/** Microseconds a handshake. @throws Error where it was not the handshake that is measured */
function measure(count: number): number {
  const before = cpuMicroseconds();
  for (let i = 0; i < count; i++) {
    const made = connected(sessions);
    if (made.client.resumption.resumed !== isResumption(mode)) throw new Error(`${mode}: another handshake`);
    close(made);
  }
  return (cpuMicroseconds() - before) / count;
}

if (handshakes > 0) console.log(`${mode}: ${measure(handshakes).toFixed(1)} us a handshake`);

answer({ measure });
