/** The one owner of a connection's secrets. The locals of a suspended generator cannot be wiped; secrets that are registered here can. */

import { type Wipeable, wipeAll } from '../wire/bytes.ts';

type Secret = Uint8Array | Wipeable;

export class Secrets {
  #handshake: Secret[] = [];
  #connection: Secret[] = [];

  /** Registers a secret, which is wiped when the handshake is complete or when the connection ends. Returns the secret. */
  own<S extends Secret>(secret: S, until: 'established' | 'closed' = 'established'): S {
    (until === 'closed' ? this.#connection : this.#handshake).push(secret);
    return secret;
  }

  /** Wipes a secret now, as it is no longer used, and forgets it. */
  discard(secret: Wipeable): void {
    this.#handshake = this.#handshake.filter((other) => other !== secret);
    this.#connection = this.#connection.filter((other) => other !== secret);
    secret.wipe();
  }

  /** Wipes the secrets of the handshake. */
  established(): void {
    wipeAll(this.#handshake.splice(0));
  }

  /** Wipes all secrets. */
  closed(): void {
    wipeAll([...this.#handshake.splice(0), ...this.#connection.splice(0)]);
  }
}
