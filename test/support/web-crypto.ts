/** A host whose Web Crypto behaves differently. */

import { type Platform, platform } from '../../src/platform.ts';

export type Subtle = Platform['crypto']['subtle'];

/** Runs with a Web Crypto of which only these methods differ. */
export async function withSubtle<T>(methods: Partial<Subtle>, run: () => Promise<T>): Promise<T> {
  const host = Object.getOwnPropertyDescriptor(globalThis, 'crypto') as PropertyDescriptor;
  const { subtle } = platform.crypto;
  const other: Subtle = new Proxy(subtle, {
    get: (target, name) =>
      methods[name as keyof Subtle] ?? (target[name as keyof Subtle] as CallableFunction).bind(target),
  });
  Object.defineProperty(globalThis, 'crypto', { configurable: true, value: { subtle: other } });
  try {
    return await run();
  } finally {
    Object.defineProperty(globalThis, 'crypto', host);
  }
}
