/** Options of node:tls that are not options here, with what to use instead, for programs that migrate. */

import type { TlsOptions } from 'node:tls';
import type { NodeServerOptions } from './options.ts';

const NONE = 'nothing corresponds to it: leave it out';
const ORDER = "the server's order counts always: leave it out";
const PEM = 'cert and key, PEM and not encrypted';
const SIGNER = 'credentials, where something that signs may stand for a key';
const SOCKET = 'a method of the sockets, or of the net.Server';
const POLICY = 'clientAuth, and for its authorities clientAuth.authorities';
const JUDGE = 'clientAuth.verifyClient, which judges the chain';

/** All of them, which the type checks; docs/node-tls.md explains them. */
const INSTEAD: Readonly<Record<Exclude<keyof TlsOptions, keyof NodeServerOptions>, string>> = {
  ALPNCallback: 'onAlpn',
  ALPNProtocols: 'alpn',
  SNICallback: 'onServerName',
  allowPartialTrustChain: JUDGE,
  ca: POLICY,
  clientCertEngine: NONE,
  crl: JUDGE,
  dhparam: NONE,
  ecdhCurve: 'groups',
  enableTrace: "the event 'tlsEvent', or keylog",
  highWaterMark: NONE,
  honorCipherOrder: ORDER,
  keepAlive: SOCKET,
  keepAliveInitialDelay: SOCKET,
  noDelay: 'it is always set: leave it out',
  passphrase: PEM,
  pauseOnConnect: NONE,
  pfx: PEM,
  privateKeyEngine: SIGNER,
  privateKeyIdentifier: SIGNER,
  pskCallback: 'psks, PSKs or a function that finds them',
  pskIdentityHint: 'hints are not sent: leave it out',
  rejectUnauthorized: "clientAuth.mode, 'require' or 'request'",
  requestCert: 'clientAuth',
  secureContext: 'config, which defineServer() makes',
  secureOptions: NONE,
  secureProtocol: 'minVersion and maxVersion',
  sessionIdContext: 'sessions.idContext, as bytes',
  sessionTimeout: 'sessions.timeout',
  sigalgs: "the certificate's key decides: leave it out",
};

/** @throws TypeError for an option of node:tls: ignoring it could leave a server open that is meant to be closed */
export function refuseNodeNames(options: object): void {
  const [found] = Object.entries(INSTEAD).filter(([name]) => Object.hasOwn(options, name));
  if (found !== undefined)
    throw new TypeError(`unknown option ${found[0]}, which is one of node:tls; here: ${found[1]}`);
}
