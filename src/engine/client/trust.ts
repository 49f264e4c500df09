/** Who has a say on a server's certificates: `verifyServer` and `pins`. */

import { type Awaitable, later } from '../../awaitable.ts';
import { parseCertificate } from '../../crypto/credentials/certificate.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { Stapled } from '../../handshake/client/context.ts';
import type { Acceptance } from '../../sessions/client-session.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { fromBase64, toHex } from '../../wire/bytes.ts';
import type { VerifyServer } from './options.ts';

/** The decision of a client about servers. A session remembers by which one it was accepted; see {@link isSameTrust}. */
export interface Trust extends Acceptance {
  /** Whether every server is accepted. */
  readonly isAny: boolean;
  /** Whether a chain that was accepted before still has a pinned key. */
  isPinned(chain: readonly Uint8Array[]): boolean;
  /** Answers true, or throws the TlsAlert of a refusal. May answer anything else, which refuses, too. */
  judge(chain: readonly Uint8Array[], name: string | undefined, stapled: Stapled): Awaitable<unknown>;
}

/** @throws TypeError if nobody judges, or a pin is none */
export function trust(
  verifyServer: VerifyServer | 'any' | undefined,
  pins: readonly string[] | undefined,
  { hashes: { sha256 } }: CryptoProvider,
  hasPsks = false,
): Trust {
  if (verifyServer === undefined && pins === undefined && hasPsks) return pskTrust();
  if (verifyServer === undefined && pins === undefined)
    throw new TypeError("verifyServer: who judges the server? Give a function, pins, or 'any', which trusts everybody");
  if (verifyServer !== undefined && verifyServer !== 'any' && typeof verifyServer !== 'function')
    throw new TypeError("verifyServer: a function is wanted, or the word 'any'");
  const digests = pins === undefined ? undefined : new Set(requirePins(pins));
  const isPinned = ([leaf]: readonly Uint8Array[]): boolean =>
    digests === undefined || (leaf !== undefined && digests.has(toHex(sha256.digest(parseCertificate(leaf).spki))));
  return Object.freeze({
    isAny: verifyServer === 'any' && pins === undefined,
    verifyServer,
    pins: Object.freeze([...(digests ?? [])].sort()),
    isPinned,
    judge: (chain: readonly Uint8Array[], name: string | undefined, stapled: Stapled) => {
      if (!isPinned(chain)) throw new TlsAlert('bad_certificate', 'the key of the server is not among the pins');
      if (typeof verifyServer !== 'function') return true;
      return later<unknown, unknown>(verifyServer(chain, name, stapled), (answer) => answer);
    },
  });
}

/** A client that names nobody to judge certificates accepts none: a server has to know one of the PSKs. */
function pskTrust(): Trust {
  const judge = (): never => {
    throw new TlsAlert('certificate_unknown', 'a certificate in the place of a PSK, and neither verifyServer nor pins');
  };
  return Object.freeze({ isAny: false, verifyServer: judge, pins: Object.freeze([]), isPinned: () => true, judge });
}

/** Whether what `other` has accepted `own` would have accepted, too: it is the same function with the same pins. */
export function isSameTrust(other: Acceptance, own: Acceptance): boolean {
  return other.verifyServer === own.verifyServer && other.pins.join() === own.pins.join();
}

function requirePins(pins: readonly string[]): string[] {
  if (!Array.isArray(pins) || pins.length === 0) throw new TypeError('pins: at least one SHA-256 digest is wanted');
  return pins.map(pinInHex);
}

/** RFC 7469 §2.4 writes pins in base64; tools print hexadecimal as well, with or without colons. */
function pinInHex(pin: string): string {
  const text = typeof pin === 'string' ? pin.replace(/^sha256[/:]+/i, '') : '';
  const hex = text.replaceAll(':', '').toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  const bytes = fromBase64(text);
  if (bytes?.length === 32) return toHex(bytes);
  throw new TypeError('pins: a SHA-256 digest is wanted: 64 hexadecimal digits, or 44 characters of base64');
}
