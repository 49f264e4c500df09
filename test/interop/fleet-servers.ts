/** Servers of others that are given ticket keys: the rest of the fleet. */

import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TicketKeyProducer } from '../../src/tickets/key-files.ts';
import { certificates, fixturePath } from '../fixtures.ts';
import { builtC } from './compiled.ts';
import { startOnFreePort } from './free-port.ts';
import { CERTIFICATE } from './harness.ts';
import { workFolder } from './peers.ts';
import { type RunningServer, startNodeServer, startProgram } from './reference-server.ts';

/** The context of those who can be told one. */
export const ID_CONTEXT = 'fleet';

export interface Fellow {
  readonly name: string;
  readonly programs: readonly string[];
  readonly producer: TicketKeyProducer;
  /** Two sets of key files that two servers of a fleet may have while it goes over from one key to the next. */
  makeKeys(): readonly [readonly Buffer[], readonly Buffer[]];
  /** Whether its tickets have the host name in them. */
  readonly namesHost: boolean;
  /** `keys`: the files of its producer. It is on loopback, has the certificate of the harness, and ends with close(). */
  start(keys: readonly Buffer[], idContext?: string): Promise<RunningServer>;
  prepare?(): Promise<unknown>;
}

const cert = fixturePath(`certificates/${CERTIFICATE}.cert.pem`);
const key = fixturePath(`certificates/${CERTIFICATE}.key.pem`);

/** One key, which has to be the same on all. */
function oneKey(length: number): Fellow['makeKeys'] {
  return () => {
    const keys = [randomBytes(length)];
    return [keys, keys];
  };
}

/** The first seals: one server has the new key in front already, the other has it ready. */
function twoKeys(length: number): Fellow['makeKeys'] {
  return () => {
    const [older, newer] = [randomBytes(length), randomBytes(length)];
    return [
      [older, newer],
      [newer, older],
    ];
  };
}

/** Three lines of which the middle one seals: one server is a line ahead. */
function lines(length: number): Fellow['makeKeys'] {
  return () => {
    const all = Array.from({ length: 4 }, () => randomBytes(length).toString('base64'));
    const file = (from: number) => Buffer.from(`${all.slice(from, from + 3).join('\n')}\n`);
    return [[file(0)], [file(1)]];
  };
}

const nodeTls: Fellow = {
  name: 'node:tls',
  programs: [],
  producer: 'node',
  makeKeys: oneKey(48),
  namesHost: false,
  start([ticketKeys = Buffer.alloc(0)], sessionIdContext = ID_CONTEXT) {
    return startNodeServer(certificates.ecdsaP256, { tickets: true, tls: { ticketKeys, sessionIdContext } });
  },
};

const builtHarness = () => builtC('ticket_server', ['-lssl', '-lcrypto']);

const openssl: Fellow = {
  name: 'OpenSSL, SSL_CTX_set_tlsext_ticket_keys()',
  programs: ['gcc', 'openssl/ssl.h'],
  producer: 'openssl',
  makeKeys: oneKey(80),
  namesHost: false,
  prepare: builtHarness,
  async start([keys = Buffer.alloc(0)], idContext = ID_CONTEXT) {
    const file = await secretFile('openssl.key', keys);
    return startProgram(await builtHarness(), [cert, key, file, idContext]);
  },
};

function nginx(length: 48 | 80): Fellow {
  return {
    name: `nginx, ${length} bytes`,
    programs: ['nginx'],
    producer: 'nginx',
    makeKeys: twoKeys(length),
    namesHost: true,
    async start(keys) {
      const folder = await mkdtemp(join(workFolder(), 'nginx-'));
      const files = await Promise.all(keys.map((bytes, i) => secretFile(`nginx-${i}.key`, bytes)));
      return startOnFreePort('nginx', async (port) => {
        const file = join(folder, 'nginx.conf');
        await writeFile(file, nginxConfiguration(folder, port, files));
        return ['-e', 'stderr', '-p', folder, '-c', file];
      });
    },
  };
}

function nginxConfiguration(folder: string, port: number, keys: readonly string[]): string {
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
        ssl_session_cache off;
        ssl_session_tickets on;
        ${keys.map((file) => `ssl_session_ticket_key ${file};`).join('\n')}
        location / { default_type text/plain; return 200 "page: $how\\n"; }
      }
    }`;
}

function haproxy(length: 48 | 80): Fellow {
  return {
    name: `HAProxy, ${length} bytes`,
    programs: ['haproxy'],
    producer: 'haproxy',
    makeKeys: lines(length),
    namesHost: true,
    async start([keys = Buffer.alloc(0)]) {
      const file = await secretFile('haproxy.keys', keys);
      const pair = Buffer.concat([await readFile(cert), await readFile(key)]);
      const pairFile = await secretFile('haproxy.pem', pair);
      return startOnFreePort('haproxy', async (port) => {
        const configuration = await secretFile('haproxy.cfg', haproxyConfiguration(port, pairFile, file));
        return ['-db', '-f', configuration];
      });
    },
  };
}

function haproxyConfiguration(port: number, pair: string, keys: string): string {
  return [
    'global',
    '  tune.ssl.cachesize 0',
    'defaults',
    '  mode http',
    '  timeout client 10s',
    '  timeout connect 10s',
    '  timeout server 10s',
    'frontend fleet',
    `  bind 127.0.0.1:${port} ssl crt ${pair} ssl-min-ver TLSv1.2 tls-ticket-keys ${keys}`,
    '  http-request return status 200 content-type text/plain lf-string "page: %[ssl_fc_is_resumed,iif(resumed,full)]\\n"',
    '',
  ].join('\n');
}

export const fellows: readonly Fellow[] = [nodeTls, openssl, nginx(48), nginx(80), haproxy(48), haproxy(80)];

let files = 0;

/** A file of its own, for its owner's eyes only. */
export async function secretFile(name: string, content: Uint8Array | string): Promise<string> {
  files += 1;
  const file = join(workFolder(), `${files}-${name}`);
  await writeFile(file, content, { mode: 0o600 });
  await chmod(file, 0o600);
  return file;
}
