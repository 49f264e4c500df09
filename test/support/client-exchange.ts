/** A client of ours and a server of ours in memory, of which the server says what a test has it say. */

import { expect } from 'chai';
import type { ConnectOptions } from '../../src/engine/client/client-connection.ts';
import type { ClientConfig } from '../../src/engine/client/config.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import type { ClientOptions } from '../../src/engine/client/options.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import type { ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { ClientHello } from '../../src/handshake/messages/client-hello.ts';
import { ClientHello as ClientHelloCodec } from '../../src/handshake/messages/client-hello.ts';
import { frame, type Message } from '../../src/handshake/messages/message.ts';
import type { Session } from '../../src/sessions/session.ts';
import { type Pair, pair } from '../../src/testing/pair.ts';
import { concat, EMPTY } from '../../src/wire/bytes.ts';
import { decode, encode, struct, uint8, uint24 } from '../../src/wire/codec.ts';
import { AlertDescription, AlertLevel, type AlertName, HandshakeType, type Version } from '../../src/wire/registry.ts';
import { synchronousProvider } from './provider.ts';
import { credential, testServer } from './servers.ts';
import { TestWorld } from './world.ts';

/** What the server sends instead of a message. Both ends hash it, as if the server had meant it. */
export interface Alteration {
  readonly message: Message<unknown>;
  /** Returns another body. */
  readonly body?: ((body: never) => unknown) | undefined;
  /** Returns other bytes, those of several messages, or none. It may write records of its own before: `server.channel.writer`. */
  readonly bytes?: ((raw: Uint8Array, server: ServerConnection) => Uint8Array) | undefined;
}

/** Has the server send another body. */
export function rewriting<T>(message: Message<T>, body: (body: T) => T): Alteration {
  return { message: message as Message<unknown>, body };
}

/** Has the server send other bytes. */
export function sending<T>(message: Message<T>, bytes: NonNullable<Alteration['bytes']>): Alteration {
  return { message: message as Message<unknown>, bytes };
}

const Header = struct({ type: uint8, length: uint24 });

/** Returns a copy with another byte. */
export function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = value;
  return copy;
}

/** Any message, as its bytes. */
export function rawMessage(name: keyof typeof HandshakeType, ...body: readonly Uint8Array[]): Uint8Array {
  const content = concat(...body);
  return concat(encode(Header, { type: HandshakeType[name], length: content.length }), content);
}

/** An extension as its bytes: of any number, with any content. */
export function rawExtension(type: number, ...data: readonly number[]): Uint8Array {
  return Uint8Array.of(type >> 8, type, data.length >> 8, data.length, ...data);
}

/**
 * Returns a message with more extensions, given as bytes, in the block that begins at byte `at` of its body. The block must be the last
 * field.
 */
export function withExtensions(raw: Uint8Array, at: number, ...added: readonly Uint8Array[]): Uint8Array {
  const body = raw.subarray(4);
  const block = concat(body.subarray(at + 2), ...added);
  const message = concat(body.subarray(0, at), Uint8Array.of(block.length >> 8, block.length), block);
  return concat(encode(Header, { type: raw[0] as number, length: message.length }), message);
}

/** Where the extensions of a ServerHello or a HelloRetryRequest begin. */
export function extensionsOfHello(raw: Uint8Array): number {
  return 2 + 32 + 1 + (raw[4 + 34] as number) + 2 + 1;
}

function misbehave(server: ServerConnection, alterations: readonly Alteration[]): void {
  const { channel } = server;
  channel.send = <T>(message: Message<T>, body: T): Uint8Array => {
    const altered = alterations.filter((one) => one.message === (message as Message<unknown>));
    let raw = frame(
      message,
      altered.reduce((value, one) => (one.body ? (one.body(value as never) as T) : value), body),
    );
    for (const { bytes } of altered) raw = bytes?.(raw, server) ?? raw;
    if (raw.length > 0) channel.writer.handshake(raw);
    return raw;
  };
}

export interface Script {
  /** The only version of the server. The client offers both, unless it is told otherwise. */
  readonly version?: Version | undefined;
  readonly client?: Partial<ClientOptions> | undefined;
  readonly server?: Partial<ServerOptions> | undefined;
  readonly connect?: ConnectOptions | undefined;
  readonly alter?: readonly Alteration[] | undefined;
  /** Has the client offer what a good handshake before, with the same options, has left it with. */
  readonly resumes?: boolean | undefined;
  /** What happens between that handshake and the one of the test. */
  readonly between?: ((first: Pair, world: TestWorld) => void) | undefined;
}

/** One world of a client and a server, who may meet more than once. */
export class Meeting {
  readonly world = new TestWorld(3);
  readonly client: ClientConfig;
  readonly server: ServerConfig;

  constructor({ version, client, server }: Script = {}) {
    this.client = defineClient({ verifyServer: 'any', world: this.world, crypto: synchronousProvider, ...client });
    const versions = version && { minVersion: version, maxVersion: version };
    const credentials = [credential('ecdsaP256')];
    this.server = testServer({ credentials, world: new TestWorld(4), ...versions, ...server });
  }

  /** A pair whose server misbehaves. Nothing has been sent yet. */
  pair({ connect, alter = [] }: Pick<Script, 'connect' | 'alter'> = {}): Pair {
    const link = pair(this.client, this.server, { trace: false, client: { sessions: [], ...connect } }); // none of the client's cache
    if (alter.length > 0) misbehave(link.server, alter);
    return link;
  }

  /** The same, run until neither end has anything to say. */
  meet(script: Pick<Script, 'connect' | 'alter'> = {}): Pair {
    return this.pair(script).runSync();
  }

  /** A good handshake. Returns the sessions that the client has from it. */
  sessions(connect?: ConnectOptions): readonly Session[] {
    const first = this.meet({ connect });
    expectEstablished(first);
    return first.client.sessions;
  }
}

/** Plays a script to its end. */
export function play(script: Script): Pair {
  const meeting = new Meeting(script);
  const first = script.resumes
    ? meeting.meet({ connect: script.connect && { serverName: script.connect.serverName } })
    : undefined;
  if (first !== undefined) expectEstablished(first);
  if (first !== undefined) script.between?.(first, meeting.world);
  const sessions = first?.client.sessions;
  return meeting.meet({ connect: { ...script.connect, ...(sessions && { sessions }) }, alter: script.alter });
}

export function expectEstablished(link: Pair): void {
  const [failed] = [...link.eventsOf('client', 'failed'), ...link.eventsOf('server', 'failed')];
  if (failed !== undefined) throw failed.error;
  expect(link.client.isEstablished && link.server.isEstablished).to.equal(true);
}

/** The client has sent this fatal alert, once, has failed by it, and says nothing any more. */
export function expectAlert(link: Pair, alert: AlertName): void {
  const failures = link.eventsOf('client', 'failed');
  expect(failures.map(({ error }) => `${error.message} (${error.origin})`)).to.have.lengthOf(1);
  const [{ error } = { error: undefined }] = failures;
  expect(error?.alert, error?.message).to.equal(alert);
  expect(error?.origin).to.equal('local');
  const sent = link.eventsOf('client', 'alert').filter(({ direction }) => direction === 'sent');
  expect(sent.map(({ level, description }) => [level, description])).to.deep.equal([
    [AlertLevel.fatal, AlertDescription[alert]],
  ]);
  expect(link.eventsOf('server', 'alert').at(-1)?.description).to.equal(AlertDescription[alert]);
  expect(link.client.hasFailed).to.equal(true);
  const after = link.client.receive(Uint8Array.of(22, 3, 3, 0, 1, 1));
  expect(after.output.length + after.events.length).to.equal(0);
}

export interface Rule extends Script {
  /** The section, and the rule that the server breaks. */
  readonly rule: string;
  readonly alert: AlertName;
}

/** One test for each rule. */
export function table(title: string, rules: readonly Rule[]): void {
  describe(title, () => {
    for (const { rule, alert, ...script } of rules) it(`${rule} → ${alert}`, () => expectAlert(play(script), alert));
  });
}

/** The hellos that the server has received, decoded. Ask for them before anything is sent. */
export function hellosOf(link: Pair): { readonly raw: Uint8Array; readonly body: ClientHello }[] {
  const hellos: { readonly raw: Uint8Array; readonly body: ClientHello }[] = [];
  const { channel } = link.client;
  const handshake = channel.writer.handshake.bind(channel.writer);
  channel.writer.handshake = (raw) => {
    if (raw[0] === HandshakeType.client_hello) hellos.push({ raw, body: decode(ClientHelloCodec, raw, 4) });
    handshake(raw);
  };
  return hellos;
}

/** The length of the extensions of a hello, in bytes. */
export function extensionsLength(raw: Uint8Array | undefined): number {
  if (raw === undefined) throw new Error('no hello');
  let at = 4 + 2 + 32;
  at += 1 + (raw[at] as number);
  at += 2 + 256 * (raw[at] as number) + (raw[at + 1] as number);
  at += 1 + (raw[at] as number);
  return raw.length - at - 2;
}

/** Sends messages of the server's after the handshake, in one record. */
export function say(link: Pair, ...messages: readonly Uint8Array[]): Pair {
  for (const raw of messages) link.server.channel.writer.handshake(raw);
  return link.take('server', link.server.receive(EMPTY)).runSync();
}
