/**
 * CPU time of a server for a handshake over loopback TCP: resumed in each of the four ways, and full. Every server has a process
 * of its own and the same client, and they take turns within each round.
 */

import { Child } from './child.ts';
import { type Finding, figure, notBuilt, type Skip } from './figure.ts';
import { lemonTls } from './lemon.ts';
import { isAgreeing, isResumption, type ModeName } from './modes.ts';
import type { BenchOptions } from './options.ts';
import type { Flight } from './pattern.ts';
import { isBuilt, relevant } from './providers.ts';
import type { ServerChoice } from './server.ts';

/** A server under load. */
interface Contender {
  readonly name: string;
  readonly choice: ServerChoice;
  readonly server: Child;
  readonly port: number;
  /** Microseconds a handshake, round by round. */
  readonly cost: number[];
}

/** What disturbs a busy machine comes and goes within a second: the shorter a turn, the more alike is what all servers meet with. */
const TURNS = 5;
const PEER = 'node:tls';
const FLOOR = 'bare';

export async function* sockets(options: BenchOptions): AsyncGenerator<Finding> {
  for (const mode of options.modes) yield* oneMode(mode, options);
}

async function* oneMode(mode: ModeName, options: BenchOptions): AsyncGenerator<Finding> {
  const client = new Child('client.js', mode, { core: 1 });
  const contenders: Contender[] = [];
  try {
    for await (const choice of choices(mode, options)) {
      if ('reason' in choice) yield choice;
      else contenders.push(await start(choice, client, contenders));
    }
    for (const contender of contenders) await load(contender, client, options.warmUp, options);
    for (let round = 0; round < TURNS * options.rounds; round++) {
      const order = round % 2 === 0 ? contenders : [...contenders].reverse();
      for (const contender of order) await measure(contender, client, options);
    }
    yield* figures(mode, contenders);
  } finally {
    await Promise.all([client, ...contenders.map(({ server }) => server)].map((child) => child.stop()));
  }
}

async function* choices(mode: ModeName, { providers }: BenchOptions): AsyncGenerator<ServerChoice | Skip> {
  yield { kind: 'node:tls', mode };
  for (const provider of relevant(providers, isAgreeing(mode))) {
    if (isBuilt(provider)) yield { kind: 'ours', mode, provider };
    else yield notBuilt(`sockets/${mode}/${provider}`);
  }
  yield { kind: 'bare', mode };
  const lemon = `sockets/${mode}/lemon-tls`;
  if (mode === 'tls13-psk_ke') yield { name: lemon, reason: 'it knows psk_dhe_ke only' };
  else if ((await lemonTls()) === undefined) yield { name: lemon, reason: 'lemon-tls is not installed' };
  else yield { kind: 'lemon-tls', mode };
}

/** The bare server repeats what passes between the client and a server of ours, which stands in `others`. */
async function start(choice: ServerChoice, client: Child, others: readonly Contender[]): Promise<Contender> {
  const { mode } = choice;
  const example = others.find(({ choice: { kind } }) => kind === 'ours') ?? others[0];
  const pattern =
    choice.kind === 'bare' ? await client.ask<Flight[]>('record', { port: example?.port, mode }) : undefined;
  const chosen = { ...choice, ...(pattern !== undefined && { pattern }) };
  const server = new Child('server.js', chosen, { core: 0 });
  const port = await server.ask<number>('listen');
  const contender = { name: choice.provider ?? choice.kind, choice: chosen, server, port, cost: [] };
  if (choice.kind !== 'bare' && isResumption(mode)) await prime(contender, client);
  return contender;
}

/** @throws Error where a server does not exchange keys as the mode says */
async function prime({ choice: { kind, mode }, port }: Contender, client: Child): Promise<void> {
  await client.ask('prime', { port, mode });
  if (mode.startsWith('tls12')) return;
  const isExchanging = await client.ask<boolean>('hasKeyExchange', { port, mode });
  if (isExchanging !== (mode !== 'tls13-psk_ke' || kind === PEER)) throw new Error(`${mode}: not the PSK mode wanted`);
}

async function load(contender: Contender, client: Child, count: number, options: BenchOptions): Promise<void> {
  const { choice, port } = contender;
  const { concurrency } = options;
  if (choice.kind === 'bare') await client.ask('bare', { port, pattern: choice.pattern, count, concurrency });
  else await client.ask('run', { port, mode: choice.mode, count, concurrency });
}

async function measure(contender: Contender, client: Child, options: BenchOptions): Promise<void> {
  const count = Math.ceil(options.handshakes / TURNS);
  const before = await contender.server.ask<number>('cpu');
  await load(contender, client, count, options);
  contender.cost.push(((await contender.server.ask<number>('cpu')) - before) / count);
}

function* figures(mode: ModeName, contenders: readonly Contender[]): Generator<Finding> {
  const peer = contenders.find(({ name }) => name === PEER)?.cost ?? [];
  const floor = contenders.find(({ name }) => name === FLOOR)?.cost ?? [];
  const above = (cost: readonly number[]) => cost.map((value, round) => value - (floor[round] as number));
  const peerName = mode === 'tls13-psk_ke' ? `${PEER} (psk_dhe_ke)` : PEER;
  for (const { name, cost } of contenders) {
    if (name === PEER) continue;
    yield figure({ name: `sockets/${mode}/${name}`, peerName, unit: 'us', ours: cost, peer });
    if (name === FLOOR || !isResumption(mode)) continue;
    yield figure({ name: `tax/${mode}/${name}`, peerName, unit: 'us', ours: above(cost), peer: above(peer) });
  }
}
