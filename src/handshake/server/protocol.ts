/** A version of TLS as a part that a server has or has not: a bundle contains the versions that are named in it. */

import type { Version } from '../../wire/registry.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { Received } from '../messages/message.ts';
import type { Handshake } from '../wait.ts';
import type { Handshaking } from './context.ts';
import type { Established } from './established.ts';

export interface Protocol {
  readonly version: Version;
  /** From the first ClientHello, when this version has been selected for it, to the end of the handshake. */
  serve(context: Handshaking, hello: Received<ClientHello>): Handshake<Established>;
}
