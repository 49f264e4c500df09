/** A handshake in memory that is done once with a real client, and from then on as often as wanted by the engine alone. */

import { isPromise } from '../src/awaitable.ts';
import { SessionCache } from '../src/cache/session-cache.ts';
import { type Credential, credentialFromPem } from '../src/crypto/credentials/credential.ts';
import type { CryptoProvider } from '../src/crypto/provider.ts';
import type { Step } from '../src/engine/events.ts';
import type { ServerConfig } from '../src/engine/server/config.ts';
import { defineServer } from '../src/engine/server/define-server.ts';
import { ServerConnection } from '../src/engine/server/server-connection.ts';
import type { TicketFormat } from '../src/tickets/format.ts';
import { aeadTickets } from '../src/tickets/format-aead.ts';
import { TicketKey } from '../src/tickets/key.ts';
import { TicketKeyRing } from '../src/tickets/key-ring.ts';
import { EMPTY } from '../src/wire/bytes.ts';
import { certificates } from '../test/fixtures.ts';
import { type ClientOptions, ScriptedClient } from '../test/support/scripted-client.ts';
import { Dice } from './dice.ts';
import { isResumption, type ModeName, ourOptions, versionOf } from './modes.ts';
import { Pin } from './pinned.ts';
import { type Call, Recorder } from './recorder.ts';

const KEY_NAME = Uint8Array.from({ length: 16 }, (_, i) => 37 * i + 11);
const KEY_SECRET = Uint8Array.from({ length: 32 }, (_, i) => (i * i * 41 + 73 * i + 5) & 0xff);

export class Replay {
  readonly #mode: ModeName;
  readonly #dice = new Dice();
  readonly #pin = new Pin();
  readonly #recorder: Recorder;
  readonly #credential: Credential;
  readonly #cache = new SessionCache();
  /** What is measured, and the same with every call of the provider noted. */
  readonly #config: ServerConfig;
  readonly #noted: ServerConfig;
  #flights: readonly Uint8Array[] = [];
  /** Whether the provider answers with promises. */
  isWaiting = false;

  private constructor(mode: ModeName, provider: CryptoProvider) {
    this.#mode = mode;
    this.#recorder = new Recorder(provider);
    this.#credential = credentialFromPem(certificates.ecdsaP256, provider);
    const sign: Credential['sign'] = (scheme, message) => {
      this.#recorder.note(() => this.#credential.sign(scheme, message));
      return this.#credential.sign(scheme, message);
    };
    this.#config = this.#define(provider, this.#credential, aeadTickets);
    this.#noted = this.#define(this.#recorder.provider, { ...this.#credential, sign }, this.#recorder.ticketFormat);
  }

  /** Does the handshake with a client, and once more for the calls. @throws Error where it fails, or is not of its mode */
  static async of(mode: ModeName, provider: CryptoProvider): Promise<Replay> {
    const replay = new Replay(mode, provider);
    const offered = isResumption(mode) ? offer(await replay.#visit()) : undefined;
    replay.#dice.record();
    replay.#pin.forget();
    await replay.#visit(offered);
    await replay.#note();
    return replay;
  }

  /** The calls of the provider in a handshake, in their order. */
  get calls(): readonly Call[] {
    return this.#recorder.calls;
  }

  /** One handshake, from the ClientHello to both close_notify. @throws Error where it is not as it was */
  run(): void {
    const connection = this.#begin(this.#config);
    for (const flight of this.#flights) connection.receive(flight);
    this.#finish(connection);
  }

  /** The same with a provider that answers later. */
  async runWaiting(config = this.#config): Promise<void> {
    const connection = this.#begin(config);
    for (const flight of this.#flights) await settled(connection, connection.receive(flight));
    this.#finish(connection);
  }

  #begin(config: ServerConfig): ServerConnection {
    this.#dice.rewind();
    return new ServerConnection(config);
  }

  #finish(connection: ServerConnection, isResumed = isResumption(this.#mode)): void {
    const { isEstablished, resumption } = connection;
    if (!isEstablished) throw new Error(`${this.#mode}: the handshake failed`);
    if (resumption.resumed !== isResumed) throw new Error(`${this.#mode}: not resumed: ${resumption.reason}`);
    connection.end();
    connection.dispose();
  }

  /** What the calls are in the long run, when all that is made once has been made. */
  async #note(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      this.#recorder.start();
      await this.runWaiting(this.#noted);
    }
    this.#recorder.stop();
  }

  #define(crypto: CryptoProvider, credential: Credential, format: TicketFormat): ServerConfig {
    const { tickets, ...options } = ourOptions(this.#mode);
    const keys = TicketKeyRing.of([new TicketKey(format, KEY_NAME, KEY_SECRET)], this.#dice);
    return defineServer({
      ...options,
      credentials: [this.#pin.credential(credential)],
      crypto: this.#pin.provider(crypto),
      world: this.#dice,
      // A full handshake that hands out nothing: a session would have the same id each time.
      ...(isResumption(this.#mode) ? { sessions: { cache: this.#cache } } : { tickets: { mode: 'off' } }),
      ...(tickets?.mode === 'stateless' && { tickets: { ...tickets, keys } }),
    });
  }

  /** A connection with a client, whose flights are kept. */
  async #visit(offered?: ClientOptions): Promise<ScriptedClient> {
    const client = new ScriptedClient({ ...clientOptions(this.#mode), ...offered });
    const connection = this.#begin(this.#config);
    const flights: Uint8Array[] = [];
    const pass = async (bytes: Uint8Array) => {
      flights.push(bytes);
      const { output, waited } = await settled(connection, connection.receive(bytes));
      this.isWaiting ||= waited;
      if (output.length > 0) client.receive(output);
    };
    for (let bytes = client.take(); bytes.length > 0; bytes = client.take()) {
      if (client.isEstablished) this.#dice.stop(); // nothing that the client sends depends on what is thrown now
      await pass(bytes);
    }
    this.#dice.stop();
    client.close();
    await pass(client.take());
    this.#finish(connection, offered !== undefined);
    this.#flights = flights;
    return client;
  }
}

function clientOptions(mode: ModeName): ClientOptions {
  const { ciphers } = ourOptions(mode);
  return {
    version: versionOf(mode),
    ciphers: ciphers as ClientOptions['ciphers'],
    sni: 'localhost',
    groups: ['x25519', 'secp256r1'],
    ...(mode === 'tls12-ticket' && { ticketExt: EMPTY }),
    ...(mode === 'tls13-psk_dhe_ke' && { pskModes: ['psk_dhe_ke'] }),
  };
}

/** What a client that has been here offers. */
function offer(client: ScriptedClient): ClientOptions {
  if (client.version === 'TLSv1.2') return { session: client.session, ticketExt: undefined };
  return { psks: client.tickets.slice(0, 1) };
}

/** A step with all that follows from its questions; `output` is of all of them. */
async function settled(connection: ServerConnection, step: Step): Promise<{ output: Uint8Array; waited: boolean }> {
  const outputs = [step.output];
  let { question } = step;
  while (question !== undefined) {
    const next = connection.answer(question, { value: await question.promise });
    outputs.push(next.output);
    question = next.question;
  }
  return { output: Buffer.concat(outputs), waited: outputs.length > 1 };
}

/** The calls alone: what no engine can do without. */
export function runCalls(calls: readonly Call[]): void {
  const made: unknown[] = [];
  for (const call of calls) call(made);
}

/** The same with calls that answer later. */
export async function runCallsWaiting(calls: readonly Call[]): Promise<void> {
  const made: unknown[] = [];
  for (const call of calls) {
    const value = call(made);
    if (isPromise(value)) await value;
  }
}
