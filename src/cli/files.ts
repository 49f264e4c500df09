/** The files that the command reads and writes. */

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { type Credential, credentialFromPem } from '../crypto/credential.ts';
import type { CertificateFiles } from './args.ts';
import { systemReason, usage } from './fault.ts';

/** @throws Fault naming the flag and the file, where one cannot be read or they do not belong together */
export function loadCredential({ cert, key }: CertificateFiles): Credential {
  const pem = { cert: read('--cert', cert), key: read('--key', key) };
  try {
    return credentialFromPem(pem);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const { message } = error;
    if (message.startsWith('cert: ')) throw usage(`--cert ${cert}: ${message.slice('cert: '.length)}`);
    if (message.startsWith('key: ')) throw usage(`--key ${key}: ${message.slice('key: '.length)}`);
    throw error;
  }
}

function read(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(`${flag} ${file}: cannot be read (${systemReason(error)})`);
  }
}

export interface KeyLog {
  append(line: string): void;
  close(): void;
}

/** Opens a file for secrets: one that is made here is for its owner's eyes only. @throws Fault */
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
