/** SSL_CTX_set_options(3): the options that a context and its connections accept. */

import {
  SSL_OP_ALLOW_NO_DHE_KEX,
  SSL_OP_IGNORE_UNEXPECTED_EOF,
  SSL_OP_NO_ANTI_REPLAY,
  SSL_OP_NO_TICKET,
  SSL_OP_NO_TLSv1_2,
  SSL_OP_NO_TLSv1_3,
} from './constants.ts';

const KNOWN =
  SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_ALLOW_NO_DHE_KEX | SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3;

/** Returns `options`. @throws RangeError for an option without meaning here, and for SSL_OP_NO_ANTI_REPLAY */
export function requireKnown(options: number): number {
  if (options & SSL_OP_NO_ANTI_REPLAY)
    throw new RangeError(
      'SSL_OP_NO_ANTI_REPLAY: early data is not accepted without protection against replay. Give new SslContext() a strategy of your own instead, earlyData: { maxSize, antiReplay: { admit } }, or recordHellos(); setAllowEarlyDataCallback() may reject more',
    );
  const unknown = options & ~KNOWN;
  if (unknown !== 0) throw new RangeError(`options 0x${(unknown >>> 0).toString(16)} are not known`);
  return options;
}

/** Whether SSL_CTX_set_num_tickets(3) accepts the number. */
export function isNumTickets(numTickets: number): boolean {
  return Number.isInteger(numTickets) && numTickets >= 0 && numTickets <= 255;
}
