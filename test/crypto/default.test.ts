import { defaultProvider } from '../../src/crypto/default.ts';
import { providerContract } from './provider-contract.ts';

providerContract('default', defaultProvider);
