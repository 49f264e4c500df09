/** The application protocol as the application chooses it (RFC 7301): the option `onAlpn`. */

import { expect } from 'chai';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { TlsAlert } from '../../../src/wire/alert.ts';
import { ExtensionType, type Version } from '../../../src/wire/registry.ts';
import { type ClientOptions, type Exchange, exchange, ScriptedClient } from '../../support/scripted-client.ts';
import { testServer } from '../../support/servers.ts';

type OnAlpn = NonNullable<ServerOptions['onAlpn']>;

const VERSIONS: readonly Version[] = ['TLSv1.3', 'TLSv1.2'];
const OFFER = { alpn: ['h3', 'h2', 'http/1.1'] };

function connect(client: ClientOptions, config = testServer()): Exchange {
  return exchange(new ScriptedClient(client), new ServerConnection(config));
}

function raise(error: unknown): never {
  throw error;
}

const endOf = ({ failure, connection }: Exchange) =>
  failure?.alert ?? (connection.isEstablished ? connection.alpnProtocol : 'nothing');
const errorsOf = ({ events }: Exchange) =>
  events.flatMap((event) => (event.type === 'callback-error' ? [event.callback] : []));

for (const version of VERSIONS) {
  describe(`onAlpn, ${version}`, () => {
    const client = { version, ...OFFER };
    const answering = (onAlpn: OnAlpn, more: Partial<ServerOptions> = {}) =>
      connect(client, testServer({ onAlpn, ...more }));

    it('is given the protocols of the client in its order, and what is known of the connection', () => {
      const asked: unknown[] = [];
      const onAlpn: OnAlpn = (protocols, connection) => {
        asked.push([...protocols], connection.serverName, connection.version);
        return protocols.at(-1);
      };
      const link = connect({ ...client, sni: 'localhost' }, testServer({ onAlpn }));
      expect(endOf(link)).to.equal('http/1.1');
      expect(asked).to.deep.equal([OFFER.alpn, 'localhost', version]);
      const answer = version === 'TLSv1.3' ? link.client.encryptedExtensions : link.client.serverHello?.extensions;
      expect(answer).to.have.deep.property('alpn', ['http/1.1']);
    });

    it('answers undefined for no protocol: the extension is not answered', () => {
      const link = answering(() => undefined);
      expect([link.connection.isEstablished, endOf(link)]).to.deep.equal([true, undefined]);
      const answer = version === 'TLSv1.3' ? link.client.encryptedExtensions : link.client.serverHello?.extensions;
      expect(answer?.order).not.to.include(ExtensionType.application_layer_protocol_negotiation);
    });

    it('answers null, or throws an alert of its choice, to refuse', async () => {
      expect(endOf(answering(() => null))).to.equal('no_application_protocol');
      const refused = answering(() => raise(new TlsAlert('access_denied', 'not for you')));
      expect(endOf(refused)).to.equal('access_denied');
      const later = answering(() => Promise.reject(new TlsAlert('no_application_protocol', 'none')));
      expect(endOf(await later.runAsync())).to.equal('no_application_protocol');
      expect([refused, later].flatMap(errorsOf)).to.deep.equal([]);
    });

    it('may answer by a promise', async () => {
      const link = answering(() => Promise.resolve('h2'));
      expect(link.question).to.include({ kind: 'application-protocol', budgeted: false });
      expect(endOf(await link.runAsync())).to.equal('h2');
    });

    it('that fails, or answers with anything else, is internal_error and an event', () => {
      for (const fails of [() => raise(new Error('broken')), () => 'spdy/1', () => 2 as unknown as string, () => '']) {
        const link = answering(fails);
        expect([endOf(link), ...errorsOf(link)]).to.deep.equal(['internal_error', 'onAlpn']);
      }
    });

    it('is asked about those in the list, if there is one, and not if there is none', () => {
      const asked: (readonly string[])[] = [];
      const onAlpn: OnAlpn = (protocols) => {
        asked.push(protocols);
        return protocols[0];
      };
      expect(endOf(answering(onAlpn, { alpn: ['http/1.1', 'h2', 'imap'] }))).to.equal('h2');
      expect(endOf(answering(onAlpn, { alpn: ['imap'] }))).to.equal('no_application_protocol');
      expect(asked).to.deep.equal([['h2', 'http/1.1']]);
    });

    it('is not asked of a client that offers none', () => {
      const link = connect({ version }, testServer({ onAlpn: () => raise(new Error('asked')) }));
      expect([link.connection.isEstablished, endOf(link), errorsOf(link)]).to.deep.equal([true, undefined, []]);
    });

    it('is shown 128 protocols at most', () => {
      const many = Array.from({ length: 20_000 }, (_, i) => String.fromCharCode(i & 0x7f));
      let shown = 0;
      const onAlpn: OnAlpn = (protocols) => {
        shown = protocols.length;
        return protocols[0];
      };
      expect(endOf(connect({ version, alpn: many }, testServer({ onAlpn })))).to.equal('\0');
      expect(shown).to.equal(128);
    });

    it('is asked before a session is looked up, and again on resumption', () => {
      const order: string[] = [];
      const onAlpn: OnAlpn = () => {
        order.push('onAlpn');
        return 'h2';
      };
      const onGet = () => void order.push('onGet');
      const onNew = () => void order.push('onNew');
      const config = testServer({ onAlpn, sessions: { internalLookup: false, onGet, onNew }, tickets: { initial: 1 } });
      const { client: before } = connect(client, config);
      const offer = version === 'TLSv1.3' ? { psks: before.tickets } : { session: before.session };
      connect({ ...client, ...offer }, config);
      expect(order).to.deep.equal(['onAlpn', 'onNew', 'onAlpn', 'onGet', 'onNew']);
    });

    it('decides for a session that is bound to its protocol', () => {
      let answer: string | undefined = 'h2';
      const config = testServer({ onAlpn: () => answer, scope: { bindAlpn: true } });
      const { client: before, connection } = connect(client, config);
      expect(connection.session?.alpnProtocol).to.equal('h2');
      const offer = version === 'TLSv1.3' ? { psks: before.tickets } : { session: before.session };
      const reasons = ['h2', 'h3', undefined].map((protocol) => {
        answer = protocol;
        return connect({ ...client, ...offer }, config).connection.resumption.reason;
      });
      expect(reasons).to.deep.equal([undefined, 'scope', 'scope']);
    });

    it('is that of the virtual host', () => {
      const host = testServer({ onAlpn: () => 'h3' });
      const config = testServer({ onAlpn: () => raise(new Error('asked')), onServerName: () => host });
      expect(endOf(connect({ ...client, sni: 'localhost' }, config))).to.equal('h3');
    });
  });
}

describe('onAlpn', () => {
  it('is asked once where there is a HelloRetryRequest', () => {
    let asked = 0;
    const onAlpn: OnAlpn = (protocols) => {
      asked++;
      return protocols[asked];
    };
    const link = connect({ ...OFFER, keyShares: [] }, testServer({ onAlpn }));
    expect([endOf(link), asked]).to.deep.equal(['h2', 1]);
  });

  it('is not asked about a hello that is none', () => {
    const onAlpn: OnAlpn = () => raise(new Error('asked'));
    for (const wrong of [{ ciphers: [0x1304] }, { maxFragmentLength: 9 }]) {
      const link = connect({ ...OFFER, ...wrong }, testServer({ onAlpn }));
      expect(link.failure?.alert).to.be.oneOf(['handshake_failure', 'illegal_parameter']);
      expect(errorsOf(link)).to.deep.equal([]);
    }
  });
});
