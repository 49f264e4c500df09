/** record_size_limit: RFC 8449 §4. */

import { TlsAlert } from '../wire/alert.ts';
import { MAX_PLAINTEXT } from '../wire/record.ts';
import type { HandshakeIO } from './io.ts';

const MIN_LIMIT = 64;

/**
 * Obeys the limit that the peer has sent and returns ours, or `undefined` if the peer has sent none. In TLS 1.3 a limit includes
 * the byte of the content type.
 * @throws TlsAlert illegal_parameter for a limit below 64
 */
export function recordSizeLimit(context: HandshakeIO, limit: number | undefined): number | undefined {
  if (limit === undefined) return undefined;
  if (limit < MIN_LIMIT) throw new TlsAlert('illegal_parameter', `a record size limit of ${limit}`);
  const contentType = context.facts.version === 'TLSv1.3' ? 1 : 0;
  context.limitRecords(Math.min(limit - contentType, MAX_PLAINTEXT));
  return MAX_PLAINTEXT + contentType;
}
