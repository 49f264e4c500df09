/** Values that a callback of the user's may answer with, throw or reject with, by mistake or worse. */

/** Throws whatever is done with it. */
export function trap(target: object = {}): object {
  const handler = new Proxy<ProxyHandler<object>>(
    {},
    {
      get: (_, name) => () => {
        throw new Error(`trap: ${String(name)}`);
      },
    },
  );
  return new Proxy(target, handler);
}

export function revoked(target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

class Lying extends Uint8Array {
  override get length(): number {
    return 2 ** 40;
  }
  override get byteLength(): number {
    return 2 ** 40;
  }
  override fill(): never {
    throw new Error('lying: fill');
  }
  override subarray(): never {
    throw new Error('lying: subarray');
  }
}

function transferred(): Uint8Array {
  const bytes = new Uint8Array(32);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** What is nothing that any callback may answer with. */
export const POISONS: Readonly<Record<string, () => unknown>> = {
  'a number': () => 7,
  NaN: () => Number.NaN,
  'a bigint': () => 7n,
  'a string': () => 'yes',
  'a symbol': () => Symbol('yes'),
  'an array': () => [1, 2, 3],
  'an array of traps': () => [trap(), revoked()],
  'an object': () => ({}),
  'an object without a prototype': () => Object.create(null) as object,
  'a function': () => () => 7,
  'a date': () => new Date(0),
  'an ArrayBuffer': () => new ArrayBuffer(32),
  'a Uint16Array': () => new Uint16Array(32),
  'a trap': () => trap(),
  'a trap around a function': () => trap(() => {}),
  'a trap around bytes': () => trap(new Uint8Array(32)),
  'a trap around an array': () => trap([]),
  'a Proxy around bytes': () => new Proxy(new Uint8Array(32), {}),
  'a revoked Proxy': () => revoked(),
  'a revoked Proxy of a function': () => revoked(() => {}),
  'a revoked Proxy of an array': () => revoked([]),
  'what only inherits from Uint8Array': () => Object.create(Uint8Array.prototype) as object,
  'what only inherits from Promise': () => Object.create(Promise.prototype) as object,
  'bytes that are transferred away': transferred,
  'bytes whose prototype is a trap': () => Object.setPrototypeOf(new Uint8Array(32), trap()) as object,
  'too many bytes': () => new Uint8Array(2 ** 17),
};

/** Bytes that are odd, but are bytes: of a right length, as some callbacks have it, and of another. */
export const ODD_BYTES: Readonly<Record<string, () => unknown>> = {
  'no bytes': () => new Uint8Array(0),
  'bytes that are shared': () => new Uint8Array(new SharedArrayBuffer(32)).fill(7),
  'bytes that lie about their length': () => new Lying(32),
  'a Buffer': () => Buffer.alloc(32, 7),
};

/** What passes for a promise, as far as it has a `then`. */
export const THENABLES: Readonly<Record<string, () => unknown>> = {
  // biome-ignore-start lint/suspicious/noThenProperty: that is the point.
  'a then that throws when it is got': () => ({
    get then() {
      throw new Error('get then');
    },
  }),
  'a then that throws when it is got again': () => {
    let count = 0;
    return {
      get then() {
        if (count++ > 1) throw new Error('get then, again');
        return (resolve: (value: unknown) => void) => resolve(7);
      },
    };
  },
  'a then that throws': () => ({
    then: () => {
      throw new Error('then');
    },
  }),
  'a then that resolves and rejects': () => ({
    then: (resolve: (value: unknown) => void, reject: (reason: unknown) => void) => {
      resolve(7);
      reject(new Error('after all'));
      throw new Error('and more');
    },
  }),
  'a then that resolves to another that rejects with a trap': () => ({
    then: (resolve: (value: unknown) => void) =>
      resolve({ then: (_: unknown, reject: (reason: unknown) => void) => reject(trap()) }),
  }),
  'a function with a then': () => Object.assign(() => {}, { then: (resolve: (value: unknown) => void) => resolve(7) }),
  // biome-ignore-end lint/suspicious/noThenProperty: that is the point.
};
