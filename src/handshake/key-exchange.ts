/** Key agreement and signature: the two steps of a handshake that may have to wait for a crypto provider or a remote key. */

import type { Credential } from '../crypto/credentials/credential.ts';
import { type EphemeralKey, InvalidPublicKey } from '../crypto/provider.ts';
import { TlsAlert } from '../wire/alert.ts';
import { wipe } from '../wire/bytes.ts';
import type { GroupName, SignatureSchemeName } from '../wire/registry.ts';
import type { HandshakeIO } from './io.ts';
import { type Handshake, perform } from './wait.ts';

/** Generates an ephemeral key pair. It is wiped when the handshake ends. */
export function* generateKey(context: HandshakeIO, group: GroupName): Handshake<EphemeralKey> {
  const agreement = context.crypto.groups[group];
  if (agreement === undefined) throw new Error(`the crypto provider has no ${group}`);
  context.facts.group = group;
  return yield* perform<EphemeralKey, EphemeralKey>({
    kind: 'key-generation',
    callback: 'agree',
    budgeted: false,
    run: () => agreement.generate(context.randomBytes),
    conclude: (outcome) => {
      if (!('value' in outcome)) throw new TlsAlert('internal_error', 'no ephemeral key');
      return context.own(outcome.value);
    },
    releaseLateAnswer: wipeLate,
  });
}

/**
 * Computes the shared secret, which is wiped when the handshake ends, and wipes `key` (RFC 8446 §7.4, RFC 8422 §5.11).
 * @throws TlsAlert illegal_parameter if the provider rejects the peer's public key; internal_error if it fails otherwise
 */
export function* agree(context: HandshakeIO, key: EphemeralKey, peer: Uint8Array): Handshake<Uint8Array> {
  return yield* perform<Uint8Array, Uint8Array>({
    kind: 'key-agreement',
    callback: 'agree',
    budgeted: false,
    run: () => key.agree(peer),
    conclude: (outcome) => {
      context.discard(key);
      if ('value' in outcome) return context.own(outcome.value);
      throw 'error' in outcome && isRejection(outcome.error)
        ? new TlsAlert('illegal_parameter', 'the key share is no public key of its group')
        : new TlsAlert('internal_error', 'the key agreement failed');
    },
    isAnswer: isRejection,
    releaseLateAnswer: wipeLate,
  });
}

function isRejection(error: unknown): boolean {
  return error instanceof InvalidPublicKey;
}

/** Wipes an ephemeral key or a shared secret that came too late. It may be anything else, as users can write providers. */
function wipeLate(answer: unknown): void {
  if (answer instanceof Uint8Array) wipe(answer);
  else if (isWipeable(answer)) answer.wipe();
}

function isWipeable(answer: unknown): answer is { wipe(): void } {
  return typeof answer === 'object' && answer !== null && 'wipe' in answer && typeof answer.wipe === 'function';
}

export interface Exchange {
  readonly publicKey: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

/** TLS 1.3, where the peer's share is known first: generates a key and computes the shared secret. */
export function* exchangeKeys(context: HandshakeIO, group: GroupName, peer: Uint8Array): Handshake<Exchange> {
  const key = yield* generateKey(context, group);
  return { publicKey: key.publicKey, sharedSecret: yield* agree(context, key, peer) };
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
    run: () => credential.sign(scheme, content),
    conclude: (outcome) => {
      const value: unknown = 'value' in outcome ? outcome.value : undefined;
      if (value instanceof Uint8Array && value.length <= MAX_SIGNATURE) return value;
      throw new TlsAlert('internal_error', 'the private key did not sign');
    },
  });
}
