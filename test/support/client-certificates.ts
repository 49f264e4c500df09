/** Certificates that a scripted client shows, and what it signs with: OpenSSL does it, not the code that verifies it. */

import { constants, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { bitString, explicit, integer, oid, sequence, set, time, utf8String } from '../../src/wire/der.ts';
import { parsePem } from '../../src/wire/pem.ts';
import type { SignatureSchemeName } from '../../src/wire/registry.ts';
import { type CertificateFixture, certificates } from '../fixtures.ts';

export interface ClientCertificate {
  /** DER, the client's own first. */
  readonly chain: readonly Uint8Array[];
  readonly scheme: SignatureSchemeName;
  sign(content: Uint8Array): Uint8Array;
}

export type ClientCertificateKind = 'ecdsaP256' | 'ecdsaP384' | 'ed25519' | 'rsa2048' | 'chain';

const SCHEMES: Readonly<Record<ClientCertificateKind, SignatureSchemeName>> = {
  ecdsaP256: 'ecdsa_secp256r1_sha256',
  ecdsaP384: 'ecdsa_secp384r1_sha384',
  ed25519: 'ed25519',
  rsa2048: 'rsa_pss_rsae_sha256',
  chain: 'ecdsa_secp256r1_sha256',
};

/** That of a fixture; it need not sign with the scheme that its key goes with. */
export function clientCertificate(
  kind: ClientCertificateKind,
  scheme: SignatureSchemeName = SCHEMES[kind],
): ClientCertificate {
  const { cert, key }: CertificateFixture = certificates[kind];
  const chain = parsePem(cert).map(({ bytes }) => bytes);
  const privateKey = createPrivateKey(key);
  return { chain, scheme, sign: (content) => signWith(privateKey, scheme, content) };
}

/** RFC 9846 §4.3.3 */
function signWith(key: KeyObject, scheme: SignatureSchemeName, content: Uint8Array): Uint8Array {
  if (scheme === 'ed25519') return sign(null, content, key);
  const hash = scheme.slice(-6);
  if (scheme.startsWith('ecdsa_')) return sign(hash, content, { key, dsaEncoding: 'der' });
  const padding = scheme.startsWith('rsa_pss_') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  return sign(hash, content, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

/**
 * A certificate that nobody has signed, for this SubjectPublicKeyInfo, with these extensions. It expires at `notAfter`, in milliseconds
 * since the epoch.
 */
export function certificateFor(
  publicKey: Uint8Array,
  commonName = 'somebody',
  {
    notAfter = 2 ** 41,
    extensions = [],
  }: { readonly notAfter?: number; readonly extensions?: readonly Uint8Array[] } = {},
): Uint8Array {
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8String(commonName))));
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(1),
    algorithm,
    name,
    sequence(time(0), time(notAfter)),
    name,
    publicKey,
    ...(extensions.length === 0 ? [] : [explicit(3, sequence(...extensions))]),
  );
  return sequence(tbs, algorithm, bitString(new Uint8Array(70)));
}

/** A certificate of an Ed25519 key, with what it signs, that expires at `notAfter`, in milliseconds since the epoch. */
export function certificateUntil(notAfter: number): ClientCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
  return {
    chain: [certificateFor(spki, 'somebody', { notAfter })],
    scheme: 'ed25519',
    sign: (content) => signWith(privateKey, 'ed25519', content),
  };
}

/** A key of a kind that the server does not serve, in a certificate, with what it would sign. */
export function strangeCertificate(
  kind: 'secp521r1' | 'secp256k1' | 'rsa1024' | 'ed448' | 'rsa-pss',
): ClientCertificate {
  const { publicKey, privateKey } = strangeKeys(kind);
  const chain = [certificateFor(publicKey.export({ format: 'der', type: 'spki' }))];
  return { chain, scheme: 'ecdsa_secp256r1_sha256', sign: (content) => sign(null, content, privateKey) };
}

function strangeKeys(kind: Parameters<typeof strangeCertificate>[0]) {
  if (kind === 'rsa1024') return generateKeyPairSync('rsa', { modulusLength: 1024 });
  if (kind === 'rsa-pss') return generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
  if (kind === 'ed448') return generateKeyPairSync('ed448');
  return generateKeyPairSync('ec', { namedCurve: kind });
}
