/** Processes of the bench, each with its questions and answers over IPC, each on a core of its own where that can be had. */

import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

export type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

/** The child's side: answers until the parent is gone. */
export function answer(handlers: Handlers): void {
  process.on('disconnect', () => process.exit());
  process.on('message', async ({ id, name, argument }: Question) => {
    try {
      process.send?.({ id, value: await handlers[name]?.(argument as never) } satisfies Answer);
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
}

/** User and system time of this process with all its threads, microseconds. */
export function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

let canPin: boolean | undefined;

/** Whether processes can be kept on cores: with taskset(1), and two cores to tell apart. */
export function isPinning(): boolean {
  canPin ??= availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;
  return canPin;
}

export interface ChildOptions {
  /** Where it runs: the servers on 0, the clients on 1. */
  readonly core: number;
  /** Flags of Node's. */
  readonly flags?: readonly string[];
}

export class Child {
  readonly #process: ChildProcess;
  readonly #open = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #next = 0;

  /** `file` stands beside this one; `argument` is its process.argv[2], as JSON. */
  constructor(file: string, argument: unknown, { core, flags = [] }: ChildOptions) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const args = [...flags, path, JSON.stringify(argument)];
    this.#process = isPinning()
      ? spawn('taskset', ['-c', `${core}`, process.execPath, ...args], { stdio: ['ignore', 2, 2, 'ipc'] })
      : fork(path, [JSON.stringify(argument)], { execArgv: [...flags], stdio: ['ignore', 2, 2, 'ipc'] });
    this.#process.on('message', (reply: Answer) => this.#settle(reply));
    this.#process.on('exit', (code) =>
      this.#fail(new Error(`${file} ${JSON.stringify(argument)} has ended (${code})`)),
    );
  }

  /** @throws Error with what the child says, or when it has ended */
  ask<T>(name: string, argument?: unknown): Promise<T> {
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#process.send({ id, name, argument } satisfies Question, (error) => error && reject(error));
    });
  }

  /** Resolves when the process is gone. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#process.once('exit', () => resolve());
      this.#process.disconnect();
    });
  }

  #settle({ id, value, error }: Answer): void {
    const waiting = this.#open.get(id);
    this.#open.delete(id);
    if (error === undefined) waiting?.resolve(value as never);
    else waiting?.reject(new Error(error));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }
}
