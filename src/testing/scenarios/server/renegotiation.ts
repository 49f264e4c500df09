/** Secure renegotiation, as far as it concerns first handshakes, and a renegotiation that would resume: RFC 5746. */

import { CipherSuite, ContentType, ExtensionType } from '../../../wire/registry.ts';
import { inFrontOf } from '../record-faults.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun, type Reaction, type Visit } from '../visit.ts';
import {
  answerOf,
  bothWays,
  type Edit,
  hello,
  requireResumed,
  resumable,
  TLS12,
  withExtension,
  without,
} from './tls12.ts';

/** What a client sends in a renegotiation: the verify_data of its last Finished. */
const NOT_EMPTY = hello(withExtension(ExtensionType.renegotiation_info, new Uint8Array(13).fill(12, 0, 1)));

const withScsv: Edit = ({ cipherSuites }) => void cipherSuites.push(CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV);
const WITHOUT_INFO = hello(without(ExtensionType.renegotiation_info));
const SCSV_ALONE = hello(without(ExtensionType.renegotiation_info), withScsv);

function hasAnswered(visit: Visit): Reaction {
  const answer = answerOf(visit).extensions['renegotiationInfo'];
  if (answer === undefined) return 'differs: no renegotiation_info';
  return answer instanceof Uint8Array && answer.length === 0 ? 'conforms' : 'differs: renegotiation_info is not empty';
}

export const serverRenegotiation: readonly ServerScenario[] = [
  {
    ...TLS12,
    id: 'server/renegotiation/info-not-empty',
    title: 'a first hello with a renegotiation_info that is not empty',
    clause: 'RFC 5746 §3.6',
    reason: 'Somebody between has spliced the renegotiation of a client to a connection of their own.',
    severity: 'must',
    expect: ['aborts'],
    run: async (bench) => (await bench.client().visit({ edits: NOT_EMPTY })).reaction,
  },
  ...bothWays((way) => ({
    ...TLS12,
    mechanism: way.mechanism,
    id: `server/${way.topic}/renegotiation-info-not-empty`,
    title: 'a session in a first hello with a renegotiation_info that is not empty',
    clause: 'RFC 5746 §3.6',
    reason: 'The rule is for every first handshake, and an abbreviated one is no exception.',
    severity: 'must',
    expect: ['aborts'],
    run: async (bench) => {
      const tester = way.client(bench);
      const session = await resumable(way, tester);
      return (await tester.visit({ sessions: [session], edits: NOT_EMPTY })).reaction;
    },
  })),
  {
    ...TLS12,
    id: 'server/renegotiation/signalling-suite',
    title: 'a hello with TLS_EMPTY_RENEGOTIATION_INFO_SCSV and no renegotiation_info',
    clause: 'RFC 5746 §3.6',
    reason: 'The server must answer the suite by an empty renegotiation_info, as it does the extension.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => hasAnswered(await bench.client().visit({ edits: SCSV_ALONE })),
  },
  ...bothWays((way) => ({
    ...TLS12,
    mechanism: way.mechanism,
    id: `server/${way.topic}/renegotiation-info-answered`,
    title: 'a session in a hello with an empty renegotiation_info',
    clause: 'RFC 5746 §3.6',
    reason: 'The answer is of the connection, not of the session: clients abort without it.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const tester = way.client(bench);
      const visit = await tester.visit({ sessions: [await resumable(way, tester)] });
      requireResumed(visit);
      return hasAnswered(visit);
    },
  })),
  {
    ...TLS12,
    id: 'server/renegotiation/unsignalled',
    title: 'a hello with neither renegotiation_info nor the signalling suite',
    clause: 'RFC 5246 §7.4.1.4',
    reason:
      'An extension must not be answered that was not sent. The server may also refuse such a client (RFC 5746 §4.3).',
    severity: 'must',
    expect: ['full handshake', 'handshake_failure'],
    run: async (bench) => (await bench.client().visit({ edits: WITHOUT_INFO })).reaction,
  },
  ...bothWays((way) => ({
    ...TLS12,
    mechanism: way.mechanism,
    id: `server/${way.topic}/renegotiation-refused`,
    title: 'the hello of a resumed connection, once more before the first data',
    clause: 'RFC 5746 §3.7',
    reason:
      'Its renegotiation_info lacks the verify_data of the connection, so that it must not be taken: a warning no_renegotiation refuses it, or an alert that is fatal.',
    severity: 'must',
    expect: ['resumes', 'aborts'],
    run: async (bench) => {
      const tester = way.client(bench);
      const session = await resumable(way, tester);
      let first: Uint8Array | undefined;
      const bytes = (raw: Uint8Array) => {
        first = raw;
        return raw;
      };
      const again = inFrontOf('application_data', (seal) => {
        if (first === undefined) throw new NotRun('there was no hello');
        return [seal(ContentType.handshake, first)];
      });
      return (await tester.visit({ sessions: [session], edits: { bytes }, faults: [again] })).reaction;
    },
  })),
];
