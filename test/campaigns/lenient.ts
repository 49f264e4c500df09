/** `npm run lenient`: a server with one check taken out, for those who want to see what their client does at one. */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { selfSignedCertificate } from '../../src/crypto/credentials/self-signed.ts';
import { scenarios } from '../../src/testing/catalogue/scenarios.ts';
import { systemWorld } from '../../src/world.ts';
import { startLenient } from '../mutants/lenient.ts';

const HELP = `Usage: npm run lenient -- --mutant ID [--port N] [--cert FILE --key FILE]
       npm run lenient -- --list

Serves on loopback, as a server that fails the scenario ID and is right otherwise, until Ctrl-C. Without --cert and --key the
certificate is a new one for localhost.
`;

function options() {
  const string = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const flags = { mutant: string, port: string, cert: string, key: string, list: flag, help: flag };
  return parseArgs({ options: flags }).values;
}

async function main(): Promise<void> {
  const { mutant, port = '8443', cert, key, list, help } = options();
  if (list) for (const { id, title, versions } of scenarios.forServers()) console.log(`${id}  ${versions}  ${title}`);
  else if (help || mutant === undefined) console.log(HELP);
  else {
    const isGiven = cert !== undefined && key !== undefined;
    const credential = isGiven
      ? { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
      : selfSignedCertificate(systemWorld);
    if (!/^\d{1,5}$/.test(port)) throw new TypeError(`--port ${port}: a number up to 65535 is wanted`);
    const server = await startLenient({ mutant, port: Number(port), credential, tell: console.log });
    console.log(`listening on 127.0.0.1:${server.port}, without what ${mutant} is about`);
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
