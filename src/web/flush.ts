/** A flush that lets others in: for caches of which a great deal may have expired at once. */

import type { ServerConfig } from '../engine/server/config.ts';
import { FLUSH_SLICE } from '../engine/server/store.ts';
import { platform } from '../platform.ts';

/**
 * {@link ServerConfig.flushSessions}, a thousand sessions at a time with a turn of the event loop between them. Where `now` is 0
 * as many leave as there are at the beginning, not those that come meanwhile as well. How many there were. Rejects with what
 * `flushSessions` throws; the rest stays then.
 */
export async function flushInSlices(server: ServerConfig, now?: number): Promise<number> {
  const most = server.statistics().number;
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
