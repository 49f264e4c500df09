/** What the scenarios with a server of TLS 1.2 share: the two ways to resume, changes of a hello, and what they look at. */

import type { ConnectOptions } from '../../../engine/client/client-connection.ts';
import type { ClientOptions } from '../../../engine/client/options.ts';
import type { HelloDraft } from '../../../handshake/client/hello-draft.ts';
import type { Session } from '../../../sessions/session.ts';
import { faults } from '../../faults.ts';
import type { ServerBench, TesterClient } from '../bench.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun, type Visit } from '../visit.ts';

export const TLS12 = { side: 'server', versions: ['TLSv1.2'], mechanism: 'none' } as const;

/** A way to resume in TLS 1.2. */
export interface Way {
  readonly mechanism: 'session-id' | 'session-ticket';
  /** The second part of the ids of its scenarios. */
  readonly topic: string;
  /** A client that is handed such sessions. */
  client(bench: ServerBench, options?: Partial<ClientOptions>): TesterClient;
  /** Returns a session of the server. @throws NotRun if it hands out none of this kind */
  session(tester: TesterClient, options?: ConnectOptions): Promise<Session>;
}

/** By the id of a session. The client asks for no ticket. */
export const BY_ID: Way = {
  mechanism: 'session-id',
  topic: 'session-id',
  client: (bench, options) => bench.client({ sessionTicket: false, ...options }),
  session: async (tester, options) => (await tester.sessions(1, options))[0],
};

/** By a ticket of RFC 5077. */
export const BY_TICKET: Way = {
  mechanism: 'session-ticket',
  topic: 'ticket-tls12',
  client: (bench, options) => bench.client(options),
  session: async (tester, options) => {
    const [session] = await tester.sessions(1, options);
    if (session.foreign.ticket === undefined) throw new NotRun('the server hands out no ticket');
    return session;
  },
};

/** A scenario for each of the two ways: the server finds the session otherwise, and has to judge it alike. */
export function bothWays(make: (way: Way) => ServerScenario): readonly ServerScenario[] {
  return [BY_ID, BY_TICKET].map(make);
}

/** Returns a session that the server does resume, as it is. @throws NotRun if it does not: what it makes of a change would say nothing */
export async function resumable(way: Way, tester: TesterClient, options: ConnectOptions = {}): Promise<Session> {
  const session = await way.session(tester, options);
  const { reaction } = await tester.visit({ ...options, sessions: [session] });
  if (reaction !== 'resumes') throw new NotRun(`it does not resume its own session: ${reaction}`);
  return session;
}

/** The ticket of a session. */
export function ticketOf({ foreign, id }: Session): Uint8Array {
  return foreign.ticket ?? id;
}

/** A change of a hello. */
export type Edit = (draft: HelloDraft) => void;

/** The hello with these changes, for `edits` of a connection. */
export function hello(...edits: readonly Edit[]): { hello(draft: HelloDraft): HelloDraft } {
  return {
    hello: (draft) => {
      for (const edit of edits) edit(draft);
      return draft;
    },
  };
}

/** Takes an extension away. */
export function without(type: number): Edit {
  return (draft) => {
    draft.extensions = draft.extensions?.filter((one) => one.type !== type);
  };
}

/** Sets an extension, where it stands or as the last. */
export function withExtension(type: number, data: Uint8Array): Edit {
  return ({ extensions = [] }) => {
    const present = extensions.find((one) => one.type === type);
    if (present === undefined) extensions.push({ type, data });
    else present.data = data;
  };
}

/** The fields of a ServerHello of TLS 1.2 that are looked at. */
export interface Answer {
  readonly random: Uint8Array;
  readonly legacySessionIdEcho: Uint8Array;
  readonly cipherSuite: number;
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** The server's hello. @throws NotRun if none has come */
export function answerOf(visit: Visit): Answer {
  const [message] = visit.received<Answer>('server_hello');
  if (message?.fields === undefined) throw new NotRun(`no ServerHello has come: ${visit.reaction}`);
  return message.fields;
}

/** @throws NotRun unless the connection has resumed */
export function requireResumed(visit: Visit): void {
  if (!visit.isResumed) throw new NotRun(`it has not resumed: ${visit.reaction}`);
}

/** @throws NotRun unless the server speaks TLS 1.3, too */
export async function needTls13(bench: ServerBench): Promise<void> {
  const visit = await bench.client({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' }).visit();
  if (visit.facts.version !== 'TLSv1.3') throw new NotRun('it does not speak TLS 1.3');
}

/** A Finished that is wrong in each of its bytes. */
export const WRONG_FINISHED = faults.change<{ readonly verifyData: Uint8Array }>('finished', ({ verifyData }) => ({
  verifyData: verifyData.map((byte) => byte ^ 1),
}));
