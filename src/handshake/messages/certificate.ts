/** Certificate: RFC 9846 §4.5.1, RFC 5246 §7.4.2. */

import { extensions, type Infer, opaque, rest, struct, vector } from '../../wire/codec.ts';
import { ExtensionType } from '../../wire/registry.ts';
import { message } from './message.ts';

/** Room for 16 certificates, the most that are looked at, of 4 kB each. Their structs allow 16 MB, which a peer must not make us keep. */
const LIMIT = 65536;

/** Their contents are decoded by those who have asked for them: a CertificateStatus, and a SignedCertificateTimestampList. */
const CertificateEntry = struct({
  certData: opaque(1, 0xffffff),
  extensions: extensions({
    statusRequest: [ExtensionType.status_request, rest],
    signedCertificateTimestamp: [ExtensionType.signed_certificate_timestamp, rest],
  }),
});

export const Certificate = struct({
  certificateRequestContext: opaque(0, 255),
  certificateList: vector(0, 0xffffff, CertificateEntry),
});
export type Certificate = Infer<typeof Certificate>;
export const certificate = message('certificate', Certificate, LIMIT);

export const CertificateTls12 = struct({ certificateList: vector(0, 0xffffff, opaque(1, 0xffffff)) });
export type CertificateTls12 = Infer<typeof CertificateTls12>;
export const certificateTls12 = message('certificate', CertificateTls12, LIMIT);
