/** What a session of TLS 1.2 has to agree in with the hello that offers it, by whichever way: RFC 5246 §7.4.1, 6066, 7301, 7627. */

import { ExtensionType } from '../../../wire/registry.ts';
import type { TesterClient } from '../bench.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun } from '../visit.ts';
import { answerOf, bothWays, hello, requireResumed, resumable, TLS12, without } from './tls12.ts';

const EXTENDED_MASTER_SECRET = without(ExtensionType.extended_master_secret);

const names = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/another-name`,
  title: 'a session with a server name that is not its own',
  clause: 'RFC 6066 §3',
  reason: 'Each name may have other rules: a client that one host knows would be taken for known at another.',
  severity: 'must',
  expect: ['full handshake', 'unrecognized_name'],
  run: async (bench) => {
    bench.need('server-name');
    const tester = way.client(bench);
    const session = await resumable(way, tester);
    return (await tester.visit({ sessions: [session], serverName: 'other.example' })).reaction;
  },
}));

const namesLeftOut = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/name-left-out`,
  title: 'a session that has a server name, in a hello without any',
  clause: 'RFC 6066 §3',
  reason:
    'The text speaks of another name. Who can leave the name out of a hello reaches the host that is the default.',
  severity: 'observed',
  expect: ['full handshake'],
  run: async (bench) => {
    bench.need('server-name');
    const tester = way.client(bench);
    const session = await resumable(way, tester);
    const edits = hello(without(ExtensionType.server_name));
    return (await tester.visit({ sessions: [session], edits })).reaction;
  },
}));

const namesInCapitals = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/name-in-capitals`,
  title: 'a session with its own server name in capital letters',
  clause: 'RFC 6066 §3',
  reason: 'Names of hosts are the same in any case. A server need not resume, and most clients write small letters.',
  severity: 'observed',
  expect: ['resumes'],
  run: async (bench) => {
    bench.need('server-name');
    const tester = way.client(bench);
    const session = await resumable(way, tester);
    const serverName = bench.peer.serverName?.toUpperCase();
    return (await tester.visit({ sessions: [session], serverName })).reaction;
  },
}));

const namesUnanswered = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/name-unanswered`,
  title: 'a session with its own server name',
  clause: 'RFC 6066 §3',
  reason: 'When it resumes, the server must not answer server_name: the name is that of the session.',
  severity: 'must',
  expect: ['conforms'],
  run: async (bench) => {
    bench.need('server-name');
    const tester = way.client(bench);
    const visit = await tester.visit({ sessions: [await resumable(way, tester)] });
    requireResumed(visit);
    return 'serverName' in answerOf(visit).extensions ? 'differs: it answers server_name' : 'conforms';
  },
}));

const suitesLeftOut = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/suite-not-offered`,
  title: 'a session whose cipher suite is not in the hello',
  clause: 'RFC 5246 §7.4.1.3',
  reason:
    'A session is resumed under its own suite or not at all, and a suite is selected from the list of the client.',
  severity: 'should',
  expect: ['full handshake', 'aborts'],
  run: async (bench) => {
    const tester = way.client(bench);
    const session = await resumable(way, tester);
    const edits = hello((draft) => {
      draft.cipherSuites = draft.cipherSuites.filter((suite) => suite !== session.cipherSuite);
    });
    return (await tester.visit({ sessions: [session], edits })).reaction;
  },
}));

const suitesLast = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/suite-offered-last`,
  title: 'a session whose cipher suite is the last in the hello, behind one that the server prefers',
  clause: 'RFC 5246 §7.4.1.3',
  reason: 'What both sides prefer now does not count: a session is resumed under the suite that it was made with.',
  severity: 'should',
  expect: ['ignores'],
  run: async (bench) => {
    const preferred = answerOf(await way.client(bench).visit()).cipherSuite;
    const isAnother = hello((draft) => {
      draft.cipherSuites = draft.cipherSuites.filter((suite) => suite !== preferred);
    });
    const isLast = hello((draft) => {
      const others = draft.cipherSuites.filter((suite) => suite !== session.cipherSuite);
      draft.cipherSuites = [preferred, ...others.filter((suite) => suite !== preferred), session.cipherSuite];
    });
    const tester = way.client(bench);
    const session = await resumable(way, tester, { edits: isAnother });
    return (await tester.visit({ sessions: [session], edits: isLast })).reaction;
  },
}));

const secretsDropped = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/extended-master-secret-dropped`,
  title: 'a session with the extended master secret, in a hello without the extension',
  clause: 'RFC 7627 §5.3',
  reason: 'Somebody between may have taken the extension away. To abort is to send a fatal handshake_failure (§5.2).',
  severity: 'must',
  expect: ['handshake_failure'],
  run: async (bench) => {
    const tester = way.client(bench);
    const session = await resumable(way, tester);
    if (!session.extendedMasterSecret) throw new NotRun('the server does not have the extended master secret');
    const edits = hello(EXTENDED_MASTER_SECRET);
    return (await tester.visit({ sessions: [session], edits })).reaction;
  },
}));

const secretsAdded = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/extended-master-secret-added`,
  title: 'a session without the extended master secret, in a hello with the extension',
  clause: 'RFC 7627 §5.3',
  reason:
    'The old secret is bound to no handshake, so that two connections may share it. The server must not resume, and should go on in full.',
  severity: 'must',
  expect: ['full handshake', 'aborts'],
  run: async (bench) => {
    const tester = way.client(bench);
    await resumable(way, tester);
    const session = await way.session(tester, { edits: hello(EXTENDED_MASTER_SECRET) });
    const visit = await tester.visit();
    if (answerOf(visit).extensions['extendedMasterSecret'] !== true)
      throw new NotRun('the server does not have the extended master secret');
    return (await tester.visit({ sessions: [session] })).reaction;
  },
}));

const secretsNeither = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/extended-master-secret-neither`,
  title: 'a session without the extended master secret, in a hello without the extension',
  clause: 'RFC 7627 §5.3',
  reason:
    'A server should abort, or may resume for the sake of old clients: which of them it does is a choice of its owner.',
  severity: 'observed',
  expect: ['handshake_failure', 'resumes'],
  run: async (bench) => {
    const tester = way.client(bench);
    await resumable(way, tester);
    const edits = hello(EXTENDED_MASTER_SECRET);
    const session = await way.session(tester, { edits });
    return (await tester.visit({ sessions: [session], edits })).reaction;
  },
}));

const secretsBoth = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/extended-master-secret-both`,
  title: 'a session with the extended master secret, in a hello with the extension',
  clause: 'RFC 7627 §5.3',
  reason: 'A server that goes on must answer the extension, on resumption as well: clients abort without it.',
  severity: 'must',
  expect: ['conforms'],
  run: async (bench) => {
    const tester = way.client(bench);
    const session = await way.session(tester);
    if (!session.extendedMasterSecret) throw new NotRun('the server does not have the extended master secret');
    const { extensions } = answerOf(await tester.visit({ sessions: [session] }));
    return extensions['extendedMasterSecret'] === true ? 'conforms' : 'differs: no extended_master_secret';
  },
}));

/** What the server answers when it is first asked for h2, and then for `alpn`. */
const PROTOCOLS = [
  { id: 'another-protocol', title: 'another application protocol than that of the session', alpn: ['http/1.1'] },
  { id: 'protocol-left-out', title: 'no application protocol, unlike the session', alpn: [] },
] as const;

const protocols = PROTOCOLS.flatMap(({ id, title, alpn }) =>
  bothWays((way) => ({
    ...TLS12,
    mechanism: way.mechanism,
    id: `server/${way.topic}/${id}`,
    title,
    clause: 'RFC 7301 §3.1',
    reason: 'The protocol is of the connection, not of the session: only what the new hello offers is considered.',
    severity: 'should',
    expect: ['ignores', 'no_application_protocol'],
    run: async (bench) => {
      const first = way.client(bench, { alpn: ['h2'] });
      const session = await resumable(way, first);
      if (session.alpnProtocol !== 'h2') throw new NotRun('the server does not select h2');
      return (await way.client(bench, { alpn }).visit({ sessions: [session] })).reaction;
    },
  })),
);

/** @throws NotRun if the server does not answer the length that the client asks for */
async function needFragmentLength(tester: TesterClient): Promise<void> {
  if (answerOf(await tester.visit()).extensions['maxFragmentLength'] === undefined)
    throw new NotRun('the server does not answer max_fragment_length');
}

const fragments = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/another-fragment-length`,
  title: 'a session with fragments of 512 bytes, in a hello that asks for 1024',
  clause: 'RFC 6066 §1.1',
  reason:
    'A server that resumes must ignore what is asked for, and answer nothing: the length of the session holds. It may also decline.',
  severity: 'must',
  expect: ['ignores', 'aborts'],
  run: async (bench) => {
    const first = way.client(bench, { maxFragmentLength: 512 });
    await needFragmentLength(first);
    const session = await resumable(way, first);
    const visit = await way.client(bench, { maxFragmentLength: 1024 }).visit({ sessions: [session] });
    const isAnswered = visit.isResumed && 'maxFragmentLength' in answerOf(visit).extensions;
    return isAnswered ? 'differs: it answers max_fragment_length' : visit.reaction;
  },
}));

const fragmentsUnanswered = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/fragment-length-unanswered`,
  title: 'a session with fragments of 512 bytes, in a hello that asks for the same',
  clause: 'RFC 6066 §1.1',
  reason: 'A ServerHello that resumes must not answer the extension: what was negotiated with the session holds.',
  severity: 'must',
  expect: ['conforms'],
  run: async (bench) => {
    const tester = way.client(bench, { maxFragmentLength: 512 });
    await needFragmentLength(tester);
    const visit = await tester.visit({ sessions: [await resumable(way, tester)] });
    requireResumed(visit);
    return 'maxFragmentLength' in answerOf(visit).extensions ? 'differs: it answers max_fragment_length' : 'conforms';
  },
}));

const unknownSuites = bothWays((way) => ({
  ...TLS12,
  mechanism: way.mechanism,
  id: `server/${way.topic}/unknown-suites`,
  title: 'a session, and cipher suites and extensions of numbers that are reserved for nobody',
  clause: 'RFC 5246 §7.4.1.2, RFC 8701 §3',
  reason: 'What is unknown must be ignored, on resumption as well, or nothing new can ever be offered.',
  severity: 'must',
  expect: ['ignores'],
  run: async (bench) => {
    const tester = way.client(bench);
    const session = await resumable(way, tester);
    const edits = hello((draft) => {
      draft.cipherSuites.unshift(0x1a1a);
      draft.extensions?.unshift({ type: 0x2a2a, data: Uint8Array.of(1) });
    });
    return (await tester.visit({ sessions: [session], edits })).reaction;
  },
}));

export const serverSessionRulesTls12: readonly ServerScenario[] = [
  ...names,
  ...namesLeftOut,
  ...namesInCapitals,
  ...namesUnanswered,
  ...suitesLeftOut,
  ...suitesLast,
  ...secretsDropped,
  ...secretsAdded,
  ...secretsNeither,
  ...secretsBoth,
  ...protocols,
  ...fragments,
  ...fragmentsUnanswered,
  ...unknownSuites,
];
