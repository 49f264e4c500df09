/** The one owner of a connection's secrets: locals of a suspended generator cannot be reached, what is registered here can. */

import { wipe } from '../wire/bytes.ts';

/** A secret that somebody else keeps: an ephemeral key, a record key. */
export interface Wipeable {
  wipe(): void;
}

type Secret = Uint8Array | Wipeable;

export class Secrets {
  #handshake: Secret[] = [];
  #connection: Secret[] = [];

  /** Wiped when the handshake is established, or when the connection ends. */
  own<S extends Secret>(secret: S, until: 'established' | 'closed' = 'established'): S {
    (until === 'closed' ? this.#connection : this.#handshake).push(secret);
    return secret;
  }

  /** Wiped now: its successor is in use. */
  discard(secret: Wipeable): void {
    secret.wipe();
    this.#handshake = this.#handshake.filter((other) => other !== secret);
    this.#connection = this.#connection.filter((other) => other !== secret);
  }

  established(): void {
    wipeAll(this.#handshake);
    this.#handshake = [];
  }

  closed(): void {
    this.established();
    wipeAll(this.#connection);
    this.#connection = [];
  }
}

function wipeAll(secrets: Iterable<Secret>): void {
  for (const secret of secrets) {
    if (secret instanceof Uint8Array) wipe(secret);
    else secret.wipe();
  }
}
