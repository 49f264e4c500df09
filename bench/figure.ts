/** One line of the report: what ours took, what the peer took, and the ratio of the two. Less is better, everywhere. */

import { median, pairedRatios, type Spread, spreadOf } from './statistics.ts';
import { type Target, targetOf } from './targets.ts';

export interface Figure {
  /** `group/what/who`, as targets.ts has it: `sockets/tls12-id/fast`. */
  readonly name: string;
  readonly peerName: string;
  /** Of `ours` and `peer`: `us`, `ms/MB`, `B`. */
  readonly unit: string;
  readonly ours: number;
  readonly peer: number;
  /** The median of the rounds' ratios, which is not the ratio of the medians. */
  readonly ratio: number;
  /** Of the rounds' ratios. */
  readonly spread: Spread;
  readonly target: Target | undefined;
}

/** What could not be measured here, by name, and why. */
export interface Skip {
  readonly name: string;
  readonly reason: string;
}

export function notBuilt(name: string): Skip {
  return { name, reason: 'this build has no such provider' };
}

export type Finding = Figure | Skip;

export function isFigure(finding: Finding): finding is Figure {
  return 'ratio' in finding;
}

export interface Measured {
  readonly name: string;
  readonly peerName: string;
  readonly unit: string;
  /** One value a round, in the order of the rounds. */
  readonly ours: readonly number[];
  readonly peer: readonly number[];
}

export function figure({ name, peerName, unit, ours, peer }: Measured): Figure {
  const spread = spreadOf(pairedRatios(ours, peer));
  const target = targetOf(name);
  return { name, peerName, unit, ours: median(ours), peer: median(peer), ratio: spread.median, spread, target };
}
