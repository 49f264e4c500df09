/** External PSKs of a client in TLS 1.2, with ECDHE: RFC 5489 §2, RFC 4279 §2. */

import { TlsAlert } from '../../wire/alert.ts';
import { type GroupName, NamedGroup, nameOf } from '../../wire/registry.ts';
import { decapsulate, generateKey } from '../key-exchange.ts';
import { clientKeyExchangePsk } from '../messages/client-key-exchange.ts';
import { parse } from '../messages/message.ts';
import { serverHelloDone } from '../messages/server-hello-done.ts';
import { serverKeyExchangePsk } from '../messages/server-key-exchange.ts';
import type { WirePsk } from '../psk.ts';
import { pskPremaster } from '../psk-tls12.ts';
import type { Handshake } from '../wait.ts';
import type { ClientHandshake, ClientSettings } from './context.ts';
import { receiveTls12 } from './receive-tls12.ts';

/** Returns the PSK for TLS 1.2: the first that is not imported (RFC 9258 §5.1). Hints do not change that. */
export function pskForTls12({ psks }: ClientSettings): WirePsk | undefined {
  return psks.find(({ kind }) => kind === 'external');
}

/**
 * From ServerKeyExchange, whose bytes are given, to ClientKeyExchange. No certificate is shown or asked for. Returns the premaster
 * secret. @throws TlsAlert
 */
export function* exchangeWithPsk(context: ClientHandshake, raw: Uint8Array): Handshake<Uint8Array> {
  const { transcript, settings, facts } = context;
  const psk = pskForTls12(settings);
  if (psk === undefined) throw new TlsAlert('handshake_failure', 'no PSK for TLS 1.2');
  transcript.add(raw);
  const { params } = parse(serverKeyExchangePsk, raw);
  const group: GroupName | undefined = settings.groups.find((name) => NamedGroup[name] === params.namedCurve);
  if (group === undefined)
    throw new TlsAlert(
      'illegal_parameter',
      `the group ${nameOf(NamedGroup, params.namedCurve)}, which was not offered`,
    );
  facts.group = group;
  const done = yield* receiveTls12(serverHelloDone);
  transcript.add(done.raw);
  transcript.forget(); // no CertificateVerify follows
  const key = yield* generateKey(context, group);
  const { publicKey: point } = key;
  const agreed = yield* decapsulate(context, key, params.point);
  transcript.add(context.send(clientKeyExchangePsk, { pskIdentity: psk.identity, point }));
  context.resume({ psk, hash: psk.hash }, undefined, undefined);
  return pskPremaster(agreed, psk.secret);
}
