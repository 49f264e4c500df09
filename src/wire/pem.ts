/** PEM (RFC 7468): DER as text between two lines. A text may have several blocks, and other text around them. */

import { platform } from '../platform.ts';
import { fromBase64, latin1 } from './bytes.ts';
import { kindOf } from './kind-of.ts';

/** PEM: its text, or the bytes of the file, which may be a Buffer. */
export type Pem = string | Uint8Array;

export interface PemBlock {
  /** The label after BEGIN: `CERTIFICATE`, `PRIVATE KEY`. */
  readonly label: string;
  /** Whether it is encrypted, according to its label (RFC 7468 §11) or its headers (RFC 1421 §4.6.1.1). */
  readonly encrypted: boolean;
  readonly bytes: Uint8Array;
}

/** Thrown for text that is not PEM. Says what to do about it. */
export class PemError extends Error {
  override readonly name = 'PemError';
}

/** Returns all blocks of a text. @throws PemError if there is none, one is malformed, or `pem` is neither text nor bytes */
export function parsePem(pem: Pem): PemBlock[] {
  const text = textOf(pem);
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly lines: string[] } | undefined;
  for (const line of text.split(/\r\n?|\n/)) {
    const [, edge, label = ''] = /^-----(BEGIN|END) ((?:(?!--).)+)-----$/.exec(line.trim()) ?? [];
    if (edge === 'END') {
      if (open?.label !== label) throw new PemError(`END ${label} without its BEGIN; is the text whole?`);
      blocks.push(decodeBlock(open.label, open.lines));
      open = undefined;
    } else if (edge === 'BEGIN') {
      if (open !== undefined) break;
      open = { label, lines: [] };
    } else {
      open?.lines.push(line.trim());
    }
  }
  if (open !== undefined) throw new PemError(`BEGIN ${open.label} without its END; is the text whole?`);
  if (blocks.length === 0) throw new PemError(adviceFor(text));
  return blocks;
}

function textOf(pem: unknown): string {
  if (typeof pem === 'string') return pem;
  if (ArrayBuffer.isView(pem)) return latin1(new Uint8Array(pem.buffer, pem.byteOffset, pem.byteLength));
  throw new PemError(`PEM is wanted, a string or the bytes of a file, not ${kindOf(pem)}`);
}

function decodeBlock(label: string, lines: readonly string[]): PemBlock {
  // RFC 1421 §4.6: headers, if there are any, end with an empty line.
  const isHeaded = lines[0]?.includes(':') ?? false;
  const headers = isHeaded ? lines.slice(0, lines.indexOf('')) : [];
  const encrypted = label.startsWith('ENCRYPTED ') || headers.some((header) => /^Proc-Type:.*ENCRYPTED/.test(header));
  return { label, encrypted, bytes: decodeBase64(label, lines.slice(headers.length).join('')) };
}

function decodeBase64(label: string, text: string): Uint8Array {
  if (text === '') throw new PemError(`the ${label} block is empty`);
  const bytes = fromBase64(text);
  if (bytes === undefined) throw new PemError(`the ${label} block is not base64; was the text altered?`);
  return bytes;
}

/** Whether it is a file in DER, such as a certificate, a key, or a PKCS #12 file: one SEQUENCE. */
export function looksLikeDer(text: string): boolean {
  return /^0[\x80-\x84]/.test(text) || (text[0] === '0' && text.charCodeAt(1) === text.length - 2);
}

function adviceFor(text: string): string {
  if (looksLikeDer(text))
    return 'it is DER, not PEM; convert it with "openssl x509", "openssl pkey" or "openssl pkcs12"';
  if (!text.includes('-----BEGIN ')) return 'no -----BEGIN in it; pass the contents of the PEM file, not its name';
  const remedy = text.includes('\\n') ? 'turn each "\\n" into a line break' : 'put BEGIN and END on lines of their own';
  return `the line breaks of the PEM text are lost; ${remedy}`;
}

/** Encodes one block, in lines of 64 characters (RFC 7468 §2). */
export function encodePem(label: string, bytes: Uint8Array): string {
  const lines = platform.btoa(latin1(bytes)).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
