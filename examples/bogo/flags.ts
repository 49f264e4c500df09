/** The flags of BoringSSL's runner: what they are called, what they take, and which connections they are for. */

/** The runner asks for something that the shim does not do. The runner then skips the test: exit code 89. */
export class Unimplemented extends Error {}

const SWITCHES = [
  'server',
  'ipv6',
  'is-handshaker-supported',
  'no-tls1',
  'no-tls11',
  'no-tls12',
  'no-tls13',
  'no-ticket',
  'use-ticket-callback',
  'renew-ticket',
  'shim-writes-first',
  'shim-shuts-down',
  'check-close-notify',
  'write-different-record-sizes',
  'key-update',
  'use-export-context',
  'enable-early-data',
  'decline-alpn',
  'reject-alpn',
  'verify-peer',
  'verify-fail',
  'require-any-client-certificate',
  'enable-ocsp-stapling',
  'enable-signed-cert-timestamps',
  'expect-session-miss',
  'expect-no-session',
  'expect-session-id',
  'expect-no-session-id',
  'expect-ticket-renewal',
  'expect-ticket-supports-early-data',
  'expect-accept-early-data',
  'expect-reject-early-data',
  'expect-no-offer-early-data',
  'expect-extended-master-secret',
  'expect-hrr',
  'expect-no-hrr',
] as const;

const NUMBERS = [
  'port',
  'shim-id',
  'resume-count',
  'min-version',
  'max-version',
  'resumption-delay',
  'export-keying-material',
  'expect-version',
  'expect-cipher',
  'expect-curve-id',
  'expect-peer-signature-algorithm',
] as const;

/** Of bytes, each a character, as the runner passes them. */
const TEXTS = [
  'key-file',
  'cert-file',
  'trust-cert',
  'host-name',
  'advertise-alpn',
  'select-alpn',
  'export-label',
  'export-context',
  'expect-alpn',
  'expect-advertised-alpn',
  'expect-server-name',
  'expect-peer-cert-file',
  'expect-early-data-reason',
] as const;

const BASE64 = [
  'ocsp-response',
  'signed-cert-timestamps',
  'expect-ocsp-response',
  'expect-signed-cert-timestamps',
] as const;

/** Flags that may come several times. */
const LISTS = ['curves', 'signing-prefs', 'verify-prefs'] as const;

/** Ways of calling an API that this library does not have, or always: the connection is the same with and without. */
const IRRELEVANT: Readonly<Record<string, 0 | 1>> = {
  async: 0,
  'partial-write': 0,
  'read-size': 1,
  'use-custom-verify-callback': 0,
  'use-old-client-cert-callback': 0,
  'use-early-callback': 0,
  'no-op-extra-handshake': 0,
  'forbid-renegotiation-after-handshake': 0,
  'allow-hint-mismatch': 0,
  'server-preference': 0,
};

type Switch = (typeof SWITCHES)[number];
type NumberName = (typeof NUMBERS)[number];
type TextName = (typeof TEXTS)[number];
type Base64Name = (typeof BASE64)[number];
type ListName = (typeof LISTS)[number];

/** What the flags say of one connection, by their names. */
export type Flags = { [N in Switch]?: boolean } & { [N in NumberName]?: number } & { [N in TextName]?: string } & {
  [N in Base64Name]?: Uint8Array;
} & { [N in ListName]?: readonly number[] };

/** The three settings that a test has: of the first connection, of those after it, and after early data was rejected. */
export interface AllFlags {
  readonly initial: Flags;
  readonly resume: Flags;
  readonly retry: Flags;
}

const PREFIX = /^on-(initial|resume|retry)-/;

function isOneOf<N extends string>(names: readonly N[], name: string): name is N {
  return (names as readonly string[]).includes(name);
}

/** Notes one flag, and returns whether its value was used. @throws Unimplemented */
function set(flags: Flags, name: string, value: string): boolean {
  if (isOneOf(SWITCHES, name)) {
    flags[name] = true;
    return false;
  }
  if (isOneOf(NUMBERS, name)) flags[name] = Number(value);
  else if (isOneOf(TEXTS, name)) flags[name] = value;
  else if (isOneOf(BASE64, name)) flags[name] = new Uint8Array(Buffer.from(value, 'base64'));
  else if (isOneOf(LISTS, name)) flags[name] = [...(flags[name] ?? []), Number(value)];
  else if (Object.hasOwn(IRRELEVANT, name)) return IRRELEVANT[name] === 1;
  else throw new Unimplemented(`-${name}`);
  return true;
}

/** Reads the command line. @throws Unimplemented at the first flag that the shim does not have */
export function parseFlags(args: readonly string[]): AllFlags {
  const all = { initial: {}, resume: {}, retry: {} } satisfies AllFlags;
  for (let i = 0; i < args.length; i++) {
    // "-on-shim-" is in front of what a second process, for split handshakes, is not told.
    const name = (args[i] ?? '').replace(/^--?(on-shim-)?/, '');
    const value = args[i + 1] ?? '';
    const only = PREFIX.exec(name)?.[1];
    const bare = name.replace(PREFIX, '');
    let isUsed = false;
    for (const [when, flags] of Object.entries(all))
      if (only === undefined || only === when) isUsed = set(flags, bare, value);
    if (isUsed) i++;
  }
  return all;
}
