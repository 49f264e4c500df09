/**
 * The globals that this library uses. Browsers and their workers, Node, Deno and Bun have all of them; docs/runtimes.md says which
 * parts of the library need which. Only the members in use are declared, so that neither lib.dom nor @types/node is needed. This is
 * the one file that mentions `globalThis`; it imports nothing, and everything may import it.
 */

/** The host's `AbortSignal`. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** A key in Web Crypto: opaque. */
export interface WebCryptoKey {
  readonly type: string;
}

/** A group for key agreement, by the names of Web Crypto. */
export interface WebCryptoAgreement {
  readonly name: 'X25519' | 'ECDH';
  readonly namedCurve?: string;
}

/** An algorithm for signatures, by the names of Web Crypto. */
export interface WebCryptoAlgorithm {
  readonly name: string;
  readonly hash?: string;
  readonly namedCurve?: string;
  readonly saltLength?: number;
}

/** Web Crypto, as far as signatures and key agreement need it. */
interface WebCrypto {
  importKey(
    format: 'pkcs8' | 'spki' | 'raw',
    key: Uint8Array,
    algorithm: WebCryptoAlgorithm,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<WebCryptoKey>;
  sign(algorithm: WebCryptoAlgorithm, key: WebCryptoKey, message: Uint8Array): Promise<ArrayBuffer>;
  verify(
    algorithm: WebCryptoAlgorithm,
    key: WebCryptoKey,
    signature: Uint8Array,
    message: Uint8Array,
  ): Promise<boolean>;
  generateKey(
    algorithm: WebCryptoAgreement,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<{ readonly publicKey: WebCryptoKey; readonly privateKey: WebCryptoKey }>;
  exportKey(format: 'raw', key: WebCryptoKey): Promise<ArrayBuffer>;
  deriveBits(
    algorithm: WebCryptoAgreement & { readonly public: WebCryptoKey },
    key: WebCryptoKey,
    bits: number,
  ): Promise<ArrayBuffer>;
}

/** Web Crypto, as far as a host that has it for key encapsulation: the WICG's "Modern Algorithms in the Web Cryptography API". */
export interface WebCryptoKem {
  importKey(
    format: 'raw-public',
    key: Uint8Array,
    algorithm: WebCryptoAlgorithm,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<WebCryptoKey>;
  generateKey(
    algorithm: WebCryptoAlgorithm,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<{ readonly publicKey: WebCryptoKey; readonly privateKey: WebCryptoKey }>;
  exportKey(format: 'raw-public', key: WebCryptoKey): Promise<ArrayBuffer>;
  encapsulateBits(
    algorithm: WebCryptoAlgorithm,
    key: WebCryptoKey,
  ): Promise<{ readonly sharedKey: ArrayBuffer; readonly ciphertext: ArrayBuffer }>;
  decapsulateBits(algorithm: WebCryptoAlgorithm, key: WebCryptoKey, ciphertext: Uint8Array): Promise<ArrayBuffer>;
}

/** The controller that a ReadableStream gives to its source. */
export interface ReadableController {
  /** How much more is wanted, in the unit of the strategy. 0 or less means nothing; `null`, that the stream has failed. */
  readonly desiredSize: number | null;
  enqueue(chunk: Uint8Array): void;
  close(): void;
  error(reason: unknown): void;
}

export interface ReadableSource {
  start?(controller: ReadableController): void;
  /** Called when data is wanted. After a call that enqueued nothing, the next one comes only after something has been enqueued. */
  pull?(): void;
  cancel?(reason: unknown): unknown;
}

export interface WritableController {
  /** Aborts at once, while {@link WritableSink.abort} waits for a write that is under way. Some hosts lack it. */
  readonly signal?: AbortSignalLike & { readonly reason?: unknown };
  error(reason: unknown): void;
}

/** The sink of a WritableStream. If a method returns a promise, the stream waits for it. */
export interface WritableSink {
  start?(controller: WritableController): void;
  write?(chunk: unknown): unknown;
  close?(): unknown;
  abort?(reason: unknown): unknown;
}

/** How much a stream's queue holds before it is full. */
export interface QueueStrategy {
  readonly highWaterMark: number;
  size?(chunk: unknown): number;
}

/** A handle of `setTimeout`: a number in browsers, an object in Node. */
export type Timer = unknown;

/** The members of a host that take warnings. A page has no `process`. */
interface Warned {
  readonly process?: { emitWarning?(message: string, options: { readonly type: string; readonly code: string }): void };
  readonly console?: { warn(message: string): void };
}

/** Warns whoever runs the program of a setting: by `process.emitWarning()` where there is one, else on the console. */
export function warn(message: string, code: string): void {
  const { process, console } = globalThis as unknown as Warned;
  if (process?.emitWarning !== undefined) process.emitWarning(message, { type: 'TlsResumeWarning', code });
  else console?.warn(message);
}

/** Has the host report an error that no caller would hear of, as it reports one of a listener. */
export function throwLater(error: unknown): void {
  platform.queueMicrotask(() => {
    throw error;
  });
}

/** Lets the process end though the timer is set. Timers of Node and Bun are objects, Deno's are numbers, and a page's have no process. */
export function unref(timer: Timer): void {
  const { Deno } = globalThis as { readonly Deno?: { unrefTimer(timer: Timer): void } };
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
    timer.unref();
  else Deno?.unrefTimer(timer);
}

export interface Platform {
  readonly crypto: {
    /** At most 65536 bytes a call. */
    getRandomValues(bytes: Uint8Array): unknown;
    readonly subtle: WebCrypto;
  };
  /** Milliseconds, monotonic. */
  readonly performance: { now(): number };
  readonly AbortController: new () => { readonly signal: AbortSignalLike; abort(): void };
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
  readonly TextDecoder: new (
    label?: 'utf-8',
    options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean },
  ) => { decode(bytes: Uint8Array): string };
  readonly ReadableStream: new (source: ReadableSource, strategy?: QueueStrategy) => object;
  readonly WritableStream: new (sink: WritableSink, strategy?: QueueStrategy) => object;
  setTimeout(action: () => void, delayMs: number): Timer;
  clearTimeout(timer: Timer): void;
  queueMicrotask(action: () => void): void;
  atob(base64: string): string;
  btoa(latin1: string): string;
}

/** This host lacks a global. Whoever reads the message can define it, or do without what needs it. */
export class MissingGlobal extends Error {
  override readonly name = 'MissingGlobal';

  constructor(name: string, remedy = 'define it') {
    super(`this host has no globalThis.${name}: ${remedy}; docs/runtimes.md says what needs it`);
  }
}

const host = globalThis as unknown as Partial<Platform>;

/** Returns a global. @throws MissingGlobal */
function need<K extends keyof Platform>(name: K): Platform[K] {
  const found = host[name];
  if (found === undefined || found === null) throw new MissingGlobal(name, REMEDIES[name]);
  return found;
}

/** For code that would miss them too late. @throws MissingGlobal for the first that the host lacks */
export function requireGlobals(...names: readonly (keyof Platform)[]): void {
  for (const name of names) need(name);
}

const REMEDIES: Partial<Record<keyof Platform, string>> = {
  crypto: 'define it, or do with the option world and crypto: defaultProvider',
};

const hostCrypto: Platform['crypto'] = {
  getRandomValues: (bytes) => need('crypto').getRandomValues(bytes),
  get subtle() {
    const { subtle } = need('crypto');
    if (subtle === undefined) throw new MissingGlobal('crypto.subtle', 'pages have it only where they come by https');
    return subtle;
  },
};

/**
 * The globals of the host. Each is looked up where it is used: one that is missing fails what needs it, by its name, and nothing
 * else; and a test can replace one. Functions are called as functions, because those of browsers refuse to be methods of anything
 * but the global object.
 */
export const platform: Platform = {
  crypto: hostCrypto,
  get performance() {
    return need('performance');
  },
  get AbortController() {
    return need('AbortController');
  },
  get TextEncoder() {
    return need('TextEncoder');
  },
  get TextDecoder() {
    return need('TextDecoder');
  },
  get ReadableStream() {
    return need('ReadableStream');
  },
  get WritableStream() {
    return need('WritableStream');
  },
  setTimeout: (action, delayMs) => need('setTimeout')(action, delayMs),
  clearTimeout: (timer) => need('clearTimeout')(timer),
  queueMicrotask: (action) => need('queueMicrotask')(action),
  atob: (base64) => need('atob')(base64),
  btoa: (latin1) => need('btoa')(latin1),
};

const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get;

/** Reports whether a value is a Uint8Array, of this realm or another. It reads the array's own kind, so no Proxy and no prototype is asked. */
export function isBytes(value: unknown): value is Uint8Array {
  return tagOf?.call(value) === 'Uint8Array';
}
