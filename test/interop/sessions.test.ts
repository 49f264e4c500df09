/** Sessions as bytes: what our server writes and OpenSSL reads, what OpenSSL writes and our server reads. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { give, type OnGet } from '../../src/cache/callbacks.ts';
import { SessionCache } from '../../src/cache/session-cache.ts';
import { Session } from '../../src/sessions/session.ts';
import { ascii, toHex } from '../../src/wire/bytes.ts';
import { CipherSuite } from '../../src/wire/registry.ts';
import { type CertificateFixture, certificates, fixturePath } from '../fixtures.ts';
import { forEachMutation, tryDecode, vector } from '../support/session-der.ts';
import { nodeTls, nodeTlsWith, openssl, opensslSays, type Version } from './clients.ts';
import { CERTIFICATE, onTheWire, type Travelled, travel, WIRE_VERSION } from './harness.ts';
import { hex, type OurServer, startOurs } from './our-server.ts';
import { describeWith, run, workFolder } from './peers.ts';
import { type RunningServer, startNodeServer } from './reference-server.ts';

const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];
const STATEFUL = { 'TLSv1.2': 'session-id', 'TLSv1.3': 'psk' } as const;
const ID_CONTEXT = 'both servers';
/** "TLSR": what SSLSession has no field for is in ticket_appdata. */
const RECORD = '544c5352';

/** Runs what needs servers, and closes them. */
async function withServers<S extends RunningServer, T>(
  servers: readonly Promise<S>[],
  action: (...servers: S[]) => Promise<T>,
): Promise<T> {
  const running = await Promise.all(servers);
  try {
    return await action(...running);
  } finally {
    await Promise.all(running.map((server) => server.close()));
  }
}

/** Sessions of real handshakes, as {@link Session.toDer} and toPem() wrote them when they were new. */
async function sessionsOf(version: Version): Promise<{ der: Uint8Array; pem: string }[]> {
  const written: { der: Uint8Array; pem: string }[] = [];
  const sessions = {
    idContext: ascii(ID_CONTEXT),
    timeout: 4711,
    onNew: (session: Session) => void written.push({ der: session.toDer(), pem: session.toPem() }),
  };
  await withServers([startOurs({ sessions, alpn: ['http/1.1'] })], ({ port }) => {
    return travel({ client: nodeTlsWith({ ALPNProtocols: ['http/1.1'] }), version, port });
  });
  return written;
}

describeWith(['openssl'], 'interop: openssl reads what we write', () => {
  const SUITE_NAMES: Readonly<Record<number, string>> = {
    [CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    [CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]: 'ECDHE-ECDSA-AES256-GCM-SHA384',
    [CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]: 'ECDHE-ECDSA-CHACHA20-POLY1305',
    [CipherSuite.TLS_AES_128_GCM_SHA256]: 'TLS_AES_128_GCM_SHA256',
    [CipherSuite.TLS_AES_256_GCM_SHA384]: 'TLS_AES_256_GCM_SHA384',
    [CipherSuite.TLS_CHACHA20_POLY1305_SHA256]: 'TLS_CHACHA20_POLY1305_SHA256',
  };

  /** The lines of `sess_id -text`. */
  function printed(stdout: string): Record<string, string> {
    const lines = [...stdout.matchAll(/^ +([A-Z][^:\n]*?) *: *(.*?) *$/gm)];
    return Object.fromEntries(lines.map(([, name, value]) => [name, value]));
  }

  function expected(session: Session): Record<string, string> {
    const isTls13 = session.version === 'TLSv1.3';
    return {
      Protocol: session.version,
      Cipher: SUITE_NAMES[session.cipherSuite] ?? '',
      'Session-ID': hex(session.id).toUpperCase(),
      'Session-ID-ctx': hex(ascii(ID_CONTEXT)).toUpperCase(),
      [isTls13 ? 'Resumption PSK' : 'Master-Key']: hex(session.secret).toUpperCase(),
      'Start Time': String(session.time),
      Timeout: '4711 (sec)',
      'Verify return code': '0 (ok)',
      'Extended master secret': isTls13 ? 'no' : 'yes',
    };
  }

  for (const version of VERSIONS) {
    it(`sess_id prints it, ${version}, DER and PEM`, async () => {
      const written = await sessionsOf(version);
      expect(written).to.have.length(version === 'TLSv1.3' ? 3 : 1);
      for (const { der, pem } of written) {
        expect(toHex(der)).to.include(RECORD);
        const session = Session.fromDer(der);
        const args = ['sess_id', '-text', '-noout', '-inform'];
        for (const [form, input] of [['DER', der] as const, ['PEM', pem] as const]) {
          const { stdout } = await run('openssl', [...args, form], { input });
          expect(printed(stdout)).to.include(expected(session));
        }
      }
    });

    it(`sess_id writes the same again, ${version}, DER and PEM`, async () => {
      for (const { der, pem } of await sessionsOf(version)) {
        const file = join(workFolder(), 'session.der');
        await run('openssl', ['sess_id', '-inform', 'PEM', '-outform', 'DER', '-out', file], { input: pem });
        expect(hex(await readFile(file))).to.equal(hex(der));
        const { stdout } = await run('openssl', ['sess_id', '-inform', 'DER', '-outform', 'PEM'], { input: der });
        expect(stdout).to.equal(pem);
      }
    });

    it(`s_client resumes by -sess_in from what the server has written, ${version}`, async () => {
      const written: Session[] = [];
      const onNew = (session: Session): boolean => written.push(session) > 0;
      await withServers([startOurs({ sessions: { onNew } })], async (server) => {
        await travel({ client: nodeTls, version, port: server.port, connections: 1 });
        const [session] = written;
        if (session === undefined) throw new Error('no session');
        const file = join(workFolder(), `server-${version}.pem`);
        await writeFile(file, asClient(session).toPem());
        const journey = { port: server.port, version, trust: fixturePath(`certificates/${CERTIFICATE}.cert.pem`) };
        const ran = await openssl(journey, ['-sess_in', file, '-ign_eof'], 'GET / HTTP/1.0\r\n\r\n');
        expect(opensslSays(ran)).to.deep.equal([true]);
        expect(server.accepted.map(({ isSessionReused }) => isSessionReused)).to.deep.equal([false, true]);
        expect(server.errors).to.deep.equal([]);
      });
      for (const session of written) session.free();
    });
  }

  /** In TLS 1.3 a client has the id of the server's session as its ticket. */
  function asClient(session: Session): Session {
    if (session.version === 'TLSv1.2') return session;
    return session.dup({ foreign: { ticket: session.id, ticketLifetimeHint: session.timeout } });
  }

  it('sess_id takes 107 of the 150 low-bit flips of s12id, all but two of which are ours, too', async () => {
    const changed: Uint8Array[] = [];
    forEachMutation(vector('s12id'), [1], (bytes) => changed.push(Uint8Array.from(bytes)));
    const theirs: number[] = [];
    for (const [at, input] of changed.entries()) {
      const sessId = run('openssl', ['sess_id', '-inform', 'DER', '-noout'], { input });
      await sessId.then(
        () => theirs.push(at),
        () => {},
      );
    }
    expect(theirs).to.have.length(107);
    const refused = theirs.filter((at) => tryDecode(changed[at] ?? new Uint8Array()) === undefined);
    expect(refused).to.deep.equal([9, 98]); // TLS 1.1; a constructed key_arg
  });
});

describe('interop: one store, our server and one of node:tls', () => {
  const SUITES: readonly [keyof typeof CipherSuite, openssl: string][] = [
    ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
    ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
    ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
    ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
    ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ];
  const ALPN = ['http/1.1'];

  interface Visits extends Travelled {
    /** In the order of the visits. */
    readonly store: ReadonlyMap<string, Uint8Array>;
    readonly ours: OurServer;
  }

  interface Hello {
    readonly suite?: string;
    readonly pair?: CertificateFixture;
    readonly certificate?: string;
    readonly servername?: string;
    readonly alpn?: readonly string[];
  }

  /** Two visits in TLS 1.2: first at one of the two servers, then at the other. */
  async function visitBoth(first: 'ours' | 'node:tls', hello: Hello): Promise<Visits> {
    const { suite, pair = certificates.ecdsaP256, certificate, servername = '', alpn } = hello;
    const store = new Map<string, Uint8Array>();
    const alpnOption = alpn && { alpn };
    const starting = startOurs({
      credentials: [pair],
      ...alpnOption,
      sessions: {
        cache: false,
        foreign: true,
        idContext: ascii(ID_CONTEXT),
        onNew: (session) => void store.set(hex(session.id), session.toDer()),
        onGet: (id) => store.get(hex(id)),
      },
    });
    const ALPNProtocols = alpn && { ALPNProtocols: [...alpn] };
    const tls = { maxVersion: 'TLSv1.2', sessionIdContext: ID_CONTEXT, ...ALPNProtocols } as const;
    const theirs = startNodeServer(pair, { tickets: false, store, tls });
    return withServers<RunningServer, Visits>([starting, theirs], async (...servers) => {
      const ports = (first === 'ours' ? servers : [...servers].reverse()).map(({ port }) => port);
      const ciphers = suite && { ciphers: suite };
      const client = nodeTlsWith({ ...ciphers, ...ALPNProtocols, servername });
      const port = (index: number): number => ports[index] ?? 0;
      const travelled = await travel({ client, version: 'TLSv1.2', port, certificate });
      return { ...travelled, store, ours: await starting };
    });
  }

  /** By the client, both servers and the wire. */
  function expectResumed(first: 'ours' | 'node:tls', { passages, told, store, ours }: Visits): Session {
    expect(onTheWire(passages)).to.deep.equal(['full', 'session-id']);
    expect(told.resumed).to.deep.equal([false, true]);
    const says = first === 'ours' ? ['page: not-offered', 'page: resumed'] : ['page: full', 'page: session-id'];
    expect(told.pages).to.deep.equal(says);
    expect(ours.accepted.map((one) => one.isSessionReused)).to.deep.equal([first !== 'ours']);
    expect(ours.errors).to.deep.equal([]);
    const [[id, der] = ['', new Uint8Array()]] = store;
    expect(store.size).to.equal(1);
    for (const { serverHello } of passages) expect(hex(serverHello?.sessionId ?? Buffer.alloc(0))).to.equal(id);
    expect(toHex(der).includes(RECORD), 'who wrote it').to.equal(first === 'ours');
    return Session.fromDer(der);
  }

  for (const [first, second] of [
    ['ours', 'node:tls'],
    ['node:tls', 'ours'],
  ] as const) {
    describe(`a session of ${first} resumes at ${second}`, () => {
      for (const [name, suite] of SUITES) {
        it(name, async () => {
          const isRsa = name.includes('_RSA_');
          const pair = isRsa ? certificates.rsa2048 : certificates.ecdsaP256;
          const visits = await visitBoth(first, {
            suite,
            pair,
            certificate: isRsa ? 'rsa-2048' : CERTIFICATE,
          });
          const session = expectResumed(first, visits);
          expect(session).to.include({ cipherSuite: CipherSuite[name], extendedMasterSecret: true });
          for (const { serverHello } of visits.passages) expect(serverHello?.cipherSuite).to.equal(CipherSuite[name]);
        });
      }

      for (const alpn of [undefined, ALPN]) {
        for (const servername of ['localhost', '']) {
          const title = `${servername === '' ? 'without' : 'with'} a host name, ${alpn ? 'with' : 'without'} ALPN`;
          it(title, async () => {
            const visits = await visitBoth(first, { servername, ...(alpn && { alpn }) });
            const session = expectResumed(first, visits);
            expect(session.alpnProtocol).to.equal(alpn?.[0]);
            expect(session.serverName).to.equal(first === 'ours' ? servername || undefined : undefined);
            for (const { clientHellos } of visits.passages) {
              expect(clientHellos[0]?.serverName).to.equal(servername || undefined);
            }
          });
        }
      }
    });
  }

  // node:tls chooses by the name when OpenSSL has already noted that nobody has acknowledged it (RFC 6066 §3), and then
  // it is not in the session. What binds it is the context that both servers have chosen.
  it('a session of node:tls has no host name', async () => {
    const { store } = await visitBoth('node:tls', { servername: 'localhost' });
    const [der] = store.values();
    expect(Session.fromDer(der ?? new Uint8Array())).to.include({ serverName: undefined, scope: undefined });
  });

  it('a session of node:tls under another context does not resume at ours', async () => {
    const store = new Map<string, Uint8Array>();
    const sessions = {
      cache: false as const,
      foreign: true,
      idContext: ascii('ours'),
      onGet: (id: Uint8Array) => store.get(hex(id)),
    };
    const tls = { maxVersion: 'TLSv1.2', sessionIdContext: 'theirs' } as const;
    const theirs = startNodeServer(certificates.ecdsaP256, { tickets: false, store, tls });
    const starting = startOurs({ sessions });
    await withServers<RunningServer, void>([theirs, starting], async (...servers) => {
      const port = (index: number): number => servers[index]?.port ?? 0;
      const { passages } = await travel({ client: nodeTls, version: 'TLSv1.2', port });
      expect(onTheWire(passages)).to.deep.equal(['full', 'full']);
      const { accepted } = await starting;
      expect(accepted.map(({ resumption }) => resumption.reason)).to.deep.equal(['session-id-context']);
    });
  });
});

describe('interop: a store of bytes', () => {
  interface Kind {
    readonly keep: (session: Session) => Uint8Array | string;
    readonly find: (row: Uint8Array | string) => ReturnType<OnGet>;
  }

  const KINDS: Readonly<Record<string, Kind>> = {
    DER: { keep: (session) => session.toDer(), find: (row) => row as Uint8Array },
    'DER, later': { keep: (session) => session.toDer(), find: async (row) => row as Uint8Array },
    'DER in a Buffer': { keep: (session) => session.toDer(), find: (row) => Buffer.from(row as Uint8Array) },
    'PEM, decoded and given': {
      keep: (session) => session.toPem(),
      find: (row) => give(Session.fromPem(row as string)),
    },
  };

  /** A visit at each of two servers that have nothing but a store in common. */
  async function visitTwo(version: Version, { keep, find }: Kind, cache: SessionCache | false) {
    const rows = new Map<string, Uint8Array | string>();
    const originals = new Map<string, string>();
    const sessions = {
      onNew: (session: Session) => {
        rows.set(hex(session.id), keep(session));
        originals.set(hex(session.id), hex(session.toDer()));
      },
      onGet: (id: Uint8Array) => {
        const row = rows.get(hex(id));
        return row === undefined ? undefined : find(row);
      },
    };
    const servers = [startOurs({ sessions }), startOurs({ sessions: { ...sessions, cache } })];
    return withServers(servers, async (one, other) => {
      const port = (index: number): number => (index === 0 ? one : other)?.port ?? 0;
      const travelled = await travel({ client: nodeTls, version, port });
      const errors = [one, other].flatMap((server) => server?.errors);
      return { ...travelled, errors, rows, originals, resumption: other?.accepted[0]?.resumption };
    });
  }

  for (const version of VERSIONS) {
    for (const [kind, store] of Object.entries(KINDS)) {
      it(`${version}, ${kind}: resumes at a second server; the session is wiped at the end, the store's bytes never`, async () => {
        const { passages, told, errors, rows, originals, resumption } = await visitTwo(version, store, false);
        expect(onTheWire(passages)).to.deep.equal(['full', STATEFUL[version]]);
        expect(told.resumed).to.deep.equal([false, true]);
        expect(errors).to.deep.equal([]);
        for (const { serverHello } of passages) expect(serverHello?.version).to.equal(WIRE_VERSION[version]);
        const { session } = resumption ?? {};
        expect(session?.holds, 'holds at the end').to.equal(0);
        expect(() => session?.secret).to.throw(/last free/);
        for (const [id, row] of rows) {
          const again = typeof row === 'string' ? Session.fromPem(row) : Session.fromDer(row);
          expect(hex(again.toDer())).to.equal(originals.get(id));
        }
      });
    }

    it(`${version}: what came from the store goes into the second server's cache, and is wiped when it leaves that`, async () => {
      const cache = new SessionCache();
      const { DER } = KINDS;
      if (DER === undefined) throw new Error('no such store');
      const { passages, resumption } = await visitTwo(version, DER, cache);
      expect(onTheWire(passages)).to.deep.equal(['full', STATEFUL[version]]);
      const { session } = resumption ?? {};
      expect(session?.isCached).to.equal(true);
      expect(session?.holds).to.equal(1);
      cache.close();
      expect(session?.holds).to.equal(0);
    });
  }
});
