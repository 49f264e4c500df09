/** Sessions made by hand, and a server under test that is spoken to under either of its names. */

import type { Event } from '../../src/engine/events.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { Ssl } from '../../src/openssl/ssl.ts';
import type { SessionParameters } from '../../src/sessions/parameters.ts';
import { Session } from '../../src/sessions/session.ts';
import type { Exchange } from '../support/exchange.ts';
import { type ClientOptions, exchange, ScriptedClient } from '../support/scripted-client.ts';
import { toyCrypto } from '../support/servers.ts';
import type { TestWorld } from '../support/world.ts';
import type { Pair } from './support.ts';

/** A session under a one-byte id whose last second is `expires`. */
export function session(id: number, expires: number, changes: Partial<SessionParameters> = {}): Session {
  return new Session({
    version: 'TLSv1.2',
    cipherSuite: 0xc02b,
    id: Uint8Array.of(id),
    secret: new Uint8Array(48).fill(id + 1),
    time: 0,
    timeout: expires,
    authTime: 0,
    extendedMasterSecret: true,
    idContext: new Uint8Array(0),
    serverName: 'localhost',
    ...changes,
  });
}

/** The world's clock in the unit of sessions. */
export function seconds(world: TestWorld): number {
  return Math.floor(world.time / 1000);
}

export function idOf({ id }: Session): number {
  return id[0] ?? 0;
}

/** A handshake through the idiomatic API. */
export function visit(config: ServerConfig, options: ClientOptions = {}): Exchange {
  const client = new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, ...options });
  return exchange(client, new ServerConnection(config));
}

/** What a client offers that comes back; in TLS 1.3 with the ticket that is named. */
export function returning(client: ScriptedClient, ticket = 0): ClientOptions {
  if (client.version === 'TLSv1.2') return { version: 'TLSv1.2', session: client.session };
  return { version: 'TLSv1.3', psks: client.tickets.slice(ticket, ticket + 1) };
}

export function resumed({ ssl }: Pair): boolean {
  return ssl.sessionReused() === 1;
}

/** Which callbacks have failed. */
export function failedCallbacks(events: readonly Event[]): string[] {
  return events.flatMap((event) => (event.type === 'callback-error' ? [event.callback] : []));
}

/** The session that a connection of the façade's is known to have. */
export function sessionOf(ssl: Ssl): Session {
  const current = ssl.getSession();
  if (current === null) throw new Error('the connection has no session');
  return current;
}
