/** Warnings at start-up: settings that work, but hardly as they are meant to. */

import { lacksIdContext } from '../../handshake/server/resumption.ts';
import type { Settings } from '../../handshake/server/settings.ts';
import { warn } from '../../platform.ts';

/** The owners that were warned of already. A shell may define a server several times from the same options. */
const warned = new WeakSet<object>();

/** Warns, once for each `owner` of the settings, of a server that resumes nothing. Returns the settings. */
export function withWarning<S extends Settings>(settings: S, owner: object | undefined): S {
  if (owner === undefined || warned.has(owner)) return settings;
  if (settings.tickets.mode === 'off' || !lacksIdContext(settings)) return settings;
  warned.add(owner);
  warn(
    'clientAuth without sessions.idContext: no session is handed out or resumed, and each connection is a full handshake. ' +
      "Set sessions.idContext to a name of your choice, or tickets.mode to 'off'",
    'TLS_RESUME_NO_ID_CONTEXT',
  );
  return settings;
}
