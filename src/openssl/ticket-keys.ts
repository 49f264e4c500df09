/** The ticket keys of a context: a callback's, those that its server was defined with, or 80 bytes of its own. */

import type { Awaitable } from '../awaitable.ts';
import type { RandomBytes } from '../crypto/provider.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import { cbcTickets } from '../tickets/format-cbc.ts';
import { TicketKey } from '../tickets/key.ts';
import { ticketKeyFile, ticketKeysFrom } from '../tickets/key-files.ts';
import type { OpeningKey, TicketKeyProvider } from '../tickets/key-provider.ts';

/** name16 hmac32 aes32, as of SSL_CTX_set_tlsext_ticket_keys(3) */
const KEYS_LENGTH = 80;

/** One object for as long as the context lives: its connections go by what it has when a ticket comes, or goes. */
export class ContextTicketKeys implements TicketKeyProvider {
  readonly #randomBytes: RandomBytes;
  #defined: TicketKeyProvider | undefined;
  #own: TicketKey | undefined;
  #isClosed = false;
  /** Asked in place of all other keys. */
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

  /** Its own, the caller's to wipe; `undefined` where the server was defined with others, or the context is gone. */
  export(): Uint8Array | undefined {
    const key = this.#defined === undefined ? this.#key : undefined;
    return key && ticketKeyFile('openssl', key);
  }

  /** From now on those and no others. `false`: of another length. @throws WeakTicketKeyError where they can be guessed */
  import(bytes: Uint8Array): boolean {
    if (bytes.length !== KEYS_LENGTH) return false;
    const [key] = ticketKeysFrom('openssl', bytes);
    this.#own?.destroy();
    this.#own = key;
    this.#defined = undefined;
    return true;
  }

  /** The end of what is its own. */
  close(): void {
    this.#isClosed = true;
    this.#own?.destroy();
    this.#own = undefined;
  }

  /** Drawn when it is wanted first: many a context never wants any. */
  get #key(): TicketKey | undefined {
    if (this.#isClosed) return undefined;
    this.#own ??= TicketKey.generate(cbcTickets(32), this.#randomBytes);
    return this.#own;
  }
}
