/** The API of OpenSSL's manual pages over the same engine: it translates and decides nothing. */

export type {
  GenerateSessionIdCallback,
  GetSessionCallback,
  Int,
  NewSessionCallback,
  NotResumableSessionCallback,
  RemoveSessionCallback,
  VerifyCallback,
} from './openssl/callbacks.ts';
export * from './openssl/constants.ts';
export * from './openssl/session.ts';
export { Ssl, type SslOptions } from './openssl/ssl.ts';
export { SslContext } from './openssl/ssl-context.ts';
export type {
  DecryptTicketCallback,
  GenerateTicketCallback,
  TicketCipherContext,
  TicketKeyCallback,
  TicketMacContext,
} from './openssl/ticket-callbacks.ts';
export { Session } from './sessions/session.ts';
