import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFigure } from './figure.ts';
import { parseOptions } from './options.ts';
import { sockets } from './sockets.ts';
const o = parseOptions(process.argv.slice(2), join(tmpdir(), 'bench.json'));
if (o) for await (const f of sockets(o)) console.log(isFigure(f) ? `${f.name} ${f.ours.toFixed(0)} ${f.peer.toFixed(0)} ${f.ratio.toFixed(2)} ${f.spread.min.toFixed(2)}..${f.spread.max.toFixed(2)}` : f);
