/** Finished: RFC 8446 §4.4.4, RFC 5246 §7.4.9. The length of verify_data is the hash's, or 12 in TLS 1.2. */

import { type Infer, rest, struct } from '../wire/codec.ts';
import { message } from './message.ts';

export const Finished = struct({ verifyData: rest });
export type Finished = Infer<typeof Finished>;
export const finished = message('finished', Finished, 64);
