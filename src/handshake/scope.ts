/** The resumption scope: what a session of this handshake would be bound to (RFC 6066 §3, RFC 8446 §4.6.1, RFC 9257 is of others). */

import type { Scope, ScopeField } from '../cache/scope.ts';
import { toHex, utf8 } from '../wire/bytes.ts';
import type { ClientHello } from './client-hello.ts';
import type { Handshaking } from './context.ts';
import { canonicalName, credentialsFor, selectAlpn } from './negotiate.ts';
import type { Settings } from './settings.ts';

/**
 * Server name, the names in the certificate (not its key: renewing it must not cost anybody a session), the application's label,
 * and how clients are authenticated. `shareAcross` puts a word of its own in the place of the first three; never of the last.
 */
export function scopeOf({ settings, facts, localAddress }: Handshaking, hello: ClientHello): Scope {
  const { label, shareAcross, bindLocalAddress, bindAlpn } = settings.scope;
  const digest = (field: ScopeField, value: string) => digestOf(settings, field, value);
  const names =
    shareAcross === undefined
      ? {
          serverName: digest('serverName', canonicalName(facts.serverName) ?? ''),
          certificateNames: digest('certificateNames', certificateNames(settings, facts.serverName)),
          label: digest('label', label),
        }
      : { shared: digest('shared', shareAcross) };
  return {
    ...names,
    clientAuthentication: digest('clientAuthentication', clientAuthentication(settings)),
    ...(bindLocalAddress && { localAddress: digest('localAddress', localAddress ?? '') }),
    ...(bindAlpn && { alpn: digest('alpn', selectAlpn(hello, settings) ?? '') }),
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

/** The same few values come again and again. */
const known = new Map<string, string>();
const MAX_KNOWN = 4096;

function digestOf({ crypto }: Settings, field: ScopeField, value: string): string {
  const text = `${field}\0${value}`;
  const before = known.get(text);
  if (before !== undefined) return before;
  if (known.size >= MAX_KNOWN) known.clear();
  const digest = toHex(crypto.hashes.sha256.digest(utf8(text)).subarray(0, 16));
  known.set(text, digest);
  return digest;
}
