/** A command that runs for a tester. */

import { type ChildProcess, spawn } from 'node:child_process';

/** What is kept of what it says of its errors. */
const LONGEST_COMPLAINT = 2000;

export class CommandProcess {
  readonly #child: ChildProcess;
  #complaint = '';
  /** Resolves when it has ended, with a sentence that says how. */
  readonly ended: Promise<string>;

  /** Starts it. `words` are for the shell. */
  constructor(words: string) {
    // A group of its own, so that what the shell starts ends with it.
    const child = spawn('/bin/sh', ['-c', words], { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
    this.#child = child;
    child.stdin?.on('error', () => {}); // it need not read
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-LONGEST_COMPLAINT);
    });
    this.ended = new Promise((resolve) => {
      child.once('error', ({ message }) => resolve(`the command cannot be started: ${message}`));
      child.once('exit', (code, signal) => setImmediate(() => resolve(this.#ending(code ?? signal))));
    });
  }

  get isOver(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }

  /** Writes to its standard input, which stays open. */
  say(text: string | Uint8Array): void {
    this.#child.stdin?.write(text);
  }

  /** Ends it with all that it has started. */
  end(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.isOver) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended in between.
    }
  }

  #ending(how: number | string | null): string {
    const lines = this.#complaint.split('\n').map((line) => line.trim());
    const last = lines.filter((line) => line !== '').at(-1);
    return `the command has ended (${how}) before it has connected${last === undefined ? '' : `: ${last}`}`;
  }
}
