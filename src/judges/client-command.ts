/** A client under test that is a command: started anew for each connection, or once for several. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedCertificate } from '../crypto/credentials/self-signed.ts';
import type { Ability, Errand } from '../testing/scenarios/bench.ts';
import { REQUEST, type Speech } from '../testing/scenarios/party.ts';
import { NotRun } from '../testing/scenarios/visit.ts';
import { systemWorld } from '../world.ts';
import { type ClientErrand, clientOverTcp, type TcpClient } from './client-over-tcp.ts';
import { CommandProcess } from './command-process.ts';
import { requireRunning } from './stopping.ts';
import { untilExit } from './until-exit.ts';

/**
 * How a command is had to connect, and to speak.
 *
 * - `stdin`: it is started for each connection, and sends what it reads there, which stays open until the connection has ended;
 * - `http`: the same, but it makes a request of HTTP by itself;
 * - `echo`: the same, but it says something by itself, and wants it back;
 * - `reconnect`: one process makes connection after connection by itself, to one name. It is started anew for each that offers nothing;
 * - `lines`: one process reads lines. For `connect HOST PORT NAME` it connects once, says something, reads to the end and closes; for
 *   `forget` it lets go of all its sessions. It ends when its input does.
 */
export type Driver = 'stdin' | 'http' | 'echo' | 'reconnect' | 'lines';

/** A command, and what it can do. */
export interface ClientCommand {
  /**
   * Words for the shell. `{host}`, `{port}` and `{name}` stand for the address and the server name, and others for files: `{ca}` for
   * the tester's certificate in PEM, `{session}` for one in which the command may keep its session with that name, `{request}` for one
   * with a request of HTTP, `{folder}` for where these are. What stands in brackets is for connections that resume:
   * `[-sess_in {session}]`, or for those that are to send early data: `[early-data: -early_data {request}]`. With the driver `lines` no
   * address and no name is known yet. With `reconnect` no more is known than of the first connection; where a later one is to send early
   * data, it is told so.
   */
  readonly command: string;
  readonly driver: Driver;
  /** How long each connection may take, in milliseconds. Default 5000. */
  readonly timeLimitMs?: number | undefined;
  /**
   * What it can do. Default: with `{session}` resume; with `{name}` send a server name; with `[early-data: …]` send early data; with the
   * drivers `reconnect` and `lines` also keep sessions of its own.
   */
  readonly abilities?: readonly Ability[] | undefined;
  /** Files to be put into the folder, by their names. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  /** A command that is run once before, such as a compiler's. */
  readonly prepare?: string | undefined;
  /** Ends at once what runs when it is aborted. The scenario is not run then. */
  readonly signal?: AbortSignal | undefined;
}

const ECHO: Speech = { answer: (request) => request };
/** How long a command has to end once its connection has. */
const GRACE_MS = 500;
/** How long a command has to start, and to connect. One that connects by itself is waited for no longer than for its answers. */
const START_LIMIT_MS = 20_000;

/** Returns the client of a command. Nothing runs yet. */
export function clientCommand(options: ClientCommand): TcpClient {
  const { driver, timeLimitMs, signal } = options;
  const place = new Place(options);
  const errands = ERRANDS[driver](place);
  const client = clientOverTcp({
    connect: (errand) => errands.connect(errand),
    forget: () => errands.forget(),
    credentials: [place.credential],
    speech: driver === 'echo' ? ECHO : undefined,
    timeLimitMs,
    startLimitMs: driver === 'reconnect' ? undefined : Math.max(START_LIMIT_MS, timeLimitMs ?? 0),
    abilities: options.abilities ?? abilitiesOf(options),
    reconnects: driver === 'reconnect',
    signal,
  });
  const end = (): void => place.end();
  signal?.addEventListener('abort', end);
  return {
    ...client,
    connect: async (tester, errand) => {
      requireRunning(signal);
      await place.prepared();
      errands.require?.(errand);
      return client.connect(tester, errand);
    },
    close: () => {
      signal?.removeEventListener('abort', end);
      client.close();
      place.remove();
    },
  };
}

const EARLY_DATA = /\[early-data:([^\]]*)\]/;
const RESUMING = /\[([^\]]*)\]/g;

function abilitiesOf({ command, driver }: ClientCommand): readonly Ability[] {
  const abilities: Ability[] = [];
  if (driver === 'reconnect' || driver === 'lines') abilities.push('resume', 'session-store');
  else if (command.includes('{session}')) abilities.push('resume');
  if (driver === 'lines' || command.includes('{name}')) abilities.push('server-name');
  if (driver !== 'lines' && EARLY_DATA.test(command)) abilities.push('early-data');
  return abilities;
}

/** The folder of a command, and its words. */
class Place {
  readonly credential = selfSignedCertificate(systemWorld);
  readonly driver: Driver;
  readonly #folder = mkdtempSync(join(tmpdir(), 'tls-resume-scenarios-'));
  readonly #command: string;
  readonly #prepare: string | undefined;
  readonly #sessions = new Set<string>();
  readonly #running = new Set<CommandProcess>();
  readonly #stay = untilExit(() => this.remove());
  #preparing: Promise<void> | undefined;

  constructor({ command, driver, files = {}, prepare }: ClientCommand) {
    this.driver = driver;
    this.#command = command;
    this.#prepare = prepare;
    const written = { 'ca.pem': this.credential.cert, request: REQUEST, ...files };
    for (const [name, content] of Object.entries(written)) writeFileSync(join(this.#folder, name), content);
  }

  /** @throws NotRun if the command that is to be run before fails */
  prepared(): Promise<void> {
    this.#preparing ??= this.#runPreparation();
    return this.#preparing;
  }

  async #runPreparation(): Promise<void> {
    if (this.#prepare === undefined) return;
    // The last word says whether it has failed: only then is there a line that begins so.
    const compiler = this.#run(`${this.#filled(this.#prepare, {})} && touch '${join(this.#folder, 'ready')}'`);
    const ending = await compiler.ended;
    if (!existsSync(join(this.#folder, 'ready'))) throw new NotRun(`what prepares the command fails: ${ending}`);
  }

  start(errand?: ClientErrand): CommandProcess {
    const { host, port, serverName: name = '', resumes = false, sendsEarlyData = false } = errand ?? {};
    const session = join(this.#folder, `session-${name}`);
    this.#sessions.add(session);
    if (!resumes) rmSync(session, { force: true });
    const isResuming = resumes && existsSync(session);
    const words = this.#command
      .replace(EARLY_DATA, sendsEarlyData ? '$1' : '')
      .replace(RESUMING, isResuming ? '$1' : '');
    const child = this.#run(
      this.#filled(words, errand === undefined ? {} : { host, port: String(port), name, session }),
    );
    if (this.driver === 'stdin' || this.driver === 'reconnect') child.say(REQUEST);
    return child;
  }

  forget(): void {
    for (const session of this.#sessions) rmSync(session, { force: true });
    this.#sessions.clear();
  }

  /** Ends all that runs. */
  end(): void {
    for (const child of this.#running) child.end();
  }

  /** Ends all that runs, and leaves no file. */
  remove(): void {
    this.#stay();
    this.end();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #run(words: string): CommandProcess {
    const child = new CommandProcess(words);
    this.#running.add(child);
    void child.ended.then(() => this.#running.delete(child));
    return child;
  }

  #filled(words: string, about: Readonly<Record<string, string | undefined>>): string {
    const files = { ca: join(this.#folder, 'ca.pem'), request: join(this.#folder, 'request'), folder: this.#folder };
    const all: Readonly<Record<string, string | undefined>> = { ...files, ...about };
    return words.replace(/\{(\w+)\}/g, (whole, name: string) => all[name] ?? whole);
  }
}

/** How connections are had of a command. */
interface Errands {
  /** @throws NotRun if that cannot be had of the command */
  require?(errand: Errand): void;
  /** @throws NotRun if the command ends before it connects */
  connect(errand: ClientErrand): Promise<void>;
  forget(): void;
}

/** A process for each connection. */
class ProcessEach implements Errands {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async connect(errand: ClientErrand): Promise<void> {
    const child = this.#place.start(errand);
    errand.signal.addEventListener('abort', () => setTimeout(() => child.end(), GRACE_MS).unref());
    const ending = await child.ended;
    if (!errand.signal.aborted) throw new NotRun(ending); // which nobody hears if it has connected
  }

  forget(): void {
    this.#place.forget();
  }
}

/** Returns when the connection has ended. @throws NotRun if the process ends first */
async function connectionOf(child: CommandProcess, signal: AbortSignal): Promise<void> {
  const over = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  const ending = await Promise.race([over, child.ended]);
  if (ending !== undefined) throw new NotRun(ending);
}

/** One process that makes connection after connection by itself, until one is wanted that offers nothing. */
class Reconnecting implements Errands {
  readonly #place: Place;
  #running: { readonly child: CommandProcess; readonly name: string } | undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Before the connection that it may have made already is taken for that of the errand. */
  require({ resumes, serverName }: Errand): void {
    if (resumes && this.#running !== undefined && this.#running.name !== serverName)
      throw new NotRun('the command connects to one name alone');
  }

  async connect(errand: ClientErrand): Promise<void> {
    if (!errand.resumes) this.forget();
    this.#running ??= { child: this.#place.start(errand), name: errand.serverName };
    await connectionOf(this.#running.child, errand.signal);
  }

  forget(): void {
    this.#running?.child.end();
    this.#running = undefined;
  }
}

/** One process that is told of each connection by a line. */
class TellingLines implements Errands {
  readonly #place: Place;
  #child: CommandProcess | undefined;
  /** Those to which it has connected since it has forgotten its sessions: of others it has none. */
  readonly #names = new Set<string>();

  constructor(place: Place) {
    this.#place = place;
  }

  async connect({ host, port, serverName, resumes, signal }: ClientErrand): Promise<void> {
    if (!resumes && this.#names.has(serverName)) this.forget();
    if (this.#child?.isOver === true) {
      if (resumes) throw new NotRun('the command has ended, and its sessions with it');
      this.#child = undefined;
    }
    this.#child ??= this.#place.start();
    this.#names.add(serverName);
    this.#child.say(`connect ${host} ${port} ${serverName}\n`);
    await connectionOf(this.#child, signal);
  }

  forget(): void {
    if (this.#names.size > 0) this.#child?.say('forget\n');
    this.#names.clear();
  }
}

const processEach = (place: Place): Errands => new ProcessEach(place);
const ERRANDS: Readonly<Record<Driver, (place: Place) => Errands>> = {
  stdin: processEach,
  http: processEach,
  echo: processEach,
  reconnect: (place) => new Reconnecting(place),
  lines: (place) => new TellingLines(place),
};
