/** Replays recordings in a page of headless Chromium. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import type { Replays } from './replay-all.ts';

const run = promisify(execFile);

/** The names under which distributions install it. */
const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];

async function programOf(names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const isThere = await run(name, ['--version']).then(
      () => true,
      () => false,
    );
    if (isThere) return name;
  }
  return undefined;
}

/** One script of all that a page needs. It runs before the page counts as loaded. */
async function scriptOf(texts: readonly string[]): Promise<string> {
  const entry = fileURLToPath(new URL('replay-all.js', import.meta.url));
  const { outputFiles } = await build({
    stdin: { contents: `import { replayAll } from ${JSON.stringify(entry)};\n${PAGE}`, resolveDir: '/' },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    logLevel: 'silent',
  });
  return `const texts = ${JSON.stringify(texts)};\n${outputFiles[0]?.text}`;
}

const PAGE = 'document.querySelector("pre").textContent = ["", JSON.stringify(replayAll(texts)), ""].join("RESULT");';

/** Returns what came of it; `undefined` if there is no Chromium. @throws Error if the page says nothing */
export async function replayInChromium(texts: readonly string[]): Promise<Replays | undefined> {
  const program = await programOf(PROGRAMS);
  if (program === undefined) return undefined;
  const script = await scriptOf(texts);
  const server = createServer((request, response) => {
    const isScript = request.url === '/replay.js';
    response.setHeader('content-type', isScript ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');
    response.end(isScript ? script : '<!doctype html><pre></pre><script src="replay.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const profile = await mkdtemp(join(tmpdir(), 'tls-resume-chromium-'));
  try {
    const { port } = server.address() as AddressInfo;
    const page = `http://127.0.0.1:${port}/`;
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`, '--dump-dom', page];
    const { stdout } = await run(program, flags, { timeout: 300_000, maxBuffer: 2 ** 28 });
    const [, result] = stdout.split('RESULT');
    if (result === undefined) throw new Error(`chromium has shown no result: ${stdout.slice(0, 400)}`);
    return JSON.parse(
      result.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
    );
  } finally {
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
