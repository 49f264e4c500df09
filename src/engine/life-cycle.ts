/**
 * The life of a connection: a phase, and for each direction whether it is open. These combinations exist, and no others:
 *
 *     phase        reading  writing  how it comes about
 *     handshaking  open     open     from the start
 *     established  open     open     the handshake is complete
 *     established  ended    open     close_notify has been received, or the transport has ended
 *     established  open     ended    close_notify has been sent
 *     established  ended    ended    both
 *     closed       ended    open     close_notify, or the end of the transport, came during the handshake: only a close_notify can be sent
 *     closed       ended    ended    close_notify was sent during the handshake, or the connection was disposed of
 *     failed       ended    ended    a fatal alert, ours or the peer's, or an error of ours
 *
 * A direction that has ended never opens again, and no phase leads back.
 */

export type Phase = 'handshaking' | 'established' | 'closed' | 'failed';
export type Direction = 'open' | 'ended';

export class LifeCycle {
  phase: Phase = 'handshaking';
  /** Whether further bytes of the peer are read. */
  reading: Direction = 'open';
  /** Whether we may send: nothing follows our close_notify (RFC 9846 §6.1). */
  writing: Direction = 'open';

  /** Whether the handshake, or a job after it, may go on. */
  get isUnderWay(): boolean {
    return this.phase === 'handshaking' || this.phase === 'established';
  }

  establish(): void {
    this.phase = 'established';
  }

  /** Ends the peer's direction, and with it a handshake, which needs both. */
  endReading(): void {
    this.reading = 'ended';
    if (this.phase === 'handshaking') this.phase = 'closed';
  }

  /** Ends our direction, and with it a handshake. */
  endWriting(): void {
    this.writing = 'ended';
    if (this.phase === 'handshaking') this.close();
  }

  /** Ends both directions. A connection that has failed remains failed. */
  close(): void {
    if (this.phase !== 'failed') this.phase = 'closed';
    this.reading = 'ended';
    this.writing = 'ended';
  }

  fail(): void {
    this.phase = 'failed';
    this.reading = 'ended';
    this.writing = 'ended';
  }
}
