/**
 * The table of https://github.com/nodejs/node/issues/60847: session resumption through an outside store, which in
 * TLS 1.3 none of its four rows has. Node's server asks its store for legacy_session_id, which in TLS 1.3 means
 * nothing; a stateful server must ask for the PSK identity.
 *
 * The client is `openssl s_client -reconnect -tls1_3`, which drops each connection before it has read a ticket
 * and resumes at no server; here the session goes from one s_client to the next by -sess_out and -sess_in. The issue's
 * servers are one with SSL_OP_NO_TICKET, and one that says nothing of tickets and has no key of them to share: here
 * that is two servers with all defaults, that have nothing but the store in common.
 */

import { expect } from 'chai';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { type Client, opensslSessionFile } from './clients.ts';
import { onTheWire, type Travelled, travel } from './harness.ts';
import { hex, type OurServer, openStore, type Store, startOurs } from './our-server.ts';
import { describeWith } from './peers.ts';

const tickets = opensslSessionFile();
const noTicket = opensslSessionFile(['-no_ticket']);

const stateful = (store: Store): Partial<ServerOptions>[] => [
  { tickets: { mode: 'stateful' }, sessions: { cache: false, onNew: store.onNew, onGet: store.onGet } },
];
const defaults = (store: Store): Partial<ServerOptions>[] => [
  { sessions: { onNew: store.onNew, onGet: store.onGet } },
  { sessions: { onNew: store.onNew, onGet: store.onGet } },
];

const TABLE = [
  { row: 1, client: tickets, clientSays: 'tickets', servers: stateful, serverSays: 'a stateful server' },
  { row: 2, client: noTicket, clientSays: '-no_ticket', servers: stateful, serverSays: 'a stateful server' },
  { row: 3, client: tickets, clientSays: 'tickets', servers: defaults, serverSays: 'servers with defaults' },
  { row: 4, client: noTicket, clientSays: '-no_ticket', servers: defaults, serverSays: 'servers with defaults' },
] as const;

describeWith(['openssl'], 'interop: the table of nodejs/node#60847', () => {
  for (const { row, client, clientSays, servers, serverSays } of TABLE) {
    it(`row ${row}: ${clientSays}, ${serverSays}: TLS 1.3 resumes`, async () => {
      const store = openStore();
      const { passages } = await visitTwice(client, 'TLSv1.3', servers(store));
      expect(onTheWire(passages)).to.deep.equal(['full', 'psk']);
      const [hello] = passages[1]?.clientHellos ?? [];
      expect(store.asked).to.deep.equal(hello?.pskIdentities.map(hex));
      expect(store.asked).not.to.include(hex(hello?.sessionId ?? Buffer.alloc(0)));
    });

    it(`row ${row}: ${clientSays}, ${serverSays}: TLS 1.2 resumes`, async () => {
      const store = openStore();
      const { passages } = await visitTwice(client, 'TLSv1.2', servers(store));
      expect(onTheWire(passages)).to.deep.equal(['full', 'session-id']);
      expect(store.asked).to.deep.equal([hex(passages[1]?.clientHellos[0]?.sessionId ?? Buffer.alloc(0))]);
    });
  }
});

/** The second visit is at the last of the servers. */
async function visitTwice(
  client: Client,
  version: 'TLSv1.2' | 'TLSv1.3',
  options: readonly Partial<ServerOptions>[],
): Promise<Travelled> {
  const running: OurServer[] = [];
  try {
    for (const each of options) running.push(await startOurs(each));
    const port = (index: number): number => running[Math.min(index, running.length - 1)]?.port ?? 0;
    return await travel({ client, version, port });
  } finally {
    await Promise.all(running.map((server) => server.close()));
  }
}
