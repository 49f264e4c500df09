/** A pre-shared key of TLS 1.3, in either role: RFC 9846 §2.2, §4.3.11. */

import type { PskKind } from '../crypto/key-schedule.ts';
import type { HashName } from '../crypto/provider.ts';
import type { Session } from '../sessions/session.ts';

/** A key that both sides have, and where it is from. */
export interface Psk {
  readonly kind: PskKind;
  /** Not a copy. */
  readonly secret: Uint8Array;
  /** The one hash that the key is used with. */
  readonly hash: HashName;
  /** The session of a ticket. */
  readonly session?: Session | undefined;
}
