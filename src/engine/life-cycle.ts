/**
 * The life of a connection: a phase, and for each direction whether it is open. These combinations exist, and no others:
 *
 *     phase        reading  writing  how it comes about
 *     handshaking  open     open     from the start
 *     handshaking  ended    open     the transport has ended; what has been received may still complete the handshake
 *     established  open     open     the handshake is complete
 *     established  ended    open     close_notify has been received, or the transport has ended
 *     established  open     ended    close_notify has been sent
 *     established  ended    ended    both
 *     closed       ended    open     close_notify came during the handshake: it can be answered, and nothing else
 *     closed       ended    ended    close_notify was sent during the handshake, or the connection was disposed of
 *     failed       ended    ended    a fatal alert, ours or the peer's, or an error of ours
 *
 * A direction that has ended never opens again, and no phase leads back.
 */

export type Phase = 'handshaking' | 'established' | 'closed' | 'failed';
export type Direction = 'open' | 'ended';

export class LifeCycle {
  phase: Phase = 'handshaking';
  /** Whether what the peer sends is read on. */
  reading: Direction = 'open';
  /** Whether we may send: nothing follows our close_notify (RFC 8446 §6.1). */
  writing: Direction = 'open';

  /** Whether a handshake or a job after it may go on. */
  get isUnderWay(): boolean {
    return this.phase === 'handshaking' || this.phase === 'established';
  }

  establish(): void {
    this.phase = 'established';
  }

  /** A handshake cannot go on in one direction: with the end of either one it is over, but for what has been received. */
  endReading(isByPeer: boolean): void {
    this.reading = 'ended';
    if (isByPeer && this.phase === 'handshaking') this.phase = 'closed';
  }

  endWriting(): void {
    this.writing = 'ended';
    if (this.phase === 'handshaking') this.close();
  }

  /** The end of both directions; a failure remains one. */
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
