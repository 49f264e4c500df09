/**
 * For a replay all that is random has to come out as it did: key shares and signatures are computed anew each time, at their full
 * cost, but what is handed on is what came out the first time, which the client's recorded answer fits.
 */

import type { Credential } from '../src/crypto/credentials/credential.ts';
import type { CryptoProvider, KeyAgreement } from '../src/crypto/provider.ts';
import { copyOf } from '../src/wire/bytes.ts';
import { whenKnown } from './recorder.ts';

export class Pin {
  readonly #first = new Map<string, Uint8Array>();

  /** The next results are the first. */
  forget(): void {
    this.#first.clear();
  }

  provider(provider: CryptoProvider): CryptoProvider {
    const { x25519 } = provider.groups;
    return x25519 === undefined ? provider : { ...provider, groups: { x25519: this.#group(x25519) } };
  }

  credential(credential: Credential): Credential {
    const sign: Credential['sign'] = (scheme, message) =>
      whenKnown(credential.sign(scheme, message), (made) => this.#hold('signature', made));
    return { ...credential, sign };
  }

  #group(group: KeyAgreement): KeyAgreement {
    return {
      generate: (randomBytes) =>
        whenKnown(group.generate(randomBytes), (key) => ({
          publicKey: this.#hold('public key', key.publicKey),
          agree: (peer) => whenKnown(key.agree(peer), (secret) => this.#hold('secret', secret)),
          wipe: () => key.wipe(),
        })),
    };
  }

  /** A copy: the engine wipes what it gets. */
  #hold(name: string, made: Uint8Array): Uint8Array {
    const first = this.#first.get(name);
    if (first !== undefined) return copyOf(first);
    this.#first.set(name, copyOf(made));
    return made;
  }
}
