/** What can be done with a recording: replay it, fork it, have it explained. */

import { callback, integer } from '../engine/checks.ts';
import type { Event } from '../engine/events.ts';
import { requireBytes } from '../wire/kind-of.ts';
import { requireOptions } from '../wire/options.ts';
import { type ForkedAnswer, type ForkedTask, type Passage, Player } from './player.ts';
import type { Recorded } from './recorded-facts.ts';
import type { RecordedCall, Recording } from './recording.ts';
import { parseRecording } from './recording-shape.ts';
import { type Line, note, renderTrace, type TextOptions, textLines } from './render.ts';
import type { Trace } from './trace.ts';

/** A recording as it was replayed. */
export interface Replayed {
  /** The connection as it is after the last call. */
  readonly connection: Recorded;
  /** Every message, record, event and callback of this end. */
  readonly trace: Trace;
  /** How many records of application data are not in the recording. Their content was not compared. */
  readonly maskedRecords: number;
  /** The lines of the connection in NSS key log format. */
  readonly keylog: readonly string[];
  /** What went over the wire, in order, with zeros in the place of what is masked. */
  readonly wire: readonly Passage[];
}

/**
 * Replays a recording: makes its calls on a connection of the same options, with the same clock, dice and answers, and compares every
 * message, byte and event. `recording` is what {@link record} has written, or its JSON text.
 * @throws ReplayDifference at the first thing that differs, which names the field; TypeError or RangeError for what is no recording
 */
export function replay(recording: Recording | string): Replayed {
  return new Player(parseRecording(recording)).play();
}

/** What is otherwise in a fork. */
export interface ForkOptions {
  /** The index of the call from which on it is otherwise: `recording.calls[at]`, which {@link explain} numbers. */
  readonly at: number;
  /** The time of that call, in milliseconds since the epoch. */
  readonly clock?: number | undefined;
  /** What that call receives, if it is a receive(). */
  readonly bytes?: Uint8Array | undefined;
  /** Returns the answer to a task of that call, as the callback would answer; or nothing, and the answer is the one that was recorded. */
  readonly answer?: ((task: ForkedTask) => ForkedAnswer | undefined) | undefined;
}

/** A connection that was the recorded one up to a call. */
export interface Fork extends Replayed {
  /** What the call has put out, and its events. */
  readonly output: Uint8Array;
  readonly events: readonly Event[];
}

/**
 * Replays a recording up to a call, and makes that call under another clock, with other bytes or other answers. The connection can be
 * called on from there.
 * @throws ReplayDifference before that call; TypeError and RangeError that name the option
 */
export function fork(recording: Recording | string, options: ForkOptions): Fork {
  requireOptions('options', options, { at: true, clock: true, bytes: true, answer: true });
  const parsed = parseRecording(recording);
  const at = integer('at', options.at, 0, 0, Math.max(0, parsed.calls.length - 1));
  const { clock, bytes, answer } = options;
  if (clock !== undefined) integer('clock', clock, 0, 0);
  if (bytes !== undefined) {
    requireBytes('bytes', bytes);
    if (parsed.calls[at]?.call !== 'receive')
      throw new TypeError(`bytes: call ${at} is ${parsed.calls[at]?.call}(), which receives nothing`);
  }
  callback('answer', answer);
  const checked = answer && ((task: ForkedTask) => requireAnswer(answer(task)));
  return new Player(parsed, { at, clock, bytes, answer: checked }).play();
}

function requireAnswer(answer: ForkedAnswer | undefined): ForkedAnswer | undefined {
  const given: object = Object(answer);
  if (answer === undefined || 'value' in given || 'error' in given) return answer;
  throw new TypeError('answer: { value } or { error } is wanted, or nothing');
}

/**
 * Replays a recording and tells what happened, call by call: the clock, what came and went with its fields, callbacks and verdicts.
 * With `color`, for a terminal.
 * @throws what {@link replay} throws
 */
export function explain(recording: Recording | string, options: TextOptions = {}): string {
  const parts = renderRecording(recording).map((line) => textLines([line], options).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

/**
 * Replays a recording, and renders what {@link explain} tells: what came of it, a line for each call with what happened below it, and
 * what was left out.
 * @throws what {@link replay} throws
 */
export function renderRecording(recording: Recording | string): Line[] {
  const player = new Player(parseRecording(recording));
  const { entries } = player.trace;
  const starts: number[] = [];
  player.play(() => void starts.push(entries.length));
  const { side, calls, facts } = player.recording;
  const told = calls.map((call, index): Line => {
    const own = entries.slice(starts[index], starts[index + 1]);
    const children = [...renderTrace(own), ...verdictsIn(call)];
    return { kind: 'call', place: String(index), label: titleOf(call), value: timeOf(call), isMarked: false, children };
  });
  const { maskedRecords } = player;
  return [
    note(`A ${facts.version ?? 'TLS'} ${side}: ${outcomeIn(facts)}.`),
    ...told,
    ...(maskedRecords > 0 ? [note(maskedNote(maskedRecords))] : []),
  ];
}

/** Says that records were left out. */
export function maskedNote(count: number): string {
  return `${count} record${count === 1 ? '' : 's'} masked: application data is not in the recording, and was not compared.`;
}

function outcomeIn({ wasEstablished, hasFailed, resumed, mechanism, pskMode, reason }: Recording['facts']): string {
  const by = `${mechanism}${pskMode ? ` in ${pskMode}` : ''}`;
  const how = resumed ? `resumed by ${by}` : mechanism ? `authenticated by ${by}` : `not resumed (${reason})`;
  if (!wasEstablished) return hasFailed ? 'failed' : 'not established';
  return `established, ${how}${hasFailed ? ', then failed' : ''}`;
}

function timeOf({ time }: RecordedCall): string {
  return time === undefined ? '' : new Date(time).toISOString();
}

function titleOf({ call, input = [], data, flag }: RecordedCall): string {
  const bytes = input.reduce(
    (sum, piece) => sum + (typeof piece === 'string' ? piece.length / 2 : (piece.part ?? piece.length)),
    0,
  );
  const size = call === 'receive' ? bytes : typeof data === 'string' ? data.length / 2 : data;
  return `${call}(${size === undefined ? (flag ? 'true' : '') : `${size} bytes`})`;
}

interface PlainVerdict {
  readonly mechanism?: string;
  readonly reason?: string;
  readonly accepted?: boolean;
  readonly remedy?: string;
  readonly checks?: readonly { readonly rule: string; readonly passed: boolean }[];
}

/** The verdicts of a call, with their rules up to the first that was broken. */
function verdictsIn({ events = [] }: RecordedCall): Line[] {
  const verdicts = events.flatMap((event) =>
    Array.isArray(event['verdicts']) ? (event['verdicts'] as PlainVerdict[]) : [],
  );
  return verdicts.map(({ mechanism, accepted, reason, remedy, checks = [] }) => ({
    kind: 'verdict',
    place: '',
    label: `verdict on a ${mechanism}`,
    value: accepted ? 'resumed' : `not resumed, ${reason}`,
    isMarked: false,
    children: [
      ...checks.map(
        ({ rule, passed }): Line => ({ ...note(rule, passed ? 'ok' : 'NOT'), kind: 'check', isMarked: !passed }),
      ),
      ...(remedy === undefined ? [] : [note('remedy', remedy)]),
    ],
  }));
}
