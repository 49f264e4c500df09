/** The one owner of a connection's secrets. The locals of a suspended generator cannot be wiped; secrets that are registered here can. */

import { wipe } from '../wire/bytes.ts';

/** A secret inside another object, such as an ephemeral key or a record key. */
export interface Wipeable {
  wipe(): void;
}

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
    secret.wipe();
    this.#handshake = this.#handshake.filter((other) => other !== secret);
    this.#connection = this.#connection.filter((other) => other !== secret);
  }

  /** Wipes the secrets of the handshake. */
  established(): void {
    wipeAll(this.#handshake);
    this.#handshake = [];
  }

  /** Wipes all secrets. */
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
