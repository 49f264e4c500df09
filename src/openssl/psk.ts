/** SSL_CTX_set_psk_find_session_callback(3), SSL_CTX_set_psk_server_callback(3) as the `psks` of a configuration. */

import { type Awaitable, later } from '../awaitable.ts';
import { suiteById } from '../crypto/suites.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { externalPsks } from '../engine/server/external-psks.ts';
import type { FindPsk } from '../engine/server/options.ts';
import type { HandshakeParts } from '../handshake/server/context.ts';
import { platform } from '../platform.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import { Session } from '../sessions/session.ts';
import { copyOf } from '../wire/bytes.ts';
import { kindOf } from '../wire/kind-of.ts';
import { type AskPsk, type FindPskSession, yes } from './callbacks.ts';

/** The callbacks for external PSKs that a connection copies from its context. */
export interface PskCallbacks<S> {
  readonly findPskSession: FindPskSession<S> | null;
  readonly pskServer: AskPsk<S> | null;
}

/** PSK_MAX_PSK_LEN and PSK_MAX_IDENTITY_LEN of OpenSSL 3, in bytes. */
const MAX_PSK = 512;
const MAX_IDENTITY = 256;

type Found = Awaited<ReturnType<FindPsk>>;

/** Returns the external PSKs of a connection: those of the callbacks if there is one, and otherwise those of the options. */
export function pskSource<S>(
  callbacks: PskCallbacks<S>,
  base: ServerConfig,
  sslOf: (info: ConnectionInfo) => S,
): HandshakeParts['psks'] {
  if (callbacks.findPskSession === null && callbacks.pskServer === null) return base.psks;
  const alone = base.psks?.isAlone === true;
  const credentials = alone ? undefined : base.credentials;
  const options = {
    psks: findPsk(callbacks, sslOf),
    hideUnknownPsks: alone ? base.psks?.hides : undefined,
    credentials,
    clientAuth: undefined,
  };
  return externalPsks.settings(options, base.crypto, base.suites);
}

/** The callback for sessions comes first, and is for TLS 1.3 alone. */
function findPsk<S>(
  { findPskSession: find, pskServer: ask }: PskCallbacks<S>,
  sslOf: (info: ConnectionInfo) => S,
): FindPsk {
  return (identity, info) => {
    const found = find === null || info.version !== 'TLSv1.3' ? undefined : foundSession(find, sslOf(info), identity);
    return later(found, (psk) => psk ?? (ask === null ? undefined : askedPsk(ask, sslOf(info), identity)));
  };
}

/** @throws Error if the callback answers 0; TypeError if what it has found is no session of TLS 1.3 */
function foundSession<S>(find: FindPskSession<S>, ssl: S, identity: Uint8Array): Awaitable<Found> {
  const session: { value: Session | null } = { value: null };
  return later(yes(find(ssl, identity, session)), (isDone) => {
    if (!isDone) throw new Error('the callback that finds the sessions of PSKs answered 0');
    const { value } = session;
    if (value === null || value === undefined) return undefined;
    if (!Session.isSession(value)) throw new TypeError(`session.value: a Session is wanted, not ${kindOf(value)}`);
    try {
      const suite = suiteById(value.cipherSuite);
      if (suite?.version !== 'TLSv1.3') throw new TypeError('session.value: a session of TLS 1.3 is wanted');
      return { secret: copyOf(value.secret), hash: suite.hash };
    } finally {
      value.free(); // the hold that came with it
    }
  });
}

/** Identities are text here: one that is no UTF-8, or has a NUL, has no name in C. The hash is that of TLS_AES_128_GCM_SHA256. */
function askedPsk<S>(ask: AskPsk<S>, ssl: S, identity: Uint8Array): Awaitable<Found> {
  const name = identity.length > MAX_IDENTITY ? undefined : textOf(identity);
  if (name === undefined) return undefined;
  const psk = new Uint8Array(MAX_PSK);
  return later<unknown, Found>(ask(ssl, name, psk), (length) => {
    if (length === 0 || length === undefined || length === null) return undefined;
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length > MAX_PSK)
      throw new RangeError(
        `a PSK of ${typeof length === 'number' ? length : kindOf(length)} bytes; ${MAX_PSK} are possible`,
      );
    return { secret: psk.subarray(0, length) };
  });
}

function textOf(identity: Uint8Array): string | undefined {
  if (identity.includes(0)) return undefined;
  try {
    return new platform.TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(identity);
  } catch {
    return undefined;
  }
}
