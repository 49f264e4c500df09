/** What is said of a handful of measurements: their middle, and how far they lie apart. */

/** The five numbers of a box plot. */
export interface Spread {
  readonly min: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly max: number;
}

/** @throws RangeError where there is nothing to describe */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => quantile(sorted, share);
  return { min: at(0), q1: at(0.25), median: at(0.5), q3: at(0.75), max: at(1) };
}

export function median(values: readonly number[]): number {
  return spreadOf(values).median;
}

/** Round by round: what one took of what the other took in the same round. A bad spell of the machine hits both. */
export function pairedRatios(ours: readonly number[], peer: readonly number[]): number[] {
  if (ours.length !== peer.length) throw new RangeError(`${ours.length} rounds against ${peer.length}`);
  return ours.map((value, round) => value / (peer[round] as number));
}

/** Linear between the two neighbours. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)];
  const high = sorted[Math.ceil(place)];
  if (low === undefined || high === undefined) throw new RangeError('a spread of nothing');
  return low + (high - low) * (place - Math.floor(place));
}
