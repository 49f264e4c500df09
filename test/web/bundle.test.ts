/** The core and the Web shell in a browser: what esbuild makes of them for it, and a page with nothing but a browser's globals. */

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { MessageChannel } from 'node:worker_threads';
import { expect } from 'chai';
import { type BuildResult, build, type Metafile } from 'esbuild';
import { accept, defineServer, fromMessagePort } from '../../src/index.ts';
import { type CertificateFixture, certificates } from '../fixtures.ts';
import { type Link, rejection, sessionOf, startClient, streamLink, VERSIONS, versionOnly } from './support.ts';

const index = fileURLToPath(new URL('../../src/index.js', import.meta.url));

type Bundle = BuildResult<{ write: false; metafile: true }>;

function bundle(entry: { entryPoints: string[] } | { stdin: { contents: string } }): Promise<Bundle> {
  return build({
    ...entry,
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'TlsResume',
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
}

const external = (metafile: Metafile): string[] =>
  Object.values(metafile.inputs)
    .flatMap(({ imports }) => imports)
    .filter((imported) => imported.external)
    .map(({ path }) => path);

/** The globals of a page that this library may use; those of the language come with the context. */
function browserGlobals() {
  return {
    crypto,
    AbortController,
    performance: { now: () => performance.now() },
    TextEncoder,
    TextDecoder,
    ReadableStream,
    WritableStream,
    setTimeout: (action: () => void, delayMs: number) => Number(setTimeout(action, delayMs)),
    clearTimeout: (timer: number) => clearTimeout(timer),
    queueMicrotask,
    atob,
    btoa,
  };
}

/** What the page does: it accepts one connection, echoes, and tells how it resumed. */
const PAGE = `(({ cert, key }) => {
  const config = TlsResume.defineServer({ credentials: [{ cert, key }] });
  return async ({ port, streams }) => {
    const tls = await TlsResume.accept(port ? TlsResume.fromMessagePort(port) : streams, config);
    const { resumed, mechanism } = tls.resumption;
    await tls.readable.pipeTo(tls.writable);
    await tls.closed;
    return resumed ? mechanism : 'full';
  };
})`;

type Serve = (transport: { port?: unknown; streams?: unknown }) => Promise<string>;

function openPage(code: string, credential: CertificateFixture): Serve {
  return pageOf(code, PAGE)(credential);
}

/** What a program evaluates to in a page that has the bundle. */
function pageOf(code: string, program: string) {
  const context = createContext(browserGlobals());
  runInContext(code, context);
  expect(runInContext('typeof process + typeof Buffer + typeof require', context)).to.equal('undefined'.repeat(3));
  return runInContext(program, context);
}

/** The same for a page that connects, says something, and tells what it has heard and how it resumed. */
const VISITOR = `(() => {
  const client = TlsResume.defineClient({ verifyServer: 'any' });
  return async ({ port, streams }) => {
    const tls = await TlsResume.connect(port ? TlsResume.fromMessagePort(port) : streams, client);
    const writer = tls.writable.getWriter();
    await writer.write(new TextEncoder().encode('from a page'));
    const { value } = await tls.readable.getReader().read();
    await writer.close();
    const { resumed, mechanism, reason } = tls.resumption;
    return [new TextDecoder().decode(value), resumed ? mechanism : reason];
  };
})`;

type Visit = (transport: { port?: unknown; streams?: unknown }) => Promise<[string, string]>;

/** One visit of Node's client; the page's word on it, the client's, and the session to come again with. */
async function visit(served: Promise<string>, client: Link['client'], options: Parameters<typeof startClient>[1]) {
  const { fromClient, echo, session, isReused } = await talk(client, options);
  expect(echo).to.equal(fromClient);
  return { said: await served, session, isReused };
}

async function talk(pair: Link['client'], options: Parameters<typeof startClient>[1]) {
  const client = startClient(pair, options);
  const fromClient = 'to a page and back';
  client.socket.write(fromClient);
  const [echo] = await once(client.socket, 'data');
  const isReused = client.socket.isSessionReused();
  const session = isReused ? undefined : await sessionOf(client); // TLS 1.2 gives no other on resumption
  client.socket.resume();
  client.socket.end();
  await once(client.socket, 'close');
  return { fromClient, echo: String(echo), session, isReused };
}

describe('in a browser', () => {
  let built: Bundle;
  before(async () => {
    built = await bundle({ entryPoints: [index] });
  });

  it('the bundle has nothing left to import, of Node or of anybody', () => {
    const [file] = built.outputFiles;
    expect(built.outputFiles).to.have.length(1);
    expect(external(built.metafile)).to.deep.equal([]);
    expect(Object.keys(built.metafile.inputs).filter((path) => /src\/(node|cli)\//.test(path))).to.deep.equal([]);
    expect(file?.text).to.not.match(/['"`]node:|\brequire\s*\(|\bimport\s*\(/);
    expect(built.warnings).to.deep.equal([]);
  });

  it('a bundle that wanted Node would not be made', async () => {
    for (const contents of ["import 'node:fs'", "import 'fs'", "await import('node:fs')"]) {
      expect(await rejection(bundle({ stdin: { contents } }))).to.be.instanceOf(Error);
    }
  });

  for (const version of VERSIONS) {
    for (const name of ['a MessageChannel', 'stream pairs'] as const) {
      it(`${version} over ${name}: full, then resumed`, async () => {
        const serve = openPage(built.outputFiles[0]?.text ?? '', certificates.ecdsaP256);
        const start = () => {
          if (name === 'stream pairs') {
            const { server, client } = streamLink();
            return { served: serve({ streams: server }), client };
          }
          const { port1, port2 } = new MessageChannel();
          return { served: serve({ port: port1 }), client: fromMessagePort(port2) };
        };
        const first = start();
        const full = await visit(first.served, first.client, versionOnly(version));
        expect(full).to.include({ said: 'full', isReused: false });
        const second = start();
        const resumed = await visit(second.served, second.client, { ...versionOnly(version), session: full.session });
        expect(resumed.isReused).to.equal(true);
        expect(resumed.said).to.equal(version === 'TLSv1.2' ? 'session-id' : 'psk-stateful');
      });
    }
  }

  for (const entry of ['client', 'client13'] as const) {
    it(`${entry} connects over a MessageChannel and over stream pairs: full, then resumed`, async () => {
      const path = fileURLToPath(new URL(`../../src/${entry}.js`, import.meta.url));
      const { outputFiles, metafile, warnings } = await bundle({ entryPoints: [path] });
      expect([external(metafile), warnings]).to.deep.equal([[], []]);
      const visitPage: Visit = pageOf(outputFiles[0]?.text ?? '', VISITOR)();
      const server = defineServer({ credentials: [certificates.ecdsaP256] });
      const echo = async (pair: Link['server']): Promise<void> => {
        const tls = await accept(pair, server);
        await tls.readable.pipeTo(tls.writable);
      };
      const { port1, port2 } = new MessageChannel();
      const first = echo(fromMessagePort(port1));
      expect(await visitPage({ port: port2 })).to.deep.equal(['from a page', 'not-offered']);
      const link = streamLink();
      const second = echo(link.server);
      expect(await visitPage({ streams: link.client })).to.deep.equal(['from a page', 'psk']);
      await Promise.all([first, second]);
    });
  }

  it('signs with RSA through Web Crypto', async () => {
    const serve = openPage(built.outputFiles[0]?.text ?? '', certificates.rsa2048);
    const { server, client } = streamLink();
    const { said } = await visit(serve({ streams: server }), client, { ca: certificates.rsa2048.cert });
    expect(said).to.equal('full');
  });
});
