/** What an alert of the peer means: RFC 8446 §6, RFC 5246 §7.2. */

import { alertName, TlsAlert } from '../wire/alert.ts';

/** RFC 8446 §6.2: an unknown alert is an error like any other. */
export function peerAlert(description: number): TlsAlert {
  const name = alertName(description);
  return new TlsAlert(name ?? 'internal_error', `the peer has sent ${name ?? `alert ${description}`}`, 'remote');
}
