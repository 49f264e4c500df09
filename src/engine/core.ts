/**
 * A connection without a role and without I/O. It runs the handshake, serves its waits, and is the one place that turns an error
 * into an alert. A {@link Role} adds the behaviour of a server or of a client.
 */

import { disregard, isPromise } from '../awaitable.ts';
import { exportKeyingMaterial } from '../crypto/key-schedule.ts';
import type { Incoming } from '../crypto/record-reader.ts';
import type { Established } from '../handshake/established.ts';
import type { CallbackName, EarlyDataStatus, Facts } from '../handshake/outcome.ts';
import type { AnyTask, Handshake, Outcome, ResumeValue, Wait } from '../handshake/wait.ts';
import type { Session } from '../sessions/session.ts';
import { TlsAlert } from '../wire/alert.ts';
import { copyOf, EMPTY } from '../wire/bytes.ts';
import { requireBytes } from '../wire/kind-of.ts';
import { AlertDescription, AlertLevel, type Version } from '../wire/registry.ts';
import type { World } from '../world.ts';
import { requireBoolean, requireExport, requireOutcome } from './arguments.ts';
import { Calls } from './calls.ts';
import { Channel } from './channel.ts';
import { CurrentJob } from './current-job.ts';
import type { Event, Step } from './events.ts';
import type { Fault } from './fault.ts';
import { KeyLog } from './key-log.ts';
import { LifeCycle } from './life-cycle.ts';
import { attempt, disown, reportFailure } from './outcomes.ts';
import { fatalAlert } from './peer-alerts.ts';
import { Deferral, type Deferred, type Question, TaskQuestion } from './questions.ts';
import type { Role } from './role.ts';
import { Secrets } from './secrets.ts';

/** The most bytes that are taken in while a question is open: the shell stops reading when a Step has one. */
const MAX_BUFFERED = 65536;

/** @internal */
export interface CoreOptions {
  readonly world: World;
  /** The user's function for lines in NSS key log format. */
  readonly keylog: ((line: string) => unknown) | undefined;
  /** How many records one key may protect. */
  readonly recordsPerKey: number;
  readonly faults?: readonly Fault[] | undefined;
}

/** What a connection of either role is: see {@link ServerConnection} and {@link ClientConnection}, whose common part it is. */
export abstract class ConnectionCore {
  readonly #world: World;
  readonly #life = new LifeCycle();
  readonly #secrets = new Secrets();
  readonly #channel: Channel;
  readonly #options: CoreOptions;
  #role!: Role;
  #facts!: Facts;
  readonly #job = new CurrentJob();
  #established: Established | undefined;
  #question: TaskQuestion | undefined;
  /** Whether a Step has had the question. If none has, nobody follows its promise. */
  #isAsked = false;
  #events: Event[] = [];
  /** New sessions in the events of the Step in which the connection failed. They are held until it is disposed of. */
  readonly #lent: Session[] = [];
  readonly #keyLog: KeyLog | undefined;
  readonly #calls: Calls;
  /** Whether the transport has ended. What came before that is processed first. */
  #isTransportOver = false;

  /** @internal */
  constructor(options: CoreOptions) {
    this.#options = options;
    const { faults, world } = options;
    this.#world = faults?.[0]?.worldOf(world, faults) ?? world;
    this.#calls = new Calls(this.#world, this);
    if (options.keylog !== undefined) this.#keyLog = new KeyLog(options.keylog);
    this.#channel = faults?.[0]?.channel(this, faults) ?? new Channel(this);
  }

  /** @internal Starts the handshake of a role. It is called once, before anything else. */
  protected start(role: Role, handshake: Handshake<Established>): void {
    this.#role = role;
    this.#facts = role.io.facts;
    this.#begin(handshake, (established) => this.#establish(role, established));
  }

  /** @internal The world of the configuration, or a tester's. */
  get world(): World {
    return this.#world;
  }

  /** @internal */
  get life(): LifeCycle {
    return this.#life;
  }

  /** @internal */
  get secrets(): Secrets {
    return this.#secrets;
  }

  /** @internal */
  get channel(): Channel {
    return this.#channel;
  }

  /** @internal Seconds since the epoch, read once for each call from outside. */
  now(): number {
    return Math.floor(this.#calls.time / 1000);
  }

  /** @internal The same in milliseconds. */
  time(): number {
    return this.#calls.time;
  }

  /** @internal */
  emit(event: Event): void {
    this.#events.push(event);
    if (event.type === 'keylog') this.#keyLog?.add(event.line);
  }

  /** @internal Has the shell wait for a promise that no handshake waits for; {@link settle} passes the outcome to `settled`. */
  defer(callback: CallbackName, promise: PromiseLike<unknown>, settled: (outcome: Outcome) => void): void {
    disregard(promise); // also for shells that ignore events
    this.emit({ type: 'deferred', deferred: new Deferral(callback, promise, this, settled) });
  }

  /** The message, ChangeCipherSpec or task that the handshake waits for; `undefined` once it is over. */
  get waitingFor(): Wait | undefined {
    return this.#life.phase === 'handshaking' ? this.#job.wait : undefined;
  }

  /** Whether the handshake is complete and the connection has not failed since. */
  get isEstablished(): boolean {
    return this.#life.phase === 'established';
  }

  /** Whether the connection has ended with a fatal alert or an internal error. If it threw, {@link dispose} returns its last output. */
  get hasFailed(): boolean {
    return this.#life.phase === 'failed';
  }

  /** Whether the client has sent early data, and what has become of it (RFC 9846 §2.3). */
  get earlyData(): EarlyDataStatus {
    return this.#facts.earlyData;
  }

  /** Whether {@link write} may be called: the connection is established and our direction has not ended. */
  get canWrite(): boolean {
    return this.#life.phase === 'established' && this.#life.writing === 'open';
  }

  /** The negotiated version; `undefined` until it has been selected. */
  get version(): Version | undefined {
    return this.#facts.version;
  }

  /** IANA's name of the negotiated cipher suite; `undefined` until it has been selected. */
  get cipherSuite(): string | undefined {
    return this.#facts.suite?.name;
  }

  /** The (EC)DHE group of this handshake; `undefined` if there was no (EC)DHE. */
  get group(): string | undefined {
    return this.#facts.group;
  }

  /** The scheme that the server has signed with; `undefined` if it has resumed, and so has not signed. */
  get signatureScheme(): string | undefined {
    return this.#facts.signatureScheme;
  }

  /** The negotiated application protocol (RFC 7301). */
  get alpnProtocol(): string | undefined {
    return this.#facts.alpnProtocol;
  }

  /**
   * The peer's own certificate in DER, which `verifyClient`, `verifyServer` or `pins` have accepted: in this handshake or, if
   * `resumption.resumed` is true, in the full handshake that the session descends from. A copy; `undefined` if the peer has shown none,
   * and until it has proved its identity.
   */
  get peerCertificate(): Uint8Array | undefined {
    const { peerCertificate } = this.#facts;
    return this.#role.io.hasProof ? peerCertificate && copyOf(peerCertificate) : undefined;
  }

  /** The peer's certificates in DER, its own first: copies. `undefined` after a resumption, as a session keeps only that one. */
  get peerCertificateChain(): readonly Uint8Array[] | undefined {
    return this.#role.io.hasProof ? this.#facts.peerCertificateChain?.map(copyOf) : undefined;
  }

  /** Whether a handshake whose question is open wants more of the peer than has come. */
  get #isLost(): boolean {
    const isWaiting = this.#life.phase === 'handshaking' && this.#question !== undefined;
    return isWaiting && !this.#role.io.hasProof && this.#channel.reader.isEmpty;
  }

  /** Whether bytes of the peer are still taken in. */
  get #isReading(): boolean {
    return this.#life.reading === 'open' && !this.#isTransportOver;
  }

  /**
   * Takes in received bytes, in any chunking. They are copied. While a question is open they are only buffered. After the end of the
   * peer's direction they are ignored.
   * @throws TypeError if `input` is no Uint8Array; RangeError if more than 64 KiB come in while a question is open
   */
  receive(input: Uint8Array): Step {
    const { length } = requireBytes('receive(input)', input);
    if (this.#question !== undefined && this.#isReading && this.#channel.reader.buffered + length > MAX_BUFFERED) {
      throw new RangeError(
        `more than ${MAX_BUFFERED} bytes while a question is open: stop reading until it is answered`,
      );
    }
    const bytes = this.#calls.keep(input);
    return this.step(() => {
      if (!this.#isReading) return;
      this.#channel.reader.push(bytes);
      this.#pump();
    });
  }

  /**
   * Answers the question of the last Step. An answer to any other question comes too late and is ignored; its holds are released.
   * @throws TypeError if `answered` is no outcome
   */
  answer(question: Question, answered: Outcome): Step {
    const outcome = requireOutcome(answered);
    return this.step(() => {
      const task = TaskQuestion.taskOf(question, this);
      if (task === undefined) return;
      if (question !== this.#question) return TaskQuestion.release(question, outcome);
      if ('late' in outcome) this.#question.abandon();
      this.#question = undefined;
      this.#conclude(task, outcome);
      this.#pump();
    });
  }

  /** Takes in the outcome of the promise in a 'deferred' event. An error becomes a callback-error event. @throws TypeError if it is none */
  settle(deferred: Deferred, settled: Outcome): Step {
    const outcome = requireOutcome(settled);
    return this.step(() => {
      if ('error' in outcome) this.emit({ type: 'callback-error', callback: deferred.callback, error: outcome.error });
      Deferral.settle(deferred, this, outcome);
    });
  }

  /**
   * Sends application data, after the tickets that are due. If a callback for these ends the connection, the data is not sent. The
   * connection does not keep `data`.
   * @throws TypeError if `data` is no Uint8Array; Error before the connection is established, after {@link end}, and after the end of
   * the connection
   */
  write(data: Uint8Array): Step {
    requireBytes('write(data)', data);
    if (this.#life.phase !== 'established')
      throw new Error('write() before the handshake is complete, or after the end');
    if (this.#life.writing === 'ended') throw new Error('write() after end()');
    const bytes = this.#calls.keep(data);
    return this.step(() => {
      this.#role.beforeWrite();
      this.runJobs();
      if (this.canWrite) this.#channel.sendData(bytes);
    });
  }

  /**
   * How many bytes {@link writeEarlyData} may send now; 0 for none. A key has no successor before the handshake is complete, so the records
   * that it may protect bound it, too (RFC 9846 §5.5).
   */
  get earlyRoom(): number {
    if (this.#life.phase !== 'handshaking' || this.#life.writing === 'ended') return 0;
    const { earlyRoom, earlySuite } = this.#role.io;
    return Math.min(earlyRoom, this.#channel.roomUnder(earlySuite, this.#options.recordsPerKey));
  }

  /**
   * Sends application data before the handshake is complete (RFC 9846 §2.3). A client does so from its hello to the server's Finished, if
   * the first session that it offers allows it and the option `earlyData` was set. A server does so once it has accepted early data: nobody
   * has proved yet to be its client, who may be replaying a hello. `data` is not kept.
   * @throws TypeError if `data` is no Uint8Array; Error where no early data may be sent now; RangeError for more than {@link earlyRoom}
   */
  writeEarlyData(data: Uint8Array): Step {
    const { length } = requireBytes('writeEarlyData(data)', data);
    const { earlyRoom } = this;
    if (earlyRoom === 0 && length > 0)
      throw new Error('writeEarlyData() where no early data may be sent, or no more of it');
    if (length > earlyRoom)
      throw new RangeError(`writeEarlyData(): ${length} bytes, where ${earlyRoom} may still be sent`);
    const bytes = this.#calls.keep(data);
    return this.step(() => {
      if (this.earlyRoom < length) return;
      this.#role.io.earlyRoom -= length;
      this.#channel.sendData(bytes);
    });
  }

  /**
   * TLS 1.3: replaces the key of our direction. With `requestPeer`, also asks the peer to replace its own (RFC 9846 §4.7.3).
   * @throws TypeError for no boolean; Error in TLS 1.2, before the connection is established, and after {@link end}
   */
  updateKeys(requestPeer = false): Step {
    requireBoolean('updateKeys(requestPeer)', requestPeer);
    if (!this.canWrite || this.#facts.version !== 'TLSv1.3') {
      throw new Error('updateKeys() is for TLS 1.3, from its establishment to end()');
    }
    return this.step(() => {
      if (this.canWrite) this.#channel.updateKeys(requestPeer);
    });
  }

  /**
   * Sends close_notify and ends our direction; the peer may go on sending (RFC 9846 §6.1). In the handshake it ends both directions.
   * A second call does nothing.
   */
  end(): Step {
    return this.step(() => {
      this.#channel.sendCloseNotify();
      if (!this.#life.isUnderWay) return this.#release();
      this.#dropJobs();
      this.#pump(); // takes in what has arrived while jobs waited
    });
  }

  /**
   * Notes that the transport has ended. It takes effect after the bytes that have been received, also if these wait for the answer
   * to a question. If none wait, and the handshake still wants some, it ends at once, and its question is withdrawn. Without the peer's close_notify the received data may be truncated (RFC 9846 §6.1). Unless {@link end} was called
   * before, that is also an unclean end for the session: see `sessions.removeUnclean`.
   */
  transportEnded(): Step {
    return this.step(() => {
      this.#isTransportOver = true;
      this.#channel.transportEnded();
      if (this.#isLost) this.#endReading('without close_notify');
      else this.#pump();
    });
  }

  /** @internal Calls `action`, which ends the transport, once all output has been handed out: now, unless a fault holds some back. */
  whenSent(action: () => void): void {
    this.#channel.whenSent(action);
  }

  /**
   * Ends both directions, wipes every secret and releases every hold. The connection must not be used afterwards. If {@link end} was
   * not called before, the session of an established connection is removed in the versions that `sessions.removeUnclean` names;
   * with `clean` it is kept nevertheless (SSL_set_shutdown(3)). @throws TypeError for no boolean
   */
  dispose(clean = false): Step {
    requireBoolean('dispose(clean)', clean);
    return this.step(() => {
      if (!clean) this.#endUncleanly();
      this.#life.close();
      this.#release();
      for (const session of this.#lent.splice(0)) session.release();
    });
  }

  /**
   * Exports keying material (RFC 9846 §7.5, RFC 5705): 1 to 8160 bytes, for a label of printable ASCII characters. In TLS 1.3 it has 1
   * to 249 of them; in TLS 1.2 any number, and an absent context and an empty one give different results.
   * @throws Error before the connection is established, after its end, and in TLS 1.2 without extended_master_secret; TypeError
   * and RangeError for an impossible length, label or context
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    if (this.#life.phase === 'handshaking') throw new Error('exportKeyingMaterial() before the handshake is complete');
    if (this.#established === undefined) throw new Error('exportKeyingMaterial() after the end');
    requireExport({ length, label, context }, this.#facts.version === 'TLSv1.3');
    return this.#established.exportKeyingMaterial(length, label, context);
  }

  /**
   * Exports keying material of early data (RFC 9846 §7.5, early_exporter_secret), as {@link exportKeyingMaterial} does of the connection.
   * A client has it once it has sent early data, a server once it has accepted it. Whoever replays the hello has the same.
   * @throws Error where there is none; TypeError and RangeError for an impossible length, label or context
   */
  exportEarlyKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    const { earlyExporter } = this.#role.io;
    if (earlyExporter === undefined || !this.#life.isUnderWay)
      throw new Error('exportEarlyKeyingMaterial() on a connection without early data, or after its end');
    requireExport({ length, label, context }, true);
    const output = exportKeyingMaterial(earlyExporter, label, context ?? EMPTY, length);
    earlyExporter.dropHmacKey();
    return output;
  }

  /** @internal The frame of every call: handles failure, and collects output and events. A call that waits has its results in the outer Step. */
  protected step(action: () => void): Step {
    if (!this.#calls.run(action)) return this.#result(new Uint8Array(0), []);
    this.#keyLog?.deliver((event) => this.emit(event));
    const events = this.#events;
    this.#events = [];
    return this.#result(this.#channel.writer.take(), events);
  }

  #result(output: Uint8Array, events: readonly Event[]): Step {
    this.#isAsked = this.#question !== undefined;
    return { output, events, question: this.#question };
  }

  /** @internal */
  finishCall(): void {
    this.#role.catchUp();
    this.#channel.writer.endFlight(); // here, as a provider may throw
  }

  /** @internal Starts the jobs of the role that are due now, or once the job that is under way has finished. */
  protected runJobs(): void {
    if (!this.#job.isUnderWay) this.#pump();
  }

  /** @internal Goes on with a handshake that begins with work of ours. */
  protected proceed(): Step {
    return this.step(() => this.#pump());
  }

  /** Goes on as far as the received bytes allow. After the handshake, one job is under way at a time. */
  #pump(): void {
    if (this.#calls.isInCallback) return; // a callback has called us: received bytes are processed once it has returned
    while (this.#question === undefined) {
      if (this.#calls.runWaiting()) continue;
      const next = !this.#job.isUnderWay && this.#life.phase === 'established' ? this.#role.nextJob() : undefined;
      if (next !== undefined) this.#begin(next, () => {});
      else if (this.#life.isUnderWay && this.#job.wait?.kind === 'task') {
        this.#channel.meet(this.#job.wait);
        if (this.#job.wait.task === undefined) this.#call(this.#job.wait);
        else this.#perform(this.#job.wait, this.#job.wait.task);
      } else if (this.#life.reading === 'ended') return;
      else {
        const incoming = this.#channel.reader.next(this.#expected());
        if (incoming !== undefined) this.#handle(incoming);
        else if (this.#isTransportOver) return this.#endReading('without close_notify');
        else return;
      }
    }
  }

  /** The handshake messages that are accepted now. */
  #expected() {
    if (this.#life.phase === 'established') return this.#channel.expected;
    return this.#job.wait?.kind === 'message' ? this.#job.wait : undefined;
  }

  #handle(incoming: Incoming): void {
    switch (incoming.kind) {
      case 'alert':
        return this.#receiveAlert(incoming.level, incoming.description);
      case 'handshake':
        if (this.#life.phase === 'established') return this.#channel.receiveMessage(incoming.frame);
        return this.#advance(incoming.frame);
      case 'change_cipher_spec':
        return this.#receiveChangeCipherSpec();
      case 'data':
        if (this.#life.phase !== 'established') return this.#receiveEarlyData(incoming.data);
        if (incoming.data.length > 0) this.emit({ type: 'data', data: incoming.data });
        return this.#channel.renewReadKey();
    }
  }

  /** Passes data to the flight that waits for it. @throws TlsAlert unexpected_message if none does */
  #receiveEarlyData(data: Uint8Array): void {
    const { wait } = this.#job;
    if (wait?.kind !== 'message' || wait.takeData === undefined)
      throw new TlsAlert('unexpected_message', 'application data in the handshake');
    wait.takeData(data);
  }

  #receiveChangeCipherSpec(): void {
    const { wait } = this.#job;
    const isDue = wait?.kind === 'change_cipher_spec' || (wait?.kind === 'message' && wait.orChangeCipherSpec);
    if (!isDue) throw new TlsAlert('unexpected_message', 'a ChangeCipherSpec');
    this.#advance(undefined);
  }

  #begin<T>(machine: Handshake<T>, finished: (value: T) => void): void {
    this.#job.begin(machine, finished);
    this.#advance(undefined);
  }

  /** Lets the job that is under way run to its next wait. */
  #advance(value: ResumeValue): void {
    if (this.#job.advance(value)) this.#channel.writer.endFlight();
  }

  /** Drops the handshake or the job after it, with all that it holds, and its question. */
  #dropJobs(): void {
    const question = this.#question;
    this.#question = undefined;
    this.#role.dropJobs();
    this.#job.drop();
    this.#role.io.transcript.clear(); // of a handshake that goes no further
    if (question === undefined) return;
    const task = TaskQuestion.taskOf(question, this);
    if (this.#isAsked || task === undefined) question.abandon();
    else disown(this, task, { value: question.promise });
  }

  #establish(role: Role, established: Established): void {
    this.#established = established;
    this.#life.establish();
    this.#secrets.established();
    this.#channel.establish(role.io, established, this.#options.recordsPerKey);
    role.explain();
    this.emit({ type: 'established' });
    role.established(established);
  }

  /** Runs user code, or code that may call it, while the handshake is suspended. */
  #run<A>(run: () => A): Outcome<A> {
    this.#role.catchUp();
    return this.#calls.callBack(run);
  }

  /**
   * Reports whether the job of this wait is gone: user code has disposed of the connection, or has ended it while it made a ticket.
   * Nothing follows a close_notify.
   */
  #isOver(wait: Wait): boolean {
    return !this.#life.isUnderWay || this.#job.wait !== wait;
  }

  #call(wait: Wait & { kind: 'task'; task?: undefined }): void {
    const outcome = this.#run(() => wait.call());
    if (!this.#isOver(wait)) this.#advance(outcome);
  }

  /** Runs a task. If it returns a promise, that becomes the question of this Step. */
  #perform(wait: Wait, task: AnyTask): void {
    const outcome = this.#run(() => task.run());
    if (this.#isOver(wait)) return disown(this, task, outcome);
    if ('value' in outcome && isPromise(outcome.value)) {
      this.#question = new TaskQuestion(task, outcome.value, this);
      this.#isAsked = false;
      this.#channel.reader.trim();
      return;
    }
    this.#conclude(task, outcome);
  }

  #conclude(task: AnyTask, outcome: Outcome): void {
    reportFailure(this, task, outcome);
    this.#advance(outcome);
  }

  #receiveAlert(level: number, description: number): void {
    this.emit({ type: 'alert', direction: 'received', level, description });
    if (description === AlertDescription.close_notify) {
      this.#endReading('by close_notify');
      return this.emit({ type: 'end' });
    }
    const alert = fatalAlert(level, description, this.#role.io.alertVersion);
    if (alert === undefined) this.#channel.reader.idle();
    else this.#end(alert, 'alert-received');
  }

  /** Ends the peer's direction, and with it a handshake. What else the peer has sent is forgotten (RFC 9846 §6.1). */
  #endReading(how: 'by close_notify' | 'without close_notify'): void {
    if (how === 'without close_notify') this.#endUncleanly();
    this.#life.endReading();
    this.#channel.reader.wipe();
    if (!this.#life.isUnderWay) this.#dropJobs();
  }

  /** @internal Turns an error into an alert; no other place does. An error other than a TlsAlert is a bug of ours, and is thrown on. */
  failCall(error: unknown): void {
    const alert = TlsAlert.isAlert(error) ? error : new TlsAlert('internal_error', 'a bug');
    const level = alert.alert === 'close_notify' ? AlertLevel.warning : AlertLevel.fatal;
    const isOpen = this.#life.writing === 'open'; // nothing follows a close_notify (§6.1)
    const sent = isOpen ? attempt(() => this.#channel.sendAlert(alert.alert, level)) : undefined; // a provider may throw
    const ended = attempt(() => this.#end(alert, isOpen && level === AlertLevel.fatal ? 'alert-sent' : undefined));
    if (alert !== error) throw error;
    if (sent !== undefined && 'error' in sent) throw sent.error;
    if ('error' in ended) throw ended.error;
  }

  /** Ends the connection by a fatal alert, once. */
  #end(error: TlsAlert, reason: 'alert-sent' | 'alert-received' | undefined): void {
    if (this.#life.phase !== 'failed') {
      this.#life.fail();
      if (this.#established === undefined) this.#role.explain();
      for (const event of this.#events) {
        if (event.type === 'new-session' && event.session.holds > 0) this.#lent.push(event.session.upRef());
      }
      this.emit({ type: 'failed', error });
      this.#role.failed(reason);
    }
    this.#release();
  }

  /** SSL_free(3): reports an unclean end if the handshake is complete and we have not sent a close_notify. */
  #endUncleanly(): void {
    if (this.canWrite) this.#role.endedUncleanly();
  }

  /**
   * The last thing in every way to the end of both directions: no job goes on, what is queued is protected while there are keys, every
   * secret is wiped, every hold released. It may run again.
   */
  #release(): void {
    this.#dropJobs();
    try {
      this.#channel.wipe();
    } finally {
      this.#established = undefined;
      this.#role.close();
      this.#secrets.closed();
    }
  }
}
