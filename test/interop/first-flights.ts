/** What clients say before they have heard anything, kept and sent again: the replay of RFC 9846 §8. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { RunningServer } from './reference-server.ts';

export interface Capture extends RunningServer {
  /** One a connection, once the server has answered it. */
  readonly flights: readonly Buffer[];
}

/**
 * Stands between clients and a server, and keeps the first flight of each connection.
 * @param mayAnswer waited for before a client gets the server's answer; it is given the port from which the relay has called the server
 */
export async function captureFlights(
  target: number,
  mayAnswer?: (port: number | undefined) => Promise<unknown>,
): Promise<Capture> {
  const flights: Buffer[] = [];
  const relay = createServer((client) => {
    const server = connect(target, '127.0.0.1');
    const said: Buffer[] = [];
    let isAnswered = false;
    client.on('data', (data) => {
      if (!isAnswered) said.push(data);
      server.write(data);
    });
    server.once('data', async (answer) => {
      server.pause();
      await mayAnswer?.(server.localPort);
      isAnswered = true;
      flights.push(Buffer.concat(said));
      client.write(answer);
      server.pipe(client);
    });
    client.on('end', () => server.end());
    for (const end of [client, server]) end.on('error', () => client.destroy());
    client.on('close', () => server.destroy());
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  return {
    port: (relay.address() as AddressInfo).port,
    flights,
    close: async () => {
      relay.close();
    },
  };
}

/** Sends a flight again, and waits for the answer. */
export async function replayFlight(port: number, flight: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.write(flight);
  await once(socket, 'data');
  socket.destroy();
  await once(socket, 'close');
}
