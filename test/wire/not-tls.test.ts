/** What does not speak TLS is named in the error, and the error says what to do. */

import { expect } from 'chai';
import { ClientConnection } from '../../src/engine/client/client-connection.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { TlsAlert } from '../../src/wire/alert.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { refuseClient } from '../../src/wire/not-tls.ts';
import { RecordBuffer } from '../../src/wire/record.ts';
import { testServer } from '../support/servers.ts';

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const CLEAR = /in the clear: have the client begin with TLS at once/;
const ROWS: readonly (readonly [what: string, start: string, named: RegExp, remedy: RegExp])[] = [
  ...[
    'GET / HTTP/1.1',
    'HEAD / HTTP/1.0',
    'POST /a',
    'PUT /a',
    'DELETE /a',
    'OPTIONS * HTTP/1.1',
    'PATCH /a',
    'TRACE /',
  ]
    .concat('CONNECT a.example:443 HTTP/1.1', 'PROPFIND / HTTP/1.1', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    .concat('M-SEARCH * HTTP/1.1', 'REPORT /a', 'GET http://a.example/', 'POST http://a.example/', 'get /', 'purge /a')
    .map((line) => [line.trim(), `${line}\r\n`, /plain HTTP/, /https:\/\//] as const),
  ['SMTP', 'EHLO mail.example\r\n', /SMTP/, CLEAR],
  ['old SMTP', 'helo mail.example\r\n', /SMTP/, CLEAR],
  ['LMTP', 'LHLO mail.example\r\n', /SMTP/, CLEAR],
  ['IMAP', 'a001 CAPABILITY\r\n', /IMAP/, CLEAR],
  ['IMAP, other tags', '. login me secret\r\n', /IMAP/, CLEAR],
  ['POP3', 'CAPA\r\n', /FTP or POP3/, CLEAR],
  ['FTP', 'USER anonymous\r\n', /FTP or POP3/, CLEAR],
  ['FTP with AUTH TLS', 'AUTH TLS\r\n', /FTP or POP3/, CLEAR],
  ['Redis', '*1\r\n$4\r\nPING\r\n', /Redis/, CLEAR],
  ['text', 'hello?\r\n', /text/, CLEAR],
  ['an empty line', '\r\n\r\n', /text/, CLEAR],
  ['SSH', 'SSH-2.0-OpenSSH_9.7\r\n', /SSH/, /the port of another service/],
  ['PROXY protocol v1', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n', /a PROXY protocol header/, /load balancer/],
  ['PROXY protocol v2', '\r\n\r\n\0\r\nQUIT\n!\x11', /a PROXY protocol header/, /load balancer/],
  ['SIP, which has methods of HTTP', 'OPTIONS sip:a.example SIP/2.0\r\n', /text/, CLEAR],
  ['XMPP', "<?xml version='1.0'?><stream:stream", /XMPP/, CLEAR],
  ['MQTT', '\x10\x10\0\x04MQTT\x05', /MQTT/, CLEAR],
  ['MQTT 3.1, and long', '\x10\xf1\x02\0\x06MQIsdp\x03', /MQTT/, CLEAR],
  ['PostgreSQL', '\0\0\0\x08\x04\xd2\x16\x2f', /PostgreSQL/, /sslnegotiation=direct/],
  ['PostgreSQL without SSLRequest', '\0\0\0\x2a\0\x03\0\0user\0', /PostgreSQL/, /sslnegotiation=direct/],
  ['RDP', '\x03\0\0\x13\x0e\xe0', /RDP/, /begin with TLS at once/],
  ['LDAP', '0\x0c\x02\x01\x01\x60\x07', /LDAP/, CLEAR],
  ['LDAP, and long', '0\x84\0\0\x01\x0c\x02\x01\x01', /LDAP/, CLEAR],
  ['DTLS', '\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x80\x01', /DTLS/, /use TLS/],
  ['NATS, which has a method of HTTP', 'CONNECT {"verbose":false}\r\n', /text/, CLEAR],
  ['something else', '\x05\x01\0', /something that begins with byte 5/, /byte 5/],
];

const LATER = /in the clear: use its port for TLS, or STARTTLS first/;
const SERVERS: typeof ROWS = [
  ['HTTP', 'HTTP/1.1 400 Bad Request\r\n', /plain HTTP/, /connect to the port of https/],
  ['old HTTP', '<html>\r\n', /plain HTTP/, /connect to the port of https/],
  ['SSH', 'SSH-2.0-OpenSSH_9.7\r\n', /text/, LATER],
  ['SMTP', '220 mail.example ESMTP\r\n', /text/, LATER],
  ['IMAP', '* OK [CAPABILITY IMAP4rev1 secret] ready\r\n', /text/, LATER],
  ['POP3', '+OK ready\r\n', /text/, LATER],
  ['XMPP', "<?xml version='1.0'?><stream:stream", /text/, LATER],
  ['Redis', '-ERR Protocol error\r\n', /text/, LATER],
  ['something else', '\x05\x01\0', /something that begins with byte 5/, /byte 5/],
];

describe('a server that does not speak TLS', () => {
  for (const [what, start, named, remedy] of SERVERS) {
    it(`is named to its client: ${what}`, () => {
      const client = new ClientConnection(defineClient({ verifyServer: 'any' }));
      client.connect();
      const { output, events } = client.receive(bytesOf(start));
      const [failed] = events.flatMap((event) => (event.type === 'failed' ? [event.error] : []));
      expect(failed?.message).to.match(/^unexpected_message: not TLS but /);
      expect(failed?.message).to.match(named).and.to.match(remedy);
      expect(failed?.message).to.not.match(/secret|have the client/);
      expect([...output]).to.deep.equal([21, 3, 3, 0, 2, 2, 10]);
    });
  }
});

describe('what is not TLS', () => {
  for (const [what, start, named, remedy] of ROWS) {
    it(`is named: ${what}`, () => {
      const connection = new ServerConnection(testServer());
      const { output, events } = connection.receive(bytesOf(start));
      const [failed] = events.flatMap((event) => (event.type === 'failed' ? [event.error] : []));
      expect(failed?.alert).to.equal('unexpected_message');
      expect(failed?.message).to.match(/^unexpected_message: not TLS but /);
      expect(failed?.message).to.match(named).and.to.match(remedy);
      expect([...output]).to.deep.equal([21, 3, 3, 0, 2, 2, 10]);
      expect(failed?.message).to.not.contain('secret');
    });
  }

  it('is named once three bytes are there, and its bytes are in no message', () => {
    for (const start of ['GET', 'SSH', 'PRO', 'EHL', '\r\n\r']) {
      const buffer = new RecordBuffer();
      for (const byte of bytesOf(start.slice(0, 2))) buffer.push(Uint8Array.of(byte));
      expect(buffer.next(16384)).to.equal(undefined);
      buffer.push(bytesOf(start.slice(2)));
      expect(() => buffer.next(16384, refuseClient)).to.throw(TlsAlert, 'not TLS but');
    }
    expect(refuseClient('GET').message).to.match(/plain HTTP/);
    expect(refuseClient('xyz').message).to.not.contain('xyz');
  });

  it('may be an SSLv2 hello, which gets protocol_version and an error that says that the client is old', () => {
    const connection = new ServerConnection(testServer());
    const { events } = connection.receive(Uint8Array.of(0x80, 0x2e, 1, 0, 2));
    const [failed] = events.flatMap((event) => (event.type === 'failed' ? [event.error] : []));
    expect(failed?.message).to.match(/^protocol_version: an SSLv2 hello: the client is too old/);
  });

  it('is not seen in the version of a record of TLS, which counts for nothing (RFC 9846 §5.1)', () => {
    const buffer = new RecordBuffer();
    buffer.push(Uint8Array.of(22, 0xfe, 0xfd, 0, 1, 1));
    expect(buffer.next(16384)?.version).to.equal(0xfefd);
    buffer.push(Uint8Array.of(22, 0xfe, 0xfd, 0, 0));
    expect(buffer.next(16384)?.fragment).to.have.length(0);
  });

  it('comes first: after a record of TLS, a strange type is only a strange type', () => {
    const buffer = new RecordBuffer();
    buffer.push(Uint8Array.of(22, 3, 1, 0, 1, 1, ...utf8('GET / HTTP/1.1')));
    expect(buffer.next(16384)?.type).to.equal(22);
    expect(() => buffer.next(16384)).to.throw(TlsAlert, /record type 71$/);
  });
});
