/** What a client makes of the answer to a limit of its records, when it resumes: RFC 8449 §4, RFC 6066 §4. */

import { ExtensionType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ClientScenario } from '../scenario.ts';
import { resuming } from './connections.ts';
import { requireHello } from './hello.ts';

const TLS13 = { side: 'client', versions: ['TLSv1.3'], mechanism: 'psk' } as const;

const answering = (type: 'record_size_limit' | 'max_fragment_length', ...data: readonly number[]) =>
  faults.extension('encrypted_extensions', ExtensionType[type], Uint8Array.from(data));

export const limitsTls13: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/record-size-limit/below-64',
    title: 'a record_size_limit of 63',
    clause: 'RFC 8449 §4',
    reason: 'A limit that small is a way to make a peer send almost nothing but overhead.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) =>
      requireHello(
        await resuming(bench, [answering('record_size_limit', 0, 63)]),
        (hello) => hello.has('record_size_limit'),
        'the client states no limit',
      ).reaction,
  },
  {
    ...TLS13,
    id: 'client/record-size-limit/lowest',
    title: 'a record_size_limit of 64',
    clause: 'RFC 8449 §4',
    reason: 'The lowest limit that there is has to be obeyed.',
    severity: 'should',
    expect: ['resumes'],
    run: async (bench) =>
      requireHello(
        await resuming(bench, [answering('record_size_limit', 0, 64)]),
        (hello) => hello.has('record_size_limit'),
        'the client states no limit',
      ).reaction,
  },
  {
    ...TLS13,
    id: 'client/record-size-limit/above-the-highest',
    title: 'a record_size_limit of 16,386',
    clause: 'RFC 8449 §4',
    reason: 'A server must not state more than 2^14+1. A client may refuse that, or take it for no limit.',
    severity: 'observed',
    expect: ['ignores', 'illegal_parameter'],
    run: async (bench) =>
      requireHello(
        await resuming(bench, [answering('record_size_limit', 0x40, 2)]),
        (hello) => hello.has('record_size_limit'),
        'the client states no limit',
      ).reaction,
  },
  {
    ...TLS13,
    id: 'client/record-size-limit/unasked',
    title: 'a record_size_limit though the client has stated none',
    clause: 'RFC 9846 §4.3',
    reason: 'An extension that answers nothing is unsupported_extension.',
    severity: 'must',
    expect: ['unsupported_extension'],
    run: async (bench) =>
      requireHello(
        await resuming(bench, [answering('record_size_limit', 0x10, 0)]),
        (hello) => !hello.has('record_size_limit'),
        'the client states a limit',
      ).reaction,
  },
  {
    ...TLS13,
    id: 'client/record-size-limit/beside-max-fragment-length',
    title: 'EncryptedExtensions has record_size_limit and max_fragment_length',
    clause: 'RFC 8449 §5',
    reason: 'The two contradict each other.',
    severity: 'must',
    expect: ['aborts'],
    run: async (bench) =>
      requireHello(
        await resuming(bench, [answering('record_size_limit', 0x10, 0), answering('max_fragment_length', 2)]),
        (hello) => hello.has('record_size_limit') && hello.has('max_fragment_length'),
        'the client does not offer both',
      ).reaction,
  },
  {
    ...TLS13,
    id: 'client/max-fragment-length/another',
    title: 'another max_fragment_length than the client has asked for',
    clause: 'RFC 6066 §4',
    reason: 'The server either agrees, or does not answer.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const visit = await resuming(bench, [
        faults.extension('encrypted_extensions', ExtensionType.max_fragment_length, (present) =>
          Uint8Array.of(present?.[0] === 1 ? 2 : 1),
        ),
      ]);
      return requireHello(visit, (hello) => hello.has('max_fragment_length'), 'the client asks for none').reaction;
    },
  },
];
