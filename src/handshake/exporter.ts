/** The exporter of TLS 1.3, RFC 8446 §7.5. */

import {
  type ExporterMasterSecret,
  exporterMasterSecret,
  exportKeyingMaterial,
  type MasterSecret,
} from '../crypto/key-schedule.ts';

/**
 * Most connections never export, so its secret is made when first asked for. Until then the Master Secret has to stay, from
 * which the first traffic secrets could be made again; {@link Exporter.settle} ends that where they are to be forgotten (§7.2).
 */
export class Exporter {
  readonly #master: MasterSecret;
  readonly #transcriptHash: Uint8Array;
  readonly #issuer: { settle(): void } | undefined;
  #secret: ExporterMasterSecret | undefined;

  /** Takes over `master`, of which `issuer` may want something yet. `transcriptHash`: of ClientHello…server Finished. */
  constructor(master: MasterSecret, transcriptHash: Uint8Array, issuer?: { settle(): void }) {
    this.#master = master;
    this.#transcriptHash = transcriptHash;
    this.#issuer = issuer;
  }

  get secret(): ExporterMasterSecret {
    this.settle();
    return this.#secret as ExporterMasterSecret;
  }

  /** Wipes the Master Secret. */
  settle(): void {
    if (this.#secret !== undefined) return;
    this.#secret = exporterMasterSecret(this.#master, this.#transcriptHash);
    this.#issuer?.settle();
    this.#master.wipe();
  }

  export(label: string, context: Uint8Array, length: number): Uint8Array {
    const output = exportKeyingMaterial(this.secret, label, context, length);
    this.secret.rest();
    return output;
  }

  wipe(): void {
    this.#master.wipe();
    this.#secret?.wipe();
  }
}
