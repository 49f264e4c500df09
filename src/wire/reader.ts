/** Received bytes, read in order: the one place where a length is compared with what there is. */

/** Bytes that do not fit the struct: carries where (`extensions.keyShare`) and the alert that the peer is due. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  /** Names of the fields on the way to the place, outermost first. */
  readonly path: string[] = [];
  readonly reason: string;
  readonly alert: 'decode_error' | 'illegal_parameter';

  constructor(reason: string, alert: 'decode_error' | 'illegal_parameter' = 'decode_error') {
    super(reason);
    this.reason = reason;
    this.alert = alert;
  }

  /** The same error, seen from the field around it. */
  within(field: string): this {
    this.path.unshift(field);
    this.message = `${this.path.join('.')}: ${this.reason}`;
    return this;
  }
}

/** A window on received bytes. What it hands out are views, not copies. */
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

  take(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  uint(width: number): number {
    const at = this.#advance(width);
    let value = 0;
    for (let i = at; i < at + width; i++) value = value * 256 + (this.#bytes[i] as number);
    return value;
  }

  /** The next `length` bytes as a window of their own. */
  window(length: number): Reader {
    const at = this.#advance(length);
    return new Reader(this.#bytes, at, at + length);
  }

  /** Runs to the end: what is left over is an error that says how much. */
  finish(): void {
    if (this.remaining > 0) throw new DecodeError(`${this.remaining} trailing bytes`);
  }
}
