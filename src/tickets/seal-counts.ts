/**
 * How many tickets each key has sealed. With random nonces of 96 bits two tickets of one key may not share a nonce but
 * with a probability of 2^-32, so 2^32 is the limit (NIST SP 800-38D §8.3). The limit is the key's, not the object's:
 * counts go by what the key is, so that a key that is loaded again, or by a second server of this process, goes on
 * counting. A process cannot know what the others of a fleet have sealed; it has a share of the limit.
 */

/** SP 800-38D §8.3 */
export const MAX_SEALS = 2 ** 32;

/** Keys that are remembered; what has sealed nothing for longest is forgotten first. */
const MAX_KEYS = 65536;

/** For `TicketKeyOptions.counts`, where tickets are to be counted apart from the others of the process: in tests, say. */
export class SealCounts {
  readonly #counts = new Map<string, number>();

  /** How many tickets the key with this fingerprint has sealed. */
  of(fingerprint: string): number {
    return this.#counts.get(fingerprint) ?? 0;
  }

  /** Counts one more, unless that were more than `limit`. */
  take(fingerprint: string, limit: number): boolean {
    const count = this.of(fingerprint);
    if (count >= limit) return false;
    this.#counts.delete(fingerprint); // a Map has its keys in the order in which they came
    this.#counts.set(fingerprint, count + 1);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MAX_KEYS && oldest !== undefined) this.#counts.delete(oldest);
    return true;
  }
}

/** Those of this process. */
export const processSealCounts = new SealCounts();
