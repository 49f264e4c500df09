/** Providers with the hybrid groups, by @noble's ML-KEM. */

import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { CryptoProvider } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { hybridGroups } from '../../src/crypto/providers/hybrid-groups.ts';
import type { HybridGroupName } from '../../src/wire/registry.ts';

export const HYBRID_GROUPS: readonly HybridGroupName[] = ['X25519MLKEM768', 'SecP256r1MLKEM768'];

/** Answers at once, and draws from the world alone. */
export const hybridCrypto: CryptoProvider = {
  ...defaultProvider,
  groups: { ...defaultProvider.groups, ...hybridGroups(defaultProvider.groups, ml_kem768) },
};

/** The length of the curve's part of a share, and where it begins, beside a part of ML-KEM of that length. */
export function pointOf(group: HybridGroupName, kemLength: number): readonly [start: number, length: number] {
  return group === 'X25519MLKEM768' ? [kemLength, 32] : [0, 65];
}
