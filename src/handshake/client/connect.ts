/** The client's side of the handshake: ClientHello → version → client-tls13.ts or client-tls12.ts. */

import { TlsAlert } from '../../wire/alert.ts';
import { equalBytes } from '../../wire/bytes.ts';
import { ExtensionType, nameOf, ProtocolVersion, type Version } from '../../wire/registry.ts';
import type { Established } from '../established.ts';
import { DOWNGRADE_TO_TLS12, HELLO_RETRY_REQUEST_RANDOM } from '../messages/server-hello.ts';
import {
  DOWNGRADE_TO_TLS11,
  type UndecidedServerHello,
  undecidedServerHello,
} from '../messages/undecided-server-hello.ts';
import { type Handshake, perform, receive } from '../wait.ts';
import { requireConstants } from './answer-rules.ts';
import type { ClientHandshake, SentHello } from './context.ts';
import { receiveTls12 } from './receive-tls12.ts';
import { offersVersion, sendClientHello, speaks, typesIn } from './send-hello.ts';

export function* connect(context: ClientHandshake): Handshake<Established> {
  const sent = yield* sendClientHello(context, yield* perform(context.findOffers()));
  context.tolerateChangeCipherSpec(offersVersion(sent.draft, 'TLSv1.3')); // §5: from the first ClientHello on
  if (sent.early !== undefined) context.writeEarlyData();
  const hello = yield* offersVersion(sent.draft, 'TLSv1.2')
    ? receiveTls12(undecidedServerHello)
    : receive(undecidedServerHello);
  requireNoDowngrade(sent, hello.body);
  requireConstants(hello.body);
  const version = selectedVersion(context, sent, hello.body);
  context.facts.version = version;
  const protocol = context.parts.protocols.find((candidate) => candidate.version === version);
  if (protocol === undefined) throw new Error(`the settings allow ${version}, which this client does not have`);
  return yield* protocol.connect(context, sent, hello);
}

/** RFC 9846 §4.3.1, §4.2.3. @throws TlsAlert */
function selectedVersion(context: ClientHandshake, sent: SentHello, hello: UndecidedServerHello): Version {
  const { supportedVersions: selected } = hello.extensions;
  if (selected === undefined && equalBytes(hello.random, HELLO_RETRY_REQUEST_RANDOM))
    throw new TlsAlert('missing_extension', 'a HelloRetryRequest without supported_versions'); // §4.2.4
  if (selected === undefined) return requireTls12(context, sent);
  if (!typesIn(sent.draft).has(ExtensionType.supported_versions))
    throw new TlsAlert('unsupported_extension', 'supported_versions, which was not offered');
  // Never a version before TLS 1.3, which the extension does not select (§4.3.1).
  const isOffered = offersVersion(sent.draft, 'TLSv1.3') && speaks(context.settings, 'TLSv1.3');
  if (selected === ProtocolVersion['TLSv1.3'] && isOffered) return 'TLSv1.3';
  throw new TlsAlert('illegal_parameter', `the version ${nameOf(ProtocolVersion, selected)} in supported_versions`);
}

/** @throws TlsAlert protocol_version if TLS 1.2 was not offered, or if early data was sent, which it cannot follow (Appendix E.3) */
function requireTls12({ settings }: ClientHandshake, { draft, early }: SentHello): Version {
  if (early !== undefined) throw new TlsAlert('protocol_version', 'the server has selected TLS 1.2 after early data');
  if (!speaks(settings, 'TLSv1.2') || !offersVersion(draft, 'TLSv1.2'))
    throw new TlsAlert('protocol_version', 'the server has selected TLS 1.2');
  return 'TLSv1.2';
}

/**
 * §4.2.3: an attacker has removed the offer of TLS 1.3. The check is for every ServerHello that indicates TLS 1.2 or below, so it comes
 * before that of the version, whose alert is protocol_version (Appendix E.1). Without TLS 1.3, a client looks below TLS 1.2 alone.
 * @throws TlsAlert illegal_parameter
 */
function requireNoDowngrade({ draft }: SentHello, { legacyVersion, random, extensions }: UndecidedServerHello): void {
  if (extensions.supportedVersions !== undefined) return;
  const end = random.subarray(24);
  const isTls13 = offersVersion(draft, 'TLSv1.3');
  const isFrom13 = isTls13 && equalBytes(end, DOWNGRADE_TO_TLS12);
  const isBelow = (isTls13 || legacyVersion < ProtocolVersion['TLSv1.2']) && equalBytes(end, DOWNGRADE_TO_TLS11);
  if (isFrom13 || isBelow) throw new TlsAlert('illegal_parameter', 'somebody between has downgraded the version');
}
