/** The premaster secret of an ECDHE_PSK suite of TLS 1.2: RFC 5489 §2, RFC 4279 §2. */

import { wipe } from '../wire/bytes.ts';

/** `struct { opaque other_secret<0..2^16-1>; opaque psk<0..2^16-1>; };` Wipes the secret of the key agreement. */
export function pskPremaster(agreed: Uint8Array, psk: Uint8Array): Uint8Array {
  const premaster = new Uint8Array(4 + agreed.length + psk.length);
  const view = new DataView(premaster.buffer);
  view.setUint16(0, agreed.length);
  premaster.set(agreed, 2);
  view.setUint16(2 + agreed.length, psk.length);
  premaster.set(psk, 4 + agreed.length);
  wipe(agreed);
  return premaster;
}
