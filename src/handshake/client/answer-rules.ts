/** What an answer of the server's may contain: RFC 9846 §4.3, RFC 5246 §7.4.1.3, §7.4.1.4. */

import type { SuiteParameters } from '../../crypto/suites.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { EMPTY } from '../../wire/bytes.ts';
import { decode } from '../../wire/codec.ts';
import { MAX_PLAINTEXT } from '../../wire/record.ts';
import { CipherSuite, ExtensionType, nameOf, ProtocolVersion, type Version } from '../../wire/registry.ts';
import { ProtocolNameList } from '../messages/client-hello.ts';
import type { UndecidedServerHello } from '../messages/undecided-server-hello.ts';
import { acceptLimited, obeyRecordSizeLimit } from '../record-size-limit.ts';
import type { ClientHandshake, SentHello } from './context.ts';
import type { HelloDraft } from './hello-draft.ts';
import { extensionIn, speaks, typesIn } from './send-hello.ts';

/** §4.2.3, also of a HelloRetryRequest (§4.2.4); RFC 5246 §7.4.1.3. @throws TlsAlert protocol_version or illegal_parameter */
export function requireConstants({ legacyVersion, legacyCompressionMethod }: UndecidedServerHello): void {
  if (legacyVersion !== ProtocolVersion['TLSv1.2'])
    throw new TlsAlert('protocol_version', `a ServerHello of version ${nameOf(ProtocolVersion, legacyVersion)}`);
  if (legacyCompressionMethod !== 0) throw new TlsAlert('illegal_parameter', 'a compression method');
}

/** What this library gives a meaning in an answer. A tester may offer encrypted_client_hello, and a server answer it. */
function isKnown(type: number): boolean {
  const known: readonly number[] = Object.values(ExtensionType);
  return known.includes(type) && type !== ExtensionType.encrypted_client_hello;
}

/** @throws TlsAlert illegal_parameter for an extension that is known and has no place in the message (§4.3); others are ignored */
export function requirePlaced(order: readonly number[] | undefined, allowed: readonly number[]): void {
  const misplaced = order?.find((type) => !allowed.includes(type) && isKnown(type));
  if (misplaced !== undefined) throw new TlsAlert('illegal_parameter', `extension ${misplaced} has no place here`);
}

/**
 * Checks the extensions of an answer: each must answer one of the hello's, be it one that a tester has put in, and be one that this
 * message may have.
 * @throws TlsAlert unsupported_extension, or illegal_parameter (§4.3)
 */
export function requireAnswers(
  { draft }: SentHello,
  order: readonly number[] | undefined,
  allowed: readonly number[],
  unasked: readonly number[] = [],
): void {
  const offered = typesIn(draft);
  const unsolicited = order?.find((type) => !offered.has(type) && !unasked.includes(type));
  if (unsolicited !== undefined)
    throw new TlsAlert('unsupported_extension', `extension ${unsolicited}, which was not offered`);
  requirePlaced(order, allowed);
}

/** Returns the suite that the server has selected. @throws TlsAlert illegal_parameter if it was not offered, or is of another version */
export function selectedSuite(
  { settings }: ClientHandshake,
  { draft }: SentHello,
  id: number,
  version: Version,
): SuiteParameters {
  const suite = settings.suites.find((one) => one.id === id && one.version === version);
  if (suite !== undefined && draft.cipherSuites.includes(id)) return suite;
  throw new TlsAlert('illegal_parameter', `the suite ${nameOf(CipherSuite, id)}, which was not offered`);
}

/** RFC 7301 §3.2. @throws TlsAlert illegal_parameter unless the answer is one protocol, and one that was offered */
export function selectedProtocol({ draft }: SentHello, answer: readonly string[] | undefined): string | undefined {
  if (answer === undefined) return undefined;
  const [protocol] = answer;
  if (protocol !== undefined && answer.length === 1 && offeredProtocols(draft).includes(protocol)) return protocol;
  throw new TlsAlert('illegal_parameter', 'not one of the application protocols that were offered');
}

/** Those in the hello itself, which a tester may have changed. */
function offeredProtocols(draft: HelloDraft): readonly string[] {
  try {
    return decode(ProtocolNameList, extensionIn(draft, ExtensionType.application_layer_protocol_negotiation) ?? EMPTY);
  } catch {
    return []; // what a tester has put there is no list
  }
}

/** The answers that limit the length of records. */
interface Limits {
  readonly recordSizeLimit?: number | undefined;
  readonly maxFragmentLength?: number | undefined;
}

/**
 * Applies the limits that the server has answered with: record_size_limit (RFC 8449 §4, §5) or max_fragment_length (RFC 6066 §4).
 * @throws TlsAlert illegal_parameter for a limit below 64, for both, and for another length than was asked for
 */
export function applyLimits(context: ClientHandshake, { recordSizeLimit, maxFragmentLength }: Limits): void {
  const { settings, facts } = context;
  if (recordSizeLimit !== undefined && maxFragmentLength !== undefined)
    throw new TlsAlert('illegal_parameter', 'record_size_limit and max_fragment_length');
  if (maxFragmentLength !== undefined) {
    if (maxFragmentLength !== settings.maxFragmentLength)
      throw new TlsAlert('illegal_parameter', 'another max_fragment_length than was asked for');
    facts.maxFragmentLength = maxFragmentLength;
    context.limitRecords(2 ** (8 + maxFragmentLength), true);
  }
  if (recordSizeLimit !== undefined) obeyRecordSizeLimit(context, recordSizeLimit);
}

/**
 * RFC 8449 §4: refuses protected records that are longer than the hello allows, if the server has answered it. The limit in the hello
 * includes the byte of the content type if TLS 1.3 is offered, whichever version is selected.
 */
export function acceptAsOffered(context: ClientHandshake, { recordSizeLimit }: Limits): void {
  const { settings, facts } = context;
  const { recordSizeLimit: own } = settings;
  const surplus = facts.version === 'TLSv1.2' && speaks(settings, 'TLSv1.3') ? 1 : 0;
  acceptLimited(context, recordSizeLimit, own && Math.min(own + surplus, MAX_PLAINTEXT));
}
