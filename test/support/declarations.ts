/** The declarations that are published, as text: what each entry exports, and which names its declarations use. */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageFile } from '../web/support.ts';

/** A name, in the file that declares it. */
export interface Declared {
  /** Relative to dist/src/. */
  readonly path: string;
  readonly name: string;
}

interface Module {
  readonly path: string;
  /** The text of each declaration, without comments. Declarations of one name are one. */
  readonly declarations: Map<string, string>;
  readonly imported: Map<string, Declared>;
  readonly exported: Map<string, Declared>;
  /** `export * from` */
  readonly stars: string[];
}

const FOLDER = join(packageFile, '../dist/src');
const modules = new Map<string, Module>();

function moduleOf(path: string): Module {
  const known = modules.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(join(FOLDER, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const module: Module = { path, declarations: new Map(), imported: new Map(), exported: new Map(), stars: [] };
  modules.set(path, module);
  for (const statement of text.split(/^(?=(?:export|import|declare|type|interface)\b)/m)) read(statement, module);
  return module;
}

/** Packages have no path here: they are the program's own. */
function pathOf(specifier: string, { path }: Module): string | undefined {
  return specifier.startsWith('.') ? join(dirname(path), specifier).replace(/\.[jt]s$/, '.d.ts') : undefined;
}

function read(statement: string, module: Module): void {
  const [, way, braces, specifier] =
    /^(import|export) (?:type )?(\{[^}]*\}|\*)(?: from '([^']+)')?/.exec(statement) ?? [];
  const [, isExported, name] =
    /^(export )?(?:declare )?(?:abstract )?(?:class|interface|type|const|let|function) (\w+)/.exec(statement) ?? [];
  const from = specifier === undefined ? module.path : pathOf(specifier, module);
  if (name !== undefined) {
    module.declarations.set(name, (module.declarations.get(name) ?? '') + statement);
    if (isExported) module.exported.set(name, { path: module.path, name });
  } else if (braces === '*' && from !== undefined) module.stars.push(from);
  else if (braces !== undefined && from !== undefined) {
    for (const [, original = '', alias = original] of braces.matchAll(/(?:type )?\b(\w+)(?: as (\w+))?\s*[,}]/g)) {
      (way === 'import' ? module.imported : module.exported).set(alias, { path: from, name: original });
    }
  } else if (!/^(?:export \{\};|import [*\w'{]|\s*$)/.test(statement)) throw new Error(`${module.path}: ${statement}`);
}

/** Where a name of a file is declared; `undefined` if it is a package's, or nobody's. */
function declared(path: string, name: string): Declared | undefined {
  const { declarations, exported, imported, stars } = moduleOf(path);
  if (declarations.has(name)) return { path, name };
  const other = exported.get(name) ?? imported.get(name);
  if (other !== undefined) return declared(other.path, other.name);
  for (const star of stars) {
    const found = moduleOf(star).exported.has(name) ? declared(star, name) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a doc comment stands right before one of the declarations of a name. */
export function isDocumented({ path, name }: Declared): boolean {
  const text = readFileSync(join(FOLDER, path), 'utf8');
  const words = '(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|const|let|function)';
  return new RegExp(`^ ?\\*\\/\\n${words} ${name}\\b|^\\/\\*\\*.*\\*\\/\\n${words} ${name}\\b`, 'm').test(text);
}

/** What a file exports. */
export function exportsOf(path: string): Declared[] {
  const { exported, stars } = moduleOf(path);
  const own = [...exported.keys()].map((name) => declared(path, name)).filter((found) => found !== undefined);
  return [...own, ...stars.flatMap(exportsOf)];
}

export function textOf({ path, name }: Declared): string {
  return moduleOf(path).declarations.get(name) ?? '';
}

/**
 * The names that a declaration uses, of this library. A table whose keys a type takes is not named by it. `typeof` of a value that is
 * not exported stands for its declaration.
 */
export function namesIn(of: Declared): Declared[] {
  const text = textOf(of).replace(/keyof typeof \w+|'(?:\\.|[^'\\\n])*'/g, '');
  const values = [...text.matchAll(/typeof (\w+)/g)].map(([, name = '']) => declared(of.path, name));
  const words = text.replace(/typeof \w+/g, '').match(/(?<![.\w])[A-Za-z_]\w*(?!\w|\??\s*[:(])/g) ?? [];
  const found = [...new Set(words)].filter((word) => word !== of.name).map((word) => declared(of.path, word));
  return [...found, ...values.flatMap((value) => (value === undefined ? [] : namesIn(value)))].filter(
    (name) => name !== undefined,
  );
}

/** The members that may be absent, but may not be undefined under exactOptionalPropertyTypes. */
export function strictMembersIn(of: Declared): string[] {
  const text = textOf(of);
  const strict: string[] = [];
  const open: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if ('{(['.includes(char)) open.push(char);
    else if ('})]'.includes(char)) open.pop();
    else if (char === '?' && open.at(-1) === '{') {
      const [member] = /[\w\]]+$/.exec(text.slice(0, at)) ?? ['?'];
      if (text[at + 1] === '(') strict.push(`${member}()`);
      else if (text[at + 1] === ':' && !/\bundefined$|\bunknown$/.test(typeAt(text, at + 2))) strict.push(member);
    }
  }
  const maps = text.match(/\bPartial<Record<[^<>]*>>/g) ?? [];
  return [...strict, ...maps.filter((map) => !map.includes('| undefined'))];
}

/** The type that begins there, up to the end of its member. */
function typeAt(text: string, start: number): string {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if ('{(['.includes(text.charAt(at))) depth++;
    else if ('})]'.includes(text.charAt(at))) depth--;
    if (depth < 0 || (depth === 0 && text[at] === ';')) return text.slice(start, at).trim();
  }
  return '';
}
