/** The two steps of a handshake that may take somebody else's time: key agreement and signature. */

import type { Credential } from '../crypto/credentials/credential.ts';
import type { EphemeralKey } from '../crypto/provider.ts';
import { TlsAlert } from '../wire/alert.ts';
import type { GroupName, SignatureSchemeName } from '../wire/registry.ts';
import type { HandshakeIO } from './io.ts';
import { type Handshake, perform } from './wait.ts';

/** An ephemeral key pair of ours. It is wiped with the handshake. */
export function* generateKey(context: HandshakeIO, group: GroupName): Handshake<EphemeralKey> {
  const agreement = context.crypto.groups[group];
  if (agreement === undefined) throw new Error(`the crypto provider has no ${group}`);
  context.facts.group = group;
  const run = () => agreement.generate(context.randomBytes);
  const outcome = yield* perform({ kind: 'key-generation', budgeted: false, run });
  if (!('value' in outcome)) throw new TlsAlert('internal_error', 'no ephemeral key');
  return context.own(outcome.value);
}

/** RFC 8446 §7.4, RFC 8422 §5.11. What the provider rejects as a public key is the peer's illegal_parameter. */
export function* agree(context: HandshakeIO, key: EphemeralKey, peer: Uint8Array): Handshake<Uint8Array> {
  const outcome = yield* perform({ kind: 'key-agreement', budgeted: false, run: () => key.agree(peer) });
  context.discard(key);
  if ('value' in outcome) return context.own(outcome.value);
  const rejected = 'error' in outcome && outcome.error instanceof RangeError;
  throw rejected
    ? new TlsAlert('illegal_parameter', 'the key share is no public key of its group')
    : new TlsAlert('internal_error', 'the key agreement failed');
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
  const run = () => credential.sign(scheme, content);
  const outcome = yield* perform({ kind: 'signature', budgeted: false, run });
  const value: unknown = 'value' in outcome ? outcome.value : undefined;
  if (value instanceof Uint8Array && value.length <= MAX_SIGNATURE) return value;
  throw new TlsAlert('internal_error', 'the private key did not sign');
}
