/** A flush that yields to the event loop, for caches in which many sessions may have expired at once. */

import type { ServerConfig } from '../engine/server/config.ts';
import { isServerConfig, notAConfig } from '../engine/server/config-brand.ts';
import { FLUSH_SLICE } from '../engine/server/store.ts';
import { platform } from '../platform.ts';

/**
 * Calls {@link ServerConfig.flushSessions} for a thousand sessions at a time, with a turn of the event loop in between. Resolves to
 * the number of sessions removed. `now` is in seconds since the epoch; 0 removes as many sessions as the cache has at the
 * beginning. Rejects with an exception of `flushSessions`; the remaining sessions stay then.
 */
export async function flushInSlices(server: ServerConfig, now?: number): Promise<number> {
  if (!isServerConfig(server)) throw notAConfig('server', server);
  const most = server.statistics().number || 1; // or else a wrong `now` would go unnoticed until there are sessions
  let flushed = 0;
  while (flushed < most) {
    const slice = Math.min(FLUSH_SLICE, most - flushed);
    const gone = server.flushSessions(now, slice);
    flushed += gone;
    if (gone < slice) break;
    await new Promise<void>((resolve) => void platform.setTimeout(resolve, 0));
  }
  return flushed;
}
