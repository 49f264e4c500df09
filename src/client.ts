/** The entry tls-resume/client: a client of TLS 1.2 and 1.3. */

// The client, its sessions and its reports

export { ClientConnection } from './engine/client/client-connection.ts';
export { defineClient } from './engine/client/define-client.ts';
export { type ClientParameters, ClientSession } from './sessions/client-session.ts';
export { SessionDecodeError } from './sessions/der.ts';
export { Session } from './sessions/session.ts';

// Certificates and private keys

export { credentialFromPem } from './crypto/credentials/credential.ts';
export { webCryptoCredential } from './crypto/credentials/web-crypto-credential.ts';

// Cryptography

export { InvalidPublicKey } from './crypto/provider.ts';
export { defaultProvider } from './crypto/providers/default.ts';
export { fast } from './crypto/providers/fast.ts';
export { noble } from './crypto/providers/noble.ts';
export { webCrypto } from './crypto/providers/web-crypto.ts';
export { webProvider } from './crypto/providers/web-provider.ts';

// Names of the protocol, and the world

export { MissingGlobal } from './platform.ts';
export { TlsAlert } from './wire/alert.ts';
export { systemWorld } from './world.ts';

// What the signatures name

export type * from './types.ts';
