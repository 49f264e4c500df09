/**
 * The history of session resumption, 4: availability.
 *
 *     OpenSSL CVE-2024-2511, session flooding, many PSK identities, a store that is out, OpenSSL CVE-2021-3449, node-forge 1.4.3,
 *     records of any size (nginx, Node)
 */

import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { SessionCache } from '../../src/cache/session-cache.ts';
import type { ClientAuthOptions } from '../../src/engine/server/options.ts';
import { Session } from '../../src/sessions/session.ts';
import { EMPTY } from '../../src/wire/bytes.ts';
import { integer, sequence } from '../../src/wire/der.ts';
import { certificateFor, clientCertificate } from '../support/client-certificates.ts';
import { expectFull, expectResumed, firstOffer, firstTicket, MECHANISMS, returning } from '../support/mechanisms.ts';
import { memory } from '../support/memory.ts';
import { many, patience } from '../support/runs.ts';
import { type ClientOptions, ScriptedClient } from '../support/scripted-client.ts';
import { each, expectAlert, failedCallbacks, ID_CONTEXT, STATEFUL, TLS12, TLS13 } from './support.ts';

describe('security history: availability', () => {
  describe('OpenSSL CVE-2024-2511: what cannot be resumed does not stay', () => {
    each('a cache has what it counts and no more than it may, whatever handshakes come to', MECHANISMS, (trial) => {
      const { cache } = trial.bench;
      cache.maxEntries = 12;
      let left = 0;
      let told = 0;
      const config = trial.serve({
        sessions: {
          onNew: () => void told++,
          onRemove: () => void left++,
          notResumable: ({ localPort }) => localPort === 1,
        },
      });
      for (let i = 0; i < 30; i++) {
        const first = trial.visit(config, {}, { addresses: { localPort: i % 10 === 9 ? 1 : 443 } });
        if (i % 10 === 9) continue;
        const links = [0, 1, 2].map(() => trial.bench.connect(config, returning(first, { stopBefore: 'finished' })));
        links[0]?.client.sendAlert('internal_error');
        links[1]?.client.proceed();
        for (const link of links) link.run();
        links[2]?.connection.dispose();
        const sessions = [...cache];
        expect(sessions).to.have.length(cache.size);
        expect(cache.size).to.be.below(13);
        for (const session of sessions) {
          expect(session.id).to.have.length(32);
          expect(session.isResumable).to.equal(true);
          expect(cache.has(session.version, session.id)).to.equal(true);
        }
      }
      if (trial.mechanism !== 'ticket') expect(left).to.be.above(0);
      expect(told).to.equal(left + cache.size);
    });

    each('a session that must not be resumed is in no cache, and has no ticket', MECHANISMS, (trial) => {
      const link = trial.visit(trial.serve({ sessions: { notResumable: () => true } }));
      expect(link.connection.isEstablished).to.equal(true);
      expect(trial.bench.cache.size).to.equal(0);
      expect(link.client.tickets).to.have.length(0);
      if (trial.version === 'TLSv1.2') expect(link.client.session).to.include({ ticket: undefined });
      expect(link.connection.session?.id).to.have.length(0);
    });
  });

  describe('session flooding', () => {
    const CAPACITY = 1000;
    /** As a handshake makes it. */
    const made = (n: number): Session => {
      const id = new Uint8Array(32);
      new DataView(id.buffer).setUint32(0, n);
      const time = Math.floor(n / 100);
      const secret = new Uint8Array(48).fill(7);
      const suite = { cipherSuite: 0xc02b, extendedMasterSecret: true, idContext: EMPTY };
      return new Session({ version: 'TLSv1.2', ...suite, id, secret, time, timeout: 7200, authTime: time });
    };

    const COUNT = many(30_000);

    it(`${COUNT} sessions through a cache of ${CAPACITY}: neither entries nor bytes grow, and who returns in time is known`, function () {
      this.timeout(patience());
      const cache = new SessionCache({ maxEntries: CAPACITY });
      let hits = 0;
      let tries = 0;
      let before = 0;
      for (let n = 0; n < COUNT; n++) {
        const session = made(n);
        cache.add(session);
        session.free();
        // One visitor in a hundred comes back when 999 others have been there.
        if (n >= CAPACITY && n % 100 === 0) {
          tries++;
          if (cache.get('TLSv1.2', made(n - CAPACITY + 1).id, Math.floor(n / 100)) instanceof Session) hits++;
        }
        if (n === Math.floor(COUNT / 5)) before = memory();
      }
      expect(cache.size).to.equal(CAPACITY);
      expect([...cache]).to.have.length(CAPACITY);
      expect(hits).to.equal(tries);
      expect(cache.get('TLSv1.2', made(COUNT - CAPACITY - 1).id, 0)).to.equal(undefined);
      expect(memory() - before).to.be.below(2 ** 20);
      cache.close();
    });

    each('what clients hold themselves is not washed away', ['ticket', 'psk-stateless'], (trial) => {
      const config = trial.serve();
      const first = trial.visit(config);
      trial.bench.cache.maxEntries = 10;
      for (let n = 0; n < 1000; n++) trial.bench.cache.add(made(n));
      expectResumed(trial.back(first, config), trial.mechanism);
    });
  });

  each('many PSK identities: few are looked at, however many there are', TLS13, (trial) => {
    let lookups = 0;
    const { keys } = trial.bench;
    const counting = {
      sealingKey: () => keys.sealingKey(),
      openingKeys: (name: Uint8Array) => {
        lookups++;
        return keys.openingKeys(name);
      },
    };
    const onGet = () => void lookups++;
    const config = trial.serve(trial.isStateless ? { tickets: { keys: counting } } : { sessions: { onGet } });
    const good = firstTicket(trial.visit(config));
    // The extension has no room for more of the first kind, nor of the second.
    for (const [length, count, asked] of [
      [1, 1600, 0],
      [32, 880, 5],
    ] as const) {
      lookups = 0;
      const flood = Array.from({ length: count }, (_, i) => {
        const identity = new Uint8Array(length).fill(i);
        if (length > 2) new DataView(identity.buffer).setUint16(0, i);
        return { identity, obfuscatedTicketAge: 0 };
      });
      const rewriteHello: ClientOptions['rewriteHello'] = (hello) => {
        const identities = [...flood, { identity: good.identity, obfuscatedTicketAge: 0 }];
        const binders = identities.map(() => new Uint8Array(32));
        return { ...hello, extensions: { ...hello.extensions, preSharedKey: { identities, binders } } };
      };
      const link = trial.bench.connect(config, { psks: [good], rewriteHello });
      expectFull(link, 'too-many-identities');
      expect(lookups).to.equal(asked);
      expect(link.connection.verdicts).to.have.length(6);
    }
  });

  describe('a store that is out', () => {
    each('never answers: a full handshake at the deadline, and what comes later is nobody’s', MECHANISMS, (trial) => {
      const { keys, cache } = trial.bench;
      const first = trial.visit(trial.serve());
      const never = () => new Promise<never>(() => {});
      const config = trial.isStateless
        ? trial.serve({ tickets: { keys: { sealingKey: () => keys.sealingKey(), openingKeys: never } } })
        : trial.serve({ sessions: { internalLookup: false, onGet: never } });
      const link = trial.back(first, config, { stopBefore: 'finished' });
      const { question } = link;
      if (question === undefined) throw new Error('nothing is waited for');
      expect(question.budgeted).to.equal(true);
      link.answer({ late: true });
      expect(link.connection.resumption.reason).to.equal('store-timeout');
      const session = first.connection.session as Session;
      const late = trial.isStateless ? keys.openingKeys(trial.offered(first).subarray(0, 16)) : [...cache][0];
      const { holds } = session;
      expect(link.connection.answer(question, { value: late })).to.deep.equal({
        output: EMPTY,
        events: [],
        question: undefined,
      });
      expect(session.holds).to.equal(holds);
      link.client.proceed();
      expectFull(link.run(), 'store-timeout');
    });

    each('never says whose a session for single use is', TLS13, (trial) => {
      const onTake = () => new Promise<never>(() => {});
      const config = trial.serve({ sessions: { onTake }, tickets: { singleUse: true } });
      const link = trial.back(trial.visit(config), config);
      link.answer({ late: true });
      expectFull(link, 'store-timeout');
    });
  });

  describe('OpenSSL CVE-2021-3449: renegotiation is refused, with and without a session', () => {
    const CHANGES: Record<string, ClientOptions['rewriteHello']> = {
      'a hello like the first': undefined,
      'without signature_algorithms, with signature_algorithms_cert': (hello, attempt) =>
        attempt === 1
          ? hello
          : {
              ...hello,
              extensions: { ...hello.extensions, signatureAlgorithms: undefined, signatureAlgorithmsCert: [0x0403] },
            },
    };
    for (const [what, rewriteHello] of Object.entries(CHANGES)) {
      each(what, MECHANISMS, (trial) => {
        const asked: string[] = [];
        const config = trial.serve({ sessions: { onGet: () => void asked.push('onGet') } });
        const link = trial.back(trial.visit(config), config, { rewriteHello });
        expectResumed(link, trial.mechanism);
        const other = new ScriptedClient({
          ...link.client.options,
          rewriteHello: rewriteHello && ((hello) => rewriteHello(hello, 2)),
        });
        other.take();
        link.client.sendMessage(other.sent[0]?.raw as Uint8Array);
        link.run();
        expect(asked).to.deep.equal([]);
        if (trial.version === 'TLSv1.3') return expectAlert(link, 'unexpected_message');
        expect(link.client.alert).to.include({ name: 'no_renegotiation', level: 1 });
        link.client.sendData(Uint8Array.of(1, 2, 3));
        expect(link.run().data).to.deep.equal(Uint8Array.of(1, 2, 3));
        expect(config.statistics()).to.include({ accept: 2, acceptGood: 2, hits: 1 });
      });
    }
  });

  describe('node-forge 1.4.3: an id that is none reaches no entry', () => {
    each('an empty one is not asked about', TLS12, (trial) => {
      const asked: Uint8Array[] = [];
      const onGet = (id: Uint8Array) => void asked.push(id);
      const config = trial.serve({ sessions: { onGet } });
      const first = trial.visit(config);
      const link = trial.bench.connect(config, returning(first, { sessionId: EMPTY, ticketExt: EMPTY }));
      expectFull(link, 'not-offered');
      expect(asked).to.deep.equal([]);
    });

    each('one that this server cannot have given out is not asked about', ['psk-stateful'], (trial) => {
      const asked: Uint8Array[] = [];
      const onGet = (id: Uint8Array) => void asked.push(id);
      const config = trial.serve({ sessions: { onGet } });
      const first = trial.visit(config);
      for (const length of [1, 2, 8, 16, 31, 33, 64]) {
        const link = trial.bench.connect(config, trial.showing(first, new Uint8Array(length).fill(9)));
        expect(link.connection.resumption.resumed).to.equal(false);
      }
      expect(asked).to.deep.equal([]);
    });

    each('a part of one finds nothing, also in a store that answers whatever it is asked', STATEFUL, (trial) => {
      const first = trial.visit(trial.serve());
      const id = trial.offered(first);
      const kept = [...trial.bench.cache].find((session) => session.id.join() === id.join()) as Session;
      const generateId = () => undefined; // so that it may be asked for ids of any length
      const config = trial.serve({ sessions: { internalLookup: false, generateId, onGet: () => kept } });
      for (const length of [1, 8, 31]) {
        const link = trial.bench.connect(config, trial.showing(first, id.subarray(0, length)));
        expectFull(link, 'wrong-id');
        expect(failedCallbacks(link)).to.deep.equal(['onGet']);
        expectFull(trial.bench.connect(trial.serve(), trial.showing(first, id.subarray(0, length))), 'unknown');
      }
      expectResumed(trial.back(first, config), trial.mechanism);
    });

    each('no cache takes a session without one', STATEFUL, (trial) => {
      const { session } = trial.visit(trial.serve()).connection;
      const nameless = session?.dup({ id: EMPTY });
      expect(() => trial.bench.cache.add(nameless as Session)).to.throw(RangeError);
      expect(trial.bench.cache.has(trial.version, EMPTY)).to.equal(false);
    });
  });

  describe('records of any size: nginx, Node', () => {
    const real = clientCertificate('ecdsaP256');
    const key = new X509Certificate(real.chain[0] as Uint8Array).publicKey.export({ format: 'der', type: 'spki' });
    const clientAuth: ClientAuthOptions = { mode: 'require', verifyClient: () => true };
    const sessions = { idContext: ID_CONTEXT };

    each('a chain of 60 KB: the session keeps the first of it alone', MECHANISMS, (trial) => {
      const config = trial.serve({ clientAuth, sessions });
      const more = Array.from({ length: 14 }, () => sequence(integer(1), new Uint8Array(4300)));
      const first = trial.visit(config, { certificate: { ...real, chain: [...real.chain.slice(0, 1), ...more] } });
      expect(first.failure).to.equal(undefined);
      expect(first.connection.peerCertificateChain).to.have.length(15);
      expect(first.connection.session?.toDer()).to.have.length.below(2000);
      expectResumed(trial.back(first, config), trial.mechanism);
    });

    each('a certificate of 65 KB: kept nowhere, which is told, and the handshake is fine', MECHANISMS, (trial) => {
      const config = trial.serve({ clientAuth, sessions });
      const bloated = certificateFor(key, 'x'.repeat(32_600));
      expect(bloated.length).to.be.above(0xff00);
      const link = trial.visit(config, { certificate: { ...real, chain: [bloated] } });
      expect(link.failure).to.equal(undefined);
      expect(link.connection.isEstablished).to.equal(true);
      const told = link.events.flatMap((event) => (event.type === 'no-ticket' ? [event.reason] : []));
      expect(trial.bench.cache.size).to.equal(0);
      expect(new Set(told)).to.deep.equal(new Set(['too-large']));
      expect(link.client.tickets).to.have.length(0);
      expect(link.client.ticketTls12?.ticket ?? EMPTY).to.have.length(0);
    });

    each('application data of 64 KB: the same', ['ticket', 'psk-stateless'], (trial) => {
      const config = trial.serve({ tickets: { onGenerate: () => new Uint8Array(0xffff) } });
      const link = trial.bench.connect(config, firstOffer(trial.mechanism));
      expect(link.connection.isEstablished).to.equal(true);
      expect(link.has('no-ticket')).to.equal(true);
      expect(link.client.tickets).to.have.length(0);
    });
  });
});
