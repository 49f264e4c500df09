/** Wrong arguments of a connection's methods: errors of the caller, of which the peer hears nothing. */

import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import type { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { Bench, firstTicket } from '../support/mechanisms.ts';

describe('arguments of a connection', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench.close());

  function transferred(): Uint8Array {
    const bytes = new Uint8Array(8);
    structuredClone(bytes, { transfer: [bytes.buffer] });
    return bytes;
  }

  const NO_BYTES: Readonly<Record<string, unknown>> = {
    'an ArrayBuffer': new ArrayBuffer(8),
    'a SharedArrayBuffer': new SharedArrayBuffer(8),
    'a DataView': new DataView(new ArrayBuffer(8)),
    'a Uint16Array': new Uint16Array(8),
    'an Int8Array': new Int8Array(8),
    'a string': 'GET / HTTP/1.1',
    'an array of numbers': [22, 3, 3],
    'a number': 22,
    null: null,
    undefined: undefined,
    'a Proxy of bytes': new Proxy(new Uint8Array(8), {}),
    'an impostor': Object.create(Uint8Array.prototype),
  };
  const NO_OUTCOMES: readonly unknown[] = [undefined, null, 'value', 5, {}, []];

  type Wrong = (connection: ServerConnection, argument: never) => unknown;
  const TAKE_BYTES: Readonly<Record<string, Wrong>> = {
    receive: (connection, argument) => connection.receive(argument),
    write: (connection, argument) => connection.write(argument),
    'exportKeyingMaterial with context': (connection, argument) =>
      argument !== undefined && connection.exportKeyingMaterial(1, 'label', argument),
  };
  for (const [method, call] of Object.entries(TAKE_BYTES)) {
    it(`${method} takes bytes, and throws a TypeError for all else`, () => {
      const link = bench.connect(bench.bare(), {});
      for (const [what, argument] of Object.entries({ ...NO_BYTES, 'transferred bytes': transferred() })) {
        if (argument === undefined && method.startsWith('export')) continue;
        expect(() => call(link.connection, argument as never), what).to.throw(TypeError, method.split(' ')[0] ?? '');
      }
      link.client.sendData(Uint8Array.of(1));
      expect([...link.run().data]).to.deep.equal([1]);
      expect(link.client.alerts).to.deep.equal([]);
    });
  }

  it('says how to make bytes of what is none', () => {
    const { connection } = bench.connect(bench.bare(), {});
    expect(() => connection.receive(new ArrayBuffer(1) as never)).to.throw('new Uint8Array(buffer)');
    expect(() => connection.write('text' as never)).to.throw('encode it');
    expect(() => connection.write(transferred())).to.throw('transferred');
  });

  const VIEWS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
    'a Buffer': (bytes) => Buffer.from(bytes),
    'a view on a SharedArrayBuffer': (bytes) => {
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
      shared.set(bytes);
      return shared;
    },
    'a view on a resizable buffer': (bytes) => {
      const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
      const view = new Uint8Array(new Resizable(bytes.length, { maxByteLength: 2 * bytes.length }));
      view.set(bytes);
      return view;
    },
    'a Uint8Array of another realm': (bytes) => {
      const foreign = runInNewContext(`new Uint8Array(${bytes.length})`) as Uint8Array;
      foreign.set(bytes);
      return foreign;
    },
  };
  for (const [what, view] of Object.entries(VIEWS)) {
    it(`takes ${what}`, () => {
      const link = bench.link(bench.bare(), {});
      link.send(view(link.client.take())).run();
      expect(link.connection.isEstablished).to.equal(true);
      link.step(link.connection.write(view(Uint8Array.of(4, 5))));
      expect([...link.client.data]).to.deep.equal([4, 5]);
    });
  }

  it('answer() and settle() take an outcome, and throw a TypeError for all else', () => {
    const never = () => new Promise<undefined>(() => {});
    const config = bench.server('psk-stateful', { sessions: { onGet: never } });
    const link = bench.connect(config, { psks: [firstTicket(bench.visit('psk-stateful', bench.bare()))] });
    const { question } = link;
    if (question === undefined) throw new Error('it waits for the store');
    for (const outcome of NO_OUTCOMES) {
      expect(() => link.connection.answer(question, outcome as never)).to.throw(TypeError, 'outcome');
      expect(() => link.connection.settle({} as never, outcome as never)).to.throw(TypeError, 'outcome');
    }
    link.answer({ value: undefined });
    expect(link.connection.isEstablished).to.equal(true);
  });

  it('updateKeys() and dispose() take a boolean, and change nothing for all else', () => {
    const link = bench.connect(bench.bare(), {});
    for (const flag of [null, 0, 1, 'false', {}]) {
      expect(() => link.connection.updateKeys(flag as never), String(flag)).to.throw(TypeError, /^updateKeys\(/);
      expect(() => link.connection.dispose(flag as never), String(flag)).to.throw(TypeError, /^dispose\(/);
    }
    expect(link.connection.canWrite).to.equal(true);
    expect(link.client.alerts).to.deep.equal([]);
  });

  it('exportKeyingMaterial() takes a string as its label', () => {
    const { connection } = bench.connect(bench.bare(), {});
    for (const label of [undefined, null, 7, {}])
      expect(() => connection.exportKeyingMaterial(32, label as never)).to.throw(TypeError, 'label');
  });
});
