/** The groups of the commands: the host's hybrid ones and, where a command line names those that it lacks, @noble's. */

import type { CryptoProvider } from '../crypto/provider.ts';
import { hybridGroups } from '../crypto/providers/hybrid-groups.ts';
import { nodeHybridGroups } from '../node/node-ml-kem.ts';
import { type GroupName, isHybrid } from '../wire/registry.ts';
import { usage } from './fault.ts';

/** Returns a provider that has `named`. @throws Fault (the promise rejects) if it takes a package that is not installed */
export async function withGroups(
  crypto: CryptoProvider,
  named: readonly GroupName[] | undefined,
): Promise<CryptoProvider> {
  const own = { ...crypto.groups, ...nodeHybridGroups };
  const missing = named?.find((name) => isHybrid(name) && own[name] === undefined);
  return { ...crypto, groups: missing === undefined ? own : { ...own, ...(await nobleGroups(crypto, missing)) } };
}

async function nobleGroups({ groups }: CryptoProvider, missing: GroupName) {
  try {
    const { ml_kem768 } = await import('@noble/post-quantum/ml-kem.js');
    return hybridGroups(groups, ml_kem768);
  } catch {
    throw usage(
      `--groups: this Node has no ML-KEM for ${missing}; install @noble/post-quantum, or use Node 24.7 or newer`,
    );
  }
}
