/** A client or a server of this library as the peer under test, without a network: time passes on the clock of its world. */

import type { ClientConnection, ConnectOptions } from '../../engine/client/client-connection.ts';
import type { ClientConfig } from '../../engine/client/config.ts';
import type { ServerConfig } from '../../engine/server/config.ts';
import type { ServerConnection } from '../../engine/server/server-connection.ts';
import type { SeededWorld } from '../seeded-world.ts';
import type { Ability, ClientUnderTest, ServerUnderTest } from './bench.ts';
import { answersOverHttp, asksOverHttp, Party, REQUEST } from './party.ts';
import type { Ending } from './visit.ts';

/** Lets two parties talk until neither has anything to say. The tester's first bytes are the first to be heard. */
export function converse(tester: Party, peer: Party): Ending {
  for (;;) {
    const [toPeer, toTester] = [tester.sent(), peer.sent()];
    if (toPeer.length === 0 && toTester.length === 0) break;
    if (toPeer.length > 0) peer.receive(toPeer);
    if (toTester.length > 0) tester.receive(toTester);
  }
  const isClosed = peer.isOver;
  if (isClosed) tester.transportEnded();
  else if (tester.isOver) peer.transportEnded();
  peer.dispose();
  return isClosed ? 'closed' : 'at-rest';
}

const ABILITIES: readonly Ability[] = ['resume', 'session-store', 'server-name', 'early-data'];

/** What a client in memory is made of: the class and a configuration from the same copy of the library. */
export interface MemoryClientOptions {
  readonly ClientConnection: new (config: ClientConfig, options: ConnectOptions) => ClientConnection;
  readonly config: ClientConfig;
  readonly world: SeededWorld;
  readonly credentials: ClientUnderTest['credentials'];
}

/** A client under test that connects in memory. */
export function memoryClient({ ClientConnection, config, world, credentials }: MemoryClientOptions): ClientUnderTest {
  return {
    world,
    credentials,
    can: (ability) => ABILITIES.includes(ability),
    wait: async (ms) => world.advance(ms),
    connect: async (tester, { resumes, serverName, sendsEarlyData }) => {
      const connection = new ClientConnection(config, {
        host: 'peer.example',
        port: 443,
        serverName,
        ...(resumes ? {} : { sessions: [] }),
        ...(sendsEarlyData ? { earlyData: REQUEST } : {}),
      });
      const peer = new Party(connection, asksOverHttp);
      peer.take(connection.connect());
      return converse(tester, peer);
    },
  };
}

/** The same of a server. */
export interface MemoryServerOptions {
  readonly ServerConnection: new (config: ServerConfig) => ServerConnection;
  readonly config: ServerConfig;
  readonly world: SeededWorld;
}

/** A server under test that answers in memory. */
export function memoryServer({ ServerConnection, config, world }: MemoryServerOptions): ServerUnderTest {
  return {
    world,
    serverName: 'localhost',
    can: (ability) => ABILITIES.includes(ability),
    wait: async (ms) => world.advance(ms),
    connect: async (tester) => converse(tester, new Party(new ServerConnection(config), answersOverHttp)),
  };
}
