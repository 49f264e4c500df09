/** What a client makes of the fields of a ServerHello of TLS 1.3, whether it resumes or not: RFC 9846 §4.2.3. */

import { ExtensionType } from '../../../wire/registry.ts';
import { joinMessage, requireSplit } from '../../extension-block.ts';
import { faults } from '../../faults.ts';
import type { ClientScenario } from '../scenario.ts';
import { resuming } from './connections.ts';
import { requireHello } from './hello.ts';

const TLS13 = { side: 'client', versions: ['TLSv1.3'], mechanism: 'none' } as const;

const changed = (fields: object) => faults.change<object>('server_hello', (body) => ({ ...body, ...fields }));
const extended = (type: keyof typeof ExtensionType, ...data: readonly number[]) =>
  faults.extension('server_hello', ExtensionType[type], Uint8Array.from(data));

/** A message with its last extension twice. */
function lastTwice(raw: Uint8Array): Uint8Array {
  const { head, list } = requireSplit(raw, 'TLSv1.3');
  return joinMessage(raw[0] ?? 0, head, [...list, ...list.slice(-1)]);
}

export const clientServerHello: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/server-hello/session-id-echo-wrong',
    title: 'ServerHello echoes another session id',
    clause: 'RFC 9846 §4.2.3',
    reason: 'The echo has to be that of the hello.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const wrong = changed({ legacySessionIdEcho: bench.randomBytes(32) });
      return (await bench.server().accept({ resumes: false, faults: [wrong] })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/server-hello/session-id-echo-empty',
    title: 'ServerHello echoes no session id though the client has sent one',
    clause: 'RFC 9846 §4.2.3',
    reason: 'An empty echo is another one, too.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const empty = changed({ legacySessionIdEcho: new Uint8Array(0) });
      const visit = await bench.server().accept({ resumes: false, faults: [empty] });
      return requireHello(visit, ({ fields }) => fields.legacySessionId.length > 0, 'it sends no session id').reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/server-hello/compression',
    title: 'ServerHello selects a compression method',
    clause: 'RFC 9846 §4.2.3',
    reason: 'TLS 1.3 has none.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) =>
      (await bench.server().accept({ resumes: false, faults: [changed({ legacyCompressionMethod: 1 })] })).reaction,
  },
  {
    ...TLS13,
    id: 'client/server-hello/legacy-version-tls13',
    title: 'legacy_version of a ServerHello is that of TLS 1.3',
    clause: 'RFC 9846 §4.2.3',
    reason:
      'The field is always that of TLS 1.2. RFC 8446 did not say what a client does with another one, and §4.3.1 has it ignored when the version is selected.',
    severity: 'should',
    expect: ['protocol_version'],
    run: async (bench) =>
      (await bench.server().accept({ resumes: false, faults: [changed({ legacyVersion: 0x0304 })] })).reaction,
  },
  {
    ...TLS13,
    id: 'client/server-hello/legacy-version-tls11',
    title: 'legacy_version of a ServerHello of TLS 1.3 is that of TLS 1.1',
    clause: 'RFC 9846 §4.2.3',
    reason:
      'The field is always that of TLS 1.2. RFC 8446 did not say what a client does with another one, and §4.3.1 has it ignored when the version is selected.',
    severity: 'should',
    expect: ['protocol_version'],
    run: async (bench) =>
      (await bench.server().accept({ resumes: false, faults: [changed({ legacyVersion: 0x0302 })] })).reaction,
  },
  {
    ...TLS13,
    id: 'client/server-hello/supported-versions-tls12',
    title: 'supported_versions of a ServerHello selects TLS 1.2',
    clause: 'RFC 9846 §4.3.1',
    reason: 'The extension selects no version before TLS 1.3.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) =>
      (await bench.server().accept({ resumes: false, faults: [extended('supported_versions', 3, 3)] })).reaction,
  },
  {
    ...TLS13,
    id: 'client/server-hello/supported-versions-unknown',
    title: 'supported_versions of a ServerHello selects a version that was not offered',
    clause: 'RFC 9846 §4.3.1',
    reason: 'A client must not take it for the nearest one that it knows.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) =>
      (await bench.server().accept({ resumes: false, faults: [extended('supported_versions', 3, 5)] })).reaction,
  },
  {
    ...TLS13,
    id: 'client/server-hello/extension-twice',
    title: 'a ServerHello that resumes has its last extension twice',
    clause: 'RFC 9846 §4.3',
    reason: 'One type occurs once in a block.',
    mechanism: 'psk',
    severity: 'should',
    expect: ['illegal_parameter', 'decode_error'],
    run: async (bench) => (await resuming(bench, [faults.raw('server_hello', lastTwice)])).reaction,
  },
  {
    ...TLS13,
    id: 'client/server-hello/ticket-request',
    title: 'ServerHello answers ticket_request',
    clause: 'RFC 9149 §3',
    reason: 'The answer has its place in EncryptedExtensions, where it is protected.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const visit = await bench.server().accept({ resumes: false, faults: [extended('ticket_request', 2)] });
      return requireHello(visit, (hello) => hello.has('ticket_request'), 'it asks for no tickets').reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/server-hello/psk-key-exchange-modes',
    title: 'ServerHello has psk_key_exchange_modes',
    clause: 'RFC 9846 §4.3',
    reason: 'Servers must not send it.',
    mechanism: 'psk',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => (await resuming(bench, [extended('psk_key_exchange_modes', 1, 1)])).reaction,
  },
];
