/** Serves one client, from the first byte to the last, and reports on it. */

import type { Socket } from 'node:net';
import type { Event } from '../engine/events.ts';
import type { Fault } from '../engine/fault.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import type { TicketFacts, Verdict } from '../handshake/outcome.ts';
import { accept, type TlsSocket } from '../node/index.ts';
import { alertName, TlsAlert } from '../wire/alert.ts';
import { toHex } from '../wire/bytes.ts';
import { serveHttp } from './page.ts';
import type { Client, Detail, Facts, Offered, Tell } from './report.ts';

/** Milliseconds without traffic after which a connection ends. */
const IDLE_MS = 60_000;
/** Milliseconds that a client has to close its side after an idle connection was closed. */
const GRACE_MS = 2_000;

export interface Application {
  readonly config: ServerConfig;
  readonly faults: readonly Fault[];
  /** Echoes the data, instead of serving HTTP. */
  readonly echo: boolean;
  readonly idleMs?: number | undefined;
  readonly tell: Tell;
}

/** Speaks TLS with a client that has just connected. */
export function attendTo(transport: Socket, id: number, application: Application): TlsSocket {
  const { tell, config, faults, idleMs = IDLE_MS } = application;
  const client: Client = {
    id,
    remoteAddress: transport.remoteAddress ?? null,
    remotePort: transport.remotePort ?? null,
  };
  const socket = accept(transport, { config, faults });
  let isSecure = false;
  let end: { reason: 'clean' | 'idle' | 'error'; message: string | null } = { reason: 'clean', message: null };
  socket.once('secure', () => {
    isSecure = true;
    serveApplication(socket, client, application);
  });
  socket.on('tlsEvent', (event: Event) => tellDetail(id, event, { socket, tell }));
  socket.on('error', (error: Error) => {
    end = { reason: 'error', message: isSecure ? error.message : null };
    if (!isSecure) tell({ event: 'handshake-failed', ...client, ...whyFailed(error) });
  });
  socket.setTimeout(idleMs).on('timeout', () => {
    if (!isSecure) socket.destroy(new Error(`nothing heard for ${idleMs / 1000} s`));
    else if (end.reason === 'idle') socket.destroy();
    else finish(socket.setTimeout(GRACE_MS));
    end = { reason: 'idle', message: null };
  });
  socket.once('close', () => tell({ event: 'closed', id, ...end }));
  return socket;
}

/** Sends close_notify after the data written so far, and gives up the rest. */
export function finish(socket: TlsSocket): void {
  if (!socket.connection.isEstablished) return void socket.destroy();
  socket.unpipe();
  socket.resume().end();
}

function serveApplication(socket: TlsSocket, client: Client, { echo, tell }: Application): void {
  const facts = { ...client, ...factsOf(socket) };
  tell({ event: 'connection', ...facts });
  if (echo) socket.pipe(socket);
  else serveHttp(socket, facts);
}

/** The result of the handshake. */
export function factsOf({ connection }: TlsSocket): Facts {
  const { resumption } = connection;
  return {
    version: connection.version ?? null,
    cipherSuite: connection.cipherSuite ?? null,
    group: connection.group ?? null,
    resumed: resumption.resumed,
    mechanism: resumption.mechanism ?? null,
    pskMode: resumption.pskMode ?? null,
    identityIndex: resumption.identityIndex ?? null,
    reason: resumption.reason ?? null,
    serverName: connection.serverName ?? null,
    alpnProtocol: connection.alpnProtocol ?? null,
    signatureScheme: connection.signatureScheme ?? null,
  };
}

function whyFailed(error: Error) {
  const { message } = error;
  if (error instanceof TlsAlert) return { alert: error.alert, origin: error.origin, message };
  return { alert: null, origin: null, message };
}

interface Telling {
  readonly socket: TlsSocket;
  readonly tell: Tell;
}

function tellDetail(id: number, event: Event, { socket, tell }: Telling): void {
  const detail = detailOf(event, socket);
  if (detail !== undefined) tell({ ...detail, id });
}

type DetailOf<T> = T extends unknown ? Omit<T, 'id'> : never;

/** Contains no secret: only the id of a session, which clients send in the clear. */
function detailOf(event: Event, { connection }: TlsSocket): DetailOf<Detail> | undefined {
  switch (event.type) {
    case 'new-session':
    case 'session-refused': {
      const { id, version } = event.session;
      return { event: event.type === 'new-session' ? 'session-new' : 'session-refused', session: toHex(id), version };
    }
    case 'session-removed':
      return { event: 'session-removed', session: toHex(event.session.id), reason: event.reason };
    case 'verdicts':
      return { event: 'verdicts', verdicts: event.verdicts.map(offeredOf) };
    case 'early-data':
      return { event: 'early-data', status: event.status, reason: connection.earlyDataRefusal ?? null };
    case 'no-ticket':
      return { event: 'no-ticket', reason: event.reason };
    case 'alert': {
      const alert = alertName(event.description) ?? String(event.description);
      return { event: 'alert', direction: event.direction, alert };
    }
    case 'callback-error':
      return { event: 'callback-error', callback: event.callback, message: messageOf(event.error) };
  }
  return undefined;
}

function offeredOf(verdict: Verdict): Offered {
  const { mechanism, accepted, checks, ticket } = verdict;
  return {
    mechanism,
    identityIndex: verdict.identityIndex ?? null,
    accepted,
    reason: verdict.reason ?? null,
    remedy: verdict.remedy ?? null,
    ticket: ticket === undefined ? null : ticketOf(ticket),
    session: verdict.sessionId ?? null,
    age: verdict.age ?? null,
    authAge: verdict.authAge ?? null,
    checks,
  };
}

function ticketOf({ keyName, format, phase, failure }: TicketFacts): NonNullable<Offered['ticket']> {
  return { keyName: keyName ?? null, format: format ?? null, phase: phase ?? null, failure: failure ?? null };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
