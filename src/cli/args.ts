/** Parses the command line into settings. It reads no file. */

import type { TicketOptions } from '../engine/server/options.ts';
import type { Compat } from '../handshake/server/settings.ts';
import { TICKET_KEY_PRODUCERS, type TicketKeyProducer } from '../tickets/key-files.ts';
import { fromHex, utf8 } from '../wire/bytes.ts';
import { nearest } from '../wire/nearest.ts';
import { type ConnectSettings, parseConnect } from './connect-args.ts';
import { usage } from './fault.ts';
import {
  choices,
  isValueOf,
  nonEmpty,
  type Protocol,
  parseFlags,
  protocol,
  recordSizeLimit,
  recordsData,
} from './flags.ts';
import { type ProbeSettings, parseProbe } from './probe-args.ts';
import { parseScenarios, type ScenariosSettings } from './scenarios-args.ts';
import { type NamedFault, namedFault } from './serve-faults.ts';

/** The names of two PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** The names of files with what is shown beside the certificate. */
  readonly ocspResponse?: string | undefined;
  readonly timestamps?: readonly string[] | undefined;
}

/** The name of a file with one or more ticket keys, and the producer whose format it has. */
export interface TicketKeyFile {
  readonly producer: TicketKeyProducer;
  readonly file: string;
}

/** Which sessions may be resumed, and where they are kept. */
export interface ResumptionSettings {
  readonly tickets: TicketOptions['mode'];
  /** The first seals. Without any, the server generates a key. */
  readonly ticketKeys: readonly TicketKeyFile[];
  readonly idContext: Uint8Array | undefined;
  readonly foreign: boolean;
}

/** The names of crypto providers. */
export type ProviderName = (typeof PROVIDERS)[number];

export interface ServeSettings {
  readonly host: string;
  readonly port: number;
  /** Without any, the server makes an ephemeral certificate, unless it has PSKs. */
  readonly certificates: readonly CertificateFiles[];
  readonly protocol: Protocol;
  /** Bytes that the records of clients may have; `undefined` for as many as TLS allows. */
  readonly recordSizeLimit: number | undefined;
  /** The name of a file with external PSKs. */
  readonly psk: string | undefined;
  readonly compat: Compat | undefined;
  readonly crypto: ProviderName;
  readonly resumption: ResumptionSettings;
  /** How many bytes of early data a client may send; `undefined` for none. */
  readonly earlyData: number | undefined;
  /** What the server does wrong on purpose. */
  readonly faults: readonly NamedFault[];
  readonly echo: boolean;
  /** The name of the file that secrets are appended to. */
  readonly keylog: string | undefined;
  /** The name of a folder for recordings. */
  readonly record: string | undefined;
  /** Whether they have application data. */
  readonly recordData: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

export interface InspectSettings {
  /** The kind of file to show: a session, or a ticket or the session of a client that has one. */
  readonly what: 'session' | 'ticket';
  readonly file: string;
  readonly ticketKeys: readonly TicketKeyFile[];
  readonly showSecrets: boolean;
  readonly json: boolean;
}

export interface ReplaySettings {
  readonly file: string;
  readonly explain: boolean;
  readonly json: boolean;
  /** The name of a file to write. */
  readonly pcapng: string | undefined;
}

export type Command =
  | { readonly name: 'help' | 'version' | 'serve-help' | 'connect-help' | 'inspect-help' | 'replay-help' }
  | { readonly name: 'scenarios-help' | 'scenarios-list' | 'probe-help' }
  | { readonly name: 'replay'; readonly settings: ReplaySettings }
  | { readonly name: 'serve'; readonly settings: ServeSettings }
  | { readonly name: 'connect'; readonly settings: ConnectSettings }
  | { readonly name: 'inspect'; readonly settings: InspectSettings }
  | { readonly name: 'scenarios'; readonly settings: ScenariosSettings }
  | { readonly name: 'probe'; readonly settings: ProbeSettings };

const COMMANDS = "'serve', 'connect', 'inspect', 'replay', 'scenarios', 'probe', and 'tls-resume --help'";

const DEFAULT_PORT = 8443;
const PROVIDERS = ['default', 'noble', 'fast', 'node'] as const;
const TICKET_MODES = ['stateful', 'stateless', 'off'] as const;

/** The flags of `serve`. A flag with a value stands once, except for certificates, ticket keys and faults. */
export const SERVE_FLAGS = {
  host: { type: 'string' },
  port: { type: 'string' },
  cert: { type: 'string', multiple: true },
  key: { type: 'string', multiple: true },
  'ocsp-response': { type: 'string', multiple: true },
  sct: { type: 'string', multiple: true },
  'min-version': { type: 'string' },
  'max-version': { type: 'string' },
  ciphers: { type: 'string' },
  groups: { type: 'string' },
  alpn: { type: 'string' },
  'psk-modes': { type: 'string' },
  'record-size-limit': { type: 'string' },
  psk: { type: 'string' },
  compat: { type: 'string' },
  crypto: { type: 'string' },
  tickets: { type: 'string' },
  'ticket-keys': { type: 'string', multiple: true },
  'id-context': { type: 'string' },
  foreign: { type: 'boolean' },
  'early-data': { type: 'string' },
  fault: { type: 'string', multiple: true },
  echo: { type: 'boolean' },
  keylog: { type: 'string' },
  json: { type: 'boolean' },
  verbose: { type: 'boolean' },
  record: { type: 'string' },
  'record-data': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const INSPECT_FLAGS = {
  session: { type: 'string' },
  ticket: { type: 'string' },
  'ticket-keys': { type: 'string', multiple: true },
  'show-secrets': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const REPLAY_FLAGS = {
  explain: { type: 'boolean' },
  json: { type: 'boolean' },
  pcapng: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const DEMO_FLAGS = { port: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;

/** @throws Fault naming the word that is wrong and what would be right */
export function parseCommand([word, ...rest]: readonly string[]): Command {
  if (word === 'help' && rest[0] === 'serve') return { name: 'serve-help' };
  if (word === 'help' && rest[0] === 'connect') return { name: 'connect-help' };
  if (word === 'help' && rest[0] === 'inspect') return { name: 'inspect-help' };
  if (word === 'help' && rest[0] === 'replay') return { name: 'replay-help' };
  if (word === 'help' && rest[0] === 'scenarios') return { name: 'scenarios-help' };
  if (word === 'help' && rest[0] === 'probe') return { name: 'probe-help' };
  if (word === 'help' && rest[0] !== undefined) throw unknownCommand(rest[0]);
  if (word === '--help' || word === '-h' || word === 'help') return { name: 'help' };
  if (word === '--version') return { name: 'version' };
  if (word === 'serve') return parseServe(rest);
  if (word === 'connect') {
    const settings = parseConnect(rest);
    return settings === undefined ? { name: 'connect-help' } : { name: 'connect', settings };
  }
  if (word === 'inspect') return parseInspect(rest);
  if (word === 'replay') return parseReplay(rest);
  if (word === 'scenarios') return scenariosCommand(rest);
  if (word === 'probe') return probeCommand(rest);
  if (word === undefined) throw usage(`no command given; there is ${COMMANDS}`);
  throw word.startsWith('-') ? misplacedFlag(word) : unknownCommand(word);
}

function misplacedFlag(word: string): Error {
  const meant = /^-v$/i.test(word) ? '--version' : nearest(word, ['--version', '--help']);
  if (meant !== undefined) return usage(`unknown flag '${word}'; is ${meant} meant? see 'tls-resume --help'`);
  return usage(`${word} stands before the command; flags come after it, as in 'tls-resume serve ${word} …'`);
}

function unknownCommand(word: string): Error {
  const meant = nearest(word, ['serve', 'connect', 'inspect', 'replay', 'scenarios', 'probe', 'help']);
  return usage(`unknown command '${word}'; ${meant === undefined ? '' : `is '${meant}' meant? `}there is ${COMMANDS}`);
}

/** The port of the demo. @throws Fault */
export function parseDemo(words: readonly string[]): { readonly help: boolean; readonly port: number | undefined } {
  const flags = parseFlags(words, DEMO_FLAGS, 'npm start -- --help');
  return { help: flags.help === true, port: flags.port === undefined ? undefined : port(flags.port) };
}

function parseServe(words: readonly string[]): Command {
  const flags = parseFlags(words, SERVE_FLAGS, 'tls-resume serve --help');
  if (flags.help) return { name: 'serve-help' };
  const settings: ServeSettings = {
    host: nonEmpty('--host', flags.host ?? '127.0.0.1'),
    port: flags.port === undefined ? DEFAULT_PORT : port(flags.port),
    certificates: withStaples(certificates(flags.cert ?? [], flags.key ?? []), flags),
    protocol: protocol(flags),
    recordSizeLimit: recordSizeLimit(flags['record-size-limit']),
    psk: flags.psk === undefined ? undefined : nonEmpty('--psk', flags.psk),
    compat: flags.compat === undefined ? undefined : compat(flags.compat),
    crypto: provider(flags.crypto ?? 'default'),
    resumption: resumption(flags),
    earlyData: earlyData(flags),
    faults: (flags.fault ?? []).map(namedFault),
    echo: flags.echo === true,
    keylog: flags.keylog === undefined ? undefined : nonEmpty('--keylog', flags.keylog),
    record: flags.record === undefined ? undefined : nonEmpty('--record', flags.record),
    recordData: recordsData(flags['record-data'], flags.record),
    json: flags.json === true,
    verbose: flags.verbose === true,
  };
  return { name: 'serve', settings };
}

/** @throws Fault for what is no number of bytes, or where nothing could be sent under */
function earlyData({
  'early-data': text,
  tickets,
  'max-version': maxVersion,
}: {
  readonly 'early-data'?: string | undefined;
  readonly tickets?: string | undefined;
  readonly 'max-version'?: string | undefined;
}) {
  if (text === undefined) return undefined;
  const bytes = Number(text);
  if (!/^\d{1,10}$/.test(text) || bytes < 1 || bytes > 0xffffffff)
    throw usage(`--early-data ${text}: a number of bytes is wanted, 1 to 4294967295, such as 16384`);
  if (tickets === 'off') throw usage('--early-data is for clients that resume: leave it out, or --tickets off');
  if (maxVersion === '1.2') throw usage('--early-data: TLS 1.2 has none; leave it out, or --max-version 1.2');
  return bytes;
}

function parseReplay(words: readonly string[]): Command {
  const isFile = (word: string, i: number): boolean => !word.startsWith('-') && !isValueOf(words[i - 1], REPLAY_FLAGS);
  const [file, second] = words.filter(isFile);
  const flags = parseFlags(
    words.filter((word, i) => !isFile(word, i)),
    REPLAY_FLAGS,
    'tls-resume replay --help',
  );
  if (flags.help) return { name: 'replay-help' };
  if (file === undefined) throw usage("which recording? write 'tls-resume replay FILE'");
  if (second !== undefined) throw usage(`'${second}' is one word too many; see 'tls-resume replay --help'`);
  const settings: ReplaySettings = {
    file,
    explain: flags.explain === true,
    json: flags.json === true,
    pcapng: flags.pcapng === undefined ? undefined : nonEmpty('--pcapng', flags.pcapng),
  };
  return { name: 'replay', settings };
}

function parseInspect(words: readonly string[]): Command {
  const [file] = words;
  if (file !== undefined && !file.startsWith('-'))
    throw usage(
      `is '${file}' a session or a ticket? write --session ${file}, or --ticket ${file} --ticket-keys PRODUCER:FILE`,
    );
  const flags = parseFlags(words, INSPECT_FLAGS, 'tls-resume inspect --help');
  if (flags.help) return { name: 'inspect-help' };
  const { session, ticket } = flags;
  if ((session === undefined) === (ticket === undefined)) throw usage('give either --session F or --ticket F');
  const ticketKeys = (flags['ticket-keys'] ?? []).map(ticketKeyFile);
  if (ticket !== undefined && ticketKeys.length === 0)
    throw usage('--ticket: --ticket-keys is missing, without which a ticket cannot be opened');
  if (ticket === undefined && ticketKeys.length > 0)
    throw usage('--ticket-keys: a session needs none; --ticket opens the ticket of a client');
  const what = ticket === undefined ? 'session' : 'ticket';
  return {
    name: 'inspect',
    settings: {
      what,
      file: nonEmpty(`--${what}`, session ?? ticket ?? ''),
      ticketKeys,
      showSecrets: flags['show-secrets'] === true,
      json: flags.json === true,
    },
  };
}

interface ResumptionFlags {
  readonly tickets?: string | undefined;
  readonly 'ticket-keys'?: readonly string[] | undefined;
  readonly 'id-context'?: string | undefined;
  readonly foreign?: boolean | undefined;
}

/** Ticket keys imply stateless tickets. */
function resumption(flags: ResumptionFlags): ResumptionSettings {
  const ticketKeys = (flags['ticket-keys'] ?? []).map(ticketKeyFile);
  const [mode, ...more] = choices('--tickets', flags.tickets, TICKET_MODES) ?? [];
  if (more.length > 0) throw usage(`--tickets: one of ${TICKET_MODES.join(', ')} is wanted`);
  const tickets = mode ?? (ticketKeys.length > 0 ? 'stateless' : undefined);
  if (ticketKeys.length > 0 && tickets !== 'stateless')
    throw usage(`--ticket-keys: with --tickets ${tickets} nothing is sealed; leave one of them out`);
  if (flags.foreign === true && ticketKeys.length === 0)
    throw usage('--foreign: no other server has these keys; give those of a fleet with --ticket-keys');
  const idContext = flags['id-context'];
  return {
    tickets,
    ticketKeys,
    idContext: idContext === undefined ? undefined : sessionIdContext(idContext),
    foreign: flags.foreign === true,
  };
}

/** Parses `nginx:FILE`. The name of the file may contain colons. */
function ticketKeyFile(text: string): TicketKeyFile {
  const at = text.indexOf(':');
  const producer = TICKET_KEY_PRODUCERS.find((known) => known === text.slice(0, Math.max(at, 0)));
  if (producer !== undefined && at + 1 < text.length) return { producer, file: text.slice(at + 1) };
  const known = TICKET_KEY_PRODUCERS.join(', ');
  const meant = nearest(text.slice(0, Math.max(at, 0)), TICKET_KEY_PRODUCERS);
  const hint = meant === undefined || producer !== undefined ? '' : `; is ${meant} meant?`;
  throw usage(`--ticket-keys: '${text}' is not PRODUCER:FILE; the producer is one of ${known}${hint}`);
}

/** Text, or bytes as `hex:…`. */
function sessionIdContext(text: string): Uint8Array {
  const hex = text.startsWith('hex:') ? text.slice('hex:'.length) : undefined;
  if (hex !== undefined && !/^([0-9a-f]{2})*$/i.test(hex)) throw usage(`--id-context: '${hex}' is not hexadecimal`);
  const bytes = hex === undefined ? utf8(text) : fromHex(hex);
  if (bytes.length > 32) throw usage(`--id-context: ${bytes.length} bytes; at most 32 are possible`);
  return bytes;
}

function port(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= 65535)) throw usage(`--port: '${text}' is no port; 0 to 65535 are, and 0 takes a free one`);
  return number;
}

function compat(text: string): Compat {
  if (text !== 'openssl-3') throw usage(`--compat: '${text}' is not known; openssl-3 is`);
  return text;
}

function provider(text: string): ProviderName {
  const known = PROVIDERS.find((name) => name === text);
  if (known === undefined) throw usage(`--crypto: '${text}' is not known; ${PROVIDERS.join(', ')} are`);
  return known;
}

function certificates(certs: readonly string[], keys: readonly string[]): CertificateFiles[] {
  const missing = certs.length < keys.length ? '--cert' : '--key';
  if (certs.length !== keys.length) {
    throw usage(`${missing} is missing: ${certs.length} --cert and ${keys.length} --key given; each pair needs both`);
  }
  return certs.map((cert, at) => ({ cert, key: keys[at] ?? '' }));
}

interface StapleFlags {
  readonly 'ocsp-response'?: readonly string[] | undefined;
  readonly sct?: readonly string[] | undefined;
}

/** What is shown beside the certificates: a response for each, in their order, and timestamps of the only one. @throws Fault */
function withStaples(
  files: readonly CertificateFiles[],
  { 'ocsp-response': responses = [], sct = [] }: StapleFlags,
): readonly CertificateFiles[] {
  for (const [flag, given] of [
    ['--ocsp-response', responses],
    ['--sct', sct],
  ] as const) {
    if (given.length > 0 && files.length === 0)
      throw usage(`${flag}: is about a certificate; give it with --cert F --key F`);
    for (const file of given) nonEmpty(flag, file);
  }
  if (responses.length > 0 && responses.length !== files.length)
    throw usage(
      `--ocsp-response: ${responses.length} for ${files.length} --cert; give one for each, in the same order`,
    );
  if (sct.length > 0 && files.length > 1) throw usage('--sct: whose is it? it is for a server with one --cert');
  return files.map((pair, i) => ({
    ...pair,
    ...(responses.length > 0 && { ocspResponse: responses[i] }),
    ...(sct.length > 0 && { timestamps: sct }),
  }));
}

function scenariosCommand(words: readonly string[]): Command {
  const settings = parseScenarios(words);
  if (settings === 'help') return { name: 'scenarios-help' };
  return settings === 'list' ? { name: 'scenarios-list' } : { name: 'scenarios', settings };
}

function probeCommand(words: readonly string[]): Command {
  const settings = parseProbe(words);
  return settings === undefined ? { name: 'probe-help' } : { name: 'probe', settings };
}
