/** The program of `npm start`: a client of this library connects and resumes in both versions; then the server goes on serving. */

import type { Version } from '../wire/registry.ts';
import { parseDemo, type ServeSettings } from './args.ts';
import { type ExitCode, Fault, systemCode } from './fault.ts';
import { DEMO_HELP } from './help.ts';
import { print, run, stopSignal } from './run.ts';
import { type Running, serve } from './serve.ts';
import { type Visit, visit } from './visit.ts';

const DEFAULT_PORT = 8443;

async function main(): Promise<0 | ExitCode> {
  const { help, port } = parseDemo(process.argv.slice(2));
  if (help) {
    process.stdout.write(DEMO_HELP);
    return 0;
  }
  print('tls-resume, in pure TypeScript, is the server and the client.');
  const stop = stopSignal();
  const server = new Narrator();
  const running = await start(port, server);
  try {
    for (const version of ['TLSv1.3', 'TLSv1.2'] as const) await show(version, running, server);
    invite(running.port);
    server.isLive = true;
    await stop;
  } finally {
    await running.close();
  }
  return 0;
}

/** Holds back the output of the server until that of the client is complete, and passes on everything later. */
class Narrator {
  isLive = false;
  #lines: string[] = [];

  write(line: string): void {
    if (this.isLive) print(line);
    else this.#lines.push(line);
  }

  take(): string[] {
    return this.#lines.splice(0);
  }
}

async function start(port: number | undefined, server: Narrator): Promise<Running> {
  const write = (line: string) => server.write(line);
  try {
    return await serve(settings(port ?? DEFAULT_PORT), { write });
  } catch (error) {
    const isTaken = error instanceof Fault && systemCode(error.cause) === 'EADDRINUSE';
    if (port !== undefined || !isTaken) throw error;
    print(`Port ${DEFAULT_PORT} is in use here: taking a free one instead.`);
    return serve(settings(0), { write });
  }
}

function settings(port: number): ServeSettings {
  const protocol = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;
  const resumption = { tickets: undefined, ticketKeys: [], idContext: undefined, foreign: false };
  const plain = {
    certificates: [],
    faults: [],
    psk: undefined,
    earlyData: undefined,
    recordSizeLimit: undefined,
    compat: undefined,
    echo: false,
    keylog: undefined,
    record: undefined,
    recordData: false,
    json: false,
    verbose: false,
  };
  return { host: '127.0.0.1', port, crypto: 'default', protocol, resumption, ...plain };
}

/** Makes a full handshake, and one that resumes its session. @throws Fault if it does not resume */
async function show(version: Version, { port, ephemeralCertificate: ca = '' }: Running, server: Narrator) {
  server.take();
  print(`\n${version}`);
  const first = await look({ port, version, ca }, server);
  if (first.session === undefined) throw new Fault(1, `${version}: the client was given no session to resume`);
  const second = await look({ port, version, ca, session: first.session }, server);
  for (const { session } of [first, second]) session?.free();
  if (first.resumed || !second.resumed) throw new Fault(1, `${version}: the second connection was not resumed`);
}

async function look(options: Parameters<typeof visit>[0], server: Narrator): Promise<Visit> {
  const seen = await visit(options).catch((error) => {
    for (const line of server.take()) print(`  server: ${line}`);
    throw new Fault(1, `${options.version}: the client failed: ${error.message}`, { cause: error });
  });
  print(`  client: ${whatTheClientSays(seen)}`);
  for (const line of server.take()) print(`  server: ${line}`);
  return seen;
}

function whatTheClientSays({ resumed, cipherSuite, sessions, answer }: Visit): string {
  const handshake = resumed ? 'resumed its session' : 'full handshake';
  const given = sessions === 1 ? '1 session' : `${sessions} sessions`;
  return `${handshake}, ${cipherSuite}; "${answer}"; given ${given} for next time`;
}

function invite(port: number): void {
  const url = `https://localhost:${port}/`;
  print(`
Both versions resumed. See it for yourself, in another shell:

  curl -k ${url} ${url}
  openssl s_client -connect localhost:${port} -tls1_2 -reconnect </dev/null
  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -connect localhost:${port} -ign_eof -sess_out s.pem
  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -connect localhost:${port} -ign_eof -sess_in s.pem

serving on ${url} until Ctrl-C; each connection is a line:`);
}

await run('npm start', main);
