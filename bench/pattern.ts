/** The bytes of a handshake as mere numbers: what a server without TLS has to read and write to do the same to its sockets. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** So many bytes of one side, before the other side says anything. */
export interface Flight {
  readonly from: 'client' | 'server';
  readonly bytes: number;
}

const ZEROS = Buffer.alloc(65536);

/** One side of the pattern. It closes after its last flight; both sides have done with the last byte. */
export function play(socket: Socket, pattern: readonly Flight[], side: Flight['from']): void {
  const last = pattern.map(({ from }) => from).lastIndexOf(side);
  let at = 0;
  let due = 0;
  const goOn = () => {
    for (let flight = pattern[at]; flight !== undefined; flight = pattern[++at]) {
      if (flight.from === side) socket.write(ZEROS.subarray(0, flight.bytes));
      else if (due < flight.bytes) break;
      else due -= flight.bytes;
      if (at === last) socket.end();
    }
  };
  socket.on('data', (data) => {
    due += data.length;
    goOn();
  });
  goOn();
}

/** What passes between a client and the server at `port` while `run` makes a connection to the port that it is given. */
export async function recordPattern(port: number, run: (port: number) => Promise<void>): Promise<readonly Flight[]> {
  const flights: Flight[] = [];
  const relay = createServer((client) => {
    const server = connect({ port, host: '127.0.0.1' });
    forward(client, server, (bytes) => note(flights, 'client', bytes));
    forward(server, client, (bytes) => note(flights, 'server', bytes));
  });
  await once(relay.listen(0, '127.0.0.1'), 'listening');
  await run((relay.address() as AddressInfo).port);
  relay.close();
  return flights;
}

function forward(from: Socket, to: Socket, note: (bytes: number) => void): void {
  from.on('data', (data) => {
    note(data.length);
    to.write(data);
  });
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
}

function note(flights: Flight[], from: Flight['from'], bytes: number): void {
  const last = flights.at(-1);
  if (last?.from === from) flights[flights.length - 1] = { from, bytes: last.bytes + bytes };
  else flights.push({ from, bytes });
}
