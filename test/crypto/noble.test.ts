import { noble } from '../../src/crypto/noble.ts';
import { providerContract } from './provider-contract.ts';

providerContract('noble', noble);
