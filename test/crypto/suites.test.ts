import { expect } from 'chai';
import { SUITES } from '../../src/crypto/suites.ts';

describe('each cipher suite', () => {
  it('has forward secrecy, an AEAD and a key of 128 bits or more, and none is anonymous (RFC 9846 E.5, RFC 5246 A.5)', () => {
    expect(SUITES).to.have.lengthOf(9);
    for (const { name, version, aead, hash, authentication } of SUITES) {
      expect(aead, name).to.match(/^(aes-(128|256)-gcm|chacha20-poly1305)$/);
      expect(hash, name).to.match(/^sha(256|384)$/);
      if (version === 'TLSv1.3') continue; // where a suite says nothing else
      expect(name).to.match(/^TLS_ECDHE_(ECDSA|RSA)_WITH_/);
      expect(authentication, name).to.match(/^(ecdsa|rsa)$/);
    }
  });
});
