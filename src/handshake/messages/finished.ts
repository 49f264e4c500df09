/** Finished: RFC 9846 §4.5.3, RFC 5246 §7.4.9. The length of verify_data is the hash's, or 12 in TLS 1.2. */

import { TlsAlert } from '../../wire/alert.ts';
import { equalConstantTime } from '../../wire/bytes.ts';
import { type Infer, rest, struct } from '../../wire/codec.ts';
import { message } from './message.ts';

export const Finished = struct({ verifyData: rest });
export type Finished = Infer<typeof Finished>;
export const finished = message('finished', Finished, 48); // the length of SHA-384, the longest hash of a suite

/** @throws TlsAlert decode_error for a wrong length, decrypt_error if it does not verify (RFC 9846 §6.2) */
export function requireVerifyData({ verifyData }: Finished, expected: Uint8Array): void {
  if (verifyData.length !== expected.length) {
    throw new TlsAlert('decode_error', `a Finished of ${verifyData.length} bytes`);
  }
  if (!equalConstantTime(verifyData, expected)) throw new TlsAlert('decrypt_error', 'the Finished does not verify');
}
