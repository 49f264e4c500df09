/**
 * A passive TCP relay on loopback between a client and a server, which reads what the hellos say ({@link WireWatch})
 * and changes nothing. Between two connections of one client process a test may change the world: `target` is asked
 * anew, and waited for, before each.
 */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Seen, type Side, WireWatch } from './wire-watch.ts';

export type { Seen, Side } from './wire-watch.ts';

/** One connection through the relay. */
export interface Passage extends Seen {
  /** From 0, in the order of arrival. */
  readonly index: number;
  readonly bytes: Readonly<Record<Side, number>>;
  /** Who ended the TCP connection with a reset: a client that has what it wants may, a server may not. */
  readonly resets: readonly Side[];
}

export interface Relay {
  readonly port: number;
  /** In the order of arrival, also while they are under way. */
  readonly passages: readonly Passage[];
  /** Resolves when so many connections have come and gone; rejects after `withinMs`. */
  gone(count: number, withinMs?: number): Promise<readonly Passage[]>;
  close(): Promise<void>;
}

/** More than any client of ours makes: what runs wild is cut off. */
const MOST_CONNECTIONS = 64;

export async function openRelay(target: (index: number) => number | Promise<number>): Promise<Relay> {
  const passages: Passage[] = [];
  const open = new Set<Socket>();
  const waiting = new Set<() => void>();
  let gone = 0;

  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    if (passages.length >= MOST_CONNECTIONS) {
      client.destroy();
      return;
    }
    const index = passages.length;
    const watch = new WireWatch();
    const passage = Object.assign(watch.seen, { index, bytes: { client: 0, server: 0 }, resets: [] as Side[] });
    passages.push(passage);
    void carry(
      client,
      () => target(index),
      open,
      (side, chunk) => {
        if (chunk === 'reset') {
          passage.resets.push(side);
        } else {
          passage.bytes[side] += chunk.length;
          watch.feed(side, chunk);
        }
      },
    ).then(() => {
      gone += 1;
      for (const check of waiting) check();
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');

  return {
    port: (listener.address() as AddressInfo).port,
    passages,
    gone: (count, withinMs = 5000) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`${gone} of ${passages.length} connections have ended, not ${count}`));
        }, withinMs);
        const check = (): void => {
          if (gone < count) return;
          clearTimeout(late);
          waiting.delete(check);
          resolve(passages);
        };
        waiting.add(check);
        check();
      }),
    close: async () => {
      for (const socket of open) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

type Note = (side: Side, chunk: Buffer | 'reset') => void;

/** Carries one connection to its end, which this resolves at. */
async function carry(
  client: Socket,
  target: () => number | Promise<number>,
  open: Set<Socket>,
  note: Note,
): Promise<void> {
  open.add(client);
  const clientGone = closed(client);
  try {
    const port = await target();
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    open.add(server);
    const serverGone = closed(server);
    join('client', client, server, note);
    join('server', server, client, note);
    client.resume();
    await Promise.all([clientGone, serverGone]);
    open.delete(server);
  } catch {
    client.destroy(); // `target` has failed, and its test knows
    await clientGone;
  } finally {
    open.delete(client);
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** One direction: noted before it is passed on, so that whoever has seen an answer finds the question in the record. */
function join(side: Side, from: Socket, to: Socket, note: Note): void {
  from.setNoDelay(true);
  from.on('data', (chunk) => note(side, chunk));
  from.pipe(to);
  from.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET') note(side, 'reset');
    // A reset is passed on as one: a relay that mends what it carries hides what a client would have suffered. Not so
    // behind our own FIN: Node 20 then fails with EINVAL, never closes the socket, and spins at the end of the process.
    if (to.writableEnded || to.connecting) to.destroy();
    else to.resetAndDestroy();
  });
}
