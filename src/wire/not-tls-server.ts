/** Names what a server sends that does not speak TLS, for the one who reads the client's error. Bundles of a server do without it. */

import { type Kinds, type RefusePeer, refusePeer } from './not-tls.ts';

/** Servers: what they begin with, or answer to a hello. Those of mail and files begin with text. */
const SERVERS: Kinds = [
  [/^HTTP\/|^<(!|html)/i, 'plain HTTP: connect to the port of https'],
  [/^[\t\r\n -~]{3}/, 'text in the clear: use its port for TLS, or STARTTLS first'],
];

export const refuseServer: RefusePeer = (start) => refusePeer(start, SERVERS);
