/** The calls and tasks of a connection that is being recorded, some of which are under way. */

import type { RecordedCall, RecordedTask } from './recording.ts';

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type OpenCall = Mutable<RecordedCall> & { work: (RecordedTask | RecordedCall)[] };
export type OpenTask = Mutable<RecordedTask> & { work: (RecordedTask | RecordedCall)[] };

export class OpenCalls {
  /** The calls from outside, in order. */
  readonly calls: RecordedCall[] = [];
  /** What is under way, the innermost last. */
  readonly #open: (OpenCall | OpenTask)[] = [];

  /** The call that is under way. */
  get call(): OpenCall | undefined {
    const calls = this.#open.filter((one): one is OpenCall => 'call' in one);
    return calls.at(-1);
  }

  /** The call or task that is under way. */
  get innermost(): OpenCall | OpenTask | undefined {
    return this.#open.at(-1);
  }

  /** Adds a call to what is under way. */
  addCall(call: RecordedCall): void {
    (this.innermost?.work ?? this.calls).push(call);
  }

  /** Adds a task, which the call asks for that is under way. */
  addTask(task: RecordedTask): void {
    this.innermost?.work.push(task);
  }

  /** Has something be under way while `run` is. */
  during<T>(entry: OpenCall | OpenTask, run: () => T): T {
    this.#open.push(entry);
    try {
      return run();
    } finally {
      this.#open.pop();
      if (entry.work.length === 0) delete (entry as Partial<OpenTask>).work;
    }
  }
}
