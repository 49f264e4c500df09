/** One connection between the tester and the peer under test, and what the peer made of it. */

import type { Session } from '../../sessions/session.ts';
import { alertName, type TlsAlert } from '../../wire/alert.ts';
import type { AlertName, Version } from '../../wire/registry.ts';
import type { Recording } from '../recording.ts';
import type { Marking } from '../render.ts';
import type { Trace } from '../trace.ts';
import type { MessageEntry, Side } from '../trace-entry.ts';

/** How a peer can react. */
export type Reaction =
  /** It sends this alert. */
  | AlertName
  /** It resumes, and the application's data passes in both directions. */
  | 'resumes'
  /** It makes a full handshake, and the data passes. */
  | 'full handshake'
  /** Either of these two: of what is wrong it takes no notice. */
  | 'ignores'
  /** It closes the transport without an alert, or with one that nobody can read. */
  | 'closes'
  /** It sends any alert, or closes: where a text has it abort the handshake, and does not say how. */
  | 'aborts'
  /** It neither answers nor closes while the time lasts. */
  | 'hangs'
  /** What was looked at is as it has to be. */
  | 'conforms'
  /** It is not, or the tester has refused what the peer sent, for this reason. */
  | `differs: ${string}`;

/** Thrown where a scenario cannot be run: the peer lacks what it needs. It is no verdict on the peer. */
export class NotRun extends Error {
  override readonly name: string = 'NotRun';
}

/** Thrown where the connections of a scenario have taken all the time that there is for them. */
export class OutOfTime extends NotRun {
  override readonly name = 'OutOfTime';
}

/** Why a connection came to its end: the peer closed it, nobody had anything to say, or the time was up. */
export type Ending = 'closed' | 'at-rest' | 'late';

/** What is left of a connection. */
export interface VisitFacts {
  /** Whose end the tester has had. */
  readonly tester: Side;
  readonly ending: Ending;
  readonly isEstablished: boolean;
  readonly isResumed: boolean;
  readonly data: Uint8Array;
  /** Whether the peer has closed by close_notify. */
  readonly isClosedInOrder: boolean;
  readonly error: TlsAlert | undefined;
  /** The description of a fatal alert that the peer has sent in the clear. */
  readonly plainAlert: number | undefined;
  /** Whether the last that the peer has sent before the connection failed is an alert, which the tester may not have been able to read. */
  readonly endsWithAlert: boolean;
  readonly version: Version | undefined;
  /** Those that the tester was given, or has given. The visit owns them. */
  readonly sessions: readonly Session[];
  readonly trace: Trace;
  /** What the tester has sent otherwise than it should, in order. */
  readonly marks: readonly Marking[];
  readonly recording: Recording;
}

/** One connection, from the tester's end. */
export class Visit {
  readonly facts: VisitFacts;

  constructor(facts: VisitFacts) {
    this.facts = facts;
  }

  /** The fatal alert that the peer has sent. */
  get alert(): AlertName | undefined {
    const { error, plainAlert } = this.facts;
    if (error?.origin === 'remote' && error.alert !== 'close_notify') return error.alert;
    // One in the clear, which the tester could not open with the keys that it was to have by then.
    return plainAlert === undefined ? undefined : alertName(plainAlert);
  }

  get isResumed(): boolean {
    return this.facts.isResumed;
  }

  get sessions(): readonly Session[] {
    return this.facts.sessions;
  }

  /** Whether the handshake is complete, and application data has come from the peer. */
  get hasData(): boolean {
    return this.facts.isEstablished && this.facts.data.length > 0;
  }

  /** The messages that the peer has sent, by name. */
  received<T = unknown>(name: string): readonly (Omit<MessageEntry, 'fields'> & { readonly fields: T })[] {
    return this.facts.trace.messages.filter(
      (entry) => entry.direction === 'received' && entry.name === name,
    ) as readonly (Omit<MessageEntry, 'fields'> & { readonly fields: T })[];
  }

  /** Lets go of the sessions, which wipes the secrets that nobody else holds. */
  dispose(): void {
    for (const session of this.facts.sessions) session.release();
  }

  /** What the peer has made of the connection. */
  get reaction(): Reaction {
    const { isEstablished, error, isResumed } = this.facts;
    if (this.alert !== undefined) return this.alert;
    if (error?.origin === 'local' && error.alert !== 'close_notify')
      return this.#hasUnreadableAlert ? 'closes' : `differs: ${error.message}`;
    if (this.hasData || (isEstablished && this.#isContent)) return isResumed ? 'resumes' : 'full handshake';
    return this.facts.ending === 'closed' ? 'closes' : 'hangs';
  }

  /** In TLS 1.3 a record that says that it is an alert is in the clear: of one that is protected all the same nobody can make anything. */
  get #hasUnreadableAlert(): boolean {
    return this.facts.endsWithAlert && this.facts.version === 'TLSv1.3';
  }

  /** A peer that has said nothing need not object: a client has completed the handshake, and may have had nothing to say. */
  get #isContent(): boolean {
    const { ending, isClosedInOrder, tester } = this.facts;
    return ending !== 'closed' || (isClosedInOrder && tester === 'server');
  }
}
