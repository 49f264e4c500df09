/**
 * A fleet of servers with the same ticket keys, of which one is ours: the client's ticket from one resumes at the other.
 * What the others call their session id context is found out as an operator would, by `tls-resume inspect`.
 */

import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseCommand } from '../../src/cli/args.ts';
import { inspect } from '../../src/cli/inspect.ts';
import type { SessionDescription } from '../../src/cli/session-text.ts';
import { type NodeServerOptions, unwrapNodeSession, wrapNodeSession } from '../../src/node/index.ts';
import { ticketKeysFrom } from '../../src/tickets/key-files.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { ascii, fromHex } from '../../src/wire/bytes.ts';
import { systemWorld } from '../../src/world.ts';
import { certificates, fixturePath } from '../fixtures.ts';
import { nodeTls, openssl, type Version, visitByNode } from './clients.ts';
import { type Fellow, fellows, ID_CONTEXT, secretFile } from './fleet-servers.ts';
import { CERTIFICATE, onTheWire, travel, WIRE_VERSION } from './harness.ts';
import { type OurServer, startOurs } from './our-server.ts';
import { describeWith, workFolder } from './peers.ts';
import { type RunningServer, startNodeServer } from './reference-server.ts';

const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];
const ON_THE_WIRE = { 'TLSv1.2': 'ticket', 'TLSv1.3': 'psk' } as const;
const MECHANISM = { 'TLSv1.2': 'ticket', 'TLSv1.3': 'psk-stateless' } as const;
const TRUST = fixturePath(`certificates/${CERTIFICATE}.cert.pem`);

/** What `tls-resume inspect` says of a ticket, or of a client's session with one. */
async function inspected(ticket: Uint8Array, fellow: Fellow, keys: readonly Buffer[]): Promise<SessionDescription> {
  const words = ['inspect', '--json', '--ticket', await secretFile('client', ticket)];
  for (const bytes of keys) words.push('--ticket-keys', `${fellow.producer}:${await secretFile('keys', bytes)}`);
  const command = parseCommand(words);
  if (command.name !== 'inspect') throw new Error(command.name);
  return JSON.parse(inspect(command.settings).join('\n'));
}

/** One full handshake with it, and what its ticket has in it. */
async function ticketOf(fellow: Fellow, version: Version): Promise<SessionDescription> {
  const [keys] = fellow.makeKeys();
  const server = await fellow.start(keys);
  try {
    const { session } = await visitPage(server.port, version);
    return await inspected(session, fellow, keys);
  } finally {
    await server.close();
  }
}

/** As a client takes it that talks to this host: a newer Node would not offer the session of another, and the server have no say. */
function madeFor(host: string, session: Buffer): Buffer {
  const { der, host: by } = unwrapNodeSession(session);
  return by === undefined ? session : wrapNodeSession(der, host);
}

/** By node:tls. */
async function visitPage(port: number, version: Version, further: { session?: Buffer; serverName?: string } = {}) {
  const { session: offered, serverName } = further;
  const options = { ca: certificates.ecdsaP256.cert, checkServerIdentity: () => undefined };
  const journey = { port, version, trust: TRUST, serverName };
  const resumption = offered && { session: serverName === undefined ? offered : madeFor(serverName, offered) };
  const { session, resumed } = await visitByNode(journey, { ...options, ...resumption });
  return { session: session ?? Buffer.alloc(0), resumed };
}

/**
 * In OpenSSL's order: it settles on a suite of TLS 1.3 before it looks at a ticket, and passes over one of a session with
 * another hash.
 */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
];

/** Ours with the same keys. What makes it one of theirs is the context, `foreign`, and the order of the suites. */
function startOne(
  fellow: Fellow,
  keys: readonly Buffer[],
  idContext: Uint8Array,
  { foreign = true, ciphers = CIPHERS } = {},
): Promise<OurServer> {
  const ring = TicketKeyRing.of(ticketKeysFrom(fellow.producer, keys), systemWorld);
  const tickets = { mode: 'stateless', keys: ring, foreign } as const;
  return startOurs({ ciphers, sessions: { idContext, cache: false }, tickets });
}

/** Runs what needs two servers, and closes them. */
async function withBoth<T>(
  theirs: Promise<RunningServer>,
  ours: Promise<OurServer>,
  action: (theirs: RunningServer, ours: OurServer) => Promise<T>,
): Promise<T> {
  const running = await Promise.allSettled([theirs, ours]);
  try {
    return await action(await theirs, await ours);
  } finally {
    for (const server of running) if (server.status === 'fulfilled') await server.value.close();
  }
}

for (const fellow of fellows) {
  describeWith(fellow.programs, `interop: a fleet of ours and ${fellow.name}`, () => {
    let idContext: Uint8Array;

    before('what it calls its context', async function () {
      this.timeout(60_000);
      await fellow.prepare?.();
      idContext = fromHex((await ticketOf(fellow, 'TLSv1.3')).idContext);
      expect(idContext.length).to.be.within(1, 32);
    });

    for (const version of VERSIONS) {
      it(`${version}: a ticket of theirs resumes at ours`, async () => {
        const [keys] = fellow.makeKeys();
        await withBoth(fellow.start(keys), startOne(fellow, keys, idContext), async (theirs, ours) => {
          const port = (index: number) => (index === 0 ? theirs : ours).port;
          const { passages, told } = await travel({ client: nodeTls, version, port });
          expect(onTheWire(passages)).to.deep.equal(['full', ON_THE_WIRE[version]]);
          expect(told.resumed).to.deep.equal([false, true]);
          expect(told.pages).to.deep.equal(['page: full', `page: ${MECHANISM[version]}`]);
          for (const { serverHello } of passages) expect(serverHello?.version).to.equal(WIRE_VERSION[version]);
          const [one] = ours.accepted;
          expect(one?.isSessionReused).to.equal(true);
          expect(one?.verdicts.map((verdict) => verdict.ticket?.phase)).to.deep.equal(['encrypt']);
          expect(ours.errors).to.deep.equal([]);
        });
      });

      it(`${version}: a ticket of ours resumes at theirs`, async () => {
        const [keys] = fellow.makeKeys();
        await withBoth(fellow.start(keys), startOne(fellow, keys, idContext), async (theirs, ours) => {
          const port = (index: number) => (index === 0 ? ours : theirs).port;
          const { passages, told } = await travel({ client: nodeTls, version, port });
          expect(onTheWire(passages)).to.deep.equal(['full', ON_THE_WIRE[version]]);
          expect(told.resumed).to.deep.equal([false, true]);
          expect(told.pages).to.deep.equal(['page: not-offered', 'page: resumed']);
          expect(ours.errors).to.deep.equal([]);
        });
      });

      it(`${version}: to and fro, while the fleet goes over to another key`, async () => {
        const [before, after] = fellow.makeKeys();
        await withBoth(fellow.start(before), startOne(fellow, after, idContext), async (theirs, ours) => {
          const port = (index: number) => (index % 2 === 0 ? theirs : ours).port;
          const { passages, told } = await travel({ client: nodeTls, version, port, connections: 4 });
          const resumed = ON_THE_WIRE[version];
          expect(onTheWire(passages)).to.deep.equal(['full', resumed, resumed, resumed]);
          expect(told.resumed).to.deep.equal([false, true, true, true]);
          expect(ours.errors).to.deep.equal([]);
        });
      });

      it(`${version}: without foreign theirs does not resume at ours`, async () => {
        const [keys] = fellow.makeKeys();
        await withBoth(
          fellow.start(keys),
          startOne(fellow, keys, idContext, { foreign: false }),
          async (theirs, ours) => {
            const port = (index: number) => (index === 0 ? theirs : ours).port;
            const { told } = await travel({ client: nodeTls, version, port });
            expect(told.pages).to.deep.equal(['page: full', 'page: foreign']);
          },
        );
      });

      it(`${version}: under another context nothing resumes`, async () => {
        const [keys] = fellow.makeKeys();
        await withBoth(fellow.start(keys), startOne(fellow, keys, ascii('other')), async (theirs, ours) => {
          for (const [first, second] of [
            [theirs, ours],
            [ours, theirs],
          ] as const) {
            const port = (index: number) => (index === 0 ? first : second).port;
            const { passages } = await travel({ client: nodeTls, version, port });
            expect(onTheWire(passages)).to.deep.equal(['full', 'full']);
          }
          expect(ours.accepted.map(({ resumption }) => resumption.reason)).to.deep.equal([
            'session-id-context',
            'not-offered',
          ]);
        });
      });

      it(`${version}: with other keys theirs does not resume at ours, which says why`, async () => {
        const [[keys], [others]] = [fellow.makeKeys(), fellow.makeKeys()];
        await withBoth(fellow.start(keys), startOne(fellow, others, idContext), async (theirs, ours) => {
          const port = (index: number) => (index === 0 ? theirs : ours).port;
          await travel({ client: nodeTls, version, port });
          const [one] = ours.accepted;
          expect(one?.resumption.reason).to.equal('undecryptable');
          expect(one?.verdicts.map((verdict) => verdict.ticket?.failure)).to.deep.equal(['unknown-key']);
        });
      });

      const outcome = fellow.namesHost ? 'does not resume' : 'resumes, as the ticket names no host,';
      it(`${version}: theirs ${outcome} at ours for another host`, async () => {
        const [keys] = fellow.makeKeys();
        await withBoth(fellow.start(keys), startOne(fellow, keys, idContext), async (theirs, ours) => {
          const { session } = await visitPage(theirs.port, version);
          const { serverName } = await inspected(session, fellow, keys);
          expect(serverName).to.equal(fellow.namesHost ? 'localhost' : null);
          const { resumed } = await visitPage(ours.port, version, { session, serverName: 'other.example' });
          expect(resumed).to.equal(!fellow.namesHost);
          expect(ours.accepted[0]?.resumption.reason).to.equal(fellow.namesHost ? 'scope' : undefined);
        });
      });
    }
  });
}

function fellowCalled(start: string): Fellow {
  const found = fellows.find(({ name }) => name.startsWith(start));
  if (found === undefined) throw new Error(`no ${start}`);
  return found;
}

describe('interop: the session id context', () => {
  describeWith(['nginx'], 'of nginx', () => {
    it('is a SHA-1 over its certificate, and is not told', async () => {
      const { raw } = new X509Certificate(certificates.ecdsaP256.cert);
      const certificate = createHash('sha1').update(raw).digest();
      const expected = createHash('sha1').update('HTTP').update(certificate).digest('hex');
      for (const version of VERSIONS) {
        expect((await ticketOf(fellowCalled('nginx'), version)).idContext).to.equal(expected);
      }
    });
  });

  describeWith(['haproxy'], 'of HAProxy', () => {
    it('is its name', async () => {
      for (const version of VERSIONS) {
        expect((await ticketOf(fellowCalled('HAProxy'), version)).idContextText).to.equal('haproxy');
      }
    });
  });

  describe('of node:tls', () => {
    const fellow = fellowCalled('node:tls');

    it('is the one that it is given', async () => {
      expect((await ticketOf(fellow, 'TLSv1.3')).idContextText).to.equal(ID_CONTEXT);
    });

    it('is else made from what the process was started with', async () => {
      const [keys] = fellow.makeKeys();
      const [ticketKeys] = keys;
      const server = await startNodeServer(certificates.ecdsaP256, { tickets: true, tls: { ticketKeys } });
      try {
        const { session } = await visitPage(server.port, 'TLSv1.2');
        expect((await inspected(session, fellow, keys)).idContextText).to.match(/^[0-9a-f]{32}$/);
      } finally {
        await server.close();
      }
    });
  });
});

describeWith(['nginx'], 'interop: a ticket of ours that nginx has renewed', () => {
  it('TLSv1.3: has still the scope that ours has made it in, and needs no foreign', async () => {
    const fellow = fellowCalled('nginx');
    const [keys] = fellow.makeKeys();
    const { idContext } = await ticketOf(fellow, 'TLSv1.3');
    const starting = startOne(fellow, keys, fromHex(idContext), { foreign: false });
    await withBoth(fellow.start(keys), starting, async (theirs, ours) => {
      const first = await visitPage(ours.port, 'TLSv1.3');
      const second = await visitPage(theirs.port, 'TLSv1.3', { session: first.session });
      const { scope } = await inspected(second.session, fellow, keys);
      expect(scope).to.deep.equal((await inspected(first.session, fellow, keys)).scope);
      expect(scope).to.have.property('serverName');
      const third = await visitPage(ours.port, 'TLSv1.3', { session: second.session });
      expect([second.resumed, third.resumed]).to.deep.equal([true, true]);
      const elsewhere = { session: second.session, serverName: 'other.example' };
      expect((await visitPage(ours.port, 'TLSv1.3', elsewhere)).resumed).to.equal(false);
    });
  });
});

describe('interop: ticketKeys of node:tls, on both sides', () => {
  for (const version of VERSIONS) {
    it(`${version}: as the same option`, async () => {
      const fellow = fellowCalled('node:tls');
      const [[ticketKeys = Buffer.alloc(0)]] = fellow.makeKeys();
      const options: NodeServerOptions = {
        ticketKeys,
        ciphers: CIPHERS,
        tickets: { foreign: true },
        sessions: { idContext: ascii(ID_CONTEXT) },
      };
      await withBoth(fellow.start([ticketKeys]), startOurs(options), async (theirs, ours) => {
        const port = (index: number) => (index % 2 === 0 ? ours : theirs).port;
        const { passages, told } = await travel({ client: nodeTls, version, port, connections: 3 });
        const resumed = ON_THE_WIRE[version];
        expect(onTheWire(passages)).to.deep.equal(['full', resumed, resumed]);
        expect(told.pages).to.deep.equal(['page: not-offered', 'page: resumed', `page: ${MECHANISM[version]}`]);
      });
    });
  }
});

describe('interop: a ticket of another hash', () => {
  it('TLSv1.3: OpenSSL passes it over, ours does not', async () => {
    const fellow = fellowCalled('node:tls');
    const [keys] = fellow.makeKeys();
    const idContext = ascii(ID_CONTEXT);
    const ours = startOne(fellow, keys, idContext, { ciphers: [...CIPHERS].reverse() });
    await withBoth(fellow.start(keys), ours, async (theirs, { port: own }) => {
      const port = (index: number) => (index === 1 ? theirs.port : own);
      const { passages } = await travel({ client: nodeTls, version: 'TLSv1.3', port, connections: 3 });
      expect(onTheWire(passages)).to.deep.equal(['full', 'full', 'psk']);
    });
  });
});

describeWith(['openssl'], 'interop: inspect and what s_client has stored', () => {
  for (const version of VERSIONS) {
    it(`${version}: -sess_out has the ticket`, async () => {
      const fellow = fellowCalled('node:tls');
      const [keys] = fellow.makeKeys();
      const server = await fellow.start(keys);
      try {
        const file = join(workFolder(), `inspect-${version}.pem`);
        const flags = ['-sess_out', file, '-ign_eof'];
        await openssl({ port: server.port, version, trust: TRUST }, flags, 'GET / HTTP/1.0\r\n\r\n');
        const description = await inspected(await readFile(file), fellow, keys);
        expect(description).to.include({ version, idContextText: ID_CONTEXT });
      } finally {
        await server.close();
      }
    });
  }
});
