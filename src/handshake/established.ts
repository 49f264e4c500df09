/** The result of a handshake, which the connection goes on with. */

import type { TrafficSecret } from '../crypto/key-schedule.ts';
import type { Aead } from '../crypto/provider.ts';
import type { ExpectedMessage, HandshakeFrame } from '../wire/handshake-buffer.ts';
import type { MainSecret } from './main-secret.ts';
import type { Handshake } from './wait.ts';

/** The application traffic secrets of TLS 1.3. KeyUpdate replaces them. */
export interface TrafficTls13 {
  readonly aead: Aead;
  /** The peer's, which we read under. */
  readonly reading: TrafficSecret;
  /** Ours, which we write under. */
  readonly writing: TrafficSecret;
  /** Forgets the Main Secret before the first traffic secrets are forgotten (RFC 9846 §7.2). */
  readonly main: MainSecret;
}

/** Sends NewSessionTicket messages once the handshake is over (RFC 9846 §4.7.1). */
export interface TicketSender {
  /** Whether a ticket that is made now would be of use: its session could be kept, and the client could resume by it. */
  readonly canSend: boolean;
  /** Sends at most `count` tickets: a ticket that cannot be made is left out. */
  send(count: number): Handshake<undefined>;
}

/** Receives NewSessionTicket messages once the handshake is over (RFC 9846 §4.7.1). */
export interface TicketReceiver {
  readonly message: ExpectedMessage;
  receive(frame: HandshakeFrame): void;
}

/** The result of a handshake. */
export interface Established {
  /** Exports `length` bytes (RFC 9846 §7.5, RFC 5705). @throws Error in TLS 1.2 without extended_master_secret */
  exportKeyingMaterial(length: number, label: string, context: Uint8Array | undefined): Uint8Array;
  /** TLS 1.3: the secrets that KeyUpdate replaces. */
  readonly traffic: TrafficTls13 | undefined;
  /** TLS 1.2: the message by which the peer asks for a renegotiation, which is refused. */
  readonly renegotiation?: ExpectedMessage | undefined;
  /** TLS 1.3, of a client: receives the server's NewSessionTicket messages. */
  readonly tickets?: TicketReceiver | undefined;
  /** TLS 1.3: sends further tickets; `undefined` if the settings hand out no sessions. */
  readonly issuer?: TicketSender | undefined;
  /** How many tickets are to be sent with the first application data. */
  readonly ticketsDue?: number | undefined;
}
