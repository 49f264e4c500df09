/** For each scenario, by its id, a mutant that fails it: the check that the scenario is about, taken out. */

import type { Mutants } from './build.ts';
import { clientTls12 } from './client-tls12.ts';
import { clientTls13 } from './client-tls13.ts';
import { serverTls12 } from './server-tls12.ts';
import { serverTls13 } from './server-tls13.ts';

export const MUTANTS: Mutants = { ...clientTls13, ...clientTls12, ...serverTls13, ...serverTls12 };
