/** A session as its client has it: with the chain of the server, who accepted that, and when the ticket came. */

import type { SessionParameters } from './parameters.ts';
import { Session } from './session.ts';

/** What a client keeps of a session besides the session itself. OpenSSL's encoding has no place for it. */
export interface ClientParameters {
  /** When the server handed it out, in milliseconds since the epoch (RFC 9846 §4.3.11.1). */
  readonly receivedAt: number;
  /** The server's certificates in DER, its own first, as they were accepted. */
  readonly peerChain: readonly Uint8Array[];
  /** Who accepted them: the same object for the same decision. */
  readonly acceptedBy: object;
}

/** A session that a connection of a client was given. `Session.fromDer()` reads the same session without its {@link origin}. */
export class ClientSession extends Session {
  readonly origin: ClientParameters;

  constructor(parameters: SessionParameters, origin: ClientParameters) {
    super(parameters);
    this.origin = origin;
  }
}
