/**
 * The key schedule of TLS 1.3, RFC 8446 §7.1, as pure functions. Secrets are branded: the wrong one does not type-check.
 *
 *     PSK → Early Secret → ext/res binder_key
 *               ↓ "derived"
 *     (EC)DHE → Handshake Secret → client/server_handshake_traffic_secret
 *               ↓ "derived"
 *         0 → Master Secret → client/server_application_traffic_secret_0, exporter_, resumption_master_secret
 */

import { ascii, concat, EMPTY, wipe } from '../wire/bytes.ts';
import { encode, opaque, struct, uint16 } from '../wire/codec.ts';
import type { Aead, Hash } from './provider.ts';

declare const stage: unique symbol;
/** A secret of one stage of the schedule. */
export type Secret<Stage extends string> = Uint8Array & { readonly [stage]: Stage };

export type EarlySecret = Secret<'early'>;
export type HandshakeSecret = Secret<'handshake'>;
export type MasterSecret = Secret<'master'>;
export type BinderKey = Secret<'binder'>;
/** client_ or server_, handshake_ or application_traffic_secret_N. */
export type TrafficSecret = Secret<'traffic'>;
export type ExporterMasterSecret = Secret<'exporter master'>;
export type ResumptionMasterSecret = Secret<'resumption master'>;

/** `struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel;` */
const HkdfLabel = struct({ length: uint16, label: opaque(7, 255), context: opaque(0, 255) });

/** RFC 5869 §2.2 */
function extract(hash: Hash, salt: Uint8Array, keyingMaterial: Uint8Array): Uint8Array {
  const key = hash.hmac(salt);
  const prk = key.sign(keyingMaterial);
  key.wipe();
  return prk;
}

/** RFC 5869 §2.3 */
function expand(hash: Hash, secret: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const key = hash.hmac(secret);
  const output = new Uint8Array(length);
  let block = EMPTY;
  for (let at = 0, counter = 1; at < length; at += hash.length, counter++) {
    block = key.sign(block, info, Uint8Array.of(counter));
    output.set(block.subarray(0, length - at), at);
  }
  wipe(block);
  key.wipe();
  return output;
}

/** §7.1: HKDF-Expand-Label */
export function expandLabel(
  hash: Hash,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  return expand(hash, secret, encode(HkdfLabel, { length, label: ascii(`tls13 ${label}`), context }), length);
}

/** §7.1: Derive-Secret, with the transcript already hashed. */
function deriveSecret<S extends string>(
  hash: Hash,
  secret: Uint8Array,
  label: string,
  transcriptHash: Uint8Array,
): Secret<S> {
  return expandLabel(hash, secret, label, transcriptHash, hash.length) as Secret<S>;
}

/** The arrow labelled "derived" between two stages. */
function derived(hash: Hash, secret: Uint8Array): Uint8Array {
  return deriveSecret(hash, secret, 'derived', hash.digest(EMPTY));
}

/** Without a PSK the input is a string of zeros (§7.1). */
export function earlySecret(hash: Hash, psk: Uint8Array | undefined): EarlySecret {
  return extract(hash, EMPTY, psk ?? new Uint8Array(hash.length)) as EarlySecret;
}

/** For a PSK that came by a ticket: label "res binder". */
export function resumptionBinderKey(hash: Hash, early: EarlySecret): BinderKey {
  return deriveSecret(hash, early, 'res binder', hash.digest(EMPTY));
}

/** Without (EC)DHE (psk_ke) the input is a string of zeros. */
export function handshakeSecret(hash: Hash, early: EarlySecret, dhe: Uint8Array | undefined): HandshakeSecret {
  const salt = derived(hash, early);
  const secret = extract(hash, salt, dhe ?? new Uint8Array(hash.length)) as HandshakeSecret;
  wipe(salt);
  return secret;
}

export function masterSecret(hash: Hash, handshake: HandshakeSecret): MasterSecret {
  const salt = derived(hash, handshake);
  const secret = extract(hash, salt, new Uint8Array(hash.length)) as MasterSecret;
  wipe(salt);
  return secret;
}

/** The two traffic secrets of one stage. */
export interface TrafficSecrets {
  readonly client: TrafficSecret;
  readonly server: TrafficSecret;
}

/** Over ClientHello…ServerHello. */
export function handshakeTrafficSecrets(
  hash: Hash,
  secret: HandshakeSecret,
  transcriptHash: Uint8Array,
): TrafficSecrets {
  return {
    client: deriveSecret(hash, secret, 'c hs traffic', transcriptHash),
    server: deriveSecret(hash, secret, 's hs traffic', transcriptHash),
  };
}

/** Over ClientHello…server Finished. */
export function applicationTrafficSecrets(
  hash: Hash,
  secret: MasterSecret,
  transcriptHash: Uint8Array,
): TrafficSecrets {
  return {
    client: deriveSecret(hash, secret, 'c ap traffic', transcriptHash),
    server: deriveSecret(hash, secret, 's ap traffic', transcriptHash),
  };
}

/** Over ClientHello…server Finished. */
export function exporterMasterSecret(
  hash: Hash,
  secret: MasterSecret,
  transcriptHash: Uint8Array,
): ExporterMasterSecret {
  return deriveSecret(hash, secret, 'exp master', transcriptHash);
}

/** Over ClientHello…client Finished. */
export function resumptionMasterSecret(
  hash: Hash,
  secret: MasterSecret,
  transcriptHash: Uint8Array,
): ResumptionMasterSecret {
  return deriveSecret(hash, secret, 'res master', transcriptHash);
}

/** §7.2 */
export function nextTrafficSecret(hash: Hash, secret: TrafficSecret): TrafficSecret {
  return expandLabel(hash, secret, 'traffic upd', EMPTY, hash.length) as TrafficSecret;
}

/** §7.3 */
export function trafficKeys(hash: Hash, aead: Aead, secret: TrafficSecret): { key: Uint8Array; iv: Uint8Array } {
  return {
    key: expandLabel(hash, secret, 'key', EMPTY, aead.keyLength),
    iv: expandLabel(hash, secret, 'iv', EMPTY, 12),
  };
}

/** §4.4.4: verify_data of a Finished, and the value of a PSK binder (§4.2.11.2). */
export function finishedMac(hash: Hash, baseKey: TrafficSecret | BinderKey, transcriptHash: Uint8Array): Uint8Array {
  const finishedKey = expandLabel(hash, baseKey, 'finished', EMPTY, hash.length);
  const key = hash.hmac(finishedKey);
  const mac = key.sign(transcriptHash);
  key.wipe();
  wipe(finishedKey);
  return mac;
}

/** §4.6.1: the PSK of a ticket. */
export function resumptionPsk(hash: Hash, secret: ResumptionMasterSecret, ticketNonce: Uint8Array): Uint8Array {
  return expandLabel(hash, secret, 'resumption', ticketNonce, hash.length);
}

/** §7.5: TLS-Exporter. No context and an empty one are the same here, unlike in TLS 1.2. */
export function exportKeyingMaterial(
  hash: Hash,
  secret: ExporterMasterSecret,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const labelled = deriveSecret(hash, secret, label, hash.digest(EMPTY));
  const output = expandLabel(hash, labelled, 'exporter', hash.digest(context), length);
  wipe(labelled);
  return output;
}

/** §4.4.3: what CertificateVerify signs. */
export function certificateVerifyContent(context: 'server' | 'client', transcriptHash: Uint8Array): Uint8Array {
  const title = ascii(`TLS 1.3, ${context} CertificateVerify`);
  return concat(new Uint8Array(64).fill(0x20), title, Uint8Array.of(0), transcriptHash);
}
