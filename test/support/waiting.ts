/** Servers whose callback has yet to answer, and clients that go on talking meanwhile. */

import type { ServerOptions } from '../../src/engine/server/options.ts';
import { concat } from '../../src/wire/bytes.ts';
import { ScriptedClient } from './scripted-client.ts';
import { quickCredential } from './servers.ts';

/** Around 64 KiB, which is all that a connection takes while a question is open. */
export const CHUNKS: readonly number[] = [1, 2 ** 16 - 1, 2 ** 16 + 1, 2 ** 20];

export interface Held {
  readonly options: ServerOptions;
  /** Whether the callback has been asked. */
  readonly isAsked: () => boolean;
  /** Has it answer that it has nothing. */
  readonly answer: () => void;
}

function hold(options: (callback: () => Promise<undefined>) => Partial<ServerOptions>): Held {
  let answer: (() => void) | undefined;
  const callback = () =>
    new Promise<undefined>((resolve) => {
      answer = () => resolve(undefined);
    });
  return {
    options: { credentials: [quickCredential], limits: { skippedEarlyData: 2 ** 23 }, ...options(callback) },
    isAsked: () => answer !== undefined,
    answer: () => answer?.(),
  };
}

/** Waits in the handshake, for `onGet`. */
export function heldLookup(): Held {
  return hold((onGet) => ({ sessions: { onGet, lookupTimeoutMs: 15_000 } }));
}

/** Waits after the handshake, once it is to send a ticket. */
export function heldTicket(): Held {
  return hold((sealingKey) => ({
    sessions: { lookupTimeoutMs: 15_000 },
    tickets: { mode: 'stateless', initial: 0, keys: { sealingKey, openingKeys: () => [] } },
  }));
}

/** A client that offers a session, and what it says before it hears anything: early data, which the server skips. */
export function earlyClient(length: number): { readonly client: ScriptedClient; readonly flight: Uint8Array } {
  const identity = new Uint8Array(32).fill(1);
  const psks = [{ identity, secret: identity, hash: 'sha256' }] as const;
  const client = new ScriptedClient({ psks, earlyData: true, changeCipherSpec: false });
  const hello = client.take();
  const record = concat(Uint8Array.of(23, 3, 3, 0x10, 0), pattern(4096));
  const records = Array.from({ length: Math.ceil(length / record.length) }, () => record);
  return { client, flight: concat(hello, ...records) };
}

/** Bytes that are not the same everywhere. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

export function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
}
