/** The configuration of a client: a value that any number of connections share. configure.ts makes it. */

import type { CryptoProvider } from '../../crypto/provider.ts';
import type { ClientParts, ClientSettings } from '../../handshake/client/context.ts';
import type { Session } from '../../sessions/session.ts';
import type { World } from '../../world.ts';
import type { ClientSessions } from './session-cache.ts';
import type { Trust } from './trust.ts';

/** The settings of a client, validated and frozen. It is made by `defineClient()`. A copy of it, by a spread say, is refused. */
export interface ClientConfig extends ClientSettings {
  /** The clock and the source of randomness. */
  readonly world: World;
  /** Receives lines in NSS key log format. */
  readonly keylog: ((line: string) => void) | undefined;
  /** How many records one key may protect. */
  readonly recordsPerKey: number;
}

/** @internal What only the engine reads. */
export interface ClientConfig extends ClientParts {
  readonly crypto: CryptoProvider;
  readonly trust: Trust;
  readonly sessions: {
    readonly timeout: number;
    /** The budget of the lookup in the store, in milliseconds. */
    readonly lookupTimeoutMs: number;
    readonly onNew: ((session: Session) => void) | undefined;
    /** `undefined` if the client keeps none. */
    readonly cache: ClientSessions | undefined;
  };
}

const BRAND = Symbol('client configuration');

/** Makes a configuration of an object that the caller has just made: brands, freezes and returns it. */
export function brandClientConfig(config: ClientConfig): ClientConfig {
  return Object.freeze(Object.defineProperty(config, BRAND, { value: config }));
}

/** Reports whether {@link brandClientConfig} returned this very object. */
export function isClientConfig(value: unknown): value is ClientConfig {
  try {
    return typeof value === 'object' && value !== null && BRAND in value && value[BRAND] === value;
  } catch {
    return false; // a Proxy may throw when it is looked at
  }
}
