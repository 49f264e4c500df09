/** CertificateRequest: RFC 9846 §4.4.2; for TLS 1.2 RFC 5246 §7.4.4. */

import { extensions, type Infer, opaque, struct, uint8, uint16, vector } from '../../wire/codec.ts';
import { ExtensionType } from '../../wire/registry.ts';
import { message } from './message.ts';

const DistinguishedName = opaque(1, 0xffff);
const SignatureSchemes = vector(2, 0xfffe, uint16);

export const CertificateRequest = struct({
  certificateRequestContext: opaque(0, 255),
  extensions: extensions({
    signatureAlgorithms: [ExtensionType.signature_algorithms, SignatureSchemes],
    certificateAuthorities: [ExtensionType.certificate_authorities, vector(3, 0xffff, DistinguishedName)], // §4.3.4
  }),
});
export type CertificateRequest = Infer<typeof CertificateRequest>;
export const certificateRequest = message('certificate_request', CertificateRequest);

export const CertificateRequestTls12 = struct({
  certificateTypes: vector(1, 255, uint8),
  supportedSignatureAlgorithms: SignatureSchemes,
  certificateAuthorities: vector(0, 0xffff, DistinguishedName),
});
export type CertificateRequestTls12 = Infer<typeof CertificateRequestTls12>;
export const certificateRequestTls12 = message('certificate_request', CertificateRequestTls12);

/** RFC 5246 §7.4.4, RFC 8422 §5.5: Ed25519 goes with ecdsa_sign. */
export const ClientCertificateType = { rsa_sign: 1, ecdsa_sign: 64 } as const;
