/** HelloRequest: RFC 5246 §7.4.1.1. A server of TLS 1.2 asks for a renegotiation by it. */

import { empty } from '../../wire/codec.ts';
import { message } from './message.ts';

export const helloRequest = message('hello_request', empty);
