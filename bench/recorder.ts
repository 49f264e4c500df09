/** A provider that does what another does and notes every call, so that the calls can be made again without the engine. */

import { isPromise } from '../src/awaitable.ts';
import type { Aead, CryptoProvider, EphemeralKey, Hash, KeyAgreement } from '../src/crypto/provider.ts';
import type { TicketCipher, TicketFormat } from '../src/tickets/format.ts';
import { aeadTickets } from '../src/tickets/format-aead.ts';
import { copyOf } from '../src/wire/bytes.ts';
import type { CurveName } from '../src/wire/registry.ts';

/** What the calls have made, by the order of its making: running hashes, keys. */
type Made = unknown[];

/** One call with the very bytes that it had; it may answer with a promise, as a key agreement does. */
export type Call = (made: Made) => unknown;

export class Recorder {
  readonly calls: Call[] = [];
  readonly #floor: CryptoProvider;
  #made = 0;
  #recordings = 0;
  #isOn = false;

  constructor(provider: CryptoProvider) {
    this.#floor = provider;
  }

  get provider(): CryptoProvider {
    const { hashes, aeads, groups } = this.#floor;
    const { X25519MLKEM768: _, SecP256r1MLKEM768: __, ...curves } = groups; // the exchanges that are timed are by curves
    return {
      hashes: map(hashes, (hash) => this.#hash(hash)),
      aeads: map(aeads, (aead) => this.#aead(aead)),
      groups: map(curves as Record<CurveName, KeyAgreement>, (group) => this.#group(group)),
    };
  }

  /** Our own tickets; their primitive is the same, whatever the provider. */
  get ticketFormat(): TicketFormat {
    return { ...aeadTickets, cipher: (name, secret) => this.#ticketCipher(aeadTickets.cipher(name, secret)) };
  }

  /** Notes the calls of `run`, from scratch. */
  start(): void {
    this.calls.length = 0;
    this.#made = 0;
    this.#recordings++;
    this.#isOn = true;
  }

  stop(): void {
    this.#isOn = false;
  }

  /** For what is no part of the provider: the signature of a credential. */
  note(call: Call): void {
    if (this.#isOn) this.calls.push(call);
  }

  /** Notes a call that makes something, and where that will be found. */
  #making(make: () => unknown): number {
    const at = this.#isOn ? this.#made++ : -1;
    this.note((made) => {
      made[at] = make();
      return made[at];
    });
    return at;
  }

  #hash(hash: Hash): Hash {
    return {
      name: hash.name,
      length: hash.length,
      digest: (message) => {
        const input = copyOf(message);
        this.note(() => hash.digest(input));
        return hash.digest(message);
      },
      start: () => this.#running(hash),
      hmac: (key) => this.#hmacKey(hash, key),
    };
  }

  #running(hash: Hash): ReturnType<Hash['start']> {
    const running = hash.start();
    const at = this.#making(() => hash.start());
    return {
      update: (message) => {
        const input = copyOf(message);
        this.note((made) => (made[at] as typeof running).update(input));
        running.update(message);
      },
      peek: (ahead) => {
        const input = ahead && copyOf(ahead);
        this.note((made) => (made[at] as typeof running).peek(input));
        return running.peek(ahead);
      },
    };
  }

  #hmacKey(hash: Hash, key: Uint8Array): ReturnType<Hash['hmac']> {
    const input = copyOf(key);
    const keyed = hash.hmac(key);
    const at = this.#making(() => hash.hmac(input));
    const recording = this.#recordings;
    // The engine keeps the key of no salt for good; its making is no part of a later handshake.
    const isKept = () => at < 0 || recording < this.#recordings;
    return {
      sign: (...parts) => {
        const inputs = parts.map(copyOf);
        this.note(isKept() ? () => keyed.sign(...inputs) : (made) => (made[at] as typeof keyed).sign(...inputs));
        return keyed.sign(...parts);
      },
      wipe: () => {
        this.note((made) => (made[at] as typeof keyed).wipe());
        keyed.wipe();
      },
    };
  }

  #aead(aead: Aead): Aead {
    return { name: aead.name, keyLength: aead.keyLength, key: (key) => this.#aeadKey(aead, key) };
  }

  #aeadKey(aead: Aead, key: Uint8Array): ReturnType<Aead['key']> {
    const input = copyOf(key);
    const keyed = aead.key(key);
    const at = this.#making(() => aead.key(input));
    const use = (method: 'seal' | 'open') => (nonce: Uint8Array, data: Uint8Array, text: Uint8Array) => {
      const inputs = [copyOf(nonce), copyOf(data), copyOf(text)] as const;
      this.note((made) => (made[at] as typeof keyed)[method](...inputs));
      return keyed[method](nonce, data, text);
    };
    return {
      seal: use('seal') as typeof keyed.seal,
      open: use('open'),
      wipe: () => {
        this.note((made) => (made[at] as typeof keyed).wipe());
        keyed.wipe();
      },
    };
  }

  #ticketCipher(cipher: TicketCipher): TicketCipher {
    return {
      seal: (plaintext, randomBytes) => {
        const input = copyOf(plaintext);
        const nonce = new Uint8Array(64).fill(1);
        this.note(() => cipher.seal(input, (length) => nonce.subarray(0, length)));
        return cipher.seal(plaintext, randomBytes);
      },
      open: (ticket) => {
        const input = copyOf(ticket);
        this.note(() => cipher.open(input));
        return cipher.open(ticket);
      },
      wipe: () => cipher.wipe(),
    };
  }

  #group(group: KeyAgreement): KeyAgreement {
    return {
      generate: (randomBytes) => {
        const seed = new Uint8Array(256).fill(0x5a); // as good as any other, and drawn by nobody's dice
        const at = this.#making(() => group.generate((length) => copyOf(seed.subarray(0, length))));
        return whenKnown(group.generate(randomBytes), (key) => this.#ephemeralKey(key, at));
      },
    };
  }

  #ephemeralKey(key: EphemeralKey, at: number): EphemeralKey {
    return {
      publicKey: key.publicKey,
      agree: (peer) => {
        const input = copyOf(peer);
        this.note((made) => whenKnown(made[at], (own) => (own as EphemeralKey).agree(input)));
        return key.agree(peer);
      },
      wipe: () => {
        this.note((made) => whenKnown(made[at], (own) => (own as EphemeralKey).wipe()));
        key.wipe();
      },
    };
  }
}

/** Now, where the value is here, so that a floor without promises stays without. */
export function whenKnown<T, U>(value: T | PromiseLike<T>, next: (value: T) => U | PromiseLike<U>): U | PromiseLike<U> {
  return isPromise(value) ? (value as PromiseLike<T>).then(next) : next(value as T);
}

function map<K extends string, T>(table: Readonly<Record<K, T>>, change: (value: T) => T): Record<K, T> {
  return Object.fromEntries(Object.entries<T>(table).map(([name, value]) => [name, change(value)])) as Record<K, T>;
}
