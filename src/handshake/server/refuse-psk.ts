/** The end of a handshake with a server that has no certificate, and none of whose PSKs was offered: RFC 9846 §6.2, Appendix F.6. */

import type { HashName } from '../../crypto/provider.ts';
import { TlsAlert } from '../../wire/alert.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { Received } from '../messages/message.ts';
import { verifiedBinder } from './binder.ts';
import type { ServerHandshake } from './context.ts';

/** As long as the hash of SHA-256. What it is does not matter, as its binder is refused in any case. */
const NO_SECRET = new Uint8Array(32);

/**
 * Refuses a hello with PSKs that are not known or, with `tried`, whose binder has not verified under that hash. If the difference is to be
 * hidden, both take the work of a binder under each hash, as no hello may choose which of them it takes.
 * @throws TlsAlert unknown_psk_identity, or decrypt_error
 */
export function refuseHello(
  hides: boolean,
  context: ServerHandshake,
  hello: Received<ClientHello>,
  tried?: HashName,
): never {
  if (!hides && tried === undefined)
    throw new TlsAlert('unknown_psk_identity', 'none of the PSKs that were offered is known');
  for (const hash of ['sha256', 'sha384'] as const)
    if (hides && hash !== tried)
      verifiedBinder(context, hello, { psk: { kind: 'external', secret: NO_SECRET, hash }, identityIndex: 0 });
  throw new TlsAlert('decrypt_error', 'the binder does not verify');
}
