/**
 * One connection, without I/O: bytes in, bytes and events out. It interprets what the handshake waits for, and it is the one
 * place where an alert is turned into bytes.
 */

import { disregard, isPromise } from '../../awaitable.ts';
import type { Incoming } from '../../crypto/record-reader.ts';
import type { Established } from '../../handshake/established.ts';
import type { Message } from '../../handshake/messages/message.ts';
import type { Resumption, Verdict } from '../../handshake/outcome.ts';
import type { ServerFacts } from '../../handshake/server/context.ts';
import { serve } from '../../handshake/server/serve.ts';
import type { AnyTask, Handshake, Outcome, ResumeValue, Wait } from '../../handshake/wait.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import type { Session } from '../../sessions/session.ts';
import { alertName, TlsAlert } from '../../wire/alert.ts';
import { DecodeError } from '../../wire/codec.ts';
import { AlertDescription, AlertLevel, type Version } from '../../wire/registry.ts';
import { Channel } from '../channel.ts';
import { type Deferred, disowned, type Event, type Question, type Step } from '../events.ts';
import { Secrets } from '../secrets.ts';
import type { ServerConfig } from './config.ts';
import { ConnectionHandshaking } from './handshaking.ts';
import { ConnectionSessions } from './session-lookup.ts';
import { ConnectionTickets } from './ticket-judging.ts';

/** What callbacks are told of a connection; which one it is stays between us. (A WeakMap of them would burden the garbage collector.) */
class Info implements ConnectionInfo {
  readonly serverName: string | undefined;
  readonly version: Version | undefined;
  readonly #connection: ServerConnection;

  constructor(connection: ServerConnection, addresses: Addresses | undefined) {
    this.#connection = connection;
    this.serverName = connection.serverName;
    this.version = connection.version;
    Object.assign(this, addresses);
  }

  static connectionOf(info: object): ServerConnection | undefined {
    return #connection in info ? info.#connection : undefined;
  }
}

/** The connection that a callback has been told of. Inside of the callback only its getters are of use. */
export function connectionOf(info: ConnectionInfo): ServerConnection | undefined {
  return Info.connectionOf(info);
}

type Addresses = Pick<ConnectionInfo, 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'>;

/** What a connection may be told besides its configuration. */
export interface ConnectionOptions {
  /** Addresses of both ends, for the callbacks. A function is asked when one is called. */
  readonly addresses?: Addresses | (() => Addresses) | undefined;
  /**
   * For conformance tests: returns the body that is sent instead of `body`, which may break any rule. The transcript has what
   * is sent.
   */
  readonly rewrite?: (<T>(message: Message<T>, body: T) => T) | undefined;
  /** Whether there are to be 'keylog' events, asked whenever there could be; where the configuration has a `keylog` there always are. */
  readonly wantsKeylog?: (() => boolean) | undefined;
}

/** While a question is open no more than this is taken in: stop reading when a Step has one. */
const MAX_BUFFERED = 65536;

/** A question, and the task that it comes from. */
class TaskQuestion implements Question {
  readonly token: number;
  readonly kind: AnyTask['kind'];
  readonly promise: PromiseLike<unknown>;
  readonly budgeted: boolean;
  readonly #task: AnyTask;

  constructor(token: number, task: AnyTask, promise: PromiseLike<unknown>) {
    this.token = token;
    this.kind = task.kind;
    this.promise = promise;
    this.budgeted = task.budgeted;
    this.#task = task;
  }

  static taskOf(question: Question): AnyTask | undefined {
    return #task in question ? question.#task : undefined;
  }
}

type State = 'handshaking' | 'established' | 'closed' | 'failed';

/**
 * The server's end of one TLS connection. Every method returns a {@link Step}: send its output, even when the connection has
 * failed; then attend to its events; then see to its question. Whoever makes a connection disposes of it.
 */
export class ServerConnection {
  readonly #config: ServerConfig;
  readonly #options: ConnectionOptions;
  readonly #channel: Channel;
  readonly #secrets = new Secrets();
  readonly #sessions: ConnectionSessions;
  readonly #tickets: ConnectionTickets;
  readonly #context: ConnectionHandshaking;
  readonly #facts: ServerFacts;
  /** What is under way: the handshake, and after it the making of tickets. */
  #machine: Handshake<Established | undefined>;
  #ticketsDue = 0;
  #wait: Wait | undefined;
  #established: Established | undefined;
  #state: State = 'handshaking';
  #question: Question | undefined;
  #events: Event[] = [];
  #now = 0;
  #nextToken = 1;
  /** Tasks whose answer nobody waits for any more. */
  readonly #late = new Map<Deferred, AnyTask>();
  #isDeaf = false;
  #isPerforming = false;

  constructor(config: ServerConfig, options: ConnectionOptions = {}) {
    this.#config = config;
    this.#options = options;
    const host = {
      config,
      world: config.world,
      wantsKeylog: () => config.keylog !== undefined || options.wantsKeylog?.() === true,
      info: () => this.#info(),
      now: () => this.#now,
      emit: (event: Event) => void this.#events.push(event),
      hold: (session: Session) => this.#sessions.hold(session),
    };
    this.#channel = new Channel({ emit: host.emit, rewrite: options.rewrite });
    this.#sessions = new ConnectionSessions(config.store, host);
    this.#tickets = new ConnectionTickets(config.ticketPolicy, host);
    const parts = { channel: this.#channel, secrets: this.#secrets, sessions: this.#sessions, tickets: this.#tickets };
    this.#context = new ConnectionHandshaking(host, parts);
    this.#facts = this.#context.facts;
    this.#machine = serve(this.#context);
    this.#resume(undefined);
  }

  /** What the handshake waits for; `undefined` once it is over. */
  get waitingFor(): Wait | undefined {
    return this.#state === 'handshaking' ? this.#wait : undefined;
  }

  /** Whether the handshake is complete and the connection has not failed since. */
  get isEstablished(): boolean {
    return this.#state === 'established';
  }

  /** Whether it has ended by a fatal alert, or by an error of ours that was thrown: then {@link dispose} has its last output. */
  get hasFailed(): boolean {
    return this.#state === 'failed';
  }

  /** Whether {@link write} may be called: from establishment to the end of our direction. */
  get canWrite(): boolean {
    return this.#state === 'established' && !this.#channel.isEnded;
  }

  /** Whether {@link sendTicket} is for this connection: an established one of TLS 1.3 where sessions are handed out. */
  get hasTickets(): boolean {
    return this.#established?.issuer !== undefined;
  }

  /** Whether it resumed, and if not, why not; settled once established. */
  get resumption(): Resumption {
    return this.#facts.resumption;
  }

  /** What has become of each session that the client has offered, in the order of the offer, and why. */
  get verdicts(): readonly Verdict[] {
    return this.#facts.verdicts;
  }

  /**
   * The current session (SSL_get0_session(3)): the one resumed from, or the last one issued; one without an id, which nobody can
   * resume, where none was. `undefined` before there is one. Lent until the connection is disposed of.
   */
  get session(): Session | undefined {
    return this.#facts.session;
  }

  get version(): Version | undefined {
    return this.#facts.version;
  }

  /** IANA's name of the cipher suite. */
  get cipherSuite(): string | undefined {
    return this.#facts.suite?.name;
  }

  /** The (EC)DHE group of this handshake; `undefined` where there was none. */
  get group(): string | undefined {
    return this.#facts.group;
  }

  get signatureScheme(): string | undefined {
    return this.#facts.signatureScheme;
  }

  /** The host name that the client sent. */
  get serverName(): string | undefined {
    return this.#facts.serverName;
  }

  get alpnProtocol(): string | undefined {
    return this.#facts.alpnProtocol;
  }

  /**
   * The client's own certificate, DER, which `verifyClient` has accepted: in this handshake or, where `resumption.resumed` is true,
   * in the full one that the session goes back to. `undefined` where the client has shown none, and until it has proved itself.
   */
  get peerCertificate(): Uint8Array | undefined {
    return this.#context.hasProof ? this.#facts.peerCertificate : undefined;
  }

  /** All that it showed, its own first; `undefined` after a resumption, as sessions keep the first alone. */
  get peerCertificateChain(): readonly Uint8Array[] | undefined {
    return this.#context.hasProof ? this.#facts.peerCertificateChain : undefined;
  }

  /**
   * Takes in received bytes, in any chunking. They are copied.
   * @throws RangeError when more than 64 KiB come in while a question is open
   */
  receive(input: Uint8Array): Step {
    if (this.#question !== undefined && this.#channel.reader.buffered + input.length > MAX_BUFFERED) {
      throw new RangeError(
        `more than ${MAX_BUFFERED} bytes while a question is open: stop reading until it is answered`,
      );
    }
    return this.#step(() => {
      if (this.#isDeaf) return;
      this.#channel.reader.push(input);
      this.#pump();
    });
  }

  /** Resolves the question of the last Step. An answer to any other question comes too late and is ignored. */
  answer(question: Question, outcome: Outcome): Step {
    return this.#step(() => {
      const task = TaskQuestion.taskOf(question);
      if (task === undefined) return;
      if (question.token !== this.#question?.token) return releaseLate(task, outcome);
      this.#question = undefined;
      this.#report(task, outcome);
      this.#resume(outcome);
      this.#pump();
    });
  }

  /** Hands back what the promise of an event of type "deferred" came to. */
  settle(deferred: Deferred, outcome: Outcome): Step {
    return this.#step(() => {
      if ('error' in outcome)
        this.#events.push({ type: 'callback-error', callback: deferred.callback, error: outcome.error });
      this.#sessions.settle(deferred, outcome);
      const task = this.#late.get(deferred);
      if (task !== undefined) releaseLate(task, outcome);
      this.#late.delete(deferred);
    });
  }

  /**
   * Sends application data. Nothing comes of it where a callback of the tickets that go first ends the connection.
   * @throws Error before the connection is established, and after {@link end}
   */
  write(data: Uint8Array): Step {
    if (this.#state !== 'established') throw new Error('write() before the handshake is complete, or after the end');
    if (this.#channel.isEnded) throw new Error('write() after end()');
    return this.#step(() => {
      this.#issueTickets();
      if (this.#state === 'established' && !this.#channel.isEnded) this.#channel.sendData(data);
    });
  }

  /**
   * TLS 1.3: one more NewSessionTicket (RFC 8446 §4.6.1, SSL_new_session_ticket(3)), in this Step's output or, where its keys or
   * callbacks answer later, in a later one's. Nothing comes of it where there is no key, nobody would keep the session, the
   * client has closed already, or the connection is over.
   * @throws Error in TLS 1.2, before establishment, and where no sessions are handed out: `tickets.mode` is 'off', or clients are
   * asked for certificates without a session id context
   */
  sendTicket(): Step {
    if (!this.hasTickets)
      throw new Error('sendTicket() is for TLS 1.3, from its establishment on, where sessions are handed out');
    return this.#step(() => {
      if (this.#state !== 'established') return;
      this.#ticketsDue++;
      this.#issueTickets();
    });
  }

  /** TLS 1.3: new keys for our direction, and for the peer's as well where `requestPeer` asks for it (RFC 8446 §4.6.3). */
  updateKeys(requestPeer = false): Step {
    if (this.#state !== 'established' || this.version !== 'TLSv1.3' || this.#channel.isEnded) {
      throw new Error('updateKeys() is for TLS 1.3, from its establishment to end()');
    }
    return this.#step(() => this.#channel.updateKeys(requestPeer));
  }

  /** Sends close_notify: nothing more from us, while the peer may go on (RFC 8446 §6.1). Again: nothing. */
  end(): Step {
    return this.#step(() => {
      if (this.#state === 'failed') return;
      this.#channel.sendCloseNotify();
      if (this.#state === 'handshaking') this.#abandon();
      else this.#stopTickets();
      this.#pump(); // what has come in while they waited
    });
  }

  /**
   * The transport has ended. Without the peer's close_notify what has been received may be only a part (RFC 8446 §6.1), and
   * unless {@link end} has been called before, that is an unclean end for the session: see `sessions.removeUnclean`.
   */
  transportEnded(): Step {
    return this.#step(() => {
      if (!this.#isDeaf) this.#removeUnclean();
      this.#isDeaf = true;
    });
  }

  /**
   * The end of both directions: every secret wiped, every hold released. Nothing may be asked of the connection afterwards.
   * Where {@link end} was not called before, the session of a connection that was established goes with it, as
   * `sessions.removeUnclean` says; `clean` keeps it all the same (SSL_set_shutdown(3)).
   */
  dispose(clean = false): Step {
    return this.#step(() => {
      if (!clean) this.#removeUnclean();
      if (this.#state !== 'failed') this.#state = 'closed';
      this.#channel.isEnded = true;
      this.#question = undefined;
      this.#release();
    });
  }

  /**
   * RFC 8446 §7.5, RFC 5705. In TLS 1.2 no context and an empty one give different results.
   * @throws Error before the connection is established; RangeError for an impossible length
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    if (this.#established === undefined) throw new Error('exportKeyingMaterial() before the handshake is complete');
    if (this.#state === 'closed' || this.#state === 'failed') throw new Error('exportKeyingMaterial() after the end');
    if (!Number.isInteger(length) || length < 1 || length > 8160)
      throw new RangeError(`${length} bytes; 1 to 8160 are possible`);
    if (!/^[\x20-\x7e]{1,249}$/.test(label)) throw new RangeError('a label of 1 to 249 ASCII characters is wanted');
    return this.#established.exportKeyingMaterial(length, label, context);
  }

  /** The frame of every call: reads the clock once, sees to failure, gathers what is to be sent and told. */
  #step(action: () => void): Step {
    this.#now = Math.floor(this.#config.world.now() / 1000);
    try {
      action();
      this.#sessions.catchUp();
    } catch (error) {
      this.#fail(error);
    }
    const events = this.#events;
    this.#events = []; // before the user's function: it may call us
    this.#deliverKeylog(events);
    return { output: this.#channel.writer.take(), events, question: this.#question };
  }

  /** Goes on as far as what has been received allows. */
  #pump(): void {
    if (this.#isPerforming) return; // a callback has called us: what has come in is attended to once it has answered
    while (this.#question === undefined) {
      if (this.#isUnderWay && this.#wait?.kind === 'task') this.#perform(this.#wait, this.#wait.task);
      else if (this.#isUnderWay && this.#wait?.kind === 'call') this.#call(this.#wait);
      else if (this.#isDeaf) return;
      else if (this.#state === 'handshaking' || this.#state === 'established') {
        const incoming = this.#channel.reader.next(this.#expected());
        if (incoming === undefined) return;
        this.#handle(incoming);
      } else return;
    }
  }

  /** The one handshake message that fits now. */
  #expected() {
    if (this.#state === 'established') return this.#channel.expected;
    return this.#wait?.kind === 'message' ? this.#wait : undefined;
  }

  #handle(incoming: Incoming): void {
    switch (incoming.kind) {
      case 'alert':
        return this.#receiveAlert(incoming.level, incoming.description);
      case 'handshake':
        if (this.#state === 'established') return this.#channel.receiveMessage(incoming.frame);
        return this.#resume(incoming.frame);
      case 'change_cipher_spec':
        if (this.#wait?.kind !== 'change_cipher_spec') throw new TlsAlert('unexpected_message', 'a ChangeCipherSpec');
        return this.#resume(undefined);
      case 'data':
        if (this.#state !== 'established')
          throw new TlsAlert('unexpected_message', 'application data in the handshake');
        if (incoming.data.length > 0) this.#events.push({ type: 'data', data: incoming.data });
        return this.#channel.renewReadKey();
    }
  }

  /** Lets the handshake go on to the next thing that it waits for. */
  #resume(value: ResumeValue): void {
    const { done, value: next } = this.#machine.next(value);
    this.#wait = done ? undefined : next;
    if (this.#wait?.kind === 'message' || this.#wait?.kind === 'change_cipher_spec') this.#channel.writer.endFlight();
    if (done && next !== undefined) this.#establish(next);
    else if (done) this.#issueTickets();
  }

  /** Whether anything may go on that waits for tasks: the handshake, or a ticket after it. */
  get #isUnderWay(): boolean {
    return this.#state === 'handshaking' || this.#state === 'established';
  }

  /** Those that are due, one machine at a time. */
  #issueTickets(): void {
    const issuer = this.#established?.issuer;
    if (this.#ticketsDue === 0 || this.#wait !== undefined || issuer === undefined) return;
    if (this.#channel.isEnded || this.#isDeaf) return; // a client that has said goodbye has no use for them
    const count = this.#ticketsDue;
    this.#ticketsDue = 0;
    this.#machine = issuer.send(count);
    this.#resume(undefined);
    this.#pump();
  }

  #establish(established: Established): void {
    this.#established = established;
    this.#state = 'established';
    this.#secrets.established();
    const { recordLimit = 0 } = this.#facts.suite ?? {};
    const { recordsPerKey } = this.#config.limits;
    this.#channel.establish(this.#context, established.traffic, Math.min(recordLimit, recordsPerKey));
    this.#ticketsDue = established.ticketsDue ?? 0;
    this.#explain();
    this.#events.push({ type: 'established' });
    this.#sessions.completed(this.#facts.resumption.session);
  }

  /** Runs the user's code, or ours that may call it, while the handshake is suspended. */
  #run<A>(run: () => A): Outcome<A> {
    this.#isPerforming = true;
    this.#sessions.catchUp();
    const outcome = attempt(run);
    this.#isPerforming = false;
    return outcome;
  }

  /** Whether the user has disposed of the connection, or has ended it while it made a ticket: nothing follows a close_notify. */
  #isOver(wait: Wait): boolean {
    return !this.#isUnderWay || this.#wait !== wait;
  }

  #call(wait: Wait & { kind: 'call' }): void {
    const outcome = this.#run(() => wait.run());
    if (!this.#isOver(wait)) this.#resume(outcome);
  }

  /** A promise becomes the question of this Step. */
  #perform(wait: Wait, task: AnyTask): void {
    const outcome = this.#run(() => task.run());
    if (this.#isOver(wait)) return this.#disown(task, outcome);
    if ('value' in outcome && isPromise(outcome.value)) {
      this.#question = new TaskQuestion(this.#nextToken++, task, outcome.value);
      return;
    }
    this.#report(task, outcome);
    this.#resume(outcome);
  }

  /** Nobody waits for this answer any more; but a hold in it must not be lost, nor a secret stay behind. */
  #disown(task: AnyTask, outcome: Outcome): void {
    if (!('value' in outcome) || !isPromise(outcome.value)) return releaseLate(task, outcome);
    if (task.callback === undefined) return disregard(outcome.value);
    const event = disowned(task.callback, outcome.value);
    this.#late.set(event.deferred, task);
    this.#events.push(event);
  }

  /** Reports the failure of a callback as an event; the handshake itself has concluded from it. */
  #report({ callback, isAnswer }: AnyTask, outcome: Outcome): void {
    if (callback === undefined || 'value' in outcome) return;
    if ('error' in outcome && isAnswer?.(outcome.error)) return;
    const error = 'error' in outcome ? outcome.error : new Error(`${callback} has not answered within lookupTimeoutMs`);
    this.#events.push({ type: 'callback-error', callback, error });
  }

  #receiveAlert(level: number, description: number): void {
    this.#events.push({ type: 'alert', direction: 'received', level, description });
    if (description === AlertDescription.close_notify) return this.#receiveCloseNotify();
    if (description === AlertDescription.user_canceled) return this.#channel.reader.idle(); // a close_notify follows (§6.1)
    // RFC 8446 §6: the level says nothing any more. In TLS 1.2 a warning is no end.
    if (this.#facts.version !== 'TLSv1.3' && level === AlertLevel.warning) return this.#channel.reader.idle();
    this.#end(peerAlert(description), 'alert-received');
  }

  #receiveCloseNotify(): void {
    this.#isDeaf = true;
    this.#events.push({ type: 'end' });
    if (this.#state === 'handshaking') this.#state = 'closed';
  }

  /** The one place where an error becomes an alert. What is neither the peer's fault nor the user's is a bug of ours. */
  #fail(error: unknown): void {
    const alert = error instanceof DecodeError ? new TlsAlert(error.alert, error.message) : error;
    if (TlsAlert.isAlert(alert)) {
      const level = alert.alert === 'close_notify' ? AlertLevel.warning : AlertLevel.fatal;
      const isSent = !this.#channel.isEnded; // nothing follows a close_notify (§6.1)
      if (isSent) this.#channel.sendAlert(alert.alert, level);
      return this.#end(alert, isSent && level === AlertLevel.fatal ? 'alert-sent' : undefined);
    }
    if (!this.#channel.isEnded) attempt(() => this.#channel.sendAlert('internal_error', AlertLevel.fatal)); // if it still can
    this.#end(new TlsAlert('internal_error', 'a bug'), 'alert-sent');
    throw error;
  }

  #explain(): void {
    const { verdicts } = this.#facts;
    if (verdicts.length > 0) this.#events.push({ type: 'verdicts', verdicts });
  }

  #end(error: TlsAlert, reason?: 'alert-sent' | 'alert-received'): void {
    this.#state = 'failed';
    this.#question = undefined;
    if (this.#established === undefined) this.#explain();
    this.#events.push({ type: 'failed', error });
    const { session, resumption } = this.#facts;
    // RFC 5246 §7.2.2, but only for a peer that has proved that it holds the session: an id alone must not end another's.
    const isEntitled = this.#context.hasProof || session !== resumption.session;
    if (session !== undefined && reason !== undefined && isEntitled) this.#remove(session, reason);
    this.#release();
  }

  /** That of a TLS 1.2 ticket is in no cache; under the id that the client has chosen for it (RFC 5077 §3.4) may be another's. */
  #remove(session: Session, reason: 'alert-sent' | 'alert-received' | 'unclean'): void {
    if (this.#facts.resumption.mechanism !== 'ticket') this.#sessions.remove(session, reason);
  }

  /** Whatever a ticket waits for comes too late. */
  #stopTickets(): void {
    this.#ticketsDue = 0;
    this.#wait = undefined;
    this.#question = undefined;
  }

  /** A handshake cannot go on in one direction: nothing more is sent, so nothing more is heard. */
  #abandon(): void {
    this.#state = 'closed';
    this.#question = undefined;
    this.#isDeaf = true;
  }

  /** SSL_free(3): after a complete handshake, where nothing has been said to the peer of the end. */
  #removeUnclean(): void {
    const { session, version } = this.#facts;
    if (this.#state !== 'established' || this.#channel.isEnded || session === undefined || version === undefined)
      return;
    if (this.#sessions.store.policy.removeUnclean.includes(version)) this.#remove(session, 'unclean');
  }

  #release(): void {
    this.#isDeaf = true;
    this.#secrets.closed();
    this.#channel.wipe();
    this.#sessions.close();
  }

  #info(): ConnectionInfo {
    const { addresses } = this.#options;
    return new Info(this, typeof addresses === 'function' ? addresses() : addresses);
  }

  /** The user's function hears of the lines when no handshake is on the stack any more. */
  #deliverKeylog(events: Event[]): void {
    const { keylog } = this.#config;
    if (keylog === undefined) return;
    for (const event of events) {
      if (event.type !== 'keylog') continue;
      const outcome = attempt(() => keylog(event.line));
      if ('error' in outcome) events.push({ type: 'callback-error', callback: 'keylog', error: outcome.error });
      else if ('value' in outcome && isPromise(outcome.value)) events.push(disowned('keylog', outcome.value));
    }
  }
}

/** RFC 8446 §6.2: an alert without a name is an error like any other. */
function peerAlert(description: number): TlsAlert {
  const name = alertName(description);
  return new TlsAlert(name ?? 'internal_error', `the peer has sent ${name ?? `alert ${description}`}`, 'remote');
}

function releaseLate(task: AnyTask, outcome: Outcome): void {
  if ('value' in outcome) task.releaseLateAnswer?.(outcome.value);
}

/** A call that may throw, as an outcome. */
function attempt<A>(run: () => A): Outcome<A> {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
}
