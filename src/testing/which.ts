/** What a fault is about: a message or a record, and which of several. */

import { oneOf } from '../engine/checks.ts';
import { kindOf } from '../wire/kind-of.ts';
import { ContentType, HandshakeType } from '../wire/registry.ts';

/** IANA's name of a handshake message, or `hello_retry_request`. */
export type MessageName = keyof typeof HandshakeType | 'hello_retry_request';
/** IANA's name of the type of a record's content (RFC 9846 §5.1). */
export type ContentName = keyof typeof ContentType;

export const MESSAGES = [...Object.keys(HandshakeType), 'hello_retry_request'] as readonly MessageName[];
export const CONTENTS = Object.keys(ContentType) as readonly ContentName[];

/** Which of several messages or records a fault changes: 1 is the first, 'each' all. Default 1. */
export type Which = number | 'each';

export function isNext(which: Which, count: number): boolean {
  return which === 'each' || which === count;
}

/** @throws TypeError or RangeError for what no message or record is */
function requireWhich(fault: string, which: Which): void {
  if (which === 'each' || (typeof which === 'number' && Number.isInteger(which) && which >= 1)) return;
  if (typeof which === 'number') throw new RangeError(`${fault}: which is ${which}; the first is 1`);
  throw new TypeError(`${fault}: which is a number from 1 on or 'each', not ${kindOf(which)}`);
}

/** A fault of what does not exist would never happen, and a test would seem to pass. @throws TypeError or RangeError */
export function requireTarget<T extends string>(fault: string, name: T, known: readonly T[], which: Which): void {
  oneOf(fault, name, known);
  requireWhich(fault, which);
}
