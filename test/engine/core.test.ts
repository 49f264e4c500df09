/** What the core promises of any connection: whose answer is taken, how its life goes on, and what is reported. */

import { expect } from 'chai';
import { give } from '../../src/cache/callbacks.ts';
import type { Aead, AeadKey, Hash, HmacKey } from '../../src/crypto/provider.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import type { Event } from '../../src/engine/events.ts';
import { LifeCycle } from '../../src/engine/life-cycle.ts';
import type { Deferred, Question } from '../../src/engine/questions.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { faults, pair } from '../../src/testing.ts';
import type { TicketKeyProvider } from '../../src/tickets/key-provider.ts';
import { AlertLevel } from '../../src/wire/registry.ts';
import { certificates } from '../fixtures.ts';
import type { Exchange } from '../support/exchange.ts';
import { Bench, firstTicket, returning, VERSIONS } from '../support/mechanisms.ts';
import { bufferMemory } from '../support/memory.ts';
import type { ClientOptions } from '../support/scripted-client.ts';
import { withRawExtension } from '../support/scripted-hello.ts';
import { toyCrypto } from '../support/servers.ts';

const never = () => new Promise<undefined>(() => {});

/** A provider whose keys fail to be wiped, each time, from the moment that `fails` is set. */
class Stubborn {
  fails = false;
  /** The keys that have not been asked to wipe themselves. */
  readonly live = new Set<object>();

  readonly crypto = {
    ...toyCrypto,
    hashes: { sha256: this.#hash(toyCrypto.hashes.sha256), sha384: this.#hash(toyCrypto.hashes.sha384) },
    aeads: {
      'aes-128-gcm': this.#aead(toyCrypto.aeads['aes-128-gcm']),
      'aes-256-gcm': this.#aead(toyCrypto.aeads['aes-256-gcm']),
      'chacha20-poly1305': this.#aead(toyCrypto.aeads['chacha20-poly1305']),
    },
  };

  #hash(hash: Hash): Hash {
    const methods = (made: HmacKey) => ({ sign: made.sign.bind(made) });
    const hmac = (key: Uint8Array) => (key.length === 0 ? hash.hmac(key) : this.#stubborn(hash.hmac(key), methods)); // the empty key belongs to all connections
    return { ...hash, hmac };
  }

  #aead(aead: Aead): Aead {
    const methods = (made: AeadKey) => ({ seal: made.seal.bind(made), open: made.open.bind(made) });
    return { ...aead, key: (bytes) => this.#stubborn(aead.key(bytes), methods) };
  }

  #stubborn<K extends { wipe(): void }, M extends object>(made: K, methods: (made: K) => M): M & { wipe(): void } {
    this.live.add(made);
    const wipe = () => {
      this.live.delete(made);
      if (this.fails) throw new Error('this key is not to be wiped');
      made.wipe();
    };
    return { ...methods(made), wipe };
  }
}

describe('ConnectionCore', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench.close());

  it("does not take an answer to another connection's question", () => {
    const config = bench.server('psk-stateful', { sessions: { onGet: never } });
    const offer = { psks: [firstTicket(bench.visit('psk-stateful', bench.bare()))] };
    const [a, b] = [bench.connect(config, offer), bench.connect(config, offer)];
    const [asked, other] = [a.question, b.question];
    if (asked === undefined || other === undefined) throw new Error('both wait for the store');
    expect(b.connection.answer(asked, { value: undefined }).question).to.equal(other);
    expect(b.connection.isEstablished).to.equal(false);
    b.step(b.connection.answer(other, { value: undefined })).run();
    expect(b.connection.isEstablished).to.equal(true);
  });

  it("does not settle another connection's deferred answer", () => {
    const config = bench.server('psk-stateful', { sessions: { onNew: () => Promise.resolve(false) } });
    const [a, b] = [bench.connect(config, {}), bench.connect(config, {})];
    const deferredOf = (events: readonly Event[]) =>
      events.flatMap((event) => (event.type === 'deferred' ? [event.deferred] : []));
    const size = bench.cache.size;
    for (const deferred of deferredOf(a.events)) b.connection.settle(deferred, { value: false });
    expect(bench.cache.size).to.equal(size);
    for (const deferred of deferredOf(a.events)) a.connection.settle(deferred, { value: false });
    expect(bench.cache.size).to.equal(size - deferredOf(a.events).length);
  });

  for (const when of ['pending', 'made'] as const) {
    it(`names openingKeys where its answer rejects after dispose(), the promise ${when} at that time`, () => {
      let end = (): void => {};
      const keys: TicketKeyProvider = {
        sealingKey: () => bench.keys.sealingKey(),
        openingKeys: () => {
          if (when === 'made') end();
          return Promise.reject(new Error('the key service is down'));
        },
      };
      const offer = returning(bench.visit('psk-stateless', bench.server('psk-stateless')));
      const link = bench.link(bench.server('psk-stateless', { tickets: { keys } }), offer);
      const seen: Event[] = [];
      end = () => void seen.push(...link.connection.dispose().events);
      link.run();
      if (when === 'pending') end();
      const { question } = link;
      const deferred = link.events.flatMap((event) => (event.type === 'deferred' ? [event.deferred] : []));
      const error = new Error('the key service is down');
      if (when === 'made') {
        expect(deferred.map(({ callback }) => callback)).to.deep.equal(['openingKeys']);
        for (const each of deferred) seen.push(...link.connection.settle(each, { error }).events);
        expect(seen).to.deep.include({ type: 'callback-error', callback: 'openingKeys', error });
      } else if (question !== undefined) {
        expect(link.connection.answer(question, { error }).events).to.deep.equal([]); // nobody waits for it
      }
    });
  }
});

describe('the end of a connection', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench.close());

  const tls12 = { version: 'TLSv1.2' } as const;
  const alerts = [
    ['handshake_failure', AlertLevel.fatal, 'failed'],
    ['close_notify', AlertLevel.warning, 'end'],
  ] as const;
  for (const [alert, level, event] of alerts) {
    it(`comes after what is queued: ${alert} in one read with Finished, TLS 1.2`, () => {
      const link = bench.connect(bench.bare(), { ...tls12, stopBefore: 'client_key_exchange' });
      link.client.proceed();
      link.client.sendAlert(alert, level);
      link.run();
      expect(link.has(event)).to.equal(true);
      expect(link.client.isEstablished).to.equal(true); // the server's Finished was protected while there was a key
      expect(link.failure?.origin).to.equal(event === 'failed' ? 'remote' : undefined);
    });
  }

  for (const version of VERSIONS) {
    for (const stopBefore of ['finished', undefined] as const) {
      const when = stopBefore === undefined ? 'once it is established' : 'in its handshake';
      it(`wipes every key and releases every hold, though no key lets itself be wiped, ${when}, ${version}`, () => {
        const stubborn = new Stubborn();
        const config = bench.bare({ crypto: stubborn.crypto });
        const { connection } = bench.connect(config, returning(bench.connect(config, { version }), { stopBefore }));
        bench.links[0]?.connection.dispose();
        const { session } = connection.resumption;
        const holds = session?.holds ?? 0;
        stubborn.fails = true;
        expect(() => connection.dispose()).to.throw('this key is not to be wiped');
        expect(stubborn.live.size).to.equal(0);
        expect(session?.holds).to.be.below(holds);
        expect(connection.dispose().output.length, 'and that once').to.equal(0);
      });
    }

    it(`sends its alert, and tells how it failed, though no key lets itself be wiped, ${version}`, () => {
      const stubborn = new Stubborn();
      const { connection } = bench.connect(bench.bare({ crypto: stubborn.crypto }), { version });
      stubborn.fails = true;
      expect(() => connection.receive(Uint8Array.of(99, 3, 3, 0, 1, 0))).to.throw('this key is not to be wiped');
      expect(connection.hasFailed).to.equal(true);
      const { events, output } = connection.dispose();
      expect(events.map(({ type }) => type)).to.include('failed');
      expect(output.length).to.be.above(0);
    });
  }

  const rest: Readonly<Record<string, (link: Exchange) => unknown>> = {
    'a part of a record': ({ connection }) => connection.receive(Uint8Array.of(22)),
    'a part of a message': ({ connection }) => connection.receive(Uint8Array.of(22, 3, 3, 0, 1, 11)),
  };
  for (const version of VERSIONS) {
    it(`comes with the end of the transport while a callback is asked, if the handshake wants more, ${version}`, () => {
      const config = bench.bare({ onServerName: never });
      const lost = bench.connect(config, { version });
      expect(lost.question?.kind).to.equal('server-name');
      lost.step(lost.connection.transportEnded());
      expect([lost.question, lost.connection.waitingFor]).to.deep.equal([undefined, undefined]);
      for (const [what, come] of Object.entries(rest)) {
        const link = bench.connect(config, { version });
        come(link);
        link.step(link.connection.transportEnded());
        expect(link.question?.kind, what).to.equal('server-name');
      }
    });
  }

  it('does not come with the end of the transport once the client has said all that it has to say', () => {
    let seal = (_: undefined): void => {};
    const keys: TicketKeyProvider = {
      sealingKey: () => new Promise<undefined>((resolve) => (seal = resolve)),
      openingKeys: () => [],
    };
    const link = bench.visit('ticket', bench.bare({ tickets: { mode: 'stateless', keys } }));
    expect(link.question?.kind).to.equal('ticket');
    link.step(link.connection.transportEnded());
    expect(link.question?.kind).to.equal('ticket');
    seal(undefined);
    link.answer({ value: undefined });
    expect(link.client.isEstablished).to.equal(true);
  });

  const withdrawals: Readonly<Record<string, (link: Exchange) => unknown>> = {
    'end()': ({ connection }) => connection.end(),
    'dispose()': ({ connection }) => connection.dispose(),
    'a late answer': (link) => link.answer({ late: true }),
  };
  for (const version of VERSIONS) {
    for (const [how, withdraw] of Object.entries(withdrawals)) {
      for (const passesOn of [false, true]) {
        const shell = passesOn ? 'though the shell passes it on, too' : 'though no shell passes it on';
        it(`releases what a store gives after ${how} once, ${shell}, ${version}`, async () => {
          const first = bench.connect(bench.bare({ tickets: { initial: 1 } }), { version });
          const given = first.connection.session?.dup().upRef();
          if (given === undefined) throw new Error('no session');
          let answer = (_: unknown): void => {};
          const promise = new Promise<never>((resolve) => {
            answer = resolve as typeof answer;
          });
          const link = bench.connect(
            bench.bare({ sessions: { cache: false, onGet: () => promise } }),
            returning(first),
          );
          const { question } = link;
          if (question === undefined) throw new Error('no question');
          withdraw(link);
          answer(give(given));
          const value = await promise;
          if (passesOn) link.connection.answer(question, { value });
          await new Promise((resolve) => setImmediate(resolve));
          expect(given.holds).to.equal(1);
        });
      }
    }
  }

  const ends: Readonly<Record<string, (link: Exchange) => unknown>> = {
    'end() in the handshake': (link) => link.connection.end(),
    'end() and close_notify': (link) => {
      link.step(link.connection.end());
      link.client.close();
      link.run();
    },
    'dispose()': (link) => link.connection.dispose(),
    'transportEnded()': (link) => link.connection.transportEnded(),
    'close_notify of the peer': (link) => {
      link.client.close();
      link.run();
    },
    'a fatal alert of the peer': (link) => {
      link.client.sendAlert('handshake_failure');
      link.run();
    },
    'a failure of ours': (link) => link.connection.receive(Uint8Array.of(99, 3, 3, 0, 1, 0)),
  };
  for (const version of VERSIONS) {
    for (const [how, end] of Object.entries(ends)) {
      it(`keeps nothing of what comes later: ${how}, ${version}`, () => {
        const stopBefore = how === 'end() in the handshake' ? 'finished' : undefined;
        const link = bench.connect(bench.bare(), { version, stopBefore });
        end(link);
        const chunk = new Uint8Array(65_536).fill(23);
        for (let i = 0; i < 1000; i++) {
          const { output, events, question } = link.connection.receive(chunk);
          expect(output.length + events.length).to.equal(0);
          expect(question).to.equal(undefined);
        }
        expect(link.connection.channel.reader.buffered).to.equal(0);
        expect(link.connection.waitingFor).to.equal(undefined);
      });
    }

    it(`forgets what stands behind a close_notify in one read, ${version}`, () => {
      const link = bench.connect(bench.bare(), { version });
      link.client.close();
      link.client.injector.bytes(new Uint8Array(40_000).fill(23));
      link.run();
      expect(link.has('end')).to.equal(true);
      expect(link.connection.channel.reader.buffered).to.equal(0);
    });
  }

  it('by its transport comes after what has been received, where that waits for an answer', () => {
    const config = bench.server('psk-stateful', { sessions: { onGet: never } });
    const link = bench.connect(config, { psks: [firstTicket(bench.visit('psk-stateful', bench.bare()))] });
    const { question } = link;
    if (question === undefined) throw new Error('it waits for the store');
    link.connection.receive(Uint8Array.of(22)); // what may yet be all that the handshake wants
    link.step(link.connection.transportEnded());
    expect(link.question).to.equal(question);
    expect(link.connection.receive(new Uint8Array(65_537)).question).to.equal(question); // ignored, as it comes after the end
    link.step(link.connection.answer(question, { value: undefined }));
    expect(link.connection.waitingFor).to.equal(undefined);
    expect(link.client.heard).to.include('finished'); // the server had all that it needed for its flight
  });

  it('by its transport comes at once where nothing waits', () => {
    const mute = bench.link(bench.bare(), {});
    expect(mute.connection.waitingFor?.kind).to.equal('message');
    mute.connection.transportEnded();
    expect(mute.connection.waitingFor).to.equal(undefined);
    const { connection } = bench.visit('session-id', bench.server('session-id'));
    const session = connection.session?.upRef();
    expect(session?.isResumable).to.equal(true);
    connection.transportEnded();
    expect(session?.isResumable, 'after an unclean end').to.equal(false);
    session?.free();
  });

  it('by its transport lets a Finished, data and a close_notify count that wait for an answer', () => {
    const keys: TicketKeyProvider = { sealingKey: () => never(), openingKeys: () => [] };
    const config = bench.server('psk-stateless', { tickets: { keys, initial: 1 } });
    const link = bench.connect(config, { stopBefore: 'finished' });
    link.client.proceed();
    link.client.sendData(Uint8Array.of(1, 2, 3));
    link.client.close();
    link.run();
    const { question } = link;
    if (question === undefined) throw new Error('it waits for a key');
    link.step(link.connection.transportEnded());
    link.step(link.connection.answer(question, { value: undefined }));
    expect([...link.data]).to.deep.equal([1, 2, 3]);
    expect(link.has('end')).to.equal(true);
    expect(link.connection.canWrite).to.equal(true);
  });

  it('of our direction by end() withdraws what is asked for a ticket, and takes in what has come meanwhile', () => {
    const keys: TicketKeyProvider = { sealingKey: () => never(), openingKeys: () => [] };
    const link = bench.visit('psk-stateless', bench.server('psk-stateless', { tickets: { keys, initial: 0 } }));
    link.step(link.connection.sendTicket());
    link.client.sendData(Uint8Array.of(1, 2, 3));
    link.step(link.connection.receive(link.client.take()));
    expect([link.question?.kind, link.data.length]).to.deep.equal(['ticket', 0]);
    link.step(link.connection.end());
    expect(link.question).to.equal(undefined);
    expect([...link.data]).to.deep.equal([1, 2, 3]);
  });

  it('takes 64 KiB while a question is open, and not a byte more', () => {
    const config = bench.server('psk-stateful', { sessions: { onGet: never } });
    const { connection } = bench.connect(config, { psks: [firstTicket(bench.visit('psk-stateful', bench.bare()))] });
    connection.receive(new Uint8Array(65_536));
    expect(() => connection.receive(new Uint8Array(1))).to.throw(RangeError, 'stop reading');
    connection.end();
    expect(connection.receive(new Uint8Array(65_537)).events).to.deep.equal([]);
  });

  it('in the handshake gives up the ClientHello at once', () => {
    const LENGTH = 60_000;
    const rewriteExtensions: ClientOptions['rewriteExtensions'] = (list) =>
      withRawExtension(list, { type: 0xfafa, data: new Uint8Array(LENGTH) });
    const offer = returning(bench.visit('psk-stateful', bench.server('psk-stateful')));
    const waits = [
      { config: bench.bare({ onServerName: never }), offer: {}, kind: 'server-name' },
      {
        config: bench.server('psk-stateful', { sessions: { mayResume: () => new Promise<boolean>(() => {}) } }),
        offer,
        kind: 'resumption',
      },
    ];
    for (const { config, offer, kind } of waits) {
      const kept: ServerConnection[] = [];
      let before = 0;
      for (let i = 0; i < 6; i++) {
        if (i === 2) before = bufferMemory(); // the first ones make what all use
        const connection = new ServerConnection(config);
        const hello = bench.client({ ...offer, rewriteExtensions }).take();
        expect(connection.receive(hello).question?.kind).to.equal(kind);
        connection.end();
        kept.push(connection);
      }
      expect((bufferMemory() - before) / 4, kind).to.be.below(LENGTH / 2);
    }
  });

  for (const version of VERSIONS) {
    for (const when of ['in the handshake', 'in write()', 'in end()', 'in dispose()'] as const) {
      it(`by a provider that throws ${when}: an alert if it can, 'failed' and the error, ${version}`, () => {
        const bug = new Error('the provider');
        let isBroken = false;
        const broken = (aead: Aead): Aead => ({
          ...aead,
          key: (bytes) => {
            const key = aead.key(bytes);
            const seal: AeadKey['seal'] = (...parts) => {
              if (isBroken) throw bug;
              return key.seal(...parts);
            };
            return { seal, open: (...parts) => key.open(...parts), wipe: () => key.wipe() };
          },
        });
        const { aeads } = toyCrypto;
        const crypto = {
          ...toyCrypto,
          aeads: {
            'aes-128-gcm': broken(aeads['aes-128-gcm']),
            'aes-256-gcm': broken(aeads['aes-256-gcm']),
            'chacha20-poly1305': broken(aeads['chacha20-poly1305']),
          },
        };
        const link = bench.link(bench.bare({ crypto }), { version });
        const { connection } = link;
        if (when === 'in the handshake') isBroken = true;
        else link.run();
        isBroken = true;
        const calls = {
          'in the handshake': () => link.run(),
          'in write()': () => connection.write(Uint8Array.of(1)),
          'in end()': () => connection.end(),
          'in dispose()': () => connection.dispose(),
        };
        if (when === 'in dispose()') {
          expect(calls[when]).not.to.throw(); // it has nothing to protect
          return;
        }
        expect(calls[when]).to.throw(bug.message);
        expect(connection.hasFailed).to.equal(true);
        const { events } = connection.dispose();
        expect(events.filter(({ type }) => type === 'failed').length).to.equal(1);
        expect(connection.waitingFor).to.equal(undefined);
      });
    }
  }
});

describe('LifeCycle', () => {
  const LEGAL = new Set([
    'handshaking open open',
    'established open open',
    'established ended open',
    'established open ended',
    'established ended ended',
    'closed ended open',
    'closed ended ended',
    'failed ended ended',
  ]);
  const STEPS: readonly ((life: LifeCycle) => void)[] = [
    (life) => life.phase === 'handshaking' && life.establish(),
    (life) => life.endReading(),
    (life) => life.endWriting(),
    (life) => life.close(),
    (life) => life.fail(),
  ];
  const stateOf = ({ phase, reading, writing }: LifeCycle) => `${phase} ${reading} ${writing}`;

  it('reaches every combination of its table, and no other', () => {
    const seen = new Set<string>();
    const visit = (steps: readonly ((life: LifeCycle) => void)[]): void => {
      const life = new LifeCycle();
      for (const step of steps) step(life);
      seen.add(stateOf(life));
      if (steps.length < 4) for (const step of STEPS) visit([...steps, step]);
    };
    visit([]);
    expect(seen).to.deep.equal(LEGAL);
  });
});

describe('a connection', () => {
  it('shows nothing of its insides to a logger', () => {
    const bench = new Bench();
    try {
      const { connection } = bench.connect(bench.bare(), {});
      expect(Object.keys(connection)).to.deep.equal([]);
      expect(JSON.stringify(connection)).to.equal('{}');
    } finally {
      bench.close();
    }
  });

  it('ignores an answer to what is no question, and goes on', () => {
    const bench = new Bench();
    try {
      const { connection } = bench.connect(bench.bare(), {});
      for (const nothing of [5, 'x', null, undefined, {}]) {
        connection.answer(nothing as unknown as Question, { value: undefined });
        connection.settle(nothing as unknown as Deferred, { value: undefined });
      }
      expect(connection.isEstablished).to.equal(true);
    } finally {
      bench.close();
    }
  });

  for (const side of ['client', 'server'] as const) {
    it(`lends a new session of the step in which it fails until it is disposed of: a ${side}`, () => {
      const fault = side === 'client' ? faults.plaintext('application_data') : faults.repeat('finished');
      const isServer = side === 'server';
      const version = isServer ? 'TLSv1.2' : 'TLSv1.3';
      const credentials = [certificates.ecdsaP256];
      const server = defineServer({ credentials, maxVersion: version, tickets: { timing: 'with-first-write' } });
      const client = defineClient({ verifyServer: 'any', sessions: { cache: false } });
      const other = { faults: [fault] };
      const one = pair(client, server, isServer ? { client: other } : { server: other }).runSync();
      if (!isServer) one.take('server', one.server.write(Uint8Array.of(1))).runSync();
      const own = one.events.filter((event) => event.side === side).map(({ event }) => event.type);
      expect(own.slice(own.indexOf('new-session'))).to.include('failed');
      const [first] = one.eventsOf(side, 'new-session');
      expect(first?.session.holds).to.equal(1);
      one[side].dispose();
      expect(first?.session.holds).to.equal(0);
    });
  }
});
