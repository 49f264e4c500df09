/** A client that speaks TLS 1.3, and a server that answers in TLS 1.2, or the other way round: RFC 9846 §4.2.3. */

import type { Fault } from '../../../engine/fault.ts';
import { DOWNGRADE_TO_TLS12 } from '../../../handshake/messages/server-hello.ts';
import { DOWNGRADE_TO_TLS11 } from '../../../handshake/messages/undecided-server-hello.ts';
import { concat } from '../../../wire/bytes.ts';
import { ExtensionType, ProtocolVersion } from '../../../wire/registry.ts';
import { joinMessage, requireSplit } from '../../extension-block.ts';
import { faults } from '../../faults.ts';
import type { ClientBench } from '../bench.ts';
import type { ClientScenario } from '../scenario.ts';
import { NotRun, type Reaction, type Visit } from '../visit.ts';
import { given, offered, offers, resume, unawareOf } from './tls12.ts';

const TLS12 = { side: 'client', versions: ['TLSv1.2'], mechanism: 'none' } as const;
const BOTH = { side: 'client', versions: ['TLSv1.2', 'TLSv1.3'], mechanism: 'none' } as const;
const ONLY_TLS13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
const ONLY_TLS12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

/** @throws NotRun for a client that does not offer TLS 1.3 */
function requireTls13(visit: Visit): void {
  const versions = offered(visit).extensions.get(ExtensionType.supported_versions) ?? new Uint8Array(0);
  const wanted = ProtocolVersion['TLSv1.3'];
  for (let at = 1; at < versions.length; at += 2)
    if (256 * (versions[at] ?? 0) + (versions[at + 1] ?? 0) === wanted) return;
  throw new NotRun('the client does not offer TLS 1.3');
}

/** A ServerHello whose random ends so. Who passes over that will not take the signature of the server, which has another. */
const randomEnd = (end: Uint8Array): Fault =>
  faults.change<{ readonly random: Uint8Array }>('server_hello', (fields) => ({
    ...fields,
    random: concat(fields.random.subarray(0, -end.length), end),
  }));

const sentinel =
  (end: Uint8Array) =>
  async (bench: ClientBench): Promise<Reaction> => {
    const visit = await bench.server().accept({ resumes: false, faults: [randomEnd(end)] });
    requireTls13(visit);
    return visit.reaction;
  };

const SENTINEL =
  'Who removes the offer of TLS 1.3 from the hello cannot change the random, which the server signs: there the client sees it.';

/** Has ServerHello twice of its first extension. */
const duplicate = (): Fault =>
  faults.raw(
    'server_hello',
    (raw) => {
      // A ServerHello of TLS 1.3 has its extensions at the same place.
      const { head, list } = requireSplit(raw, 'TLSv1.2');
      return joinMessage(raw[0] ?? 0, head, [...list.slice(0, 1), ...list]);
    },
    { isHashed: true },
  );

export const downgrades: readonly ClientScenario[] = [
  {
    ...TLS12,
    id: 'client/none/downgrade-to-tls12',
    title: 'a ServerHello of TLS 1.2 whose random says that the server speaks TLS 1.3',
    clause: 'RFC 9846 §4.2.3',
    reason: SENTINEL,
    severity: 'must',
    expect: ['illegal_parameter'],
    run: sentinel(DOWNGRADE_TO_TLS12),
  },
  {
    ...TLS12,
    id: 'client/none/downgrade-to-tls11',
    title: 'a ServerHello of TLS 1.2 whose random says that TLS 1.1 or below was negotiated',
    clause: 'RFC 9846 §4.2.3',
    reason: `${SENTINEL} A client of TLS 1.3 compares both values, whatever the version.`,
    severity: 'must',
    expect: ['illegal_parameter'],
    run: sentinel(DOWNGRADE_TO_TLS11),
  },
  {
    ...TLS12,
    id: 'client/session-id/downgrade-on-resumption',
    title: 'a ServerHello that resumes a session of TLS 1.2, and whose random says that the server speaks TLS 1.3',
    clause: 'RFC 9846 §4.2.3',
    reason: `${SENTINEL} The rule is for every ServerHello, also one that resumes.`,
    mechanism: 'session-id',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const visit = await resume(bench, 'session-id', [randomEnd(DOWNGRADE_TO_TLS12)]);
      requireTls13(visit);
      return visit.reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/psk/server-now-speaks-tls12',
    title: 'a ticket of TLS 1.3 is offered to a server that now speaks TLS 1.2 alone',
    clause: 'RFC 9846 Appendix E.1',
    reason:
      'A server may have been replaced by an older one. Without early data a client that offers TLS 1.2 goes along.',
    mechanism: 'psk',
    severity: 'observed',
    expect: ['full handshake'],
    run: async (bench) => {
      bench.need('resume');
      const first = await bench.server(ONLY_TLS13).hand();
      if (first.facts.version !== 'TLSv1.3') throw new NotRun('the client does not speak TLS 1.3');
      const visit = await bench.server(ONLY_TLS12).accept();
      if (!offered(visit).extensions.has(ExtensionType.pre_shared_key)) throw new NotRun('the client offers no PSK');
      return visit.reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/server-now-speaks-tls13',
    title: 'a session of TLS 1.2 is offered to a server that now speaks TLS 1.3 alone',
    clause: 'RFC 9846 §4.2.3',
    reason: 'The server echoes the id in TLS 1.3 as well, also if it is that of a session: the echo resumes nothing.',
    versions: ['TLSv1.3'],
    mechanism: 'session-id',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      bench.need('resume');
      const id = given(await bench.server(ONLY_TLS12).hand(), 'session-id');
      const visit = await bench.server(ONLY_TLS13).accept();
      if (!offers(visit, 'session-id', id)) throw new NotRun('the client does not offer its session-id');
      requireTls13(visit);
      return visit.reaction;
    },
  },
  {
    ...BOTH,
    id: 'client/none/extension-unasked',
    title: 'ServerHello has an extension that was not offered',
    clause: 'RFC 5246 §7.4.1.4, RFC 9846 §4.3',
    reason: 'An extension answers one of the hello. One that answers nothing was put there by somebody else.',
    severity: 'must',
    expect: ['unsupported_extension'],
    run: async (bench) => {
      const unasked = faults.extension('server_hello', 0xff5e, Uint8Array.of(1, 2, 3));
      return (await bench.server().accept({ resumes: false, faults: [unasked] })).reaction;
    },
  },
  {
    ...BOTH,
    id: 'client/none/extension-twice',
    title: 'ServerHello has an extension twice',
    clause: 'RFC 5246 §7.4.1.4, RFC 9846 §4.3',
    reason: 'There must not be two of the same type: two parsers may take either.',
    severity: 'should',
    expect: ['aborts'],
    run: async (bench) => (await bench.server().accept({ resumes: false, faults: [duplicate()] })).reaction,
  },
  {
    ...TLS12,
    id: 'client/session-id/extension-unasked',
    title: 'ServerHello resumes with an extension that was not offered',
    clause: 'RFC 5246 §7.4.1.4',
    reason: 'An extension answers one of the hello, also in a resumption.',
    mechanism: 'session-id',
    severity: 'must',
    expect: ['unsupported_extension'],
    run: async (bench) => {
      const unasked = faults.extension('server_hello', 0xff5e, Uint8Array.of(1, 2, 3));
      return (await resume(bench, 'session-id', [unasked])).reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/none/point-formats-without-uncompressed',
    title: 'ServerHello has ec_point_formats without uncompressed points',
    clause: 'RFC 8422 §5.1.2, §5.2',
    reason: 'Points are uncompressed, and every list has that format.',
    severity: 'should',
    expect: ['aborts'],
    run: async (bench) => {
      const compressed = faults.extension('server_hello', ExtensionType.ec_point_formats, Uint8Array.of(1, 1));
      const visit = await bench.server().accept({ resumes: false, faults: [compressed] });
      if (!offered(visit).extensions.has(ExtensionType.ec_point_formats))
        throw new NotRun('the client does not offer ec_point_formats');
      return visit.reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/none/extended-master-secret-unknown',
    title: 'a server that does not know extended_master_secret',
    clause: 'RFC 7627 §5.2',
    reason:
      'A client should refuse unless it wants to speak with older servers. If it goes on, its master secret is the old one.',
    severity: 'observed',
    expect: ['full handshake', 'aborts'],
    run: async (bench) => {
      const unaware = unawareOf(ExtensionType.extended_master_secret);
      const visit = await bench.server().accept({ resumes: false, faults: [unaware] });
      if (!offered(visit).extensions.has(ExtensionType.extended_master_secret))
        throw new NotRun('the client does not offer extended_master_secret');
      return visit.reaction;
    },
  },
];
