/** Sockets and servers set timers for what may take too long, and none outlives what it was set for. */

import { once } from 'node:events';
import { expect } from 'chai';
import { accept } from '../../src/node/index.ts';
import { testProvider } from '../support/provider.ts';
import { HostTimers } from '../support/timers.ts';
import { credentials, memoryPair, open, startServer, stopServers, visit } from './support.ts';

const options = { credentials, crypto: testProvider };

describe('timers', () => {
  let timers: HostTimers;
  beforeEach(() => {
    timers = new HostTimers();
  });
  afterEach(async () => {
    timers.restore();
    await stopServers();
  });

  it('of a handshake end with it', async () => {
    const [left, right] = memoryPair();
    const socket = accept(left, options);
    expect(timers.times()).to.deep.equal([120_000]);
    const [client] = await Promise.all([open({ socket: right }), once(socket, 'secure')]);
    expect(timers.times()).to.deep.equal([]);
    for (const end of [client, socket]) end.on('error', () => {}).destroy();
  });

  it('of a handshake end with its socket', async () => {
    const socket = accept(memoryPair()[0], options);
    expect(timers.times()).to.deep.equal([120_000]);
    socket.destroy();
    expect(timers.times()).to.deep.equal([]);
  });

  it('of setTimeout() are replaced by the next, end with the socket, and keep no process running', async () => {
    const [left, right] = memoryPair();
    const socket = accept(left, { ...options, handshakeTimeout: 0 });
    socket.setTimeout(50_000);
    socket.setTimeout(60_000);
    expect(timers.times()).to.deep.equal([60_000]);
    expect(timers.keeping()).to.equal(0);
    socket.setTimeout(0);
    expect(timers.times()).to.deep.equal([]);
    socket.setTimeout(50_000);
    socket.destroy();
    expect(timers.times()).to.deep.equal([]);
    right.destroy();
  });

  it('of a socket that leaves and reads on for a while end when its peer has left, too, and keep no process running', async () => {
    const [left, right] = memoryPair();
    const socket = accept(left, options);
    const client = await open({ socket: right });
    client.resume();
    socket.destroySoon();
    await once(socket, 'close');
    expect(timers.times()).to.have.length(1);
    expect(timers.keeping()).to.equal(0);
    const closed = once(left, 'close');
    client.destroy();
    await closed;
    expect(timers.times()).to.deep.equal([]);
  });

  for (const isThrowing of [false, true]) {
    it(`of a 'newSession' listener end when it ${isThrowing ? 'throws' : 'calls back'}, and keep no process running`, async () => {
      const { server, port } = await startServer({ handshakeTimeout: 0, sessions: { lookupTimeoutMs: 5000 } });
      const running: [times: number[], keeping: number][] = [];
      server.on('newSession', (_id, _data, callback) => {
        running.push([timers.times(5000), timers.keeping(5000)]);
        if (isThrowing) throw new Error('no room');
        callback();
      });
      await visit({ port, maxVersion: 'TLSv1.2' });
      expect(running).to.deep.equal([[[5000], 0]]);
      expect(timers.times(5000)).to.deep.equal([]);
    });
  }
});
