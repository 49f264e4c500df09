/** All scenarios. */

import { downgrades } from '../scenarios/client/downgrade.ts';
import { earlyDataTls13 } from '../scenarios/client/early-data.ts';
import { endedTls12 } from '../scenarios/client/ended-tls12.ts';
import { flightTls13 } from '../scenarios/client/flight-tls13.ts';
import { helloRetry } from '../scenarios/client/hello-retry.ts';
import { limitsTls13 } from '../scenarios/client/limits-tls13.ts';
import { offersTls13 } from '../scenarios/client/offers-tls13.ts';
import { clientPsk } from '../scenarios/client/psk.ts';
import { resumptionTls12 } from '../scenarios/client/resumption-tls12.ts';
import { clientServerHello } from '../scenarios/client/server-hello-tls13.ts';
import { sessionIds } from '../scenarios/client/session-id.ts';
import { ticketsTls12 } from '../scenarios/client/tickets-tls12.ts';
import { ticketsTls13 } from '../scenarios/client/tickets-tls13.ts';
import {
  type ListedClientScenario,
  type ListedServerScenario,
  listedClient,
  listedServer,
} from '../scenarios/listed.ts';
import type { ClientScenario, ServerScenario } from '../scenarios/scenario.ts';
import { serverAges } from '../scenarios/server/ages.ts';
import { serverDowngrade } from '../scenarios/server/downgrade.ts';
import { serverEarlyData } from '../scenarios/server/early-data.ts';
import { serverHelloTls12 } from '../scenarios/server/hello-tls12.ts';
import { serverHelloTls13 } from '../scenarios/server/hello-tls13.ts';
import { serverPsk } from '../scenarios/server/psk.ts';
import { serverPskPlaces } from '../scenarios/server/psk-places.ts';
import { serverRecordLimitsTls13 } from '../scenarios/server/record-limits-tls13.ts';
import { serverRecords } from '../scenarios/server/records.ts';
import { serverRenegotiation } from '../scenarios/server/renegotiation.ts';
import { serverRetry } from '../scenarios/server/retry.ts';
import { serverSecondFlightTls12 } from '../scenarios/server/second-flight-tls12.ts';
import { serverSecondFlightTls13 } from '../scenarios/server/second-flight-tls13.ts';
import { serverSessionId } from '../scenarios/server/session-id.ts';
import { serverSessionRulesTls12 } from '../scenarios/server/session-rules-tls12.ts';
import { serverTicketTls12 } from '../scenarios/server/ticket-tls12.ts';
import { serverTicketsTls13 } from '../scenarios/server/tickets-tls13.ts';

const CLIENT: readonly ClientScenario[] = [
  ...ticketsTls13,
  ...clientPsk,
  ...offersTls13,
  ...helloRetry,
  ...clientServerHello,
  ...flightTls13,
  ...earlyDataTls13,
  ...limitsTls13,
  ...sessionIds,
  ...resumptionTls12,
  ...ticketsTls12,
  ...endedTls12,
  ...downgrades,
];
const SERVER: readonly ServerScenario[] = [
  ...serverPsk,
  ...serverPskPlaces,
  ...serverAges,
  ...serverTicketsTls13,
  ...serverRetry,
  ...serverEarlyData,
  ...serverSecondFlightTls13,
  ...serverRecordLimitsTls13,
  ...serverHelloTls13,
  ...serverSessionId,
  ...serverTicketTls12,
  ...serverSessionRulesTls12,
  ...serverSecondFlightTls12,
  ...serverRenegotiation,
  ...serverDowngrade,
  ...serverHelloTls12,
  ...serverRecords,
];

const CLIENTS = CLIENT.map(listedClient);
const SERVERS = SERVER.map(listedServer);

/** The catalogue: what can be put to a client or a server. */
export const scenarios = {
  /** The first number changes when an id goes or comes to expect something else, the second when ids are added. */
  version: '1.0',
  /** Those with a client under test. */
  forClients: (): readonly ListedClientScenario[] => CLIENTS,
  /** Those with a server under test. */
  forServers: (): readonly ListedServerScenario[] => SERVERS,
  all: (): readonly (ListedClientScenario | ListedServerScenario)[] => [...CLIENTS, ...SERVERS],
};
