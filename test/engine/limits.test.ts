/** What may be asked of a connection, and what a peer may do again and again: from both sides of each limit. */

import { expect } from 'chai';
import { atMost, range, testLimits } from '../support/limits.ts';
import { Bench } from '../support/mechanisms.ts';

describe('limits of a connection', () => {
  const bench = new Bench();
  after(() => bench.close());
  const connect = (version: 'TLSv1.2' | 'TLSv1.3') => bench.connect(bench.bare(), { version, verify: false });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    testLimits({
      [`bytes that it exports, ${version}`]: {
        ...range(1, 8160),
        attempt: (length) => connect(version).connection.exportKeyingMaterial(length, 'label'),
        error: '1 to 8160 are possible',
      },
    });
  }

  testLimits({
    'characters of a label, TLSv1.3': {
      ...range(1, 249),
      attempt: (length) => connect('TLSv1.3').connection.exportKeyingMaterial(1, 'x'.repeat(length)),
      error: 'a label of 1 to 249',
    },
    'the first character of a label, TLSv1.3': {
      ...range(0x20, 0x7e),
      attempt: (code) => connect('TLSv1.3').connection.exportKeyingMaterial(1, String.fromCharCode(code)),
      error: 'a label of 1 to 249',
    },
    'bytes of a context, TLSv1.2': {
      ...atMost(65_535),
      attempt: (length) => connect('TLSv1.2').connection.exportKeyingMaterial(1, 'label', new Uint8Array(length)),
      error: '',
    },
  });

  it('it refuses four renegotiations by a warning, and ends at the fifth', () => {
    const link = connect('TLSv1.2');
    const warnings = () => link.client.alerts.map(({ name }) => name);
    for (let i = 0; i < 4; i++) {
      link.client.sendMessage(Uint8Array.of(1, 0, 0, 40, ...new Uint8Array(40)));
      link.run();
    }
    expect(link.failure).to.equal(undefined);
    expect(warnings()).to.deep.equal(new Array(4).fill('no_renegotiation'));
    link.client.sendMessage(Uint8Array.of(1, 0, 0, 40, ...new Uint8Array(40)));
    link.run();
    expect(link.failure?.alert).to.equal('unexpected_message');
  });
});
