/**
 * What a handshake waits for. The handshake is a synchronous generator: where it must wait it yields, everywhere else it is a
 * plain call. `yield` appears in this file only; flights say `yield* receive(…)`.
 */

import type { Awaitable } from '../awaitable.ts';
import { decode } from '../wire/codec.ts';
import { type ExpectedMessage, type HandshakeFrame, MESSAGE_HEADER } from '../wire/handshake-buffer.ts';
import type { Message, Received } from './messages/message.ts';

/**
 * Work that may have to wait for the world outside, or that runs a user's code: the driver runs it while the generator is
 * suspended, so that a callback that writes or closes meets no generator that is already running.
 */
export interface Task<T> {
  readonly kind:
    | 'session'
    | 'take'
    | 'ticket'
    | 'server-name'
    | 'signature'
    | 'key-generation'
    | 'key-agreement'
    | 'verification'
    | 'client-certificate'
    | 'bookkeeping';
  /** Counts against the one budget for all lookups of a handshake. */
  readonly budgeted: boolean;
  run(): Awaitable<T>;
}

/** How a task came out. `late`: its budget was used up before it had answered. */
export type TaskOutcome<T> = { readonly value: T } | { readonly error: unknown } | { readonly late: true };

export type Wait =
  | ({ readonly kind: 'message' } & ExpectedMessage)
  | { readonly kind: 'change_cipher_spec' }
  | { readonly kind: 'task'; readonly task: Task<unknown> };

/** What the driver resumes with: the frame, nothing, or the outcome. */
export type Resumption = HandshakeFrame | TaskOutcome<unknown> | undefined;

/** A handshake, or a flight of one, that ends with a T. */
export type Handshake<T> = Generator<Wait, T, Resumption>;

/** Waits for one message; the buffer refuses any other. @throws DecodeError */
export function* receive<T>({ name, type, body, limit }: Message<T>): Handshake<Received<T>> {
  const received = (yield { kind: 'message', name, type, limit }) as HandshakeFrame;
  return { raw: received.raw, body: decode(body, received.raw, MESSAGE_HEADER) };
}

/** TLS 1.2: waits for the peer's ChangeCipherSpec (RFC 5246 §7.1). */
export function* receiveChangeCipherSpec(): Handshake<void> {
  yield { kind: 'change_cipher_spec' };
}

/** Has the driver run a task, and waits for how it comes out. */
export function* perform<T>(task: Task<T>): Handshake<TaskOutcome<T>> {
  return (yield { kind: 'task', task }) as TaskOutcome<T>;
}

/** Has the driver run a task in which nothing is foreseen to fail: what it throws is thrown here. */
export function* performed<T>(kind: Task<T>['kind'], run: () => Awaitable<T>): Handshake<T> {
  const outcome = yield* perform({ kind, budgeted: false, run });
  if ('value' in outcome) return outcome.value;
  throw 'error' in outcome ? outcome.error : new Error(`${kind} has no deadline`);
}
