/**
 * RFC 9846 §3 (presentation language) as values: one declaration of a struct parses it and builds it, and its TypeScript
 * type is inferred from it. `opaque(0, 32)` is `opaque<0..32>`, `vector(0, 2 ** 16 - 2, uint16)` is `uint16<0..2^16-2>`.
 */

import { ascii, EMPTY, latin1 } from './bytes.ts';
import { DecodeError, Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** Reads and writes one type of value. */
export interface Codec<T> {
  /** The length of the longest value on the wire, in bytes. */
  readonly max: number;
  read(reader: Reader): T;
  write(writer: Writer, value: T): void;
}

/** The type of the values of a codec. */
export type Infer<C> = C extends Codec<infer T> ? T : never;

/** Decodes a value that extends from `offset` to the end of `bytes`. @throws DecodeError */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, offset = 0): T {
  const reader = new Reader(bytes, offset);
  const value = codec.read(reader);
  reader.finish();
  return value;
}

/** The writer of {@link encode}; absent while a value is being encoded, in case its codec calls encode() too. */
let spare: Writer | undefined;

/** Encodes a value. @throws RangeError if it is outside the range of its declaration */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = spare ?? new Writer();
  spare = undefined;
  try {
    codec.write(writer, value);
    return writer.finish();
  } catch (error) {
    writer.clear();
    throw error;
  } finally {
    spare = writer;
  }
}

function uint(width: number): Codec<number> {
  return {
    max: width,
    read: (reader) => reader.uint(width),
    write: (writer, value) => writer.uint(width, value),
  };
}

export const uint8: Codec<number> = uint(1);
export const uint16: Codec<number> = uint(2);
export const uint24: Codec<number> = uint(3);
export const uint32: Codec<number> = uint(4);

/** The greatest length that is read as a copy, which here costs no more than a view and keeps no message in memory. */
const COPIED = 32;

/** `opaque name[length]` */
export function fixed(length: number): Codec<Uint8Array> {
  return {
    max: length,
    read: (reader) => (length <= COPIED ? reader.copy(length) : reader.take(length)),
    write: (writer, value) => {
      if (value.length !== length) throw new RangeError(`${value.length} bytes, ${length} wanted`);
      writer.raw(value);
    },
  };
}

/** The rest of the surrounding struct, for bodies whose length is in the framing (Finished). */
export const rest: Codec<Uint8Array> = {
  max: Number.POSITIVE_INFINITY,
  read: (reader) => reader.take(reader.remaining),
  write: (writer, value) => writer.raw(value),
};

/** A struct without fields. */
export const empty: Codec<Record<string, never>> = { max: 0, read: () => ({}), write: () => {} };

/** Returns how many bytes the length of a vector takes: as many as its ceiling needs (§3.4). */
function lengthWidth(max: number): number {
  return max < 256 ? 1 : max < 65536 ? 2 : 3;
}

/** Reads the length of a vector, and checks it against the declaration before the body is read. */
function readLength(reader: Reader, min: number, max: number): number {
  const length = reader.uint(lengthWidth(max));
  if (length < min || length > max) throw new DecodeError(`length ${length} outside <${min}..${max}>`);
  return length;
}

function readBlock(reader: Reader, min: number, max: number): Reader {
  return reader.window(readLength(reader, min, max));
}

/** Writes a value with its length before it. */
function writeBlock<T>(writer: Writer, min: number, max: number, codec: Pick<Codec<T>, 'write'>, value: T): void {
  const width = lengthWidth(max);
  const at = writer.open(width);
  codec.write(writer, value);
  const length = writer.close(at, width);
  if (length < min || length > max) throw new RangeError(`length ${length} outside <${min}..${max}>`);
}

/** `opaque name<min..max>` */
export function opaque(min: number, max: number): Codec<Uint8Array> {
  return {
    max: lengthWidth(max) + max,
    read: (reader) => {
      const length = readLength(reader, min, max);
      return max <= COPIED ? reader.copy(length) : reader.take(length);
    },
    write: (writer, value) => writeBlock(writer, min, max, rest, value),
  };
}

/** `Item name<min..max>`: min and max count bytes, as in the RFC. */
export function vector<T>(min: number, max: number, item: Codec<T>): Codec<readonly T[]> {
  const items = sequence(item);
  return {
    max: lengthWidth(max) + max,
    read: (reader) => readItems(readBlock(reader, min, max), item),
    write: (writer, value) => writeBlock(writer, min, max, items, value),
  };
}

function readItems<T>(body: Reader, item: Codec<T>): T[] {
  const items: T[] = [];
  try {
    while (body.remaining > 0) items.push(item.read(body));
  } catch (error) {
    throw error instanceof DecodeError ? error.within(`[${items.length}]`) : error;
  }
  return items;
}

/** Lists of up to so many bytes are decoded at once: they are read several times, and their entries take little memory. */
const SHORT = 1024;

/** The entries of a vector, in order. Arrays are entries, too: a vector is written from one. */
export interface Entries<T> extends Iterable<T> {
  readonly length: number;
}

/** Entries that are numbers. */
export interface Numbers extends Entries<number> {
  includes(value: number): boolean;
}

/** Entries that have been received. They stay bytes, as an object for each could take thirty times the memory. */
class ReceivedEntries<T> implements Entries<T> {
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #item: Codec<T>;

  constructor(bytes: Uint8Array, item: Codec<T>, length: number) {
    this.#bytes = bytes;
    this.#item = item;
    this.length = length;
  }

  /** No generator, as nothing waits. */
  [Symbol.iterator](): Iterator<T> {
    const item = this.#item;
    const reader = new Reader(this.#bytes);
    return {
      next: () => (reader.remaining > 0 ? { value: item.read(reader) } : { done: true, value: undefined }),
    };
  }
}

class ReceivedNumbers extends ReceivedEntries<number> implements Numbers {
  readonly #numbers: Uint8Array;

  constructor(bytes: Uint8Array) {
    super(bytes, uint16, bytes.length / 2);
    this.#numbers = bytes;
  }

  includes(value: number): boolean {
    const bytes = this.#numbers;
    for (let i = 0; i < bytes.length; i += 2)
      if (256 * (bytes[i] as number) + (bytes[i + 1] as number) === value) return true;
    return false;
  }
}

/** `Item name<min..max>` as {@link vector}, for a list of any length: each entry is checked now, and decoded whenever it is looked at. */
export function entries<T>(min: number, max: number, item: Codec<T>): Codec<Entries<T>> {
  return {
    max: lengthWidth(max) + max,
    read: (reader) => {
      const length = readLength(reader, min, max);
      if (length <= SHORT) return readItems(reader.window(length), item);
      const bytes = reader.take(length);
      return new ReceivedEntries(bytes, item, countItems(new Reader(bytes), item));
    },
    write: (writer, value) => writeBlock(writer, min, max, sequence(item), value),
  };
}

/** `uint16 name<min..max>`, in the same way. */
export function numbers(min: number, max: number): Codec<Numbers> {
  return {
    max: lengthWidth(max) + max,
    read: (reader) => {
      const length = readLength(reader, min, max);
      if (length <= SHORT) return readItems(reader.window(length), uint16);
      const bytes = reader.take(length);
      if (bytes.length % 2 !== 0) countItems(new Reader(bytes), uint16); // says which entry breaks off
      return new ReceivedNumbers(bytes);
    },
    write: (writer, value) => writeBlock(writer, min, max, sequence(uint16), value),
  };
}

/** Reads items to the end, and returns how many there are. */
function countItems<T>(body: Reader, item: Codec<T>): number {
  let count = 0;
  try {
    for (; body.remaining > 0; count++) item.read(body);
  } catch (error) {
    throw error instanceof DecodeError ? error.within(`[${count}]`) : error;
  }
  return count;
}

function sequence<T>(item: Codec<T>): Pick<Codec<Iterable<T>>, 'write'> {
  return {
    write: (writer, value) => {
      for (const element of value) item.write(writer, element);
    },
  };
}

/** One value in a block with a length (an extension body, a `Certificate` entry). */
export function block<T>(min: number, max: number, codec: Codec<T>): Codec<T> {
  return {
    max: lengthWidth(max) + Math.min(max, codec.max),
    read: (reader) => {
      const body = readBlock(reader, min, max);
      const value = codec.read(body);
      body.finish();
      return value;
    },
    write: (writer, value) => writeBlock(writer, min, max, codec, value),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the fields of a struct have unrelated types; this is the codec's variance.
type Fields = Record<string, Codec<any>>;

/** `struct { … } Name;`, its fields in the order of the declaration. */
export function struct<F extends Fields>(fields: F): Codec<{ readonly [K in keyof F]: Infer<F[K]> }> {
  const entries = Object.entries(fields);
  return {
    max: entries.reduce((sum, [, { max }]) => sum + max, 0),
    read: (reader) => {
      const value: Record<string, unknown> = {};
      for (const [name, codec] of entries) value[name] = readField(name, codec, reader);
      return value as { [K in keyof F]: Infer<F[K]> };
    },
    write: (writer, value) => {
      for (const [name, codec] of entries) codec.write(writer, value[name]);
    },
  };
}

function readField<T>(name: string, codec: Codec<T>, reader: Reader): T {
  try {
    return codec.read(reader);
  } catch (error) {
    throw error instanceof DecodeError ? error.within(name) : error;
  }
}

/** A last field that older peers omit: `undefined` if the struct ends before it. */
export function optionalTail<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    max: codec.max,
    read: (reader) => (reader.remaining === 0 ? undefined : codec.read(reader)),
    write: (writer, value) => {
      if (value !== undefined) codec.write(writer, value);
    },
  };
}

/** Converts the values of a codec to another type: a name, an enumeration, a text. `from` may throw a DecodeError. */
export function mapped<A, B>(codec: Codec<A>, from: (wire: A) => B, to: (value: B) => A): Codec<B> {
  return {
    max: codec.max,
    read: (reader) => from(codec.read(reader)),
    write: (writer, value) => codec.write(writer, to(value)),
  };
}

/** Text of one byte a character. Names on the wire (SNI, ALPN) are compared as bytes, so no encoding is interpreted. */
export function text(min: number, max: number): Codec<string> {
  return mapped(
    opaque(min, max),
    latin1, // spreading 65,535 arguments would overflow some stacks
    ascii,
  );
}

// biome-ignore lint/suspicious/noExplicitAny: as for Fields.
type ExtensionFields = Record<string, readonly [type: number, codec: Codec<any>, only?: string]>;

/**
 * The value of an extension block: each known extension under its name; and all types in the order of the wire, or the last of them
 * and the extensions that have not been decoded yet.
 */
export type Extensions<F extends ExtensionFields> = { readonly [K in keyof F]?: Infer<F[K][1]> | undefined } & {
  readonly order?: readonly number[];
  readonly last?: number | undefined;
  later?: readonly Later[] | undefined;
};

interface KnownExtension {
  readonly name: string;
  readonly type: number;
  readonly codec: Codec<unknown>;
  readonly only: string | undefined;
}

/** An extension that {@link decodeLater} decodes. */
interface Later {
  readonly extension: KnownExtension;
  readonly data: Reader;
}

/** From this many types on, searching an array takes longer than making a Set. */
const MANY = 32;

/** The types of the extensions in a block, in order. */
class Seen {
  readonly order: number[] = [];
  #set: Set<number> | undefined;

  /** @throws DecodeError for a type that was added before */
  add(type: number): void {
    if (this.#set?.has(type) ?? this.order.includes(type))
      throw new DecodeError(`extension ${type} twice`, 'illegal_parameter');
    this.order.push(type);
    if (this.order.length === MANY) this.#set = new Set(this.order);
    else this.#set?.add(type);
  }
}

/**
 * `Extension extensions<0..2^16-1>` (§4.3). Unknown types are skipped, and a type that occurs twice is refused. `order` lists
 * all types received, known or not. If only the `first` are to be decoded at once, `later` has the others; `last` is the last type, and
 * there is no list, which may have thousands of entries. When a value is written, these three are ignored: extensions come in the
 * order of the declaration.
 */
export function extensions<F extends ExtensionFields>(fields: F, first?: readonly (keyof F)[]): Codec<Extensions<F>> {
  const known = Object.entries(fields).map(
    ([name, [type, codec, only]]): KnownExtension => ({ name, type, codec, only }),
  );
  const byType = new Map(known.map((extension) => [extension.type, extension]));
  const each = {
    write: (writer: Writer, value: Record<string, unknown>) => {
      for (const { name, type, codec } of known) {
        if (value[name] === undefined) continue;
        writer.uint(2, type);
        writeBlock(writer, 0, 0xffff, codec, value[name]);
      }
    },
  };
  return {
    max: 2 + 0xffff,
    read: (reader) => {
      const body = readBlock(reader, 0, 0xffff);
      const seen = new Seen();
      const later: Later[] = [];
      const value: Record<string, unknown> = {};
      while (body.remaining > 0) {
        const type = body.uint(2);
        seen.add(type);
        const data = readBlock(body, 0, 0xffff);
        const extension = byType.get(type);
        if (extension === undefined) continue;
        if (first?.includes(extension.name) ?? true) readExtension(value, extension, data);
        else later.push({ extension, data });
      }
      if (first === undefined) value['order'] = seen.order;
      else {
        value['last'] = seen.order.at(-1);
        value['later'] = later;
      }
      return value as Extensions<F>;
    },
    write: (writer, value) => writeBlock(writer, 0, 0xffff, each, value),
  };
}

function readExtension(value: Record<string, unknown>, { name, codec }: KnownExtension, data: Reader): void {
  try {
    value[name] = codec.read(data);
    data.finish();
  } catch (error) {
    throw error instanceof DecodeError ? error.within(name) : error;
  }
}

/** Decodes the extensions that were left for later, but for those of another version only, which may have any content. @throws DecodeError */
export function decodeLater(value: Extensions<ExtensionFields>, version: string): void {
  const { later = [] } = value;
  value.later = undefined;
  for (const { extension, data } of later) {
    const { only = version } = extension;
    if (only === version) readExtension(value, extension, data);
  }
}

/** An extension without a body. */
export const flag: Codec<true> = { max: 0, read: () => true, write: (writer) => writer.raw(EMPTY) };
