/** Mutants for the scenarios with a client of TLS 1.2: what each is about, taken out. */

import type { Mutants } from './build.ts';

export const clientTls12: Mutants = {};
