/** The sessions that a server hands out to one connection of a client. */

import type { ClientFacts, NewClientSession } from '../../handshake/client/context.ts';
import { call, type Handshake } from '../../handshake/wait.ts';
import { type Acceptance, ClientSession } from '../../sessions/client-session.ts';
import { EMPTY } from '../../wire/bytes.ts';
import type { ClientHost } from './client-host.ts';

/** How many sessions a connection holds, and how many bytes of them. A server may send tickets without end, and long ones. */
const MAX_HELD = 256;
const MAX_HELD_BYTES = 2 ** 20;

/** Who has accepted the server of a handshake that resumed nothing: an external PSK has, if one was used. */
function acceptedBy({ trust, psks }: ClientHost['config'], { resumption }: ClientFacts): Acceptance {
  const usesPsk = !resumption.resumed && resumption.mechanism !== undefined;
  return usesPsk ? { verifyServer: psks, pins: [] } : trust;
}

export class ReceivedSessions {
  readonly #host: ClientHost;
  /** Those of which the application has yet to be told. */
  readonly #waiting: ClientSession[] = [];
  readonly #held: ClientSession[] = [];
  #bytes = 0;

  constructor(host: ClientHost) {
    this.#host = host;
  }

  /** The last sessions, in the order in which they came: {@link MAX_HELD} and {@link MAX_HELD_BYTES} at most. */
  get all(): readonly ClientSession[] {
    return this.#held;
  }

  add(made: NewClientSession, facts: ClientFacts): void {
    const { config } = this.#host;
    const time = this.#host.time();
    const now = Math.floor(time / 1000);
    const { session: resumed, resumed: isResumed } = facts.resumption;
    const origin = {
      receivedAt: time,
      peerChain: facts.peerCertificateChain ?? (resumed instanceof ClientSession ? resumed.origin.peerChain : []),
      acceptedBy: isResumed && resumed instanceof ClientSession ? resumed.origin.acceptedBy : acceptedBy(config, facts),
    };
    const session = new ClientSession(
      {
        version: made.version,
        cipherSuite: made.cipherSuite,
        id: made.id ?? config.crypto.hashes.sha256.digest(made.foreign?.ticket ?? EMPTY),
        secret: made.secret,
        time: now,
        timeout: made.timeout ?? config.sessions.timeout,
        authTime: resumed?.authTime ?? now,
        extendedMasterSecret: made.extendedMasterSecret,
        idContext: EMPTY,
        serverName: facts.serverName,
        alpnProtocol: facts.alpnProtocol,
        group: made.group,
        ticketAgeAdd: made.ticketAgeAdd,
        peerCertificate: facts.peerCertificate,
        foreign: { ...made.foreign, maxFragmentLength: facts.maxFragmentLength || undefined },
      },
      origin,
    );
    facts.session = session;
    this.#held.push(session);
    this.#bytes += session.byteLength;
    this.#waiting.push(session);
  }

  /** Returns a job that tells the application of new sessions; `undefined` if there are none. */
  announce(): Handshake<void> | undefined {
    return this.#waiting.length === 0 ? undefined : this.#announceAll();
  }

  *#announceAll(): Handshake<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const session = next;
      this.#host.emit({ type: 'new-session', session });
      yield* call(() => this.#keep(session));
      this.#letGo(session);
    }
  }

  /** Releases the oldest of those that the application has been told of, up to the `last`, which stays. */
  #letGo(last: ClientSession): void {
    while (this.#held.length > MAX_HELD || this.#bytes > MAX_HELD_BYTES) {
      const [oldest] = this.#held;
      if (oldest === undefined || oldest === last) return;
      this.#held.shift();
      this.#bytes -= oldest.byteLength;
      oldest.release();
    }
  }

  #keep(session: ClientSession): void {
    const { cache, onNew } = this.#host.config.sessions;
    if (cache !== undefined && session.isResumable) this.#host.saved(() => cache.add(this.#host.peer, session));
    try {
      onNew?.(session);
    } catch (error) {
      this.#host.emit({ type: 'callback-error', callback: 'onNew', error });
    }
  }

  /** After a fatal alert none of them is offered again (RFC 5246 §7.2.2). */
  forbid(): void {
    for (const session of this.#held) session.forbidResumption();
  }

  /** Releases the holds. */
  close(): void {
    for (const session of this.#held.splice(0)) session.release();
    this.#waiting.length = 0;
  }
}
