/** What a server of TLS 1.2 makes of the id of a session: RFC 5246 §7.2.2, §7.4.1. */

import { ContentType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ServerBench, TesterClient } from '../bench.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun, type Reaction, type Visit } from '../visit.ts';
import { answerOf, BY_ID, hello, requireResumed, resumable, TLS12, ticketOf, WRONG_FINISHED } from './tls12.ts';

const ID = { ...TLS12, mechanism: 'session-id' } as const;

/** What the server makes of an id that the client has made up. */
async function offered(tester: TesterClient, id: Uint8Array): Promise<Reaction> {
  const edits = hello((draft) => {
    draft.legacySessionId = id;
  });
  return (await tester.visit({ edits })).reaction;
}

/** Sends a fatal alert in the place of data. */
const SENDS_ALERT = {
  speech: { request: Uint8Array.of(2, 80) },
  faults: [faults.contentType('application_data', ContentType.alert)],
};

/** Returns the session of a connection that has failed after its handshake. @throws NotRun if there is none */
function sessionOf(visit: Visit) {
  const [session] = visit.sessions;
  if (!visit.facts.isEstablished || session === undefined) throw new NotRun('the server hands out no session');
  return session;
}

/** Has a connection fail, and returns what the server makes of its session then. `isAlerted` says that the server is to say so. */
async function afterFailure(
  bench: ServerBench,
  failing: Parameters<TesterClient['visit']>[0],
  isAlerted = false,
): Promise<Reaction> {
  const tester = BY_ID.client(bench);
  await resumable(BY_ID, tester);
  const visit = await tester.visit(failing);
  if (isAlerted && visit.alert === undefined) throw new NotRun('the server sends no alert');
  const session = sessionOf(visit);
  return (await tester.visit({ sessions: [session] })).reaction;
}

export const serverSessionId: readonly ServerScenario[] = [
  {
    ...ID,
    id: 'server/session-id/resumed',
    title: 'the id of a session that the server has handed out',
    clause: 'RFC 5246 §7.4.1.3',
    reason: 'No server has to resume. Most that hand out ids do, and clients count on it.',
    severity: 'observed',
    expect: ['resumes'],
    run: async (bench) => {
      const tester = BY_ID.client(bench);
      const sessions = await tester.sessions();
      return (await tester.visit({ sessions })).reaction;
    },
  },
  {
    ...ID,
    id: 'server/session-id/unknown-of-each-length',
    title: 'ids of 1 to 32 bytes that no server has handed out',
    clause: 'RFC 5246 §7.4.1.3',
    reason: 'The answer has another id: an echo would say that a session is resumed, which the client does not have.',
    severity: 'should',
    isIntrusive: true,
    expect: ['full handshake'],
    run: async (bench) => {
      const tester = BY_ID.client(bench);
      for (let length = 1; length <= 32; length++) {
        const reaction = await offered(tester, bench.randomBytes(length));
        if (reaction !== 'full handshake') return reaction;
      }
      return 'full handshake';
    },
  },
  {
    ...ID,
    id: 'server/session-id/cut-short',
    title: 'the id of a session without its last byte',
    clause: 'RFC 5246 §7.4.1.3',
    reason: 'A lookup by a part of an id finds the sessions of others.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      const tester = BY_ID.client(bench);
      const session = await resumable(BY_ID, tester);
      if (session.id.length < 2) throw new NotRun('the id has one byte');
      const edits = hello((draft) => {
        draft.legacySessionId = session.id.subarray(0, -1);
      });
      return (await tester.visit({ sessions: [session], edits })).reaction;
    },
  },
  ...[33, 255].map(
    (length): ServerScenario => ({
      ...ID,
      id: `server/session-id/of-${length}-bytes`,
      title: `an id of ${length} bytes`,
      clause: 'RFC 5246 §7.4.1.2, §7.2.2',
      reason:
        'An id has 32 bytes at most, and there are buffers that have no more. A field out of its range is answered with a fatal alert.',
      severity: 'must',
      expect: ['decode_error', 'illegal_parameter'],
      run: (bench) => offered(BY_ID.client(bench), bench.randomBytes(length)),
    }),
  ),
  {
    ...ID,
    id: 'server/session-id/of-tls13-ticket',
    title: 'a ticket of TLS 1.3 that is no longer than an id, as the id of a session',
    clause: 'RFC 5246 §7.4.1.3',
    reason: 'A server that keeps the sessions of both versions in one place has to tell them apart.',
    severity: 'observed',
    expect: ['full handshake'],
    run: async (bench) => {
      const tester = bench.client({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' });
      const id = ticketOf((await tester.sessions())[0]);
      if (id.length > 32) throw new NotRun('the ticket is longer than an id');
      return offered(BY_ID.client(bench), id);
    },
  },
  {
    ...ID,
    id: 'server/session-id/in-hello-of-tls11',
    title: 'the id of a session in a hello of TLS 1.1',
    clause: 'RFC 8996 §5',
    reason:
      'TLS 1.1 is not negotiated any more, for no session either: who receives such a hello answers protocol_version.',
    severity: 'must',
    expect: ['protocol_version'],
    run: async (bench) => {
      const tester = BY_ID.client(bench);
      const session = await resumable(BY_ID, tester);
      const edits = hello((draft) => {
        draft.legacyVersion = 0x0302;
      });
      return (await tester.visit({ sessions: [session], edits })).reaction;
    },
  },
  {
    ...ID,
    id: 'server/session-id/after-alert-of-server',
    title: 'the id of a session whose first connection ended by an alert of the server',
    clause: 'RFC 5246 §7.2.2',
    reason: 'A fatal alert ends the session, so that who tries keys has one attempt. Here a record did not open.',
    severity: 'must',
    expect: ['full handshake'],
    run: (bench) => afterFailure(bench, { faults: [faults.corrupt('application_data')] }, true),
  },
  {
    ...ID,
    id: 'server/session-id/after-alert-of-client',
    title: 'the id of a session whose first connection ended by an alert of the client',
    clause: 'RFC 5246 §7.2.2',
    reason: 'A fatal alert ends the session on both sides.',
    severity: 'must',
    expect: ['full handshake'],
    run: (bench) => afterFailure(bench, SENDS_ALERT),
  },
  {
    ...ID,
    id: 'server/session-id/after-alert-in-resumed',
    title: 'the id of a session after a fatal alert in a connection that had resumed it',
    clause: 'RFC 5246 §7.2.2',
    reason: 'The session ends with any of its connections that fails.',
    severity: 'must',
    expect: ['full handshake'],
    run: async (bench) => {
      const tester = BY_ID.client(bench);
      const session = await resumable(BY_ID, tester);
      requireResumed(await tester.visit({ ...SENDS_ALERT, sessions: [session] }));
      return (await tester.visit({ sessions: [session] })).reaction;
    },
  },
  {
    ...ID,
    id: 'server/session-id/after-wrong-finished',
    title: "the id of a handshake in which the client's Finished was wrong",
    clause: 'RFC 5246 §7.4.1.2, §7.2.2',
    reason: 'An id becomes valid with the exchange of Finished. Before that there is nobody whose session it would be.',
    severity: 'must',
    expect: ['full handshake'],
    run: async (bench) => {
      const tester = BY_ID.client(bench);
      await resumable(BY_ID, tester);
      const wrong = await tester.visit({ faults: [WRONG_FINISHED] });
      const { legacySessionIdEcho: id } = answerOf(wrong);
      if (id.length === 0) throw new NotRun('the server hands out no id');
      return offered(tester, id);
    },
  },
  {
    ...ID,
    id: 'server/session-id/after-unclean-end',
    title: 'the id of a session whose connection ended without close_notify',
    clause: 'RFC 5246 §7.2.1',
    reason: 'TLS 1.0 had such a session not be resumed, and since TLS 1.1 a server may do either.',
    severity: 'observed',
    expect: ['full handshake'],
    run: (bench) => afterFailure(bench, { faults: [faults.closeAt('application_data', { isBefore: true })] }),
  },
];
