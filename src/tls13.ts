/**
 * A server of TLS 1.3 and nothing else, for bundles: the curves are the host's Web Crypto's, and what few servers need is named
 * by those who need it. What it exports besides defineServer() is what the index exports.
 */

import type { Credential } from './crypto/credentials/credential.ts';
import { webProvider } from './crypto/providers/web-provider.ts';
import { requireKnown } from './engine/server/checks.ts';
import type { ServerConfig } from './engine/server/config.ts';
import { configure } from './engine/server/configure.ts';
import type { ServerOptions } from './engine/server/options.ts';
import type { Parts } from './engine/server/parts.ts';
import { tls13 } from './handshake/server/server-tls13.ts';

export { Given, give, type RemovalReason } from './cache/callbacks.ts';
export { SessionCache, type SessionCacheOptions } from './cache/session-cache.ts';
export { type Credential, credentialFromPem } from './crypto/credentials/credential.ts';
export { webCryptoCredential } from './crypto/credentials/web-crypto-credential.ts';
export { type CryptoProvider, InvalidPublicKey } from './crypto/provider.ts';
export { defaultProvider } from './crypto/providers/default.ts';
export { webCrypto } from './crypto/providers/web-crypto.ts';
export { webProvider } from './crypto/providers/web-provider.ts';
export type { Deferred, Event, Question, Step } from './engine/events.ts';
export type { ServerConfig } from './engine/server/config.ts';
export { type ConnectionOptions, ServerConnection } from './engine/server/server-connection.ts';
export { sealedTickets } from './engine/server/ticket-sealing.ts';
export type { CallbackName } from './handshake/outcome.ts';
export { clientCertificates } from './handshake/server/client-authentication.ts';
export type { Outcome } from './handshake/wait.ts';
export type { ConnectionInfo } from './sessions/connection-info.ts';
export type { SessionParameters } from './sessions/parameters.ts';
export { Session } from './sessions/session.ts';
export { TicketKey, type TicketKeyOptions } from './tickets/key.ts';
export { type RotationOptions, TicketKeyRing } from './tickets/key-ring.ts';
export { type AcceptOptions, acceptDefined as accept } from './web/accept-defined.ts';
export { fromMessagePort, type PortLike, type PortOptions, type PortStreams } from './web/message-port.ts';
export { TruncationError } from './web/shell.ts';
export type { BytesPair } from './web/streams.ts';
export type { TlsConnection } from './web/tls-connection.ts';
export { TlsAlert } from './wire/alert.ts';
export { systemWorld, type World } from './world.ts';

/** What {@link defineServer} does not bring along by itself. */
export type OptionalParts = Pick<Parts, 'clientCertificates' | 'sealedTickets'>;

export interface Tls13Options
  extends Omit<ServerOptions, 'credentials' | 'minVersion' | 'maxVersion' | 'requireExtendedMasterSecret'> {
  /** Made by {@link webCryptoCredential} or {@link credentialFromPem}, or something that signs. The first that fits is used. */
  readonly credentials: readonly Credential[];
  /** Default: {@link webProvider}. With {@link defaultProvider} the curves are @noble's. */
  readonly crypto?: ServerOptions['crypto'];
}

/**
 * A server that any shell can run, and that has no TLS 1.2: a client without TLS 1.3 gets the alert protocol_version.
 * `parts` are what it is to have besides: `{ clientCertificates }` for `clientAuth`, `{ sealedTickets }` for the `tickets.mode`
 * 'stateless'.
 * @throws TypeError naming the option that is unknown, missing or of the wrong kind; RangeError for a value out of range
 */
export function defineServer(options: Tls13Options, parts: OptionalParts = {}): ServerConfig {
  requireKnown('parts.', parts, 'clientCertificates sealedTickets');
  const { requireExtendedMasterSecret }: Partial<ServerOptions> = options;
  if (requireExtendedMasterSecret !== undefined)
    throw new TypeError('requireExtendedMasterSecret is for TLS 1.2, which this server does not have');
  return configure(options, { ...parts, protocols: [tls13], crypto: webProvider });
}
