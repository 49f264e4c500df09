/**
 * Key files of other servers. The contents do not tell the layouts apart, so the caller names the server that a file is for.
 * Reading a file in the wrong layout would use an HMAC key as an AES key.
 *
 *     producer    bytes   layout                     tickets
 *     tls-resume   48     name16 key32               AES-256-GCM
 *     openssl      80     name16 hmac32 aes32        AES-256-CBC, HMAC-SHA256 (SSL_CTX_set_tlsext_ticket_keys(3))
 *     node         48     name16 hmac16 aes16        AES-128-CBC, HMAC-SHA256 (tls.Server, ticketKeys)
 *     apache       48     name16 hmac16 aes16        AES-128-CBC, HMAC-SHA256 (SSLSessionTicketKeyFile)
 *     nginx        48     name16 aes16 hmac16        AES-128-CBC, HMAC-SHA256 (ssl_session_ticket_key)
 *     nginx        80     name16 hmac32 aes32        AES-256-CBC, HMAC-SHA256
 *     haproxy      48     name16 aes16 hmac16        AES-128-CBC, HMAC-SHA256 (tls-ticket-keys)
 *     haproxy      80     name16 aes32 hmac32        AES-256-CBC, HMAC-SHA256
 */

import { concat, EMPTY, fromBase64, latin1, wipe } from '../wire/bytes.ts';
import { kindOf, requireBytes } from '../wire/kind-of.ts';
import { KEY_NAME_LENGTH, type TicketFormat } from './format.ts';
import { aeadTickets } from './format-aead.ts';
import { cbcTickets } from './format-cbc.ts';
import { TicketKey, type TicketKeyOptions } from './key.ts';

/** Who has written a file of ticket keys, and so which layout it has. */
export type TicketKeyProducer = 'tls-resume' | 'openssl' | 'node' | 'apache' | 'nginx' | 'haproxy';

interface Layout {
  readonly format: TicketFormat;
  /** Whether the two halves of the secret are in the opposite order. */
  readonly isSwapped: boolean;
}

const own: Layout = { format: aeadTickets, isSwapped: false };
const hmacAes16: Layout = { format: cbcTickets(16), isSwapped: false };
const aesHmac16: Layout = { format: hmacAes16.format, isSwapped: true };
const hmacAes32: Layout = { format: cbcTickets(32), isSwapped: false };
const aesHmac32: Layout = { format: hmacAes32.format, isSwapped: true };

const LAYOUTS: Readonly<Record<TicketKeyProducer, readonly Layout[]>> = {
  'tls-resume': [own],
  openssl: [hmacAes32],
  node: [hmacAes16],
  apache: [hmacAes16],
  nginx: [aesHmac16, hmacAes32],
  haproxy: [aesHmac16, aesHmac32],
};

export const TICKET_KEY_PRODUCERS = Object.keys(LAYOUTS) as readonly TicketKeyProducer[];

/** HAProxy's TLS_TICKETS_NO: the least number of keys in its file, and the number of keys, from the end, that it reads. */
const HAPROXY_KEYS = 3;

/** Thrown for a key file that cannot be used. Says which file and why, and reveals nothing of its contents. */
export class TicketKeyFileError extends Error {
  override readonly name = 'TicketKeyFileError';
}

/**
 * Returns the keys in one or more files, the one that seals first: `TicketKeyRing.of(ticketKeysFrom('nginx', bytes), world)`.
 *
 * A file has one key, and the key of the first file seals, as with several ssl_session_ticket_key lines of nginx. HAProxy has
 * one file with a key in base64 in each line. Its last three keys are used and the last but one seals; by the time a key
 * seals on one server of a fleet, all others can open its tickets.
 *
 * The caller wipes the bytes. @throws TicketKeyFileError, WeakTicketKeyError
 */
export function ticketKeysFrom(
  producer: TicketKeyProducer,
  files: Uint8Array | readonly Uint8Array[],
  options?: TicketKeyOptions,
): TicketKey[] {
  requireProducer(producer);
  const list = Array.isArray(files) ? files : [files];
  for (const bytes of list) requireBytes('files', bytes, FILES);
  if (list.length === 0) throw new TicketKeyFileError('no ticket key file');
  if (producer !== 'haproxy') return list.map((bytes, i) => keyFrom(producer, bytes, `file ${i + 1}`, options));
  const [bytes = EMPTY, ...more] = list;
  if (more.length > 0) throw new TicketKeyFileError('haproxy has one ticket key file, with a key in each line');
  return haproxyKeys(bytes, options);
}

/** What to do about a name, say, in place of a file's contents. */
const FILES = '; give the contents of the file, not its name: readFileSync(name)';

/** Returns the key file of a key in the producer's layout (for HAProxy one line, decoded). The caller wipes it. */
export function ticketKeyFile(producer: TicketKeyProducer, key: TicketKey): Uint8Array {
  requireProducer(producer);
  if (!(key instanceof TicketKey)) throw new TypeError(`key: a TicketKey is wanted, not ${kindOf(key)}`);
  const layout = LAYOUTS[producer].find(({ format }) => format.name === key.format.name);
  if (layout === undefined) throw new TicketKeyFileError(`${producer} has no tickets of ${key.format.name}`);
  const secret = key.exportSecret();
  const file = concat(key.name, ...arranged(layout, secret));
  wipe(secret);
  return file;
}

function requireProducer(producer: string): void {
  if (TICKET_KEY_PRODUCERS.some((known) => known === producer)) return;
  const given = typeof producer === 'string' ? producer : kindOf(producer);
  throw new TypeError(`producer: ${given} is not one of ${TICKET_KEY_PRODUCERS.join(', ')}`);
}

function keyFrom(
  producer: TicketKeyProducer,
  bytes: Uint8Array,
  place: string,
  options: TicketKeyOptions | undefined,
): TicketKey {
  const layouts = LAYOUTS[producer];
  const layout = layouts.find((each) => lengthOf(each) === bytes.length);
  if (layout === undefined) {
    const lengths = layouts.map(lengthOf).join(' or ');
    throw new TicketKeyFileError(`${place}: ${bytes.length} bytes; a ticket key of ${producer} has ${lengths}`);
  }
  const secret = concat(...arranged(layout, bytes.subarray(KEY_NAME_LENGTH)));
  try {
    return new TicketKey(layout.format, bytes.subarray(0, KEY_NAME_LENGTH), secret, options);
  } finally {
    wipe(secret);
  }
}

function lengthOf({ format }: Layout): number {
  return KEY_NAME_LENGTH + format.secretLength;
}

/** Converts between the order in a file and the order of the format. Both halves have the same length, so one function does both. */
function arranged({ isSwapped }: Layout, secret: Uint8Array): Uint8Array[] {
  if (!isSwapped) return [secret];
  const half = secret.length / 2;
  return [secret.subarray(half), secret.subarray(0, half)];
}

function haproxyKeys(text: Uint8Array, options: TicketKeyOptions | undefined): TicketKey[] {
  const lines = latin1(text).split(/\r?\n/);
  while (lines.at(-1) === '') lines.pop();
  if (lines.length < HAPROXY_KEYS) {
    throw new TicketKeyFileError(`${lines.length} lines; haproxy wants at least ${HAPROXY_KEYS}, with a key in each`);
  }
  const files = lines.map(decodeLine);
  try {
    const other = files.findIndex(({ length }) => length !== files[0]?.length);
    if (other >= 0) throw new TicketKeyFileError(`line ${other + 1}: a key of another length than the first`);
    const numbered = files.map((bytes, i) => ({ bytes, place: `line ${i + 1}` })).slice(-HAPROXY_KEYS);
    const keys = numbered.map(({ bytes, place }) => keyFrom('haproxy', bytes, place, options));
    return [...keys.slice(-2), ...keys.slice(0, -2)];
  } finally {
    wipe(...files);
  }
}

function decodeLine(line: string, i: number): Uint8Array {
  const bytes = fromBase64(line);
  if (bytes === undefined) throw new TicketKeyFileError(`line ${i + 1}: not base64`);
  return bytes;
}
