/** ServerHelloDone: RFC 5246 §7.4.5. */

import { empty } from '../../wire/codec.ts';
import { message } from './message.ts';

export const serverHelloDone = message('server_hello_done', empty);
