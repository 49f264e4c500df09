/** What a process holds, for figures that compare before with after. */

export interface Memory {
  /** V8's heap and what hangs on it, bytes. */
  readonly heap: number;
  /** Resident set, bytes: what is outside of V8's sight as well. */
  readonly resident: number;
}

/** After a full collection where the process has --expose-gc; as it is, otherwise. */
export function heapInUse(): Memory {
  globalThis.gc?.();
  globalThis.gc?.(); // what only the first has set free
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}
