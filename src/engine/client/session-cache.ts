/** The sessions that a client keeps for its next connections: in memory, and in a store of the application's. */

import { type Awaitable, isPromise } from '../../awaitable.ts';
import { type Acceptance, ClientSession } from '../../sessions/client-session.ts';
import { Session } from '../../sessions/session.ts';
import { equalBytes } from '../../wire/bytes.ts';
import { decode, encode, fixed, opaque, struct, uint16, uint32, vector } from '../../wire/codec.ts';
import type { ClientSessionStore } from './options.ts';

/** The peer of a connection, for which its sessions are good. */
export interface Peer {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly serverName: string | undefined;
}

/** A session, and what it counts: it may change afterwards. */
interface Kept {
  readonly session: ClientSession;
  readonly bytes: number;
}

/** Sessions of one peer, the newest last. */
type Entry = Kept[];

const FORMAT = 1;
const Stored = struct({
  format: uint16,
  /** Milliseconds, as two halves. */
  receivedAtHigh: uint32,
  receivedAtLow: uint32,
  policy: fixed(32),
  chain: vector(0, 0xffffff, opaque(1, 0xffffff)),
  der: opaque(1, 0xffffff),
});

/**
 * The cache of one client. Sessions are kept by host, port and server name. What else a session depends on, trust, credential and
 * versions, is the client's; for what a store brings back, a digest of it must agree.
 */
export class ClientSessions {
  /** The order of a Map is that of its insertions: the peer that was used last stands last. */
  readonly #entries = new Map<string, Entry>();
  readonly #options: CacheSettings;
  #bytes = 0;

  constructor(options: CacheSettings) {
    this.#options = options;
  }

  /** Whether a lookup has to ask the store. */
  asksStore(peer: Peer): boolean {
    return this.#options.store !== undefined && !this.#entries.has(keyOf(peer));
  }

  /** Asks the store for the sessions of a peer. */
  load(peer: Peer): Awaitable<readonly Uint8Array[] | undefined> {
    return this.#options.store?.load(keyOf(peer));
  }

  /** Takes in what the store has answered. What cannot be read, or was made under another policy, is left out. @throws TypeError for no list */
  loaded(peer: Peer, answer: unknown): void {
    if (answer === undefined || answer === null) return;
    if (!Array.isArray(answer))
      throw new TypeError('sessions.store.load(): an array of Uint8Array is wanted, or nothing');
    for (const bytes of answer) {
      const session = bytes instanceof Uint8Array ? this.#read(bytes) : undefined;
      if (session !== undefined) this.#insert(peer, session);
    }
  }

  /** Adds a session, of which the cache takes a hold. Returns the promise of the store, if it gives one. */
  add(peer: Peer, session: ClientSession): PromiseLike<unknown> | undefined {
    this.#insert(peer, session.upRef());
    return this.#save(peer);
  }

  /**
   * Returns the newest session of each version, with holds that are the caller's. One of TLS 1.3 leaves the cache, if the client says
   * so: it is for one use (RFC 9846 Appendix C.4).
   */
  take(peer: Peer, now: number): readonly ClientSession[] {
    const entry = this.#entries.get(keyOf(peer)) ?? [];
    for (const dead of entry.filter(({ session }) => !session.isResumable || session.expires < now))
      this.#drop(entry, dead);
    const newest = [...entry].reverse();
    const psk = newest.find(({ session }) => session.version === 'TLSv1.3');
    const tls12 = newest.find(({ session }) => session.version === 'TLSv1.2');
    const taken = [psk, tls12].flatMap((kept) => (kept === undefined ? [] : kept.session.upRef()));
    if (psk !== undefined && this.#options.singleUse) this.#drop(entry, psk);
    return taken;
  }

  /**
   * Gives up the tickets of TLS 1.3 that descend from the same full handshake as one that the server has declined (RFC 9149 §3). Returns
   * the promise of the store, if it gives one.
   */
  forget(peer: Peer, declined: readonly Session[]): PromiseLike<unknown> | undefined {
    const times = declined.map(({ authTime }) => authTime);
    const entry = this.#entries.get(keyOf(peer)) ?? [];
    const dead = entry.filter(({ session }) => session.version === 'TLSv1.3' && times.includes(session.authTime));
    for (const kept of dead) this.#drop(entry, kept);
    return dead.length > 0 ? this.#save(peer) : undefined;
  }

  /** The number of sessions. */
  get size(): number {
    let size = 0;
    for (const entry of this.#entries.values()) size += entry.length;
    return size;
  }

  /** What the sessions count together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Saves the sessions of a peer after some were given away. */
  saveTaken(peer: Peer): PromiseLike<unknown> | undefined {
    return this.#options.singleUse ? this.#save(peer) : undefined;
  }

  /** Takes over the caller's hold. A session that is larger than all may be together is not kept. */
  #insert(peer: Peer, session: ClientSession): void {
    const { maxBytes, maxPerPeer } = this.#options;
    const bytes = session.byteLength;
    if (bytes > maxBytes) return session.release();
    const key = keyOf(peer);
    const entry = this.#entries.get(key) ?? [];
    entry.push({ session, bytes });
    this.#bytes += bytes;
    if (entry.length > maxPerPeer) this.#drop(entry);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#shrink();
  }

  /** Gives up the peers that were used least lately, and of the last one its oldest sessions, until the rest is within the limits. */
  #shrink(): void {
    const { maxBytes, maxPeers } = this.#options;
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= maxPeers && this.#bytes <= maxBytes) return;
      const isTooMany = this.#entries.size > maxPeers;
      while (entry.length > 0 && (isTooMany || this.#bytes > maxBytes)) this.#drop(entry);
      if (entry.length === 0) this.#entries.delete(key);
    }
  }

  /** Gives up a session of a peer, the oldest unless another is named. */
  #drop(entry: Entry, kept = entry[0]): void {
    if (kept === undefined) return;
    entry.splice(entry.indexOf(kept), 1);
    this.#bytes -= kept.bytes;
    kept.session.release();
  }

  #save(peer: Peer): PromiseLike<unknown> | undefined {
    const { store } = this.#options;
    if (store === undefined) return undefined;
    const key = keyOf(peer);
    const list = (this.#entries.get(key) ?? []).map(({ session }) => this.#write(session));
    const answer: unknown = store.save(key, list);
    return isPromise(answer) ? answer : undefined;
  }

  #write(session: ClientSession): Uint8Array {
    const { receivedAt, peerChain } = session.origin;
    return encode(Stored, {
      format: FORMAT,
      receivedAtHigh: Math.floor(receivedAt / 2 ** 32),
      receivedAtLow: Math.floor(receivedAt) % 2 ** 32,
      policy: this.#options.policy,
      chain: peerChain,
      der: session.toDer(),
    });
  }

  #read(bytes: Uint8Array): ClientSession | undefined {
    try {
      const { format, receivedAtHigh, receivedAtLow, policy, chain, der } = decode(Stored, bytes);
      if (format !== FORMAT || !equalBytes(policy, this.#options.policy)) return undefined;
      const origin = {
        receivedAt: receivedAtHigh * 2 ** 32 + receivedAtLow,
        peerChain: chain,
        acceptedBy: this.#options.acceptedBy,
      };
      const read = Session.fromDer(der);
      const session = new ClientSession(read.parameters(), origin);
      read.free();
      return session;
    } catch {
      return undefined; // damaged, or of another version of this library: a full handshake makes another
    }
  }
}

/** @internal */
export interface CacheSettings {
  readonly maxPeers: number;
  readonly maxPerPeer: number;
  /** Infinity for no limit. */
  readonly maxBytes: number;
  readonly singleUse: boolean;
  readonly store: ClientSessionStore | undefined;
  /** A digest of what a session depends on besides its peer. */
  readonly policy: Uint8Array;
  /** The trust of the client. */
  readonly acceptedBy: Acceptance;
}

/** A text that tells peers apart, which a store may use as a name. */
function keyOf({ host, port, serverName }: Peer): string {
  return JSON.stringify([host ?? null, port ?? null, serverName?.toLowerCase() ?? null]);
}
