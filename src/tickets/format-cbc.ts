/**
 * The format that RFC 5077 §4 recommends, as OpenSSL writes it: without the length of the encrypted state. Node, nginx,
 * HAProxy and Apache use it through OpenSSL.
 *
 *     struct {
 *         opaque key_name[16];
 *         opaque iv[16];
 *         opaque encrypted_state[TicketLength - 32 - MacLength];   // AES-CBC, PKCS#7 padding
 *         opaque mac[MacLength];                                   // HMAC of everything before it
 *     } Ticket;
 *
 * They differ in the length of the keys and in the layout of their key files, for which see key-files.ts. Here the secret is
 * always `opaque hmac_key[n]; opaque aes_key[n];`.
 */

import type { HashName } from '../crypto/provider.ts';
import { AES_BLOCK, decryptCbc, encryptCbc } from '../crypto/providers/aes-cbc.ts';
import { symmetric } from '../crypto/providers/symmetric.ts';
import { concat, copyOf, equalConstantTime, wipe } from '../wire/bytes.ts';
import { draw, KEY_NAME_LENGTH, type TicketCipher, type TicketFormat } from './format.ts';

const STATE_AT = KEY_NAME_LENGTH + AES_BLOCK;

/**
 * Returns the format with an AES key of 16 or 32 bytes, an HMAC key of the same length, and a MAC as long as the hash.
 * `cbcTickets(16)` and `cbcTickets(32)` are the formats of the servers named above. @throws RangeError for another length
 */
export function cbcTickets(keyLength: 16 | 32, hashName: HashName = 'sha256'): TicketFormat {
  if (keyLength !== 16 && keyLength !== 32)
    throw new RangeError(`cbcTickets(${keyLength}): a key of 16 or 32 bytes is possible`);
  const hash = symmetric.hashes[hashName];
  return {
    name: `aes-${8 * keyLength}-cbc-hmac-${hashName}`,
    secretLength: 2 * keyLength,
    cipher: (keyName, secret): TicketCipher => {
      const name = copyOf(keyName);
      const mac = hash.hmac(secret.subarray(0, keyLength));
      const aesKey = copyOf(secret.subarray(keyLength));
      return {
        seal: (plaintext, randomBytes) => {
          const iv = draw(randomBytes, AES_BLOCK);
          const body = concat(name, iv, encryptCbc(aesKey, iv, plaintext));
          return concat(body, mac.sign(body));
        },
        open: (ticket) => {
          const macAt = ticket.length - hash.length;
          if (macAt <= STATE_AT || (macAt - STATE_AT) % AES_BLOCK !== 0) return 'malformed';
          const body = ticket.subarray(0, macAt);
          if (!equalConstantTime(mac.sign(body), ticket.subarray(macAt))) return 'bad-mac';
          return decryptCbc(aesKey, ticket.subarray(KEY_NAME_LENGTH, STATE_AT), body.subarray(STATE_AT)) ?? 'bad-mac';
        },
        wipe: () => {
          mac.wipe();
          wipe(aesKey);
        },
      };
    },
  };
}
