/** Reads bytes in order. All checks of a length against the bytes that are present are here. */

import { copyRange } from './bytes.ts';

/** Thrown for bytes that do not fit a struct. Says where (`extensions.keyShare`), and which alert a peer gets for it. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  /** The names of the enclosing fields, outermost first. */
  readonly path: string[] = [];
  readonly reason: string;
  readonly alert: 'decode_error' | 'illegal_parameter';

  constructor(reason: string, alert: 'decode_error' | 'illegal_parameter' = 'decode_error') {
    super(reason);
    this.reason = reason;
    this.alert = alert;
  }

  /** Adds the name of the enclosing field. */
  within(field: string): this {
    this.path.unshift(field);
    this.message = `${this.path.join('.')}: ${this.reason}`;
    return this;
  }
}

/** A window on bytes. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  #advance(length: number): number {
    if (length > this.remaining) throw new DecodeError(`${length} bytes wanted, ${this.remaining} left`);
    const at = this.#offset;
    this.#offset += length;
    return at;
  }

  /** Returns a view of the next `length` bytes. */
  take(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Returns a copy of the next `length` bytes. */
  copy(length: number): Uint8Array {
    const at = this.#advance(length);
    return copyRange(this.#bytes, at, at + length);
  }

  uint(width: number): number {
    const at = this.#advance(width);
    let value = 0;
    for (let i = at; i < at + width; i++) value = value * 256 + (this.#bytes[i] as number);
    return value;
  }

  /** Returns a reader of the next `length` bytes. */
  window(length: number): Reader {
    const at = this.#advance(length);
    return new Reader(this.#bytes, at, at + length);
  }

  /** Throws a DecodeError if bytes are left. */
  finish(): void {
    if (this.remaining > 0) throw new DecodeError(`${this.remaining} trailing bytes`);
  }
}
