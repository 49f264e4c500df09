/** CertificateVerify: RFC 9846 §4.5.2. Its struct is TLS 1.2's DigitallySigned too (RFC 5246 §4.7). */

import { type Infer, opaque, struct, uint16 } from '../../wire/codec.ts';
import { message } from './message.ts';

export const CertificateVerify = struct({ algorithm: uint16, signature: opaque(0, 0xffff) });
export type CertificateVerify = Infer<typeof CertificateVerify>;
export const certificateVerify = message('certificate_verify', CertificateVerify);
