/** A session in a handshake with a HelloRetryRequest, and what the second hello may change: RFC 9846 §4.2.2, §4.2.4. */

import type { DraftPsk } from '../../../handshake/client/hello-draft.ts';
import { concat, utf8 } from '../../../wire/bytes.ts';
import { ExtensionType, NamedGroup } from '../../../wire/registry.ts';
import type { ServerBench } from '../bench.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun, type Reaction } from '../visit.ts';
import { client, type Edit, extensionOf, onlyPsk, placesOf, second, setExtension, TLS13, unknownPsk } from './tls13.ts';

/** A client whose first hello has no share. */
function retried(bench: ServerBench) {
  return client(bench, { groups: ['x25519', 'secp256r1'], keyShares: [] });
}

type Options = Parameters<ReturnType<typeof retried>['visit']>[0];

/** Returns what the server makes of a fault, once it has resumed after a HelloRetryRequest. */
async function afterRetry(bench: ServerBench, fault: Options): Promise<Reaction> {
  const tester = retried(bench);
  const [one, other] = await client(bench).sessions(2);
  const control = await tester.visit({ sessions: [one] });
  if (control.received('hello_retry_request').length === 0) throw new NotRun('it sends no HelloRetryRequest');
  if (!control.isResumed) throw new NotRun(`after a HelloRetryRequest it does not resume: ${control.reaction}`);
  return (await tester.visit({ sessions: other === undefined ? [] : [other], ...fault })).reaction;
}

/** A change of the second hello that no text lets a client make, and of which no text says what the server does. */
interface Change {
  readonly id: string;
  readonly title: string;
  readonly reason: string;
  readonly edit: (bench: ServerBench) => Edit;
}

const CHANGES: readonly Change[] = [
  {
    id: 'session-id-changed',
    title: 'another legacy_session_id',
    reason: 'The second hello is the first but for a few things, of which this is none.',
    edit: (bench) => (draft) => {
      draft.legacySessionId = bench.randomBytes(32);
    },
  },
  {
    id: 'random-changed',
    title: 'another random',
    reason: 'The second hello is the first but for a few things, of which this is none.',
    edit: (bench) => (draft) => {
      draft.random = bench.randomBytes(32);
    },
  },
  {
    id: 'suites-changed',
    title: 'no more the suite that the server has selected',
    reason: 'The suite of the HelloRetryRequest is final. It must not be used if the client has taken it back.',
    edit: () => (draft) => {
      const all = [0x1301, 0x1302, 0x1303];
      draft.cipherSuites = onlyPsk(draft).hash === 'sha384' ? [0x1301] : all.filter((id) => id === 0x1302);
    },
  },
  {
    id: 'early-data-added',
    title: 'early_data, which the first has not',
    reason: 'No early data are permitted after a HelloRetryRequest.',
    edit: () => (draft) => setExtension(draft, ExtensionType.early_data, new Uint8Array(0)),
  },
  {
    id: 'cookie-unasked',
    title: 'a cookie that the server has not given',
    reason: 'A cookie stands for the state of the server. One that it has not made must not be taken for its own.',
    edit: (bench) => (draft) =>
      setExtension(draft, ExtensionType.cookie, concat(Uint8Array.of(0, 32), bench.randomBytes(32))),
  },
  {
    id: 'extension-added',
    title: 'an extension that the first has not',
    reason: 'What the server has negotiated by the first hello would not be what the second says.',
    edit: () => (draft) => setExtension(draft, 0x3a3a, Uint8Array.of(0)),
  },
  {
    id: 'groups-changed',
    title: 'no more the group that was asked for among its groups',
    reason: 'The server has chosen from the first list. The second has to be the same.',
    edit: () => (draft) => setExtension(draft, ExtensionType.supported_groups, Uint8Array.of(0, 2, 0, 24)),
  },
  {
    id: 'modes-changed',
    title: 'psk_ke alone as its mode, where the first has psk_dhe_ke',
    reason: 'Who stands between could have the server give up forward secrecy after it has decided.',
    edit: () => (draft) => setExtension(draft, ExtensionType.psk_key_exchange_modes, Uint8Array.of(1, 0)),
  },
  {
    id: 'signature-algorithms-changed',
    title: 'other signature algorithms',
    reason: 'The server may have chosen its certificate by the first list.',
    edit: () => (draft) => setExtension(draft, ExtensionType.signature_algorithms, Uint8Array.of(0, 2, 4, 3)),
  },
  {
    id: 'name-changed',
    title: 'another server name',
    reason: 'The rules of one host would have let the first hello in, and the second would be served by another.',
    edit: () => (draft) => {
      const name = utf8('other.example');
      const data = Uint8Array.of(0, name.length + 3, 0, 0, name.length, ...name);
      setExtension(draft, ExtensionType.server_name, data);
    },
  },
  {
    id: 'protocol-added',
    title: 'an application protocol, of which the first has none',
    reason: 'What the server has negotiated by the first hello would not be what the second says.',
    edit: () => (draft) =>
      setExtension(
        draft,
        ExtensionType.application_layer_protocol_negotiation,
        Uint8Array.of(0, 9, 8, ...utf8('http/1.1')),
      ),
  },
  {
    id: 'share-of-another-group',
    title: 'a share of another group than the one that was asked for',
    reason: 'The group is settled, and there is no second HelloRetryRequest.',
    edit: () => (draft) => {
      const share = Uint8Array.from(extensionOf(draft, ExtensionType.key_share) ?? []);
      const group = share[3] === (NamedGroup.x25519 & 0xff) ? NamedGroup.secp256r1 : NamedGroup.x25519;
      share.set([group >> 8, group & 0xff], 2);
      setExtension(draft, ExtensionType.key_share, share);
    },
  },
  {
    id: 'share-missing',
    title: 'still no share',
    reason: 'The server has asked for one, and cannot ask again.',
    edit: () => (draft) => setExtension(draft, ExtensionType.key_share, Uint8Array.of(0, 0)),
  },
];

function ofChange({ id, title, reason, edit }: Change): ServerScenario {
  return {
    ...TLS13,
    id: `server/retry/${id}`,
    title: `after a HelloRetryRequest, a hello with a session and ${title}`,
    clause: 'RFC 9846 §4.2.2',
    reason,
    severity: 'observed',
    expect: ['aborts'],
    run: (bench) => afterRetry(bench, { edits: second(edit(bench)) }),
  };
}

export const serverRetry: readonly ServerScenario[] = [
  ...CHANGES.map(ofChange),
  {
    ...TLS13,
    id: 'server/retry/version-dropped',
    title: 'after a HelloRetryRequest, a hello with a session and no more supported_versions',
    clause: 'RFC 9846 §4.2.4, §4.3.1',
    reason:
      'The version of the request must stay, and without the extension it cannot. Servers have gone on in TLS 1.2 with a master secret of zeros.',
    severity: 'must',
    expect: ['aborts'],
    run: (bench) =>
      afterRetry(bench, { edits: second((draft) => setExtension(draft, ExtensionType.supported_versions, undefined)) }),
  },
  {
    ...TLS13,
    id: 'server/retry/early-data-kept',
    title: 'after a HelloRetryRequest, a hello with a session and early_data, which the first has as well',
    clause: 'RFC 9846 §4.3.10',
    reason: 'The request has rejected the early data. The second hello must not offer any.',
    severity: 'observed',
    expect: ['aborts'],
    run: (bench) =>
      afterRetry(bench, {
        edits: {
          hello: (draft) => {
            setExtension(draft, ExtensionType.early_data, new Uint8Array(0));
            return draft;
          },
        },
      }),
  },
  {
    ...TLS13,
    id: 'server/retry/extension-left-out',
    title: 'after a HelloRetryRequest, a hello with a session and without an unknown extension that the first has',
    clause: 'RFC 9846 §4.2.2',
    reason: 'Which extensions may go is a short list, and what is on no list has to stay.',
    severity: 'observed',
    expect: ['aborts'],
    run: (bench) =>
      afterRetry(bench, {
        edits: {
          hello: (draft, attempt) => {
            setExtension(draft, 0x3a3a, attempt === 1 ? Uint8Array.of(0) : undefined);
            return draft;
          },
        },
      }),
  },
  {
    ...TLS13,
    id: 'server/retry/padding-added',
    title: 'after a HelloRetryRequest, a hello with a session and padding, which the first has not',
    clause: 'RFC 9846 §4.2.2',
    reason: 'Padding may come, go and change its length: the second hello is of another length than the first.',
    severity: 'should',
    expect: ['resumes'],
    run: (bench) =>
      afterRetry(bench, {
        edits: second((draft) => setExtension(draft, ExtensionType.padding, new Uint8Array(200))),
      }),
  },
  {
    ...TLS13,
    id: 'server/retry/large',
    title: 'a HelloRetryRequest between two hellos of 60,000 bytes, with a session behind an unknown identity',
    clause: 'RFC 9846 §4.3.11',
    reason:
      'A hello may have so long an identity. Buffers that were made for the first have been used after the second had them moved.',
    severity: 'observed',
    expect: ['ignores'],
    run: (bench) => {
      const long = unknownPsk(bench, 60_000);
      return afterRetry(bench, {
        edits: {
          hello: (draft, attempt) => {
            if (attempt === 1) draft.psks.unshift(long);
            return draft;
          },
        },
      });
    },
  },
  {
    ...TLS13,
    id: 'server/retry/psk-left-out',
    title: 'after a HelloRetryRequest, a hello without the first of its two identities, which nobody has issued',
    clause: 'RFC 9846 §4.2.2',
    reason: 'PSKs that do not fit the suite of the request may go. Those that remain have other places then.',
    severity: 'should',
    expect: ['ignores'],
    run: (bench) =>
      afterRetry(bench, {
        edits: {
          hello: (draft, attempt) => {
            if (attempt === 1) draft.psks.unshift(unknownPsk(bench));
            else draft.psks.shift();
            return draft;
          },
        },
      }),
  },
  {
    ...TLS13,
    id: 'server/retry/binder-of-first',
    title: 'after a HelloRetryRequest, a hello with the binder of the first',
    clause: 'RFC 9846 §4.3.11.2',
    reason:
      'The binder of the second hello covers the first and the request. Whoever does not check it again accepts a second hello from anybody.',
    severity: 'must',
    expect: ['aborts'],
    run: (bench) => {
      let binder: Uint8Array | undefined;
      const bytes = (raw: Uint8Array) => {
        const at = placesOf(raw).binders + 3;
        binder ??= raw.slice(at);
        return concat(raw.subarray(0, at), binder);
      };
      return afterRetry(bench, { edits: { bytes } });
    },
  },
  {
    ...TLS13,
    id: 'server/retry/psk-dropped',
    title: 'after a HelloRetryRequest, a hello without the session of the first',
    clause: 'RFC 9846 §4.3, §4.3.11',
    reason:
      'The server selects from the list of the second hello, which has none: whatever it has found out before does not count.',
    severity: 'must',
    expect: ['full handshake', 'aborts'],
    run: (bench) =>
      afterRetry(bench, {
        edits: second((draft) => {
          draft.psks = [];
          setExtension(draft, ExtensionType.pre_shared_key, undefined);
        }),
      }),
  },
  {
    ...TLS13,
    id: 'server/retry/psk-added',
    title: 'after a HelloRetryRequest, a hello with a session that the first has not',
    clause: 'RFC 9846 §4.2.2',
    reason: 'A client may leave sessions out, and must not add any.',
    severity: 'observed',
    expect: ['full handshake', 'aborts'],
    run: async (bench) => {
      const [one, other] = await client(bench).sessions(2);
      const tester = retried(bench);
      let held: DraftPsk | undefined;
      const visit = await tester.visit({
        sessions: other === undefined ? [one] : [one, other],
        edits: {
          hello: (draft, attempt) => {
            if (attempt === 1) [held] = draft.psks.splice(0, 1);
            else if (held !== undefined) draft.psks.unshift(held);
            return draft;
          },
        },
      });
      if (visit.received('hello_retry_request').length === 0) throw new NotRun('it sends no HelloRetryRequest');
      return visit.reaction;
    },
  },
];
