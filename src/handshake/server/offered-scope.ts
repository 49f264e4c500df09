/** The resumption scope: what a session of this handshake would be bound to (RFC 6066 §3, RFC 8446 §4.6.1, RFC 9257 is of others). */

import type { Scope, ScopeField } from '../../sessions/scope.ts';
import { toHex, utf8 } from '../../wire/bytes.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { ServerHandshake } from './context.ts';
import { canonicalName, credentialsFor, selectAlpn } from './negotiate.ts';
import type { Settings } from './settings.ts';

/**
 * Server name, the names in the certificate (not its key: renewing it must not cost anybody a session), the application's label,
 * and how clients are authenticated. `shareAcross` puts a word of its own in the place of the first three; never of the last.
 */
export function scopeOf(context: ServerHandshake, hello: ClientHello): Scope {
  const { settings, facts } = context;
  const { bindLocalAddress, bindAlpn } = settings.scope;
  const scope = scopeOfName(settings, facts.serverName);
  if (!bindLocalAddress && !bindAlpn) return scope;
  return {
    ...scope,
    ...(bindLocalAddress && { localAddress: digestOf(settings, 'localAddress', context.localAddress ?? '') }),
    ...(bindAlpn && { alpn: digestOf(settings, 'alpn', selectAlpn(hello, settings) ?? '') }),
  };
}

/** Clients may make up names: then the oldest are forgotten with all others. */
const MAX_KNOWN = 4096;

/** The same few names come again and again, and each handshake asks. */
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
  const names = credentialsFor(credentials, serverName).flatMap((credential) => credential.names);
  return [...new Set(names)].sort().join();
}

/** Who is asked for a certificate, how strictly, and whose word counts. Computed once a configuration. */
const policies = new WeakMap<object, string>();

function clientAuthentication({ clientAuth, crypto }: Settings): string {
  if (clientAuth === undefined) return 'none';
  const before = policies.get(clientAuth);
  if (before !== undefined) return before;
  const anchors = clientAuth.anchors.map((anchor) => toHex(crypto.hashes.sha256.digest(anchor))).sort();
  const policy = [clientAuth.mode, ...anchors].join();
  policies.set(clientAuth, policy);
  return policy;
}

/** Of settings that are made anew for each connection the values are the same all the same. */
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
