/** The schemes of ECDSA keys, by whomever they sign. */

import type { SignatureSchemeName } from '../../wire/registry.ts';
import { Oid } from './certificate.ts';

interface EcdsaSchemes {
  readonly schemes: readonly SignatureSchemeName[];
  readonly schemesTls12: readonly SignatureSchemeName[];
}

const P256 = 'ecdsa_secp256r1_sha256';
const P384 = 'ecdsa_secp384r1_sha384';
const P521 = 'ecdsa_secp521r1_sha512';

/**
 * Returns the schemes of a key on this curve. In TLS 1.3 the curve has one hash. In TLS 1.2 any goes with it (RFC 9846 §4.3.3); first
 * comes the one that TLS 1.3 has.
 */
export function ecdsaSchemes(curve: typeof Oid.secp256r1 | typeof Oid.secp384r1): EcdsaSchemes {
  if (curve === Oid.secp256r1) return { schemes: [P256], schemesTls12: [P256, P384, P521] };
  return { schemes: [P384], schemesTls12: [P384, P521, P256] };
}
