/** The proof that a client has the PSK that it offers: RFC 9846 §4.3.11.2. */

import { type EarlySecret, earlySecret, finishedMac, pskBinderKey } from '../../crypto/key-schedule.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { equalConstantTime } from '../../wire/bytes.ts';
import { type ClientHello, truncateBeforeBinders } from '../messages/client-hello.ts';
import type { Received } from '../messages/message.ts';
import type { Psk } from '../psk.ts';
import type { ServerHandshake } from './context.ts';

/** Returns the early secret of a PSK if the binder of its identity verifies. @throws TlsAlert illegal_parameter if there is none */
export function verifiedBinder(
  context: ServerHandshake,
  hello: Received<ClientHello>,
  { psk, identityIndex }: { readonly psk: Psk; readonly identityIndex: number },
): EarlySecret | undefined {
  const offered = hello.body.extensions.preSharedKey;
  const binder = offered && nth(offered.binders, identityIndex);
  if (offered === undefined || binder === undefined)
    throw new TlsAlert('illegal_parameter', 'an identity without binder');
  const hash = context.settings.crypto.hashes[psk.hash];
  const early = context.own(earlySecret(hash, psk.secret));
  const binderKey = pskBinderKey(early, psk.kind);
  const truncated = truncateBeforeBinders(hello.raw, offered);
  const expected = finishedMac(binderKey, context.transcript.hashWith(hash, truncated));
  binderKey.wipe();
  return equalConstantTime(binder, expected) ? early : undefined;
}

function nth<T>(list: Iterable<T>, index: number): T | undefined {
  let at = 0;
  for (const entry of list) if (at++ === index) return entry;
  return undefined;
}
