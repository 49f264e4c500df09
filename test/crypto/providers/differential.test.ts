import { expect } from 'chai';
import type { CryptoProvider } from '../../../src/crypto/provider.ts';
import { defaultProvider } from '../../../src/crypto/providers/default.ts';
import { fast } from '../../../src/crypto/providers/fast.ts';
import { noble } from '../../../src/crypto/providers/noble.ts';
import { nodeCrypto } from '../../../src/node/index.ts';
import { compareProviders } from '../../support/differential.ts';
import { many, patience } from '../../support/runs.ts';

describe('providers that give what noble gives', () => {
  it(`the default and fast, for ${many(3000)} inputs (npm run differential: a million)`, function () {
    this.timeout(patience());
    compareProviders(noble, { default: defaultProvider, fast }, many(3000), 1);
  });

  it(`nodeCrypto, for ${many(1000)}`, function () {
    this.timeout(patience());
    compareProviders(noble, { nodeCrypto }, many(1000), 2);
  });

  it('and one that differs once in 256 is found', () => {
    const { sha256 } = noble.hashes;
    const wrong: CryptoProvider = {
      ...noble,
      hashes: {
        ...noble.hashes,
        sha256: {
          ...sha256,
          digest: (message) => sha256.digest(message[0] === 7 ? message.subarray(1) : message),
        },
      },
    };
    expect(() => compareProviders(noble, { wrong }, 20_000, 1)).to.throw('wrong, seed 1, input');
  });
});
