/** The transcript of the handshake messages: RFC 8446 §4.4.1, RFC 5246 §7.4.9. */

import { concat } from '../wire/bytes.ts';
import { HandshakeType } from '../wire/registry.ts';
import type { Hash, RunningHash } from './provider.ts';

/**
 * Hashes the bytes that were on the wire, nothing that was encoded again. The hash function is known only once a suite has
 * been chosen; until {@link Transcript.start} the messages wait.
 */
export class Transcript {
  #waiting: Uint8Array[] = [];
  #running: RunningHash | undefined;
  #retained: Uint8Array[] | undefined;

  add(raw: Uint8Array): void {
    this.#retained?.push(raw);
    if (this.#running === undefined) this.#waiting.push(raw);
    else this.#running.update(raw);
  }

  /** The suite is chosen: hash with its function from here on. */
  start(hash: Hash): void {
    this.#running = hash.start();
    for (const raw of this.#waiting) this.#running.update(raw);
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
    const digest = hash.digest(concat(...this.#waiting));
    this.#waiting = [Uint8Array.of(HandshakeType.message_hash, 0, 0, digest.length), digest];
  }

  /** The hash of all messages so far, and of one that is still to come. */
  peek(ahead?: Uint8Array): Uint8Array {
    if (this.#running === undefined) throw new Error('the transcript has no hash function yet');
    return this.#running.peek(ahead);
  }

  /** §4.2.11.2: the hash that a binder covers, while the ClientHello itself has not entered yet. */
  hashWith(hash: Hash, truncatedClientHello: Uint8Array): Uint8Array {
    return hash.digest(concat(...this.#waiting, truncatedClientHello));
  }
}
