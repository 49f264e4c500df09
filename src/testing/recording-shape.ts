/** What a recording is made of, field by field: a file may be anybody's. */

import { CALLS, INJECTIONS, RECORDING_FORMAT, type Recording } from './recording.ts';

/** @throws TypeError that names the field */
type Shape = (path: string, value: unknown) => void;

function wanted(path: string, what: string): never {
  throw new TypeError(`recording${path}: missing or wrong; ${what} is wanted`);
}

function that(what: string, is: (value: unknown) => boolean): Shape {
  return (path, value) => {
    if (!is(value)) wanted(path, what);
  };
}

function whole(max: number): Shape {
  return that(
    `a whole number up to ${max}`,
    (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max,
  );
}

function optional(shape: Shape): Shape {
  return (path, value) => {
    if (value !== undefined) shape(path, value);
  };
}

function list(shape: Shape): Shape {
  return (path, value) => {
    if (!Array.isArray(value)) return wanted(path, 'a list');
    for (const [i, one] of value.entries()) shape(`${path}[${i}]`, one);
  };
}

/** An object that has at least these fields. */
function object(fields: Readonly<Record<string, Shape>>): Shape {
  return (path, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return wanted(path, 'an object');
    for (const [name, shape] of Object.entries(fields))
      shape(`${path}.${name}`, Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined);
  };
}

function oneOf(words: readonly string[]): Shape {
  return that(words.join(', '), (value) => words.includes(value as string));
}

const text = that('a text', (value) => typeof value === 'string');
const flag = that('true or false', (value) => typeof value === 'boolean');
const hex = that(
  'hexadecimal text',
  (value) => typeof value === 'string' && value.length % 2 === 0 && /^[0-9a-f]*$/.test(value),
);
const time = whole(8_640_000_000_000_000); // the last of which there is a Date
/** The longest fragment of a record that its header can tell. */
const fragment = whole(0xffff);
const size = whole(2 ** 30);

const error = object({ name: text, message: text, alert: optional(text) });

const masked: Shape = (path, value) => {
  const isIgnored = Object(value).type === 'ignored';
  object({
    direction: oneOf(['sent', 'received']),
    epoch: size,
    type: oneOf(['application_data', 'unopened', 'ignored']),
    length: isIgnored ? size : fragment,
    part: optional(isIgnored ? size : fragment),
    error: optional(error),
  })(path, value);
};
const piece: Shape = (path, value) => (typeof value === 'string' ? hex : masked)(path, value);

const message = object({
  message: hex,
  changed: optional(object({ sent: list(hex), hashed: hex })),
  error: optional(error),
  isGiven: optional(flag),
});

const content: Shape = (path, value) => (typeof value === 'string' ? hex : fragment)(path, value);
const sentRecord: Shape = (path, value) => {
  if (!Array.isArray(value)) return content(path, value);
  hex(`${path}[0]`, value[0]);
  size(`${path}[1]`, value[1]);
};
const records = object({ at: size, sealed: list(object({ type: whole(255), content })), sent: list(sentRecord) });

const outcome: Shape = (path, value) =>
  (typeof value === 'string' ? oneOf(['value', 'late', 'stale']) : error)(path, value);

/** How deep calls are made within callbacks of calls. */
const MAX_DEPTH = 64;

function call(depth: number): Shape {
  return object({
    call: oneOf([...CALLS, ...INJECTIONS]),
    type: optional(whole(255)),
    time: optional(time),
    input: optional(list(piece)),
    data: optional((path, value) => (typeof value === 'string' ? hex : size)(path, value)),
    flag: optional(flag),
    outcome: optional(outcome),
    callback: optional(text),
    threw: optional(flag),
    work: optional(list((path, value) => work(depth + 1)(path, value))),
    sent: optional(list(message)),
    records: optional(list(records)),
    output: optional(list(piece)),
    events: optional(list(object({ type: text }))),
  });
}

function work(depth: number): Shape {
  return (path, value) => {
    if (depth > MAX_DEPTH) wanted(path, `no more than ${MAX_DEPTH} calls within calls`);
    if (Object(value).task === undefined) return call(depth)(path, value);
    object({
      task: text,
      callback: optional(text),
      later: optional(flag),
      failed: optional(error),
      value: optional(plain(0)),
      error: optional(error),
      work: optional(list(call(depth + 1))),
      ruledOut: optional(list(size)),
    })(path, value);
  };
}

/** A conclusion may be anything, but not of any depth. */
function plain(depth: number): Shape {
  return (path, value) => {
    if (depth > MAX_DEPTH) wanted(path, `a value of no more than ${MAX_DEPTH} levels`);
    if (typeof value !== 'object' || value === null) return;
    for (const [name, one] of Object.entries(value)) plain(depth + 1)(`${path}.${name}`, one);
  };
}

const callbacks = list(text);
const credential = object({
  certificateChain: list(hex),
  names: list(text),
  ocspResponse: optional((path, value) => (typeof value === 'string' ? hex : flag)(path, value)),
  signedCertificateTimestamps: optional((path, value) => (typeof value === 'string' ? hex : list(hex))(path, value)),
});

const server = object({
  credentials: list(credential),
  clientAuth: optional(object({ authorities: list(hex) })),
  sessions: object({
    callbacks,
    idContext: hex,
    cache: optional(object({})),
  }),
  tickets: object({ callbacks }),
});
const client = object({ credential: optional(credential) });

const whatever = object({
  seed: that('32 bytes in hexadecimal', (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)),
  side: oneOf(['client', 'server']),
  connection: object({
    sessions: optional(list(size)),
    earlyData: optional((path, value) =>
      (typeof value === 'string' ? hex : typeof value === 'number' ? size : flag)(path, value),
    ),
    edits: optional(list(oneOf(['hello', 'bytes']))),
    decisions: optional(plain(0)),
    holds: optional(list(size)),
    timings: optional(list(object({ at: text, isBefore: flag, happening: object({ kind: text }) }))),
  }),
  sessions: list(object({ der: hex, isUsed: flag, isRuledOut: optional(flag), receivedAt: optional(time) })),
  calls: list(call(0)),
  facts: object({ wasEstablished: flag, hasFailed: flag, resumed: flag }),
});

/** @throws TypeError for the first field that is missing or wrong */
function requireShape(value: object): void {
  whatever('', value);
  const { side, configs } = value as { readonly side: string; readonly configs?: unknown };
  list(side === 'server' ? server : client)('.configs', configs);
  if (Array.isArray(configs) && configs.length === 0) wanted('.configs', 'one at least');
}

/**
 * Reads a recording: its JSON text, or what JSON.parse() has made of that.
 * @throws TypeError for what is none; RangeError for a format that this version does not read
 */
export function parseRecording(given: unknown): Recording {
  const value: unknown = typeof given === 'string' ? parseJson(given) : given;
  if (typeof value !== 'object' || value === null || !('format' in value))
    throw new TypeError('recording: what record() has written is wanted, or its JSON text as a string');
  if (value.format !== RECORDING_FORMAT)
    throw new RangeError(
      `recording: its format is ${String(value.format)}, and this version reads ${RECORDING_FORMAT}`,
    );
  requireShape(value);
  return value as unknown as Recording;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The host's message quotes the text, which may be a private key that was named by mistake, or binary.
    throw new TypeError('recording: it is not JSON, or it is cut off');
  }
}
