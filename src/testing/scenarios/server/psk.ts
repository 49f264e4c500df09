/** What a server makes of the PSKs that it is offered: RFC 9846 §4.3.11. */

import { earlySecret, finishedMac, pskBinderKey } from '../../../crypto/key-schedule.ts';
import { defaultProvider } from '../../../crypto/providers/default.ts';
import type { HelloDraft } from '../../../handshake/client/hello-draft.ts';
import type { Session } from '../../../sessions/session.ts';
import { concat } from '../../../wire/bytes.ts';
import { ExtensionType, PskKeyExchangeMode } from '../../../wire/registry.ts';
import type { ServerBench } from '../bench.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun, type Reaction } from '../visit.ts';
import {
  addTo,
  afterControl,
  client,
  type Edit,
  extensionOf,
  first,
  onlyPsk,
  placesOf,
  setExtension,
  TLS13,
  unknownPsk,
} from './tls13.ts';

/** Returns what the server makes of a hello with one session that is changed so. */
async function offered(bench: ServerBench, edit: Edit): Promise<Reaction> {
  const tester = client(bench);
  const sessions = await tester.sessions();
  return (await tester.visit({ sessions, edits: first(edit) })).reaction;
}

/** The same, once the server has resumed without the change. */
async function afterResuming(bench: ServerBench, edit: Edit): Promise<Reaction> {
  return (await afterControl(client(bench), {}, { edits: first(edit) })).reaction;
}

/** A list of modes as it is in the extension. */
function modes(...list: readonly number[]): Edit {
  return (draft) => setExtension(draft, ExtensionType.psk_key_exchange_modes, Uint8Array.of(list.length, ...list));
}

const { psk_ke, psk_dhe_ke } = PskKeyExchangeMode;
/** RFC 8701 §2: reserved, so that no server has it. */
const GREASE_MODE = 0x0b;
/** As many identities of 32 bytes as the extension has room for. */
const MANY = 900;

export const serverPsk: readonly ServerScenario[] = [
  {
    ...TLS13,
    id: 'server/psk/binder-wrong',
    title: 'the binder of the only identity is wrong in one bit',
    clause: 'RFC 9846 §4.3.11',
    reason: 'Who has copied a ticket would be taken for who owns it.',
    severity: 'must',
    expect: ['aborts'],
    run: async (bench) => {
      const client = bench.client();
      const sessions = await client.sessions();
      const wrong = (raw: Uint8Array) => raw.map((byte, i) => (i === raw.length - 1 ? byte ^ 1 : byte));
      return (await client.visit({ sessions, edits: { bytes: wrong } })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/psk/identity-unknown',
    title: 'an identity that no server has issued',
    clause: 'RFC 9846 §4.3.11',
    reason: 'An unknown identity should be passed over: the client has asked for a full handshake just as well.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      const client = bench.client();
      const sessions = await client.sessions();
      const unknown = bench.randomBytes(64);
      const hello = (draft: HelloDraft) => {
        for (const psk of draft.psks) psk.identity = unknown;
        return draft;
      };
      return (await client.visit({ sessions, edits: { hello } })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/psk/binders-rotated',
    title: 'the binders of five known identities, each at the place of the one before',
    clause: 'RFC 9846 §4.3.11',
    reason:
      'A binder proves the PSK of its own place. Whichever identity the server selects, its binder is that of another.',
    severity: 'must',
    expect: ['aborts'],
    run: async (bench) => {
      const tester = client(bench);
      const sessions = await tester.sessions(6);
      const [one, ...five] = sessions;
      const control = await tester.visit({ sessions: [one] });
      if (!control.isResumed) throw new NotRun(`it does not resume: ${control.reaction}`);
      const bytes = (raw: Uint8Array) => {
        const size = 1 + (raw.at(-33) === 32 ? 32 : 48);
        const at = raw.length - five.length * size;
        return concat(raw.subarray(0, at), raw.subarray(raw.length - size), raw.subarray(at, raw.length - size));
      };
      return (await tester.visit({ sessions: five, edits: { bytes } })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/psk/binders-too-many',
    title: 'a binder more than identities',
    clause: 'RFC 9846 §4.3.11',
    reason: 'There is one binder for each identity. What has one more is inconsistent, and signed by nobody.',
    severity: 'should',
    expect: ['aborts'],
    run: async (bench) => {
      const tester = client(bench);
      const [session] = await tester.sessions();
      const bytes = (raw: Uint8Array) => withOneBinderMore(raw, session, bench.randomBytes(32));
      return (await tester.visit({ sessions: [session], edits: { bytes } })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/psk/identity-unknown-in-front',
    title: 'four identities that nobody has issued, and behind them one that is known',
    clause: 'RFC 9846 §4.3.11',
    reason:
      'Unknown PSKs should be ignored, as if they were not there: a client may have tickets of several servers of one name.',
    severity: 'should',
    expect: ['ignores'],
    run: (bench) =>
      offered(bench, (draft) => {
        draft.psks = [...Array.from({ length: 4 }, () => unknownPsk(bench)), onlyPsk(draft)];
      }),
  },
  {
    ...TLS13,
    id: 'server/psk/identity-known-at-fifth',
    title: 'the only known identity is the fifth of five',
    clause: 'RFC 9846 §4.3.11',
    reason:
      'No text says how many identities a server looks at. A client with several tickets resumes if it looks at five.',
    severity: 'observed',
    expect: ['resumes'],
    run: (bench) =>
      offered(bench, (draft) => {
        draft.psks = [...Array.from({ length: 4 }, () => unknownPsk(bench)), onlyPsk(draft)];
      }),
  },
  {
    ...TLS13,
    id: 'server/psk/identity-unknown-behind',
    title: 'a known identity, and four behind it that nobody has issued',
    clause: 'RFC 9846 §4.3.11',
    reason:
      'Unknown PSKs should be ignored. Neither they nor their binders, which prove nothing, concern the one that is selected.',
    severity: 'should',
    expect: ['resumes'],
    run: (bench) =>
      afterResuming(bench, (draft) => {
        draft.psks = [onlyPsk(draft), ...Array.from({ length: 4 }, () => unknownPsk(bench))];
      }),
  },
  {
    ...TLS13,
    id: 'server/psk/identities-many',
    title: `${MANY} identities that nobody has issued`,
    clause: 'RFC 9846 §4.3.11',
    reason:
      'Each costs the server a lookup or a decryption, and its client nothing. They are still only unknown, and to be ignored.',
    severity: 'should',
    isIntrusive: true,
    expect: ['full handshake'],
    run: (bench) =>
      offered(bench, (draft) => {
        draft.psks = Array.from({ length: MANY }, () => unknownPsk(bench, 32));
      }),
  },
  {
    ...TLS13,
    id: 'server/psk/unknown-without-signature-algorithms',
    title: 'an unknown identity in a hello without signature_algorithms',
    clause: 'RFC 9846 §4.3.3',
    reason: 'Without the PSK the server needs a certificate, for which the client has named no way to sign.',
    severity: 'must',
    expect: ['missing_extension'],
    run: (bench) =>
      offered(bench, (draft) => {
        draft.psks = [unknownPsk(bench)];
        setExtension(draft, ExtensionType.signature_algorithms, undefined);
      }),
  },
  {
    ...TLS13,
    id: 'server/psk/extension-not-last',
    title: 'pre_shared_key is not the last extension',
    clause: 'RFC 9846 §4.3.11',
    reason: 'A binder covers the hello up to its own list. What comes behind that is covered by none.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const tester = client(bench);
      const sessions = await tester.sessions();
      return (await tester.visit({ sessions, edits: { bytes: withExtensionBehind } })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/psk/modes-absent',
    title: 'pre_shared_key without psk_key_exchange_modes',
    clause: 'RFC 9846 §4.3.9',
    reason: 'The client has not said whether it wants forward secrecy, so no mode may be chosen for it.',
    severity: 'must',
    expect: ['aborts'],
    run: (bench) => offered(bench, (draft) => setExtension(draft, ExtensionType.psk_key_exchange_modes, undefined)),
  },
  {
    ...TLS13,
    id: 'server/psk/modes-empty',
    title: 'psk_key_exchange_modes with an empty list',
    clause: 'RFC 9846 §6, §4.3.9',
    reason: 'The list has at least one entry, so an empty one cannot be parsed.',
    severity: 'must',
    expect: ['decode_error'],
    run: (bench) => offered(bench, modes()),
  },
  {
    ...TLS13,
    id: 'server/psk/modes-trailing',
    title: 'psk_key_exchange_modes with a byte behind its list',
    clause: 'RFC 9846 §4.3',
    reason: 'Data that is left over in an extension is read by some, and by others not.',
    severity: 'must',
    expect: ['decode_error'],
    run: (bench) =>
      offered(bench, (draft) =>
        setExtension(draft, ExtensionType.psk_key_exchange_modes, Uint8Array.of(1, psk_dhe_ke, 0)),
      ),
  },
  {
    ...TLS13,
    id: 'server/psk/modes-unknown-only',
    title: 'a PSK with a mode that nobody has',
    clause: 'RFC 9846 §4.3.9',
    reason: 'A server must not select a mode that its client has not listed.',
    severity: 'must',
    expect: ['full handshake', 'aborts'],
    run: (bench) => offered(bench, modes(GREASE_MODE)),
  },
  {
    ...TLS13,
    id: 'server/psk/modes-psk-ke-only',
    title: 'a PSK with the mode psk_ke alone',
    clause: 'RFC 9846 §4.3.9, §4.3.8',
    reason:
      'A server that does not want it makes a full handshake. One that resumes must not send a share, which is another mode.',
    severity: 'must',
    expect: ['ignores', 'handshake_failure'],
    run: (bench) => offered(bench, modes(psk_ke)),
  },
  {
    ...TLS13,
    id: 'server/psk/modes-both',
    title: 'a PSK with both modes, psk_ke the first',
    clause: 'RFC 9846 §2.2',
    reason: 'psk_ke gives up forward secrecy. Who has both should not lose it by the order of a list.',
    severity: 'observed',
    expect: ['conforms'],
    run: async (bench) => {
      const tester = client(bench);
      const sessions = await tester.sessions();
      const visit = await tester.visit({ sessions, edits: first(modes(psk_ke, psk_dhe_ke)) });
      if (!visit.isResumed) throw new NotRun(`it does not resume: ${visit.reaction}`);
      const [hello] = visit.received<{ readonly extensions: { readonly keyShare?: object } }>('server_hello');
      return hello?.fields.extensions.keyShare === undefined ? 'differs: it resumes in psk_ke' : 'conforms';
    },
  },
  {
    ...TLS13,
    id: 'server/psk/key-share-absent',
    title: 'a PSK with supported_groups, but without key_share',
    clause: 'RFC 9846 §9.2',
    reason:
      'The two come together. A server that goes on would have to give up the key exchange that the client asks for.',
    severity: 'must',
    expect: ['missing_extension'],
    run: (bench) => offered(bench, (draft) => setExtension(draft, ExtensionType.key_share, undefined)),
  },
  {
    ...TLS13,
    id: 'server/psk/groups-absent',
    title: 'a PSK in psk_dhe_ke with neither supported_groups nor key_share',
    clause: 'RFC 9846 §4.2.1, §4.3.9',
    reason: 'There is nothing for the key exchange, and psk_ke was not listed.',
    severity: 'must',
    expect: ['aborts'],
    run: (bench) =>
      offered(bench, (draft) => {
        setExtension(draft, ExtensionType.supported_groups, undefined);
        setExtension(draft, ExtensionType.key_share, undefined);
      }),
  },
  {
    ...TLS13,
    id: 'server/psk/suites-of-another-hash',
    title: 'a ticket with suites of another hash alone',
    clause: 'RFC 9846 §4.7.1',
    reason: 'A ticket must only be resumed with a suite of the hash that its PSK was made with.',
    severity: 'must',
    expect: ['full handshake', 'handshake_failure', 'insufficient_security'],
    run: (bench) =>
      offered(bench, (draft) => {
        const [sha256, sha384] = [[0x1301, 0x1303], [0x1302]];
        draft.cipherSuites = onlyPsk(draft).hash === 'sha384' ? sha256 : sha384;
      }),
  },
  {
    ...TLS13,
    id: 'server/psk/certificate-request',
    title: 'a session, to a server that asks for a certificate in a full handshake',
    clause: 'RFC 9846 §4.4.2',
    reason: 'Who resumes is who the session says. A server must not ask in a handshake with its PSK.',
    severity: 'must',
    expect: ['conforms', 'full handshake'],
    run: async (bench) => {
      const tester = client(bench);
      const sessions = await tester.sessions();
      if (bench.visits.at(-1)?.received('certificate_request').length === 0)
        throw new NotRun('it asks for no certificate');
      const visit = await tester.visit({ sessions });
      if (visit.received('server_hello').length === 0 || !visit.isResumed) return visit.reaction;
      return visit.received('certificate_request').length === 0 ? 'conforms' : 'differs: it asks for a certificate';
    },
  },
  {
    ...TLS13,
    id: 'server/psk/unknown-values',
    title: 'a ticket among unknown suites, groups, modes and extensions',
    clause: 'RFC 9846 §9.3',
    reason: 'A server must ignore what it does not know, or nothing can ever be added.',
    severity: 'must',
    expect: ['ignores'],
    run: (bench) =>
      offered(bench, (draft) => {
        draft.cipherSuites.unshift(0x1a1a);
        setExtension(draft, 0x2a2a, Uint8Array.of(1, 2, 3));
        modes(GREASE_MODE, psk_dhe_ke)(draft);
        const groups = extensionOf(draft, ExtensionType.supported_groups) ?? new Uint8Array(2);
        const view = Uint8Array.of(0, groups.length, 0x3a, 0x3a, ...groups.subarray(2));
        setExtension(draft, ExtensionType.supported_groups, view);
      }),
  },
];

/** Adds a binder to a hello with one identity, corrects the four lengths that count it, and makes the first binder anew. */
function withOneBinderMore(raw: Uint8Array, session: Session, binder: Uint8Array): Uint8Array {
  const { block, last, binders } = placesOf(raw);
  const longer = concat(raw, Uint8Array.of(binder.length), binder);
  addTo(longer, [2, block, last + 2, binders], 1 + binder.length);
  const hash = defaultProvider.hashes[raw[binders + 2] === 48 ? 'sha384' : 'sha256'];
  const key = pskBinderKey(earlySecret(hash, session.secret), 'resumption');
  longer.set(finishedMac(key, hash.digest(longer.subarray(0, binders))), binders + 3);
  return longer;
}

/** Adds an extension of no content behind the last, where no binder covers it. */
function withExtensionBehind(raw: Uint8Array): Uint8Array {
  const longer = concat(raw, Uint8Array.of(0xfa, 0xfa, 0, 0));
  addTo(longer, [2, placesOf(raw).block], 4);
  return longer;
}
