/**
 * The source of a server's ticket keys. It is asked before a ticket is sealed and before one is opened. `TicketKeyRing`
 * answers immediately. A provider of the application may wait for a key service, may have different keys for different
 * server names, and may answer as the callback of SSL_CTX_set_tlsext_ticket_key_evp_cb(3) does:
 *
 *     return value      to seal                 to open
 *     negative          throw, or reject        throw, or reject
 *     0                 undefined               []
 *     1                 the key                 [{ key, renewal: 'declined' }]
 *     2                 the key                 [{ key, renewal: 'due' }]
 *
 * A callback that chooses its own cipher, MAC or initialisation vector corresponds to a custom `TicketFormat`.
 */

import type { Awaitable } from '../awaitable.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import type { TicketKey } from './key.ts';

/**
 * Whether a client whose ticket was opened gets a new one. `as-usual`: in TLS 1.3 yes, since its tickets are for single use
 * (RFC 9846 §C.4), and in TLS 1.2 no. `due`: yes, because the key is no longer the one that seals. `declined`: no.
 */
export type Renewal = 'as-usual' | 'due' | 'declined';

/** A key that opens a ticket, and whether the ticket is then to be renewed. */
export interface OpeningKey {
  readonly key: TicketKey;
  readonly renewal: Renewal;
}

/** Calls `action` once, after so many milliseconds. A timer that is set like this must not keep the process running. */
export type KeyTimer = (action: () => void, delayMs: number) => void;

/** A source of ticket keys. It keeps owning them. A key that is destroyed before it is used counts as absent. */
export interface TicketKeyProvider {
  /** Returns the key to seal with now. If it returns `undefined`, the client gets no ticket. */
  sealingKey(connection: ConnectionInfo): Awaitable<TicketKey | undefined>;
  /**
   * Returns keys that may open a ticket with this key name, in the order in which to try them. Keys with another name are
   * skipped, so a provider may return all that it has. `ticket` is the whole ticket, 32 bytes to 64 KiB, for providers that
   * need more than the name. Both are views: copy what is kept.
   */
  openingKeys(keyName: Uint8Array, connection: ConnectionInfo, ticket: Uint8Array): Awaitable<readonly OpeningKey[]>;
  /**
   * Called by the shells, which have timers, with one that the provider may use to destroy keys on time. It is called for each server
   * and each connection that uses the provider, so it should do nothing the second time.
   */
  readonly useTimer?: ((setTimer: KeyTimer) => void) | undefined;
  /** Describes the key with this name, for verdicts. */
  readonly find?:
    | ((keyName: Uint8Array) => { readonly phase: 'encrypt' | 'decrypt-only' | 'destroyed' } | undefined)
    | undefined;
}
