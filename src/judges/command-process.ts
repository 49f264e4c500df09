/** A command that runs for a tester. */

import { type ChildProcess, spawn } from 'node:child_process';
import { untilExit } from './until-exit.ts';

/** What is kept of what it says of its errors: the end. */
const LONGEST_COMPLAINT = 2000;
/** How long what it has said may be under way when it has ended: somebody else may hold its pipe, and never close it. */
const UNDER_WAY_MS = 200;

export class CommandProcess {
  readonly #child: ChildProcess;
  readonly #forget: () => void;
  #complaint = '';
  #isGone = false;
  /** Resolves when it has ended, with a sentence that says how. */
  readonly ended: Promise<string>;

  /** Starts it. `words` are for the shell. */
  constructor(words: string) {
    // A group of its own, so that what the shell starts ends with it.
    const child = spawn('/bin/sh', ['-c', words], { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
    this.#child = child;
    this.#forget = untilExit(() => this.end());
    child.stdin?.on('error', () => {}); // it need not read
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-LONGEST_COMPLAINT);
    });
    this.ended = new Promise((resolve) => {
      const tell = (sentence: string): void => {
        this.#isGone = true;
        this.#forget();
        child.stdin?.destroy();
        child.stderr?.destroy();
        resolve(sentence);
      };
      child.once('error', ({ message }) => tell(`the command cannot be started: ${message}`));
      child.once('exit', (code, signal) => {
        this.end(); // what it has left behind
        const limit = setTimeout(() => tell(this.#ending(code ?? signal)), UNDER_WAY_MS);
        child.once('close', () => {
          clearTimeout(limit);
          tell(this.#ending(code ?? signal));
        });
      });
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
    if (pid === undefined || this.#isGone) return; // the number may be another's by now
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody of the group is left.
    }
  }

  #ending(how: number | string | null): string {
    const lines = this.#complaint.split('\n').map((line) => line.trim());
    const last = lines.filter((line) => line !== '').at(-1);
    return `the command has ended (${how}) before it has connected${last === undefined ? '' : `: ${last}`}`;
  }
}
