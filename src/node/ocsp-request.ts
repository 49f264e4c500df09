/** The event 'OCSPRequest' of node:tls: a credential whose OCSP response its listeners give. */

import type { Awaitable } from '../awaitable.ts';
import type { Credential } from '../crypto/credentials/credential.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { brandConfig } from '../engine/server/config-brand.ts';
import type { SignatureSchemeName } from '../wire/registry.ts';

/** The answer of an 'OCSPRequest' listener: an error, which ends the connection; the response in DER; or null for none. */
export type OcspRequestCallback = (error?: Error | null, response?: Uint8Array | null) => void;

/** Asks for the response of a certificate, given the chain in DER. */
type AskForResponse = (chain: readonly Uint8Array[]) => Awaitable<Uint8Array | undefined>;

/** Returns the configuration with credentials that ask, as far as they have no response of their own. */
export function asking(config: ServerConfig, ask: AskForResponse): ServerConfig {
  const credentials = config.credentials.map((each) =>
    each.ocspResponse === undefined ? new AskedCredential(each, ask) : each,
  );
  return brandConfig({ ...config, credentials });
}

/** A credential as it was given, whose OCSP response is asked for in each handshake. */
class AskedCredential implements Credential {
  readonly #given: Credential;
  readonly #ask: AskForResponse;

  constructor(given: Credential, ask: AskForResponse) {
    this.#given = given;
    this.#ask = ask;
  }

  get certificateChain(): Credential['certificateChain'] {
    return this.#given.certificateChain;
  }

  get schemes(): Credential['schemes'] {
    return this.#given.schemes;
  }

  get schemesTls12(): Credential['schemesTls12'] {
    return this.#given.schemesTls12;
  }

  get names(): Credential['names'] {
    return this.#given.names;
  }

  get certificateSchemes(): Credential['certificateSchemes'] {
    return this.#given.certificateSchemes;
  }

  get signedCertificateTimestamps(): Credential['signedCertificateTimestamps'] {
    return this.#given.signedCertificateTimestamps;
  }

  get ocspResponse(): () => Awaitable<Uint8Array | undefined> {
    return () => this.#ask(this.#given.certificateChain);
  }

  sign(scheme: SignatureSchemeName, message: Uint8Array): Awaitable<Uint8Array> {
    return this.#given.sign(scheme, message);
  }
}
