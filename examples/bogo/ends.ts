/** A client and a server as the flags want them. */

import { readFileSync } from 'node:fs';
import {
  type AntiReplay,
  type Credential,
  credentialFromPem,
  defineServer,
  type OnAlpn,
  ServerConnection,
  SessionCache,
  systemWorld,
  TicketKeyRing,
  type World,
} from 'tls-resume';
import { ClientConnection, defineClient, type Session } from 'tls-resume/client';
import { nodeCrypto } from 'tls-resume/node';
import { type Flags, Unimplemented } from './flags.ts';
import { groupsOf, protocolsOf, schemesOf, versionsOf } from './names.ts';

/** As BoringSSL has it: what a ticket of the server allows, and what is skipped of early data that is not taken. */
const MAX_EARLY_DATA = 14_336;
const MAX_SKIPPED = 16_384;

/** Admits every fresh hello, as BoringSSL does: the runner tests no protection against replay. */
const ADMIT_ALL: AntiReplay = { windowMs: 60_000, admit: () => true };

/** Before the certificates of the runner expire, of which some did in May 2014: a client offers no session that has outlived one. */
const BEGIN = Date.UTC(2014, 4, 1);

/** A clock that stands, as the runner wants ages of tickets to the millisecond, and that -resumption-delay sets forward. */
export class MovableWorld implements World {
  #now = BEGIN;

  now(): number {
    return this.#now;
  }

  randomBytes(length: number, label?: string): Uint8Array {
    return systemWorld.randomBytes(length, label);
  }

  advance(seconds: number): void {
    this.#now += seconds * 1000;
  }
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** @throws Unimplemented if the library takes no such key */
function credentialOf(flags: Flags): Credential | undefined {
  const { 'cert-file': cert, 'key-file': key, 'signing-prefs': preferences } = flags;
  if (cert === undefined || key === undefined) return undefined;
  let credential: Credential;
  try {
    credential = credentialFromPem({ cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }, nodeCrypto);
  } catch (error) {
    throw new Unimplemented(String(error));
  }
  const staples = {
    ocspResponse: flags['ocsp-response'],
    signedCertificateTimestamps: flags['signed-cert-timestamps'],
  };
  const wanted = schemesOf(preferences);
  if (wanted === undefined) return { ...credential, ...staples };
  const { schemes: all, schemesTls12: all12 = all } = credential;
  const schemes = wanted.filter((scheme) => all.includes(scheme));
  const schemesTls12 = wanted.filter((scheme) => all12.includes(scheme));
  if (schemes.length === 0) throw new Unimplemented(`this key signs by none of ${wanted}`);
  return { ...credential, ...staples, schemes, schemesTls12 };
}

/** Makes the connections of a client: each offers the session of the one before. */
export function clientOf(flags: Flags, world: World, session: Session | undefined): ClientConnection {
  const client = defineClient({
    ...versionsOf(flags),
    verifyServer: flags['verify-fail'] ? () => false : 'any',
    credential: credentialOf(flags),
    groups: groupsOf(flags),
    signatureAlgorithms: schemesOf(flags['verify-prefs']),
    alpn: protocolsOf(flags['advertise-alpn']),
    sessionTicket: !flags['no-ticket'],
    statusRequest: flags['enable-ocsp-stapling'],
    signedCertificateTimestamp: flags['enable-signed-cert-timestamps'],
    sessions: { cache: false },
    crypto: nodeCrypto,
    world,
  });
  const options = {
    serverName: flags['host-name'],
    earlyData: flags['enable-early-data'] ? (true as const) : undefined,
    sessionIsTrusted: true,
  };
  try {
    return new ClientConnection(client, { ...options, sessions: session ? [session] : [] });
  } catch (error) {
    // The session is not one for this client: of a version or a suite that it does not offer.
    if (!(error instanceof TypeError)) throw error;
    return new ClientConnection(client, { ...options, sessions: [] });
  }
}

function alpnOf(flags: Flags): OnAlpn | undefined {
  const { 'select-alpn': selected, 'expect-advertised-alpn': advertised } = flags;
  const isAsked = selected !== undefined || flags['decline-alpn'] || flags['reject-alpn'] || advertised !== undefined;
  if (!isAsked) return undefined;
  return (protocols) => {
    const list = protocols.map((name) => String.fromCharCode(name.length) + name).join('');
    if (advertised !== undefined && list !== advertised) throw new Error(`the client has offered ${protocols}`);
    return flags['reject-alpn'] ? null : selected;
  };
}

/** Makes the connections of a server, which share its sessions and its ticket keys. */
export class Servers {
  readonly #world: World;
  readonly #cache: SessionCache;
  readonly #keys: TicketKeyRing;

  constructor(world: World) {
    this.#world = world;
    this.#cache = new SessionCache({ world });
    this.#keys = TicketKeyRing.rotating(world);
  }

  connection(flags: Flags): ServerConnection {
    const credential = credentialOf(flags);
    const asksForCertificate = flags['require-any-client-certificate'] || flags['verify-peer'];
    const server = defineServer({
      ...versionsOf(flags),
      credentials: credential && [credential],
      groups: groupsOf(flags),
      onAlpn: alpnOf(flags),
      clientAuth: asksForCertificate
        ? {
            mode: flags['require-any-client-certificate'] ? 'require' : 'request',
            verifyClient: () => !flags['verify-fail'],
          }
        : undefined,
      sessions: { cache: this.#cache, idContext: bytesOf('bogo') },
      tickets: flags['no-ticket']
        ? { mode: 'stateful', initial: 0, afterResumption: 0 }
        : {
            mode: 'stateless',
            keys: this.#keys,
            onDecrypt: flags['renew-ticket']
              ? (_session, _keyName, status) => (status.startsWith('success') ? 'use-renew' : 'ignore-renew')
              : undefined,
          },
      earlyData: flags['enable-early-data'] ? { maxSize: MAX_EARLY_DATA, antiReplay: ADMIT_ALL } : undefined,
      limits: { skippedEarlyData: MAX_SKIPPED },
      crypto: nodeCrypto,
      world: this.#world,
    });
    return new ServerConnection(server);
  }
}
