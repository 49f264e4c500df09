/** The walls of ARCHITECTURE.md, kept: reads the import statements of src/, and a few words that have their place. */

import { posix } from 'node:path';
import { expect } from 'chai';
import { codeOf, readSources, type Sources } from './support/sources.ts';

interface Import {
  /** Relative to src/, or the name of a package. */
  readonly target: string;
  readonly isPackage: boolean;
}

/** A folder of src/. */
interface Room {
  /** Rooms below it that it may import from, besides the ground. */
  readonly imports: readonly string[];
  readonly packages?: RegExp;
  /** It may wait, and speak of streams. */
  readonly isShell?: boolean;
}

/** What every room stands on. These files import each other alone. */
const GROUND = ['platform.ts', 'world.ts', 'awaitable.ts'];
/** The entries of the package at the root of src/: re-exports, and nothing else. */
const ENTRIES = ['index.ts', 'tls13.ts', 'openssl.ts', 'client.ts', 'client13.ts', 'testing.ts', 'judges.ts'];
/** What all entries export alike: types alone. */
const TYPES = 'types.ts';

const HANDSHAKE = ['wire', 'crypto', 'crypto/credentials', 'sessions', 'handshake/messages'];
const ENGINE = [...HANDSHAKE, 'cache', 'tickets', 'handshake'];
const SERVER = [...ENGINE, 'crypto/providers', 'handshake/server', 'engine'];

const CLIENT = [...ENGINE, 'crypto/providers', 'handshake/client', 'engine'];

/** Both ends of a connection. */
const ENDS = [...SERVER, ...CLIENT, 'engine/server', 'engine/client'];
const SCENARIOS = [...ENDS, 'testing', 'testing/scenarios'];

/** From the ground up: a room imports from rooms above this line of its own alone. */
const ROOMS: Readonly<Record<string, Room>> = {
  wire: { imports: [] },
  crypto: { imports: ['wire'] },
  'crypto/providers': { imports: ['wire', 'crypto'], packages: /^@noble\// },
  'crypto/credentials': { imports: ['wire', 'crypto'], packages: /^@noble\// },
  sessions: { imports: ['wire'] },
  cache: { imports: ['wire', 'sessions'] },
  tickets: { imports: ['wire', 'crypto', 'crypto/providers', 'sessions'] },
  'handshake/messages': { imports: ['wire'] },
  handshake: { imports: HANDSHAKE },
  'handshake/server': { imports: [...HANDSHAKE, 'tickets', 'handshake'] },
  engine: { imports: ENGINE },
  'engine/server': { imports: SERVER },
  'handshake/client': { imports: [...HANDSHAKE, 'handshake'] },
  'engine/client': { imports: CLIENT },
  web: { imports: [...SERVER, 'engine/server', 'engine/client'], isShell: true },
  openssl: { imports: [...SERVER, 'engine/server'], isShell: true },
  node: { imports: [...SERVER, 'engine/server', 'engine/client', 'web'], packages: /^node:/, isShell: true },
  testing: { imports: ENDS, packages: /^@noble\//, isShell: true },
  'testing/scenarios': { imports: [...ENDS, 'testing'], isShell: true },
  'testing/scenarios/client': { imports: SCENARIOS, isShell: true },
  'testing/scenarios/server': { imports: SCENARIOS, isShell: true },
  'testing/catalogue': { imports: ['testing/scenarios', 'testing/scenarios/client', 'testing/scenarios/server'] },
  judges: { imports: [...SCENARIOS, 'testing/catalogue'], packages: /^node:/, isShell: true },
  'judges/known-clients': { imports: ['judges'], packages: /^node:/, isShell: true },
  cli: {
    imports: [...ENDS, 'node', 'testing', 'testing/scenarios', 'testing/catalogue', 'judges', 'judges/known-clients'],
    packages: /^node:|^@noble\/post-quantum/,
    isShell: true,
  },
};

/** Which rooms an entry exports from. */
const EXPORTS: Readonly<Record<string, readonly string[]>> = {
  'types.ts': [...SERVER, ...CLIENT, 'engine/server', 'engine/client'],
  'index.ts': [...SERVER, 'engine/server', 'web', 'types'],
  'tls13.ts': [...SERVER, 'engine/server', 'web', 'types'],
  'openssl.ts': ['sessions', 'openssl', 'types'],
  'client.ts': [...CLIENT, 'engine/client', 'web', 'types'],
  'client13.ts': [...CLIENT, 'engine/client', 'web', 'types'],
  'testing.ts': [...CLIENT, ...SERVER, 'testing', 'testing/scenarios', 'testing/catalogue', 'types'],
  'judges.ts': ['judges', 'testing/catalogue', 'entry', 'types'],
  'node/index.ts': [...SERVER, 'engine/server', 'types'],
};

/** `import …`, `export … from` and `import('…')`. */
function importsOf(path: string, text: string): Import[] {
  const statement =
    /^(?:import|export)\b(?:\s+type\b)?\s*(?:(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?|\w+(?:\s*,\s*\{[^}]*\})?)\s*from\s*)?'([^']+)'|\bimport\(\s*['"`]([^'"`]+)/gm;
  return [...text.matchAll(statement)].map(([, from, dynamic]) => {
    const specifier = from ?? dynamic ?? '';
    const isPackage = !specifier.startsWith('.');
    return { target: isPackage ? specifier : posix.join(posix.dirname(path), specifier), isPackage };
  });
}

/** The folder, `ground` or `entry`; `undefined` for a file at the root that is neither. */
function roomOf(path: string): string | undefined {
  if (GROUND.includes(path)) return 'ground';
  if (ENTRIES.includes(path)) return 'entry';
  if (path === TYPES) return 'types';
  const folder = posix.dirname(path);
  return Object.hasOwn(ROOMS, folder) ? folder : undefined;
}

/** Which rooms a file may import from, besides its own. */
function allowedFor(path: string): readonly string[] {
  if (GROUND.includes(path)) return [];
  return ['ground', ...(EXPORTS[path] ?? ROOMS[posix.dirname(path)]?.imports ?? [])];
}

/** Why an import must not be; `undefined` where it may. */
function whyNot(path: string, { target, isPackage }: Import, sources: Sources): string | undefined {
  const room = roomOf(path);
  if (isPackage) return ROOMS[room ?? '']?.packages?.test(target) ? undefined : `${room} imports the package ${target}`;
  if (!sources.has(target)) return `imports ${target}, which is not in src/`;
  const to = roomOf(target) ?? '';
  if ((to === room && room !== 'entry') || allowedFor(path).includes(to)) return undefined;
  return `${room} imports ${target}, which is in ${to}`;
}

function checkImports(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    if (roomOf(path) === undefined) return [`${path}: is in no room; give its folder one here and in ARCHITECTURE.md`];
    const reasons = importsOf(path, text).map((imported) => whyNot(path, imported, sources));
    return reasons.filter((reason) => reason !== undefined).map((reason) => `${path}: ${reason}`);
  });
}

function checkWords(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const code = codeOf(text);
    const room = ROOMS[posix.dirname(path)];
    const found: string[] = [];
    if (!room?.isShell && /\b(?:async|await)\b/.test(code)) found.push('waits, which is for shells');
    if (path !== 'handshake/wait.ts' && /\byield\b(?!\s*\*)/.test(code)) found.push('yields, which is for wait.ts');
    if (
      room?.packages?.test('node:') !== true &&
      path !== 'platform.ts' &&
      /\bglobalThis\.|=\s*globalThis\b/.test(code)
    )
      found.push('uses globalThis, which is for platform.ts');
    if (isEntry(path) && /^(?!export\b|import\b|[ }])\S/m.test(code.trim()))
      found.push('is an entry: it re-exports, and nothing else');
    return found.map((reason) => `${path}: ${reason}`);
  });
}

function isEntry(path: string): boolean {
  return ENTRIES.includes(path) || path === TYPES || path === 'node/index.ts';
}

/** Circles of imports, those of types included, each as a path back to its start. */
function findCircles(sources: Sources): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(path);
    if (seen >= 0) circles.push([...trail.slice(seen), path].join(' → '));
    if (seen >= 0 || done.has(path)) return;
    for (const { target } of importsOf(path, sources.get(path) ?? ''))
      if (sources.has(target)) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return circles;
}

/** Rooms that import each other, by way of whichever files. */
function findCirclesOfRooms(sources: Sources): string[] {
  const rooms = new Map<string, string>();
  for (const [path, text] of sources) {
    const imported = importsOf(path, text).map(({ target }) => roomOf(target));
    const others = imported.filter((room) => room !== undefined && room !== roomOf(path));
    const room = `${roomOf(path)}`;
    rooms.set(room, (rooms.get(room) ?? '') + others.map((other) => `import '/${other}';\n`).join(''));
  }
  return findCircles(new Map([...rooms].map(([room, text]) => [room, text.replaceAll("'/", `'${relativeTo(room)}`)])));
}

/** From a room, taken for a path, to the root. */
function relativeTo(room: string): string {
  return `./${'../'.repeat(room.split('/').length - 1)}`;
}

describe('the architecture', () => {
  const sources = readSources();

  it('is read at all', () => {
    expect(sources.size).to.be.above(150);
    expect(importsOf('engine/core.ts', sources.get('engine/core.ts') ?? '').length).to.be.above(10);
    for (const room of Object.keys(ROOMS))
      expect([...sources.keys()].filter((path) => roomOf(path) === room)).not.to.be.empty;
  });

  it('each room imports what it may', () => expect(checkImports(sources)).to.deep.equal([]));
  it('only shells wait, only wait.ts yields, only platform.ts knows the globals, entries re-export', () =>
    expect(checkWords(sources)).to.deep.equal([]));
  it('no two files need each other, not even for a type', () => expect(findCircles(sources)).to.deep.equal([]));
  it('nor do two rooms', () => expect(findCirclesOfRooms(sources)).to.deep.equal([]));
});

describe('the test of the architecture', () => {
  /** What it says of one file beside some that are in order. */
  const judge = (path: string, text: string): string[] => {
    const others = {
      'platform.ts': '',
      'wire/codec.ts': '',
      'crypto/prf.ts': "import { encode } from '../wire/codec.ts';",
      'crypto/providers/noble.ts': "import type { Prf } from '../prf.ts';",
      'sessions/session.ts': '',
      'cache/session-cache.ts': "import { Session } from '../sessions/session.ts';",
      'handshake/messages/message.ts': '',
      'handshake/messages/finished.ts': "import { type Message, message } from './message.ts';",
      'handshake/server/serve.ts': "import { finished } from '../messages/finished.ts';",
      'engine/core.ts': '',
      'engine/server/config.ts': '',
      'engine/server/server-connection.ts': "import { serve } from '../../handshake/server/serve.ts';",
      'web/accept.ts': '',
      'node/index.ts': '',
    };
    const all = new Map([...Object.entries(others), [path, text]]);
    return [...checkImports(all), ...checkWords(all), ...findCircles(all), ...findCirclesOfRooms(all)];
  };

  const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ') || 'anything';

  const RIGHT: readonly (readonly [string, string])[] = [
    ['wire/record.ts', "import { decode } from './codec.ts';\nimport { platform } from '../platform.ts';"],
    ['crypto/providers/noble.ts', "import { gcm } from '@noble/ciphers/aes.js';"],
    ['handshake/server/psk.ts', "import { Session } from '../../sessions/session.ts';"],
    ['handshake/server/psk.ts', 'function* f() {\n  const x = yield* g(); // then yield\n  return `await`;\n}'],
    ['engine/server/options.ts', "import type {\n  A,\n  B,\n} from '../../handshake/server/serve.ts';"],
    ['web/shell.ts', "import { accept } from './accept.ts';\nawait accept();"],
    ['node/socket.ts', "import { Socket } from 'node:net';\nglobalThis.setTimeout();"],
    ['cli/main.ts', "export * from '../node/index.ts';"],
    ['wire/pem.ts', "/** Never await, async, yield, globalThis. */\nexport const say = 'await node: it';"],
    ['engine/secrets.ts', "export const name = 'x';\nexport function from() { return 'y'; }"],
    [
      'index.ts',
      "/** The core. */\nexport { accept } from './web/accept.ts';\nexport {\n  a,\n  b,\n} from './engine/core.ts';",
    ],
  ];
  for (const [path, text] of RIGHT)
    it(`lets ${path} say ${oneLine(text)}`, () => expect(judge(path, text)).to.deep.equal([]));

  const WRONG: readonly (readonly [string, string, string])[] = [
    ['wire/record.ts', "import { prf } from '../crypto/prf.ts';", 'wire imports crypto/prf.ts'],
    ['wire/record.ts', "import type { Prf } from '../crypto/prf.ts';", 'wire imports crypto/prf.ts'],
    ['wire/record.ts', "import { gcm } from '@noble/ciphers/aes.js';", 'the package @noble/ciphers'],
    ['platform.ts', "import type { A } from './wire/codec.ts';", 'ground imports wire/codec.ts'],
    ['crypto/suites.ts', "import { noble } from './providers/noble.ts';", 'crypto imports crypto/providers/noble.ts'],
    ['crypto/suites.ts', "import { gcm } from '@noble/ciphers/aes.js';", 'the package @noble/ciphers'],
    ['crypto/providers/noble.ts', "import { createHash } from 'node:crypto';", 'the package node:crypto'],
    ['crypto/providers/noble.ts', "import express from 'express';", 'the package express'],
    ['crypto/providers/noble.ts', "export * from '../../engine/core.ts';", 'crypto/providers imports engine/core.ts'],
    [
      'tickets/ticket.ts',
      "import type { F } from '../handshake/messages/finished.ts';",
      'tickets imports handshake/messages',
    ],
    [
      'handshake/messages/finished.ts',
      "import { message } from './message.ts';\nimport '../server/serve.ts';",
      'messages imports',
    ],
    [
      'handshake/server/psk.ts',
      "import { SessionCache } from '../../cache/session-cache.ts';",
      'handshake/server imports cache/',
    ],
    [
      'handshake/server/psk.ts',
      "import type { SessionCache } from '../../cache/session-cache.ts';",
      'handshake/server imports cache/',
    ],
    [
      'handshake/server/psk.ts',
      "import type { C } from '../../engine/core.ts';",
      'handshake/server imports engine/core.ts',
    ],
    ['handshake/io.ts', "import type { S } from './server/serve.ts';", 'handshake imports handshake/server/serve.ts'],
    ['engine/driver.ts', "import type { S } from './server/config.ts';", 'engine imports engine/server/config.ts'],
    ['engine/server/store.ts', "import { accept } from '../../web/accept.ts';", 'engine/server imports web/accept.ts'],
    ['engine/server/store.ts', "import 'node:fs';", 'the package node:fs'],
    ['web/shell.ts', "import { createServer } from '../node/index.ts';", 'web imports node/index.ts'],
    ['web/shell.ts', "const fs = await import('node:fs');", 'the package node:fs'],
    ['index.ts', "export { createServer } from './node/index.ts';", 'entry imports node/index.ts'],
    ['index.ts', "export { accept } from './web/accept.ts';\nconst x = 1;", 'is an entry'],
    ['node/index.ts', 'export { x };\nfunction x() {}', 'is an entry'],
    ['node/socket.ts', "import x from './gone.ts';", 'which is not in src/'],
    ['node/socket.ts', "import { main } from '../cli/main.ts';", 'which is not in src/'],
    ['utils.ts', '', 'in no room'],
    ['shared/utils.ts', '', 'in no room'],
    ['engine/server/store.ts', 'export async function f() {}', 'waits'],
    ['engine/server/store.ts', 'for await (const x of y) {}', 'waits'],
    ['handshake/server/psk.ts', 'function* f() { const x = yield g(); }', 'yields'],
    ['cache/session-cache.ts', 'globalThis.crypto.getRandomValues(x);', 'globalThis'],
    ['handshake/messages/finished.ts', "import { message } from './message.ts';\nexport * from './finished.ts';", '→'],
    [
      'handshake/messages/message.ts',
      "import type { F } from './finished.ts';",
      'finished.ts → handshake/messages/message.ts',
    ],
    ['crypto/prf.ts', "import type { N } from './providers/noble.ts';", 'crypto/providers → crypto'],
  ];
  for (const [path, text, complaint] of WRONG) {
    it(`does not let ${path} say ${oneLine(text)}`, () => expect(judge(path, text).join('\n')).to.contain(complaint));
  }
});
