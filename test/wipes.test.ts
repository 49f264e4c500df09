/**
 * Every call in the source that overwrites a secret has an effect in some visit: without it a number is one too small. A call that would
 * find only zeros is no use, and does not count.
 */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const VISITS = fileURLToPath(new URL('./support/wipe-visits.js', import.meta.url));

/** Node 26 is given X25519 keys in DER, which is a copy more to overwrite. */
const TAKES_JWK_WITHOUT_X = Number.parseInt(process.versions.node, 10) < 26;

describe('secrets are overwritten', () => {
  it('by every call that is there for it', () => {
    const counts: unknown = JSON.parse(execFileSync(process.execPath, [VISITS], { encoding: 'utf8' }));
    expect(counts).to.deep.equal({
      'cache/session-cache': 1,
      'cli/files': 1,
      'cli/inspect': 7,
      'crypto/hkdf-label': 1,
      'crypto/key-schedule': 4,
      'crypto/prf': 3,
      'crypto/protection': 5,
      'crypto/providers/aes': 1,
      'crypto/providers/aes-gcm': 7,
      'crypto/providers/ghash': 6,
      'crypto/providers/hybrid-groups': 6,
      'crypto/providers/noble-aead': 1,
      'crypto/providers/noble-groups': 2,
      'crypto/providers/noble-sha256': 2,
      'crypto/providers/pooled-hash': 4,
      'crypto/providers/sha256': 2,
      'crypto/providers/spare-words': 1,
      'crypto/record-reader': 2,
      'crypto/record-writer': 2,
      'crypto/secret': 3,
      'engine/channel': 1,
      'engine/core': 5,
      'engine/handshake-io': 1,
      'engine/secrets': 3,
      'engine/server/server-role': 1,
      'engine/server/session-lookup': 2,
      'handshake/key-exchange': 3,
      'handshake/key-updates': 1,
      'handshake/main-secret': 6,
      'handshake/psk-importer': 1,
      'handshake/psk-tls12': 1,
      'handshake/schedule-tls12': 3,
      'handshake/schedule-tls13': 1,
      'handshake/server/binder': 1,
      'handshake/server/new-session-tickets': 2,
      'handshake/server/server-tls12': 2,
      'handshake/server/server-tls13': 1,
      'node/node-crypto': 3,
      'node/node-groups': TAKES_JWK_WITHOUT_X ? 2 : 3,
      'openssl/ssl': 1,
      'openssl/ticket-callbacks': 3,
      'openssl/ticket-keys': 2,
      'sessions/session': 4,
      'tickets/format-aead': 1,
      'tickets/format-cbc': 2,
      'tickets/key': 3,
      'tickets/key-files': 3,
      'tickets/key-ring': 2,
      'tickets/ticket': 2,
      'wire/bytes': 3,
      'wire/der-writer': 1,
      'wire/writer': 1,
    });
  });
});
