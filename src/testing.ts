/** The entry tls-resume/testing: what testers and fuzzers hold in their hands. */

export type { TicketDecisions } from './handshake/decisions.ts';
export { scenarios } from './testing/catalogue/scenarios.ts';
export { faults } from './testing/faults.ts';
export { type InjectedRecordOptions, type Injector, type InjectorOptions, injector } from './testing/injector.ts';
export type { ReadMessage } from './testing/messages.ts';
export { Pair, type PairEvent, type PairOptions, pair } from './testing/pair.ts';
export { type ForkedAnswer, type ForkedTask, type Passage, ReplayDifference } from './testing/player.ts';
export { type Recorder, type RecordOptions, record } from './testing/record.ts';
export type { Recorded } from './testing/recorded-facts.ts';
export type {
  CallName,
  MaskedPiece,
  Piece,
  RecordedCall,
  RecordedConnection,
  RecordedError,
  RecordedEvent,
  RecordedFacts,
  RecordedMessage,
  RecordedRecords,
  RecordedSession,
  RecordedTask,
  Recording,
} from './testing/recording.ts';
export { type Line, type LineKind, type Marking, renderTrace, type TextOptions, textLines } from './testing/render.ts';
export {
  explain,
  type Fork,
  type ForkOptions,
  fork,
  type Replayed,
  renderRecording,
  replay,
} from './testing/replay.ts';
export {
  describeReplayStep,
  type ReplayFaults,
  type ReplayRule,
  type ReplayStep,
  type ReplayStrategy,
} from './testing/replay-model.ts';
export { mostAdmissions, type ReplayFindings, type ReplayWorld } from './testing/replay-search.ts';
export type {
  Ability,
  AcceptOptions,
  Bench,
  ClientBench,
  ClientUnderTest,
  Errand,
  PeerUnderTest,
  ServerBench,
  ServerUnderTest,
  TesterClient,
  TesterServer,
} from './testing/scenarios/bench.ts';
export {
  type MemoryClientOptions,
  type MemoryServerOptions,
  memoryClient,
  memoryServer,
} from './testing/scenarios/in-memory.ts';
export type { Judgement } from './testing/scenarios/judge.ts';
export {
  type JudgeOptions,
  type ListedClientScenario,
  type ListedServerScenario,
  ScenarioFailure,
} from './testing/scenarios/listed.ts';
export type { Party, PartyConnection, Speech } from './testing/scenarios/party.ts';
export type {
  ClientScenario,
  Scenario,
  ScenarioBase,
  ScenarioMechanism,
  ScenarioResult,
  ServerScenario,
  Severity,
} from './testing/scenarios/scenario.ts';
export {
  type Ending,
  NotRun,
  type Reaction,
  type Visit,
  type VisitFacts,
} from './testing/scenarios/visit.ts';
export { SeededWorld, type SeededWorldOptions, seededWorld } from './testing/seeded-world.ts';
export type { PointName, PointOptions } from './testing/time-faults.ts';
export { Trace } from './testing/trace.ts';
export type {
  CallbackEntry,
  EventEntry,
  MessageEntry,
  Place,
  RecordEntry,
  Side,
  TraceEntry,
} from './testing/trace-entry.ts';
export type { ContentName, MessageName, Which } from './testing/which.ts';

// What the signatures name

export type * from './types.ts';
