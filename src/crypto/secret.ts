/**
 * A secret of a key schedule. Its only use is as a key of HMAC. Setting up that key is half of the work and most secrets are used more
 * than once, so the key is kept.
 */

import { wipe } from '../wire/bytes.ts';
import type { Hash, HmacKey } from './provider.ts';

/** `Stage` is a brand: a secret of another stage does not type-check. */
export class Secret<Stage extends string> {
  /** Exists for the compiler alone. */
  declare readonly stage: Stage;
  readonly hash: Hash;
  /** Must not be written to. */
  readonly bytes: Uint8Array;
  #key: HmacKey | undefined;

  /** Takes over `bytes`, and wipes them when it is wiped. */
  constructor(hash: Hash, bytes: Uint8Array) {
    this.hash = hash;
    this.bytes = bytes;
  }

  /** The HMAC key of the secret, set up when it is first needed. Valid until {@link dropHmacKey} or {@link wipe}. */
  get key(): HmacKey {
    this.#key ??= this.hash.hmac(this.bytes);
    return this.#key;
  }

  /** Wipes the HMAC key and keeps the secret, for a secret that is not needed soon: the key takes more memory. */
  dropHmacKey(): void {
    const key = this.#key;
    this.#key = undefined;
    key?.wipe();
  }

  wipe(): void {
    wipe(this.bytes);
    this.dropHmacKey();
  }
}
