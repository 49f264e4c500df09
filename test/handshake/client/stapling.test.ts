/** OCSP responses and signed certificate timestamps, as a client takes them: RFC 6066 §8, RFC 6962 §3.3.1, RFC 9846 §4.5.1.1. */

import { expect } from 'chai';
import type { ClientOptions, VerifyServer } from '../../../src/engine/client/options.ts';
import type { Stapled } from '../../../src/handshake/client/context.ts';
import { certificate, certificateTls12 } from '../../../src/handshake/messages/certificate.ts';
import { certificateRequest } from '../../../src/handshake/messages/certificate-request.ts';
import { certificateStatus } from '../../../src/handshake/messages/certificate-status.ts';
import { encryptedExtensions } from '../../../src/handshake/messages/encrypted-extensions.ts';
import { serverHelloTls12 } from '../../../src/handshake/messages/server-hello.ts';
import { serverKeyExchange } from '../../../src/handshake/messages/server-key-exchange.ts';
import { TlsAlert } from '../../../src/wire/alert.ts';
import { concat } from '../../../src/wire/bytes.ts';
import { ExtensionType, type Version } from '../../../src/wire/registry.ts';
import { certificates } from '../../fixtures.ts';
import {
  type Alteration,
  expectAlert,
  expectEstablished,
  extensionsOfHello,
  hellosOf,
  Meeting,
  play,
  type Rule,
  rawExtension,
  rawMessage,
  rewriting,
  sending,
  table,
  withExtensions,
} from '../../support/client-exchange.ts';

const ASKING = { statusRequest: true, signedCertificateTimestamp: true } as const;
const RESPONSE = new Uint8Array(300).fill(7);
const SCTS = [new Uint8Array(119).fill(1)];
const credentials = [{ ...certificates.ecdsaP256, ocspResponse: RESPONSE, signedCertificateTimestamps: SCTS }];
const STAPLING = { client: ASKING, server: { credentials } } as const;
const { status_request, signed_certificate_timestamp } = ExtensionType;

/** Has the server put these bytes beside its certificate. */
function beside(extensions: { statusRequest?: Uint8Array; signedCertificateTimestamp?: Uint8Array }): Alteration[] {
  return [
    rewriting(certificate, (body) => ({
      ...body,
      certificateList: body.certificateList.map(({ certData }) => ({ certData, extensions })),
    })),
  ];
}
const status = (...bytes: readonly number[]) => beside({ statusRequest: Uint8Array.from(bytes) });
const timestamps = (...bytes: readonly number[]) => beside({ signedCertificateTimestamp: Uint8Array.from(bytes) });
const TLS13 = { version: 'TLSv1.3', client: ASKING } as const;

const rules: Rule[] = [
  { rule: 'an OCSP response was asked for', alter: status(1, 0, 0, 1, 9), alert: 'unsupported_extension' },
  { rule: 'an OCSP response was asked for, whatever is in it', alter: status(), alert: 'unsupported_extension' },
  { rule: 'timestamps were asked for', alter: timestamps(0, 3, 0, 1, 9), alert: 'unsupported_extension' },
  { rule: 'a CertificateStatus is not empty', ...TLS13, alter: status(), alert: 'decode_error' },
  { rule: 'a response is not empty', ...TLS13, alter: status(1, 0, 0, 0), alert: 'decode_error' },
  { rule: 'a response does not break off', ...TLS13, alter: status(1, 0, 0, 2, 9), alert: 'decode_error' },
  { rule: 'nothing follows a response', ...TLS13, alter: status(1, 0, 0, 1, 9, 9), alert: 'decode_error' },
  { rule: 'its type was asked for', ...TLS13, alter: status(2, 0, 0, 1, 9), alert: 'illegal_parameter' },
  { rule: 'a list of timestamps is not empty', ...TLS13, alter: timestamps(0, 0), alert: 'decode_error' },
  { rule: 'a timestamp is not empty', ...TLS13, alter: timestamps(0, 2, 0, 0), alert: 'decode_error' },
  { rule: 'nothing follows the list', ...TLS13, alter: timestamps(0, 3, 0, 1, 9, 9), alert: 'decode_error' },
  {
    rule: '§4.3: status_request has no place in EncryptedExtensions',
    ...TLS13,
    alter: [sending(encryptedExtensions, (raw) => withExtensions(raw, 0, rawExtension(status_request)))],
    alert: 'illegal_parameter',
  },
];
table('what comes beside a certificate, TLSv1.3', rules);

const hello = (...extension: readonly number[]): Alteration =>
  sending(serverHelloTls12, (raw) =>
    withExtensions(raw, extensionsOfHello(raw), rawExtension(extension[0] ?? 0, ...extension.slice(1))),
  );
const statusMessage = (...bytes: readonly number[]) => rawMessage('certificate_status', Uint8Array.from(bytes));
const sent = (...bytes: readonly number[]) => [sending(certificateStatus, () => statusMessage(...bytes))];
const TLS12 = { version: 'TLSv1.2' } as const;
const STAPLING12 = { ...TLS12, ...STAPLING };

const rulesTls12: Rule[] = [
  { rule: 'an OCSP response was asked for', ...TLS12, alter: [hello(status_request)], alert: 'unsupported_extension' },
  {
    rule: 'timestamps were asked for, whatever is in them',
    ...TLS12,
    alter: [hello(signed_certificate_timestamp, 1)],
    alert: 'unsupported_extension',
  },
  {
    rule: 'status_request has no content in ServerHello',
    ...TLS12,
    client: ASKING,
    alter: [hello(status_request, 0)],
    alert: 'decode_error',
  },
  {
    rule: 'timestamps are a list',
    ...TLS12,
    client: ASKING,
    alter: [hello(signed_certificate_timestamp, 0, 3, 0, 1)],
    alert: 'decode_error',
  },
  { rule: 'a response is not empty', ...STAPLING12, alter: sent(1, 0, 0, 0), alert: 'decode_error' },
  { rule: 'a response does not break off', ...STAPLING12, alter: sent(1, 0, 0, 2, 9), alert: 'decode_error' },
  { rule: 'nothing follows a response', ...STAPLING12, alter: sent(1, 0, 0, 1, 9, 9), alert: 'decode_error' },
  { rule: 'its type was asked for', ...STAPLING12, alter: sent(2, 0, 0, 1, 9), alert: 'illegal_parameter' },
  ...[{}, ASKING].map(
    (client): Rule => ({
      rule: `a CertificateStatus was announced${client === ASKING ? '' : ', and asked for'}`,
      ...TLS12,
      client,
      alter: [sending(certificateTls12, (raw) => concat(raw, statusMessage(1, 0, 0, 1, 9)))],
      alert: 'unexpected_message',
    }),
  ),
  {
    rule: 'a CertificateStatus comes once',
    ...STAPLING12,
    alter: [sending(certificateStatus, (raw) => concat(raw, raw))],
    alert: 'unexpected_message',
  },
  {
    rule: 'a CertificateStatus comes after the certificate at once',
    ...STAPLING12,
    alter: [
      sending(certificateStatus, () => new Uint8Array(0)),
      sending(serverKeyExchange, (raw) => concat(raw, statusMessage(1, 0, 0, 1, 9))),
    ],
    alert: 'unexpected_message',
  },
];
table('what comes beside a certificate, TLSv1.2', rulesTls12);

for (const version of ['TLSv1.3', 'TLSv1.2'] as const satisfies readonly Version[]) {
  describe(`what a server staples, ${version}`, () => {
    const judged = async (verifyServer: VerifyServer, client: Partial<ClientOptions> = ASKING) =>
      new Meeting({ version, client: { ...client, verifyServer }, server: { credentials } }).pair().run();

    it('is given to verifyServer, and shown by the connection, as copies', async () => {
      let given: Stapled | undefined;
      const link = await judged((_, __, stapled) => {
        given = stapled;
        return true;
      });
      expectEstablished(link);
      const { ocspResponse, signedCertificateTimestamps } = link.client;
      expect({ ocspResponse, signedCertificateTimestamps }).to.deep.equal(given);
      expect(given).to.deep.equal({ ocspResponse: RESPONSE, signedCertificateTimestamps: SCTS });
      given?.ocspResponse?.fill(0);
      link.client.ocspResponse?.fill(0);
      expect(link.client.ocspResponse).to.deep.equal(RESPONSE);
    });

    it('is nothing where nothing was asked for', async () => {
      const link = await judged((_, __, stapled) => {
        expect(stapled).to.deep.equal({ ocspResponse: undefined, signedCertificateTimestamps: undefined });
        return true;
      }, {});
      expectEstablished(link);
      expect(link.client.ocspResponse).to.equal(undefined);
    });

    it('may be refused by an alert, and is not shown then', async () => {
      const link = await judged((_, __, stapled) => {
        if (stapled?.ocspResponse?.[0] === 7) throw new TlsAlert('bad_certificate_status_response', 'revoked');
        return true;
      });
      expectAlert(link, 'bad_certificate_status_response');
      expect(link.client.ocspResponse).to.equal(undefined);
    });

    it('may be demanded: a verifyServer that is given none ends the handshake (RFC 6066 §11.6)', () => {
      const verifyServer: VerifyServer = (_, __, stapled) => {
        if (stapled?.ocspResponse === undefined) throw new TlsAlert('bad_certificate_status_response', 'no response');
        return true;
      };
      expectAlert(play({ version, client: { ...ASKING, verifyServer } }), 'bad_certificate_status_response');
      expectEstablished(play({ version, client: { ...ASKING, verifyServer }, server: { credentials } }));
    });

    it('is asked for in the hello', () => {
      const asked = [ASKING, { statusRequest: true }, {}].map((client) => {
        const pair = new Meeting({ version, client }).pair();
        const hellos = hellosOf(pair);
        pair.runSync();
        const [{ body } = expect.fail()] = hellos;
        return [body.extensions.statusRequest, body.extensions.signedCertificateTimestamp];
      });
      expect(asked).to.deep.equal([
        [true, true],
        [true, undefined],
        [undefined, undefined],
      ]);
    });

    it('may be left out by a server that was asked', () => {
      const link = play({ version, client: ASKING });
      expectEstablished(link);
      expect(link.client.ocspResponse).to.equal(undefined);
    });

    it('may be asked for by a tester who edits the hello', () => {
      const hello = ({ extensions = [] }: { extensions: { type: number; data: Uint8Array }[] | undefined }) => {
        extensions.unshift({ type: status_request, data: Uint8Array.of(1, 0, 0, 0, 0) });
        return undefined;
      };
      const link = play({ version, server: { credentials }, connect: { edits: { hello } } });
      expectEstablished(link);
      expect(link.client.ocspResponse).to.deep.equal(RESPONSE);
    });
  });
}

describe('a staple', () => {
  it('that was announced in TLS 1.2 need not come (RFC 6066 §8)', () => {
    const link = play({ ...STAPLING12, alter: [sending(certificateStatus, () => new Uint8Array(0))] });
    expectEstablished(link);
    expect([link.client.ocspResponse, link.client.signedCertificateTimestamps]).to.deep.equal([undefined, SCTS]);
  });

  it('of an issuer is checked, and not kept', () => {
    const chained = { ...STAPLING, server: { credentials: [{ ...certificates.chain, ocspResponse: RESPONSE }] } };
    const ofIssuer = (...bytes: readonly number[]) =>
      rewriting(certificate, (body) => ({
        ...body,
        certificateList: body.certificateList.map(({ certData }, i) => ({
          certData,
          extensions: i === 0 ? {} : { statusRequest: Uint8Array.from(bytes) },
        })),
      }));
    const link = play({ ...chained, version: 'TLSv1.3', alter: [ofIssuer(1, 0, 0, 1, 9)] });
    expectEstablished(link);
    expect(link.client.ocspResponse).to.equal(undefined);
    expectAlert(play({ ...chained, version: 'TLSv1.3', alter: [ofIssuer(1, 0, 0, 0)] }), 'decode_error');
  });

  it('may be asked for in a CertificateRequest, and need not be sent (RFC 9846 §4.5.1.1)', () => {
    const asks = sending(certificateRequest, (raw) =>
      withExtensions(raw, 1, rawExtension(status_request), rawExtension(signed_certificate_timestamp)),
    );
    const clientAuth = { mode: 'request', verifyClient: () => true } as const;
    const sessions = { idContext: Uint8Array.of(1) };
    expectEstablished(play({ version: 'TLSv1.3', server: { clientAuth, sessions }, alter: [asks] }));
  });
});
