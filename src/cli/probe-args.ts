/** The flags of `tls-resume probe`. */

import { hostAndPort, hostName, mailProtocol } from './connect-args.ts';
import type { MailProtocol } from './dialogues.ts';
import { usage } from './fault.ts';
import { isValueOf, nonEmpty, parseFlags } from './flags.ts';

export interface ProbeSettings {
  readonly host: string;
  readonly port: number;
  readonly serverName: string | undefined;
  readonly starttls: MailProtocol | undefined;
  /** What is said once a handshake is complete; `undefined` for what fits the protocol. */
  readonly request: string | undefined;
  readonly isIntrusive: boolean;
  /** Connections that begin in a second; `undefined` for the usual. */
  readonly rate: number | undefined;
  readonly most: number | undefined;
  readonly timeLimitMs: number;
  /** The name of a file with the output of an earlier probe, in JSON. */
  readonly before: string | undefined;
  readonly json: boolean;
  /** The name of a file to write. */
  readonly html: string | undefined;
}

export const PROBE_FLAGS = {
  sni: { type: 'string' },
  starttls: { type: 'string' },
  request: { type: 'string' },
  intrusive: { type: 'boolean' },
  rate: { type: 'string' },
  connections: { type: 'string' },
  'time-limit': { type: 'string' },
  before: { type: 'string' },
  json: { type: 'boolean' },
  html: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const HELP = 'tls-resume probe --help';
const TIME_LIMIT_MS = 5000;

/** Returns `undefined` if the words ask for help. @throws Fault */
export function parseProbe(words: readonly string[]): ProbeSettings | undefined {
  const isFlag = (word: string, i: number) => word.startsWith('-') || isValueOf(words[i - 1], PROBE_FLAGS);
  const flags = parseFlags(words.filter(isFlag), PROBE_FLAGS, HELP);
  if (flags.help) return undefined;
  const [target, second] = words.filter((word, i) => !isFlag(word, i));
  if (target === undefined) throw usage("which server? write 'tls-resume probe host:port …'");
  if (second !== undefined) throw usage(`'${second}' is one word too many; see '${HELP}'`);
  return {
    ...hostAndPort(target),
    serverName: flags.sni === undefined ? undefined : hostName('--sni', flags.sni),
    starttls: flags.starttls === undefined ? undefined : mailProtocol(flags.starttls),
    request: flags.request?.replace(/\\r/g, '\r').replace(/\\n/g, '\n'),
    isIntrusive: flags.intrusive === true,
    rate: flags.rate === undefined ? undefined : number('--rate', flags.rate, 0.1, 1000),
    most:
      flags.connections === undefined ? undefined : Math.floor(number('--connections', flags.connections, 1, 10_000)),
    timeLimitMs:
      flags['time-limit'] === undefined
        ? TIME_LIMIT_MS
        : Math.round(1000 * number('--time-limit', flags['time-limit'], 0.1, 3600)),
    before: flags.before === undefined ? undefined : nonEmpty('--before', flags.before),
    json: flags.json === true,
    html: flags.html === undefined ? undefined : nonEmpty('--html', flags.html),
  };
}

function number(flag: string, text: string, least: number, most: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usage(`${flag}: '${text}' is not possible; ${least} to ${most} are`);
}
