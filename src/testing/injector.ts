/** What a tester sends by hand: records, messages and bytes, at any time and under the keys of the moment. */

import { integer } from '../engine/checks.ts';
import type { Fault } from '../engine/fault.ts';
import { concat, copyOf } from '../wire/bytes.ts';
import { type Names, requireOptions } from '../wire/options.ts';
import { MAX_PLAINTEXT, recordHeader } from '../wire/record.ts';
import { ContentType, ProtocolVersion } from '../wire/registry.ts';
import { type InterceptedWriter, LayeredFault } from './interceptor.ts';
import type { ContentName, MessageName } from './which.ts';

/** The options of {@link injector}. */
export interface InjectorOptions {
  /**
   * Holds back the first message of this name and all that would follow it, new keys included, until {@link Injector.release}. Until
   * then the injector writes under the keys in force. Alerts are not held back. Default: nothing is.
   */
  readonly holdBefore?: MessageName | 'change_cipher_spec' | undefined;
  /** Which message or ChangeCipherSpec of that name it is: 1, the default, is the first. */
  readonly which?: number | undefined;
}

/** How {@link Injector.record} writes. */
export interface InjectedRecordOptions {
  /** Whether the record is in the clear, whatever the keys. Default false. */
  readonly plaintext?: boolean | undefined;
  /** TLS 1.3, under a key: the number of zeros after the content (RFC 9846 §5.4). Default 0. */
  readonly padding?: number | undefined;
}

/**
 * A fault that sends nothing by itself: a hand on what one connection sends. What is written goes out with the output of the next call
 * on the connection; `receive(new Uint8Array(0))` is one. No transcript has it, and no other fault changes it. The methods throw an
 * Error before the connection has been made.
 */
export interface Injector extends Fault {
  /** Whether something is held back. */
  readonly isHolding: boolean;
  /** Sends what is held back. Without any it does nothing. */
  release(): void;
  /**
   * Sends what is held back without the first of it: a message, which the transcript has nevertheless, or a ChangeCipherSpec together
   * with the change of keys that it announces.
   */
  discard(): void;
  /** Writes one record. A number is a content type of any value, or of none. */
  record(type: ContentName | number, content: Uint8Array, options?: InjectedRecordOptions): void;
  /** Writes a handshake message, header included, in as many records as it takes. */
  message(raw: Uint8Array): void;
  /** Writes bytes as they are. */
  bytes(bytes: Uint8Array): void;
}

class Hand extends LayeredFault implements Injector {
  readonly #options: InjectorOptions;
  #writer: InterceptedWriter | undefined;

  constructor(options: InjectorOptions) {
    super('injector', (inner) => inner);
    this.#options = options;
  }

  /** @throws TypeError for the second connection */
  override attach(writer: InterceptedWriter): void {
    if (this.#writer !== undefined) throw new TypeError('faults: an injector is for one connection');
    this.#writer = writer;
    const { holdBefore, which = 1 } = this.#options;
    let count = 0;
    writer.holdsBefore = (name) => name === holdBefore && ++count === which;
  }

  get #connected(): InterceptedWriter {
    if (this.#writer === undefined) throw new Error('the injector is not among the faults of any connection');
    return this.#writer;
  }

  get isHolding(): boolean {
    return this.#writer?.isHolding === true;
  }

  release(): void {
    this.#connected.release();
  }

  discard(): void {
    this.#connected.discard();
  }

  record(type: ContentName | number, content: Uint8Array, options: InjectedRecordOptions = {}): void {
    const { plaintext = false, padding = 0 } = options;
    const number = typeof type === 'number' ? type : ContentType[type];
    if (plaintext) this.bytes(concat(recordHeader(number, ProtocolVersion['TLSv1.2'], content.length), content));
    else if (padding === 0 || !this.#connected.hasKey) this.#connected.injectRecord(number, content);
    // The byte that protection adds as the type is the last of the padding.
    else this.#connected.injectRecord(0, concat(content, Uint8Array.of(number), new Uint8Array(padding - 1)));
  }

  message(raw: Uint8Array): void {
    for (let at = 0; at < raw.length; at += MAX_PLAINTEXT)
      this.record('handshake', raw.subarray(at, at + MAX_PLAINTEXT));
  }

  bytes(bytes: Uint8Array): void {
    this.#connected.inject(copyOf(bytes));
  }
}

const OPTIONS = { holdBefore: true, which: true } satisfies Names<InjectorOptions>;

/**
 * Returns an injector for one connection. Give it to the connection among its faults.
 * @throws TypeError and RangeError that name the option
 */
export function injector(options: InjectorOptions = {}): Injector {
  requireOptions('options', options, OPTIONS);
  integer('which', options.which, 1, 1);
  return new Hand(options);
}
