/** record_size_limit: RFC 8449 §4. */

import { TlsAlert } from '../wire/alert.ts';
import { MAX_PLAINTEXT } from '../wire/record.ts';
import type { ClientHello } from './messages/client-hello.ts';
import type { Handshaking } from './server/context.ts';

const MIN_LIMIT = 64;

/**
 * Obeys the client's limit and returns ours, `undefined` where the client does not speak of it. In TLS 1.3 the limit counts
 * the byte of the content type.
 */
export function recordSizeLimit(context: Handshaking, hello: ClientHello): number | undefined {
  const limit = hello.extensions.recordSizeLimit;
  if (limit === undefined) return undefined;
  if (limit < MIN_LIMIT) throw new TlsAlert('illegal_parameter', `a record size limit of ${limit}`);
  const contentType = context.facts.version === 'TLSv1.3' ? 1 : 0;
  context.limitRecords(Math.min(limit - contentType, MAX_PLAINTEXT));
  return MAX_PLAINTEXT + contentType;
}
