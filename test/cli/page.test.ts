import { assert } from 'chai';
import { answerTo, RequestHead } from '../../src/cli/page.ts';
import type { Client, Facts } from '../../src/cli/report.ts';

const facts: Client & Facts = {
  id: 7,
  remoteAddress: '::1',
  remotePort: 50000,
  version: 'TLSv1.3',
  cipherSuite: 'TLS_AES_128_GCM_SHA256',
  group: 'x25519',
  resumed: true,
  mechanism: 'psk-stateful',
  pskMode: 'psk_dhe_ke',
  identityIndex: 1,
  reason: null,
  serverName: 'a\u001b[2Jb',
  alpnProtocol: null,
  signatureScheme: null,
};

function parts(request: string): { head: string[]; body: string } {
  const [head = '', body = ''] = answerTo(request, facts).toString().split('\r\n\r\n');
  return { head: head.split('\r\n'), body };
}

describe('the page', () => {
  it('shows the facts, and no control characters', () => {
    const { head, body } = parts('GET /any?thing HTTP/1.1\r\nHost: x');
    assert.strictEqual(head[0], 'HTTP/1.1 200 OK');
    assert.include(head, `Content-Length: ${body.length}`);
    assert.include(head, 'Connection: close');
    assert.match(body, /^client +\[::1\]:50000$/m);
    assert.match(body, /^handshake +resumed \(psk-stateful, psk_dhe_ke, identity 1\)$/m);
    assert.match(body, /^server name +a\\u001b\[2Jb$/m);
  });

  it('is a HEAD without the body', () => {
    const { head, body } = parts('HEAD / HTTP/1.0');
    assert.strictEqual(head[0], 'HTTP/1.1 200 OK');
    assert.include(head, `Content-Length: ${parts('GET / HTTP/1.0').body.length}`);
    assert.strictEqual(body, '');
  });

  it('refuses other methods, and what is no request', () => {
    const { head } = parts('POST / HTTP/1.1\r\nHost: x');
    assert.strictEqual(head[0], 'HTTP/1.1 405 Method Not Allowed');
    assert.include(head, 'Allow: GET, HEAD');
    assert.strictEqual(parts('get / HTTP/1.1').head[0], 'HTTP/1.1 405 Method Not Allowed');
    for (const request of ['GET /', 'hello', 'GET / HTTP/2.0', 'GET  / HTTP/1.1', '\0']) {
      assert.strictEqual(parts(request).head[0], 'HTTP/1.1 400 Bad Request', request);
    }
  });
});

describe('the head of a request', () => {
  const request = 'GET / HTTP/1.1\r\nHost: localhost';

  function feed(text: string, size: number): unknown {
    const head = new RequestHead();
    for (let at = 0; at < text.length; at += size) {
      const state = head.push(Buffer.from(text.slice(at, at + size), 'latin1'));
      if (state !== 'incomplete') return state;
    }
    return 'incomplete';
  }

  it('is complete after an empty line, in any chunking', () => {
    for (const size of [1, 2, 3, 7, 1000]) {
      assert.deepEqual(feed(`${request}\r\n\r\nbody`, size), { request }, `${size} bytes at a time`);
      assert.deepEqual(feed(`\r\n\r\n${request}\r\n\r\n`, size), { request }, `empty lines before, ${size} at a time`);
      assert.deepEqual(feed(`GET / HTTP/1.0\n\n`, size), { request: 'GET / HTTP/1.0' }, `bare LF, ${size} at a time`);
      assert.strictEqual(feed(`${request}\r\n`, size), 'incomplete', `no end, ${size} at a time`);
    }
  });

  it('is not read beyond 16 KiB', () => {
    const long = `${request}\r\nX: ${'x'.repeat(16384)}`;
    assert.strictEqual(feed(long, 1000), 'too-long');
    assert.strictEqual(feed(`${long}\r\n\r\n`, 100_000), 'too-long');
    assert.strictEqual(feed('\r\n'.repeat(20000), 100_000), 'incomplete', 'empty lines are nothing');
  });

  it('is read to 16 KiB, and not to a byte more', () => {
    const head = (length: number) => request + 'x'.repeat(length - request.length);
    assert.deepEqual(feed(`${head(16384)}\r\n\r\n`, 100_000), { request: head(16384) });
    assert.strictEqual(feed(`${head(16385)}\r\n\r\n`, 100_000), 'too-long');
    assert.strictEqual(feed(head(16384), 100_000), 'incomplete');
    assert.strictEqual(feed(head(16385), 100_000), 'too-long');
  });
});
