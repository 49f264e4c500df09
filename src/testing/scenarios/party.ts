/** One end of a connection that converses by itself: it says something, hears something, and closes. */

import type { Event, Step } from '../../engine/events.ts';
import type { TlsAlert } from '../../wire/alert.ts';
import { concat, EMPTY, utf8 } from '../../wire/bytes.ts';
import { PlainAlertFinder } from './plain-alert.ts';

/** A connection of either role, as far as a {@link Party} runs it. */
export interface PartyConnection {
  readonly canWrite: boolean;
  receive(input: Uint8Array): Step;
  write(data: Uint8Array): Step;
  updateKeys(requestPeer?: boolean): Step;
  end(): Step;
  transportEnded(): Step;
  dispose(): Step;
}

/** What is said once the handshake is complete: a client begins, a server answers. Both close then. */
export type Speech =
  | {
      readonly request: Uint8Array;
      /** TLS 1.3: whether the client replaces its key first, and asks for a new one of the server. */
      readonly updatesKeys?: boolean | undefined;
    }
  | { readonly answer: (request: Uint8Array) => Uint8Array };

/** How much of what a peer says is kept, in bytes, and a record more: it may say more than anybody wants to hear. */
const MAX_DATA = 65_536;

/** What every HTTP server and every server that echoes lines understands. */
export const REQUEST = utf8('GET / HTTP/1.0\r\n\r\n');
const RESPONSE = utf8(
  'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n',
);

export const asksOverHttp: Speech = { request: REQUEST };
export const answersOverHttp: Speech = { answer: () => RESPONSE };

/** A connection with what it has sent, heard and been told. It waits for nothing, so its callbacks and its provider must be synchronous. */
export class Party {
  readonly #connection: PartyConnection;
  readonly #speech: Speech;
  readonly #output: Uint8Array[] = [];
  readonly #notice: ((events: readonly Event[]) => void) | undefined;
  #data: Uint8Array = EMPTY;
  #isEstablished = false;
  readonly #plainAlerts = new PlainAlertFinder();
  #hasSpoken = false;
  #error: TlsAlert | undefined;
  #peerHasEnded = false;

  constructor(connection: PartyConnection, speech: Speech, notice?: (events: readonly Event[]) => void) {
    this.#connection = connection;
    this.#speech = speech;
    this.#notice = notice;
  }

  /** Whether the handshake has come to its end. */
  get isEstablished(): boolean {
    return this.#isEstablished;
  }

  /** The application data that has come. */
  get data(): Uint8Array {
    return this.#data;
  }

  /** The alert that has ended the connection: the peer's, or this end's own. */
  get error(): TlsAlert | undefined {
    return this.#error;
  }

  /** The description of a fatal alert that the peer has sent in the clear. */
  get plainAlert(): number | undefined {
    return this.#plainAlerts.found;
  }

  /** Whether the last that came before the connection failed was an alert, which may be one that this end could not read. */
  get endsWithAlert(): boolean {
    return this.#plainAlerts.isLast;
  }

  /** Whether the peer has said that it closes, by close_notify. */
  get peerHasEnded(): boolean {
    return this.#peerHasEnded;
  }

  /** Whether this end has nothing more to say. */
  get isOver(): boolean {
    return this.#error !== undefined || this.#peerHasEnded;
  }

  /** Whether this end has said all that it had to say, and has been answered. */
  get hasConversed(): boolean {
    return this.#hasSpoken && this.#data.length > 0;
  }

  /** Takes the step of a call on the connection. @throws Error for a question: see the class */
  take({ output, events, question }: Step): void {
    if (output.length > 0) this.#output.push(output);
    this.#notice?.(events);
    if (question !== undefined)
      throw new Error(`a party of a scenario waits for nothing; ${question.kind} has returned a promise`);
    for (const event of events) this.#attend(event);
  }

  receive(bytes: Uint8Array): void {
    if (this.#error === undefined) this.#plainAlerts.push(bytes);
    this.take(this.#connection.receive(bytes));
  }

  /** The peer has closed the transport. */
  transportEnded(): void {
    if (!this.isOver) this.take(this.#connection.transportEnded());
  }

  /** Returns what is to be sent, once. */
  sent(): Uint8Array {
    return concat(...this.#output.splice(0));
  }

  dispose(): void {
    this.#connection.dispose();
  }

  #attend(event: Event): void {
    switch (event.type) {
      case 'established':
        this.#isEstablished = true;
        if ('request' in this.#speech) {
          if (this.#speech.updatesKeys === true && this.#connection.canWrite)
            this.take(this.#connection.updateKeys(true));
          this.#say(this.#speech.request);
        }
        break;
      case 'data':
        if (this.#data.length < MAX_DATA) this.#data = concat(this.#data, event.data);
        if (event.early !== true) this.#answer();
        break;
      case 'end':
        this.#peerHasEnded = true;
        this.take(this.#connection.end());
        break;
      case 'failed':
        this.#error = event.error;
        break;
    }
  }

  /** Says nothing where the connection has ended already: what has ended it may have come with what has established it. */
  #say(data: Uint8Array): void {
    if (!this.#connection.canWrite) return;
    this.#hasSpoken = true;
    this.take(this.#connection.write(data));
  }

  /** A server answers once, and closes; a client that has been answered closes. */
  #answer(): void {
    if ('request' in this.#speech) this.take(this.#connection.end());
    else if (!this.#hasSpoken) {
      this.#say(this.#speech.answer(this.#data));
      this.take(this.#connection.end());
    }
  }
}
