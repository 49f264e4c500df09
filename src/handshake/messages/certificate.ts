/** Certificate: RFC 8446 §4.4.2, RFC 5246 §7.4.2. */

import { extensions, type Infer, opaque, struct, vector } from '../../wire/codec.ts';
import { message } from './message.ts';

const CertificateEntry = struct({ certData: opaque(1, 0xffffff), extensions: extensions({}) });

export const Certificate = struct({
  certificateRequestContext: opaque(0, 255),
  certificateList: vector(0, 0xffffff, CertificateEntry),
});
export type Certificate = Infer<typeof Certificate>;
export const certificate = message('certificate', Certificate, 65536);

export const CertificateTls12 = struct({ certificateList: vector(0, 0xffffff, opaque(1, 0xffffff)) });
export type CertificateTls12 = Infer<typeof CertificateTls12>;
export const certificateTls12 = message('certificate', CertificateTls12, 65536);
