/** The client's certificate in a session: one copy for all sessions of a connection, and the end of its validity. */

import { copyOf } from '../wire/bytes.ts';
import { DerError, DerReader, explicitTag, Tag } from '../wire/der.ts';

/** The shared certificates, each with its last second. Nothing outside refers to one, so nobody can change it. */
const shared = new WeakMap<Uint8Array, number>();

/** Returns a copy that any number of sessions share; the certificate itself if it is such a copy. The caller must not hand it out. */
export function sharedCertificate(der: Uint8Array): Uint8Array {
  if (shared.has(der)) return der;
  const own = copyOf(der);
  shared.set(own, readLastSecond(own));
  return own;
}

/** Returns the last second in which a certificate of {@link sharedCertificate} is valid; NaN if the certificate cannot be read. */
export function lastSecondOf(certificate: Uint8Array): number {
  return shared.get(certificate) ?? Number.NaN;
}

/** RFC 5280 §4.1.2.5: the validity includes its notAfter. Reads up to there; the rest was verified with the full handshake. */
function readLastSecond(der: Uint8Array): number {
  try {
    const tbs = new DerReader(der).enter(Tag.sequence, 'certificate').enter(Tag.sequence, 'tbsCertificate');
    tbs.optional(explicitTag(0), 'version');
    for (const field of ['serialNumber', 'signature', 'issuer']) tbs.raw(field);
    const validity = tbs.enter(Tag.sequence, 'validity');
    validity.time('notBefore');
    return Math.floor(validity.time('notAfter') / 1000);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return Number.NaN;
  }
}
