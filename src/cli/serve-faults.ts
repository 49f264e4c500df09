/** The faults of `serve --fault`, by their names. */

import type { Fault } from '../engine/fault.ts';
import { faults } from '../testing/faults.ts';
import type { PointName } from '../testing/time-faults.ts';
import type { ContentName, MessageName, Which } from '../testing/which.ts';
import { fromHex } from '../wire/bytes.ts';
import { nearest } from '../wire/nearest.ts';
import type { CipherSuiteName, GroupName } from '../wire/registry.ts';
import { usage } from './fault.ts';

/** A fault, and the word that it was asked for by. */
export interface NamedFault {
  readonly word: string;
  readonly faults: readonly Fault[];
}

interface Kind {
  /** An example of what stands behind the colon; `undefined` if nothing does. */
  readonly example?: string;
  /** Whether `#2` or `#each` may follow. */
  readonly isCounted?: boolean;
  /** @throws TypeError or RangeError for an argument that will not do; of a name the fault itself checks it */
  make(argument: string, which: Which | undefined): readonly Fault[];
}

const lastBit = (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));

const ofMessage = (make: (name: MessageName, which?: Which) => Fault): Kind => ({
  example: 'finished',
  isCounted: true,
  make: (name, which) => [make(name as MessageName, which)],
});

const ofRecord = (make: (of: ContentName, which?: Which) => Fault): Kind => ({
  example: 'application_data',
  isCounted: true,
  make: (of, which) => [make(of as ContentName, which)],
});

const ofPoint = (make: (at: PointName, which?: Which) => Fault): Kind => ({
  example: 'server_hello',
  isCounted: true,
  make: (at, which) => [make(at as PointName, which)],
});

const ofNumber = (example: string, make: (number: number) => Fault): Kind => ({
  example,
  make: (text) => [make(numberOf(text))],
});

/** In the order of the help text. */
const KINDS: Readonly<Record<string, Kind>> = {
  'bad-finished': { make: () => [faults.raw('finished', lastBit)] },
  'bad-signature': {
    make: () => [faults.raw('certificate_verify', lastBit), faults.raw('server_key_exchange', lastBit)],
  },
  'unsolicited-extension': { make: () => [faults.extension('server_hello', 0xfafa, new Uint8Array(0))] },
  drop: ofMessage(faults.drop),
  repeat: ofMessage(faults.repeat),
  swap: ofMessage(faults.swap),
  split: ofNumber('100', (size) => faults.split('handshake', size, 'each')),
  pad: ofNumber('1000', (length) => faults.pad('application_data', length, 'each')),
  corrupt: ofRecord((of, which) => faults.corrupt(of, { which })),
  'wrong-key': ofRecord(faults.wrongKey),
  plaintext: ofRecord(faults.plaintext),
  'retry-with': { example: 'secp384r1', make: (group) => [faults.retryWith(group as GroupName)] },
  'select-identity': ofNumber('1', faults.selectIdentity),
  'resume-under': {
    example: 'TLS_CHACHA20_POLY1305_SHA256',
    make: (suite) => [faults.resumeUnder(suite as CipherSuiteName)],
  },
  'ticket-lifetime': ofNumber('4294967295', (lifetime) => faults.ticket({ lifetime })),
  'ticket-age-add': ofNumber('0', (ageAdd) => faults.ticket({ ageAdd })),
  'ticket-nonce': { example: '00ff', make: (hex) => [faults.ticket({ nonce: bytesOf(hex) })] },
  delay: { example: 'server_hello=500', isCounted: true, make: (text, which) => [delay(text, which)] },
  stall: ofPoint((at, which) => faults.stall(at, { which })),
  close: ofPoint((at, which) => faults.closeAt(at, { which })),
  'close-notify': ofPoint((at, which) => faults.closeAt(at, { which, closeNotify: true })),
};

export const FAULT_NAMES: readonly string[] = Object.keys(KINDS);

/** @throws Fault (a usage error) that says what there is */
export function namedFault(word: string): NamedFault {
  const [, name = '', , argument, , count] = /^([^:#]*)(:([^#]*))?(#(.*))?$/.exec(word) ?? [];
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind === undefined) {
    const meant = nearest(name, FAULT_NAMES);
    throw usage(
      `--fault: unknown '${name}'; ${meant === undefined ? '' : `is ${meant} meant? `}there are ${FAULT_NAMES.join(', ')}`,
    );
  }
  const { example } = kind;
  if (example === undefined && argument !== undefined) throw usage(`--fault ${name}: nothing stands behind it`);
  if (example !== undefined && !argument)
    throw usage(`--fault ${name}: something is missing, as in ${name}:${example}`);
  if (count !== undefined && (kind.isCounted !== true || !/^(\d+|each)$/.test(count)))
    throw usage(
      `--fault ${word}: ${kind.isCounted ? `#2 or #each is wanted, not #${count}` : `#${count} says nothing`}`,
    );
  const which = count === undefined || count === 'each' ? count : Number(count);
  try {
    return { word, faults: kind.make(argument ?? '', which) };
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw usage(`--fault ${word}: ${error.message}`);
    throw error;
  }
}

function delay(text: string, which: Which | undefined): Fault {
  const [at = '', ms] = text.split('=');
  if (ms === undefined) throw new TypeError('milliseconds are missing, as in delay:server_hello=500');
  return faults.delay(at as PointName, numberOf(ms), { which });
}

function numberOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new TypeError(`'${text}' is not a whole number`);
  return Number(text);
}

function bytesOf(hex: string): Uint8Array {
  if (!/^([0-9a-f]{2})+$/i.test(hex)) throw new TypeError(`'${hex}' is not hexadecimal`);
  return fromHex(hex);
}
