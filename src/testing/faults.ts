/**
 * Faults: what a connection sends otherwise than it should. Each is a value; give any number to a connection. None turns a check off:
 * a peer that accepts what it must not is another program.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { callback, integer, oneOf } from '../engine/checks.ts';
import type { Fault } from '../engine/fault.ts';
import type { Decisions, TicketDecisions } from '../handshake/decisions.ts';
import { concat, EMPTY, equalBytes } from '../wire/bytes.ts';
import { decode, encode } from '../wire/codec.ts';
import { MESSAGE_HEADER } from '../wire/handshake-buffer.ts';
import { kindOf, requireBytes } from '../wire/kind-of.ts';
import { type Names, requireOptions } from '../wire/options.ts';
import { putRecordHeader, RECORD_HEADER } from '../wire/record.ts';
import {
  CipherSuite,
  type CipherSuiteName,
  ContentType,
  ExtensionType,
  type GroupName,
  NamedGroup,
  nameOf,
  ProtocolVersion,
  type Version,
} from '../wire/registry.ts';
import { joinMessage, keepUnknown, placeOfNew, requireSplit } from './extension-block.ts';
import { type Interceptor, LayeredFault, type Seal, type Sending } from './interceptor.ts';
import { messageOf, nameIn, versionIn } from './messages.ts';
import { closeAt, delay, stall } from './time-faults.ts';
import { CONTENTS, type ContentName, isNext, MESSAGES, type MessageName, requireTarget, type Which } from './which.ts';

type Edit = (raw: Uint8Array, version: Version | undefined) => Sending;

/** A fault of messages: finds those of its name, counts them, and changes the chosen ones. */
function messageFault(title: string, name: MessageName, which: Which, edit: Edit): Fault {
  requireTarget(title, name, MESSAGES, which);
  return new LayeredFault(`${title} ${name}`, (inner) => {
    let count = 0;
    let version: Version | undefined;
    return {
      ...inner,
      received: (frame) => {
        version = versionIn(frame.raw) ?? version;
        inner.received(frame);
      },
      sending: (raw) => {
        version = versionIn(raw) ?? version;
        const isChosen = nameIn(raw) === name && isNext(which, ++count);
        return isChosen ? through(inner, edit(raw, version)) : inner.sending(raw);
      },
    };
  });
}

/** What `inner` makes of each message that a fault sends. Where a fault says that something else is hashed, that stands. */
function through(inner: Interceptor, { sent, hashed }: Sending): Sending {
  const each = sent.map((raw) => inner.sending(raw));
  const isHashedAsSent = equalBytes(hashed, concat(...sent));
  return {
    sent: each.flatMap((one) => one.sent),
    hashed: isHashedAsSent ? concat(...each.map((one) => one.hashed)) : hashed,
  };
}

/** A message that is hashed as it is sent. */
function sent(...messages: readonly Uint8Array[]): Sending {
  return { sent: messages, hashed: concat(...messages) };
}

/**
 * Changes the fields of a message, which `edit` gets and returns; they are named as in the RFCs, in camel case. The transcript has the
 * changed message, so that nothing else is wrong.
 * @throws TypeError (from the connection) for a field or an extension that the message does not have: see {@link extension}
 */
function change<T = Record<string, unknown>>(name: MessageName, edit: (fields: T) => T, which: Which = 1): Fault {
  callback('change(edit)', edit);
  return messageFault('change', name, which, (raw, version) => {
    const message = messageOf(raw, version);
    if (message === undefined) throw new TypeError(`change(${name}): its fields are not known; use raw()`);
    const fields = () => decode(message.body, raw, MESSAGE_HEADER);
    const write = (body: unknown) => encode(message.framed, { type: message.type, body });
    const changed = edit(fields() as T);
    const encoded = write(changed);
    const written = decode(message.body, encoded, MESSAGE_HEADER);
    requireNothingLost(name, changed, written);
    requireSameNonce(fields(), written);
    const bytes = keepUnknown(version, raw, write(fields()), encoded);
    if (bytes === undefined) throw new TypeError(`change(${name}): not all of it is known; use raw()`);
    return sent(bytes);
  });
}

/** A field that has no place would be dropped without a word, and a test would seem to pass. */
function requireNothingLost(name: string, wanted: unknown, written: unknown): void {
  if (written instanceof Uint8Array || typeof wanted !== 'object' || wanted === null)
    return requireSame(name, wanted, written);
  if (typeof written !== 'object' || written === null) return;
  if (isIterable(wanted)) {
    const there = isIterable(written) ? [...written] : [];
    for (const [i, one] of [...wanted].entries()) requireNothingLost(name, one, there[i]);
    return;
  }
  for (const [field, value] of Object.entries(wanted)) {
    if (value === undefined || NOT_WRITTEN.includes(field)) continue;
    const there = Object.entries(written).find(([other]) => other === field)?.[1];
    if (there === undefined) throw new TypeError(`change(${name}): it has no ${field}; extension() sends any`);
    requireNothingLost(name, value, there);
  }
}

function requireSame(name: string, wanted: unknown, written: unknown): void {
  const isSame =
    wanted instanceof Uint8Array && written instanceof Uint8Array ? equalBytes(wanted, written) : wanted === written;
  if (!isSame) throw new TypeError(`change(${name}): ${kindOf(wanted)} stands where ${kindOf(written)} is wanted`);
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value;
}

/** The PSK of a ticket is made of its nonce, and kept, before there is a message (RFC 9846 §4.7.1). */
function requireSameNonce(before: unknown, after: unknown): void {
  const [from, to] = [nonceIn(before), nonceIn(after)];
  if (from === undefined || to === undefined || equalBytes(from, to)) return;
  throw new TypeError(
    'change(new_session_ticket): the PSK is that of the nonce before; ticket({ nonce }) changes both, and raw() one alone',
  );
}

function nonceIn(fields: unknown): Uint8Array | undefined {
  const { ticketNonce } = Object(fields) as { readonly ticketNonce?: unknown };
  return ticketNonce instanceof Uint8Array ? ticketNonce : undefined;
}

/** What a decoded block of extensions says of itself. */
const NOT_WRITTEN = ['order', 'last', 'later'];

/** Sends other bytes in the place of a message, header included. The transcript has the message as it was, unless `isHashed`. */
function raw(
  name: MessageName,
  edit: (raw: Uint8Array) => Uint8Array,
  { which = 1, isHashed = false }: { readonly which?: Which | undefined; readonly isHashed?: boolean | undefined } = {},
): Fault {
  callback('raw(edit)', edit);
  return messageFault('raw', name, which, (message) => {
    const bytes = edit(message.slice());
    return { sent: [bytes], hashed: isHashed ? bytes : message };
  });
}

/** Leaves a message out, also out of the transcript. */
function drop(name: MessageName, which: Which = 1): Fault {
  return messageFault('drop', name, which, () => ({ sent: [], hashed: EMPTY }));
}

/** Sends a message twice. */
function repeat(name: MessageName, which: Which = 1): Fault {
  return messageFault('repeat', name, which, (message) => sent(message, message));
}

/** Sends another message first, header included. */
function insert(before: MessageName, message: Uint8Array, which: Which = 1): Fault {
  requireBytes('insert(message)', message);
  return messageFault('insert before', before, which, (next) => sent(message, next));
}

/** Sends a message after the next one. */
function swap(name: MessageName, which: Which = 1): Fault {
  requireTarget('swap', name, MESSAGES, which);
  return new LayeredFault(`swap ${name}`, (inner) => {
    let count = 0;
    let held: Uint8Array | undefined;
    return {
      ...inner,
      sending: (message) => {
        if (held !== undefined) {
          const late = held;
          held = undefined;
          return through(inner, sent(message, late));
        }
        if (nameIn(message) !== name || !isNext(which, ++count)) return inner.sending(message);
        held = message;
        return { sent: [], hashed: EMPTY };
      },
    };
  });
}

/**
 * Sets the extension of a message: of any number, with any content; `undefined` takes it away. A function is given the content that is
 * there. The extension comes last, or stands where it stood, and before pre_shared_key, which must be last.
 */
function extension(
  name: MessageName,
  type: number,
  content: Uint8Array | undefined | ((present: Uint8Array | undefined) => Uint8Array | undefined),
  which: Which = 1,
): Fault {
  return messageFault(`extension ${nameOf(ExtensionType, type)} of`, name, which, (message, version) => {
    const split = requireSplit(message, version);
    const list = [...split.list];
    const place = list.findIndex((one) => one.type === type);
    const data = typeof content === 'function' ? content(list[place]?.data) : content;
    if (place >= 0) list.splice(place, 1, ...(data === undefined ? [] : [{ type, data }]));
    else if (data !== undefined) list.splice(placeOfNew(list), 0, { type, data });
    return sent(joinMessage(message[0] ?? 0, split.head, list));
  });
}

/**
 * Adds an extension of a number that is reserved for nobody (RFC 8701 §4), of up to 15 bytes: to the tickets or the CertificateRequest of
 * a server, say. A peer has to ignore it, so this is a fault of none but a peer that does not. Number and length depend on the message, and
 * are the same in each run of a seeded world.
 */
function grease(name: MessageName, which: Which = 'each'): Fault {
  return messageFault('grease', name, which, (message, version) => {
    const { head, list: present } = requireSplit(message, version);
    const list = [...present];
    const dice = sha256(message);
    const type = 0x0a0a + 0x1010 * ((dice[0] ?? 0) & 15);
    const data = dice.slice(1, 1 + ((dice[31] ?? 0) & 15));
    list.splice(placeOfNew(list), 0, { type, data });
    return sent(joinMessage(message[0] ?? 0, head, list));
  });
}

type Records = (type: number, content: Uint8Array, seal: Seal, hasKey: boolean) => readonly Uint8Array[];

/** A fault of records: finds those with content of its type, counts them, and makes the chosen ones itself. */
function recordFault(title: string, of: ContentName, which: Which, make: Records): Fault {
  requireTarget(title, of, CONTENTS, which);
  return new LayeredFault(`${title} ${of}`, (inner) => {
    let count = 0;
    let hasKey = false;
    return {
      ...inner,
      rekeyed: (direction) => {
        hasKey ||= direction === 'writing';
        inner.rekeyed(direction);
      },
      sealing: (type, content, seal) => {
        if (type !== ContentType[of] || !isNext(which, ++count)) return inner.sealing(type, content, seal);
        return make(type, content, (kind, part) => concat(...inner.sealing(kind, part, seal)), hasKey);
      },
    };
  });
}

/** Sends content in records of so many bytes each. */
function split(of: ContentName, size: number, which: Which = 1): Fault {
  integer('split(size)', size, 1, 1);
  return recordFault(`split by ${size}`, of, which, (type, content, seal) => {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < content.length || at === 0; at += size)
      parts.push(seal(type, content.subarray(at, at + size)));
    return parts;
  });
}

/** Sends content together with the next of its type, in one record. */
function merge(of: ContentName, which: Which = 1): Fault {
  requireTarget('merge', of, CONTENTS, which);
  return new LayeredFault(`merge ${of}`, (inner) => {
    let count = 0;
    let held = EMPTY;
    return {
      ...inner,
      sealing: (type, content, seal) => {
        if (type !== ContentType[of]) return inner.sealing(type, content, seal);
        const whole = concat(held, content);
        held = isNext(which, ++count) ? whole : EMPTY;
        return held.length > 0 ? [] : inner.sealing(type, whole, seal);
      },
    };
  });
}

/** TLS 1.3: pads content with so many bytes of zero (RFC 9846 §5.4). What is sent before there is a key stays as it is. */
function pad(of: ContentName, length: number, which: Which = 1): Fault {
  integer('pad(length)', length, 0, 0);
  return recordFault(`pad by ${length}`, of, which, (type, content, seal, hasKey) => {
    if (length === 0 || !hasKey) return [seal(type, content)];
    return [seal(0, concat(content, Uint8Array.of(type), new Uint8Array(length - 1)))]; // the type of the last byte is padding, too
  });
}

/** Changes the bit of a record `at` so many bytes from its end, after it was sealed. */
function corrupt(
  of: ContentName,
  { which = 1, at = 0 }: { readonly which?: Which | undefined; readonly at?: number | undefined } = {},
): Fault {
  return recordFault('corrupt', of, which, (type, content, seal) => {
    const record = seal(type, content).slice();
    const place = record.length - 1 - at;
    record[place] = (record[place] ?? 0) ^ 1;
    return [record];
  });
}

/** Sends content in the clear, whatever the keys. */
function plaintext(of: ContentName, which: Which = 1): Fault {
  return recordFault('plaintext', of, which, (type, content) => {
    const record = concat(new Uint8Array(RECORD_HEADER), content);
    putRecordHeader(record, 0, { type, version: ProtocolVersion['TLSv1.2'] }, content.length);
    return [record];
  });
}

/** Sends content under a key that the peer does not have: of the records that are under a key. */
function wrongKey(of: ContentName, which: Which = 1): Fault {
  requireTarget('wrongKey', of, CONTENTS, which);
  return new LayeredFault(`wrong key for ${of}`, (inner) => {
    let count = 0;
    return {
      ...inner,
      sealing: (type, content, seal) => {
        const records = inner.sealing(type, content, seal);
        const isProtected = concat(...records).length > RECORD_HEADER * records.length + content.length;
        const isChosen = type === ContentType[of] && isProtected && isNext(which, ++count);
        return isChosen ? records.map(underAnotherKey) : records;
      },
    };
  });
}

/** What a cipher makes under another key cannot be told from this. */
function underAnotherKey(record: Uint8Array): Uint8Array {
  const sealed = record.slice();
  for (let at = RECORD_HEADER; at < sealed.length; at += 32)
    sealed.set(sha256(sealed.subarray(0, at)).subarray(0, sealed.length - at), at);
  return sealed;
}

/** Changes the header of a record after it was sealed. `length` is what it says, whatever follows. */
function header(
  of: ContentName,
  changed: {
    readonly type?: number | undefined;
    readonly version?: number | undefined;
    readonly length?: number | undefined;
  },
  which: Which = 1,
): Fault {
  requireOptions('header', changed, { type: true, version: true, length: true });
  integer('header.type', changed.type, 0, 0, 255);
  integer('header.version', changed.version, 0, 0, 0xffff);
  integer('header.length', changed.length, 0, 0, 0xffff);
  return recordFault('header of', of, which, (type, content, seal) => {
    const record = seal(type, content).slice();
    const outer = { type: record[0] ?? 0, version: 256 * (record[1] ?? 0) + (record[2] ?? 0) };
    const length = changed.length ?? record.length - RECORD_HEADER;
    putRecordHeader(record, 0, { type: changed.type ?? outer.type, version: changed.version ?? outer.version }, length);
    return [record];
  });
}

/** Sends content as if it were of another type, under the same keys. */
function contentType(of: ContentName, type: number, which: Which = 1): Fault {
  integer('contentType(type)', type, 0, 0, 255);
  return recordFault(`content type ${type} for`, of, which, (_, content, seal) => [seal(type, content)]);
}

/** A choice that a correct server may make. */
function decision(name: string, decisions: Decisions): Fault {
  return new LayeredFault(name, (inner) => inner, decisions);
}

/** TLS 1.3: has a server ask for a share of a group by HelloRetryRequest, also if there is a share of it or of another (§4.2.4). */
function retryWith(group: GroupName): Fault {
  oneOf('retryWith', group, Object.keys(NamedGroup) as GroupName[]);
  return decision(`retry with ${group}`, { retryWith: group });
}

/** TLS 1.3: has a server look at one PSK identity alone, the first of which is 0. */
function selectIdentity(identityIndex: number): Fault {
  integer('selectIdentity', identityIndex, 0, 0, 0xffff);
  return decision(`select identity ${identityIndex}`, { identityIndex });
}

/** TLS 1.3: has a server resume under this suite, if it has the hash of the session's and the client offers it (§4.3.11). */
function resumeUnder(cipherSuite: CipherSuiteName): Fault {
  oneOf('resumeUnder', cipherSuite, Object.keys(CipherSuite) as CipherSuiteName[]);
  return decision(`resume under ${cipherSuite}`, { cipherSuite });
}

/** TLS 1.3: sets fields of each NewSessionTicket of a server. The PSK is that of the nonce, so that the ticket resumes. */
function ticket(fields: TicketDecisions): Fault {
  requireOptions('ticket', fields, {
    nonce: true,
    lifetime: true,
    ageAdd: true,
    maxEarlyData: true,
  } satisfies Names<TicketDecisions>);
  const { nonce, lifetime, ageAdd, maxEarlyData } = fields;
  if (nonce !== undefined) integer('the length of ticket.nonce', requireBytes('ticket.nonce', nonce).length, 0, 0, 255);
  integer('ticket.lifetime', lifetime, 0, 0, 2 ** 32 - 1);
  integer('ticket.ageAdd', ageAdd, 0, 0, 2 ** 32 - 1);
  integer('ticket.maxEarlyData', maxEarlyData, 0, 0, 2 ** 32 - 1);
  return decision('ticket', { ticket: fields });
}

/** The faults, by their names. */
export const faults = {
  change,
  raw,
  drop,
  repeat,
  insert,
  swap,
  extension,
  grease,
  split,
  merge,
  pad,
  corrupt,
  plaintext,
  wrongKey,
  header,
  contentType,
  delay,
  stall,
  closeAt,
  retryWith,
  selectIdentity,
  resumeUnder,
  ticket,
};
