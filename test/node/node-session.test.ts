/**
 * Sessions of the client of the Node that runs: read, and given back to it in either form. Which form that Node hands out is
 * found out, not asked of its version: releases of one line differ.
 */

import { expect } from 'chai';
import { Session, SessionDecodeError } from '../../src/index.ts';
import { unwrapNodeSession, wrapNodeSession } from '../../src/node/index.ts';
import { certificates } from '../fixtures.ts';
import { only, startServer, stopServers, VERSIONS, visit } from './support.ts';

afterEach(stopServers);

/** As long as it does not change: a form that is not known here fails, and a host that is not the one asked for. */
function unwrapped(session: Buffer | undefined, host: string) {
  const read = unwrapNodeSession(session ?? Buffer.alloc(0));
  const isWrapped = session?.[0] === 0;
  expect(read.host).to.equal(isWrapped ? host : undefined);
  return { ...read, isWrapped };
}

for (const version of VERSIONS) {
  describe(`a session of this Node's client, ${version}`, () => {
    const known = { ...only(version), servername: 'localhost', ca: certificates.ecdsaP256.cert };

    for (const rejectUnauthorized of [true, false]) {
      it(`resumes in each form that it takes, ${rejectUnauthorized ? 'verifying' : 'not verifying'}`, async () => {
        const { port } = await startServer();
        const options = { ...known, port, rejectUnauthorized };
        const first = await visit(options);
        const { der, isWrapped } = unwrapped(first.session, 'localhost');
        expect(Session.fromDer(first.session ?? der)).to.include({ version });
        const session = isWrapped ? wrapNodeSession(der, 'localhost') : der;
        expect(session.equals(first.session ?? Buffer.alloc(0))).to.equal(true);
        expect((await visit({ ...options, session })).isReused).to.equal(true);
        const plain = await visit({ ...options, session: der });
        expect(plain.isReused).to.equal(!isWrapped || !rejectUnauthorized);
      });
    }

    it('is for the host that it names', async () => {
      const { port } = await startServer();
      const options = { ...known, port };
      const { der, isWrapped } = unwrapped((await visit(options)).session, 'localhost');
      const other = await visit({ ...options, session: wrapNodeSession(der, 'LOCALHOST') });
      expect(other.isReused).to.equal(false);
      if (isWrapped)
        expect((await visit({ ...options, session: wrapNodeSession(der, 'localhost') })).isReused).to.equal(true);
    });

    for (const [what, given, host] of [
      ['an address', { host: '127.0.0.1', servername: '' }, '127.0.0.1'],
      ['the name rather than the address', { host: '127.0.0.1', servername: 'Other.Example' }, 'Other.Example'],
    ] as const) {
      it(`names ${what}`, async () => {
        const { port } = await startServer();
        const options = { ...only(version), port, ...given };
        const { session } = await visit(options);
        unwrapped(session, host);
        expect((await visit({ ...options, session })).isReused).to.equal(true);
      });
    }
  });
}

describe('unwrapNodeSession() and wrapNodeSession()', () => {
  it('refuse what is no session', () => {
    expect(() => unwrapNodeSession(Buffer.from('hello'))).to.throw(SessionDecodeError);
    expect(() => wrapNodeSession(Buffer.from('hello'), 'localhost')).to.throw(SessionDecodeError);
  });
});
