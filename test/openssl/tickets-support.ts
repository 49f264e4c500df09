/** Contexts with stateless tickets, and clients that have them: what the tests of the façade's tickets share. */

import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { Event } from '../../src/engine/events.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import type { DecryptTicketCallback, SslContext, TicketKeyCallback } from '../../src/openssl.ts';
import * as openssl from '../../src/openssl.ts';
import { concat, EMPTY, toHex } from '../../src/wire/bytes.ts';
import type { Version } from '../../src/wire/registry.ts';
import type { ClientOptions, ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { connect, type Pair } from './support.ts';

/** What OpenSSL's client sends beside a ticket: an id of its own making. */
export const FABRICATED_ID = new Uint8Array(32).fill(0xc2);

/** As it comes: without SSL_OP_NO_TICKET. */
export function ticketContext(world: TestWorld, options: Partial<ServerOptions> = {}): SslContext {
  return new openssl.SslContext(testServer({ world, crypto: toyCrypto, ...options }));
}

export interface Visit extends Pair {
  readonly events: readonly Event[];
}

/** A client that takes tickets. */
export function visit(ctx: SslContext, version: Version, options: ClientOptions = {}): Visit {
  const events: Event[] = [];
  const ticketExt = version === 'TLSv1.2' && options.session === undefined ? EMPTY : undefined;
  const pair = connect(ctx, { version, ticketExt, ...options }, { attend: (event) => events.push(event) });
  return { ...pair, events };
}

/** Comes back with its ticket; in TLS 1.3 with the first. */
export function revisit(ctx: SslContext, { client }: Pick<Pair, 'client'>, options: ClientOptions = {}): Visit {
  if (client.version === 'TLSv1.3') return visit(ctx, 'TLSv1.3', { psks: client.tickets.slice(0, 1), ...options });
  return visit(ctx, 'TLSv1.2', { session: client.session, sessionId: FABRICATED_ID, ...options });
}

/** Comes back with these bytes for a ticket. */
export function revisitWith(ctx: SslContext, { client }: Pick<Pair, 'client'>, ticket: Uint8Array): Visit {
  if (client.version === 'TLSv1.2') return revisit(ctx, { client }, { ticketExt: ticket });
  return visit(ctx, 'TLSv1.3', { psks: client.tickets.slice(0, 1).map((psk) => ({ ...psk, identity: ticket })) });
}

/** The ticket that a client has been given, in TLS 1.3 the first. */
export function ticketOf({ client }: Pick<Pair, 'client'>): Uint8Array {
  const ticket = client.version === 'TLSv1.2' ? client.session.ticket : client.tickets[0]?.identity;
  if (ticket === undefined) throw new Error('the client has no ticket');
  return ticket;
}

/** NewSessionTicket messages, empty ones included. */
export function countTickets(client: ScriptedClient): number {
  return client.heard.filter((name) => name === 'new_session_ticket').length;
}

/** What has come of a connection, in one line: an alert, or how it was established and with how many tickets. */
export function outcome({ client, ssl }: Pair): string {
  if (client.alert !== undefined) return `${client.alert.name}`;
  if (!ssl.isInitFinished()) return 'unfinished';
  return `${ssl.sessionReused() ? 'resumed' : 'full'} +${countTickets(client)}`;
}

/** Calls of the new and get callbacks. Neither keeps anything. */
export function watchSessions(ctx: SslContext): { news: number; gets: Uint8Array[] } {
  const seen = { news: 0, gets: [] as Uint8Array[] };
  ctx.setNewSessionCallback(() => {
    seen.news++;
    return 0;
  });
  ctx.setGetSessionCallback((_ssl, id) => {
    seen.gets.push(id);
    return null;
  });
  return seen;
}

const dice = new TestWorld(31);
/** Of no context's. */
export const [NAME, HMAC_KEY, AES_KEY] = [16, 32, 32].map((length) => dice.randomBytes(length)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

/** A ticket key callback with one key, which answers what it is told to. */
export function keyCallback(codes: { seal: number; open: number }): { calls: string[]; callback: TicketKeyCallback } {
  const calls: string[] = [];
  const callback: TicketKeyCallback = (_ssl, keyName, _iv, cipher, mac, enc) => {
    calls.push(enc ? 'seal' : `open ${toHex(keyName) === toHex(NAME) ? 'known' : 'unknown'}`);
    if (enc) keyName.set(NAME);
    cipher.key = AES_KEY;
    mac.key = HMAC_KEY;
    return enc ? codes.seal : codes.open;
  };
  return { calls, callback };
}

/** Ticket callbacks that write down what they hear. */
export function watchTickets(
  ctx: SslContext,
  answer: number | DecryptTicketCallback,
): { gens: number; statuses: number[] } {
  const seen = { gens: 0, statuses: [] as number[] };
  ctx.setSessionTicketCallback(
    () => {
      seen.gens++;
      return 1;
    },
    (ssl, session, keyName, status) => {
      seen.statuses.push(status);
      return typeof answer === 'number' ? answer : answer(ssl, session, keyName, status);
    },
  );
  return seen;
}

export interface Keys {
  readonly name: Uint8Array;
  readonly hmac: Uint8Array;
  readonly aes: Uint8Array;
}

/** name16 hmac32 aes32 */
export function keysOf(ctx: SslContext): Keys {
  const bytes = ctx.getTlsextTicketKeys();
  if (bytes === null) throw new Error('a context without keys of its own');
  return { name: bytes.slice(0, 16), hmac: bytes.slice(16, 48), aes: bytes.slice(48) };
}

/** A ticket as node:crypto makes it; without padding where `padded` is false. */
export function sealWith({ name, hmac, aes }: Keys, plaintext: Uint8Array, padded = true): Uint8Array {
  const iv = dice.randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', aes, iv).setAutoPadding(padded);
  const body = concat(name, iv, cipher.update(plaintext), cipher.final());
  return concat(body, createHmac('sha256', hmac).update(body).digest());
}

/** What is in it. @throws where name or MAC are others */
export function openWith({ name, hmac, aes }: Keys, ticket: Uint8Array): Uint8Array {
  const body = ticket.subarray(0, -32);
  const mac = createHmac('sha256', hmac).update(body).digest();
  if (toHex(body.subarray(0, 16)) !== toHex(name) || toHex(mac) !== toHex(ticket.subarray(-32))) throw new Error('no');
  const decipher = createDecipheriv('aes-256-cbc', aes, body.subarray(16, 32));
  return concat(decipher.update(body.subarray(32)), decipher.final());
}

/** Lets promises settle, and passes on what follows. */
export async function settle({ client, ssl }: Pair): Promise<void> {
  for (let i = 0; i < 50; i++) {
    await Promise.resolve();
    const output = ssl.take();
    if (output.length > 0) client.receive(output);
    const input = client.take();
    if (input.length > 0) ssl.receive(input);
  }
}
