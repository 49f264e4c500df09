/** Handles the process for both programs, the command and the demo: exit status, signals, version. */

import { readFileSync } from 'node:fs';
import { type ExitCode, Fault, INTERRUPTED, systemCode, systemReason } from './fault.ts';

/** Runs a program to its end. A Fault becomes one line on stderr. */
export async function run(program: string, main: () => Promise<0 | ExitCode>): Promise<void> {
  process.stdout.on('error', (error) => {
    if (systemCode(error) === 'EPIPE') process.exit(0); // the reader of the pipe has exited, as head(1) does
    process.stderr.write(`${program}: the output cannot be written (${systemReason(error)})\n`);
    process.exit(1);
  });
  process.stderr.on('error', () => {}); // there is nowhere left to say it
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`${program}: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Says something that is no output of the command. */
export function complain(line: string): void {
  process.stderr.write(`tls-resume: ${line}\n`);
}

/** Returns what shows one line on a terminal, in the place of the line before; `undefined` where there is no terminal. */
export function progressOn(stream: NodeJS.WriteStream): ((line: string) => void) | undefined {
  if (!stream.isTTY) return undefined;
  return (line) => void stream.write(`\r\x1b[K${line.slice(0, stream.columns - 1)}`);
}

/** Handles Ctrl-C and SIGTERM from now on. A second one ends the process at once. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const off = onStopSignal(() => {
      off();
      onStopSignal(() => process.exit(INTERRUPTED)); // by itself, so that what it has started ends with it
      resolve();
    });
  });
}

/** Has Ctrl-C or SIGTERM call the listener, once each, until the function that it returns is called. */
export function onStopSignal(listener: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const heard = (): void => listener(); // without the signal's name
  for (const signal of signals) process.once(signal, heard);
  return () => {
    for (const signal of signals) process.off(signal, heard);
  };
}

/** The version in package.json, which is in a folder above, wherever this file was built to. */
export function packageVersion(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
      if (name === 'tls-resume') return version;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
    if (folder.href === new URL('..', folder).href) return 'unknown';
  }
}
