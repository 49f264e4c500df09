/** Clients that are known by name. */

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ClientCommand } from '../client-command.ts';
import { GO_CLIENT } from './go.ts';
import { JAVA_CLIENT } from './java.ts';
import { NODE_CLIENT } from './node.ts';
import { PYTHON_CLIENT } from './python.ts';

/** A command that is known, and what it needs. */
export interface KnownClient extends ClientCommand {
  /** The programs that it needs, each with the packages of Debian that have it. */
  readonly programs: Readonly<Record<string, string>>;
}

/** A URL for each connection. */
const CURL_URLS = Array.from({ length: 8 }, (_, i) => `https://{name}:{port}/${i}`).join(' ');
/** It chooses what it offers by itself. */
const KEEPS = ['resume', 'session-store', 'server-name'] as const;
/** Whoever calls it hands it the session. */
const IS_HANDED = ['resume', 'server-name'] as const;

export const KNOWN_CLIENTS: Readonly<Record<string, KnownClient>> = {
  openssl: {
    command:
      'openssl s_client -connect {host}:{port} -servername {name} -sess_out {session} [-sess_in {session}] [early-data: -early_data {request}]',
    driver: 'stdin',
    programs: { openssl: 'openssl' },
  },
  gnutls: {
    // It connects twice, and hands the session of the first connection to the second.
    command:
      'gnutls-cli --insecure --resume --waitresumption [early-data: --earlydata {request}] --sni-hostname {name} -p {port} {host}',
    driver: 'reconnect',
    abilities: [...IS_HANDED, 'early-data'],
    programs: { 'gnutls-cli': 'gnutls-bin' },
  },
  curl: {
    command: `curl -sk --max-time 30 --noproxy '*' --connect-to ::{host}:{port} ${CURL_URLS}`,
    driver: 'reconnect',
    abilities: KEEPS,
    programs: { curl: 'curl' },
  },
  nss: {
    command: 'tstclnt -4 -D -o -h {host} -p {port} -a {name} -V tls1.2: -u -G [early-data: -Z] -L 8 -A {request}',
    driver: 'reconnect',
    abilities: [...KEEPS, 'early-data'],
    programs: { tstclnt: 'libnss3-tools' },
  },
  java: {
    prepare: "javac -d '{folder}' '{folder}/Client.java'",
    command: "java -cp '{folder}' -XX:+UseSerialGC -XX:TieredStopAtLevel=1 Client",
    driver: 'lines',
    abilities: KEEPS,
    files: { 'Client.java': JAVA_CLIENT },
    programs: { java: 'default-jdk-headless', javac: 'default-jdk-headless' },
  },
  go: {
    prepare: "cd '{folder}' && go build -o client client.go",
    command: "'{folder}/client'",
    driver: 'lines',
    abilities: KEEPS,
    files: { 'client.go': GO_CLIENT },
    programs: { go: 'golang-go' },
  },
  python: {
    command: "python3 '{folder}/client.py'",
    driver: 'lines',
    abilities: IS_HANDED,
    files: { 'client.py': PYTHON_CLIENT },
    programs: { python3: 'python3' },
  },
  node: {
    command: "node '{folder}/client.mjs'",
    driver: 'lines',
    abilities: IS_HANDED,
    files: { 'client.mjs': NODE_CLIENT },
    programs: { node: 'nodejs' },
  },
};

/** Returns the programs that a client needs, and that are not on PATH. */
export function missingPrograms({ programs }: KnownClient, path = process.env['PATH'] ?? ''): readonly string[] {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return Object.keys(programs).filter((name) => !folders.some((folder) => isExecutable(join(folder, name))));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
