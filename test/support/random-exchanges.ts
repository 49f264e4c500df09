/** Exchanges of all kinds, drawn at random and recorded at both ends: what a replay must be able to do again. */

import type { Given } from '../../src/cache/callbacks.ts';
import { SessionCache } from '../../src/cache/session-cache.ts';
import type { Credential } from '../../src/crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { fast } from '../../src/crypto/providers/fast.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { webCrypto } from '../../src/crypto/providers/web-crypto.ts';
import type { ConnectOptions } from '../../src/engine/client/client-connection.ts';
import type { ClientConfig } from '../../src/engine/client/config.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import type { ClientOptions } from '../../src/engine/client/options.ts';
import type { Fault } from '../../src/engine/fault.ts';
import type { ExternalPsk } from '../../src/engine/psk-options.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import type {
  EarlyDataOptions,
  ServerOptions,
  SessionOptions,
  TicketOptions,
} from '../../src/engine/server/options.ts';
import { recordHellos } from '../../src/engine/server/record-hellos.ts';
import { singleUse } from '../../src/engine/server/single-use.ts';
import type { AntiReplay } from '../../src/handshake/server/anti-replay.ts';
import { nodeCrypto } from '../../src/node/index.ts';
import type { Session } from '../../src/sessions/session.ts';
import { faults } from '../../src/testing/faults.ts';
import { type Pair, pair } from '../../src/testing/pair.ts';
import type { Recording } from '../../src/testing/recording.ts';
import { type SeededWorld, seededWorld } from '../../src/testing/seeded-world.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { latin1, toHex, utf8 } from '../../src/wire/bytes.ts';
import type { World } from '../../src/world.ts';
import { type CredentialKind, credential } from './servers.ts';

/** Draws choices. */
export class Dice {
  readonly #world: SeededWorld;

  constructor(world: SeededWorld) {
    this.#world = world;
  }

  below(limit: number): number {
    const [high = 0, low = 0] = this.#world.randomBytes(2);
    return (256 * high + low) % limit;
  }

  /** Whether what happens once in so many times happens now. */
  once(every: number): boolean {
    return this.below(every) === 0;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

export const PROVIDERS: readonly CryptoProvider[] = [
  defaultProvider,
  fast,
  noble,
  nodeCrypto,
  { ...defaultProvider, groups: webCrypto.groups },
];
export const CREDENTIALS: readonly CredentialKind[] = ['ecdsaP256', 'ecdsaP256', 'ecdsaP384', 'ed25519', 'rsa2048'];
export const GROUPS = ['x25519', 'secp256r1', 'secp384r1'] as const;

/** The plaintext of every exchange, for which a test may look in files. */
export const PLAINTEXT = 'a plaintext that no file has';

/** An exchange: a client and a server that meet twice or more. */
export interface RandomExchange {
  readonly recordings: readonly Recording[];
  /** What the connections should not have told: secrets of other sessions, keys. */
  readonly resumed: number;
}

/** Runs an exchange. The same seed draws the same choices; the host's own keys and signatures are others each time. */
export async function randomExchange(seed: number): Promise<RandomExchange> {
  const world = seededWorld(`exchange ${seed}`);
  const dice = new Dice(world.fork('choices'));
  const server = randomServer(dice, world.fork('server'));
  const client = randomClient(dice, world.fork('client'));
  const recordings: Recording[] = [];
  const kept: Session[] = [];
  let resumed = 0;
  for (let meeting = 0; meeting < 2; meeting++) {
    const isSecond = meeting > 0;
    const offered = isSecond && dice.once(3) ? kept.filter(({ isResumable }) => isResumable) : undefined;
    const run = pair(client, server, {
      chunks: dice.once(3) ? 1 + dice.below(300) : undefined,
      client: connectOptions(dice, offered),
      server: { faults: dice.once(5) ? [randomFault(dice)] : [], addresses: { localAddress: '192.0.2.1' } },
      trace: false,
      record: { applicationData: dice.once(2) },
    });
    try {
      await talk(run, dice);
    } finally {
      const { client: ours, server: theirs } = run.recordings;
      recordings.push(ours, theirs);
      if (run.client.resumption.resumed) resumed++;
      for (const session of run.client.sessions) if (session.holds > 0) kept.push(session.upRef());
      run.dispose();
    }
    world.advance(dice.of([0, 5, 3000, 90_000_000]));
  }
  for (const session of kept) session.release();
  return { recordings, resumed };
}

/** A strategy against replay that fits, now and then. */
export function randomEarlyData(
  dice: Dice,
  world: Pick<World, 'now'>,
  { tickets, sessions }: { readonly tickets: TicketOptions; readonly sessions: SessionOptions },
): EarlyDataOptions | undefined {
  if (dice.once(4) || tickets.mode === 'off') return undefined;
  const known = new Set<string>();
  const admit: AntiReplay['admit'] = ({ key }) => {
    if (dice.once(12)) throw new Error('the store is down');
    const isNew = known.size < known.add(toHex(key)).size;
    return dice.once(2) ? Promise.resolve(isNew) : isNew;
  };
  const canTake =
    (tickets.mode !== 'stateless' || tickets.singleUse === true) &&
    (sessions.onGet === undefined || sessions.onTake !== undefined);
  const strategies: AntiReplay[] = canTake ? [singleUse()] : [];
  if (sessions.updateTime !== true)
    strategies.push({ admit, keepsForever: true }, { admit, keepsForever: true }, recordHellos({ world }));
  if (strategies.length === 0) return undefined;
  return { maxSize: dice.of([50, 1000, 20_000]), antiReplay: dice.of(strategies) };
}

const EARLY = { maxSize: 1000, cipherSuite: 'TLS_AES_128_GCM_SHA256' } as const;
const PSKS: readonly ExternalPsk[] = [
  { identity: utf8('plain'), secret: utf8('the secret of the plain key'), earlyData: EARLY },
  { identity: utf8('imported'), secret: utf8('the secret of the imported key'), import: true, earlyData: EARLY },
  { identity: utf8('longer'), secret: utf8('the secret of the longer key'), hash: 'sha384' },
  {
    identity: utf8('imported too'),
    secret: utf8('the secret of the other key'),
    import: true,
    context: utf8('a context'),
  },
];

/** One or two external PSKs, now and then, the best first; a client may have one that the server does not know. */
export function randomPsks(dice: Dice): readonly ExternalPsk[] | undefined {
  if (!dice.once(2)) return undefined;
  const [first, second] = [dice.of(PSKS), dice.of(PSKS)];
  return first === second ? [first] : [first, second];
}

/** The PSKs of a server: a list, or a function that is quick, slow or throws. */
export function randomPskSource(dice: Dice): ServerOptions['psks'] {
  if (dice.once(2)) return dice.once(2) ? PSKS : undefined;
  return (identity) => {
    if (dice.once(10)) throw new Error('the store is down');
    const text = latin1(identity);
    const found = PSKS.find(
      (psk) => text.includes(latin1(psk.identity)) && (psk.import === true || text === latin1(psk.identity)),
    );
    return dice.once(2) ? Promise.resolve(found) : found;
  };
}

/** Chooses one of the client's protocols, at once or later, or none. */
export function randomOnAlpn(dice: Dice): ServerOptions['onAlpn'] {
  if (!dice.once(3)) return undefined;
  return (protocols) => dice.of([protocols[0], Promise.resolve(protocols.at(-1)), undefined]);
}

/** A credential with what an issuer has said of it, now and then. */
export function randomlyStapled(dice: Dice, plain: Credential): Credential {
  if (!dice.once(3)) return plain;
  const response = utf8('an OCSP response');
  const list = [utf8('a timestamp'), utf8('another')];
  const absent = () => undefined;
  const failing = () => {
    throw new Error('no response');
  };
  return {
    ...plain,
    ocspResponse: dice.of([response, () => response, () => Promise.resolve(response), absent, failing]),
    signedCertificateTimestamps: dice.once(2) ? list : undefined,
  };
}

function randomServer(dice: Dice, world: SeededWorld): ServerConfig {
  const isStateless = dice.once(2);
  const sessions = randomSessions(dice);
  const tickets: TicketOptions = isStateless
    ? statelessTickets(dice, world)
    : { initial: dice.below(4), timing: dice.of(TIMINGS) };
  const psks = randomPskSource(dice);
  const isAlone = psks !== undefined && dice.once(4);
  const options: ServerOptions = {
    world,
    credentials: isAlone
      ? undefined
      : [randomlyStapled(dice, credential(dice.of(CREDENTIALS))), ...(dice.once(4) ? [credential('ecdsaP256')] : [])],
    psks,
    earlyData: randomEarlyData(dice, world, { tickets, sessions }),
    onAlpn: randomOnAlpn(dice),
    recordSizeLimit: dice.once(6) ? 64 + dice.below(2000) : undefined,
    crypto: dice.of(PROVIDERS),
    groups: dice.once(3) ? [dice.of(GROUPS)] : undefined,
    alpn: dice.once(3) ? ['h2', 'http/1.1'] : undefined,
    maxVersion: !isAlone && dice.once(6) ? 'TLSv1.2' : undefined,
    pskModes: dice.of([undefined, ['psk_ke'], ['psk_dhe_ke', 'psk_ke']] as const),
    clientAuth:
      !isAlone && dice.once(4)
        ? { mode: 'request', verifyClient: () => (dice.once(2) ? Promise.resolve(true) : true) }
        : undefined,
    sessions,
    tickets,
    scope: dice.once(5) ? { bindLocalAddress: true, label: 'a' } : undefined,
    limits: dice.once(6) ? { recordsPerKey: 4 } : undefined,
  };
  const server = defineServer(options);
  if (!dice.once(5)) return server;
  const host = defineServer({ ...options, credentials: [credential('ecdsaP256')] });
  return defineServer({
    ...options,
    onServerName: (name) => (name === undefined ? undefined : dice.once(2) ? host : Promise.resolve(host)),
  });
}

export const TIMINGS = ['after-finished', 'half-rtt', 'with-first-write', 'manual'] as const;

function statelessTickets(dice: Dice, world: SeededWorld): TicketOptions {
  const ring = TicketKeyRing.rotating(world);
  const keys = {
    sealingKey: () => Promise.resolve(ring.sealingKey()),
    openingKeys: (name: Uint8Array) => Promise.resolve(ring.openingKeys(name)),
  };
  return {
    mode: 'stateless',
    keys: dice.once(3) ? keys : ring,
    onGenerate: dice.once(4) ? () => utf8('application data') : undefined,
    onDecrypt: dice.once(4) ? (_session, _name, status) => (status === 'success' ? 'use' : 'ignore-renew') : undefined,
    timing: dice.of(TIMINGS),
    afterResumption: dice.below(3),
  };
}

/** Sessions in the cache, or in a store that is quick, slow, wrong, or throws. */
function randomSessions(dice: Dice): SessionOptions {
  const idContext = utf8('members');
  const others: SessionOptions = {
    idContext,
    generateId: dice.once(5) ? () => world256(dice) : undefined,
    notResumable: dice.once(6) ? () => dice.once(2) : undefined,
    mayResume: dice.once(5) ? () => (dice.once(2) ? Promise.resolve(true) : dice.once(2)) : undefined,
    timeout: dice.of([undefined, 3]),
  };
  if (dice.once(2)) return { ...others, cache: dice.once(4) ? new SessionCache() : undefined };
  const store = new Map<string, Uint8Array>();
  const answer = (id: Uint8Array): Uint8Array | Given | undefined => {
    if (dice.once(8)) throw new Error('the store is down');
    if (dice.once(8)) return utf8('no session');
    return store.get(toHex(id));
  };
  return {
    ...others,
    cache: false,
    onNew: (session) => {
      store.set(toHex(session.id), session.toDer());
      return dice.once(2) ? Promise.resolve(false) : undefined;
    },
    onGet: (id) => (dice.once(2) ? Promise.resolve().then(() => answer(id)) : answer(id)),
  };
}

function world256(dice: Dice): Uint8Array {
  return Uint8Array.from({ length: 32 }, () => dice.below(256));
}

function randomClient(dice: Dice, world: SeededWorld): ClientConfig {
  const options: ClientOptions = {
    world,
    verifyServer: dice.once(3) ? async () => true : () => true,
    crypto: dice.of(PROVIDERS),
    maxVersion: dice.once(3) ? 'TLSv1.2' : undefined,
    groups: dice.once(3) ? [dice.of(GROUPS), 'secp256r1'] : undefined,
    keyShares: dice.once(4) ? [] : undefined,
    alpn: dice.once(3) ? ['http/1.1'] : undefined,
    pskModes: dice.of([undefined, ['psk_ke'], ['psk_dhe_ke', 'psk_ke']] as const),
    credential: dice.once(3) ? credential(dice.of(CREDENTIALS)) : undefined,
    psks: randomPsks(dice),
    statusRequest: dice.once(2),
    signedCertificateTimestamp: dice.once(2),
    sessionTicket: dice.once(4) ? false : undefined,
    ticketRequest: dice.once(4) ? { newSessionCount: dice.below(4), resumptionCount: 1 } : undefined,
    recordSizeLimit: dice.once(6) ? 64 + dice.below(2000) : undefined,
    maxFragmentLength: dice.once(8) ? 512 : undefined,
    middleboxCompatibility: dice.once(4) ? false : undefined,
    sessions: { singleUse: dice.once(2) },
  };
  return defineClient(options);
}

function connectOptions(dice: Dice, sessions: readonly Session[] | undefined): ConnectOptions {
  return {
    serverName: 'localhost',
    sessions,
    forceSessions: sessions !== undefined,
    ticketAge: dice.once(8) ? dice.below(60_000) : undefined,
    earlyData: randomlyEarly(dice),
    faults: dice.once(8) ? [randomFault(dice)] : [],
    edits: dice.once(6) ? { hello: (draft) => ({ ...draft, extensions: [GREASE, ...(draft.extensions ?? [])] }) } : {},
  };
}

/** Early data to send with the hello, or later, in two exchanges of three. */
export function randomlyEarly(dice: Dice): ConnectOptions['earlyData'] {
  return dice.of([undefined, true, utf8(PLAINTEXT)] as const);
}

/** RFC 8701 */
const GREASE = { type: 0x0a0a, data: new Uint8Array(0) };

function randomFault(dice: Dice): Fault {
  return dice.of([
    faults.split('handshake', 20 + dice.below(200), 'each'),
    faults.pad('application_data', dice.below(100), 'each'),
    faults.corrupt('application_data'),
    faults.repeat('finished'),
    faults.retryWith(dice.of(GROUPS)),
    faults.ticket({ lifetime: dice.below(10_000), ageAdd: 7 }),
    faults.plaintext('alert'),
    faults.merge('application_data'),
  ]);
}

/** Data, key updates, tickets and an end, each if it can be. */
async function talk(run: Pair, dice: Dice): Promise<void> {
  const { client, server } = run;
  run.take('client', client.connect());
  if (client.earlyRoom > 0 && dice.once(2))
    run.take('client', client.writeEarlyData(utf8(PLAINTEXT).subarray(0, client.earlyRoom)));
  await run.run();
  for (let turn = 0; turn < 4; turn++) {
    const [side, end] = dice.of([['client', client] as const, ['server', server] as const]);
    if (!end.canWrite) continue;
    const action = dice.below(8);
    if (action === 0 && end.version === 'TLSv1.3') run.take(side, end.updateKeys(dice.once(2)));
    else if (action === 1 && server.canSendTicket) run.take('server', server.sendTicket());
    else if (action === 2) run.take(side, end.end());
    else if (action === 3 && dice.once(4)) run.endTransport(side);
    else run.take(side, end.write(utf8(`${PLAINTEXT} `.repeat(1 + dice.below(3)))));
    await run.run();
  }
  if (client.canWrite) run.take('client', client.end());
  await run.run();
}
