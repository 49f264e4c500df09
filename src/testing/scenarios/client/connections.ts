/** The connections that many scenarios of TLS 1.3 begin with. */

import type { ServerOptions } from '../../../engine/server/options.ts';
import type { ConnectionOptions } from '../../../engine/server/server-connection.ts';
import { toHex } from '../../../wire/bytes.ts';
import type { AcceptOptions, ClientBench, TesterServer } from '../bench.ts';
import { NotRun, type Reaction, type Visit } from '../visit.ts';
import { helloOf, requireHello } from './hello.ts';

type Faults = NonNullable<ConnectionOptions['faults']>;

/** Has the client take tickets, which have these faults, and connect again. Returns what it makes of the first, or else of the second. */
export async function afterTicket(
  bench: ClientBench,
  faults: Faults,
  options: Partial<ServerOptions> = {},
): Promise<Reaction> {
  bench.need('resume');
  const server = bench.server(options);
  const first = await server.hand({ faults });
  return refused(first) ?? (await server.accept()).reaction;
}

/** What a client has refused though the handshake was complete; `undefined` if it has taken all. */
export function refused({ reaction }: Visit): Reaction | undefined {
  return reaction === 'full handshake' || reaction === 'resumes' ? undefined : reaction;
}

/** Has the client offer the ticket of `server` in a connection that has faults. @throws NotRun if it offers none */
export async function offering(server: TesterServer, options: AcceptOptions = {}): Promise<Visit> {
  return requireHello(await server.accept(options), ({ psks }) => psks.length > 0, 'the client offers no ticket');
}

/** The same from the start: a handshake for the ticket, and one with faults. */
export async function resuming(
  bench: ClientBench,
  faults: Faults,
  options: Partial<ServerOptions> = {},
): Promise<Visit> {
  bench.need('resume');
  const server = bench.server(options);
  await server.hand();
  return offering(server, { faults });
}

/** The tickets that the tester has handed out in a connection, as hexadecimal text. */
export function ticketsOf({ facts }: Visit): readonly string[] {
  return facts.trace.messages.flatMap(({ name, direction, fields }) =>
    name === 'new_session_ticket' && direction === 'sent' ? [toHex((fields as { ticket: Uint8Array }).ticket)] : [],
  );
}

/** The identities that a client has offered, in the same way. */
export function identitiesOf(visit: Visit): readonly string[] {
  return helloOf(visit).psks.map(({ identity }) => toHex(identity));
}

/** Returns a message that the tester has sent. @throws NotRun if it has sent none */
export function sentMessage({ facts }: Visit, name: string): Uint8Array {
  const found = facts.trace.messages.find((entry) => entry.name === name && entry.direction === 'sent');
  if (found === undefined) throw new NotRun(`the tester has sent no ${name}`);
  return found.raw;
}

export function conforms(isSo: boolean, otherwise: string): Reaction {
  return isSo ? 'conforms' : `differs: ${otherwise}`;
}
