import { expect } from 'chai';
import { defaultProvider } from '../../../src/crypto/providers/default.ts';
import { EMPTY } from '../../../src/wire/bytes.ts';
import { providerContract } from './provider-contract.ts';

providerContract('default', defaultProvider);

it('provider default: a wiped HMAC key refuses', () => {
  const key = defaultProvider.hashes.sha256.hmac(EMPTY);
  key.wipe();
  expect(() => key.sign(EMPTY)).to.throw('wiped');
});
