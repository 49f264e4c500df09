/** TEST_RUNS: how much longer than in every run of the tests a search may take. */
const FACTOR = Number(process.env['TEST_RUNS'] ?? 1);
if (!(FACTOR > 0)) throw new RangeError('TEST_RUNS: a number above 0 is wanted');

/** How often a property is tried. */
export function runs(preset: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(preset * FACTOR) };
}

/** The most that this may take, in milliseconds. */
export function patience(preset = 20_000): number {
  return preset * Math.max(1, FACTOR);
}
