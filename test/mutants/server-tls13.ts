/** Mutants for the scenarios with a server of TLS 1.3: what each is about, taken out. */

import type { Mutants } from './build.ts';

export const serverTls13: Mutants = {
  'server/psk/binder-wrong': [
    {
      file: 'handshake/server/psk.ts',
      within: 'selectPsk',
      find: "throw new TlsAlert('decrypt_error', 'the binder does not verify');",
      replace: 'return undefined;',
    },
  ],
  'server/psk/identity-unknown': [
    {
      file: 'handshake/server/psk.ts',
      within: 'selectPsk',
      find: 'found === undefined',
      replace:
        "found === undefined && facts.verdicts.length > 0) throw new TlsAlert('decrypt_error', ''); if (found === undefined",
    },
  ],
};
