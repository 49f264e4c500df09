/** SSL_CTX_set_options(3), SSL_CTX_set_num_tickets(3): a connection copies its context's when it is made, and has its own then. */

import { expect } from 'chai';
import { SSL_OP_IGNORE_UNEXPECTED_EOF, SSL_OP_NO_TICKET, SSL_OP_NO_TLSv1_3 } from '../../src/openssl/constants.ts';
import { Ssl } from '../../src/openssl/ssl.ts';
import { TlsAlert } from '../../src/wire/alert.ts';
import { ScriptedClient } from '../support/scripted-client.ts';
import { toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { promisesAreDone } from './journal.ts';
import { context, pass } from './support.ts';

const visitor = () => new ScriptedClient({ sni: 'localhost', crypto: toyCrypto });

describe('options of a context and of its connections', () => {
  it('are set and cleared bit by bit, and answer what they have become', () => {
    const ctx = context(new TestWorld(1));
    const ssl = new Ssl(ctx);
    for (const side of [ctx, ssl]) {
      expect(side.getOptions()).to.equal(SSL_OP_NO_TICKET);
      expect(side.setOptions(SSL_OP_IGNORE_UNEXPECTED_EOF)).to.equal(SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
      expect(side.clearOptions(SSL_OP_NO_TICKET)).to.equal(SSL_OP_IGNORE_UNEXPECTED_EOF);
      expect(side.getOptions()).to.equal(SSL_OP_IGNORE_UNEXPECTED_EOF);
    }
  });

  it('are refused where they would mean nothing', () => {
    const ctx = context(new TestWorld(2));
    for (const side of [ctx, new Ssl(ctx)]) {
      expect(() => side.setOptions(0x80000000)).to.throw(RangeError, '0x80000000');
      expect(side.getOptions()).to.equal(SSL_OP_NO_TICKET);
    }
  });

  it('are copied: the one does not follow the other', () => {
    const ctx = context(new TestWorld(3));
    const before = new Ssl(ctx);
    ctx.setOptions(SSL_OP_NO_TLSv1_3);
    const after = new Ssl(ctx);
    after.clearOptions(SSL_OP_NO_TLSv1_3);
    const versions = [before, after, new Ssl(ctx)].map((ssl) => {
      pass({ client: visitor(), ssl });
      return ssl.connection?.version;
    });
    expect(versions).to.deep.equal(['TLSv1.3', 'TLSv1.3', 'TLSv1.2']);
  });
});

describe('onServerName of a context', () => {
  it('refuses a name by an alert of its choice, at once or by a promise', async () => {
    const error = new TlsAlert('unrecognized_name', 'no such host');
    const thrown = () => {
      throw error;
    };
    for (const onServerName of [thrown, () => Promise.reject(error)]) {
      const ssl = new Ssl(context(new TestWorld(4), { onServerName }));
      const pair = pass({ client: visitor(), ssl });
      await promisesAreDone();
      expect(pass(pair).client.alert?.name).to.equal('unrecognized_name');
    }
  });
});

describe('the number of tickets', () => {
  it('is 0 to 255, for the context and for one connection', () => {
    const ctx = context(new TestWorld(4));
    const ssl = new Ssl(ctx);
    for (const side of [ctx, ssl]) {
      expect([side.setNumTickets(3), side.getNumTickets()]).to.deep.equal([1, 3]);
      for (const impossible of [-1, 256, 1.5]) expect(side.setNumTickets(impossible)).to.equal(0);
      expect(side.getNumTickets()).to.equal(3);
      for (const possible of [0, 255])
        expect([side.setNumTickets(possible), side.getNumTickets()]).to.deep.equal([1, possible]);
    }
  });

  it('is what a client of TLS 1.3 gets after a full handshake', () => {
    const ctx = context(new TestWorld(5));
    const own = new Ssl(ctx);
    own.setNumTickets(0);
    ctx.setNumTickets(3);
    const tickets = [own, new Ssl(ctx)].map((ssl) => pass({ client: visitor(), ssl }).client.tickets.length);
    expect(tickets).to.deep.equal([0, 3]);
  });
});
