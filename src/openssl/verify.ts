/** SSL_CTX_set_verify(3), and what it comes to: whether clients are asked for certificates, and who judges them. */

import type { ServerConfig } from '../engine/server/config.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import { type VerifyCallback, yes } from './callbacks.ts';
import {
  SSL_VERIFY_CLIENT_ONCE,
  SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
  SSL_VERIFY_NONE,
  SSL_VERIFY_PEER,
} from './constants.ts';
import type { Ssl } from './ssl.ts';

type ClientAuth = ServerConfig['clientAuth'];

/** The two things that it sets. */
export interface Verify {
  readonly verifyMode: number;
  readonly verifyCallback: VerifyCallback | null;
}

const MODES = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT | SSL_VERIFY_CLIENT_ONCE;

/** A context starts with what its server was defined with. */
export function initialVerify(base: ClientAuth): Verify {
  if (base === undefined) return { verifyMode: SSL_VERIFY_NONE, verifyCallback: null };
  const isRequired = base.mode === 'require';
  return {
    verifyMode: isRequired ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER,
    verifyCallback: null,
  };
}

/** As in OpenSSL `null` keeps the callback before. @throws RangeError for a mode that would mean nothing here */
export function changedVerify(before: Verify, mode: number, callback: VerifyCallback | null): Verify {
  if ((mode & ~MODES) !== 0) throw new RangeError(`verify mode 0x${mode.toString(16)} is not known`);
  return { verifyMode: mode, verifyCallback: callback ?? before.verifyCallback };
}

/** Without SSL_VERIFY_PEER the other bits say nothing. */
export function clientAuth(
  { verifyMode, verifyCallback: callback }: Verify,
  base: ClientAuth,
  sslOf: (info: ConnectionInfo) => Ssl,
): ClientAuth {
  if ((verifyMode & SSL_VERIFY_PEER) === 0) return undefined;
  const { authorities = [], anchors = [], verifyClient = refuse } = base ?? {};
  return {
    mode: verifyMode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT ? 'require' : 'request',
    verifyClient: callback === null ? verifyClient : (chain, info) => yes(callback(sslOf(info), chain)),
    authorities,
    anchors,
  };
}

/** There is nobody to tell a good chain from a bad one. */
function refuse(): never {
  throw new Error('SSL_VERIFY_PEER without a callback: give setVerify() one');
}
