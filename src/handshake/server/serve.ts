/** The server's side of the handshake: ClientHello → configuration → version → server-tls13.ts or server-tls12.ts. */

import { TlsAlert } from '../../wire/alert.ts';
import { ProtocolVersion } from '../../wire/registry.ts';
import type { Established } from '../established.ts';
import { clientHello } from '../messages/client-hello.ts';
import { type Handshake, perform, receive } from '../wait.ts';
import type { ServerHandshake } from './context.ts';
import { selectServerName, selectVersion } from './negotiate.ts';

export function* serve(context: ServerHandshake): Handshake<Established> {
  const hello = yield* receive(clientHello);
  // RFC 8446 Appendix D.5
  if (hello.body.legacyVersion <= ProtocolVersion.SSLv3) throw new TlsAlert('protocol_version', 'an SSLv3 hello');
  context.facts.serverName = selectServerName(hello.body);
  if (context.selectsServers) yield* selectSettings(context);
  const version = selectVersion(hello.body, context.settings);
  context.facts.version = version;
  context.facts.clientRandom = hello.body.random;
  const protocol = context.parts.protocols.find((candidate) => candidate.version === version);
  if (protocol === undefined) throw new Error(`the settings allow ${version}, which this server does not have`);
  return yield* protocol.serve(context, hello);
}

/** RFC 6066 §3: the name decides which server this is, before anything else is decided. */
function* selectSettings(context: ServerHandshake): Handshake<void> {
  const { serverName } = context.facts;
  const outcome = yield* perform({ kind: 'server-name', budgeted: false, run: () => context.selectServer(serverName) });
  // To go on under the default configuration could show one host's sessions or certificate to another.
  if (!('value' in outcome))
    throw new TlsAlert('internal_error', 'no configuration could be selected for the server name');
  context.serveAs(outcome.value);
}
