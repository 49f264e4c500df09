/** The lenient server, as `npm run lenient` starts it, and a client of somebody else's that sees what it lacks. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { describeWith, run, workFolder } from './peers.ts';

const PROGRAM = fileURLToPath(new URL('../campaigns/lenient.js', import.meta.url));

/** What s_client says of a connection to one name, and then of one to another with the session of the first. */
async function underTwoNames(mutant: string): Promise<readonly string[]> {
  const child = spawn(process.execPath, [PROGRAM, '--mutant', mutant, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const address = /127\.0\.0\.1:\d+/.exec(line)?.[0] ?? '';
    const session = join(workFolder(), 'session');
    const said: string[] = [];
    for (const flags of [
      ['-servername', 'first.example', '-sess_out', session],
      ['-servername', 'second.example', '-sess_in', session],
    ]) {
      const words = ['s_client', '-connect', address, '-tls1_2', '-ign_eof', ...flags];
      const { stdout } = await run('openssl', words, { input: 'GET / HTTP/1.0\r\n\r\n' });
      said.push(/^(New|Reused), TLSv1\.2/m.exec(stdout)?.[1] ?? stdout);
    }
    return said;
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

describeWith(['openssl'], 'interop: the lenient server, and openssl', () => {
  it('lets it resume under another name where that is what is missing', async function () {
    this.timeout(60_000);
    expect(await underTwoNames('server/session-id/another-name')).to.deep.equal(['New', 'Reused']);
    expect(await underTwoNames('server/session-id/resumed')).to.deep.equal(['New', 'New']);
  });
});
