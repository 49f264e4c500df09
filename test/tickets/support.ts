/** What the tests of tickets share: formats, keys, and what tickets are computed with in node:crypto. */

import { createCipheriv, createHmac } from 'node:crypto';
import type { TicketFormat } from '../../src/tickets/format.ts';
import { aeadTickets } from '../../src/tickets/format-aead.ts';
import { cbcTickets } from '../../src/tickets/format-cbc.ts';
import { TicketKey, type TicketKeyOptions } from '../../src/tickets/key.ts';
import { SealCounts } from '../../src/tickets/seal-counts.ts';
import { fromHex } from '../../src/wire/bytes.ts';
import { fixture } from '../fixtures.ts';
import { TestWorld } from '../support/world.ts';

interface Vector {
  readonly ticketKeys: string;
  readonly ticket: string;
  readonly plaintext: string;
}

export const VECTOR_NAMES = ['node48_TLSv1.2', 'node48_TLSv1.3', 'openssl80_TLSv1.2', 'openssl80_TLSv1.3'] as const;
export type VectorName = (typeof VECTOR_NAMES)[number];

const vectors = JSON.parse(fixture('tickets/vectors.json')) as Readonly<Record<VectorName, Vector>>;

export function vector(name: VectorName): { keyFile: Uint8Array; ticket: Uint8Array; plaintext: Uint8Array } {
  const { ticketKeys, ticket, plaintext } = vectors[name];
  return { keyFile: fromHex(ticketKeys), ticket: fromHex(ticket), plaintext: fromHex(plaintext) };
}

export interface FormatCase {
  readonly format: TicketFormat;
  /** Bytes around the plaintext, without CBC's padding. */
  readonly overhead: number;
  /** Random bytes that a ticket takes. */
  readonly nonceLength: number;
  /** A ticket as node:crypto makes it. */
  reference(name: Uint8Array, secret: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array;
}

function cbcCase(keyLength: 16 | 32, hash: 'sha256' | 'sha384'): FormatCase {
  return {
    format: cbcTickets(keyLength, hash),
    overhead: 32 + (hash === 'sha256' ? 32 : 48),
    nonceLength: 16,
    reference: (name, secret, iv, plaintext) => {
      const cipher = createCipheriv(`aes-${8 * keyLength}-cbc`, secret.subarray(keyLength), iv);
      const body = Buffer.concat([name, iv, cipher.update(plaintext), cipher.final()]);
      const mac = createHmac(hash, secret.subarray(0, keyLength)).update(body).digest();
      return Uint8Array.from(Buffer.concat([body, mac]));
    },
  };
}

export const FORMATS: readonly FormatCase[] = [
  {
    format: aeadTickets,
    overhead: 45,
    nonceLength: 12,
    reference: (name, secret, nonce, plaintext) => {
      const header = Buffer.concat([name, Uint8Array.of(1), nonce]);
      const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(header);
      return Uint8Array.from(Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
    },
  },
  cbcCase(16, 'sha256'),
  cbcCase(32, 'sha256'),
  cbcCase(32, 'sha384'),
];

const dice = new TestWorld(7);
export const random = (length: number) => dice.randomBytes(length);

/** A key of its own count. */
export function newKey(format: TicketFormat = aeadTickets, options: TicketKeyOptions = {}): TicketKey {
  return TicketKey.generate(format, random, { counts: new SealCounts(), ...options });
}

/** The ticket, where there is one. */
export function sealed(key: TicketKey | undefined, plaintext: Uint8Array): Uint8Array {
  const ticket = key?.seal(plaintext, random) ?? 'no-key';
  if (typeof ticket === 'string') throw new Error(`no ticket: ${ticket}`);
  return ticket;
}
