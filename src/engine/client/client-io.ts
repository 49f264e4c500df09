/** The connection as a client's handshake sees it: implements the interface of handshake/client/context.ts. */

import type { CryptoProvider } from '../../crypto/provider.ts';
import type {
  ClientFacts,
  ClientHandshake,
  ClientParts,
  HelloEdits,
  NewClientSession,
  PskOffer,
  SessionOffer,
  Stapled,
} from '../../handshake/client/context.ts';
import { NOTHING_STAPLED } from '../../handshake/client/server-certificate.ts';
import type { ClientResumption } from '../../handshake/outcome.ts';
import { mechanismOfPsk, type WirePsk } from '../../handshake/psk.ts';
import type { Outcome, Task } from '../../handshake/wait.ts';
import { isOwnAlert, TlsAlert } from '../../wire/alert.ts';
import { refuseServer } from '../../wire/not-tls-server.ts';
import type { PskMode, Version } from '../../wire/registry.ts';
import { ConnectionIO, NOTHING_NEGOTIATED } from '../handshake-io.ts';
import type { ClientHost } from './client-host.ts';
import type { ClientConfig } from './config.ts';
import type { ConnectionOffers } from './offers.ts';
import type { ReceivedSessions } from './received-sessions.ts';

const NOT_RESUMED: ClientResumption = {
  resumed: false,
  mechanism: undefined,
  pskMode: undefined,
  identityIndex: undefined,
  session: undefined,
  reason: 'not-offered',
};

export class ClientIO extends ConnectionIO implements ClientHandshake {
  override readonly facts: ClientFacts = { ...NOTHING_NEGOTIATED, stapled: NOTHING_STAPLED, resumption: NOT_RESUMED };
  readonly #host: ClientHost;
  readonly #offers: ConnectionOffers;
  readonly #received: ReceivedSessions;
  /** What the server says that it resumes. It is true once its Finished has proved that it has the session. */
  #selected: ClientResumption | undefined;

  constructor(host: ClientHost, offers: ConnectionOffers, received: ReceivedSessions) {
    super(host);
    this.#host = host;
    this.#offers = offers;
    this.#received = received;
    const { reader } = host.channel;
    reader.acceptsPlainAlerts = false;
    reader.refusePeer = refuseServer;
  }

  /** RFC 9846 §6: a client of TLS 1.3 alone knows what an alert means before any version is selected. */
  override get alertVersion(): Version | undefined {
    return this.facts.version ?? (this.settings.minVersion === 'TLSv1.3' ? 'TLSv1.3' : undefined);
  }

  get settings(): ClientConfig {
    return this.#host.config;
  }

  get parts(): ClientParts {
    return this.#host.config;
  }

  override get crypto(): CryptoProvider {
    return this.#host.config.crypto;
  }

  get serverName(): string | undefined {
    return this.#host.serverName;
  }

  get edits(): HelloEdits {
    return this.#host.edits;
  }

  get earlyDataLength(): number | undefined {
    const { givenEarlyData: given, config, channel } = this.#host;
    if (given === true) return 0;
    // RFC 9846 §5.5: more than one key may protect is not sent. What a suite allows is more than an array can hold.
    const room = (config.recordsPerKey - 2) * channel.writer.contentLimit;
    return given && given.length <= room ? given.length : undefined;
  }

  writeEarlyData(): void {
    const { givenEarlyData } = this.#host;
    if (givenEarlyData === true || givenEarlyData === undefined) return;
    this.earlyRoom -= givenEarlyData.length;
    this.#host.channel.sendData(givenEarlyData);
  }

  findOffers(): Task<unknown, readonly SessionOffer[]> {
    this.facts.serverName = this.serverName;
    return {
      kind: 'session',
      callback: 'load',
      budgeted: true,
      run: () => this.#offers.load(),
      conclude: (outcome) => {
        const offers = this.#offers.select('value' in outcome ? outcome.value : undefined);
        if (offers.length > 0 || this.settings.psks.length > 0)
          this.facts.resumption = { ...NOT_RESUMED, reason: 'declined' };
        return offers;
      },
    };
  }

  ageOf({ session, age }: SessionOffer): number {
    return age ?? this.#offers.ageOf(session, this.#host.time());
  }

  resume(offer: PskOffer | undefined, identityIndex: number | undefined, pskMode: PskMode | undefined): void {
    if (offer !== undefined && offer.session === undefined) return this.#use(offer.psk, identityIndex, pskMode);
    const session = offer?.session;
    const mechanism = pskMode !== undefined ? 'psk' : offer?.ticket === undefined ? 'session-id' : 'ticket';
    this.#selected = { resumed: true, mechanism, pskMode, identityIndex, session, reason: undefined };
  }

  #use(psk: WirePsk, identityIndex: number | undefined, pskMode: PskMode | undefined): void {
    this.facts.psk = psk;
    this.#selected = { ...NOT_RESUMED, mechanism: mechanismOfPsk(psk), pskMode, identityIndex, reason: undefined };
  }

  override proved(): void {
    super.proved();
    if (this.#selected === undefined) return;
    const { session } = this.#selected;
    this.facts.resumption = this.#selected;
    this.facts.session = session;
    this.facts.peerCertificate = session?.peerCertificate;
  }

  sendRaw(raw: Uint8Array): Uint8Array {
    return this.#host.channel.sendRaw(raw);
  }

  verifyServer(chain: readonly Uint8Array[], stapled: Stapled): Task<unknown, void> {
    const { config, serverName } = this.#host;
    return {
      kind: 'server-certificate',
      callback: 'verifyServer',
      asked: serverName,
      budgeted: false,
      run: () => config.trust.judge(chain, serverName, stapled),
      conclude: requireAccepted,
      isAnswer: isOwnAlert,
    };
  }

  adopt(session: NewClientSession): void {
    this.#received.add(session, this.facts);
  }
}

function requireAccepted(outcome: Outcome): void {
  if ('value' in outcome && outcome.value === true) return;
  if ('value' in outcome) throw new TlsAlert('certificate_unknown', 'verifyServer has refused the certificate');
  if ('error' in outcome && isOwnAlert(outcome.error)) throw outcome.error;
  throw new TlsAlert('internal_error', 'nobody has judged the certificate');
}
