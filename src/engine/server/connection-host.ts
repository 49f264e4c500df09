/** A server's connection, as the parts that act on its behalf see it: handshake, sessions, tickets. */

import type { Decisions } from '../../handshake/decisions.ts';
import type { CallbackName } from '../../handshake/outcome.ts';
import type { Outcome } from '../../handshake/wait.ts';
import type { Channel } from '../channel.ts';
import type { LifeCycle } from '../life-cycle.ts';
import type { Secrets } from '../secrets.ts';
import type { ServerConfig } from './config.ts';
import type { TicketHost } from './ticket-policy.ts';

export interface ConnectionHost extends TicketHost {
  readonly config: ServerConfig;
  readonly life: Readonly<LifeCycle>;
  readonly channel: Channel;
  /** What a tester has decided. */
  readonly decisions: Decisions;
  readonly secrets: Secrets;
  /** Milliseconds since the epoch. */
  time(): number;
  /** Whether the key log has a reader. */
  wantsKeylog(): boolean;
  /** Has the shell wait for a promise that no handshake waits for, and passes the outcome to `settled`. */
  defer(callback: CallbackName, promise: PromiseLike<unknown>, settled: (outcome: Outcome) => void): void;
}
