/** The lengths of records that a client asks for, with and without a session: RFC 8449, RFC 6066 §4. */

import { ExtensionType } from '../../../wire/registry.ts';
import type { ServerBench } from '../bench.ts';
import type { ServerScenario } from '../scenario.ts';
import { NotRun } from '../visit.ts';
import { answersOf, client, first, setExtension, TLS13 } from './tls13.ts';

const NONE = { ...TLS13, mechanism: 'none' } as const;

/** @throws NotRun if the server does not answer record_size_limit */
async function needRecordSizeLimit(bench: ServerBench): Promise<void> {
  const visit = await client(bench, { recordSizeLimit: 512 }).visit();
  if (answersOf(visit).recordSizeLimit === undefined) throw new NotRun('it does not answer record_size_limit');
}

/** @throws NotRun if the server does not answer max_fragment_length */
async function needMaxFragmentLength(bench: ServerBench): Promise<void> {
  const visit = await client(bench, { maxFragmentLength: 1024 }).visit();
  if (answersOf(visit).maxFragmentLength === undefined) throw new NotRun('it does not answer max_fragment_length');
}

export const serverRecordLimitsTls13: readonly ServerScenario[] = [
  {
    ...NONE,
    id: 'server/record-limits/limit-obeyed',
    title: 'a record_size_limit of 64 bytes and the content type',
    clause: 'RFC 8449 §4',
    reason: 'A small device has no room for more. Each protected record counts, those of the handshake, too.',
    severity: 'must',
    expect: ['full handshake'],
    run: async (bench) => {
      await needRecordSizeLimit(bench);
      return (await client(bench, { recordSizeLimit: 64 }).visit()).reaction; // the tester refuses what is longer
    },
  },
  {
    ...TLS13,
    id: 'server/record-limits/limit-on-resumption',
    title: 'a session from a connection without a limit, and a record_size_limit of 64 bytes and the content type',
    clause: 'RFC 8449 §4, RFC 9846 §4.3',
    reason: 'The limit is that of the connection, and not of the session.',
    severity: 'must',
    expect: ['ignores'],
    run: async (bench) => {
      await needRecordSizeLimit(bench);
      const sessions = await client(bench).sessions();
      return (await client(bench, { recordSizeLimit: 64 }).visit({ sessions })).reaction;
    },
  },
  {
    ...NONE,
    id: 'server/record-limits/limit-below-64',
    title: 'a record_size_limit of 63',
    clause: 'RFC 8449 §4',
    reason: 'A limit so low would let a client have one record made for each byte.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      await needRecordSizeLimit(bench);
      const edits = first((draft) => setExtension(draft, ExtensionType.record_size_limit, Uint8Array.of(0, 63)));
      return (await client(bench).visit({ edits })).reaction;
    },
  },
  {
    ...NONE,
    id: 'server/record-limits/limit-above-all',
    title: 'a record_size_limit of 65,535',
    clause: 'RFC 8449 §4',
    reason: 'A later version may allow more. The server must accept it, and keep to what its own version allows.',
    severity: 'must',
    expect: ['full handshake'],
    run: async (bench) => {
      await needRecordSizeLimit(bench);
      const edits = first((draft) => setExtension(draft, ExtensionType.record_size_limit, Uint8Array.of(255, 255)));
      return (await client(bench).visit({ edits })).reaction;
    },
  },
  {
    ...NONE,
    id: 'server/record-limits/both',
    title: 'record_size_limit and a max_fragment_length that is none',
    clause: 'RFC 8449 §5',
    reason: 'A server that has record_size_limit must ignore max_fragment_length beside it, whatever it says.',
    severity: 'must',
    expect: ['full handshake'],
    run: async (bench) => {
      await needRecordSizeLimit(bench);
      const edits = first((draft) => setExtension(draft, ExtensionType.max_fragment_length, Uint8Array.of(9)));
      return (await client(bench, { recordSizeLimit: 512 }).visit({ edits })).reaction;
    },
  },
  {
    ...NONE,
    id: 'server/record-limits/fragment-length-unknown',
    title: 'a max_fragment_length that is none',
    clause: 'RFC 6066 §4',
    reason: 'The two ends would disagree on how long a record may be.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      await needMaxFragmentLength(bench);
      const edits = first((draft) => setExtension(draft, ExtensionType.max_fragment_length, Uint8Array.of(9)));
      return (await client(bench).visit({ edits })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'server/record-limits/fragment-length-changed',
    title: 'a session with a max_fragment_length of 1024, and a hello that asks for 512',
    clause: 'RFC 6066 §4, RFC 9846 §4.3',
    reason:
      'One text binds the length to the session, the other negotiates it anew. A full handshake is right by both.',
    severity: 'observed',
    expect: ['full handshake', 'illegal_parameter'],
    run: async (bench) => {
      await needMaxFragmentLength(bench);
      const sessions = await client(bench, { maxFragmentLength: 1024 }).sessions();
      return (await client(bench, { maxFragmentLength: 512 }).visit({ sessions })).reaction;
    },
  },
];
