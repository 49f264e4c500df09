/** Reads the few fields of an X.509 certificate (RFC 5280 §4.1) that TLS needs. */

import { platform } from '../../platform.ts';
import { equalBytes, latin1, toHex } from '../../wire/bytes.ts';
import { DerError, DerReader, explicitTag, implicitTag, Tag } from '../../wire/der.ts';

/** Object identifiers: RFC 5280 §4.2.1, RFC 3279 §2.3.1, RFC 4055 §1.2, RFC 5480 §2.1.1, RFC 5758 §3.2, RFC 8410 §3. */
export const Oid = {
  rsaEncryption: '1.2.840.113549.1.1.1',
  rsassaPss: '1.2.840.113549.1.1.10',
  ecPublicKey: '1.2.840.10045.2.1',
  secp256r1: '1.2.840.10045.3.1.7',
  secp384r1: '1.3.132.0.34',
  ed25519: '1.3.101.112',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** SubjectPublicKeyInfo (§4.1.2.7). */
export interface PublicKey {
  readonly algorithm: string;
  /** The named curve (RFC 5480 §2.1.1): the parameters of the algorithm, if they are an object identifier. */
  readonly curve: string | undefined;
  readonly bytes: Uint8Array;
}

export interface Certificate {
  readonly publicKey: PublicKey;
  /** SubjectPublicKeyInfo in DER (§4.1.2.7). */
  readonly spki: Uint8Array;
  /** The name of the subject, in DER. */
  readonly subject: Uint8Array;
  /** Object identifier of the issuer's signature algorithm; `undefined` if the certificate is self-issued. */
  readonly signedWith: string | undefined;
  /** DNS names in lower case, from subjectAltName, or the common names if the certificate has no such extension. */
  readonly names: readonly string[];
  /** The extension KeyUsage in DER (§4.2.1.3), not looked into; `undefined` if the certificate has none. */
  readonly keyUsage: Uint8Array | undefined;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** `GeneralName ::= CHOICE { …, dNSName [2] IA5String, …, iPAddress [7] OCTET STRING, … }` (§4.2.1.6) */
export const GeneralName = { dNSName: 2, iPAddress: 7 } as const;

/** Parses a certificate. Does not verify its signature. @throws DerError */
export function parseCertificate(der: Uint8Array): Certificate {
  const outer = new DerReader(der);
  const certificate = outer.enter(Tag.sequence, 'certificate');
  outer.finish();
  const tbs = certificate.enter(Tag.sequence, 'tbsCertificate');
  tbs.optional(explicitTag(0), 'version');
  tbs.raw('serialNumber');
  const { algorithm } = readAlgorithm(tbs);
  const issuer = tbs.raw('issuer');
  const validity = tbs.enter(Tag.sequence, 'validity');
  const [notBefore, notAfter] = [validity.time('notBefore'), validity.time('notAfter')];
  const subject = tbs.raw('subject');
  const spki = tbs.raw('subjectPublicKeyInfo');
  const publicKey = readPublicKey(new DerReader(spki).enter(Tag.sequence, 'subjectPublicKeyInfo'));
  for (const tag of [implicitTag(1), implicitTag(2)]) tbs.optional(tag, 'uniqueID');
  const { keyUsage, subjectAltName } = readExtensions(tbs.optional(explicitTag(3), 'extensions'));
  const names = subjectAltName
    ? readAlternativeNames(subjectAltName)
    : readCommonNames(new DerReader(subject).enter(Tag.sequence, 'subject'));
  const signedWith = equalBytes(subject, issuer) ? undefined : algorithm;
  const lowerCase = names.map((name) => name.toLowerCase());
  return { publicKey, spki, subject, signedWith, names: lowerCase, keyUsage, notBefore, notAfter };
}

/** Reads an AlgorithmIdentifier (§4.1.1.2). Ignores parameters that are not an object identifier. */
export function readAlgorithm(parent: DerReader): { readonly algorithm: string; readonly curve: string | undefined } {
  const reader = parent.enter(Tag.sequence, 'algorithm');
  const algorithm = reader.oid('algorithm');
  return { algorithm, curve: reader.peekTag() === Tag.oid ? reader.oid('parameters') : undefined };
}

function readPublicKey(reader: DerReader): PublicKey {
  return { ...readAlgorithm(reader), bytes: reader.bits('subjectPublicKey') };
}

export function equalPublicKeys(a: PublicKey, b: PublicKey): boolean {
  return a.algorithm === b.algorithm && a.curve === b.curve && equalBytes(a.bytes, b.bytes);
}

/** The extensions that are read, by their object identifiers in DER: 2.5.29.15 and 2.5.29.17. Others may be longer than a number. */
const EXTENSIONS: Readonly<Record<string, 'keyUsage' | 'subjectAltName'>> = {
  '551d0f': 'keyUsage',
  '551d11': 'subjectAltName',
};

interface Extensions {
  keyUsage?: Uint8Array;
  subjectAltName?: DerReader;
}

/** §4.2: no extension comes twice. */
function readExtensions(extensions: DerReader | undefined): Extensions {
  const found: Extensions = {};
  const list = extensions?.enter(Tag.sequence);
  while (list !== undefined && !list.isEmpty) {
    const extension = list.enter(Tag.sequence, 'extension');
    const name = EXTENSIONS[toHex(extension.read(Tag.oid, 'extnID'))];
    if (name === undefined) continue;
    if (name in found) throw new DerError('a second one', name, 0);
    extension.optional(Tag.boolean, 'critical');
    if (name === 'keyUsage') found.keyUsage = extension.octets(name);
    else found.subjectAltName = extension.enter(Tag.octetString, name);
  }
  return found;
}

/**
 * Reports whether the key may sign anything but certificates and lists of revoked ones (§4.2.1.3): a certificate may if it has no
 * KeyUsage, or one with digitalSignature, which is bit 0.
 * @throws DerError
 */
export function allowsDigitalSignature({ keyUsage }: Certificate): boolean {
  if (keyUsage === undefined) return true;
  const reader = new DerReader(keyUsage);
  const [first = 0] = reader.namedBits('keyUsage');
  reader.finish('keyUsage');
  return first >= 0x80;
}

function readAlternativeNames(extension: DerReader): string[] {
  const general = extension.enter(Tag.sequence);
  const names: string[] = [];
  while (!general.isEmpty) {
    const isDns = general.peekTag() === implicitTag(GeneralName.dNSName);
    if (isDns) names.push(latin1(general.read(implicitTag(GeneralName.dNSName))));
    else general.raw();
  }
  return names;
}

function readCommonNames(subject: DerReader): string[] {
  const names: string[] = [];
  while (!subject.isEmpty) {
    const attribute = subject.enter(Tag.set, 'rdn').enter(Tag.sequence, 'attribute');
    if (attribute.oid('type') !== Oid.commonName) continue;
    const value = attribute.read(attribute.peekTag() ?? Tag.utf8String, 'value'); // one of five string types
    names.push(new platform.TextDecoder().decode(value));
  }
  return names;
}
