import { noble } from '../../../src/crypto/providers/noble.ts';
import { providerContract } from './provider-contract.ts';

providerContract('noble', noble);
