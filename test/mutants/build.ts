/**
 * Mutants: copies of the library with one check taken out. A mutant is a few edits of the syntax tree, applied while the sources are
 * bundled in memory. An edit whose place is not found, or found twice, is an error: the code has changed, and the mutant with it.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { build } from 'esbuild';
import { parseSync } from 'oxc-parser';
import type { ClientConnection } from '../../src/engine/client/client-connection.ts';
import type { defineClient } from '../../src/engine/client/define-client.ts';
import type { defineServer } from '../../src/engine/server/define-server.ts';
import type { ServerConnection } from '../../src/engine/server/server-connection.ts';

/** What is taken out, and where. */
export interface MutantEdit {
  /** The path of the file, from src/ on. */
  readonly file: string;
  /** The name of the function, method, class or constant that has the code. Default: the whole file. */
  readonly within?: string | undefined;
  /** An expression or a statement that stands there once. Blanks and comments do not matter. */
  readonly find: string;
  /** What stands there instead. */
  readonly replace: string;
}

/** Mutants by name. */
export type Mutants = Readonly<Record<string, readonly MutantEdit[]>>;

/** A copy of the library. */
export interface Library {
  readonly ClientConnection: typeof ClientConnection;
  readonly ServerConnection: typeof ServerConnection;
  readonly defineClient: typeof defineClient;
  readonly defineServer: typeof defineServer;
}

interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const SOURCES = fileURLToPath(new URL('../../../src/', import.meta.url));
const ENTRY = `
  export { ClientConnection } from './engine/client/client-connection.ts';
  export { ServerConnection } from './engine/server/server-connection.ts';
  export { defineClient } from './engine/client/define-client.ts';
  export { defineServer } from './engine/server/define-server.ts';
`;

/** Returns the library with these edits. @throws Error for an edit that does not match */
export async function buildMutant(edits: readonly MutantEdit[]): Promise<Library> {
  const edited = new Map<string, string>();
  for (const edit of edits) {
    const path = SOURCES + edit.file;
    edited.set(path, applyEdit(edited.get(path) ?? readFileSync(path, 'utf8'), edit));
  }
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: SOURCES, loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    target: 'node20',
    plugins: [
      {
        name: 'mutant',
        setup: ({ onLoad }) => {
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const contents = edited.get(path);
            return contents === undefined ? undefined : { contents, loader: 'ts' };
          });
        },
      },
    ],
  });
  const module = { exports: {} };
  const run = compileFunction(outputFiles[0]?.text ?? '', ['require', 'module', 'exports']);
  run(createRequire(import.meta.url), module, module.exports);
  return module.exports as Library;
}

/** Returns the source with an edit made. @throws Error if its place is not found, or found twice */
export function applyEdit(source: string, edit: MutantEdit): string {
  const { file, within, find, replace } = edit;
  const wanted = parseFragment(find);
  const scopes =
    within === undefined ? [parse(file, source)] : nodesIn(parse(file, source), (node) => isNamed(node, within));
  const found = new Map<number, SyntaxNode>();
  for (const scope of scopes)
    for (const node of nodesIn(scope, (one) => isSame(one, wanted))) found.set(node.start, node);
  const [place, ...others] = found.values();
  const where = within === undefined ? file : `${within} of ${file}`;
  if (place === undefined) throw new Error(`the mutant does not match: ${where} has no ${find}`);
  if (others.length > 0) throw new Error(`the mutant does not match: ${where} has ${found.size} times ${find}`);
  return source.slice(0, place.start) + replace + source.slice(place.end);
}

function parse(file: string, source: string): SyntaxNode {
  const { program, errors } = parseSync(file, source, { preserveParens: false });
  const [error] = errors;
  if (error !== undefined) throw new Error(`${file}: ${error.message}`);
  return program as unknown as SyntaxNode;
}

/** A statement, or the expression if there is no more. */
function parseFragment(find: string): SyntaxNode {
  // A function that may do all that functions may, so that `return`, `yield` and `await` are known.
  const program = parse('fragment.ts', `async function* fragment() {\n${find}\n}`);
  const [body] = nodesIn(program, ({ type }) => type === 'BlockStatement' || type === 'FunctionBody');
  const statements = (body?.['body'] ?? []) as SyntaxNode[];
  const [statement, ...others] = statements;
  if (statement === undefined || others.length > 0) throw new Error(`one statement or expression is wanted: ${find}`);
  const isBare = statement.type === 'ExpressionStatement' && !find.trimEnd().endsWith(';');
  return isBare ? (statement['expression'] as SyntaxNode) : statement;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** All nodes in and below `node` that `matches`, those above before those below. */
function nodesIn(node: SyntaxNode, matches: (node: SyntaxNode) => boolean): SyntaxNode[] {
  const found = matches(node) ? [node] : [];
  for (const field of Object.values(node))
    for (const child of Array.isArray(field) ? field : [field])
      if (isNode(child)) found.push(...nodesIn(child, matches));
  return found;
}

/** Whether a node declares this name: a function, a method, a class, a constant, or a property. */
function isNamed(node: SyntaxNode, name: string): boolean {
  const key = node['id'] ?? node['key'];
  return /Declar|Definition|^Property$/.test(node.type) && isNode(key) && key['name'] === name.replace(/^#/, '');
}

/** What says where a node is, and not what. */
const PLACES = ['start', 'end', 'range', 'loc', 'parent'];

function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, i) => isSame(item, other[i]));
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return one === other;
  if (one instanceof RegExp || typeof one === 'bigint') return String(one) === String(other);
  const fields = (node: object) => Object.entries(node).filter(([name]) => !PLACES.includes(name));
  const [ours, theirs] = [fields(one), new Map(fields(other))];
  return (
    ours.length === theirs.size && ours.every(([name, value]) => theirs.has(name) && isSame(value, theirs.get(name)))
  );
}
