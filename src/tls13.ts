/**
 * The entry tls-resume/tls13, for small bundles: a server of TLS 1.3 alone, with the curves of the host's Web Crypto. Parts that few
 * servers need are exported, to be passed to defineServer(). Everything else is as in the index.
 */

// Tickets and their keys

export { TicketKey } from './tickets/key.ts';
export { TicketKeyRing } from './tickets/key-ring.ts';

// Certificates and private keys

export { credentialFromPem } from './crypto/credentials/credential.ts';
export { webCryptoCredential } from './crypto/credentials/web-crypto-credential.ts';

// The server, its events and its reports

export { clientCertificates } from './engine/server/client-auth-tls13.ts';
export { defineServer, type OptionalParts, type Tls13Options } from './engine/server/define-server-tls13.ts';
export { earlyData } from './engine/server/early-data.ts';
export { externalPsks } from './engine/server/external-psks.ts';
export { connectionOf, ServerConnection } from './engine/server/server-connection.ts';
export { sealedTickets } from './engine/server/ticket-sealing.ts';
export { importedIdentity } from './handshake/psk-importer.ts';

// The shell over streams and message ports

export { type AcceptOptions, acceptDefined as accept } from './web/accept-defined.ts';
export type { ConnectionStreams, StreamedConnection } from './web/connection-streams.ts';
export type { StreamOptions } from './web/establish.ts';
export { fromMessagePort, type PortLike, type PortOptions, type PortStreams } from './web/message-port.ts';
export { type OnCallbackError, TruncationError } from './web/shell.ts';
export type {
  BytesPair,
  BytesReader,
  BytesSink,
  BytesSource,
  BytesWriter,
  PipeOptions,
  ReadableBytes,
  ReadResult,
  WritableBytes,
} from './web/streams.ts';
export type { TlsConnection } from './web/tls-connection.ts';

// Early data: strategies against replay

export { recordHellos } from './engine/server/record-hellos.ts';
export { singleUse } from './engine/server/single-use.ts';

// Sessions, their cache and their callbacks

export { Given, give } from './cache/callbacks.ts';
export { SessionCache } from './cache/session-cache.ts';
export { Session } from './sessions/session.ts';

// Cryptography

export { InvalidPublicKey } from './crypto/provider.ts';
export { defaultProvider } from './crypto/providers/default.ts';
export { hostMlKem768 } from './crypto/providers/host-ml-kem.ts';
export { hybridGroups } from './crypto/providers/hybrid-groups.ts';
export { webCrypto } from './crypto/providers/web-crypto.ts';
export { webProvider } from './crypto/providers/web-provider.ts';

// Names of the protocol, and the world

export { MissingGlobal } from './platform.ts';
export { TlsAlert } from './wire/alert.ts';
export { systemWorld } from './world.ts';

// What the signatures name

export type * from './types.ts';
