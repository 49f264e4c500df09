/** The counters of SSL_CTX_sess_number(3). A server has one set, which its connections share. */

/** A snapshot of the counters. Those of clients and of renegotiation, neither of which this server has, are always 0. */
export interface SessionStatistics {
  /** Sessions in the internal cache now. */
  readonly number: number;
  readonly connect: number;
  readonly connectGood: number;
  readonly connectRenegotiate: number;
  /** Connections begun, however they ended. */
  readonly accept: number;
  /** Handshakes completed. */
  readonly acceptGood: number;
  readonly acceptRenegotiate: number;
  /** Connections in which an offered session was accepted, even if the handshake failed later. */
  readonly hits: number;
  /** Connections in which the get callback had a session, even if it was not accepted. */
  readonly callbackHits: number;
  /** Connections in which the internal cache did not have a session, even if the get callback did. */
  readonly misses: number;
  /** Connections in which an offered session had expired. */
  readonly timeouts: number;
  /** Sessions that the internal cache has evicted because it was full, by entries or by bytes. */
  readonly cacheFull: number;
}

export type Counted = 'accept' | 'acceptGood' | 'hits' | 'callbackHits' | 'misses' | 'timeouts';

/** The counters of one store. */
export class Counters {
  readonly #counts: Record<Counted, number> = {
    accept: 0,
    acceptGood: 0,
    hits: 0,
    callbackHits: 0,
    misses: 0,
    timeouts: 0,
  };

  /** Adds `by` to a counter and returns the sum. */
  count(what: Counted, by = 1): number {
    this.#counts[what] += by;
    return this.#counts[what];
  }

  snapshot(cache: { readonly size: number; readonly evicted: number } | undefined): SessionStatistics {
    return Object.freeze({
      number: cache?.size ?? 0,
      connect: 0,
      connectGood: 0,
      connectRenegotiate: 0,
      acceptRenegotiate: 0,
      ...this.#counts,
      cacheFull: cache?.evicted ?? 0,
    });
  }
}
