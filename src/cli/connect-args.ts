/** Parses the command line of `connect` into settings. It reads no file. */

import type { ExternalPsk } from '../engine/psk-options.ts';
import type { Version } from '../wire/registry.ts';
import { DIALOGUES, type MailProtocol } from './dialogues.ts';
import { usage } from './fault.ts';
import {
  isValueOf,
  nonEmpty,
  type Protocol,
  parseFlags,
  protocol,
  psk,
  recordSizeLimit,
  recordsData,
} from './flags.ts';

export interface ConnectSettings {
  readonly host: string;
  readonly port: number;
  /** Who judges the server: the file with the authorities, digests of keys, both of these, or nobody. */
  readonly trust: { readonly ca: string | undefined; readonly pins: readonly string[]; readonly insecure: boolean };
  readonly protocol: Protocol;
  /** External PSKs, and the name of a file with more. */
  readonly psks: { readonly given: readonly ExternalPsk[]; readonly file: string | undefined };
  /** The name that is sent, and that the certificate must be for. */
  readonly serverName: string | undefined;
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;
  readonly starttls: MailProtocol | undefined;
  /** The names of files. */
  readonly sessionIn: string | undefined;
  readonly sessionOut: string | undefined;
  /** Whether an OCSP response, and signed certificate timestamps, are asked for. */
  readonly status: boolean;
  readonly timestamps: boolean;
  /** Bytes that the records of the server may have; `undefined` for as many as TLS allows. */
  readonly recordSizeLimit: number | undefined;
  /** How many connections follow the first. */
  readonly reconnect: number;
  /** The name of a file with early data. */
  readonly earlyData: string | undefined;
  readonly keylog: string | undefined;
  readonly json: boolean;
  readonly trace: boolean;
  /** The name of a folder for recordings. */
  readonly record: string | undefined;
  /** Whether they have application data. */
  readonly recordData: boolean;
}

export const CONNECT_FLAGS = {
  ca: { type: 'string' },
  pin: { type: 'string', multiple: true },
  insecure: { type: 'boolean' },
  sni: { type: 'string' },
  tls1_2: { type: 'boolean' },
  tls1_3: { type: 'boolean' },
  ciphers: { type: 'string' },
  groups: { type: 'string' },
  alpn: { type: 'string' },
  'psk-modes': { type: 'string' },
  'record-size-limit': { type: 'string' },
  status: { type: 'boolean' },
  ct: { type: 'boolean' },
  psk: { type: 'string', multiple: true },
  'psk-file': { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  starttls: { type: 'string' },
  'session-in': { type: 'string' },
  'session-out': { type: 'string' },
  reconnect: { type: 'string' },
  'early-data': { type: 'string' },
  keylog: { type: 'string' },
  json: { type: 'boolean' },
  trace: { type: 'boolean' },
  record: { type: 'string' },
  'record-data': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const HELP = 'tls-resume connect --help';
const MAX_RECONNECT = 1000;

/** Returns `undefined` if the words ask for help. @throws Fault naming the word that is wrong and what would be right */
export function parseConnect(words: readonly string[]): ConnectSettings | undefined {
  const targets = words.filter((word, i) => !word.startsWith('-') && !isValueOf(words[i - 1], CONNECT_FLAGS));
  const flags = parseFlags(
    words.filter((word, i) => word.startsWith('-') || isValueOf(words[i - 1], CONNECT_FLAGS)),
    CONNECT_FLAGS,
    HELP,
  );
  if (flags.help) return undefined;
  const [target, second] = targets;
  if (target === undefined) throw usage("where to? write 'tls-resume connect host:port …'");
  if (second !== undefined) throw usage(`'${second}' is one word too many; see '${HELP}'`);
  return {
    ...hostAndPort(target),
    trust: trust(flags),
    protocol: protocol({ ...flags, ...versions(flags) }),
    psks: { given: (flags.psk ?? []).map(pskItself), file: fileOf('--psk-file', flags['psk-file']) },
    serverName: flags.sni === undefined ? undefined : hostName('--sni', flags.sni),
    certificate: certificate(flags.cert, flags.key),
    status: flags.status === true,
    timestamps: flags.ct === true,
    recordSizeLimit: recordSizeLimit(flags['record-size-limit']),
    starttls: flags.starttls === undefined ? undefined : mailProtocol(flags.starttls),
    sessionIn: fileOf('--session-in', flags['session-in']),
    sessionOut: fileOf('--session-out', flags['session-out']),
    earlyData: earlyData(flags),
    reconnect: flags.reconnect === undefined ? 0 : count('--reconnect', flags.reconnect),
    keylog: fileOf('--keylog', flags.keylog),
    json: flags.json === true,
    trace: flags.trace === true,
    record: fileOf('--record', flags.record),
    recordData: recordsData(flags['record-data'], flags.record),
  };
}

/** `example.com:443`, `127.0.0.1:443`, `[::1]:443` */
export function hostAndPort(target: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(target) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined && port >= 1 && port <= 65535) return { host, port };
  const example = /^[^:]+$/.test(target) ? `${target}:443` : 'example.com:443 or [::1]:443';
  throw usage(`'${target}' is no host:port; write it as in ${example}`);
}

/** RFC 6066 §3 */
export function hostName(flag: string, text: string): string {
  if (!/^[!-~]{1,255}$/.test(text))
    throw usage(`${flag}: '${text}' is no host name; 1 to 255 ASCII characters are, with labels such as xn--…`);
  return text;
}

interface TrustFlags {
  readonly ca?: string | undefined;
  readonly pin?: readonly string[] | undefined;
  readonly insecure?: boolean | undefined;
  readonly psk?: readonly string[] | undefined;
  readonly 'psk-file'?: string | undefined;
}

/** Nothing is trusted by accident. */
function trust({ ca, pin = [], insecure = false, ...psks }: TrustFlags): ConnectSettings['trust'] {
  const judges = ca !== undefined || pin.length > 0;
  const hasPsks = psks.psk !== undefined || psks['psk-file'] !== undefined; // which prove who the server is
  if (!judges && !insecure && !hasPsks)
    throw usage(
      'who judges the server? give --ca F (authorities), --pin SHA256 (of its key), --psk ID:HEX (a key of both) or --insecure (nobody does)',
    );
  if (judges && insecure) throw usage('--insecure: nobody judges then; leave it out, or --ca and --pin');
  return { ca: fileOf('--ca', ca), pins: pin.map((digest) => nonEmpty('--pin', digest)), insecure };
}

/** The server's flag of this name takes a file. @throws Fault */
function pskItself(text: string): ExternalPsk {
  if (!text.includes(':'))
    throw usage('--psk: identity:hex is wanted, the PSK itself; those in a file are for --psk-file');
  return psk('--psk', text);
}

/** @throws Fault where no version has it */
function earlyData(flags: {
  readonly 'early-data'?: string | undefined;
  readonly tls1_2?: boolean | undefined;
  readonly tls1_3?: boolean | undefined;
}): string | undefined {
  const file = fileOf('--early-data', flags['early-data']);
  if (file !== undefined && flags.tls1_2 === true && flags.tls1_3 !== true)
    throw usage('--early-data: TLS 1.2 has none; leave it out, or --tls1_2');
  return file;
}

function versions({
  tls1_2,
  tls1_3,
}: {
  readonly tls1_2?: boolean | undefined;
  readonly tls1_3?: boolean | undefined;
}) {
  if (tls1_2 === tls1_3) return {};
  const version: Version = tls1_2 ? 'TLSv1.2' : 'TLSv1.3';
  return { 'min-version': version, 'max-version': version };
}

function certificate(cert: string | undefined, key: string | undefined): ConnectSettings['certificate'] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw usage('--key without --cert; give both, or neither');
  if (key === undefined) throw usage('--cert without --key; give both, or neither');
  return { cert: nonEmpty('--cert', cert), key: nonEmpty('--key', key) };
}

export function mailProtocol(text: string): MailProtocol {
  const known = Object.keys(DIALOGUES) as MailProtocol[];
  const found = known.find((name) => name === text);
  if (found === undefined) throw usage(`--starttls: '${text}' is not known; ${known.join(', ')} are`);
  return found;
}

export function fileOf(flag: string, name: string | undefined): string | undefined {
  return name === undefined ? undefined : nonEmpty(flag, name);
}

function count(flag: string, text: string): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= MAX_RECONNECT)) throw usage(`${flag}: '${text}' is not possible; 0 to ${MAX_RECONNECT} are`);
  return number;
}
