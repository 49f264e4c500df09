/** The options of the Node shell: the core's, node:tls's way to give a certificate, and what concerns sockets. */

import type { Buffer } from 'node:buffer';
import { defineServer, type ServerConfig } from '../config.ts';
import type { ServerOptions } from '../options.ts';
import { SessionStore } from '../session-store.ts';
import type { TlsSocketOptions } from './socket.ts';

type Pem = string | Uint8Array | Buffer;

export interface NodeServerOptions extends Omit<ServerOptions, 'credentials'>, TlsSocketOptions {
  readonly credentials?: ServerOptions['credentials'] | undefined;
  /** As in node:tls, instead of `credentials`: PEM, several beside several `key`s. */
  readonly cert?: Pem | readonly Pem[] | undefined;
  readonly key?: Pem | readonly Pem[] | undefined;
}

/** Options taken apart: the core's, and the shell's. */
export interface SplitOptions {
  /** `undefined` where the user has brought a configuration that is ready. */
  readonly core: ServerOptions | undefined;
  readonly config: ServerConfig;
  readonly socket: TlsSocketOptions;
}

/** @throws TypeError or RangeError naming the option */
export function splitOptions(options: NodeServerOptions | ServerConfig): SplitOptions {
  if (isConfig(options)) return { core: undefined, config: options, socket: {} };
  const { cert, key, allowHalfOpen, handshakeTimeout, credentials, ...rest } = options;
  if (allowHalfOpen !== undefined && typeof allowHalfOpen !== 'boolean')
    throw new TypeError('allowHalfOpen: true or false');
  if (handshakeTimeout !== undefined && !(handshakeTimeout >= 0))
    throw new RangeError('handshakeTimeout: milliseconds from 0');
  const core = { ...rest, credentials: credentials ?? pairs(cert, key) };
  if (credentials !== undefined && (cert !== undefined || key !== undefined)) {
    throw new TypeError('give either credentials, or cert and key');
  }
  return { core, config: defineServer(core), socket: { allowHalfOpen, handshakeTimeout } };
}

function isConfig(options: NodeServerOptions | ServerConfig): options is ServerConfig {
  return typeof options === 'object' && options !== null && 'store' in options && options.store instanceof SessionStore;
}

function pairs(cert: NodeServerOptions['cert'], key: NodeServerOptions['key']): { cert: string; key: string }[] {
  const certs = texts(cert);
  const keys = texts(key);
  if (certs.length !== keys.length)
    throw new TypeError(`${certs.length} cert and ${keys.length} key; they go in pairs`);
  return certs.map((text, i) => ({ cert: text, key: keys[i] ?? '' }));
}

function texts(pem: NodeServerOptions['cert']): string[] {
  if (pem === undefined) return [];
  const list: readonly Pem[] = typeof pem === 'string' || pem instanceof Uint8Array ? [pem] : pem;
  return list.map((item) => (typeof item === 'string' ? item : new TextDecoder().decode(item)));
}
