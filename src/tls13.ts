/**
 * The entry tls-resume/tls13, for small bundles: a server of TLS 1.3 alone, with the curves of the host's Web Crypto. Parts that few
 * servers need are exported, to be passed to defineServer(). Everything else is as in the index.
 */

// Tickets and their keys

export { TicketKey, type TicketKeyOptions } from './tickets/key.ts';
export type { KeyTimer } from './tickets/key-provider.ts';
export { type RotationOptions, TicketKeyRing } from './tickets/key-ring.ts';

// Certificates and private keys

export { type Credential, credentialFromPem } from './crypto/credentials/credential.ts';
export { webCryptoCredential } from './crypto/credentials/web-crypto-credential.ts';

// The server, its events and its reports

export type { Event, Step } from './engine/events.ts';
export type { Deferred, Question } from './engine/questions.ts';
export { clientCertificates } from './engine/server/client-auth.ts';
export type { ServerConfig } from './engine/server/config.ts';
export { defineServer, type OptionalParts, type Tls13Options } from './engine/server/define-server-tls13.ts';
export { type ConnectionOptions, connectionOf, ServerConnection } from './engine/server/server-connection.ts';
export { sealedTickets } from './engine/server/ticket-sealing.ts';
export type { CallbackName } from './handshake/outcome.ts';
export type { Outcome } from './handshake/wait.ts';

// The shell over streams and message ports

export { type AcceptOptions, acceptDefined as accept } from './web/accept-defined.ts';
export { fromMessagePort, type PortLike, type PortOptions, type PortStreams } from './web/message-port.ts';
export { TruncationError } from './web/shell.ts';
export type { BytesPair } from './web/streams.ts';
export type { TlsConnection } from './web/tls-connection.ts';

// Sessions, their cache and their callbacks

export { Given, give, type RemovalReason } from './cache/callbacks.ts';
export { SessionCache, type SessionCacheOptions } from './cache/session-cache.ts';
export type { ConnectionInfo } from './sessions/connection-info.ts';
export type { SessionParameters } from './sessions/parameters.ts';
export { Session } from './sessions/session.ts';

// Cryptography

export { type CryptoProvider, InvalidPublicKey } from './crypto/provider.ts';
export { defaultProvider } from './crypto/providers/default.ts';
export { webCrypto } from './crypto/providers/web-crypto.ts';
export { webProvider } from './crypto/providers/web-provider.ts';

// Names of the protocol, and the world

export { MissingGlobal } from './platform.ts';
export { TlsAlert } from './wire/alert.ts';
export type { Pem } from './wire/pem.ts';
export { systemWorld, type World } from './world.ts';
