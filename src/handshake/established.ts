/** What a handshake leaves to the connection. */

import type { TrafficSecrets } from '../crypto/key-schedule.ts';
import type { Aead, Hash } from '../crypto/provider.ts';

/** What goes on after the handshake: KeyUpdate replaces the secrets. */
export interface TrafficTls13 {
  readonly hash: Hash;
  readonly aead: Aead;
  readonly secrets: TrafficSecrets;
}

/** What is left when the handshake is over. */
export interface Established {
  /** RFC 8446 §7.5, RFC 5705. */
  exportKeyingMaterial(length: number, label: string, context: Uint8Array | undefined): Uint8Array;
  /** TLS 1.3: what KeyUpdate works on. */
  readonly traffic: TrafficTls13 | undefined;
}
