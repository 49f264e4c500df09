/** The ClientHello of a connection, for as long as the handshake needs its bytes. */

import { EMPTY } from '../../wire/bytes.ts';
import { PskKeyExchangeMode } from '../../wire/registry.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { Received } from '../messages/message.ts';

/**
 * A hello that has been received. A handshake that waits keeps all that its functions have named, so they name this object, which
 * {@link forgetHello} empties.
 */
export interface HeldHello {
  raw: Uint8Array;
  body: ClientHello;
  /** When it came, in milliseconds since the epoch. */
  readonly time: number;
}

export function holdHello({ raw, body }: Received<ClientHello>, time: number): HeldHello {
  return { raw, body, time };
}

/**
 * Forgets a hello once it has been hashed and answered: a client may send 128 KiB, and a connection may last for days. The parts that
 * later flights read are kept. They have at most a few hundred bytes.
 */
export function forgetHello(hello: HeldHello): void {
  const { legacyVersion, legacySessionId, extensions } = hello.body;
  const { pskKeyExchangeModes, extendedMasterSecret, recordSizeLimit, maxFragmentLength, ticketRequest } = extensions;
  const { statusRequest, signedCertificateTimestamp } = extensions;
  hello.raw = EMPTY;
  hello.body = {
    legacyVersion,
    random: EMPTY,
    legacySessionId,
    cipherSuites: [],
    legacyCompressionMethods: [],
    extensions: {
      pskKeyExchangeModes: pskKeyExchangeModes && MODES.filter((mode) => pskKeyExchangeModes.includes(mode)),
      extendedMasterSecret,
      recordSizeLimit,
      maxFragmentLength,
      ticketRequest,
      statusRequest,
      signedCertificateTimestamp,
    },
  };
}

const MODES = Object.values(PskKeyExchangeMode);
