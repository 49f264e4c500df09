/** The application protocol (RFC 7301): the first of the server's list that the client has, or the choice of the application. */

import { isOwnAlert, TlsAlert } from '../../wire/alert.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { type Handshake, type Outcome, perform, type Task } from '../wait.ts';
import type { ServerHandshake } from './context.ts';
import { selectAlpn } from './negotiate.ts';
import type { OnAlpn } from './settings.ts';

/** How many protocols the application is shown. A hello has room for 21,845. */
const MAX_SHOWN = 128;

/**
 * Settles on the protocol, before any session is judged: its scope may have it. A second ClientHello has the same list, so nothing is
 * asked again.
 * @throws TlsAlert no_application_protocol if there is none in common, and those of the application
 */
export function* settleProtocol(context: ServerHandshake, hello: ClientHello): Handshake<void> {
  const { settings, facts } = context;
  const listed = selectAlpn(hello, settings);
  const isAsked = settings.onAlpn !== undefined && hello.extensions.alpn !== undefined;
  facts.alpnProtocol = isAsked
    ? yield* perform(askForProtocol(context, settings.onAlpn, shown(hello, settings)))
    : listed;
}

/** Those of the client's protocols that the server has, in the client's order; all of them if the server has no list. */
function shown({ extensions }: ClientHello, { alpn }: ServerHandshake['settings']): readonly string[] {
  const protocols: string[] = [];
  for (const protocol of extensions.alpn ?? []) {
    if (protocols.length === MAX_SHOWN) break;
    if (alpn.length === 0 || alpn.includes(protocol)) protocols.push(protocol);
  }
  return Object.freeze(protocols);
}

function askForProtocol(
  context: ServerHandshake,
  onAlpn: OnAlpn,
  protocols: readonly string[],
): Task<unknown, string | undefined> {
  return {
    kind: 'application-protocol',
    callback: 'onAlpn',
    asked: protocols.join(', '),
    budgeted: false,
    run: () => onAlpn(protocols, context.info()),
    conclude: (outcome) => chosen(context, protocols, outcome),
    isAnswer: isOwnAlert,
  };
}

function chosen(context: ServerHandshake, protocols: readonly string[], outcome: Outcome): string | undefined {
  if ('error' in outcome && isOwnAlert(outcome.error)) throw outcome.error;
  if ('value' in outcome) {
    const { value } = outcome;
    if (value === null) throw new TlsAlert('no_application_protocol', 'onAlpn has refused the application protocols');
    if (value === undefined) return undefined;
    const protocol = protocols.find((one) => one === value);
    if (protocol !== undefined) return protocol;
    context.blame('onAlpn', new TypeError('onAlpn: answer with one of the protocols, undefined for none, or null'));
  }
  throw new TlsAlert('internal_error', 'no application protocol could be chosen');
}
