/** The server's side of the handshake: ClientHello → configuration → version → server-tls13.ts or server-tls12.ts. */

import type { Established } from '../established.ts';
import { decideHello, undecidedHello } from '../messages/client-hello.ts';
import { type Handshake, perform, receive } from '../wait.ts';
import type { ServerHandshake } from './context.ts';
import { holdHello } from './held-hello.ts';
import { selectServerName, selectVersion } from './negotiate.ts';

export function* serve(context: ServerHandshake): Handshake<Established> {
  const hello = holdHello(yield* receive(undecidedHello), context.time());
  context.facts.serverName = selectServerName(hello.body);
  if (context.selectsServers) yield* perform(context.selectServer(context.facts.serverName));
  const version = selectVersion(hello.body, context.settings);
  context.facts.version = version;
  context.facts.clientRandom = hello.body.random;
  const protocol = context.parts.protocols.find((candidate) => candidate.version === version);
  if (protocol === undefined) throw new Error(`the settings allow ${version}, which this server does not have`);
  decideHello(hello.body, version);
  return yield* protocol.serve(context, hello);
}
