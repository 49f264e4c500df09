/** What a client of TLS 1.2 waits for. RFC 5246 §7.4.1.1: a HelloRequest that comes while a session is negotiated is ignored. */

import { TlsAlert } from '../../wire/alert.ts';
import { helloRequest } from '../messages/hello-request.ts';
import { type Message, parse, type Received } from '../messages/message.ts';
import { type AnyReceived, type Handshake, receiveAny } from '../wait.ts';

/** How many are ignored in one wait. */
const MAX_IGNORED = 4;

/**
 * Waits for any of several messages; with `orChangeCipherSpec` the result is `undefined` for a ChangeCipherSpec.
 * @throws TlsAlert unexpected_message for HelloRequests without end
 */
export function* receiveAnyTls12(
  messages: readonly Message<unknown>[],
  orChangeCipherSpec = false,
): Handshake<AnyReceived | undefined> {
  for (let ignored = 0; ignored <= MAX_IGNORED; ignored++) {
    const received = yield* receiveAny([...messages, helloRequest], orChangeCipherSpec);
    if (received?.message !== helloRequest) return received;
    parse(helloRequest, received.raw);
  }
  throw new TlsAlert('unexpected_message', 'HelloRequest again and again');
}

/** Waits for one of several messages. */
export function* receiveOneTls12(messages: readonly Message<unknown>[]): Handshake<AnyReceived> {
  const received = yield* receiveAnyTls12(messages);
  if (received === undefined) throw new Error('no message');
  return received;
}

/** Waits for one message. @throws TlsAlert if it does not parse */
export function* receiveTls12<T>(message: Message<T>): Handshake<Received<T>> {
  const { raw } = yield* receiveOneTls12([message]);
  return { raw, body: parse(message, raw) };
}

/** RFC 5246 §7.1 */
export function* receiveChangeCipherSpecTls12(): Handshake<void> {
  yield* receiveAnyTls12([], true);
}
