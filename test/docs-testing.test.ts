/** The worked examples of docs/testing.md, docs/recordings.md and docs/psk.md, run: what a line logs is what its comment says. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { transform } from 'esbuild';
import { packageFile } from './web/support.ts';

const root = dirname(packageFile);

interface Example {
  readonly title: string;
  readonly code: string;
}

/** The blocks of a section, by the headings over them. */
function examplesOf(document: string, section: string): Example[] {
  const [, text = ''] = document.split(`\n## ${section}\n`);
  const [own = ''] = text.split(/\n## /);
  return [...own.matchAll(/^### (.*?)$.*?^```ts\n(.*?)^```/gms)].map(([, title = '', code = '']) => ({ title, code }));
}

/** What the comments behind the logs say. @throws Error for a log without one */
function promisedBy(code: string): string[] {
  return code
    .split('\n')
    .filter((line) => line.includes('console.log('))
    .map((line) => {
      const [, promised] = /console\.log\(.*\); \/\/ (.*)$/.exec(line) ?? [];
      if (promised === undefined) throw new Error(`what does it log? ${line}`);
      return promised;
    });
}

/** Runs a program in this process, against the built package. Returns what it has logged. */
async function run(code: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tls-resume-example-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules', 'tls-resume'));
    const program = join(folder, 'example.mjs');
    const body = `export const logged = [];\nconst console = { log: (value) => void logged.push(value) };\n${code}`;
    writeFileSync(program, (await transform(body, { loader: 'ts', format: 'esm', target: 'es2022' })).code);
    const { logged } = (await import(pathToFileURL(program).href)) as { readonly logged: readonly unknown[] };
    return logged.map((value) => inspect(value, { breakLength: Number.POSITIVE_INFINITY }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('docs/testing.md', () => {
  const examples = examplesOf(readFileSync(join(root, 'docs/testing.md'), 'utf8'), 'Ten worked examples');

  it('has ten worked examples, each with something to see', () => {
    expect(examples.map(({ title }) => Number.parseInt(title, 10))).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (const { title, code } of examples) expect(promisedBy(code), title).not.to.deep.equal([]);
  });

  for (const { title, code } of examples)
    it(`${title} logs what it says`, async () => expect(await run(code)).to.deep.equal(promisedBy(code)));

  it('would be found wrong if it were', async () => {
    expect(await run('console.log(1 + 1); // 3')).not.to.deep.equal(promisedBy('console.log(1 + 1); // 3'));
    expect(() => promisedBy('console.log(1)')).to.throw('what does it log?');
  });
});

describe('docs/recordings.md', () => {
  const examples = examplesOf(readFileSync(join(root, 'docs/recordings.md'), 'utf8'), 'What you can do with one');

  it('has an example of each thing', () => expect(examples).to.have.length(3));

  for (const { title, code } of examples)
    it(`${title}: logs what it says`, async () => expect(await run(code)).to.deep.equal(promisedBy(code)));
});

describe('docs/psk.md', () => {
  const text = readFileSync(join(root, 'docs/psk.md'), 'utf8');
  const examples = [
    'A first connection',
    'An endpoint that is both client and server',
    'A function instead of a list',
  ].flatMap((section) => examplesOf(text, section));

  it('has three worked examples', () => expect(examples).to.have.length(3));

  for (const { title, code } of examples)
    it(`${title}: logs what it says`, async () => expect(await run(code)).to.deep.equal(promisedBy(code)));
});
