import { expect } from 'chai';
import { fast } from '../../../src/crypto/providers/fast.ts';
import { EMPTY } from '../../../src/wire/bytes.ts';
import { providerContract } from './provider-contract.ts';

providerContract('fast', fast);

it('provider fast: a wiped HMAC key refuses', () => {
  const key = fast.hashes.sha256.hmac(EMPTY);
  key.wipe();
  expect(() => key.sign(EMPTY)).to.throw('wiped');
});
