/** What a handshake leaves to the connection. */

import type { TrafficSecrets } from '../crypto/key-schedule.ts';
import type { Aead } from '../crypto/provider.ts';
import type { MainSecret } from './main-secret.ts';
import type { Handshake } from './wait.ts';

/** What goes on after the handshake: KeyUpdate replaces the secrets. */
export interface TrafficTls13 {
  readonly aead: Aead;
  readonly secrets: TrafficSecrets;
  /** Forgets the Master Secret before the first traffic secrets are forgotten (RFC 8446 §7.2). */
  readonly main: MainSecret;
}

/** What sends NewSessionTicket messages once the handshake is over (RFC 8446 §4.6.1). */
export interface TicketSender {
  send(count: number): Handshake<undefined>;
}

/** What is left when the handshake is over. */
export interface Established {
  /** RFC 8446 §7.5, RFC 5705. */
  exportKeyingMaterial(length: number, label: string, context: Uint8Array | undefined): Uint8Array;
  /** TLS 1.3: what KeyUpdate works on. */
  readonly traffic: TrafficTls13 | undefined;
  /** TLS 1.3: what makes tickets, where there are any. */
  readonly issuer?: TicketSender | undefined;
  /** How many of them are to go out with the first application data. */
  readonly ticketsDue?: number | undefined;
}
