/** What every interop test does: a client's journey through the relay to a server, and what is seen of it. */

import { fixturePath } from '../fixtures.ts';
import type { Client, Told, Version } from './clients.ts';
import { COMPILE_MS } from './compiled.ts';
import { describeWith } from './peers.ts';
import { openRelay, type Passage } from './relay.ts';

/** All interop tests but those about certificates use this pair: self-signed, for localhost and 127.0.0.1. */
export const CERTIFICATE = 'ecdsa-p256';

/** `describe` for tests of a client, which is there and compiled when they begin. */
export function describeClient(client: Client, further: readonly string[], body: () => void): void {
  describeWith([...new Set([...client.programs, ...further])], client.name, () => {
    before('compile', function () {
      this.timeout(COMPILE_MS);
      return client.prepare?.();
    });
    body();
  });
}

export interface Trip {
  readonly client: Client;
  readonly version: Version;
  /** The server's port. A function is asked before each connection, and may change the server or take another. */
  readonly port: number | ((index: number) => number | Promise<number>);
  /** Default 2. */
  readonly connections?: number | undefined;
  /** Name of the fixture that the client shows. */
  readonly shows?: string | undefined;
  /** Name of the certificate fixture. */
  readonly certificate?: string | undefined;
}

export interface Travelled {
  readonly passages: readonly Passage[];
  readonly told: Told;
}

/** Sends a client through a relay of its own. Resolves when all its connections are over. */
export async function travel(trip: Trip): Promise<Travelled> {
  const { client, version, port, shows } = trip;
  const trust = fixturePath(`certificates/${trip.certificate ?? CERTIFICATE}.cert.pem`);
  const relay = await openRelay(typeof port === 'number' ? () => port : port);
  try {
    const told = await client.visit({ port: relay.port, version, connections: trip.connections, trust, shows });
    const passages = await relay.gone(client.connections(trip.connections ?? 2));
    return { passages, told };
  } finally {
    await relay.close();
  }
}

export const WIRE_VERSION: Readonly<Record<Version, number>> = { 'TLSv1.2': 0x0303, 'TLSv1.3': 0x0304 };

/** `full`, or from what: as the hellos of each connection show it. */
export function onTheWire(passages: readonly Passage[]): string[] {
  return passages.map((passage) => {
    if (passage.problems.length > 0) return passage.problems.join('; ');
    if (passage.alerts.length > 0) return `alert ${passage.alerts.map((alert) => alert.description).join(', ')}`;
    if (passage.resumed === undefined) return 'unfinished';
    return passage.resumed ? (passage.mechanism ?? '') : 'full';
  });
}

/** `count` times: first full, then resumed. */
export function fullThen(mechanism: string, count: number): string[] {
  return ['full', ...Array.from({ length: count - 1 }, () => mechanism)];
}
