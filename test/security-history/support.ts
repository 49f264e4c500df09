/** What the tests of the security history share: one test for each mechanism that an event concerns, each with a bench of its own. */

import { expect } from 'chai';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import type { ClientAuthOptions } from '../../src/engine/server/options.ts';
import { type ConnectionOptions, ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { Mechanism, NoResumption, Resumption } from '../../src/handshake/outcome.ts';
import { equalBytes } from '../../src/wire/bytes.ts';
import type { AlertName, Version } from '../../src/wire/registry.ts';
import type { ClientCertificate } from '../support/client-certificates.ts';
import {
  Bench,
  type BenchOptions,
  firstTicket,
  isStateless,
  returning,
  ticketOf,
  versionOf,
} from '../support/mechanisms.ts';
import type { ClientOptions, Exchange } from '../support/scripted-client.ts';

export const TLS12 = ['session-id', 'ticket'] as const satisfies Mechanism[];
export const TLS13 = ['psk-stateful', 'psk-stateless'] as const satisfies Mechanism[];
export const STATEFUL = ['session-id', 'psk-stateful'] as const satisfies Mechanism[];
export const STATELESS = ['ticket', 'psk-stateless'] as const satisfies Mechanism[];

/** Without one, nobody who asks for certificates hands out a session. */
export const ID_CONTEXT = Uint8Array.of(1, 2, 3, 4);

/** What has become of a hello. */
export interface Probed {
  readonly resumption: Resumption;
  readonly failed: AlertName | undefined;
}

/** A mechanism, and the servers and visits that it is tried with. */
export class Trial {
  readonly bench = new Bench();
  readonly mechanism: Mechanism;
  readonly version: Version;
  readonly isStateless: boolean;

  constructor(mechanism: Mechanism) {
    this.mechanism = mechanism;
    this.version = versionOf(mechanism);
    this.isStateless = isStateless(mechanism);
  }

  /** A server that shares cache or keys with all others of the trial. */
  serve(options: BenchOptions = {}): ServerConfig {
    return this.bench.server(this.mechanism, options);
  }

  /** A virtual host, or a stranger: in the mode of the mechanism, with a cache or keys of its own. */
  host({ tickets, ...options }: BenchOptions = {}): ServerConfig {
    return this.bench.bare({ ...options, tickets: { ...(this.isStateless && { mode: 'stateless' }), ...tickets } });
  }

  /** A first visit. */
  visit(config: ServerConfig, options: ClientOptions = {}, connection?: ConnectionOptions): Exchange {
    return this.bench.visit(this.mechanism, config, options, connection);
  }

  /** The client of an earlier visit comes again, and offers what it got then. */
  back(first: Exchange, config: ServerConfig, options: ClientOptions = {}, connection?: ConnectionOptions): Exchange {
    return this.bench.connect(config, returning(first, options), connection);
  }

  /** What the client of a visit holds: id or ticket. */
  offered(first: Exchange): Uint8Array {
    if (this.mechanism === 'session-id') return first.client.session.id;
    return this.mechanism === 'ticket' ? ticketOf(first) : firstTicket(first).identity;
  }

  /** The same client, but for the id or ticket that it shows. */
  showing(first: Exchange, bytes: Uint8Array, options: ClientOptions = {}): ClientOptions {
    if (this.mechanism === 'session-id') return returning(first, { sessionId: bytes, ...options });
    if (this.mechanism === 'ticket') return returning(first, { ticketExt: bytes, ...options });
    return returning(first, { psks: [{ ...firstTicket(first), identity: bytes }], ...options });
  }

  /** The first flight of a client alone, for one that would notice what is wrong with the answer. A bug of the server's throws. */
  probe(config: ServerConfig, options: ClientOptions): Probed {
    const connection = new ServerConnection(config);
    const { events } = connection.receive(this.bench.client(options).take());
    connection.dispose();
    const [failed] = events.flatMap((event) => (event.type === 'failed' ? [event.error.alert] : []));
    return { resumption: connection.resumption, failed };
  }
}

/** One test for each mechanism; its title names the event. */
export function each(
  title: string,
  mechanisms: readonly Mechanism[],
  body: (trial: Trial) => void | Promise<void>,
): void {
  for (const mechanism of mechanisms) {
    it(`${title}, ${mechanism}`, async () => {
      const trial = new Trial(mechanism);
      try {
        await body(trial);
      } finally {
        trial.bench.close();
      }
    });
  }
}

/** The handshake came to this alert, and resumed nothing. */
export function expectAlert({ connection, client, failure }: Exchange, ...alerts: readonly AlertName[]): void {
  expect(failure?.alert).to.be.oneOf(alerts);
  expect(client.alert?.name).to.equal(failure?.alert);
  expect(connection.isEstablished).to.equal(false);
}

/** A full handshake, and one that the server has then refused. */
export function expectRefused(link: Exchange, reason: NoResumption, ...alerts: readonly AlertName[]): void {
  expect(link.connection.resumption.reason).to.equal(reason);
  expect(link.client.isResumed).to.equal(false);
  expect(link.connection.peerCertificate).to.equal(undefined);
  expectAlert(link, ...alerts);
}

/** The rule that the first of the offered sessions has broken. */
export function brokenRule({ connection }: Exchange): string | undefined {
  return connection.verdicts[0]?.checks.find(({ passed }) => !passed)?.rule;
}

/** Whose callbacks have failed. */
export function failedCallbacks({ events }: Exchange): string[] {
  return events.flatMap((event) => (event.type === 'callback-error' ? [event.callback] : []));
}

/** Certificates are wanted, and this client's alone is accepted. */
export function requiring(
  { chain: [accepted] }: ClientCertificate,
  ...authorities: readonly string[]
): { readonly clientAuth: ClientAuthOptions; readonly sessions: { readonly idContext: Uint8Array } } {
  const verifyClient: ClientAuthOptions['verifyClient'] = ([shown]) =>
    accepted !== undefined && shown !== undefined && equalBytes(shown, accepted);
  return { clientAuth: { mode: 'require', verifyClient, authorities }, sessions: { idContext: ID_CONTEXT } };
}
