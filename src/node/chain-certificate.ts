/** What a certificate says of its place in a chain (RFC 5280 §4.1, §4.2), read without OpenSSL. */

import { GeneralName, Oid } from '../crypto/credentials/certificate.ts';
import { latin1, toHex } from '../wire/bytes.ts';
import { DerError, DerReader, explicitTag, implicitTag, Tag } from '../wire/der.ts';

export interface ChainCertificate {
  readonly bytes: Uint8Array;
  /** 1 to 3 (§4.1.2.1). Extensions came with 3. */
  readonly version: number;
  /** The names of issuer and subject in DER, as hexadecimal, for comparison. */
  readonly issuer: string;
  readonly subject: string;
  /** The algorithm of its signature, and the hash that the parameters of RSASSA-PSS name; for others `undefined`. */
  readonly signedWith: { readonly algorithm: string; readonly pssHash: string | undefined };
  /** Milliseconds since the epoch. The second of `notAfter` belongs to the validity. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** §4.2.1.9; `undefined` without the extension. */
  readonly basicConstraints: { readonly cA: boolean; readonly pathLength: number } | undefined;
  /** The first octet of §4.2.1.3; `undefined` without the extension, which then restricts nothing. */
  readonly keyUsage: number | undefined;
  /** §4.2.1.12; `undefined` without the extension, which then restricts nothing. */
  readonly purposes: readonly string[] | undefined;
  /** §4.2.1.6: DNS names in lower case, and addresses as hexadecimal. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  /** An extension that has to be handled and is not. */
  readonly unhandled: string | undefined;
}

/** Bits of the first octet of KeyUsage. */
export const KeyUsage = { digitalSignature: 0x80, keyCertSign: 0x04 } as const;

/** RFC 4055 §3.1: the hash that RSASSA-PSS has if its parameters name none. */
const SHA1 = '1.3.14.3.2.26';

/** @throws DerError */
export function readChainCertificate(bytes: Uint8Array): ChainCertificate {
  const outer = new DerReader(bytes);
  const certificate = outer.enter(Tag.sequence, 'certificate');
  outer.finish();
  const tbs = certificate.enter(Tag.sequence, 'tbsCertificate');
  const version = 1 + (tbs.optional(explicitTag(0), 'version')?.integer('version') ?? 0);
  tbs.raw('serialNumber');
  const signedWith = readSignatureAlgorithm(tbs);
  const issuer = toHex(tbs.raw('issuer'));
  const validity = tbs.enter(Tag.sequence, 'validity');
  const [notBefore, notAfter] = [validity.time('notBefore'), validity.time('notAfter')];
  const subject = toHex(tbs.raw('subject'));
  tbs.raw('subjectPublicKeyInfo');
  for (const tag of [implicitTag(1), implicitTag(2)]) if (tbs.peekTag() === tag) tbs.raw('uniqueID');
  const extensions = readExtensions(tbs.optional(explicitTag(3), 'extensions'));
  tbs.finish('tbsCertificate');
  return { bytes, version, issuer, subject, signedWith, notBefore, notAfter, ...extensions };
}

function readSignatureAlgorithm(tbs: DerReader): ChainCertificate['signedWith'] {
  const identifier = tbs.enter(Tag.sequence, 'signature');
  const algorithm = identifier.oid('algorithm');
  if (algorithm !== Oid.rsassaPss) return { algorithm, pssHash: undefined };
  const hash = identifier.optional(Tag.sequence, 'parameters')?.optional(explicitTag(0), 'hashAlgorithm');
  return { algorithm, pssHash: hash?.enter(Tag.sequence).oid('algorithm') ?? SHA1 };
}

type Extensions = Pick<
  ChainCertificate,
  'basicConstraints' | 'keyUsage' | 'purposes' | 'names' | 'addresses' | 'unhandled'
>;

/** By object identifiers in DER. Others may have arcs that are longer than a number. */
const EXTENSIONS: Readonly<Record<string, 'basicConstraints' | 'keyUsage' | 'purposes' | 'alternatives'>> = {
  '551d0f': 'keyUsage',
  '551d11': 'alternatives',
  '551d13': 'basicConstraints',
  '551d25': 'purposes',
};
/** §4.2.1.10: it is always critical where CAs keep to that. One that is not would restrict as much. */
const NAME_CONSTRAINTS = '551d1e';
const KNOWN: Readonly<Record<string, string>> = {
  [NAME_CONSTRAINTS]: 'nameConstraints',
  '551d20': 'certificatePolicies',
  '551d21': 'policyMappings',
  '551d24': 'policyConstraints',
  '551d36': 'inhibitAnyPolicy',
};

/** §4.2: no extension comes twice. */
function readExtensions(extensions: DerReader | undefined): Extensions {
  const found: { -readonly [K in keyof Extensions]: Extensions[K] } = {
    basicConstraints: undefined,
    keyUsage: undefined,
    purposes: undefined,
    names: [],
    addresses: [],
    unhandled: undefined,
  };
  const seen = new Set<string>();
  const list = extensions?.enter(Tag.sequence);
  while (list !== undefined && !list.isEmpty) {
    const extension = list.enter(Tag.sequence, 'extension');
    const id = toHex(extension.read(Tag.oid, 'extnID'));
    const name = EXTENSIONS[id];
    if (seen.has(id)) throw new DerError('a second one', name ?? KNOWN[id] ?? id, 0);
    seen.add(id);
    const isCritical = extension.peekTag() === Tag.boolean && extension.boolean('critical');
    const value = extension.enter(Tag.octetString, name ?? 'extnValue');
    extension.finish('extension');
    if (name === 'basicConstraints') found.basicConstraints = readBasicConstraints(value);
    else if (name === 'keyUsage') found.keyUsage = value.namedBits(name)[0] ?? 0;
    else if (name === 'purposes') found.purposes = readPurposes(value);
    else if (name === 'alternatives') Object.assign(found, readAlternatives(value));
    else if (isCritical || id === NAME_CONSTRAINTS)
      found.unhandled ??= KNOWN[id] ?? `an extension ${id} (its OID in DER)`;
    if (name !== undefined) value.finish(name);
  }
  return found;
}

function readBasicConstraints(value: DerReader): ChainCertificate['basicConstraints'] {
  const fields = value.enter(Tag.sequence);
  const cA = fields.peekTag() === Tag.boolean && fields.boolean('cA');
  const pathLength = fields.isEmpty ? Number.POSITIVE_INFINITY : fields.integer('pathLenConstraint');
  fields.finish();
  return { cA, pathLength };
}

function readPurposes(value: DerReader): string[] {
  const list = value.enter(Tag.sequence);
  const purposes: string[] = [];
  while (!list.isEmpty) purposes.push(list.oid('keyPurposeId'));
  return purposes;
}

function readAlternatives(value: DerReader): Pick<ChainCertificate, 'names' | 'addresses'> {
  const list = value.enter(Tag.sequence);
  const names: string[] = [];
  const addresses: string[] = [];
  while (!list.isEmpty) {
    const kind = list.peekTag();
    if (kind === implicitTag(GeneralName.dNSName)) names.push(latin1(list.read(kind)).toLowerCase());
    else if (kind === implicitTag(GeneralName.iPAddress)) addresses.push(toHex(list.read(kind)));
    else list.raw();
  }
  return { names, addresses };
}
