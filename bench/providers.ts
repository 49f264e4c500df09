/** The providers of cryptography by name, as far as this build has them. */

import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { hybridGroups } from '../src/crypto/providers/hybrid-groups.ts';
import type { CryptoProvider } from '../src/index.ts';
import * as core from '../src/index.ts';
import * as node from '../src/node/index.ts';

export const PROVIDERS = ['noble', 'default', 'fast', 'nodeCrypto', 'fast+nodeCrypto', 'webCrypto'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

const exported: Readonly<Record<string, unknown>> = { ...core, ...node };

/** `undefined`: not in this build. */
export function providerNamed(name: ProviderName): CryptoProvider | undefined {
  if (name === 'default') return part('defaultProvider');
  if (name === 'webCrypto') return agreeingBy(part('webCrypto'), part('defaultProvider'));
  if (name === 'fast+nodeCrypto') return agreeingBy(part('nodeCrypto'), part('fast'));
  return part(name);
}

/** Key agreement, and signatures where it makes or verifies any, by one provider; the rest is another's. */
function agreeingBy(native: CryptoProvider | undefined, rest: CryptoProvider | undefined): CryptoProvider | undefined {
  if (native === undefined || rest === undefined) return undefined;
  const { groups, signer, verifier } = native;
  return { ...rest, groups, ...(signer !== undefined && { signer }), ...(verifier !== undefined && { verifier }) };
}

export function isBuilt(name: ProviderName): boolean {
  return providerNamed(name) !== undefined;
}

/** Those of the list that are worth measuring: some are another wherever no keys are agreed on. */
export function relevant(names: readonly ProviderName[], isAgreeing: boolean): readonly ProviderName[] {
  return isAgreeing ? names : names.filter((name) => name !== 'webCrypto' && name !== 'fast+nodeCrypto');
}

/** Whose curves, and whose ML-KEM: @noble's both, node:crypto's both, or node:crypto's curves and @noble's ML-KEM. */
export type HybridName = 'default' | 'nodeCrypto' | 'nodeCrypto+noble';

/** A provider with X25519MLKEM768; `undefined`: not on this host. */
export function hybridNamed(name: HybridName): CryptoProvider | undefined {
  const base = name === 'default' ? core.defaultProvider : node.nodeCrypto;
  if (name === 'nodeCrypto') return base.groups.X25519MLKEM768 === undefined ? undefined : base;
  return { ...base, groups: { ...base.groups, ...hybridGroups(base.groups, ml_kem768) } };
}

export function hasHybrid(name: HybridName): boolean {
  return hybridNamed(name) !== undefined;
}

export function isProviderName(name: string): name is ProviderName {
  return PROVIDERS.some((known) => known === name);
}

function part(name: string): CryptoProvider | undefined {
  const found = exported[name];
  return typeof found === 'object' && found !== null && 'groups' in found ? (found as CryptoProvider) : undefined;
}
