/** The entry tls-resume/client: a client of TLS 1.2 and 1.3. */

// The client, its sessions and its reports

export { ClientConnection } from './engine/client/client-connection.ts';
export { defineClient } from './engine/client/define-client.ts';
export { type Acceptance, type ClientParameters, ClientSession } from './sessions/client-session.ts';
export { SessionDecodeError } from './sessions/der.ts';
export { Session } from './sessions/session.ts';

// The shell over streams and message ports

export { connect } from './web/connect.ts';
export type { StreamConnectOptions } from './web/connect-defined.ts';
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
export type { TlsClientConnection } from './web/tls-client-connection.ts';

// Certificates and private keys

export { credentialFromPem } from './crypto/credentials/credential.ts';
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
