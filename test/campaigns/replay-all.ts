/** Replays recordings: what every runtime runs. It imports nothing of a runtime's. */

import { replay } from '../../src/testing.ts';

/** What came of it: how many recordings replay, and of the others which, and why not. */
export interface Replays {
  readonly passed: number;
  readonly failures: readonly string[];
}

/** Replays the text of each recording. */
export function replayAll(texts: readonly string[]): Replays {
  const failures: string[] = [];
  for (const [index, text] of texts.entries()) {
    try {
      replay(text);
    } catch (error) {
      failures.push(`recording ${index}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  return { passed: texts.length - failures.length, failures };
}
