/** What a client of TLS 1.2 makes of the ServerHello that answers its session id: RFC 5246 §7.4.1.3, RFC 7627 §5.3. */

import type { Fault } from '../../../engine/fault.ts';
import { Session } from '../../../sessions/session.ts';
import { concat, EMPTY, utf8 } from '../../../wire/bytes.ts';
import { MESSAGE_HEADER } from '../../../wire/handshake-buffer.ts';
import { CipherSuite, ExtensionType } from '../../../wire/registry.ts';
import { framed } from '../../extension-block.ts';
import { faults } from '../../faults.ts';
import type { ClientBench, TesterServer } from '../bench.ts';
import type { ClientScenario } from '../scenario.ts';
import { NotRun, type Reaction, type Visit } from '../visit.ts';
import { given, Heard, notOffered, type Offered, offered, offers, resume, serverOf, unawareOf } from './tls12.ts';

const TLS12 = { side: 'client', versions: ['TLSv1.2'], mechanism: 'session-id' } as const;

interface HelloFields {
  readonly legacyVersion: number;
  readonly legacySessionIdEcho: Uint8Array;
  readonly cipherSuite: number;
  readonly legacyCompressionMethod: number;
}

const hello = (edit: (fields: HelloFields) => Partial<HelloFields>): Fault =>
  faults.change<HelloFields>('server_hello', (fields) => ({ ...fields, ...edit(fields) }));

const extension = (type: number, data: Uint8Array | undefined): Fault => faults.extension('server_hello', type, data);

/** Puts one byte more into the session id of a ServerHello, which then has 33. */
const idOf33: Fault = faults.raw(
  'server_hello',
  (raw) => {
    const at = MESSAGE_HEADER + 34;
    const id = raw.subarray(at + 1, at + 1 + (raw[at] ?? 0));
    const longer = concat(Uint8Array.of(33), id, new Uint8Array(33 - id.length));
    return framed(raw[0] ?? 0, concat(raw.subarray(MESSAGE_HEADER, at), longer, raw.subarray(at + 1 + id.length)));
  },
  { isHashed: true },
);

/** Has the client resume by an id, with one fault in ServerHello. */
const answered =
  (...wrong: readonly Fault[]) =>
  async (bench: ClientBench): Promise<Reaction> =>
    (await resume(bench, 'session-id', wrong)).reaction;

/** The suite that the tester's server has selected. */
function suiteOf(visit: Visit | undefined): number {
  const sent = visit?.facts.trace.messages.find(({ name }) => name === 'server_hello');
  const { cipherSuite = 0 } = Object(sent?.fields) as Partial<HelloFields>;
  return cipherSuite;
}

const OTHER_SUITE: ReadonlyMap<number, number> = new Map([
  [CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384],
  [CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
  [CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384],
  [CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],
]);

/** A server whose store says that each session was made under another suite. */
function underAnotherSuite(bench: ClientBench): TesterServer {
  const store = new Map<string, Session>();
  const onNew = (session: Session): void => {
    const cipherSuite = OTHER_SUITE.get(session.cipherSuite) ?? session.cipherSuite;
    store.set(session.id.join(), new Session({ ...session.parameters(), cipherSuite }));
  };
  return bench.server({ sessions: { cache: false, onNew, onGet: (id) => store.get(id.join()) } });
}

export const sessionIds: readonly ClientScenario[] = [
  {
    ...TLS12,
    id: 'client/session-id/resumed',
    title: 'a session that the server has given an id',
    clause: 'RFC 5246 §7.4.1.2',
    reason: 'No client has to resume. What the other scenarios ask can be asked of one that does.',
    severity: 'observed',
    expect: ['resumes'],
    run: async (bench) => {
      bench.need('resume');
      const server = serverOf(bench, 'session-id');
      given(await server.hand(), 'session-id');
      return (await server.accept()).reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/echo-truncated',
    title: 'ServerHello resumes with the first 31 bytes of the id',
    clause: 'RFC 5246 §7.4.1.3, §7.4',
    reason: 'Another id is that of a new session: the certificate has to follow, and ChangeCipherSpec is out of order.',
    severity: 'must',
    expect: ['aborts'],
    run: answered(hello(({ legacySessionIdEcho: id }) => ({ legacySessionIdEcho: id.subarray(0, -1) }))),
  },
  {
    ...TLS12,
    id: 'client/session-id/echo-other',
    title: 'ServerHello resumes with another id than that of the hello',
    clause: 'RFC 5246 §7.4.1.3, §7.4',
    reason: 'Another id is that of a new session: the certificate has to follow, and ChangeCipherSpec is out of order.',
    severity: 'must',
    expect: ['aborts'],
    run: answered(hello(({ legacySessionIdEcho: id }) => ({ legacySessionIdEcho: id.map((byte) => byte ^ 0xff) }))),
  },
  {
    ...TLS12,
    id: 'client/session-id/echo-empty',
    title: 'ServerHello resumes without an id',
    clause: 'RFC 5246 §7.4.1.3, §7.4',
    reason:
      'Without an id the session is a new one: the certificate has to follow, and ChangeCipherSpec is out of order.',
    severity: 'must',
    expect: ['aborts'],
    run: answered(hello(() => ({ legacySessionIdEcho: EMPTY }))),
  },
  {
    ...TLS12,
    id: 'client/session-id/echo-of-33-bytes',
    title: 'ServerHello resumes with an id of 33 bytes, the first 32 of which are right',
    clause: 'RFC 5246 §7.4.1.2, §7.2.2',
    reason:
      'A session id has 32 bytes at most, and a field out of its range is answered with a fatal alert. A client that copies more overwrites what lies behind its buffer.',
    severity: 'must',
    expect: ['decode_error', 'illegal_parameter'],
    run: answered(idOf33),
  },
  {
    ...TLS12,
    id: 'client/session-id/echo-unasked',
    title: 'ServerHello echoes the id of a hello that offers no session, and a full handshake follows',
    clause: 'RFC 5246 §7.4.1.3',
    reason:
      'A hello that offers TLS 1.3 has an id for the sake of middleboxes. Its echo says that a session is resumed, and there is none. No text says what a client is to make of that.',
    mechanism: 'none',
    severity: 'observed',
    expect: ['aborts'],
    run: async (bench) => {
      const heard = new Heard();
      const echo = hello(() => ({ legacySessionIdEcho: heard.offered?.id ?? EMPTY }));
      const visit = await bench.server().accept({ resumes: false, faults: [heard.fault, echo] });
      if (offered(visit).id.length === 0) throw new NotRun('the hello has no session id');
      return visit.reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/certificate-after-echo',
    title: 'ServerHello echoes the id of the session, and the server sends its certificate',
    clause: 'RFC 5246 §7.4.1.3, §7.4',
    reason: 'The echo says that the session is resumed: Finished has to follow, and a certificate is out of order.',
    severity: 'must',
    expect: ['aborts'],
    run: async (bench) => {
      bench.need('resume');
      const first = await bench.server().hand();
      const id = given(first, 'session-id');
      const visit = await bench.server().accept({ faults: [hello(() => ({ legacySessionIdEcho: id }))] });
      if (!offers(visit, 'session-id', id)) throw new NotRun('the client does not offer its session-id');
      return visit.reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/suite-changed',
    title: 'the server resumes under another cipher suite than that of the session',
    clause: 'RFC 5246 §7.4.1.3',
    reason: 'A session is resumed under its own suite: who sits between could lead both sides to a weaker one.',
    severity: 'should',
    expect: ['aborts'],
    run: async (bench) => {
      const { reaction } = await resume(bench, 'session-id', [], { server: underAnotherSuite(bench) });
      if (!OTHER_SUITE.has(suiteOf(bench.visits[0]))) throw new NotRun('the suite of the client has no other');
      if (reaction === 'full handshake') throw new NotRun('the client does not offer the other suite');
      return reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/suite-not-offered',
    title: 'ServerHello resumes with a cipher suite that was not offered',
    clause: 'RFC 5246 §7.4.1.3',
    reason: 'The suite of a resumption is that of the session, and one of the hello.',
    severity: 'should',
    expect: ['illegal_parameter', 'handshake_failure', 'closes'],
    run: answered(hello(() => ({ cipherSuite: 0xc0ff }))),
  },
  {
    ...TLS12,
    id: 'client/session-id/version-changed',
    title: 'ServerHello resumes with version TLS 1.1',
    clause: 'RFC 5246 Appendix E.1',
    reason:
      'A client that does not take a version ends the connection; one that does has a session of another version.',
    severity: 'must',
    expect: ['aborts'],
    run: answered(hello(() => ({ legacyVersion: 0x0302 }))),
  },
  {
    ...TLS12,
    id: 'client/session-id/compression-changed',
    title: 'ServerHello resumes with compression, which was not offered',
    clause: 'RFC 5246 §7.4.1.3',
    reason: 'The method of a resumption is that of the session, and one of the hello.',
    severity: 'should',
    expect: ['aborts'],
    run: answered(hello(() => ({ legacyCompressionMethod: 1 }))),
  },
  {
    ...TLS12,
    id: 'client/session-id/extended-master-secret-dropped',
    title: 'ServerHello resumes without extended_master_secret, which the session has',
    clause: 'RFC 7627 §5.3, §5.2',
    reason:
      'Without the extension the keys are not bound to the handshake: the triple handshake attack is possible again.',
    severity: 'must',
    expect: ['handshake_failure'],
    run: async (bench) => {
      const visit = await resume(bench, 'session-id', [extension(ExtensionType.extended_master_secret, undefined)]);
      if (!offered(visit).extensions.has(ExtensionType.extended_master_secret))
        throw new NotRun('the client does not offer extended_master_secret');
      return visit.reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/extended-master-secret-added',
    title: 'ServerHello resumes with extended_master_secret, which the session has not',
    clause: 'RFC 7627 §5.3, §5.2',
    reason: 'The extension would claim what the master secret of the session is not: bound to its handshake.',
    severity: 'must',
    expect: ['handshake_failure', 'conforms'],
    run: async (bench) => {
      bench.need('resume');
      const { extended_master_secret } = ExtensionType;
      const server = bench.server();
      const first = await server.hand({ faults: [unawareOf(extended_master_secret)] });
      if (!offered(first).extensions.has(extended_master_secret))
        throw new NotRun('the client does not offer extended_master_secret');
      const added = [unawareOf(extended_master_secret), extension(extended_master_secret, EMPTY)];
      const visit = await server.accept({ faults: added });
      const isOffered = offers(visit, 'session-id', given(first, 'session-id'));
      return isOffered ? visit.reaction : 'conforms'; // it should not offer such a session at all
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/extended-master-secret-neither',
    title: 'the hello behind a session without the extended master secret',
    clause: 'RFC 7627 §5.3',
    reason:
      'A client should offer a full handshake instead: the secret of such a session may be that of another as well.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('session-store');
      const server = bench.server();
      const first = await server.hand({ faults: [unawareOf(ExtensionType.extended_master_secret)] });
      return notOffered(await server.accept(), 'session-id', given(first, 'session-id'));
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/extended-master-secret-not-offered',
    title: 'the hello that offers a session has extended_master_secret',
    clause: 'RFC 7627 §5.3',
    reason:
      'A client that offers a session which has the extension must send it again, or the server ends the handshake.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const server = serverOf(bench, 'session-id');
      const again = await resume(bench, 'session-id', [], { server });
      const { extended_master_secret } = ExtensionType;
      const [first] = bench.visits;
      if (first === undefined || !offered(first).extensions.has(extended_master_secret))
        throw new NotRun('the client does not offer extended_master_secret');
      return offered(again).extensions.has(extended_master_secret) ? 'conforms' : 'differs: it is not there';
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/suite-of-the-session-not-offered',
    title: 'the hello that offers a session has the cipher suite of the session',
    clause: 'RFC 5246 §7.4.1.2',
    reason: 'A server resumes under the suite of the session, or not at all.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const again = await resume(bench, 'session-id', []);
      const own = suiteOf(bench.visits[0]);
      return [...offered(again).hello.cipherSuites].some((suite) => suite === own)
        ? 'conforms'
        : 'differs: the suite is not offered';
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/hello-without-server-name',
    title: 'the hello that offers a session has the server_name of the first',
    clause: 'RFC 5246 §7.4.1.4',
    reason:
      'A client does not know whether the server will resume, so it should send the extensions of a full handshake; without a name it would reach another host.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('server-name');
      const again = await resume(bench, 'session-id', []);
      return offered(again).extensions.has(ExtensionType.server_name) ? 'conforms' : 'differs: it is not there';
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/renegotiation-info-not-empty',
    title: 'ServerHello resumes with a renegotiation_info that is not empty',
    clause: 'RFC 5746 §3.4',
    reason: 'In a first handshake, be it a resumption, there is nothing before that it could be bound to.',
    severity: 'must',
    expect: ['handshake_failure'],
    run: answered(extension(ExtensionType.renegotiation_info, Uint8Array.of(12, ...new Uint8Array(12)))),
  },
  {
    ...TLS12,
    id: 'client/session-id/renegotiation-info-dropped',
    title: 'ServerHello resumes without renegotiation_info',
    clause: 'RFC 5746 §3.4',
    reason: 'There are servers that leave it out when they resume. A client may go on, or end the handshake.',
    severity: 'observed',
    expect: ['resumes', 'handshake_failure'],
    run: answered(extension(ExtensionType.renegotiation_info, undefined)),
  },
  {
    ...TLS12,
    id: 'client/session-id/server-name-acknowledged',
    title: 'ServerHello resumes with server_name',
    clause: 'RFC 6066 §3',
    reason: 'A server must not acknowledge the name when it resumes. What a client makes of it is left open.',
    severity: 'observed',
    expect: ['resumes'],
    run: async (bench) => {
      bench.need('server-name');
      return (await resume(bench, 'session-id', [extension(ExtensionType.server_name, EMPTY)])).reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/application-protocol-changed',
    title: 'ServerHello resumes with another application protocol than the first handshake',
    clause: 'RFC 7301 §3.1',
    reason: 'The protocol is one of the connection, not of the session: only the new answer counts.',
    severity: 'should',
    expect: ['resumes'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server();
      const first = await server.hand({ faults: protocol(0) });
      if (protocolsIn(offered(first)).length < 2)
        throw new NotRun('the client does not offer two application protocols');
      const visit = await server.accept({ faults: protocol(-1) });
      if (!offers(visit, 'session-id', given(first, 'session-id')))
        throw new NotRun('the client does not offer its session-id');
      return visit.reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/fragment-length-changed',
    title: 'ServerHello resumes with another max_fragment_length than was asked for',
    clause: 'RFC 6066 §4',
    reason:
      'The length holds for the session and its resumptions. A longer one is more than the client has memory for.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const other = faults.extension('server_hello', ExtensionType.max_fragment_length, (present) =>
        Uint8Array.of(present?.[0] === 3 ? 2 : 3),
      );
      const visit = await resume(bench, 'session-id', [other]);
      const asked = offered(visit).extensions.get(ExtensionType.max_fragment_length);
      if (asked === undefined) throw new NotRun('the client does not ask for max_fragment_length');
      return visit.reaction;
    },
  },
];

function protocolsIn({ hello: { extensions } }: Offered): readonly string[] {
  return [...(extensions.alpn ?? [])];
}

/** Answers with one of the application protocols of the hello: the first, or the last. */
function protocol(at: 0 | -1): readonly Fault[] {
  const heard = new Heard();
  const answer = faults.extension('server_hello', ExtensionType.application_layer_protocol_negotiation, () => {
    const name = heard.offered && protocolsIn(heard.offered).at(at);
    if (name === undefined) return undefined;
    const bytes = utf8(name);
    return concat(Uint8Array.of(0, bytes.length + 1, bytes.length), bytes);
  });
  return [heard.fault, answer];
}
