/** What a fresh process pays: for its first handshakes, for the import of the core; and what a bundle of the core weighs. */

import { spawnSync } from 'node:child_process';
import { bundle, ENTRIES } from './bundle.ts';
import { Child } from './child.ts';
import { type Finding, figure, notBuilt } from './figure.ts';
import type { BenchOptions } from './options.ts';
import { isBuilt, type ProviderName, relevant } from './providers.ts';
import type { ServerChoice } from './server.ts';
import { costOf, startServer } from './servers.ts';

const MODE = 'tls12-id';
/** Fresh processes of each. */
const PROCESSES = 5;

export async function* cold(options: BenchOptions): AsyncGenerator<Finding> {
  for (const provider of relevant(options.providers, false)) {
    const name = `cold/handshakes/${provider}`;
    if (!isBuilt(provider)) yield notBuilt(name);
    else yield await firstHandshakes(name, provider, options);
  }
  yield importTime();
  yield* bundleSizes();
}

/** The full handshake that gives the client its session, and then resumptions. */
async function firstHandshakes(name: string, provider: ProviderName, options: BenchOptions): Promise<Finding> {
  const client = new Child('client.js', MODE, { core: 1 });
  const costs = { ours: [] as number[], peer: [] as number[] };
  try {
    await freshCost({ kind: 'node:tls', mode: MODE }, client, options); // warms up the client
    for (let i = 0; i < PROCESSES; i++) {
      costs.ours.push(await freshCost({ kind: 'ours', mode: MODE, provider }, client, options));
      costs.peer.push(await freshCost({ kind: 'node:tls', mode: MODE }, client, options));
    }
    return figure({ name, peerName: 'node:tls', unit: 'ms', ...costs });
  } finally {
    await client.stop();
  }
}

async function freshCost(choice: ServerChoice, client: Child, options: BenchOptions): Promise<number> {
  const { coldHandshakes: count, concurrency } = options;
  const server = await startServer(choice);
  const { port } = server;
  const cost = await costOf(server, async () => {
    await client.ask('prime', { port, mode: MODE });
    await client.ask('run', { port, mode: MODE, count: count - 1, concurrency });
  });
  await server.child.stop();
  return cost / 1000;
}

/** What the core stands on. */
const NOBLE = ['ciphers/aes', 'ciphers/chacha', 'curves/ed25519', 'curves/nist', 'hashes/hmac', 'hashes/sha2'];

/** CPU of a process that imports the core, beside one that imports @noble's modules alone, each above one that imports nothing. */
function importTime(): Finding {
  const core = [new URL('../src/index.js', import.meta.url).href];
  const noble = NOBLE.map((name) => import.meta.resolve(`@noble/${name}.js`));
  const costs = { ours: [] as number[], peer: [] as number[] };
  for (let i = 0; i < PROCESSES; i++) {
    const nothing = importCost([]);
    costs.ours.push(importCost(core) - nothing);
    costs.peer.push(importCost(noble) - nothing);
  }
  return figure({ name: 'cold/import', peerName: '@noble alone', unit: 'ms', ...costs });
}

/** Milliseconds. */
function importCost(specifiers: readonly string[]): number {
  const imports = specifiers.map((specifier) => `await import(${JSON.stringify(specifier)});`).join('\n');
  const script = `${imports}\nconst { user, system } = process.cpuUsage(); console.log(user + system);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return Number(stdout) / 1000;
}

/** What it may weigh. */
const LIMIT_KB = 60;

/** That of TLS 1.3 has the limit; the others are there to be seen beside it. */
async function* bundleSizes(): AsyncGenerator<Finding> {
  for (const [name, entry] of [
    ['cold/bundle', ENTRIES.webCrypto],
    ['cold/bundle/noble-curves', ENTRIES.nobleCurves],
    ['cold/bundle/both-versions', ENTRIES.bothVersions],
  ] as const) {
    const { bytes } = await bundle(entry);
    yield figure({ name, peerName: 'the limit', unit: 'kB', ours: [bytes / 1000], peer: [LIMIT_KB] });
  }
}
