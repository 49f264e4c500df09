/** What keepers of ticket keys, and callbacks about tickets and certificates, may do without ending a process. */

import { expect } from 'chai';
import type { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import type { Session } from '../../../src/sessions/session.ts';
import { TlsAlert } from '../../../src/wire/alert.ts';
import type { AlertName } from '../../../src/wire/registry.ts';
import { clientCertificate } from '../../support/client-certificates.ts';
import { Bench, type BenchOptions, expectResumed, returning } from '../../support/mechanisms.ts';
import { unhandledIn } from '../../support/rejections.ts';
import type { Exchange } from '../../support/scripted-client.ts';

const TICKETS = ['ticket', 'psk-stateless'] as const;
const boom = new Error('boom');

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

/** What throws when it is looked at. */
function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** What has an alert's prototype and is none. */
function disguised(): object {
  const get = () => {
    throw boom;
  };
  return new Proxy(new TlsAlert('access_denied', 'no'), { get });
}

const THROWN = { 'a revoked Proxy': revoked, 'a Proxy of an alert': disguised };

function alertOf({ client, failure }: Exchange): unknown {
  expect(client.alert?.name).to.equal(failure?.alert);
  return failure?.alert;
}

describe('callbacks that throw what throws when it is looked at', () => {
  for (const [what, make] of Object.entries(THROWN)) {
    const fail = () => {
      throw make();
    };
    for (const mechanism of TICKETS) {
      for (const reject of [fail, async () => fail()]) {
        const how = reject === fail ? 'throw' : 'reject with';
        it(`sealingKey and openingKeys ${how} ${what}: no ticket, a full handshake (${mechanism})`, async () => {
          const first = bench.visit(mechanism, bench.server(mechanism));
          const keys = { sealingKey: reject, openingKeys: reject };
          const link = await bench.connectAsync(bench.server(mechanism, { tickets: { keys } }), returning(first));
          expect(link.connection.resumption.reason).to.equal('undecryptable');
          expect(link.connection.isEstablished).to.equal(true);
          expect(link.has('callback-error')).to.equal(true);
        });
      }
    }

    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`verifyClient throws ${what}: internal_error (${version})`, async () => {
        const clientAuth = { mode: 'require', verifyClient: fail } as const;
        const config = bench.bare({ clientAuth, sessions: { idContext: Uint8Array.of(1) } });
        const link = await bench.connectAsync(config, { version, certificate: clientCertificate('ecdsaP256') });
        expect(alertOf(link)).to.equal('internal_error');
        expect(link.has('callback-error')).to.equal(true);
      });
    }
  }

  it('onServerName answers a revoked Proxy: internal_error', () => {
    const link = bench.connect(bench.bare({ onServerName: revoked as never }), {});
    expect(alertOf(link)).to.equal('internal_error');
  });

  it('an alert of no name is none, and no close_notify either', () => {
    for (const name of ['nonsense', '__proto__', 'toString']) {
      expect(() => new TlsAlert(name as AlertName, 'x')).to.throw(RangeError, name);
    }
  });
});

describe('callbacks that must answer at once, and answer with a promise that rejects', () => {
  const later = () => Promise.reject(boom) as never;
  const cases: Record<string, BenchOptions> = {
    generateId: { sessions: { generateId: later } },
    notResumable: { sessions: { notResumable: later } },
    keylog: { keylog: later },
  };
  for (const [callback, options] of Object.entries(cases)) {
    it(`${callback}: no unhandled rejection`, async () => {
      const link = bench.link(bench.server('session-id', options), { version: 'TLSv1.2' });
      expect(await unhandledIn(() => link.run())).to.deep.equal([]);
      expect(link.connection.isEstablished).to.equal(true);
    });
  }

  it('find() of a ticket key provider: no unhandled rejection, and the session resumes', async () => {
    const { keys } = bench;
    const provider = {
      sealingKey: () => keys.sealingKey(),
      openingKeys: (name: Uint8Array) => keys.openingKeys(name),
      find: later,
    };
    const config = bench.server('ticket', { tickets: { keys: provider } });
    const second = bench.link(config, returning(bench.visit('ticket', config)));
    expect(await unhandledIn(() => second.run())).to.deep.equal([]);
    expectResumed(second, 'ticket');
  });
});

describe('callbacks that call the connection', () => {
  it('receive() inside of each is no second call of it, and what has come in is not lost', () => {
    for (const mechanism of TICKETS) {
      let link: Exchange | undefined;
      let calls = 0;
      const reenter = <T>(answer: T): T => {
        calls++;
        if (calls === 1) link?.step((link.connection as ServerConnection).receive(Uint8Array.of()));
        return answer;
      };
      const first = bench.visit(mechanism, bench.server(mechanism));
      const onDecrypt = () => reenter('use-renew' as const);
      const onServerName = () => reenter(undefined);
      const config = bench.server(mechanism, { tickets: { onDecrypt }, onServerName });
      link = bench.link(config, returning(first));
      link.run();
      expect(calls).to.equal(2);
      expectResumed(link, mechanism);
    }
  });

  it('end() while a ticket is made: nothing follows the close_notify', () => {
    let connection: ServerConnection | undefined;
    const ended: Uint8Array[] = [];
    const onGenerate = () => {
      if (connection !== undefined) ended.push(connection.end().output);
    };
    const link = bench.visit('psk-stateless', bench.server('psk-stateless', { tickets: { onGenerate } }));
    connection = link.connection;
    const { output, events } = connection.sendTicket();
    expect(ended).to.have.length(1);
    expect(output).to.have.length(0);
    expect(events).to.deep.equal([]);
  });

  for (const mechanism of ['psk-stateful', 'psk-stateless'] as const) {
    for (const end of ['free', 'forbidResumption'] as const) {
      it(`onGenerate calls session.${end}(): no ticket, and the connection goes on (${mechanism})`, () => {
        const told: Session[] = [];
        const onNew = (session: Session) => void told.push(session);
        const onGenerate = (session: Session) => session[end]();
        const config = bench.server(mechanism, { sessions: { onNew }, tickets: { onGenerate } });
        const { client, connection, events } = bench.visit(mechanism, config);
        expect(client.isEstablished).to.equal(true);
        expect(client.tickets).to.deep.equal([]);
        expect(told).to.deep.equal([]);
        expect(events.map(({ type }) => type)).to.not.include('callback-error');
        expect(connection.sendTicket().output).to.have.length(0);
      });
    }
  }

  it('onGenerate frees a session whose ticket has left before its handshake was complete: nobody is told of it', () => {
    const made: Session[] = [];
    const told: Session[] = [];
    const onNew = (session: Session) => void told.push(session);
    const onGenerate = (session: Session) => {
      made[0]?.free();
      made.splice(0, 1, session);
    };
    const options = { sessions: { onNew }, tickets: { onGenerate, timing: 'half-rtt', initial: 2 } } as const;
    const { client, events } = bench.visit('psk-stateful', bench.server('psk-stateful', options));
    expect(client.isEstablished).to.equal(true);
    expect(events.map(({ type }) => type)).to.not.include('callback-error');
    expect(told).to.deep.equal(made);
  });

  it('TLS 1.2: a session that is freed while its new ticket is made still resumes', () => {
    const first = bench.visit('ticket', bench.server('ticket'));
    const onGenerate = () => {
      const session = links.at(-1)?.connection.resumption.session;
      if (session !== undefined && session.holds > 0) session.free();
    };
    const { links } = bench;
    bench.keys.rotate();
    const config = bench.server('ticket', { tickets: { onGenerate } });
    expectResumed(bench.connect(config, returning(first)), 'ticket');
  });
});
