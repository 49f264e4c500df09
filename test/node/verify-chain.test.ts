import { generateKeyPairSync, sign } from 'node:crypto';
import { expect } from 'chai';
import { type VerifyChainOptions, verifyChain } from '../../src/node/index.ts';
import { TlsAlert } from '../../src/wire/alert.ts';
import { integer, oid, sequence } from '../../src/wire/der.ts';
import { parsePem } from '../../src/wire/pem.ts';
import { certificates, fixture, rootCertificate } from '../fixtures.ts';
import {
  authority,
  basicConstraints,
  CLIENT_AUTH,
  ecdsa,
  ecKeys,
  extension,
  extKeyUsage,
  type Issued,
  issue,
  keyUsage,
  leaf,
  NOON,
  SERVER_AUTH,
  type Signer,
  subjectAltName,
} from '../support/authority.ts';

const now = () => NOON;
let root: Issued;
let middle: Issued;

before(() => {
  root = authority('root');
  middle = authority('middle', { by: root });
});

/** `true`, or the alert and what it says. */
function judge(chain: readonly Issued[], options: VerifyChainOptions = {}, name: string | undefined = 'a.example') {
  const verify = verifyChain({ ca: root.pem, now, ...options });
  try {
    return verify(
      chain.map(({ der }) => der),
      name,
    );
  } catch (error) {
    if (!TlsAlert.isAlert(error)) throw error;
    return error.message;
  }
}

const ALTERNATIVE = subjectAltName('a.example');

describe('verifyChain: a path', () => {
  it('leads over what was sent, in any order and beside what is not needed, to an authority', () => {
    const server = leaf(middle);
    const other = authority('other');
    expect(judge([server, middle])).to.equal(true);
    expect(judge([server, other, root, middle])).to.equal(true);
    expect(judge([leaf(root)])).to.equal(true);
  });

  it('ends at each certificate of ca, whether it has signed itself or not', () => {
    const server = leaf(middle);
    expect(judge([server], { ca: middle.pem })).to.equal(true);
    expect(judge([server], { ca: server.pem })).to.equal(true);
    expect(judge([server], { ca: [root.pem, middle.der] })).to.equal(true);
    expect(judge([server], { ca: `${root.pem}${middle.pem}` })).to.equal(true);
    expect(judge([server], { ca: Buffer.from(middle.pem) })).to.equal(true);
  });

  it('that leads nowhere is unknown_ca, and says what to do', () => {
    expect(judge([leaf(middle)]))
      .to.match(/^unknown_ca: no path from CN=leaf, which CN=middle has issued/)
      .and.contain('have the peer send what is between');
    expect(judge([leaf(authority('stranger'))])).to.match(/^unknown_ca/);
    const stranger = authority('stranger');
    expect(judge([leaf(stranger), stranger])).to.match(/^unknown_ca: no path from CN=leaf/);
    expect(judge([issue({ name: 'self', extensions: [ALTERNATIVE] })])).to.match(
      /^unknown_ca: CN=self is self-signed.*add it to ca or to pins/,
    );
  });

  it('through an authority of the same name with another key is refused', () => {
    const impostor = authority('root');
    expect(judge([leaf(impostor)])).to.match(/^bad_certificate: CN=leaf was not signed with the key of CN=root/);
    expect(judge([leaf(root)], { ca: [impostor.pem, root.pem] })).to.equal(true);
  });

  it('is found with another authority of the same name that has expired', () => {
    const old = authority('root', { keys: root.keys, notAfter: NOON - 1000 });
    expect(judge([leaf(root)], { ca: [old.pem, root.pem] })).to.equal(true);
    expect(judge([leaf(root)], { ca: [old.pem] })).to.match(/^certificate_expired: CN=root/);
  });

  it('is looked for with bounded work, and at most 16 certificates long', () => {
    const keys = ecKeys();
    const loop = Array.from({ length: 15 }, () => authority('loop', { by: { name: 'loop', keys }, keys }));
    expect(judge([leaf(loop[0] as Issued), ...loop])).to.match(
      /^bad_certificate: too many certificates of the same name/,
    );
    expect(judge([leaf(root), ...new Array<Issued>(16).fill(middle)])).to.match(/^bad_certificate: a chain of 17/);
    expect(judge([])).to.match(/^bad_certificate/);
  });
});

describe('verifyChain: each certificate of a path', () => {
  it('is within its dates, the last second included', () => {
    const server = leaf(root, { notBefore: NOON, notAfter: NOON + 5000 });
    expect(judge([server], { now: () => NOON - 1 })).to.match(
      /^certificate_expired: CN=leaf is valid from 2026-01-01T12/,
    );
    expect(judge([server])).to.equal(true);
    expect(judge([server], { now: () => NOON + 5999 })).to.equal(true);
    expect(judge([server], { now: () => NOON + 6000 })).to.match(/^certificate_expired.*have it renewed/);
    const expired = authority('middle', { by: root, keys: middle.keys, notAfter: NOON - 1000 });
    expect(judge([leaf(middle), expired])).to.match(/^certificate_expired: CN=middle/);
  });

  it('that issues is an authority by basicConstraints, and by keyUsage', () => {
    const is = (...extensions: readonly Uint8Array[]) => {
      const issuer = issue({ name: 'middle', by: root, extensions });
      return judge([leaf(issuer), issuer]);
    };
    expect(is()).to.match(/^bad_certificate: CN=middle is no authority/);
    expect(is(basicConstraints(false))).to.match(/^bad_certificate: CN=middle is no authority/);
    expect(is(basicConstraints(true), keyUsage(0x80))).to.match(/^bad_certificate: CN=middle may not issue/);
    expect(is(basicConstraints(true))).to.equal(true);
    expect(is(basicConstraints(true), keyUsage(0x84))).to.equal(true);
  });

  it('is X.509v3, if the peer shows it, whatever else it says', () => {
    const old = { name: 'old', by: root, version: 1 } as const;
    const isOld = /^unsupported_certificate: CN=old is X\.509v1; have it issued as X\.509v3/;
    expect(judge([issue(old)], { purpose: 'client', ca: root.pem })).to.match(isOld);
    expect(judge([issue({ ...old, extensions: [ALTERNATIVE] })])).to.match(isOld);
    const second = issue({ ...old, version: 2, extensions: [ALTERNATIVE] });
    expect(judge([second])).to.match(/^unsupported_certificate: CN=old is X\.509v2/);
    for (const extensions of [[], [basicConstraints(true), keyUsage(0x06)]]) {
      const issuer = issue({ ...old, extensions });
      expect(judge([leaf(issuer), issuer])).to.match(isOld);
    }
  });

  it('that ca has may be X.509v1, as old roots are', () => {
    const old = issue({ name: 'old root', version: 1 });
    expect(judge([leaf(old)], { ca: old.pem })).to.equal(true);
    const middle = authority('middle', { by: old });
    expect(judge([leaf(middle), middle, old], { ca: old.pem })).to.equal(true);
  });

  it('that ca has is an authority without basicConstraints, and none with cA FALSE', () => {
    const [plain, none] = [issue({ name: 'plain' }), issue({ name: 'none', extensions: [basicConstraints(false)] })];
    expect(judge([leaf(plain)], { ca: plain.pem })).to.equal(true);
    expect(judge([leaf(none)], { ca: none.pem })).to.match(/^bad_certificate: CN=none is no authority/);
  });

  it('has no more authorities under it than its pathLenConstraint, but for self-issued ones', () => {
    const top = authority('top', { by: root, extensions: [basicConstraints(true, 0)] });
    const under = authority('under', { by: top });
    expect(judge([leaf(top), top])).to.equal(true);
    expect(judge([leaf(under), under, top])).to.match(/^bad_certificate: CN=top may not have 1 authorities under it/);
    const again = authority('top', { by: top });
    expect(judge([leaf(again), again, top])).to.equal(true);
  });

  it('may be for the purpose, where it says what it is for', () => {
    const is = (purpose: 'server' | 'client', ...ids: readonly string[]) =>
      judge([leaf(root, { extensions: [ALTERNATIVE, extKeyUsage(...ids)] })], { purpose });
    expect(is('server', SERVER_AUTH)).to.equal(true);
    expect(is('server', CLIENT_AUTH)).to.match(/^unsupported_certificate: CN=leaf is not for TLS servers/);
    expect(is('client', SERVER_AUTH)).to.match(/^unsupported_certificate: CN=leaf is not for TLS clients/);
    expect(is('client', CLIENT_AUTH, SERVER_AUTH)).to.equal(true);
    expect(is('client', '2.5.29.37.0')).to.equal(true);
    const narrow = authority('narrow', { by: root, extensions: [basicConstraints(true), extKeyUsage(CLIENT_AUTH)] });
    expect(judge([leaf(narrow), narrow])).to.match(/^unsupported_certificate: CN=narrow is not for TLS servers/);
  });

  it('has digitalSignature if it is the own one of the peer and has a keyUsage', () => {
    const is = (bits: number) => judge([leaf(root, { extensions: [ALTERNATIVE, keyUsage(bits)] })]);
    expect(is(0x80)).to.equal(true);
    expect(is(0x20)).to.match(/^unsupported_certificate: the key of CN=leaf may not sign/);
  });

  it('is refused with a critical extension that is not handled, and with name constraints', () => {
    const is = (id: string, isCritical: boolean) => {
      const issuer = authority('middle', {
        by: root,
        extensions: [basicConstraints(true), extension(id, isCritical, sequence())],
      });
      return judge([leaf(issuer), issuer]);
    };
    expect(is('2.5.29.30', true)).to.match(/^unsupported_certificate: CN=middle has nameConstraints/);
    expect(is('2.5.29.30', false)).to.match(/^unsupported_certificate: CN=middle has nameConstraints/);
    expect(is('2.5.29.32', true)).to.match(/^unsupported_certificate: CN=middle has certificatePolicies/);
    expect(is('2.5.29.36', true)).to.match(/^unsupported_certificate: CN=middle has policyConstraints/);
    expect(is('1.2.3.4', true)).to.match(/^unsupported_certificate: CN=middle has an extension/);
    for (const id of ['2.5.29.32', '1.2.3.4']) expect(is(id, false)).to.equal(true);
  });

  it('is refused if an extension comes twice, or is no DER', () => {
    const twice = leaf(root, { extensions: [ALTERNATIVE, ALTERNATIVE] });
    expect(judge([twice])).to.match(/^bad_certificate: .*a second one/);
    const damaged = leaf(root, { extensions: [extension('2.5.29.19', true, Uint8Array.of(1, 2, 3))] });
    expect(judge([damaged])).to.match(/^bad_certificate/);
    const pem = { ...root, der: Buffer.from(leaf(root).pem) };
    expect(judge([pem])).to.match(/^bad_certificate/);
  });

  it('is not signed by MD5 or SHA-1, unless it is an anchor', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const by = (algorithm: string, hash: string) => ({
      algorithm: sequence(oid(algorithm)),
      sign: (tbs: Uint8Array, key: Parameters<typeof sign>[2]) => sign(hash, tbs, key),
    });
    const weak = authority('weak', { keys: rsa, signer: by('1.2.840.113549.1.1.5', 'sha1') });
    const is = (signer: ReturnType<typeof by>) => judge([leaf(weak, { signer })], { ca: weak.pem });
    expect(is(by('1.2.840.113549.1.1.11', 'sha256'))).to.equal(true);
    expect(is(by('1.2.840.113549.1.1.5', 'sha1'))).to.match(/^bad_certificate: CN=leaf is signed by MD5 or SHA-1/);
    expect(is(by('1.2.840.113549.1.1.4', 'md5'))).to.match(/^bad_certificate: CN=leaf is signed by MD5 or SHA-1/);
    expect(is(by('1.2.3.4', 'sha256'))).to.match(/^unsupported_certificate: CN=leaf is signed by 1.2.3.4/);
    const pss = { ...by('1.2.3', 'sha256'), algorithm: sequence(oid('1.2.840.113549.1.1.10'), sequence()) };
    expect(is(pss)).to.match(/^bad_certificate: CN=leaf is signed by MD5 or SHA-1/);
    const sha1 = ecdsa('1.2.840.10045.4.1', 'sha1');
    expect(judge([leaf(root, { signer: sha1 })])).to.match(/^bad_certificate: CN=leaf is signed by MD5 or SHA-1/);
  });

  it('is not issued with a short key of RSA', () => {
    const keys = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const algorithm = sequence(oid('1.2.840.113549.1.1.11'));
    const signer: Signer = { algorithm, sign: (tbs, key) => sign('sha256', tbs, key) };
    const short = authority('short', { keys, signer });
    const said = judge([leaf(short, { signer })], { ca: short.pem });
    expect(said).to.match(/^bad_certificate: the key of CN=short has 1024 bits/);
  });

  it('is refused if a byte of it has changed', () => {
    const server = leaf(root);
    for (const at of [server.der.length - 1, server.der.length >> 1]) {
      const der = Uint8Array.from(server.der);
      der[at] = (der[at] ?? 0) ^ 1;
      expect(judge([{ ...server, der }])).to.be.a('string');
    }
  });
});

describe('verifyChain: the name', () => {
  const is = (asked: string, ...names: readonly (string | Uint8Array)[]) =>
    judge([leaf(root, { extensions: [subjectAltName(...names)] })], {}, asked) === true;

  it('is a dNSName in any case, with or without the dot at its end', () => {
    expect(is('a.example', 'b.example', 'A.example')).to.equal(true);
    expect(is('A.EXAMPLE.', 'a.example')).to.equal(true);
    expect(is('bücher.example', 'xn--bcher-kva.example')).to.equal(true);
    expect(is('b.example', 'a.example')).to.equal(false);
    expect(is('xa.example', 'a.example')).to.equal(false);
  });

  it('has any first label for a star alone, if two labels follow', () => {
    expect(is('b.a.example', '*.a.example')).to.equal(true);
    expect(is('a.example', '*.a.example')).to.equal(false);
    expect(is('c.b.a.example', '*.a.example')).to.equal(false);
    expect(is('ba.example', 'b*.example')).to.equal(false);
    expect(is('b.a.example', 'b.*.example')).to.equal(false);
    expect(is('a.example', '*.example')).to.equal(false);
    expect(is('*.a.example', 'b.a.example')).to.equal(false);
  });

  it('is an address where the certificate has it as one', () => {
    const [v4, v6] = [Uint8Array.of(127, 0, 0, 1), Uint8Array.of(...new Uint8Array(15), 1)];
    expect(is('127.0.0.1', v4)).to.equal(true);
    expect(is('::1', v6)).to.equal(true);
    expect(is('[::1]', v6)).to.equal(true);
    expect(is('::ffff:127.0.0.1', v4)).to.equal(true);
    expect(is('127.0.0.1', '127.0.0.1')).to.equal(false);
    expect(is('127.0.0.2', v4, v6)).to.equal(false);
  });

  it('is never a common name; the refusal says which names there are', () => {
    const named = issue({ name: 'a.example', by: root, extensions: [basicConstraints(false)] });
    expect(judge([named])).to.match(/^bad_certificate: the certificate is not for a.example: it has no subjectAltName/);
    const server = leaf(root, { extensions: [subjectAltName('b.example', Uint8Array.of(10, 0, 0, 1))] });
    expect(judge([server])).to.match(/not for a.example: it is for b.example, 10.0.0.1/);
  });

  it('is that of the options where they have one, and is wanted for servers alone', () => {
    expect(judge([leaf(root)], { name: 'b.example' })).to.match(/not for b.example/);
    expect(judge([leaf(root)], { name: 'a.example' }, 'b.example')).to.equal(true);
    const verify = verifyChain({ ca: root.pem, now });
    expect(() => verify([leaf(root).der], undefined)).to.throw(TlsAlert, 'give the connection its serverName');
    expect(() => verify([leaf(root).der], { localAddress: '' })).to.throw(TypeError, "purpose: 'client'");
    const client = verifyChain({ ca: root.pem, now, purpose: 'client' });
    expect(client([leaf(root).der], { localAddress: '' })).to.equal(true);
  });
});

describe('verifyChain: what it is given', () => {
  it('names the option that is wrong', () => {
    const bad = (options: object) => () => verifyChain(options);
    expect(bad({ caa: root.pem })).to.throw(TypeError, 'is ca meant?');
    expect(bad({ ca: 5 })).to.throw(TypeError, /^ca: /);
    expect(bad({ ca: [] })).to.throw(TypeError, /^ca: has no certificate/);
    expect(bad({ ca: 'ca.pem' })).to.throw(TypeError, /^ca: .*not its name/);
    expect(bad({ ca: root.key })).to.throw(TypeError, 'ca: no CERTIFICATE in it');
    expect(bad({ ca: sequence(integer(1)) })).to.throw(TypeError, /^ca: /);
    expect(bad({ purpose: 'both' })).to.throw(TypeError, /^purpose: /);
    expect(bad({ purpose: 'client' })).to.throw(TypeError, /^ca: is missing/);
    expect(bad({ now: 5 })).to.throw(TypeError, /^now: /);
  });

  it('is by default those that Node trusts', () => {
    const verify = verifyChain({ now });
    expect(() => verify([leaf(root).der], 'a.example')).to.throw(TlsAlert, /^unknown_ca/);
  });

  it('may be what OpenSSL has issued', () => {
    const chain = parsePem(certificates.chain.cert).map(({ bytes }) => bytes);
    expect(verifyChain({ ca: rootCertificate })(chain, 'localhost')).to.equal(true);
    const client = parsePem(fixture('certificates/client-rsa-2048.cert.pem')).map(({ bytes }) => bytes);
    const ca = fixture('certificates/client-ca.cert.pem');
    expect(verifyChain({ ca, purpose: 'client' })(client)).to.equal(true);
    expect(() => verifyChain({ ca })(client, 'localhost')).to.throw(TlsAlert, /^unsupported_certificate/);
    const own = parsePem(certificates.rsa2048.cert).map(({ bytes }) => bytes);
    expect(verifyChain({ ca: certificates.rsa2048.cert })(own, '::1')).to.equal(true);
  });
});
