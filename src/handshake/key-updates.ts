/** KeyUpdate, both ways: RFC 9846 §4.7.3, §7.2. */

import { nextTrafficSecret, type TrafficSecret } from '../crypto/key-schedule.ts';
import { trafficProtection } from '../crypto/protection.ts';
import type { TrafficTls13 } from './established.ts';
import type { HandshakeIO } from './io.ts';
import { type KeyUpdate, KeyUpdateRequest, keyUpdate } from './messages/key-update.ts';

type Acting = Pick<HandshakeIO, 'send' | 'own' | 'discard' | 'protectReading' | 'protectWriting'>;

export class KeyUpdates {
  readonly #context: Acting;
  readonly #traffic: TrafficTls13;
  #reading: TrafficSecret;
  #writing: TrafficSecret;
  /** Whether the peer was asked for new keys and has not sent them yet. Until then there is no second request (RFC 9846 §4.7.3). */
  isRequested = false;

  constructor(context: Acting, traffic: TrafficTls13) {
    this.#context = context;
    this.#traffic = traffic;
    this.#reading = traffic.reading;
    this.#writing = traffic.writing;
  }

  /** Replaces the peer's key. If the peer asks for ours as well, and we may still send, ours follows before anything else is sent. */
  receive({ requestUpdate }: KeyUpdate, maySend: boolean): void {
    this.#reading = this.#next(this.#reading);
    this.isRequested = false;
    this.#context.protectReading(trafficProtection(this.#traffic.aead, this.#reading));
    if (maySend && requestUpdate === KeyUpdateRequest.update_requested) this.send('update_not_requested');
  }

  /** Sends a KeyUpdate and replaces our key. The message itself is the last one under the old key. */
  send(request: keyof typeof KeyUpdateRequest): void {
    this.#context.send(keyUpdate, { requestUpdate: KeyUpdateRequest[request] });
    this.#writing = this.#next(this.#writing);
    this.#context.protectWriting(trafficProtection(this.#traffic.aead, this.#writing));
  }

  /** Replaces our key. With `requestPeer`, also asks the peer to replace its own, unless it was asked already. */
  update(requestPeer: boolean): void {
    const request = requestPeer && !this.isRequested;
    this.isRequested ||= requestPeer;
    this.send(request ? 'update_requested' : 'update_not_requested');
  }

  /** §5.5: asks the peer for a new key, once for each key, because the current one has protected enough. */
  requestFromPeer(): void {
    if (!this.isRequested) this.update(true);
  }

  #next(secret: TrafficSecret): TrafficSecret {
    this.#traffic.main.forget();
    const next = this.#context.own(nextTrafficSecret(secret), 'closed');
    this.#context.discard(secret);
    return next;
  }
}
