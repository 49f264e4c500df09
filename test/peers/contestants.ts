/** Who the catalogue is put to: clients and servers of others, whichever the machine has, and our own. */

import { spawnSync } from 'node:child_process';
import { clientCommand } from '../../src/judges/client-command.ts';
import type { TcpClient } from '../../src/judges/client-over-tcp.ts';
import { KNOWN_CLIENTS, type KnownClient, missingPrograms } from '../../src/judges/known-clients/known-clients.ts';
import { serverOverTcp } from '../../src/judges/server-over-tcp.ts';
import { scenarios } from '../../src/testing/catalogue/scenarios.ts';
import { type Judgement, judgeClient, judgeServer } from '../../src/testing/scenarios/judge.ts';
import type { Version } from '../../src/wire/registry.ts';
import { startOurs } from '../interop/our-server.ts';
import { findProgram, versionOf } from '../interop/peers.ts';
import { type RealServer, realServers } from '../interop/real-servers.ts';
import type { RunningServer } from '../interop/reference-server.ts';
import { type Mode, OUR_CLIENT_NAME, ourClient, ourServerName, serverOptions } from './ours.ts';
import type { PeerFacts } from './results.ts';

/** A scenario in a version, at a peer that runs. */
export interface Question {
  readonly id: string;
  readonly version: Version;
  ask(): Promise<Judgement>;
}

/** A peer that runs. */
export interface Running {
  readonly questions: readonly Question[];
  close(): Promise<void> | void;
}

export interface Contestant extends PeerFacts {
  open(): Promise<Running>;
}

const NODE = `Node.js ${process.versions.node}, OpenSSL ${process.versions['openssl']}`;
const OURS = 'this one';

/** How each is called in the table. The setup is that of `--client`. */
const CLIENT_NAMES: Readonly<Record<string, string>> = {
  openssl: 'openssl s_client',
  gnutls: 'gnutls-cli',
  curl: 'curl',
  nss: 'NSS tstclnt',
  java: 'Java JSSE',
  go: 'Go crypto/tls',
  python: 'Python ssl',
  node: 'node:tls',
};

const MORE = 'tickets; ALPN';
const SERVER_SETUPS: Readonly<Record<string, string>> = {
  'openssl s_server': `${MORE}; session ids for a client without tickets`,
  'node:tls': MORE,
  'gnutls-serv': `${MORE}; session ids for a client without tickets; early data`,
  nginx: 'tickets; session ids for a client without tickets, in a shared cache; early data',
  HAProxy: `${MORE}; session ids for a client without tickets; early data`,
  'Go crypto/tls': MORE,
  'Java JSSE': `${MORE}; session ids for a client without tickets`,
};

function versionOfClient(name: string, { programs }: KnownClient): string {
  if (name === 'node') return NODE;
  if (name === 'nss') return versionOfNss();
  return versionOf(Object.keys(programs)[0] ?? '');
}

/** No program of NSS says it; Debian knows. */
function versionOfNss(): string {
  const { stdout } = spawnSync('dpkg-query', ['-W', `-f=NSS \${source:Upstream-Version}`, 'libnss3'], {
    encoding: 'utf8',
  });
  return stdout?.startsWith('NSS ') === true ? stdout.trim() : 'version unknown';
}

function questionsTo(client: TcpClient): Question[] {
  return scenarios.forClients().flatMap((scenario) =>
    scenario.versions.map((version) => ({
      id: scenario.id,
      version,
      ask: () => judgeClient(scenario, client, version),
    })),
  );
}

function knownClient(name: string, command: KnownClient): Contestant {
  const missing = missingPrograms(command);
  return {
    name: CLIENT_NAMES[name] ?? name,
    side: 'client',
    version: missing.length === 0 ? versionOfClient(name, command) : undefined,
    setup: `\`--client ${name}\``,
    missing,
    open: async () => {
      const client = clientCommand(command);
      return { questions: questionsTo(client), close: () => client.close() };
    },
  };
}

function serving({ port, close }: RunningServer): Running {
  const server = serverOverTcp({ host: '127.0.0.1', port, serverName: 'localhost' });
  const questions = scenarios.forServers().flatMap((scenario) =>
    scenario.versions.map((version) => ({
      id: scenario.id,
      version,
      ask: () => judgeServer(scenario, server, version),
    })),
  );
  return { questions, close };
}

function realServer(server: RealServer): Contestant {
  const { name, programs } = server;
  const missing = programs.filter((program) => findProgram(program) === undefined);
  const version = name === 'node:tls' ? NODE : versionOf(programs[0] ?? '');
  return {
    name,
    side: 'server',
    version: missing.length === 0 ? version : undefined,
    setup: SERVER_SETUPS[name] ?? '',
    missing,
    open: async () => {
      await server.prepare?.();
      return serving(await server.start({ keeps: 'tickets', offersMore: true }));
    },
  };
}

const OUR_CLIENT: Contestant = {
  name: OUR_CLIENT_NAME,
  side: 'client',
  version: OURS,
  setup: '`connect()`, with `alpn` and `ticketRequest`; early data',
  missing: [],
  open: async () => {
    const client = ourClient();
    return { questions: questionsTo(client), close: () => client.close() };
  },
};

function ourServer(mode: Mode): Contestant {
  return {
    name: ourServerName(mode),
    side: 'server',
    version: OURS,
    setup: `\`createServer()\`, with \`tickets: { mode: '${mode}' }\`, \`alpn\` and \`earlyData\``,
    missing: [],
    open: async () => serving(await startOurs(serverOptions(mode))),
  };
}

/** In the order of the table. */
export const contestants: readonly Contestant[] = [
  ...Object.entries(KNOWN_CLIENTS).map(([name, command]) => knownClient(name, command)),
  OUR_CLIENT,
  ...realServers.map(realServer),
  ourServer('stateful'),
  ourServer('stateless'),
];
