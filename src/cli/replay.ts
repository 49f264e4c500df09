/** `tls-resume replay`: replays a recording, explains it, and makes a capture of it. */

import { constants } from 'node:buffer';
import { statSync, writeFileSync } from 'node:fs';
import { ReplayDifference } from '../testing/player.ts';
import type { Recording } from '../testing/recording.ts';
import { parseRecording } from '../testing/recording-shape.ts';
import { explain, maskedNote, type Replayed, replay } from '../testing/replay.ts';
import type { ReplaySettings } from './args.ts';
import { Fault, systemReason } from './fault.ts';
import { read } from './files.ts';
import { pcapng } from './pcapng.ts';

/** Returns the lines to print; with `color`, for a terminal. @throws Fault for what is no recording, and at the first difference */
export function replayFile(settings: ReplaySettings, color = false): string[] {
  const { file } = settings;
  const recording = parsed(file);
  const replayed = replayOf(file, recording);
  if (settings.pcapng !== undefined) writeCapture(settings.pcapng, recording, replayed);
  if (settings.json) return [JSON.stringify(reportOf(recording, replayed, settings.explain))];
  if (settings.explain) return [explain(recording, { color }).trimEnd()];
  const { calls, side, facts } = recording;
  const version = facts.version ?? 'TLS';
  const lines = [`${file}: ${calls.length} calls on a ${version} ${side} replayed, and nothing differs`];
  if (replayed.maskedRecords > 0) lines.push(maskedNote(replayed.maskedRecords));
  return lines;
}

function parsed(file: string): Recording {
  if (isTooLong(file)) throw new Fault(1, `${file}: is not a recording: it is too long`);
  const text = read('replay', file).toString('utf8');
  try {
    return parseRecording(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Fault(1, `${file}: is not a recording: ${message.replace(/^recording(: |\.)/, '')}`);
  }
}

/** Whether the file is longer than a string can be. What cannot be looked at is not: read() says why. */
function isTooLong(file: string): boolean {
  try {
    return statSync(file).size > constants.MAX_STRING_LENGTH;
  } catch {
    return false;
  }
}

function replayOf(file: string, recording: Recording): Replayed {
  try {
    return replay(recording);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof ReplayDifference) throw new Fault(1, `${file}: it differs at ${message}`);
    throw new Fault(1, `${file}: cannot be replayed: ${message}`, { cause: error });
  }
}

function reportOf({ side, facts, calls }: Recording, { maskedRecords, trace }: Replayed, isFull: boolean): object {
  const told = { event: 'replayed', side, calls: calls.length, maskedRecords, facts };
  return isFull ? { ...told, trace: trace.toJSON() } : told;
}

/** The file has secrets: only its owner may read it. */
function writeCapture(file: string, { side }: Recording, { wire, keylog }: Replayed): void {
  const passages = wire.map(({ direction, time, bytes }) => {
    return { isFromClient: (direction === 'sent') === (side === 'client'), time, bytes };
  });
  try {
    writeFileSync(file, pcapng(passages, keylog), { mode: 0o600 });
  } catch (error) {
    throw new Fault(1, `--pcapng ${file}: cannot be written (${systemReason(error)})`, { cause: error });
  }
}
