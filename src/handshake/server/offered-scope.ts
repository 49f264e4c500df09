/** The resumption scope of a session of this handshake (RFC 6066 §3, RFC 9846 §4.7.1; RFC 9257 is about other PSKs, external ones). */

import type { Scope, ScopeField } from '../../sessions/scope.ts';
import { toHex, utf8 } from '../../wire/bytes.ts';
import { canonicalAddress } from './canonical-address.ts';
import type { ServerHandshake } from './context.ts';
import { canonicalName, credentialsFor } from './negotiate.ts';
import type { Settings } from './settings.ts';

/**
 * Returns the scope: server name, the names in the certificate (not its key: renewing it must not invalidate sessions), the
 * application's label, and how clients are authenticated. `shareAcross` replaces the first three, but never the last. `isOfPsk` says
 * that an external PSK stands for the client's certificate, or for a hello, that it may.
 */
export function scopeOf(context: ServerHandshake, isOfPsk = context.facts.replacesClientCertificate): Scope {
  const { settings, facts } = context;
  const { bindLocalAddress, bindAlpn } = settings.scope;
  const scope = scopeOfName(settings, facts.serverName);
  if (!bindLocalAddress && !bindAlpn && !isOfPsk) return scope;
  return {
    ...scope,
    ...(isOfPsk && { clientPsk: digestOf(settings, 'clientPsk', '') }),
    ...(bindLocalAddress && {
      localAddress: digestOf(settings, 'localAddress', canonicalAddress(context.localAddress ?? '')),
    }),
    ...(bindAlpn && { alpn: digestOf(settings, 'alpn', facts.alpnProtocol ?? '') }),
  };
}

/** The most entries of a cache below. Clients may invent names, so a cache that has as many is cleared. */
const MAX_KNOWN = 4096;

/** The scopes by server name, cached because each handshake needs one and the same few names recur. */
const scopes = new WeakMap<Settings, Map<string | undefined, Scope>>();

function scopeOfName(settings: Settings, serverName: string | undefined): Scope {
  const ofNames = scopes.get(settings) ?? new Map<string | undefined, Scope>();
  const before = ofNames.get(serverName);
  if (before !== undefined) return before;
  const scope = Object.freeze(makeScope(settings, serverName));
  if (ofNames.size >= MAX_KNOWN) ofNames.clear();
  scopes.set(settings, ofNames.set(serverName, scope));
  return scope;
}

function makeScope(settings: Settings, serverName: string | undefined): Scope {
  const { label, shareAcross } = settings.scope;
  const digest = (field: ScopeField, value: string) => digestOf(settings, field, value);
  const clients = { clientAuthentication: digest('clientAuthentication', clientAuthentication(settings)) };
  if (shareAcross !== undefined) return { shared: digest('shared', shareAcross), ...clients };
  return {
    serverName: digest('serverName', canonicalName(serverName) ?? ''),
    certificateNames: digest('certificateNames', certificateNames(settings, serverName)),
    label: digest('label', label),
    ...clients,
  };
}

function certificateNames({ credentials }: Settings, serverName: string | undefined): string {
  const names = credentialsFor(credentials, serverName).flatMap((credential) => credential.names.map(canonicalName));
  return [...new Set(names)].sort().join('\0'); // a common name may have a comma
}

/** How clients are authenticated: the mode of the request, and the authorities. Computed once per configuration. */
const policies = new WeakMap<object, string>();

function clientAuthentication({ clientAuth, crypto }: Settings): string {
  if (clientAuth === undefined) return 'none';
  const before = policies.get(clientAuth);
  if (before !== undefined) return before;
  const anchors = clientAuth.anchors.map((anchor) => toHex(crypto.hashes.sha256.digest(anchor))).sort();
  const policy = [clientAuth.mode, ...new Set(anchors)].join();
  policies.set(clientAuth, policy);
  return policy;
}

/** The digests by value, because settings that are made anew for each connection still have the same values. */
const known = new Map<string, string>();

function digestOf({ crypto }: Settings, field: ScopeField, value: string): string {
  const text = `${field}\0${value}`;
  const before = known.get(text);
  if (before !== undefined) return before;
  if (known.size >= MAX_KNOWN) known.clear();
  const digest = toHex(crypto.hashes.sha256.digest(utf8(text)).subarray(0, 16));
  known.set(text, digest);
  return digest;
}
