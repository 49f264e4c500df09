/** The ClientHello that answers a HelloRetryRequest: what it may change (RFC 9846 §4.2.2). */

import type { Hash } from '../../crypto/provider.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { equalBytes } from '../../wire/bytes.ts';
import { MESSAGE_HEADER } from '../../wire/handshake-buffer.ts';
import { ExtensionType } from '../../wire/registry.ts';
import { type ClientHello, rawExtensions } from '../messages/client-hello.ts';
import type { Received } from '../messages/message.ts';

/** §4.2.2: the extensions that may change between the two hellos. No cookie, as none was given. early_data must go, by another rule. */
const MAY_CHANGE: ReadonlySet<number> = new Set([
  ExtensionType.key_share,
  ExtensionType.pre_shared_key,
  ExtensionType.early_data,
  ExtensionType.padding,
  ExtensionType.encrypted_client_hello, // RFC 9849 §6.1.5: encrypted anew
]);

/** Enough of a digest to tell the identities of one client apart. */
const MARK = 16;

/**
 * A first ClientHello, as far as the second is compared with it. It consists of digests: the hello itself may have 128 KiB, and is not
 * kept until the second has come.
 */
export class FirstHello {
  readonly #hash: Hash;
  readonly #fixed: Uint8Array;
  readonly #identities: Uint8Array;

  constructor(first: Received<ClientHello>, hash: Hash) {
    this.#hash = hash;
    this.#fixed = fixedDigest(first.raw, hash);
    this.#identities = identityMarks(first.body, hash);
  }

  /** @throws TlsAlert illegal_parameter if the second hello differs from the first where it may not */
  requireSame({ raw, body }: Received<ClientHello>): void {
    if (!equalBytes(this.#fixed, fixedDigest(raw, this.#hash)))
      throw new TlsAlert('illegal_parameter', 'the second ClientHello differs from the first');
    if (body.extensions.earlyData) throw new TlsAlert('illegal_parameter', 'early_data after a HelloRetryRequest');
    if (!isSubsequence(identityMarks(body, this.#hash), this.#identities)) {
      throw new TlsAlert('illegal_parameter', 'the second ClientHello adds or reorders PSK identities');
    }
  }
}

/** Returns a digest of what must not change in a hello: all before the extensions, and the fixed extensions, sorted by type. */
function fixedDigest(raw: Uint8Array, hash: Hash): Uint8Array {
  const all = [...rawExtensions(raw)];
  const head = raw.length - 2 - all.reduce((length, { data }) => length + 4 + data.length, 0);
  const digest = hash.start();
  digest.update(raw.subarray(MESSAGE_HEADER, head));
  for (const { type, data } of all.sort((a, b) => a.type - b.type)) {
    if (MAY_CHANGE.has(type)) continue;
    digest.update(Uint8Array.of(type >> 8, type, data.length >> 8, data.length));
    digest.update(data);
  }
  return digest.peek();
}

/** Returns the beginnings of the digests of all identities, one after the other. */
function identityMarks({ extensions }: ClientHello, hash: Hash): Uint8Array {
  const { identities = [] } = extensions.preSharedKey ?? {};
  const marks = new Uint8Array(MARK * identities.length);
  let at = 0;
  for (const { identity } of identities) {
    marks.set(hash.digest(identity).subarray(0, MARK), at);
    at += MARK;
  }
  return marks;
}

/** Reports whether `part` is `whole` with some marks left out. */
function isSubsequence(part: Uint8Array, whole: Uint8Array): boolean {
  let at = 0;
  for (let i = 0; i < whole.length && at < part.length; i += MARK)
    if (equalBytes(part.subarray(at, at + MARK), whole.subarray(i, i + MARK))) at += MARK;
  return at === part.length;
}
