/** What a connection keeps of its ClientHello: little more than its bytes until it has answered, and nothing afterwards. */

import { expect } from 'chai';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { concat } from '../../../src/wire/bytes.ts';
import { MAX_PLAINTEXT, RecordBuffer, recordHeader } from '../../../src/wire/record.ts';
import { ExtensionType, type Version } from '../../../src/wire/registry.ts';
import { clientCertificate } from '../../support/client-certificates.ts';
import { RetainedSizes } from '../../support/retained.ts';
import { type ClientOptions, exchange, ScriptedClient } from '../../support/scripted-client.ts';
import { type RawExtension, withRawExtension } from '../../support/scripted-hello.ts';
import { quickCredential, testServer, toyCrypto } from '../../support/servers.ts';

const KIB = 1024;
/** Of what every case makes: to read the heap takes longer than their handshakes. */
const sizes = new RetainedSizes();

const pair = (value: number): number[] => [value >> 8, value & 0xff];
const list = (bytes: readonly number[]): number[] => [...pair(bytes.length), ...bytes];
const put = (given: readonly RawExtension[], type: number, data: readonly number[]): RawExtension[] =>
  withRawExtension(given, { type, data: Uint8Array.from(data) });
const times = (count: number, entry: (i: number) => readonly number[]): number[] =>
  Array.from({ length: count }, (_, i) => entry(i)).flat();
const zeros = (length: number): number[] => new Array<number>(length).fill(0);

/** Groups and shares of groups that no server has, before those that it has. */
function shares(extensions: readonly RawExtension[], count: number): RawExtension[] {
  const [named, offered] = [ExtensionType.supported_groups, ExtensionType.key_share].map(
    (wanted) => extensions.find(({ type }) => type === wanted)?.data.subarray(2) ?? [],
  );
  const groups = times(count, (i) => pair(0x1000 + i));
  const entries = times(count, (i) => [...pair(0x1000 + i), 0, 1, 7]);
  const more = put(extensions, ExtensionType.supported_groups, list([...groups, ...(named ?? [])]));
  return put(more, ExtensionType.key_share, list([...entries, ...(offered ?? [])]));
}

const SUITES = [0x1301, 0xc02b, ...Array.from({ length: 32_000 }, (_, i) => 0x8000 + i)];
const identities = (count: number, length: number) =>
  Array.from({ length: count }, (_, i) => ({
    identity: Uint8Array.of(...pair(i), ...zeros(length - 2)),
    secret: new Uint8Array(32),
    hash: 'sha256' as const,
  }));

/** Hellos as large as they can be, each in another way. */
const EXTREMES: Readonly<Record<string, ClientOptions>> = {
  '32,000 suites and 8,900 shares': { ciphers: SUITES, rewriteExtensions: (given) => shares(given, 8900) },
  '15,000 extensions': {
    rewriteExtensions: (given) => [
      ...times(15_000, (i) => [0x2000 + i]).map((type) => ({ type, data: new Uint8Array(0) })),
      ...given,
    ],
  },
  '32,000 groups': {
    rewriteExtensions: (given) =>
      put(given, ExtensionType.supported_groups, list([0, 29, 0, 23, ...times(32_000, (i) => pair(0x1000 + i))])),
  },
  '32,000 signature algorithms': {
    rewriteExtensions: (given) =>
      put(given, ExtensionType.signature_algorithms, list([4, 3, ...times(32_000, (i) => pair(0x4000 + i))])),
  },
  '21,000 application protocols': {
    alpn: ['h2'],
    rewriteExtensions: (given) =>
      put(
        given,
        ExtensionType.application_layer_protocol_negotiation,
        list([...times(21_000, () => [2, 104, 51]), 2, 104, 50]),
      ),
  },
  'names of 60 kB': {
    rewriteExtensions: (given) =>
      put(given, ExtensionType.server_name, list([1, ...list(zeros(60_000)), 0, ...list([97, 98])])),
  },
  '250 identities': { psks: identities(250, 200) },
  'suites, and identities of 12 kB': { ciphers: SUITES, psks: identities(5, 12_800) },
};

/** The two whose objects would be the most: where all of them would take too long. */
const HEAVIEST: readonly string[] = ['32,000 suites and 8,900 shares', '15,000 extensions'];

interface Way {
  readonly version: Version;
  readonly client?: ClientOptions;
  /** Whether the client comes back with a session. */
  readonly resumes?: boolean;
  readonly server?: Partial<ServerOptions>;
}

const WAYS: Readonly<Record<string, Way>> = {
  'TLS 1.3': { version: 'TLSv1.3' },
  'TLS 1.3, resumed': { version: 'TLSv1.3', resumes: true },
  'TLS 1.3 with a HelloRetryRequest': { version: 'TLSv1.3', client: { keyShares: [] } },
  'TLS 1.3 with tickets to come': { version: 'TLSv1.3', server: { tickets: { timing: 'with-first-write' } } },
  'TLS 1.2': { version: 'TLSv1.2' },
  'TLS 1.2, resumed': { version: 'TLSv1.2', resumes: true },
};

const base = { crypto: toyCrypto, groups: ['x25519', 'secp256r1'] as const, sni: 'ab', keyShares: ['x25519'] as const };
/** Held here, so that no connection is said to keep its configuration. */
const configs: ServerConfig[] = [];
function configOf(server: Partial<ServerOptions> = {}): ServerConfig {
  const config = testServer({ crypto: toyCrypto, groups: ['x25519', 'secp256r1'], alpn: ['h2'], ...server });
  configs.push(config);
  return config;
}

/** Returns the messages of plaintext records in records of another size. */
function inRecords(records: Uint8Array, size: number): Uint8Array {
  const buffer = new RecordBuffer();
  buffer.push(records);
  const parts: Uint8Array[] = [];
  for (let record = buffer.next(MAX_PLAINTEXT); record !== undefined; record = buffer.next(MAX_PLAINTEXT)) {
    const { type, version, fragment } = record;
    for (let at = 0; at < fragment.length; at += size) {
      const part = fragment.subarray(at, at + size);
      parts.push(recordHeader(type, version, part.length), part);
    }
  }
  return new Uint8Array(Buffer.concat(parts));
}

function sessionOf(config: ServerConfig, version: Version): ClientOptions {
  const { client } = exchange(new ScriptedClient({ ...base, version }), new ServerConnection(config));
  return version === 'TLSv1.2' ? { session: client.session } : { psks: client.tickets.slice(0, 1) };
}

describe('an established connection keeps nothing of its hello', () => {
  // The first connection of a process also makes what all of them share.
  sizes.add(
    () => exchange(new ScriptedClient({ ...base, version: 'TLSv1.3' }), new ServerConnection(configOf())).connection,
  );

  for (const [how, { version, client = {}, resumes = false, server }] of Object.entries(WAYS)) {
    for (const [what, extreme] of Object.entries(EXTREMES)) {
      const isRetried = client.keyShares !== undefined;
      if (how !== 'TLS 1.3' && !HEAVIEST.includes(what)) continue;
      if (isRetried && what !== '15,000 extensions') continue; // shares would have to be others in the second hello

      let config: ServerConfig;
      let usual: ClientOptions;
      const connecting = (options: () => ClientOptions) =>
        sizes.add(() => {
          config ??= configOf(server);
          usual ??= { ...base, version, ...client, ...(resumes ? sessionOf(config, version) : {}) };
          const { connection, failure } = exchange(new ScriptedClient(options()), new ServerConnection(config));
          expect(failure).to.equal(undefined);
          expect([connection.isEstablished, connection.resumption.resumed]).to.deep.equal([true, resumes]);
          return connection;
        });
      const small = connecting(() => usual);
      const large = connecting(() => ({ ...usual, ...extreme }));
      it(`${what}, ${how}: the same as a small one within 2 KiB`, () => {
        expect(large()).to.be.at.most(small() + 2 * KIB); // with a verdict on each identity
      });
    }
  }
});

describe('a half-open connection keeps at most 200 KiB of the largest hello', () => {
  const never = () => new Promise<never>(() => {});
  const places: Readonly<Record<string, Way>> = {
    'waiting for Finished': { version: 'TLSv1.3' },
    'waiting for the second hello': { version: 'TLSv1.3', client: { keyShares: [] } },
    'waiting for a signature': { version: 'TLSv1.3', server: { credentials: [{ ...quickCredential, sign: never }] } },
    'waiting for the server name': { version: 'TLSv1.3', server: { onServerName: never } },
    'waiting for a session': { version: 'TLSv1.3', server: { sessions: { onGet: never, lookupTimeoutMs: 1000 } } },
    'waiting for ClientKeyExchange': { version: 'TLSv1.2' },
    'waiting for a certificate': {
      version: 'TLSv1.2',
      server: { clientAuth: { mode: 'request', verifyClient: () => true } },
    },
  };
  for (const [where, { version, client = {}, server }] of Object.entries(places)) {
    for (const [what, extreme] of Object.entries(EXTREMES)) {
      if (where !== 'waiting for a session' && !HEAVIEST.includes(what)) continue;
      const size = sizes.add(() => {
        const psks = where === 'waiting for a session' ? identities(1, 32) : undefined;
        const connection = new ServerConnection(configOf(server));
        connection.receive(new ScriptedClient({ ...base, version, psks, ...client, ...extreme }).take());
        expect(connection.waitingFor, 'still under way').to.not.equal(undefined);
        return connection;
      });
      it(`${what}, ${where}`, () => {
        expect(size()).to.be.at.most(200 * KIB);
      });
    }
  }

  for (const [fragment, chunk] of [
    [1, 65_536],
    [1000, 700],
    [16_384, 65_536],
  ] as const) {
    const waiting = (whole: boolean) =>
      sizes.add(() => {
        const options = { ...base, version: 'TLSv1.2', ...EXTREMES['32,000 suites and 8,900 shares'] } as const;
        const hello = inRecords(new ScriptedClient(options).take(), fragment);
        const end = whole ? hello.length : hello.length - 1;
        const connection = new ServerConnection(configOf({ onServerName: never }));
        for (let at = 0; at < end; at += chunk) connection.receive(hello.subarray(at, Math.min(at + chunk, end)));
        expect(connection.waitingFor?.kind).to.equal(whole ? 'task' : 'message');
        return connection;
      });
    const [part, whole] = [waiting(false), waiting(true)];
    it(`however it comes, here in records of ${fragment} bytes and chunks of ${chunk}, whole or not`, () => {
      expect(part()).to.be.at.most(200 * KIB);
      expect(whole()).to.be.at.most(200 * KIB);
    });
  }
});

describe('a half-open connection keeps one copy of the messages that a client with a chain of 60 kB signs', () => {
  const certificate = clientCertificate('ecdsaP256');
  const chain = [...certificate.chain, ...Array.from({ length: 15 }, () => new Uint8Array(3900).fill(0x30))];
  const never = () => new Promise<never>(() => {});
  const large = {
    ciphers: SUITES,
    rewriteExtensions: (given: readonly RawExtension[]) => [{ type: 0x2000, data: new Uint8Array(36_000) }, ...given],
  };
  interface Place {
    readonly stopBefore?: ClientOptions['stopBefore'];
    readonly verifier?: () => () => boolean | Promise<never>;
    readonly most: Readonly<Record<Version, number>>;
  }
  const places: Readonly<Record<string, Place>> = {
    'waiting for CertificateVerify': {
      stopBefore: 'certificate_verify',
      most: { 'TLSv1.2': 200 * KIB, 'TLSv1.3': 110 * KIB },
    },
    'waiting for the verifier': { verifier: () => never, most: { 'TLSv1.2': 110 * KIB, 'TLSv1.3': 110 * KIB } },
    'waiting for verifyClient': { most: { 'TLSv1.2': 110 * KIB, 'TLSv1.3': 110 * KIB } },
  };
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const [where, { stopBefore, verifier = () => () => true, most }] of Object.entries(places)) {
      const size = sizes.add(() => {
        const config = configOf({
          crypto: { ...toyCrypto, verifier },
          sessions: { idContext: Uint8Array.of(1) },
          clientAuth: { mode: 'require', verifyClient: never },
        });
        const client = { ...base, version, ...large, certificate: { ...certificate, chain }, stopBefore };
        const { connection, question } = exchange(new ScriptedClient(client), new ServerConnection(config));
        const task = connection.waitingFor;
        expect(question === undefined ? task?.kind : 'question').to.equal(stopBefore ? 'message' : 'question');
        return connection;
      });
      it(`${where}, ${version}: at most ${most[version] / KIB} KiB, also after a hello of 100 kB`, () => {
        expect(size()).to.be.at.most(most[version]);
      });
    }
  }
});

describe('an idle connection keeps nothing of the chunks that its records came in', () => {
  for (const [what, part] of [
    ['nothing', 0],
    ['half a small record', 200],
  ] as const) {
    const idleAfter = (count: number) =>
      sizes.add(() => {
        const options = { ...base, version: 'TLSv1.3' } as const;
        const { client, connection } = exchange(new ScriptedClient(options), new ServerConnection(configOf()));
        for (let i = 0; i < 5; i++) {
          client.sendData(new Uint8Array(1000)); // after 4 KB a key gets its wide table
          connection.receive(client.take());
        }
        for (let i = 0; i < count; i++) client.sendData(new Uint8Array(16_000));
        const data = client.take();
        client.sendData(new Uint8Array(400));
        const rest = client.take().subarray(0, count === 0 ? 0 : part);
        connection.receive(concat(data, rest));
        expect(connection.isEstablished).to.equal(true);
        return connection;
      });
    const [quiet, idle] = [idleAfter(0), idleAfter(4)];
    it(`after 64 KiB of data and ${what}: the same as after 5 kB within 1 KiB`, () => {
      expect(idle()).to.be.at.most(quiet() + KIB);
    });
  }
});

describe('a connection that ended in its handshake keeps nothing of its hello before it is disposed of', () => {
  const ends: Readonly<Record<string, (connection: ServerConnection) => void>> = {
    'by a fatal alert': (connection) => void connection.receive(Uint8Array.of(21, 3, 3, 0, 2, 2, 40)),
    'by close_notify': (connection) => void connection.receive(Uint8Array.of(21, 3, 3, 0, 2, 1, 0)),
    'by a broken rule': (connection) => void connection.receive(Uint8Array.of(23, 3, 3, 0, 1, 0)),
    'by end()': (connection) => void connection.end(),
  };
  for (const [how, end] of Object.entries(ends)) {
    const size = sizes.add(() => {
      const connection = new ServerConnection(
        configOf({
          sessions: { idContext: Uint8Array.of(1) },
          clientAuth: { mode: 'request', verifyClient: () => true },
        }),
      );
      connection.receive(new ScriptedClient({ ...base, version: 'TLSv1.2', ciphers: SUITES }).take());
      end(connection);
      expect(connection.waitingFor).to.equal(undefined);
      return connection;
    });
    it(how, () => {
      expect(size()).to.be.at.most(40 * KIB); // the hello has 64
    });
  }
});
