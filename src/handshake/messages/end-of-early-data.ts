/** EndOfEarlyData: RFC 9846 §4.6. */

import { struct } from '../../wire/codec.ts';
import { message } from './message.ts';

export const EndOfEarlyData = struct({});
export const endOfEarlyData = message('end_of_early_data', EndOfEarlyData);
