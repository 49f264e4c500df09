/** Pairs of servers, ours and node:tls's, for figures that want no more than these two. */

import { Child, type ChildOptions } from './child.ts';
import type { ServerChoice } from './server.ts';

export interface RunningServer {
  readonly child: Child;
  readonly port: number;
}

/** On its core, listening. */
export async function startServer(choice: ServerChoice, flags: ChildOptions['flags'] = []): Promise<RunningServer> {
  const child = new Child('server.js', choice, { core: 0, flags });
  return { child, port: await child.ask<number>('listen') };
}

/** What `load` costs the server, CPU microseconds. */
export async function costOf({ child }: RunningServer, load: () => Promise<unknown>): Promise<number> {
  const before = await child.ask<number>('cpu');
  await load();
  return (await child.ask<number>('cpu')) - before;
}
