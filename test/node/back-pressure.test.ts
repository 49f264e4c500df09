/** The Node shell takes in and gives out no more than somebody wants, whoever floods it. */

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { expect } from 'chai';
import type { EphemeralKey } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { accept } from '../../src/node/index.ts';
import { ScriptedClient } from '../support/scripted-client.ts';
import { quickCredential } from '../support/servers.ts';
import { credentials, memoryPair, only, open, settled, startServer, stopServers, until, VERSIONS } from './support.ts';

const MIB = 2 ** 20;

afterEach(stopServers);

/** Writes for as long as the transport takes it; counts what it was given. */
function flood(wire: Duplex, next: () => Uint8Array): { bytes: number } {
  const given = { bytes: 0 };
  const pour = (): void => {
    while (!wire.destroyed) {
      const bytes = next();
      given.bytes += bytes.length;
      if (!wire.write(bytes)) return void wire.once('drain', pour);
    }
  };
  pour();
  return given;
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}

const x25519 = { generate: () => never<EphemeralKey>() };
/** Servers that never get their answer. */
const PENDING: Readonly<Record<string, ServerOptions>> = {
  'a signature': { credentials: [{ ...quickCredential, sign: () => never<Uint8Array>() }] },
  'a key': { credentials: [quickCredential], crypto: { ...defaultProvider, groups: { x25519 } }, groups: ['x25519'] },
};

for (const version of VERSIONS) {
  describe(`back-pressure, ${version}`, () => {
    it('of 100 MB for a peer that does not read little is encrypted; what it reads goes on', async () => {
      const [left, right] = memoryPair();
      const socket = accept(left, { credentials });
      const client = connect({ socket: right, rejectUnauthorized: false, ...only(version) });
      await once(client, 'secureConnect');
      let calls = 0;
      const isGoingOn = socket.write(Buffer.alloc(100 * MIB), () => calls++);
      expect(isGoingOn).to.equal(false);
      const encrypted = await settled(() => socket.bytesWritten);
      expect(encrypted).to.be.lessThan(MIB);
      expect(left.writableLength).to.be.lessThan(MIB);
      let heard = 0;
      client.on('data', (data: Buffer) => {
        heard += data.length;
        if (heard > MIB) client.pause();
      });
      await until(() => heard > MIB);
      await settled(() => heard);
      expect(socket.bytesWritten).to.be.lessThan(heard + MIB);
      expect(calls).to.equal(0);
      socket.destroy();
      client.destroy();
    });

    it('of 100 MB in many writes over loopback, too', async () => {
      const { server, port } = await startServer({}, (socket) => {
        for (let i = 0; i < 1600; i++) socket.write(Buffer.alloc(65536));
      });
      const [[socket], client] = await Promise.all([
        once(server, 'secureConnection'),
        open({ port, ...only(version) }),
      ]);
      // Beyond what the system holds for both ends.
      expect(await settled(() => socket.bytesWritten)).to.be.lessThan(16 * MIB);
      socket.destroy();
      client.destroy();
    });

    it('a peer that sends more than is read has to wait, and nothing gets lost', async () => {
      const { server, port } = await startServer({}, () => {});
      const [[socket], client] = await Promise.all([
        once(server, 'secureConnection'),
        open({ port, ...only(version) }),
      ]);
      client.end(Buffer.alloc(16 * MIB));
      expect(await settled(() => socket.bytesRead)).to.be.lessThan(MIB);
      expect(socket.readableLength).to.be.lessThan(MIB);
      let length = 0;
      for await (const chunk of socket) length += chunk.length;
      expect(length).to.equal(16 * MIB);
    });

    for (const [what, options] of Object.entries(PENDING)) {
      it(`a peer that floods while ${what} is pending has to wait`, async () => {
        const [left, right] = memoryPair();
        const config = defineServer(options);
        const socket = accept(left, config);
        const client = new ScriptedClient({ version });
        right.write(client.take());
        const given = flood(right, () => Buffer.alloc(16384));
        expect(await settled(() => given.bytes)).to.be.lessThan(MIB);
        expect(socket.destroyed).to.equal(false);
        socket.destroy();
      });

      it(`a peer that ends while ${what} is pending is let go`, async () => {
        const [left, right] = memoryPair();
        const config = defineServer(options);
        const socket = accept(left, { config, handshakeTimeout: 50 });
        right.end(new ScriptedClient({ version }).take());
        const [error] = await once(socket, 'error');
        expect(error.code).to.match(/^ECONNRESET$|TIMEOUT/);
      });
    }
  });
}

describe('back-pressure', () => {
  it('a peer that floods while a lookup is pending has to wait, and is served when it is answered', async () => {
    let answer = (_: undefined): void => {};
    const onGet = () =>
      new Promise<undefined>((resolve) => {
        answer = resolve;
      });
    const [left, right] = memoryPair();
    const sessions = { onGet, lookupTimeoutMs: 15_000 };
    const socket = accept(left, { config: defineServer({ credentials: [quickCredential], sessions }) });
    const client = new ScriptedClient({ version: 'TLSv1.2', sessionId: new Uint8Array(32).fill(7) });
    right.write(client.take());
    // Warnings, which a server has to read over, 16 KiB at a time.
    const warning = Buffer.from('1503030002015a', 'hex');
    const given = flood(right, () => Buffer.concat(Array.from({ length: 2340 }, () => warning)));
    expect(await settled(() => given.bytes)).to.be.lessThan(MIB);
    expect(socket.destroyed).to.equal(false);
    const failed = once(socket, 'error');
    answer(undefined);
    const [error] = await failed;
    expect(error.message).to.contain('idle records'); // so many warnings are too many
  });

  it('a peer that asks for key updates and does not read the answers has to wait', async () => {
    const [left, right] = memoryPair();
    const socket = accept(left, defineServer({ credentials: [quickCredential] }));
    const client = new ScriptedClient();
    right.on('data', (bytes: Uint8Array) => {
      client.receive(bytes);
      right.write(client.take());
    });
    right.write(client.take());
    await once(socket, 'secure');
    await settled(() => client.received.length);
    right.removeAllListeners('data').pause();
    socket.resume();
    const given = flood(right, () => {
      for (let i = 0; i < 16; i++) client.sendKeyUpdate('update_requested');
      client.sendData(Uint8Array.of(1)); // more of them in a row would be refused
      return client.take();
    });
    await until(() => left.isPaused());
    await settled(() => given.bytes + left.writableLength);
    expect(left.isPaused()).to.equal(true);
    expect(left.writableLength)
      .to.be.greaterThan(65536)
      .and.lessThan(MIB / 4);
    expect(given.bytes).to.be.lessThan(MIB);
    expect(socket.destroyed).to.equal(false);
    socket.destroy();
    right.destroy();
  });
});
