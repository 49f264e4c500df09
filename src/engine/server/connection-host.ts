/** What a server's connection lends to the parts of it that act on its behalf: handshake, sessions, tickets. */

import type { CallbackName } from '../../handshake/outcome.ts';
import type { Outcome } from '../../handshake/wait.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import type { Session } from '../../sessions/session.ts';
import type { World } from '../../world.ts';
import type { Channel } from '../channel.ts';
import type { Event } from '../events.ts';
import type { LifeCycle } from '../life-cycle.ts';
import type { Secrets } from '../secrets.ts';
import type { ServerConfig } from './config.ts';

export interface ConnectionHost {
  readonly config: ServerConfig;
  readonly world: World;
  readonly life: Readonly<LifeCycle>;
  readonly channel: Channel;
  readonly secrets: Secrets;
  /** Whether the key log has a reader. */
  wantsKeylog(): boolean;
  info(): ConnectionInfo;
  /** Seconds since the epoch, read once for each call from outside. */
  now(): number;
  emit(event: Event): void;
  /** Has the shell wait for a promise that no handshake waits for, and tells `settled` what it comes to. */
  defer(callback: CallbackName, promise: PromiseLike<unknown>, settled: (outcome: Outcome) => void): void;
  /** Takes over the caller's hold on a session until the connection ends. */
  adopt(session: Session): Session;
}
