/** Faults of time: what a connection sends late, no more, or not to the end. */

import { boolean, integer } from '../engine/checks.ts';
import type { Fault } from '../engine/fault.ts';
import { type Names, requireOptions } from '../wire/options.ts';
import { LayeredFault } from './interceptor.ts';
import type { Happening } from './outflow.ts';
import { CONTENTS, type ContentName, MESSAGES, type MessageName, requireTarget, type Which } from './which.ts';

/** A message, or a record with content of a type. */
export type PointName = MessageName | ContentName;

/** Where something happens that takes time: by default after the first message, or record, of a name. */
export interface PointOptions {
  readonly which?: Which | undefined;
  /** Whether it happens before and not after. Default false. */
  readonly isBefore?: boolean | undefined;
}

/** A fault of time. It looks at what goes out in the end, after all other faults. */
function timeFault(title: string, at: PointName, options: PointOptions, happening: Happening): Fault {
  requireOptions(`${title}(options)`, options, title === 'closeAt' ? { ...POINT, closeNotify: true } : POINT);
  const { which = 1, isBefore } = options;
  requireTarget<PointName>(title, at, [...MESSAGES, ...CONTENTS], which);
  const timing = { at, which, isBefore: boolean('isBefore', isBefore, false), happening };
  return new LayeredFault(`${title} ${at}`, (inner) => inner, {}, { timings: [timing] });
}

const POINT = { which: true, isBefore: true } satisfies Names<PointOptions>;

/**
 * Has all that follows a message or a record wait for so many milliseconds: it is on the wire afterwards, in its order, and so is the
 * end of the transport. The connection itself goes on meanwhile. To a shell of your own a delay is a 'deferred' event.
 */
export function delay(at: PointName, ms: number, options: PointOptions = {}): Fault {
  integer('delay(ms)', ms, 0, 0, 2 ** 31 - 1);
  return timeFault('delay', at, options, { kind: 'delay', ms });
}

/** Sends nothing any more. The transport stays open until the peer ends it, the connection fails, or the application destroys it. */
export function stall(at: PointName, options: PointOptions = {}): Fault {
  return timeFault('stall', at, options, { kind: 'stall' });
}

/**
 * Closes the transport: nothing else is sent, but for a close_notify if that is asked for. The connection fails with a
 * {@link TlsAlert} close_notify of ours, and keeps its session.
 */
export function closeAt(
  at: PointName,
  options: PointOptions & { readonly closeNotify?: boolean | undefined } = {},
): Fault {
  const closeNotify = boolean('closeNotify', options?.closeNotify, false);
  return timeFault('closeAt', at, options, { kind: 'close', closeNotify });
}
