/** What a client makes of the answer to its PSKs: RFC 9846 §4.3.11. */

import { ExtensionType } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ClientScenario } from '../scenario.ts';

const TLS13 = { side: 'client', versions: ['TLSv1.3'], mechanism: 'psk' } as const;

export const clientPsk: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/selected-identity-out-of-range',
    title: 'ServerHello selects an identity that was not offered',
    clause: 'RFC 9846 §4.3.11',
    reason: 'The client would go on under a key that it does not have, or read beyond its list.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server();
      await server.hand();
      const seventh = faults.extension('server_hello', ExtensionType.pre_shared_key, Uint8Array.of(0, 7));
      return (await server.accept({ faults: [seventh] })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/selected-unasked',
    title: 'ServerHello selects an identity though none was offered',
    clause: 'RFC 9846 §4.3.11',
    reason: 'An extension that answers nothing is unsupported_extension.',
    mechanism: 'none',
    severity: 'must',
    expect: ['unsupported_extension'],
    run: async (bench) => {
      const unasked = faults.extension('server_hello', ExtensionType.pre_shared_key, Uint8Array.of(0, 0));
      return (await bench.server().accept({ resumes: false, faults: [unasked] })).reaction;
    },
  },
];
