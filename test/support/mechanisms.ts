/** The four ways to resume, servers that share what each takes, and clients that come back. */

import { expect } from 'chai';
import { SessionCache } from '../../src/cache/session-cache.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import type { ServerOptions, SessionOptions, TicketOptions } from '../../src/engine/server/options.ts';
import { type ConnectionOptions, ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { Mechanism, NoResumption } from '../../src/handshake/outcome.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { SealCounts } from '../../src/tickets/seal-counts.ts';
import { EMPTY } from '../../src/wire/bytes.ts';
import type { Version } from '../../src/wire/registry.ts';
import { Exchange } from './exchange.ts';
import { type ClientOptions, type ClientTicket, ScriptedClient } from './scripted-client.ts';
import { testServer, toyCrypto } from './servers.ts';
import { TestWorld } from './world.ts';

export const MECHANISMS = ['session-id', 'ticket', 'psk-stateful', 'psk-stateless'] as const satisfies Mechanism[];
export const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const satisfies Version[];

/** What a server of a bench may be told; `sessions` and `tickets` come on top of what the servers share. */
export type BenchOptions = Partial<ServerOptions>;

export function versionOf(mechanism: Mechanism): Version {
  return mechanism === 'session-id' || mechanism === 'ticket' ? 'TLSv1.2' : 'TLSv1.3';
}

export function isStateless(mechanism: Mechanism): boolean {
  return mechanism === 'ticket' || mechanism === 'psk-stateless';
}

/** One world, one session cache and one ring of ticket keys, for all servers of a test. {@link Bench.close} ends them. */
export class Bench {
  readonly world = new TestWorld(7);
  readonly cache = new SessionCache();
  readonly keys = TicketKeyRing.rotating(this.world, { counts: new SealCounts() });
  readonly links: Exchange[] = [];
  readonly #clientWorld = new TestWorld(9);

  /** A server with the shared cache, and where the mechanism is stateless with the shared keys. */
  server(mechanism: Mechanism, { sessions, tickets, ...options }: BenchOptions = {}): ServerConfig {
    return this.bare({
      sessions: { cache: this.cache, ...sessions } as SessionOptions,
      tickets: { ...(isStateless(mechanism) && { mode: 'stateless', keys: this.keys }), ...tickets } as TicketOptions,
      ...options,
    });
  }

  /** A server of its own. */
  bare(options: BenchOptions = {}): ServerConfig {
    return testServer({ world: this.world, crypto: toyCrypto, ...options });
  }

  client(options: ClientOptions): ScriptedClient {
    const { version } = options;
    return new ScriptedClient({
      sni: 'localhost',
      crypto: toyCrypto,
      world: this.#clientWorld,
      ...(version === 'TLSv1.2' ? {} : { keyShares: ['x25519'] }),
      ...options,
    });
  }

  /** Not run yet. */
  link(config: ServerConfig, options: ClientOptions, connection?: ConnectionOptions): Exchange {
    const link = new Exchange(this.client(options), new ServerConnection(config, connection));
    this.links.push(link);
    return link;
  }

  /** A handshake; a question of the server's stays open. */
  connect(config: ServerConfig, options: ClientOptions, connection?: ConnectionOptions): Exchange {
    return this.link(config, options, connection).run();
  }

  connectAsync(config: ServerConfig, options: ClientOptions, connection?: ConnectionOptions): Promise<Exchange> {
    return this.link(config, options, connection).runAsync();
  }

  /** A first visit that leaves the client with what the mechanism resumes by. */
  visit(mechanism: Mechanism, config: ServerConfig, options: ClientOptions = {}, connection?: ConnectionOptions) {
    return this.connect(config, { ...firstOffer(mechanism), ...options }, connection);
  }

  close(): void {
    for (const { connection } of this.links) connection.dispose();
    this.cache.close();
    this.keys.close();
  }
}

/** What a client of the mechanism says that has not been here before. */
export function firstOffer(mechanism: Mechanism): ClientOptions {
  if (mechanism === 'ticket') return { version: 'TLSv1.2', ticketExt: EMPTY };
  return { version: versionOf(mechanism) };
}

/** What a client offers that has been here before: its session, or its first ticket. */
export function returning({ client }: Exchange, options: ClientOptions = {}): ClientOptions {
  if (client.version === 'TLSv1.2') return { version: 'TLSv1.2', session: client.session, ...options };
  return { version: 'TLSv1.3', psks: client.tickets.slice(0, 1), ...options };
}

export function firstTicket({ client }: Exchange): ClientTicket {
  const [ticket] = client.tickets;
  if (ticket === undefined) throw new Error('the client has got no ticket');
  return ticket;
}

/** TLS 1.2. */
export function ticketOf({ client }: Exchange): Uint8Array {
  const { ticket } = client.session;
  if (ticket === undefined) throw new Error('the client has got no ticket');
  return ticket;
}

export function expectResumed({ connection, client, failure }: Exchange, mechanism?: Mechanism): void {
  expect(failure).to.equal(undefined);
  expect(connection.isEstablished).to.equal(true);
  expect(connection.resumption.reason).to.equal(undefined);
  expect(connection.resumption.resumed).to.equal(true);
  expect(client.isResumed).to.equal(true);
  expect(client.isEstablished).to.equal(true);
  if (mechanism !== undefined) expect(connection.resumption.mechanism).to.equal(mechanism);
}

export function expectFull({ connection, client, failure }: Exchange, reason: NoResumption): void {
  expect(failure).to.equal(undefined);
  expect(connection.isEstablished).to.equal(true);
  expect(connection.resumption.reason).to.equal(reason);
  expect(connection.resumption.resumed).to.equal(false);
  expect(client.isResumed).to.equal(false);
  expect(client.isEstablished).to.equal(true);
}
