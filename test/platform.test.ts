/** The globals of a host, and hosts that lack some. */

import { expect } from 'chai';
import { MissingGlobal, type Platform, platform } from '../src/platform.ts';
import { ticketKeysFrom } from '../src/tickets/key-files.ts';
import { fromBase64 } from '../src/wire/bytes.ts';
import { parsePem } from '../src/wire/pem.ts';
import { systemWorld } from '../src/world.ts';
import { certificates } from './fixtures.ts';

/** Calls in a host that has another value for this global. */
function withGlobal<T>(name: string, value: unknown, action: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  if (before === undefined) throw new Error(`this host has no ${name}`);
  Object.defineProperty(globalThis, name, { value, configurable: true });
  try {
    return action();
  } finally {
    Object.defineProperty(globalThis, name, before);
  }
}

const USES: Readonly<Record<keyof Platform, () => unknown>> = {
  crypto: () => platform.crypto.getRandomValues(new Uint8Array(1)),
  performance: () => platform.performance.now(),
  AbortController: () => new platform.AbortController(),
  TextEncoder: () => new platform.TextEncoder().encode(''),
  TextDecoder: () => new platform.TextDecoder().decode(new Uint8Array(0)),
  ReadableStream: () => new platform.ReadableStream({}),
  WritableStream: () => new platform.WritableStream({}),
  setTimeout: () => platform.clearTimeout(platform.setTimeout(() => {}, 1)),
  clearTimeout: () => platform.clearTimeout(undefined),
  queueMicrotask: () => platform.queueMicrotask(() => {}),
  atob: () => platform.atob('AA=='),
  btoa: () => platform.btoa('x'),
};

describe('platform', () => {
  for (const [name, use] of Object.entries(USES)) {
    it(`has ${name}, and names it where the host has not`, () => {
      use();
      withGlobal(name, undefined, () => expect(use).to.throw(MissingGlobal, `no globalThis.${name}: `));
      use();
    });
  }

  it('calls functions as functions: browsers refuse to be called as methods of anything else', () => {
    const strict = function (this: unknown) {
      if (this !== undefined && this !== globalThis) throw new TypeError('Illegal invocation');
      return '';
    };
    for (const name of ['setTimeout', 'clearTimeout', 'queueMicrotask', 'atob', 'btoa'] as const)
      withGlobal(name, strict, () => expect(USES[name]).not.to.throw());
  });

  it('says of crypto without subtle where pages have it', () => {
    const { getRandomValues } = crypto;
    withGlobal('crypto', { getRandomValues }, () =>
      expect(() => platform.crypto.subtle).to.throw(
        MissingGlobal,
        'crypto.subtle: pages have it only where they come by https',
      ),
    );
  });
});

describe('a missing global is named, and nothing else is blamed', () => {
  it('atob, by PEM and by key files', () =>
    withGlobal('atob', undefined, () => {
      expect(() => parsePem(certificates.ecdsaP256.cert)).to.throw(MissingGlobal, 'globalThis.atob');
      expect(() =>
        ticketKeysFrom(
          'haproxy',
          Uint8Array.from('AA\nAA\nAA', (c) => c.charCodeAt(0)),
        ),
      ).to.throw(MissingGlobal, 'globalThis.atob');
      expect(() => fromBase64('AA==')).to.throw(MissingGlobal);
    }));

  it('crypto, by the dice of the host, with what to do', () =>
    withGlobal('crypto', undefined, () =>
      expect(() => systemWorld.randomBytes(1000)).to.throw(MissingGlobal, 'with the option world'),
    ));

  it('but text that is not base64 is no missing global', () => expect(fromBase64('*')).to.equal(undefined));
});
