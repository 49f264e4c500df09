/** The entry tls-resume: the idiomatic API. */

// The server, its events and its reports

export type { Event, Step } from './engine/events.ts';
export type { Deferred, Question } from './engine/questions.ts';
export type { ServerConfig } from './engine/server/config.ts';
export { defineServer } from './engine/server/define-server.ts';
export type {
  ClientAuthOptions,
  PemCredential,
  ScopeOptions,
  ServerOptions,
  SessionOptions,
  TicketOptions,
} from './engine/server/options.ts';
export type { CacheMode } from './engine/server/policy.ts';
export { type ConnectionOptions, connectionOf, ServerConnection } from './engine/server/server-connection.ts';
export type { SessionStatistics } from './engine/server/statistics.ts';
export { warmup } from './engine/server/warmup.ts';
export type {
  CallbackName,
  Check,
  Mechanism,
  NoResumption,
  NoTicket,
  Resumption,
  TicketFacts,
  Verdict,
} from './handshake/outcome.ts';
export type { Outcome } from './handshake/wait.ts';

// The shell over streams and message ports

export { accept } from './web/accept.ts';
export type { AcceptOptions } from './web/accept-defined.ts';
export { flushInSlices } from './web/flush.ts';
export { fromMessagePort, type PortLike, type PortOptions, type PortStreams } from './web/message-port.ts';
export { TruncationError } from './web/shell.ts';
export type { BytesPair, BytesSink, BytesSource, ReadableBytes, WritableBytes } from './web/streams.ts';
export type { TlsConnection } from './web/tls-connection.ts';

// Sessions, their cache and their callbacks

export {
  type GenerateId,
  Given,
  give,
  type MayResume,
  type NotResumable,
  type OnGet,
  type OnNew,
  type OnRemove,
  type OnTake,
  type RemovalReason,
} from './cache/callbacks.ts';
export { SessionCache, type SessionCacheOptions } from './cache/session-cache.ts';
export type { ConnectionInfo } from './sessions/connection-info.ts';
export { SESSION_PEM_LABEL, SessionDecodeError } from './sessions/der.ts';
export type { SessionParameters } from './sessions/parameters.ts';
export type { Scope, ScopeField } from './sessions/scope.ts';
export { Session } from './sessions/session.ts';

// Tickets and their keys

export type { OnDecryptTicket, OnGenerateTicket, TicketAnswer, TicketStatus } from './tickets/callbacks.ts';
export type { TicketCipher, TicketFailure, TicketFormat } from './tickets/format.ts';
export { aeadTickets } from './tickets/format-aead.ts';
export { cbcTickets } from './tickets/format-cbc.ts';
export { type NotSealed, TicketKey, type TicketKeyOptions } from './tickets/key.ts';
export { TicketKeyFileError, type TicketKeyProducer, ticketKeyFile, ticketKeysFrom } from './tickets/key-files.ts';
export type { KeyTimer, OpeningKey, Renewal, TicketKeyProvider } from './tickets/key-provider.ts';
export { type RingWorld, type RotationOptions, type TicketKeyInfo, TicketKeyRing } from './tickets/key-ring.ts';
export { WeakTicketKeyError } from './tickets/key-strength.ts';
export { SealCounts } from './tickets/seal-counts.ts';

// Certificates and private keys

export { type Credential, credentialFromPem } from './crypto/credentials/credential.ts';
export { selfSignedCertificate } from './crypto/credentials/self-signed.ts';
export { webCryptoCredential } from './crypto/credentials/web-crypto-credential.ts';

// Cryptography

export {
  type Aead,
  type AeadKey,
  type CryptoProvider,
  type EphemeralKey,
  type Hash,
  type HmacKey,
  InvalidPublicKey,
  type KeyAgreement,
  type PrivateKeyDer,
  type PublicKeyDer,
  type RandomBytes,
  type RunningHash,
  type Sign,
  type Verify,
} from './crypto/provider.ts';
export { defaultProvider } from './crypto/providers/default.ts';
export { fast } from './crypto/providers/fast.ts';
export { noble } from './crypto/providers/noble.ts';
export { webCrypto } from './crypto/providers/web-crypto.ts';
export { webProvider } from './crypto/providers/web-provider.ts';

// Names of the protocol, and the world

export type { Awaitable } from './awaitable.ts';
export { MissingGlobal } from './platform.ts';
export { TlsAlert } from './wire/alert.ts';
export type { Pem } from './wire/pem.ts';
export type { AlertName, CipherSuiteName, GroupName, PskMode, SignatureSchemeName, Version } from './wire/registry.ts';
export { systemWorld, type World } from './world.ts';
