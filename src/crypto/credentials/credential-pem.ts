/** Reads a credential from PEM, whatever signs: the chain, the block of the key, and the check that they belong together. */

import { DerError } from '../../wire/der.ts';
import { wrongKind } from '../../wire/options.ts';
import { type Pem, type PemBlock, PemError, parsePem } from '../../wire/pem.ts';
import type { SignatureSchemeName } from '../../wire/registry.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import type { Staples } from './staples.ts';

/** A certificate chain and its private key, both in PEM. */
export interface PemPair extends Staples {
  readonly cert: Pem;
  readonly key: Pem;
}

/** A certificate with the bytes that it was read from. */
export type ReadCertificate = Certificate & { readonly bytes: Uint8Array };

/** Reads a chain, the server's own certificate first. @throws TypeError that begins with `cert:` and says what to do */
export function chainFromPem(cert: Pem): readonly [ReadCertificate, ...ReadCertificate[]] {
  const chain = certificatesFromPem('cert', cert);
  if (chain.some(({ signedWith = '' }) => WEAK.test(signedWith)))
    throw new TypeError('cert: signed by MD5 or SHA-1; have it issued anew');
  const [leaf, ...issuers] = chain;
  if (leaf !== undefined) return [leaf, ...issuers];
  const found = labelsOf(blocksOf('cert', cert));
  const hint = found.endsWith('PRIVATE KEY') ? '; were cert and key interchanged?' : '';
  throw new TypeError(`cert: no CERTIFICATE in it, only ${found}${hint}`);
}

/** The fields of a credential that its certificates determine, and what is shown beside them. */
export interface DescribedChain extends Staples {
  readonly certificateChain: readonly Uint8Array[];
  readonly certificateSchemes: readonly SignatureSchemeName[];
  readonly names: readonly string[];
}

export function describeChain(
  chain: readonly [ReadCertificate, ...ReadCertificate[]],
  { ocspResponse, signedCertificateTimestamps }: Staples,
): DescribedChain {
  return {
    certificateChain: chain.map(({ bytes }) => bytes),
    certificateSchemes: chain.flatMap(({ signedWith }) => SCHEME_OF[signedWith ?? ''] ?? []),
    names: chain[0].names,
    ocspResponse,
    signedCertificateTimestamps,
  };
}

/** Returns every CERTIFICATE in PEM. @throws TypeError that begins with the name of the argument */
export function certificatesFromPem(argument: string, pem: Pem): readonly ReadCertificate[] {
  const blocks = blocksOf(argument, pem).filter(({ label }) => label === 'CERTIFICATE');
  return blocks.map(({ bytes }) => ({ ...naming(argument, () => parseCertificate(bytes)), bytes }));
}

/** RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3. */
const SCHEME_OF: Readonly<Record<string, SignatureSchemeName>> = {
  '1.2.840.113549.1.1.11': 'rsa_pkcs1_sha256',
  '1.2.840.113549.1.1.12': 'rsa_pkcs1_sha384',
  '1.2.840.113549.1.1.13': 'rsa_pkcs1_sha512',
  '1.2.840.10045.4.3.2': 'ecdsa_secp256r1_sha256',
  '1.2.840.10045.4.3.3': 'ecdsa_secp384r1_sha384',
  '1.2.840.10045.4.3.4': 'ecdsa_secp521r1_sha512',
  '1.3.101.112': 'ed25519',
};

/** RSASSA-PKCS1-v1_5 with MD5 or SHA-1, and ECDSA with SHA-1 (RFC 3279 §2.2): no peer is shown such a chain (RFC 9846 §4.5.1.2). */
const WEAK = /^1\.2\.840\.(113549\.1\.1\.[45]|10045\.4\.1)$/;

function blocksOf(argument: string, pem: Pem): PemBlock[] {
  return naming(argument, () => parsePem(pem));
}

function labelsOf(blocks: readonly PemBlock[]): string {
  return blocks.map(({ label }) => label).join(', ');
}

/** @throws TypeError unless there are both a chain and a key */
export function requirePair(pem: PemPair): void {
  if (typeof pem !== 'object' || pem === null) throw wrongKind('pem', 'an object', pem, '; give { cert, key }');
  const { cert, key } = pem;
  if (cert === undefined) throw new TypeError('cert: is missing; give the certificate chain of key, in PEM');
  if (key === undefined) throw new TypeError('key: is missing; give the private key of cert, in PEM');
}

/** Returns the block of the one private key in a PEM text. EC PARAMETERS and certificates may precede or follow it. */
export function privateKeyBlock(key: Pem): PemBlock {
  const blocks = blocksOf('key', key);
  const [block, second] = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) {
    throw new TypeError(`key: no private key in it, only ${labelsOf(blocks)}`);
  }
  if (second !== undefined) throw new TypeError('key: more than one private key in it; leave only that of cert');
  return block;
}

/** RFC 9846 §4.5.1: the key must be that of the first certificate. `at` is the index of its certificate, −1 if there is none. */
export function requireOwner(at: number): void {
  if (at < 0) throw new TypeError('key: does not belong to the certificate in cert; is it the key of another one?');
  if (at > 0) {
    throw new TypeError(`cert: key belongs to certificate ${at + 1} of the chain; put that first, then its issuers`);
  }
}

/** Puts the name of the argument before the errors of the parsers. */
export function naming<T>(argument: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof PemError || cause instanceof DerError)) throw cause;
    throw new TypeError(`${argument}: ${cause.message}`, { cause });
  }
}
