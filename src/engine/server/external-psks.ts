/** The option `psks` of a server, with what carries it out: a part of a server, so that a bundle has it only where it is wanted. */

import type { CryptoProvider, HashName } from '../../crypto/provider.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import { mechanismOfPsk, type WirePsk } from '../../handshake/psk.ts';
import { importedIdentity } from '../../handshake/psk-importer.ts';
import type { FoundPsk, PskSource, ServerHandshake } from '../../handshake/server/context.ts';
import { judgePsk } from '../../handshake/server/psk-verdict.ts';
import { refuseHello } from '../../handshake/server/refuse-psk.ts';
import { type Handshake, type Outcome, perform } from '../../handshake/wait.ts';
import { copyOf, equalBytes, latin1 } from '../../wire/bytes.ts';
import { requireObject } from '../../wire/options.ts';
import { boolean, list } from '../checks.ts';
import { type ExternalPsk, requireOneUse, targetsOf, wirePsks } from '../psk-options.ts';
import type { FindPsk, ServerOptions } from './options.ts';

/** The part of a server that takes external PSKs, such as `externalPsks` of tls-resume/tls13. */
export interface ExternalPsks {
  /** @throws TypeError or RangeError that names the option */
  settings(
    options: Pick<ServerOptions, 'psks' | 'hideUnknownPsks' | 'credentials' | 'clientAuth'>,
    crypto: CryptoProvider,
    suites: readonly SuiteParameters[],
  ): PskSource | undefined;
}

/** The part that takes external PSKs. */
export const externalPsks: ExternalPsks = {
  settings({ psks, hideUnknownPsks, credentials, clientAuth }, crypto, suites) {
    if (psks === undefined) {
      if (hideUnknownPsks !== undefined) throw new TypeError('hideUnknownPsks: is of no use without psks');
      return undefined;
    }
    const hides = boolean('hideUnknownPsks', hideUnknownPsks, true);
    if (hideUnknownPsks !== undefined && credentials !== undefined)
      throw new TypeError(
        'hideUnknownPsks: with credentials an unknown identity leads to a full handshake, which shows that it is unknown',
      );
    if (clientAuth !== undefined && credentials === undefined)
      throw new TypeError('clientAuth: only a server with credentials can ask for a certificate (RFC 9846 §4.4.2)');
    const how = { crypto, targets: targetsOf(suites) };
    const isAlone = credentials === undefined;
    return typeof psks === 'function'
      ? new AskedPsks(psks, how, isAlone, hides)
      : new ListedPsks(psks, how, isAlone, hides);
  },
};

interface How {
  readonly crypto: CryptoProvider;
  readonly targets: readonly HashName[];
}

/** Longer identities are told apart by their digests in {@link PskLookups}; here they are the keys of a list that the user has. */
const keyOf = (identity: Uint8Array): string => latin1(identity);

abstract class Source implements PskSource {
  readonly hides: boolean;
  readonly isAlone: boolean;

  constructor(isAlone: boolean, hides: boolean) {
    this.isAlone = isAlone;
    this.hides = isAlone && hides;
  }

  abstract has(identity: Uint8Array): boolean;
  abstract find(context: ServerHandshake, identity: Uint8Array): Handshake<FoundPsk>;

  judge(...given: Parameters<PskSource['judge']>): ReturnType<PskSource['judge']> {
    return judgePsk(...given);
  }

  refuse(...given: Parameters<PskSource['refuse']>): void {
    if (this.isAlone) refuseHello(this.hides, ...given);
  }
}

/** An array of PSKs. */
class ListedPsks extends Source {
  readonly #psks = new Map<string, WirePsk>();

  constructor(given: readonly ExternalPsk[], how: How, isAlone: boolean, hides: boolean) {
    super(isAlone, hides);
    for (const [i, one] of list('psks', given, '[{ identity, secret }]').entries())
      for (const psk of wirePsks(`psks[${i}]`, one, how)) {
        const key = keyOf(psk.identity);
        if (this.#psks.has(key)) throw new TypeError(`psks[${i}].identity: two PSKs have this identity`);
        this.#psks.set(key, psk);
      }
    requireOneUse(given, how.crypto);
  }

  has(identity: Uint8Array): boolean {
    return this.#psks.has(keyOf(identity));
  }

  *find(context: ServerHandshake, identity: Uint8Array): Handshake<FoundPsk> {
    const found = forServer(this.#psks.get(keyOf(identity)), identity);
    if (!context.decisions.opensByTask) return found;
    return yield* perform({ kind: 'psk', asked: identity, budgeted: false, run: () => found, conclude: () => found });
  }
}

/** A function that finds PSKs. */
class AskedPsks extends Source {
  readonly #ask: FindPsk;
  readonly #how: How;

  constructor(ask: FindPsk, how: How, isAlone: boolean, hides: boolean) {
    super(isAlone, hides);
    this.#ask = ask;
    this.#how = how;
  }

  /** Nobody knows without asking. */
  has(): boolean {
    return false;
  }

  *find(context: ServerHandshake, identity: Uint8Array): Handshake<FoundPsk> {
    return yield* perform({
      kind: 'psk',
      callback: 'psks',
      asked: identity,
      budgeted: true,
      run: () => this.#ask(copyOf(identity), context.info()),
      conclude: (outcome: Outcome<unknown>) => this.#found(context, identity, outcome),
    });
  }

  #found(context: ServerHandshake, identity: Uint8Array, outcome: Outcome<unknown>): FoundPsk {
    const mechanism = mechanismOfIdentity(identity);
    if ('late' in outcome) return { mechanism, reason: 'store-timeout' };
    if ('error' in outcome) return { mechanism, reason: 'store-error' };
    try {
      const psk = this.#psk(identity, outcome.value);
      if (psk !== undefined) context.own(psk.secret);
      return forServer(psk, identity);
    } catch (error) {
      context.blame('psks', error);
      return { mechanism, reason: 'malformed' };
    }
  }

  /** @throws TypeError or RangeError for an answer that is no PSK of this identity */
  #psk(identity: Uint8Array, answer: unknown): WirePsk | undefined {
    if (answer === undefined || answer === null) return undefined;
    requireObject('psks()', answer);
    const imported = importedIdentity(identity);
    const preset = { identity: imported?.externalIdentity ?? identity };
    const given: ExternalPsk = { ...preset, ...(answer as ExternalPsk) };
    const targets = imported === undefined ? [] : this.#how.targets.filter((name) => name === imported.targetHash);
    const [found] = wirePsks('psks()', given, { ...this.#how, targets });
    if (found === undefined && imported !== undefined) return undefined;
    if (found !== undefined && equalBytes(found.identity, identity)) return found;
    throw new TypeError('psks(): a PSK of another identity, or of another context, than was asked for');
  }
}

function mechanismOfIdentity(identity: Uint8Array): 'psk-external' | 'psk-imported' {
  return importedIdentity(identity) === undefined ? 'psk-external' : 'psk-imported';
}

/** A PSK that is for the other role counts as none: whoever offers it may only reflect what a client of ours has sent. */
function forServer(psk: WirePsk | undefined, identity: Uint8Array): FoundPsk {
  if (psk === undefined) return { mechanism: mechanismOfIdentity(identity), reason: 'unknown' };
  const mechanism = mechanismOfPsk(psk);
  return psk.role === 'client' ? { mechanism, reason: 'role' } : { mechanism, psk };
}
