/** Sessions of clients as bytes: what ours was given and OpenSSL's and Node's offer, and the other way round. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { unwrapNodeSession, wrapNodeSession } from '../../src/node/index.ts';
import { Session } from '../../src/sessions/session.ts';
import { certificates, fixturePath } from '../fixtures.ts';
import { type Journey, openssl, opensslSays, type Version, visitByNode } from './clients.ts';
import { CERTIFICATE, fullThen, onTheWire } from './harness.ts';
import { clientOf, visitServer } from './our-client.ts';
import { describeWith, run, workFolder } from './peers.ts';
import type { Keeping } from './real-servers.ts';
import { type ReferenceOptions, type RunningServer, startNodeServer, startOpensslServer } from './reference-server.ts';
import { openRelay, type Relay } from './relay.ts';

const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];
const GET = 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n';

/**
 * For a session of TLS 1.3 that OpenSSL's clients can take over: of the suites, its servers take the client's first, and resume only
 * what has the hash of that.
 */
const OPENSSL_FIRST = ['TLS_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] as const;

/** One client of ours or of others, which offers a session if it is given one, and returns the last that it has got. */
interface Carrier {
  readonly name: string;
  /** @param session in OpenSSL's DER */
  visit(journey: Journey, session: Uint8Array | undefined): Promise<Carried>;
}

interface Carried {
  readonly resumed: boolean;
  /** In OpenSSL's DER. */
  readonly session: Uint8Array;
}

const ours: Carrier = {
  name: 'ours',
  async visit({ port, version }, der) {
    const offered = der === undefined ? [] : [Session.fromDer(der)];
    let given: Uint8Array | undefined;
    const config = clientOf(version, der === undefined ? { ciphers: OPENSSL_FIRST } : {});
    const { resumed, mechanism } = await visitServer(
      port,
      { config, sessions: offered, sessionIsTrusted: true },
      (session) => {
        given = session.toDer();
      },
    );
    expect(mechanism !== undefined).to.equal(resumed);
    for (const session of offered) session.free();
    return { resumed, session: found(given ?? der) };
  },
};

let files = 0;

/** By -sess_out and -sess_in, which are PEM. */
const sClient: Carrier = {
  name: 'openssl s_client',
  async visit(journey, der) {
    const file = join(workFolder(), `carried-${files++}.pem`);
    const carry = der === undefined ? [] : ['-sess_in', file];
    if (der !== undefined) await writeFile(file, Session.fromDer(der).toPem(), { mode: 0o600 });
    const ran = await openssl(journey, [...carry, '-sess_out', file, '-ign_eof'], GET);
    const pem = await readFile(file, 'latin1');
    const own = await run('openssl', ['sess_id', '-noout', '-text'], { input: pem });
    expect(own.stdout).to.contain(`Protocol  : ${journey.version}`);
    const [resumed] = opensslSays(ran);
    return { resumed: found(resumed), session: Session.fromPem(pem).toDer() };
  },
};

/** Node's wraps its sessions in newer versions, and takes those that are wrapped as its own are. */
const nodeTls: Carrier = {
  name: 'node:tls',
  async visit(journey, der) {
    const trusted = { ca: certificates.ecdsaP256.cert };
    const host = der === undefined ? undefined : (await hostInSessions(journey)).host;
    const session = der && Buffer.from(host === undefined ? der : wrapNodeSession(der, host));
    const { resumed, session: given } = await visitByNode(journey, { ...trusted, ...(session && { session }) });
    return { resumed, session: given === undefined ? found(der) : unwrapNodeSession(given).der };
  },
};

/** As this Node has it. */
async function hostInSessions(journey: Journey): Promise<{ readonly host: string | undefined }> {
  const server = await startNodeServer(certificates.ecdsaP256, { tickets: true });
  try {
    const { session } = await visitByNode({ ...journey, port: server.port }, { ca: certificates.ecdsaP256.cert });
    return unwrapNodeSession(found(session));
  } finally {
    await server.close();
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing there');
  return value;
}

interface Place {
  readonly name: string;
  readonly keeps: Readonly<Record<Version, readonly Keeping[]>>;
  start(options: ReferenceOptions): Promise<RunningServer>;
}

const BOTH: readonly Keeping[] = ['ids', 'tickets'];
const places: readonly Place[] = [
  {
    name: 'openssl s_server',
    keeps: { 'TLSv1.2': BOTH, 'TLSv1.3': BOTH },
    start: (options) => startOpensslServer(CERTIFICATE, options),
  },
  {
    name: 'node:tls', // nodejs/node#60847
    keeps: { 'TLSv1.2': BOTH, 'TLSv1.3': ['tickets'] },
    start: (options) => startNodeServer(certificates.ecdsaP256, options),
  },
];

/** One client after another, each with what the one before has got: all but the first resume. */
async function carryOn(carriers: readonly Carrier[], version: Version, relay: Relay): Promise<void> {
  const trust = fixturePath(`certificates/${CERTIFICATE}.cert.pem`);
  let session: Uint8Array | undefined;
  const resumed: boolean[] = [];
  for (const carrier of carriers) {
    const carried = await carrier.visit({ port: relay.port, version, trust }, session);
    session = carried.session;
    resumed.push(carried.resumed);
  }
  expect(resumed).to.deep.equal(carriers.map((_, i) => i > 0));
}

describeWith(['openssl'], 'interop: sessions from one client to another', () => {
  for (const other of [sClient, nodeTls]) {
    for (const place of places) {
      for (const version of VERSIONS) {
        for (const keeps of place.keeps[version]) {
          it(`${version}: ours and ${other.name}, by turns, at ${place.name} with ${keeps}`, async () => {
            const server = await place.start({ tickets: keeps === 'tickets' });
            const relay = await openRelay(() => server.port);
            const mechanism = version === 'TLSv1.3' ? 'psk' : keeps === 'ids' ? 'session-id' : 'ticket';
            try {
              await carryOn([ours, other, ours], version, relay);
              expect(onTheWire(await relay.gone(3))).to.deep.equal(fullThen(mechanism, 3));
              await carryOn([other, ours, other], version, relay);
              const second = (await relay.gone(6)).slice(3);
              expect(onTheWire(second)).to.deep.equal(fullThen(mechanism, 3));
            } finally {
              await relay.close();
              await server.close();
            }
          });
        }
      }
    }
  }
});
