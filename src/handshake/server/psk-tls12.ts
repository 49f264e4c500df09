/** External PSKs in TLS 1.2, with ECDHE: RFC 5489 §2, RFC 4279 §2. */

import type { DecapsulationKey } from '../../crypto/provider.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { EMPTY } from '../../wire/bytes.ts';
import { type GroupName, NamedGroup } from '../../wire/registry.ts';
import { decapsulate, generateKey } from '../key-exchange.ts';
import { clientKeyExchangePsk } from '../messages/client-key-exchange.ts';
import { serverKeyExchangePsk } from '../messages/server-key-exchange.ts';
import { notResumed } from '../outcome.ts';
import { pskPremaster } from '../psk-tls12.ts';
import { type Handshake, receive } from '../wait.ts';
import type { FoundPsk, ServerHandshake } from './context.ts';

/** Sends the ephemeral key. Nothing signs it: the PSK is the proof. The hint is empty (RFC 4279 §5.2). */
export function* sendServerKeyExchangePsk(context: ServerHandshake, group: GroupName): Handshake<DecapsulationKey> {
  context.facts.group = group;
  const key = yield* generateKey(context, group);
  const params = { curveType: 'named_curve', namedCurve: NamedGroup[group], point: key.publicKey } as const;
  context.transcript.add(context.send(serverKeyExchangePsk, { pskIdentityHint: EMPTY, params }));
  return key;
}

/** In the place of the secret of an unknown PSK, where that is to be hidden. The client's Finished does not verify then. */
const NO_SECRET = new Uint8Array(32);

/**
 * Returns the premaster secret.
 * @throws TlsAlert unknown_psk_identity for an identity that is not known, or declined, unless that is to be hidden
 */
export function* receiveClientKeyExchangePsk(context: ServerHandshake, key: DecapsulationKey): Handshake<Uint8Array> {
  const { body, raw } = yield* receive(clientKeyExchangePsk);
  context.transcript.add(raw);
  const agreed = yield* decapsulate(context, key, body.point);
  const secret = yield* secretOf(context, body.pskIdentity);
  if (secret === undefined && context.parts.psks?.hides !== true)
    throw new TlsAlert('unknown_psk_identity', 'a PSK that is not known'); // RFC 4279 §2
  return pskPremaster(agreed, secret ?? NO_SECRET);
}

function* secretOf(context: ServerHandshake, identity: Uint8Array): Handshake<Uint8Array | undefined> {
  const { facts, parts } = context;
  if (parts.psks === undefined) throw new Error('a PSK suite without PSKs');
  const { mechanism, ...found } = yield* parts.psks.find(context, identity);
  const psk = found.psk?.kind === 'imported' ? undefined : found.psk; // RFC 9258 §5.1: none is imported for TLS 1.2
  const offered: FoundPsk = psk === undefined ? { mechanism, reason: found.reason } : { mechanism, psk };
  const suites = facts.suite === undefined || psk === undefined ? [] : [{ ...facts.suite, hash: psk.hash }]; // no hash is bound
  const { verdict } = parts.psks.judge(context, offered, { suites });
  facts.verdicts = [...facts.verdicts, verdict];
  facts.resumption = verdict.reason ? notResumed(verdict.reason) : { ...notResumed(undefined), mechanism };
  if (psk === undefined || verdict.reason !== undefined) return undefined;
  facts.replacesClientCertificate = psk.replacesClientCertificate === true;
  return psk.secret;
}
