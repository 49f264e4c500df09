/** The shim: what BoringSSL's runner starts once a test, to be the other end of a connection, or of several in a row. */

import { parseFlags, Unimplemented } from './flags.ts';

const EXIT_UNIMPLEMENTED = 89;

/** Plays the part that the flags describe. Returns the exit code; `log` is told why, in words that config.json maps the runner's to. */
export async function main(args: readonly string[], log: (line: unknown) => void = console.error): Promise<number> {
  try {
    const all = parseFlags(args);
    if (all.initial['is-handshaker-supported']) {
      console.log('No');
      return 0;
    }
    const { play } = await import('./play.ts'); // most tests end before this, at a flag
    await play(all);
    return 0;
  } catch (error) {
    if (error instanceof Unimplemented) {
      log(`unimplemented: ${error.message}`);
      return EXIT_UNIMPLEMENTED;
    }
    log(error);
    return 1;
  }
}
