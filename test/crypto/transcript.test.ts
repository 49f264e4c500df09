import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { noble } from '../../src/crypto/providers/noble.ts';
import { Transcript } from '../../src/crypto/transcript.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';

const messages = fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 6 });

describe('Transcript', () => {
  for (const name of ['sha256', 'sha384'] as const) {
    const hash = noble.hashes[name];
    const digest = (...parts: readonly Uint8Array[]) =>
      createHash(name)
        .update(concat(...parts))
        .digest('hex');

    it(`hashes all messages, those before the choice of ${name} too`, () => {
      fc.assert(
        fc.property(messages, messages, (before, after) => {
          const transcript = new Transcript();
          for (const message of before) transcript.add(message);
          transcript.start(hash);
          expect(toHex(transcript.peek())).to.equal(digest(...before));
          for (const [index, message] of after.entries()) {
            transcript.add(message);
            expect(toHex(transcript.peek())).to.equal(digest(...before, ...after.slice(0, index + 1)));
          }
          expect(toHex(transcript.peek())).to.equal(toHex(transcript.peek()));
        }),
      );
    });

    it(`replaces the first ClientHello by its ${name} (RFC 9846 §4.1)`, () => {
      const [first, retry, second] = [1, 2, 3].map((byte) => new Uint8Array(50).fill(byte)) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ];
      const transcript = new Transcript();
      transcript.add(first);
      transcript.replaceByMessageHash(hash);
      transcript.add(retry);
      const messageHash = concat(Uint8Array.of(254, 0, 0, hash.length), hash.digest(first));
      expect(toHex(transcript.hashWith(hash, second))).to.equal(digest(messageHash, retry, second));
      transcript.add(second);
      transcript.start(hash);
      expect(toHex(transcript.peek())).to.equal(digest(messageHash, retry, second));
    });

    it(`goes on from what a binder covers, whatever comes then, ${name}`, () => {
      const other = noble.hashes[name === 'sha256' ? 'sha384' : 'sha256'];
      fc.assert(
        fc.property(
          messages,
          fc.uint8Array({ minLength: 1, maxLength: 80 }),
          messages,
          fc.nat(80),
          fc.nat(3),
          (before, hello, after, at, kind) => {
            const transcript = new Transcript();
            for (const message of before) transcript.add(message);
            const part = hello.subarray(0, at % hello.length);
            expect(toHex(transcript.hashWith(hash, part))).to.equal(digest(...before, part));
            if (kind === 1) transcript.hashWith(other, part);
            const next = kind === 2 ? hello.map((byte) => byte ^ 1) : hello; // another message, of which nothing has been hashed
            transcript.add(next);
            for (const message of after) transcript.add(message);
            if (kind === 3) {
              transcript.replaceByMessageHash(hash);
              transcript.start(hash);
              const whole = hash.digest(concat(...before, hello, ...after));
              expect(toHex(transcript.peek())).to.equal(digest(Uint8Array.of(254, 0, 0, hash.length), whole));
              return;
            }
            transcript.start(hash);
            expect(toHex(transcript.peek())).to.equal(digest(...before, next, ...after));
            transcript.add(hello);
            expect(toHex(transcript.peek())).to.equal(digest(...before, next, ...after, hello));
          },
        ),
      );
    });

    it(`hashes what a binder covers without taking it in, ${name}`, () => {
      const hello = new Uint8Array(60).fill(7);
      const transcript = new Transcript();
      expect(toHex(transcript.hashWith(hash, hello.subarray(0, 25)))).to.equal(digest(hello.subarray(0, 25)));
      transcript.add(hello);
      transcript.start(hash);
      expect(toHex(transcript.peek())).to.equal(digest(hello));
    });
  }

  it('keeps the messages themselves where it is told to, until they are asked for', () => {
    fc.assert(
      fc.property(messages, messages, messages, (before, between, after) => {
        const transcript = new Transcript();
        for (const message of before) transcript.add(message);
        transcript.retain();
        for (const message of between) transcript.add(message);
        transcript.start(noble.hashes.sha256);
        for (const message of after) transcript.add(message);
        const hash = transcript.peek();
        expect(toHex(transcript.release())).to.equal(toHex(concat(...before, ...between, ...after)));
        expect(transcript.peek()).to.deep.equal(hash);
        expect(() => transcript.release()).to.throw('has kept no messages');
      }),
    );
  });

  it('has no hash before one has been chosen', () => {
    const transcript = new Transcript();
    transcript.add(Uint8Array.of(1));
    expect(() => transcript.peek()).to.throw('no hash function');
  });
});
