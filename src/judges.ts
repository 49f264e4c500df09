/** The entry tls-resume/judges: clients and servers that are put to the test over sockets. For Node. */

export { type ClientCommand, clientCommand, type Driver } from './judges/client-command.ts';
export { type ClientErrand, clientOverTcp, type TcpClient, type TcpClientOptions } from './judges/client-over-tcp.ts';
export { type Gentleness, type GentleServer, gently } from './judges/gently.ts';
export { htmlOf, type PageHead, type ShownResult, type ShownVisit, shownVisits } from './judges/html.ts';
export {
  type EarlierKeys,
  type Probe,
  type ProbeOptions,
  probe,
  type TicketFacts,
  type VersionFacts,
} from './judges/probe.ts';
export {
  type Fact,
  failsProbe,
  type Probed,
  type ProbeReport,
  probeFacts,
  probeLines,
  reportOf,
} from './judges/probe-report.ts';
export { junitOf, type ReportedResult, resultOf, type ScenariosReport, tableOf } from './judges/report.ts';
export { type ServerAddress, serverOverTcp } from './judges/server-over-tcp.ts';
export type { FormatGuess, KeyChange, KeySeen, Randomness } from './judges/ticket-structure.ts';
export { scenarios } from './testing/catalogue/scenarios.ts';

// What the signatures name

export type * from './testing.ts';
export type * from './types.ts';
