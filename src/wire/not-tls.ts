/** Names what a client, or another peer, sends that does not speak TLS, for the one who reads the error. */

import { TlsAlert } from './alert.ts';

/** How many bytes tell what it is. */
export const TELLING = 16;

/** What a peer speaks that begins like this, and what to do about it. */
export type Kinds = readonly (readonly [pattern: RegExp, kind: string])[];

const IN_THE_CLEAR = 'in the clear: have the client begin with TLS at once (implicit TLS, not STARTTLS)';

/** Clients. */
const CLIENTS: Kinds = [
  [/^(GET|CONNECT [^{])|^[A-Z-]{3,} [*/h]/i, 'plain HTTP: the URL must begin with https://'],
  [/^PROXY|^\r\n\r\n\0/, 'a PROXY protocol header: turn it off at the load balancer, or read it before TLS begins'],
  [/^SSH-/, 'SSH: this is the port of another service'],
  [/^(EHL|HEL|LHL)O/i, `SMTP ${IN_THE_CLEAR}`],
  [/^\S+ (CAPA|LOGI|STAR|AUTH)/i, `IMAP ${IN_THE_CLEAR}`],
  [/^(USER|AUTH|CAPA|FEAT|STLS)/i, `FTP or POP3 ${IN_THE_CLEAR}`],
  [/^\*\d/, `Redis ${IN_THE_CLEAR}`],
  [/^</, `XMPP ${IN_THE_CLEAR}`],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: its CONNECT is binary
  [/^\x10.{3,5}MQ/s, `MQTT ${IN_THE_CLEAR}`],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a BindRequest or an ExtendedRequest
  [/^0.{1,5}\x02[\x01-\x04]/s, `LDAP ${IN_THE_CLEAR}`],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: TPKT
  [/^\x03\0/, `RDP ${IN_THE_CLEAR}`],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a handshake record
  [/^\x16\xfe/, 'DTLS: have the client use TLS'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: SSLRequest, GSSENCRequest, CancelRequest, StartupMessage
  [/^\0\0..(\x04\xd2\x16|\0\x03\0)/s, 'PostgreSQL: have the client connect with sslnegotiation=direct'],
  [/^[\t\r\n -~]{3}/, `text ${IN_THE_CLEAR}`],
];

/** Makes the error for a peer whose first bytes, one character a byte, are no record of TLS. */
export type RefusePeer = (start: string) => TlsAlert;

export const refuseClient: RefusePeer = (start) => {
  // RFC 5246 Appendix E.2: an SSLv2 CLIENT-HELLO has the high bit of its length set and message type 1.
  if (start.charCodeAt(0) >= 0x80 && start.charCodeAt(2) === 1)
    return new TlsAlert('protocol_version', 'an SSLv2 hello: the client is too old for TLS 1.2');
  return refusePeer(start, CLIENTS);
};

export function refusePeer(start: string, kinds: Kinds = []): TlsAlert {
  const [, kind] = kinds.find(([pattern]) => pattern.test(start)) ?? [];
  const what = kind ?? `something that begins with byte ${start.charCodeAt(0)}`;
  return new TlsAlert('unexpected_message', `not TLS but ${what}`);
}
