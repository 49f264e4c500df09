/** Choices of a server that are a correct server's to make, and that a tester makes for it (tls-resume/testing). */

import type { CipherSuiteName, GroupName } from '../wire/registry.ts';

/** What is `undefined` the server decides by itself. */
export interface Decisions {
  /** The group to ask for by a HelloRetryRequest, also if there is a share of it or of another (RFC 9846 §4.2.4). */
  readonly retryWith?: GroupName | undefined;
  /** The index of the one PSK identity that is looked at. */
  readonly identityIndex?: number | undefined;
  /** The suite to resume under, if it has the hash of the session's and both sides have it (§4.3.11). */
  readonly cipherSuite?: CipherSuiteName | undefined;
  /** Fields of each NewSessionTicket (§4.7.1). The PSK is that of the nonce. */
  readonly ticket?: TicketDecisions | undefined;
  /** Whether tickets are opened as a task even if the keys are at hand, so that a recording has it. */
  readonly opensByTask?: boolean | undefined;
}

/** What a tester has a server put into its tickets (RFC 9846 §4.7.1). */
export interface TicketDecisions {
  /** 0 to 255 bytes. */
  readonly nonce?: Uint8Array | undefined;
  /** Seconds, 0 to 2^32 - 1. */
  readonly lifetime?: number | undefined;
  /** 0 to 2^32 - 1. */
  readonly ageAdd?: number | undefined;
  /** The max_early_data_size, and that of the session; 0 to 2^32 - 1. */
  readonly maxEarlyData?: number | undefined;
}
