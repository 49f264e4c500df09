/** Our own client and server as peers, and what is to be said of their findings. */

import { once } from 'node:events';
import { defineClient } from '../../src/engine/client/define-client.ts';
import type { ClientOptions } from '../../src/engine/client/options.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { type ClientErrand, clientOverTcp, type TcpClient } from '../../src/judges/client-over-tcp.ts';
import { connect } from '../../src/node/index.ts';
import type { Ability } from '../../src/testing/scenarios/bench.ts';
import { REQUEST } from '../../src/testing/scenarios/party.ts';
import { credential } from '../support/servers.ts';

export const OUR_CLIENT_NAME = 'tls-resume';

export function ourServerName(mode: Mode): string {
  return `tls-resume, ${mode}`;
}

const PROTOCOLS = ['h2', 'http/1.1'];

/** Options of our client. It states no limit of records: there are scenarios that need longer ones. */
export const CLIENT_OPTIONS: Partial<ClientOptions> = {
  alpn: PROTOCOLS,
  ticketRequest: { newSessionCount: 2, resumptionCount: 1 },
};

/** Where our server has its sessions. */
export type Mode = 'stateful' | 'stateless';

/** Options of our server: it answers all that can be asked of it. What it remembers of early data is its own. */
export function serverOptions(mode: Mode): Partial<ServerOptions> {
  const admitted = new Set<string>();
  const admit = ({ key }: { readonly key: Uint8Array }) => admitted.size < admitted.add(key.join()).size;
  return {
    credentials: [{ ...credential('ecdsaP256'), ocspResponse: new Uint8Array(9) }],
    alpn: PROTOCOLS,
    tickets: { mode },
    earlyData: { maxSize: 1024, antiReplay: { windowMs: 10_000, admit } },
  };
}

const ABILITIES: readonly Ability[] = ['resume', 'session-store', 'server-name', 'early-data'];

/** Our client over sockets. It has its sessions of its configuration, which is a new one where it is to forget them. */
export function ourClient(): TcpClient {
  const define = () => defineClient({ verifyServer: 'any', ...CLIENT_OPTIONS });
  let config = define();
  return clientOverTcp({
    credentials: [credential('ecdsaP256')],
    abilities: ABILITIES,
    forget: () => {
      config = define();
    },
    connect: async ({ host, port, serverName, resumes, sendsEarlyData, signal }: ClientErrand) => {
      const options = {
        config,
        serverName,
        ...(!resumes && { sessions: [] }),
        ...(sendsEarlyData && { earlyData: REQUEST }),
      };
      const socket = connect({ host, port }, options);
      socket.on('error', () => {}); // the judge has seen why
      socket.once('secureConnect', () => {
        if (socket.earlyData !== 'accepted') socket.write(REQUEST);
      });
      socket.resume();
      signal.addEventListener('abort', () => socket.destroy());
      await once(socket, 'close');
    },
  });
}
