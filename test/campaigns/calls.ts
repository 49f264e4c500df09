/**
 * `npm run calls [-- SEQUENCES [SEED]]`: random sequences of calls on a connection, 20,000 unless told otherwise, and a seed of the
 * day's own, which is printed. A failure names the seed of its sequence.
 */

import { runCalls } from '../support/call-sequences.ts';
import { unhandledIn } from '../support/rejections.ts';

const [count = 20_000, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);
if (!(Number.isInteger(count) && count > 0 && Number.isInteger(seed)))
  throw new TypeError('npm run calls [-- SEQUENCES [SEED]]: whole numbers, SEQUENCES above 0');
console.log(`sequences of calls: ${count}, seed ${seed}`);
for (let i = seed; i < seed + count; i++) {
  const [reason] = await unhandledIn(() => runCalls(i));
  if (reason !== undefined) throw new Error(`runCalls(${i}): a rejection that nobody has seen to`, { cause: reason });
}
console.log('all well');
