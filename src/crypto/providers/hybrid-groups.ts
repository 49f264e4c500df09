/**
 * The groups of ML-KEM-768 and a curve (draft-ietf-tls-ecdhe-mlkem-05; FIPS 203): the shared secret holds as long as one of the two
 * does. ML-KEM's implementation is given, and so are the curves.
 */

import { type Awaitable, isPromise, later } from '../../awaitable.ts';
import { concat, wipe } from '../../wire/bytes.ts';
import type { HybridGroupName } from '../../wire/registry.ts';
import {
  type DecapsulationKey,
  type Encapsulation,
  type EphemeralKey,
  type Groups,
  InvalidPublicKey,
  type KeyAgreement,
  type KeyEncapsulation,
  type RandomBytes,
} from '../provider.ts';
import type { MlKem768 } from './ml-kem.ts';

/** FIPS 203, Table 3: in bytes. */
const ENCAPSULATION_KEY = 1184;
const CIPHERTEXT = 1088;
/** FIPS 203 §7.1, §7.2: the random bytes of a key, and of an encapsulation. */
const SEED = 64;
const RANDOM = 32;
/** The modulus of FIPS 203 §2.4.1. */
const Q = 3329;

/** How the parts of a group are put together: the curve's part, which has this length in a share, and ML-KEM's. */
interface Layout {
  readonly pointLength: number;
  readonly isPointFirst: boolean;
}

/** draft-ietf-tls-ecdhe-mlkem-05 §4: the order is the same in both shares and in the secret. */
const LAYOUTS = {
  X25519MLKEM768: { pointLength: 32, isPointFirst: false },
  SecP256r1MLKEM768: { pointLength: 65, isPointFirst: true },
} as const satisfies Record<HybridGroupName, Layout>;

/**
 * Returns the hybrid groups of those curves that there are, for a provider:
 * `{ ...defaultProvider, groups: { ...defaultProvider.groups, ...hybridGroups(defaultProvider.groups, ml_kem768) } }`. A server or
 * client that names no `groups` then prefers X25519MLKEM768.
 * @param curves the curves' part, such as `defaultProvider.groups` or `webCrypto.groups`
 * @param mlKem the other part: `ml_kem768` of @noble/post-quantum, or what {@link hostMlKem768} resolves to
 * @throws TypeError if one of them is no such thing
 */
export function hybridGroups<K>(
  curves: Pick<Groups, 'x25519' | 'secp256r1'>,
  mlKem: MlKem768<K>,
): Pick<Groups, HybridGroupName> {
  const { x25519, secp256r1 } = curves ?? {};
  if (x25519 === undefined && secp256r1 === undefined)
    throw new TypeError('curves: x25519 or secp256r1 is wanted, as in defaultProvider.groups');
  if (typeof mlKem?.encapsulate !== 'function')
    throw new TypeError(
      'mlKem: ML-KEM-768 is wanted, such as ml_kem768 of @noble/post-quantum/ml-kem.js; hostMlKem768() resolves to undefined on a host that has none',
    );
  return {
    ...(x25519 && { X25519MLKEM768: new Hybrid(LAYOUTS.X25519MLKEM768, x25519, mlKem) }),
    ...(secp256r1 && { SecP256r1MLKEM768: new Hybrid(LAYOUTS.SecP256r1MLKEM768, secp256r1, mlKem) }),
  };
}

class Hybrid<K> implements KeyEncapsulation {
  readonly #layout: Layout;
  readonly #curve: KeyAgreement;
  readonly #mlKem: MlKem768<K>;

  constructor(layout: Layout, curve: KeyAgreement, mlKem: MlKem768<K>) {
    this.#layout = layout;
    this.#curve = curve;
    this.#mlKem = mlKem;
  }

  generate(randomBytes: RandomBytes): Awaitable<DecapsulationKey> {
    return guarded(
      this.#curve.generate(randomBytes),
      (ephemeral) => {
        const seed = randomBytes(SEED);
        return later(this.#mlKem.keygen(seed), ({ publicKey, secretKey }) => {
          wipe(seed);
          return new HybridKey(this.#layout, this.#mlKem, { ephemeral, publicKey, secretKey });
        });
      },
      (ephemeral) => ephemeral.wipe(),
    );
  }

  /** draft-ietf-tls-ecdhe-mlkem-05 §4.2: the length, the check of the encapsulation key (FIPS 203 §7.2), and what the curve refuses. */
  encapsulate(peer: Uint8Array, randomBytes: RandomBytes): Awaitable<Encapsulation> {
    const { point, kem } = split(this.#layout, peer, ENCAPSULATION_KEY);
    if (!isReduced(kem)) throw new InvalidPublicKey('not an encapsulation key of ML-KEM');
    return guarded(
      this.#curve.generate(randomBytes),
      (key) => {
        const answer = guarded(key.agree(point), (secret) => this.#answer(kem, key, secret, randomBytes), wipe);
        return later(answer, (made) => {
          key.wipe();
          return made;
        });
      },
      (key) => key.wipe(),
    );
  }

  #answer(kem: Uint8Array, { publicKey }: EphemeralKey, secret: Uint8Array, randomBytes: RandomBytes) {
    const random = randomBytes(RANDOM);
    return later(this.#mlKem.encapsulate(kem, random), ({ cipherText, sharedSecret }) => {
      wipe(random);
      return {
        keyShare: join(this.#layout, publicKey, cipherText),
        sharedSecret: joinSecrets(this.#layout, secret, sharedSecret),
      };
    });
  }
}

/** The two keys of a share. */
interface Parts<K> {
  readonly ephemeral: EphemeralKey;
  readonly publicKey: Uint8Array;
  readonly secretKey: K;
}

class HybridKey<K> implements DecapsulationKey {
  readonly publicKey: Uint8Array;
  readonly #layout: Layout;
  readonly #mlKem: MlKem768<K>;
  readonly #ephemeral: EphemeralKey;
  #secretKey: K | undefined;

  constructor(layout: Layout, mlKem: MlKem768<K>, { ephemeral, publicKey, secretKey }: Parts<K>) {
    this.publicKey = join(layout, ephemeral.publicKey, publicKey);
    this.#layout = layout;
    this.#mlKem = mlKem;
    this.#ephemeral = ephemeral;
    this.#secretKey = secretKey;
  }

  /**
   * A ciphertext of the right length is always decapsulated: if it is none of this key, the result is a secret that nobody else has
   * (FIPS 203 §6.3), and the handshake fails by the first record.
   */
  decapsulate(keyShare: Uint8Array): Awaitable<Uint8Array> {
    const secretKey = this.#secretKey;
    if (secretKey === undefined) throw new Error('this key has been wiped');
    const { point, kem } = split(this.#layout, keyShare, CIPHERTEXT);
    return guarded(
      this.#ephemeral.agree(point),
      (secret) =>
        later(this.#mlKem.decapsulate(kem, secretKey), (sharedSecret) =>
          joinSecrets(this.#layout, secret, sharedSecret),
        ),
      wipe,
    );
  }

  /** A key that is not bytes is dropped: the host owns it. */
  wipe(): void {
    if (this.#secretKey instanceof Uint8Array) wipe(this.#secretKey);
    this.#secretKey = undefined;
    this.#ephemeral.wipe();
  }
}

/** @throws InvalidPublicKey if the share does not have the length of its parts */
function split({ pointLength, isPointFirst }: Layout, share: Uint8Array, kemLength: number) {
  if (share.length !== pointLength + kemLength) throw new InvalidPublicKey('not the length of a share of this group');
  const at = isPointFirst ? pointLength : kemLength;
  const [first, second] = [share.subarray(0, at), share.subarray(at)];
  return isPointFirst ? { point: first, kem: second } : { point: second, kem: first };
}

function join({ isPointFirst }: Layout, point: Uint8Array, kem: Uint8Array): Uint8Array {
  return isPointFirst ? concat(point, kem) : concat(kem, point);
}

function joinSecrets(layout: Layout, secret: Uint8Array, sharedSecret: Uint8Array): Uint8Array {
  const joined = join(layout, secret, sharedSecret);
  wipe(secret, sharedSecret);
  return joined;
}

/** FIPS 203 §7.2, the modulus check: 768 coefficients of 12 bits, each below q; the last 32 bytes are a seed. */
function isReduced(key: Uint8Array): boolean {
  for (let at = 0; at < ENCAPSULATION_KEY - 32; at += 3) {
    const [a = 0, b = 0, c = 0] = key.subarray(at, at + 3);
    if ((a | ((b & 15) << 8)) >= Q || ((b >> 4) | (c << 4)) >= Q) return false;
  }
  return true;
}

/** {@link later}, which undoes the value if what follows fails. */
function guarded<A, B>(value: Awaitable<A>, next: (value: A) => Awaitable<B>, undo: (value: A) => void): Awaitable<B> {
  return later(value, (made) => {
    const failed = (error: unknown): never => {
      undo(made);
      throw error;
    };
    try {
      const result = next(made);
      return isPromise(result) ? Promise.resolve(result).then(undefined, failed) : result;
    } catch (error) {
      return failed(error);
    }
  });
}
