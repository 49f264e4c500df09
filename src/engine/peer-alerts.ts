/** What an alert of the peer means: RFC 9846 §6, RFC 5246 §7.2. */

import { alertName, TlsAlert } from '../wire/alert.ts';
import { AlertDescription, AlertLevel, type Version } from '../wire/registry.ts';

/**
 * Returns the error by which an alert other than close_notify ends the connection; `undefined` if the connection goes on.
 *
 * In TLS 1.3 the level means nothing: every alert is an error, but for user_canceled, which a close_notify follows (RFC 9846 §6.1).
 * In TLS 1.2 the level decides alone: a fatal alert ends the connection at once, whatever it says, and no warning does (RFC 5246
 * §7.2). Before a version has been selected, the level decides, too.
 */
export function fatalAlert(level: number, description: number, version: Version | undefined): TlsAlert | undefined {
  const isWarning = level === AlertLevel.warning;
  if (version !== 'TLSv1.3' && isWarning) return undefined;
  if (version === 'TLSv1.3' && description === AlertDescription.user_canceled) return undefined;
  const name = alertName(description); // an unknown alert is an error like any other (RFC 9846 §6.2)
  return new TlsAlert(name ?? 'internal_error', `the peer has sent ${name ?? `alert ${description}`}`, 'remote');
}
