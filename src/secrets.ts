/** The one owner of a connection's secrets: locals of a suspended generator cannot be reached, what is registered here can. */

import { wipe } from './wire/bytes.ts';

export class Secrets {
  readonly #handshake = new Set<Uint8Array>();
  readonly #connection = new Set<Uint8Array>();

  /** Wiped when the handshake is established, or when the connection ends. */
  own<S extends Uint8Array>(secret: S, until: 'established' | 'closed' = 'established'): S {
    (until === 'closed' ? this.#connection : this.#handshake).add(secret);
    return secret;
  }

  /** Wiped now: its successor is in use. */
  discard(secret: Uint8Array): void {
    wipe(secret);
    this.#handshake.delete(secret);
    this.#connection.delete(secret);
  }

  established(): void {
    wipe(...this.#handshake);
    this.#handshake.clear();
  }

  closed(): void {
    this.established();
    wipe(...this.#connection);
    this.#connection.clear();
  }
}
