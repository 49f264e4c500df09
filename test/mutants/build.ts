/**
 * Mutants: copies of the library with one check taken out. A mutant is a few edits of the syntax tree, applied while the sources are
 * loaded once more. An edit whose place is not found, or found twice, is an error: the code has changed, and the mutant with it.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { transformSync } from 'esbuild';
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
const externals = createRequire(import.meta.url);

type Load = (require: (name: string) => unknown, module: { exports: unknown }, exports: unknown) => void;

/** What a source does when it is loaded. */
function loaderOf(path: string, source: string): Load {
  const { code } = transformSync(source, { loader: 'ts', format: 'cjs', target: 'node20', sourcefile: path });
  const script = new Script(`(function (require, module, exports) {${code}\n})`, { filename: path });
  return script.runInThisContext() as Load;
}

/** Of the sources as they are. */
const unedited = new Map<string, Load>();
function uneditedLoader(path: string): Load {
  const load = unedited.get(path) ?? loaderOf(path, readFileSync(path, 'utf8'));
  unedited.set(path, load);
  return load;
}

/** Returns the library with these edits. @throws Error for an edit that does not match */
export function buildMutant(edits: readonly MutantEdit[]): Library {
  const sources = new Map<string, string>();
  for (const edit of edits) {
    const path = join(SOURCES, edit.file);
    sources.set(path, applyEdit(sources.get(path) ?? readFileSync(path, 'utf8'), edit));
  }
  const modules = new Map<string, { exports: unknown }>();
  const load = (path: string): unknown => {
    const known = modules.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    modules.set(path, module);
    const source = sources.get(path);
    const run = source === undefined ? uneditedLoader(path) : loaderOf(path, source);
    run((name) => (name.startsWith('.') ? load(join(dirname(path), name)) : externals(name)), module, module.exports);
    return module.exports;
  };
  const parts = [
    'engine/client/client-connection.ts',
    'engine/server/server-connection.ts',
    'engine/client/define-client.ts',
    'engine/server/define-server.ts',
  ];
  const library = Object.assign({}, ...parts.map((path) => load(join(SOURCES, path)))) as Library;
  const unused = [...sources.keys()].find((path) => !modules.has(path));
  if (unused !== undefined) throw new Error(`the mutant does not match: nothing imports ${unused}`);
  return library;
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
