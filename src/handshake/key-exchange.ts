/** Key exchange and signature: the steps of a handshake that may have to wait for a crypto provider or a remote key. */

import { type Awaitable, disregard, isInstance, later } from '../awaitable.ts';
import type { Credential } from '../crypto/credentials/credential.ts';
import { type DecapsulationKey, type Encapsulation, type EphemeralKey, InvalidPublicKey } from '../crypto/provider.ts';
import { TlsAlert } from '../wire/alert.ts';
import { bytesFrom, wipe } from '../wire/bytes.ts';
import type { GroupName, SignatureSchemeName } from '../wire/registry.ts';
import type { HandshakeIO } from './io.ts';
import { type Handshake, type Outcome, perform } from './wait.ts';

/**
 * The lengths of a public key, of a shared secret, and of the answer to a public key if it is not of the first length: in bytes (RFC
 * 9846 §4.3.8, §7.4.2; draft-ietf-tls-ecdhe-mlkem-05 §4).
 */
const LENGTHS: Readonly<Record<GroupName, readonly [publicKey: number, secret: number, answer?: number]>> = {
  x25519: [32, 32],
  secp256r1: [65, 32],
  secp384r1: [97, 48],
  X25519MLKEM768: [1216, 64, 1120],
  SecP256r1MLKEM768: [1249, 64, 1153],
};

/** A provider's key, by either of its interfaces. */
type ProviderKey = EphemeralKey | DecapsulationKey;

/**
 * A provider's key, looked at once and while no handshake runs. What it answers is checked: a wrong length would otherwise show as
 * a Finished that does not verify.
 */
class CheckedKey implements DecapsulationKey {
  readonly publicKey: Uint8Array;
  readonly #group: GroupName;
  readonly #key: ProviderKey;
  readonly #context: HandshakeIO;

  /** @throws TypeError if it is no key of the group; or what the key throws when it is looked at */
  constructor(group: GroupName, key: ProviderKey, context: HandshakeIO, isAnswer: boolean) {
    const [own, , answer = own] = LENGTHS[group];
    const length = isAnswer ? answer : own;
    const publicKey = isKey(key) ? bytesFrom(key.publicKey) : undefined;
    if (publicKey?.length !== length)
      throw new TypeError(
        `crypto.groups.${group}: generate(): { publicKey, agree, wipe } is wanted, publicKey of ${length} bytes`,
      );
    this.publicKey = publicKey;
    this.#group = group;
    this.#key = key;
    this.#context = context;
  }

  decapsulate(peer: Uint8Array): Awaitable<Uint8Array> {
    const key = this.#key;
    const secret = 'agree' in key ? key.agree(peer) : key.decapsulate(peer);
    return later<unknown, Uint8Array>(secret, (answer) => this.#checked(answer));
  }

  #checked(secret: unknown): Uint8Array {
    const [, length] = LENGTHS[this.#group];
    const copy = bytesFrom(secret);
    if (copy !== undefined) Uint8Array.prototype.fill.call(secret, 0);
    if (copy?.length === length) return copy;
    wipe(copy);
    throw new TypeError(`crypto.groups.${this.#group}: agree(): a Uint8Array of ${length} bytes is wanted`);
  }

  /** At the end of a handshake, which must not fail by it. */
  wipe(): void {
    try {
      disregard(this.#key.wipe());
    } catch (error) {
      this.#context.blame('agree', error);
    }
  }
}

function isKey(key: unknown): boolean {
  return isWipeable(key) && 'publicKey' in key && ('agree' in key || 'decapsulate' in key);
}

/**
 * Generates the key pair of the side whose share goes first; or, with the share of the peer in a group that encapsulates, the answer to
 * it, as a key that has its shared secret already. Either is wiped when the handshake ends. Throws as {@link decapsulate} does.
 */
export function* generateKey(context: HandshakeIO, group: GroupName, peer?: Uint8Array): Handshake<DecapsulationKey> {
  const found = context.crypto.groups[group];
  if (found === undefined) throw new Error(`the crypto provider has no ${group}`);
  const make = (): Awaitable<ProviderKey> =>
    peer !== undefined && 'encapsulate' in found
      ? later(found.encapsulate(peer, context.randomBytes), keyOf)
      : found.generate(context.randomBytes);
  return yield* perform<DecapsulationKey, DecapsulationKey>({
    kind: 'key-generation',
    callback: 'agree',
    asked: group,
    budgeted: false,
    run: () => later(make(), (key) => new CheckedKey(group, key, context, peer !== undefined)),
    conclude: (outcome) => {
      if ('value' in outcome && outcome.value instanceof CheckedKey) return context.own(outcome.value);
      throw refusal(outcome);
    },
    isAnswer: isRejection,
    releaseLateAnswer: wipeLate,
  });
}

/** What a group has encapsulated, as a key. */
function keyOf({ keyShare, sharedSecret }: Encapsulation): DecapsulationKey {
  return { publicKey: keyShare, decapsulate: () => sharedSecret, wipe: () => wipe(sharedSecret) };
}

/**
 * Computes the shared secret from the answer to our share. The secret is wiped when the handshake ends, and `key` at once (RFC 9846
 * §7.4, RFC 8422 §5.11).
 * @throws TlsAlert illegal_parameter if the provider rejects the peer's share; internal_error if it fails otherwise
 */
export function* decapsulate(context: HandshakeIO, key: DecapsulationKey, peer: Uint8Array): Handshake<Uint8Array> {
  return yield* perform<Uint8Array, Uint8Array>({
    kind: 'key-agreement',
    callback: 'agree',
    budgeted: false,
    run: () => key.decapsulate(peer),
    conclude: (outcome) => {
      context.discard(key);
      if ('value' in outcome && outcome.value instanceof Uint8Array) return context.own(outcome.value);
      throw refusal(outcome);
    },
    isAnswer: isRejection,
    releaseLateAnswer: wipeLate,
  });
}

function refusal(outcome: Outcome): TlsAlert {
  return 'error' in outcome && isRejection(outcome.error)
    ? new TlsAlert('illegal_parameter', 'the key share is no public key of its group')
    : new TlsAlert('internal_error', 'the key agreement failed');
}

function isRejection(error: unknown): boolean {
  return isInstance(error, InvalidPublicKey);
}

/** Wipes an ephemeral key or a shared secret that came too late. A shell that does not pass on what it got may answer with anything. */
function wipeLate(answer: unknown): void {
  if (answer instanceof Uint8Array) wipe(answer);
  else if (isWipeable(answer)) answer.wipe();
}

function isWipeable(answer: unknown): answer is { wipe(): void } {
  return typeof answer === 'object' && answer !== null && 'wipe' in answer && typeof answer.wipe === 'function';
}

/** Answers the peer's share: the server of TLS 1.3, and the client of TLS 1.2. Throws as {@link decapsulate} does. */
export function* encapsulate(context: HandshakeIO, group: GroupName, peer: Uint8Array): Handshake<Encapsulation> {
  context.facts.group = group;
  const key = yield* generateKey(context, group, peer);
  return { keyShare: key.publicKey, sharedSecret: yield* decapsulate(context, key, peer) };
}

/** A credential, and the scheme that it signs with. */
export interface Signing {
  readonly credential: Credential;
  readonly scheme: SignatureSchemeName;
}

const MAX_SIGNATURE = 0xffff;

/**
 * Returns a signature by the selected credential, which is the user's code and may have its key on another machine.
 * @throws TlsAlert internal_error if the credential returns no signature
 */
export function* signature({ credential, scheme }: Signing, content: Uint8Array): Handshake<Uint8Array> {
  return yield* perform<Uint8Array, Uint8Array>({
    kind: 'signature',
    callback: 'sign',
    budgeted: false,
    run: () => later<unknown, Uint8Array>(credential.sign(scheme, content), requireSignature),
    conclude: (outcome) => {
      if ('value' in outcome && outcome.value instanceof Uint8Array) return outcome.value; // or a shell has made it up
      throw new TlsAlert('internal_error', 'the private key did not sign');
    },
  });
}

function requireSignature(answer: unknown): Uint8Array {
  const signature = bytesFrom(answer);
  if (signature !== undefined && signature.length > 0 && signature.length <= MAX_SIGNATURE) return signature;
  throw new TypeError(`credential.sign(): a Uint8Array of 1 to ${MAX_SIGNATURE} bytes is wanted`);
}
