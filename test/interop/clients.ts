/**
 * The real clients. Each can visit a server several times, one visit after another, and bring along what it needs to
 * resume. All of them ask for a page by HTTP and read until the server closes: in TLS 1.3 that is how a client comes by
 * its ticket, which it has only when it has read it.
 */

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import { fixturePath } from '../fixtures.ts';
import { builtGo, compiledJava, JAVA_FLAGS } from './compiled.ts';
import { type Ran, run, workFolder } from './peers.ts';

export type Version = 'TLSv1.2' | 'TLSv1.3';

export interface Journey {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly version: Version;
  /** How many connections; those that cannot choose say so by `connections`. Default 2. */
  readonly connections?: number | undefined;
  /** PEM file of the certificate that the server must show. */
  readonly trust: string;
  /** Name of the certificate fixture that the client shows where it is asked; for those that can. */
  readonly shows?: string | undefined;
  /** Server name, default localhost. */
  readonly serverName?: string | undefined;
}

/** What the client itself says. Whether it resumed is the relay's to tell; here the client may agree or not. */
export interface Told {
  /** The answers that it has read, whole. */
  readonly pages: readonly string[];
  /** Per connection, where the client says so. */
  readonly resumed: readonly boolean[] | undefined;
}

export interface Client {
  readonly name: string;
  /** What must be installed. */
  readonly programs: readonly string[];
  /** In which it can resume from a stateful server. */
  readonly versions: readonly Version[];
  /** Fixed for programs that cannot be told. */
  readonly connections: (asked: number) => number;
  /** How many of them ask for a page; the others only shake hands. */
  readonly pages: (connections: number) => number;
  /** Whether it resumes across a HelloRetryRequest. Default true. */
  readonly resumesAfterRetry?: boolean;
  /** Compiles what must be, once; without it the first visit does. */
  prepare?(): Promise<unknown>;
  visit(journey: Journey): Promise<Told>;
}

const BOTH: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];
const asAsked = (asked: number): number => asked;
const onlyLast = (): number => 1;

/** Paths of the certificate and its key. */
function shown({ shows }: Journey): { readonly cert: string; readonly key: string } | undefined {
  if (shows === undefined) return undefined;
  return { cert: fixturePath(`certificates/${shows}.cert.pem`), key: fixturePath(`certificates/${shows}.key.pem`) };
}

function request(journey: Journey): string {
  return `GET / HTTP/1.0\r\nHost: ${nameOf(journey)}\r\n\r\n`;
}

function nameOf({ serverName }: Journey): string {
  return serverName ?? 'localhost';
}

/** The answers among what a program printed: the one line that our servers answer, or the page of `s_server -www`. */
function pagesIn(text: string): string[] {
  return [...text.matchAll(/^page: .*$|^<html>[\s\S]*?<\/html>/gim)].map(([page]) => page);
}

export const nodeTls: Client = nodeTlsWith();

/** The same with further options of tls.connect(). */
export function nodeTlsWith(options: ConnectionOptions = {}): Client {
  return {
    name: 'node:tls',
    programs: [],
    versions: BOTH,
    connections: asAsked,
    pages: asAsked,
    async visit(journey) {
      const files = shown(journey);
      const identity = files && { cert: await readFile(files.cert), key: await readFile(files.key) };
      const trusted = { ca: await readFile(journey.trust, 'utf8'), ...identity };
      const pages: string[] = [];
      const resumed: boolean[] = [];
      let session: Buffer | undefined;
      for (let visit = 0; visit < (journey.connections ?? 2); visit++) {
        const told = await visitByNode(journey, { ...options, ...trusted, ...(session && { session }) });
        session = told.session ?? session;
        pages.push(...pagesIn(told.text));
        resumed.push(told.resumed);
      }
      return { pages, resumed };
    },
  };
}

interface NodeVisit {
  readonly text: string;
  readonly resumed: boolean;
  readonly session: Buffer | undefined;
}

/** One visit, further options of tls.connect() in it: a session, say. */
export function visitByNode(journey: Journey, options: ConnectionOptions): Promise<NodeVisit> {
  const { version } = journey;
  return new Promise((resolve, reject) => {
    let text = '';
    let newest: Buffer | undefined;
    const socket = connect({
      host: '127.0.0.1',
      port: journey.port,
      servername: nameOf(journey),
      minVersion: version,
      maxVersion: version,
      ...options,
    });
    socket.setTimeout(8000, () => socket.destroy(new Error('node:tls: no answer')));
    socket.once('secureConnect', () => socket.write(request(journey)));
    socket.on('session', (ticket) => {
      newest = ticket;
    });
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    let reused = false;
    socket.once('secureConnect', () => {
      reused = socket.isSessionReused();
    });
    socket.once('error', reject);
    socket.once('close', (failed) => {
      if (!failed) resolve({ text, resumed: reused, session: newest });
    });
  });
}

/** One process for each visit: the session goes from one to the next in a file. */
export function opensslSessionFile(flags: readonly string[] = []): Client {
  return {
    name: ['openssl s_client -sess_out, -sess_in', ...flags].join(' '),
    programs: ['openssl'],
    versions: BOTH,
    connections: asAsked,
    pages: asAsked,
    async visit(journey) {
      const file = join(workFolder(), `session-${sequence()}.pem`);
      const pages: string[] = [];
      const resumed: boolean[] = [];
      for (let visit = 0; visit < (journey.connections ?? 2); visit++) {
        const carry = existsSync(file) ? ['-sess_in', file] : [];
        // -ign_eof: wait for the server to close. Else s_client leaves at the end of its input, before any ticket.
        const ran = await openssl(journey, [...flags, ...carry, '-sess_out', file, '-ign_eof'], request(journey));
        pages.push(...pagesIn(ran.stdout));
        resumed.push(...opensslSays(ran));
      }
      return { pages, resumed };
    },
  };
}

/**
 * The first connection and five more. Not for TLS 1.3: it drops each connection before it has read a ticket, and never
 * resumes, at no server. -no_ticket makes it offer a session id alone.
 */
export const opensslReconnect: Client = {
  name: 'openssl s_client -reconnect',
  programs: ['openssl'],
  versions: ['TLSv1.2'],
  connections: () => 6,
  pages: onlyLast,
  async visit(journey) {
    const ran = await openssl(journey, ['-reconnect', '-no_ticket', '-ign_eof'], request(journey));
    return { pages: pagesIn(ran.stdout), resumed: opensslSays(ran) };
  },
};

/** `openssl s_client` with more flags; for tests that have their own. */
export function openssl(journey: Journey, flags: readonly string[], input: string): Promise<Ran> {
  const version = journey.version === 'TLSv1.3' ? '-tls1_3' : '-tls1_2';
  const where = ['-connect', `127.0.0.1:${journey.port}`, '-servername', nameOf(journey)];
  const trust = ['-CAfile', journey.trust, '-verify_return_error'];
  const files = shown(journey);
  const identity = files === undefined ? [] : ['-cert', files.cert, '-key', files.key];
  return run('openssl', ['s_client', ...where, version, ...trust, ...identity, ...flags], { input });
}

export function opensslSays({ stdout }: Ran): boolean[] {
  const [before = ''] = stdout.split(/^HTTP\//m); // the page of `s_server -www` says it too
  return [...before.matchAll(/^(New|Reused), TLSv1\.[23], Cipher is /gm)].map(([, how]) => how === 'Reused');
}

/** Two URLs in one process; the answers close their connections. curl offers no TLS 1.2 tickets (SSL_OP_NO_TICKET). */
export const curl: Client = {
  name: 'curl',
  programs: ['curl'],
  versions: BOTH,
  connections: asAsked,
  pages: asAsked,
  async visit(journey) {
    const { port, version, trust } = journey;
    const name = nameOf(journey);
    const flags = ['--silent', '--show-error', '--http1.1', '--max-time', '8', '--cacert', trust];
    // -H: a server that would keep the connection is asked not to, and the second request needs one of its own.
    flags.push('--noproxy', '*', '--resolve', `${name}:${port}:127.0.0.1`, '-H', 'Connection: close');
    flags.push(...(version === 'TLSv1.3' ? ['--tlsv1.3'] : ['--tlsv1.2', '--tls-max', '1.2']));
    const files = shown(journey);
    if (files !== undefined) flags.push('--cert', files.cert, '--key', files.key);
    const urls = Array.from({ length: journey.connections ?? 2 }, (_, visit) => `https://${name}:${port}/${visit}`);
    const { stdout } = await run('curl', ['--disable', ...flags, ...urls]);
    return { pages: pagesIn(stdout), resumed: undefined };
  },
};

/**
 * --resume is two connections, of which only the second carries its input. --waitresumption has the first one wait for
 * a ticket, for which TLS 1.3 has no other way: it sends nothing there.
 */
export const gnutlsCli: Client = {
  name: 'gnutls-cli --resume --waitresumption',
  programs: ['gnutls-cli'],
  versions: BOTH,
  connections: () => 2,
  pages: onlyLast,
  async visit(journey) {
    const name = nameOf(journey);
    const priority = `NORMAL:-VERS-ALL:+VERS-${journey.version.replace('v', '')}`;
    const where = ['--port', String(journey.port), '--sni-hostname', name, '--verify-hostname', name, '127.0.0.1'];
    const flags = ['--resume', '--waitresumption', '--priority', priority, '--x509cafile', journey.trust];
    const files = shown(journey);
    if (files !== undefined) flags.push('--x509certfile', files.cert, '--x509keyfile', files.key);
    // At the end of its input it sends close_notify, and waits for the answer all the same.
    const { stdout } = await run('gnutls-cli', [...flags, ...where], { input: request(journey) });
    const [, second] = stdout.split('trying to resume previous session');
    if (second === undefined) throw new Error(`gnutls-cli has not come to its second connection:\n${stdout}`);
    return { pages: pagesIn(stdout), resumed: [false, second.includes('*** This is a resumed session')] };
  },
};

/** Without -u it offers no TLS 1.2 ticket. The certificate is in its database as a trusted peer. */
export const tstclnt: Client = {
  name: 'NSS tstclnt -L',
  programs: ['tstclnt', 'certutil'],
  versions: BOTH,
  connections: asAsked,
  pages: asAsked,
  async visit(journey) {
    const database = await nssDatabase(journey.trust);
    const file = join(workFolder(), 'request');
    await writeFile(file, request(journey));
    const version = journey.version.replace('TLSv', 'tls');
    const count = journey.connections ?? 2;
    const where = ['-4', '-h', '127.0.0.1', '-p', String(journey.port), '-a', nameOf(journey)];
    // -o: of an RSA certificate it wants keyEncipherment, which no suite with (EC)DHE has a use for.
    const flags = ['-d', database, '-o', '-V', `${version}:${version}`, '-L', String(count), '-A', file];
    const { stdout, stderr } = await run('tstclnt', [...where, ...flags]);
    const hits = [...`${stderr}${stdout}`.matchAll(/^(\d+) cache hits; /gm)].map(([, total]) => Number(total));
    return { pages: pagesIn(stdout), resumed: hits.map((total, index) => total > (hits[index - 1] ?? 0)) };
  },
};

const databases = new Map<string, Promise<string>>();

export function nssDatabase(trust: string): Promise<string> {
  const known = databases.get(trust);
  if (known !== undefined) return known;
  const made = makeNssDatabase(trust);
  databases.set(trust, made);
  return made;
}

async function makeNssDatabase(trust: string): Promise<string> {
  const database = `sql:${await mkdtemp(join(workFolder(), 'nss-'))}`;
  await run('certutil', ['-N', '-d', database, '--empty-password']);
  await run('certutil', ['-A', '-d', database, '-n', 'server', '-t', 'P,,', '-i', trust]);
  return database;
}

export const jsse: Client = {
  name: 'Java JSSE',
  programs: ['java', 'javac'],
  versions: BOTH,
  connections: asAsked,
  pages: asAsked,
  prepare: () => compiledJava('Client'),
  async visit(journey) {
    const quick = [...JAVA_FLAGS, '-cp', await compiledJava('Client')];
    const count = journey.connections ?? 2;
    const args = ['127.0.0.1', String(journey.port), nameOf(journey), journey.version, String(count)];
    const { stdout } = await run('java', [...quick, 'Client', ...args]);
    const versions = [...stdout.matchAll(/^connection (\S+) /gm)].map(([, version]) => version);
    if (versions.length !== count || versions.some((version) => version !== journey.version)) {
      throw new Error(`JSSE has not made ${count} connections of ${journey.version}:\n${stdout}`);
    }
    return { pages: pagesIn(stdout), resumed: undefined };
  },
};

/**
 * Go 1.19.6 to 1.19.8, which Debian 12 has, gets the binder behind a HelloRetryRequest wrong (golang/go#59424): every
 * server refuses it.
 */
export const goTls: Client = { ...goTlsWith(), resumesAfterRetry: false };

/** The same with groups, by IANA's numbers. Go ranks them by itself. */
export function goTlsWith(groups: readonly number[] = []): Client {
  return {
    name: 'Go crypto/tls',
    programs: ['go'],
    versions: ['TLSv1.3'],
    connections: asAsked,
    pages: asAsked,
    prepare: () => builtGo('client'),
    async visit(journey) {
      const program = await builtGo('client');
      const address = `127.0.0.1:${journey.port}`;
      const count = String(journey.connections ?? 2);
      const { stdout } = await run(program, [address, nameOf(journey), journey.trust, count, ...groups.map(String)]);
      const resumed = [...stdout.matchAll(/^connection resumed=(true|false)$/gm)].map(([, word]) => word === 'true');
      return { pages: pagesIn(stdout), resumed };
    },
  };
}

/** In the order of issue 2. */
export const clients: readonly Client[] = [
  nodeTls,
  opensslSessionFile(),
  opensslReconnect,
  curl,
  gnutlsCli,
  tstclnt,
  jsse,
  goTls,
];

let files = 0;

function sequence(): number {
  files += 1;
  return files;
}
