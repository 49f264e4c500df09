/** The tickets of one connection: asks the application about each that is made, and leaves sealed ones to the part that can open them. */

import type { Sealed, Tickets } from '../../handshake/server/context.ts';
import type { Outcome, Task } from '../../handshake/wait.ts';
import type { Session } from '../../sessions/session.ts';
import { TlsAlert } from '../../wire/alert.ts';
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
    this.#sealed ??= this.#policy.sealing?.connect(this.#policy, this.#host);
    if (this.#sealed === undefined)
      throw new Error('the settings want sealed tickets, which this server does not have');
    return this.#sealed;
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
