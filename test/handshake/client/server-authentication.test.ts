/** The server's certificate, the proof of its key, Finished, and who judges: RFC 9846 §4.4.2, §4.5, §4.6; what a client refuses. */

import { generateKeyPairSync, sign } from 'node:crypto';
import { expect } from 'chai';
import { Oid } from '../../../src/crypto/credentials/certificate.ts';
import type { Credential } from '../../../src/crypto/credentials/credential.ts';
import type { VerifyServer } from '../../../src/engine/client/options.ts';
import { type Certificate, certificate } from '../../../src/handshake/messages/certificate.ts';
import { type CertificateRequest, certificateRequest } from '../../../src/handshake/messages/certificate-request.ts';
import { type CertificateVerify, certificateVerify } from '../../../src/handshake/messages/certificate-verify.ts';
import { encryptedExtensions } from '../../../src/handshake/messages/encrypted-extensions.ts';
import { finished } from '../../../src/handshake/messages/finished.ts';
import { frame } from '../../../src/handshake/messages/message.ts';
import { TlsAlert } from '../../../src/wire/alert.ts';
import { concat, EMPTY } from '../../../src/wire/bytes.ts';
import { bitString, octetString, oid, sequence } from '../../../src/wire/der.ts';
import { ExtensionType, HandshakeType, SignatureScheme } from '../../../src/wire/registry.ts';
import { certificateFor } from '../../support/client-certificates.ts';
import {
  expectAlert,
  expectEstablished,
  Meeting,
  play,
  type Rule,
  rawExtension,
  rawMessage,
  rewriting,
  sending,
  table,
  withByte,
  withExtensions,
} from '../../support/client-exchange.ts';
import { credential } from '../../support/servers.ts';

const shown = (change: (body: Certificate) => Partial<Certificate>) =>
  rewriting(certificate, (body) => ({ ...body, ...change(body) }));
const proof = (change: (body: CertificateVerify) => Partial<CertificateVerify>) =>
  rewriting(certificateVerify, (body) => ({ ...body, ...change(body) }));
const request = (change: (body: CertificateRequest) => Partial<CertificateRequest>) =>
  rewriting(certificateRequest, (body) => ({ ...body, ...change(body) }));
const ASKING = {
  server: { clientAuth: { mode: 'request', verifyClient: () => true }, sessions: { idContext: Uint8Array.of(1) } },
} as const;

/** The server's certificate with this extension in its first entry. */
const entry = (type: number, ...data: number[]) =>
  sending(certificate, (raw) => {
    const body = raw.subarray(8, -2); // without the frame, the context, the length of the list, and the extensions of its one entry
    const extension = rawExtension(type, ...data);
    const list = concat(body, Uint8Array.of(0, extension.length), extension);
    return rawMessage('certificate', Uint8Array.of(0, 0, list.length >> 8, list.length), list);
  });

const KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const SPKI = new Uint8Array(KEYS.publicKey.export({ type: 'spki', format: 'der' }));

/** A server whose certificate has these extensions. */
function certified(...extensions: Uint8Array[]): Credential {
  return {
    certificateChain: [certificateFor(SPKI, 'localhost', { extensions })],
    schemes: ['ecdsa_secp256r1_sha256'],
    names: ['localhost'],
    sign: (_, content) => new Uint8Array(sign('sha256', content, { key: KEYS.privateKey, dsaEncoding: 'der' })),
  };
}
const keyUsage = (byte: number, unused: number) =>
  sequence(oid(Oid.keyUsage), octetString(bitString(Uint8Array.of(byte), unused)));

/** A server whose certificate has a key of this kind. */
function strange(publicKey: ReturnType<typeof generateKeyPairSync>['publicKey']): Credential {
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }) as Buffer);
  return { ...certified(), certificateChain: [certificateFor(spki)] };
}

const rules: Rule[] = [
  {
    rule: '§4.5.1.3: Certificate is not empty',
    alter: [shown(() => ({ certificateList: [] }))],
    alert: 'decode_error',
  },
  {
    rule: '§4.5.1: its context is empty',
    alter: [shown(() => ({ certificateRequestContext: Uint8Array.of(1) }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.5.1: no certificate is empty',
    alter: [sending(certificate, () => rawMessage('certificate', Uint8Array.of(0, 0, 0, 5, 0, 0, 0, 0, 0)))],
    alert: 'decode_error',
  },
  {
    rule: '§4.5.1: the first is a certificate',
    alter: [shown(() => ({ certificateList: [{ certData: Uint8Array.of(0x30, 0), extensions: {} }] }))],
    alert: 'bad_certificate',
  },
  {
    rule: 'a chain has at most 16 certificates',
    alter: [
      shown(({ certificateList: list }) => ({
        certificateList: Array.from({ length: 17 }, () => list[0] ?? expect.fail()),
      })),
    ],
    alert: 'illegal_parameter',
  },
  { rule: '§4.3: an extension of an entry that was not offered', alter: [entry(5, 1)], alert: 'unsupported_extension' },
  {
    rule: '§4.3: an extension of an entry that was offered, and has no place there',
    alter: [entry(ExtensionType.supported_groups, 0, 2, 0, 29)],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.5.1.2: KeyUsage has digitalSignature',
    server: { credentials: [certified(keyUsage(0x20, 5))] },
    alert: 'unsupported_certificate',
  },
  {
    rule: '§4.5.1.2: KeyUsage has digitalSignature, and not those of a CA',
    server: { credentials: [certified(keyUsage(0x06, 1))] },
    alert: 'unsupported_certificate',
  },
  {
    rule: '§4.5.1.2: the key is one for a scheme that was offered',
    server: { credentials: [strange(generateKeyPairSync('ec', { namedCurve: 'secp521r1' }).publicKey)] },
    alert: 'unsupported_certificate',
  },
  {
    rule: '§4.5.1.2: the key is not on secp256k1',
    server: { credentials: [strange(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)] },
    alert: 'unsupported_certificate',
  },
  {
    rule: '§4.5.2: the signature verifies',
    alter: [proof(({ signature }) => ({ signature: withByte(signature, 12, (signature[12] as number) ^ 1) }))],
    alert: 'decrypt_error',
  },
  { rule: '§4.5.2: the signature is not empty', alter: [proof(() => ({ signature: EMPTY }))], alert: 'decrypt_error' },
  {
    rule: '§4.5.2: the signature covers the whole of the content',
    server: {
      credentials: [
        { ...certified(), sign: (_, content) => new Uint8Array(sign('sha256', content.subarray(1), KEYS.privateKey)) },
      ],
    },
    alert: 'decrypt_error',
  },
  {
    rule: '§4.5.2: the signature is that of a server, and not of a client',
    server: {
      credentials: [
        {
          ...certified(),
          sign: (_, content) => {
            const text = new TextDecoder('latin1').decode(content).replace('server', 'client');
            const other = Uint8Array.from(text, (char) => char.charCodeAt(0));
            return new Uint8Array(sign('sha256', other, KEYS.privateKey));
          },
        },
      ],
    },
    alert: 'decrypt_error',
  },
  {
    rule: '§4.5.2: the scheme is one that was offered',
    client: { signatureAlgorithms: ['ecdsa_secp256r1_sha256'] },
    alter: [proof(() => ({ algorithm: SignatureScheme.ed25519 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.5.2: the scheme is one that exists',
    alter: [proof(() => ({ algorithm: 0x0708 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.5.2: the scheme is for the key',
    alter: [proof(() => ({ algorithm: SignatureScheme.ed25519 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.3: the scheme is for the curve',
    alter: [proof(() => ({ algorithm: SignatureScheme.ecdsa_secp384r1_sha384 }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.3: RSASSA-PKCS1-v1_5 is for certificates alone',
    alter: [proof(() => ({ algorithm: SignatureScheme.rsa_pkcs1_sha256 }))],
    alert: 'illegal_parameter',
  },
  { rule: '§4.5.2: SHA-1 signs nothing', alter: [proof(() => ({ algorithm: 0x0203 }))], alert: 'illegal_parameter' },
  {
    rule: '§4.5.1: Certificate is not left out',
    alter: [sending(certificate, () => EMPTY)],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.5: a server that has not resumed does not go on to Finished',
    alter: [sending(certificate, () => EMPTY), sending(certificateVerify, () => EMPTY)],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.5.2: CertificateVerify is not left out',
    alter: [sending(certificateVerify, () => EMPTY)],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.5.1: Certificate comes once',
    alter: [sending(certificate, (raw) => concat(raw, raw))],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.5.2: CertificateVerify comes once',
    alter: [sending(certificateVerify, (raw) => concat(raw, raw))],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.4.1: EncryptedExtensions comes once',
    alter: [sending(encryptedExtensions, (raw) => concat(raw, raw))],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.5.3: Finished verifies',
    alter: [
      rewriting(finished, ({ verifyData: data }) => ({ verifyData: withByte(data, 0, (data[0] as number) ^ 1) })),
    ],
    alert: 'decrypt_error',
  },
  {
    rule: '§4.5.3: Finished is as long as the hash',
    alter: [rewriting(finished, ({ verifyData }) => ({ verifyData: verifyData.subarray(0, 31) }))],
    alert: 'decode_error',
  },
  {
    rule: '§4.5.3: Finished is not longer, either',
    alter: [rewriting(finished, ({ verifyData }) => ({ verifyData: concat(verifyData, Uint8Array.of(0)) }))],
    alert: 'decode_error',
  },
  {
    rule: '§5.1: nothing follows Finished in its record',
    alter: [sending(finished, (raw) => concat(raw, Uint8Array.of(4)))],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.6: a server sends no EndOfEarlyData',
    alter: [sending(finished, () => rawMessage('end_of_early_data'))],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.7.1: no NewSessionTicket before Finished',
    alter: [sending(finished, (raw) => concat(rawMessage('new_session_ticket', new Uint8Array(13)), raw))],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.7.3: no KeyUpdate before Finished',
    alter: [sending(finished, (raw) => concat(rawMessage('key_update', Uint8Array.of(0)), raw))],
    alert: 'unexpected_message',
  },
  {
    rule: '§4: no HelloRequest',
    alter: [sending(encryptedExtensions, (raw) => concat(raw, rawMessage('hello_request')))],
    alert: 'unexpected_message',
  },
  {
    rule: '§4: no message of a type that does not exist',
    alter: [sending(encryptedExtensions, (raw) => concat(raw, Uint8Array.of(99, 0, 0, 0)))],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.5.1: no Certificate after a PSK',
    resumes: true,
    alter: [
      sending(finished, (raw) =>
        concat(frame(certificate, { certificateRequestContext: EMPTY, certificateList: [] }), raw),
      ),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.4.2: no CertificateRequest after a PSK',
    resumes: true,
    alter: [
      sending(finished, (raw) =>
        concat(
          frame(certificateRequest, {
            certificateRequestContext: EMPTY,
            extensions: { signatureAlgorithms: [SignatureScheme.ed25519] },
          }),
          raw,
        ),
      ),
    ],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.5.3: Finished verifies after a PSK as well',
    resumes: true,
    alter: [
      rewriting(finished, ({ verifyData: data }) => ({ verifyData: withByte(data, 31, (data[31] as number) ^ 1) })),
    ],
    alert: 'decrypt_error',
  },
];
table('the authentication of a server', rules);

const requests: Rule[] = [
  {
    rule: '§4.4.2: signature_algorithms is there',
    alter: [request(() => ({ extensions: {} }))],
    alert: 'missing_extension',
  },
  {
    rule: '§4.3.3: signature_algorithms is not empty',
    alter: [
      sending(certificateRequest, () =>
        rawMessage(
          'certificate_request',
          Uint8Array.of(0, 0, 6),
          rawExtension(ExtensionType.signature_algorithms, 0, 0),
        ),
      ),
    ],
    alert: 'decode_error',
  },
  {
    rule: '§4.4.2: its context is empty in the handshake',
    alter: [request(() => ({ certificateRequestContext: Uint8Array.of(1) }))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3: an extension that is known, and has no place there',
    alter: [sending(certificateRequest, (raw) => withExtensions(raw, 1, rawExtension(ExtensionType.key_share, 0, 29)))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3: an extension that comes twice',
    alter: [sending(certificateRequest, (raw) => withExtensions(raw, 1, rawExtension(9), rawExtension(9)))],
    alert: 'illegal_parameter',
  },
  {
    rule: '§4.3.4: an authority without a name',
    alter: [
      sending(certificateRequest, (raw) =>
        withExtensions(raw, 1, rawExtension(ExtensionType.certificate_authorities, 0, 2, 0, 0)),
      ),
    ],
    alert: 'decode_error',
  },
  {
    rule: '§4.4.2: it comes once',
    alter: [sending(certificateRequest, (raw) => concat(raw, raw))],
    alert: 'unexpected_message',
  },
  {
    rule: '§4.4.2: it comes before Certificate',
    alter: [
      sending(certificateRequest, () => EMPTY),
      sending(certificate, (raw) =>
        concat(raw, frame(certificateRequest, { certificateRequestContext: EMPTY, extensions: {} })),
      ),
    ],
    alert: 'unexpected_message',
  },
];
table(
  'a CertificateRequest',
  requests.map((rule) => ({ ...ASKING, ...rule })),
);

describe('a client that is asked for a certificate', () => {
  /** The names of the messages after ServerHello that the client sends. */
  function answers(script: Parameters<typeof play>[0]): string[] {
    const meeting = new Meeting(script);
    const link = meeting.pair({ alter: script.alter });
    const sent: number[] = [];
    const { writer } = link.client.channel;
    const handshake = writer.handshake.bind(writer);
    writer.handshake = (raw) => {
      sent.push(raw[0] as number);
      handshake(raw);
    };
    link.runSync();
    expectEstablished(link);
    const names = new Map<number, string>(Object.entries(HandshakeType).map(([name, type]) => [type, name]));
    return sent.map((type) => names.get(type) ?? '');
  }

  it('§4.5.1: has none, and says so', () => {
    expect(answers(ASKING)).to.deep.equal(['client_hello', 'certificate', 'finished']);
  });

  it('§4.5.2: shows it, and proves that it has the key', () => {
    const client = { credential: credential('ed25519') };
    expect(answers({ ...ASKING, client })).to.deep.equal([
      'client_hello',
      'certificate',
      'certificate_verify',
      'finished',
    ]);
  });

  it('§4.5.2: has none for the schemes that are asked for', () => {
    const alter = [
      request(() => ({ extensions: { signatureAlgorithms: [SignatureScheme.ecdsa_secp384r1_sha384, 0x0708] } })),
    ];
    const client = { credential: credential('ed25519') };
    expect(answers({ ...ASKING, client, alter })).to.deep.equal(['client_hello', 'certificate', 'finished']);
  });

  it('§4.5.1: shows none if it is not asked', () => {
    expect(answers({ client: { credential: credential('ed25519') } })).to.deep.equal(['client_hello', 'finished']);
  });

  it('§4.4.2: ignores extensions of the request that it does not know', () => {
    const alter = [
      sending(certificateRequest, (raw) => withExtensions(raw, 1, rawExtension(0x3a3a, 1), rawExtension(48, 0, 0))),
    ];
    expect(answers({ ...ASKING, alter })).to.deep.equal(['client_hello', 'certificate', 'finished']);
  });
});

describe('a server with an RSA key', () => {
  const server = { credentials: [credential('rsa2048')] };

  it('§4.3.3: signs with RSASSA-PSS', async () => {
    expectEstablished(await new Meeting({ server }).pair().run());
  });

  it('§4.3.3: does not sign with RSASSA-PKCS1-v1_5 → illegal_parameter', async () => {
    const alter = [proof(() => ({ algorithm: SignatureScheme.rsa_pkcs1_sha256 }))];
    expectAlert(await new Meeting({ server }).pair({ alter }).run(), 'illegal_parameter');
  });
});

describe('who judges a server', () => {
  const judged = (verifyServer: VerifyServer, script: Parameters<typeof play>[0] = {}) =>
    new Meeting({ ...script, client: { verifyServer, ...script.client } });
  const verdicts: readonly [string, VerifyServer, string | undefined][] = [
    ['true', () => true, undefined],
    ['false', () => false, 'certificate_unknown'],
    ['1', (() => 1) as unknown as VerifyServer, 'certificate_unknown'],
    ['an object', (() => ({})) as unknown as VerifyServer, 'certificate_unknown'],
    ['a Proxy of true', (() => new Proxy(Object(true), {})) as unknown as VerifyServer, 'certificate_unknown'],
    ['nothing', (() => {}) as unknown as VerifyServer, 'certificate_unknown'],
    ['an error', () => expect.fail('no'), 'internal_error'],
    [
      'an alert',
      () => {
        throw new TlsAlert('certificate_expired', 'too old');
      },
      'certificate_expired',
    ],
    [
      'an alert that somebody else has received',
      () => {
        throw new TlsAlert('certificate_expired', 'too old', 'remote');
      },
      'internal_error',
    ],
  ];
  for (const [name, verify, alert] of verdicts)
    for (const version of ['TLSv1.3', 'TLSv1.2'] as const)
      for (const later of [false, true])
        it(`${name}${later ? ', later' : ''}, in ${version} → ${alert ?? 'accepted'}`, async () => {
          const verifyServer: VerifyServer = later ? async (chain, of) => verify(chain, of) : verify;
          const link = await judged(verifyServer, { version }).pair().run();
          if (alert === undefined) return expectEstablished(link);
          expectAlert(link, alert as 'internal_error');
          const errors = link.eventsOf('client', 'callback-error').map(({ callback }) => callback);
          expect(errors).to.deep.equal(alert === 'internal_error' ? ['verifyServer'] : []);
        });

  it('is asked once, with a copy of the chain and the name, and never on resumption', () => {
    const calls: [readonly Uint8Array[], string | undefined][] = [];
    const meeting = judged((chain, name) => {
      calls.push([chain, name]);
      chain[0]?.fill(0);
      return true;
    });
    const link = meeting.meet({ connect: { serverName: 'localhost' } });
    expectEstablished(link);
    const [leaf] = credential('ecdsaP256').certificateChain;
    expect(link.client.peerCertificate).to.deep.equal(leaf);
    const resumed = meeting.meet({ connect: { serverName: 'localhost', sessions: link.client.sessions } });
    expectEstablished(resumed);
    expect(resumed.client.resumption.resumed).to.equal(true);
    expect(resumed.client.peerCertificate).to.deep.equal(leaf);
    expect(calls.map(([chain, name]) => [chain.length, Object.isFrozen(chain), name])).to.deep.equal([
      [1, true, 'localhost'],
    ]);
  });

  it('is not asked about a server that has not proved its key', () => {
    const asked = () => expect.fail('asked');
    const alter = [proof(({ signature }) => ({ signature: withByte(signature, 12, (signature[12] as number) ^ 1) }))];
    expectAlert(judged(asked).meet({ alter }), 'decrypt_error');
  });

  it('a pin that is not the key of the server → bad_certificate', () => {
    const link = play({ client: { verifyServer: undefined, pins: ['00'.repeat(32)] } });
    expectAlert(link, 'bad_certificate');
  });

  it('shows no certificate of a server whose Finished has not come', () => {
    const alter = [rewriting(finished, () => ({ verifyData: new Uint8Array(32) }))];
    const link = play({ alter });
    expectAlert(link, 'decrypt_error');
    expect(link.client.peerCertificate).to.equal(undefined);
    expect(link.client.peerCertificateChain).to.equal(undefined);
  });
});
