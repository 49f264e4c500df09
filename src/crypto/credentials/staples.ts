/** What a server shows beside its certificate to clients that ask for it. */

import type { Awaitable } from '../../awaitable.ts';

/** Proofs about the first certificate of a credential, made by others: they are sent as they are. */
export interface Staples {
  /**
   * The OCSP response of the certificate's issuer, in DER, 1 to 49152 bytes (RFC 6066 §8): bytes, or a function that returns those of the
   * moment, at once or by a promise, or `undefined` for none. The function is called in each full handshake with a client that asks, and
   * so should answer from memory. If it fails, or does not answer within `sessions.lookupTimeoutMs`, the handshake goes on without, and
   * there is a callback-error event.
   */
  readonly ocspResponse?: Uint8Array | (() => Awaitable<Uint8Array | undefined>) | undefined;
  /**
   * Signed certificate timestamps (RFC 6962 §3.3): an array of them, each as bytes, or the bytes of a SignedCertificateTimestampList. The
   * list may have 8192 bytes.
   */
  readonly signedCertificateTimestamps?: Uint8Array | readonly Uint8Array[] | undefined;
}
