/** The options by which an endpoint of either role shows who it is: its credentials, and the crypto provider. */

import type { Credential } from '../crypto/credentials/credential.ts';
import type { Staples } from '../crypto/credentials/staples.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import {
  MAX_RESPONSE,
  MAX_TIMESTAMPS,
  SignedCertificateTimestampList,
} from '../handshake/messages/certificate-status.ts';
import { isBytes } from '../platform.ts';
import { decode, encode } from '../wire/codec.ts';
import { requireBytes } from '../wire/kind-of.ts';
import { type Names, requireObject, requireOptions } from '../wire/options.ts';
import type { Pem } from '../wire/pem.ts';
import { callback, complete, integer, list, requireArray, requireNoPromise } from './checks.ts';

/** A certificate chain and its private key, both PEM. */
export interface PemCredential extends Staples {
  /** The private key: PKCS#8, SEC1 or PKCS#1, not encrypted. It must belong to the first certificate. */
  readonly key: Pem;
  /** The endpoint's own certificate, followed by the intermediates. */
  readonly cert: Pem;
}

const PEM_CREDENTIAL = {
  cert: true,
  key: true,
  ocspResponse: true,
  signedCertificateTimestamps: true,
} satisfies Names<PemCredential>;

/** Makes a credential from PEM. An entry may lack it. */
export type CredentialFromPem = (pem: PemCredential, crypto: CryptoProvider) => Credential;

/** Returns a provider that has every hash and AEAD, so that a spread that left one out fails here and not at the first peer. */
export function provider(given: CryptoProvider): CryptoProvider {
  if (typeof given === 'string') throw new TypeError('crypto: an object is wanted, the provider and not its name');
  const remedy = '; spread a whole provider, and then yours';
  const { hashes, aeads, groups, signer, verifier } = complete('crypto', given, ['hashes', 'aeads', 'groups'], remedy);
  complete('crypto.hashes', hashes, ['sha256', 'sha384'], remedy);
  complete('crypto.aeads', aeads, ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305'], remedy);
  requireNoPromise('crypto.groups', groups);
  callback('crypto.signer', signer);
  callback('crypto.verifier', verifier);
  return given;
}

/** Returns the option `name` as a credential. @throws TypeError that begins with the name, or with `cert` or `key` */
export function credential(
  name: string,
  given: Credential | PemCredential,
  crypto: CryptoProvider,
  fromPem: CredentialFromPem | undefined,
): Credential {
  requireObject(name, given);
  requireNoPromise(name, given);
  requireStaples(name, given);
  if ('sign' in given) return ownCredential(name, given);
  requireOptions(name, given, PEM_CREDENTIAL);
  if (fromPem !== undefined) return fromPem(given, crypto);
  throw new TypeError(`${name}: PEM is for webCryptoCredential(), or credentialFromPem(); give what it returns`);
}

/** Checks what a client alone would notice. @throws TypeError or RangeError that begins with the name */
function requireStaples(name: string, { ocspResponse, signedCertificateTimestamps: given }: Staples): void {
  const response = `${name}.ocspResponse`;
  if (ocspResponse !== undefined && typeof ocspResponse !== 'function')
    integer(`${response}: its length`, requireBytes(response, ocspResponse).length, 0, 1, MAX_RESPONSE);
  if (given === undefined) return;
  const timestamps = `${name}.signedCertificateTimestamps`;
  if (!isBytes(given)) for (const one of list(timestamps, given, '[sct]')) requireBytes(timestamps, one);
  try {
    const bytes = isBytes(given) ? given : encode(SignedCertificateTimestampList, given);
    decode(SignedCertificateTimestampList, bytes);
    if (bytes.length <= MAX_TIMESTAMPS) return;
  } catch {}
  throw new TypeError(`${timestamps}: no list of RFC 6962 §3.3, of ${MAX_TIMESTAMPS} bytes at most`);
}

/** Checks what the user has made by hand, of which a handshake would only say that it fails. */
function ownCredential(name: string, credential: Credential): Credential {
  complete(name, credential, ['certificateChain', 'schemes', 'names', 'sign']);
  const chain = `${name}.certificateChain`;
  for (const der of list(chain, credential.certificateChain, '[der]')) requireBytes(chain, der);
  list(`${name}.schemes`, credential.schemes, "['ed25519']");
  requireArray(`${name}.names`, credential.names, 'an array', "['localhost']");
  callback(`${name}.sign`, credential.sign);
  return credential;
}
