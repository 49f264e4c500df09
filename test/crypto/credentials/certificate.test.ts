import { X509Certificate } from 'node:crypto';
import { connect, createServer } from 'node:tls';
import { expect } from 'chai';
import fc from 'fast-check';
import { parseCertificate } from '../../../src/crypto/credentials/certificate.ts';
import { credentialFromPem } from '../../../src/crypto/credentials/credential.ts';
import { selfSignedCertificate } from '../../../src/crypto/credentials/self-signed.ts';
import { EMPTY, toHex } from '../../../src/wire/bytes.ts';
import * as der from '../../../src/wire/der.ts';
import { DerError, explicitTag, Tag } from '../../../src/wire/der.ts';
import { parsePem } from '../../../src/wire/pem.ts';
import { systemWorld } from '../../../src/world.ts';
import { certificates, rootCertificate } from '../../fixtures.ts';

function derOf(pem: string): Uint8Array {
  return parsePem(pem)[0]?.bytes ?? new Uint8Array(0);
}

const world = {
  now: () => Date.UTC(2030, 0, 2, 3, 4, 5),
  randomBytes: (length: number) => Uint8Array.from({ length }, (_, i) => i),
};

/** The fixture with another subject and without its extensions (v1 has none). */
function withSubject(subject: Uint8Array): Uint8Array {
  const tbs = new der.DerReader(derOf(certificates.ecdsaP256.cert)).enter(Tag.sequence).enter(Tag.sequence);
  tbs.enter(explicitTag(0));
  const [serial, signature, issuer, validity] = [tbs.raw(), tbs.raw(), tbs.raw(), tbs.raw()];
  tbs.raw();
  return der.sequence(der.sequence(serial, signature, issuer, validity, subject, tbs.raw()), signature);
}

function rdn(type: string, value: Uint8Array): Uint8Array {
  return der.set(der.sequence(der.oid(type), value));
}

describe('parseCertificate', () => {
  for (const [name, { cert }] of Object.entries(certificates)) {
    it(`reads ${name} as node:crypto does`, () => {
      const certificate = parseCertificate(derOf(cert));
      const other = new X509Certificate(cert);
      expect(certificate.notBefore).to.equal(Date.parse(other.validFrom));
      expect(certificate.notAfter).to.equal(Date.parse(other.validTo));
      const spki = other.publicKey.export({ format: 'der', type: 'spki' });
      expect(spki.subarray(-certificate.publicKey.bytes.length)).to.deep.equal(
        Buffer.from(certificate.publicKey.bytes),
      );
      const names = (other.subjectAltName ?? '').split(', ').filter((entry) => entry.startsWith('DNS:'));
      expect(certificate.names.map((entry) => `DNS:${entry}`)).to.deep.equal(names);
    });
  }

  it('tells the algorithms apart', () => {
    const key = ({ cert }: { cert: string }) => parseCertificate(derOf(cert)).publicKey;
    expect(key(certificates.ecdsaP256)).to.include({ algorithm: '1.2.840.10045.2.1', curve: '1.2.840.10045.3.1.7' });
    expect(key(certificates.ecdsaP384)).to.include({ algorithm: '1.2.840.10045.2.1', curve: '1.3.132.0.34' });
    expect(key(certificates.rsa2048)).to.include({ algorithm: '1.2.840.113549.1.1.1', curve: undefined });
    expect(key(certificates.ed25519)).to.include({ algorithm: '1.3.101.112', curve: undefined });
  });

  it('falls back to the common name, in lower case', () => {
    expect(parseCertificate(derOf(rootCertificate)).names).to.deep.equal(['tls-resume test root']);
    const subject = der.sequence(rdn('2.5.4.6', der.utf8String('AT')), rdn('2.5.4.3', der.utf8String('Old.Example')));
    expect(parseCertificate(withSubject(subject)).names).to.deep.equal(['old.example']);
    expect(parseCertificate(withSubject(der.sequence())).names).to.deep.equal([]);
  });

  it('throws nothing but DerError, whatever is changed', () => {
    const whole = derOf(certificates.ecdsaP256.cert);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (where, byte, length) => {
        const mutated = whole.slice(0, Math.max(length, where + 1));
        mutated[where] = byte;
        try {
          parseCertificate(mutated);
        } catch (error) {
          expect(error).to.be.instanceOf(DerError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('selfSignedCertificate', () => {
  it('is what node:crypto takes for one', () => {
    const { cert, key } = selfSignedCertificate({ ...world, names: ['a.test', '*.a.test', '10.0.0.1', 'fe80::1:2'] });
    const x509 = new X509Certificate(cert);
    expect(x509.verify(x509.publicKey)).to.equal(true);
    expect(x509.subject).to.equal('CN=a.test');
    expect(x509.issuer).to.equal('CN=a.test');
    expect(x509.ca).to.equal(false);
    expect(x509.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.1']); // node's name for the extended one
    expect(x509.subjectAltName).to.equal(
      'DNS:a.test, DNS:*.a.test, IP Address:10.0.0.1, IP Address:FE80:0:0:0:0:0:1:2',
    );
    expect(Date.parse(x509.validFrom)).to.equal(Date.UTC(2030, 0, 2, 2, 4, 5));
    expect(Date.parse(x509.validTo)).to.equal(Date.UTC(2030, 1, 1, 3, 4, 5));
    expect(x509.serialNumber).to.equal('40 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F'.replaceAll(' ', ''));
    expect(credentialFromPem({ cert, key }).names).to.deep.equal(['a.test', '*.a.test']);
  });

  it('may sign, and no more: of the named bits the first alone, and zeros for the rest (X.690 §11.2.2)', () => {
    const { cert } = selfSignedCertificate(world);
    expect(toHex(parseCertificate(derOf(cert)).keyUsage ?? EMPTY)).to.equal('03020780');
  });

  it('depends on the world alone', () => {
    expect(selfSignedCertificate(world)).to.deep.equal(selfSignedCertificate(world));
    expect(selfSignedCertificate(systemWorld)).not.to.deep.equal(selfSignedCertificate(systemWorld));
  });

  it('takes a given key', () => {
    const secretKey = new Uint8Array(32).fill(7);
    const [one, two] = [5, 6].map((days) => selfSignedCertificate({ ...systemWorld, secretKey, days }));
    expect(one?.key).to.equal(two?.key);
    expect(one?.cert).not.to.equal(two?.cert);
  });

  for (const host of ['localhost', '127.0.0.1', '::1']) {
    it(`serves https://${host} to a client that trusts it`, async () => {
      const { cert, key } = selfSignedCertificate(systemWorld);
      const server = createServer({ cert, key }, (socket) => socket.end());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const servername = host === 'localhost' ? { servername: host } : {};
      const options = { port, host: '127.0.0.1', ca: cert, ...servername };
      try {
        const client = connect(options);
        await new Promise((resolve, reject) => client.once('secureConnect', resolve).once('error', reject));
        expect(client.authorized).to.equal(true);
        client.destroy();
        expect(new X509Certificate(cert)[host === 'localhost' ? 'checkHost' : 'checkIP'](host)).to.be.a('string');
      } finally {
        server.close();
      }
    });
  }
});
