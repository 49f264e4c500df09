/** The options of our own peer that a scenario needs, where they are not the defaults. */

import type { ClientOptions } from '../../src/engine/client/options.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';

export interface PeerOptions {
  readonly client?: Partial<ClientOptions> | undefined;
  readonly server?: Partial<ServerOptions> | undefined;
}

const OPTIONS: Readonly<Record<string, PeerOptions>> = {};

export function peerOptions(id: string): PeerOptions {
  return OPTIONS[id] ?? {};
}
