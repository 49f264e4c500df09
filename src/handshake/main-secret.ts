/** What is derived from the Master Secret after the application traffic secrets: the exporter's and the resumption secret (RFC 8446 §7.1). */

import {
  type ExporterMasterSecret,
  exporterMasterSecret,
  exportKeyingMaterial,
  type MasterSecret,
  type ResumptionMasterSecret,
  resumptionMasterSecret,
} from '../crypto/key-schedule.ts';

/**
 * MainSecret holds the Master Secret for as long as something may still be derived from it. Most connections never export and many
 * issue no ticket, so both secrets are derived when first needed. Until then the first traffic secrets could be made again from
 * what is held here; {@link MainSecret.forget} ends that where they must be forgotten (§7.2).
 */
export class MainSecret {
  readonly #master: MasterSecret;
  readonly #serverFinished: Uint8Array;
  #clientFinished: Uint8Array | undefined;
  #exporter: ExporterMasterSecret | undefined;
  #resumption: ResumptionMasterSecret | undefined;

  /** Takes over `master`. `transcriptHash` is of ClientHello…server Finished. */
  constructor(master: MasterSecret, transcriptHash: Uint8Array) {
    this.#master = master;
    this.#serverFinished = transcriptHash;
  }

  /** Sets the transcript hash of ClientHello…client Finished, received or foreseen; {@link MainSecret.resumption} covers it. */
  finish(transcriptHash: Uint8Array): void {
    this.#clientFinished = transcriptHash;
  }

  /** The first call also forgets the Master Secret: nothing else is derived from it later. */
  get exporter(): ExporterMasterSecret {
    this.forget();
    return this.#exporter as ExporterMasterSecret;
  }

  /** @throws Error before {@link MainSecret.finish} */
  get resumption(): ResumptionMasterSecret {
    if (this.#resumption !== undefined) return this.#resumption;
    if (this.#clientFinished === undefined) throw new Error('the resumption secret covers the client Finished');
    this.#resumption = resumptionMasterSecret(this.#master, this.#clientFinished);
    return this.#resumption;
  }

  /** Derives what may still be asked for, then wipes the Master Secret. Further calls do nothing. */
  forget(): void {
    if (this.#exporter !== undefined) return;
    this.#exporter = exporterMasterSecret(this.#master, this.#serverFinished);
    if (this.#clientFinished !== undefined) this.resumption.dropHmacKey();
    this.#master.wipe();
  }

  /** Gives back the HMAC keys: none is needed until the next export or ticket. */
  dropHmacKey(): void {
    this.#master.dropHmacKey();
    this.#resumption?.dropHmacKey();
  }

  /** RFC 8446 §7.5. No context and an empty one are the same here, unlike in TLS 1.2. */
  export(label: string, context: Uint8Array, length: number): Uint8Array {
    const output = exportKeyingMaterial(this.exporter, label, context, length);
    this.exporter.dropHmacKey();
    return output;
  }

  wipe(): void {
    this.#master.wipe();
    this.#exporter?.wipe();
    this.#resumption?.wipe();
  }
}
