/** `tls-resume serve`: listens, and serves each client that connects. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { selfSignedCertificate } from '../crypto/credentials/self-signed.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import { defaultProvider } from '../crypto/providers/default.ts';
import { fast } from '../crypto/providers/fast.ts';
import { noble } from '../crypto/providers/noble.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { defineServer } from '../engine/server/define-server.ts';
import type { ServerOptions } from '../engine/server/options.ts';
import { recordHellos } from '../engine/server/record-hellos.ts';
import { singleUse } from '../engine/server/single-use.ts';
import type { AntiReplay } from '../handshake/server/anti-replay.ts';
import { nodeCrypto, type TlsSocket } from '../node/index.ts';
import { TicketKeyRing } from '../tickets/key-ring.ts';
import type { Version } from '../wire/registry.ts';
import { systemWorld } from '../world.ts';
import type { ProviderName, ResumptionSettings, ServeSettings } from './args.ts';
import { attendTo, finish } from './client.ts';
import { Fault, systemCode, systemReason, usage } from './fault.ts';
import { loadCredential, loadPsks, loadTicketKeys, openKeyLog } from './files.ts';
import { withGroups } from './key-exchange.ts';
import { RecordingFolder } from './recordings.ts';
import { addressText, type Tell, teller } from './report.ts';

const PROVIDERS: Readonly<Record<ProviderName, CryptoProvider>> = {
  default: defaultProvider,
  noble,
  fast,
  node: nodeCrypto,
};

/** Milliseconds that clients have to close when the server stops. */
const GRACE_MS = 500;

export interface Running {
  readonly host: string;
  readonly port: number;
  /** The PEM of the certificate that the server made for itself. */
  readonly ephemeralCertificate: string | undefined;
  /** Stops listening and ends all connections; resolves when they are gone. */
  close(): Promise<void>;
}

export interface ServeOptions {
  /** Receives the lines of output. */
  write(line: string): void;
  /** Receives warnings. */
  warn?(line: string): void;
  /** Milliseconds after which a silent connection ends. */
  readonly idleMs?: number | undefined;
}

/** Resolves once the server listens and has reported it. @throws Fault for a request that fails, such as a port in use */
export async function serve(settings: ServeSettings, { write, warn, idleMs }: ServeOptions): Promise<Running> {
  const tell = teller(settings, write);
  const hasNone = settings.certificates.length === 0;
  const psks = settings.psk === undefined ? undefined : loadPsks('--psk', settings.psk);
  const own = hasNone && psks === undefined ? selfSignedCertificate(systemWorld) : undefined;
  const crypto = await withGroups(PROVIDERS[settings.crypto], settings.protocol.groups);
  const loaded = hasNone ? undefined : settings.certificates.map((files) => loadCredential(files, crypto));
  const credentials = own === undefined ? loaded : [own];
  const keys = ticketKeys(settings.resumption);
  const keylog = settings.keylog === undefined ? undefined : openKeyLog(settings.keylog);
  const { tickets: mode, foreign, idContext } = settings.resumption;
  const config = definedServer({
    credentials,
    psks,
    ...settings.protocol,
    recordSizeLimit: settings.recordSizeLimit,
    compat: settings.compat,
    crypto,
    sessions: { idContext },
    tickets: { mode, keys, foreign },
    earlyData:
      settings.earlyData === undefined ? undefined : { maxSize: settings.earlyData, antiReplay: strategyFor(mode) },
    ...(keylog && { keylog: keylog.append }),
  });
  const faults = settings.faults.flatMap((named) => named.faults);
  const recordings =
    settings.record === undefined ? undefined : new RecordingFolder(settings.record, settings.recordData);
  const clients = new Clients((transport, id) => {
    const recorder = recordings?.recorder();
    const all = recorder === undefined ? faults : [...faults, recorder];
    const socket = attendTo(transport, id, { config, faults: all, echo: settings.echo, idleMs, tell });
    if (recorder !== undefined) socket.once('close', () => recordings?.keep(recorder, warn));
    return socket;
  });
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (transport) => clients.add(transport));
  const { host, port } = await listen(server, settings).catch((error) => {
    keylog?.close();
    throw error;
  });
  server.on('error', (error) => tell({ event: 'accept-failed', message: systemReason(error) }));
  announce({ host, port }, config, { settings, tell });
  if (faults.length > 0) warn?.(warningOf(settings, host));
  const close = async () => {
    await Promise.all([once(server.close(), 'close'), clients.end()]);
    config.closeSessions();
    keys?.close();
    keylog?.close();
  };
  return { host, port, ephemeralCertificate: own?.cert, close };
}

/** Sessions that are kept here can be taken. Of sealed tickets the hellos must be recorded, which begins with a blackout of 21 s. */
function strategyFor(mode: ResumptionSettings['tickets']): AntiReplay {
  return mode === 'stateless' ? recordHellos() : singleUse();
}

/** @throws Fault for what is wrong with the PSKs together, such as two of one identity */
function definedServer(options: ServerOptions): ServerConfig {
  try {
    return defineServer(options);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    if (error.message.startsWith('psks')) throw usage(`--psk: ${error.message}`);
    if (error.message.startsWith('ciphers')) throw usage(`--${error.message}`);
    throw error;
  }
}

/** @throws Fault, also if a key is there twice */
function ticketKeys({ ticketKeys: files }: ResumptionSettings): TicketKeyRing | undefined {
  if (files.length === 0) return undefined;
  const keys = loadTicketKeys(files);
  try {
    return TicketKeyRing.of(keys, systemWorld);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw usage(`--ticket-keys: ${error.message}`);
  }
}

/** The clients that are connected. */
class Clients {
  readonly #attend: (transport: Socket, id: number) => TlsSocket;
  readonly #present = new Map<Socket, TlsSocket>();
  #count = 0;

  constructor(attend: (transport: Socket, id: number) => TlsSocket) {
    this.#attend = attend;
  }

  add(transport: Socket): void {
    this.#count += 1;
    this.#present.set(transport, this.#attend(transport, this.#count));
    transport.once('close', () => this.#present.delete(transport));
  }

  /** Sends close_notify to all, and resolves when they have gone or have been disconnected. */
  async end(): Promise<void> {
    const all = [...this.#present];
    const gone = all.map(([transport]) => new Promise((resolve) => transport.once('close', resolve)));
    for (const [, socket] of all) finish(socket);
    const timer = setTimeout(() => {
      for (const [transport] of all) transport.destroy();
    }, GRACE_MS);
    await Promise.all(gone);
    clearTimeout(timer);
  }
}

async function listen(server: Server, settings: ServeSettings): Promise<{ host: string; port: number }> {
  try {
    server.listen({ host: settings.host, port: settings.port });
    await once(server, 'listening');
  } catch (error) {
    throw new Fault(1, whyNotListening(error, settings), { cause: error });
  }
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}

function whyNotListening(error: unknown, { host, port }: ServeSettings): string {
  switch (systemCode(error)) {
    case 'EADDRINUSE':
      return `${addressText(host, port)} is in use; choose another --port, or --port 0 for a free one`;
    case 'EACCES':
      return `${addressText(host, port)}: permission denied; choose a --port from 1024 on`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `--host ${host} is no address of this computer; 127.0.0.1, ::1 and 0.0.0.0 are`;
    default:
      return `cannot listen on ${addressText(host, port)} (${systemReason(error)})`;
  }
}

function warningOf({ faults }: ServeSettings, host: string): string {
  return `warning: --fault ${faults.map(({ word }) => word).join(' --fault ')}: this server does wrong on purpose, to whoever connects to ${host}`;
}

function announce(
  at: { host: string; port: number },
  { minVersion, maxVersion }: ServerConfig,
  { settings: { certificates, psk }, tell }: { readonly settings: ServeSettings; readonly tell: Tell },
): void {
  const all: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];
  const versions = all.filter((version) => version >= minVersion && version <= maxVersion);
  const own = psk === undefined ? 'ephemeral' : 'none';
  tell({ event: 'listening', ...at, versions, certificate: certificates.length === 0 ? own : 'from files' });
}
