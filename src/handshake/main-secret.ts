/** The exporter and resumption secrets, which are derived from the Main Secret after the application traffic secrets (RFC 9846 §7.1). */

import {
  type ExporterMasterSecret,
  exporterMasterSecret,
  exportKeyingMaterial,
  type MasterSecret,
  type ResumptionMasterSecret,
  resumptionMasterSecret,
} from '../crypto/key-schedule.ts';
import { wipeAll } from '../wire/bytes.ts';

/**
 * MainSecret holds the Main Secret for as long as something may still be derived from it. Most connections never export and many
 * issue no ticket, so both secrets are derived when first needed. Until then the first traffic secrets could be derived again
 * from the Main Secret; {@link MainSecret.forget} ends that when they must be forgotten (§7.2).
 */
export class MainSecret {
  readonly #master: MasterSecret;
  readonly #serverFinished: Uint8Array;
  #clientFinished: Uint8Array | undefined;
  #exporter: ExporterMasterSecret | undefined;
  #resumption: ResumptionMasterSecret | undefined;

  /** Takes over `master`, and wipes it in time. `transcriptHash` covers ClientHello…server Finished. */
  constructor(master: MasterSecret, transcriptHash: Uint8Array) {
    this.#master = master;
    this.#serverFinished = transcriptHash;
  }

  /** Sets the transcript hash of ClientHello…client Finished, received or computed in advance, for {@link MainSecret.resumption}. */
  finish(transcriptHash: Uint8Array): void {
    this.#clientFinished = transcriptHash;
  }

  /** The exporter secret. The first use also wipes the Main Secret, as nothing else is derived from it later. */
  get exporter(): ExporterMasterSecret {
    this.forget();
    return this.#exporter as ExporterMasterSecret;
  }

  /** The resumption secret. @throws Error before {@link MainSecret.finish} */
  get resumption(): ResumptionMasterSecret {
    if (this.#resumption !== undefined) return this.#resumption;
    if (this.#clientFinished === undefined) throw new Error('no Finished');
    this.#resumption = resumptionMasterSecret(this.#master, this.#clientFinished);
    return this.#resumption;
  }

  /** Derives the secrets that may still be needed, then wipes the Main Secret. Further calls do nothing. */
  forget(): void {
    if (this.#exporter !== undefined) return;
    this.#exporter = exporterMasterSecret(this.#master, this.#serverFinished);
    if (this.#clientFinished !== undefined) this.resumption.dropHmacKey();
    this.#master.wipe();
  }

  /** Gives back the HMAC keys, as none is needed until the next export or ticket. */
  dropHmacKey(): void {
    this.#master.dropHmacKey();
    this.#resumption?.dropHmacKey();
  }

  /** Exports `length` bytes (RFC 9846 §7.5). An absent context is the same as an empty one here, unlike in TLS 1.2. */
  export(label: string, context: Uint8Array, length: number): Uint8Array {
    const output = exportKeyingMaterial(this.exporter, label, context, length);
    this.exporter.dropHmacKey();
    return output;
  }

  wipe(): void {
    wipeAll([this.#master, this.#exporter, this.#resumption]);
  }
}
