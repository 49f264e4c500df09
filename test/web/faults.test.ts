/** Faults over Web Streams: what time does to the end of both streams. */

import { once } from 'node:events';
import { expect } from 'chai';
import { accept, TlsAlert } from '../../src/index.ts';
import { faults } from '../../src/testing.ts';
import { certificates } from '../fixtures.ts';
import { Timers } from '../support/timers.ts';
import { rejection, startClient, streamLink, VERSIONS, versionOnly } from './support.ts';

const LONG = 3_600_000;
const credentials = [certificates.ecdsaP256];

describe('faults over Web Streams', () => {
  let timers: Timers;
  beforeEach(() => {
    timers = new Timers(LONG);
  });
  afterEach(() => timers.restore());

  /** Lets a delay pass, once it has begun. */
  async function pass(): Promise<void> {
    while (timers.running.size === 0) await new Promise((resolve) => setImmediate(resolve));
    timers.expire();
    timers.running.clear();
  }

  for (const version of VERSIONS) {
    it(`delay: data, close_notify and the end of the stream wait together, ${version}`, async () => {
      const link = streamLink();
      const served = accept(
        link.server,
        { credentials },
        { faults: [faults.delay('application_data', LONG, { isBefore: true })] },
      );
      const { socket } = startClient(link.client, versionOnly(version));
      const seen: string[] = [];
      socket.on('data', (data) => seen.push(String(data))).on('end', () => seen.push('end'));
      const tls = await served;
      const writer = tls.writable.getWriter();
      void writer.write(new TextEncoder().encode('bye'));
      let isClosed = false;
      const closed = writer.close().then(() => {
        isClosed = true;
      });
      while (timers.running.size === 0) await new Promise((resolve) => setImmediate(resolve));
      expect([seen, isClosed]).to.deep.equal([[], false]);
      await pass();
      await closed;
      if (!socket.readableEnded) await once(socket, 'end');
      expect(seen).to.deep.equal(['bye', 'end']);
      socket.end();
      await tls.readable.cancel();
    });
  }

  it('delay: a fatal alert waits, and the stream closes behind it', async () => {
    const link = streamLink();
    const served = rejection(
      accept(link.server, { credentials }, { faults: [faults.delay('alert', LONG, { isBefore: true })] }),
    );
    const { errors } = startClient(link.client, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' });
    await pass();
    expect(await served)
      .to.be.instanceOf(TlsAlert)
      .with.property('alert', 'handshake_failure');
    while (errors.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(String(errors[0])).to.match(/handshake failure/);
  });

  it('stall: close() of the application ends nothing until the client goes', async () => {
    const link = streamLink();
    const served = accept(
      link.server,
      { credentials },
      { faults: [faults.stall('application_data', { isBefore: true })] },
    );
    const { socket } = startClient(link.client);
    const tls = await served;
    const writer = tls.writable.getWriter();
    void writer.write(new TextEncoder().encode('bye'));
    const closed = writer.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(socket.readableEnded).to.equal(false);
    socket.end();
    await closed;
    await tls.closed;
  });

  for (const closeNotify of [false, true]) {
    it(`closeAt: with${closeNotify ? '' : 'out'} close_notify, and the application is told`, async () => {
      const link = streamLink();
      const served = accept(
        link.server,
        { credentials },
        { faults: [faults.closeAt('application_data', { closeNotify })] },
      );
      const { socket } = startClient(link.client);
      const data = once(socket, 'data');
      const tls = await served;
      const writer = tls.writable.getWriter();
      await rejection(writer.write(new TextEncoder().encode('one')));
      expect(String((await data)[0])).to.equal('one');
      expect(await rejection(tls.closed))
        .to.be.instanceOf(TlsAlert)
        .with.property('alert', 'close_notify');
    });
  }

  it('are checked at once, and leave the streams unlocked', async () => {
    for (const given of ['drop', [1], {}]) {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const error = await rejection(accept({ readable, writable }, { credentials }, { faults: given as never }));
      expect(error)
        .to.be.instanceOf(TypeError)
        .with.property('message')
        .that.matches(/^faults: /);
      expect([readable.locked, writable.locked]).to.deep.equal([false, false]);
    }
  });
});
