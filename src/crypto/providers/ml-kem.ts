/** The shape of an implementation of ML-KEM-768, which is that of @noble/post-quantum. */

import type { Awaitable } from '../../awaitable.ts';

/**
 * ML-KEM-768 (FIPS 203). Each function may return a promise. `ml_kem768` of @noble/post-quantum is one; its run time may depend on
 * secrets.
 * @typeParam K a decapsulation key: bytes, which are overwritten in the end, or an object of the host's
 */
export interface MlKem768<K = Uint8Array> {
  /** @param seed 64 random bytes, the seeds d and z. A host that draws by itself does not read them */
  keygen(seed: Uint8Array): Awaitable<{ readonly publicKey: Uint8Array; readonly secretKey: K }>;
  /**
   * @param publicKey an encapsulation key of 1184 bytes, which has passed the check of FIPS 203 §7.2
   * @param random 32 random bytes. A host that draws by itself does not read them
   * @returns a ciphertext of 1088 and a secret of 32 bytes
   */
  encapsulate(
    publicKey: Uint8Array,
    random: Uint8Array,
  ): Awaitable<{ readonly cipherText: Uint8Array; readonly sharedSecret: Uint8Array }>;
  /** @param cipherText 1088 bytes */
  decapsulate(cipherText: Uint8Array, secretKey: K): Awaitable<Uint8Array>;
}
