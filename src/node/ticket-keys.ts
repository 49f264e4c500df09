/** The `ticketKeys` of node:tls: one key of 48 bytes, which can be read and replaced while the server runs. */

import { Buffer } from 'node:buffer';
import type { TicketKey } from '../tickets/key.ts';
import { ticketKeyFile, ticketKeysFrom } from '../tickets/key-files.ts';
import { type RingWorld, TicketKeyRing } from '../tickets/key-ring.ts';

const LENGTH = 48;

export class NodeTicketKeys {
  readonly ring: TicketKeyRing;
  #key: TicketKey;

  /** Copies `bytes`. @throws TypeError or RangeError naming the option; WeakTicketKeyError for bytes that are not random */
  constructor(bytes: Uint8Array, world: Pick<RingWorld, 'now'>) {
    this.#key = keyOf(bytes);
    this.ring = TicketKeyRing.of([this.#key], world);
  }

  /** A copy of the key, for the caller to wipe. */
  get bytes(): Buffer {
    const { buffer, byteOffset, byteLength } = ticketKeyFile('node', this.#key);
    return Buffer.from(buffer, byteOffset, byteLength);
  }

  /** Replaces the key. As in node:tls, tickets sealed under the old key no longer open. @throws as the constructor does */
  replace(bytes: Uint8Array): void {
    const key = keyOf(bytes);
    this.ring.replace([key]);
    this.#key = key;
  }
}

function keyOf(bytes: Uint8Array): TicketKey {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('ticketKeys: a Buffer of 48 bytes is wanted');
  if (bytes.length !== LENGTH) throw new RangeError(`ticketKeys has ${bytes.length} bytes; ${LENGTH} are wanted`);
  const [key] = ticketKeysFrom('node', bytes);
  if (key === undefined) throw new Error('48 bytes are one key');
  return key;
}
