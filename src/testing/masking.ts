/** Bytes of a connection as a recording has them: application data are left out, but for their place and length. */

import { concat, EMPTY, equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { RECORD_HEADER } from '../wire/record.ts';
import { ContentType } from '../wire/registry.ts';
import type { MaskedPiece, Piece } from './recording.ts';

/** What became of a record: its place, if it is left out. */
export type Mask = Omit<MaskedPiece, 'part'> | undefined;

/** The bytes of one call, in pieces once it is known what they are. */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly settle: (pieces: Piece[]) => void;
}

/**
 * What a connection has received, cut at its records. A chunk is kept until each record that begins in it has been opened, so that
 * what is left out is not kept for longer.
 */
export class ReceivedBytes {
  readonly #masks: Mask[] = [];
  readonly #chunks: Chunk[] = [];
  /** How far {@link #fold} has come: in which record, and where. */
  #record = 0;
  #header: number[] = [];
  #left = 0;
  /** The pieces of the first chunk so far, and how much of it they are. */
  #pieces: Piece[] = [];
  #at = 0;

  /** Takes in a chunk. `settle` gets its pieces, now or later. */
  push(bytes: Uint8Array, settle: (pieces: Piece[]) => void): void {
    this.#chunks.push({ bytes: bytes.slice(), settle });
  }

  /** Notes what has become of the next record. */
  opened(mask: Mask): void {
    this.#masks.push(mask);
  }

  /**
   * Goes as far as the records are known. At the end of a recording `unopened` says what becomes of the others that may have
   * application data; without it they are as they came.
   */
  fold(isEnd = false, unopened?: (length: number) => Mask): void {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      while (this.#at < chunk.bytes.length) if (!this.#cut(chunk.bytes, isEnd, unopened)) return;
      this.#chunks.shift();
      chunk.settle(joined(this.#pieces));
      this.#pieces = [];
      this.#at = 0;
    }
  }

  /** Takes the next header or fragment, or what there is of it. Returns false if it is not known yet. */
  #cut(bytes: Uint8Array, isEnd: boolean, unopened: ((length: number) => Mask) | undefined): boolean {
    if (this.#left === 0) {
      const byte = bytes[this.#at] ?? 0;
      this.#header.push(byte);
      this.#pieces.push(toHex(Uint8Array.of(byte)));
      this.#at++;
      if (this.#header.length < RECORD_HEADER) return true;
      const [, , , high = 0, low = 0] = this.#header;
      this.#left = 256 * high + low;
      if (this.#left === 0) this.#next();
      return true;
    }
    const isKnown = this.#record < this.#masks.length;
    if (!isKnown && !isEnd) return false;
    const [type] = this.#header;
    const whole = 256 * (this.#header[3] ?? 0) + (this.#header[4] ?? 0);
    const isData = type === ContentType.application_data;
    const mask = isKnown ? this.#masks[this.#record] : isData ? unopened?.(whole) : undefined;
    const part = bytes.subarray(this.#at, this.#at + this.#left);
    if (mask === undefined) this.#pieces.push(toHex(part));
    else this.#pieces.push(part.length === whole ? { ...mask } : { ...mask, part: part.length });
    this.#at += part.length;
    this.#left -= part.length;
    if (this.#left === 0) this.#next();
    return true;
  }

  #next(): void {
    this.#record++;
    this.#header = [];
  }
}

/** Joins texts that follow one another. */
function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  let texts: string[] = [];
  const flush = (): void => {
    if (texts.length > 0) result.push(texts.join(''));
    texts = [];
  };
  for (const piece of pieces) {
    if (typeof piece === 'string') texts.push(piece);
    else {
      flush();
      result.push(piece);
    }
  }
  flush();
  return result;
}

/** A record of ours in pieces. */
export function piecesOf(record: Uint8Array, mask: Mask): Piece[] {
  if (mask === undefined) return [toHex(record)];
  return [toHex(record.subarray(0, RECORD_HEADER)), { ...mask }];
}

/** What a connection has sent, in pieces, of which each Step takes those that are in its output. */
export class SentBytes {
  readonly #queue: { readonly record: Uint8Array; readonly pieces: Piece[] }[] = [];

  push(record: Uint8Array, mask: Mask): void {
    this.#queue.push({ record, pieces: piecesOf(record, mask) });
  }

  /** Records that a fault of time has held back for good are passed over. @throws Error if an output is no number of whole records */
  take(output: Uint8Array): Piece[] {
    const pieces: Piece[] = [];
    for (let at = 0; at < output.length; ) {
      const next = this.#queue.shift();
      if (next === undefined) throw new Error('record(): an output that is no whole records');
      const { record } = next;
      if (!equalBytes(record, output.subarray(at, at + record.length))) continue;
      pieces.push(...next.pieces);
      at += record.length;
    }
    return joined(pieces);
  }
}

/** Bytes with zeros for what is left out, and the masks in their order. */
export function unmask(pieces: readonly Piece[], state: UnmaskState): Uint8Array {
  return concat(...pieces.map((piece) => state.add(piece)));
}

/** Follows the records of one direction, as a piece does not say how long its record is. */
export class UnmaskState {
  /** The masks of records that began, in order, and are still to be opened. */
  readonly masks: MaskedPiece[] = [];
  /** How many records were masked. */
  count = 0;
  #header: number[] = [];
  #left = 0;
  /** How much of a masked record has come in parts. */
  #isPartial = false;

  add(piece: Piece): Uint8Array {
    if (typeof piece === 'string') {
      const bytes = fromHex(piece);
      this.#follow(bytes);
      return bytes;
    }
    const length = piece.part ?? this.#left;
    if (!this.#isPartial) {
      this.masks.push(piece);
      this.count++;
    }
    this.#left -= length;
    this.#isPartial = this.#left > 0;
    if (this.#left <= 0) this.#header = [];
    return length > 0 ? new Uint8Array(length) : EMPTY;
  }

  #follow(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#header.length < RECORD_HEADER) {
        this.#header.push(bytes[at] ?? 0);
        at++;
        if (this.#header.length === RECORD_HEADER) {
          this.#left = 256 * (this.#header[3] ?? 0) + (this.#header[4] ?? 0);
          if (this.#left === 0) this.#header = [];
        }
        continue;
      }
      const part = Math.min(this.#left, bytes.length - at);
      at += part;
      this.#left -= part;
      if (this.#left === 0) this.#header = [];
    }
  }
}
