/**
 * The history of session resumption, 5: downgrade, replay, privacy.
 *
 *     OpenSSL CVE-2010-4180 and CVE-2008-7270, resumption across versions, ALPACA, Go CVE-2022-30629, tracking (Sy et al. 2018),
 *     tickets that are used twice, RFC 5246 §7.2.2, tlsfuzzer 373
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { MAX_TICKET_LIFETIME } from '../../src/handshake/messages/new-session-ticket.ts';
import type { Session } from '../../src/sessions/session.ts';
import { EMPTY, toHex } from '../../src/wire/bytes.ts';
import { expectFull, expectResumed, firstOffer, firstTicket, MECHANISMS, returning } from '../support/mechanisms.ts';
import type { ClientOptions, Exchange } from '../support/scripted-client.ts';
import { packageFile } from '../web/support.ts';
import { each, expectAlert, failedCallbacks, STATEFUL, TLS12, TLS13, type Trial } from './support.ts';

const AES_128 = { 'TLSv1.2': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLSv1.3': 'TLS_AES_128_GCM_SHA256' } as const;
const AES_256 = { 'TLSv1.2': 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'TLSv1.3': 'TLS_AES_256_GCM_SHA384' } as const;
const CHACHA = {
  'TLSv1.2': 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'TLSv1.3': 'TLS_CHACHA20_POLY1305_SHA256',
} as const;

/** The lifetimes that a client was told: of its tickets, or none. */
function lifetimes({ client }: Exchange): readonly number[] {
  if (client.version === 'TLSv1.3') return client.tickets.map(({ lifetime }) => lifetime);
  return client.ticketTls12 === undefined ? [] : [client.ticketTls12.ticketLifetimeHint];
}

const gone = (trial: Trial, session: Session) => !trial.bench.cache.has(session.version, session.id);

describe('security history: downgrade, replay, privacy', () => {
  describe('OpenSSL CVE-2010-4180, CVE-2008-7270: the suite of a session stays what it was', () => {
    each(
      'a suite that the client does not offer is not resumed with, nor written into the session',
      MECHANISMS,
      (trial) => {
        const { version } = trial;
        const ciphers = [CHACHA, AES_128, AES_256].map((names) => names[version]);
        const config = trial.serve({ ciphers });
        const first = trial.visit(config, { ciphers: [AES_128[version]] });
        const { cipherSuite } = first.connection.session as Session;
        const weaker = trial.back(first, config, { ciphers: [AES_256[version]] });
        expectFull(weaker, version === 'TLSv1.2' ? 'cipher-suite' : 'hash');
        expect(weaker.connection.cipherSuite).to.equal(AES_256[version]);
        const other = trial.back(first, config, { ciphers: [CHACHA[version]] });
        // RFC 9846 §4.3.11 asks for the same hash alone.
        if (version === 'TLSv1.3') expectResumed(other, trial.mechanism);
        else expectFull(other, 'cipher-suite');
        expect(other.connection.cipherSuite).to.equal(CHACHA[version]);
        expect((first.connection.session as Session).cipherSuite).to.equal(cipherSuite);
        const again = trial.back(first, config, { ciphers: [CHACHA[version], AES_128[version]] });
        expectResumed(again, trial.mechanism);
        expect(again.connection.cipherSuite).to.equal(AES_128[version]);
        expect(again.connection.resumption.session?.cipherSuite).to.equal(cipherSuite);
      },
    );

    each('a suite that the server has given up since is not resumed with', MECHANISMS, (trial) => {
      const first = trial.visit(trial.serve(), { ciphers: [AES_128[trial.version]] });
      const without = trial.serve({ ciphers: [AES_256['TLSv1.3'], AES_256['TLSv1.2']] });
      const offer = { ciphers: [AES_128[trial.version], AES_256[trial.version]] };
      const second = trial.back(first, without, offer);
      expectFull(second, trial.version === 'TLSv1.2' ? 'cipher-suite' : 'hash');
      expect(second.connection.cipherSuite).to.equal(AES_256[trial.version]);
    });
  });

  describe('resumption across versions', () => {
    each('what TLS 1.2 gave out is nothing in a hello of TLS 1.3', TLS12, (trial) => {
      const config = trial.serve();
      const first = trial.visit(config, { ciphers: [AES_128['TLSv1.2']] });
      const { id, ticket, secret } = first.client.session;
      const link = trial.bench.connect(config, { sessionId: id, ticketExt: ticket });
      expectFull(link, 'not-offered');
      expect(link.connection.version).to.equal('TLSv1.3');
      const psk = { identity: trial.offered(first), secret, hash: 'sha256' } as const;
      expectFull(trial.bench.connect(config, { psks: [psk] }), ticket === undefined ? 'unknown' : 'version');
      expectResumed(trial.back(first, config), trial.mechanism);
    });

    each('what TLS 1.3 gave out is nothing in a hello of TLS 1.2', TLS13, (trial) => {
      const config = trial.serve();
      const first = trial.visit(config);
      const { identity, secret } = firstTicket(first);
      const session = { id: trial.isStateless ? new Uint8Array(32) : identity, secret, cipherSuite: 0xc02b };
      const ticketExt = trial.isStateless ? identity : EMPTY;
      const link = trial.bench.connect(config, { version: 'TLSv1.2', session, ticketExt });
      expectFull(link, trial.isStateless ? 'version' : 'unknown');
      expectResumed(trial.back(first, config), trial.mechanism);
    });

    each('nor where a store gives a session of the other version', STATEFUL, (trial) => {
      const first = trial.visit(trial.serve());
      const session = first.connection.session as Session;
      const other = session.dup({
        version: trial.version === 'TLSv1.2' ? 'TLSv1.3' : 'TLSv1.2',
        id: trial.offered(first),
      });
      const config = trial.serve({ sessions: { internalLookup: false, onGet: () => other } });
      const link = trial.back(first, config);
      expectFull(link, 'version');
      expect(failedCallbacks(link)).to.deep.equal(['onGet']);
    });

    each('nor where the server has only the other version now', MECHANISMS, (trial) => {
      const first = trial.visit(trial.serve());
      const maxVersion = trial.version === 'TLSv1.3' ? 'TLSv1.2' : 'TLSv1.3';
      const config = trial.serve({ minVersion: maxVersion, maxVersion });
      const link = trial.back(first, config);
      if (trial.version === 'TLSv1.2') return expectAlert(link, 'protocol_version');
      expectFull(link, 'unknown'); // its legacy_session_id
      expect(link.connection.version).to.equal('TLSv1.2');
    });
  });

  each('ALPACA: a session of one protocol is none for another, where that is asked for', MECHANISMS, (trial) => {
    const alpn = ['h2', 'smtp', 'http/1.1'];
    for (const [transport, scope] of [
      ['tcp', { bindAlpn: true }],
      ['quic', { bindAlpn: true, label: 'quic' }],
    ] as const) {
      const config = trial.serve({ alpn, scope });
      const first = trial.visit(config, { alpn: ['smtp'] });
      expectFull(trial.back(first, config, { alpn: ['h2'] }), 'scope');
      expectFull(trial.back(first, config), 'scope');
      const elsewhere = trial.serve({ alpn, scope: { bindAlpn: true, label: transport === 'quic' ? '' : 'quic' } });
      expectFull(trial.back(first, elsewhere, { alpn: ['smtp'] }), 'scope');
      expectResumed(trial.back(first, config, { alpn: ['smtp'] }), trial.mechanism);
    }
  });

  each('ALPACA: nor is the protocol left unchecked on resumption', MECHANISMS, (trial) => {
    const config = trial.serve({ alpn: ['h2'] });
    const first = trial.visit(config, { alpn: ['h2'] });
    expectAlert(trial.back(first, config, { alpn: ['smtp'] }), 'no_application_protocol');
  });

  each('Go CVE-2022-30629: each ticket has a ticket_age_add and a nonce of its own', TLS13, (trial) => {
    const config = trial.serve({ tickets: { initial: 20 } });
    const links = Array.from({ length: 10 }, () => trial.visit(config));
    links.push(trial.back(links[0] as Exchange, config));
    for (const { client } of links) {
      expect(new Set(client.tickets.map(({ nonce }) => toHex(nonce))).size).to.equal(client.tickets.length);
    }
    const all = links.flatMap(({ client }) => client.tickets);
    expect(all).to.have.length(201);
    expect(new Set(all.map(({ ageAdd }) => ageAdd)).size).to.equal(201);
    expect(new Set(all.map(({ identity }) => toHex(identity))).size).to.equal(201);
    const bits = [...Array(32).keys()].filter(
      (bit) => new Set(all.map(({ ageAdd }) => (ageAdd >>> bit) & 1)).size === 2,
    );
    expect(bits).to.have.length(32);
  });

  describe('tracking, Sy et al. 2018: a chain of resumptions prolongs nothing', () => {
    each('ten minutes are ten minutes', MECHANISMS, (trial) => {
      const { world } = trial.bench;
      const start = world.now() / 1000;
      const config = trial.serve({ sessions: { timeout: 600 }, tickets: { maxAuthAge: 600 } });
      let last = trial.visit(config);
      for (let elapsed = 0; elapsed <= 600; elapsed += 150) {
        for (const lifetime of lifetimes(last)) expect(lifetime).to.be.at.most(600 - elapsed);
        expect(last.connection.session?.authTime).to.equal(start);
        if (elapsed === 600) break;
        world.advance(150);
        last = trial.back(last, config);
        expectResumed(last, trial.mechanism);
      }
      world.advance(1);
      if (trial.version === 'TLSv1.3') expect(last.client.tickets).to.have.length(0);
      else expect(trial.back(last, config).connection.resumption.reason).to.be.oneOf(['expired', 'undecryptable']);
    });

    each('seven days on the wire at most, whatever the timeout', TLS13, (trial) => {
      const config = trial.serve({ sessions: { timeout: 10_000_000 } });
      const { world } = trial.bench;
      let last = trial.visit(config);
      for (let day = 0; day < 6; day++) {
        for (const lifetime of lifetimes(last)) expect(lifetime).to.equal(MAX_TICKET_LIFETIME - 3600 * day);
        world.advance(3600);
        last = trial.back(last, config);
      }
    });

    each('a session of TLS 1.2 is as old as it is, renewed or not', TLS12, (trial) => {
      const config = trial.serve();
      const { world } = trial.bench;
      const first = trial.visit(config);
      const { expires } = first.connection.session as Session;
      world.advance(3700); // to the next ticket key
      const second = trial.back(first, config);
      expectResumed(second, trial.mechanism);
      expect(second.connection.session?.expires).to.equal(expires);
      world.advance(3501);
      expect(trial.back(second, config).connection.resumption.reason).to.equal('expired');
    });
  });

  describe('tickets that are used twice', () => {
    each('are good once, where that is asked for, and whoever comes second is told of', TLS13, (trial) => {
      const config = trial.serve({ tickets: { singleUse: true } });
      const first = trial.visit(config);
      expectResumed(trial.back(first, config), trial.mechanism);
      const second = trial.back(first, config);
      expectFull(second, 'consumed');
      const verdicts = second.events.flatMap((event) => (event.type === 'verdicts' ? event.verdicts : []));
      expect(verdicts.map(({ reason }) => reason)).to.deep.equal(['consumed']);
    });

    each('at the same time, too', TLS13, async (trial) => {
      let free = true;
      const onTake = () =>
        Promise.resolve().then(() => {
          const isFirst = free;
          free = false;
          return isFirst;
        });
      const config = trial.serve({ sessions: { onTake }, tickets: { singleUse: true } });
      const first = trial.visit(config);
      const links = [1, 2, 3].map(() => trial.bench.connectAsync(config, returning(first)));
      const reasons = (await Promise.all(links)).map(({ connection }) => connection.resumption.reason);
      expect(reasons.filter((reason) => reason === undefined)).to.have.length(1);
      expect(reasons.filter((reason) => reason === 'consumed' || reason === 'unknown')).to.have.length(2);
    });

    each('or as the application says, which removes what was resumed', ['psk-stateful'], (trial) => {
      const config = trial.serve();
      const first = trial.visit(config);
      const second = trial.back(first, config);
      expectResumed(second, trial.mechanism);
      config.removeSession(second.connection.resumption.session as Session);
      expectFull(trial.back(first, config), 'unknown');
    });
  });

  describe('RFC 5246 §7.2.2: a session dies with a fatal alert', () => {
    const ENDS: Record<string, (link: Exchange) => void> = {
      'of the client’s': (link) => {
        link.client.sendAlert('decode_error');
        link.run();
      },
      'of the server’s': (link) => {
        link.send(Uint8Array.of(23, 3, 3, 0, 40, ...new Uint8Array(40)));
      },
    };
    for (const [whose, end] of Object.entries(ENDS)) {
      each(`${whose}, after a resumption`, STATEFUL, (trial) => {
        const config = trial.serve();
        const first = trial.visit(config);
        const second = trial.back(first, config);
        expectResumed(second, trial.mechanism);
        const session = second.connection.session as Session;
        end(second);
        expect(second.has('failed')).to.equal(true);
        expect(gone(trial, session)).to.equal(true);
        const offer = trial.version === 'TLSv1.2' ? first : second;
        expectFull(trial.back(offer, config), 'unknown');
      });

      each(`${whose}, after a full handshake`, STATEFUL, (trial) => {
        const config = trial.serve({ tickets: { initial: 1 } });
        const first = trial.visit(config);
        end(first);
        expectFull(trial.back(first, config), 'unknown');
      });
    }

    each('after a Finished that is wrong there is none', MECHANISMS, (trial) => {
      const rewriteWire: ClientOptions['rewriteWire'] = (name, raw) =>
        name === 'finished' ? raw.map((byte, i) => (i === raw.length - 1 ? byte ^ 1 : byte)) : raw;
      const link = trial.bench.connect(trial.serve(), { ...firstOffer(trial.mechanism), rewriteWire });
      expectAlert(link, 'decrypt_error');
      expect(link.has('new-session')).to.equal(false);
      expect(trial.bench.cache.size).to.equal(0);
      expect(link.client.tickets).to.have.length(0);
      expect(link.client.ticketTls12).to.equal(undefined);
    });

    each(
      'after one that is wrong in a resumption, it is kept: only a Finished that is right proves anything',
      STATEFUL,
      (trial) => {
        const config = trial.serve();
        const first = trial.visit(config);
        const rewriteWire: ClientOptions['rewriteWire'] = (name, raw) =>
          name === 'finished' ? raw.map((byte, i) => (i === raw.length - 1 ? byte ^ 1 : byte)) : raw;
        expectAlert(trial.back(first, config, { rewriteWire }), 'decrypt_error');
        const next = trial.back(first, config);
        expectResumed(next, trial.mechanism);
      },
    );

    each(
      'the end of the transport alone ends it in TLS 1.2, and in TLS 1.3 where that is asked for',
      STATEFUL,
      (trial) => {
        const cut = (removeUnclean: readonly ('TLSv1.2' | 'TLSv1.3')[] | undefined) => {
          const config = trial.serve({ tickets: { initial: 1 }, sessions: removeUnclean && { removeUnclean } });
          const first = trial.visit(config);
          first.connection.transportEnded();
          return trial.back(first, config);
        };
        if (trial.version === 'TLSv1.2') expectFull(cut(undefined), 'unknown');
        else expectResumed(cut(undefined), trial.mechanism);
        expectFull(cut(['TLSv1.2', 'TLSv1.3']), 'unknown');
        expectResumed(cut([]), trial.mechanism);
      },
    );
  });

  describe('tlsfuzzer 373: an oracle for identities', () => {
    each(
      'there is one: a wrong binder of a known identity is an alert, of an unknown one a full handshake',
      TLS13,
      (trial) => {
        const config = trial.serve();
        const first = trial.visit(config);
        const rewriteBinders = () => [new Uint8Array(32).fill(1)];
        expectAlert(trial.back(first, config, { rewriteBinders }), 'decrypt_error');
        const identity = trial.offered(first).map((byte) => byte ^ 0xff);
        const unknown = trial.bench.connect(config, trial.showing(first, identity, { rewriteBinders }));
        expectFull(unknown, trial.isStateless ? 'undecryptable' : 'unknown');
      },
    );

    it('which SECURITY.md says', () => {
      const text = readFileSync(join(packageFile, '../SECURITY.md'), 'utf8').replaceAll(/\s+/g, ' ');
      expect(text).to.contain('Whether an identity is known can be found out');
    });
  });
});
