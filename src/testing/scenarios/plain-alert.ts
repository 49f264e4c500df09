/** Finds an alert in the clear among what a peer sends, also where the connection wants records that are protected by then. */

import { concat, EMPTY } from '../../wire/bytes.ts';

const HEADER = 5;
const ALERT = 21;
const FATAL = 2;

export class PlainAlertFinder {
  #rest: Uint8Array = EMPTY;
  #found: number | undefined;
  #isLast = false;

  /** The description of the first that is fatal. */
  get found(): number | undefined {
    return this.#found;
  }

  /** Whether the last record is an alert, in the clear or not, by the type outside. */
  get isLast(): boolean {
    return this.#isLast;
  }

  /** Takes bytes as they come. */
  push(bytes: Uint8Array): void {
    let rest = concat(this.#rest, bytes);
    for (;;) {
      const [type, , , high = 0, low = 0] = rest;
      const end = HEADER + 256 * high + low;
      if (rest.length < HEADER || rest.length < end) break;
      this.#isLast = type === ALERT;
      // Under protection it is longer in TLS 1.2, and of another type in TLS 1.3.
      if (type === ALERT && end === HEADER + 2 && rest[HEADER] === FATAL) this.#found ??= rest[HEADER + 1];
      rest = rest.subarray(end);
    }
    this.#rest = rest;
  }
}
