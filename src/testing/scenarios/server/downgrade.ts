/** How a server of TLS 1.3 shows that it has not been led to TLS 1.2 by somebody between: RFC 9846 §4.2.3, RFC 7507. */

import { DOWNGRADE_TO_TLS12 } from '../../../handshake/messages/server-hello.ts';
import { equalBytes } from '../../../wire/bytes.ts';
import { CipherSuite } from '../../../wire/registry.ts';
import type { ServerScenario } from '../scenario.ts';
import type { Reaction, Visit } from '../visit.ts';
import { answerOf, bothWays, hello, needTls13, requireResumed, resumable, TLS12 } from './tls12.ts';

const FALLEN_BACK = hello(({ cipherSuites }) => void cipherSuites.push(CipherSuite.TLS_FALLBACK_SCSV));

function hasSentinel(visit: Visit): Reaction {
  const end = answerOf(visit).random.subarray(24);
  return equalBytes(end, DOWNGRADE_TO_TLS12) ? 'conforms' : 'differs: the random does not end in DOWNGRD and 1';
}

export const serverDowngrade: readonly ServerScenario[] = [
  {
    ...TLS12,
    id: 'server/downgrade/sentinel',
    title: 'a hello of TLS 1.2, to a server that speaks TLS 1.3',
    clause: 'RFC 9846 §4.2.3',
    reason: 'The end of its random tells a client of TLS 1.3 that somebody has changed its hello.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      await needTls13(bench);
      return hasSentinel(await bench.client().visit());
    },
  },
  ...bothWays((way) => ({
    ...TLS12,
    mechanism: way.mechanism,
    id: `server/${way.topic}/downgrade-sentinel`,
    title: 'a session of TLS 1.2, to a server that speaks TLS 1.3',
    clause: 'RFC 9846 §4.2.3',
    reason: 'A session that was made in TLS 1.2 does not say that its client speaks nothing else.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      await needTls13(bench);
      const tester = way.client(bench);
      const visit = await tester.visit({ sessions: [await resumable(way, tester)] });
      requireResumed(visit);
      return hasSentinel(visit);
    },
  })),
  {
    ...TLS12,
    id: 'server/downgrade/fallback',
    title: 'TLS_FALLBACK_SCSV in a hello of TLS 1.2, to a server that speaks TLS 1.3',
    clause: 'RFC 7507 §3',
    reason: 'The client has tried a higher version, and somebody has kept it from the server.',
    severity: 'must',
    expect: ['inappropriate_fallback'],
    run: async (bench) => {
      await needTls13(bench);
      return (await bench.client().visit({ edits: FALLEN_BACK })).reaction;
    },
  },
  ...bothWays((way) => ({
    ...TLS12,
    mechanism: way.mechanism,
    id: `server/${way.topic}/fallback`,
    title: 'TLS_FALLBACK_SCSV and a session, to a server that speaks TLS 1.3',
    clause: 'RFC 7507 §3',
    reason: 'That there is a session does not make the fallback any better.',
    severity: 'must',
    expect: ['inappropriate_fallback'],
    run: async (bench) => {
      await needTls13(bench);
      const tester = way.client(bench);
      const session = await resumable(way, tester);
      return (await tester.visit({ sessions: [session], edits: FALLEN_BACK })).reaction;
    },
  })),
  {
    ...TLS12,
    versions: ['TLSv1.3'],
    id: 'server/downgrade/fallback-at-highest',
    title: 'TLS_FALLBACK_SCSV in a hello of TLS 1.3',
    clause: 'RFC 7507 §3',
    reason: 'There is no higher version that the server has, so the suite means nothing.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => (await bench.client().visit({ edits: FALLEN_BACK })).reaction,
  },
];
