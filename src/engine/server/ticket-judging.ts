/** The tickets of one connection: asks the application about each, and leaves sealed ones to the part that can open them. */

import type { OpenedTicket, Sealed, Tickets } from '../../handshake/server/context.ts';
import type { Outcome, Task } from '../../handshake/wait.ts';
import type { Session } from '../../sessions/session.ts';
import { judgeTicket } from '../../tickets/callbacks.ts';
import { KEY_NAME_LENGTH } from '../../tickets/format.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { copyRange } from '../../wire/bytes.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { TicketPolicy } from './ticket-policy.ts';

export class ConnectionTickets implements Tickets {
  readonly #host: ConnectionHost;
  #policy: TicketPolicy;
  #sealed: Sealed | undefined;

  constructor(policy: TicketPolicy, host: ConnectionHost) {
    this.#policy = policy;
    this.#host = host;
  }

  /** Replaces the policy by that of the configuration that the server name has selected. */
  set policy(policy: TicketPolicy) {
    this.#policy = policy;
    this.#sealed = undefined;
  }

  get acceptsForeign(): boolean {
    return this.#policy.acceptsForeign;
  }

  get sealed(): Sealed {
    this.#sealed ??= this.#policy.sealing?.connect(this.#policy.keys, this.#host);
    if (this.#sealed === undefined)
      throw new Error('the settings want sealed tickets, which this server does not have');
    return this.#sealed;
  }

  judge(opened: OpenedTicket, ticket: Uint8Array): Task<unknown, OpenedTicket> | undefined {
    const { onDecrypt } = this.#policy.callbacks;
    if (onDecrypt === undefined) return undefined;
    const { status } = opened;
    const { session } = opened.found;
    return {
      kind: 'ticket',
      callback: 'onDecrypt',
      budgeted: true,
      run: () => onDecrypt(session, keyNameOf(ticket), status, this.#host.info()),
      conclude: (outcome) => judged(opened, outcome),
    };
  }

  generate(session: Session): Task<unknown, boolean> | undefined {
    const { onGenerate } = this.#policy.callbacks;
    if (onGenerate === undefined) return undefined;
    return {
      kind: 'ticket',
      callback: 'onGenerate',
      budgeted: true,
      run: () => onGenerate(session, this.#host.info()),
      conclude: (outcome) => this.#generated(session, outcome),
    };
  }

  /** Concludes from onGenerate whether to make the ticket. A callback that fails costs the ticket, not the connection. */
  #generated(session: Session, outcome: Outcome): boolean {
    if (!('value' in outcome)) return this.#noTicket();
    const { value: answer } = outcome;
    if (answer === false) throw new TlsAlert('internal_error', 'the application has refused to make a ticket');
    try {
      if (answer instanceof Uint8Array) session.applicationData = answer;
      return true;
    } catch (error) {
      this.#host.emit({ type: 'callback-error', callback: 'onGenerate', error }); // the data is too long
      return this.#noTicket();
    }
  }

  #noTicket(): false {
    this.#host.emit({ type: 'no-ticket', reason: 'callback-error' });
    return false;
  }
}

function judged(opened: OpenedTicket, outcome: Outcome): OpenedTicket {
  const verdict = judgeTicket(opened.status, 'value' in outcome ? outcome.value : 'ignore-renew');
  if (verdict === 'abort') throw new TlsAlert('internal_error', 'the application has refused a ticket');
  const isIgnored = opened.found.session !== undefined && !verdict.use;
  return { ...opened, found: isIgnored ? { reason: 'ignored' } : opened.found, renew: verdict.renew };
}

/** Returns the key name of a ticket; of a ticket that is shorter than a name, all of it. */
function keyNameOf(ticket: Uint8Array): Uint8Array {
  return copyRange(ticket, 0, Math.min(ticket.length, KEY_NAME_LENGTH));
}
