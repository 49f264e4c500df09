/** `tls-resume inspect`, in this process: what it shows of sessions and tickets, and what it keeps to itself. */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from 'chai';
import { parseCommand } from '../../src/cli/args.ts';
import { Fault } from '../../src/cli/fault.ts';
import { inspect } from '../../src/cli/inspect.ts';
import { writeNodeSession } from '../../src/sessions/node-session.ts';
import type { SessionParameters } from '../../src/sessions/parameters.ts';
import { Session } from '../../src/sessions/session.ts';
import { type TicketKeyProducer, ticketKeysFrom } from '../../src/tickets/key-files.ts';
import { sealSession } from '../../src/tickets/ticket.ts';
import { ascii, toHex } from '../../src/wire/bytes.ts';
import { CipherSuite, NamedGroup } from '../../src/wire/registry.ts';
import { fixturePath } from '../fixtures.ts';

const SECRET = new Uint8Array(32).fill(0xa5);
const APPLICATION_DATA = ascii('cookie=secret');

const parameters: SessionParameters = {
  version: 'TLSv1.3',
  cipherSuite: CipherSuite.TLS_AES_128_GCM_SHA256,
  id: new Uint8Array(32).fill(1),
  secret: SECRET,
  time: 1_700_000_000,
  timeout: 7200,
  authTime: 1_699_990_000,
  extendedMasterSecret: true,
  idContext: ascii('fleet'),
  serverName: 'example.org',
  alpnProtocol: 'h2',
  group: NamedGroup.x25519,
  ticketAgeAdd: 77,
  scope: { serverName: '11'.repeat(16), clientAuthentication: '22'.repeat(16) },
  applicationData: APPLICATION_DATA,
};

/** Where there is no scope, and a client keeps the ticket. */
function clientsSession(ticket: Uint8Array): Session {
  return new Session({ ...parameters, scope: undefined, foreign: { ticket, ticketLifetimeHint: 300 } });
}

describe('inspect', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tls-resume-inspect-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function file(name: string, content: Uint8Array | string): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  function inspected(...words: string[]): readonly string[] {
    const command = parseCommand(['inspect', ...words]);
    if (command.name !== 'inspect') throw new Error(command.name);
    return inspect(command.settings);
  }

  function complaint(...words: string[]): Fault {
    try {
      inspected(...words);
    } catch (error) {
      if (error instanceof Fault) return error;
      throw error;
    }
    throw new Error('no complaint');
  }

  /** A ticket of {@link parameters}, and the flag of its key. */
  function sealed(producer: TicketKeyProducer, length: number) {
    const bytes = randomBytes(length);
    const [key] = ticketKeysFrom(producer, bytes);
    const ticket = sealSession(key, new Session(parameters), (count) => randomBytes(count));
    if (typeof ticket === 'string') throw new Error(ticket);
    const keys = `${producer}:${file(`${producer}-${length}.key`, bytes)}`;
    return { ticket, keys, bytes };
  }

  const TEXT = [
    'version                    TLSv1.3',
    'cipher suite               TLS_AES_128_GCM_SHA256',
    `session id                 ${'01'.repeat(32)}`,
    "session id context         hex:666c656574 (the text 'fleet')",
    'PSK                        32 bytes, not shown without --show-secrets',
    'made                       2023-11-14T22:13:20.000Z',
    'expires                    2023-11-15T00:13:20.000Z (timeout 7200 s)',
    'full handshake             2023-11-14T19:26:40.000Z',
    'extended master secret     yes',
    'server name                example.org',
    'ALPN                       h2',
    'group                      x25519',
    'ticket age add             77',
    'application data           13 bytes, not shown without --show-secrets',
    `scope serverName           ${'11'.repeat(16)}`,
    `scope clientAuthentication ${'22'.repeat(16)}`,
  ];

  for (const form of ['DER', 'PEM'] as const) {
    it(`shows a session in ${form}, line by line`, () => {
      const session = new Session(parameters);
      const path = file(`session.${form}`, form === 'DER' ? session.toDer() : session.toPem());
      const lines = inspected('--session', path);
      assert.deepEqual(lines.slice(0, TEXT.length), TEXT);
      assert.match(lines.at(-1) ?? '', /^scope clientPsk +-$/);
    });
  }

  it('shows a context that is no text in hexadecimal alone', () => {
    const path = file('digest', new Session({ ...parameters, idContext: Uint8Array.of(0x41, 0xb1) }).toDer());
    assert.include(inspected('--session', path), 'session id context         hex:41b1');
    assert.strictEqual(JSON.parse(inspected('--session', path, '--json')[0] ?? '').idContextText, null);
  });

  it('finds the session among what s_client prints', () => {
    const text = `CONNECTED(00000003)\n---\n${new Session(parameters).toPem()}---\n`;
    assert.include(inspected('--session', file('output', text)), 'server name                example.org');
  });

  it('shows secrets only to those who ask for them', () => {
    const path = file('secret', new Session(parameters).toDer());
    for (const words of [[], ['--json']]) {
      const text = inspected('--session', path, ...words).join('\n');
      assert.notInclude(text, toHex(SECRET));
      assert.notInclude(text, toHex(APPLICATION_DATA));
      const shown = inspected('--session', path, '--show-secrets', ...words).join('\n');
      assert.include(shown, toHex(SECRET));
      assert.include(shown, toHex(APPLICATION_DATA));
    }
  });

  it('shows a session as JSON, whole', () => {
    const lines = inspected('--session', file('json', new Session(parameters).toDer()), '--json');
    assert.lengthOf(lines, 1);
    assert.deepEqual(JSON.parse(lines[0] ?? ''), {
      nodeHost: null,
      ticket: null,
      version: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      id: '01'.repeat(32),
      idContext: '666c656574',
      idContextText: 'fleet',
      secret: null,
      secretLength: 32,
      time: '2023-11-14T22:13:20.000Z',
      timeout: 7200,
      expires: '2023-11-15T00:13:20.000Z',
      authTime: '2023-11-14T19:26:40.000Z',
      extendedMasterSecret: true,
      serverName: 'example.org',
      alpnProtocol: 'h2',
      group: 'x25519',
      ticketAgeAdd: 77,
      scope: parameters.scope,
      applicationData: null,
      applicationDataLength: 13,
      peerCertificateLength: 0,
      verifyResult: 0,
      pskIdentityHint: null,
      pskIdentity: null,
      ticketLifetimeHint: 0,
      clientTicketLength: 0,
      compressionMethod: 0,
      srpUsername: null,
      flags: 0,
      maxEarlyData: 0,
      maxFragmentLength: 0,
      peerRawPublicKeyLength: 0,
    });
  });

  it("shows OpenSSL's sessions, those of clients with what only they have", () => {
    const server = inspected('--session', fixturePath('sessions/s12tk.der')).join('\n');
    assert.match(server, /^master secret +48 bytes, not shown/m);
    assert.match(server, /^scope +- \(of another server/m);
    const client = inspected('--session', fixturePath('sessions/sc13.pem')).join('\n');
    assert.match(client, /^scope +- \(known to the server alone: this is a client's session\)$/m);
    assert.match(client, /^peer certificate +\d+ bytes$/m);
    assert.match(client, /^client's ticket +\d+ bytes$/m);
    assert.match(client, /^ticket lifetime hint +\d+ s$/m);
  });

  it('shows the last time that a calendar has', () => {
    const session = new Session({ ...parameters, time: 8.64e12 - 1, timeout: 1 });
    const lines = inspected('--session', file('last', session.toDer())).join('\n');
    assert.match(lines, /^made +\+275760-09-12T23:59:59\.000Z\nexpires +\+275760-09-13T00:00:00\.000Z/m);
  });

  it('shows a time that no calendar has', () => {
    const session = new Session({ ...parameters, time: Number.MAX_SAFE_INTEGER - 8000 });
    assert.include(
      inspected('--session', file('late', session.toDer())).join('\n'),
      'made                       9007199254',
    );
  });

  const PRODUCERS = [
    ['tls-resume', 48, 'tls-resume-1'],
    ['openssl', 80, 'aes-256-cbc-hmac-sha256'],
    ['node', 48, 'aes-128-cbc-hmac-sha256'],
    ['apache', 48, 'aes-128-cbc-hmac-sha256'],
    ['nginx', 48, 'aes-128-cbc-hmac-sha256'],
    ['nginx', 80, 'aes-256-cbc-hmac-sha256'],
  ] as const;
  for (const [producer, length, format] of PRODUCERS) {
    it(`opens a ticket of ${producer}, ${length} bytes`, () => {
      const { ticket, keys, bytes } = sealed(producer, length);
      const lines = inspected('--ticket', file('ticket', ticket), '--ticket-keys', keys);
      assert.strictEqual(lines[0], `ticket                     ${ticket.length} bytes, ${format}`);
      assert.strictEqual(lines[1], `key name                   ${bytes.toString('hex', 0, 16)}`);
      assert.strictEqual(lines[2], `key                        ${keys}`);
      assert.deepEqual(lines.slice(3, 3 + TEXT.length), TEXT);
      assert.notInclude(lines.join('\n'), bytes.toString('hex', 16, 32));
    });
  }

  it('opens a ticket of haproxy by whichever of the lines it is', () => {
    const keys = [0, 1, 2].map(() => randomBytes(80));
    const text = keys.map((key) => key.toString('base64')).join('\n');
    const flag = `haproxy:${file('haproxy.keys', text)}`;
    for (const key of ticketKeysFrom('haproxy', ascii(text))) {
      const ticket = sealSession(key, new Session(parameters), (count) => randomBytes(count));
      const path = file('ticket', ticket as Uint8Array);
      assert.include(inspected('--ticket', path, '--ticket-keys', flag), TEXT[9]);
    }
  });

  for (const form of ['DER', 'PEM'] as const) {
    it(`opens the ticket in a client's session, ${form}`, () => {
      const { ticket, keys } = sealed('nginx', 80);
      const session = clientsSession(ticket);
      const path = file('client', form === 'DER' ? session.toDer() : session.toPem());
      const { ticket: told, scope } = JSON.parse(inspected('--ticket', path, '--ticket-keys', keys, '--json')[0] ?? '');
      assert.deepInclude(told, { length: ticket.length, producer: 'nginx' });
      assert.deepEqual(scope, parameters.scope);
    });
  }

  describe("of what Node's client gives out, wrapped", () => {
    const HOST = "Node client's host         www.exämple.org".replace('ä', '\\u00e4'); // fit for a terminal
    const wrapped = (session: Session) => writeNodeSession(session.toDer(), 'www.exämple.org');

    it('shows the session, and first of all the host', () => {
      const path = file('wrapped', wrapped(new Session(parameters)));
      assert.deepEqual(inspected('--session', path).slice(0, 1 + TEXT.length), [HOST, ...TEXT]);
      const plain = inspected('--session', file('plain', new Session(parameters).toDer()), '--json');
      const expected = { ...JSON.parse(plain[0] ?? ''), nodeHost: 'www.exämple.org' };
      assert.deepEqual(JSON.parse(inspected('--session', path, '--json')[0] ?? ''), expected);
    });

    it('opens the ticket in it, and shows the host', () => {
      const { ticket, keys } = sealed('node', 48);
      const words = ['--ticket', file('wrapped', wrapped(clientsSession(ticket))), '--ticket-keys', keys];
      const lines = inspected(...words);
      assert.deepEqual(lines.slice(0, 2), [
        HOST,
        `ticket                     ${ticket.length} bytes, aes-128-cbc-hmac-sha256`,
      ]);
      assert.strictEqual(JSON.parse(inspected(...words, '--json')[0] ?? '').nodeHost, 'www.exämple.org');
    });

    it('says what is wrong with one that is cut, or of a later version', () => {
      const { keys } = sealed('node', 48);
      const bytes = wrapped(new Session(parameters));
      const later = Uint8Array.from(bytes);
      later[20] = 0x32;
      for (const [broken, why] of [
        [bytes.subarray(0, 30), /: host: 16 bytes wanted, 6 left; pass all that Node's client gave/],
        [later, /: label: unknown; .* update tls-resume$/],
      ] as const) {
        const path = file('broken', broken);
        assert.match(complaint('--session', path).message, why);
        assert.match(complaint('--ticket', path, '--ticket-keys', keys).message, why);
      }
    });
  });

  it('tries several keys', () => {
    const { ticket, keys } = sealed('node', 48);
    const other = sealed('nginx', 80);
    const lines = inspected('--ticket', file('t', ticket), '--ticket-keys', other.keys, '--ticket-keys', keys);
    assert.include(lines, `key                        ${keys}`);
  });

  describe('says what is wrong', () => {
    it('with a key of another name', () => {
      const { ticket, bytes } = sealed('node', 48);
      const other = sealed('nginx', 48);
      const { message, exitCode } = complaint('--ticket', file('t', ticket), '--ticket-keys', other.keys);
      assert.match(message, /none of the keys has the name that the ticket begins with/);
      assert.include(message, bytes.toString('hex', 0, 16));
      assert.include(message, other.bytes.toString('hex', 0, 16));
      assert.strictEqual(exitCode, 1);
    });

    it('with the layout of another producer', () => {
      const { ticket, keys } = sealed('node', 48);
      const wrong = keys.replace('node:', 'nginx:');
      const { message } = complaint('--ticket', file('t', ticket), '--ticket-keys', wrong);
      assert.match(message, /^--ticket .*: key [0-9a-f]{32} of nginx:.* does not fit: is it of another producer/);
    });

    it('with a ticket that has been changed', () => {
      const { ticket, keys } = sealed('tls-resume', 48);
      ticket[40] = (ticket[40] ?? 0) ^ 1;
      assert.match(
        complaint('--ticket', file('t', ticket), '--ticket-keys', keys).message,
        /has the ticket been changed/,
      );
    });

    it('with a ticket that has been cut', () => {
      const { ticket, keys } = sealed('node', 48);
      const cut = complaint('--ticket', file('t', ticket.subarray(0, 100)), '--ticket-keys', keys);
      assert.match(cut.message, /is not for tickets of this length/);
      const short = complaint('--ticket', file('t', ticket.subarray(0, 31)), '--ticket-keys', keys);
      assert.match(short.message, /no ticket: 32 to 65535 bytes are, and here are 31$/);
    });

    it('with what is a session or the id of one, and no sealed ticket', () => {
      const { keys } = sealed('node', 48);
      const id = complaint('--ticket', file('t', randomBytes(32)), '--ticket-keys', keys);
      assert.match(id.message, /; of this length are stateful ones, ids of sessions in a cache$/);
      const der = new Session({ ...parameters, applicationData: new Uint8Array(300) }).toDer();
      const cut = complaint('--ticket', file('t', der.subarray(0, 100)), '--ticket-keys', keys);
      assert.match(cut.message, /; is it a session, in DER, that is not whole\?$/);
    });

    it('with an empty file', () => {
      const path = file('empty', new Uint8Array(0));
      assert.match(
        complaint('--session', path).message,
        /: no session, in OpenSSL's DER or PEM: session: the file is empty$/,
      );
    });

    it('with a ticket that holds something else', () => {
      const bytes = randomBytes(48);
      const [key] = ticketKeysFrom('node', bytes);
      const ticket = key?.seal(ascii('not a session'), (count) => randomBytes(count));
      const keys = `node:${file('else', bytes)}`;
      const { message } = complaint('--ticket', file('t', ticket as Uint8Array), '--ticket-keys', keys);
      assert.match(message, /it has been opened, and holds no session: session/);
    });

    it('with a session that has no ticket', () => {
      const { keys } = sealed('node', 48);
      const path = file('t', new Session(parameters).toPem());
      assert.match(complaint('--ticket', path, '--ticket-keys', keys).message, /a session without a ticket; --session/);
    });

    it('with what is no session', () => {
      const { message, exitCode } = complaint('--session', file('s', 'hello'));
      assert.match(message, /^--session .*: no session, in OpenSSL's DER or PEM: /);
      assert.strictEqual(exitCode, 1);
    });

    it('with files that are not there', () => {
      for (const words of [
        ['--session', '/no/such'],
        ['--ticket', '/no/such', '--ticket-keys', `node:${file('k', randomBytes(48))}`],
        ['--ticket', file('t', ''), '--ticket-keys', 'node:/no/such'],
      ]) {
        const { message, exitCode } = complaint(...words);
        assert.match(message, /\/no\/such: cannot be read \(ENOENT/);
        assert.strictEqual(exitCode, 2);
      }
    });
  });
});
