/** "Who may import whom" of ARCHITECTURE.md, kept: reads the import statements of src/, and a few words that have their place. */

import { posix } from 'node:path';
import { expect } from 'chai';
import { codeOf, readSources, type Sources } from './support/sources.ts';

interface Import {
  /** Relative to src/, or the name of a package. */
  readonly target: string;
  readonly isPackage: boolean;
  readonly isType: boolean;
}

interface Zone {
  readonly name: string;
  readonly holds: (path: string) => boolean;
  /** Zones, besides itself. */
  readonly imports: readonly string[];
  /** Zones of which it may import types. */
  readonly types?: readonly string[];
  /** Single files. */
  readonly files?: readonly string[];
  readonly packages?: RegExp;
  /** Layer 5: waits, and speaks of streams. */
  readonly isShell?: boolean;
}

const within = (folder: string) => (path: string) => path.startsWith(`${folder}/`);
const among = (names: string) => (path: string) => names.split(' ').includes(path.replace(/\.ts$/, ''));
const BELOW_SHELLS = ['platform', 'world', 'wire', 'crypto', 'messages', 'cache', 'flights', 'engine'];

/** The first that holds a file has it. */
const ZONES: readonly Zone[] = [
  { name: 'platform', holds: among('platform awaitable'), imports: [] },
  { name: 'wire', holds: within('wire'), imports: ['platform'] },
  { name: 'crypto', holds: within('crypto'), imports: ['platform', 'wire'], packages: /^@noble\// },
  { name: 'messages', holds: within('handshake/messages'), imports: ['wire'] },
  {
    name: 'cache',
    holds: (path) => ['sessions', 'cache', 'tickets'].some((room) => within(room)(path)),
    imports: ['platform', 'wire', 'crypto'],
  },
  {
    name: 'flights',
    holds: within('handshake'),
    imports: ['platform', 'wire', 'crypto', 'messages'],
    types: ['cache'],
    files: ['sessions/session.ts', 'sessions/scope.ts'], // a handshake makes sessions; who keeps them is not its business
  },
  { name: 'driver', holds: among('engine/driver'), imports: BELOW_SHELLS, isShell: true },
  { name: 'world', holds: among('world'), imports: ['platform'] },
  {
    name: 'engine',
    holds: within('engine'),
    imports: ['platform', 'world', 'wire', 'crypto', 'messages', 'cache', 'flights'],
  },
  { name: 'web', holds: within('web'), imports: [...BELOW_SHELLS, 'driver'], isShell: true },
  {
    name: 'openssl',
    holds: (path) => among('openssl')(path) || within('openssl')(path),
    imports: [...BELOW_SHELLS, 'driver'],
    isShell: true,
  },
  { name: 'index', holds: among('index tls13'), imports: [...BELOW_SHELLS, 'driver', 'web'], isShell: true },
  {
    name: 'node',
    holds: within('node'),
    imports: [...BELOW_SHELLS, 'driver', 'index'],
    packages: /^node:/,
    isShell: true,
  },
  {
    name: 'cli',
    holds: within('cli'),
    imports: [...BELOW_SHELLS, 'driver', 'index', 'node'],
    packages: /^node:/,
    isShell: true,
  },
];

/** `import …`, `export … from` and `import('…')`. */
function importsOf(path: string, text: string): Import[] {
  const statement =
    /^(?:import|export)\b(\s+type\b)?\s*(?:(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?|\w+(?:\s*,\s*\{[^}]*\})?)\s*from\s*)?'([^']+)'|\bimport\(\s*()['"`]([^'"`]+)/gm;
  return [...text.matchAll(statement)].map(([, type, from, , dynamic]) => {
    const specifier = from ?? dynamic ?? '';
    const isPackage = !specifier.startsWith('.');
    const target = isPackage ? specifier : posix.join(posix.dirname(path), specifier);
    return { target, isPackage, isType: type !== undefined };
  });
}

function zoneOf(path: string): Zone | undefined {
  return ZONES.find((zone) => zone.holds(path));
}

/** Why an import must not be; `undefined` where it may. */
function whyNot(zone: Zone, { target, isPackage, isType }: Import, sources: Sources): string | undefined {
  if (isPackage) return zone.packages?.test(target) ? undefined : `${zone.name} imports the package ${target}`;
  if (!sources.has(target)) return `imports ${target}, which is not in src/`;
  const to = zoneOf(target)?.name ?? '';
  const isAllowed = to === zone.name || zone.imports.includes(to) || (isType && zone.types?.includes(to));
  if (isAllowed || zone.files?.includes(target)) return undefined;
  return `${zone.name} imports ${target}, which is in ${to}${isType ? '' : ', as a value'}`;
}

function checkImports(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const zone = zoneOf(path);
    if (zone === undefined) return [`${path}: is in no layer; give it one in this test and in ARCHITECTURE.md`];
    const reasons = importsOf(path, text).map((imported) => whyNot(zone, imported, sources));
    return reasons.filter((reason) => reason !== undefined).map((reason) => `${path}: ${reason}`);
  });
}

function checkWords(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const code = codeOf(text);
    const zone = zoneOf(path);
    const found: string[] = [];
    if (!zone?.isShell && /\b(?:async|await)\b/.test(code)) found.push('waits, which is for shells');
    if (path !== 'handshake/wait.ts' && /\byield\b(?!\s*\*)/.test(code)) found.push('yields, which is for wait.ts');
    if (
      zone?.packages?.test('node:') !== true &&
      path !== 'platform.ts' &&
      /\bglobalThis\.|=\s*globalThis\b/.test(code)
    ) {
      found.push('uses globalThis, which is for platform.ts');
    }
    return found.map((reason) => `${path}: ${reason}`);
  });
}

/** Cycles of imports that are there at run time, each as a path back to its start. */
function findCycles(sources: Sources): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(path);
    if (seen >= 0) cycles.push([...trail.slice(seen), path].join(' → '));
    if (seen >= 0 || done.has(path)) return;
    for (const { target, isType } of importsOf(path, sources.get(path) ?? '')) {
      if (!isType && sources.has(target)) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return cycles;
}

describe('the architecture', () => {
  const sources = readSources();

  it('is read at all', () => {
    expect(sources.size).to.be.above(60);
    expect(
      importsOf('engine/server/server-connection.ts', sources.get('engine/server/server-connection.ts') ?? '').length,
    ).to.be.above(15);
  });

  it('each layer imports what it may', () => expect(checkImports(sources)).to.deep.equal([]));
  it('only shells wait, only wait.ts yields, only platform.ts knows the globals', () =>
    expect(checkWords(sources)).to.deep.equal([]));
  it('no two files need each other', () => expect(findCycles(sources)).to.deep.equal([]));
});

describe('the test of the architecture', () => {
  /** What it says of one file beside some that are in order. */
  const judge = (path: string, text: string): string[] => {
    const others = {
      'platform.ts': '',
      'wire/codec.ts': '',
      'crypto/prf.ts': "import { encode } from '../wire/codec.ts';",
      'sessions/session.ts': '',
      'cache/session-cache.ts': "import { Session } from '../sessions/session.ts';",
      'handshake/messages/message.ts': '',
      'handshake/messages/finished.ts': "import { type Message, message } from './message.ts';",
      'handshake/server/serve.ts': "import { finished } from '../messages/finished.ts';",
      'engine/server/server-connection.ts': "import { serve } from '../../handshake/server/serve.ts';",
      'engine/driver.ts': '',
      'web/accept.ts': '',
      'node/index.ts': '',
    };
    const all = new Map([...Object.entries(others), [path, text]]);
    return [...checkImports(all), ...checkWords(all), ...findCycles(all)];
  };

  const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ') || 'anything';

  const RIGHT: readonly (readonly [string, string])[] = [
    ['wire/record.ts', "import { decode } from './codec.ts';\nimport { platform } from '../platform.ts';"],
    ['crypto/providers/noble.ts', "import { gcm } from '@noble/ciphers/aes.js';"],
    [
      'handshake/server/psk.ts',
      "import { Session } from '../../sessions/session.ts';\nimport type { SessionCache } from '../../cache/session-cache.ts';",
    ],
    ['handshake/server/psk.ts', 'function* f() {\n  const x = yield* g(); // then yield\n  return `await`;\n}'],
    ['engine/server/config.ts', "import type {\n  A,\n  B,\n} from '../../handshake/server/serve.ts';"],
    ['engine/channel.ts', "import type { Channel } from './channel.ts';"],
    ['web/shell.ts', "import { accept } from './accept.ts';\nawait accept();"],
    ['node/socket.ts', "import { Socket } from 'node:net';\nglobalThis.setTimeout();"],
    ['cli/main.ts', "export * from '../node/index.ts';"],
    ['wire/pem.ts', "/** Never await, async, yield, globalThis. */\nexport const say = 'await node: it';"],
    ['engine/secrets.ts', "export const name = 'x';\nexport function from() { return 'y'; }"],
  ];
  for (const [path, text] of RIGHT)
    it(`lets ${path} say ${oneLine(text)}`, () => expect(judge(path, text)).to.deep.equal([]));

  const WRONG: readonly (readonly [string, string, string])[] = [
    ['wire/record.ts', "import { prf } from '../crypto/prf.ts';", 'wire imports crypto/prf.ts'],
    ['wire/record.ts', "import type { Prf } from '../crypto/prf.ts';", 'wire imports crypto/prf.ts'],
    ['wire/record.ts', "import { gcm } from '@noble/ciphers/aes.js';", 'the package @noble/ciphers'],
    ['platform.ts', "import type { A } from './wire/codec.ts';", 'platform imports wire/codec.ts'],
    ['crypto/providers/noble.ts', "import { createHash } from 'node:crypto';", 'the package node:crypto'],
    ['crypto/providers/noble.ts', "import express from 'express';", 'the package express'],
    [
      'crypto/providers/noble.ts',
      "export * from '../../engine/channel.ts';",
      'crypto/providers/noble.ts: imports engine/channel.ts',
    ],
    [
      'tickets/ticket.ts',
      "import type { F } from '../handshake/messages/finished.ts';",
      'cache imports handshake/messages/finished.ts',
    ],
    [
      'handshake/messages/finished.ts',
      "import { message } from './message.ts';\nimport '../server/serve.ts';",
      'messages imports',
    ],
    ['handshake/server/psk.ts', "import { SessionCache } from '../../cache/session-cache.ts';", 'as a value'],
    ['handshake/server/psk.ts', "import { type SessionCache } from '../../cache/session-cache.ts';", 'as a value'],
    [
      'handshake/server/psk.ts',
      "import type { C } from '../../engine/server/server-connection.ts';",
      'flights imports engine/server/server-connection.ts',
    ],
    ['engine/server/config.ts', "import {\n  Driver,\n} from '../driver.ts';", 'engine imports engine/driver.ts'],
    ['engine/server/config.ts', "import 'node:fs';", 'the package node:fs'],
    ['web/shell.ts', "import { createServer } from '../node/index.ts';", 'web imports node/index.ts'],
    ['web/shell.ts', "const fs = await import('node:fs');", 'the package node:fs'],
    ['index.ts', "export { createServer } from './node/index.ts';", 'index imports node/index.ts'],
    ['node/socket.ts', "import { accept } from '../web/accept.ts';", 'node imports web/accept.ts'],
    ['node/socket.ts', "import x from './gone.ts';", 'which is not in src/'],
    ['utils.ts', '', 'in no layer'],
    ['engine/server/store.ts', 'export async function f() {}', 'waits'],
    ['engine/server/store.ts', 'for await (const x of y) {}', 'waits'],
    ['handshake/server/psk.ts', 'function* f() { const x = yield g(); }', 'yields'],
    ['cache/session-cache.ts', 'globalThis.crypto.getRandomValues(x);', 'globalThis'],
    ['handshake/messages/finished.ts', "import { message } from './message.ts';\nexport * from './finished.ts';", '→'],
    [
      'handshake/messages/message.ts',
      "import { finished } from './finished.ts';",
      'finished.ts → handshake/messages/message.ts',
    ],
  ];
  for (const [path, text, complaint] of WRONG) {
    it(`does not let ${path} say ${oneLine(text)}`, () => expect(judge(path, text).join('\n')).to.contain(complaint));
  }
});
