/**
 * The bytes in which the records of hellos outlive a process. In order, all big-endian: a name with the version of the format, a
 * CRC-32 of all that follows, six times as doubles, the number of fingerprints in the current generation, and the fingerprints of both.
 */

import { concat } from '../../wire/bytes.ts';
import { FINGERPRINT_BYTES } from './fingerprints.ts';

/** "TRH", and the version. */
const NAME = 0x54524801;
const BODY = 8;
const TIMES = 6;
const COUNT = BODY + 8 * TIMES;
const RECORDS = COUNT + 4;

/** What a strategy knows. Times are milliseconds since the epoch. */
export interface SavedHellos {
  readonly windowMs: number;
  readonly maxSkewMs: number;
  /** The time that was seen last. */
  readonly last: number;
  readonly highest: number;
  /** The end of the blackout. */
  readonly until: number;
  /** When the current generation began. */
  readonly since: number;
  /** Fingerprints. */
  readonly current: Uint8Array;
  readonly previous: Uint8Array;
}

export function encodeSaved(saved: SavedHellos): Uint8Array {
  const head = new Uint8Array(RECORDS);
  const bytes = concat(head, saved.current, saved.previous);
  const view = new DataView(bytes.buffer);
  const { windowMs, maxSkewMs, last, highest, until, since } = saved;
  [windowMs, maxSkewMs, last, highest, until, since].forEach((time, i) => {
    view.setFloat64(BODY + 8 * i, time);
  });
  view.setUint32(COUNT, saved.current.length / FINGERPRINT_BYTES);
  view.setUint32(0, NAME);
  view.setUint32(4, crc32(bytes.subarray(BODY)));
  return bytes;
}

/** Returns what is saved, with views of the bytes; `undefined` for what {@link encodeSaved} has not returned. */
export function decodeSaved(bytes: Uint8Array): SavedHellos | undefined {
  if (bytes.length < RECORDS || (bytes.length - RECORDS) % FINGERPRINT_BYTES !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0) !== NAME || view.getUint32(4) !== crc32(bytes.subarray(BODY))) return undefined;
  const time = (i: number) => view.getFloat64(BODY + 8 * i);
  const split = RECORDS + FINGERPRINT_BYTES * view.getUint32(COUNT);
  const saved = {
    windowMs: time(0),
    maxSkewMs: time(1),
    last: time(2),
    highest: time(3),
    until: time(4),
    since: time(5),
    current: bytes.subarray(RECORDS, split),
    previous: bytes.subarray(split),
  };
  return areTimes(saved) ? saved : undefined;
}

/** Reports whether none of them is NaN, say, which no comparison would notice. */
function areTimes({ windowMs, maxSkewMs, last, highest, until, since }: SavedHellos): boolean {
  const times = [windowMs, maxSkewMs, last, highest, until, since];
  return times.every((time) => time >= 0 && time <= Number.MAX_SAFE_INTEGER);
}

/** The table of {@link crc32}, made once it is needed. */
let table: Uint32Array | undefined;

/** The CRC-32 of ISO 3309. It finds what a disk has damaged, and nobody's intention. */
function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let i = 0; i < 8; i++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
    return rest;
  });
  let crc = ~0;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number);
  return ~crc >>> 0;
}
