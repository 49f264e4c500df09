/** A pre-shared key, in either role: RFC 9846 §2.2, §4.3.11. */

import type { PskKind } from '../crypto/key-schedule.ts';
import type { HashName } from '../crypto/provider.ts';
import type { Session } from '../sessions/session.ts';

/**
 * What early data under a PSK depends on (RFC 9846 §4.3.10). A session has it from the connection that made it; with an external PSK
 * it is provisioned.
 */
export interface EarlyDataTerms {
  readonly cipherSuite: number;
  readonly alpnProtocol?: string | undefined;
  /** Of an external PSK: `undefined` for any name. */
  readonly serverName?: string | undefined;
  readonly foreign: { readonly maxEarlyData?: number | undefined };
}

/** A key that both sides have, and where it is from. */
export interface Psk {
  readonly kind: PskKind;
  /** Not a copy. */
  readonly secret: Uint8Array;
  /** The one hash that TLS 1.3 uses the key with. */
  readonly hash: HashName;
  /** The session of a ticket. */
  readonly session?: Session | undefined;
  /** Of an external PSK that allows early data. */
  readonly earlyData?: EarlyDataTerms | undefined;
  /** Whether a client that has the key need not show the certificate that all others must show. */
  readonly replacesClientCertificate?: boolean | undefined;
}

/** An external PSK, as it is offered: an imported one has an identity for each hash (RFC 9258 §5.1). */
export interface WirePsk extends Psk {
  readonly kind: 'external' | 'imported';
  readonly identity: Uint8Array;
  /** The only role in which this endpoint may use it; `undefined` for either. */
  readonly role: 'client' | 'server' | undefined;
}

/** How a connection names the use of an external PSK. */
export function mechanismOfPsk({ kind }: Pick<WirePsk, 'kind'>): 'psk-external' | 'psk-imported' {
  return `psk-${kind}`;
}
