/** The examples of scenarios in a test runner, run by the runners, in a folder that has the built package under its name. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { transform } from 'esbuild';
import { packageFile } from '../web/support.ts';

const root = dirname(packageFile);

/** How each runner is started, for the tests of a name; and how it says that two have passed, one was skipped and one has failed. */
const RUNNERS: Readonly<Record<string, { readonly words: (name: string) => string[]; readonly counts: RegExp[] }>> = {
  mocha: {
    words: (name) => ['node_modules/mocha/bin/mocha.js', 'mocha.test.mjs', '--timeout', '60000', '-g', name],
    counts: [/\b2 passing/, /\b1 pending/, /\b1 failing/],
  },
  'mocha, as the document has it': {
    words: (name) => ['node_modules/mocha/bin/mocha.js', 'documented/mocha.test.mjs', '--timeout', '60000', '-g', name],
    counts: [/\b2 passing/, /\b1 pending/, /\b1 failing/],
  },
  'node:test': {
    words: (name) => ['--test', '--test-reporter=tap', '--test-name-pattern', name, 'node.test.mjs'],
    counts: [/^# pass 2$/m, /# SKIP it needs session-store$/m, /^# fail 1$/m],
  },
  vitest: {
    words: (name) => [
      ...['node_modules/vitest/vitest.mjs', 'run', 'vitest.test.mjs', '--test-timeout', '60000', '--no-color'],
      ...['-t', name, '--no-cache'],
    ],
    counts: [/\b2 passed/, /it needs session-store|skipped/, /\b1 failed/],
  },
};

/** Two that every client passes, one that it cannot be asked, and one that node:tls does not pass. */
const NAMES = [
  'client/psk/selected-unasked:',
  'client/psk/finished-wrong:',
  'client/psk/ticket-reused:',
  'client/encrypted-extensions/unknown:',
];

/** Writes the blocks of docs/conformance.md: the five lines, and the client. */
async function writeDocumented(folder: string): Promise<void> {
  const [, section = ''] = readFileSync(join(root, 'docs/conformance.md'), 'utf8').split('\n## In a test runner\n');
  const [, lines = ''] = /^```js\n(.*?)^```/ms.exec(section) ?? [];
  const [, client = ''] = /^```ts\n(.*?)^```/ms.exec(section) ?? [];
  expect(lines.trim().split('\n')).to.have.lengthOf(5);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'mocha.test.mjs'), lines);
  const { code } = await transform(client, { loader: 'ts', format: 'esm', target: 'es2022' });
  writeFileSync(join(folder, 'my-client.mjs'), code);
}

describe('examples/scenarios', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-resume-examples-'));
  before(async () => {
    await writeDocumented(join(folder, 'documented'));
    cpSync(join(root, 'examples/scenarios'), folder, { recursive: true });
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules/tls-resume'));
    for (const name of ['mocha', 'vitest'])
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [name, { words, counts }] of Object.entries(RUNNERS)) {
    it(`pass, are skipped and fail with ${name}`, async () => {
      const { code, text } = await run(words(NAMES.join('|')));
      expect(code, text).to.equal(1);
      for (const count of counts) expect(text).to.match(count);
      expect(text).to.include(
        'client/encrypted-extensions/unknown (TLSv1.3): unsupported_extension is wanted by RFC 9846 §4.3',
      );
    });
  }

  async function run(args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
    const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
    const child = spawn(process.execPath, args, { cwd: folder, env: { ...env, NO_COLOR: '1' } });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    const [code] = (await once(child, 'close')) as [number];
    return { code, text };
  }
});
