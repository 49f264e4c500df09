/**
 * The waits of a handshake. A handshake is a synchronous generator: it yields if it must wait, and everything else in it is a
 * plain call. `yield` appears in this file only; flights say `yield* receive(…)`.
 */

import type { Awaitable } from '../awaitable.ts';
import type { ExpectedMessage, HandshakeFrame } from '../wire/handshake-buffer.ts';
import { type Message, parse, type Received } from './messages/message.ts';
import type { CallbackName } from './outcome.ts';

/** The outcome of a call: the value that it returned, or the error that it threw. */
export type Attempt<A> = { readonly value: A } | { readonly error: unknown };

/** The outcome of a task: its value, its error, or `late` if the budget for lookups was used up before it answered. */
export type Outcome<A = unknown> = Attempt<A> | { readonly late: true };

/**
 * Work that runs user code, or waits for the outside world: a question, and the conclusion that the handshake draws from the answer.
 * The engine runs it while the generator is suspended, so that a callback that writes or closes does not meet a running generator.
 */
export interface Task<A, R> {
  readonly kind:
    | 'session'
    | 'resumption'
    | 'take'
    | 'ticket'
    | 'psk'
    | 'server-name'
    | 'application-protocol'
    | 'ocsp-response'
    | 'signature'
    | 'key-generation'
    | 'key-agreement'
    | 'verification'
    | 'client-certificate'
    | 'server-certificate'
    | 'early-data';
  /** The callback that an event names if the task throws, rejects or answers too late; `undefined` for code of ours. */
  readonly callback?: CallbackName | undefined;
  /** What is asked about, for a trace: an id, a name, a group. */
  readonly asked?: Uint8Array | string | undefined;
  /** Whether the wait counts against the one budget for all lookups of a handshake. */
  readonly budgeted: boolean;
  run(): Awaitable<A>;
  /** Turns the outcome into the result of {@link perform}. It runs in the handshake, so an error that it throws is thrown there. */
  conclude(outcome: Outcome<A>): R;
  /** Reports whether an error is an answer, and not a failure of the callback. */
  readonly isAnswer?: ((error: unknown) => boolean) | undefined;
  /** Releases the holds and secrets in an answer that came when no handshake waited for it any more. */
  readonly releaseLateAnswer?: { release(answer: A): void }['release'] | undefined; // the type of a method, which AnyTask needs
}

/** A task as the engine sees it. The engine only carries the answer from `run` to `conclude`. */
export type AnyTask = Task<unknown, unknown>;

/** The thing that a suspended handshake waits for. A task without a `task` comes from {@link call}. */
export type Wait =
  | ({
      readonly kind: 'message' /** Whether a ChangeCipherSpec may come instead. */;
      readonly orChangeCipherSpec?: boolean | undefined;
      /** Takes the application data that may come before the message: early data. */
      readonly takeData?: ((data: Uint8Array) => void) | undefined;
    } & ExpectedMessage)
  | { readonly kind: 'change_cipher_spec' }
  | { readonly kind: 'task'; readonly task: AnyTask }
  | { readonly kind: 'task'; readonly task?: undefined; call(): unknown };

/** A wait for work: a task, or a call that never waits. */
export type TaskWait = Extract<Wait, { kind: 'task' }>;

/** The value that the engine resumes a handshake with: the frame, nothing, or the outcome. */
export type ResumeValue = HandshakeFrame | Outcome | undefined;

/** A handshake, or a part of one, that returns a T. */
export type Handshake<T> = Generator<Wait, T, ResumeValue>;

/** Waits for one message, and lets `takeData` have the data that comes before it. The handshake buffer refuses any other message. @throws TlsAlert if it does not parse */
export function* receive<T>(message: Message<T>, takeData?: (data: Uint8Array) => void): Handshake<Received<T>> {
  const { name, type, limit } = message;
  const { raw } = (yield { kind: 'message', name, type, limit, takeData }) as HandshakeFrame;
  return { raw, body: parse(message, raw) };
}

/** A message that {@link receiveAny} has accepted, and its bytes. It is not parsed yet. */
export interface AnyReceived {
  readonly message: Message<unknown>;
  readonly raw: Uint8Array;
}

/**
 * Waits for any of several messages. With `orChangeCipherSpec` a ChangeCipherSpec may come instead: the result is `undefined` then.
 */
export function* receiveAny(
  messages: readonly Message<unknown>[],
  orChangeCipherSpec = false,
): Handshake<AnyReceived | undefined> {
  const expected = messages.reduceRight<ExpectedMessage | undefined>(
    (or, { name, type, limit }) => ({ name, type, limit, or }),
    undefined,
  );
  if (expected === undefined) throw new Error('no message');
  const frame = (yield { kind: 'message', orChangeCipherSpec, ...expected }) as HandshakeFrame | undefined;
  const message = messages.find(({ type }) => type === frame?.type);
  return frame && message && { message, raw: frame.raw };
}

/** TLS 1.2: waits for the peer's ChangeCipherSpec (RFC 5246 §7.1). */
export function* receiveChangeCipherSpec(): Handshake<void> {
  yield { kind: 'change_cipher_spec' };
}

/** Has the engine run a task, waits for its answer, and returns its conclusion. */
export function* perform<A, R>(task: Task<A, R>): Handshake<R> {
  const outcome = (yield { kind: 'task', task }) as Outcome<A>;
  return task.conclude(outcome); // which a tester may have replaced meanwhile
}

/** Has the engine run bookkeeping that may call user code but never waits. An error that it throws is thrown here. */
export function* call<T>(call: () => T): Handshake<T> {
  const outcome = (yield { kind: 'task', call }) as Attempt<T>;
  if ('value' in outcome) return outcome.value;
  throw outcome.error;
}
