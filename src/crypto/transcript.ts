/** The transcript of the handshake messages: RFC 8446 §4.4.1, RFC 5246 §7.4.9. */

import { concat } from '../wire/bytes.ts';
import { HandshakeType } from '../wire/registry.ts';
import type { Hash, RunningHash } from './provider.ts';

/**
 * Hashes the bytes that were on the wire, nothing that was encoded again, and each of them once. The hash function is known
 * only once a suite has been chosen; until {@link Transcript.start} the messages wait.
 */
export class Transcript {
  #waiting: Uint8Array[] = [];
  #running: RunningHash | undefined;
  #retained: Uint8Array[] | undefined;
  /** What has been hashed for a binder: all that waits, and the beginning of the ClientHello that has the binder. */
  #ahead: Ahead | undefined;
  /** {@link Transcript.peek}, until a message comes. */
  #peeked: Uint8Array | undefined;

  add(raw: Uint8Array): void {
    this.#retained?.push(raw);
    this.#peeked = undefined;
    if (this.#running === undefined) this.#waiting.push(raw);
    else this.#running.update(raw);
  }

  /** The suite is chosen: hash with its function from here on. */
  start(hash: Hash): void {
    this.#running = this.#hashed(hash);
    this.#waiting = [];
  }

  /** From the first message on they are kept themselves, too: what a TLS 1.2 client signs is not their hash (RFC 5246 §7.4.8). */
  retain(): void {
    this.#retained = [...this.#waiting];
  }

  /** All messages so far, which are kept no longer. @throws Error without {@link Transcript.retain} before */
  release(): Uint8Array {
    if (this.#retained === undefined) throw new Error('the transcript has kept no messages');
    const messages = concat(...this.#retained);
    this.#retained = undefined;
    return messages;
  }

  /** §4.4.1: a ClientHello answered by a HelloRetryRequest enters as a message of type message_hash with its hash. */
  replaceByMessageHash(hash: Hash): void {
    const digest = this.#hashed(hash).peek();
    this.#waiting = [Uint8Array.of(HandshakeType.message_hash, 0, 0, digest.length), digest];
  }

  /** The hash of all messages so far, not to be written to; or of these and one that is still to come. */
  peek(ahead?: Uint8Array): Uint8Array {
    if (this.#running === undefined) throw new Error('the transcript has no hash function yet');
    if (ahead !== undefined) return this.#running.peek(ahead);
    this.#peeked ??= this.#running.peek();
    return this.#peeked;
  }

  /** §4.2.11.2: the hash that a binder covers, while the ClientHello itself has not entered yet. */
  hashWith(hash: Hash, truncatedClientHello: Uint8Array): Uint8Array {
    const running = startWith(hash, this.#waiting);
    running.update(truncatedClientHello);
    this.#ahead = { hash, running, waiting: this.#waiting.length, part: truncatedClientHello };
    return running.peek();
  }

  /** The hash of all that waits. It goes on from that of a binder, where the ClientHello of that binder came next. */
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
  /** How many messages it has of those that waited. */
  readonly waiting: number;
  /** What it has of the next. */
  readonly part: Uint8Array;
}

function startWith(hash: Hash, messages: readonly Uint8Array[]): RunningHash {
  const running = hash.start();
  for (const raw of messages) running.update(raw);
  return running;
}

/** In memory, so that nothing has to be compared. */
function isBeginning(part: Uint8Array, whole: Uint8Array): boolean {
  return part.buffer === whole.buffer && part.byteOffset === whole.byteOffset && part.length <= whole.length;
}
