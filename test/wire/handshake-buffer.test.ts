import { expect } from 'chai';
import fc from 'fast-check';
import { TlsAlert } from '../../src/wire/alert.ts';
import { concat } from '../../src/wire/bytes.ts';
import { HandshakeBuffer, type HandshakeFrame } from '../../src/wire/handshake-buffer.ts';

const finished = { name: 'finished', type: 20, limit: 64 } as const;

function framed(type: number, body: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(type, body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff), body);
}

function bufferOf(...fragments: readonly Uint8Array[]): HandshakeBuffer {
  const buffer = new HandshakeBuffer();
  for (const fragment of fragments) buffer.push(fragment);
  return buffer;
}

describe('HandshakeBuffer', () => {
  const large = { name: 'large', type: 1, limit: 100_000 } as const;

  it('gives a message that keeps little more memory than it has bytes, whatever its pieces were', () => {
    const message = framed(1, new Uint8Array(70_000));
    for (const size of [1, 300, 16_384]) {
      const buffer = new HandshakeBuffer();
      for (let at = 0; at < message.length; at += size) buffer.push(message.subarray(at, at + size));
      expect(buffer.next(large)?.raw.buffer.byteLength, `pieces of ${size}`).to.be.below(70_000 * 1.13);
    }
    const small = framed(1, new Uint8Array(1000));
    const raw = bufferOf(concat(small, new Uint8Array(60_000)).subarray(0, small.length)).next(large)?.raw;
    expect(raw?.buffer.byteLength, 'a view').to.equal(1004);
  });

  for (const part of [1, 3, 100]) {
    it(`keeps nothing of the rest of a record of which it has the first ${part} bytes of a message`, () => {
      const message = framed(1, new Uint8Array(1500));
      const buffer = bufferOf(concat(message, new Uint8Array(60_000)).subarray(0, part));
      expect(buffer.next(large)).to.equal(undefined);
      buffer.push(message.subarray(part));
      expect(buffer.next(large)?.raw.buffer.byteLength).to.equal(1504);
    });
  }

  it('puts messages together, fragmented or several in one record', () => {
    const message = fc.record({ type: fc.nat(255), body: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.integer({ min: 1, max: 700 }), (messages, size) => {
        const stream = concat(...messages.map(({ type, body }) => framed(type, body)));
        const buffer = new HandshakeBuffer();
        const seen: HandshakeFrame[] = [];
        for (let at = 0; at < stream.length; at += size) {
          buffer.push(stream.subarray(at, at + size));
          for (let more = true; more; ) {
            const type = messages[seen.length]?.type;
            const next = buffer.next(type === undefined ? undefined : { name: 'one', type, limit: 300 });
            more = next !== undefined;
            if (next !== undefined) seen.push(next);
          }
        }
        expect(buffer.isEmpty).to.equal(true);
        expect(seen).to.deep.equal(messages.map(({ type, body }) => ({ type, raw: framed(type, body) })));
      }),
    );
  });

  it('is not empty while a part of a message waits', () => {
    const raw = framed(20, new Uint8Array(32));
    for (let length = 1; length < raw.length; length++) {
      const buffer = bufferOf(raw.subarray(0, length));
      expect(buffer.next(finished)).to.equal(undefined);
      expect(buffer.isEmpty).to.equal(false);
    }
    const two = bufferOf(concat(raw, Uint8Array.of(20)));
    expect(two.next(finished)?.raw).to.have.length(36);
    expect(two.isEmpty).to.equal(false);
  });

  it('refuses any other message by its first byte', () => {
    expect(() => bufferOf(Uint8Array.of(1)).next(finished))
      .to.throw(TlsAlert, 'handshake message 1, finished expected')
      .with.property('alert', 'unexpected_message');
    expect(() => bufferOf(Uint8Array.of(20)).next(undefined))
      .to.throw(TlsAlert, 'none expected')
      .with.property('alert', 'unexpected_message');
    expect(new HandshakeBuffer().next(undefined)).to.equal(undefined);
  });

  it('refuses a message longer than any such can be by its header', () => {
    expect(bufferOf(Uint8Array.of(20, 0, 0, 64)).next(finished)).to.equal(undefined);
    for (const length of [65, 0x100, 0x10000, 0xffffff]) {
      const header = Uint8Array.of(20, length >> 16, (length >> 8) & 0xff, length & 0xff);
      expect(() => bufferOf(header).next(finished))
        .to.throw(TlsAlert, `${length} bytes, 64 accepted`)
        .with.property('alert', 'decode_error');
    }
  });

  it('forgets what waits on clear', () => {
    const buffer = bufferOf(Uint8Array.of(20, 0, 0));
    buffer.clear();
    expect(buffer.isEmpty).to.equal(true);
    expect(buffer.next(finished)).to.equal(undefined);
  });
});
