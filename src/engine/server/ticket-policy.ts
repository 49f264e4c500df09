/** The decisions about tickets that a server makes once, for all of its connections. */

import type { Sealed } from '../../handshake/server/context.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import type { Session } from '../../sessions/session.ts';
import type { OnDecryptTicket, OnGenerateTicket } from '../../tickets/callbacks.ts';
import type { KeyTimer, TicketKeyProvider } from '../../tickets/key-provider.ts';
import type { World } from '../../world.ts';
import type { Event } from '../events.ts';

/** The services of a connection that sealed tickets use. Its host has them; a policy must not import the host, which has a policy. */
export interface TicketHost {
  readonly world: World;
  /** The shell's, for the keys; `undefined` if it has none. */
  readonly keyTimer: KeyTimer | undefined;
  info(): ConnectionInfo;
  /** Seconds since the epoch. */
  now(): number;
  emit(event: Event): void;
  /** Takes over the caller's hold on an offered session until the handshake is complete, or longer if it resumes the session. */
  adoptOffered(session: Session): Session;
}

/** Sealed tickets, as an optional part of a server. */
export interface SealedTickets {
  /** @internal Returns the sealed tickets of one connection. */
  connect(policy: TicketPolicy, host: TicketHost): Sealed;
  /** Returns the keys that the options name, or fresh ones. @throws TypeError for a wrong kind */
  keys(given: TicketKeyProvider | undefined, world: World): TicketKeyProvider;
}

/** The application's callbacks for tickets; `TicketOptions` documents them. */
export interface TicketCallbacks {
  readonly onGenerate?: OnGenerateTicket | undefined;
  readonly onDecrypt?: OnDecryptTicket | undefined;
}

/** The ticket keys of a server and the callbacks that it asks. */
export interface TicketPolicy {
  readonly keys: TicketKeyProvider | undefined;
  /** `undefined` in a server that cannot have the mode 'stateless'. */
  readonly sealing: SealedTickets | undefined;
  /** Whether sessions that do not record their scope are accepted, because other servers seal with these keys, too. */
  readonly acceptsForeign: boolean;
  readonly callbacks: TicketCallbacks;
}
