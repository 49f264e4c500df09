import type { Protection } from '../../src/crypto/protection.ts';

/** A record as bytes of its own. */
export function seal(protection: Protection, type: number, content: Uint8Array): Uint8Array {
  const record = new Uint8Array(content.length + protection.expansion);
  protection.seal(type, content, record, 0);
  return record;
}
