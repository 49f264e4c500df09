/** The connections of one test. */

import type { Session } from 'tls-resume';
import { clientOf, MovableWorld, Servers } from './ends.ts';
import { dial, Exchange } from './exchange.ts';
import type { AllFlags } from './flags.ts';

/** @throws Error if anything is otherwise than the flags expect; Unimplemented if they ask for what the library does not have */
export async function play({ initial, resume, retry }: AllFlags): Promise<void> {
  const world = new MovableWorld();
  const servers = new Servers(world);
  let session: Session | undefined;
  for (let i = 0; i <= (initial['resume-count'] ?? 0); i++) {
    const flags = i === 0 ? initial : resume;
    const offered = session;
    if (i > 0 && !initial.server && offered === undefined) throw new Error('there is no session to offer');
    const connection = initial.server ? servers.connection(flags) : clientOf(flags, world, offered);
    const exchange = new Exchange(connection, await dial(flags), { flags, retry, isResume: i > 0, offered });
    await exchange.run();
    session = exchange.session;
    world.advance(flags['resumption-delay'] ?? 0);
  }
}
