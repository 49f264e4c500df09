/** Servers of others for our client. What each of them can is stated here; servers.test.ts shows that it is so. */

import { createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificates, fixture, fixturePath } from '../fixtures.ts';
import type { Version } from './clients.ts';
import { builtC, builtGo, compiledJava, JAVA_FLAGS } from './compiled.ts';
import { secretFile } from './fleet-servers.ts';
import { startOnFreePort } from './free-port.ts';
import { CERTIFICATE } from './harness.ts';
import { workFolder } from './peers.ts';
import { type RunningServer, startNodeServer, startProgram } from './reference-server.ts';

/** Where a server has its sessions: with itself, so that an id is enough, or in tickets, with its clients. */
export type Keeping = 'ids' | 'tickets';

export interface ServerSetup {
  readonly keeps: Keeping;
  /** Only secp384r1 is accepted, so that a client with a share of another group gets a HelloRetryRequest. */
  readonly retries?: boolean | undefined;
  /** A certificate of clients is required, of the one authority of the fixtures. */
  readonly asksCertificate?: boolean | undefined;
  /** psk_ke is accepted, where the server can. */
  readonly acceptsPskKe?: boolean | undefined;
  /** Where the server can: it takes early data, and selects h2 or http/1.1, whichever the client prefers or it does itself. */
  readonly offersMore?: boolean | undefined;
  /** Of GnuTLS: more of its priority string. */
  readonly priority?: string | undefined;
}

export interface RealServer {
  readonly name: string;
  readonly programs: readonly string[];
  /** By what its sessions can be kept. */
  readonly keeps: Readonly<Record<Version, readonly Keeping[]>>;
  /** Whether it resumes with psk_ke. */
  readonly canPskKe: boolean;
  /** Whether a server that issues tickets resumes by id if the client of TLS 1.2 takes none. */
  readonly hasIdsBesideTickets: boolean;
  /** With which it resumes across a HelloRetryRequest. */
  readonly resumesAfterRetry: readonly Keeping[];
  prepare?(): Promise<unknown>;
  /** It is on loopback, has the certificate of the harness, and ends with close(). */
  start(setup: ServerSetup): Promise<RunningServer>;
  /** What the server says in its answer: whether it has resumed. `undefined` if the answer is none of its own. */
  saysResumed(page: string): boolean | undefined;
  /** Whether the answer has the common name of the client's certificate. */
  readonly namesClient: boolean;
}

const cert = fixturePath(`certificates/${CERTIFICATE}.cert.pem`);
const key = fixturePath(`certificates/${CERTIFICATE}.key.pem`);
const clientCa = fixturePath('certificates/client-ca.cert.pem');

const PROTOCOLS: readonly string[] = ['h2', 'http/1.1'];
const BOTH: readonly Keeping[] = ['ids', 'tickets'];
const EVERYWHERE = { 'TLSv1.2': BOTH, 'TLSv1.3': BOTH } as const;
const TICKETS = { 'TLSv1.2': ['tickets'], 'TLSv1.3': ['tickets'] } as const;

/** The page of our own making: `page: resumed, NAME`, where a name is said. */
function saysPage(page: string): boolean | undefined {
  const [, how] = /^page: (full|resumed)\b/m.exec(page) ?? [];
  return how === undefined ? undefined : how === 'resumed';
}

function when<T>(condition: boolean | undefined, ...words: T[]): T[] {
  return condition ? words : [];
}

const openssl: RealServer = {
  name: 'openssl s_server',
  programs: ['openssl'],
  keeps: EVERYWHERE,
  canPskKe: true,
  resumesAfterRetry: BOTH,
  hasIdsBesideTickets: true,
  namesClient: true,
  start: ({ keeps, retries, asksCertificate, acceptsPskKe, offersMore }) =>
    startProgram('openssl', [
      ...['s_server', '-accept', '127.0.0.1:0', '-www', '-cert', cert, '-key', key],
      ...when(keeps === 'ids', '-no_ticket'),
      ...when(retries, '-groups', 'P-384'),
      ...when(asksCertificate, '-Verify', '1', '-verify_return_error', '-CAfile', clientCa),
      ...when(acceptsPskKe, '-allow_no_dhe_kex'),
      ...when(offersMore, '-alpn', PROTOCOLS.join()), // -www and early data exclude each other
    ]),
  saysResumed(page) {
    const [, how] = /^(New|Reused), TLSv1\.[23], Cipher is /m.exec(page) ?? [];
    return how === undefined ? undefined : how === 'Reused';
  },
};

/** Its stateful tickets of TLS 1.3 do not resume where sessions are kept outside (nodejs/node#60847). */
const nodeTls: RealServer = {
  name: 'node:tls',
  programs: [],
  keeps: { 'TLSv1.2': BOTH, 'TLSv1.3': ['tickets'] },
  canPskKe: false,
  resumesAfterRetry: BOTH,
  hasIdsBesideTickets: false,
  namesClient: false,
  start: ({ keeps, retries, asksCertificate, offersMore }) =>
    startNodeServer(certificates.ecdsaP256, {
      tickets: keeps === 'tickets',
      tls: {
        ...(offersMore && { ALPNProtocols: [...PROTOCOLS] }),
        ...(retries && { ecdhCurve: 'P-384' }),
        ...(asksCertificate && {
          requestCert: true,
          ca: fixture('certificates/client-ca.cert.pem'),
          sessionIdContext: 'x',
        }),
      },
    }),
  saysResumed: saysPage,
};

/** Of TLS 1.3 it has sealed tickets only. */
export const gnutls: RealServer = {
  name: 'gnutls-serv',
  programs: ['gnutls-serv', 'gcc'],
  keeps: { 'TLSv1.2': BOTH, 'TLSv1.3': ['tickets'] },
  canPskKe: true,
  resumesAfterRetry: BOTH,
  hasIdsBesideTickets: true,
  namesClient: true,
  prepare: () => builtC('loopback', ['-shared', '-fPIC', '-ldl']),
  async start({ keeps, retries, asksCertificate, acceptsPskKe, offersMore, priority: more }) {
    const groups = retries ? ':-GROUP-ALL:+GROUP-SECP384R1' : '';
    const priority = `NORMAL${groups}${acceptsPskKe ? ':+PSK' : ''}${more ? `:${more}` : ''}`;
    const auth = asksCertificate ? ['-r', '--verify-client-cert', '--x509cafile', clientCa] : ['-a'];
    const pair = ['--x509certfile', cert, '--x509keyfile', key];
    const further = when(offersMore, '--earlydata', ...PROTOCOLS.flatMap((name) => ['--alpn', name]));
    const args = [
      '--http',
      '--priority',
      priority,
      ...pair,
      ...auth,
      ...when(keeps === 'ids', '--noticket'),
      ...further,
    ];
    const env = { LD_PRELOAD: await builtC('loopback', ['-shared', '-fPIC', '-ldl']) };
    return startOnFreePort('gnutls-serv', async (port) => ['--port', String(port), ...args], env);
  },
  /** The description names the signature of the server, if there was one. */
  saysResumed(page) {
    const [, description] = /<TD>Description:<\/TD><TD>(.*?)<\/TD>/.exec(page) ?? [];
    return description === undefined ? undefined : !description.includes('-SHA256)-');
  },
};

const nginx: RealServer = {
  name: 'nginx',
  programs: ['nginx'],
  keeps: EVERYWHERE,
  canPskKe: true,
  resumesAfterRetry: BOTH,
  hasIdsBesideTickets: true,
  namesClient: true,
  async start(setup) {
    const folder = await mkdtemp(join(workFolder(), 'nginx-'));
    return startOnFreePort('nginx', async (port) => {
      const file = join(folder, 'nginx.conf');
      await writeFile(file, nginxConfiguration(folder, port, setup));
      return ['-e', 'stderr', '-p', folder, '-c', file];
    });
  },
  saysResumed: saysPage,
};

function nginxConfiguration(folder: string, port: number, setup: ServerSetup): string {
  const { keeps, retries, asksCertificate, acceptsPskKe, offersMore } = setup;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    daemon off;
    master_process off;
    pid ${folder}/pid;
    error_log stderr;
    events { worker_connections 64; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
      map $ssl_session_reused $how { r resumed; default full; }
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${cert};
        ssl_certificate_key ${key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:tls:1m;
        ssl_session_tickets ${keeps === 'tickets' ? 'on' : 'off'};
        ${when(retries, 'ssl_ecdh_curve secp384r1;').join('')}
        ${when(offersMore, 'ssl_early_data on;').join('')}
        ${when(acceptsPskKe, 'ssl_conf_command Options AllowNoDHEKEX;').join('')}
        ${when(asksCertificate, 'ssl_verify_client on;', `ssl_client_certificate ${clientCa};`).join('')}
        location / { default_type text/plain; return 200 "page: $how, $ssl_client_s_dn\\n"; }
      }
    }`;
}

const haproxy: RealServer = {
  name: 'HAProxy',
  programs: ['haproxy'],
  keeps: EVERYWHERE,
  canPskKe: false,
  resumesAfterRetry: BOTH,
  hasIdsBesideTickets: true,
  namesClient: true,
  async start(setup) {
    const pair = await secretFile('haproxy.pem', Buffer.concat([await readFile(cert), await readFile(key)]));
    return startOnFreePort('haproxy', async (port) => {
      return ['-db', '-f', await secretFile('haproxy.cfg', haproxyConfiguration(port, pair, setup))];
    });
  },
  saysResumed: saysPage,
};

function haproxyConfiguration(port: number, pair: string, setup: ServerSetup): string {
  const { keeps, retries, asksCertificate, offersMore } = setup;
  const bind = [
    `bind 127.0.0.1:${port} ssl crt ${pair} ssl-min-ver TLSv1.2`,
    ...when(keeps === 'ids', 'no-tls-tickets'),
    ...when(retries, 'curves secp384r1'),
    ...when(offersMore, 'allow-0rtt', 'alpn http/1.1'),
    ...when(asksCertificate, `verify required ca-file ${clientCa}`),
  ];
  const page = '"page: %[ssl_fc_is_resumed,iif(resumed,full)], %[ssl_c_s_dn]\\n"';
  return [
    'defaults',
    '  mode http',
    '  timeout client 10s',
    '  timeout connect 10s',
    '  timeout server 10s',
    'frontend one',
    `  ${bind.join(' ')}`,
    `  http-request return status 200 content-type text/plain lf-string ${page}`,
    '',
  ].join('\n');
}

/** Tickets only. */
const go: RealServer = {
  name: 'Go crypto/tls',
  programs: ['go'],
  keeps: TICKETS,
  canPskKe: false,
  resumesAfterRetry: BOTH,
  hasIdsBesideTickets: false,
  namesClient: true,
  prepare: () => builtGo('server'),
  start: async ({ retries, asksCertificate, offersMore }) =>
    startProgram(await builtGo('server'), [
      ...[cert, key, retries ? 'P-384' : '', asksCertificate ? clientCa : ''],
      ...when(offersMore, PROTOCOLS.join()),
    ]),
  saysResumed: saysPage,
};

/**
 * Without tickets it has the sessions of both versions with itself. Those of TLS 1.3 it gives up when a hello names them, and so does
 * not find them when the second hello does: OpenSSL's client is not resumed there, either.
 */
const jsse: RealServer = {
  name: 'Java JSSE',
  programs: ['java', 'javac'],
  keeps: EVERYWHERE,
  canPskKe: false,
  resumesAfterRetry: ['tickets'],
  hasIdsBesideTickets: true,
  namesClient: true,
  prepare: () => compiledJava('Server'),
  async start({ keeps, retries, asksCertificate, offersMore }) {
    const pkcs8 = createPrivateKey(await readFile(key)).export({ type: 'pkcs8', format: 'pem' });
    const flags = [
      `-Djdk.tls.server.enableSessionTicketExtension=${keeps === 'tickets'}`,
      ...when(retries, '-Djdk.tls.namedGroups=secp384r1'),
    ];
    const files = [cert, await secretFile('jsse.pem', pkcs8), asksCertificate ? clientCa : ''];
    files.push(...when(offersMore, PROTOCOLS.join()));
    return startProgram('java', [...JAVA_FLAGS, ...flags, '-cp', await compiledJava('Server'), 'Server', ...files]);
  },
  saysResumed: saysPage,
};

/** In the order of what is asked of the client. */
export const realServers: readonly RealServer[] = [openssl, nodeTls, gnutls, nginx, haproxy, go, jsse];
