/** A client's connection, as the parts that act on its behalf see it. */

import type { HelloEdits } from '../../handshake/client/context.ts';
import type { IoHost } from '../handshake-io.ts';
import type { ClientConfig } from './config.ts';

export interface ClientHost extends IoHost {
  readonly config: ClientConfig;
  readonly serverName: string | undefined;
  readonly edits: HelloEdits;
  /** Milliseconds since the epoch. */
  time(): number;
}
