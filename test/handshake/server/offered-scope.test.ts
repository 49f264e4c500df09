/**
 * What a session may be resumed under, field by field, by each of the four mechanisms: compared once the server name has selected the
 * configuration, and before a binder is looked at.
 */

import { expect } from 'chai';
import { SessionCache } from '../../../src/cache/session-cache.ts';
import type { Credential } from '../../../src/crypto/credentials/credential.ts';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { ScopeOptions, SessionOptions, TicketOptions } from '../../../src/engine/server/options.ts';
import { SCOPE_FIELDS, type Scope } from '../../../src/sessions/scope.ts';
import type { Session } from '../../../src/sessions/session.ts';
import { TicketKeyRing } from '../../../src/tickets/key-ring.ts';
import { openSession } from '../../../src/tickets/ticket.ts';
import { fromHex, toHex } from '../../../src/wire/bytes.ts';
import {
  Bench,
  expectFull,
  expectResumed,
  firstTicket,
  isStateless,
  MECHANISMS,
  returning,
  ticketOf,
  versionOf,
} from '../../support/mechanisms.ts';
import type { ClientOptions, Exchange } from '../../support/scripted-client.ts';
import { quickCredential } from '../../support/servers.ts';
import { newKey, sealed } from '../../tickets/support.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

/** The rule that was broken. */
function brokenRule({ connection }: Exchange): string | undefined {
  return connection.verdicts[0]?.checks.find(({ passed }) => !passed)?.rule;
}

function named(...names: string[]): Credential {
  return { ...quickCredential, names };
}

for (const mechanism of MECHANISMS) {
  describe(`scope, ${mechanism}`, () => {
    const serve = (options: Parameters<Bench['server']>[1] = {}): ServerConfig => bench.server(mechanism, options);

    /** The client of a first visit comes back to another server that has the same cache and keys. */
    function comeBack(
      first: Exchange,
      config: ServerConfig,
      options: ClientOptions = {},
      localAddress?: string,
    ): Exchange {
      return bench.connect(config, returning(first, options), { addresses: { localAddress } });
    }

    function expectRefused(link: Exchange, rule: string): void {
      expectFull(link, 'scope');
      expect(brokenRule(link)).to.equal(rule);
    }

    /** Puts another session in the place of the one that the client has. */
    function exchanged(first: Exchange, change: (session: Session) => Session): ClientOptions {
      if (!isStateless(mechanism)) {
        const id = mechanism === 'session-id' ? first.client.session.id : firstTicket(first).identity;
        const session = [...bench.cache].find((candidate) => toHex(candidate.id) === toHex(id));
        if (session === undefined) throw new Error('the cache has no such session');
        bench.cache.add(change(session));
        return returning(first);
      }
      const ticket = mechanism === 'ticket' ? ticketOf(first) : firstTicket(first).identity;
      const opened = openSession(ticket, bench.keys.openingKeys(ticket.subarray(0, 16)), bench.world.now() / 1000);
      if (opened.status !== 'opened') throw new Error(opened.status);
      const identity = sealed(bench.keys.sealingKey(), change(opened.session).toDer());
      if (mechanism === 'ticket') return returning(first, { ticketExt: identity });
      return returning(first, { psks: [{ ...firstTicket(first), identity }] });
    }

    it('the same resumes, whatever the case of the host name and the dot behind it', () => {
      const config = serve();
      const first = bench.visit(mechanism, config, { sni: 'www.Example' });
      for (const sni of ['www.example', 'WWW.EXAMPLE', 'www.example.']) {
        expectResumed(comeBack(first, config, { sni }), mechanism);
      }
    });

    it('another host name, or none, does not; and the session is still good for its own', () => {
      const config = serve();
      const first = bench.visit(mechanism, config, { sni: 'a.example' });
      for (const sni of ['b.example', 'example', 'a.example.b', undefined]) {
        expectRefused(comeBack(first, config, { sni }), 'scope serverName');
      }
      expectResumed(comeBack(first, config, { sni: 'a.example' }), mechanism);
      const nameless = bench.visit(mechanism, config, { sni: undefined });
      expectResumed(comeBack(nameless, config, { sni: undefined }), mechanism);
      expectRefused(comeBack(nameless, config, { sni: 'a.example' }), 'scope serverName');
    });

    it('the name of the root is another than none', () => {
      const config = serve();
      expectRefused(
        comeBack(bench.visit(mechanism, config, { sni: '.' }), config, { sni: undefined }),
        'scope serverName',
      );
      expectResumed(comeBack(bench.visit(mechanism, config, { sni: '.' }), config, { sni: '.' }), mechanism);
    });

    it('digests in upper case are the same', () => {
      const config = serve();
      const first = bench.visit(mechanism, config);
      const loud = (session: Session): Session => {
        const scope = Object.entries(session.scope ?? {}).map(([field, digest]) => [field, digest?.toUpperCase()]);
        return session.dup({ scope: Object.fromEntries(scope) });
      };
      expectResumed(bench.connect(config, exchanged(first, loud)), mechanism);
    });

    it('another label does not', () => {
      const first = bench.visit(mechanism, serve({ scope: { label: 'shop' } }));
      for (const scope of [{ label: 'Shop' }, { label: '' }, {}]) {
        expectRefused(comeBack(first, serve({ scope })), 'scope label');
      }
      expectResumed(comeBack(first, serve({ scope: { label: 'shop' } })), mechanism);
    });

    it('a renewed certificate does, with whatever key, as long as it has the same names', () => {
      const first = bench.visit(mechanism, serve({ credentials: [named('localhost', '*.example')] }));
      const renewed: Credential = {
        ...named('*.example', 'localhost'),
        certificateChain: [new Uint8Array(400).fill(0x31)],
        sign: () => new Uint8Array(71).fill(1),
      };
      expectResumed(comeBack(first, serve({ credentials: [renewed] })), mechanism);
      const both = [renewed, named('localhost', '*.example')];
      expectResumed(comeBack(first, serve({ credentials: both })), mechanism);
      const loud = [named('LOCALHOST', 'localhost.', '*.Example')];
      expectResumed(comeBack(first, serve({ credentials: loud })), mechanism);
      const bystander = [named('other.example'), renewed];
      expectResumed(comeBack(first, serve({ credentials: bystander })), mechanism);
    });

    it('a certificate with a name more, or less, does not', () => {
      const first = bench.visit(mechanism, serve({ credentials: [named('localhost', 'a.example')] }));
      for (const names of [['localhost'], ['localhost', 'a.example', 'b.example'], ['localhost', 'c.example']]) {
        expectRefused(comeBack(first, serve({ credentials: [named(...names)] })), 'scope certificateNames');
      }
    });

    it('a name with a comma is not two names', () => {
      const first = bench.visit(mechanism, serve({ credentials: [named('localhost', 'a,b')] }));
      expectRefused(comeBack(first, serve({ credentials: [named('localhost', 'a', 'b')] })), 'scope certificateNames');
    });

    it('the local address matters where it is asked for', () => {
      for (const bindLocalAddress of [false, true]) {
        const config = serve({ scope: { bindLocalAddress } });
        const addresses = { localAddress: '192.0.2.1' };
        const first = bench.visit(mechanism, config, {}, { addresses });
        for (const same of ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201'])
          expectResumed(comeBack(first, config, {}, same), mechanism);
        if (!bindLocalAddress) expectResumed(comeBack(first, config, {}, '192.0.2.2'), mechanism);
        else expectRefused(comeBack(first, config, {}, '192.0.2.2'), 'scope localAddress');
      }
    });

    it('the application protocol matters where it is asked for, and else is negotiated afresh', () => {
      for (const bindAlpn of [false, true]) {
        const config = serve({ alpn: ['h2', 'http/1.1'], scope: { bindAlpn } });
        const first = bench.visit(mechanism, config, { alpn: ['h2'] });
        expectResumed(comeBack(first, config, { alpn: ['http/1.1', 'h2'] }), mechanism);
        for (const alpn of [['http/1.1'], undefined]) {
          const link = comeBack(first, config, { alpn });
          expect(link.connection.alpnProtocol).to.equal(alpn?.[0]);
          if (bindAlpn) expectRefused(link, 'scope alpn');
          else expectResumed(link, mechanism);
        }
      }
    });

    it('binding is itself a matter of scope: who binds takes none that is not bound, nor the other way round', () => {
      const free = serve();
      const bound = serve({ scope: { bindLocalAddress: true, bindAlpn: true } });
      expectRefused(comeBack(bench.visit(mechanism, free), bound), 'scope localAddress');
      expectRefused(comeBack(bench.visit(mechanism, bound), free), 'scope localAddress');
    });

    it('shareAcross shares on purpose, host names, labels and certificates', () => {
      const shared = (scope: ScopeOptions, ...names: string[]) =>
        serve({ scope: { shareAcross: 'fleet', ...scope }, credentials: [named(...names)] });
      const first = bench.visit(mechanism, shared({}, 'a.example'), { sni: 'a.example' });
      expectResumed(comeBack(first, shared({ label: 'x' }, 'b.example'), { sni: 'b.example' }), mechanism);
      expectResumed(comeBack(first, shared({}, 'c.example'), { sni: undefined }), mechanism);
      expectRefused(
        comeBack(first, shared({ shareAcross: 'Fleet' }, 'a.example'), { sni: 'a.example' }),
        'scope shared',
      );
      expectRefused(
        comeBack(first, serve({ credentials: [named('a.example')] }), { sni: 'a.example' }),
        'scope serverName',
      );
      const bound = shared({ bindLocalAddress: true }, 'b.example');
      expectRefused(comeBack(first, bound, { sni: 'b.example' }, '192.0.2.1'), 'scope localAddress');
      const single = bench.visit(mechanism, serve({ credentials: [named('a.example')] }), { sni: 'a.example' });
      expectRefused(comeBack(single, shared({}, 'a.example'), { sni: 'a.example' }), 'scope serverName');
    });

    it('shareAcross does not share across session id contexts', () => {
      const config = (byte: number) =>
        serve({ scope: { shareAcross: 'fleet' }, sessions: { idContext: Uint8Array.of(byte) } });
      const first = bench.visit(mechanism, config(1));
      expectFull(comeBack(first, config(2)), 'session-id-context');
      expectResumed(comeBack(first, config(1)), mechanism);
    });

    for (const field of SCOPE_FIELDS) {
      it(`${field}: another value, none, or one where there should be none is refused`, () => {
        const config = serve({ scope: { bindLocalAddress: true, bindAlpn: true } });
        const other = toHex(new Uint8Array(16).fill(0xee));
        const first = bench.visit(mechanism, config);
        const change = (value: string | undefined) => (session: Session) => {
          const { [field]: _, ...others } = session.scope ?? {};
          const scope: Scope = value === undefined ? others : { ...others, [field]: value };
          return session.dup({ scope });
        };
        const has = field !== 'shared' && field !== 'clientPsk'; // which stands in for others, or is of a PSK
        const changed = bench.connect(config, exchanged(first, change(other)));
        if (field === 'clientPsk') expectFull(changed, 'client-certificate');
        else expectRefused(changed, `scope ${field}`);
        const without = bench.connect(config, exchanged(first, change(undefined)));
        if (has) expectRefused(without, `scope ${field}`);
        else expectResumed(without, mechanism);
      });
    }

    it('the record keeps digests: no name is told', () => {
      const first = bench.visit(mechanism, serve({ scope: { label: 'secret-project' } }), { sni: 'hidden.example' });
      const scope = first.connection.session?.scope ?? {};
      expect(Object.keys(scope)).to.have.members(['serverName', 'clientAuthentication', 'certificateNames', 'label']);
      for (const digest of Object.values(scope)) expect(fromHex(digest ?? '').length).to.equal(16);
      expect(JSON.stringify(scope)).not.to.match(/secret-project|hidden/);
    });

    describe('sessions of other servers, without a record', () => {
      const foreign = (
        options: Parameters<Bench['server']>[1] = {},
        flag: boolean | 'elsewhere' = true,
      ): ServerConfig => {
        const isInTickets = isStateless(mechanism) === (flag !== 'elsewhere');
        const keeper = { foreign: flag !== false };
        return serve({
          ...options,
          sessions: { ...options.sessions, ...(!isInTickets && keeper) },
          tickets: { ...options.tickets, ...(isInTickets && keeper) },
        });
      };
      const bare =
        (changes: Parameters<Session['dup']>[0] = {}) =>
        (session: Session) =>
          session.dup({ scope: undefined, ...changes });

      it('are taken only where the keeper is said to have them', () => {
        const first = bench.visit(mechanism, serve());
        const offer = exchanged(first, bare());
        expectFull(bench.connect(serve(), offer), 'foreign');
        expectFull(bench.connect(foreign({}, false), offer), 'foreign');
        expectFull(bench.connect(foreign({}, 'elsewhere'), offer), 'foreign');
        expectResumed(bench.connect(foreign(), offer), mechanism);
      });

      it('are bound to their host name, which has no other record', () => {
        const first = bench.visit(mechanism, serve(), { sni: 'A.example' });
        const offer = exchanged(first, bare());
        for (const sni of ['b.example', undefined]) {
          const link = bench.connect(foreign(), { ...offer, sni });
          expectFull(link, 'scope');
          expect(brokenRule(link)).to.equal('host name');
        }
        expectResumed(bench.connect(foreign(), { ...offer, sni: 'a.example.' }), mechanism);
      });

      it('without a host name are bound to a session id context that somebody has chosen', () => {
        const idContext = Uint8Array.of(1, 2);
        const named = { sessions: { idContext } };
        const first = bench.visit(mechanism, serve(named));
        const offer = exchanged(first, bare({ serverName: undefined }));
        expectResumed(bench.connect(foreign(named), offer), mechanism);
        expectFull(bench.connect(foreign({ sessions: { idContext: Uint8Array.of(1) } }), offer), 'session-id-context');
        const second = bench.visit(mechanism, serve());
        expectFull(bench.connect(foreign(), exchanged(second, bare({ serverName: undefined }))), 'scope');
      });

      it('leave ours as they are: what has a record goes by it', () => {
        const first = bench.visit(mechanism, serve({ scope: { label: 'a' } }));
        expectFull(bench.connect(foreign({ scope: { label: 'b' } }), returning(first)), 'scope');
        expectResumed(bench.connect(foreign({ scope: { label: 'a' } }), returning(first)), mechanism);
      });
    });

    for (const later of [false, true]) {
      describe(`virtual hosts, selected ${later ? 'later' : 'at once'}`, () => {
        /** One front with a host for each name; without one it serves itself. */
        function front(
          hosts: Record<string, ServerConfig>,
          options: Parameters<Bench['server']>[1] = {},
        ): ServerConfig {
          const select = (name: string | undefined) => hosts[name ?? ''];
          return serve({ ...options, onServerName: (name) => (later ? Promise.resolve(select(name)) : select(name)) });
        }
        const mode = isStateless(mechanism) ? ({ mode: 'stateless' } as const) : {};
        const plain = ({ tickets, ...options }: Parameters<Bench['bare']>[0] = {}) =>
          bench.bare({ ...options, tickets: { ...mode, ...tickets } });
        const visit = async (config: ServerConfig, sni: string) => {
          const link = bench.link(config, {
            ...(mechanism === 'ticket' ? { ticketExt: new Uint8Array(0) } : {}),
            version: versionOf(mechanism),
            sni,
          });
          return link.runAsync();
        };
        const back = (first: Exchange, config: ServerConfig, sni: string) =>
          bench.connectAsync(config, returning(first, { sni }));

        it('have the keeper of the front, and share by their scopes', async () => {
          const config = front({
            'a.example': plain(),
            'b.example': plain(),
            'c.example': plain({ scope: { label: 'c' } }),
          });
          const first = await visit(config, 'a.example');
          if (!isStateless(mechanism)) expect(bench.cache.size).to.be.above(0);
          expectResumed(await back(first, config, 'a.example'), mechanism);
          for (const sni of ['b.example', 'c.example', 'd.example']) {
            expectFull(await back(first, config, sni), 'scope');
          }
          expectResumed(await back(first, config, 'a.example'), mechanism);
        });

        it('share with one another, and not with the front, where they say so', async () => {
          const scope = { shareAcross: 'both' };
          const config = front({ 'a.example': plain({ scope }), 'b.example': plain({ scope }) });
          const first = await visit(config, 'a.example');
          expectResumed(await back(first, config, 'b.example'), mechanism);
          expectFull(await back(first, config, 'c.example'), 'scope');
        });

        it('keep to their own keeper where they bring one', async () => {
          const cache = new SessionCache();
          const own = isStateless(mechanism)
            ? bench.bare({ tickets: { mode: 'stateless', keys: TicketKeyRing.of([newKey()], bench.world) } })
            : bench.bare({ sessions: { cache } });
          const config = front({ 'a.example': own, 'b.example': plain() });
          const none = isStateless(mechanism) ? 'undecryptable' : 'unknown';
          const first = await visit(config, 'a.example');
          expect(bench.cache.size).to.equal(0);
          expectResumed(await back(first, config, 'a.example'), mechanism);
          expectFull(await back(first, config, 'b.example'), none);
          const second = await visit(config, 'b.example');
          expectFull(await back(second, config, 'a.example'), none);
          expectResumed(await back(second, config, 'b.example'), mechanism);
          cache.close();
        });

        it('whose policy has become stricter decline what was made before', async () => {
          const hosts = { 'a.example': plain() };
          const config = front(hosts);
          const first = await visit(config, 'a.example');
          expectResumed(await back(first, config, 'a.example'), mechanism);
          hosts['a.example'] = plain({ scope: { label: 'since the reload' } });
          expectFull(await back(first, config, 'a.example'), 'scope');
          hosts['a.example'] = plain({ sessions: { idContext: Uint8Array.of(2) } });
          expectFull(await back(first, config, 'a.example'), 'session-id-context');
        });

        it('take sessions of other servers where the keeper that they use has them', async () => {
          const flag = { foreign: true };
          const having = isStateless(mechanism) ? { tickets: flag } : { sessions: flag };
          const config = front({ localhost: plain() }, having);
          const first = await visit(config, 'localhost');
          const offer = exchanged(first, (session) => session.dup({ scope: undefined }));
          expectResumed(await bench.connectAsync(config, offer), mechanism);
          const strict = front({ localhost: plain(having) });
          expectFull(await bench.connectAsync(strict, offer), 'foreign');
        });
      });
    }
  });
}

describe('scope and virtual hosts', () => {
  it('the name selects the host before anything is looked up', () => {
    const order: string[] = [];
    const host = bench.bare();
    const config = bench.bare({
      onServerName: (name) => {
        order.push(`host ${name}`);
        return host;
      },
      sessions: { onGet: () => void order.push('onGet') },
    });
    const psk = { identity: new Uint8Array(32).fill(1), secret: new Uint8Array(32), hash: 'sha256' } as const;
    bench.connect(config, { psks: [psk] });
    expect(order).to.deep.equal(['host localhost', 'onGet']);
  });

  it('a host has the ticket callbacks of the front, unless it brings its own', () => {
    const asked: string[] = [];
    const tickets = (who: string): TicketOptions => ({
      mode: 'stateless',
      onGenerate: () => void asked.push(`generate ${who}`),
      onDecrypt: () => {
        asked.push(`decrypt ${who}`);
        return 'use';
      },
    });
    const hosts: Record<string, ServerConfig> = {
      'a.example': bench.bare({ tickets: { mode: 'stateless' } }),
      'b.example': bench.bare({ tickets: tickets('host') }),
    };
    const config = bench.bare({
      tickets: { ...tickets('front'), keys: bench.keys },
      onServerName: (name) => hosts[name ?? ''],
    });
    for (const [sni, who] of [
      ['a.example', 'front'],
      ['b.example', 'host'],
    ] as const) {
      const first = bench.connect(config, { sni });
      expectResumed(bench.connect(config, returning(first, { sni })), 'psk-stateless');
      expect(asked.splice(0)).to.deep.equal([`generate ${who}`, `generate ${who}`, `decrypt ${who}`]);
    }
  });

  for (const mechanism of ['session-id', 'psk-stateful'] as const) {
    it(`a host rules sessions out, and makes ids, by callbacks of its own, in the cache of the front, ${mechanism}`, () => {
      const asked: string[] = [];
      const sessions = (who: string, rulesOut: boolean): SessionOptions => ({
        generateId: () => void asked.push(`id ${who}`),
        notResumable: () => {
          asked.push(`rule out ${who}`);
          return rulesOut;
        },
      });
      const hosts: Record<string, ServerConfig> = {
        'a.example': bench.bare({ sessions: sessions('a', true) }),
        'b.example': bench.bare({ sessions: sessions('b', false) }),
      };
      const config = bench.bare({ sessions: sessions('front', false), onServerName: (name) => hosts[name ?? ''] });
      const version = versionOf(mechanism);
      const told = (sni: string) => {
        const { connection } = bench.connect(config, { version, sni });
        return [connection.session?.isResumable, ...new Set(asked.splice(0).sort())];
      };
      expect(told('a.example')[0]).to.equal(false);
      expect(told('b.example')).to.deep.equal([true, 'id b', 'rule out b']);
      expect(told('c.example')).to.deep.equal([true, 'id front', 'rule out front']);
      expect(hosts['b.example']?.store.cache?.size).to.equal(0);
    });
  }

  it('a host for single use does not resume if the store of its front server cannot tell who was first', () => {
    const copies = new Map<string, Uint8Array>();
    let host = bench.bare();
    const config = bench.bare({
      sessions: {
        onNew: (session) => void copies.set(toHex(session.id), session.toDer()),
        onGet: (id) => copies.get(toHex(id)),
      },
      onServerName: () => host,
    });
    const first = bench.connect(config, {});
    config.flushSessions(0);
    host = bench.bare({ tickets: { singleUse: true } });
    const second = bench.connect(config, returning(first));
    expectFull(second, 'consumed');
    expect(second.client.tickets, 'which nobody could use').to.deep.equal([]);
    expectFull(bench.connect(config, returning(first)), 'consumed');
  });

  it('a host that is stateless behind a front that is not has keys of its own', () => {
    const host = bench.bare({ tickets: { mode: 'stateless' } });
    const config = bench.bare({ onServerName: (name) => (name === 'a.example' ? host : undefined) });
    const first = bench.connect(config, { sni: 'a.example' });
    expectResumed(bench.connect(config, returning(first, { sni: 'a.example' })), 'psk-stateless');
    expectFull(bench.connect(config, returning(first, { sni: 'b.example' })), 'undecryptable');
  });

  for (const mechanism of ['psk-stateful', 'psk-stateless'] as const) {
    it(`a scope that does not fit comes before the binder, ${mechanism}`, () => {
      const config = bench.server(mechanism);
      const first = bench.connect(config, { sni: 'a.example' });
      const rewriteBinders = (binders: readonly Uint8Array[]) =>
        binders.map((binder) => binder.map((byte) => byte ^ 1));
      expectFull(bench.connect(config, returning(first, { sni: 'b.example', rewriteBinders })), 'scope');
      expect(bench.connect(config, returning(first, { sni: 'a.example', rewriteBinders })).failure?.alert).to.equal(
        'decrypt_error',
      );
    });
  }
});

describe('the scope of a hello without an application protocol in common', () => {
  it('is not looked at, and no session is looked up: a session may be bound to the protocol', () => {
    const session = returning(bench.visit('session-id', bench.bare()));
    const onGet = () => expect.fail('looked up');
    const sessions = { internalLookup: false, onGet };
    const config = bench.server('session-id', { alpn: ['h2'], scope: { bindAlpn: true }, sessions });
    const { connection, failure } = bench.connect(config, { ...session, alpn: ['spdy/1'] });
    expect(failure?.alert).to.equal('no_application_protocol');
    expect(connection.verdicts).to.deep.equal([]);
  });
});
