/** A client's connection, as the parts that act on its behalf see it. */

import type { HelloEdits } from '../../handshake/client/context.ts';
import type { IoHost } from '../handshake-io.ts';
import type { ClientConfig } from './config.ts';
import type { Peer } from './session-cache.ts';

export interface ClientHost extends IoHost {
  readonly config: ClientConfig;
  readonly serverName: string | undefined;
  readonly edits: HelloEdits;
  /** Early data to send at once, or `true` for what comes later. */
  readonly givenEarlyData: Uint8Array | true | undefined;
  /** Whether a tester has sessions offered that no client should offer. */
  readonly forcesSessions: boolean;
  readonly peer: Peer;
  /** Has the store save something, and reports its failure. */
  saved(save: () => PromiseLike<unknown> | undefined): void;
}
