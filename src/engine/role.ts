/** What a server, or a client, adds to a connection. */

import type { ExporterMasterSecret } from '../crypto/key-schedule.ts';
import type { SuiteParameters } from '../crypto/suites.ts';
import type { Established } from '../handshake/established.ts';
import type { HandshakeIO } from '../handshake/io.ts';
import type { Handshake } from '../handshake/wait.ts';
import type { Version } from '../wire/registry.ts';

/** The part of a connection that depends on its role. The core calls it when no handshake is on the stack. */
export interface Role {
  /** The services for its handshake. */
  readonly io: HandshakeIO & {
    /** Whether the peer's Finished has come. */
    readonly hasProof: boolean;
    /** How many bytes the application may write before the handshake is complete. */
    earlyRoom: number;
    readonly earlySuite: SuiteParameters | undefined;
    readonly earlyExporter: ExporterMasterSecret | undefined;
    /** The version whose rules say what an alert means: the one selected, or the only one that may be. */
    readonly alertVersion: Version | undefined;
  };
  /** Runs the actions that were put off because user code must not run in the handshake. */
  catchUp(): void;
  /** Reports the verdicts: before the event "established", or before "failed" if there is no "established". */
  explain(): void;
  /** Called when the handshake is complete. */
  established(established: Established): void;
  /** Called when application data is about to be sent. */
  beforeWrite(): void;
  /** Starts the next job after the handshake, if one is due. It waits for tasks only, never for messages. */
  nextJob(): Handshake<unknown> | undefined;
  /** Drops the jobs that are due, as nothing of ours follows a close_notify. */
  dropJobs(): void;
  /** Called when the connection has failed, by a fatal alert that was sent or received; with `undefined`, without one. */
  failed(reason: 'alert-sent' | 'alert-received' | undefined): void;
  /** Called when an established connection ends and the peer has not been sent a close_notify. */
  endedUncleanly(): void;
  /** Called at the end of both directions. It releases every hold. */
  close(): void;
}
