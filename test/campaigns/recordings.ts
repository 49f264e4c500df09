/** `node recordings.js FOLDER COUNT SEED`: records so many random exchanges, each at both ends, and writes a file for each exchange. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomExchange } from '../support/random-exchanges.ts';

const [folder = '', ...numbers] = process.argv.slice(2);
const [count = 0, seed = 0] = numbers.map(Number);
let established = 0;
let resumed = 0;
for (let i = 0; i < count; i++) {
  const exchange = await randomExchange(seed + i);
  const texts = exchange.recordings.map((recording) => JSON.stringify(recording));
  writeFileSync(join(folder, `${String(i).padStart(6, '0')}.json`), JSON.stringify(texts), { mode: 0o600 });
  established += exchange.recordings.filter(({ facts }) => facts.wasEstablished).length;
  resumed += exchange.resumed;
}
console.log(`${count} exchanges from seed ${seed}: ${established} ends established, ${resumed} resumptions`);
