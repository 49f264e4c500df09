/** The Node shell: a server and a client like node:tls's, over node:net, and TLS over any Duplex. */

export type { DrivenConnection } from '../engine/driver.ts';
export { connectionOf } from '../engine/server/server-connection.ts';
export type { NodeSession } from '../sessions/node-session.ts';
export type * from '../types.ts';
export { accept } from './accept.ts';
export type { ClientSocketOptions, ConnectTarget, NodeClientOptions } from './client-options.ts';
export { TlsClientSocket } from './client-socket.ts';
export { connect } from './connect.ts';
export type { ConnectionSocket, SocketConnection } from './connection-socket.ts';
export type { DuplexSocket } from './duplex-socket.ts';
export type { ConnectionSocketEvents, Listen, TlsClientSocketEvents, TlsEvent, TlsSocketEvents } from './events.ts';
export { nodeCrypto } from './node-crypto.ts';
export { unwrapNodeSession, wrapNodeSession } from './node-session.ts';
export type { OcspRequestCallback } from './ocsp-request.ts';
export type { EphemeralKeyInfo } from './openssl-names.ts';
export type { FaultsOf, NodeServerOptions, ServerSocketOptions, TlsSocketOptions } from './options.ts';
export { createServer, Server } from './server.ts';
export type { ResumeSessionCallback, ServerEvents } from './server-events.ts';
export { TlsSocket } from './socket.ts';
export { type ChainVerifier, type VerifyChainOptions, verifyChain } from './verify-chain.ts';
