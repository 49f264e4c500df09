/** External PSKs as the options of either role name them, and as handshakes use them: RFC 9257, RFC 9258. */

import type { CryptoProvider, HashName } from '../crypto/provider.ts';
import { SUITES, type SuiteParameters, suiteById } from '../crypto/suites.ts';
import type { EarlyDataTerms, WirePsk } from '../handshake/psk.ts';
import { importedIdentity, importPsk } from '../handshake/psk-importer.ts';
import { copyOf, EMPTY, toHex } from '../wire/bytes.ts';
import { requireBytes } from '../wire/kind-of.ts';
import { type Names, requireOptions, requireString } from '../wire/options.ts';
import { CipherSuite, type CipherSuiteName } from '../wire/registry.ts';
import { boolean, complete, integer, oneOf, requireNoPromise } from './checks.ts';
import { protocolName } from './protocol-options.ts';

/**
 * A pre-shared key that both sides have from outside of TLS (RFC 9846 §2.2). Give each pair of a client and a server a key of its
 * own (RFC 9257 §6). docs/psk.md is the guide.
 */
export interface ExternalPsk {
  /** The name of the key, which anybody on the way can read: 1 to 65535 bytes. */
  readonly identity: Uint8Array;
  /**
   * The key: 16 to 65535 bytes, made by a generator of random numbers and not by a person (RFC 9257 §6). It is copied. No text that
   * can be guessed is a key: whoever records one handshake can try all guesses.
   */
  readonly secret: Uint8Array;
  /** The hash of the key (RFC 9846 §4.3.11). Only suites with this hash use it, unless it is imported. Default 'sha256'. */
  readonly hash?: HashName | undefined;
  /**
   * Whether the key is imported (RFC 9258): a key for each hash is derived from it, and the two sides never use the key itself. Both
   * sides must do the same. TLS 1.2 does not use an imported key. Default false.
   */
  readonly import?: boolean | undefined;
  /**
   * With `import`: what else the derived keys depend on, such as the names of client and server, which are then proved with them. It
   * is sent in the clear. Default: empty.
   */
  readonly context?: Uint8Array | undefined;
  /**
   * The role in which this endpoint uses the key. An endpoint that is client and server at once, under one key, could be made to talk
   * to itself (the Selfie attack, RFC 9257 §4.1). Give it two keys, and name the role of each. Default: either role.
   */
  readonly role?: 'client' | 'server' | undefined;
  /**
   * On a server with `clientAuth.mode` 'require': whether a client with this key need not show a certificate, as none can be asked for
   * beside a PSK (RFC 9846 §4.4.2). Default false: the key is declined, and a full handshake asks for the certificate.
   */
  readonly replacesClientCertificate?: boolean | undefined;
  /**
   * Early data under this key, the same on both sides (RFC 9846 §4.3.10). It can be admitted only by a server whose strategy keeps
   * records for ever: see `AntiReplay.keepsForever`. Default: the key allows none.
   */
  readonly earlyData?: PskEarlyData | undefined;
}

/** What early data under an external PSK depends on, and what is provisioned with the key: RFC 9846 §4.3.10. */
export interface PskEarlyData {
  /** How many bytes a client may send: 1 to 2^32 - 1. A server whose `earlyData.maxSize` is less accepts none. */
  readonly maxSize: number;
  /** The suite of TLS 1.3 that it goes under. It has the hash of the key, unless that is imported. */
  readonly cipherSuite: CipherSuiteName;
  /** The application protocol that both sides then negotiate. Default: none. */
  readonly alpnProtocol?: string | undefined;
  /** The only server name under which there is early data. Default: any, or none. */
  readonly serverName?: string | undefined;
}

const EXTERNAL_PSK = {
  identity: true,
  secret: true,
  hash: true,
  import: true,
  context: true,
  role: true,
  replacesClientCertificate: true,
  earlyData: true,
} satisfies Names<ExternalPsk>;

const EARLY_DATA = {
  maxSize: true,
  cipherSuite: true,
  alpnProtocol: true,
  serverName: true,
} satisfies Names<PskEarlyData>;
const SUITES_TLS13 = SUITES.filter(({ version }) => version === 'TLSv1.3');

/** RFC 9257 §6: 128 bits. */
const MIN_SECRET = 16;
const MAX = 0xffff;
const HASHES = ['sha256', 'sha384'] as const;

/** Returns the hashes that TLS 1.3 uses with these suites. */
export function targetsOf(suites: readonly SuiteParameters[]): readonly HashName[] {
  return HASHES.filter((name) => suites.some(({ version, hash }) => version === 'TLSv1.3' && hash === name));
}

/**
 * Returns what a PSK is on the wire: itself or, if it is imported, a key for each of the `targets`. The secrets are copies.
 * @throws TypeError or RangeError that begins with `name`
 */
export function wirePsks(
  name: string,
  given: ExternalPsk,
  { crypto, targets }: { readonly crypto: CryptoProvider; readonly targets: readonly HashName[] },
): readonly WirePsk[] {
  requireOptions(name, given, EXTERNAL_PSK);
  requireNoPromise(name, given);
  const { identity, secret, context, role } = given;
  requireLength(`${name}.identity`, identity, 1);
  requireLength(`${name}.secret`, secret, MIN_SECRET);
  const hash = given.hash === undefined ? 'sha256' : oneOf<HashName>(`${name}.hash`, given.hash, HASHES);
  const tags = {
    role: role === undefined ? undefined : oneOf(`${name}.role`, role, ['client', 'server'] as const),
    replacesClientCertificate: boolean(`${name}.replacesClientCertificate`, given.replacesClientCertificate, false),
  };
  const early = given.earlyData && earlyDataTerms(`${name}.earlyData`, given.earlyData);
  if (!boolean(`${name}.import`, given.import, false)) {
    if (early !== undefined && early.hash !== hash)
      throw new TypeError(`${name}.earlyData.cipherSuite: has not the hash of the key, which is ${hash}`);
    if (context !== undefined) throw new TypeError(`${name}.context: is for import: true`);
    if (importedIdentity(identity) !== undefined)
      throw new RangeError(
        `${name}.identity: this is what an importer makes (RFC 9258 §5.1); a plain PSK needs another`,
      );
    return [
      Object.freeze({
        kind: 'external',
        identity: copyOf(identity),
        secret: copyOf(secret),
        hash,
        ...tags,
        earlyData: early?.terms,
      }),
    ];
  }
  if (context !== undefined) requireLength(`${name}.context`, context, 0);
  if (identity.length + (context?.length ?? 0) > MAX - 8)
    throw new RangeError(`${name}: identity and context have more than ${MAX - 8} bytes together`);
  const own = targets.filter((target) => target === early?.hash); // first, as early data goes under the first identity
  return [...new Set([...own, ...targets])].map((targetHash) => {
    const imported = importPsk(
      crypto,
      { secret, hash },
      { externalIdentity: identity, context: context ?? EMPTY, targetHash },
    );
    const earlyData = targetHash === early?.hash ? early.terms : undefined;
    return Object.freeze({ kind: 'imported', ...imported, hash: targetHash, ...tags, earlyData });
  });
}

/** @throws TypeError or RangeError that begins with `name` */
function earlyDataTerms(
  name: string,
  given: PskEarlyData,
): { readonly hash: HashName | undefined; readonly terms: EarlyDataTerms } {
  requireOptions(name, given, EARLY_DATA);
  complete(name, given, ['maxSize', 'cipherSuite']);
  const { alpnProtocol, serverName } = given;
  const suite = oneOf(
    `${name}.cipherSuite`,
    given.cipherSuite,
    SUITES_TLS13.map((one) => one.name),
  );
  requireString(`${name}.serverName`, serverName);
  const terms = {
    cipherSuite: CipherSuite[suite],
    alpnProtocol: alpnProtocol === undefined ? undefined : protocolName(`${name}.alpnProtocol`, alpnProtocol),
    serverName: serverName?.toLowerCase().replace(/\.$/, ''),
    foreign: Object.freeze({ maxEarlyData: integer(`${name}.maxSize`, given.maxSize, 0, 1, 2 ** 32 - 1) }),
  };
  return { hash: suiteById(terms.cipherSuite)?.hash, terms: Object.freeze(terms) };
}

/**
 * Checks that each key has one use: it is imported or not (RFC 9258 §4), and with one hash (RFC 9846 §4.3.11).
 * @throws TypeError that names the second use
 */
export function requireOneUse(psks: readonly ExternalPsk[], { hashes: { sha256 } }: CryptoProvider): void {
  const uses = new Map<string, string>();
  for (const [i, { secret, hash = 'sha256', import: isImported }] of psks.entries()) {
    const key = toHex(sha256.digest(secret));
    const use = `${hash} ${isImported === true}`;
    if ((uses.get(key) ?? use) !== use)
      throw new TypeError(
        `psks[${i}].secret: another PSK has it with another hash or import; a key has one use (RFC 9258 §4). Make another key`,
      );
    uses.set(key, use);
  }
}

/** @throws TypeError unless `bytes` is a Uint8Array; RangeError for a length that is out of range */
function requireLength(name: string, bytes: Uint8Array, min: number): void {
  requireBytes(name, bytes);
  if (bytes.length >= min && bytes.length <= MAX) return;
  const why = min === MIN_SECRET ? ': 128 bits from a generator of random numbers are the least (RFC 9257 §6)' : '';
  throw new RangeError(`${name} has ${bytes.length} bytes; ${min} to ${MAX} are possible${why}`);
}
