/** A lenient server: ours, with what one scenario is about taken out. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { converseOver } from '../../src/judges/conversation.ts';
import { scenarios } from '../../src/testing/catalogue/scenarios.ts';
import { answersOverHttp, Party } from '../../src/testing/scenarios/party.ts';
import { systemWorld } from '../../src/world.ts';
import { buildMutant } from './build.ts';
import { MUTANTS } from './catalogue.ts';
import { peerOptions } from './peers.ts';

export interface LenientOptions {
  /** The id of a scenario with a server. */
  readonly mutant: string;
  /** Of loopback. Default: a free one. */
  readonly port?: number | undefined;
  readonly credential: NonNullable<ServerOptions['credentials']>[number];
  /** Is told of each connection when it has ended. */
  readonly tell?: ((line: string) => void) | undefined;
}

export interface LenientServer {
  readonly port: number;
  close(): void;
}

/** How long a connection may take, in milliseconds: somebody may type into it. */
const TIME_LIMIT_MS = 600_000;

/** @throws RangeError if no mutant of a server has that name */
function requireMutant(name: string): void {
  if (!scenarios.forServers().some(({ id }) => id === name)) throw new RangeError(`no mutant is ${name}; see --list`);
}

/** Starts a server without what the scenario is about. It answers one request with HTTP, and closes. */
export async function startLenient({ mutant, port = 0, credential, tell }: LenientOptions): Promise<LenientServer> {
  requireMutant(mutant);
  const { defineServer, ServerConnection } = buildMutant(MUTANTS[mutant] ?? []);
  const own = peerOptions(mutant).server;
  const config = defineServer({ world: systemWorld, credentials: [credential], ...own });
  const sockets = new Set<Socket>();
  const serve = async (socket: Socket): Promise<void> => {
    sockets.add(socket);
    const connection = new ServerConnection(config);
    const party = new Party(connection, answersOverHttp);
    await converseOver(socket, party, { timeLimitMs: TIME_LIMIT_MS });
    sockets.delete(socket);
    const { version, resumption } = connection;
    const came = resumption.resumed ? 'resumed' : 'full handshake';
    tell?.(party.isEstablished ? `${version}: ${came}` : `failed: ${party.error?.message ?? 'the client has closed'}`);
    party.dispose();
  };
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => void serve(socket));
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
