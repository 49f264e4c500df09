/** The description of a connection that callbacks get. It is declared here because providers of ticket keys get it too. */

/** The connection for which a callback is called. Addresses are absent if the shell has none. */
export interface ConnectionInfo {
  readonly serverName: string | undefined;
  readonly version: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}
