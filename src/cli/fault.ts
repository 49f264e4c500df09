/** Errors that end the command with one line on stderr instead of a stack trace. */

/** Where Ctrl-C or SIGTERM has cut a run short, as of a program that such a signal has killed. */
export const INTERRUPTED = 130;

/** The exit status is 2 for a wrong command line, and 1 for a request that fails now, such as a port in use. */
export type ExitCode = 1 | 2 | typeof INTERRUPTED;

export class Fault extends Error {
  override readonly name = 'Fault';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message.replaceAll('\n', ' '), options);
    this.exitCode = exitCode;
  }
}

/** A mistake in the command line. */
export function usage(message: string): Fault {
  return new Fault(2, message);
}

/** Describes a system error: `EACCES: permission denied`, without the system call and its arguments. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/, \w+( '.*')?$/, '');
}

/** The code of a system error, such as `EADDRINUSE`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
