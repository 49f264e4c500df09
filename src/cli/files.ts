/** The files that the command reads and writes. */

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Credential, credentialFromPem } from '../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import type { ExternalPsk } from '../engine/psk-options.ts';
import { MAX_RESPONSE } from '../handshake/messages/certificate-status.ts';
import type { TicketKey } from '../tickets/key.ts';
import { TicketKeyFileError, ticketKeysFrom } from '../tickets/key-files.ts';
import { WeakTicketKeyError } from '../tickets/key-strength.ts';
import { wipe } from '../wire/bytes.ts';
import { looksLikeDer } from '../wire/pem.ts';
import type { CertificateFiles, TicketKeyFile } from './args.ts';
import { Fault, systemReason, usage } from './fault.ts';
import { psk } from './flags.ts';

/** @throws Fault naming the flag and the file if one cannot be read, or if they do not belong together */
export function loadCredential({ cert, key, ...staples }: CertificateFiles, crypto: CryptoProvider): Credential {
  const pem = { cert: readPem('--cert', cert), key: readPem('--key', key) };
  const shown = {
    ocspResponse: staples.ocspResponse === undefined ? undefined : readOcspResponse(staples.ocspResponse),
    signedCertificateTimestamps: staples.timestamps?.map((file) => readTimestamp(file)),
  };
  try {
    return credentialFromPem({ ...pem, ...shown }, crypto);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const { message } = error;
    if (message.startsWith('cert: ')) throw usage(`--cert ${cert}: ${message.slice('cert: '.length)}`);
    const named = message.replace('certificate in cert;', `certificate in --cert ${cert};`);
    if (named.startsWith('key: ')) throw usage(`--key ${key}: ${named.slice('key: '.length)}`);
    throw error;
  }
}

/** @throws Fault naming a file that cannot be an OCSP response in DER */
function readOcspResponse(file: string): Uint8Array {
  const bytes = read('--ocsp-response', file);
  if (!looksLikeDer(bytes.toString('latin1')))
    throw usage(`--ocsp-response ${file}: is not DER, as 'openssl ocsp -respout ${file}' writes it`);
  if (bytes.length > MAX_RESPONSE)
    throw usage(`--ocsp-response ${file}: has ${bytes.length} bytes; ${MAX_RESPONSE} are the most`);
  return bytes;
}

/** RFC 6962 §3.2: version, id of the log, time, extensions, signature. @throws Fault naming a file that cannot be one */
function readTimestamp(file: string): Uint8Array {
  const bytes = read('--sct', file);
  if (bytes[0] === 0 && bytes.length >= 47 && bytes.length <= 8192) return bytes;
  throw usage(`--sct ${file}: is no signed certificate timestamp, as its log has sent it, in binary`);
}

type PemFlag = '--cert' | '--key' | '--ca';

/** Checked here, because the functions for PEM would take anything else for the name of a file. @throws Fault */
export function readPem(flag: PemFlag, file: string): string {
  const text = read(flag, file).toString('latin1');
  if (text.includes('-----BEGIN ')) return text;
  if (looksLikeDer(text)) throw usage(`${flag} ${file}: ${adviceForDer(flag, file, text)}`);
  throw usage(`${flag} ${file}: ${text === '' ? 'is empty' : 'no -----BEGIN in it'}; a PEM file is wanted`);
}

/** RFC 7292 §4: a PKCS #12 file begins with version 3. Certificates and keys in DER do not. */
function adviceForDer(flag: PemFlag, file: string, text: string): string {
  const isPkcs12 = text.slice(2, 8).includes('\x02\x01\x03');
  const command = flag === '--key' ? 'pkey -inform DER' : 'x509 -inform DER';
  const convert = `openssl ${isPkcs12 ? 'pkcs12 -nodes' : command} -in ${file} -out ${file}.pem`;
  return `is ${isPkcs12 ? 'PKCS #12' : 'DER'}, and PEM is wanted; convert it, as with "${convert}"`;
}

/** The keys in these files, in order. @throws Fault naming a file that cannot be used, without its contents */
export function loadTicketKeys(files: readonly TicketKeyFile[]): TicketKey[] {
  return files.flatMap(({ producer, file }) => {
    const bytes = read('--ticket-keys', file, `${producer}:${file}`);
    try {
      return ticketKeysFrom(producer, bytes);
    } catch (error) {
      if (!(error instanceof TicketKeyFileError || error instanceof WeakTicketKeyError)) throw error;
      throw usage(`--ticket-keys ${producer}:${file}: ${error.message.replace(/^file 1: /, '')}`);
    } finally {
      wipe(bytes);
    }
  });
}

/** The PSKs in a file: a line `identity:hex` for each, as in those of gnutls-serv. @throws Fault naming the line that is none */
export function loadPsks(flag: string, file: string): ExternalPsk[] {
  if (/:[0-9a-f]{32,}$/i.test(file) && !existsSync(file))
    throw usage(`${flag}: the name of a file is wanted, with lines of identity:hex, and not the PSK itself`);
  const lines = read(flag, file).toString('utf8').split(/\r?\n/);
  const seen = new Map<string, number>();
  const psks = lines.flatMap((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const where = `${flag} ${file}, line ${i + 1}`;
    if (line.includes('\ufffd')) throw usage(`${where}: is not UTF-8`);
    const found = psk(where, line.trim());
    const identity = Buffer.from(found.identity).toString('utf8');
    const before = seen.get(identity);
    if (before !== undefined) throw usage(`${where}: '${identity}' has a key already, in line ${before}`);
    seen.set(identity, i + 1);
    return [found];
  });
  if (psks.length === 0) throw usage(`${flag} ${file}: there is no PSK in it; lines of identity:hex are wanted`);
  return psks;
}

/** @throws Fault naming the flag and what was given to it */
export function read(flag: string, file: string, given = file): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw usage(`${flag} ${given}: cannot be read (${systemReason(error)})`);
  }
}

/** @throws Fault if a file of this name cannot be written, while there is nothing yet that would be lost */
export function requireWritable(flag: string, file: string): void {
  try {
    accessSync(existsSync(file) ? file : dirname(resolve(file)), constants.W_OK);
    if (existsSync(file) && statSync(file).isDirectory()) throw new Error('it is a folder');
  } catch (error) {
    throw usage(`${flag} ${file}: cannot be written (${systemReason(error)})`);
  }
}

/** Writes a secret to a file that only its owner may read, also if there was one of this name. @throws Fault */
export function writeSecret(flag: string, file: string, text: string): void {
  try {
    const descriptor = openSync(file, 'w', 0o600);
    try {
      if (fstatSync(descriptor).isFile()) fchmodSync(descriptor, 0o600);
      writeFileSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new Fault(1, `${flag} ${file}: cannot be written (${systemReason(error)})`, { cause: error });
  }
}

export interface KeyLog {
  append(line: string): void;
  close(): void;
}

/** Opens a file for secrets. If it creates the file, only its owner may read it. @throws Fault */
export function openKeyLog(file: string): KeyLog {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'a', 0o600);
  } catch (error) {
    throw usage(`--keylog ${file}: cannot be written (${systemReason(error)})`);
  }
  return {
    append: (line) => writeSync(descriptor, `${line}\n`),
    close: () => closeSync(descriptor),
  };
}

/** Writes a file that has no secret. @throws Fault */
export function writeText(flag: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new Fault(1, `${flag} ${file}: cannot be written (${systemReason(error)})`, { cause: error });
  }
}
