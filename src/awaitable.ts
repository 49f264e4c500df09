/** "Now or later": values that may come as promises, and promises whose value is not used. It imports nothing. */

/** A value, or the promise of one. */
export type Awaitable<T> = T | PromiseLike<T>;

/** Reports whether a value is a promise. A user's Proxy may throw when it is looked at; such a value is no promise, and no answer either. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
  } catch {
    return false;
  }
}

/** `value instanceof type`, for values of the user's. A Proxy may throw when it is looked at; such a value is an instance of nothing. */
export function isInstance<T>(value: unknown, type: abstract new (...args: never) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** Goes on with a value, or with that of a promise once it has come. The host's own promise calls a user's `then`. */
export function later<A, B>(value: Awaitable<A>, next: (value: A) => Awaitable<B>): Awaitable<B> {
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value);
}

/** Ignores an answer that is not used. If it is a promise that rejects, the rejection must not end the process. */
export function disregard(answer: unknown): void {
  // The host's own promise calls the user's `then`, which may throw.
  if (isPromise(answer)) Promise.resolve(answer).then(undefined, () => {});
}
