/** The entry tls-resume/testing: what testers and fuzzers hold in their hands. */

export { Pair, type PairEvent, type PairOptions, pair, type Side } from './testing/pair.ts';
export { SeededWorld, type SeededWorldOptions, seededWorld } from './testing/seeded-world.ts';

// What the signatures name

export type * from './types.ts';
