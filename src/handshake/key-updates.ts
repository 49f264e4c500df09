/** KeyUpdate, both ways: RFC 8446 §4.6.3, §7.2. */

import { nextTrafficSecret, type TrafficSecret } from '../crypto/key-schedule.ts';
import { trafficProtection } from '../crypto/protection.ts';
import type { TrafficTls13 } from './established.ts';
import type { HandshakeIO } from './io.ts';
import { type KeyUpdate, KeyUpdateRequest, keyUpdate } from './messages/key-update.ts';

type Acting = Pick<HandshakeIO, 'send' | 'own' | 'discard' | 'protectReading' | 'protectWriting'>;

export class KeyUpdates {
  readonly #context: Acting;
  readonly #traffic: TrafficTls13;
  #client: TrafficSecret;
  #server: TrafficSecret;
  /** The peer has been asked for new keys and they have not come: no second request until then (RFC 9846 §4.7.3). */
  isRequested = false;

  constructor(context: Acting, traffic: TrafficTls13) {
    this.#context = context;
    this.#traffic = traffic;
    this.#client = traffic.secrets.client;
    this.#server = traffic.secrets.server;
  }

  /** The peer's keys go on by one; where it asks for ours, and we may still speak, they follow before anything else is sent. */
  receive({ requestUpdate }: KeyUpdate, maySend: boolean): void {
    this.#client = this.#next(this.#client);
    this.isRequested = false;
    this.#context.protectReading(trafficProtection(this.#traffic.aead, this.#client));
    if (maySend && requestUpdate === KeyUpdateRequest.update_requested) this.send('update_not_requested');
  }

  /** The message itself is the last one under the old key. */
  send(request: keyof typeof KeyUpdateRequest): void {
    this.#context.send(keyUpdate, { requestUpdate: KeyUpdateRequest[request] });
    this.#server = this.#next(this.#server);
    this.#context.protectWriting(trafficProtection(this.#traffic.aead, this.#server));
  }

  /** New keys for our direction, and for the peer's as well where it is to be asked and has not been. */
  update(requestPeer: boolean): void {
    const request = requestPeer && !this.isRequested;
    this.isRequested ||= requestPeer;
    this.send(request ? 'update_requested' : 'update_not_requested');
  }

  /** §5.5: the peer's key has protected enough; asked once a key. */
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
