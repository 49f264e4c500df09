/**
 * The key schedule of TLS 1.3, RFC 9846 §7.1, as functions from secret to secret.
 *
 *     PSK → Early Secret → ext/res/imp binder_key, client_early_traffic_secret, early_exporter_master_secret
 *               ↓ "derived"
 *     (EC)DHE → Handshake Secret → client/server_handshake_traffic_secret
 *               ↓ "derived"
 *         0 → Main Secret → client/server_application_traffic_secret_0, exporter_, resumption_master_secret
 */

import { ascii, concat, EMPTY, fromHex, wipe } from '../wire/bytes.ts';
import { hkdfLabel, Label } from './hkdf-label.ts';
import type { Aead, Hash, HashName, HmacKey } from './provider.ts';
import { Secret } from './secret.ts';

export type EarlySecret = Secret<'early'>;
export type HandshakeSecret = Secret<'handshake'>;
export type MasterSecret = Secret<'master'>;
export type BinderKey = Secret<'binder'>;
/** client_ or server_, handshake_ or application_traffic_secret_N. */
export type TrafficSecret = Secret<'traffic'>;
export type ExporterMasterSecret = Secret<'exporter master'>;
export type ResumptionMasterSecret = Secret<'resumption master'>;

/** The length of the IV of a traffic key (§5.3), in bytes. */
const IV_LENGTH = 12;
/** The length of ticket_nonce in NewSessionTicket for which {@link resumptionPsk} has an encoded label. */
const TICKET_NONCE = 8;

/** The labels for one hash function. Transcript hashes and secrets have the same length. */
function labels(length: number, emptyHash: string) {
  const hash = new Uint8Array(length);
  const empty = fromHex(emptyHash);
  return {
    zeros: new Uint8Array(length),
    emptyHash: empty,
    derived: new Label('derived', length, empty),
    binders: {
      resumption: new Label('res binder', length, empty),
      external: new Label('ext binder', length, empty),
      imported: new Label('imp binder', length, empty),
    },
    clientEarly: new Label('c e traffic', length, hash),
    earlyExporter: new Label('e exp master', length, hash),
    clientHandshake: new Label('c hs traffic', length, hash),
    serverHandshake: new Label('s hs traffic', length, hash),
    clientApplication: new Label('c ap traffic', length, hash),
    serverApplication: new Label('s ap traffic', length, hash),
    exporterMaster: new Label('exp master', length, hash),
    resumptionMaster: new Label('res master', length, hash),
    resumption: new Label('resumption', length, new Uint8Array(TICKET_NONCE)),
    finished: new Label('finished', length, EMPTY),
    trafficUpdate: new Label('traffic upd', length, EMPTY),
    key16: new Label('key', 16, EMPTY),
    key32: new Label('key', 32, EMPTY),
    iv: new Label('iv', IV_LENGTH, EMPTY),
  };
}

/** Takes the hash of no bytes, which is the context of three labels. */
const LABELS: Readonly<Record<HashName, ReturnType<typeof labels>>> = {
  sha256: labels(32, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'),
  sha384: labels(
    48,
    '38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b',
  ),
};

/** The HMAC key for the empty salt of the first extraction. It is not a secret, so all handshakes share it. */
const unsalted = new WeakMap<Hash, HmacKey>();

function unsaltedKey(hash: Hash): HmacKey {
  const known = unsalted.get(hash);
  if (known !== undefined) return known;
  const key = hash.hmac(EMPTY);
  unsalted.set(hash, key);
  return key;
}

/** RFC 5869 §2.3 */
function expand({ hash, key }: Secret<string>, info: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  let block = EMPTY;
  for (let at = 0, counter = 1; at < length; at += hash.length, counter++) {
    block = key.sign(block, info, Uint8Array.of(counter));
    output.set(block.subarray(0, length - at), at);
  }
  wipe(block);
  return output;
}

/** §7.1: HKDF-Expand-Label, for any label and length. */
export function expandLabel(secret: Secret<string>, label: string, context: Uint8Array, length: number): Uint8Array {
  return expand(secret, hkdfLabel(label, context, length), length);
}

/** §7.1: Derive-Secret, given the hash of the transcript. */
function derive<S extends string>(secret: Secret<string>, label: Label, transcriptHash?: Uint8Array): Secret<S> {
  return new Secret(secret.hash, label.expand(secret.key, transcriptHash));
}

/** The step labelled "derived" between two stages, and the HKDF-Extract (RFC 5869 §2.2) that follows it. */
function nextStage<S extends string>(secret: Secret<string>, keyingMaterial: Uint8Array): Secret<S> {
  const { hash } = secret;
  const salt = derive<'salt'>(secret, LABELS[hash.name].derived);
  const next = new Secret<S>(hash, salt.key.sign(keyingMaterial));
  salt.wipe();
  return next;
}

/** Without a PSK the input is a string of zeros (§7.1). */
export function earlySecret(hash: Hash, psk: Uint8Array | undefined): EarlySecret {
  return new Secret(hash, unsaltedKey(hash).sign(psk ?? LABELS[hash.name].zeros));
}

/** Where a PSK is from: a ticket; outside of TLS; or from there by way of an importer (RFC 9258). */
export type PskKind = 'resumption' | 'external' | 'imported';

/** The binder key of a PSK. Its kind selects the label (§7.1, RFC 9258 §5.2), so that no key passes for one of another kind. */
export function pskBinderKey(early: EarlySecret, kind: PskKind): BinderKey {
  return derive(early, LABELS[early.hash.name].binders[kind]);
}

/** client_early_traffic_secret, over ClientHello. */
export function earlyTrafficSecret(early: EarlySecret, transcriptHash: Uint8Array): TrafficSecret {
  return derive(early, LABELS[early.hash.name].clientEarly, transcriptHash);
}

/** early_exporter_master_secret, over ClientHello. */
export function earlyExporterSecret(early: EarlySecret, transcriptHash: Uint8Array): ExporterMasterSecret {
  return derive(early, LABELS[early.hash.name].earlyExporter, transcriptHash);
}

/** Without (EC)DHE (psk_ke) the input is a string of zeros. */
export function handshakeSecret(early: EarlySecret, dhe: Uint8Array | undefined): HandshakeSecret {
  return nextStage(early, dhe ?? LABELS[early.hash.name].zeros);
}

export function masterSecret(handshake: HandshakeSecret): MasterSecret {
  return nextStage(handshake, LABELS[handshake.hash.name].zeros);
}

/** The two traffic secrets of one stage. */
export interface TrafficSecrets {
  readonly client: TrafficSecret;
  readonly server: TrafficSecret;
}

/** Over ClientHello…ServerHello. */
export function handshakeTrafficSecrets(secret: HandshakeSecret, transcriptHash: Uint8Array): TrafficSecrets {
  const { clientHandshake, serverHandshake } = LABELS[secret.hash.name];
  return {
    client: derive(secret, clientHandshake, transcriptHash),
    server: derive(secret, serverHandshake, transcriptHash),
  };
}

/** Over ClientHello…server Finished. */
export function applicationTrafficSecrets(secret: MasterSecret, transcriptHash: Uint8Array): TrafficSecrets {
  const { clientApplication, serverApplication } = LABELS[secret.hash.name];
  return {
    client: derive(secret, clientApplication, transcriptHash),
    server: derive(secret, serverApplication, transcriptHash),
  };
}

/** Over ClientHello…server Finished. */
export function exporterMasterSecret(secret: MasterSecret, transcriptHash: Uint8Array): ExporterMasterSecret {
  return derive(secret, LABELS[secret.hash.name].exporterMaster, transcriptHash);
}

/** Over ClientHello…client Finished. */
export function resumptionMasterSecret(secret: MasterSecret, transcriptHash: Uint8Array): ResumptionMasterSecret {
  return derive(secret, LABELS[secret.hash.name].resumptionMaster, transcriptHash);
}

/** §7.2 */
export function nextTrafficSecret(secret: TrafficSecret): TrafficSecret {
  return derive(secret, LABELS[secret.hash.name].trafficUpdate);
}

/** §7.3 */
export function trafficKeys(aead: Aead, { hash, key }: TrafficSecret): { key: Uint8Array; iv: Uint8Array } {
  const { key16, key32, iv } = LABELS[hash.name];
  return { key: (aead.keyLength === 16 ? key16 : key32).expand(key), iv: iv.expand(key) };
}

/** §4.5.3: verify_data of a Finished, and the value of a PSK binder (§4.3.11.2). */
export function finishedMac(baseKey: TrafficSecret | BinderKey, transcriptHash: Uint8Array): Uint8Array {
  const finishedKey = derive<'finished'>(baseKey, LABELS[baseKey.hash.name].finished);
  const mac = finishedKey.key.sign(transcriptHash);
  finishedKey.wipe();
  return mac;
}

/** §4.7.1: the PSK of a ticket. */
export function resumptionPsk(secret: ResumptionMasterSecret, ticketNonce: Uint8Array): Uint8Array {
  const { hash, key } = secret;
  if (ticketNonce.length === TICKET_NONCE) return LABELS[hash.name].resumption.expand(key, ticketNonce);
  return expandLabel(secret, 'resumption', ticketNonce, hash.length);
}

/** §7.5: TLS-Exporter. Unlike in TLS 1.2, no context and an empty one give the same result. */
export function exportKeyingMaterial(
  secret: ExporterMasterSecret,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const { hash } = secret;
  const labelled = new Secret<'exporter'>(hash, expandLabel(secret, label, LABELS[hash.name].emptyHash, hash.length));
  const output = expandLabel(labelled, 'exporter', hash.digest(context), length);
  labelled.wipe();
  return output;
}

/** §4.5.2: the content that CertificateVerify signs. */
export function certificateVerifyContent(context: 'server' | 'client', transcriptHash: Uint8Array): Uint8Array {
  const title = ascii(`TLS 1.3, ${context} CertificateVerify`);
  return concat(new Uint8Array(64).fill(0x20), title, Uint8Array.of(0), transcriptHash);
}
