/** The entry tls-resume: the idiomatic API. */

// The server, its events and its reports

export { defineServer } from './engine/server/define-server.ts';
export { connectionOf, ServerConnection } from './engine/server/server-connection.ts';
export { warmup } from './engine/server/warmup.ts';
export { importedIdentity } from './handshake/psk-importer.ts';

// The shell over streams and message ports

export { accept } from './web/accept.ts';
export type { AcceptOptions } from './web/accept-defined.ts';
export type { ConnectionStreams, StreamedConnection } from './web/connection-streams.ts';
export type { StreamOptions } from './web/establish.ts';
export { flushInSlices } from './web/flush.ts';
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
export { SESSION_PEM_LABEL, SessionDecodeError } from './sessions/der.ts';
export { Session } from './sessions/session.ts';

// Tickets and their keys

export { aeadTickets } from './tickets/format-aead.ts';
export { cbcTickets } from './tickets/format-cbc.ts';
export { TicketKey } from './tickets/key.ts';
export { TicketKeyFileError, type TicketKeyProducer, ticketKeyFile, ticketKeysFrom } from './tickets/key-files.ts';
export { TicketKeyRing } from './tickets/key-ring.ts';
export { WeakTicketKeyError } from './tickets/key-strength.ts';
export { SealCounts } from './tickets/seal-counts.ts';

// Certificates and private keys

export { credentialFromPem } from './crypto/credentials/credential.ts';
export { selfSignedCertificate } from './crypto/credentials/self-signed.ts';
export { webCryptoCredential } from './crypto/credentials/web-crypto-credential.ts';

// Cryptography

export { InvalidPublicKey } from './crypto/provider.ts';
export { defaultProvider } from './crypto/providers/default.ts';
export { fast } from './crypto/providers/fast.ts';
export { hostMlKem768 } from './crypto/providers/host-ml-kem.ts';
export { hybridGroups } from './crypto/providers/hybrid-groups.ts';
export { noble } from './crypto/providers/noble.ts';
export { webCrypto } from './crypto/providers/web-crypto.ts';
export { webProvider } from './crypto/providers/web-provider.ts';

// Names of the protocol, and the world

export { MissingGlobal } from './platform.ts';
export { TlsAlert } from './wire/alert.ts';
export { systemWorld } from './world.ts';

// What the signatures name

export type * from './types.ts';
