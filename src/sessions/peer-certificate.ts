/** The client's certificate in a session: one copy for all sessions of a connection. */

import { copyOf } from '../wire/bytes.ts';

/** The shared certificates. Nothing outside refers to one, so nobody can change it. */
const shared = new WeakSet<Uint8Array>();

/** Returns a copy that any number of sessions share; the certificate itself if it is such a copy. The caller must not hand it out. */
export function sharedCertificate(der: Uint8Array): Uint8Array {
  if (shared.has(der)) return der;
  const own = copyOf(der);
  shared.add(own);
  return own;
}
