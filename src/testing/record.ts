/** Records one end of a connection: a value for its `faults`. */

import { boolean } from '../engine/checks.ts';
import type { Fault } from '../engine/fault.ts';
import { requireOptions } from '../wire/options.ts';
import { type InterceptedWriter, LayeredFault } from './interceptor.ts';
import type { Recording } from './recording.ts';
import { Tape } from './tape.ts';

/** The options of {@link record}. */
export interface RecordOptions {
  /** Whether application data is written down. Default false: of a record that has some there is the length. */
  readonly applicationData?: boolean | undefined;
}

/** Records one connection: give it to that as one of its faults. */
export interface Recorder extends Fault {
  /** What there is so far. @throws Error if no connection has been given this */
  readonly recording: Recording;
  /** The same, for JSON.stringify(). */
  toJSON(): Recording;
}

class RecorderFault extends LayeredFault implements Recorder {
  readonly #tape: Tape;

  constructor(options: RecordOptions) {
    requireOptions('options', options, { applicationData: true });
    const tape = new Tape(boolean('applicationData', options.applicationData, false));
    super(
      'record',
      (inner, setting) => tape.over(inner, setting),
      { opensByTask: true },
      { world: (world) => tape.worldOver(world), isOutermost: true },
    );
    this.#tape = tape;
  }

  override attach(writer: InterceptedWriter): void {
    this.#tape.attach(writer);
  }

  get recording(): Recording {
    return this.#tape.recording();
  }

  toJSON(): Recording {
    return this.recording;
  }
}

/**
 * Returns what records one connection, as a value for its `faults`. The connection draws from dice of its own then, whose seed is drawn
 * from the world of its configuration; its clock is that world's.
 * @throws TypeError for an unknown option
 */
export function record(options: RecordOptions = {}): Recorder {
  return new RecorderFault(options);
}
