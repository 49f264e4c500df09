/** Imports external PSKs into TLS 1.3: RFC 9258. */

import { expandLabel } from '../crypto/key-schedule.ts';
import type { CryptoProvider, HashName } from '../crypto/provider.ts';
import { Secret } from '../crypto/secret.ts';
import { EMPTY } from '../wire/bytes.ts';
import { decode, encode, type Infer, opaque, struct, uint16 } from '../wire/codec.ts';
import { ProtocolVersion } from '../wire/registry.ts';

/** RFC 9258 §10 */
const TARGET_KDFS: Readonly<Record<HashName, number>> = { sha256: 1, sha384: 2 };

/** RFC 9258 §5.1 */
const ImportedIdentity = struct({
  externalIdentity: opaque(1, 0xffff),
  context: opaque(0, 0xffff),
  targetProtocol: uint16,
  targetKdf: uint16,
});

/** What an identity on the wire says of the PSK that was imported (RFC 9258 §5.1). */
export interface ImportedIdentity {
  readonly externalIdentity: Uint8Array;
  readonly context: Uint8Array;
  /** The hash of the target KDF. */
  readonly targetHash: HashName;
}

/**
 * Reads an identity that an importer made for TLS 1.3 and a hash that this library has. Returns `undefined` for any other identity,
 * which is that of a plain PSK or a ticket.
 */
export function importedIdentity(identity: Uint8Array): ImportedIdentity | undefined {
  let read: Infer<typeof ImportedIdentity>;
  try {
    read = decode(ImportedIdentity, identity);
  } catch {
    return undefined;
  }
  const { externalIdentity, context, targetProtocol, targetKdf } = read;
  const targetHash = (['sha256', 'sha384'] as const).find((name) => TARGET_KDFS[name] === targetKdf);
  if (targetProtocol !== ProtocolVersion['TLSv1.3'] || targetHash === undefined) return undefined;
  return { externalIdentity, context, targetHash };
}

/**
 * RFC 9258 §5.1: returns the identity and the key for one target. `hash` is that of the external PSK.
 * @throws RangeError if the identity is longer than 65535 bytes
 */
export function importPsk(
  { hashes }: CryptoProvider,
  { secret, hash: name }: { readonly secret: Uint8Array; readonly hash: HashName },
  { externalIdentity, context, targetHash }: ImportedIdentity,
): { readonly identity: Uint8Array; readonly secret: Uint8Array } {
  const hash = hashes[name];
  const identity = encode(ImportedIdentity, {
    externalIdentity,
    context,
    targetProtocol: ProtocolVersion['TLSv1.3'],
    targetKdf: TARGET_KDFS[targetHash],
  });
  const salt = hash.hmac(EMPTY);
  const extracted = new Secret<'epskx'>(hash, salt.sign(secret));
  const imported = expandLabel(extracted, 'derived psk', hash.digest(identity), hashes[targetHash].length);
  extracted.wipe();
  return { identity, secret: imported };
}
