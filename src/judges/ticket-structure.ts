/** What the tickets of a server tell from outside: whose format they may have, under which keys they are, and how random their values are. */

import { sessionToDer } from '../sessions/der.ts';
import { KEY_NAME_LENGTH } from '../tickets/format.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { CipherSuite, NamedGroup, type Version } from '../wire/registry.ts';

/** A ticket that a server has sent. */
export interface TicketSample {
  readonly version: Version;
  /** When its connection began, in milliseconds since the epoch. */
  readonly at: number;
  /** The number of its connection. */
  readonly connection: number;
  readonly ticket: Uint8Array;
  /** Seconds. */
  readonly lifetime: number;
  /** TLS 1.3. */
  readonly ageAdd?: number | undefined;
  readonly nonce?: Uint8Array | undefined;
  readonly maxEarlyData?: number | undefined;
}

/** What the handshake was that the tickets are of. */
export interface Circumstances {
  readonly serverName: string | undefined;
  readonly cipherSuite: number;
  readonly extendedMasterSecret: boolean;
}

/** Whose format tickets may have. */
export interface FormatGuess {
  /** What they are, such as `AES-CBC and HMAC-SHA256, as RFC 5077 §4 recommends`. */
  readonly layout: string;
  /** Who makes such tickets. The more likely are not in front. */
  readonly producers: readonly string[];
  readonly reasons: readonly string[];
}

const MAC_LENGTH = 32;
const BLOCK = 16;
/** Our own format: name, version 1, nonce, tag. */
const OWN = { versionAt: KEY_NAME_LENGTH, version: 1, overhead: 45 };
/** GnuTLS: name, vector, length of the state, state, HMAC-SHA-1. */
const GNUTLS = { lengthAt: 32, overhead: 54 };
const ID_LENGTH = 32;

/** The bytes that all tickets begin with, up to the length of a key name; `undefined` without two connections to compare. */
function commonName(samples: readonly TicketSample[]): Uint8Array | undefined {
  const [first] = samples;
  if (first === undefined || samples.every(({ connection }) => connection === first.connection)) return undefined;
  const name = first.ticket.subarray(0, KEY_NAME_LENGTH);
  const isCommon = ({ ticket }: TicketSample) => equalBytes(ticket.subarray(0, KEY_NAME_LENGTH), name);
  return name.length === KEY_NAME_LENGTH && samples.every(isCommon) ? name : undefined;
}

/** Guesses by length and structure. The tickets are of the same circumstances, and of several connections. */
export function formatOf(samples: readonly TicketSample[], circumstances: Circumstances): FormatGuess | undefined {
  const [first] = samples;
  if (first === undefined) return undefined;
  const every = (fits: (ticket: Uint8Array) => boolean) => samples.every(({ ticket }) => fits(ticket));
  if (commonName(samples) === undefined) return withoutName(samples, every);
  if (every((ticket) => ticket[OWN.versionAt] === OWN.version && ticket.length > OWN.overhead))
    return {
      layout: 'AES-256-GCM under a named key',
      producers: ['tls-resume'],
      reasons: ['16 bytes that are common, and a 1 behind them in each'],
    };
  if (every((ticket) => ticket.length === GNUTLS.overhead + uint16(ticket, GNUTLS.lengthAt)))
    return {
      layout: 'AES-256-CBC and HMAC-SHA-1 under a named key, with a length',
      producers: ['GnuTLS'],
      reasons: ['bytes 32 and 33 are the length of what is encrypted'],
    };
  if (every(({ length }) => length > CBC_OVERHEAD && (length - CBC_OVERHEAD) % BLOCK === 0))
    return cbc(samples, circumstances);
  return {
    layout: 'a named key, and what is sealed is no multiple of 16 bytes',
    producers: every(({ length }) => length > CBC_OVERHEAD) ? ['Go before 1.21'] : [],
    reasons: ['16 bytes that are common to all'],
  };
}

function withoutName(
  samples: readonly TicketSample[],
  every: (fits: (ticket: Uint8Array) => boolean) => boolean,
): FormatGuess {
  if (every(({ length }) => length <= ID_LENGTH))
    return {
      layout: 'an id: the server keeps the sessions',
      producers: ['tls-resume', 'OpenSSL and those that use it'],
      reasons: ['no longer than an id of TLS 1.2'],
    };
  const isGo = samples.every(({ lifetime, nonce }) =>
    nonce === undefined ? lifetime === 0 : lifetime === WEEK && nonce.length === 0,
  );
  return {
    layout: 'sealed under a key without a name',
    producers: isGo ? ['Go'] : [],
    reasons: isGo
      ? ['nothing is common; the lifetime and the nonce are those of Go']
      : ['nothing is common to the tickets of several connections'],
  };
}

const WEEK = 604_800;

/** A server over OpenSSL 3, as it makes its sessions. */
interface Habit {
  readonly name: string;
  /** The length of its session id context, if nobody says otherwise. */
  readonly contextLength: number;
  /** How long it has a session live, in seconds, if nobody says otherwise. */
  readonly lifetimes: readonly number[];
  readonly namesHost: boolean;
}

const HABITS: readonly Habit[] = [
  { name: 'OpenSSL (s_server)', contextLength: 4, lifetimes: [7200], namesHost: false },
  { name: 'Node', contextLength: 32, lifetimes: [7200], namesHost: false },
  { name: 'nginx', contextLength: 20, lifetimes: [300], namesHost: true },
  { name: 'HAProxy', contextLength: 7, lifetimes: [300, 7200], namesHost: true },
];

/** Those over OpenSSL differ in what they put into a session, and so in the length of its encoding. */
function cbc(samples: readonly TicketSample[], circumstances: Circumstances): FormatGuess {
  const states = samples.map(({ ticket }) => ticket.length - CBC_OVERHEAD);
  const fitting = HABITS.filter((habit) =>
    samples.every(
      (sample, i) =>
        habit.lifetimes.includes(sample.lifetime) && padded(encodedLength(habit, sample, circumstances)) === states[i],
    ),
  );
  const lengths = [...new Set(states)].join(' or ');
  const reasons = [`16 bytes that are common, and ${lengths} that are encrypted, in blocks of 16`];
  if (fitting.length === 0) return { layout: CBC, producers: ['OpenSSL and those that use it'], reasons };
  return {
    layout: CBC,
    producers: fitting.map(({ name }) => name),
    reasons: [...reasons, 'so long is their session by default, and so long does it live'],
  };
}

/** PKCS#7 */
function padded(length: number): number {
  return length + BLOCK - (length % BLOCK);
}

function encodedLength(
  { contextLength, namesHost }: Habit,
  { version, lifetime, ageAdd }: TicketSample,
  { serverName, cipherSuite, extendedMasterSecret }: Circumstances,
): number {
  const isTls13 = version === 'TLSv1.3';
  return sessionToDer({
    version,
    cipherSuite,
    id: new Uint8Array(isTls13 ? ID_LENGTH : 0),
    secret: new Uint8Array(isTls13 && !SHA384.includes(cipherSuite) ? 32 : 48),
    time: SOME_TIME,
    timeout: lifetime,
    authTime: SOME_TIME,
    extendedMasterSecret,
    idContext: new Uint8Array(contextLength),
    serverName: namesHost ? serverName : undefined,
    group: NamedGroup.x25519, // one byte, as that of the others
    ticketAgeAdd: ageAdd ?? 0,
  }).length;
}

const CBC = 'AES-CBC and HMAC-SHA256 under a named key, as RFC 5077 §4 recommends';
const CBC_OVERHEAD = KEY_NAME_LENGTH + BLOCK + MAC_LENGTH;
const SHA384: readonly number[] = [CipherSuite.TLS_AES_256_GCM_SHA384];
/** Any of this decade: its encoding has as many bytes. */
const SOME_TIME = 1_800_000_000;

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** A key by its name, and when tickets under it have come. */
export interface KeySeen {
  /** Hexadecimal. */
  readonly name: string;
  readonly tickets: number;
  /** Milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
}

/**
 * The keys by their names, as they have come. Bytes at the beginning are taken for a name where tickets of more than one connection have
 * them; without any such, nothing is known of keys.
 */
export function keysOf(samples: readonly TicketSample[]): readonly KeySeen[] {
  const byName = new Map<string, TicketSample[]>();
  for (const sample of samples) {
    if (sample.ticket.length <= ID_LENGTH) continue;
    const name = toHex(sample.ticket.subarray(0, KEY_NAME_LENGTH));
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [sample]);
    else same.push(sample);
  }
  const isName = (all: readonly TicketSample[]) => new Set(all.map(({ connection }) => connection)).size > 1;
  if (![...byName.values()].some(isName)) return [];
  return [...byName].map(([name, all]) => {
    const times = all.map(({ at }) => at);
    return { name, tickets: all.length, first: Math.min(...times), last: Math.max(...times) };
  });
}

/** How keys have followed each other. */
export type KeyChange = 'none' | 'changed' | 'alternating';

/** Whether the tickets change from one key to another, or go to and fro: then several servers answer, with keys of their own. */
export function changeOf(keys: readonly KeySeen[]): KeyChange {
  if (keys.length < 2) return 'none';
  const order = [...keys].sort((a, b) => a.first - b.first);
  const overlaps = order.some((key, i) => i > 0 && (order[i - 1] as KeySeen).last > key.first);
  return overlaps ? 'alternating' : 'changed';
}

/** How random the values of a field are. */
export interface Randomness {
  readonly count: number;
  readonly areDistinct: boolean;
  /** How many bits are the same in all. */
  readonly fixedBits: number;
  /** Whether they always grow by the same. */
  readonly counts: boolean;
}

/** Looks at numbers of 32 bits. */
export function randomnessOf(values: readonly number[]): Randomness {
  const [first = 0, second = 0] = values;
  let changing = 0;
  for (const value of values) changing |= value ^ first;
  let fixedBits = 32;
  for (let bits = changing >>> 0; bits > 0; bits >>>= 1) fixedBits -= bits & 1;
  const step = (second - first) >>> 0;
  const counts =
    values.length > 2 && values.every((value, i) => i === 0 || (value - (values[i - 1] as number)) >>> 0 === step);
  return { count: values.length, areDistinct: new Set(values).size === values.length, fixedBits, counts };
}

/** With as many values, more bits than these are the same in all of random numbers less than once in a billion times. */
export function looksRandom({ count, areDistinct, fixedBits, counts }: Randomness): boolean {
  return areDistinct && !counts && (count < ENOUGH || fixedBits < MANY_BITS);
}

/** Of eight random values a bit is the same in all with a probability of 2^-7: 8 of 32 bits are so with one below 10^-9. */
const ENOUGH = 8;
const MANY_BITS = 8;

/** What the nonces of a connection are. */
export function noncesOf(nonces: readonly Uint8Array[]): string {
  const [first] = nonces;
  if (first === undefined) return 'none';
  if (nonces.every(({ length }) => length === 0)) return 'empty';
  const lengths = [...new Set(nonces.map(({ length }) => length))].join(' or ');
  const isCounter = nonces.every(
    (nonce, i) =>
      nonce.length > 1 &&
      nonce.at(-1) === ((first.at(-1) ?? 0) + i) % 256 &&
      nonce.subarray(0, -1).every((byte) => byte === 0),
  );
  return `${lengths} byte${lengths === '1' ? '' : 's'}${isCounter ? ', a counter' : ''}`;
}
