/** record_size_limit: RFC 8449 §4. */

import { TlsAlert } from '../wire/alert.ts';
import { MAX_PLAINTEXT } from '../wire/record.ts';
import type { HandshakeIO } from './io.ts';

const MIN_LIMIT = 64;

/**
 * Obeys the limit that the peer has sent. In TLS 1.3 a limit includes the byte of the content type: returns how many bytes a limit has
 * for that.
 * @throws TlsAlert illegal_parameter for a limit below 64
 */
export function obeyRecordSizeLimit(context: HandshakeIO, limit: number): number {
  if (limit < MIN_LIMIT) throw new TlsAlert('illegal_parameter', `a record size limit of ${limit}`);
  const contentType = context.facts.version === 'TLSv1.3' ? 1 : 0;
  context.limitRecords(Math.min(limit - contentType, MAX_PLAINTEXT));
  return contentType;
}

/**
 * Obeys the limit that a client has sent and returns ours, the longest `content` of a record that we accept; `undefined` if the client
 * has sent none.
 * @throws TlsAlert illegal_parameter for a limit below 64
 */
export function recordSizeLimit(
  context: HandshakeIO,
  limit: number | undefined,
  content = MAX_PLAINTEXT,
): number | undefined {
  return limit === undefined ? undefined : content + obeyRecordSizeLimit(context, limit);
}

/**
 * Refuses protected records with more `content` than we have told the peer, if it has sent a `limit`, too. What is not protected may be
 * longer, so this is called once the keys are there.
 */
export function acceptLimited(context: HandshakeIO, limit: number | undefined, content: number | undefined): void {
  if (limit !== undefined && content !== undefined) context.acceptRecords(content);
}
