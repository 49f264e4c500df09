/** Both ends of a connection in memory, and what passes between them. */

import type { Event, Step } from '../../src/engine/events.ts';
import type { Question } from '../../src/engine/questions.ts';
import type { ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { Outcome } from '../../src/handshake/wait.ts';
import type { TlsAlert } from '../../src/wire/alert.ts';
import { concat } from '../../src/wire/bytes.ts';
import type { ScriptedClient } from './scripted-client.ts';

/** How the client's bytes reach the server: in which pieces. Default: whole. */
export type Chunking = (bytes: Uint8Array) => Iterable<Uint8Array>;

export class Exchange {
  readonly client: ScriptedClient;
  readonly connection: ServerConnection;
  /** All events so far. */
  readonly events: Event[] = [];
  /** What the client has sent, in the pieces in which the server got it; and what the server has, step by step. */
  readonly input: Uint8Array[] = [];
  readonly output: Uint8Array[] = [];
  /** Open: what the server's last Step asked. */
  question: Question | undefined;
  readonly #chunking: Chunking;

  constructor(client: ScriptedClient, connection: ServerConnection, chunking: Chunking = (bytes) => [bytes]) {
    this.client = client;
    this.connection = connection;
    this.#chunking = chunking;
  }

  /** Takes a Step of the connection to the client: for what a test has called itself. */
  step({ output, events, question }: Step): this {
    if (output.length > 0) this.output.push(output);
    this.events.push(...events);
    this.question = question;
    if (output.length > 0) this.client.receive(output);
    return this;
  }

  /** Passes bytes until neither side has any, or the server asks something. */
  run(): this {
    while (this.question === undefined) {
      const bytes = this.client.take();
      if (bytes.length === 0) return this;
      this.send(bytes);
    }
    return this;
  }

  /** Bytes for the server, from whomever. */
  send(bytes: Uint8Array): this {
    for (const piece of this.#chunking(bytes)) {
      this.input.push(piece);
      this.step(this.connection.receive(piece));
    }
    return this;
  }

  /** Answers the open question, and goes on. */
  answer(outcome: Outcome): this {
    const { question } = this;
    if (question === undefined) throw new Error('no question is open');
    return this.step(this.connection.answer(question, outcome)).run();
  }

  /** As {@link run}, with every question awaited and answered. */
  async runAsync(): Promise<this> {
    this.run();
    while (this.question !== undefined) {
      const outcome: Outcome = await Promise.resolve(this.question.promise).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      this.answer(outcome);
    }
    return this;
  }

  /** Application data that the server has received, in one piece. */
  get data(): Uint8Array {
    return concat(...this.events.map((event) => (event.type === 'data' ? event.data : new Uint8Array(0))));
  }

  /** How the connection failed, if it did. */
  get failure(): TlsAlert | undefined {
    for (const event of this.events) if (event.type === 'failed') return event.error;
    return undefined;
  }

  has(type: Event['type']): boolean {
    return this.events.some((event) => event.type === type);
  }
}

/** Runs client and server until nothing moves any more. A question of the server's stays open. */
export function exchange(client: ScriptedClient, connection: ServerConnection, chunking?: Chunking): Exchange {
  return new Exchange(client, connection, chunking).run();
}

/** The same, with the questions of the server awaited. */
export function exchangeAsync(
  client: ScriptedClient,
  connection: ServerConnection,
  chunking?: Chunking,
): Promise<Exchange> {
  return new Exchange(client, connection, chunking).runAsync();
}
