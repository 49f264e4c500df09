/** What the scenarios with a client of TLS 1.2 share: what they look at in its hello, and what their servers say besides. */

import type { Fault } from '../../../engine/fault.ts';
import type { ServerOptions } from '../../../engine/server/options.ts';
import { type ClientHello, clientHello } from '../../../handshake/messages/client-hello.ts';
import { frame } from '../../../handshake/messages/message.ts';
import { newSessionTicketTls12 } from '../../../handshake/messages/new-session-ticket.ts';
import { concat, EMPTY, equalBytes } from '../../../wire/bytes.ts';
import { decode } from '../../../wire/codec.ts';
import { MESSAGE_HEADER } from '../../../wire/handshake-buffer.ts';
import { recordHeader } from '../../../wire/record.ts';
import { ContentType, ExtensionType, HandshakeType, ProtocolVersion } from '../../../wire/registry.ts';
import { splitMessage } from '../../extension-block.ts';
import { LayeredFault } from '../../interceptor.ts';
import { nameIn } from '../../messages.ts';
import type { MessageName } from '../../which.ts';
import type { AcceptOptions, ClientBench, TesterServer } from '../bench.ts';
import { NotRun, type Reaction, type Visit } from '../visit.ts';

/** By what the tester's server lets a client of TLS 1.2 resume. */
export type Means = 'session-id' | 'session-ticket';

const SERVERS: Readonly<Record<Means, Partial<ServerOptions>>> = {
  'session-id': {},
  'session-ticket': { tickets: { mode: 'stateless' } },
};

/** Returns a server that hands out ids, or tickets. */
export function serverOf(bench: ClientBench, means: Means, options: Partial<ServerOptions> = {}): TesterServer {
  return bench.server({ ...SERVERS[means], ...options });
}

/** The bytes of a message of a visit. */
function message(visit: Visit, direction: 'sent' | 'received', name: MessageName): Uint8Array | undefined {
  return visit.facts.trace.messages.find((one) => one.direction === direction && one.name === name)?.raw;
}

/** What a hello of the client offers. */
export interface Offered {
  readonly hello: ClientHello;
  readonly id: Uint8Array;
  /** Empty if it asks for one; `undefined` if it does not. */
  readonly ticket: Uint8Array | undefined;
  /** The extensions by their numbers. */
  readonly extensions: ReadonlyMap<number, Uint8Array>;
}

function offeredIn(raw: Uint8Array): Offered {
  const hello = decode(clientHello.body, raw, MESSAGE_HEADER);
  const list = splitMessage(raw, undefined)?.list ?? [];
  const extensions = new Map(list.map(({ type, data }) => [type, data]));
  return { hello, id: hello.legacySessionId, ticket: extensions.get(ExtensionType.session_ticket), extensions };
}

/** @throws NotRun if the client has said nothing */
export function offered(visit: Visit): Offered {
  const raw = message(visit, 'received', 'client_hello');
  if (raw === undefined) throw new NotRun('the client sends no hello');
  return offeredIn(raw);
}

/** What a session is offered by: the id, or the ticket, that the server has sent. @throws NotRun if it has sent none */
export function given(visit: Visit, means: Means): Uint8Array {
  const raw = message(visit, 'sent', means === 'session-id' ? 'server_hello' : 'new_session_ticket');
  const at = means === 'session-id' ? MESSAGE_HEADER + 34 : MESSAGE_HEADER + 5; // of the last byte of its length
  const bytes = raw?.subarray(at + 1, at + 1 + (means === 'session-id' ? (raw[at] ?? 0) : raw.length)) ?? EMPTY;
  if (bytes.length === 0) throw new NotRun(`the client is given no ${means}`);
  return bytes;
}

/** Whether a visit offers this id or ticket. */
export function offers(visit: Visit, means: Means, bytes: Uint8Array): boolean {
  const { id, ticket = EMPTY } = offered(visit);
  return equalBytes(means === 'session-id' ? id : ticket, bytes);
}

/** `conforms` unless a visit offers this id or ticket. */
export function notOffered(visit: Visit, means: Means, bytes: Uint8Array): Reaction {
  return offers(visit, means, bytes) ? `differs: the ${means} is offered` : 'conforms';
}

/** Has the client resume, with these faults in the server's part of the handshake. @throws NotRun if it does not offer its session */
export async function resume(
  bench: ClientBench,
  means: Means,
  faults: readonly Fault[],
  { server = serverOf(bench, means), ...options }: AcceptOptions & { readonly server?: TesterServer } = {},
): Promise<Visit> {
  bench.need('resume');
  const first = await server.hand();
  const visit = await server.accept({ ...options, faults });
  if (!offers(visit, means, given(first, means))) throw new NotRun(`the client does not offer its ${means}`);
  return visit;
}

/** Sends another message right behind the first of a name. `isHashed` says whether the transcript has it. */
export function follow(name: MessageName, behind: Uint8Array, { isHashed = true } = {}): Fault {
  return new LayeredFault(`behind ${name}`, (inner) => {
    let isDone = false;
    return {
      ...inner,
      sending: (raw) => {
        const own = inner.sending(raw);
        if (isDone || nameIn(raw) !== name) return own;
        isDone = true;
        const other = inner.sending(behind);
        return {
          sent: [...own.sent, ...other.sent],
          hashed: isHashed ? concat(own.hashed, other.hashed) : own.hashed,
        };
      },
    };
  });
}

/** Makes one record under the keys of the moment. */
type Put = (type: number, content: Uint8Array) => Uint8Array;

/** Makes the records of a connection otherwise: `make` returns them, or `undefined` for those that stay as they are. */
export function records(
  title: string,
  make: (type: number, content: Uint8Array, put: Put) => readonly Uint8Array[] | undefined,
): Fault {
  return new LayeredFault(title, (inner) => ({
    ...inner,
    sealing: (type, content, seal) => {
      const put: Put = (of, part) => concat(...inner.sealing(of, part, seal));
      return make(type, content, put) ?? inner.sealing(type, content, seal);
    },
  }));
}

/** Whether the content of a record begins with this message. */
export function begins(type: number, content: Uint8Array, name: keyof typeof HandshakeType): boolean {
  return type === ContentType.handshake && content[0] === HandshakeType[name];
}

/** A record in the clear, whatever the keys. */
export function plainRecord(type: number, content: Uint8Array): Uint8Array {
  return concat(recordHeader(type, ProtocolVersion['TLSv1.2'], content.length), content);
}

/** The message NewSessionTicket of RFC 5077 §3.3. */
export function newTicket(ticket: Uint8Array, ticketLifetimeHint = 7200): Uint8Array {
  return frame(newSessionTicketTls12, { ticketLifetimeHint, ticket });
}

/** The hello of the connection that has the fault. */
export class Heard {
  #raw: Uint8Array | undefined;
  readonly fault: Fault = new LayeredFault('hear the hello', (inner) => ({
    ...inner,
    received: (received) => {
      if (received.type === HandshakeType.client_hello) this.#raw = received.raw.slice();
      inner.received(received);
    },
  }));

  get offered(): Offered | undefined {
    return this.#raw && offeredIn(this.#raw);
  }
}

/**
 * A server that has never heard of an extension: it does not see it in the hello. The transcript has the hello as it came, as the server
 * does some work after it has read that, and before it hashes it.
 */
export function unawareOf(extension: number): Fault {
  return new LayeredFault(`unaware of ${extension}`, (inner) => {
    let restore = (): void => {};
    return {
      ...inner,
      received: (received) => {
        inner.received(received);
        const { type, raw } = received;
        const at = type === HandshakeType.client_hello ? placeOf(raw, extension) : undefined;
        if (at === undefined) return;
        const kept = raw.slice(at, at + 2);
        raw.set([0xff, 0xfe], at); // a number that is nobody's
        restore = () => raw.set(kept, at);
      },
      meet: (wait) => {
        restore();
        inner.meet(wait);
      },
    };
  });
}

/** Where the number of an extension stands in a hello. */
function placeOf(raw: Uint8Array, extension: number): number | undefined {
  const split = splitMessage(raw, undefined);
  let at = MESSAGE_HEADER + (split?.head.length ?? 0) + 2;
  for (const { type, data } of split?.list ?? []) {
    if (type === extension) return at;
    at += 4 + data.length;
  }
  return undefined;
}
