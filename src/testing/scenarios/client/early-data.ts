/** When a client sends early data, and what it makes of the answer: RFC 9846 §4.3.10. */

import type { Fault } from '../../../engine/fault.ts';
import type { ServerOptions } from '../../../engine/server/options.ts';
import { singleUse } from '../../../engine/server/single-use.ts';
import { CipherSuite, ExtensionType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ClientBench, TesterServer } from '../bench.ts';
import { instead } from '../record-faults.ts';
import type { ClientScenario } from '../scenario.ts';
import { NotRun, type Visit } from '../visit.ts';
import { conforms, offering } from './connections.ts';
import { groupWithoutShare, helloOf, requireHello } from './hello.ts';

const EARLY = { side: 'client', versions: ['TLSv1.3'], mechanism: 'early-data' } as const;
const CLAUSE = 'RFC 9846 §4.3.10';
const NOTHING = new Uint8Array(0);
/** Also where there is no session yet: a client that makes several connections by itself is told at the first. */
const SENDS = { sendsEarlyData: true } as const;

/** A server that accepts early data. */
function earlyServer(bench: ClientBench, options: Partial<ServerOptions> = {}): TesterServer {
  bench.need('resume');
  bench.need('early-data');
  return bench.server({ earlyData: { maxSize: 16_384, antiReplay: singleUse() }, ...options });
}

/** Has the client send early data to a server. @throws NotRun if it sends none */
async function early(server: TesterServer, ...edits: readonly Fault[]): Promise<Visit> {
  const visit = await offering(server, { ...SENDS, faults: edits });
  if (!helloOf(visit).has('early_data')) throw new NotRun('the client offers no early data');
  return visit;
}

const accepting = faults.extension('encrypted_extensions', ExtensionType.early_data, NOTHING);

/** Whether the tester has said so. */
function isAccepted({ facts }: Visit): boolean {
  return facts.trace.messages.some(
    ({ name, direction, fields }) =>
      name === 'encrypted_extensions' &&
      direction === 'sent' &&
      (fields as { extensions: { earlyData?: true } }).extensions.earlyData === true,
  );
}

/** How many bytes of early data have come. */
function earlyBytes({ facts }: Visit): number {
  let bytes = 0;
  for (const entry of facts.trace.entries)
    if (entry.kind === 'event' && entry.event.type === 'data' && entry.event.early === true)
      bytes += entry.event.data.length;
  return bytes;
}

const offers: readonly ClientScenario[] = [
  {
    ...EARLY,
    id: 'client/early-data/ticket-without',
    title: 'early data is asked for with a ticket that does not allow any',
    clause: 'RFC 9846 §4.3.10, §4.7.1',
    reason: 'A server that allows none may have no defence against a replay.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('resume');
      bench.need('early-data');
      const server = bench.server();
      await server.hand(SENDS);
      const visit = await offering(server, SENDS);
      return conforms(!helloOf(visit).has('early_data'), 'the client offers early data');
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/full-handshake',
    title: 'early data is asked for without a ticket',
    clause: CLAUSE,
    reason: 'Early data goes under a PSK. early_data without pre_shared_key is of no use to any server.',
    mechanism: 'none',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('early-data');
      const visit = await bench.server().accept({ resumes: false, sendsEarlyData: true });
      const hello = helloOf(visit);
      return conforms(!hello.has('early_data') || hello.has('pre_shared_key'), 'early_data without pre_shared_key');
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/max-size',
    title: 'early data is asked for with a ticket that allows one byte',
    clause: 'RFC 9846 §4.7.1',
    reason: 'max_early_data_size is the most that the client is allowed to send. Servers end connections with more.',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      const server = earlyServer(bench);
      await server.hand({ ...SENDS, faults: [faults.ticket({ maxEarlyData: 1 })] });
      const visit = await offering(server, SENDS);
      return conforms(
        earlyBytes(visit) <= 1 && visit.facts.error?.origin !== 'local',
        'the client sends more early data than that',
      );
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/accepted',
    title: 'early data is accepted',
    clause: 'RFC 9846 §4.6, §4.3.10',
    reason:
      'Behind the Finished of the server the client must send EndOfEarlyData under the early keys, and go on with the next.',
    severity: 'must',
    expect: ['resumes'],
    run: async (bench) => {
      const server = earlyServer(bench);
      await server.hand(SENDS);
      const visit = await early(server);
      if (!isAccepted(visit)) throw new NotRun('the tester has not accepted the early data');
      if (visit.facts.isEstablished && visit.received('end_of_early_data').length !== 1)
        return 'differs: no EndOfEarlyData';
      return visit.reaction;
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/rejected',
    title: 'early data is rejected, and the session is resumed',
    clause: 'RFC 9846 §4.6',
    reason: 'Without early_data in EncryptedExtensions the client must not send EndOfEarlyData.',
    severity: 'must',
    expect: ['resumes'],
    run: async (bench) => {
      const server = earlyServer(bench, { earlyData: { maxSize: 16_384, antiReplay: { admit: () => false } } });
      await server.hand(SENDS);
      return (await early(server)).reaction;
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/rejected-with-the-session',
    title: 'early data is rejected, and the session as well',
    clause: 'RFC 9846 §4.3.10, §4.6',
    reason: 'The server has lost its keys: a full handshake has to follow.',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      await earlyServer(bench).hand(SENDS);
      return (await early(bench.server())).reaction;
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/after-hello-retry',
    title: 'a HelloRetryRequest answers a hello with early data',
    clause: 'RFC 9846 §4.2.2, §4.3.10',
    reason: 'It rejects the early data. The second hello must not offer it again.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const group = groupWithoutShare(helloOf(await earlyServer(bench).hand(SENDS)));
      const visit = await early(bench.server({ groups: [group] }));
      return conforms(!helloOf(visit, 2).has('early_data'), 'the second hello offers early data');
    },
  },
];

const answers: readonly ClientScenario[] = [
  {
    ...EARLY,
    id: 'client/early-data/accepted-without-its-psk',
    title: 'the server accepts early data in a full handshake',
    clause: CLAUSE,
    reason: 'The server cannot have read the data: it has not selected the PSK that the data is under.',
    severity: 'should',
    // The alert is under the early keys, which this server does not have.
    expect: ['illegal_parameter', 'unsupported_extension', 'closes'],
    run: async (bench) => {
      await earlyServer(bench).hand(SENDS);
      return (await early(bench.server(), accepting)).reaction;
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/accepted-for-another-identity',
    title: 'the server accepts early data, and ServerHello selects identity 1',
    clause: 'RFC 9846 §4.3.11',
    reason: 'Early data are under the first identity. A server that has selected another cannot have read them.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const server = earlyServer(bench);
      await server.hand();
      const second = faults.extension('server_hello', ExtensionType.pre_shared_key, Uint8Array.of(0, 1));
      const visit = await early(server, second);
      return requireHello(
        visit,
        ({ psks }) => psks.length === 1,
        'it offers another identity, whose keys the tester has not',
      ).reaction;
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/accepted-after-hello-retry',
    title: 'the server accepts early data that its HelloRetryRequest has rejected',
    clause: 'RFC 9846 §4.3',
    reason: 'The hello that is answered has no early_data.',
    severity: 'must',
    expect: ['unsupported_extension'],
    run: async (bench) => {
      const group = groupWithoutShare(helloOf(await earlyServer(bench).hand(SENDS)));
      return (await early(bench.server({ groups: [group] }), accepting)).reaction;
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/accepted-under-another-suite',
    title: 'the server resumes under another suite of the same hash, and accepts early data',
    clause: CLAUSE,
    reason: 'Servers must reject early data then. A client that goes on trusts a server that breaks the rule.',
    severity: 'observed',
    // In the same way.
    expect: ['illegal_parameter', 'closes'],
    run: async (bench) => {
      const server = earlyServer(bench, { ciphers: ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'] });
      await server.hand(SENDS);
      return (await early(server, faults.resumeUnder('TLS_CHACHA20_POLY1305_SHA256'), accepting)).reaction;
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/accepted-with-content',
    title: 'the server accepts early data by an extension of one byte',
    clause: 'RFC 9846 §4.3',
    reason: 'In EncryptedExtensions it is empty. Data that is left over is a decode_error.',
    severity: 'must',
    expect: ['decode_error'],
    run: async (bench) => {
      const server = earlyServer(bench);
      await server.hand(SENDS);
      const long = faults.extension('encrypted_extensions', ExtensionType.early_data, Uint8Array.of(0));
      return (await early(server, long)).reaction;
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/accepted-in-server-hello',
    title: 'the server accepts early data by an extension of ServerHello',
    clause: 'RFC 9846 §4.3',
    reason: 'It has its place in EncryptedExtensions, where it is protected.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const server = earlyServer(bench);
      await server.hand(SENDS);
      return (await early(server, faults.extension('server_hello', ExtensionType.early_data, NOTHING))).reaction;
    },
  },
  {
    ...EARLY,
    id: 'client/early-data/answered-by-tls12',
    title: 'a server answers a hello with early data by TLS 1.2',
    clause: 'RFC 9846 Appendix E.3',
    reason: 'The early data is already on its way, and TLS 1.2 cannot skip it.',
    severity: 'must',
    expect: ['aborts'],
    run: async (bench) => {
      const server = earlyServer(bench);
      await server.hand(SENDS);
      const { key_share, pre_shared_key, supported_versions } = ExtensionType;
      const ofTls13 = [key_share, pre_shared_key, supported_versions];
      const without = ofTls13.map((type) => faults.extension('server_hello', type, undefined));
      const cipherSuite = CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
      const tls12 = faults.change<object>('server_hello', (body) => ({
        ...body,
        cipherSuite,
        legacySessionIdEcho: NOTHING,
      }));
      // What comes next would end the connection for other reasons: who goes on gets nothing more, and waits.
      const rest = (['encrypted_extensions', 'finished'] as const).map((name) => faults.drop(name));
      const alone = [...rest, instead('change_cipher_spec', () => [])];
      return (await early(server, ...without, tls12, ...alone)).reaction;
    },
  },
];

export const earlyDataTls13: readonly ClientScenario[] = [...offers, ...answers];
