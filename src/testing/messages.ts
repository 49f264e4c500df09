/** The handshake messages by their numbers, so that a trace can read whatever passes. */

import { certificate, certificateTls12 } from '../handshake/messages/certificate.ts';
import { certificateRequest, certificateRequestTls12 } from '../handshake/messages/certificate-request.ts';
import { certificateStatus } from '../handshake/messages/certificate-status.ts';
import { certificateVerify } from '../handshake/messages/certificate-verify.ts';
import { clientHello } from '../handshake/messages/client-hello.ts';
import { clientKeyExchange, clientKeyExchangePsk } from '../handshake/messages/client-key-exchange.ts';
import { encryptedExtensions } from '../handshake/messages/encrypted-extensions.ts';
import { endOfEarlyData } from '../handshake/messages/end-of-early-data.ts';
import { finished } from '../handshake/messages/finished.ts';
import { helloRequest } from '../handshake/messages/hello-request.ts';
import { keyUpdate } from '../handshake/messages/key-update.ts';
import type { Message } from '../handshake/messages/message.ts';
import { newSessionTicket, newSessionTicketTls12 } from '../handshake/messages/new-session-ticket.ts';
import {
  HELLO_RETRY_REQUEST_RANDOM,
  helloRetryRequest,
  serverHello,
  serverHelloTls12,
} from '../handshake/messages/server-hello.ts';
import { serverHelloDone } from '../handshake/messages/server-hello-done.ts';
import { serverKeyExchange, serverKeyExchangePsk } from '../handshake/messages/server-key-exchange.ts';
import { undecidedServerHello } from '../handshake/messages/undecided-server-hello.ts';
import { equalBytes } from '../wire/bytes.ts';
import { type Codec, decode } from '../wire/codec.ts';
import { MESSAGE_HEADER } from '../wire/handshake-buffer.ts';
import { HandshakeType, nameOf, type Version } from '../wire/registry.ts';

const COMMON: readonly Message<unknown>[] = [clientHello, certificateVerify, finished] as readonly Message<unknown>[];
const TLS13 = [endOfEarlyData, encryptedExtensions, certificate, certificateRequest, newSessionTicket, keyUpdate];
const TLS12 = [
  certificateTls12,
  certificateRequestTls12,
  newSessionTicketTls12,
  certificateStatus,
  serverKeyExchange,
  serverKeyExchangePsk,
  serverHelloDone,
  clientKeyExchange,
  clientKeyExchangePsk,
  helloRequest,
];

/** A message as far as it can be read. */
export interface ReadMessage {
  /** As in the RFCs, such as `server_hello`; `hello_retry_request` for that. A number without a name is written in hexadecimal. */
  readonly name: string;
  /** The fields of its struct; `undefined` if it cannot be read. */
  readonly fields: unknown;
  /** Why it cannot be read. */
  readonly error?: string | undefined;
}

/** The name of a message; `hello_retry_request` for that. */
export function nameIn(raw: Uint8Array): string {
  const random = raw.subarray(MESSAGE_HEADER + 2, MESSAGE_HEADER + 34);
  if (raw[0] === HandshakeType.server_hello && equalBytes(random, HELLO_RETRY_REQUEST_RANDOM))
    return 'hello_retry_request';
  return nameOf(HandshakeType, raw[0] ?? 0);
}

/** The declaration of a message; `undefined` for one of an unknown type. A ServerHello says its version itself. */
export function messageOf(raw: Uint8Array, version: Version | undefined): Message<unknown> | undefined {
  if (nameIn(raw) === 'hello_retry_request') return helloRetryRequest as Message<unknown>;
  if (raw[0] === HandshakeType.server_hello)
    return (versionIn(raw) === 'TLSv1.2' ? serverHelloTls12 : serverHello) as Message<unknown>;
  const list = [...COMMON, ...(version === 'TLSv1.2' ? TLS12 : TLS13)] as readonly Message<unknown>[];
  const [first, ...others] = list.filter(({ type }) => type === raw[0]);
  return others.find(({ body }) => isReadable(body, raw)) ?? first; // those of PSKs are none of the others
}

function isReadable(body: Codec<unknown>, raw: Uint8Array): boolean {
  try {
    decode(body, raw, MESSAGE_HEADER);
    return true;
  } catch {
    return false;
  }
}

/** Reads a message, header included. */
export function readMessage(raw: Uint8Array, version: Version | undefined): ReadMessage {
  const name = nameIn(raw);
  try {
    const message = messageOf(raw, version);
    return { name, fields: message && decode(message.body, raw, MESSAGE_HEADER) };
  } catch (error) {
    return { name, fields: undefined, error: error instanceof Error ? error.message : String(error) };
  }
}

/** Returns the version that a ServerHello or HelloRetryRequest has selected; `undefined` for any other message. */
export function versionIn(raw: Uint8Array): Version | undefined {
  if (raw[0] !== HandshakeType.server_hello) return undefined;
  try {
    const { extensions } = decode(undecidedServerHello.body, raw, MESSAGE_HEADER);
    return extensions.supportedVersions === undefined ? 'TLSv1.2' : 'TLSv1.3';
  } catch {
    return undefined;
  }
}
