/** The fields of the hello that TLS 1.3 keeps from before, beside a session: RFC 9846 §4.2.2, §4.3, Appendix E.4. */

import type { HelloDraft } from '../../../handshake/client/hello-draft.ts';
import { ExtensionType } from '../../../wire/registry.ts';
import type { ServerBench } from '../bench.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun, type Reaction } from '../visit.ts';
import { client, type Edit, extensionOf, first, TLS13 } from './tls13.ts';

/** Returns what the server makes of a hello with a session that is changed so. */
async function offered(bench: ServerBench, edit: Edit): Promise<Reaction> {
  const tester = client(bench);
  const sessions = await tester.sessions();
  return (await tester.visit({ sessions, edits: first(edit) })).reaction;
}

/** Has an extension stand in the hello twice. */
function twice(type: number): Edit {
  return (draft: HelloDraft) => {
    const data = extensionOf(draft, type);
    if (data === undefined) throw new NotRun('the hello has no such extension');
    draft.extensions?.unshift({ type, data });
  };
}

/** A change of a field of old. */
interface Field {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly reason: string;
  readonly expect: readonly Reaction[];
  readonly edit: (bench: ServerBench) => Edit;
}

const COMPRESSION = {
  clause: 'RFC 9846 §4.2.2',
  reason: 'TLS 1.3 has no compression. A list that says anything else than that is not of its client.',
} as const;
const ECHO = {
  clause: 'RFC 9846 §4.2.3',
  reason:
    'The server echoes the field as it is. Middleboxes and clients tell by the echo that the answer is to this hello.',
  expect: ['ignores'],
} as const;

const FIELDS: readonly Field[] = [
  ...[0, 1, 32].map(
    (length): Field => ({
      ...ECHO,
      id: `session-id-of-${length}`,
      title: `a session, and a legacy_session_id of ${length} byte${length === 1 ? '' : 's'}`,
      edit: (bench) => (draft) => {
        draft.legacySessionId = bench.randomBytes(length);
      },
    }),
  ),
  {
    id: 'session-id-of-33',
    title: 'a session, and a legacy_session_id of 33 bytes',
    clause: 'RFC 9846 §6, §4.2.2',
    reason: 'The field has at most 32 bytes, and so have the places that it is copied to.',
    expect: ['decode_error'],
    edit: (bench) => (draft) => {
      draft.legacySessionId = bench.randomBytes(33);
    },
  },
  {
    ...COMPRESSION,
    id: 'compression-none',
    title: 'a session, and no compression method',
    clause: 'RFC 9846 §6, §4.2.2',
    expect: ['decode_error', 'illegal_parameter'],
    edit: () => (draft) => {
      draft.legacyCompressionMethods = new Uint8Array(0);
    },
  },
  {
    ...COMPRESSION,
    id: 'compression-other',
    title: 'a session, and a compression method that is not null',
    expect: ['illegal_parameter'],
    edit: () => (draft) => {
      draft.legacyCompressionMethods = Uint8Array.of(1);
    },
  },
  {
    ...COMPRESSION,
    id: 'compression-two',
    title: 'a session, and DEFLATE beside the null compression',
    expect: ['illegal_parameter'],
    edit: () => (draft) => {
      draft.legacyCompressionMethods = Uint8Array.of(1, 0);
    },
  },
  ...[0x0301, 0x0304].map(
    (version): Field => ({
      id: `legacy-version-${version.toString(16).padStart(4, '0')}`,
      title: `a session, and a legacy_version of 0x${version.toString(16).padStart(4, '0')}`,
      clause: 'RFC 9846 §4.2.2',
      reason: 'In TLS 1.3 the field is 0x0303, and nothing else, so that no version is ever chosen by it.',
      expect: ['protocol_version'],
      edit: () => (draft) => {
        draft.legacyVersion = version;
      },
    }),
  ),
];

const TWICE = [
  'psk_key_exchange_modes',
  'supported_versions',
  'key_share',
  'server_name',
] as const satisfies readonly (keyof typeof ExtensionType)[];

export const serverHelloTls13: readonly ServerScenario[] = [
  ...FIELDS.map(
    ({ edit, id, ...field }): ServerScenario => ({
      ...TLS13,
      ...field,
      id: `server/hello/${id}`,
      severity: 'must',
      run: (bench) => offered(bench, edit(bench)),
    }),
  ),
  {
    ...TLS13,
    id: 'server/hello/pre-shared-key-twice',
    title: 'the extension pre_shared_key twice, the first with an identity that nobody has issued',
    clause: 'RFC 9846 §4.3.11, §4.3',
    reason:
      'It must be the last extension, which the first of the two is not. Its binder would be looked for in the other.',
    severity: 'must',
    expect: ['aborts'],
    run: (bench) =>
      offered(bench, (draft) => {
        const [identity, binder] = [bench.randomBytes(32), bench.randomBytes(32)];
        const data = Uint8Array.of(0, 38, 0, 32, ...identity, 0, 0, 0, 0, 0, 33, 32, ...binder);
        draft.extensions?.splice(-1, 0, { type: ExtensionType.pre_shared_key, data });
      }),
  },
  ...TWICE.map(
    (name): ServerScenario => ({
      ...TLS13,
      id: `server/hello/${name.replaceAll('_', '-')}-twice`,
      title: `a session, and the extension ${name} twice`,
      clause: 'RFC 9846 §4.3',
      reason: 'There must not be two of one type. Which of them counts, two implementations may answer in two ways.',
      severity: 'should',
      expect: ['aborts'],
      run: async (bench) => {
        if (name === 'server_name') bench.need('server-name');
        return offered(bench, twice(ExtensionType[name]));
      },
    }),
  ),
  {
    ...TLS13,
    id: 'server/hello/change-cipher-spec-answered',
    title: 'a session, and a legacy_session_id that asks for the looks of TLS 1.2',
    clause: 'RFC 9846 Appendix E.4',
    reason:
      'A server whose client sends a session id must send a ChangeCipherSpec, so that middleboxes let the rest pass.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const tester = client(bench);
      const visit = await tester.visit({ sessions: await tester.sessions() });
      if (!visit.hasData) return visit.reaction;
      const isThere = visit.facts.trace.entries.some(
        (entry) => entry.kind === 'record' && entry.direction === 'received' && entry.type === 'change_cipher_spec',
      );
      return isThere ? 'conforms' : 'differs: it sends no ChangeCipherSpec';
    },
  },
];
