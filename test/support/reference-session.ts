/** The judge of session DER: d2i_SSL_SESSION(3) and i2d_SSL_SESSION(3) of the OpenSSL under node:tls, in process. */

import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { splitNodeSession } from '../../src/sessions/node-session.ts';
import { toHex } from '../../src/wire/bytes.ts';

/** What option `session` of tls.connect() calls; the type definitions do not have it. */
type SessionSocket = TLSSocket & { setSession(session: Buffer): void };

/** A socket that never connects: it keeps what it is given (SSL_set_session(3)), and gives it away again. */
export class ReferenceSession {
  readonly #socket = new TLSSocket(
    new Duplex({ read: () => {}, write: (_chunk, _encoding, callback) => callback() }),
    { rejectUnauthorized: false }, // else the newer Nodes take no DER that is not wrapped
  ) as SessionSocket;
  readonly #none: Buffer;

  /** @param none a session that nobody asks about; as OpenSSL writes it */
  constructor(none: Uint8Array) {
    this.#none = Buffer.from(none);
    this.#socket.setSession(this.#none);
    if (!this.#kept().equals(this.#none)) throw new Error('not as OpenSSL writes it');
  }

  /** What OpenSSL writes of the session that it reads; `undefined` where it reads none. */
  recode(bytes: Uint8Array): Uint8Array | undefined {
    this.#socket.setSession(this.#none);
    this.#socket.setSession(Buffer.from(bytes)); // what it cannot read it drops without a word
    const kept = this.#kept();
    return kept.equals(this.#none) ? undefined : Uint8Array.from(kept);
  }

  #kept(): Buffer {
    const session = this.#socket.getSession();
    if (session === undefined) throw new Error('no session at all');
    return Buffer.from(splitNodeSession(session).der);
  }

  /** Hexadecimal, for messages. */
  recodeHex(bytes: Uint8Array): string | undefined {
    const recoded = this.recode(bytes);
    return recoded && toHex(recoded);
  }

  close(): void {
    this.#socket.destroy();
  }
}
