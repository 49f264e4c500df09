/** Alerts: RFC 9846 §6, RFC 5246 §7.2. Thrown where a rule is broken; the connection turns them into bytes in one place. */

import { type Infer, struct, uint8 } from './codec.ts';
import { AlertDescription, type AlertName } from './registry.ts';

/** `struct { AlertLevel level; AlertDescription description; } Alert;` */
export const Alert = struct({ level: uint8, description: uint8 });
export type Alert = Infer<typeof Alert>;

/**
 * A fatal alert that ends a connection. `origin` is "local" for an alert that we send because the peer broke a rule, and
 * "remote" for one that the peer sent. `alert` is its name in the RFC; `code` is the same name as a stable error code.
 */
export class TlsAlert extends Error {
  override readonly name = 'TlsAlert';
  readonly alert: AlertName;
  readonly origin: 'local' | 'remote';
  readonly code: string;
  readonly #isAlert = true;

  /** @throws RangeError if no alert has this name */
  constructor(alert: AlertName, reason: string, origin: 'local' | 'remote' = 'local') {
    if (!Object.hasOwn(AlertDescription, alert)) throw new RangeError(`no alert has the name ${alert}`);
    super(`${alert}: ${reason}`);
    this.alert = alert;
    this.origin = origin;
    this.code = `TLS_ALERT_${alert.toUpperCase()}`;
  }

  /** Reports whether the value is an alert. Reads no property of it: what user code throws may itself throw when it is inspected. */
  static isAlert(value: unknown): value is TlsAlert {
    return typeof value === 'object' && value !== null && #isAlert in value;
  }

  /** IANA's number of the alert. */
  get description(): number {
    return AlertDescription[this.alert];
  }
}

/** Returns the name of an alert, or `undefined` for a number without a name. */
export function alertName(description: number): AlertName | undefined {
  const names = Object.keys(AlertDescription) as AlertName[];
  return names.find((name) => AlertDescription[name] === description);
}

/** Reports whether a callback has thrown an alert of its choice. One that another connection has received is an error like any. */
export function isOwnAlert(error: unknown): error is TlsAlert {
  return TlsAlert.isAlert(error) && error.origin === 'local';
}
