/** The entry tls-resume/testing: what testers and fuzzers hold in their hands. */

export type { TicketDecisions } from './handshake/decisions.ts';
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
export { explain, type Fork, type ForkOptions, fork, type Replayed, replay } from './testing/replay.ts';
export {
  describeReplayStep,
  type ReplayFaults,
  type ReplayRule,
  type ReplayStep,
  type ReplayStrategy,
} from './testing/replay-model.ts';
export { mostAdmissions, type ReplayFindings, type ReplayWorld } from './testing/replay-search.ts';
export { SeededWorld, type SeededWorldOptions, seededWorld } from './testing/seeded-world.ts';
export type { PointName, PointOptions } from './testing/time-faults.ts';
export {
  type CallbackEntry,
  type EventEntry,
  type MessageEntry,
  type Place,
  type RecordEntry,
  type Side,
  Trace,
  type TraceEntry,
} from './testing/trace.ts';
export type { ContentName, MessageName, Which } from './testing/which.ts';

// What the signatures name

export type * from './types.ts';
