/** The samples with OpenSSL's names, in README.md and docs/openssl.md: they run, and each of their callbacks is called. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import type { Server } from '../../src/node/index.ts';
import type { SslContext } from '../../src/openssl.ts';
import { fixturePath } from '../fixtures.ts';
import { packageFile } from '../web/support.ts';

const root = join(packageFile, '..');
const DOCUMENTS = ['README.md', 'docs/openssl.md'];
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const TSCONFIG = {
  compilerOptions: { target: 'es2022', module: 'nodenext', outDir: 'out', noCheck: true },
  include: ['*.ts'],
};

/** What a sample declares. */
interface Sample {
  readonly ctx: SslContext;
  readonly kept: ReadonlyMap<string, unknown>;
  readonly server: Server;
}

let folder: string;

before(function () {
  this.timeout(60000);
  folder = mkdtempSync(join(tmpdir(), 'tls-resume-samples-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'tls-resume'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  for (const name of ['cert', 'key'])
    cpSync(fixturePath(`certificates/ecdsa-p256.${name}.pem`), join(folder, `${name}.pem`));
  for (const document of DOCUMENTS) writeFileSync(join(folder, `${fileOf(document)}.ts`), sampleOf(document));
  execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder]);
});

after(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(document: string): string {
  return document.replace(/\W/g, '_');
}

/** The first sample of a document that makes a context, on a free port and with certificates of the fixtures. */
function sampleOf(document: string): string {
  const text = readFileSync(join(root, document), 'utf8');
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code);
  const pem = (name: string) => JSON.stringify(readFileSync(join(folder, name), 'utf8'));
  const code = blocks.find((block) => block.includes('new SslContext(')) ?? '';
  return `${code
    .replace(/^declare const cert: .*$/m, () => `const [cert, key] = [${pem('cert.pem')}, ${pem('key.pem')}];`)
    .replaceAll(/readFileSync\('(\w+\.pem)', 'utf8'\)/g, (_, name: string) => pem(name))
    .replace(/^createServer\(/m, 'export const server = createServer(')
    .replace('.listen(8443)', ".listen(0, '127.0.0.1')")}\nexport { ctx, kept };\n`;
}

/** Visits once, and returns what a client needs to come back. */
async function visit(port: number, maxVersion: (typeof VERSIONS)[number], session?: Buffer) {
  const peer = { port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false };
  const socket = connect({ ...peer, maxVersion, session });
  let last = session;
  let isReused = false;
  socket.on('secureConnect', () => {
    isReused = socket.isSessionReused();
  });
  socket.on('session', (given: Buffer) => {
    last = given;
  });
  socket.resume();
  await once(socket, 'close');
  return { session: last, isReused };
}

for (const document of DOCUMENTS) {
  describe(`the sample of ${document}`, () => {
    let sample: Sample;

    before(async () => {
      sample = (await import(pathToFileURL(join(folder, 'out', `${fileOf(document)}.js`)).href)) as Sample;
      if (!sample.server.listening) await once(sample.server, 'listening');
    });

    after(async () => {
      sample.server.close();
      await once(sample.server, 'close');
    });

    for (const version of VERSIONS) {
      it(`calls new, get and remove, ${version}`, async () => {
        const { ctx, kept, server } = sample;
        const { port } = server.address() as AddressInfo;
        const get = ctx.getGetSessionCallback();
        let gets = 0;
        ctx.setGetSessionCallback((ssl, id, copy) => {
          gets++;
          return get?.(ssl, id, copy) ?? null;
        });
        const first = await visit(port, version);
        expect(kept.size).to.equal(version === 'TLSv1.2' ? 1 : 2);
        const { isReused } = await visit(port, version, first.session);
        expect([isReused, gets]).to.deep.equal([true, 1]);
        ctx.setGetSessionCallback(get);
        ctx.flushSessions(0);
        expect(kept.size).to.equal(0);
      });
    }
  });
}
