/** The three callbacks of a context, written down, and what an application keeps by them. */

import type { Event } from '../../src/engine/events.ts';
import type { Int } from '../../src/openssl/callbacks.ts';
import { SESS_CACHE_NO_INTERNAL_STORE } from '../../src/openssl/constants.ts';
import type { GetSessionCallback, NewSessionCallback, Ssl, SslContext } from '../../src/openssl/ssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { toHex } from '../../src/wire/bytes.ts';
import type { ClientOptions } from '../support/scripted-client.ts';
import { connect, type Pair } from './support.ts';

export interface Answers {
  /** Default 1: the hold is the application's, see {@link Journal.kept}. */
  readonly onNew?: (ssl: Ssl, session: Session) => Int;
  /** Default null. */
  readonly onGet?: GetSessionCallback;
  readonly onRemove?: (session: Session, reason: string) => void;
}

export class Journal {
  /** 'new', 'get' and 'remove <reason>', in the order of the calls. */
  readonly calls: string[] = [];
  /** Sessions that new was called with, and those of them whose hold was kept. */
  readonly announced: Session[] = [];
  readonly kept: Session[] = [];
  readonly removed: Session[] = [];

  constructor(ctx: SslContext, answers: Answers = {}) {
    ctx.setNewSessionCallback(this.#newCallback(answers.onNew ?? (() => 1)));
    ctx.setGetSessionCallback((ssl, id, copy) => {
      this.calls.push('get');
      return answers.onGet?.(ssl, id, copy) ?? null;
    });
    ctx.setRemoveSessionCallback((_ctx, session, reason) => {
      this.calls.push(`remove ${reason}`);
      this.removed.push(session);
      answers.onRemove?.(session, reason);
    });
  }

  #newCallback(answer: (ssl: Ssl, session: Session) => Int): NewSessionCallback {
    return (ssl, session) => {
      this.calls.push('new');
      this.announced.push(session);
      const keeps = answer(ssl, session);
      if (keeps) this.kept.push(session);
      return keeps;
    };
  }

  count(callback: 'new' | 'get' | 'remove'): number {
    return this.calls.filter((call) => call.startsWith(callback)).length;
  }
}

/** The ids under which the client can come back: one in TLS 1.2, one a ticket in TLS 1.3. */
export function offeredIds({ client }: Pair): string[] {
  return client.version === 'TLSv1.2'
    ? [client.session.id].filter(({ length }) => length > 0).map(toHex)
    : client.tickets.map(({ identity }) => toHex(identity));
}

/** The clean end of a connection. */
export function leave({ ssl }: Pair): void {
  ssl.shutdown();
  ssl.free();
}

/** A visit whose session the application alone has, with one hold, and the client that has it too. */
export function keepAway(ctx: SslContext, options: ClientOptions): { readonly pair: Pair; readonly session: Session } {
  const mode = ctx.setSessionCacheMode(ctx.getSessionCacheMode() | SESS_CACHE_NO_INTERNAL_STORE);
  const before = ctx.getNewSessionCallback();
  const made: Session[] = [];
  ctx.setNewSessionCallback((_ssl, session) => made.push(session));
  const pair = connect(ctx, options);
  leave(pair);
  ctx.setNewSessionCallback(before);
  ctx.setSessionCacheMode(mode);
  const [session, ...others] = made;
  if (session === undefined) throw new Error('no session was announced');
  for (const other of others) other.free();
  return { pair, session };
}

/** What a session is known by. */
export function idOf(session: Session): string {
  return toHex(session.id);
}

/** The callbacks that have failed, of what `attend` of a connection has heard. */
export function failures(events: readonly Event[]): string[] {
  return events.flatMap((event) => (event.type === 'callback-error' ? [event.callback] : []));
}

/** All that waits for a promise that is settled has been done. */
export function promisesAreDone(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
