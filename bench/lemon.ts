/** lemon-tls, a peer that is no dependency: measured where it is installed, or where BENCH_LEMON_TLS says that it is. */

import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import { pathToFileURL } from 'node:url';

export interface LemonTls {
  createServer(options: TlsOptions, onConnection: (socket: Duplex) => void): Server;
}

/** `undefined` where it is not installed. */
export async function lemonTls(): Promise<LemonTls | undefined> {
  const path = process.env['BENCH_LEMON_TLS'];
  const specifier = path === undefined ? 'lemon-tls' : pathToFileURL(path).href;
  try {
    const library: unknown = await import(specifier);
    return isLemonTls(library) ? library : undefined;
  } catch {
    return undefined;
  }
}

function isLemonTls(library: unknown): library is LemonTls {
  return typeof library === 'object' && library !== null && 'createServer' in library;
}
