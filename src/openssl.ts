/** The API of OpenSSL's manual pages over the same engine: it translates and decides nothing. */

export type {
  AllowEarlyData,
  AskPsk,
  FindPskSession,
  GenerateSessionId,
  GetSession,
  Int,
  NewSession,
  NotResumableSession,
  RemoveSession,
  VerifyChain,
} from './openssl/callbacks.ts';
export * from './openssl/constants.ts';
export type { ContextSessions } from './openssl/context-sessions.ts';
export type { CopiedSettings } from './openssl/copied-settings.ts';
export * from './openssl/session.ts';
export {
  type AllowEarlyDataCallback,
  type DecryptTicketCallback,
  type GenerateSessionIdCallback,
  type GenerateTicketCallback,
  type GetSessionCallback,
  type NewSessionCallback,
  type NotResumableSessionCallback,
  type PskFindSessionCallback,
  type PskServerCallback,
  type RemoveSessionCallback,
  Ssl,
  SslContext,
  type TicketKeyCallback,
  type VerifyCallback,
} from './openssl/ssl.ts';
export type { SslConnection, SslOptions } from './openssl/ssl-connection.ts';
export type {
  AskTicketKey,
  DecryptTicket,
  GenerateTicket,
  TicketCipherContext,
  TicketMacContext,
} from './openssl/ticket-callbacks.ts';
export { Session } from './sessions/session.ts';
export type * from './types.ts';
