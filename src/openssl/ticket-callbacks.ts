/** OpenSSL's callbacks about tickets, and how the engine sees them. `S` is the connection that a callback is called for. */

import { type Awaitable, later } from '../awaitable.ts';
import type { HashName, RandomBytes } from '../crypto/provider.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import type { Session } from '../sessions/session.ts';
import type { OnDecryptTicket, OnGenerateTicket, TicketAnswer, TicketStatus } from '../tickets/callbacks.ts';
import { draw, KEY_NAME_LENGTH, type TicketFormat } from '../tickets/format.ts';
import { cbcTickets } from '../tickets/format-cbc.ts';
import { TicketKey } from '../tickets/key.ts';
import type { OpeningKey, TicketKeyProvider } from '../tickets/key-provider.ts';
import { TlsAlert } from '../wire/alert.ts';
import { concat, copyOf, EMPTY, wipe } from '../wire/bytes.ts';
import { type Int, yes } from './callbacks.ts';
import {
  SSL_TICKET_EMPTY,
  SSL_TICKET_NO_DECRYPT,
  SSL_TICKET_RETURN_ABORT,
  SSL_TICKET_RETURN_IGNORE,
  SSL_TICKET_RETURN_IGNORE_RENEW,
  SSL_TICKET_RETURN_USE,
  SSL_TICKET_RETURN_USE_RENEW,
  SSL_TICKET_SUCCESS,
  SSL_TICKET_SUCCESS_RENEW,
} from './constants.ts';

/** Finds the connection that a callback is called for. */
type SslOf<S> = (info: ConnectionInfo) => S;

/** A connection that lends the session of the ticket under way while `make` runs. */
interface TicketMaker {
  making<T>(session: Session, make: () => Awaitable<T>): Awaitable<T>;
}

/** The argument of EVP_EncryptInit_ex(3): the key of AES-CBC, 16 or 32 bytes. It is copied. */
export interface TicketCipherContext {
  key: Uint8Array;
}

/** The arguments of EVP_MAC_init(3): the HMAC key, as long as the AES key, and its hash. The key is copied. */
export interface TicketMacContext {
  key: Uint8Array;
  /** SHA-256 unless the callback changes it. */
  hash: HashName;
}

/**
 * SSL_CTX_set_tlsext_ticket_key_evp_cb(3). If `enc` is 1, a ticket is to be sealed: the callback writes the 16-byte name of the
 * key into `keyName`, which is zero-filled, and may write its own vector into `iv`, which is random. If `enc` is 0, a ticket is
 * to be opened: `keyName` and `iv` are the ticket's. The callback puts the keys into `cipher` and `mac`. It returns, or promises,
 * a negative number to end the handshake, 0 for "no such key" or "no ticket", 1 for "use this key", and 2 for "use this key, and
 * send the client a new ticket".
 */
export type AskTicketKey<S> = (
  ssl: S,
  keyName: Uint8Array,
  iv: Uint8Array,
  cipher: TicketCipherContext,
  mac: TicketMacContext,
  enc: 0 | 1,
) => Awaitable<number>;

/**
 * SSL_CTX_set_session_ticket_cb(3), `gen_cb`. Called before a ticket is made; `ssl.getSession()` is its session. Returning 0 ends
 * the handshake.
 */
export type GenerateTicket<S> = (ssl: S) => Awaitable<Int>;

/**
 * SSL_CTX_set_session_ticket_cb(3), `dec_cb`. `status` is the result of opening a ticket, one of SSL_TICKET_…; the callback
 * returns what to do about it, one of SSL_TICKET_RETURN_…. `keyName` has 16 bytes, or fewer if the ticket is shorter.
 */
export type DecryptTicket<S> = (
  ssl: S,
  session: Session | null,
  keyName: Uint8Array,
  status: number,
) => Awaitable<number>;

const IV_LENGTH = 16;

interface KeyParts {
  readonly keyName: Uint8Array;
  readonly iv: Uint8Array;
  readonly cipher: TicketCipherContext;
  readonly mac: TicketMacContext;
}

/** The key callback as the engine's provider of keys. If it throws, that is an event, and there is no key. */
export function ticketKeyProvider<S>(callback: AskTicketKey<S>, sslOf: SslOf<S>, randomBytes: RandomBytes) {
  const ask = (info: ConnectionInfo, keyName: Uint8Array, iv: Uint8Array, enc: 0 | 1) => {
    const parts: KeyParts = { keyName, iv, cipher: { key: EMPTY }, mac: { key: EMPTY, hash: 'sha256' } };
    const answer = callback(sslOf(info), keyName, iv, parts.cipher, parts.mac, enc);
    return later(answer, (code) => ({ code, key: keyOf(code, parts) }));
  };
  return {
    sealingKey: (info) => {
      const iv = copyOf(draw(randomBytes, IV_LENGTH));
      return later(ask(info, new Uint8Array(KEY_NAME_LENGTH), iv, 1), ({ key }) => key);
    },
    openingKeys: (keyName, info, ticket) => {
      const iv = copyOf(ticket.subarray(KEY_NAME_LENGTH, KEY_NAME_LENGTH + IV_LENGTH));
      return later(ask(info, copyOf(keyName), iv, 0), ({ code, key }): OpeningKey[] =>
        key === undefined ? [] : [{ key, renewal: code === 2 ? 'due' : 'declined' }],
      );
    },
  } satisfies TicketKeyProvider;
}

/** @throws TlsAlert for a negative answer; TypeError if it is not a number; RangeError for a key of the wrong length */
function keyOf(code: number, { keyName, iv, cipher, mac }: KeyParts): TicketKey | undefined {
  if (typeof code !== 'number') throw new TypeError('the ticket key callback: a number is wanted');
  if (code < 0) throw new TlsAlert('internal_error', 'the ticket key callback has failed');
  if (code === 0) return undefined;
  const length = cipher.key.length;
  if (length !== 16 && length !== 32) throw new RangeError(`an AES key of ${length} bytes; 16 or 32 are possible`);
  const secret = concat(mac.key, cipher.key);
  try {
    const format = forOneTicket(cbcTickets(length, mac.hash), iv, () => key.destroy());
    const key: TicketKey = new TicketKey(format, keyName, secret);
    return key;
  } finally {
    wipe(secret);
  }
}

/** The callback is asked for each ticket anew, so its key is wiped after one use. */
function forOneTicket(format: TicketFormat, iv: Uint8Array, destroy: () => void): TicketFormat {
  return {
    ...format,
    cipher: (keyName, secret) => {
      const cipher = format.cipher(keyName, secret);
      const once = <T>(use: () => T): T => {
        try {
          return use();
        } finally {
          destroy();
        }
      };
      return {
        seal: (plaintext) => once(() => cipher.seal(plaintext, () => iv)),
        open: (ticket) => once(() => cipher.open(ticket)),
        wipe: () => cipher.wipe(),
      };
    },
  };
}

const STATUSES: Readonly<Record<TicketStatus, number>> = {
  empty: SSL_TICKET_EMPTY,
  'no-decrypt': SSL_TICKET_NO_DECRYPT,
  success: SSL_TICKET_SUCCESS,
  'success-renew': SSL_TICKET_SUCCESS_RENEW,
};

const ANSWERS: ReadonlyMap<number, TicketAnswer> = new Map([
  [SSL_TICKET_RETURN_ABORT, 'abort'],
  [SSL_TICKET_RETURN_IGNORE, 'ignore'],
  [SSL_TICKET_RETURN_IGNORE_RENEW, 'ignore-renew'],
  [SSL_TICKET_RETURN_USE, 'use'],
  [SSL_TICKET_RETURN_USE_RENEW, 'use-renew'],
]);

export function onGenerateTicket<S extends TicketMaker>(
  callback: GenerateTicket<S>,
  sslOf: SslOf<S>,
): OnGenerateTicket {
  return (session, info) => {
    const ssl = sslOf(info);
    return yes(ssl.making(session, () => callback(ssl)));
  };
}

export function onDecryptTicket<S>(callback: DecryptTicket<S>, sslOf: SslOf<S>): OnDecryptTicket {
  return (session, keyName, status, info) => {
    const answer = callback(sslOf(info), session ?? null, keyName, STATUSES[status]);
    return later(answer, (value) => ANSWERS.get(value) ?? 'abort');
  };
}
