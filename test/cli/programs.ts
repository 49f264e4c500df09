/** The command and the demo as processes of their own. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** As compiled beside this file, wherever that is. */
function path(name: 'main' | 'demo'): string {
  return fileURLToPath(new URL(`../../src/cli/${name}.js`, import.meta.url));
}

/** Runs the command to its end. */
export function finished(...words: string[]) {
  return spawnSync(process.execPath, [path('main'), ...words], { encoding: 'utf8', timeout: 50_000 });
}

const started = new Set<Program>();

/** A process that goes on until it is told to stop. */
export class Program {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  output = '';

  constructor(name: 'main' | 'demo', ...words: string[]) {
    this.#child = spawn(process.execPath, [path(name), ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#closed = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    started.add(this);
  }

  /** What the pattern has caught, once the program has said so. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found !== null) return found;
      const news = new AbortController();
      const { signal } = news;
      const more = [this.#child.stdout, this.#child.stderr].map((stream) => stream && once(stream, 'data', { signal }));
      const end = this.#closed.then(() => 'end');
      const first = await Promise.race([...more, end]);
      for (const promise of more) promise?.catch(() => {});
      news.abort();
      if (first === 'end' && !pattern.test(this.output)) throw new Error(`never said ${pattern}:\n${this.output}`);
    }
  }

  /** Its exit code, or the signal that killed it. */
  async stop(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): Promise<unknown> {
    started.delete(this);
    this.#child.kill(signal);
    const [code, killer] = await this.#closed;
    return code ?? killer;
  }
}

/** For `afterEach`: nothing that a test has started outlives it. */
export async function stopAll(): Promise<void> {
  await Promise.all([...started].map((program) => program.stop('SIGKILL')));
}
