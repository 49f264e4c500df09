/** The words in clear by which a protocol turns to TLS. */

import type { Socket } from 'node:net';
import { printable } from '../judges/printable.ts';
import { Fault } from './fault.ts';

/** One step: the server's line that is waited for, with the lines before it that belong to it, and what is said then. */
interface Turn {
  readonly awaits: RegExp;
  readonly passes: RegExp;
  readonly says?: string;
}

const NOTHING = /^(?!)/;
/** RFC 5321 §4.2.1, RFC 959 §4.2: all lines of a reply but the last. Those of FTP may begin with anything. */
const MORE = /^\d{3}-/;

/** RFC 3207, RFC 9051 §6.2.1, RFC 2595 §4, RFC 4217 §4. */
export const DIALOGUES = {
  smtp: [
    { awaits: /^220 ?/, passes: MORE, says: 'EHLO localhost' },
    { awaits: /^250 ?/, passes: MORE, says: 'STARTTLS' },
    { awaits: /^220 ?/, passes: MORE },
  ],
  imap: [
    { awaits: /^\* (?:OK|PREAUTH)/i, passes: NOTHING, says: 'a1 STARTTLS' },
    { awaits: /^a1 OK/i, passes: /^\* / },
  ],
  pop3: [
    { awaits: /^\+OK/, passes: NOTHING, says: 'STLS' },
    { awaits: /^\+OK/, passes: NOTHING },
  ],
  ftp: [
    { awaits: /^220 ?(?!-)/, passes: /^(?:220-|(?!\d{3} ))/, says: 'AUTH TLS' },
    { awaits: /^234 ?/, passes: MORE },
  ],
} as const satisfies Record<string, readonly Turn[]>;

export type MailProtocol = keyof typeof DIALOGUES;

const MAX_BYTES = 65536;

/**
 * Leads the dialogue of a protocol over a socket that is connected or about to be, which may take `limitMs`. Then the next bytes of the socket are those of TLS.
 * @throws Fault with what the server has said instead, also if it has said more than it was asked: somebody between may have
 */
export function startTls(socket: Socket, protocol: MailProtocol, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const turns: Turn[] = [...DIALOGUES[protocol]];
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      socket.pause().off('data', onData).off('end', onEnd).off('error', finish);
      if (error === undefined) resolve();
      else reject(error);
    };
    const fail = (what: string): void => finish(new Fault(1, `--starttls ${protocol}: ${what}`));
    const onEnd = (): void => fail('the server has closed the connection');
    const timer = setTimeout(() => fail('the server does not answer'), limitMs);
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (text.length > MAX_BYTES) return fail('the server talks without end');
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
        const line = text.slice(0, at).replace(/\r$/, '');
        text = text.slice(at + 1);
        const turn = turns[0];
        if (turn?.passes.test(line)) continue;
        if (!turn?.awaits.test(line)) return fail(`the server says '${printable(line.slice(0, 200))}'`);
        turns.shift();
        if (turn.says !== undefined) socket.write(`${turn.says}\r\n`);
        if (turns.length > 0) continue;
        return text === '' ? finish() : fail('the server goes on in clear after it has agreed to TLS');
      }
    };
    socket.on('data', onData).on('end', onEnd).on('error', finish);
  });
}
