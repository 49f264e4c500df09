/** Issues certificates for tests, right and wrong ones: the bytes are ours, the signatures OpenSSL's. */

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { concat } from '../../src/wire/bytes.ts';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8String,
} from '../../src/wire/der.ts';
import { encodePem } from '../../src/wire/pem.ts';

export interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** The noon of the certificates below. */
export const NOON = Date.UTC(2026, 0, 1, 12);
const DAY = 86_400_000;

export function ecKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
}

export interface Signer {
  /** The AlgorithmIdentifier in DER. */
  readonly algorithm: Uint8Array;
  sign(tbs: Uint8Array, key: KeyObject): Uint8Array;
}

export const ecdsaSha256 = ecdsa('1.2.840.10045.4.3.2', 'sha256');

export function ecdsa(algorithm: string, hash: string): Signer {
  return { algorithm: sequence(oid(algorithm)), sign: (tbs, key) => sign(hash, tbs, key) };
}

export interface Issued {
  readonly name: string;
  readonly keys: Keys;
  readonly der: Uint8Array;
  readonly pem: string;
  /** PKCS #8 in PEM. */
  readonly key: string;
}

export interface IssueOptions {
  readonly name: string;
  readonly keys?: Keys | undefined;
  /** Default: it signs itself. */
  readonly by?: Pick<Issued, 'name' | 'keys'> | undefined;
  readonly extensions?: readonly Uint8Array[] | undefined;
  readonly notBefore?: number | undefined;
  readonly notAfter?: number | undefined;
  readonly signer?: Signer | undefined;
  /** Of X.509. Default 3. */
  readonly version?: 1 | 2 | 3 | undefined;
}

let serial = 1;

export function issue(options: IssueOptions): Issued {
  const { name, keys = ecKeys(), extensions = [], signer = ecdsaSha256 } = options;
  const { by = { name, keys }, notBefore = NOON - DAY, notAfter = NOON + DAY, version = 3 } = options;
  const tbs = sequence(
    ...(version === 1 ? [] : [explicit(0, integer(version - 1))]),
    integer(serial++),
    signer.algorithm,
    distinguished(by.name),
    sequence(time(notBefore), time(notAfter)),
    distinguished(name),
    new Uint8Array(keys.publicKey.export({ format: 'der', type: 'spki' })),
    ...(extensions.length === 0 ? [] : [explicit(3, sequence(...extensions))]),
  );
  const der = sequence(tbs, signer.algorithm, bitString(new Uint8Array(signer.sign(tbs, by.keys.privateKey))));
  const key = keys.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { name, keys, der, pem: encodePem('CERTIFICATE', der), key };
}

function distinguished(name: string): Uint8Array {
  return sequence(set(sequence(oid('2.5.4.3'), utf8String(name))));
}

export function extension(id: string, isCritical: boolean, value: Uint8Array): Uint8Array {
  return sequence(oid(id), ...(isCritical ? [boolean(true)] : []), octetString(value));
}

export function basicConstraints(cA: boolean, pathLength?: number): Uint8Array {
  const length = pathLength === undefined ? [] : [integer(pathLength)];
  return extension('2.5.29.19', true, sequence(...(cA ? [boolean(true)] : []), ...length));
}

/** `bits` is the first octet. */
export function keyUsage(bits: number): Uint8Array {
  let unused = 0;
  while (unused < 7 && (bits & (1 << unused)) === 0) unused++;
  return extension('2.5.29.15', true, bitString(Uint8Array.of(bits), unused));
}

export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

export function extKeyUsage(...purposes: readonly string[]): Uint8Array {
  return extension('2.5.29.37', false, sequence(...purposes.map(oid)));
}

/** Names, and addresses as bytes. */
export function subjectAltName(...names: readonly (string | Uint8Array)[]): Uint8Array {
  const general = names.map((name) =>
    typeof name === 'string' ? implicit(2, new TextEncoder().encode(name)) : implicit(7, name),
  );
  return extension('2.5.29.17', false, sequence(concat(...general)));
}

/** An authority, which signs itself unless `by` is given. */
export function authority(name: string, options: Partial<IssueOptions> = {}): Issued {
  return issue({ name, extensions: [basicConstraints(true), keyUsage(0x06)], ...options });
}

/** A server's certificate for `a.example`, unless it has other extensions. */
export function leaf(by: Issued, options: Partial<IssueOptions> = {}): Issued {
  return issue({ name: 'leaf', by, extensions: [subjectAltName('a.example')], ...options });
}
