/** The options of our own peer that a scenario needs, where they are not the defaults. */

import type { ClientOptions } from '../../src/engine/client/options.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { credential } from '../support/servers.ts';

export interface PeerOptions {
  readonly client?: Partial<ClientOptions> | undefined;
  readonly server?: Partial<ServerOptions> | undefined;
}

const ASKS_FOR_TICKETS: PeerOptions = { client: { ticketRequest: { newSessionCount: 2, resumptionCount: 1 } } };

/** Made anew for each peer: what it remembers of early data is its own. */
function takesEarlyData(more: Partial<ServerOptions> = {}): PeerOptions {
  const admitted = new Set<string>();
  const admit = ({ key }: { readonly key: Uint8Array }) => admitted.size < admitted.add(key.join()).size;
  return { server: { earlyData: { maxSize: 1024, antiReplay: { windowMs: 10_000, admit } }, ...more } };
}

const STATELESS: PeerOptions = { server: { tickets: { mode: 'stateless' } } };
const ASKS_FOR_CERTIFICATES: PeerOptions = {
  server: { clientAuth: { mode: 'request', verifyClient: () => true }, sessions: { idContext: new Uint8Array(1) } },
};
const ALPN = ['http/1.1', 'h2'];

const PROTOCOLS: PeerOptions = { server: { alpn: ALPN } };
const STAPLES = (): PeerOptions => ({
  server: { credentials: [{ ...credential('ecdsaP256'), ocspResponse: new Uint8Array(9) }] },
});
const RENEWS: PeerOptions = {
  server: {
    tickets: { mode: 'stateless', onDecrypt: (session) => (session === undefined ? 'ignore-renew' : 'use-renew') },
  },
};

/** Those of all scenarios whose ids begin so. */
const TOPICS: Readonly<Record<string, PeerOptions>> = { 'server/ticket-tls12': STATELESS };

const OPTIONS: Readonly<Record<string, PeerOptions | (() => PeerOptions)>> = {
  'client/session-id/application-protocol-changed': { client: { alpn: ['h2', 'http/1.1'] } },
  'client/session-id/fragment-length-changed': { client: { maxFragmentLength: 1024 } },
  'server/early-data/record-does-not-open': takesEarlyData,
  'server/early-data/end-missing': takesEarlyData,
  'server/early-data/end-twice': takesEarlyData,
  'server/early-data/end-with-content': takesEarlyData,
  'server/early-data/finished-in-place-of-end': takesEarlyData,
  'server/early-data/too-much': takesEarlyData,
  'server/early-data/second-identity': takesEarlyData,
  'server/early-data/skipped-to-the-limit': takesEarlyData,
  'server/early-data/age-too-old': takesEarlyData,
  'server/early-data/age-too-young': takesEarlyData,
  'server/early-data/age-half-way': takesEarlyData,
  'server/early-data/another-protocol': () => takesEarlyData({ alpn: ALPN }),
  'server/early-data/another-suite': takesEarlyData,
  'server/early-data/another-name': () => takesEarlyData({ scope: { shareAcross: 'names' } }),
  'server/early-data/replayed': takesEarlyData,
  'server/psk/certificate-request': ASKS_FOR_CERTIFICATES,
  'server/tickets/another-protocol': () => ({ server: { alpn: ALPN } }),
  'server/tickets/bit-flips': () => STATELESS,
  'server/tickets/cut': () => STATELESS,
  'server/tickets/ticket-of-tls12': () => STATELESS,
  'server/tickets/used-twice': () => ({ server: { tickets: { singleUse: true } } }),
  'client/psk/key-share-with-psk-ke': { client: { pskModes: ['psk_ke'] } },
  'client/encrypted-extensions/ticket-request-empty': ASKS_FOR_TICKETS,
  'client/server-hello/ticket-request': ASKS_FOR_TICKETS,
  'client/hello-retry/ticket-request': ASKS_FOR_TICKETS,
  'client/record-size-limit/below-64': { client: { recordSizeLimit: 4096 } },
  'client/record-size-limit/lowest': { client: { recordSizeLimit: 4096 } },
  'client/record-size-limit/above-the-highest': { client: { recordSizeLimit: 4096 } },
  'client/record-size-limit/beside-max-fragment-length': { client: { recordSizeLimit: 4096, maxFragmentLength: 1024 } },
  'client/max-fragment-length/another': { client: { maxFragmentLength: 1024 } },
  'client/psk/protocol-changed': { client: { alpn: ['h2', 'http/1.1'] } },
  'server/session-id/another-protocol': PROTOCOLS,
  'server/session-id/protocol-left-out': PROTOCOLS,
  'server/session-id/status-request': STAPLES,
  'server/ticket-tls12/another-protocol': PROTOCOLS,
  'server/ticket-tls12/protocol-left-out': PROTOCOLS,
  'server/ticket-tls12/renewed': RENEWS,
  'server/ticket-tls12/status-request': STAPLES,
};

export function peerOptions(id: string): PeerOptions {
  const topic = TOPICS[id.slice(0, id.lastIndexOf('/'))];
  const options = OPTIONS[id] ?? {};
  const own = typeof options === 'function' ? options() : options;
  return { client: { ...topic?.client, ...own.client }, server: { ...topic?.server, ...own.server } };
}
