/** What a hello of TLS 1.2 says that it should not, or need not: RFC 5246 §7.4.1.2, and the extensions. */

import { concat } from '../../../wire/bytes.ts';
import { ExtensionType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun } from '../visit.ts';
import { answerOf, bothWays, hello, requireResumed, resumable, TLS12, withExtension, without } from './tls12.ts';
import { blockOf } from './tls13.ts';

/** The length of a message's header, and the most hellos that are cut. */
const HEADER = 4;
const MAX_CUTS = 100;
const BOTH = { ...TLS12, versions: ['TLSv1.2', 'TLSv1.3'] } as const;

/** Adds bytes to a message, and counts them in its length. */
function withTrailing(raw: Uint8Array, trailing: Uint8Array): Uint8Array {
  const message = concat(raw, trailing);
  const length = message.length - 4;
  message.set([length >> 16, length >> 8, length], 1);
  return message;
}

/** The first bytes of a message, whose header says so. One that has all but its extensions is whole in TLS 1.2, so it is cut by one less. */
function cutTo(raw: Uint8Array, length: number): Uint8Array {
  const cut = raw.slice(0, length === blockOf(raw) ? length - 1 : length);
  cut.set([0, (cut.length - HEADER) >> 8, cut.length - HEADER], 1);
  return cut;
}

export const serverHelloTls12: readonly ServerScenario[] = [
  {
    ...BOTH,
    id: 'server/hello/trailing-bytes',
    title: 'a hello with two bytes behind its extensions',
    clause: 'RFC 5246 §7.4.1.2, RFC 9846 §6',
    reason: 'The server must check that the length of the message is exactly that of its fields.',
    severity: 'must',
    expect: ['decode_error'],
    run: async (bench) => {
      const bytes = (raw: Uint8Array) => withTrailing(raw, Uint8Array.of(0, 0));
      return (await bench.client().visit({ edits: { bytes } })).reaction;
    },
  },
  {
    ...BOTH,
    id: 'server/hello/truncated',
    title: 'a hello that breaks off, at up to 100 places',
    clause: 'RFC 5246 §7.2.2, RFC 9846 §6',
    reason: 'A length goes beyond the end of the message. Servers have read what lay behind it in their memory.',
    severity: 'must',
    isIntrusive: true,
    expect: ['decode_error'],
    run: async (bench) => {
      const tester = bench.client();
      let length = HEADER + 1;
      for (let at = HEADER, step = 1; at < length; at += step) {
        const bytes = (raw: Uint8Array) => {
          ({ length } = raw);
          step = Math.ceil(length / MAX_CUTS);
          return cutTo(raw, at);
        };
        const { reaction } = await tester.visit({ edits: { bytes } });
        if (reaction !== 'decode_error') return reaction;
      }
      return 'decode_error';
    },
  },
  {
    ...BOTH,
    id: 'server/hello/extension-twice',
    title: 'a hello with supported_groups twice',
    clause: 'RFC 5246 §7.4.1.4, RFC 9846 §4.3',
    reason:
      'No extension may come twice: two readers of such a hello may see two offers. No text says by which alert it ends.',
    severity: 'should',
    expect: ['aborts'],
    run: async (bench) => {
      const edits = hello(({ extensions }) => {
        const groups = extensions?.find(({ type }) => type === ExtensionType.supported_groups);
        if (groups !== undefined) extensions?.unshift({ ...groups });
      });
      return (await bench.client().visit({ edits })).reaction;
    },
  },
  {
    ...BOTH,
    id: 'server/hello/unknown-values',
    title: 'a hello with a suite, a group, a signature scheme and an extension that are reserved for nobody',
    clause: 'RFC 5246 §7.4.1.2, RFC 8701 §3',
    reason: 'What is unknown must be ignored, or nothing new can ever be offered.',
    severity: 'must',
    expect: ['full handshake'],
    run: async (bench) => {
      const greased = (content: Uint8Array) => {
        const length = content.length;
        return concat(Uint8Array.of(length >> 8, length), Uint8Array.of(0x3a, 0x3a), content.subarray(2));
      };
      const edits = hello(({ cipherSuites, extensions = [] }) => {
        cipherSuites.unshift(0x1a1a);
        for (const one of extensions) if (LISTS.includes(one.type)) one.data = greased(one.data);
        extensions.unshift({ type: 0x2a2a, data: Uint8Array.of(1) });
      });
      return (await bench.client().visit({ edits })).reaction;
    },
  },
  {
    ...TLS12,
    id: 'server/hello/without-extensions',
    title: 'a hello without any extension',
    clause: 'RFC 5246 §7.4.1.2',
    reason:
      'A server must accept hellos with and without them, but need have nothing in common with a client of SHA-1 alone (§7.4.1.4.1).',
    severity: 'must',
    expect: ['conforms', 'handshake_failure', 'insufficient_security'],
    run: async (bench) => {
      const edits = hello((draft) => {
        draft.extensions = undefined;
      });
      const visit = await bench.client().visit({ edits });
      return visit.received('server_hello').length > 0 ? 'conforms' : visit.reaction;
    },
  },
  {
    ...TLS12,
    id: 'server/hello/compression-without-null',
    title: 'a hello whose only compression method is DEFLATE',
    clause: 'RFC 5246 §7.4.1.2',
    reason: 'The list must have the method null. A server that compresses what is secret shows its length.',
    severity: 'should',
    expect: ['aborts'],
    run: async (bench) => {
      const edits = hello((draft) => {
        draft.legacyCompressionMethods = Uint8Array.of(1);
      });
      return (await bench.client().visit({ edits })).reaction;
    },
  },
  ...bothWays((way) => ({
    ...TLS12,
    mechanism: way.mechanism,
    id: `server/${way.topic}/compression-preferred`,
    title: 'a session, and DEFLATE before the method null',
    clause: 'RFC 5246 §7.4.1.3, RFC 9325 §3.3',
    reason:
      'A session is resumed with its own method, which is null: compression shows what it compresses by the length.',
    severity: 'should',
    expect: ['ignores'],
    run: async (bench) => {
      const tester = way.client(bench);
      const session = await resumable(way, tester);
      const edits = hello((draft) => {
        draft.legacyCompressionMethods = Uint8Array.of(1, 0);
      });
      return (await tester.visit({ sessions: [session], edits })).reaction;
    },
  })),
  {
    ...TLS12,
    id: 'server/hello/extended-master-secret-left-out',
    title: 'a hello without extended_master_secret',
    clause: 'RFC 7627 §5.2',
    reason: 'A server that goes on must not answer the extension; it may also refuse a client that is so old.',
    severity: 'must',
    expect: ['full handshake', 'handshake_failure'],
    run: async (bench) => {
      const edits = hello(without(ExtensionType.extended_master_secret));
      return (await bench.client().visit({ edits })).reaction;
    },
  },
  {
    ...TLS12,
    id: 'server/hello/fragment-length-unknown',
    title: 'a hello of TLS 1.2 that asks for fragments by the code 5',
    clause: 'RFC 6066 §4',
    reason: 'There are four codes, and a server that knows the extension must refuse any other.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const asked = await bench.client({ maxFragmentLength: 512 }).visit();
      if (answerOf(asked).extensions['maxFragmentLength'] === undefined)
        throw new NotRun('the server does not answer max_fragment_length');
      const edits = hello(withExtension(ExtensionType.max_fragment_length, Uint8Array.of(5)));
      return (await bench.client().visit({ edits })).reaction;
    },
  },
  {
    ...TLS12,
    id: 'server/hello/pre-shared-key-tls12',
    title: 'a hello of TLS 1.2 with psk_key_exchange_modes, and a pre_shared_key of random bytes',
    clause: 'RFC 5246 §7.4.1.4',
    reason: 'It is an extension of TLS 1.3, which is not negotiated: it may have any content.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      const edits = hello(
        withExtension(ExtensionType.psk_key_exchange_modes, Uint8Array.of(1, 1)), // else it must be refused (RFC 9846 §4.3.9)
        withExtension(ExtensionType.pre_shared_key, bench.randomBytes(20)),
      );
      return (await bench.client().visit({ edits })).reaction;
    },
  },
  ...bothWays((way) => ({
    ...TLS12,
    mechanism: way.mechanism,
    id: `server/${way.topic}/status-request`,
    title: 'a session, and status_request',
    clause: 'RFC 6066 §1.1',
    reason: 'When it resumes, the server shows no certificate, so it must not answer the extension either.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const tester = way.client(bench, { statusRequest: true });
      if (answerOf(await tester.visit()).extensions['statusRequest'] !== true)
        throw new NotRun('the server has no OCSP response');
      const visit = await tester.visit({ sessions: [await resumable(way, tester)] });
      if (visit.reaction.startsWith('differs')) return visit.reaction;
      requireResumed(visit);
      return 'statusRequest' in answerOf(visit).extensions ? 'differs: it answers status_request' : 'conforms';
    },
  })),
  {
    ...BOTH,
    id: 'server/hello/in-records-of-one-byte',
    title: 'a hello in as many records as it has bytes',
    clause: 'RFC 5246 §6.2.1, RFC 9846 §5.1',
    reason: 'A message may be divided among any number of records.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) =>
      (await bench.client({ groups: ['x25519', 'secp256r1'] }).visit({ faults: [faults.split('handshake', 1)] }))
        .reaction,
  },
];

const LISTS: readonly number[] = [ExtensionType.supported_groups, ExtensionType.signature_algorithms];
