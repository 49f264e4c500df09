/** `tls-resume connect`: connects to a server, sends what is piped in, prints the answer, and tells whether it resumed. */

import { connect as connectPlain, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { CryptoProvider } from '../crypto/provider.ts';
import { defaultProvider } from '../crypto/providers/default.ts';
import { SUITES } from '../crypto/suites.ts';
import type { ClientConfig } from '../engine/client/config.ts';
import { defineClient } from '../engine/client/define-client.ts';
import type { ExternalPsk } from '../engine/psk-options.ts';
import type { ClientResumption, EarlyDataStatus } from '../handshake/outcome.ts';
import { printable } from '../judges/printable.ts';
import { canonicalHost } from '../node/host-name.ts';
import { connect, type NodeClientOptions, type TlsClientSocket, verifyChain } from '../node/index.ts';
import { SessionDecodeError } from '../sessions/der.ts';
import { Session } from '../sessions/session.ts';
import { Trace } from '../testing/trace.ts';
import { TlsAlert } from '../wire/alert.ts';
import { latin1, wipe } from '../wire/bytes.ts';
import type { ConnectSettings } from './connect-args.ts';
import { startTls } from './dialogues.ts';
import { type ExitCode, Fault, systemCode, systemReason, usage } from './fault.ts';
import {
  type KeyLog,
  loadCredential,
  loadPsks,
  openKeyLog,
  read,
  readPem,
  requireWritable,
  writeSecret,
} from './files.ts';
import { withGroups } from './key-exchange.ts';
import { RecordingFolder } from './recordings.ts';
import { addressText, resumptionText } from './report.ts';
import { onStopSignal } from './run.ts';

/** Milliseconds. */
export interface Limits {
  /** For TCP, the dialogue before TLS, and the handshake, each. */
  readonly handshakeMs: number;
  /** Without a byte after the input, after which no answer is expected. */
  readonly answerMs: number;
  /** Without a byte, after which an answer is taken to be whole. */
  readonly quietMs: number;
  /** That a server has to close its side after we have closed ours. */
  readonly graceMs: number;
}

const LIMITS: Limits = { handshakeMs: 30_000, answerMs: 10_000, quietMs: 1000, graceMs: 2000 };

export interface Streams {
  readonly input: Readable;
  /** Where the answer goes; with --json, the objects. */
  readonly output: Writable;
  /** Where lines for people go. */
  readonly report: Writable;
}

/** What is told of a connection. A field is `null` if it does not apply. */
export interface ConnectionReport {
  readonly event: 'connection';
  readonly host: string;
  readonly port: number;
  readonly version: string | null;
  readonly cipherSuite: string | null;
  readonly group: string | null;
  readonly resumed: boolean;
  readonly mechanism: ClientResumption['mechanism'] | null;
  readonly pskMode: ClientResumption['pskMode'] | null;
  readonly identityIndex: number | null;
  readonly reason: ClientResumption['reason'] | null;
  readonly serverName: string | null;
  readonly alpnProtocol: string | null;
  readonly signatureScheme: string | null;
  /** Whether early data was sent, and what has become of it. */
  readonly earlyData: EarlyDataStatus;
  /** The OCSP response of the server, DER in base64; with --status. Nobody has verified it. */
  readonly ocspResponse: string | null;
  /** Signed certificate timestamps of the server, in base64; with --ct. Nobody has verified them. */
  readonly timestamps: readonly string[] | null;
  /** How many sessions the server has handed out. */
  readonly sessions: number;
  /** Whether the server has closed without a close_notify, so that the answer may be cut. */
  readonly truncated: boolean;
  readonly answer: string;
}

/** @throws Fault */
export async function connectTo(
  settings: ConnectSettings,
  streams: Streams,
  limits: Partial<Limits> = {},
): Promise<0 | ExitCode> {
  if (settings.sessionOut !== undefined) requireWritable('--session-out', settings.sessionOut);
  const keylog = settings.keylog === undefined ? undefined : openKeyLog(settings.keylog);
  let session = settings.sessionIn === undefined ? undefined : loadSession(settings.sessionIn, settings);
  try {
    const recordings =
      settings.record === undefined ? undefined : new RecordingFolder(settings.record, settings.recordData);
    const crypto = await withGroups(defaultProvider, settings.protocol.groups);
    const config = configuration(settings, crypto, session, keylog);
    const isRepeated = settings.reconnect > 0;
    const earlyData = settings.earlyData === undefined ? undefined : read('--early-data', settings.earlyData);
    const input = isRepeated ? await wholeOf(streams.input) : streams.input;
    for (let left = settings.reconnect; left >= 0; left--) {
      const next = await visit({
        settings,
        config,
        session,
        streams,
        input,
        earlyData,
        recordings,
        limits: { ...LIMITS, ...limits },
      });
      if (next === undefined) continue;
      session?.release();
      session = next;
    }
    if (settings.sessionOut !== undefined) saveSession(settings.sessionOut, session);
    return 0;
  } catch (error) {
    if (settings.json && error instanceof ConnectionFault) streams.output.write(`${JSON.stringify(error.told)}\n`);
    throw error;
  } finally {
    session?.release();
    keylog?.close();
  }
}

/** OpenSSL's order. Its servers take the first, and resume no session of TLS 1.3 that was made under another hash. */
const SUITES_TLS13 = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];

/** All suites, that of the session first: so sessions are interchangeable with those of `openssl s_client`. */
function suitesFor(session: Session | undefined): string[] {
  const own = SUITES.filter(({ id }) => id === session?.cipherSuite).map(({ name }) => name);
  return [...new Set([...own, ...SUITES_TLS13, ...SUITES.map(({ name }) => name)])];
}

function configuration(
  settings: ConnectSettings,
  crypto: CryptoProvider,
  session: Session | undefined,
  keylog: KeyLog | undefined,
): ClientConfig {
  const { trust, protocol, certificate } = settings;
  const verifyServer = trust.ca === undefined ? undefined : authorities(trust.ca);
  try {
    return defineClient({
      ...protocol,
      crypto,
      ciphers: protocol.ciphers ?? suitesFor(session),
      verifyServer: trust.insecure ? 'any' : verifyServer,
      pins: trust.pins.length === 0 ? undefined : trust.pins,
      psks: pskList(settings.psks),
      credential: certificate && loadCredential(certificate, defaultProvider),
      statusRequest: settings.status,
      signedCertificateTimestamp: settings.timestamps,
      recordSizeLimit: settings.recordSizeLimit,
      keylog: keyLogger(keylog),
    });
  } catch (error) {
    if (error instanceof TypeError && error.message.startsWith('ciphers: ')) throw usage(`--${error.message}`);
    if (error instanceof TypeError && error.message.startsWith('pins: '))
      throw usage(`--pin: ${error.message.slice(6)}`);
    throw error;
  }
}

/** Those of the command line come first. */
function pskList({ given, file }: ConnectSettings['psks']): readonly ExternalPsk[] | undefined {
  const all = [...given, ...(file === undefined ? [] : loadPsks('--psk-file', file))];
  return all.length === 0 ? undefined : all;
}

function keyLogger(keylog: KeyLog | undefined): ((line: string) => void) | undefined {
  return keylog === undefined ? undefined : (line) => keylog.append(line);
}

function authorities(file: string): ReturnType<typeof verifyChain> {
  const ca = readPem('--ca', file);
  try {
    return verifyChain({ ca });
  } catch (error) {
    if (error instanceof TypeError && error.message.startsWith('ca: '))
      throw usage(`--ca ${file}: ${error.message.slice(4)}`);
    throw error;
  }
}

function loadSession(file: string, { protocol: { minVersion, maxVersion } }: ConnectSettings): Session {
  const bytes = read('--session-in', file);
  try {
    const session = latin1(bytes).includes('-----BEGIN ') ? Session.fromPem(latin1(bytes)) : Session.fromDer(bytes);
    const { version } = session;
    if (version >= minVersion && version <= maxVersion) return session;
    session.release();
    throw usage(`--session-in ${file}: is of ${version}, and only ${maxVersion} is to be spoken`);
  } catch (error) {
    if (!(error instanceof SessionDecodeError)) throw error;
    throw new Fault(1, `--session-in ${file}: no session, in OpenSSL's DER or PEM: ${error.message}`, { cause: error });
  } finally {
    wipe(bytes);
  }
}

function saveSession(file: string, session: Session | undefined): void {
  if (session === undefined) throw new Fault(1, `--session-out ${file}: the server has handed out no session`);
  writeSecret('--session-out', file, session.toPem());
}

async function wholeOf(input: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

interface VisitOptions {
  readonly settings: ConnectSettings;
  readonly config: ClientConfig;
  /** To be offered. */
  readonly session: Session | undefined;
  readonly streams: Streams;
  readonly input: Readable | Buffer;
  /** To be sent with the hello, if the session allows it. It is not sent again if it is rejected. */
  readonly earlyData: Uint8Array | undefined;
  readonly recordings: RecordingFolder | undefined;
  readonly limits: Limits;
}

/** Makes one connection, and returns the last session that it was given: the hold is the caller's. */
async function visit(options: VisitOptions): Promise<Session | undefined> {
  const { settings, config, session, streams, input, earlyData, recordings, limits } = options;
  const { host, port } = settings;
  const transport = await reach(settings, limits);
  const trace = settings.trace ? new Trace() : undefined;
  const recorder = recordings?.recorder();
  // What is to be written in the end is written also if the user does not wait for it: of a server that stalls, above all.
  if (trace !== undefined || recorder !== undefined)
    transport.once(
      'close',
      onStopSignal(() => socket.destroy(new Error('interrupted'))),
    );
  const socket = start(transport, settings, {
    config,
    serverName: settings.serverName ?? canonicalHost(host),
    sessions: session === undefined ? [] : [session],
    earlyData,
    sessionIsTrusted: true, // that of --session-in: whoever names the file says so
    faults: [trace?.tap('client'), recorder].filter((fault) => fault !== undefined),
    handshakeTimeout: limits.handshakeMs,
  });
  const given: Session[] = [];
  socket.on('session', (fresh) => given.push(fresh.upRef()));
  const answer: Buffer[] = [];
  socket.on('data', (chunk) => {
    if (settings.json) answer.push(chunk);
    else if (!streams.output.write(chunk)) {
      socket.pause();
      streams.output.once('drain', () => socket.resume());
    }
  });
  let isSecure = false; // once and for all: isEstablished ends with the connection
  socket.once('secureConnect', () => {
    isSecure = true;
    converse(socket, input, limits);
  });
  try {
    await closed(socket);
  } catch (error) {
    for (const each of given) each.release();
    throw failed(error, settings, isSecure);
  } finally {
    if (trace !== undefined)
      streams.report.write(trace.toText({ color: 'isTTY' in streams.report && streams.report.isTTY === true }));
    if (recorder !== undefined) recordings?.write(recorder);
  }
  const told = { ...factsOf(socket, host, port), sessions: given.length, answer: Buffer.concat(answer).toString() };
  if (settings.json) streams.output.write(`${JSON.stringify(told)}\n`);
  else streams.report.write([lineOf(told, settings), ...staplesOf(told, settings), ''].join('\n'));
  const last = given.pop();
  for (const each of given) each.release();
  return last;
}

/** @throws Fault for a session that is for another host, or for suites that are not offered */
function start(transport: Socket, { sessionIn }: ConnectSettings, options: NodeClientOptions): TlsClientSocket {
  try {
    return connect(transport, options);
  } catch (error) {
    transport.destroy();
    const [, why] = (error instanceof TypeError && /^sessions\[0\]: (.*)/.exec(error.message)) || [];
    throw why === undefined ? error : new Fault(1, `--session-in ${sessionIn}: ${why}`, { cause: error });
  }
}

/** Resolves at the end of the connection. */
function closed(socket: TlsClientSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });
}

/** A connection over TCP that is ready for TLS. */
async function reach({ host, port, starttls }: ConnectSettings, { handshakeMs }: Limits): Promise<Socket> {
  const transport = connectPlain({ host, port, noDelay: true });
  const late = setTimeout(() => transport.destroy(new Error('no answer')), handshakeMs);
  try {
    await new Promise<void>((resolve, reject) => {
      transport.once('connect', resolve).once('error', reject);
    });
    clearTimeout(late);
    if (starttls !== undefined) await startTls(transport, starttls, handshakeMs);
    return transport;
  } catch (error) {
    clearTimeout(late);
    transport.destroy();
    const why = error instanceof Fault ? error.message : `${addressText(host, port)}: ${whyNotReached(error)}`;
    throw new ConnectionFault(
      why,
      { event: 'unreachable', host, port, alert: null, origin: null, message: why },
      error,
    );
  }
}

function whyNotReached(error: unknown): string {
  switch (systemCode(error)) {
    case 'ECONNREFUSED':
      return 'nobody listens there (ECONNREFUSED)';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'there is no host of this name';
    default:
      return `cannot be reached (${systemReason(error)})`;
  }
}

/**
 * Sends the input. If there is none, and no early data was accepted, close_notify follows at once. Otherwise many servers would take it for the end of all, and not
 * answer: it follows when they have closed, or are quiet.
 */
function converse(socket: TlsClientSocket, input: Readable | Buffer, limits: Limits): void {
  const close = (): void => {
    socket.setTimeout(limits.graceMs);
    socket.once('timeout', () => socket.destroy());
    if (!socket.writableEnded) socket.end();
  };
  const ended = (): void => {
    const isSilent = socket.bytesWritten === 0 && socket.writableLength === 0 && socket.earlyData !== 'accepted';
    if (isSilent) return close();
    socket.setTimeout(socket.bytesRead === 0 ? limits.answerMs : limits.quietMs);
    socket.once('data', () => socket.writableEnded || socket.setTimeout(limits.quietMs));
    socket.once('timeout', close);
  };
  if (Buffer.isBuffer(input)) {
    if (input.length > 0) socket.write(input);
    return ended();
  }
  input.pipe(socket, { end: false });
  if (input.readableEnded) ended();
  else input.once('end', ended);
  socket.once('close', () => input.unpipe(socket).destroy());
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function factsOf(
  { connection, isTruncated }: TlsClientSocket,
  host: string,
  port: number,
): Omit<ConnectionReport, 'sessions' | 'answer'> {
  const { resumption } = connection;
  return {
    event: 'connection',
    host,
    port,
    version: connection.version ?? null,
    cipherSuite: connection.cipherSuite ?? null,
    group: connection.group ?? null,
    resumed: resumption.resumed,
    mechanism: resumption.mechanism ?? null,
    pskMode: resumption.pskMode ?? null,
    identityIndex: resumption.identityIndex ?? null,
    reason: resumption.reason ?? null,
    serverName: connection.serverName ?? null,
    alpnProtocol: connection.alpnProtocol ?? null,
    signatureScheme: connection.signatureScheme ?? null,
    earlyData: connection.earlyData,
    ocspResponse: connection.ocspResponse === undefined ? null : base64(connection.ocspResponse),
    timestamps: connection.signedCertificateTimestamps?.map(base64) ?? null,
    truncated: isTruncated,
  };
}

/** One line for people. */
function lineOf(told: ConnectionReport, asked: ConnectSettings): string {
  const { host, port, version, cipherSuite, group } = told;
  const outcome = resumptionText(told);
  const given = told.sessions === 1 ? '1 session' : `${told.sessions} sessions`;
  const cut = told.truncated ? '; cut off without close_notify' : '';
  const early =
    asked.earlyData === undefined ? '' : `, early data ${told.earlyData === 'none' ? 'not sent' : told.earlyData}`;
  return `${addressText(host, port)} ${version} ${cipherSuite} ${group ?? '-'} ${outcome}${early}, ${given} handed out${cut}`;
}

/** What the server has shown beside its certificate, as far as it was asked for. A resumption shows nothing. */
function staplesOf({ ocspResponse, timestamps }: ConnectionReport, asked: ConnectSettings): string[] {
  const response = `OCSP response: ${ocspResponse ?? 'none'}`;
  const list = [`signed certificate timestamps: ${timestamps?.length ?? 'none'}`, ...(timestamps ?? [])];
  return [...(asked.status ? [response] : []), ...(asked.timestamps ? list : [])];
}

/** A connection that has failed, or was not made, with what --json tells of it. */
class ConnectionFault extends Fault {
  readonly told: object;

  constructor(message: string, told: object, cause: unknown) {
    super(1, message, { cause });
    this.told = told;
  }
}

function failed(error: unknown, { host, port }: ConnectSettings, isSecure: boolean): Fault {
  const message = error instanceof Error ? error.message : String(error);
  const [alert, origin] = error instanceof TlsAlert ? [error.alert, error.origin] : [null, null];
  const event = isSecure ? 'connection-failed' : 'handshake-failed';
  const by = origin === null ? '' : origin === 'local' ? ', alert sent' : ', alert received';
  const text = `${addressText(host, port)} failed${by}: ${printable(message)}`;
  return new ConnectionFault(text, { event, host, port, alert, origin, message }, error);
}
