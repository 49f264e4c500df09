/**
 * What a handshake waits for. The handshake is a synchronous generator: where it must wait it yields, everywhere else it is a
 * plain call. `yield` appears in this file only; flights say `yield* receive(…)`.
 */

import type { Awaitable } from '../awaitable.ts';
import type { ExpectedMessage, HandshakeFrame } from '../wire/handshake-buffer.ts';
import { type Message, parse, type Received } from './messages/message.ts';
import type { CallbackName } from './outcome.ts';

/** How a call came out. */
type Attempt<A> = { readonly value: A } | { readonly error: unknown };

/** How a task came out. `late`: the budget for lookups was used up before it had answered. */
export type Outcome<A = unknown> = Attempt<A> | { readonly late: true };

/**
 * Work that runs the user's code, or waits for the world outside: a question and what the handshake makes of its answer. The engine
 * runs it while the generator is suspended, so that a callback that writes or closes meets no generator that is already running.
 */
export interface Task<A, R> {
  readonly kind:
    | 'session'
    | 'take'
    | 'ticket'
    | 'server-name'
    | 'signature'
    | 'key-generation'
    | 'key-agreement'
    | 'verification'
    | 'client-certificate';
  /** Named where its code throws, rejects or answers too late; `undefined` for code of ours. */
  readonly callback?: CallbackName | undefined;
  /** Whether it counts against the one budget for all lookups of a handshake. */
  readonly budgeted: boolean;
  run(): Awaitable<A>;
  /** Runs in the handshake: what it throws is thrown there. */
  conclude(outcome: Outcome<A>): R;
  /** Whether an error is an answer too, and no failure of the callback. */
  isAnswer?(error: unknown): boolean;
  /** Releases what an answer holds that came when nobody waited for it any more. */
  releaseLateAnswer?(answer: A): void;
}

/** A task as the engine sees it, which only carries the answer from `run` to `conclude`. */
export type AnyTask = Task<unknown, unknown>;

export type Wait =
  | ({ readonly kind: 'message' } & ExpectedMessage)
  | { readonly kind: 'change_cipher_spec' }
  | { readonly kind: 'task'; readonly task: AnyTask }
  | { readonly kind: 'task'; readonly task?: undefined; call(): unknown };

/** What the engine resumes with: the frame, nothing, or the outcome. */
export type ResumeValue = HandshakeFrame | Outcome | undefined;

/** A handshake, or a flight of one, that ends with a T. */
export type Handshake<T> = Generator<Wait, T, ResumeValue>;

/** Waits for one message; the buffer refuses any other. @throws TlsAlert if it does not parse */
export function* receive<T>(message: Message<T>): Handshake<Received<T>> {
  const { name, type, limit } = message;
  const { raw } = (yield { kind: 'message', name, type, limit }) as HandshakeFrame;
  return { raw, body: parse(message, raw) };
}

/** TLS 1.2: waits for the peer's ChangeCipherSpec (RFC 5246 §7.1). */
export function* receiveChangeCipherSpec(): Handshake<void> {
  yield { kind: 'change_cipher_spec' };
}

/** Has the engine run a task, waits for its answer, and returns what that comes to. */
export function* perform<A, R>(task: Task<A, R>): Handshake<R> {
  return task.conclude((yield { kind: 'task', task }) as Outcome<A>);
}

/** Bookkeeping that may run the user's code but never waits. What it throws is thrown here. */
export function* call<T>(call: () => T): Handshake<T> {
  const outcome = (yield { kind: 'task', call }) as Attempt<T>;
  if ('value' in outcome) return outcome.value;
  throw outcome.error;
}
