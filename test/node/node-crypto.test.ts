import { constants, createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { x25519 } from '@noble/curves/ed25519.js';
import { expect } from 'chai';
import { credentialFromPem } from '../../src/crypto/credentials/credential.ts';
import type { CryptoProvider, KeyAgreement, PrivateKeyDer } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { webCrypto } from '../../src/crypto/providers/web-crypto.ts';
import { createServer, nodeCrypto } from '../../src/node/index.ts';
import { EMPTY, toHex, utf8 } from '../../src/wire/bytes.ts';
import type { GroupName } from '../../src/wire/registry.ts';
import { providerContract } from '../crypto/providers/provider-contract.ts';
import { certificates } from '../fixtures.ts';
import { only, startServer, stopServers, VERSIONS, visit } from './support.ts';

providerContract('nodeCrypto', nodeCrypto);

const message = utf8('signed');

function agreements(groups: CryptoProvider['groups']): KeyAgreement[] {
  const { x25519, secp256r1, secp384r1 } = groups;
  return [x25519, secp256r1, secp384r1].filter((group) => group !== undefined);
}

describe('provider nodeCrypto, itself', () => {
  it('returns plain arrays, each with memory of its own', async () => {
    const { hashes, aeads, groups } = nodeCrypto;
    const key = aeads['aes-128-gcm'].key(new Uint8Array(16));
    const sealed = key.seal(new Uint8Array(12), EMPTY, message);
    const pairs = agreements(groups).map(async ({ generate }) => {
      const [ours, theirs] = [await generate(random), await generate(random)];
      return [ours.publicKey, await ours.agree(theirs.publicKey)];
    });
    const returned = [
      hashes.sha256.digest(message),
      hashes.sha256.start().peek(),
      hashes.sha256.hmac(EMPTY).sign(),
      sealed,
      key.open(new Uint8Array(12), EMPTY, sealed) ?? EMPTY,
      ...(await Promise.all(pairs)).flat(),
    ];
    for (const bytes of returned) {
      expect(Object.getPrototypeOf(bytes)).to.equal(Uint8Array.prototype);
      expect(bytes.buffer.byteLength).to.equal(bytes.length);
    }
  });

  it('refuses a key that has been wiped', async () => {
    const { hashes, aeads, groups } = nodeCrypto;
    const [hmac, aead] = [hashes.sha256.hmac(message), aeads['aes-256-gcm'].key(new Uint8Array(32))];
    const keys = await Promise.all(agreements(groups).map(({ generate }) => generate(random)));
    for (const key of [hmac, aead, ...keys]) key.wipe();
    expect(() => hmac.sign(message)).to.throw('wiped');
    expect(() => aead.seal(new Uint8Array(12), EMPTY, message)).to.throw('wiped');
    expect(() => aead.open(new Uint8Array(12), EMPTY, new Uint8Array(16))).to.throw('wiped');
    for (const key of keys) expect(() => key.agree(new Uint8Array(32))).to.throw('wiped');
  });

  it('makes its keys of the dice alone, so that a connection can be replayed; X25519 as everybody (RFC 7748 §5)', async () => {
    for (const group of ['x25519', 'secp256r1', 'secp384r1'] as const) {
      const [one, again, other] = [await generated(group, 7), await generated(group, 7), await generated(group, 8)];
      expect(one, group).to.equal(again);
      expect(one, group).not.to.equal(other);
    }
    expect(await generated('x25519', 7)).to.equal(toHex(x25519.getPublicKey(new Uint8Array(32).fill(7))));
  });

  it('throws the dice again where they are beyond the order of the curve', async () => {
    const throws = [new Uint8Array(32), new Uint8Array(32).fill(0xff), new Uint8Array(32).fill(7)];
    const key = await nodeCrypto.groups.secp256r1?.generate(() => throws.shift() ?? EMPTY);
    expect(throws).to.have.length(0);
    expect(toHex(key?.publicKey ?? EMPTY)).to.equal(await generated('secp256r1', 7));
  });

  it('does not throw them for ever: other faults are faults', () => {
    expect(() => nodeCrypto.groups.secp256r1?.generate(() => 'no bytes' as never)).to.throw(TypeError);
  });
});

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

async function generated(group: GroupName, dice: number): Promise<string> {
  const key = await nodeCrypto.groups[group]?.generate((length) => new Uint8Array(length).fill(dice));
  return toHex(key?.publicKey ?? EMPTY);
}

describe('a server over sockets with providers that are not the default', () => {
  afterEach(stopServers);

  const PROVIDERS: Readonly<Record<string, CryptoProvider>> = {
    nodeCrypto,
    'the groups of nodeCrypto alone': { ...defaultProvider, groups: nodeCrypto.groups },
    'the groups of webCrypto': { ...defaultProvider, groups: webCrypto.groups },
  };
  for (const [name, crypto] of Object.entries(PROVIDERS)) {
    it(name, async () => {
      const { server, port } = await startServer({ ...certificates.rsa2048, crypto });
      const groups: unknown[] = [];
      server.on('secureConnection', (socket) => groups.push(socket.connection.group));
      for (const version of VERSIONS) {
        for (const [ecdhCurve, group] of [
          ['X25519', 'x25519'],
          ['P-256', 'secp256r1'],
          ['P-384', 'secp384r1'],
        ] as const) {
          const first = await visit({ port, ecdhCurve, ...only(version) });
          expect([first.isReused, first.text, groups.at(-1)]).to.deep.equal([false, 'bye', group]);
          const second = await visit({ port, ecdhCurve, ...only(version), session: first.session });
          expect([second.isReused, second.text]).to.deep.equal([true, 'bye']);
        }
      }
    });
  }
});

describe('signer of nodeCrypto', () => {
  for (const kind of ['ecdsaP256', 'ecdsaP384', 'ed25519', 'rsa2048'] as const) {
    it(`signs at once with ${kind}, by each of its schemes`, () => {
      const { cert } = certificates[kind];
      const { schemes, schemesTls12 = schemes, sign } = credentialFromPem(certificates[kind], nodeCrypto);
      for (const scheme of schemesTls12) {
        const signature = sign(scheme, message);
        if (!(signature instanceof Uint8Array)) throw new Error(`${scheme}: a promise`);
        const key = createPublicKey(cert);
        const [, hash = null] = /(sha\d+)$/.exec(scheme) ?? [];
        const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(hash?.slice(3)) / 8 };
        const options = scheme.startsWith('rsa_pss') ? { key, ...pss } : key;
        expect(verify(hash, message, options, signature), scheme).to.equal(true);
      }
    });
  }

  it('signs by no scheme that is not the key’s', () => {
    const { sign } = credentialFromPem(certificates.rsa2048, nodeCrypto);
    expect(() => sign('ed25519', message)).to.throw(TypeError, 'not one of this key');
  });

  it('takes PKCS#8, SEC1 and PKCS#1, as a server’s cert and key', async () => {
    const asked: PrivateKeyDer['format'][] = [];
    const crypto = {
      ...nodeCrypto,
      signer: (key: PrivateKeyDer) => {
        asked.push(key.format);
        return nodeCrypto.signer?.(key);
      },
    };
    const forms = [
      [certificates.rsa2048, 'pkcs8'],
      [certificates.ecdsaP256, 'sec1'],
      [certificates.rsa2048, 'pkcs1'],
    ] as const;
    for (const [{ cert, key }, type] of forms) {
      const pem = createPrivateKey(key).export({ format: 'pem', type: type as 'pkcs8' });
      const [credential] = createServer({ cert, key: pem, crypto }).config.credentials;
      const [scheme = 'ed25519'] = credential?.schemes ?? [];
      expect(await credential?.sign(scheme, message)).to.be.instanceOf(Uint8Array);
    }
    expect(asked).to.deep.equal(['pkcs8', 'sec1', 'pkcs1']);
  });

  it('leaves a key that it does not take to those who do', async () => {
    const { sign } = credentialFromPem(certificates.ecdsaP256, { signer: () => undefined });
    const signature = await sign('ecdsa_secp256r1_sha256', message);
    expect(verify('sha256', message, certificates.ecdsaP256.cert, signature)).to.equal(true);
    expect(nodeCrypto.signer?.({ format: 'pkcs8', bytes: EMPTY })).to.equal(undefined);
  });
});
