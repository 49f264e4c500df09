/** Who may have a peer connect, and when. */

import type { PeerUnderTest } from './bench.ts';

const lasts = new WeakMap<PeerUnderTest, Promise<unknown>>();

/**
 * Does the work once all that was begun before with this peer has ended. A test runner may run its tests at once; but a client connects to
 * whoever waits, forgets its sessions for each scenario, and has one clock.
 */
export function inTurn<T>(peer: PeerUnderTest, work: () => Promise<T>): Promise<T> {
  const result = (lasts.get(peer) ?? Promise.resolve()).then(work);
  lasts.set(
    peer,
    result.catch(() => {}),
  );
  return result;
}
