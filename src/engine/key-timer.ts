/** The timer that the shells lend to ticket keys. */

import { platform, unref } from '../platform.ts';
import type { KeyTimer } from '../tickets/key-provider.ts';

/** Sets a timer of the host's that does not keep the process running, in the hosts where one could. */
export const setKeyTimer: KeyTimer = (action, delayMs) => unref(platform.setTimeout(action, delayMs));
