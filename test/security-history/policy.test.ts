/**
 * The history of session resumption, 1: resumption that skips a check.
 *
 *     nginx CVE-2025-23419, Apache CVE-2025-23048, Cloudflare 2025, Go CVE-2025-68121, Traefik GHSA-gv8r-9rw9-9697, several
 *     contexts on one store, wolfSSL CVE-2026-11703, STEK sharing 2025, virtual host confusion 2014, h2o GHSA-5v5r-rghf-rm6q,
 *     Envoy CVE-2022-21654, Go CVE-2014-7189, Node CVE-2026-48928, Mbed TLS 4.1.0, Triple Handshake 2014, wolfSSL CVE-2025-11935,
 *     wolfSSL CVE-2022-25638
 */

import { expect } from 'chai';
import { SessionCache } from '../../src/cache/session-cache.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import type { Session } from '../../src/sessions/session.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { ContentType, ExtensionType } from '../../src/wire/registry.ts';
import { certificates, rootCertificate } from '../fixtures.ts';
import { clientCertificate } from '../support/client-certificates.ts';
import {
  type BenchOptions,
  expectFull,
  expectResumed,
  firstTicket,
  MECHANISMS,
  returning,
} from '../support/mechanisms.ts';
import type { ClientOptions, Exchange } from '../support/scripted-client.ts';
import { withExtension, withoutExtension } from '../support/scripted-hello.ts';
import { quickCredential } from '../support/servers.ts';
import { newKey, sealed } from '../tickets/support.ts';
import { brokenRule, each, expectAlert, expectRefused, ID_CONTEXT, requiring, TLS12, TLS13, Trial } from './support.ts';

const CA_A = rootCertificate;
const CA_B = certificates.ecdsaP256.cert;
const ALICE = clientCertificate('chain');
const BOB = clientCertificate('ecdsaP256');

/** a.example and b.example behind one front, each with clients and authorities of its own. */
function twoHosts(trial: Trial, options: BenchOptions = {}): ServerConfig {
  const hosts: Record<string, ServerConfig> = {
    'a.example': trial.host({ ...requiring(ALICE, CA_A), ...options }),
    'b.example': trial.host({ ...requiring(BOB, CA_B), ...options }),
  };
  return trial.serve({ onServerName: (name) => hosts[name ?? ''], sessions: { idContext: ID_CONTEXT } });
}

describe('security history: resumption skips a check', () => {
  each(
    'nginx CVE-2025-23419: a session of one virtual host is none at another with another CA',
    MECHANISMS,
    (trial) => {
      const config = twoHosts(trial);
      const first = trial.visit(config, { sni: 'a.example', certificate: ALICE });
      expect(first.connection.peerCertificate).to.deep.equal(ALICE.chain[0]);
      const second = trial.back(first, config, { sni: 'b.example', certificate: ALICE });
      expect(second.client.certificateRequest).not.to.equal(undefined);
      expectRefused(second, 'scope', 'certificate_unknown');
      expectResumed(trial.back(first, config, { sni: 'a.example' }), trial.mechanism);
    },
  );

  each('nginx CVE-2025-23419: nor is one that the default host made for an unnamed client', MECHANISMS, (trial) => {
    const config = twoHosts(trial);
    const first = trial.visit(config, { sni: undefined });
    expect(first.connection.isEstablished).to.equal(true);
    const second = trial.back(first, config, { sni: 'b.example' });
    expectRefused(second, 'scope', 'certificate_required', 'handshake_failure');
  });

  each('Apache CVE-2025-23048: nor where both require certificates and share all the rest', MECHANISMS, (trial) => {
    const config = twoHosts(trial, { scope: { shareAcross: 'both' } });
    const first = trial.visit(config, { sni: 'a.example', certificate: ALICE });
    const second = trial.back(first, config, { sni: 'b.example', certificate: ALICE });
    expect(brokenRule(second)).to.equal('scope clientAuthentication');
    expectRefused(second, 'scope', 'certificate_unknown');
    expectResumed(trial.back(first, config, { sni: 'a.example' }), trial.mechanism);
  });

  each(
    'Cloudflare mTLS 2025: a certificate in a session does not pass at another server with its keys',
    MECHANISMS,
    (trial) => {
      const zone = trial.serve(requiring(ALICE, CA_A));
      const other = trial.serve(requiring(BOB, CA_B));
      const first = trial.visit(zone, { certificate: ALICE });
      const second = trial.back(first, other, { certificate: ALICE });
      expect(brokenRule(second)).to.equal('scope clientAuthentication');
      expectRefused(second, 'scope', 'certificate_unknown');
      const third = trial.back(first, zone);
      expectResumed(third, trial.mechanism);
      expect(third.connection.peerCertificate).to.deep.equal(ALICE.chain[0]);
    },
  );

  each('Go CVE-2025-68121: a change of the CA set voids sessions, one more and one less', MECHANISMS, (trial) => {
    const before = trial.serve(requiring(ALICE, CA_A));
    const first = trial.visit(before, { certificate: ALICE });
    for (const authorities of [[CA_B], [CA_A, CA_B], []]) {
      const after = trial.serve(requiring(ALICE, ...authorities));
      const second = trial.back(first, after, { certificate: ALICE });
      expectFull(second, 'scope');
      expect(second.client.certificateRequest).not.to.equal(undefined);
    }
    expectResumed(trial.back(first, trial.serve(requiring(ALICE, CA_A))), trial.mechanism);
  });

  each('Go CVE-2025-68121: a copy of the options has keys and a cache of its own', MECHANISMS, (trial) => {
    const [one, other] = [trial.host(), trial.host()];
    const first = trial.visit(one);
    expectFull(trial.back(first, other), trial.isStateless ? 'undecryptable' : 'unknown');
    expectResumed(trial.back(first, one), trial.mechanism);
  });

  each(
    'Traefik GHSA-gv8r-9rw9-9697: hosts behind one front share no session, unless they say so',
    MECHANISMS,
    (trial) => {
      const front = (options: BenchOptions) => {
        const hosts: Record<string, ServerConfig> = {
          'a.example': trial.host(options),
          'b.example': trial.host(options),
        };
        return trial.serve({ onServerName: (name) => hosts[name ?? ''] });
      };
      for (const [options, shares] of [
        [{}, false],
        [{ scope: { label: 'same' } }, false],
        [{ scope: { shareAcross: 'same' } }, true],
      ] as const) {
        const config = front(options);
        const first = trial.visit(config, { sni: 'a.example' });
        const second = trial.back(first, config, { sni: 'b.example' });
        if (shares) expectResumed(second, trial.mechanism);
        else expectFull(second, 'scope');
      }
    },
  );

  each(
    'Traefik GHSA-gv8r-9rw9-9697: a host with keys or a cache of its own does not fall back to its front',
    MECHANISMS,
    (trial) => {
      const scope = { shareAcross: 'same' };
      const keeper = trial.isStateless
        ? { tickets: { keys: TicketKeyRing.of([newKey()], trial.bench.world) } }
        : { sessions: { cache: new SessionCache() } };
      const host = trial.host({ scope, ...keeper });
      const config = trial.serve({ scope, onServerName: (name) => (name === 'a.example' ? host : undefined) });
      const none = trial.isStateless ? 'undecryptable' : 'unknown';
      const first = trial.visit(config, { sni: 'b.example' });
      expectFull(trial.back(first, config, { sni: 'a.example' }), none);
      const own = trial.visit(config, { sni: 'a.example' });
      expectFull(trial.back(own, config, { sni: 'b.example' }), none);
      expectResumed(trial.back(own, config, { sni: 'a.example' }), trial.mechanism);
    },
  );

  each(
    'several contexts on one store: a session of the default context is none in an added one',
    MECHANISMS,
    (trial) => {
      const added = trial.host(requiring(BOB, CA_B));
      const config = trial.serve({
        ...requiring(ALICE, CA_A),
        onServerName: (name) => (name === 'b.example' ? added : undefined),
      });
      const first = trial.visit(config, { sni: 'a.example', certificate: ALICE });
      const second = trial.back(first, config, { sni: 'b.example', certificate: ALICE });
      expectRefused(second, 'scope', 'certificate_unknown');
      expectResumed(trial.back(first, config, { sni: 'a.example' }), trial.mechanism);
      const bobs = trial.visit(config, { sni: 'b.example', certificate: BOB });
      expectRefused(trial.back(bobs, config, { sni: 'a.example', certificate: BOB }), 'scope', 'certificate_unknown');
    },
  );

  describe('wolfSSL CVE-2026-11703: every binding holds on every lookup path', () => {
    const certificate = (...names: string[]) => ({ credentials: [{ ...quickCredential, names }] });
    const alpn = { alpn: ['h2', 'http/1.1'], scope: { bindAlpn: true } };
    const address = { scope: { bindLocalAddress: true } };
    const at = (localAddress: string) => ({ addresses: { localAddress } });
    interface Side {
      readonly options?: BenchOptions;
      readonly client?: ClientOptions;
      readonly connection?: ReturnType<typeof at>;
    }
    const BINDINGS: Record<string, readonly [Side, Side]> = {
      'host name': [{ client: { sni: 'a.example' } }, { client: { sni: 'b.example' } }],
      'application protocol': [
        { options: alpn, client: { alpn: ['h2'] } },
        { options: alpn, client: { alpn: ['http/1.1'] } },
      ],
      label: [{ options: { scope: { label: 'a' } } }, { options: { scope: { label: 'b' } } }],
      'local address': [
        { options: address, connection: at('192.0.2.1') },
        { options: address, connection: at('192.0.2.2') },
      ],
      'names in the certificate': [{ options: certificate('localhost') }, { options: certificate('localhost', 'b') }],
      'session id context': [
        { options: { sessions: { idContext: Uint8Array.of(1) } } },
        { options: { sessions: { idContext: Uint8Array.of(2) } } },
      ],
      'client authentication': [
        { options: requiring(ALICE, CA_A), client: { certificate: ALICE } },
        { options: requiring(ALICE, CA_B), client: { certificate: ALICE } },
      ],
    };
    for (const [what, [here, there]] of Object.entries(BINDINGS)) {
      each(what, MECHANISMS, (trial) => {
        const config = trial.serve(here.options);
        const first = trial.visit(config, here.client, here.connection);
        const elsewhere = trial.back(first, trial.serve(there.options), there.client, there.connection);
        expectFull(elsewhere, what === 'session id context' ? 'session-id-context' : 'scope');
        expectResumed(trial.back(first, config, here.client, here.connection), trial.mechanism);
      });
    }
  });

  each('STEK Sharing is Not Caring, 2025: two servers with one key, and different scopes', MECHANISMS, (trial) => {
    const server = (name: string) => trial.serve({ credentials: [{ ...quickCredential, names: [name] }] });
    const first = trial.visit(server('a.example'), { sni: undefined });
    expectFull(trial.back(first, server('b.example'), { sni: undefined }), 'scope');
    expectResumed(trial.back(first, server('a.example'), { sni: undefined }), trial.mechanism);
  });

  each(
    'Virtual host confusion, 2014: a session replayed to the default host, without a server name',
    MECHANISMS,
    (trial) => {
      const host = trial.host();
      const config = trial.serve({ onServerName: (name) => (name === 'a.example' ? host : undefined) });
      const first = trial.visit(config, { sni: 'a.example' });
      for (const sni of [undefined, 'b.example']) expectFull(trial.back(first, config, { sni }), 'scope');
      expectResumed(trial.back(first, config, { sni: 'a.example' }), trial.mechanism);
    },
  );

  each('h2o GHSA-5v5r-rghf-rm6q: one key on several addresses', MECHANISMS, (trial) => {
    const config = trial.serve({ scope: { bindLocalAddress: true } });
    const on = (localAddress: string) => ({ addresses: { localAddress, localPort: 443 } });
    const first = trial.visit(config, {}, on('192.0.2.1'));
    expectFull(trial.back(first, config, {}, on('192.0.2.2')), 'scope');
    expectFull(trial.back(first, config), 'scope');
    expectResumed(trial.back(first, config, {}, on('192.0.2.1')), trial.mechanism);
  });

  each('Envoy CVE-2022-21654: a stricter policy declines what was made before', MECHANISMS, (trial) => {
    const sessions = { idContext: ID_CONTEXT };
    const open = trial.serve({ sessions });
    const verifyClient = () => true;
    const asking = trial.serve({ sessions, clientAuth: { mode: 'request', verifyClient } });
    const strict = trial.serve({ sessions, clientAuth: { mode: 'require', verifyClient } });
    for (const before of [open, asking]) {
      const first = trial.visit(before);
      expect(first.connection.isEstablished).to.equal(true);
      const second = trial.back(first, strict);
      expectRefused(second, 'scope', 'certificate_required', 'handshake_failure');
    }
    expectFull(trial.back(trial.visit(open), asking), 'scope');
  });

  each('Go CVE-2014-7189: with tickets off nothing that is presented counts', MECHANISMS, (trial) => {
    const asked: string[] = [];
    const { clientAuth, sessions } = requiring(ALICE, CA_A);
    const before = trial.serve({ clientAuth, sessions });
    const first = trial.visit(before, { certificate: ALICE });
    const onGet = () => void asked.push('onGet');
    const after = trial.bench.bare({
      clientAuth,
      sessions: { ...sessions, cache: trial.bench.cache, onGet },
      tickets: { mode: 'off' },
    });
    const second = trial.back(first, after);
    expectRefused(second, 'disabled', 'certificate_required', 'handshake_failure');
    const third = trial.back(first, after, { certificate: ALICE });
    expectFull(third, 'disabled');
    expect(third.client.tickets).to.have.length(0);
    expect(third.client.ticketTls12).to.equal(undefined);
    expect(asked).to.deep.equal([]);
    expectResumed(trial.back(first, before), trial.mechanism);
  });

  it('Go CVE-2014-7189: keys beside a mode that has no use for them are a mistake, at once', () => {
    const trial = new Trial('ticket');
    expect(() => trial.serve({ tickets: { mode: 'off' } })).to.throw(TypeError, /tickets\.keys/);
    trial.bench.close();
  });

  each('Node CVE-2026-48928: host names do not differ by case, nor by the dot of the root', MECHANISMS, (trial) => {
    const config = trial.serve();
    const names = ['B.Example', 'b.example', 'b.example.', 'B.EXAMPLE.'];
    for (const made of names) {
      const first = trial.visit(config, { sni: made });
      for (const sni of names) expectResumed(trial.back(first, config, { sni }), trial.mechanism);
      expectFull(trial.back(first, config, { sni: 'a.example' }), 'scope');
    }
  });

  describe('Mbed TLS 4.1.0: what the first ClientHello led to stays, after a HelloRetryRequest', () => {
    /** A hello of TLS 1.3, without a share, that carries whatever the client has. */
    const offering = (trial: Trial, first: Exchange, options: ClientOptions): ClientOptions => {
      const { session } = trial.version === 'TLSv1.2' ? first.client : { session: undefined };
      const carried = session === undefined ? returning(first) : { sessionId: session.id, ticketExt: session.ticket };
      return { ...carried, version: 'TLSv1.3', keyShares: [], ...options };
    };
    const CHANGES: Record<string, ClientOptions> = {
      'no supported_versions': {
        rewriteExtensions: (list, attempt) =>
          attempt === 1 ? list : withoutExtension(list, ExtensionType.supported_versions),
      },
      'TLS 1.2 in supported_versions': {
        rewriteExtensions: (list, attempt) =>
          attempt === 1 ? list : withExtension(list, ExtensionType.supported_versions, 2, 3, 3),
      },
      'another suite': {
        rewriteHello: (hello, attempt) => (attempt === 1 ? hello : { ...hello, cipherSuites: [0x1302, 0xc02b] }),
      },
      'a suite less': {
        rewriteHello: (hello, attempt) =>
          attempt === 1 ? hello : { ...hello, cipherSuites: hello.cipherSuites.slice(1) },
      },
    };
    for (const [what, change] of Object.entries(CHANGES)) {
      each(`${what}: illegal_parameter`, MECHANISMS, (trial) => {
        const config = trial.serve();
        const first = trial.visit(config);
        const second = trial.bench.connect(config, offering(trial, first, change));
        expect(second.client.helloRetryRequest).not.to.equal(undefined);
        expectAlert(second, 'illegal_parameter');
        expectResumed(trial.back(first, config), trial.mechanism);
      });
    }

    each('one PSK more: illegal_parameter', TLS13, (trial) => {
      const config = trial.serve();
      const [psk, other] = [trial.visit(config), trial.visit(config)].map(firstTicket);
      if (psk === undefined || other === undefined) throw new Error('no tickets');
      const added = { identity: other.identity, obfuscatedTicketAge: 0 };
      const second = trial.bench.connect(config, {
        psks: [psk, other],
        keyShares: [],
        rewriteHello: (hello, attempt) => {
          const { identities = [], binders = [] } = hello.extensions.preSharedKey ?? {};
          const kept =
            attempt === 1
              ? { identities: identities.slice(0, 1), binders: binders.slice(0, 1) }
              : { identities: [added, ...identities.slice(0, 1)], binders };
          return { ...hello, extensions: { ...hello.extensions, preSharedKey: kept } };
        },
      });
      expectAlert(second, 'illegal_parameter');
    });

    each('and a master secret is never defaulted: a session of TLS 1.2 wants one', TLS12, (trial) => {
      const config = trial.serve();
      const first = trial.visit(config);
      const session = (first.connection.session as Session).dup({ secret: new Uint8Array(32) });
      if (trial.mechanism === 'session-id') trial.bench.cache.add(session);
      const shown = trial.isStateless ? sealed(trial.bench.keys.sealingKey(), session.toDer()) : session.id;
      expectFull(trial.bench.connect(config, trial.showing(first, shown)), 'malformed');
    });
  });

  each(
    'Triple Handshake 2014: a session with the extended master secret, a hello without: an alert',
    TLS12,
    (trial) => {
      const config = trial.serve();
      const first = trial.visit(config);
      expectAlert(trial.back(first, config, { ems: false }), 'handshake_failure');
      expectResumed(trial.back(first, config), trial.mechanism);
    },
  );

  each('Triple Handshake 2014: a session without, a hello with: a full handshake', TLS12, (trial) => {
    const config = trial.serve();
    const first = trial.visit(config, { ems: false });
    expectFull(trial.back(first, config, { ems: true }), 'extended-master-secret');
    expectResumed(trial.back(first, config, { ems: false }), trial.mechanism);
  });

  each('Triple Handshake 2014: who requires it has no session without', TLS12, (trial) => {
    const first = trial.visit(trial.serve(), { ems: false });
    const strict = trial.serve({ requireExtendedMasterSecret: true });
    expectAlert(trial.back(first, strict, { ems: false }), 'handshake_failure');
    expectFull(trial.back(first, strict, { ems: true }), 'extended-master-secret');
  });

  each('wolfSSL CVE-2025-11935: the PSK mode is one that the client has offered', TLS13, (trial) => {
    const config = trial.serve({ pskModes: ['psk_ke', 'psk_dhe_ke'] });
    const first = trial.visit(config);
    const withShare = trial.back(first, config, { pskModes: ['psk_dhe_ke'] });
    expectResumed(withShare, trial.mechanism);
    expect(withShare.client.serverHello?.extensions).to.have.property('keyShare').that.is.an('object');
    expect(withShare.connection.resumption.pskMode).to.equal('psk_dhe_ke');
    const onlyDhe = trial.serve({ pskModes: ['psk_dhe_ke'] });
    const full = trial.back(first, onlyDhe, { pskModes: ['psk_ke'] });
    expectFull(full, 'psk-mode');
    expect(full.client.serverHello?.extensions).to.have.property('keyShare').that.is.an('object');
  });

  each('wolfSSL CVE-2022-25638: no data before the Finished of a client that resumes', MECHANISMS, (trial) => {
    const config = trial.serve();
    for (const stopBefore of ['change_cipher_spec', 'finished'] as const) {
      const first = trial.visit(config);
      const second = trial.back(first, config, { stopBefore });
      expect(second.client.isResumed).to.equal(true);
      second.client.sendRecord(ContentType.application_data, new Uint8Array(5));
      second.run();
      expect(second.data).to.have.length(0);
      expect(second.has('established')).to.equal(false);
      expect(second.failure?.alert).to.be.oneOf(['unexpected_message', 'bad_record_mac', 'decode_error']);
      expect(second.connection.isEstablished).to.equal(false);
    }
  });

  each('wolfSSL CVE-2022-25640: nor without the proof that goes with a certificate', MECHANISMS, (trial) => {
    const { clientAuth, sessions } = requiring(ALICE, CA_A);
    const config = trial.serve({ clientAuth, sessions });
    const link = trial.visit(config, { certificate: ALICE, stopBefore: 'certificate_verify' });
    link.client.skip();
    link.run();
    expectAlert(link, 'unexpected_message');
    expect(link.connection.peerCertificate).to.equal(undefined);
    expect(link.has('new-session')).to.equal(false);
    expect(trial.bench.cache.size).to.equal(0);
  });
});
