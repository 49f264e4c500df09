/** What a connection sends otherwise than it should. tls-resume/testing makes such values; nothing of them is in a bundle without it. */

import type { Decisions } from '../handshake/decisions.ts';
import { wrongKind } from '../wire/options.ts';
import type { World } from '../world.ts';
import type { Channel, ChannelOwner } from './channel.ts';
import { requireArray } from './checks.ts';

/** A fault, made by tls-resume/testing. */
export interface Fault {
  readonly name: string;
}

/** @internal */
export interface Fault {
  /** Returns the channel of a connection that has all of these faults, of which this is the first. */
  channel(owner: ChannelOwner, faults: readonly Fault[]): Channel;
  /** Returns the world of a connection that has all of these faults, by the world of its configuration. */
  worldOf(world: World, faults: readonly Fault[]): World;
  /** Returns what a server with all of these faults decides otherwise. */
  decisionsOf(faults: readonly Fault[]): Decisions;
}

/** @throws TypeError unless the option is an array of faults, or `undefined` */
export function requireFaults(faults: readonly Fault[] = []): void {
  requireArray('faults', faults, 'an array', '[fault]');
  for (const fault of faults)
    if (typeof fault?.channel !== 'function') throw wrongKind('faults', 'a value of tls-resume/testing', fault);
}
