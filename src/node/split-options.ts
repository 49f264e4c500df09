/** Validates the options of the Node shell, and separates the core's from the socket's. */

import type { PemCredential } from '../engine/credential-options.ts';
import { requireFaults } from '../engine/fault.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { isServerConfig, notAConfig, refuseConfig } from '../engine/server/config-brand.ts';
import { CORE_OPTIONS } from '../engine/server/configure.ts';
import { defineServer } from '../engine/server/define-server.ts';
import type { ServerOptions, TicketOptions } from '../engine/server/options.ts';
import { requireMilliseconds } from '../web/time-limit.ts';
import { kindOf } from '../wire/kind-of.ts';
import { type Names, requireOptions } from '../wire/options.ts';
import type { Pem } from '../wire/pem.ts';
import { systemWorld } from '../world.ts';
import { defaultCrypto } from './default-crypto.ts';
import { refuseNodeNames } from './node-tls-names.ts';
import type { NodeServerOptions, TlsSocketOptions } from './options.ts';
import { NodeTicketKeys } from './ticket-keys.ts';

const OPTIONS = {
  ...CORE_OPTIONS,
  cert: true,
  key: true,
  ticketKeys: true,
  config: true,
  allowHalfOpen: true,
  handshakeTimeout: true,
  faults: true,
} satisfies Names<NodeServerOptions>;

/** Options, separated into those of the core and those of the shell. */
export interface SplitOptions {
  /** `undefined` if the user passed a configuration. */
  readonly core: ServerOptions | undefined;
  readonly config: ServerConfig;
  readonly socket: TlsSocketOptions;
  readonly faults: NodeServerOptions['faults'];
  /** The key of the option of this name. */
  readonly ticketKeys?: NodeTicketKeys | undefined;
}

/** @throws TypeError or RangeError naming the option */
export function splitOptions(options: NodeServerOptions | ServerConfig): SplitOptions {
  if (isServerConfig(options)) return { core: undefined, config: options, socket: {}, faults: undefined };
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `options: an object is wanted, with cert and key, or credentials, or a config, not ${kindOf(options)}`,
    );
  }
  refuseConfig('options', options);
  refuseNodeNames(options);
  requireOptions('options', options, OPTIONS);
  const { allowHalfOpen, handshakeTimeout, faults, config, ...rest } = options;
  if (allowHalfOpen !== undefined && typeof allowHalfOpen !== 'boolean') {
    throw new TypeError(`allowHalfOpen: true or false is wanted, not ${kindOf(allowHalfOpen)}`);
  }
  if (handshakeTimeout !== undefined) requireMilliseconds('handshakeTimeout', handshakeTimeout);
  if (typeof faults !== 'function') requireFaults(faults);
  const socket = { allowHalfOpen, handshakeTimeout };
  if (config === undefined) {
    const { ticketKeys: bytes, ...others } = rest;
    const ticketKeys = bytes === undefined ? undefined : new NodeTicketKeys(bytes, others.world ?? systemWorld);
    const given = coreOptions(others);
    const core = ticketKeys === undefined ? given : { ...given, tickets: ticketOptions(given.tickets, ticketKeys) };
    return { core, config: defineServer(core), socket, faults, ticketKeys };
  }
  if (!isServerConfig(config)) throw notAConfig('config', config);
  const [other] = Object.keys(rest);
  if (other !== undefined) throw new TypeError(`give either config or ${other}`);
  return { core: undefined, config, socket, faults };
}

type CoreOptions = Omit<NodeServerOptions, 'allowHalfOpen' | 'handshakeTimeout' | 'faults' | 'config' | 'ticketKeys'>;

function coreOptions({ cert, key, credentials, ...others }: CoreOptions): ServerOptions {
  const rest = { ...others, crypto: others.crypto ?? defaultCrypto };
  const hasNone = credentials === undefined && cert === undefined && key === undefined;
  if (hasNone && rest.psks !== undefined) return rest;
  if (credentials === undefined) return { ...rest, credentials: pairs(cert, key) };
  if (cert !== undefined || key !== undefined) throw new TypeError('give either credentials, or cert and key');
  return { ...rest, credentials };
}

function ticketOptions(tickets: TicketOptions = {}, { ring }: NodeTicketKeys): TicketOptions {
  const { keys, mode = 'stateless' } = tickets;
  if (keys !== undefined) throw new TypeError('give either ticketKeys or tickets.keys');
  if (mode !== 'stateless') throw new TypeError(`ticketKeys: tickets.mode '${mode}' uses none; leave one of them out`);
  return { ...tickets, keys: ring, mode };
}

function pairs(cert: NodeServerOptions['cert'], key: NodeServerOptions['key']): PemCredential[] {
  const certs = listOf('cert', cert);
  const keys = listOf('key', key);
  if (certs.length === 0 && keys.length === 0)
    throw new TypeError(
      'a certificate is wanted: cert and key, both PEM, or credentials: [{ cert, key }], or psks, or a config',
    );
  if (keys.length === 0) throw new TypeError('cert without its key; give key, too, as PEM');
  if (certs.length === 0) throw new TypeError('key without its cert; give cert, too, as PEM');
  const missing = certs.length < keys.length ? 'cert' : 'key';
  if (certs.length !== keys.length)
    throw new TypeError(`${missing} is missing: ${certs.length} cert and ${keys.length} key; they go in pairs`);
  return certs.map((chain, i) => ({ cert: chain, key: keys[i] ?? '' }));
}

function listOf(name: string, pem: NodeServerOptions['cert']): readonly Pem[] {
  if (pem === undefined) return [];
  const list: readonly Pem[] = Array.isArray(pem) ? pem : [pem];
  for (const item of list) {
    if (typeof item === 'string' || item instanceof Uint8Array) continue;
    throw new TypeError(`${name}: PEM is wanted, as a string or a Buffer, not ${kindOf(item)}${remedyFor(item)}`);
  }
  return list;
}

/** node:tls also takes `{ pem, passphrase }`. */
function remedyFor(given: unknown): string {
  return typeof given === 'object' && given !== null && 'pem' in given ? '; give its pem, not encrypted' : '';
}
