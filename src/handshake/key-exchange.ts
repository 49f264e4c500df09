/** The two steps of a handshake that may take somebody else's time: key agreement and signature. */

import type { Credential } from '../crypto/credentials/credential.ts';
import { type EphemeralKey, InvalidPublicKey } from '../crypto/provider.ts';
import { TlsAlert } from '../wire/alert.ts';
import { wipe } from '../wire/bytes.ts';
import type { GroupName, SignatureSchemeName } from '../wire/registry.ts';
import type { HandshakeIO } from './io.ts';
import { type Handshake, perform } from './wait.ts';

/** An ephemeral key pair of ours. It is wiped with the handshake. */
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

/** RFC 8446 §7.4, RFC 8422 §5.11. What the provider rejects as a public key is the peer's illegal_parameter. */
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

/** Wipes an ephemeral key or a shared secret that came too late. A provider of the user's may have answered with anything. */
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

/** TLS 1.3, where the peer's share is known first. */
export function* exchangeKeys(context: HandshakeIO, group: GroupName, peer: Uint8Array): Handshake<Exchange> {
  const key = yield* generateKey(context, group);
  return { publicKey: key.publicKey, sharedSecret: yield* agree(context, key, peer) };
}

/** A credential, and the scheme that it is to sign with. */
export interface Signing {
  readonly credential: Credential;
  readonly scheme: SignatureSchemeName;
}

const MAX_SIGNATURE = 0xffff;

/** A signature by the selected credential, which may be somewhere else and is somebody else's code. */
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
