/** Faults over sockets: of each connection of a server, of accept() and of connect(), and what time does to the end of a transport. */

import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect as connectByNode } from 'node:tls';
import { expect } from 'chai';
import { accept, connect, createServer, type FaultsOf, type TlsSocket } from '../../src/node/index.ts';
import { type Fault, faults } from '../../src/testing.ts';
import { certificates } from '../fixtures.ts';
import { testProvider as crypto } from '../support/provider.ts';
import { Timers } from '../support/timers.ts';
import { credentials, memoryPair, open, startServer, stopServers, textOf, until, VERSIONS, visit } from './support.ts';

/** So long that no test waits for it: longer than the limit of a handshake. */
const LONG = 3_600_000;
const ca = certificates.ecdsaP256.cert;

let timers: Timers;
beforeEach(() => {
  timers = new Timers(LONG);
});
afterEach(async () => {
  timers.restore();
  await stopServers();
});

/** Lets a delay pass, which has begun or will begin. */
async function pass(): Promise<void> {
  await until(() => timers.running.size > 0);
  timers.expire();
  timers.running.clear();
}

const trusting = (port: number) => ({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false });

/** Our client, after its handshake or its failure. */
function ours(port: number, given: readonly Fault[] = []) {
  return connect({ host: '127.0.0.1', port }, { ca, serverName: 'localhost', crypto, faults: given });
}

describe('faults of time over sockets', () => {
  for (const version of VERSIONS) {
    it(`delay: a server's answer waits, ${version}`, async () => {
      const delay = faults.delay('server_hello', LONG, { isBefore: true });
      const { port } = await startServer({ minVersion: version, maxVersion: version, faults: [delay] });
      const client = connectByNode(trusting(port));
      let isSecure = false;
      client.once('secureConnect', () => {
        isSecure = true;
      });
      await until(() => timers.running.size > 0);
      expect(isSecure).to.equal(false);
      await pass();
      expect(await textOf(client)).to.equal('bye');
    });

    it(`delay: data, close_notify and the end of the transport wait together, ${version}`, async () => {
      const delay = faults.delay('application_data', LONG, { isBefore: true });
      const { port } = await startServer({ minVersion: version, maxVersion: version, faults: [delay] });
      const client = ours(port);
      const seen: string[] = [];
      client.on('data', (data) => seen.push(String(data))).on('end', () => seen.push('end'));
      await once(client, 'secureConnect');
      await until(() => timers.running.size > 0);
      expect(seen).to.deep.equal([]);
      await pass();
      await once(client, 'close');
      expect(seen).to.deep.equal(['bye', 'end']);
      expect(client.isTruncated).to.equal(false);
    });
  }

  it('delay: of a client, whose data waits', async () => {
    const heard: string[] = [];
    const { port } = await startServer({}, (socket) => void textOf(socket).then((text) => heard.push(text)));
    const client = ours(port, [faults.delay('application_data', LONG)]);
    client.write('one ');
    client.once('secureConnect', () => client.end('two'));
    await until(() => timers.running.size > 0);
    expect(heard).to.deep.equal([]);
    await pass();
    await until(() => heard.length > 0);
    expect(heard).to.deep.equal(['one two']);
    client.destroy();
  });

  it('delay: a fatal alert waits, and the transport ends behind it', async () => {
    const { server, port } = await startServer({ minVersion: 'TLSv1.3', faults: [faults.delay('finished', LONG)] });
    const failed = once(server, 'tlsClientError');
    const client = ours(port, [faults.insert('finished', Uint8Array.of(24, 0, 0, 1, 0))]);
    const errors: string[] = [];
    client.on('error', (error) => errors.push(error.message));
    expect(String((await failed)[0])).to.match(/unexpected_message/);
    expect(errors).to.deep.equal([]);
    await pass();
    await until(() => errors.length > 0);
    expect(errors[0]).to.match(/unexpected_message/);
  });

  it('delay: a socket that is destroyed waits for nothing', async () => {
    let socket: TlsSocket | undefined;
    const { port } = await startServer({ faults: [faults.delay('finished', LONG)], maxVersion: 'TLSv1.3' }, (made) => {
      socket = made;
    });
    const client = ours(port);
    client.on('error', () => {});
    await until(() => socket !== undefined);
    socket?.destroy();
    await once(client, 'close');
  });

  it('stall: the handshake stays open until the client gives up', async () => {
    const { server, port } = await startServer({ faults: [faults.stall('server_hello')] });
    const failed = once(server, 'tlsClientError');
    const client = ours(port);
    await until(() => client.connection.version !== undefined);
    client.destroy();
    expect((await failed)[0]).to.have.property('code', 'ECONNRESET');
  });

  for (const version of VERSIONS) {
    it(`stall: end() of the application ends nothing, and the client that goes ends all, ${version}`, async () => {
      let socket: TlsSocket | undefined;
      const stall = faults.stall('application_data', { isBefore: true });
      const { port } = await startServer({ minVersion: version, maxVersion: version, faults: [stall] }, (made) => {
        socket = made;
        made.end('bye');
      });
      const client = await open({ port });
      const seen: string[] = [];
      client.on('data', () => seen.push('data')).on('end', () => seen.push('end'));
      await until(() => socket?.writableEnded === true);
      expect(socket?.writableFinished).to.equal(false);
      expect(seen).to.deep.equal([]);
      client.end();
      await until(() => socket?.closed === true);
    });
  }

  it('stall: end() after the client has gone ends as ever', async () => {
    let socket: TlsSocket | undefined;
    const { port } = await startServer(
      { faults: [faults.stall('finished')], allowHalfOpen: true, maxVersion: 'TLSv1.3', minVersion: 'TLSv1.3' },
      (made) => {
        socket = made;
      },
    );
    const client = await open({ port });
    client.end();
    await until(() => socket !== undefined);
    if (socket !== undefined) await textOf(socket);
    socket?.end('bye');
    await until(() => socket?.closed === true);
  });

  it('stall: at the close_notify that answers the end of the transport keeps nothing open', async () => {
    const [here, there] = memoryPair();
    const server = accept(there, { credentials });
    const stall = faults.stall('alert', { isBefore: true });
    const client = connect(here, { ca, serverName: 'localhost', faults: [stall] });
    await once(client, 'secureConnect');
    client.resume();
    server.destroy();
    await once(client, 'close');
  });

  it('closeAt: in the handshake, without close_notify', async () => {
    const { server, port } = await startServer({ faults: [faults.closeAt('server_hello')] });
    const failed = once(server, 'tlsClientError');
    const client = ours(port);
    const [error] = await once(client, 'error');
    expect(error).to.have.property('code', 'ECONNRESET');
    expect((await failed)[0]).to.include({ alert: 'close_notify', origin: 'local' });
  });

  for (const closeNotify of [false, true]) {
    for (const version of VERSIONS) {
      it(`closeAt: amid data, with${closeNotify ? '' : 'out'} close_notify, ${version}`, async () => {
        const errors: Error[] = [];
        const { port } = await startServer(
          { minVersion: version, maxVersion: version, faults: [faults.closeAt('application_data', { closeNotify })] },
          (socket) => {
            socket.on('error', (error) => errors.push(error));
            socket.write('one');
            socket.write('two');
          },
        );
        const client = ours(port);
        expect(await textOf(client)).to.equal('one');
        expect(client.isTruncated).to.equal(!closeNotify);
        expect(errors.map(({ message }) => message)).to.deep.equal([
          'close_notify: faults.closeAt() has closed the connection',
        ]);
      });
    }
  }

  it('closeAt: of a client, after its hello', async () => {
    const { server, port } = await startServer();
    const failed = once(server, 'tlsClientError');
    const client = ours(port, [faults.closeAt('client_hello')]);
    const [error] = await once(client, 'error');
    expect(error).to.include({ alert: 'close_notify', origin: 'local' });
    expect((await failed)[0]).to.have.property('code', 'ECONNRESET');
  });
});

describe('the option faults', () => {
  const dropped = [faults.drop('new_session_ticket', 'each')];
  const sessionsOf = async (port: number) => {
    const { session } = await visit({ port, minVersion: 'TLSv1.3' });
    return session !== undefined;
  };

  it('of createServer(): an array is for each connection', async () => {
    const { port } = await startServer({ faults: dropped });
    expect([await sessionsOf(port), await sessionsOf(port)]).to.deep.equal([false, false]);
  });

  it('of createServer(): a function is asked for each, by its number', async () => {
    const numbers: number[] = [];
    const faultsOf: FaultsOf = ({ number }) => {
      numbers.push(number);
      return number === 2 ? dropped : [];
    };
    const { port } = await startServer({ faults: faultsOf });
    expect([await sessionsOf(port), await sessionsOf(port), await sessionsOf(port)]).to.deep.equal([true, false, true]);
    expect(numbers).to.deep.equal([1, 2, 3]);
  });

  it('of createServer() with a config', async () => {
    const { defineServer } = await import('../../src/index.ts');
    const { port } = await startServer({ config: defineServer({ crypto, credentials }), faults: dropped });
    expect(await sessionsOf(port)).to.equal(false);
  });

  for (const [what, fails, message] of [
    ['throws', () => Error('no faults today'), 'no faults today'],
    ['returns no array', () => 'drop', 'faults: an array is wanted'],
    ['returns what is no fault', () => [{ name: 'drop' }], 'faults: a value of tls-resume/testing is wanted'],
    ['returns nothing', () => undefined, 'the function has returned nothing; [] is for none'],
    ['returns a promise', async () => [], 'faults: an array is wanted'],
    ['rejects', () => Promise.reject(new Error('later')), 'faults: an array is wanted'],
    ['throws no error', () => Symbol('none'), 'faults: the function failed'],
  ] as const) {
    it(`of createServer(): a function that ${what} ends that connection, and no other`, async () => {
      const faultsOf = ({ number }: { number: number }): never => {
        if (number !== 1) return [] as never;
        const result = fails();
        if (what.startsWith('throws')) throw result;
        return result as never;
      };
      const { server, port } = await startServer({ faults: faultsOf });
      const failed = once(server, 'tlsClientError');
      const lost = connectPlain(port, '127.0.0.1');
      lost.on('error', () => {}).resume();
      const [error, socket] = await failed;
      expect(error).to.be.an('error').with.property('message').that.contains(message);
      expect(socket.destroyed).to.equal(true);
      if (!lost.closed) await once(lost, 'close');
      expect(await sessionsOf(port)).to.equal(true);
    });
  }

  it('of accept(): an array', async () => {
    const [near, far] = memoryPair();
    accept(far, { credentials, crypto, faults: [faults.closeAt('server_hello')] }).on('error', () => {});
    const client = connect(near, { ca, serverName: 'localhost', crypto });
    const [error] = await once(client, 'error');
    expect(error).to.have.property('code', 'ECONNRESET');
  });

  it('is checked at once', () => {
    const wrong: readonly unknown[] = ['drop', ['drop'], [{ name: 'drop' }], {}, 1, faults.drop('finished')];
    for (const given of wrong) {
      const options = { credentials, faults: given as never };
      expect(() => createServer(options), 'createServer').to.throw(TypeError, /^faults: /);
      const [near, far] = memoryPair();
      expect(() => accept(far, options), 'accept').to.throw(TypeError, /^faults: /);
      expect(() => connect(near, { ca, faults: given as never }), 'connect').to.throw(TypeError, /^faults: /);
    }
    const [, far] = memoryPair();
    expect(() => accept(far, { credentials, faults: () => [] })).to.throw(TypeError, 'as this is one connection');
  });
});
