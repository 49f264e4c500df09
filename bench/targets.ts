/** What the figures are to be, as ratios to the peer. A figure without a target is measured all the same. */

export interface Target {
  /** At most this. */
  readonly must: number;
  /** What we would like to see. */
  readonly aim?: number;
}

const TARGETS: Readonly<Record<string, Target>> = {
  'sockets/tls12-id/default': { must: 0.9, aim: 0.8 },
  'sockets/tls12-id/fast': { must: 0.75, aim: 0.6 },
  'sockets/tls12-ticket/default': { must: 0.9, aim: 0.8 },
  'sockets/tls12-ticket/fast': { must: 0.75, aim: 0.62 },
  'sockets/tls13-psk_ke/default': { must: 0.8, aim: 0.65 },
  'sockets/tls13-psk_ke/fast': { must: 0.65, aim: 0.52 },
  'sockets/tls13-psk_dhe_ke/nodeCrypto': { must: 1.1, aim: 0.95 },
  'sockets/tls13-psk_dhe_ke/webCrypto': { must: 1.6, aim: 1.2 },
  'clients/tls12-id/default': { must: 0.9 },
  'clients/tls13-psk_dhe_ke/nodeCrypto': { must: 1.1 },
  'clients/tls13-psk_dhe_ke/fast+nodeCrypto': { must: 1.1 },
  'hybrid/tls13-full/default': { must: 1.5 },
  'hybrid/tls13-full/nodeCrypto': { must: 1.15 },
  'pair/tls12-full/default': { must: 1 },
  'pair/tls13-full/default': { must: 1 },
  'pair/tls12-id/default': { must: 1 },
  'tax/tls12-id/fast': { must: 0.5, aim: 0.25 },
  'cold/handshakes/fast': { must: 1.2, aim: 0.9 },
  'cold/bundle': { must: 1, aim: 0.75 },
};

/** Every provider's engine is held to the floor of its own primitives. */
const ENGINE: Target = { must: 1.5, aim: 1.2 };

/** Accepted early data, whatever the provider, against the resumption without any data. */
const EARLY_DATA: Target = { must: 1.25 };

/** Of the cache with a million sessions. */
const CACHE: Target = { must: 1, aim: 0.8 };

export function targetOf(name: string): Target | undefined {
  if (name.startsWith('engine/')) return ENGINE;
  if (/^early-data\/[^/]+\/[^/]+$/.test(name)) return EARLY_DATA;
  if (/^cache\/1000000\/(hit|evict|memory|longest GC pause)/.test(name)) return CACHE;
  return TARGETS[name];
}
