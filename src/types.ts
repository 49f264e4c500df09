/** The types that the signatures of the entries name. Each entry exports them all, so that a program can write down whatever it is given. */

// The server, its events and its reports

export type { Staples } from './crypto/credentials/staples.ts';
export type { SuiteParameters } from './crypto/suites.ts';
export type { ConnectionCore } from './engine/core.ts';
export type { PemCredential } from './engine/credential-options.ts';
export type { Event, Step } from './engine/events.ts';
export type { Fault } from './engine/fault.ts';
export type { ExternalPsk, PskEarlyData } from './engine/psk-options.ts';
export type { Deferred, Question } from './engine/questions.ts';
export type { ClientAuth } from './engine/server/client-auth.ts';
export type { Keylog, OnServerName, ServerConfig } from './engine/server/config.ts';
export type { EarlyData } from './engine/server/early-data.ts';
export type { ExternalPsks } from './engine/server/external-psks.ts';
export type {
  ClientAuthOptions,
  EarlyDataOptions,
  FindPsk,
  LimitOptions,
  ScopeOptions,
  ServerOptions,
  SessionOptions,
  TicketOptions,
} from './engine/server/options.ts';
export type { CacheMode } from './engine/server/policy.ts';
export type { Addresses, ConnectionOptions, ServerConnection } from './engine/server/server-connection.ts';
export type { SessionStatistics } from './engine/server/statistics.ts';
export type { SealedTickets } from './engine/server/ticket-policy.ts';
export type {
  CallbackName,
  Check,
  EarlyDataStatus,
  Mechanism,
  NoEarlyData,
  NoResumption,
  NoTicket,
  Resumption,
  TicketFacts,
  Verdict,
} from './handshake/outcome.ts';
export type { EarlyDataTerms, Psk, WirePsk } from './handshake/psk.ts';
export type { ImportedIdentity } from './handshake/psk-importer.ts';
export type { AntiReplay, EarlyDataAttempt } from './handshake/server/anti-replay.ts';
export type { ClientCertificates, EarlyDataPart, PskSource, ServerHandshake } from './handshake/server/context.ts';
export type {
  ClientAuthSettings,
  Compat,
  EarlyDataSettings,
  OnAlpn,
  Settings,
  TicketSettings,
} from './handshake/server/settings.ts';
export type { AnyTask, Attempt, Handshake, Outcome, ResumeValue, Task, Wait } from './handshake/wait.ts';
export type { ExpectedMessage, HandshakeFrame } from './wire/handshake-buffer.ts';

// Early data: strategies against replay

export type { RecordHellos, RecordHellosOptions } from './engine/server/record-hellos.ts';
export type { SingleUse, SingleUseOptions } from './engine/server/single-use.ts';

// The client

export type { ClientConnection, ConnectOptions } from './engine/client/client-connection.ts';
export type { ClientConfig } from './engine/client/config.ts';
export type { ClientExternalPsks } from './engine/client/external-psks.ts';
export type {
  ClientOptions,
  ClientSessionOptions,
  ClientSessionStore,
  TicketRequest,
  VerifyServer,
} from './engine/client/options.ts';
export type { ClientSettings, HelloEdits, Stapled } from './handshake/client/context.ts';
export type { DraftExtension, DraftPsk, HelloDraft } from './handshake/client/hello-draft.ts';
export type { ClientMechanism, ClientNoResumption, ClientResumption } from './handshake/outcome.ts';

// Sessions, their cache and their callbacks

export type {
  GenerateId,
  Given,
  MayResume,
  NotResumable,
  OnGet,
  OnNew,
  OnRemove,
  OnTake,
  RemovalReason,
} from './cache/callbacks.ts';
export type { RemovalListener, RemovalObserver, SessionCache, SessionCacheOptions } from './cache/session-cache.ts';
export type { ConnectionInfo } from './sessions/connection-info.ts';
export type { ForeignFields, SessionParameters } from './sessions/parameters.ts';
export type { Scope, ScopeField } from './sessions/scope.ts';
export type { Session } from './sessions/session.ts';

// Tickets and their keys

export type { OnDecryptTicket, OnGenerateTicket, TicketAnswer, TicketStatus } from './tickets/callbacks.ts';
export type { TicketCipher, TicketFailure, TicketFormat } from './tickets/format.ts';
export type { NotSealed, TicketKey, TicketKeyOptions } from './tickets/key.ts';
export type { KeyTimer, OpeningKey, Renewal, TicketKeyProvider } from './tickets/key-provider.ts';
export type { RingWorld, RotationOptions, TicketKeyInfo, TicketKeyRing } from './tickets/key-ring.ts';
export type { SealCounts } from './tickets/seal-counts.ts';

// Certificates, private keys and cryptography

export type { Credential } from './crypto/credentials/credential.ts';
export type { PemPair } from './crypto/credentials/credential-pem.ts';
export type { SelfSignedOptions } from './crypto/credentials/self-signed.ts';
export type { PskKind } from './crypto/key-schedule.ts';
export type {
  Aead,
  AeadKey,
  AeadName,
  CryptoProvider,
  DecapsulationKey,
  Encapsulation,
  EphemeralKey,
  Groups,
  Hash,
  HashName,
  HmacKey,
  KeyAgreement,
  KeyEncapsulation,
  PrivateKeyDer,
  PublicKeyDer,
  RandomBytes,
  RunningHash,
  Sign,
  Verify,
} from './crypto/provider.ts';
export type { MlKem768 } from './crypto/providers/ml-kem.ts';

// Names of the protocol, and the world

export type { Awaitable } from './awaitable.ts';
export type { AbortSignalLike } from './platform.ts';
export type { TlsAlert } from './wire/alert.ts';
export type { Pem } from './wire/pem.ts';
export type {
  AlertName,
  CipherSuiteName,
  CurveName,
  GroupName,
  HybridGroupName,
  PskMode,
  SignatureSchemeName,
  Version,
} from './wire/registry.ts';
export type { World } from './world.ts';
