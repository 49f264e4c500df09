/**
 * Faults: what a connection sends otherwise than it should. Each is a value; give any number to a connection. None turns a check off:
 * a peer that accepts what it must not is another program.
 */

import type { Fault } from '../engine/fault.ts';
import type { Decisions, TicketDecisions } from '../handshake/decisions.ts';
import { concat, EMPTY } from '../wire/bytes.ts';
import { decode, encode, opaque, struct, uint8, uint16, uint24, vector } from '../wire/codec.ts';
import { putRecordHeader, RECORD_HEADER } from '../wire/record.ts';
import {
  type CipherSuiteName,
  ContentType,
  ExtensionType,
  type GroupName,
  HandshakeType,
  nameOf,
  ProtocolVersion,
  type Version,
} from '../wire/registry.ts';
import { type Interceptor, LayeredFault, type Sending } from './interceptor.ts';
import { messageOf, nameIn, versionIn } from './messages.ts';

/** IANA's name of a handshake message, or `hello_retry_request`. */
export type MessageName = keyof typeof HandshakeType | 'hello_retry_request';
/** IANA's name of the type of a record's content (RFC 9846 §5.1). */
export type ContentName = keyof typeof ContentType;

/** Which of several messages or records a fault changes: 1 is the first, 'each' all. Default 1. */
export type Which = number | 'each';

type Edit = (raw: Uint8Array, version: Version | undefined) => Sending;

/** A fault of messages: finds those of its name, counts them, and changes the chosen ones. */
function messageFault(title: string, name: MessageName, which: Which, edit: Edit): Fault {
  return new LayeredFault(`${title} ${name}`, (inner) => {
    let count = 0;
    let version: Version | undefined;
    return {
      ...inner,
      sending: (raw) => {
        version = versionIn(raw) ?? version;
        const isChosen = nameIn(raw) === name && isNext(which, ++count);
        return isChosen ? through(inner, edit(raw, version)) : inner.sending(raw);
      },
    };
  });
}

function isNext(which: Which, count: number): boolean {
  return which === 'each' || which === count;
}

/** What `inner` makes of each message that a fault sends. What is hashed is the fault's to say. */
function through(inner: Interceptor, { sent, hashed }: Sending): Sending {
  return { sent: sent.flatMap((raw) => inner.sending(raw).sent), hashed };
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
  return messageFault('change', name, which, (raw, version) => {
    const message = messageOf(raw, version);
    if (message === undefined) throw new TypeError(`change(${name}): its fields are not known; use raw()`);
    const changed = edit(decode(message.body, raw, HEADER) as T);
    const bytes = encode(message.framed, { type: message.type, body: changed });
    requireNothingLost(name, changed, decode(message.body, bytes, HEADER));
    return sent(bytes);
  });
}

/** A field that has no place would be dropped without a word, and a test would seem to pass. */
function requireNothingLost(name: string, wanted: unknown, written: unknown): void {
  if (typeof wanted !== 'object' || wanted === null || typeof written !== 'object' || written === null) return;
  if (wanted instanceof Uint8Array || Symbol.iterator in wanted) return;
  for (const [field, value] of Object.entries(wanted)) {
    if (value === undefined || NOT_WRITTEN.includes(field)) continue;
    const there = Object.entries(written).find(([other]) => other === field)?.[1];
    if (there === undefined) throw new TypeError(`change(${name}): it has no ${field}; extension() sends any`);
    requireNothingLost(name, value, there);
  }
}

/** What a decoded block of extensions says of itself. */
const NOT_WRITTEN = ['order', 'last', 'later'];

const HEADER = 4;
const Header = struct({ type: uint8, length: uint24 });

function framed(type: number, body: Uint8Array): Uint8Array {
  return concat(encode(Header, { type, length: body.length }), body);
}

/** Sends other bytes in the place of a message, header included. The transcript has the message as it was, unless `isHashed`. */
function raw(
  name: MessageName,
  edit: (raw: Uint8Array) => Uint8Array,
  { which = 1, isHashed = false }: { readonly which?: Which | undefined; readonly isHashed?: boolean | undefined } = {},
): Fault {
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
  return messageFault('insert before', before, which, (next) => sent(message, next));
}

/** Sends a message after the next one. */
function swap(name: MessageName, which: Which = 1): Fault {
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
 * Sets the extension of a message: of any number, with any content; `undefined` takes it away. It comes last, or stands where it stood,
 * and before pre_shared_key, which must be last.
 */
function extension(name: MessageName, type: number, data: Uint8Array | undefined, which: Which = 1): Fault {
  return messageFault(`extension ${nameOf(ExtensionType, type)} of`, name, which, (message) => {
    const at = startOfExtensions(message);
    const tail = message.subarray(at);
    const list = tail.length === 0 ? [] : decode(Extensions, tail).map((one) => one);
    const place = list.findIndex((one) => one.type === type);
    if (place >= 0) list.splice(place, 1, ...(data === undefined ? [] : [{ type, data }]));
    else if (data !== undefined) list.splice(placeOfNew(list), 0, { type, data });
    return sent(framed(message[0] ?? 0, concat(message.subarray(HEADER, at), encode(Extensions, list))));
  });
}

const Extensions = vector(0, 0xffff, struct({ type: uint16, data: opaque(0, 0xffff) }));

function placeOfNew(list: readonly { readonly type: number }[]): number {
  return list.at(-1)?.type === ExtensionType.pre_shared_key ? list.length - 1 : list.length;
}

/** Where the block of extensions of a message begins, which is its last field. @throws TypeError if it has none */
function startOfExtensions(message: Uint8Array): number {
  let at = HEADER;
  const skip = (width: number): void => {
    let length = 0;
    for (let i = 0; i < width; i++) length = 256 * length + (message[at + i] ?? 0);
    at += width + length;
  };
  switch (message[0]) {
    case HandshakeType.client_hello:
      at += 34;
      for (const width of [1, 2, 1]) skip(width);
      return at;
    case HandshakeType.server_hello:
      at += 34;
      skip(1);
      return at + 3;
    case HandshakeType.encrypted_extensions:
      return at;
    case HandshakeType.new_session_ticket:
      at += 8;
      for (const width of [1, 2]) skip(width);
      return at;
    case HandshakeType.certificate_request:
      skip(1);
      return at;
    default:
      throw new TypeError(`extension(): ${nameIn(message)} has none; use raw()`);
  }
}

type Records = Interceptor['sealing'];

/** A fault of records: finds those with content of its type, counts them, and makes the chosen ones itself. */
function recordFault(title: string, of: ContentName, which: Which, make: Records): Fault {
  return new LayeredFault(`${title} ${of}`, (inner) => {
    let count = 0;
    return {
      ...inner,
      sealing: (type, content, seal) => {
        if (type !== ContentType[of] || !isNext(which, ++count)) return inner.sealing(type, content, seal);
        return make(type, content, (kind, part) => concat(...inner.sealing(kind, part, seal)));
      },
    };
  });
}

/** Sends content in records of so many bytes each. */
function split(of: ContentName, size: number, which: Which = 1): Fault {
  return recordFault(`split by ${size}`, of, which, (type, content, seal) => {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < content.length || at === 0; at += size)
      parts.push(seal(type, content.subarray(at, at + size)));
    return parts;
  });
}

/** Sends content together with the next of its type, in one record. */
function merge(of: ContentName, which: Which = 1): Fault {
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

/** TLS 1.3: pads content with so many bytes of zero (RFC 9846 §5.4). */
function pad(of: ContentName, length: number, which: Which = 1): Fault {
  return recordFault(`pad by ${length}`, of, which, (type, content, seal) => {
    if (length === 0) return [seal(type, content)];
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
  return recordFault(`content type ${type} for`, of, which, (_, content, seal) => [seal(type, content)]);
}

/** A choice that a correct server may make. */
function decision(name: string, decisions: Decisions): Fault {
  return new LayeredFault(name, (inner) => inner, decisions);
}

/** TLS 1.3: has a server ask for a share of a group by HelloRetryRequest, also if there is a share of it or of another (§4.2.4). */
function retryWith(group: GroupName): Fault {
  return decision(`retry with ${group}`, { retryWith: group });
}

/** TLS 1.3: has a server look at one PSK identity alone, the first of which is 0. */
function selectIdentity(identityIndex: number): Fault {
  return decision(`select identity ${identityIndex}`, { identityIndex });
}

/** TLS 1.3: has a server resume under this suite, if it has the hash of the session's and the client offers it (§4.3.11). */
function resumeUnder(cipherSuite: CipherSuiteName): Fault {
  return decision(`resume under ${cipherSuite}`, { cipherSuite });
}

/** TLS 1.3: sets fields of each NewSessionTicket of a server. The PSK is that of the nonce, so that the ticket resumes. */
function ticket(fields: TicketDecisions): Fault {
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
  split,
  merge,
  pad,
  corrupt,
  plaintext,
  header,
  contentType,
  retryWith,
  selectIdentity,
  resumeUnder,
  ticket,
};
