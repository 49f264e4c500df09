/** TLS to a server: over TCP, or over a transport that exists already. */

import { connect as connectPlain, type NetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ClientConfig } from '../engine/client/config.ts';
import { kindOf } from '../wire/kind-of.ts';
import { type ConnectTarget, clientOptions, type NodeClientOptions } from './client-options.ts';
import { TlsClientSocket } from './client-socket.ts';
import { canonicalHost } from './host-name.ts';
import { requireDuplex } from './transport.ts';

/**
 * Runs the client's end of TLS, over a new TCP connection to `target`, or over an existing transport. The socket takes ownership of
 * a transport: the caller must not read, write, end or destroy it any more. 'secureConnect' is emitted when the handshake is
 * complete; a failure before that is an 'error' of the socket.
 *
 *     const socket = connect({ host: 'example.com', port: 443 }, { ca: rootCertificates });
 *     https.request(url, { createConnection: (target) => connect(target, { ca }) });
 *
 * `serverName` is by default the host of `target`; over a transport there is no default. `target.timeout` is that of setTimeout().
 * @throws TypeError or RangeError naming the option that is wrong; TypeError for a transport that does not produce bytes
 */
export function connect(target: ConnectTarget | Duplex, options: NodeClientOptions | ClientConfig): TlsClientSocket {
  const { config, socket } = clientOptions(options);
  if (isDuplex(target)) {
    requireDuplex(target);
    return new TlsClientSocket(target, config, socket);
  }
  const { servername, timeout, ...tcp } = requireTarget(target);
  const host = tcp.host ?? (tcp.path ? undefined : 'localhost');
  const { serverName = servername || (host && canonicalHost(host)) } = socket;
  // A port in digits is fine for Node, whose types have only numbers.
  const transport = connectPlain({ noDelay: true, ...tcp, host } as NetConnectOpts);
  try {
    const peer = { host, port: tcp.port ? Number(tcp.port) : undefined };
    const client = new TlsClientSocket(transport, config, { ...socket, ...peer, serverName });
    return timeout ? client.setTimeout(timeout) : client;
  } catch (error) {
    transport.destroy();
    throw error;
  }
}

function isDuplex(target: ConnectTarget | Duplex): target is Duplex {
  return typeof target === 'object' && target !== null && 'write' in target;
}

function requireTarget(target: ConnectTarget): ConnectTarget {
  if (typeof target !== 'object' || target === null)
    throw new TypeError(`target: { host, port } or a Duplex is wanted, not ${kindOf(target)}`);
  if ((target.port ?? target.path ?? undefined) === undefined)
    throw new TypeError('target: port is missing, as in { host, port: 443 }');
  return target;
}
