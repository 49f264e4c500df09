/** The OCSP response and the signed certificate timestamps that a client has asked for: RFC 6066 §8, RFC 6962 §3.3.1, RFC 9846 §4.5.1.1. */

import { later } from '../../awaitable.ts';
import type { Credential } from '../../crypto/credentials/credential.ts';
import { isBytes } from '../../platform.ts';
import { bytesFrom } from '../../wire/bytes.ts';
import { encode } from '../../wire/codec.ts';
import {
  CertificateStatus,
  MAX_RESPONSE,
  OCSP,
  SignedCertificateTimestampList,
} from '../messages/certificate-status.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { type Handshake, perform, type Task } from '../wait.ts';

/** What is sent beside a certificate. */
export interface Stapled {
  /** In DER. */
  readonly ocspResponse: Uint8Array | undefined;
  /** The list, encoded. */
  readonly timestamps: Uint8Array | undefined;
}

/** Returns what the client has asked for, as far as the credential has it, if there is one. */
export function* staple({ extensions }: ClientHello, credential: Credential | undefined): Handshake<Stapled> {
  if (credential === undefined) return { ocspResponse: undefined, timestamps: undefined };
  const { ocspResponse: response, signedCertificateTimestamps } = credential;
  const given = extensions.statusRequest ? response : undefined;
  const list = extensions.signedCertificateTimestamp ? signedCertificateTimestamps : undefined;
  return {
    ocspResponse: typeof given === 'function' ? yield* perform(currentResponse(credential, given)) : given,
    timestamps: list === undefined || isBytes(list) ? list : encode(SignedCertificateTimestampList, list),
  };
}

/** TLS 1.3: the extensions of the certificate (RFC 9846 §4.5.1.1). */
export function entryExtensions({ ocspResponse: response, timestamps }: Stapled) {
  return {
    statusRequest: response && encode(CertificateStatus, { statusType: OCSP, response }),
    signedCertificateTimestamp: timestamps,
  };
}

/** A function that fails costs the client the response, and not the connection. */
function currentResponse(
  credential: Credential,
  respond: () => unknown,
): Task<Uint8Array | undefined, Uint8Array | undefined> {
  return {
    kind: 'ocsp-response',
    callback: 'ocspResponse',
    budgeted: true,
    run: () => later(respond.call(credential), requireResponse),
    conclude: (outcome) => ('value' in outcome && isBytes(outcome.value) ? outcome.value : undefined),
  };
}

function requireResponse(answer: unknown): Uint8Array | undefined {
  const response = bytesFrom(answer);
  if (response !== undefined && response.length > 0 && response.length <= MAX_RESPONSE) return response;
  if (answer === undefined) return undefined;
  throw new TypeError(`ocspResponse(): a Uint8Array of 1 to ${MAX_RESPONSE} bytes is wanted, or undefined`);
}
