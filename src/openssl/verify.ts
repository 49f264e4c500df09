/** SSL_CTX_set_verify(3) as the `clientAuth` of a configuration. */

import type { ServerConfig } from '../engine/server/config.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import { requireCallback, requireInt, type VerifyChain, yes } from './callbacks.ts';
import {
  SSL_VERIFY_CLIENT_ONCE,
  SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
  SSL_VERIFY_NONE,
  SSL_VERIFY_PEER,
} from './constants.ts';

type ClientAuth = ServerConfig['clientAuth'];

/** The settings of SSL_CTX_set_verify(3). */
export interface Verify<S> {
  readonly verifyMode: number;
  readonly verifyCallback: VerifyChain<S> | null;
}

const MODES = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT | SSL_VERIFY_CLIENT_ONCE;

/** The verify mode that corresponds to the `clientAuth` of the server's definition. */
export function initialVerify<S>(base: ClientAuth): Verify<S> {
  if (base === undefined) return { verifyMode: SSL_VERIFY_NONE, verifyCallback: null };
  const isRequired = base.mode === 'require';
  return {
    verifyMode: isRequired ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER,
    verifyCallback: null,
  };
}

/** As in OpenSSL, `null` keeps the previous callback. @throws RangeError for a mode without meaning here */
export function changedVerify<S>(before: Verify<S>, mode: number, callback: VerifyChain<S> | null): Verify<S> {
  requireInt('setVerify()', mode);
  requireCallback('setVerify()', callback);
  if ((mode & ~MODES) !== 0) throw new RangeError(`verify mode 0x${mode.toString(16)} is not known`);
  return { verifyMode: mode, verifyCallback: callback ?? before.verifyCallback };
}

/** `undefined` without SSL_VERIFY_PEER: the other bits have no effect then. */
export function clientAuth<S>(
  { verifyMode, verifyCallback: callback }: Verify<S>,
  base: ClientAuth,
  sslOf: (info: ConnectionInfo) => S,
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

/** Refuses every chain: without a callback, no chain can be told from a forged one. */
function refuse(): never {
  throw new Error('SSL_VERIFY_PEER without a callback: give setVerify() one');
}
