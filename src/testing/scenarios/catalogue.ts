/** All scenarios. */

import { clientPsk } from './client/psk.ts';
import { ticketsTls13 } from './client/tickets-tls13.ts';
import type { ClientScenario, Scenario, ServerScenario } from './scenario.ts';
import { serverPsk } from './server/psk.ts';

const CLIENT: readonly ClientScenario[] = [...ticketsTls13, ...clientPsk];
const SERVER: readonly ServerScenario[] = [...serverPsk];

/** The catalogue. */
export const scenarios = {
  /** The first number changes when an id goes or comes to expect something else, the second when ids are added. */
  version: '1.0',
  /** Those with a client under test. */
  forClients: (): readonly ClientScenario[] => CLIENT,
  /** Those with a server under test. */
  forServers: (): readonly ServerScenario[] => SERVER,
  all: (): readonly Scenario[] => [...CLIENT, ...SERVER],
};
