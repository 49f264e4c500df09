/**
 * The session cache against lru-cache, both with the same Session objects: `node bench/cache.mjs [--json] [--size N]…
 * [--rounds N] [--per-second N] [--key latin1|hex]`.
 *
 * Each structure is measured in processes of its own, which take turns: in one heap the second would find what the first
 * has left behind. Ratios are of the two processes of a round. Times are CPU time of the process with all its threads, garbage
 * collector included; but what the collector still does in other threads after one thing must not count for the next, so
 * there is a wait before each until the process rests (it used to make a hit of a million cost two microseconds, or one third
 * of that). What operations are done with is made just before them, in batches, since a server has just received or made it
 * too: else an insertion would be mostly the wait for a session that nobody has looked at for seconds.
 *
 * The peer is set up as one would for sessions: `max`, `ttl`, and the id as a text for its key, made from a Buffer as node:tls
 * hands ids out; ours is asked with the plain bytes, as the engine asks it. Not the same work in two points: ours takes
 * and releases a hold on each session, the peer writes down who was asked for last.
 */

import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { PerformanceObserver } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LRUCache } from 'lru-cache';
import { SessionCache } from '../dist/src/cache/session-cache.js';
import { FLUSH_SLICE } from '../dist/src/engine/server/store.js';
import { Session } from '../dist/src/sessions/session.js';

const TIMEOUT = 7200;
const SECRET = new Uint8Array(48).fill(0x5a);
const NO_CONTEXT = new Uint8Array(0);
const SCOPE = { label: '00112233445566778899aabbccddeeff' };
/** Of each kind, in one round. */
const OPERATIONS = 100_000;
/** Sessions of a structure that warms up. */
const WARM = 20_480;
/** Few enough that all of a batch stays in the processor's caches. */
const BATCH = 512;
/** While pauses are watched: enough garbage for a full collection in each of two windows. */
const MIN_NEWCOMERS = 250_000;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    size: { type: 'string', multiple: true, default: ['20480', '1000000'] },
    rounds: { type: 'string', default: '5' },
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
      slice: (now) => cache.flush(now, 'expired', FLUSH_SLICE),
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

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Until nothing goes on in other threads. The peer remembers what time it is until then, too. */
async function quiet() {
  for (let before = Number.NEGATIVE_INFINITY; cpu() - before > 1_000_000; await sleep(20)) before = cpu();
}

/** CPU nanoseconds of one operation; to make what it is done with does not count. */
async function timed(operations, make, operate) {
  await quiet();
  let sum = 0;
  for (let n = 0; n < operations; n += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, operations - n) }, (_, i) => make(n + i));
    const before = cpu();
    for (const one of batch) operate(one);
    sum += cpu() - before;
  }
  return sum / operations;
}

/** In a process of its own: each figure of one structure. */
async function measureTimes(name, size) {
  await cycle(STRUCTURES[name](WARM), WARM); // one that evicts
  const structure = STRUCTURES[name](size);
  await cycle(structure, Math.min(WARM, size)); // as in a server: what the compiler knows, it knows of this very one
  const cycles = [];
  for (let n = 0; n < OPERATIONS; n += size) cycles.push(await cycle(structure, size));
  return Object.fromEntries(Object.keys(cycles[0]).map((figure) => [figure, median(cycles.map((one) => one[figure]))]));
}

/** Filled, asked for what is there and for what is not, in no order, filled on, emptied. */
async function cycle(structure, size) {
  const ids = new Uint8Array(32 * size);
  const newcomer = (n) => {
    const session = makeSession(n);
    const id = Buffer.from(session.id);
    if (n < size) ids.set(id, 32 * n);
    return { session, id };
  };
  const insert = ({ session, id }) => structure.insert(session, id);
  const known = () => {
    const at = 32 * Math.floor(Math.random() * size);
    return structure.keyOf(ids.subarray(at, at + 32));
  };
  let found = 0;
  const find = (key) => {
    if (structure.find(key) !== undefined) found++;
  };
  const figures = {};
  figures.insert = await timed(size, newcomer, insert);
  figures.hit = await timed(OPERATIONS, known, find);
  figures.miss = await timed(OPERATIONS, () => structure.keyOf(randomId()), find);
  if (found !== OPERATIONS) throw new Error(`${found} found instead of ${OPERATIONS}`);
  figures.evict = await timed(OPERATIONS, (n) => newcomer(size + n), insert);
  const left = structure.size();
  await quiet();
  const before = cpu();
  structure.flush(10 * (TIMEOUT + size + OPERATIONS));
  figures.flush = (cpu() - before) / left;
  if (structure.size() !== 0) throw new Error('not flushed');
  return figures;
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

/**
 * Milliseconds of the longest pause while a structure fills, of the longest while a full one takes newcomers, and of a full
 * collection; of CPU of the longest block while all expires: ours in slices, the peer as it can. Newcomers come in two windows, and
 * the shorter one of their longest pauses counts: other work of the machine can only make a pause longer.
 */
async function measurePauses(name, size) {
  const structure = STRUCTURES[name](size);
  const pauses = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pauses.push(duration);
  });
  observer.observe({ entryTypes: ['gc'] });
  const window = Math.max(MIN_NEWCOMERS, size);
  const total = size + 2 * window;
  const filling = await longestPause(structure, 0, size, pauses);
  const first = await longestPause(structure, size, size + window, pauses);
  const second = await longestPause(structure, size + window, total, pauses);
  for (let i = 0; i < 5; i++) global.gc();
  await sleep(20);
  const collection = median(pauses);
  await quiet();
  let block = 0;
  while (structure.size() > 0) {
    const before = cpu();
    (structure.slice ?? structure.flush)(10 * (TIMEOUT + total));
    block = Math.max(block, (cpu() - before) / 1_000_000);
  }
  return { filling, load: Math.min(first, second), collection, block };
}

async function longestPause(structure, from, to, pauses) {
  for (let n = from; n < to; n++) {
    const session = makeSession(n);
    structure.insert(session, Buffer.from(session.id));
    session.free();
    if (n % 5000 === 0) await sleep(1); // the observer has its turn
  }
  await sleep(20);
  return Math.max(...pauses.splice(0));
}

const CHILDREN = { times: measureTimes, memory: measureMemory, pauses: measurePauses };

function child(what, name, size) {
  const { 'per-second': perSecond, key } = options;
  const args = ['--per-second', perSecond, '--key', key];
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

/** So many rounds, in each of which one goes first in turn. */
function inRounds(rounds, what, size) {
  return Array.from({ length: rounds }, (_, round) => {
    const pair = {};
    for (const name of round % 2 === 0 ? ['ours', 'peer'] : ['peer', 'ours']) pair[name] = child(what, name, size);
    return pair;
  });
}

function measure(size) {
  const only = (pairs, figure) => figureOf(pairs.map(({ ours, peer }) => ({ ours: ours[figure], peer: peer[figure] })));
  const times = inRounds(ROUNDS, 'times', size);
  const pauses = inRounds(ROUNDS, 'pauses', size);
  return {
    'insert (ns)': only(times, 'insert'),
    'hit (ns)': only(times, 'hit'),
    'miss (ns)': only(times, 'miss'),
    'evict (ns)': only(times, 'evict'),
    'flush (ns)': only(times, 'flush'),
    'memory (bytes a session)': only(inRounds(1, 'memory', size), 'bytes'),
    'longest GC pause while filling (ms)': only(pauses, 'filling'),
    'longest GC pause under load (ms)': only(pauses, 'load'),
    'full collection (ms)': only(pauses, 'collection'),
    'longest block while all expire (ms)': only(pauses, 'block'),
  };
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
