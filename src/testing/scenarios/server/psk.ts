/** What a server makes of the PSKs that it is offered: RFC 9846 §4.3.11. */

import type { HelloDraft } from '../../../handshake/client/hello-draft.ts';
import type { ServerScenario } from '../scenario.ts';

const TLS13 = { side: 'server', versions: ['TLSv1.3'], mechanism: 'psk' } as const;

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
    reason: 'An unknown identity is to be passed over: the client has asked for a full handshake just as well.',
    severity: 'must',
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
];
