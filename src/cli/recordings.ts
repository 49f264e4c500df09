/** A folder of recordings, a file for each connection. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Recorder, record } from '../testing/record.ts';
import { systemWorld } from '../world.ts';
import { Fault, systemCode, systemReason, usage } from './fault.ts';

export class RecordingFolder {
  readonly #folder: string;
  readonly #applicationData: boolean;
  #count = 0;

  /** @throws Fault if there is no such folder, and none can be made */
  constructor(folder: string, applicationData: boolean) {
    this.#folder = folder;
    this.#applicationData = applicationData;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      const isFile = ['EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '');
      const why = isFile ? 'a folder is wanted, and that is a file' : `it cannot be made (${systemReason(error)})`;
      throw usage(`--record ${folder}: ${why}`);
    }
  }

  /** Returns what records one connection, as one of its faults. */
  recorder(): Recorder {
    return record({ applicationData: this.#applicationData });
  }

  /** Writes a file that only its owner may read. If it cannot, `warn` hears why: a server goes on. */
  keep(recorder: Recorder, warn: ((line: string) => void) | undefined): void {
    try {
      this.write(recorder);
    } catch (error) {
      warn?.(error instanceof Error ? error.message : String(error));
    }
  }

  /** Writes a file that only its owner may read, and returns its name. @throws Fault */
  write(recorder: Recorder): string {
    const { recording } = recorder;
    const stamp = new Date(systemWorld.now()).toISOString().replaceAll(/[-:.]/g, '');
    const name = join(this.#folder, `${recording.side}-${stamp}-${process.pid}-${++this.#count}.json`);
    try {
      writeFileSync(name, `${JSON.stringify(recording)}\n`, { mode: 0o600, flag: 'wx' });
      return name;
    } catch (error) {
      throw new Fault(1, `--record: ${name} cannot be written (${systemReason(error)})`, { cause: error });
    }
  }
}
