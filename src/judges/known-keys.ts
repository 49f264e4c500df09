/**
 * Tickets under keys that anybody knows. Who knows the key that seals tickets reads recorded connections that were resumed, and can be the
 * server. Servers have been found with keys of zeros, of one repeated byte, and out of manuals (Hebrok et al., "We Really Need to Talk
 * About Session Tickets", USENIX Security 2023; CVE-2020-13777). Nothing is sent for it: the MAC of one ticket is computed under each.
 */

import { createHash, createHmac } from 'node:crypto';
import { KEY_NAME_LENGTH } from '../tickets/format.ts';
import { aeadTickets } from '../tickets/format-aead.ts';
import { PUBLISHED } from '../tickets/key-strength.ts';
import { concat, equalConstantTime, wipe } from '../wire/bytes.ts';

/** A key that is no secret. */
interface KnownKey {
  readonly what: string;
  readonly key: Uint8Array;
}

const hex2 = (byte: number): string => byte.toString(16).padStart(2, '0');

/** Keys of this length that are known. */
function knownKeys(length: number): readonly KnownKey[] {
  const filled = Array.from({ length: 256 }, (_, byte) => ({
    what: byte === 0 ? 'zeros' : `the byte ${hex2(byte)}, repeated`,
    key: new Uint8Array(length).fill(byte),
  }));
  // A file of bytes that count has parts that begin elsewhere.
  const counting = [0, 1].flatMap((from) =>
    [0, 16, 32, 48].map((at) => ({
      what: `bytes that count from ${hex2(from)} on`,
      key: Uint8Array.from({ length }, (_, i) => from + at + i),
    })),
  );
  const published = PUBLISHED.map((block) => ({
    what: 'a key out of a specification',
    key: concat(...Array.from({ length: length / block.length }, () => block)),
  }));
  return [...filled, ...counting, ...published];
}

/** The keys of tickets that Go makes of a secret. */
function goKeys(): readonly KnownKey[] {
  return knownKeys(32).map(({ what, key }) => {
    const hash = createHash('sha512').update(key).digest();
    return { what: `made by Go of ${what}`, key: new Uint8Array(hash.subarray(32, 48)) };
  });
}

const MACS = [
  { hash: 'sha1', length: 20 },
  { hash: 'sha256', length: 32 },
  { hash: 'sha384', length: 48 },
  { hash: 'sha512', length: 64 },
] as const;

/** Returns what the key of a ticket is, if it is known: `zeros, for HMAC-SHA256`; `undefined` if it is not. */
export function knownKeyOf(ticket: Uint8Array): string | undefined {
  const keys = [...knownKeys(16), ...knownKeys(32), ...goKeys()];
  for (const { hash, length } of MACS) {
    if (ticket.length <= length) continue;
    const [body, mac] = [ticket.subarray(0, -length), ticket.subarray(-length)];
    for (const { what, key } of keys)
      if (equalConstantTime(createHmac(hash, key).update(body).digest(), mac)) return `${what}, for HMAC-${hash}`;
  }
  for (const { what, key } of knownKeys(aeadTickets.secretLength)) {
    const cipher = aeadTickets.cipher(ticket.subarray(0, KEY_NAME_LENGTH), key);
    const opened = cipher.open(ticket);
    cipher.wipe();
    if (typeof opened === 'string') continue;
    wipe(opened);
    return `${what}, for AES-256-GCM`;
  }
  return undefined;
}
