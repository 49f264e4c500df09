/**
 * Visits of clients in which secrets are overwritten. Run as a program, it prints how many calls of each file have done so: in a process
 * of its own, as pools of the process may have been filled and emptied by others.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { inspect } from '../../src/cli/inspect.ts';
import type { CryptoProvider, DecapsulationKey, Encapsulation } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { fast } from '../../src/crypto/providers/fast.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { ClientConnection } from '../../src/engine/client/client-connection.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { nodeCrypto } from '../../src/node/node-crypto.ts';
import { Session } from '../../src/sessions/session.ts';
import { cbcTickets } from '../../src/tickets/format-cbc.ts';
import { TicketKey } from '../../src/tickets/key.ts';
import { ticketKeyFile, ticketKeysFrom } from '../../src/tickets/key-files.ts';
import { SealCounts } from '../../src/tickets/seal-counts.ts';
import { sealSession } from '../../src/tickets/ticket.ts';
import { EMPTY } from '../../src/wire/bytes.ts';
import { keyCallback, revisit, ticketContext, visit as visitContext } from '../openssl/tickets-support.ts';
import { Exchange } from './exchange.ts';
import { hybridCrypto } from './hybrid.ts';
import { Bench, firstOffer, MECHANISMS, returning } from './mechanisms.ts';
import { type ClientOptions, ScriptedClient } from './scripted-client.ts';
import { WipeWatch } from './wipes.ts';
import { TestWorld } from './world.ts';

const CALLS = ['receive', 'answer', 'dispose', 'write', 'updateKeys', 'end', 'exportKeyingMaterial'] as const;
const SOME = new Uint8Array(80).fill(1);
/** So much that AES-GCM makes itself a larger table. */
const MUCH = new Uint8Array(32768).fill(1);
const PARAMETERS = {
  version: 'TLSv1.3',
  cipherSuite: 0x1301,
  id: Uint8Array.of(1),
  time: 1000,
  timeout: 300,
  authTime: 1000,
  extendedMasterSecret: true,
  idContext: EMPTY,
} as const;

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
  const session = new Session({ ...PARAMETERS, secret: random(32) });
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

/** Both sides of a hybrid exchange. */
function visitHybrid(watch: WipeWatch): void {
  const random = (length: number) => new TestWorld(1).randomBytes(length);
  const group = hybridCrypto.groups.X25519MLKEM768;
  watch.during(() => {
    if (group === undefined) throw new Error('no group');
    const key = group.generate(random) as DecapsulationKey;
    const { keyShare } = group.encapsulate(key.publicKey, random) as Encapsulation;
    void key.decapsulate(keyShare);
    key.wipe();
  });
}

/** Keys of node:crypto, and the tickets of a context under keys of a callback and of its own. */
function visitShells(watch: WipeWatch): void {
  const random = (length: number) => new TestWorld(1).randomBytes(length);
  watch.during(() => {
    const { x25519, secp256r1, secp384r1 } = nodeCrypto.groups;
    for (const group of [x25519, secp256r1, secp384r1]) group?.generate(random);
    const aead = nodeCrypto.aeads['aes-128-gcm'].key(random(16));
    expect(aead.open(new Uint8Array(12), EMPTY, random(40))).to.equal(undefined);
    aead.wipe();
    nodeCrypto.hashes.sha256.hmac(SOME).wipe();
    const ctx = ticketContext(new TestWorld(5));
    for (const callback of [keyCallback({ seal: 1, open: 1 }).callback, null]) {
      ctx.setTlsextTicketKeyCallback(callback);
      const first = visitContext(ctx, 'TLSv1.3');
      const again = revisit(ctx, first);
      expect(again.ssl.sessionReused()).to.equal(1);
      for (const { ssl } of [first, again]) ssl.free();
    }
    ctx.setTlsextTicketKeys(random(80));
    ctx.free();
  });
}

/** An external PSK that a function answers with, imported, and one of TLS 1.2. The client is not watched. */
function visitPsks(watch: WipeWatch): void {
  const psk = { identity: Uint8Array.of(1), secret: new Uint8Array(32).fill(2) };
  const tls12 = { maxVersion: 'TLSv1.2', ciphers: ['TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256'] } as const;
  for (const [more, options] of [
    [{ import: true }, {}],
    [{}, tls12],
  ] as const) {
    const crypto = watch.provider(defaultProvider);
    const world = new TestWorld(6);
    const config = defineServer({ psks: () => ({ secret: psk.secret, ...more }), crypto, world, ...options });
    const client = new ClientConnection(defineClient({ psks: [{ ...psk, ...more }], ...options }));
    const server = watch.watch(new ServerConnection(config), CALLS);
    let { output } = client.connect();
    while (output.length > 0) ({ output } = client.receive(server.receive(output).output));
    expect(server.resumption.mechanism).to.match(/^psk-/);
    server.dispose();
    client.dispose();
  }
}

/** What the command reads and opens: a session, a ticket, and a client's session with its ticket. */
function visitFiles(watch: WipeWatch): void {
  const folder = mkdtempSync(join(tmpdir(), 'tls-resume-wipes-'));
  const file = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const world = new TestWorld(2);
  const randomBytes = (length: number) => world.randomBytes(length);
  const keyFile = randomBytes(48);
  const [key] = ticketKeysFrom('node', keyFile);
  const ticket = sealSession(key, new Session({ ...PARAMETERS, secret: randomBytes(32) }), randomBytes);
  if (typeof ticket === 'string') throw new Error(ticket);
  const ofClient = new Session({ ...PARAMETERS, secret: randomBytes(32), foreign: { ticket } }).toDer();
  const rest = {
    ticketKeys: [{ producer: 'node', file: file('key', keyFile) }],
    showSecrets: false,
    json: true,
  } as const;
  try {
    for (const [what, bytes] of [
      ['session', ofClient],
      ['ticket', ticket],
      ['ticket', ofClient],
    ] as const)
      watch.during(() => inspect({ what, file: file('given', bytes), ...rest }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Has the client, who is of the product as well, wipe without being counted. */
function leaveOutClient(watch: WipeWatch): void {
  const { take, receive } = ScriptedClient.prototype;
  ScriptedClient.prototype.take = function () {
    return watch.outside(() => take.call(this));
  };
  ScriptedClient.prototype.receive = function (bytes) {
    watch.outside(() => receive.call(this, bytes));
  };
}

const watch = new WipeWatch();
leaveOutClient(watch);
visit(watch, defaultProvider, MECHANISMS);
visit(watch, defaultProvider, ['session-id'], { groups: ['secp256r1'] });
visit(watch, noble, ['psk-stateless'], { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'], keyShares: ['secp256r1'] });
visit(watch, fast, ['psk-stateful'], { ciphers: ['TLS_AES_256_GCM_SHA384'] });
visit(watch, fast, ['psk-stateful']);
visitKeys(watch);
visitHybrid(watch);
visitShells(watch);
visitFiles(watch);
visitPsks(watch);
process.stdout.write(JSON.stringify(watch.counts));
