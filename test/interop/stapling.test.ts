/** OCSP responses and signed certificate timestamps, to the clients of others and from their servers. */

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  type ConnectionOptions,
  connect as connectByNode,
  createServer as createNodeServer,
  type TLSSocketOptions,
} from 'node:tls';
import { expect } from 'chai';
import type { PemCredential } from '../../src/engine/credential-options.ts';
import { connect, verifyChain } from '../../src/node/index.ts';
import { toHex } from '../../src/wire/bytes.ts';
import type { Version } from './clients.ts';
import { builtGo, COMPILE_MS } from './compiled.ts';
import { startOnFreePort } from './free-port.ts';
import { startOurs } from './our-server.ts';
import { describeWith, run, workFolder } from './peers.ts';
import { type RunningServer, startProgram } from './reference-server.ts';

const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];

/** No log has signed it, and none of these clients looks into it. */
const TIMESTAMP = new Uint8Array(119).fill(7);

interface Issued {
  readonly files: Readonly<Record<'ca' | 'cert' | 'key' | 'response' | 'timestamp' | 'logs', string>>;
  readonly ca: string;
  readonly response: Buffer;
  readonly credential: PemCredential;
}

let issuing: Promise<Issued> | undefined;

/** An authority of OpenSSL's, a certificate for localhost, and the response that it is good: of today, as clients look at the dates. */
function issued(): Promise<Issued> {
  issuing ??= issue();
  return issuing;
}

async function issue(): Promise<Issued> {
  const folder = join(workFolder(), 'stapling');
  await mkdir(folder, { recursive: true });
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  await writeFile(join(folder, 'leaf.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n');
  await writeFile(join(folder, 'index.txt'), 'V\t491231235959Z\t\t1234\tunknown\t/CN=localhost\n');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const usage = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,digitalSignature'].flatMap(
    (extension) => ['-addext', extension],
  );
  await openssl('req', '-x509', ...key, '-subj', '/CN=stapling test', ...usage, '-keyout', 'ca.key', '-out', 'ca.pem');
  await openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', 'leaf.key', '-out', 'leaf.csr');
  const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', '0x1234'];
  await openssl('x509', '-req', '-in', 'leaf.csr', ...authority, '-extfile', 'leaf.ext', '-out', 'leaf.pem');
  const responder = ['-index', 'index.txt', '-rsigner', 'ca.pem', '-rkey', 'ca.key', '-CA', 'ca.pem', '-ndays', '7'];
  const asked = ['-issuer', 'ca.pem', '-cert', 'leaf.pem', '-respout', 'response.der'];
  await openssl('ocsp', ...responder, ...asked);
  await writeFile(join(folder, 'timestamp.sct'), TIMESTAMP);
  // curl looks for the issuer in the chain; s_client wants to know a log.
  const pems = await Promise.all(['leaf.pem', 'ca.pem'].map((name) => readFile(join(folder, name), 'utf8')));
  await writeFile(join(folder, 'chain.pem'), pems.join(''));
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const log = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  await writeFile(join(folder, 'logs.cnf'), `enabled_logs = none\n[none]\ndescription = none\nkey = ${log}\n`);
  const path = (name: string) => join(folder, name);
  const [ca, cert, secret, response] = await Promise.all([
    readFile(path('ca.pem'), 'utf8'),
    readFile(path('chain.pem'), 'utf8'),
    readFile(path('leaf.key'), 'utf8'),
    readFile(path('response.der')),
  ]);
  return {
    files: {
      ca: path('ca.pem'),
      cert: path('chain.pem'),
      key: path('leaf.key'),
      response: path('response.der'),
      timestamp: path('timestamp.sct'),
      logs: path('logs.cnf'),
    },
    ca,
    response,
    credential: {
      cert,
      key: secret,
      ocspResponse: () => Promise.resolve(response),
      signedCertificateTimestamps: [TIMESTAMP],
    },
  };
}

/** Our server, with a response and a timestamp. */
async function served<T>(visit: (port: number, about: Issued) => Promise<T>): Promise<T> {
  const about = await issued();
  const server = await startOurs({ credentials: [about.credential] });
  try {
    return await visit(server.port, about);
  } finally {
    await server.close();
  }
}

describeWith(['openssl'], 'interop: our server staples for openssl s_client', () => {
  for (const [version, flag] of [
    ['TLSv1.2', '-tls1_2'],
    ['TLSv1.3', '-tls1_3'],
  ] as const)
    it(version, async () => {
      const { stdout } = await served((port, { files }) =>
        run('openssl', [
          ...['s_client', '-connect', `127.0.0.1:${port}`, flag, '-CAfile', files.ca],
          ...['-status', '-ct', '-ctlogfile', files.logs],
        ]),
      );
      expect(stdout).to.match(/OCSP Response Status: successful/);
      expect(stdout).to.match(/Cert Status: good/);
      expect(stdout).to.match(/SCTs present \(1\)/);
    });
});

describeWith(['openssl', 'gnutls-cli'], 'interop: our server staples for gnutls-cli', () => {
  for (const version of VERSIONS)
    it(version, async () => {
      const saved = join(workFolder(), `gnutls-${version}.der`);
      const response = await served(async (port, { files, response }) => {
        const priority = `NORMAL:-VERS-ALL:+VERS-${version.replace('v', '')}`;
        const where = [
          '--port',
          `${port}`,
          '--sni-hostname',
          'localhost',
          '--verify-hostname',
          'localhost',
          '127.0.0.1',
        ];
        const trust = ['--x509cafile', files.ca, '--save-ocsp', saved, '--priority', priority];
        const { stdout } = await run('gnutls-cli', [...trust, ...where], { input: 'GET / HTTP/1.0\r\n\r\n' });
        expect(stdout).to.match(/OCSP status request/);
        return response;
      });
      expect(toHex(await readFile(saved))).to.equal(toHex(response));
    });
});

describeWith(['openssl', 'curl'], 'interop: our server staples for curl --cert-status', () => {
  for (const [version, flags] of [
    ['TLSv1.2', ['--tlsv1.2', '--tls-max', '1.2']],
    ['TLSv1.3', ['--tlsv1.3']],
  ] as const)
    it(version, async () => {
      const { stdout } = await served((port, { files }) =>
        run('curl', ['-sS', '--cert-status', ...flags, '--cacert', files.ca, `https://localhost:${port}/`]),
      );
      expect(stdout).to.match(/^page: /);
    });

  it('which goes nowhere without a response', async () => {
    const { files, credential } = await issued();
    const server = await startOurs({ credentials: [{ cert: credential.cert, key: credential.key }] });
    try {
      const failed = await run('curl', [
        '-sS',
        '--cert-status',
        '--cacert',
        files.ca,
        `https://localhost:${server.port}/`,
      ]).then(() => 'served', String);
      expect(failed).to.match(/No OCSP response received/);
    } finally {
      await server.close();
    }
  });
});

describeWith(['openssl'], 'interop: our server staples for node:tls', () => {
  for (const version of VERSIONS)
    it(version, async () => {
      const [given, response] = await served(async (port, { ca, response }) => {
        const versions = { minVersion: version, maxVersion: version };
        const local = { port, host: '127.0.0.1', servername: 'localhost', ca };
        const options: TLSSocketOptions & ConnectionOptions = { ...local, requestOCSP: true, ...versions };
        const socket = connectByNode(options);
        const [given] = await once(socket, 'OCSPResponse');
        await once(socket, 'secureConnect');
        socket.destroy();
        return [given, response];
      });
      expect(toHex(given)).to.equal(toHex(response));
    });
});

describeWith(['openssl', 'go'], 'interop: Go', () => {
  before('compile', function () {
    this.timeout(COMPILE_MS);
    return builtGo('stapling');
  });

  it('has what our server staples', async () => {
    const program = await builtGo('stapling');
    const { said, response } = await served(async (port, { files, response }) => {
      const { stdout } = await run(program, ['client', `127.0.0.1:${port}`, files.ca]);
      return { said: stdout, response };
    });
    const line = `${toHex(response)} [${toHex(TIMESTAMP)}]\n`;
    expect(said).to.equal(line + line);
  });

  for (const version of VERSIONS)
    it(`staples for our client, ${version}`, async () => {
      const { files } = await issued();
      const program = await builtGo('stapling');
      const { cert, key, response, timestamp } = files;
      const shown = await shownBy(await startProgram(program, ['server', cert, key, response, timestamp]), version);
      expect(shown.response).to.equal(toHex((await issued()).response));
      expect(shown.timestamps).to.deep.equal([toHex(TIMESTAMP)]);
    });
});

interface Shown {
  readonly response: string | undefined;
  readonly timestamps: readonly string[] | undefined;
  /** What the event has brought. */
  readonly event: string | undefined;
}

/** What our client is shown by a server that is then closed. */
async function shownBy({ port, close }: RunningServer, version: Version): Promise<Shown> {
  try {
    const { ca } = await issued();
    const asking = { requestOCSP: true, signedCertificateTimestamp: true, minVersion: version, maxVersion: version };
    let given: Uint8Array | undefined;
    const verify = verifyChain({ ca });
    const socket = connect(
      { port, host: '127.0.0.1' },
      {
        serverName: 'localhost',
        verifyServer: (chain, name, stapled) => {
          given = stapled?.ocspResponse;
          return verify(chain, name);
        },
        ...asking,
      },
    );
    let event: string | undefined;
    socket.once('OCSPResponse', (response) => {
      event = response.toString('hex');
    });
    await once(socket, 'secureConnect');
    const { ocspResponse, signedCertificateTimestamps } = socket;
    socket.destroy();
    expect(given).to.deep.equal(ocspResponse);
    return {
      response: ocspResponse && toHex(ocspResponse),
      timestamps: signedCertificateTimestamps?.map(toHex),
      event,
    };
  } finally {
    await close();
  }
}

/** The servers that staple an OCSP response for our client. */
const SERVERS: readonly (readonly [string, readonly string[], (about: Issued) => Promise<RunningServer>])[] = [
  [
    'openssl s_server -status_file',
    ['openssl'],
    ({ files: { cert, key, response } }) =>
      startProgram('openssl', [
        ...['s_server', '-accept', '127.0.0.1:0', '-www', '-cert', cert, '-key', key, '-status_file', response],
      ]),
  ],
  [
    'gnutls-serv --ocsp-response',
    ['openssl', 'gnutls-serv'],
    ({ files: { cert, key, response } }) =>
      startOnFreePort('gnutls-serv', (port) =>
        Promise.resolve([
          ...['--echo', '--port', `${port}`, '--x509certfile', cert, '--x509keyfile', key, '--ocsp-response', response],
        ]),
      ),
  ],
  [
    'nginx ssl_stapling_file',
    ['openssl', 'nginx'],
    async ({ files }) => {
      const folder = join(workFolder(), 'nginx-stapling');
      await mkdir(folder, { recursive: true });
      return startOnFreePort('nginx', async (port) => {
        const file = join(folder, 'nginx.conf');
        await writeFile(file, nginxConfiguration(folder, port, files));
        return ['-e', 'stderr', '-p', folder, '-c', file];
      });
    },
  ],
  [
    "node:tls 'OCSPRequest'",
    ['openssl'],
    async ({ credential: { cert, key }, response }) => {
      const server = createNodeServer({ cert: `${cert}`, key: `${key}` }, (socket) => socket.on('error', () => {}));
      server.on('OCSPRequest', (_: Buffer, __: Buffer, answer: (error: null, response: Buffer) => void) =>
        answer(null, response),
      );
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return {
        port: (server.address() as AddressInfo).port,
        close: async () => {
          server.close();
          await once(server, 'close');
        },
      };
    },
  ],
];

function nginxConfiguration(folder: string, port: number, { cert, key, response }: Issued['files']): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    daemon off;
    master_process off;
    pid ${folder}/pid;
    error_log stderr;
    events { worker_connections 64; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${cert};
        ssl_certificate_key ${key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_stapling on;
        ssl_stapling_file ${response};
      }
    }`;
}

for (const [name, programs, start] of SERVERS)
  describeWith(programs, `interop: ${name} staples for our client`, () => {
    for (const version of VERSIONS)
      it(version, async () => {
        const about = await issued();
        const { response, event, timestamps } = await shownBy(await start(about), version);
        expect(response).to.equal(toHex(about.response));
        expect(event).to.equal(response);
        expect(timestamps).to.equal(undefined);
      });
  });
