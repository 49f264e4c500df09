/**
 * Where a server has its ticket keys from: the one question before a ticket is sealed and the one before it is opened.
 * `TicketKeyRing` answers both at once. A provider of the user's may wait (for a key service), may have other keys for
 * other server names, and may answer as the callback of SSL_CTX_set_tlsext_ticket_key_evp_cb(3) does:
 *
 *     return value      to seal                 to open
 *     negative          throw, or reject        throw, or reject
 *     0                 undefined               []
 *     1                 the key                 [{ key, renewal: 'declined' }]
 *     2                 the key                 [{ key, renewal: 'due' }]
 *
 * A cipher, MAC or initialisation vector of the callback's own is a `TicketFormat` of its own.
 */

import type { Awaitable } from '../awaitable.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import type { TicketKey } from './key.ts';

/**
 * Whether the client of an opened ticket is due a new one. `as-usual`: as the protocol version has it, which is one in
 * TLS 1.3, where tickets are for single use (RFC 8446 §C.4), and none in TLS 1.2. `due`: in any case, as the key
 * is not the one that seals now. `declined`: in no case.
 */
export type Renewal = 'as-usual' | 'due' | 'declined';

export interface OpeningKey {
  readonly key: TicketKey;
  readonly renewal: Renewal;
}

/** The keys remain the provider's. A key that is destroyed before it is used is as good as none. */
export interface TicketKeyProvider {
  /** The key to seal with now. None: the client gets no ticket. */
  sealingKey(connection: ConnectionInfo): Awaitable<TicketKey | undefined>;
  /**
   * Keys that may open a ticket with this key name, in the order in which they are to be tried. Those of another name
   * are passed over, so that a provider may return all that it has. `ticket` is the whole of it, between 32 bytes and
   * 64 KiB, for who must see more than the name. Both are views: copy what is kept.
   */
  openingKeys(keyName: Uint8Array, connection: ConnectionInfo, ticket: Uint8Array): Awaitable<readonly OpeningKey[]>;
  /** What is known of the key of this name, to be told about. */
  find?(keyName: Uint8Array): { readonly phase: 'encrypt' | 'decrypt-only' | 'destroyed' } | undefined;
}
