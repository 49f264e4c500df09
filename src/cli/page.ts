/** The page that the server shows, with the part of HTTP/1.1 (RFC 9112) that one request on a connection needs. */

import type { Duplex } from 'node:stream';
import { printable } from '../judges/printable.ts';
import { systemWorld } from '../world.ts';
import { addressText, type Client, type Facts, resumptionText } from './report.ts';

/** A longer request head is not read. */
const MAX_HEAD = 16384;

/** Answers the first request of a connection, and ends it. */
export function serveHttp(socket: Duplex, facts: Client & Facts): void {
  const head = new RequestHead();
  const receive = (chunk: Uint8Array): void => {
    if (socket.writableEnded) return;
    const state = head.push(chunk);
    if (state === 'incomplete') return;
    socket.off('data', receive).resume(); // a body or a second request is discarded
    if (state === 'too-long') socket.end();
    else socket.end(answerTo(state.request, facts)); // head and body in one write: one record
  };
  socket.on('data', receive);
}

/** Collects input until the head of a request is complete. */
export class RequestHead {
  #text = '';

  push(chunk: Uint8Array): 'incomplete' | 'too-long' | { readonly request: string } {
    const from = Math.max(0, this.#text.length - 3);
    this.#text += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    if (from === 0) this.#text = this.#text.replace(/^[\r\n]+/, ''); // RFC 9112 §2.2
    const end = /\r?\n\r?\n/.exec(this.#text.slice(from)); // a bare LF is accepted, also §2.2
    if (end === null) return this.#text.length > MAX_HEAD ? 'too-long' : 'incomplete';
    const length = from + end.index;
    return length > MAX_HEAD ? 'too-long' : { request: this.#text.slice(0, length) };
  }
}

const STATUS = { 200: 'OK', 400: 'Bad Request', 405: 'Method Not Allowed' } as const;

/** The complete response to a request head. */
export function answerTo(request: string, facts: Client & Facts): Buffer {
  const line = /^([!#$%&'*+.^`|~\w-]+) (\S+) HTTP\/1\.\d(?:\r?\n|$)/.exec(request);
  if (line === null) return answer(400, 'This is no HTTP/1.1 request.\n');
  const [, method] = line;
  if (method === 'GET') return answer(200, page(facts));
  if (method === 'HEAD') return answer(200, page(facts), { withBody: false });
  return answer(405, 'There is GET and HEAD.\n', { fields: ['Allow: GET, HEAD'] });
}

interface AnswerOptions {
  readonly fields?: readonly string[];
  readonly withBody?: boolean;
}

function answer(status: keyof typeof STATUS, body: string, { fields = [], withBody = true }: AnswerOptions = {}) {
  const head = [
    `HTTP/1.1 ${status} ${STATUS[status]}`,
    `Date: ${new Date(systemWorld.now()).toUTCString()}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
    ...fields,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${withBody ? body : ''}`);
}

/** The facts about the connection that the page shows. */
function page(facts: Client & Facts): string {
  const rows: readonly (readonly [string, string | null])[] = [
    ['connection', `#${facts.id}`],
    ['client', addressText(facts.remoteAddress, facts.remotePort)],
    ['version', facts.version],
    ['cipher suite', facts.cipherSuite],
    ['group', facts.group],
    ['handshake', resumptionText(facts)],
    ['server name', facts.serverName],
    ['ALPN', facts.alpnProtocol],
    ['signature', facts.signatureScheme],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(14)}${printable(value ?? '-')}\n`);
  return `tls-resume\n\n${lines.join('')}`;
}
