/** What accept() makes of the transport that it is given, in whatever state that is. */

import { once } from 'node:events';
import { createServer as createNetServer } from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { defineServer } from '../../src/engine/server/define-server.ts';
import { accept } from '../../src/node/index.ts';
import { testProvider } from '../support/provider.ts';
import { credentials, memoryPair, only, textOf, VERSIONS } from './support.ts';

const config = defineServer({ credentials, crypto: testProvider });

for (const version of VERSIONS) {
  describe(`a transport, ${version}`, () => {
    it('may have been paused, and have something to read already', async () => {
      const [left, right] = memoryPair();
      left.pause();
      const client = connect({ socket: right, rejectUnauthorized: false, ...only(version) });
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(left.readableLength).to.be.greaterThan(0);
      accept(left, config).end('bye');
      expect(await textOf(client)).to.equal('bye');
    });

    it('may be TLS itself', async () => {
      const [left, right] = memoryPair();
      const outer = accept(left, config);
      const inner = accept(outer, config);
      const carrier = connect({ socket: right, rejectUnauthorized: false, ...only(version) });
      await once(carrier, 'secureConnect');
      const client = connect({ socket: carrier, rejectUnauthorized: false, ...only(version) });
      inner.end('bye');
      expect(await textOf(client)).to.equal('bye');
      client.destroy();
      outer.destroy();
    });
  });
}

describe('a transport', () => {
  it('must be a Duplex, and the error says so', () => {
    const webStreams = { readable: new ReadableStream(), writable: new WritableStream() };
    for (const wrong of [undefined, null, {}, createNetServer(), webStreams, 'x'] as unknown[]) {
      expect(() => accept(wrong as Duplex, { credentials })).to.throw(
        TypeError,
        /^transport: a Duplex stream is wanted, such as a net.Socket/,
      );
    }
    const options: unknown = { credentials };
    expect(() => (accept as (only: unknown) => unknown)(options)).to.throw(TypeError, 'transport: a Duplex');
  });

  it('must give bytes', () => {
    expect(() => accept(new PassThrough({ encoding: 'utf8' }), config)).to.throw(TypeError, 'transport');
    expect(() => accept(new PassThrough({ objectMode: true }), config)).to.throw(TypeError, 'transport');
  });
});
