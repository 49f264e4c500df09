/** A session as its client has it: with the chain of the server, who accepted that, and when the ticket came. */

import type { SessionParameters } from './parameters.ts';
import { Session } from './session.ts';

/** Who has accepted a server: the same decision is by the same function with the same pins. */
export interface Acceptance {
  /** The function, or the word 'any'; `undefined` if the pins alone have decided. */
  readonly verifyServer: unknown;
  /** SHA-256 digests of public keys, in hexadecimal and sorted; empty if there were none. */
  readonly pins: readonly string[];
}

/** What a client keeps of a session besides the session itself. OpenSSL's encoding has no place for it. */
export interface ClientParameters {
  /** When the server handed it out, in milliseconds since the epoch (RFC 9846 §4.3.11.1). */
  readonly receivedAt: number;
  /** The server's certificates in DER, its own first, as they were accepted. */
  readonly peerChain: readonly Uint8Array[];
  /** Who accepted them. */
  readonly acceptedBy: Acceptance;
}

/** A session that a connection of a client was given. `Session.fromDer()` reads the same session without its {@link origin}. */
export class ClientSession extends Session {
  readonly origin: ClientParameters;

  /** Copies what `Session` copies, and keeps `origin`. @throws RangeError naming the field that is out of its range */
  constructor(parameters: SessionParameters, origin: ClientParameters) {
    super(parameters);
    this.origin = origin;
  }

  /** As of a `Session`, and with the certificates of the server's issuers, though sessions of one connection share them. */
  override get byteLength(): number {
    return this.origin.peerChain.slice(1).reduce((bytes, { length }) => bytes + length, super.byteLength);
  }
}
