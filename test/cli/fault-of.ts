/** What a command says where it cannot do what it is told. */

import { Fault } from '../../src/cli/fault.ts';

/** Returns the fault that is thrown, or what is returned rejects with. @throws any other error, and an error if there is none */
export async function faultOf(run: () => unknown): Promise<Fault> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('there is no fault');
}
