/** A tester's end over a socket. */

import type { Socket } from 'node:net';
import type { Party } from '../testing/scenarios/party.ts';
import type { Ending } from '../testing/scenarios/visit.ts';

/** How long a peer has to close once everything is said, in milliseconds. On a busy machine a second is too short for some. */
const FAREWELL_MS = 3000;

/**
 * The most bytes that are heard on a connection. The trace and the recording keep them all, and a peer may say more than there is memory
 * for. What is said of sessions, and the page that a server answers with, are far shorter.
 */
const MOST_BYTES = 1_048_576;

/** How long a connection may take, unless somebody says otherwise. */
export const TIME_LIMIT_MS = 5000;
/** So many connections that take all the time that they may are what a scenario has time for. */
const CONNECTIONS = 12;

/** How long a scenario may take whose connections may take so long to be made, and then to talk. */
export function scenarioLimitMs(startLimitMs: number, timeLimitMs: number): number {
  return CONNECTIONS * (startLimitMs + timeLimitMs);
}

/** How long a conversation may take. */
export interface ConversationLimits {
  readonly timeLimitMs: number;
  /** Ends it at once when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Lets the tester talk with whoever is at the other end of the socket, until the peer closes, has said too much, or the time is up. Destroys the socket. */
export function converseOver(socket: Socket, tester: Party, limits: ConversationLimits): Promise<Ending> {
  const { timeLimitMs, signal } = limits;
  return new Promise((resolve) => {
    let farewell: NodeJS.Timeout | undefined;
    let heard = 0;
    let [isWaiting, isFinished] = [false, false];
    const late = (): void => finish('late');
    const limit = setTimeout(late, timeLimitMs);
    signal?.addEventListener('abort', late);
    const finish = (ending: Ending): void => {
      isFinished = true;
      signal?.removeEventListener('abort', late);
      clearTimeout(limit);
      clearTimeout(farewell);
      socket
        .removeAllListeners()
        .on('error', () => {})
        .destroy();
      resolve(ending);
    };
    const flush = (): void => {
      isWaiting = false;
      if (isFinished) return;
      const bytes = tester.sent();
      if (bytes.length > 0 && socket.writable) socket.write(bytes);
      if ((tester.isOver || tester.hasConversed) && farewell === undefined) {
        farewell = setTimeout(() => finish('at-rest'), FAREWELL_MS);
        socket.end();
      }
    };
    // What has come meanwhile is read first. A peer that refuses what it was sent, and does not read the rest, resets the connection: to
    // write then is an error, after which nobody can read the alert that it had sent.
    const send = (): void => {
      if (isWaiting) return;
      isWaiting = true;
      setImmediate(() => setImmediate(flush));
    };
    socket.on('error', () => {}); // 'close' comes next
    socket.on('data', (bytes) => {
      tester.receive(bytes);
      heard += bytes.length;
      if (heard > MOST_BYTES) finish(tester.isOver || tester.hasConversed ? 'at-rest' : 'late');
      else send();
    });
    socket.on('end', () => {
      tester.transportEnded();
      flush();
      finish('closed');
    });
    socket.on('close', () => finish('closed'));
    socket.resume(); // whoever prepared it may have paused it
    if (socket.destroyed) finish('closed');
    else if (signal?.aborted === true) late();
    else flush();
  });
}
