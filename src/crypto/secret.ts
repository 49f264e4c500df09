/** A secret of a key schedule. All that it does is to key HMAC, more than once, and setting up that key is half of the work. */

import { wipe } from '../wire/bytes.ts';
import type { Hash, HmacKey } from './provider.ts';

/** `Stage` keeps those of one stage from another's place: the wrong one does not type-check. */
export class Secret<Stage extends string> {
  /** Exists for the compiler alone. */
  declare readonly stage: Stage;
  readonly hash: Hash;
  /** Not to be written to. */
  readonly bytes: Uint8Array;
  #key: HmacKey | undefined;

  /** Takes over `bytes`, and wipes them when it is wiped. */
  constructor(hash: Hash, bytes: Uint8Array) {
    this.hash = hash;
    this.bytes = bytes;
  }

  /** HMAC under it. Valid until the secret rests or is wiped. */
  get key(): HmacKey {
    this.#key ??= this.hash.hmac(this.bytes);
    return this.#key;
  }

  /** Gives the HMAC key back, which takes more memory than the secret: for one that lives on and is not needed soon. */
  rest(): void {
    this.#key?.wipe();
    this.#key = undefined;
  }

  wipe(): void {
    this.rest();
    wipe(this.bytes);
  }
}
