/** Verdicts on external PSKs, which have no session. */

import type { SuiteParameters } from '../../crypto/suites.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { NoResumption, Verdict } from '../outcome.ts';
import type { FoundPsk, PskJudging, ServerHandshake } from './context.ts';
import { SessionVerdict } from './verdict.ts';

const REMEDIES: Partial<Record<NoResumption, string>> = {
  unknown: 'an identity that psks knows',
  malformed: 'an answer of psks that is a PSK of the identity it was asked for',
  'store-error': 'a psks that answers',
  'store-timeout': 'an answer of psks within sessions.lookupTimeoutMs',
  role: "a PSK whose role is not 'client' here",
  hash: 'a suite with the hash of the PSK on both sides, or a PSK that both sides import',
  'client-certificate': 'replacesClientCertificate: true of the PSK, or a certificate in a full handshake',
  binder: 'the same secret on both sides, imported by both or by neither, with the same context',
};

class PskVerdict extends SessionVerdict {
  override lost(reason: NoResumption): Verdict {
    return new PskVerdict({ mechanism: this.mechanism, identityIndex: this.identityIndex, reason });
  }

  override get remedy(): string | undefined {
    return this.reason && REMEDIES[this.reason];
  }
}

/** Judges an external PSK, and selects the suite of its early data, or else the first that has its hash (RFC 9846 §4.3.10, §4.3.11). */
export function judgePsk(
  { settings: { clientAuth }, parts: { psks }, crypto }: ServerHandshake,
  { psk, mechanism, reason: none }: FoundPsk,
  { suites, identityIndex, hello }: PskJudging,
): { readonly verdict: Verdict; readonly suite: SuiteParameters | undefined } {
  const fit = suites.filter(({ hash }) => hash === psk?.hash);
  const suite = fit.find(({ id }) => id === psk?.earlyData?.cipherSuite) ?? fit[0];
  const needsCertificate = clientAuth?.mode === 'require' && psk?.replacesClientCertificate !== true;
  // Where unknown PSKs pass for known ones, a binder of another length than the PSK's takes the work of its own length.
  const length = psk && crypto.hashes[psk.hash].length;
  const isOdd = psks?.hides === true && hello !== undefined && binderLength(hello, identityIndex) !== length;
  const misfit = suite === undefined ? 'hash' : isOdd ? 'binder' : undefined;
  const declined = needsCertificate ? 'client-certificate' : misfit;
  const reason = psk === undefined ? (none ?? 'unknown') : declined;
  return {
    verdict: new PskVerdict({ mechanism, identityIndex, reason }),
    suite: reason === undefined ? suite : undefined,
  };
}

function binderLength({ extensions: { preSharedKey } }: ClientHello, index = 0): number | undefined {
  return [...(preSharedKey?.binders ?? [])][index]?.length;
}
