/**
 * This library's own ticket format:
 *
 *     struct {
 *         opaque key_name[16];     // random, not derived from the key
 *         uint8  version = 1;
 *         opaque nonce[12];        // random
 *         opaque sealed[TicketLength - 29];
 *     } Ticket;
 *
 * `sealed` is the session's SSL_SESSION (sessions/der.ts) under AEAD_AES_256_GCM (RFC 5116 §5.2), with everything before it
 * as additional data; it is 16 bytes longer than the session. The key has no other use. Nonces are random, so a key seals at
 * most 2^32 tickets (NIST SP 800-38D §8.3); see seal-counts.ts.
 *
 * In a file a key is `opaque key_name[16]; opaque key[32];`.
 */

import { sealInPlace } from '../crypto/provider.ts';
import { aesGcm } from '../crypto/providers/aes-gcm.ts';
import { copyOf } from '../wire/bytes.ts';
import { draw, KEY_NAME_LENGTH, type TicketCipher, type TicketFormat } from './format.ts';

const VERSION = 1;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const NONCE_AT = KEY_NAME_LENGTH + 1;
const SEALED_AT = NONCE_AT + NONCE_LENGTH;

/** Independent of the server's provider: keys may be made before there is a server. */
const aead = aesGcm('aes-256-gcm', 32);

/** The tickets of this library: the session under AES-256-GCM, with the name of the key and a random nonce before it. */
export const aeadTickets: TicketFormat = {
  name: 'tls-resume-1',
  secretLength: aead.keyLength,
  cipher: (keyName, secret): TicketCipher => {
    const key = aead.key(secret);
    const name = copyOf(keyName);
    return {
      seal: (plaintext, randomBytes) => {
        const nonce = draw(randomBytes, NONCE_LENGTH);
        const end = SEALED_AT + plaintext.length;
        const ticket = new Uint8Array(end + TAG_LENGTH);
        ticket.set(name);
        ticket[KEY_NAME_LENGTH] = VERSION;
        ticket.set(nonce, NONCE_AT);
        ticket.set(plaintext, SEALED_AT);
        sealInPlace(key, nonce, ticket.subarray(0, SEALED_AT), ticket, SEALED_AT, end);
        return ticket;
      },
      open: (ticket) => {
        if (ticket.length <= SEALED_AT + TAG_LENGTH || ticket[KEY_NAME_LENGTH] !== VERSION) return 'malformed';
        const nonce = ticket.subarray(NONCE_AT, SEALED_AT);
        return key.open(nonce, ticket.subarray(0, SEALED_AT), ticket.subarray(SEALED_AT)) ?? 'bad-mac';
      },
      wipe: () => key.wipe(),
    };
  },
};
