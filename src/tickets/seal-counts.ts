/**
 * Counts the tickets that each key has sealed. The probability that two tickets of a key have the same nonce must stay below
 * 2^-32; with random nonces of 96 bits a key may seal 2^32 of them (NIST SP 800-38D §8.3). The limit is that of the key and
 * not of the object: counts are kept by fingerprint, so a key that is loaded again, or by a second server of this process,
 * continues its count. A process cannot know what other processes of a fleet have sealed, so it gets a share of the limit.
 */

/** SP 800-38D §8.3 */
export const MAX_SEALS = 2 ** 32;

/** The number of keys that are remembered. The key that has sealed nothing for longest is forgotten first. */
const MAX_KEYS = 65536;

/** The counts of a set of keys. Pass one as `TicketKeyOptions.counts` to count apart from the rest of the process, in tests for example. */
export class SealCounts {
  readonly #counts = new Map<string, number>();

  /** Returns how many tickets the key with this fingerprint has sealed. */
  of(fingerprint: string): number {
    return this.#counts.get(fingerprint) ?? 0;
  }

  /** Counts one more ticket and returns true, unless `limit` has been reached. */
  take(fingerprint: string, limit: number): boolean {
    const count = this.of(fingerprint);
    if (count >= limit) return false;
    this.#counts.delete(fingerprint); // moves it to the end: a Map keeps its keys in the order of insertion
    this.#counts.set(fingerprint, count + 1);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MAX_KEYS && oldest !== undefined) this.#counts.delete(oldest);
    return true;
  }
}

/** The counts of this process. */
export const processSealCounts = new SealCounts();
