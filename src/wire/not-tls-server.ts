/** Names what a server sends that does not speak TLS, for the one who reads the client's error. Bundles of a server do without it. */

import { type Kinds, type RefusePeer, refusePeer, SSH } from './not-tls.ts';

const BEFORE_TLS = 'in the clear: connect to its port for implicit TLS, or ask for STARTTLS before TLS begins';

/** Servers: what they begin with, or answer to a hello. */
const SERVERS: Kinds = [
  [/^HTTP\/|^<(!|html)/i, 'plain HTTP: connect to the port of https'],
  [/^SSH-/, SSH],
  [/^220/, `SMTP or FTP ${BEFORE_TLS}`],
  [/^\* /, `IMAP ${BEFORE_TLS}`],
  [/^\+OK/, `POP3 ${BEFORE_TLS}`],
  [/^</, `XMPP ${BEFORE_TLS}`],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the notice of disconnection
  [/^0.{1,5}\x02[\0-\x04]/s, `LDAP ${BEFORE_TLS}`],
  [/^..\0\0[\n\xff]/s, 'MySQL: ask for TLS by an SSLRequest before TLS begins'],
  [/^E\0\0/, 'PostgreSQL: ask for TLS by an SSLRequest before TLS begins'],
  [/^[\t\r\n -~]{3}/, `text ${BEFORE_TLS}`],
];

export const refuseServer: RefusePeer = (start) => refusePeer(start, SERVERS);
