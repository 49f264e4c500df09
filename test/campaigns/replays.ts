/** `node replays.js FOLDER [EXCHANGES]`: replays what recordings.js has written, in Node, Bun or Deno. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replayAll } from './replay-all.ts';

const [folder = '', limit = 'Infinity'] = process.argv.slice(2);
const files = readdirSync(folder).sort().slice(0, Number(limit));
const texts = files.flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as string[]);
const { passed, failures } = replayAll(texts);
for (const failure of failures) console.error(failure);
console.log(`  ${passed} passing`);
if (failures.length > 0) console.log(`  ${failures.length} failing`);
process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;
