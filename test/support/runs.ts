/** TEST_RUNS: how much longer than in every run of the tests a search may take. `npm run searches` sets it for those that are long. */
const FACTOR = Number(process.env['TEST_RUNS'] ?? 1);
if (!(FACTOR > 0)) throw new RangeError('TEST_RUNS: a number above 0 is wanted');

/** How many of something a search makes. */
export function many(preset: number): number {
  return Math.ceil(preset * FACTOR);
}

/** How often a property is tried. */
export function runs(preset: number): { readonly numRuns: number } {
  return { numRuns: many(preset) };
}

/** The most that this may take, in milliseconds. */
export function patience(preset = 60_000): number {
  return preset * Math.max(1, FACTOR);
}
