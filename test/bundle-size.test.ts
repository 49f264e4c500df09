/** What the entries weigh in a bundle, minified and under gzip: what docs/performance.md promises, kept. */

import { expect } from 'chai';
import { bundle, ENTRIES } from '../bench/bundle.ts';

/**
 * Bytes, by what the size has been: who adds a kilobyte has to say so here. Eight kilobytes have bought the bounds on memory, of hellos
 * and of the cache; one order of ending, and of calls from user code; checks of what keys and callbacks answer; max_fragment_length and
 * `mayResume`; the parts that a client shares; and errors that name what is wrong, what speaks no TLS included. Three more have bought what
 * completes the protocol: the seams of early data, external PSKs and hybrid groups, staples, `onAlpn` and the limit of records.
 */
const LIMITS = { webCrypto: 66_000, nobleCurves: 84_250, bothVersions: 99_700, client13: 57_500 } as const;

describe('a bundle', () => {
  for (const [name, limit] of Object.entries(LIMITS)) {
    it(`${name} weighs no more than ${limit} bytes`, async () => {
      const { bytes } = await bundle(ENTRIES[name as keyof typeof ENTRIES]);
      expect(bytes).to.be.within(0.9 * limit, limit);
    });
  }

  it('of TLS 1.3 with Web Crypto has no curve of ours, no TLS 1.2, no sealed tickets, no client certificates and no external PSKs', async () => {
    const { modules } = await bundle(ENTRIES.webCrypto);
    const words =
      /@noble\/curves|tls12|\/prf\.|tickets\/key|tickets\/format|client-auth|warnings|verifier|verifying-key|psk-(options|importer|verdict)|external-psks|src\/(node|cli)\//;
    expect(modules.filter((path) => words.test(path))).to.deep.equal([]);
    expect(modules.filter((path) => /\/server-tls13|web-crypto-credential/.test(path))).to.have.length(2);
  });

  it('of a client of TLS 1.3 has no curve of ours, no TLS 1.2, and nothing of a server; and no server has anything of a client', async () => {
    const { modules } = await bundle(ENTRIES.client13);
    const words =
      /@noble\/curves|-tls12\.js(?<!receive-tls12\.js)|\/prf\.|\/server\/|\/tickets\/|\/cache\/|psk-(options|importer)|external-psks|src\/(testing|node|cli)\//;
    expect(modules.filter((path) => words.test(path))).to.deep.equal([]);
    for (const name of ['webCrypto', 'nobleCurves', 'bothVersions'] as const) {
      const others = (await bundle(ENTRIES[name])).modules.filter((path) =>
        /\/(client|testing)\/|undecided-server/.test(path),
      );
      expect(others, name).to.deep.equal([]);
    }
  });

  it('has no shell unless it names one; and with one, a client has nothing of a server, nor a server of a client', async () => {
    for (const contents of Object.values(ENTRIES))
      expect((await bundle(contents)).modules.filter((path) => path.includes('src/web/'))).to.deep.equal([]);
    const shell = (entry: string, of: string) => bundle(`export { ${of} } from 'tls-resume/${entry}';`);
    const client = await shell('client13', 'connect, defineClient');
    expect(client.modules.filter((path) => /\/server\/|src\/web\/(accept|tls-connection)/.test(path))).to.deep.equal(
      [],
    );
    const server = await shell('tls13', 'accept, defineServer');
    expect(server.modules.filter((path) => /\/client\/|src\/web\/(connect\b|tls-client)/.test(path))).to.deep.equal([]);
    for (const { modules } of [client, server])
      expect(modules.filter((path) => /src\/web\/(shell|establish|connection-streams)/.test(path))).to.have.length(3);
  });

  it('of both versions has them, so that the words are the right ones', async () => {
    const { modules } = await bundle(ENTRIES.bothVersions);
    for (const word of [
      '@noble/curves',
      'tls12',
      '/prf.',
      'tickets/key',
      'tickets/format',
      'client-authentication',
      'external-psks',
    ])
      expect(modules.join(' ')).to.contain(word);
  });
});
