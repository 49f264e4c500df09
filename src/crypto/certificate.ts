/** The few fields of X.509 (RFC 5280 §4.1) that a server reads of its certificate, and a certificate that it makes. */

import { p256 } from '@noble/curves/nist.js';
import { platform } from '../platform.ts';
import { equalBytes, latin1 } from '../wire/bytes.ts';
import {
  bitString,
  boolean,
  DerReader,
  explicit,
  explicitTag,
  implicit,
  implicitTag,
  integer,
  octetString,
  oid,
  sequence,
  set,
  Tag,
  time,
  utf8String,
} from '../wire/der.ts';
import { encodePem } from '../wire/pem.ts';

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
  /** The parameters of the algorithm, where they are an object identifier: the named curve (RFC 5480 §2.1.1). */
  readonly curve: string | undefined;
  readonly bytes: Uint8Array;
}

export interface Certificate {
  readonly publicKey: PublicKey;
  /** The name of its owner, DER. */
  readonly subject: Uint8Array;
  /** Object identifier of the algorithm that the issuer signed with; `undefined` where it is self-issued. */
  readonly signedWith: string | undefined;
  /** DNS names, lower case: of subjectAltName, or the common name where the certificate has no such extension. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** `GeneralName ::= CHOICE { …, dNSName [2] IA5String, …, iPAddress [7] OCTET STRING, … }` (§4.2.1.6) */
const GeneralName = { dNSName: 2, iPAddress: 7 } as const;

/** @throws DerError. Signatures are not checked: whether to trust the certificate is the client's business. */
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
  const publicKey = readPublicKey(tbs.enter(Tag.sequence, 'subjectPublicKeyInfo'));
  for (const tag of [implicitTag(1), implicitTag(2)]) tbs.optional(tag, 'uniqueID');
  const names =
    readAlternativeNames(tbs.optional(explicitTag(3), 'extensions')) ??
    readCommonNames(new DerReader(subject).enter(Tag.sequence, 'subject'));
  const signedWith = equalBytes(subject, issuer) ? undefined : algorithm;
  return { publicKey, subject, signedWith, names: names.map((name) => name.toLowerCase()), notBefore, notAfter };
}

/** AlgorithmIdentifier (§4.1.1.2), of which only a parameter that is an object identifier matters here. */
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

/** The dNSNames; nothing where the extension is absent. */
function readAlternativeNames(extensions: DerReader | undefined): string[] | undefined {
  const list = extensions?.enter(Tag.sequence);
  while (list !== undefined && !list.isEmpty) {
    const extension = list.enter(Tag.sequence, 'extension');
    if (extension.oid('extnID') !== Oid.subjectAltName) continue;
    extension.optional(Tag.boolean, 'critical');
    const general = extension.enter(Tag.octetString, 'subjectAltName').enter(Tag.sequence);
    const names: string[] = [];
    while (!general.isEmpty) {
      const isDns = general.peekTag() === implicitTag(GeneralName.dNSName);
      if (isDns) names.push(latin1(general.read(implicitTag(GeneralName.dNSName))));
      else general.raw();
    }
    return names;
  }
  return undefined;
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

export interface SelfSignedOptions {
  /** Host names and IP addresses that the certificate is for. Default: localhost, 127.0.0.1, ::1. */
  readonly names?: readonly string[];
  /** How long it is valid; default 30. */
  readonly days?: number;
  /** A P-256 private key of 32 bytes; default: a new one. */
  readonly secretKey?: Uint8Array;
  /** Milliseconds since the epoch. */
  now(): number;
  randomBytes(length: number): Uint8Array;
}

/** FIPS 186-5 §A.2.1: 128 bits more than the order has, so that the remainder is not biased. */
const P256_SEED_LENGTH = 48;
const DAY_MS = 86_400_000;
/** Clocks of clients that run a little behind ours must not find the certificate not yet valid. */
const CLOCK_SKEW_MS = 3_600_000;

/**
 * An ECDSA P-256 certificate that vouches for itself, and its key (PKCS#8), both as PEM: for development and tests, as
 * no client trusts it unless told to. `selfSignedCertificate(systemWorld)` is one for this computer.
 */
export function selfSignedCertificate(options: SelfSignedOptions): { readonly cert: string; readonly key: string } {
  const { names = ['localhost', '127.0.0.1', '::1'], days = 30 } = options;
  const secretKey = options.secretKey ?? p256.utils.randomSecretKey(options.randomBytes(P256_SEED_LENGTH));
  const publicKey = bitString(p256.getPublicKey(secretKey, false));
  const keyAlgorithm = sequence(oid(Oid.ecPublicKey), oid(Oid.secp256r1));
  const signature = sequence(oid(Oid.ecdsaWithSha256));
  const name = sequence(set(sequence(oid(Oid.commonName), utf8String(names[0] ?? 'localhost'))));
  const now = options.now();
  const tbs = sequence(
    explicit(0, integer(2)), // v3
    integer(serialNumber(options.randomBytes(16))),
    signature,
    name,
    sequence(time(now - CLOCK_SKEW_MS), time(now + days * DAY_MS)),
    name,
    sequence(keyAlgorithm, publicKey),
    explicit(3, serverExtensions(names)),
  );
  const value = bitString(p256.sign(tbs, secretKey, { format: 'der', lowS: false }));
  const privateKey = sequence(integer(1), octetString(secretKey), explicit(1, publicKey)); // RFC 5915 §3
  return {
    cert: encodePem('CERTIFICATE', sequence(tbs, signature, value)),
    key: encodePem('PRIVATE KEY', sequence(integer(0), keyAlgorithm, octetString(privateKey))),
  };
}

/** §4.1.2.2: positive, at most 20 octets; unpredictable, so that no two certificates of the same name collide. */
function serialNumber([first = 0, ...rest]: Uint8Array): Uint8Array {
  return Uint8Array.of(0x40 | (first & 0x3f), ...rest);
}

/** §4.2.1.3: bit 0, and no trailing zeros in a list of named bits (X.690 §11.2.2). */
const DIGITAL_SIGNATURE = bitString(Uint8Array.of(0x80), 7);

function serverExtensions(names: readonly string[]): Uint8Array {
  const critical = boolean(true);
  return sequence(
    sequence(oid(Oid.basicConstraints), critical, octetString(sequence())), // cA DEFAULT FALSE (§4.2.1.9)
    sequence(oid(Oid.keyUsage), critical, octetString(DIGITAL_SIGNATURE)),
    sequence(oid(Oid.extKeyUsage), octetString(sequence(oid(Oid.serverAuth)))), // §4.2.1.12
    sequence(oid(Oid.subjectAltName), octetString(sequence(...names.map(generalName)))), // §4.2.1.6
  );
}

function generalName(name: string): Uint8Array {
  if (/^\d+(\.\d+){3}$/.test(name)) return implicit(GeneralName.iPAddress, Uint8Array.from(name.split('.'), Number));
  if (name.includes(':')) return implicit(GeneralName.iPAddress, ipv6(name));
  return implicit(GeneralName.dNSName, new platform.TextEncoder().encode(name));
}

/** RFC 4291 §2.2: groups of 16 bits, one run of zeros left out. */
function ipv6(address: string): Uint8Array {
  const [head = [], tail = []] = address.split('::').map((part) =>
    part.split(':').flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return Number.isNaN(value) ? [] : [value >> 8, value & 0xff];
    }),
  );
  return Uint8Array.of(...head, ...new Uint8Array(16 - head.length - tail.length), ...tail);
}
