/** The options of the Node shell: the core's, node:tls's way to give a certificate, and what concerns sockets. */

import type { Fault } from '../engine/fault.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import type { ServerOptions } from '../engine/server/options.ts';
import type { Pem } from '../wire/pem.ts';

/** The options of one socket of either role. */
export interface TlsSocketOptions {
  /** Whether the writable side stays open when the peer has closed its own. Default false, as in node:net. */
  readonly allowHalfOpen?: boolean | undefined;
  /** Milliseconds that the handshake may take, default 120000; 0 for no limit. After that it fails with ERR_TLS_HANDSHAKE_TIMEOUT. */
  readonly handshakeTimeout?: number | undefined;
}

/** Options that {@link Server} adds. */
export interface ServerSocketOptions extends TlsSocketOptions {
  /** What the connection is to send otherwise than it should, for tests of its peer: values of tls-resume/testing. */
  readonly faults?: readonly Fault[] | undefined;
  /** Whether no output may be sent until this promise of a callback has settled. The promise must settle. */
  readonly isAwaited?: ((promise: PromiseLike<unknown>) => boolean) | undefined;
}

/** Returns the faults of one connection, which is the first of its server, the second, and so on: `number` counts from 1. */
export type FaultsOf = (connection: { readonly number: number }) => readonly Fault[];

/** The options of {@link createServer} and {@link accept}. One of `credentials`, `cert` with `key`, `psks` and `config` is required. */
export interface NodeServerOptions extends Omit<ServerOptions, 'credentials'>, TlsSocketOptions {
  readonly credentials?: ServerOptions['credentials'] | undefined;
  /** As in node:tls, instead of `credentials`: a certificate chain in PEM, or an array of them, each for the key at its index. */
  readonly cert?: Pem | readonly Pem[] | undefined;
  readonly key?: Pem | readonly Pem[] | undefined;
  /**
   * As in node:tls: one key of 48 bytes, which servers of both kinds can share. It implies `tickets.mode` 'stateless' and replaces
   * `tickets.keys`. To accept tickets of servers of node:tls, set `tickets.foreign` and `sessions.idContext`, too.
   */
  readonly ticketKeys?: Uint8Array | undefined;
  /** A result of defineServer(), instead of all of the core's options. */
  readonly config?: ServerConfig | undefined;
  /**
   * What connections are to send otherwise than they should, for tests of clients: values of tls-resume/testing. A function is called for
   * each connection of a server; if it fails, that connection ends, and 'tlsClientError' says why. {@link accept} takes an array.
   */
  readonly faults?: readonly Fault[] | FaultsOf | undefined;
}
