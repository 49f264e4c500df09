/** `openssl s_server` in a conversation: its input is at hand, and what it prints. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fixturePath } from '../fixtures.ts';
import { CERTIFICATE } from './harness.ts';
import { findProgram, plainEnvironment } from './peers.ts';

/** Its options for a certificate of the fixtures. */
export function pairOf(kind: string): string[] {
  const path = (what: string) => fixturePath(`certificates/${kind}.${what}.pem`);
  return ['-cert', path('cert'), '-key', path('key')];
}

const LONGEST_MS = 15_000;

/** A server whose input is at hand, and which has a conversation with one client after another. */
export class Conversation {
  readonly #child;
  readonly #gone: Promise<unknown>;
  said = '';

  constructor(flags: readonly string[]) {
    const path = findProgram('openssl');
    if (path === undefined) throw new Error('openssl is not installed');
    const args = ['s_server', '-accept', '127.0.0.1:0', ...pairOf(CERTIFICATE), ...flags];
    this.#child = spawn(path, args, { env: plainEnvironment(), stdio: ['pipe', 'pipe', 'ignore'] });
    this.#gone = once(this.#child, 'close');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), LONGEST_MS); // a test that waits in vain must fail
    void this.#gone.then(() => clearTimeout(late));
    this.#child.stdin.on('error', () => {});
    this.#child.stdout.setEncoding('latin1').on('data', (text: string) => {
      this.said += text;
    });
  }

  /** What the last match of the pattern has caught, once there are so many. */
  async says(pattern: RegExp, count = 1): Promise<string> {
    for (;;) {
      const found = [...this.said.matchAll(pattern)];
      const last = found[count - 1]?.[1];
      if (last !== undefined) return last;
      const more = once(this.#child.stdout, 'data');
      await Promise.race([more, this.#gone.then(() => Promise.reject(new Error(`s_server has ended: ${this.said}`)))]);
    }
  }

  async port(): Promise<number> {
    return Number(await this.says(/^ACCEPT 127\.0\.0\.1:(\d+)$/gm));
  }

  /** One line. */
  type(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /**
   * K: updates its key, and asks for an update; k: updates its key. What it reads together with the letter, it drops, and what it has
   * printed of it, it shows with the next line that it hears.
   */
  async update(letter: 'K' | 'k', say: (line: string) => Promise<void>): Promise<void> {
    this.type(letter);
    const updates = () => [...this.said.matchAll(/^SSL_do_handshake -> 1$/gm)].length;
    const before = updates();
    for (let i = 0; updates() === before; i++) await say(`${letter} ${i}`);
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }
}

export async function conversing(
  flags: readonly string[],
  talk: (server: Conversation) => Promise<void>,
): Promise<void> {
  const server = new Conversation(flags);
  try {
    await talk(server);
  } finally {
    await server.close();
  }
}
