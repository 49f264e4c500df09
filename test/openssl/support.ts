/** A client and a connection of the façade, in memory. */

import type { ServerOptions } from '../../src/engine/server/options.ts';
import { SSL_OP_NO_TICKET } from '../../src/openssl/constants.ts';
import { Ssl, SslContext } from '../../src/openssl/ssl.ts';
import type { SslOptions } from '../../src/openssl/ssl-connection.ts';
import type { Version } from '../../src/wire/registry.ts';
import { type ClientOptions, ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import type { TestWorld } from '../support/world.ts';

export const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];

/** As in OpenSSL's own tests of stateful sessions: without tickets. */
export function context(world: TestWorld, options: Partial<ServerOptions> = {}): SslContext {
  const ctx = new SslContext(testServer({ world, crypto: toyCrypto, ...options }));
  ctx.setOptions(SSL_OP_NO_TICKET);
  return ctx;
}

export interface Pair {
  readonly client: ScriptedClient;
  readonly ssl: Ssl;
}

export function connect(ctx: SslContext, options: ClientOptions, sslOptions: SslOptions = {}): Pair {
  return pass({
    client: new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, ...options }),
    ssl: new Ssl(ctx, sslOptions),
  });
}

/** Passes bytes until neither side has any. */
export function pass(pair: Pair): Pair {
  const { client, ssl } = pair;
  ssl.accept();
  for (let moved = true; moved; ) {
    const input = client.take();
    if (input.length > 0) ssl.receive(input);
    const output = ssl.take();
    if (output.length > 0) client.receive(output);
    moved = input.length + output.length > 0;
  }
  return pair;
}

/** The way of a client that comes back. */
export function again({ client, ssl }: Pair): ClientOptions {
  const version = ssl.connection?.version;
  return version === 'TLSv1.2' ? { version, session: client.session } : { psks: client.tickets.slice(0, 1) };
}
