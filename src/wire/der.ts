/** DER (X.690 §8, §10): a strict reader, since signed or stored values must have one encoding, and functions that write. */

import { platform } from '../platform.ts';
import { ascii, concat, EMPTY, latin1, toHex } from './bytes.ts';

/** Identifier octets of the universal types in use (X.690 §8.1.2). */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Deeper than any structure read here. Deeper nesting is an attack on the stack. */
const MAX_DEPTH = 16;
/** Lengths up to 4 GiB, more than any structure read here. */
const MAX_LENGTH_OCTETS = 4;

/** The identifier octet of `[n] EXPLICIT`, and of `[n] IMPLICIT` before a constructed type. */
export function explicitTag(n: number): number {
  if (!Number.isInteger(n) || n < 0 || n > 30) throw new RangeError(`context tag ${n} outside 0..30`);
  return 0xa0 + n;
}

/** The identifier octet of `[n] IMPLICIT` before a primitive type. */
export function implicitTag(n: number): number {
  return explicitTag(n) - 0x20;
}

/** Thrown for bytes that are not the expected DER. Says what is wrong, in which field, and at which byte of the input. */
export class DerError extends Error {
  override readonly name = 'DerError';
  readonly reason: string;
  /** The names of the enclosing fields with dots between them; empty at the top. */
  readonly path: string;
  readonly offset: number;

  constructor(reason: string, path: string, offset: number) {
    super(`${path === '' ? '' : `${path}: `}${reason} (at byte ${offset})`);
    this.reason = reason;
    this.path = path;
    this.offset = offset;
  }
}

/** Reads values in order from a window on bytes. It returns views, not copies. After it has thrown a {@link DerError} it must not be used. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #around: DerReader | undefined;
  readonly #name: string;
  readonly #depth: number;
  #offset = 0;
  #end: number;
  /** Where the current value begins, for errors, and where its contents do. */
  #start = 0;
  #contents = 0;

  /** `around` and `name` are for {@link enter}: the enclosing reader, and the field in it. */
  constructor(bytes: Uint8Array, around?: DerReader, name = '') {
    this.#bytes = bytes;
    this.#around = around;
    this.#name = name;
    this.#depth = around === undefined ? 0 : around.#depth + 1;
    if (around !== undefined) this.#offset = around.#contents;
    this.#end = around === undefined ? bytes.length : around.#offset;
  }

  get isEmpty(): boolean {
    return this.#offset === this.#end;
  }

  /** Returns the identifier octet of the next value, `undefined` at the end. */
  peekTag(): number | undefined {
    return this.#offset < this.#end ? this.#bytes[this.#offset] : undefined;
  }

  /** Returns the contents of the next value, which must have this tag. */
  read(tag: number, name?: string): Uint8Array {
    this.#pass(tag, name);
    return this.#bytes.subarray(this.#contents, this.#offset);
  }

  /** Returns a reader of the contents of the next value, which is constructed or a string that contains DER. */
  enter(tag: number, name?: string): DerReader {
    this.#pass(tag, name);
    this.#requireDepth(name);
    return new DerReader(this.#bytes, this, name);
  }

  /** Enters the next value if it has this tag, for values that are OPTIONAL or have a DEFAULT. */
  optional(tag: number, name?: string): DerReader | undefined {
    return this.peekTag() === tag ? this.enter(tag, name) : undefined;
  }

  /** `[n] EXPLICIT INTEGER OPTIONAL`: optional(), integer() and finish(), without another reader. */
  optionalInteger(tag: number, name: string): number | undefined {
    if (this.peekTag() !== tag) return undefined;
    const end = this.#narrow(tag, name);
    const value = this.integer(name);
    this.#widen(end, name);
    return value;
  }

  /** `[n] EXPLICIT OCTET STRING OPTIONAL`, in the same way. */
  optionalOctets(tag: number, name: string): Uint8Array | undefined {
    if (this.peekTag() !== tag) return undefined;
    const end = this.#narrow(tag, name);
    const value = this.octets(name);
    this.#widen(end, name);
    return value;
  }

  /** INTEGER, as a number: not negative and exact. */
  integer(name?: string): number {
    this.#passInteger(name);
    let value = 0;
    for (let i = this.#contents; i < this.#offset; i++) value = value * 256 + (this.#bytes[i] as number);
    if (!Number.isSafeInteger(value)) throw this.#error('INTEGER too large', name);
    return value;
  }

  /** INTEGER, not negative: big-endian without leading zeros (zero itself is one byte). */
  bigInteger(name?: string): Uint8Array {
    this.#passInteger(name);
    return this.#bytes.subarray(this.#contents, this.#offset);
  }

  /** Passes an INTEGER, and skips a leading zero byte of its contents, unless that is all. */
  #passInteger(name: string | undefined): void {
    this.#pass(Tag.integer, name);
    const length = this.#offset - this.#contents;
    const first = this.#bytes[this.#contents] as number;
    if (length === 0) throw this.#error('INTEGER without contents', name);
    if (first >= 0x80) throw this.#error('INTEGER is negative', name);
    if (first !== 0 || length === 1) return;
    this.#contents++;
    const second = this.#bytes[this.#contents] as number;
    if (second < 0x80) throw this.#error('INTEGER is not minimal', name); // X.690 §8.3.2
  }

  /** OCTET STRING */
  octets(name?: string): Uint8Array {
    return this.read(Tag.octetString, name);
  }

  /** BIT STRING of whole octets, as keys and signatures are. */
  bits(name?: string): Uint8Array {
    const contents = this.read(Tag.bitString, name);
    if (contents[0] !== 0) throw this.#error('BIT STRING not of whole octets', name);
    return contents.subarray(1);
  }

  /** BIT STRING of named bits, of which bit 0 is the highest of the first octet. Unused bits are zero (X.690 §8.6.2, §11.2.1). */
  namedBits(name?: string): Uint8Array {
    const contents = this.read(Tag.bitString, name);
    const [unused = 8] = contents;
    const last = contents.length === 1 ? 0xff : (contents.at(-1) ?? 0); // where there is no octet, none of its bits is unused
    if (unused > 7 || (last & ((1 << unused) - 1)) !== 0)
      throw this.#error('BIT STRING with unused bits that are set', name);
    return contents.subarray(1);
  }

  /** BOOLEAN: in DER, TRUE has one encoding (X.690 §11.1). */
  boolean(name?: string): boolean {
    const [value, ...more] = this.read(Tag.boolean, name);
    if (more.length > 0 || (value !== 0 && value !== 0xff)) throw this.#error('BOOLEAN neither 00 nor FF', name);
    return value === 0xff;
  }

  /** OBJECT IDENTIFIER in dotted decimal. */
  oid(name?: string): string {
    const arcs: number[] = [];
    let arc = 0;
    let open = false;
    for (const byte of this.read(Tag.oid, name)) {
      if (!open && byte === 0x80) throw this.#error('OBJECT IDENTIFIER is not minimal', name); // X.690 §8.19.2
      arc = arc * 128 + (byte & 0x7f);
      if (!Number.isSafeInteger(arc)) throw this.#error('OBJECT IDENTIFIER too large', name);
      open = byte >= 0x80;
      if (open) continue;
      arcs.push(arc);
      arc = 0;
    }
    const [first, ...others] = arcs;
    if (open || first === undefined) throw this.#error('OBJECT IDENTIFIER breaks off', name);
    const root = Math.min(Math.floor(first / 40), 2); // X.690 §8.19.4
    return [root, first - 40 * root, ...others].join('.');
  }

  /** UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 allows them: milliseconds since the epoch. */
  time(name?: string): number {
    const isUtc = this.peekTag() === Tag.utcTime;
    const text = latin1(this.read(isUtc ? Tag.utcTime : Tag.generalizedTime, name));
    const century = isUtc ? (Number(text.slice(0, 2)) < 50 ? '20' : '19') : '';
    const iso = (century + text).replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
    const time = text.length === (isUtc ? 13 : 15) ? Date.parse(iso) : Number.NaN;
    // Date.parse turns 31 April into 1 May and accepts other forms: the result must convert back to the same text.
    if (Number.isNaN(time) || new Date(time).toISOString() !== iso) throw this.#error('not a time', name);
    return time;
  }

  /** Returns the next value with its header, to be skipped, compared or verified. */
  raw(name?: string): Uint8Array {
    this.#take(name);
    return this.#bytes.subarray(this.#start, this.#offset);
  }

  /** Throws if bytes are left. */
  finish(name?: string): void {
    const left = this.#end - this.#offset;
    this.#start = this.#offset;
    if (left > 0) throw this.#error(`${left} trailing bytes`, name);
  }

  /** Enters the next value without another reader. Returns the end of the window for {@link #widen}. */
  #narrow(tag: number, name: string): number {
    this.#pass(tag, name);
    this.#requireDepth(name);
    const end = this.#end;
    this.#end = this.#offset;
    this.#offset = this.#contents;
    return end;
  }

  #widen(end: number, name: string): void {
    this.finish(name);
    this.#end = end;
  }

  #requireDepth(name: string | undefined): void {
    if (this.#depth === MAX_DEPTH) throw this.#error(`nested deeper than ${MAX_DEPTH}`, name);
  }

  /** Passes the next value, which must have this tag. Its contents are then from #contents to #offset. */
  #pass(tag: number, name: string | undefined): void {
    const found = this.peekTag();
    this.#start = this.#offset;
    if (found !== tag) {
      throw this.#error(`tag ${hex(tag)} wanted, ${found === undefined ? 'nothing' : hex(found)} found`, name);
    }
    this.#take(name);
  }

  /** Passes the next value, whatever its tag. Its length must be definite and in the fewest octets (X.690 §10.1). */
  #take(name: string | undefined): void {
    const bytes = this.#bytes;
    const start = this.#offset;
    this.#start = start;
    if (start + 2 > this.#end) throw this.#error('value breaks off', name);
    const tag = bytes[start] as number;
    const first = bytes[start + 1] as number;
    if ((tag & 0x1f) === 0x1f || tag === 0) throw this.#error(`tag ${hex(tag)} not supported`, name);
    const octets = first < 0x80 ? 0 : first - 0x80;
    const length = first < 0x80 ? first : this.#longLength(start + 2, octets, name);
    const contents = start + 2 + octets;
    const end = contents + length;
    if (end > this.#end) throw this.#error(`length ${length}, but ${this.#end - contents} bytes left`, name);
    this.#contents = contents;
    this.#offset = end;
  }

  /** X.690 §8.1.3.5, in the fewest octets. */
  #longLength(at: number, octets: number, name: string | undefined): number {
    if (octets === 0 || octets > MAX_LENGTH_OCTETS) throw this.#error(`length ${hex(0x80 + octets)} refused`, name);
    if (at + octets > this.#end) throw this.#error('length breaks off', name);
    let length = 0;
    for (let i = at; i < at + octets; i++) length = length * 256 + (this.#bytes[i] as number);
    if (this.#bytes[at] === 0 || length < 0x80) throw this.#error('length is not minimal', name);
    return length;
  }

  #path(name: string | undefined): string {
    const names = [name ?? ''];
    for (let reader: DerReader | undefined = this; reader !== undefined; reader = reader.#around)
      names.unshift(reader.#name);
    return names.filter((part) => part !== '').join('.');
  }

  #error(reason: string, name?: string): DerError {
    return new DerError(reason, this.#path(name), this.#start);
  }
}

function hex(octet: number): string {
  return toHex(Uint8Array.of(octet));
}

/** Encodes a value: identifier, length in the fewest octets, contents. */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = concat(...contents);
  if (body.length < 0x80) return concat(Uint8Array.of(tag, body.length), body);
  const length = bigEndian(body.length);
  return concat(Uint8Array.of(tag, 0x80 + length.length), length, body);
}

export function sequence(...contents: readonly Uint8Array[]): Uint8Array {
  return tlv(Tag.sequence, ...contents);
}

/** SET OF one element. More would have to be sorted (X.690 §11.6), and no structure written here has more. */
export function set(element: Uint8Array): Uint8Array {
  return tlv(Tag.set, element);
}

/** INTEGER, not negative: an exact number, or big-endian bytes with or without leading zeros. */
export function integer(value: number | Uint8Array): Uint8Array {
  const bytes = typeof value === 'number' ? bigEndian(value) : value;
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? EMPTY : bytes.subarray(start);
  const isPositive = digits[0] !== undefined && digits[0] < 0x80;
  return tlv(Tag.integer, isPositive ? EMPTY : Uint8Array.of(0), digits);
}

function bigEndian(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not an unsigned safe integer`);
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.from(bytes);
}

export function boolean(value: boolean): Uint8Array {
  return tlv(Tag.boolean, Uint8Array.of(value ? 0xff : 0));
}

export function octetString(...contents: readonly Uint8Array[]): Uint8Array {
  return tlv(Tag.octetString, ...contents);
}

/** BIT STRING of whole octets, or one whose last octet has `unused` bits at its end. */
export function bitString(contents: Uint8Array, unused = 0): Uint8Array {
  return tlv(Tag.bitString, Uint8Array.of(unused), contents);
}

/** OBJECT IDENTIFIER from dotted decimal. */
export function oid(dotted: string): Uint8Array {
  const arcs = dotted.split('.').map(Number);
  const [root = 0, second = 0, ...others] = arcs;
  const encoded = [40 * root + second, ...others];
  if (!/^([01]\.[123]?\d|2\.\d+)(\.\d+)*$/.test(dotted) || !encoded.every(Number.isSafeInteger)) {
    throw new RangeError(`no object identifier: ${dotted}`);
  }
  return tlv(Tag.oid, Uint8Array.from(encoded.flatMap(base128)));
}

/** X.690 §8.19.2: seven bits an octet, the high bit of all but the last set. */
function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift(0x80 + (rest % 128));
  return octets;
}

export function utf8String(text: string): Uint8Array {
  return tlv(Tag.utf8String, new platform.TextEncoder().encode(text));
}

/** Encodes milliseconds since the epoch, truncated to seconds: GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5). */
export function time(milliseconds: number): Uint8Array {
  const digits = new Date(milliseconds).toISOString().replace(/\.\d+|[-:T]/g, '');
  const isUtc = digits >= '1950' && digits < '2050';
  return isUtc ? tlv(Tag.utcTime, ascii(digits.slice(2))) : tlv(Tag.generalizedTime, ascii(digits));
}

/** `[n] EXPLICIT` (and `[n] IMPLICIT` of a constructed type, given its contents). */
export function explicit(n: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return tlv(explicitTag(n), ...contents);
}

/** `[n] IMPLICIT` of a primitive type: its contents only. */
export function implicit(n: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return tlv(implicitTag(n), ...contents);
}
