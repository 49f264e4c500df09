/** Writes down one connection as it runs: its calls, its draws, its work and what came of that. */

import { isPromise } from '../awaitable.ts';
import { ClientConnection } from '../engine/client/client-connection.ts';
import type { Step } from '../engine/events.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { isServerConfig } from '../engine/server/config-brand.ts';
import { ServerConnection } from '../engine/server/server-connection.ts';
import type { PskOffer, SessionOffer } from '../handshake/client/context.ts';
import type { DraftPsk } from '../handshake/client/hello-draft.ts';
import type { WirePsk } from '../handshake/psk.ts';
import type { AnyTask, Outcome, TaskWait } from '../handshake/wait.ts';
import type { Session } from '../sessions/session.ts';
import { EMPTY, equalConstantTime, toHex } from '../wire/bytes.ts';
import { HandshakeType } from '../wire/registry.ts';
import { drawRandom, timeOf, type World } from '../world.ts';
import type { InterceptedWriter, Interceptor, Setting } from './interceptor.ts';
import { type Mutable, type OpenCall, OpenCalls, type OpenTask } from './open-calls.ts';
import type { Timing } from './outflow.ts';
import {
  callbackOf,
  connectionOfClient,
  connectionOfServer,
  factsOf,
  outcomeOf,
  type Recorded,
  usedBy,
  writeEvent,
} from './recorded-facts.ts';
import { writeClient, writeServer } from './recorded-options.ts';
import { SessionsMet, writeError, writeValue } from './recorded-values.ts';
import { RecordedWire } from './recorded-wire.ts';
import {
  CALLS,
  type CallName,
  RECORDING_FORMAT,
  RECORDING_WARNING,
  type RecordedCall,
  type RecordedMessage,
  type RecordedTask,
  type Recording,
} from './recording.ts';
import { seededWorld } from './seeded-world.ts';

/** The methods of a connection that a recording stands in front of. */
type Methods = Partial<Record<CallName, (...given: unknown[]) => Step>>;

/** What a recording is made of, as the connection runs. */
export class Tape {
  #owner: Recorded | undefined;
  #seed: Uint8Array = EMPTY;
  readonly #open = new OpenCalls();
  readonly #wire: RecordedWire;
  readonly #sessions = new SessionsMet();
  /** The virtual hosts that were selected. */
  readonly #configs: ServerConfig[] = [];
  /** The options of the connection, and of those. */
  readonly #written: unknown[] = [];
  #offers: readonly SessionOffer[] = [];
  #offered: readonly number[] = [];
  #timings: readonly Timing[] = [];
  readonly #holds: number[] = [];
  #hasConcluded = false;
  #isTransportOver = false;
  #wasEstablished = false;

  constructor(keepsData: boolean) {
    this.#wire = new RecordedWire(keepsData);
  }

  worldOver(base: World): World {
    if (this.#owner !== undefined) throw new TypeError('record(): one recording is of one connection');
    this.#seed = drawRandom(base, 32, 'recording');
    const dice = seededWorld(this.#seed, { now: 0 });
    return {
      now: () => {
        const time = timeOf(base);
        const { call } = this.#open;
        if (call !== undefined) call.time ??= time;
        return call?.time ?? time;
      },
      randomBytes: (length, label) => dice.randomBytes(length, label),
    };
  }

  over(inner: Interceptor, { owner, timings }: Setting): Interceptor {
    this.#timings = timings;
    if (!(owner instanceof ServerConnection || owner instanceof ClientConnection))
      throw new TypeError('record(): a ServerConnection or a ClientConnection is wanted');
    this.#owner = owner;
    this.#standBefore(owner);
    const wire = this.#wire;
    return {
      ...inner,
      sending: (raw) => wire.sending(this.#open.call, raw, inner),
      sealing: (type, content, seal) => wire.sealing(this.#open.call, { type, content, seal }, inner),
      opening: (given, protection) => wire.opening(given, (record) => inner.opening(record, protection)),
      opened: (given, content) => {
        inner.opened(given, content);
        wire.opened(given, content);
      },
      injecting: (bytes, content) => {
        inner.injecting(bytes, content);
        this.#open.addCall(wire.injected(bytes, content));
      },
      rekeyed: (direction) => {
        inner.rekeyed(direction);
        wire.rekeyed(direction);
      },
      meet: (wait) => {
        inner.meet(wait);
        this.#meet(wait);
      },
    };
  }

  /** Has each method of the connection write down that it was called. */
  #standBefore(owner: Recorded): void {
    const methods = owner as unknown as Methods;
    for (const name of CALLS) {
      const method = methods[name];
      if (method === undefined) continue;
      const value = (...given: unknown[]) => this.#calling(name, given, () => method.apply(owner, given));
      Object.defineProperty(owner, name, { value, configurable: true });
    }
  }

  /** Follows the hand of a tester: what it holds back, and what it lets go. It comes after the injectors. */
  attach(writer: InterceptedWriter): void {
    const { holdsBefore } = writer;
    let asked = 0;
    writer.holdsBefore = (name) => {
      const holds = holdsBefore(name);
      if (holds) this.#holds.push(asked);
      asked++;
      return holds;
    };
    for (const name of ['release', 'discard'] as const) {
      const method = writer[name];
      const value = (): void => this.#letting(name, () => method.call(writer));
      Object.defineProperty(writer, name, { value });
    }
  }

  /** One that lets go by way of the other counts once. */
  #letting(call: 'release' | 'discard', run: () => void): void {
    const { innermost } = this.#open;
    if (innermost !== undefined && 'call' in innermost && innermost.call === 'discard') return run();
    const entry: OpenCall = { call, work: [] };
    this.#open.addCall(entry);
    try {
      this.#open.during(entry, run);
    } finally {
      this.#wire.note(entry);
    }
  }

  #calling(name: CallName, given: readonly unknown[], run: () => Step): Step {
    if (this.#owner !== undefined) this.#configsOf(this.#owner);
    const call: OpenCall = { call: name, work: [], ...this.#argumentsOf(name, given) };
    this.#open.addCall(call);
    const isTaken = name === 'receive' && given[0] instanceof Uint8Array && this.#take(call, given[0]);
    if (name === 'transportEnded') this.#isTransportOver = true;
    const before = this.#hasConcluded;
    this.#hasConcluded = false;
    try {
      const step = this.#open.during(call, run);
      this.#finish(call, step);
      return step;
    } catch (error) {
      call.threw = true;
      this.#wire.note(call);
      if (isTaken && this.#owner?.hasFailed === false) this.#wire.refuse();
      throw error;
    } finally {
      if (name === 'answer' && !this.#hasConcluded) call.outcome = 'stale';
      this.#hasConcluded = before;
      this.#wire.fold();
    }
  }

  #take(call: OpenCall, bytes: Uint8Array): boolean {
    return this.#wire.receive(call, bytes, this.#owner?.life.reading === 'open' && !this.#isTransportOver);
  }

  #argumentsOf(name: CallName, [first, second]: readonly unknown[]): Partial<OpenCall> {
    if ((name === 'write' || name === 'writeEarlyData') && first instanceof Uint8Array)
      return { data: this.#wire.dataOf(first) };
    if (name === 'settle') return { callback: callbackOf(first) };
    if (name === 'answer') return { outcome: outcomeOf(second) };
    if (name === 'updateKeys' || name === 'dispose') return { flag: first === true };
    return {};
  }

  #finish(call: OpenCall, { output, events }: Step): void {
    this.#wire.note(call);
    this.#wire.putOut(call, output);
    this.#wasEstablished ||= events.some(({ type }) => type === 'established');
    if (events.length > 0) call.events = events.map(writeEvent);
  }

  #meet(wait: TaskWait): void {
    if (wait.task !== undefined) return this.#meetTask(wait.task);
    const { call } = wait;
    wait.call = () => {
      const entry: OpenTask = { task: 'call', work: [] };
      return this.#during(entry, () => {
        try {
          const value = call.call(wait);
          entry.value = this.#write(value);
          return value;
        } catch (error) {
          entry.error = writeError(error);
          throw error;
        }
      });
    };
  }

  #meetTask(task: AnyTask): void {
    const { run, conclude } = task;
    const entry: OpenTask = { task: task.kind, callback: task.callback, work: [] };
    task.run = () =>
      this.#during(entry, () => {
        try {
          const answer = run.call(task);
          if (isPromise(answer)) entry.later = true;
          return answer;
        } catch (error) {
          entry.failed = writeError(error);
          throw error;
        }
      });
    task.conclude = (outcome) => {
      this.#hasConcluded = true;
      try {
        const conclusion = conclude.call(task, outcome);
        entry.value = this.#conclusion(task, outcome, conclusion);
        return conclusion;
      } catch (error) {
        entry.error = writeError(error);
        throw error;
      }
    };
  }

  /** The virtual host of a server name is an answer that the handshake concludes nothing from; a client's offer is an option. */
  #conclusion({ kind }: AnyTask, outcome: Outcome, conclusion: unknown): unknown {
    if (kind === 'server-name') return this.#configOf('value' in outcome ? outcome.value : undefined);
    if (kind !== 'session' || !(this.#owner instanceof ClientConnection)) return this.#write(conclusion);
    this.#offers = conclusion as readonly SessionOffer[];
    this.#offered = this.#offers.map(({ session }) => this.#sessions.add(session));
    return writeValue(undefined, this.#sessions);
  }

  #configOf(selected: unknown): unknown {
    if (!isServerConfig(selected) || selected === this.#owner?.config) return { $config: 0 };
    if (!this.#configs.includes(selected)) {
      this.#configs.push(selected);
      this.#written.push(writeServer(selected));
    }
    return { $config: 1 + this.#configs.indexOf(selected) };
  }

  #write(value: unknown): unknown {
    return writeValue(this.#withoutSecrets(value), this.#sessions);
  }

  /** An edited hello names the secrets behind its binders by the sessions that they are of. Those that an edit has made up stay. */
  #withoutSecrets(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || !('psks' in value) || !Array.isArray(value.psks)) return value;
    return { ...value, psks: value.psks.map((psk: DraftPsk) => ({ ...psk, secret: this.#named(psk.secret) })) };
  }

  #named(secret: Uint8Array | undefined): unknown {
    const place = this.#offers.findIndex(
      ({ session }) => secret !== undefined && session.holds > 0 && equalConstantTime(session.secret, secret),
    );
    return place < 0 ? secret : { $secretOf: this.#offered[place] };
  }

  #during<T>(entry: OpenTask, run: () => T): T {
    this.#open.addTask(entry);
    try {
      return this.#open.during(entry, run);
    } finally {
      const ruledOut = this.#sessions.newlyRuledOut();
      if (ruledOut.length > 0) entry.ruledOut = ruledOut;
    }
  }

  /** The options as they are at the first call: a cache may be closed later. */
  #configsOf(owner: Recorded): readonly unknown[] {
    if (this.#written.length === 0)
      this.#written.push(owner instanceof ServerConnection ? writeServer(owner.config) : writeClient(owner.config));
    return this.#written;
  }

  recording(): Recording {
    const owner = this.#owner;
    if (owner === undefined) throw new Error('record(): no connection has been given this; put it among its faults');
    this.#wire.settleRest(owner.life.reading === 'ended');
    const early = this.#behindEarlyData(owner);
    const isSelected = usedBy(owner);
    const isUsed = (session: Session) => isSelected(session) || session === early?.session;
    const isUsedPsk = (psk: WirePsk) => owner instanceof ClientConnection && (psk === owner.psk || psk === early?.psk);
    const isServer = owner instanceof ServerConnection;
    if (!isServer && this.#hasForeignBinders(owner, isUsed, isUsedPsk)) this.#giveHellos(this.#open.calls);
    const recording: Recording = {
      warning: RECORDING_WARNING,
      format: RECORDING_FORMAT,
      side: isServer ? 'server' : 'client',
      seed: toHex(this.#seed),
      configs: isServer ? this.#configsOf(owner) : [writeClient(owner.config, isUsedPsk)],
      connection: {
        ...(isServer
          ? connectionOfServer(owner)
          : connectionOfClient(owner, this.#offers, {
              offered: this.#offered,
              dataOf: (data) => this.#wire.dataOf(data),
            })),
        timings: this.#timings,
        holds: this.#holds,
      },
      sessions: this.#sessions.toJSON(isUsed),
      calls: this.#open.calls,
      facts: factsOf(owner, this.#wasEstablished),
    };
    return JSON.parse(JSON.stringify(recording)); // a copy, which no later call changes
  }

  /**
   * What early data may have gone under: what was offered first, also if the server has not accepted it. To seal that data again, or an
   * alert behind it, takes its secret.
   */
  #behindEarlyData(owner: Recorded): PskOffer | undefined {
    if (!(owner instanceof ClientConnection) || owner.givenEarlyData === undefined) return undefined;
    const session = this.#offers.find((offer) => offer.session.version === 'TLSv1.3');
    if (session !== undefined) return session;
    const { psks, suites } = owner.config;
    const psk = psks.find(({ hash }) => suites.some((suite) => suite.version === 'TLSv1.3' && suite.hash === hash));
    return psk && { psk, hash: psk.hash };
  }

  /** Whether a hello has binders under secrets that are left out. */
  #hasForeignBinders(
    { edits, config }: ClientConnection,
    isUsed: (session: Session) => boolean,
    isUsedPsk: (psk: WirePsk) => boolean,
  ): boolean {
    const isAllUsed = this.#offers.every(({ session }) => isUsed(session)) && config.psks.every(isUsedPsk);
    return this.#offers.length + config.psks.length > 0 && (edits.hello !== undefined || !isAllUsed);
  }

  #giveHellos(calls: readonly (RecordedCall | RecordedTask)[]): void {
    for (const call of calls) {
      const sent: readonly Mutable<RecordedMessage>[] = 'sent' in call ? (call.sent ?? []) : [];
      for (const message of sent) if (message.message.startsWith(CLIENT_HELLO)) message.isGiven = true;
      this.#giveHellos(call.work ?? []);
    }
  }
}

const CLIENT_HELLO = toHex(Uint8Array.of(HandshakeType.client_hello));
