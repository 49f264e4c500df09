/**
 * Visits of clients in which secrets are overwritten. Run as a program, it prints how many calls of each file have done so: in a process
 * of its own, as pools of the process may have been filled and emptied by others.
 */

import { expect } from 'chai';
import type { CryptoProvider } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { fast } from '../../src/crypto/providers/fast.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { Session } from '../../src/sessions/session.ts';
import { cbcTickets } from '../../src/tickets/format-cbc.ts';
import { TicketKey } from '../../src/tickets/key.ts';
import { ticketKeyFile, ticketKeysFrom } from '../../src/tickets/key-files.ts';
import { SealCounts } from '../../src/tickets/seal-counts.ts';
import type { ClientOptions } from './client.ts';
import { Exchange } from './exchange.ts';
import { Bench, firstOffer, MECHANISMS, returning } from './mechanisms.ts';
import { WipeWatch } from './wipes.ts';

const CALLS = ['receive', 'answer', 'dispose', 'write', 'updateKeys', 'end', 'exportKeyingMaterial'] as const;
const SOME = new Uint8Array(80).fill(1);
/** So much that AES-GCM makes itself a larger table. */
const MUCH = new Uint8Array(32768).fill(1);

/** Visits of clients: all that a connection does with keys, and connections that end before they are established. */
function visit(
  watch: WipeWatch,
  crypto: CryptoProvider,
  mechanisms: readonly (typeof MECHANISMS)[number][],
  more: ClientOptions = {},
) {
  const bench = new Bench();
  const connect = (config: ServerConfig, options: ClientOptions, use?: (link: Exchange) => void) => {
    const client = bench.client({ crypto: defaultProvider, verify: false, ...options });
    const link = new Exchange(client, watch.watch(new ServerConnection(config), CALLS)).run();
    use?.(link);
    link.connection.dispose();
    return link;
  };
  for (const mechanism of mechanisms) {
    const config = bench.server(mechanism, { crypto: watch.provider(crypto) });
    const offer = { ...firstOffer(mechanism), ...more };
    const first = connect(config, offer, (link) => {
      link.client.sendData(SOME);
      link.run();
      link.connection.exportKeyingMaterial(10, 'label');
      link.step(link.connection.write(MUCH));
      if (link.client.version === 'TLSv1.3') link.step(link.connection.updateKeys(true)).run();
      link.step(link.connection.end());
    });
    expect(first.failure).to.equal(undefined);
    const again = connect(config, returning(first, more));
    expect(again.connection.resumption.resumed, mechanism).to.equal(true);
    for (const stopBefore of ['finished', 'client_key_exchange'])
      connect(config, { ...offer, stopBefore } as ClientOptions);
  }
  watch.during(() => bench.close());
}

/** Keys and sessions without a connection. */
function visitKeys(watch: WipeWatch): void {
  const bench = new Bench();
  const random = (length: number) => bench.world.randomBytes(length);
  const session = new Session({
    version: 'TLSv1.3',
    cipherSuite: 0x1301,
    id: Uint8Array.of(1),
    secret: random(32),
    time: 1000,
    timeout: 300,
    authTime: 1000,
    extendedMasterSecret: true,
    idContext: new Uint8Array(0),
  });
  watch.during(() => {
    for (const { sha256, sha384 } of [defaultProvider.hashes, fast.hashes])
      for (const hash of [sha256, sha384]) hash.hmac(new Uint8Array(200).fill(1)).wipe(); // longer than a block
    const key = TicketKey.generate(cbcTickets(32), random, { counts: new SealCounts() });
    for (const each of ticketKeysFrom('openssl', ticketKeyFile('openssl', key))) each.destroy();
    const lines = [1, 2, 3].map(() => Buffer.from(random(48)).toString('base64'));
    for (const each of ticketKeysFrom('haproxy', Buffer.from(lines.join('\n')))) each.destroy();
    key.destroy();
    Session.fromPem(session.toPem()).free();
    session.release();
  });
}

const watch = new WipeWatch();
visit(watch, defaultProvider, MECHANISMS);
visit(watch, defaultProvider, ['session-id'], { groups: ['secp256r1'] });
visit(watch, noble, ['psk-stateless'], { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'], keyShares: ['secp256r1'] });
visit(watch, fast, ['psk-stateful'], { ciphers: ['TLS_AES_256_GCM_SHA384'] });
visit(watch, fast, ['psk-stateful']);
visitKeys(watch);
process.stdout.write(JSON.stringify(watch.counts));
