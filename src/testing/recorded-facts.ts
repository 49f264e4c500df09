/** What a recording says of a connection as such: its options, what came of it, and its events. */

import type { ClientConnection } from '../engine/client/client-connection.ts';
import type { Event } from '../engine/events.ts';
import { ServerConnection } from '../engine/server/server-connection.ts';
import type { SessionOffer } from '../handshake/client/context.ts';
import type { Session } from '../sessions/session.ts';
import { toHex } from '../wire/bytes.ts';
import { SessionsMet, writeError, writeValue } from './recorded-values.ts';
import type { RecordedCall, RecordedConnection, RecordedEvent, RecordedFacts } from './recording.ts';

/** A connection of either role. */
export type Recorded = ServerConnection | ClientConnection;

/**
 * A session counts as used if it was resumed. In TLS 1.3 it does, too, if a server had verified its binder before that came to nothing:
 * if it breaks no rule.
 */
export function usedBy(owner: Recorded): (session: Session) => boolean {
  const { resumption, version } = owner;
  const verdicts = owner instanceof ServerConnection && version === 'TLSv1.3' ? owner.verdicts : [];
  const fit = verdicts.filter(({ checks, reason }) => reason !== 'binder' && checks.every(({ passed }) => passed));
  return (session) => session === resumption.session || fit.some(({ sessionId }) => sessionId === toHex(session.id));
}

/** The options of a server's connection. */
export function connectionOfServer(owner: ServerConnection): RecordedConnection {
  const { localAddress, localPort, remoteAddress, remotePort } = owner.info();
  const { opensByTask: _, ...decisions } = owner.decisions;
  return {
    addresses: { localAddress, localPort, remoteAddress, remotePort },
    decisions: writeValue(decisions, new SessionsMet()),
  };
}

/** The options of a client's connection; `offered` are the indices of the sessions that it offered; `dataOf` masks data. */
export function connectionOfClient(
  owner: ClientConnection,
  [offer]: readonly SessionOffer[],
  { offered, dataOf }: { readonly offered: readonly number[]; dataOf(data: Uint8Array): string | number },
): RecordedConnection {
  const { hello, bytes } = owner.edits;
  const edits = [...(hello ? (['hello'] as const) : []), ...(bytes ? (['bytes'] as const) : [])];
  const { givenEarlyData: given } = owner;
  const earlyData = given === undefined || given === true ? given : dataOf(given);
  return { ...owner.peer, sessions: offered, ticketAge: offer?.age, earlyData, edits };
}

/** What a connection shows now. */
export function factsOf(owner: Recorded, wasEstablished: boolean): RecordedFacts {
  const { resumption } = owner;
  return {
    wasEstablished,
    hasFailed: owner.hasFailed,
    version: owner.version,
    cipherSuite: owner.cipherSuite,
    group: owner.group,
    alpnProtocol: owner.alpnProtocol,
    resumed: resumption.resumed,
    mechanism: resumption.mechanism,
    pskMode: resumption.pskMode,
    reason: resumption.reason,
  };
}

/** The callback whose promise settle() is about. */
export function callbackOf(deferred: unknown): string | undefined {
  const isNamed = typeof deferred === 'object' && deferred !== null && 'callback' in deferred;
  return isNamed ? String(deferred.callback) : undefined;
}

/** What a promise came to, by the argument of answer(). */
export function outcomeOf(outcome: unknown): RecordedCall['outcome'] {
  if (typeof outcome !== 'object' || outcome === null) return undefined;
  if ('late' in outcome) return 'late';
  return 'error' in outcome ? writeError(outcome.error) : 'value';
}

/** What may be told of an event. Data, secrets and sessions may not. */
export function writeEvent(event: Event): RecordedEvent {
  switch (event.type) {
    case 'alert':
      return { ...event };
    case 'failed':
      return { type: event.type, error: writeError(event.error) };
    case 'data':
      return { type: event.type, length: event.data.length };
    case 'verdicts':
      return { type: event.type, verdicts: event.verdicts.map((verdict) => verdict.toJSON()) };
    case 'callback-error':
      return { type: event.type, callback: event.callback, error: writeError(event.error) };
    case 'no-ticket':
      return { ...event };
    case 'session-removed':
      return { type: event.type, reason: event.reason };
    default:
      return { type: event.type };
  }
}
