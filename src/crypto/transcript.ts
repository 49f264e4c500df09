/** The transcript of the handshake messages: RFC 9846 §4.1, RFC 5246 §7.4.9. */

import { concat } from '../wire/bytes.ts';
import { HandshakeType } from '../wire/registry.ts';
import type { Hash, RunningHash } from './provider.ts';

/**
 * A running hash of the handshake messages. It hashes the bytes as they were on the wire, never a second encoding, and each
 * of them once. The hash function depends on the suite, so messages are kept until {@link Transcript.start}.
 */
export class Transcript {
  #waiting: Uint8Array[] = [];
  #running: RunningHash | undefined;
  #retained: Uint8Array[] | undefined;
  /** The hash computed for a binder: the messages that wait, and the part of the ClientHello before the binders. */
  #ahead: Ahead | undefined;
  /** The result of {@link Transcript.peek}, until the next message. */
  #peeked: Uint8Array | undefined;

  add(raw: Uint8Array): void {
    this.#retained?.push(raw);
    this.#peeked = undefined;
    if (this.#running === undefined) this.#waiting.push(raw);
    else this.#running.update(raw);
  }

  /** Starts hashing with the function of the chosen suite. */
  start(hash: Hash): void {
    this.#running = this.#hashed(hash);
    this.#waiting = [];
  }

  /** Also keeps the messages themselves: a TLS 1.2 client signs them, not their hash (RFC 5246 §7.4.8). Call it before {@link start}. */
  retain(): void {
    this.#retained = [...this.#waiting];
  }

  /** Returns all messages so far, and stops keeping them. @throws Error without an earlier {@link Transcript.retain} */
  release(): Uint8Array {
    if (this.#retained === undefined) throw new Error('the transcript has kept no messages');
    const messages = concat(...this.#retained);
    this.#retained = undefined;
    return messages;
  }

  /** Stops keeping messages, as nothing will be signed. */
  forget(): void {
    this.#retained = undefined;
  }

  /** Forgets the messages that it has kept, when no more are hashed. */
  clear(): void {
    this.#waiting = [];
    this.#retained = undefined;
    this.#ahead = undefined;
  }

  /** §4.1: replaces a ClientHello that was answered by a HelloRetryRequest by a message_hash message. */
  replaceByMessageHash(hash: Hash): void {
    const digest = this.#hashed(hash).peek();
    this.#waiting = [Uint8Array.of(HandshakeType.message_hash, 0, 0, digest.length), digest];
  }

  /** Returns the hash of all messages so far, which must not be written to; or of these and `ahead`. */
  peek(ahead?: Uint8Array): Uint8Array {
    if (this.#running === undefined) throw new Error('the transcript has no hash function yet');
    if (ahead !== undefined) return this.#running.peek(ahead);
    this.#peeked ??= this.#running.peek();
    return this.#peeked;
  }

  /** Returns the hash of the messages that wait: early data is under a key that depends on it, before a suite is selected. */
  peekWith(hash: Hash): Uint8Array {
    return startWith(hash, this.#waiting).peek();
  }

  /** §4.3.11.2: returns the hash that a binder covers. Called before the ClientHello is added. */
  hashWith(hash: Hash, truncatedClientHello: Uint8Array): Uint8Array {
    const running = startWith(hash, this.#waiting);
    running.update(truncatedClientHello);
    this.#ahead = { hash, running, waiting: this.#waiting.length, part: truncatedClientHello };
    return running.peek();
  }

  /** Returns a hash of the messages that wait. Continues the hash of a binder if its ClientHello was the next message. */
  #hashed(hash: Hash): RunningHash {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const next = ahead === undefined ? undefined : this.#waiting[ahead.waiting];
    if (ahead?.hash !== hash || next === undefined || !isBeginning(ahead.part, next))
      return startWith(hash, this.#waiting);
    ahead.running.update(next.subarray(ahead.part.length));
    for (const raw of this.#waiting.slice(ahead.waiting + 1)) ahead.running.update(raw);
    return ahead.running;
  }
}

interface Ahead {
  readonly hash: Hash;
  readonly running: RunningHash;
  /** How many of the waiting messages it includes. */
  readonly waiting: number;
  /** The part of the next message that it includes. */
  readonly part: Uint8Array;
}

function startWith(hash: Hash, messages: readonly Uint8Array[]): RunningHash {
  const running = hash.start();
  for (const raw of messages) running.update(raw);
  return running;
}

/** Compares addresses instead of bytes. */
function isBeginning(part: Uint8Array, whole: Uint8Array): boolean {
  return part.buffer === whole.buffer && part.byteOffset === whole.byteOffset && part.length <= whole.length;
}
