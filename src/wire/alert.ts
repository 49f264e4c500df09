/** Alerts: RFC 8446 §6, RFC 5246 §7.2. Thrown where a rule is broken, turned into bytes in one place (engine/server/server-connection.ts). */

import { type Infer, struct, uint8 } from './codec.ts';
import { AlertDescription, type AlertName } from './registry.ts';

/** `struct { AlertLevel level; AlertDescription description; } Alert;` */
export const Alert = struct({ level: uint8, description: uint8 });
export type Alert = Infer<typeof Alert>;

/**
 * The end of a connection by a fatal alert: ours because the peer broke a rule (`origin` "local"), or one that the peer sent
 * ("remote"). `alert` is the name that the RFC gives it and `code` the same as a stable string for `switch`.
 */
export class TlsAlert extends Error {
  override readonly name = 'TlsAlert';
  readonly alert: AlertName;
  readonly origin: 'local' | 'remote';
  readonly code: string;
  readonly #isAlert = true;

  /** @throws RangeError for a name that is none */
  constructor(alert: AlertName, reason: string, origin: 'local' | 'remote' = 'local') {
    if (!Object.hasOwn(AlertDescription, alert)) throw new RangeError(`no alert has the name ${alert}`);
    super(`${alert}: ${reason}`);
    this.alert = alert;
    this.origin = origin;
    this.code = `TLS_ALERT_${alert.toUpperCase()}`;
  }

  /** Whether it is one, and neither a Proxy nor something with its prototype: what users throw may throw when it is looked at. */
  static isAlert(value: unknown): value is TlsAlert {
    return typeof value === 'object' && value !== null && #isAlert in value;
  }

  /** IANA's number of the alert. */
  get description(): number {
    return AlertDescription[this.alert];
  }
}

/** An alert's name; `undefined` for a number that IANA has not named. */
export function alertName(description: number): AlertName | undefined {
  const names = Object.keys(AlertDescription) as AlertName[];
  return names.find((name) => AlertDescription[name] === description);
}
