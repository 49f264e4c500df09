import { fast } from '../../src/crypto/fast.ts';
import { providerContract } from './provider-contract.ts';

providerContract('fast', fast);
