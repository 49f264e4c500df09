/** The lenient server: what it lacks, and that it lacks nothing else. */

import { expect } from 'chai';
import { serverOverTcp } from '../../src/judges/server-over-tcp.ts';
import { scenarios } from '../../src/testing/catalogue/scenarios.ts';
import { judgeServer } from '../../src/testing/scenarios/judge.ts';
import { credential } from '../support/servers.ts';
import { startLenient } from './lenient.ts';

describe('the lenient server', () => {
  it('does not do what its scenario asks for, and does what others ask for', async () => {
    const [mutant, other] = ['server/psk/binders-rotated', 'server/psk/identity-unknown-in-front'];
    const told: string[] = [];
    const tell = (line: string): void => void told.push(line);
    const { port, close } = await startLenient({ mutant, credential: credential('ecdsaP256'), tell });
    try {
      const peer = serverOverTcp({ host: '127.0.0.1', port, serverName: 'localhost' });
      const verdicts: string[] = [];
      for (const scenario of scenarios.forServers().filter(({ id }) => id === mutant || id === other)) {
        const { id, got, verdict } = await judgeServer(scenario, peer, 'TLSv1.3');
        verdicts.push(`${id} ${got}: ${verdict}`);
      }
      expect(verdicts.sort()).to.deep.equal([`${mutant} resumes: finding`, `${other} resumes: pass`]);
      expect(told).to.include.members(['TLSv1.3: full handshake', 'TLSv1.3: resumed']);
    } finally {
      close();
    }
  });

  it('is of no other name than those in the list', async () => {
    const error = await startLenient({ mutant: 'server/psk', credential: credential('ecdsaP256') }).catch(String);
    expect(error).to.equal('RangeError: no mutant is server/psk; see --list');
  });
});
