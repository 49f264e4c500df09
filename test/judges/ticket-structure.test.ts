/** What tickets tell from outside, and the keys that all know. */

import { createHash, createHmac } from 'node:crypto';
import { expect } from 'chai';
import { knownKeyOf } from '../../src/judges/known-keys.ts';
import {
  changeOf,
  formatOf,
  keysOf,
  looksRandom,
  noncesOf,
  randomnessOf,
  type TicketSample,
} from '../../src/judges/ticket-structure.ts';
import { aeadTickets } from '../../src/tickets/format-aead.ts';
import { cbcTickets } from '../../src/tickets/format-cbc.ts';
import { concat, fromHex } from '../../src/wire/bytes.ts';
import { TestWorld } from '../support/world.ts';

const world = new TestWorld(7);
const random = (length: number) => world.randomBytes(length);
const NAME = random(16);
const CIRCUMSTANCES = { serverName: 'localhost', cipherSuite: 0x1301, extendedMasterSecret: true };

function samples(make: () => Uint8Array, changes: Partial<TicketSample> = {}): TicketSample[] {
  return Array.from({ length: 3 }, (_, i) => ({
    version: 'TLSv1.3',
    at: 1000 * i,
    connection: i,
    ticket: make(),
    lifetime: 7200,
    ageAdd: 0x12345678,
    nonce: new Uint8Array(8),
    ...changes,
  }));
}

const sealed = (length: number) => () => concat(NAME, random(length - 16));
const producers = (all: readonly TicketSample[]) => formatOf(all, CIRCUMSTANCES)?.producers;

describe('the structure of tickets', () => {
  // The lengths are those that the programs have sent; TLS_AES_128_GCM_SHA256, localhost.
  for (const [name, length, lifetime] of [
    ['OpenSSL (s_server)', 192, 7200],
    ['nginx', 224, 300],
  ] as const)
    it(`tells ${name} from the others by the length of its sessions`, () => {
      expect(producers(samples(sealed(length), { lifetime }))).to.deep.equal([name]);
    });

  it('tells Node by its session id context', () => {
    const suite = { ...CIRCUMSTANCES, cipherSuite: 0x1302 };
    expect(formatOf(samples(sealed(240)), suite)?.producers).to.deep.equal(['Node']);
  });

  it('leaves open who of those over OpenSSL it is', () => {
    expect(producers(samples(sealed(400)))).to.deep.equal(['OpenSSL and those that use it']);
  });

  it('knows GnuTLS by the length inside', () => {
    const make = () => concat(NAME, random(16), Uint8Array.of(0, 176), random(176 + 20));
    expect(producers(samples(make))).to.deep.equal(['GnuTLS']);
  });

  it('knows Go by what is missing', () => {
    expect(producers(samples(() => random(105), { lifetime: 604_800, nonce: new Uint8Array(0) }))).to.deep.equal([
      'Go',
    ]);
    expect(producers(samples(() => random(105)))).to.deep.equal([]);
  });

  it('knows ours, and takes one connection for no evidence of a name', () => {
    const ours = () => concat(NAME, Uint8Array.of(1), random(200));
    expect(producers(samples(ours))).to.deep.equal(['tls-resume']);
    expect(formatOf(samples(ours, { connection: 1 }), CIRCUMSTANCES)?.layout).to.equal(
      'sealed under a key without a name',
    );
  });

  it('tells a key that has changed from keys that alternate', () => {
    const at = (second: number, name: number): TicketSample => ({
      ...(samples(() => concat(new Uint8Array(16).fill(name), random(100)))[0] as TicketSample),
      at: second,
      connection: second,
    });
    const change = (...names: readonly number[]) => changeOf(keysOf(names.map((name, i) => at(i, name))));
    expect(change(1, 1, 1)).to.equal('none');
    expect(change(1, 1, 2, 2)).to.equal('changed');
    expect(change(1, 2, 1, 2)).to.equal('alternating');
    expect(keysOf(samples(() => random(105)))).to.deep.equal([]);
  });

  it('tells random numbers from others', () => {
    const numbers = Array.from({ length: 16 }, () => new DataView(random(4).buffer).getUint32(0));
    expect(looksRandom(randomnessOf(numbers))).to.equal(true);
    expect(looksRandom(randomnessOf(numbers.map((one) => one & 0xffff)))).to.equal(false);
    expect(looksRandom(randomnessOf(numbers.map((_, i) => (0xfffffff0 + 0x01010101 * i) >>> 0)))).to.equal(false);
    expect(looksRandom(randomnessOf([5, 5]))).to.equal(false);
  });

  it('tells counters from other nonces', () => {
    expect(noncesOf([0, 1].map((last) => Uint8Array.of(0, 0, last)))).to.equal('3 bytes, a counter');
    expect(noncesOf([random(4), random(4)])).to.equal('4 bytes');
    expect(noncesOf([new Uint8Array(0)])).to.equal('empty');
  });
});

describe('keys that all know', () => {
  const state = random(100);

  for (const [what, secret] of [
    ['zeros', new Uint8Array(32)],
    ['the byte 61, repeated', new Uint8Array(32).fill(0x61)],
    ['a key out of a specification', fromHex('2b7e151628aed2a6abf7158809cf4f3c'.repeat(2))],
    ['bytes that count from 00 on', Uint8Array.from({ length: 32 }, (_, i) => i)],
  ] as const)
    it(`finds ${what}`, () => {
      const ours = aeadTickets.cipher(NAME, secret).seal(state, random);
      expect(knownKeyOf(ours)).to.equal(`${what}, for AES-256-GCM`);
      expect(knownKeyOf(cbcTickets(16).cipher(NAME, secret).seal(state, random))).to.equal(`${what}, for HMAC-sha256`);
      const long = cbcTickets(32).cipher(NAME, concat(secret, secret)).seal(state, random);
      expect(knownKeyOf(long)).to.equal(`${what}, for HMAC-sha256`);
    });

  it('finds a file of bytes that count, whichever part of it is the key', () => {
    const file = Uint8Array.from({ length: 48 }, (_, i) => i);
    for (const at of [16, 32]) {
      const body = concat(file.subarray(0, 16), random(64));
      const ticket = concat(
        body,
        createHmac('sha256', file.subarray(at, at + 16))
          .update(body)
          .digest(),
      );
      expect(knownKeyOf(ticket)).to.equal('bytes that count from 00 on, for HMAC-sha256');
    }
  });

  it('finds the key of GnuTLS before it was set', () => {
    const body = concat(new Uint8Array(16), random(16), Uint8Array.of(0, 64), random(64));
    expect(knownKeyOf(concat(body, createHmac('sha1', new Uint8Array(16)).update(body).digest()))).to.equal(
      'zeros, for HMAC-sha1',
    );
  });

  it('finds what Go makes of a secret', () => {
    const key = createHash('sha512').update(new Uint8Array(32).fill(1)).digest().subarray(32, 48);
    const body = random(90);
    expect(knownKeyOf(concat(body, createHmac('sha256', key).update(body).digest()))).to.equal(
      'made by Go of the byte 01, repeated, for HMAC-sha256',
    );
  });

  it('finds none that is random', () => {
    for (const format of [aeadTickets, cbcTickets(16), cbcTickets(32)])
      expect(knownKeyOf(format.cipher(NAME, random(format.secretLength)).seal(state, random))).to.equal(undefined);
  });
});
