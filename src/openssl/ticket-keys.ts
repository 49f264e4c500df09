/** The ticket keys of a context: those of a callback, those of the server's definition, or 80 bytes of its own. */

import type { Awaitable } from '../awaitable.ts';
import type { RandomBytes } from '../crypto/provider.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import { cbcTickets } from '../tickets/format-cbc.ts';
import { TicketKey } from '../tickets/key.ts';
import { ticketKeyFile, ticketKeysFrom } from '../tickets/key-files.ts';
import type { KeyTimer, OpeningKey, TicketKeyProvider } from '../tickets/key-provider.ts';

/** SSL_CTX_set_tlsext_ticket_keys(3): 16 bytes of name, 32 of HMAC key, 32 of AES key. */
const KEYS_LENGTH = 80;

/** Lives as long as its context. Connections use the keys that it has when a ticket is opened or sealed. */
export class ContextTicketKeys implements TicketKeyProvider {
  readonly #randomBytes: RandomBytes;
  #defined: TicketKeyProvider | undefined;
  #own: TicketKey | undefined;
  #isClosed = false;
  /** Replaces all other keys, if it is set. */
  callback: TicketKeyProvider | undefined;

  constructor(randomBytes: RandomBytes, defined: TicketKeyProvider | undefined) {
    this.#randomBytes = randomBytes;
    this.#defined = defined;
  }

  sealingKey(info: ConnectionInfo): Awaitable<TicketKey | undefined> {
    const other = this.callback ?? this.#defined;
    return other === undefined ? this.#key : other.sealingKey(info);
  }

  openingKeys(keyName: Uint8Array, info: ConnectionInfo, ticket: Uint8Array): Awaitable<readonly OpeningKey[]> {
    const other = this.callback ?? this.#defined;
    if (other !== undefined) return other.openingKeys(keyName, info, ticket);
    const key = this.#key;
    return key === undefined ? [] : [{ key, renewal: 'as-usual' }];
  }

  find(keyName: Uint8Array): ReturnType<NonNullable<TicketKeyProvider['find']>> {
    const other = this.callback ?? this.#defined;
    if (other !== undefined) return other.find?.(keyName);
    return this.#key?.hasName(keyName) ? { phase: 'encrypt' } : undefined;
  }

  useTimer(setTimer: KeyTimer): void {
    return this.#defined?.useTimer?.(setTimer); // perhaps a promise, which is not to reject unheard
  }

  /** A copy of its own key, for the caller to wipe; `undefined` if the server was defined with others, or the context is gone. */
  export(): Uint8Array | undefined {
    const key = this.#defined === undefined ? this.#key : undefined;
    return key && ticketKeyFile('openssl', key);
  }

  /** Copies a key that replaces the others. Returns `false` for a wrong length. @throws WeakTicketKeyError for guessable bytes */
  import(bytes: Uint8Array): boolean {
    if (bytes.length !== KEYS_LENGTH) return false;
    const [key] = ticketKeysFrom('openssl', bytes);
    this.#own?.destroy();
    this.#own = key;
    this.#defined = undefined;
    return true;
  }

  /** Wipes its own key. */
  close(): void {
    this.#isClosed = true;
    this.#own?.destroy();
    this.#own = undefined;
  }

  /** Its own key, generated at the first use, because many contexts never need one. */
  get #key(): TicketKey | undefined {
    if (this.#isClosed) return undefined;
    this.#own ??= TicketKey.generate(cbcTickets(32), this.#randomBytes);
    return this.#own;
  }
}
