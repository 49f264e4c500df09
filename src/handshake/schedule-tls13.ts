/** The stages of the TLS 1.3 key schedule as a handshake goes through them, in either role: RFC 9846 §7.1, §7.3. */

import {
  applicationTrafficSecrets,
  type EarlySecret,
  earlyExporterSecret,
  earlyTrafficSecret,
  type HandshakeSecret,
  handshakeSecret,
  handshakeTrafficSecrets,
  masterSecret,
  type TrafficSecrets,
} from '../crypto/key-schedule.ts';
import { type Protection, trafficProtection } from '../crypto/protection.ts';
import type { Aead } from '../crypto/provider.ts';
import type { SuiteParameters } from '../crypto/suites.ts';
import { EMPTY } from '../wire/bytes.ts';
import type { Established, TrafficTls13 } from './established.ts';
import type { HandshakeIO } from './io.ts';
import { MainSecret } from './main-secret.ts';

/** The traffic secrets of a stage, and the AEAD that they are for. */
export interface Stage {
  readonly aead: Aead;
  readonly secrets: TrafficSecrets;
}

export interface HandshakeStage extends Stage {
  readonly handshake: HandshakeSecret;
}

export interface ApplicationStage extends Stage {
  readonly main: MainSecret;
}

/** Derives what protects early data, when the ClientHello alone is in the transcript, and the exporter secret of early data. */
export function earlyProtection(
  context: HandshakeIO,
  { aead }: SuiteParameters,
  early: EarlySecret,
  transcriptHash: Uint8Array,
): Protection {
  const secret = context.own(earlyTrafficSecret(early, transcriptHash));
  const exporter = context.own(earlyExporterSecret(early, transcriptHash), 'closed');
  context.earlyExporter = exporter;
  if (context.logsKeys) {
    context.keylog('CLIENT_EARLY_TRAFFIC_SECRET', secret.bytes);
    context.keylog('EARLY_EXPORTER_SECRET', exporter.bytes);
  }
  exporter.dropHmacKey();
  return trafficProtection(context.crypto.aeads[aead], secret);
}

/** Derives the handshake traffic secrets, when ServerHello is in the transcript. `dhe` is absent in psk_ke. */
export function handshakeStage(
  context: HandshakeIO,
  suite: SuiteParameters,
  early: EarlySecret,
  dhe: Uint8Array | undefined,
): HandshakeStage {
  const handshake = context.own(handshakeSecret(early, dhe));
  const secrets = handshakeTrafficSecrets(handshake, context.transcript.peek());
  context.own(secrets.client);
  context.own(secrets.server);
  logSecrets(context, 'HANDSHAKE_TRAFFIC_SECRET', secrets);
  return { aead: context.crypto.aeads[suite.aead], handshake, secrets };
}

/** Derives the application traffic secrets, when the server's Finished is in the transcript. */
export function applicationStage(context: HandshakeIO, { aead, handshake }: HandshakeStage): ApplicationStage {
  const transcriptHash = context.transcript.peek();
  const master = masterSecret(handshake);
  const main = context.own(new MainSecret(master, transcriptHash), 'closed');
  const secrets = applicationTrafficSecrets(master, transcriptHash);
  context.own(secrets.client, 'closed');
  context.own(secrets.server, 'closed');
  logSecrets(context, 'TRAFFIC_SECRET_0', secrets);
  return { aead, main, secrets };
}

/** Returns what the connection goes on with. `reading` and `writing` are the two secrets of the stage, by our role. */
export function establishedTls13(
  context: HandshakeIO,
  { aead, main }: ApplicationStage,
  { reading, writing }: Pick<TrafficTls13, 'reading' | 'writing'>,
  tickets?: Pick<Established, 'issuer' | 'ticketsDue'>,
): Established {
  if (context.logsKeys) context.keylog('EXPORTER_SECRET', main.exporter.bytes);
  for (const secret of [main, reading, writing]) secret.dropHmacKey();
  return {
    traffic: { aead, reading, writing, main },
    exportKeyingMaterial: (length, label, exporterContext) => main.export(label, exporterContext ?? EMPTY, length),
    issuer: tickets?.issuer,
    ticketsDue: tickets?.ticketsDue,
  };
}

function logSecrets(context: HandshakeIO, stage: string, { client, server }: TrafficSecrets): void {
  if (!context.logsKeys) return;
  context.keylog(`CLIENT_${stage}`, client.bytes);
  context.keylog(`SERVER_${stage}`, server.bytes);
}
