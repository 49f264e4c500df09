import { assert } from 'chai';
import {
  addressText,
  asText,
  type Facts,
  type Offered,
  resumptionText,
  type Told,
  teller,
  verdictLines,
} from '../../src/cli/report.ts';

const full: Facts = {
  version: 'TLSv1.2',
  cipherSuite: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  group: 'secp256r1',
  resumed: false,
  mechanism: null,
  pskMode: null,
  identityIndex: null,
  reason: 'expired',
  serverName: 'localhost',
  alpnProtocol: null,
  signatureScheme: 'rsa_pss_rsae_sha256',
};
const client = { id: 3, remoteAddress: '127.0.0.1', remotePort: 51234 };
const connection: Told = { event: 'connection', ...client, ...full };
const detail: Told = { event: 'session-new', id: 3, session: '00112233445566778899', version: 'TLSv1.2' };

describe('the report', () => {
  it('has a line for each connection', () => {
    assert.strictEqual(
      asText(connection),
      '#3 127.0.0.1:51234 TLSv1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 secp256r1 full (expired)',
    );
  });

  it('says from what a connection was resumed', () => {
    assert.strictEqual(
      resumptionText({ ...full, resumed: true, mechanism: 'session-id' }),
      'resumed (session-id)',
      'TLS 1.2',
    );
    const psk = { resumed: true, mechanism: 'psk-stateful', pskMode: 'psk_ke', identityIndex: 0 } as const;
    assert.strictEqual(resumptionText({ ...full, ...psk }), 'resumed (psk-stateful, psk_ke, identity 0)', 'TLS 1.3');
  });

  it('says whose alert ended a handshake', () => {
    const failed = { event: 'handshake-failed', ...client, alert: 'unknown_ca', message: 'unknown_ca: why' } as const;
    assert.strictEqual(
      asText({ ...failed, origin: 'remote' }),
      '#3 127.0.0.1:51234 failed, alert received: unknown_ca: why',
    );
    assert.strictEqual(
      asText({ ...failed, alert: null, origin: null, message: 'gone\u0007' }),
      '#3 127.0.0.1:51234 failed: gone\\u0007',
    );
  });

  it('says what keeps a client from being accepted, of whom nothing is known', () => {
    const told = { event: 'accept-failed', message: 'EMFILE: too many open files' } as const;
    assert.strictEqual(asText(told), 'a connection could not be accepted: EMFILE: too many open files');
  });

  it('keeps the details for --verbose', () => {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const quiet = teller({ json: false, verbose: false }, write);
    quiet(connection);
    quiet(detail);
    assert.lengthOf(lines.splice(0), 1);
    const verbose = teller({ json: false, verbose: true }, write);
    verbose(detail);
    verbose(connection);
    assert.deepEqual(lines.splice(0), [
      '#3 new session 0011223344556677…',
      asText(connection),
      '#3 server name localhost, no ALPN, signed with rsa_pss_rsae_sha256',
    ]);
    teller({ json: true, verbose: true }, write)(detail);
    assert.deepEqual(JSON.parse(lines[0] ?? ''), detail);
  });

  describe('of what a client has offered', () => {
    const declined: Offered = {
      mechanism: 'psk-stateless',
      identityIndex: 0,
      accepted: false,
      reason: 'session-id-context',
      remedy: 'the same context',
      ticket: { keyName: '00'.repeat(16), format: 'aes-128-cbc-hmac-sha256', phase: 'decrypt-only', failure: null },
      session: '0011223344556677889900',
      age: 12,
      authAge: 34,
      checks: [
        { rule: 'resumable', passed: true },
        { rule: 'version', passed: true },
        { rule: 'session id context', passed: false },
      ],
    };

    it('says by which key, how old, what was checked and what it takes', () => {
      assert.deepEqual(verdictLines(declined), [
        'offered psk-stateless, identity 0: declined (session-id-context)',
        `  key ${'00'.repeat(16)} (aes-128-cbc-hmac-sha256, decrypt-only), session 0011223344556677… is 12 s old, ` +
          'authenticated 34 s ago',
        '  failed: session id context; passed: resumable, version',
        '  it takes: the same context',
      ]);
    });

    it('says why there was no session', () => {
      const ticket = { keyName: 'ab', format: null, phase: null, failure: 'unknown-key' } as const;
      const nothing = { reason: 'undecryptable', ticket, session: null, age: null, authAge: null, checks: [] } as const;
      assert.deepEqual(verdictLines({ ...declined, ...nothing }), [
        'offered psk-stateless, identity 0: declined (undecryptable)',
        '  key ab, unknown-key',
        '  it takes: the same context',
      ]);
    });

    it('says what was accepted', () => {
      const good = { accepted: true, reason: null, remedy: null, ticket: null, session: '', identityIndex: null };
      const checks = [{ rule: 'version', passed: true }];
      assert.deepEqual(verdictLines({ ...declined, ...good, mechanism: 'session-id', checks }), [
        'offered session-id: accepted',
        '  session is 12 s old, authenticated 34 s ago',
        '  passed: version',
      ]);
    });

    it('has the number of the connection on each line', () => {
      const lines: string[] = [];
      teller({ json: false, verbose: true }, (line) => lines.push(line))({
        event: 'verdicts',
        id: 7,
        verdicts: [declined, declined],
      });
      assert.lengthOf(lines, 8);
      for (const line of lines) assert.match(line, /^#7 /);
    });
  });

  it('writes addresses of both families', () => {
    assert.strictEqual(addressText('::1', 443), '[::1]:443');
    assert.strictEqual(addressText('127.0.0.1', 443), '127.0.0.1:443');
    assert.strictEqual(addressText(null, null), 'unknown');
  });
});
