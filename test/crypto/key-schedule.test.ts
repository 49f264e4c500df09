/** The key schedule of TLS 1.3 against HKDF as RFC 5869 writes it, on node:crypto; the values of RFC 8448 are in test/vectors. */

import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  applicationTrafficSecrets,
  certificateVerifyContent,
  type EarlySecret,
  earlySecret,
  expandLabel,
  exporterMasterSecret,
  exportKeyingMaterial,
  finishedMac,
  handshakeSecret,
  handshakeTrafficSecrets,
  masterSecret,
  nextTrafficSecret,
  pskBinderKey,
  resumptionMasterSecret,
  resumptionPsk,
  trafficKeys,
} from '../../src/crypto/key-schedule.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { Secret } from '../../src/crypto/secret.ts';
import { concat, EMPTY, toHex } from '../../src/wire/bytes.ts';

for (const name of ['sha256', 'sha384'] as const) {
  const hash = noble.hashes[name];
  const hex = (value: Uint8Array | ArrayBuffer | Secret<string>) =>
    Buffer.from((value instanceof Secret ? value.bytes : value) as Uint8Array).toString('hex');
  const secretOf = (bytes: Uint8Array) => new Secret<string>(hash, bytes);
  const digest = (message: Uint8Array) => createHash(name).update(message).digest();
  const extract = (salt: Uint8Array, input: Uint8Array) => createHmac(name, salt).update(input).digest();
  const expand = (secret: Uint8Array, label: string, context: Uint8Array, length: number) => {
    const full = Buffer.from(`tls13 ${label}`, 'latin1');
    const info = concat(
      Uint8Array.of(length >> 8, length & 0xff, full.length),
      full,
      Uint8Array.of(context.length),
      context,
    );
    const blocks: Buffer[] = [];
    for (let i = 1; hash.length * blocks.length < length; i++) {
      blocks.push(
        createHmac(name, secret)
          .update(blocks.at(-1) ?? EMPTY)
          .update(info)
          .update(Uint8Array.of(i))
          .digest(),
      );
    }
    return Buffer.concat(blocks).subarray(0, length);
  };
  const derive = (secret: Uint8Array, label: string, transcriptHash: Uint8Array) =>
    expand(secret, label, transcriptHash, hash.length);

  const zeros = new Uint8Array(hash.length);
  const psk = new Uint8Array(hash.length).fill(0x55);
  const dhe = new Uint8Array(32).fill(0xdd);
  const transcriptHash = digest(Uint8Array.of(1, 2, 3));
  const emptyHash = digest(EMPTY);

  describe(`key schedule, ${name}`, () => {
    it('has HKDF-Expand-Label at every length', () => {
      const context = fc.uint8Array({ maxLength: 64 });
      const label = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 });
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 64 }), label, context, fc.nat(300), (secret, text, ctx, length) => {
          expect(hex(expandLabel(secretOf(secret), text, ctx, length))).to.equal(
            hex(expand(secret, text, ctx, length)),
          );
        }),
      );
      const long = expandLabel(secretOf(psk), 'exporter', EMPTY, 255 * hash.length);
      expect(hex(long)).to.equal(hex(expand(psk, 'exporter', EMPTY, 255 * hash.length)));
    });

    it('refuses labels and contexts that HkdfLabel does not hold', () => {
      expect(() => expandLabel(secretOf(psk), '', EMPTY, 10)).to.throw(RangeError);
      expect(() => expandLabel(secretOf(psk), 'x'.repeat(250), EMPTY, 10)).to.throw(RangeError);
      expect(() => expandLabel(secretOf(psk), 'x', new Uint8Array(256), 10)).to.throw(RangeError);
      expect(() => expandLabel(secretOf(psk), 'x'.repeat(249), new Uint8Array(255), 10)).not.to.throw();
    });

    it('goes from the PSK to the master secret (§7.1)', () => {
      for (const [givenPsk, givenDhe] of [
        [undefined, dhe],
        [psk, dhe],
        [psk, undefined],
      ] as const) {
        const early = extract(EMPTY, givenPsk ?? zeros);
        const handshake = extract(derive(early, 'derived', emptyHash), givenDhe ?? zeros);
        const master = extract(derive(handshake, 'derived', emptyHash), zeros);
        const ours = earlySecret(hash, givenPsk);
        expect(hex(ours)).to.equal(hex(early));
        const oursHandshake = handshakeSecret(ours, givenDhe);
        expect(hex(oursHandshake)).to.equal(hex(handshake));
        const oursMaster = masterSecret(oursHandshake);
        expect(hex(oursMaster)).to.equal(hex(master));
        expect(hex(ours)).to.equal(hex(early)); // nothing has been consumed
        const handshakeTraffic = handshakeTrafficSecrets(oursHandshake, transcriptHash);
        expect(hex(handshakeTraffic.client)).to.equal(hex(derive(handshake, 'c hs traffic', transcriptHash)));
        expect(hex(handshakeTraffic.server)).to.equal(hex(derive(handshake, 's hs traffic', transcriptHash)));
        const applicationTraffic = applicationTrafficSecrets(oursMaster, transcriptHash);
        expect(hex(applicationTraffic.client)).to.equal(hex(derive(master, 'c ap traffic', transcriptHash)));
        expect(hex(applicationTraffic.server)).to.equal(hex(derive(master, 's ap traffic', transcriptHash)));
        expect(hex(exporterMasterSecret(oursMaster, transcriptHash))).to.equal(
          hex(derive(master, 'exp master', transcriptHash)),
        );
        expect(hex(resumptionMasterSecret(oursMaster, transcriptHash))).to.equal(
          hex(derive(master, 'res master', transcriptHash)),
        );
      }
    });

    it('has keys, the next traffic secret, and the Finished (§7.2, §7.3, §4.5.3)', () => {
      const { client } = handshakeTrafficSecrets(handshakeSecret(earlySecret(hash, psk), dhe), transcriptHash);
      for (const aead of Object.values(noble.aeads)) {
        const keys = trafficKeys(aead, client);
        expect(hex(keys.key)).to.equal(hex(expand(client.bytes, 'key', EMPTY, aead.keyLength)));
        expect(hex(keys.iv)).to.equal(hex(expand(client.bytes, 'iv', EMPTY, 12)));
      }
      expect(hex(nextTrafficSecret(client))).to.equal(hex(expand(client.bytes, 'traffic upd', EMPTY, hash.length)));
      const finishedKey = expand(client.bytes, 'finished', EMPTY, hash.length);
      const mac = createHmac(name, finishedKey).update(transcriptHash).digest();
      expect(hex(finishedMac(client, transcriptHash))).to.equal(hex(mac));
    });

    it('has binder key and the PSK of a ticket (§4.3.11.2, §4.7.1)', () => {
      const early: EarlySecret = earlySecret(hash, psk);
      expect(hex(pskBinderKey(early, 'resumption'))).to.equal(hex(derive(early.bytes, 'res binder', emptyHash)));
      expect(hex(pskBinderKey(early, 'external'))).to.equal(hex(derive(early.bytes, 'ext binder', emptyHash)));
      expect(hex(pskBinderKey(early, 'imported'))).to.equal(hex(derive(early.bytes, 'imp binder', emptyHash))); // RFC 9258 §5.2
      const master = masterSecret(handshakeSecret(early, dhe));
      const resumption = resumptionMasterSecret(master, transcriptHash);
      for (const nonce of [EMPTY, Uint8Array.of(0), new Uint8Array(255)]) {
        expect(hex(resumptionPsk(resumption, nonce))).to.equal(
          hex(expand(resumption.bytes, 'resumption', nonce, hash.length)),
        );
      }
    });

    it('has the exporter, for which no context is an empty one (§7.5)', () => {
      const master = masterSecret(handshakeSecret(earlySecret(hash, psk), dhe));
      const exporter = exporterMasterSecret(master, transcriptHash);
      for (const context of [EMPTY, Uint8Array.of(1, 2), new Uint8Array(1000)]) {
        const labelled = derive(exporter.bytes, 'EXPORTER-x', emptyHash);
        const expected = expand(labelled, 'exporter', digest(context), 77);
        expect(hex(exportKeyingMaterial(exporter, 'EXPORTER-x', context, 77))).to.equal(hex(expected));
      }
    });

    it('agrees with the HKDF of node:crypto', () => {
      const label = Buffer.from('\0\x40\x0dtls13 derived\0', 'latin1');
      const expected = hkdfSync(name, dhe, psk, label, 64);
      expect(hex(expandLabel(secretOf(extract(psk, dhe)), 'derived', EMPTY, 64))).to.equal(hex(expected));
    });
  });
}

describe('what CertificateVerify signs (§4.5.2)', () => {
  it('is 64 spaces, the context, a zero and the transcript hash', () => {
    const transcriptHash = new Uint8Array(32).fill(1);
    for (const side of ['server', 'client'] as const) {
      const text = Buffer.from(`${' '.repeat(64)}TLS 1.3, ${side} CertificateVerify\0`);
      expect(toHex(certificateVerifyContent(side, transcriptHash))).to.equal(toHex(concat(text, transcriptHash)));
    }
  });
});
