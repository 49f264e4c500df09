/** The options of the Node shell: the core's, node:tls's way to give a certificate, and what concerns sockets. */

import type { Buffer } from 'node:buffer';
import type { ServerConfig } from '../engine/server/config.ts';
import type { ServerOptions } from '../engine/server/options.ts';

export interface TlsSocketOptions {
  /** Whether our direction stays open when the peer has closed its own. Default false, as in node:net. */
  readonly allowHalfOpen?: boolean | undefined;
  /** Milliseconds for the handshake, default 120000; 0 for no limit. */
  readonly handshakeTimeout?: number | undefined;
}

/** What {@link Server} adds to them. */
export interface ServerSocketOptions extends TlsSocketOptions {
  /** Whether nothing leaves before this promise of a callback has settled. It has to settle. */
  readonly isAwaited?: ((promise: PromiseLike<unknown>) => boolean) | undefined;
}

export type Pem = string | Uint8Array | Buffer;

/** The core's options, of which one of `credentials`, `cert` with `key`, and `config` must be there. */
export interface NodeServerOptions extends Omit<ServerOptions, 'credentials'>, TlsSocketOptions {
  readonly credentials?: ServerOptions['credentials'] | undefined;
  /** As in node:tls, instead of `credentials`: PEM, several beside several `key`s. */
  readonly cert?: Pem | readonly Pem[] | undefined;
  readonly key?: Pem | readonly Pem[] | undefined;
  /**
   * As in node:tls: one key of 48 bytes, for servers of both kinds that share their tickets. It stands for `tickets.mode`
   * 'stateless' and `tickets.keys`. Where servers of node:tls have it too, set `tickets.foreign` and `sessions.idContext`.
   */
  readonly ticketKeys?: Uint8Array | undefined;
  /** What defineServer() returned, instead of all of the core's options. */
  readonly config?: ServerConfig | undefined;
}
