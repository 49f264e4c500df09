/**
 * Where secrets are overwritten: the calls in the source by which zeros take the place of something else, or by which a key of the
 * provider is wiped for the first time.
 */

import type { CryptoProvider, Hash } from '../../src/crypto/provider.ts';
import type { Wipeable } from '../../src/wire/bytes.ts';

/** Functions that overwrite for their callers, which are what counts. */
const WIPES = /wipe|closed|established|discard|destroy|release|free|dispose|forget|clean|close|drop|giveBack/i;

/** Buffers have a fill() of their own. */
const FILLING: readonly Uint8Array[] = [Object.getPrototypeOf(Uint8Array.prototype), Buffer.prototype];

/** A call: its file under src, and where it is in that. */
interface Site {
  readonly file: string;
  readonly place: string;
}

/** The call that overwrites, and those of the functions around it that are there to overwrite. */
function sitesOf(): Site[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = 30;
  Error.prepareStackTrace = (_, frames) => frames;
  const frames = new Error().stack as unknown as NodeJS.CallSite[];
  Error.prepareStackTrace = prepareStackTrace;
  Error.stackTraceLimit = stackTraceLimit;
  const sites: Site[] = [];
  const isOurs = (frame: NodeJS.CallSite) => frame.getFileName()?.includes('/test/support/') === true;
  for (const frame of frames.slice(frames.findIndex((frame) => !isOurs(frame)))) {
    const file = /\/dist\/src\/(.+)\.js$/.exec(frame.getFileName() ?? '')?.[1];
    if (file !== undefined) sites.push({ file, place: `${frame.getLineNumber()}:${frame.getColumnNumber()}` });
    if (!WIPES.test(frame.getFunctionName() ?? '')) break;
  }
  return sites;
}

/** Collects the calls while {@link during} runs. A call that finds zeros already does not count. */
export class WipeWatch {
  readonly #found = new Map<string, Set<string>>();
  #isOn = false;

  /** How many calls each file has that have overwritten something. */
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#found].map(([file, places]) => [file, places.size] as const).sort());
  }

  during<T>(run: () => T): T {
    const fills = FILLING.map(({ fill }) => fill);
    for (const prototype of FILLING) prototype.fill = this.#noting(prototype.fill);
    this.#isOn = true;
    try {
      return run();
    } finally {
      this.#isOn = false;
      for (const [at, fill] of fills.entries()) Object.assign(FILLING[at] ?? {}, { fill });
    }
  }

  #noting(fill: Uint8Array['fill']): Uint8Array['fill'] {
    const note = () => this.#note();
    return function (this: Uint8Array, value, start, end) {
      if (value === 0 && this.subarray(start, end).some((word) => word !== 0)) note();
      return fill.call(this, value, start, end) as never;
    };
  }

  /** Does not count what happens while this runs, within {@link during} too. */
  outside<T>(run: () => T): T {
    const isOn = this.#isOn;
    this.#isOn = false;
    try {
      return run();
    } finally {
      this.#isOn = isOn;
    }
  }

  /** Watches all that is called of an object. */
  watch<T extends object>(target: T, methods: readonly (keyof T)[]): T {
    for (const method of methods) {
      const original = (target[method] as (...args: unknown[]) => unknown).bind(target);
      Object.defineProperty(target, method, { value: (...args: unknown[]) => this.during(() => original(...args)) });
    }
    return target;
  }

  /** The provider, with keys that tell when they are wiped. */
  provider(crypto: CryptoProvider): CryptoProvider {
    const { sha256, sha384 } = crypto.hashes;
    const hash = (original: Hash): Hash => ({ ...original, hmac: (key) => this.#telling(original.hmac(key)) });
    const aeads = Object.entries(crypto.aeads).map(([name, aead]) => {
      return [name, { ...aead, key: (bytes: Uint8Array) => this.#telling(aead.key(bytes)) }];
    });
    return {
      ...crypto,
      hashes: { sha256: hash(sha256), sha384: hash(sha384) },
      aeads: Object.fromEntries(aeads) as CryptoProvider['aeads'],
    };
  }

  #telling<K extends Wipeable>(key: K): K {
    const { wipe } = key;
    let isWiped = false;
    const telling = () => {
      if (!isWiped) this.#note();
      isWiped = true;
      wipe.call(key);
    };
    return Object.defineProperty(key, 'wipe', { value: telling });
  }

  #note(): void {
    if (!this.#isOn) return;
    for (const { file, place } of sitesOf())
      this.#found.set(file, (this.#found.get(file) ?? new Set<string>()).add(place));
  }
}
