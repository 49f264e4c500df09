/**
 * The session cache against lru-cache, both with the same Session objects: `node bench/cache.mjs [--json] [--size N]…
 * [--rounds N] [--per-second N] [--key latin1|hex]`.
 *
 * Times are CPU time of the process with all its threads, garbage collector included, as ratios of alternated rounds. Memory
 * and pauses are measured in processes of their own, one for each structure. The peer is set up as one would for sessions:
 * `max`, `ttl`, and the id as a text for its key, made from a Buffer as node:tls hands ids out; ours is asked with the plain
 * bytes, as the engine asks it.
 */

import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { PerformanceObserver } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LRUCache } from 'lru-cache';
import { Session } from '../dist/src/cache/session.js';
import { SessionCache } from '../dist/src/cache/session-cache.js';

const TIMEOUT = 7200;
const SECRET = new Uint8Array(48).fill(0x5a);
const NO_CONTEXT = new Uint8Array(0);
const SCOPE = { label: '00112233445566778899aabbccddeeff' };
/** Of one round, where the size is less. */
const MIN_OPERATIONS = 100_000;
/** While pauses are watched: several full collections' worth of garbage. */
const NEWCOMERS = 500_000;
/** As many as one automatic flush removes at most. */
const SLICE = 4096;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    size: { type: 'string', multiple: true, default: ['20480', '1000000'] },
    rounds: { type: 'string', default: '7' },
    'per-second': { type: 'string', default: '1000' },
    key: { type: 'string', default: 'latin1' },
    child: { type: 'string' },
  },
});
const PER_SECOND = Number(options['per-second']);
const ROUNDS = Number(options.rounds);

/** Asking the system for each id would take longer than all the rest. */
const pool = new Uint8Array(65536);
let drawn = pool.length;

function randomId() {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += 32;
  return pool.slice(drawn - 32, drawn);
}

/** As a full handshake makes it, the n-th of all. */
function makeSession(n) {
  return new Session({
    version: 'TLSv1.3',
    cipherSuite: 0x1301,
    id: randomId(),
    secret: SECRET,
    time: Math.floor(n / PER_SECOND),
    timeout: TIMEOUT,
    authTime: 0,
    extendedMasterSecret: true,
    idContext: NO_CONTEXT,
    serverName: 'localhost',
    group: 29,
    scope: SCOPE,
  });
}

/** The two structures behind one face. Keys are what each is asked with; `now` is in seconds. */
const STRUCTURES = {
  ours: (max) => {
    const cache = new SessionCache({ maxEntries: max });
    return {
      keyOf: (id) => new Uint8Array(id),
      insert: (session) => cache.add(session),
      find: (key) => cache.get('TLSv1.3', key, 0),
      flush: (now) => cache.flush(now, 'expired'),
      slice: (now) => cache.flush(now, 'expired', SLICE),
      size: () => cache.size,
    };
  },
  peer: (max) => {
    let milliseconds = 1;
    const cache = new LRUCache({ max, ttl: TIMEOUT * 1000, perf: { now: () => milliseconds } });
    const encoding = options.key;
    return {
      keyOf: (id) => Buffer.from(id),
      insert: (session, id) => cache.set(id.toString(encoding), session),
      find: (key) => cache.get(key.toString(encoding)),
      flush: (now) => {
        milliseconds += now * 1000;
        cache.purgeStale();
      },
      size: () => cache.size,
    };
  },
};

function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** CPU nanoseconds of one of so many operations. */
function timed(operations, action) {
  const before = cpu();
  action();
  return (cpu() - before) / operations;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** In a process of its own: alternated rounds of one structure and the other, both with the same sessions. */
async function measureTimes(_, size) {
  const repeat = Math.max(1, Math.ceil(MIN_OPERATIONS / size));
  // As in a server, one for good: what the compiler knows of a structure that is gone is of no use for the next.
  const structures = { ours: STRUCTURES.ours(size), peer: STRUCTURES.peer(size) };
  const rounds = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const order = round % 2 === 0 ? ['ours', 'peer'] : ['peer', 'ours'];
    const sums = { ours: {}, peer: {} };
    for (let i = 0; i < repeat; i++) {
      const all = Array.from({ length: size + Math.max(20_000, Math.floor(size / 10)) }, (_, n) => makeSession(n));
      for (const name of order) await oneRound(structures[name], all, { size, repeat, sums: sums[name] });
    }
    rounds.push(sums);
  }
  return rounds.slice(1); // the first has warmed up
}

async function oneRound(structure, all, { size, repeat, sums }) {
  const keys = all.map(({ id }) => structure.keyOf(id));
  const asked = Array.from({ length: MIN_OPERATIONS }, () => structure.keyOf(keys[Math.floor(Math.random() * size)]));
  const strange = asked.map(() => structure.keyOf(randomId()));
  const add = (figure, nanoseconds) => {
    sums[figure] = (sums[figure] ?? 0) + nanoseconds / repeat;
  };
  const insert = (from, to) => {
    for (let n = from; n < to; n++) structure.insert(all[n], keys[n]);
  };
  global.gc();
  add(
    'insert',
    timed(size, () => insert(0, size)),
  );
  add(
    'hit',
    timed(asked.length, () => requireFound(structure, asked, asked.length)),
  );
  add(
    'miss',
    timed(strange.length, () => requireFound(structure, strange, 0)),
  );
  add(
    'evict',
    timed(all.length - size, () => insert(size, all.length)),
  );
  if (structure.size() !== size) throw new Error(`${structure.size()} sessions instead of ${size}`);
  await settled(); // the peer remembers what time it is until the next turn of the loop
  add(
    'flush',
    timed(size, () => structure.flush(10 * (TIMEOUT + all.length))),
  );
  if (structure.size() !== 0) throw new Error('not flushed');
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

function requireFound(structure, keys, expected) {
  let found = 0;
  for (const key of keys) if (structure.find(key) !== undefined) found++;
  if (found !== expected) throw new Error(`${found} found instead of ${expected}`);
}

/** Bytes in use once all garbage is gone. */
function memory() {
  global.gc();
  global.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes that one structure takes for each session, those of the session not counted. */
function measureMemory(name, size) {
  const all = Array.from({ length: size }, (_, n) => makeSession(n));
  const before = memory();
  const structure = STRUCTURES[name](size);
  for (const session of all) structure.insert(session, Buffer.from(session.id));
  const after = memory();
  if (structure.size() !== all.length) throw new Error('not filled');
  return { bytes: (after - before) / size };
}

/** Milliseconds of the longest pause while a full structure takes newcomers and is asked, and of a full collection. */
async function measurePauses(name, size) {
  const structure = STRUCTURES[name](size);
  const insert = (n) => {
    const session = makeSession(n);
    structure.insert(session, Buffer.from(session.id));
    session.free();
  };
  for (let n = 0; n < size; n++) insert(n);
  const pauses = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pauses.push(duration);
  });
  observer.observe({ entryTypes: ['gc'] });
  for (let n = size; n < size + NEWCOMERS; n++) {
    insert(n);
    if (n % 5000 === 0) await settled();
  }
  await settled();
  const pause = Math.max(...pauses.splice(0));
  for (let i = 0; i < 5; i++) global.gc();
  await settled();
  return { pause, collection: median(pauses) };
}

/** Milliseconds of the longest block while everything expires: ours in slices, the peer as it can. */
async function measureBlock(name, size) {
  const structure = STRUCTURES[name](size);
  for (let n = 0; n < size; n++) {
    const session = makeSession(n);
    structure.insert(session, Buffer.from(session.id));
    session.free();
  }
  await settled();
  let block = 0;
  while (structure.size() > 0) {
    const before = performance.now();
    (structure.slice ?? structure.flush)(10 * (TIMEOUT + size));
    block = Math.max(block, performance.now() - before);
  }
  return { block };
}

const CHILDREN = {
  times: measureTimes,
  memory: measureMemory,
  pauses: measurePauses,
  block: measureBlock,
};

function child(what, name, size) {
  const { 'per-second': perSecond, rounds, key } = options;
  const args = ['--per-second', perSecond, '--rounds', rounds, '--key', key];
  const flags = ['--expose-gc', '--max-old-space-size=8192'];
  const self = fileURLToPath(import.meta.url);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, self, ...args, '--child', JSON.stringify([what, name, size])],
    { encoding: 'utf8', maxBuffer: 2 ** 24 },
  );
  if (status !== 0) throw new Error(`${what} ${name} ${size}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Medians of both, the median of the ratios of each round, and how far those reach. */
function figureOf(rounds) {
  const ratios = rounds.map(({ ours, peer }) => ours / peer);
  return {
    ours: median(rounds.map(({ ours }) => ours)),
    peer: median(rounds.map(({ peer }) => peer)),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

function measure(size) {
  const figures = {};
  const rounds = child('times', '', size);
  for (const figure of ['insert', 'hit', 'miss', 'evict', 'flush']) {
    figures[`${figure} (ns)`] = figureOf(rounds.map(({ ours, peer }) => ({ ours: ours[figure], peer: peer[figure] })));
  }
  const inChildren = (what, times) =>
    Array.from({ length: times }, () => ({ ours: child(what, 'ours', size), peer: child(what, 'peer', size) }));
  const only = (pairs, figure) => figureOf(pairs.map(({ ours, peer }) => ({ ours: ours[figure], peer: peer[figure] })));
  figures['memory (bytes a session)'] = only(inChildren('memory', 1), 'bytes');
  const pauses = inChildren('pauses', 3);
  figures['longest GC pause under load (ms)'] = only(pauses, 'pause');
  figures['full collection (ms)'] = only(pauses, 'collection');
  figures['longest block while all expire (ms)'] = only(inChildren('block', 3), 'block');
  return figures;
}

function table(size, figures) {
  const cell = (number) => (number < 100 ? number.toFixed(2) : number.toFixed(0)).padStart(9);
  const lines = Object.entries(figures).map(
    ([name, { ours, peer, ratio, spread }]) =>
      `${name.padEnd(36)}${cell(ours)}${cell(peer)}${cell(ratio)}   ${spread.map((one) => one.toFixed(2)).join(' to ')}`,
  );
  return [
    `${`${size} sessions, ${PER_SECOND} a second`.padEnd(36)}     ours     peer    ratio   spread`,
    ...lines,
    '',
  ].join('\n');
}

if (options.child !== undefined) {
  const [what, name, size] = JSON.parse(options.child);
  process.stdout.write(JSON.stringify(await CHILDREN[what](name, size)));
} else {
  const all = {};
  for (const size of options.size.map(Number)) {
    const figures = measure(size);
    if (!options.json) console.log(table(size, figures));
    for (const [name, figure] of Object.entries(figures)) all[`cache ${size}: ${name}`] = figure;
  }
  if (options.json) console.log(JSON.stringify(all));
}
