/** What a scenario works with: the tester's end of each connection to the peer under test. */

import { ClientConnection, type ConnectOptions } from '../../engine/client/client-connection.ts';
import type { ClientConfig } from '../../engine/client/config.ts';
import { defineClient } from '../../engine/client/define-client.ts';
import type { ClientOptions } from '../../engine/client/options.ts';
import type { Event, Step } from '../../engine/events.ts';
import type { ServerConfig } from '../../engine/server/config.ts';
import { defineServer } from '../../engine/server/define-server.ts';
import type { ServerOptions } from '../../engine/server/options.ts';
import { type ConnectionOptions, ServerConnection } from '../../engine/server/server-connection.ts';
import type { Session } from '../../sessions/session.ts';
import { EMPTY } from '../../wire/bytes.ts';
import type { Version } from '../../wire/registry.ts';
import type { World } from '../../world.ts';
import { record } from '../record.ts';
import { Trace } from '../trace.ts';
import type { Side } from '../trace-entry.ts';
import { Marks } from './marks.ts';
import { answersOverHttp, asksOverHttp, Party, type Speech } from './party.ts';
import { type Ending, NotRun, OutOfTime, Visit } from './visit.ts';

/** What a client under test is asked to do in one connection. */
export interface Errand {
  /** Whether it offers the sessions that it was given in the connections before. */
  readonly resumes: boolean;
  readonly serverName: string;
  /** Whether it sends early data, if its session allows that. */
  readonly sendsEarlyData: boolean;
}

/**
 * What a peer can do besides a handshake with data. A client with a `session-store` keeps its sessions itself, and chooses which of
 * them it offers. One that is handed a session for each connection can `resume`, and no more: whether it should have been handed that
 * one, to that name and after what had happened, is not its choice.
 */
export type Ability = 'resume' | 'session-store' | 'server-name' | 'early-data' | 'client-certificate';

/** What a client and a server under test have in common. */
export interface PeerUnderTest {
  /** The clock and the dice of the tester. */
  readonly world: World;
  /** How long all connections of a scenario together may take, in milliseconds. Default: as long as they like. */
  readonly scenarioLimitMs?: number | undefined;
  can(ability: Ability): boolean;
  /** Lets so many milliseconds pass. */
  wait(ms: number): Promise<void>;
}

/** A client under test, and how it is had to connect. */
export interface ClientUnderTest extends PeerUnderTest {
  /** The credentials of the tester's servers, which the client accepts. */
  readonly credentials: NonNullable<ServerOptions['credentials']>;
  readonly speech?: Speech | undefined;
  /** Has it let go of all sessions: another scenario begins. Default: those of the scenarios before are never valid, and remain. */
  readonly forget?: (() => void) | undefined;
  /** Has it connect once to `tester`, and returns when nothing more will come. */
  connect(tester: Party, errand: Errand): Promise<Ending>;
}

/** A server under test. */
export interface ServerUnderTest extends PeerUnderTest {
  /** The name that it is asked for. */
  readonly serverName: string | undefined;
  /** Options that every client of the tester has: a credential, or a protocol, that the server wants. */
  readonly client?: Partial<ClientOptions> | undefined;
  readonly speech?: Speech | undefined;
  /** Connects `tester`, whose first bytes are already there, and returns when nothing more will come. */
  connect(tester: Party): Promise<Ending>;
}

/** The tester of a peer, in one version. */
export abstract class Bench<P extends PeerUnderTest> {
  readonly version: Version;
  readonly peer: P;
  /** All connections so far. */
  readonly visits: Visit[] = [];
  /** How long they have taken, in milliseconds. */
  spentMs = 0;

  constructor(peer: P, version: Version) {
    this.peer = peer;
    this.version = version;
  }

  /** @throws NotRun if the peer cannot do it */
  need(ability: Ability): void {
    if (!this.peer.can(ability)) throw new NotRun(`it needs ${ability}`);
  }

  /** Lets time pass: on the tester's clock in memory, and in truth over a network. */
  wait(ms: number): Promise<void> {
    return this.peer.wait(ms);
  }

  /** Random bytes of the tester. */
  randomBytes(length: number): Uint8Array {
    return this.peer.world.randomBytes(length, 'scenario');
  }
}

interface Observed {
  readonly isResumed: () => boolean;
  readonly version: () => Version | undefined;
}

/** The tester's end: a party whose connection is traced and recorded. */
class TesterEnd {
  readonly trace = new Trace();
  readonly recorder = record();
  readonly party: Party;
  readonly #side: Side;
  readonly #observed: Observed;
  readonly #marks = new Marks();
  /** Those that a client has been given, each held: a connection that fails gives up its own holds. */
  readonly #sessions: Session[] = [];

  constructor(
    side: Side,
    make: (faults: NonNullable<ConnectOptions['faults']>, marks: Marks) => ClientConnection | ServerConnection,
    faults: NonNullable<ConnectOptions['faults']>,
    speech: Speech,
  ) {
    this.#side = side;
    const connection = make([this.trace.tap(side), ...faults, this.recorder, this.#marks.fault()], this.#marks);
    this.party = new Party(connection, speech, (events: readonly Event[]) => {
      this.trace.note(side, events);
      for (const event of events)
        if (event.type === 'new-session' && side === 'client') this.#sessions.push(event.session.upRef());
    });
    this.#observed = {
      isResumed: () => connection.resumption.resumed,
      version: () => connection.version,
    };
    if (connection instanceof ClientConnection) this.party.take(connection.connect());
  }

  /** Lets go of all that it holds: nobody will ask for it. */
  abandon(): void {
    for (const session of this.#sessions.splice(0)) session.release();
    this.party.dispose();
  }

  conclude(ending: Ending): Visit {
    const { isResumed, version } = this.#observed;
    const { party } = this;
    const visit = new Visit({
      tester: this.#side,
      ending,
      isEstablished: party.isEstablished,
      isResumed: isResumed(),
      data: party.data,
      isClosedInOrder: party.peerHasEnded,
      error: party.error,
      plainAlert: party.plainAlert,
      endsWithAlert: party.endsWithAlert,
      version: version(),
      sessions: this.#sessions,
      trace: this.trace,
      marks: this.#marks.all,
      recording: this.recorder.recording,
    });
    party.dispose();
    return visit;
  }
}

/** Has the tester's end meet the peer, and keeps what is left of it. @throws OutOfTime if there is no time for another connection */
async function meet(
  bench: ClientBench | ServerBench,
  tester: TesterEnd,
  connect: (party: Party) => Promise<Ending>,
): Promise<Visit> {
  const { world, scenarioLimitMs: limit = Number.POSITIVE_INFINITY } = bench.peer;
  const start = world.now();
  try {
    if (bench.spentMs >= limit) throw new OutOfTime(`its connections have taken ${limit / 1000} s`);
    const visit = tester.conclude(await connect(tester.party));
    bench.visits.push(visit);
    return visit;
  } catch (error) {
    tester.abandon();
    throw error;
  } finally {
    bench.spentMs += Math.max(0, world.now() - start);
  }
}

/** What a scenario says of one connection of a client under test. */
export type AcceptOptions = Partial<Errand> &
  Pick<ConnectionOptions, 'faults'> & {
    /** What the server does between the request and its answer: the steps of calls on its connection. */
    readonly act?: ((connection: ServerConnection) => readonly Step[]) | undefined;
  };

/** A server of the tester, which the client under test connects to. */
export class TesterServer {
  readonly #bench: ClientBench;
  readonly config: ServerConfig;

  constructor(bench: ClientBench, config: ServerConfig) {
    this.#bench = bench;
    this.config = config;
  }

  /** Has the client connect once. It offers what it has, unless `resumes` is false. */
  async accept({ faults = [], act, ...errand }: AcceptOptions = {}): Promise<Visit> {
    const { peer } = this.#bench;
    const { speech = answersOverHttp } = peer;
    let connection: ServerConnection | undefined;
    const make = (all: NonNullable<ConnectionOptions['faults']>) => {
      connection = new ServerConnection(this.config, { faults: all });
      return connection;
    };
    const answer = (request: Uint8Array): Uint8Array => {
      if (connection !== undefined) for (const step of act?.(connection) ?? []) tester.party.take(step);
      return 'answer' in speech ? speech.answer(request) : EMPTY;
    };
    const tester = new TesterEnd('server', make, faults, act === undefined ? speech : { answer });
    const { resumes = true, serverName = 'localhost', sendsEarlyData = false } = errand;
    return meet(this.#bench, tester, (party) => peer.connect(party, { resumes, serverName, sendsEarlyData }));
  }

  /** Has the client make a full handshake without fault, for its session. @throws NotRun if it does not come to its end */
  async hand(options: AcceptOptions = {}): Promise<Visit> {
    const visit = await this.accept({ resumes: false, ...options });
    if (!visit.facts.isEstablished) throw new NotRun(`the first handshake was not completed: ${visit.reaction}`);
    return visit;
  }
}

/** The tester of a client. */
export class ClientBench extends Bench<ClientUnderTest> {
  /** Returns a server of the scenario's version alone. */
  server(options: Partial<ServerOptions> = {}): TesterServer {
    const { peer, version } = this;
    const { world, credentials } = peer;
    const versions = { minVersion: version, maxVersion: version } as const;
    return new TesterServer(this, defineServer({ world, credentials, ...versions, ...options }));
  }
}

/** A client of the tester, which connects to the server under test. */
export class TesterClient {
  readonly #bench: ServerBench;
  readonly config: ClientConfig;

  constructor(bench: ServerBench, config: ClientConfig) {
    this.#bench = bench;
    this.config = config;
  }

  /** Connects once, and offers the sessions of `options` alone, whatever they are. */
  async visit({
    faults = [],
    speech,
    edits,
    ...options
  }: ConnectOptions & { readonly speech?: Speech | undefined } = {}): Promise<Visit> {
    const { peer } = this.#bench;
    const make = (all: NonNullable<ConnectOptions['faults']>, marks: Marks) =>
      new ClientConnection(this.config, {
        serverName: peer.serverName,
        sessions: [],
        forceSessions: true,
        ...options,
        edits: edits && marks.edits(edits),
        faults: all,
      });
    const tester = new TesterEnd('client', make, faults, speech ?? peer.speech ?? asksOverHttp);
    return meet(this.#bench, tester, (party) => peer.connect(party));
  }

  /** Returns so many sessions of the server, each to be offered. @throws NotRun if it hands out fewer */
  async sessions(count = 1, options: ConnectOptions = {}): Promise<readonly [Session, ...Session[]]> {
    const sessions: Session[] = [];
    while (sessions.length < count) {
      const visit = await this.visit(options);
      if (!visit.hasData) throw new NotRun(`a handshake without fault ends so: ${visit.reaction}`);
      if (visit.sessions.length === 0) throw new NotRun('the server hands out no session');
      sessions.push(...visit.sessions.slice(0, count - sessions.length));
    }
    return sessions as [Session, ...Session[]];
  }
}

/** The tester of a server. */
export class ServerBench extends Bench<ServerUnderTest> {
  /** Returns a client of the scenario's version alone, which accepts every certificate and keeps no session. */
  client(options: Partial<ClientOptions> = {}): TesterClient {
    const { peer, version } = this;
    const config = defineClient({
      world: peer.world,
      verifyServer: 'any',
      minVersion: version,
      maxVersion: version,
      sessions: { cache: false },
      ...peer.client,
      ...options,
    });
    return new TesterClient(this, config);
  }
}
