/** One connection to the runner: handshake, what the shim sends and echoes, and the end. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Event, Outcome, Question, Session, Step, TlsAlert } from 'tls-resume';
import { ClientConnection } from 'tls-resume/client';
import { type Connection, type Course, checkHandshake, checkTickets } from './checks.ts';
import type { Flags } from './flags.ts';

const INITIAL_WRITE = Buffer.from('hello');
/** The sizes of -write-different-record-sizes. */
const SIZES = [0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769];
/** RFC 9846 §4.2.3: what ServerHello.random of a HelloRetryRequest is. */
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

/** Runners that give no -shim-id do not say where they listen, either: on ::1 if the machine has it. */
async function dialAnyOf([host, ...others]: readonly string[], port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    if (others.length === 0) throw error;
    return dialAnyOf(others, port);
  }
}

/** Connects to the runner, and says who calls if the runner has given the shim a number. */
export async function dial(flags: Flags): Promise<Socket> {
  const { port = 0, 'shim-id': shimId } = flags;
  if (shimId === undefined) return dialAnyOf(['::1', '127.0.0.1'], port);
  const socket = await dialAnyOf([flags.ipv6 ? '::1' : '127.0.0.1'], port);
  const id = Buffer.alloc(8);
  id.writeBigUInt64LE(BigInt(shimId));
  socket.write(id);
  return socket;
}

/** What one connection is to be. */
export interface Plan {
  readonly flags: Flags;
  /** What holds instead once a client's early data was rejected. */
  readonly retry: Flags;
  readonly isResume: boolean;
  readonly offered: Session | undefined;
}

function reportOf(alert: TlsAlert): Error {
  return new Error(`${alert.origin === 'local' ? 'sent' : 'received'} ${alert.message}`);
}

async function outcomeOf(question: Question): Promise<Outcome> {
  try {
    return { value: await question.promise };
  } catch (error) {
    return { error };
  }
}

/** Drives a connection that does no I/O over a socket. */
export class Exchange {
  readonly #connection: Connection;
  readonly #socket: Socket;
  readonly #plan: Plan;
  #flags: Flags;
  #newSessions: Session[] = [];
  /** All bytes of a handshake that is under way, in both directions. */
  #wire = Buffer.alloc(0);
  /** What waits for the end of the handshake, as no more early data may be sent. */
  #waiting: Uint8Array[] = [];
  #failure: unknown;
  #hasEnded = false;

  constructor(connection: Connection, socket: Socket, plan: Plan) {
    this.#connection = connection;
    this.#socket = socket;
    this.#plan = plan;
    this.#flags = plan.flags;
  }

  /** The last session that the peer has handed out. */
  get session(): Session | undefined {
    return this.#newSessions.at(-1);
  }

  /** Runs the connection to its end. @throws Error that says what went wrong */
  async run(): Promise<void> {
    try {
      await this.#converse();
      this.#conclude();
    } finally {
      this.#connection.dispose(true);
      this.#socket.destroy();
    }
  }

  async #converse(): Promise<void> {
    const connection = this.#connection;
    if (connection instanceof ClientConnection) {
      await this.#take(() => connection.connect());
      if (connection.earlyRoom > 0) {
        if (this.#flags['expect-no-offer-early-data']) throw new Error('early data was offered');
        if (this.#flags['shim-writes-first']) await this.#send(INITIAL_WRITE);
      }
    }
    try {
      for await (const chunk of this.#socket) {
        this.#look(chunk);
        if (this.#failure === undefined) await this.#take(() => connection.receive(chunk));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    }
    if (!connection.hasFailed) await this.#take(() => connection.transportEnded());
  }

  /** Makes a call on the connection, and does what its Step says. An error of a check ends the conversation, and is reported after it. */
  async #take(call: () => Step): Promise<void> {
    for (let next: (() => Step) | undefined = call; next !== undefined; ) {
      const { output, events, question } = next();
      this.#look(output);
      if (output.length > 0 && this.#socket.writable) this.#socket.write(output);
      for (const event of events) await this.#attend(event);
      if (question === undefined) return;
      const outcome = await outcomeOf(question);
      next = () => this.#connection.answer(question, outcome);
    }
  }

  async #attend(event: Event): Promise<void> {
    switch (event.type) {
      case 'early-data':
        return this.#earlyData(event.status);
      case 'established':
        return this.#established();
      case 'data':
        return this.#echo(event.data);
      case 'new-session':
        this.#newSessions.push(event.session.upRef());
        return;
      case 'end':
        this.#hasEnded = true;
        return this.#end();
      case 'failed':
        return this.#fail(reportOf(event.error));
      case 'callback-error':
        return this.#fail(event.error);
    }
  }

  async #earlyData(status: 'accepted' | 'rejected'): Promise<void> {
    if (this.#connection instanceof ClientConnection) {
      if (status === 'accepted') return;
      this.#flags = this.#plan.retry;
      this.#waiting = [];
    } else if (status === 'accepted' && this.#flags['shim-writes-first']) await this.#send(INITIAL_WRITE);
  }

  async #established(): Promise<void> {
    try {
      checkHandshake(this.#connection, this.#course());
    } catch (error) {
      return this.#fail(error);
    }
    this.#wire = Buffer.alloc(0);
    const { 'export-keying-material': length = 0, 'export-label': label = '', 'export-context': context } = this.#flags;
    if (length > 0) {
      const used = this.#flags['use-export-context'] ? Buffer.from(context ?? '', 'latin1') : undefined;
      await this.#send(this.#connection.exportKeyingMaterial(length, label, used));
    }
    const isWritten = this.#connection.earlyData === 'accepted';
    if (this.#flags['write-different-record-sizes'])
      for (const size of SIZES) await this.#send(Buffer.alloc(size, 0x42));
    else if (this.#flags['shim-writes-first'] && !isWritten) await this.#send(INITIAL_WRITE);
    for (const bytes of this.#waiting.splice(0)) await this.#send(bytes);
    if (this.#flags['shim-shuts-down']) await this.#end();
  }

  /** Sends data, early as far as that is allowed, and the rest once the handshake is complete. */
  async #send(bytes: Uint8Array): Promise<void> {
    const connection = this.#connection;
    if (connection.canWrite) return this.#take(() => connection.write(bytes));
    if (connection.hasFailed || connection.isEstablished) return;
    const early = bytes.subarray(0, connection.earlyRoom);
    if (early.length > 0) await this.#take(() => connection.writeEarlyData(early));
    if (early.length < bytes.length) this.#waiting.push(bytes.subarray(early.length));
  }

  async #echo(data: Uint8Array): Promise<void> {
    if (this.#flags['shim-shuts-down']) return;
    if (this.#flags['key-update'] && this.#connection.canWrite)
      await this.#take(() => this.#connection.updateKeys(false));
    await this.#send(data.map((byte) => byte ^ 0xff));
  }

  async #end(): Promise<void> {
    await this.#take(() => this.#connection.end());
    this.#socket.end();
  }

  /** Ends our direction, and goes on reading: a reset would take the alert from the runner. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#socket.end();
  }

  /** Keeps what a HelloRetryRequest could be in. */
  #look(bytes: Uint8Array): void {
    if (!this.#connection.isEstablished) this.#wire = Buffer.concat([this.#wire, bytes]);
  }

  #course(): Course {
    return {
      flags: this.#flags,
      isResume: this.#plan.isResume,
      offered: this.#plan.offered,
      hasRetried: this.#wire.includes(RETRY_RANDOM),
      newSessions: this.#newSessions,
    };
  }

  #conclude(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#connection.isEstablished) throw new Error('the connection has ended in the handshake');
    if (this.#flags['check-close-notify'] && !this.#hasEnded) throw new Error('no close_notify has come');
    checkTickets(this.#connection, this.#course());
  }
}
