/** Clients that connect to a port: which connection is taken for which errand. */

import { connect } from 'node:net';
import { expect } from 'chai';
import { type ClientErrand, clientOverTcp } from '../../src/judges/client-over-tcp.ts';
import { ClientBench } from '../../src/testing/scenarios/bench.ts';
import { credential } from '../support/servers.ts';

describe('a client over TCP', () => {
  it('has one connection an errand: those that it makes besides are not taken for the next', async () => {
    const names: string[] = [];
    const client = clientOverTcp({
      credentials: [credential('ecdsaP256')],
      connect: ({ host, port, serverName, signal }: ClientErrand) => {
        // What is no TLS, and says whose it is in the type of a message that nobody knows.
        const say = (type: number): void => {
          const socket = connect(port, host).on('error', () => {});
          socket.on('connect', () => socket.end(Uint8Array.of(22, 3, 1, 0, 4, type, 0, 0, 0))).resume();
        };
        say(serverName === 'first' ? 77 : 88);
        signal.addEventListener('abort', () => {
          for (let i = 0; i < 5; i++) say(99);
        });
      },
    });
    const bench = new ClientBench(client, 'TLSv1.3');
    try {
      for (const serverName of ['first', 'second']) {
        const { reaction } = await bench.server().accept({ serverName });
        names.push(/message (\d+)/.exec(reaction)?.[1] ?? reaction);
      }
    } finally {
      client.close();
    }
    expect(names).to.deep.equal(['77', '88']);
  });
});
