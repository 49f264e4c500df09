/** docs/runtimes.md: each part works with the globals of its row, and names the one that is missing without it. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MessageChannel } from 'node:worker_threads';
import { expect } from 'chai';
import type { ClientConfig } from '../src/engine/client/config.ts';
import type { ClientSessionOptions } from '../src/engine/client/options.ts';
import type { ServerConfig } from '../src/engine/server/config.ts';
import type { SessionOptions } from '../src/engine/server/options.ts';
import { accept, defineServer } from '../src/index.ts';
import { Session } from '../src/sessions/session.ts';
import { CipherSuite, type Version } from '../src/wire/registry.ts';
import { certificates, rootCertificate } from './fixtures.ts';
import { type Host, type Library, load, serveIn, visitIn } from './support/hosts.ts';
import { ROWS } from './support/replay.ts';
import { type ClientSession, ScriptedClient } from './support/scripted-client.ts';
import { quickCredential } from './support/servers.ts';
import { NEW_YEAR, TestWorld } from './support/world.ts';
import { packageFile, streamLink } from './web/support.ts';

const { ecdsaP256, ed25519, rsa2048 } = certificates;
const page = readFileSync(join(packageFile, '../docs/runtimes.md'), 'utf8');

/** The rows of the table under a heading, each as its cells. */
function tableUnder(heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

type Core = Pick<Library['index'], 'ServerConnection'>;

/** A world whose bytes are of the host's own kind. */
function worldFor({ bytes }: Host<unknown>): TestWorld {
  const world = new TestWorld();
  const draw = world.randomBytes.bind(world);
  world.randomBytes = (length) => bytes(draw(length));
  return world;
}

/** Signs with bytes that verify nowhere. */
function credentialFor({ bytes }: Host<unknown>) {
  const schemes = ['ecdsa_secp256r1_sha256'] as const;
  const sign = () => bytes(new Uint8Array(64));
  return {
    certificateChain: quickCredential.certificateChain.map((one) => bytes(one)),
    schemes,
    names: ['localhost'],
    sign,
  };
}

/** What servers in a host have that has no PEM and no random numbers. */
function basics(host: Host<unknown>) {
  return { credentials: [credentialFor(host)], world: worldFor(host) };
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/** A full handshake and a resumption in each version. */
async function visits(host: Host<Core>, config: ServerConfig, versions: readonly Version[] = VERSIONS): Promise<void> {
  for (const version of versions) {
    const first = new ScriptedClient({ version });
    await serveIn(host, config, first);
    const offer = version === 'TLSv1.3' ? { psks: first.tickets } : { session: first.session };
    const { resumption } = await serveIn(host, config, new ScriptedClient({ version, ...offer }));
    expect(resumption.resumed).to.equal(true);
  }
}

/** A session that no server knows, so that it asks its store. */
const UNKNOWN: ClientSession = {
  id: new Uint8Array(32).fill(1),
  secret: new Uint8Array(48),
  cipherSuite: CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
};

/** A session in a host, whose id is this number. */
function sessionIn({ library, bytes }: Host<Library['index']>, id: number): Session {
  return library.Session.fromDer(bytes(sessionNumbered(id).toDer()));
}

function sessionNumbered(id: number): Session {
  return new Session({
    version: 'TLSv1.3',
    cipherSuite: CipherSuite.TLS_AES_128_GCM_SHA256,
    id: Uint8Array.of(id >> 8, id & 0xff),
    secret: new Uint8Array(32),
    time: NEW_YEAR / 1000,
    timeout: 7200,
    authTime: NEW_YEAR / 1000,
    extendedMasterSecret: true,
    idContext: new Uint8Array(0),
  });
}

/** Three keys, a line each. */
function haproxyKeys(): Uint8Array {
  const world = new TestWorld();
  return Buffer.from([1, 2, 3].map(() => Buffer.from(world.randomBytes(48)).toString('base64')).join('\n'));
}

/** Serves over streams a client that asks for its session, and one that speaks no TLS. */
async function accepted(host: Host<Library['index']>, sessions: SessionOptions = {}): Promise<void> {
  const config = host.library.defineServer({ ...basics(host), sessions });
  const failures: unknown[] = [];
  const onCallbackError = (_callback: string, error: unknown) => failures.push(error);
  const link = streamLink();
  const served = host.library.accept(link.server, config, { onCallbackError });
  const spoken = speak(new ScriptedClient({ version: 'TLSv1.2', session: UNKNOWN }), link.client);
  const tls = await Promise.race([served, spoken.then(() => served)]);
  if (failures.length > 0) throw failures[0];
  await tls.close();
  const other = streamLink();
  const refused = host.library.accept(other.server, config);
  void other.client.readable.getReader().read();
  await other.client.writable.getWriter().write(new TextEncoder().encode('GET / HTTP/1.1'));
  expect(
    await refused.then(
      () => undefined,
      ({ name }) => name,
    ),
  ).to.equal('TlsAlert');
}

/** Speaks until the server has ended. */
async function speak(
  client: ScriptedClient,
  { readable, writable }: ReturnType<typeof streamLink>['client'],
): Promise<void> {
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  for (;;) {
    void writer.write(client.take());
    const { value, done } = await reader.read();
    if (done) return;
    client.receive(Uint8Array.from(value));
  }
}

/** A server of this program, for clients in a host. */
function server() {
  return defineServer({ credentials: [ecdsaP256], world: new TestWorld() });
}

/** What clients in a host have that has no random numbers. */
function clientBasics(host: Host<unknown>) {
  return { verifyServer: 'any', world: worldFor(host) } as const;
}

/** A full handshake and a resumption in each version that the client speaks. */
async function clientVisits<E extends 'client' | 'client13'>(
  host: Host<Pick<Library[E], 'ClientConnection'>>,
  ...clients: readonly ClientConfig[]
): Promise<void> {
  const peer = server();
  for (const client of clients) {
    await visitIn(host, client, peer);
    expect((await visitIn(host, client, peer)).resumption.resumed).to.equal(true);
  }
}

/** Connects over streams to our server, resumes, and has an error for a server that speaks no TLS. */
async function connected(host: Host<Library['client']>, sessions: ClientSessionOptions = {}): Promise<void> {
  const { library } = host;
  const client = library.defineClient({ ...clientBasics(host), sessions });
  const failures: unknown[] = [];
  const onCallbackError = (_callback: string, error: unknown) => failures.push(error);
  const link = streamLink();
  const own = library.connect(link.client, client, { onCallbackError });
  const served = accept(link.server, server());
  const tls = await Promise.race([own, served.then(() => own)]);
  if (failures.length > 0) throw failures[0];
  await tls.close();
  const other = streamLink();
  const refused = library.connect(other.client, client);
  void other.server.readable.getReader().read();
  await other.server.writable.getWriter().write(new TextEncoder().encode('220 mail.example'));
  expect(
    await refused.then(
      () => undefined,
      ({ name }) => name,
    ),
  ).to.equal('TlsAlert');
}

interface Part {
  run(globals: readonly string[]): Promise<void>;
}

function part<E extends keyof Library>(entry: E, use: (host: Host<Library[E]>) => unknown): Part {
  return { run: async (globals) => void (await use(await load(entry, globals))) };
}

/** In the order of the table. */
const PARTS: readonly Part[] = [
  part('index', (host) => visits(host, host.library.defineServer(basics(host)))),
  part('index', (host) =>
    visits(host, host.library.defineServer({ ...basics(host), credentials: [ecdsaP256, ed25519] })),
  ),
  part('openssl', (host) => {
    const { SslContext } = host.library;
    return visits(host, new SslContext({ ...basics(host), credentials: [ecdsaP256, ed25519] }).config);
  }),
  part('tls13', (host) => {
    const { credentialFromPem, defaultProvider: crypto, defineServer } = host.library;
    const credentials = [credentialFromPem(ecdsaP256)];
    return visits(host, defineServer({ credentials, crypto, world: worldFor(host) }), ['TLSv1.3']);
  }),
  part('tls13', async (host) => {
    const { webCryptoCredential, defineServer } = host.library;
    return visits(host, defineServer({ credentials: [await webCryptoCredential(ecdsaP256)] }), ['TLSv1.3']);
  }),
  part('index', ({ library }) => library.systemWorld.randomBytes(8)),
  part('index', (host) => visits(host, host.library.defineServer({ ...basics(host), credentials: [rsa2048] }))),
  part('index', ({ library }) => library.webCryptoCredential(ecdsaP256)),
  part('index', (host) =>
    visits(host, host.library.defineServer({ ...basics(host), crypto: host.library.webProvider })),
  ),
  part('index', (host) => {
    const clientAuth = { mode: 'request', verifyClient: () => true, authorities: [rootCertificate] } as const;
    host.library.defineServer({ ...basics(host), clientAuth });
  }),
  part('index', async (host) => {
    const sessions = { onGet: () => undefined };
    const config = host.library.defineServer({ ...basics(host), sessions });
    await serveIn(host, config, new ScriptedClient({ version: 'TLSv1.2', session: UNKNOWN }));
  }),
  part('index', (host) => accepted(host)),
  part('index', (host) => accepted(host, { onGet: () => Promise.resolve(undefined) })),
  part('index', ({ library }) => {
    const { port1 } = new MessageChannel();
    library.fromMessagePort(port1);
    port1.close();
  }),
  part('index', async (host) => {
    const config = host.library.defineServer(basics(host));
    for (let i = 0; i < 1025; i++) config.addSession(sessionIn(host, i));
    expect(await host.library.flushInSlices(config, 0)).to.equal(1025);
  }),
  part('index', (host) => host.library.selfSignedCertificate(worldFor(host))),
  part('index', (host) => sessionIn(host, 1).toPem()),
  part('index', ({ library }) => library.Session.fromPem(sessionNumbered(1).toPem())),
  part('index', ({ library, bytes }) => library.ticketKeysFrom('haproxy', bytes(haproxyKeys()))),
  part('client', (host) => {
    const { defineClient } = host.library;
    const clients = VERSIONS.map((maxVersion) => defineClient({ ...clientBasics(host), maxVersion }));
    return clientVisits<'client'>(host, ...clients);
  }),
  part('client', (host) => {
    const { defineClient } = host.library;
    return clientVisits<'client'>(host, defineClient({ ...clientBasics(host), credential: ecdsaP256 }));
  }),
  part('client', async (host) => {
    const client = host.library.defineClient(clientBasics(host));
    await visitIn(host, client, defineServer({ credentials: [rsa2048] }));
  }),
  part('client13', (host) => clientVisits<'client13'>(host, host.library.defineClient(clientBasics(host)))),
  part('client', (host) => connected(host)),
  part('client', (host) => connected(host, { store: { load: () => Promise.resolve(undefined), save: () => {} } })),
];

describe('docs/runtimes.md', () => {
  const rows = tableUnder('What needs which globals');

  it('has a part for each row', () => expect(rows).to.have.length(PARTS.length));

  for (const [i, [name = '', entry = '', cell = '']] of rows.entries()) {
    const globals = [...cell.matchAll(/`([\w.]+)`/g)].map(([, global = '']) => global);

    it(`${entry}, ${name}: works with ${globals.join(', ')} alone`, () => PARTS[i]?.run(globals));

    for (const missing of globals) {
      it(`${entry}, ${name}: misses ${missing}, and says so`, async () => {
        const rest = globals.filter((global) => global !== missing && !global.startsWith(`${missing}.`));
        const error = await PARTS[i]?.run(rest).then(
          () => 'it works',
          (thrown: unknown) => String(thrown),
        );
        expect(error).to.match(new RegExp(`^MissingGlobal: this host has no globalThis\\.${missing}(\\.subtle)?: `));
      });
    }
  }

  it('says of each credential and provider whether it draws', () => {
    const table = tableUnder('Who draws').map(([name = '', answer = '']) => [name, answer.startsWith('yes')]);
    expect(table).to.deep.equal(Object.entries(ROWS).map(([name, { draws }]) => [name, draws]));
  });

  it('names what tls-resume/node needs, and that is enough', async () => {
    const [, list = ''] = /and of the globals\s([^.]*)\./.exec(page) ?? [];
    const globals = [...list.matchAll(/`(\w+)`/g)].map(([, global = '']) => global);
    const program = fileURLToPath(new URL('support/bare-node.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...globals]);
    expect(stdout).to.equal('full TLSv1.2\nresumed TLSv1.2\nfull TLSv1.3\nresumed TLSv1.3\n');
  });
});
