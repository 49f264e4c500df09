/** Names what a peer sends that does not speak TLS, for the one who reads the error. */

/** How many bytes tell what it is. */
export const TELLING = 16;

const IN_THE_CLEAR = 'in the clear: have the client begin with TLS at once (implicit TLS, not STARTTLS)';

/** What begins like this, and what to do about it. */
const KINDS: readonly (readonly [RegExp, string])[] = [
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
  [/^\x03\0/, 'RDP: have the client begin with TLS at once'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a handshake record
  [/^\x16\xfe/, 'DTLS: have the client use TLS'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: SSLRequest, GSSENCRequest, CancelRequest, StartupMessage
  [/^\0\0..(\x04\xd2\x16|\0\x03\0)/s, 'PostgreSQL: have the client connect with sslnegotiation=direct'],
  [/^[\t\r\n -~]{3}/, `text ${IN_THE_CLEAR}`],
];

/** Says what the first bytes of a peer are, one character a byte, that are no record of TLS. */
export function describeNotTls(start: string): string {
  const [, kind] = KINDS.find(([pattern]) => pattern.test(start)) ?? [];
  return `not TLS but ${kind ?? `something that begins with byte ${start.charCodeAt(0)}`}`;
}
