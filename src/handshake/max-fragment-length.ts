/** max_fragment_length: RFC 6066 §4. record_size_limit supersedes it (RFC 8449 §5). */

import type { Session } from '../sessions/session.ts';
import { TlsAlert } from '../wire/alert.ts';
import type { HandshakeIO } from './io.ts';
import type { ClientHello } from './messages/client-hello.ts';

/** The code of 2^12 bytes. That of 2^9 is 1. */
const LAST_CODE = 4;

/**
 * Returns the code of the length that the client asks for, or `undefined` if it asks for none, or for record_size_limit as well.
 * @throws TlsAlert illegal_parameter for a code that is none
 */
export function wantedFragmentLength({ extensions }: ClientHello): number | undefined {
  const { maxFragmentLength: code, recordSizeLimit } = extensions;
  if (code === undefined || recordSizeLimit !== undefined) return undefined;
  if (code < 1 || code > LAST_CODE) throw new TlsAlert('illegal_parameter', `max_fragment_length ${code}`);
  return code;
}

/**
 * Limits the records of both sides to the length that the client asks for, and returns its code for the answer. A session keeps its
 * length: on resumption our records are limited even if the client does not ask again, unless it sends record_size_limit.
 */
export function maxFragmentLength(context: HandshakeIO, hello: ClientHello, resumed?: Session): number | undefined {
  const wanted = wantedFragmentLength(hello); // if a session is resumed, its own: the rules see to that
  const code = wanted ?? resumed?.foreign.maxFragmentLength ?? 0;
  context.facts.maxFragmentLength = code;
  if (code !== 0 && hello.extensions.recordSizeLimit === undefined)
    context.limitRecords(2 ** (8 + code), wanted !== undefined);
  return wanted;
}
