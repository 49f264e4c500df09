/** The server with express of docs/early-data.md, run as it stands there, with clients that send requests as early data (RFC 8470). */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { transform } from 'esbuild';
import { defineClient, type Session } from '../src/client.ts';
import { connect } from '../src/node/index.ts';
import { ascii } from '../src/wire/bytes.ts';
import { certificates } from './fixtures.ts';
import { textOf } from './node/support.ts';
import { packageFile } from './web/support.ts';

const root = dirname(packageFile);
const client = defineClient({ verifyServer: 'any' });

/** The block, which listens on a free port instead and says which. */
function program(): string {
  const [, section = ''] = readFileSync(join(root, 'docs/early-data.md'), 'utf8').split('#### With express\n');
  const [, code = ''] = /^```ts\n(.*?)^```/ms.exec(section) ?? [];
  const port = "server.listen(0, '127.0.0.1', () => console.log(server.address().port));";
  const changed = code.replace('server.listen(8443);', port);
  if (changed === code) throw new Error('docs/early-data.md: no block with express, or it does not listen');
  return changed;
}

describe('docs/early-data.md, with express', () => {
  let folder = '';
  let child: ChildProcess | undefined;
  let port = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tls-resume-express-'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules', 'tls-resume'));
    symlinkSync(join(root, 'node_modules', 'express'), join(folder, 'node_modules', 'express'));
    writeFileSync(join(folder, 'cert.pem'), certificates.ecdsaP256.cert);
    writeFileSync(join(folder, 'key.pem'), certificates.ecdsaP256.key);
    const { code } = await transform(program(), { loader: 'ts', format: 'esm', target: 'es2022' });
    writeFileSync(join(folder, 'server.mjs'), code);
    child = spawn(process.execPath, ['server.mjs'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    const { stdout } = child;
    if (stdout === null) throw new Error('no output');
    const [line] = await Promise.race([
      once(createInterface(stdout), 'line'),
      once(child, 'exit').then(() => Promise.reject(new Error('the server has ended'))),
    ]);
    port = Number(line);
  });

  after(async () => {
    if (child?.exitCode === null) {
      child.kill();
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  });

  async function session(): Promise<Session> {
    const socket = connect({ host: '127.0.0.1', port }, { config: client, sessions: [] });
    const [made] = await once(socket, 'session');
    const held = made.upRef();
    socket.destroy();
    return held;
  }

  const request = (method: string, path: string, ...more: string[]) =>
    ascii(
      [`${method} ${path} HTTP/1.1`, 'Host: a', 'Connection: close', 'Content-Length: 0', ...more, '', ''].join('\r\n'),
    );

  /** Sends a request as early data, or once the handshake is complete, and returns the answer. */
  async function send(bytes: Uint8Array, isEarly: boolean): Promise<string> {
    const early = isEarly ? { earlyData: bytes } : {};
    const socket = connect({ host: '127.0.0.1', port }, { config: client, sessions: [await session()], ...early });
    const text = textOf(socket);
    await once(socket, 'secureConnect');
    if (isEarly) expect(socket.earlyData).to.equal('accepted');
    else socket.write(bytes);
    return text;
  }

  it('answers a GET at once, and tells the application that it may be a replay', async () => {
    expect(await send(request('GET', '/'), true)).to.match(/^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\nearly: 1$/);
  });

  it('answers 425 to a POST, which has its answer when it comes again behind the handshake', async () => {
    const order = request('POST', '/orders');
    expect(await send(order, true)).to.match(/^HTTP\/1\.1 425 Too Early/);
    expect(await send(order, false)).to.match(/^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\nordered$/);
  });

  it('leaves alone what comes behind the handshake', async () => {
    expect(await send(request('GET', '/'), false)).to.match(/\r\n\r\nearly: no$/);
  });

  it('answers 425 where a server in front of it says that the request was early', async () => {
    expect(await send(request('POST', '/orders', 'Early-Data: 1'), false)).to.match(/^HTTP\/1\.1 425 Too Early/);
    expect(await send(request('GET', '/', 'Early-Data: 1'), false)).to.match(/\r\n\r\nearly: 1$/);
  });
});
