/** Bytes of a connection as a recording has them: application data are left out, but for their place and length. */

import { concat, EMPTY, equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { RECORD_HEADER } from '../wire/record.ts';
import type { MaskedPiece, Piece } from './recording.ts';

/** What became of a record: its place, if it is left out. */
export type Mask = Omit<MaskedPiece, 'part'> | undefined;

/** The bytes of one call, in pieces once it is known what they are. */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly settle: (pieces: Piece[]) => void;
}

/** Says what becomes of a record that has not been opened. */
export type Unread = (type: number, length: number) => Mask;

/**
 * What a connection has received, cut at its records. A chunk is kept until each record that begins in it has been opened, so that
 * what is left out is not kept for longer.
 */
export class ReceivedBytes {
  /** What became of the records that {@link fold} has yet to come to, in order. */
  readonly #masks: Mask[] = [];
  readonly #chunks: Chunk[] = [];
  readonly #fold = new Fold();

  /** Takes in a chunk. `settle` gets its pieces, now or later. */
  push(bytes: Uint8Array, settle: (pieces: Piece[]) => void): void {
    this.#chunks.push({ bytes: bytes.slice(), settle });
  }

  /** Forgets the last chunk, which the connection has refused. */
  pop(): void {
    this.#chunks.pop();
  }

  /** Notes what has become of the next record. */
  opened(mask: Mask): void {
    this.#masks.push(mask);
  }

  /** Goes as far as the records are known. */
  fold(): void {
    while (this.#chunks[0] !== undefined && this.#fold.take(this.#chunks[0], this.#masks)) this.#chunks.shift();
  }

  /**
   * Settles the rest as it is now, for a recording that is taken. What comes later may settle it again. With `ignored`, nothing of it
   * will be read: what has only been taken for records may be none.
   */
  settleRest(unread: Unread, ignored?: (length: number) => Mask): void {
    const fold = this.#fold.copy();
    const masks = [...this.#masks];
    for (const chunk of this.#chunks) fold.take(chunk, masks, unread, ignored);
  }
}

/** How far chunks have been cut. */
class Fold {
  #header: number[] = [];
  /** How much of the fragment is to come. */
  #left = 0;
  /** The pieces of the chunk so far, and how much of it they are. */
  #pieces: Piece[] = [];
  #at = 0;

  copy(): Fold {
    const copy = new Fold();
    copy.#header = [...this.#header];
    copy.#left = this.#left;
    copy.#pieces = [...this.#pieces];
    copy.#at = this.#at;
    return copy;
  }

  /** Cuts a chunk. Returns false at a record that is not known yet, if `unread` does not say what becomes of it. */
  take({ bytes, settle }: Chunk, masks: Mask[], unread?: Unread, ignored?: (length: number) => Mask): boolean {
    while (this.#at < bytes.length) {
      const rest = masks.length === 0 ? ignored?.(bytes.length - this.#at) : undefined;
      if (rest !== undefined) {
        this.#pieces.push({ ...rest });
        break;
      }
      if (this.#left === 0) this.#cutHeader(bytes, masks);
      else if (masks.length > 0) this.#cutFragment(bytes, masks, masks[0]);
      else if (unread === undefined) return false;
      else this.#cutFragment(bytes, masks, unread(this.#header[0] ?? 0, this.#whole));
    }
    settle(joined(this.#pieces));
    this.#pieces = [];
    this.#at = 0;
    return true;
  }

  get #whole(): number {
    return 256 * (this.#header[3] ?? 0) + (this.#header[4] ?? 0);
  }

  #cutHeader(bytes: Uint8Array, masks: Mask[]): void {
    const part = bytes.subarray(this.#at, this.#at + RECORD_HEADER - this.#header.length);
    this.#header.push(...part);
    this.#pieces.push(toHex(part));
    this.#at += part.length;
    if (this.#header.length < RECORD_HEADER) return;
    this.#left = this.#whole;
    if (this.#left === 0) this.#next(masks);
  }

  #cutFragment(bytes: Uint8Array, masks: Mask[], mask: Mask): void {
    const part = bytes.subarray(this.#at, this.#at + this.#left);
    if (mask === undefined) this.#pieces.push(toHex(part));
    else this.#pieces.push(part.length === this.#whole ? { ...mask } : { ...mask, part: part.length });
    this.#at += part.length;
    this.#left -= part.length;
    if (this.#left === 0) this.#next(masks);
  }

  #next(masks: Mask[]): void {
    masks.shift();
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

/** A record of ours in pieces. A header that lies about the length has the length with the piece. */
export function piecesOf(record: Uint8Array, mask: Mask): Piece[] {
  if (mask === undefined) return [toHex(record)];
  const length = record.length - RECORD_HEADER;
  const header = record.subarray(0, RECORD_HEADER);
  return [toHex(header), lengthIn(header) === length ? { ...mask } : { ...mask, part: length }];
}

/** The length that ends with the bytes of a header. */
function lengthIn(header: Uint8Array): number {
  return 256 * (header.at(-2) ?? 0) + (header.at(-1) ?? 0);
}

/** A record of ours that has yet to go out. Of what is masked there is just enough to know it again. */
interface Queued {
  readonly length: number;
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly pieces: Piece[];
}

/** No two records of a connection have the same tag. */
const KNOWN_BY = 16;

/** What a connection has sent, in pieces, of which each Step takes those that are in its output. */
export class SentBytes {
  readonly #queue: Queued[] = [];

  push(record: Uint8Array, mask: Mask): void {
    const start = mask === undefined ? record : record.slice(0, RECORD_HEADER);
    this.#queue.push({ length: record.length, start, end: record.slice(-KNOWN_BY), pieces: piecesOf(record, mask) });
  }

  /** Records that a fault of time has held back for good are passed over. @throws Error if an output is no number of whole records */
  take(output: Uint8Array): Piece[] {
    const pieces: Piece[] = [];
    for (let at = 0; at < output.length; ) {
      const next = this.#queue.shift();
      if (next === undefined) throw new Error('record(): an output that is no whole records');
      const { length, start, end } = next;
      const isNext =
        equalBytes(start, output.subarray(at, at + start.length)) &&
        equalBytes(end, output.subarray(at + length - end.length, at + length));
      if (!isNext) continue;
      pieces.push(...next.pieces);
      at += length;
    }
    return joined(pieces);
  }
}

/** Returns the bytes of an output with zeros for what is left out, piece by piece. */
export function sentPieces(
  pieces: readonly Piece[],
): readonly { readonly bytes: Uint8Array; readonly isMasked: boolean }[] {
  let header: Uint8Array = EMPTY;
  return pieces.map((piece) => {
    const isMasked = typeof piece !== 'string';
    const bytes = isMasked ? new Uint8Array(piece.part ?? lengthIn(header)) : fromHex(piece);
    if (!isMasked) header = bytes;
    return { bytes, isMasked };
  });
}

/** Bytes with zeros for what is left out, and the masks in their order. */
export function unmask(pieces: readonly Piece[], state: UnmaskState): Uint8Array {
  return concat(...pieces.map((piece) => state.add(piece)));
}

/** Follows the records that were received, as a piece does not say how long its record is. */
export class UnmaskState {
  /** The masks of records that are still to be opened, by the number of the record, from 0. */
  readonly masks = new Map<number, MaskedPiece>();
  /** How many records were masked. */
  count = 0;
  /** How many records have begun. */
  #records = 0;
  #header: number[] = [];
  #left = 0;
  /** Whether a part of a masked record has come. */
  #isPartial = false;

  add(piece: Piece): Uint8Array {
    if (typeof piece === 'string') {
      const bytes = fromHex(piece);
      this.#follow(bytes);
      return bytes;
    }
    if (piece.type === 'ignored') return new Uint8Array(piece.length);
    const length = Math.min(piece.part ?? this.#left, this.#left);
    if (!this.#isPartial) {
      this.masks.set(this.#records - 1, piece);
      this.count++;
    }
    this.#left -= length;
    this.#isPartial = this.#left > 0;
    return new Uint8Array(length);
  }

  #follow(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left === 0) {
        this.#header.push(bytes[at] ?? 0);
        at++;
        if (this.#header.length < RECORD_HEADER) continue;
        this.#left = lengthIn(Uint8Array.from(this.#header));
        this.#header = [];
        this.#records++;
        continue;
      }
      const part = Math.min(this.#left, bytes.length - at);
      at += part;
      this.#left -= part;
    }
  }
}
