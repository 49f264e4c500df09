/** A connection as callbacks are told of it; it stands this low because ticket keys are asked for with it too. */

/** Facts about the connection on whose behalf a callback is called. Addresses are absent where the shell has none. */
export interface ConnectionInfo {
  readonly serverName: string | undefined;
  readonly version: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}
