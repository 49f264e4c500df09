/** What a scripted client has heard of its server: records, messages, data and alerts, and what the messages say. */

import { Certificate, CertificateTls12 } from '../../src/handshake/messages/certificate.ts';
import { CertificateRequest, CertificateRequestTls12 } from '../../src/handshake/messages/certificate-request.ts';
import { CertificateVerify } from '../../src/handshake/messages/certificate-verify.ts';
import { EncryptedExtensions } from '../../src/handshake/messages/encrypted-extensions.ts';
import { NewSessionTicketTls12 } from '../../src/handshake/messages/new-session-ticket.ts';
import { HelloRetryRequest, ServerHello, ServerHelloTls12 } from '../../src/handshake/messages/server-hello.ts';
import { ServerKeyExchange } from '../../src/handshake/messages/server-key-exchange.ts';
import type { Content } from '../../src/testing/interceptor.ts';
import { nameIn } from '../../src/testing/messages.ts';
import { alertName } from '../../src/wire/alert.ts';
import { concat, copyOf, EMPTY } from '../../src/wire/bytes.ts';
import { type Codec, decode } from '../../src/wire/codec.ts';
import type { HandshakeFrame } from '../../src/wire/handshake-buffer.ts';
import type { TlsRecord } from '../../src/wire/record.ts';
import {
  AlertDescription,
  type AlertName,
  ContentType,
  HandshakeType,
  nameOf,
  type Version,
} from '../../src/wire/registry.ts';

/** What the client has heard, in order. */
export type Received =
  | { readonly kind: 'handshake'; readonly name: string; readonly type: number; readonly raw: Uint8Array }
  | { readonly kind: 'change_cipher_spec' }
  | { readonly kind: 'data'; readonly data: Uint8Array }
  | ({ readonly kind: 'alert' } & ReceivedAlert);

export interface ReceivedAlert {
  readonly level: number;
  readonly description: number;
  readonly name: AlertName | undefined;
  readonly protected: boolean;
}

/** A record of the server's, opened. */
export interface ReceivedRecord {
  /** The type of its header; in TLS 1.3 the true one is `type`. */
  readonly outerType: number;
  readonly type: number;
  readonly version: number;
  /** Bytes of the fragment as it was on the wire. */
  readonly wireLength: number;
  readonly content: Uint8Array;
  /** Whether it was under a key. */
  readonly protected: boolean;
}

const HEADER = 4;
const RECORD_HEADER = 5;

export abstract class Heard {
  readonly received: Received[] = [];
  /** Every record, opened. */
  readonly receivedRecords: ReceivedRecord[] = [];
  /** The server has sent close_notify. */
  isEnded = false;
  /** Whether a ChangeCipherSpec has come. */
  #hasChanged = false;
  /** Bytes that have come, and those of them that were records. */
  #given = 0;
  #read = 0;

  /** The version that ServerHello has selected. */
  abstract get version(): Version | undefined;

  protected hearBytes({ length }: Uint8Array): void {
    this.#given += length;
  }

  protected hearRecord({ type: outerType, version, fragment }: TlsRecord, opened: Content | undefined): void {
    this.#read += RECORD_HEADER + fragment.length;
    if (opened === undefined) return;
    const content = copyOf(opened.content);
    const isTls12 = this.version === 'TLSv1.2';
    const isProtected = outerType === ContentType.application_data || (isTls12 && this.#hasChanged);
    const record = { outerType, type: opened.type, version, wireLength: fragment.length, content };
    this.receivedRecords.push({ ...record, protected: isProtected });
    this.#opened(opened.type, content, isProtected);
  }

  #opened(type: number, content: Uint8Array, isProtected: boolean): void {
    if (type === ContentType.change_cipher_spec) {
      this.received.push({ kind: 'change_cipher_spec' });
      this.#hasChanged = true;
    }
    if (type === ContentType.application_data) this.received.push({ kind: 'data', data: content });
    if (type !== ContentType.alert) return;
    const [level = 0, description = 0] = content;
    this.received.push({ kind: 'alert', level, description, name: alertName(description), protected: isProtected });
    if (description === AlertDescription.close_notify) this.isEnded = true;
  }

  protected hearMessage({ type, raw }: HandshakeFrame): void {
    this.received.push({ kind: 'handshake', name: nameOf(HandshakeType, type), type, raw: copyOf(raw) });
  }

  /** A client ignores what follows the last alert. A test must not. */
  protected requireSilence(): void {
    if (this.#given !== this.#read) throw new Error('the server goes on after its last alert');
  }

  /** Names of the handshake messages received, `change_cipher_spec`, `data` and `alert` among them. */
  get heard(): readonly string[] {
    return this.received.map((item) => (item.kind === 'handshake' ? item.name : item.kind));
  }

  get alerts(): readonly ReceivedAlert[] {
    return this.received.filter((item) => item.kind === 'alert');
  }

  /** The last alert. */
  get alert(): ReceivedAlert | undefined {
    return this.alerts.at(-1);
  }

  /** All application data, in one piece. */
  get data(): Uint8Array {
    return concat(...this.received.map((item) => (item.kind === 'data' ? item.data : EMPTY)));
  }

  /** Handshake messages by their name; `hello_retry_request` is one of its own. */
  protected messages(name: string): Uint8Array[] {
    return this.received.flatMap((item) => (item.kind === 'handshake' && nameIn(item.raw) === name ? [item.raw] : []));
  }

  #last<T>(name: string, ofTls13: Codec<T>): T | undefined;
  #last<T, U>(name: string, ofTls13: Codec<T>, ofTls12: Codec<U>): T | U | undefined;
  #last(name: string, ofTls13: Codec<unknown>, ofTls12 = ofTls13): unknown {
    const raw = this.messages(name).at(-1);
    return raw && decode(this.version === 'TLSv1.2' ? ofTls12 : ofTls13, raw, HEADER);
  }

  get helloRetryRequest(): HelloRetryRequest | undefined {
    return this.#last('hello_retry_request', HelloRetryRequest);
  }

  get serverHello(): ServerHello | ServerHelloTls12 | undefined {
    return this.version && this.#last('server_hello', ServerHello, ServerHelloTls12);
  }

  get encryptedExtensions(): EncryptedExtensions['extensions'] | undefined {
    return this.#last('encrypted_extensions', EncryptedExtensions)?.extensions;
  }

  get certificates(): readonly Uint8Array[] | undefined {
    const list = this.#last('certificate', Certificate, CertificateTls12)?.certificateList;
    return list?.map((entry) => (entry instanceof Uint8Array ? entry : entry.certData));
  }

  get certificateVerify(): CertificateVerify | undefined {
    return this.#last('certificate_verify', CertificateVerify);
  }

  get certificateRequest(): CertificateRequest | CertificateRequestTls12 | undefined {
    return this.#last('certificate_request', CertificateRequest, CertificateRequestTls12);
  }

  get serverKeyExchange(): ServerKeyExchange | undefined {
    return this.#last('server_key_exchange', ServerKeyExchange);
  }

  /** TLS 1.2: what NewSessionTicket said, empty tickets included. */
  get ticketTls12(): NewSessionTicketTls12 | undefined {
    return this.version === 'TLSv1.2' ? this.#last('new_session_ticket', NewSessionTicketTls12) : undefined;
  }
}
