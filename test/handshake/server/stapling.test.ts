/** OCSP responses and signed certificate timestamps, as a server sends them: RFC 6066 §8, RFC 6962 §3.3.1, RFC 9846 §4.5.1.1. */

import { expect } from 'chai';
import { type Credential, credentialFromPem } from '../../../src/crypto/credentials/credential.ts';
import { webCryptoCredential } from '../../../src/crypto/credentials/web-crypto-credential.ts';
import { ClientConnection } from '../../../src/engine/client/client-connection.ts';
import type { ClientOptions } from '../../../src/engine/client/options.ts';
import { defineServer } from '../../../src/engine/server/define-server.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { concat } from '../../../src/wire/bytes.ts';
import type { Version } from '../../../src/wire/registry.ts';
import { certificates } from '../../fixtures.ts';
import { expectEstablished, Meeting } from '../../support/client-exchange.ts';
import { exchange, ScriptedClient, type ClientOptions as ScriptedOptions } from '../../support/scripted-client.ts';
import { quickCredential, testServer } from '../../support/servers.ts';

const VERSIONS: readonly Version[] = ['TLSv1.3', 'TLSv1.2'];
const RESPONSE = Uint8Array.from({ length: 900 }, (_, i) => i & 0xff);
const SCTS = [new Uint8Array(119).fill(1), new Uint8Array(120).fill(2)];
const LIST = concat(Uint8Array.of(0, 243, 0, 119), SCTS[0] as Uint8Array, Uint8Array.of(0, 120), SCTS[1] as Uint8Array);
const ASKING = { statusRequest: true, signedCertificateTimestamp: true } as const;

/** A client that asks, at a server with these properties of its credential. */
function meeting(
  version: Version,
  staples: Partial<Credential> | Partial<ServerOptions>['credentials'],
  client: Partial<ClientOptions> = ASKING,
): Meeting {
  const credentials = Array.isArray(staples) ? staples : [{ ...certificates.ecdsaP256, ...staples }];
  return new Meeting({ version, client, server: { credentials, sessions: { lookupTimeoutMs: 50 } } });
}

const failuresOf = (link: ReturnType<Meeting['pair']>) =>
  link.eventsOf('server', 'callback-error').map(({ callback }) => callback);

for (const version of VERSIONS) {
  describe(`a staple, ${version}`, () => {
    it('is sent to a client that asks', () => {
      const link = meeting(version, { ocspResponse: RESPONSE, signedCertificateTimestamps: SCTS }).meet();
      expectEstablished(link);
      expect(link.client.ocspResponse).to.deep.equal(RESPONSE);
      expect(link.client.signedCertificateTimestamps).to.deep.equal(SCTS);
    });

    it('is not sent to one that does not, and each alone to one that asks for it', () => {
      const staples = { ocspResponse: () => RESPONSE, signedCertificateTimestamps: LIST };
      const shown = [{}, { statusRequest: true }, { signedCertificateTimestamp: true }].map((client) => {
        const link = meeting(version, staples, client).meet();
        expectEstablished(link);
        return [link.client.ocspResponse?.length, link.client.signedCertificateTimestamps];
      });
      expect(shown).to.deep.equal([
        [undefined, undefined],
        [900, undefined],
        [undefined, SCTS],
      ]);
    });

    it('may have timestamps as the bytes of a list', () => {
      const link = meeting(version, { signedCertificateTimestamps: LIST }).meet();
      expect(link.client.signedCertificateTimestamps).to.deep.equal(SCTS);
    });

    it('is not there if the credential has none', () => {
      const link = meeting(version, {}).meet();
      expectEstablished(link);
      expect([link.client.ocspResponse, link.client.signedCertificateTimestamps]).to.deep.equal([undefined, undefined]);
    });

    it('is that of the credential that is shown', () => {
      const link = meeting(
        version,
        [
          { ...certificates.rsa2048, ocspResponse: Uint8Array.of(1) },
          { ...certificates.ed25519, ocspResponse: Uint8Array.of(2) },
        ],
        { ...ASKING, signatureAlgorithms: ['ed25519'] },
      ).meet();
      expect([...(link.client.ocspResponse ?? [])]).to.deep.equal([2]);
    });

    it('comes from a function in each full handshake, at once or later, and not in a resumption', async () => {
      let count = 0;
      const answers = [Uint8Array.of(1), Promise.resolve(Uint8Array.of(2)), undefined, Promise.resolve(undefined)];
      const met = meeting(version, { ocspResponse: () => answers[count++] });
      const shown: unknown[] = [];
      for (let i = 0; i < 4; i++) {
        const link = await met.pair().run();
        expectEstablished(link);
        expect(failuresOf(link)).to.deep.equal([]);
        shown.push(link.client.ocspResponse?.[0]);
        if (i > 0) continue;
        const again = await met.pair({ connect: { sessions: link.client.sessions } }).run();
        expect(again.client.resumption.resumed).to.equal(true);
        expect(again.client.ocspResponse).to.equal(undefined);
      }
      expect(shown).to.deep.equal([1, 2, undefined, undefined]);
      expect(count).to.equal(4);
    });

    it('is left out if its function fails, and the failure is an event', async () => {
      for (const ocspResponse of [
        () => {
          throw new Error('broken');
        },
        () => Promise.reject(new Error('broken')),
        () => new Uint8Array(0),
        () => new Uint8Array(49153),
        () => 'text' as unknown as Uint8Array,
        () => null as unknown as Uint8Array,
      ]) {
        const link = await meeting(version, { ocspResponse, signedCertificateTimestamps: SCTS }).pair().run();
        expectEstablished(link);
        expect(failuresOf(link)).to.deep.equal(['ocspResponse']);
        expect(link.client.ocspResponse).to.equal(undefined);
        expect(link.client.signedCertificateTimestamps).to.deep.equal(SCTS);
      }
    });

    it('is left out if its function answers too late', () => {
      const { client, server } = meeting(version, { ocspResponse: () => new Promise(() => {}) });
      const connection = new ServerConnection(server);
      const { question } = connection.receive(new ClientConnection(client).connect().output);
      expect(question).to.include({ kind: 'ocsp-response', budgeted: true });
      const step = connection.answer(question ?? expect.fail(), { late: true });
      const [event] = step.events;
      expect(event).to.include({ type: 'callback-error', callback: 'ocspResponse' });
      expect(step.output).not.to.have.length(0);
      connection.dispose();
    });

    it('may be as long as an option may be, both parts', () => {
      const timestamps = [new Uint8Array(8188)];
      const staples = { ocspResponse: new Uint8Array(49152).fill(1), signedCertificateTimestamps: timestamps };
      const link = meeting(version, staples).meet();
      expectEstablished(link);
      expect(link.client.ocspResponse).to.deep.equal(staples.ocspResponse);
      expect(link.client.signedCertificateTimestamps).to.deep.equal(timestamps);
    });

    it('is made when the server has been asked: also after a HelloRetryRequest', () => {
      if (version === 'TLSv1.2') return;
      const link = meeting(version, { ocspResponse: () => RESPONSE }, { ...ASKING, keyShares: [] }).meet();
      expect(link.client.ocspResponse).to.deep.equal(RESPONSE);
    });
  });
}

describe('a ClientHello that asks for a staple', () => {
  const asking =
    (type: number, ...data: readonly number[]): ScriptedOptions['rewriteExtensions'] =>
    (list) => [{ type, data: Uint8Array.from(data) }, ...list];
  const answered = (version: Version, rewriteExtensions: ScriptedOptions['rewriteExtensions']) => {
    const credentials = [{ ...certificates.ecdsaP256, ocspResponse: RESPONSE, signedCertificateTimestamps: SCTS }];
    const { connection, failure } = exchange(
      new ScriptedClient({ version, rewriteExtensions }),
      new ServerConnection(testServer({ credentials })),
    );
    return failure?.alert ?? connection.isEstablished;
  };

  for (const version of VERSIONS) {
    it(`names responders and extensions, which no response is chosen by, ${version}`, () => {
      expect(answered(version, asking(5, 1, 0, 6, 0, 4, 161, 2, 4, 0, 0, 2, 48, 0))).to.equal(true);
    });

    it(`of another type has any content, ${version}`, () => {
      expect(answered(version, asking(5, 2, 9, 9))).to.equal(true);
    });

    for (const [what, type, data] of [
      ['nothing', 5, []],
      ['no extensions', 5, [1, 0, 0]],
      ['a byte more', 5, [1, 0, 0, 0, 0, 0]],
      ['an empty responder', 5, [1, 0, 2, 0, 0, 0, 0]],
      ['a list of responders that breaks off', 5, [1, 0, 3, 0, 1, 0, 0]],
      ['timestamps', 18, [0]],
    ] as const)
      it(`with ${what} in it is a decode_error, ${version}`, () => {
        expect(answered(version, asking(type, ...data))).to.equal('decode_error');
      });
  }
});

describe('the options of a staple', () => {
  const define = (staples: object) => () => defineServer({ credentials: [{ ...certificates.ecdsaP256, ...staples }] });
  const own = (staples: object) => () => defineServer({ credentials: [{ ...quickCredential, ...staples }] });
  const [response, list] = ['credentials[0].ocspResponse', 'credentials[0].signedCertificateTimestamps'];

  for (const [what, staples, error, message] of [
    ['a response that is no bytes', { ocspResponse: 'MIIB' }, TypeError, response],
    ['an empty response', { ocspResponse: new Uint8Array(0) }, RangeError, response],
    ['too long a response', { ocspResponse: new Uint8Array(49153) }, RangeError, response],
    ['no timestamp', { signedCertificateTimestamps: [] }, TypeError, list],
    ['an empty timestamp', { signedCertificateTimestamps: [new Uint8Array(0)] }, TypeError, list],
    ['a timestamp that is no bytes', { signedCertificateTimestamps: ['AA=='] }, TypeError, list],
    ['a list that is none', { signedCertificateTimestamps: SCTS[0] }, TypeError, list],
    ['too long a list', { signedCertificateTimestamps: [new Uint8Array(8189)] }, TypeError, list],
    ['what is no list', { signedCertificateTimestamps: 5 }, TypeError, list],
  ] as const)
    it(`${what} is refused, and named`, () => {
      for (const make of [define(staples), own(staples)]) expect(make).to.throw(error, message);
    });

  it('go with the credential of credentialFromPem() and of webCryptoCredential()', async () => {
    const pem = { ...certificates.ecdsaP256, ocspResponse: RESPONSE, signedCertificateTimestamps: LIST };
    for (const made of [credentialFromPem(pem), await webCryptoCredential(pem)]) {
      expect(made.ocspResponse).to.equal(RESPONSE);
      expect(made.signedCertificateTimestamps).to.equal(LIST);
    }
  });
});
