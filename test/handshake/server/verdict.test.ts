/** What has become of each session that a client has offered: each reason, by which rule, of what ticket, and how it would have passed. */

import { expect } from 'chai';
import { SessionCache } from '../../../src/cache/session-cache.ts';
import type { Mechanism, NoResumption, Verdict } from '../../../src/handshake/outcome.ts';
import { rulesFor } from '../../../src/handshake/server/resumption.ts';
import type { Session } from '../../../src/sessions/session.ts';
import { TicketKey } from '../../../src/tickets/key.ts';
import type { TicketKeyProvider } from '../../../src/tickets/key-provider.ts';
import { TicketKeyRing } from '../../../src/tickets/key-ring.ts';
import { EMPTY, toHex } from '../../../src/wire/bytes.ts';
import { clientCertificate } from '../../support/client-certificates.ts';
import {
  Bench,
  expectFull,
  expectResumed,
  firstOffer,
  firstTicket,
  MECHANISMS,
  returning,
  ticketOf,
  versionOf,
} from '../../support/mechanisms.ts';
import type { Exchange } from '../../support/scripted-client.ts';
import type { ClientPsk } from '../../support/scripted-hello.ts';
import { newKey, sealed } from '../../tickets/support.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

const junk = (byte: number, length = 32): ClientPsk => ({
  identity: new Uint8Array(length).fill(byte),
  secret: new Uint8Array(32),
  hash: 'sha256',
});

function verdictsTold({ events }: Exchange): readonly (readonly Verdict[])[] {
  return events.flatMap((event) => (event.type === 'verdicts' ? [event.verdicts] : []));
}

/** The one verdict of a connection, which has been told once. */
function verdictOf(link: Exchange): Verdict {
  const [verdict, ...others] = link.connection.verdicts;
  if (verdict === undefined) throw new Error('nothing was judged');
  expect(others).to.deep.equal([]);
  expect(verdictsTold(link)).to.deep.equal([[verdict]]);
  return verdict;
}

/** How each reason comes about, in each mechanism that has it, and the rule that says so; `undefined`: there was no session to judge. */
interface Case {
  readonly mechanisms: readonly Mechanism[];
  readonly rule?: string;
  readonly remedy: RegExp;
  run(mechanism: Mechanism): Exchange;
}

const STATEFUL = ['session-id', 'psk-stateful'] as const;
const STATELESS = ['ticket', 'psk-stateless'] as const;
const TLS13 = ['psk-stateful', 'psk-stateless'] as const;

type ServerOptions = Parameters<Bench['server']>[1];

/** A first visit here, and the second there. */
function twice(mechanism: Mechanism, before: ServerOptions, after: ServerOptions, offer = {}): Exchange {
  const first = bench.visit(mechanism, bench.server(mechanism, before));
  return bench.connect(bench.server(mechanism, after), returning(first, offer));
}

/** The second visit to a server whose store answers so. */
function stored(mechanism: Mechanism, onGet: (id: Uint8Array, session: Session) => unknown): Exchange {
  const first = bench.visit(mechanism, bench.server(mechanism));
  const kept = (id: Uint8Array) => [...bench.cache].find((session) => toHex(session.id) === toHex(id)) as Session;
  const sessions = { cache: false, onGet: (id: Uint8Array) => onGet(id, kept(id)) as Session } as const;
  return bench.connect(bench.server(mechanism, { sessions }), returning(first));
}

function late(link: Exchange): Exchange {
  while (link.question !== undefined) link.answer({ late: true });
  return link;
}

function opening(mechanism: Mechanism, openingKeys: TicketKeyProvider['openingKeys']): Exchange {
  const key = newKey();
  const first = bench.visit(mechanism, bench.server(mechanism));
  const keys = { sealingKey: () => key, openingKeys } satisfies TicketKeyProvider;
  return bench.connect(bench.server(mechanism, { tickets: { keys } }), returning(first));
}

/** Another key, of the name of the one that the servers seal with. */
function namesake(): TicketKey {
  const { format, name } = bench.keys.sealingKey() ?? newKey();
  return new TicketKey(format, name, newKey().exportSecret());
}

const CASES: { readonly [Reason in Exclude<NoResumption, 'not-offered' | 'binder' | 'role'>]: readonly Case[] } = {
  disabled: [
    {
      mechanisms: STATEFUL,
      remedy: /cache or an onGet/,
      run: (mechanism) => twice(mechanism, {}, { sessions: { cache: false } }),
    },
    {
      mechanisms: ['session-id', 'ticket', 'psk-stateful'],
      remedy: /tickets\.mode/,
      run: (mechanism) => {
        const first = bench.visit(mechanism, bench.server(mechanism));
        return bench.connect(bench.server('session-id', { tickets: { mode: 'off' } }), returning(first));
      },
    },
  ],
  unknown: [
    {
      mechanisms: STATEFUL,
      remedy: /still has/,
      run: (mechanism) => twice(mechanism, {}, { sessions: { cache: new SessionCache() } }),
    },
  ],
  undecryptable: [
    {
      mechanisms: STATELESS,
      remedy: /key that the ticket was sealed with/,
      run: (mechanism) => twice(mechanism, {}, { tickets: { keys: TicketKeyRing.of([newKey()], bench.world) } }),
    },
    {
      mechanisms: STATELESS,
      remedy: /the rest of this key, .* layout/,
      run: (mechanism) => twice(mechanism, {}, { tickets: { keys: TicketKeyRing.of([namesake()], bench.world) } }),
    },
    {
      mechanisms: ['psk-stateful'],
      remedy: /^tickets.mode 'stateless', and the key/,
      run: () => bench.connect(bench.server('psk-stateful'), { psks: [junk(1, 200)] }),
    },
  ],
  malformed: [
    {
      mechanisms: STATEFUL,
      remedy: /holds a session/,
      run: (mechanism) => stored(mechanism, () => Uint8Array.of(1, 2)),
    },
    {
      mechanisms: ['ticket'],
      remedy: /holds a session/,
      run: () => bench.connect(bench.server('ticket'), { version: 'TLSv1.2', ticketExt: Uint8Array.of(1) }),
    },
    {
      mechanisms: ['psk-stateless'],
      remedy: /holds a session/,
      run: () => bench.connect(bench.server('psk-stateless'), { psks: [junk(1, 31)] }),
    },
    {
      mechanisms: ['session-id'],
      rule: 'master secret',
      remedy: /48 bytes/,
      run: (mechanism) => stored(mechanism, (_, session) => session.dup({ secret: new Uint8Array(47).fill(1) })),
    },
    {
      mechanisms: ['psk-stateful'],
      rule: 'PSK',
      remedy: /as long as the hash/,
      run: (mechanism) => stored(mechanism, (_, session) => session.dup({ secret: new Uint8Array(48).fill(1) })),
    },
  ],
  ignored: [
    {
      mechanisms: STATELESS,
      remedy: /onDecrypt/,
      run: (mechanism) => twice(mechanism, {}, { tickets: { onDecrypt: () => 'ignore-renew' } }),
    },
  ],
  'too-many-identities': [
    {
      mechanisms: TLS13,
      remedy: /maxIdentities/,
      run: (mechanism) => {
        const config = bench.server(mechanism, { sessions: { maxIdentities: 1 } });
        const link = bench.connect(config, { psks: [junk(1), junk(2), junk(3)] });
        expect(link.connection.verdicts.length, 'no further than that').to.equal(2);
        return link;
      },
    },
  ],
  'store-error': [
    {
      mechanisms: STATEFUL,
      remedy: /store that answers/,
      run: (mechanism) =>
        stored(mechanism, () => {
          throw new Error('down');
        }),
    },
    {
      mechanisms: ['psk-stateless'],
      remedy: /store that answers/,
      run: (mechanism) => {
        const onTake = () => {
          throw new Error('down');
        };
        return twice(mechanism, {}, { sessions: { onTake }, tickets: { singleUse: true } });
      },
    },
  ],
  'store-timeout': [
    {
      mechanisms: STATEFUL,
      remedy: /lookupTimeoutMs/,
      run: (mechanism) => late(stored(mechanism, () => new Promise(() => {}))),
    },
    {
      mechanisms: STATELESS,
      remedy: /lookupTimeoutMs/,
      run: (mechanism) => late(opening(mechanism, () => new Promise(() => {}))),
    },
  ],
  'wrong-id': [
    {
      mechanisms: STATEFUL,
      remedy: /asked for/,
      run: (mechanism) => stored(mechanism, (_, session) => session.dup({ id: new Uint8Array(32).fill(3) })),
    },
  ],
  version: [
    {
      mechanisms: STATEFUL,
      remedy: /version/,
      run: (mechanism) =>
        stored(mechanism, (_, session) => session.dup({ version: mechanism === 'session-id' ? 'TLSv1.3' : 'TLSv1.2' })),
    },
    {
      mechanisms: STATELESS,
      rule: 'version',
      remedy: /version of the session/,
      run: (mechanism) => {
        const config = bench.server(mechanism);
        const old = bench.connect(config, { version: 'TLSv1.2', ticketExt: EMPTY });
        if (mechanism === 'psk-stateless')
          return bench.connect(config, { psks: [{ ...junk(1), identity: ticketOf(old) }] });
        const { identity } = firstTicket(bench.connect(config, {}));
        return bench.connect(config, returning(old, { ticketExt: identity }));
      },
    },
  ],
  'cipher-suite': [
    {
      mechanisms: ['session-id', 'ticket'],
      rule: 'cipher suite',
      remedy: /suite of the session/,
      run: (mechanism) => {
        const ciphers = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] as const;
        const first = bench.visit(mechanism, bench.server(mechanism, { ciphers }));
        const others = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] as const;
        return bench.connect(bench.server(mechanism), returning(first, { ciphers: others }));
      },
    },
    {
      mechanisms: ['psk-stateful'],
      rule: 'cipher suite',
      remedy: /suite of TLS 1.3/,
      run: (mechanism) => stored(mechanism, (_, session) => session.dup({ cipherSuite: 0xc02b })),
    },
  ],
  hash: [
    {
      mechanisms: TLS13,
      rule: 'hash',
      remedy: /hash/,
      run: (mechanism) => {
        const first = bench.visit(mechanism, bench.server(mechanism), { ciphers: ['TLS_AES_256_GCM_SHA384'] });
        return bench.connect(bench.server(mechanism), returning(first, { ciphers: ['TLS_AES_128_GCM_SHA256'] }));
      },
    },
  ],
  'extended-master-secret': [
    {
      mechanisms: ['session-id', 'ticket'],
      rule: 'extended master secret',
      remedy: /extended master secret/,
      run: (mechanism) => {
        const config = bench.server(mechanism);
        return bench.connect(config, returning(bench.visit(mechanism, config, { ems: false }), { ems: true }));
      },
    },
  ],
  'session-id-context': [
    {
      mechanisms: MECHANISMS,
      rule: 'session id context',
      remedy: /sessions\.idContext/,
      run: (mechanism) => twice(mechanism, {}, { sessions: { idContext: Uint8Array.of(1) } }),
    },
  ],
  scope: [
    {
      mechanisms: MECHANISMS,
      rule: 'scope serverName',
      remedy: /host name/,
      run: (mechanism) => twice(mechanism, {}, {}, { sni: 'b.example' }),
    },
    {
      mechanisms: MECHANISMS,
      rule: 'scope label',
      remedy: /scope\.label/,
      run: (mechanism) => twice(mechanism, {}, { scope: { label: 'b' } }),
    },
  ],
  foreign: [
    {
      mechanisms: STATEFUL,
      rule: 'origin',
      remedy: /foreign: true/,
      run: (mechanism) => stored(mechanism, (_, session) => session.dup({ scope: undefined })),
    },
    {
      mechanisms: STATELESS,
      rule: 'origin',
      remedy: /foreign: true/,
      run: (mechanism) => {
        const config = bench.server(mechanism);
        const first = bench.visit(mechanism, config);
        const bare = (first.connection.session as Session).dup({ scope: undefined });
        const identity = sealed(bench.keys.sealingKey(), bare.toDer());
        if (mechanism === 'ticket') return bench.connect(config, returning(first, { ticketExt: identity }));
        return bench.connect(config, { psks: [{ ...firstTicket(first), identity }] });
      },
    },
  ],
  'client-certificate': [
    {
      mechanisms: STATEFUL,
      rule: 'client certificate',
      remedy: /certificate that was accepted/,
      run: (mechanism) => {
        const idContext = Uint8Array.of(1);
        const first = bench.visit(mechanism, bench.server(mechanism, { sessions: { idContext } }));
        const [kept] = [...bench.cache] as [Session];
        const onGet = (id: Uint8Array) => kept.dup({ id, scope: undefined });
        const sessions = { cache: false, idContext, foreign: true, onGet } as const;
        const clientAuth = { mode: 'require', verifyClient: () => true } as const;
        const config = bench.server(mechanism, { sessions, clientAuth });
        return bench.connect(config, returning(first, { certificate: clientCertificate('ed25519') }));
      },
    },
  ],
  'psk-mode': [
    {
      mechanisms: TLS13,
      remedy: /psk_key_exchange_modes/,
      run: (mechanism) => twice(mechanism, {}, {}, { pskModes: ['psk_ke'] }),
    },
  ],
  expired: [
    {
      mechanisms: STATELESS,
      rule: 'timeout',
      remedy: /sooner/,
      run: (mechanism) => {
        const first = bench.visit(mechanism, bench.server(mechanism, { sessions: { timeout: 60 } }));
        bench.world.advance(61);
        return bench.connect(bench.server(mechanism), returning(first));
      },
    },
    {
      mechanisms: STATEFUL,
      remedy: /sooner/,
      run: (mechanism) => {
        const first = bench.visit(mechanism, bench.server(mechanism, { sessions: { timeout: 60 } }));
        bench.world.advance(61);
        return bench.connect(bench.server(mechanism), returning(first));
      },
    },
  ],
  'auth-age': [
    {
      mechanisms: MECHANISMS,
      rule: 'age of the authentication',
      remedy: /tickets\.maxAuthAge/,
      run: (mechanism) => {
        const first = bench.visit(mechanism, bench.server(mechanism));
        bench.world.advance(61);
        return bench.connect(bench.server(mechanism, { tickets: { maxAuthAge: 60 } }), returning(first));
      },
    },
  ],
  'max-fragment-length': [
    {
      mechanisms: MECHANISMS,
      rule: 'max fragment length',
      remedy: /max_fragment_length of the full handshake/,
      run: (mechanism) => twice(mechanism, {}, {}, { maxFragmentLength: 2 }),
    },
  ],
  'not-resumable': [
    {
      mechanisms: STATEFUL,
      rule: 'resumable',
      remedy: /ruled out/,
      run: (mechanism) => {
        const first = bench.visit(mechanism, bench.server(mechanism));
        for (const session of bench.cache) session.forbidResumption();
        return bench.connect(bench.server(mechanism), returning(first));
      },
    },
  ],
  vetoed: [
    {
      mechanisms: MECHANISMS,
      remedy: /mayResume/,
      run: (mechanism) => twice(mechanism, {}, { sessions: { mayResume: () => false } }),
    },
  ],
  consumed: [
    {
      mechanisms: ['psk-stateless'],
      remedy: /not been used/,
      run: (mechanism) => {
        const config = bench.server(mechanism, { tickets: { singleUse: true } });
        const first = bench.visit(mechanism, config);
        bench.connect(config, returning(first));
        return bench.connect(config, returning(first));
      },
    },
    {
      mechanisms: ['psk-stateful'],
      remedy: /not been used/,
      run: (mechanism) => {
        const config = bench.server(mechanism, { sessions: { onTake: () => false }, tickets: { singleUse: true } });
        return bench.connect(config, returning(bench.visit(mechanism, config)));
      },
    },
  ],
};

describe('verdicts', () => {
  for (const [reason, cases] of Object.entries(CASES)) {
    for (const [i, { mechanisms, rule, remedy, run }] of cases.entries()) {
      for (const mechanism of mechanisms) {
        it(`${reason}${i === 0 ? '' : ` (${i + 1})`}, ${mechanism}`, () => {
          const link = run(mechanism);
          const overall = reason === 'too-many-identities' ? link.connection.verdicts.at(-1) : verdictOf(link);
          expectFull(link, reason as NoResumption);
          expect(overall).to.deep.include({ reason, mechanism, accepted: false });
          expect(overall?.identityIndex).to.equal(
            versionOf(mechanism) === 'TLSv1.2' ? undefined : link.connection.verdicts.length - 1,
          );
          expect(overall?.remedy).to.match(remedy);
          const checks = overall?.checks ?? [];
          const broken = checks.filter(({ passed }) => !passed).map((check) => check.rule);
          expect(broken).to.deep.equal(rule === undefined ? [] : [rule]);
          if (rule === undefined) return;
          expect(checks.at(-1)?.rule, 'no further than the first that fails').to.equal(rule);
          const order = rulesFor(versionOf(mechanism)).map(({ name }) => name);
          expect(checks.map((check) => check.rule)).to.deep.equal(order.slice(0, checks.length));
        });
      }
    }
  }

  it('nothing offered, nothing judged', () => {
    for (const mechanism of MECHANISMS) {
      const link = bench.visit(mechanism, bench.server(mechanism));
      expectFull(link, 'not-offered');
      expect(link.connection.verdicts).to.deep.equal([]);
      expect(verdictsTold(link)).to.deep.equal([]);
    }
  });

  for (const mechanism of MECHANISMS) {
    it(`a session that resumes has passed every rule, and is as old as it is, ${mechanism}`, () => {
      const config = bench.server(mechanism);
      const first = bench.visit(mechanism, config);
      bench.world.advance(100);
      const second = bench.connect(config, returning(first));
      const verdict = verdictOf(second);
      expect(verdict).to.deep.include({
        accepted: true,
        reason: undefined,
        remedy: undefined,
        mechanism,
        age: 100,
        authAge: 100,
      });
      expect(verdict.checks).to.deep.equal(
        rulesFor(versionOf(mechanism)).map(({ name }) => ({ rule: name, passed: true })),
      );
      if (versionOf(mechanism) === 'TLSv1.2') return;
      bench.world.advance(11);
      expect(verdictOf(bench.connect(config, returning(second)))).to.deep.include({ age: 11, authAge: 111 });
    });
  }

  for (const mechanism of TLS13) {
    it(`binder, ${mechanism}: the session was good, and its client is none that has it`, () => {
      const config = bench.server(mechanism);
      const first = bench.visit(mechanism, config);
      const rewriteBinders = (binders: readonly Uint8Array[]) => binders.map((binder) => binder.map((byte) => ~byte));
      const link = bench.connect(config, returning(first, { rewriteBinders }));
      expect(link.failure?.alert).to.equal('decrypt_error');
      expect(link.connection.resumption).to.include({ resumed: false, reason: 'binder' });
      const verdict = verdictOf(link);
      expect(verdict).to.deep.include({ reason: 'binder', accepted: false, mechanism, identityIndex: 0, age: 0 });
      expect(verdict.remedy).to.match(/made with the PSK/);
      expect(verdict.checks.filter(({ passed }) => !passed)).to.deep.equal([]);
      expectResumed(bench.connect(config, returning(first)), mechanism);
    });
  }

  describe('of each identity', () => {
    it('in the order of the offer, up to the one that resumes', () => {
      const config = bench.server('psk-stateless');
      const first = bench.connect(config, {});
      const other = bench.connect(config, { sni: 'b.example' });
      const psks = [junk(1, 90), firstTicket(other), firstTicket(first), junk(2, 90)];
      const link = bench.connect(config, { psks });
      expectResumed(link, 'psk-stateless');
      const told = link.connection.verdicts.map(({ identityIndex, reason }) => [identityIndex, reason]);
      expect(told).to.deep.equal([
        [0, 'undecryptable'],
        [1, 'scope'],
        [2, undefined],
      ]);
      expect(verdictsTold(link).length).to.equal(1);
    });

    it('where none is even looked at', () => {
      const config = bench.server('psk-stateful');
      const first = bench.connect(config, {});
      const psks = first.client.tickets;
      const modes = bench.connect(config, { psks, pskModes: ['psk_ke'] }).connection.verdicts;
      expect(modes.map(({ identityIndex, reason }) => [identityIndex, reason])).to.deep.equal([
        [0, 'psk-mode'],
        [1, 'psk-mode'],
      ]);
      const many = Array.from({ length: 1000 }, (_, i) => ({ ...junk(0), identity: Uint8Array.of(i >> 8, i) }));
      const flood = bench.connect(bench.server('psk-stateful', { tickets: { mode: 'off' } }), { psks: many });
      expect(flood.connection.verdicts.length, 'bounded').to.equal(5);
    });
  });

  describe('are told once', () => {
    it('after a HelloRetryRequest too', () => {
      for (const mechanism of ['psk-stateful', 'psk-stateless'] as const) {
        const config = bench.server(mechanism);
        const link = bench.connect(config, returning(bench.connect(config, {}), { keyShares: [] }));
        expectResumed(link, mechanism);
        expect(link.client.hellos.length).to.equal(2);
        verdictOf(link);
      }
    });

    it('and of the hello that counts: an identity that the second leaves out is not accepted', () => {
      const config = bench.server('psk-stateful');
      const first = bench.connect(config, {});
      const link = bench.connect(
        config,
        returning(first, {
          keyShares: [],
          rewriteHello: (hello, attempt) =>
            attempt === 1 ? hello : { ...hello, extensions: { ...hello.extensions, preSharedKey: undefined } },
        }),
      );
      expectFull(link, 'not-offered');
      expect(link.connection.verdicts.filter(({ accepted }) => accepted)).to.deep.equal([]);
    });

    it('before the handshake fails, and not again when a connection does', () => {
      const config = bench.server('psk-stateless');
      const first = bench.connect(config, {});
      const failing = bench.connect(config, returning(first, { sni: 'b.example', signatureAlgorithms: false }));
      expect(failing.failure).not.to.equal(undefined);
      const rewriteWire = (name: string, raw: Uint8Array) =>
        name === 'finished' ? raw.map((byte) => byte & 0x7f) : raw;
      const broken = bench.connect(config, returning(first, { rewriteWire }));
      expect(
        broken.events.map(({ type }) => type).filter((type) => type === 'verdicts' || type === 'failed'),
      ).to.deep.equal(['verdicts', 'failed']);
      const later = bench.connect(config, returning(first));
      later.client.sendAlert('internal_error');
      later.run();
      expect(later.failure?.origin).to.equal('remote');
      expect(verdictsTold(later).length).to.equal(1);
    });

    it('by a connection that is over as well', () => {
      const config = bench.server('ticket');
      const link = bench.connect(config, returning(bench.visit('ticket', config)));
      const before = JSON.stringify(link.connection.verdicts);
      link.connection.dispose();
      expect(JSON.stringify(link.connection.verdicts)).to.equal(before);
    });
  });

  for (const mechanism of STATELESS) {
    describe(`of a ticket, ${mechanism}`, () => {
      const show = (first: Exchange, ticket: Uint8Array) =>
        mechanism === 'ticket'
          ? returning(first, { ticketExt: ticket })
          : { psks: [{ ...firstTicket(first), identity: ticket }] };
      const ticketIn = (first: Exchange) => (mechanism === 'ticket' ? ticketOf(first) : firstTicket(first).identity);

      it('say which key, in which format and phase', () => {
        const config = bench.server(mechanism);
        const first = bench.visit(mechanism, config);
        const keyName = toHex(ticketIn(first).subarray(0, 16));
        const facts = { keyName, format: 'tls-resume-1', failure: undefined };
        const told = () => verdictOf(bench.connect(config, returning(first))).ticket;
        expect(told()).to.deep.equal({ ...facts, phase: 'encrypt' });
        bench.keys.rotate();
        expect(told()).to.deep.equal({ ...facts, phase: 'decrypt-only' });
        bench.world.advance(7201);
        expect(told()).to.deep.equal({ keyName, format: undefined, phase: 'destroyed', failure: 'unknown-key' });
      });

      it('say why it was not opened', () => {
        const config = bench.server(mechanism);
        const first = bench.visit(mechanism, config);
        const ticket = ticketIn(first);
        const keyName = toHex(ticket.subarray(0, 16));
        const facts = { keyName, format: 'tls-resume-1', phase: 'encrypt' };
        const told = (shown: Uint8Array) => verdictOf(bench.connect(config, show(first, shown))).ticket;
        expect(told(ticket.map((byte, i) => (i === 60 ? byte ^ 1 : byte)))).to.deep.equal({
          ...facts,
          failure: 'bad-mac',
        });
        expect(told(sealed(bench.keys.sealingKey(), Uint8Array.of(1)))).to.deep.equal({
          ...facts,
          failure: 'malformed',
        });
        const nothing = { keyName: undefined, format: undefined, phase: undefined };
        expect(told(ticket.subarray(0, 31))).to.deep.equal({ ...nothing, failure: 'malformed' });
        const unknown = { keyName: '07'.repeat(16), format: undefined, phase: undefined, failure: 'unknown-key' };
        expect(told(new Uint8Array(99).fill(7))).to.deep.equal(unknown);
      });

      it('tell the client nothing: whatever was wrong, it sees the same full handshake', () => {
        const config = bench.server(mechanism);
        const first = bench.visit(mechanism, config);
        const ticket = ticketIn(first);
        const seen = [
          ticket.map((byte, i) => (i === 60 ? byte ^ 1 : byte)),
          ticket.map((byte, i) => (i === 3 ? byte ^ 1 : byte)),
          ticket.map((byte, i) => (i === 16 ? byte ^ 1 : byte)),
          sealed(bench.keys.sealingKey(), new Uint8Array(ticket.length - 45)),
        ].map((shown) => {
          const link = bench.connect(config, show(first, shown));
          expect(link.client.isResumed).to.equal(false);
          return [link.output[0]?.length, ...link.client.heard];
        });
        for (const each of seen) expect(each).to.deep.equal(seen[0]);
      });
    });
  }

  it('have no secret in them, of session or key, resumed or not', () => {
    const key = newKey();
    const keySecret = key.exportSecret();
    for (const mechanism of MECHANISMS) {
      const keys = TicketKeyRing.of([key], bench.world);
      const tickets = mechanism === 'ticket' || mechanism === 'psk-stateless' ? { keys } : {};
      const config = bench.server(mechanism, { tickets });
      const first = bench.connect(config, { ...firstOffer(mechanism), sni: 'hidden.example' });
      const offer = returning(first, { sni: 'hidden.example' });
      const links = [bench.connect(config, offer), bench.connect(config, { ...offer, sni: 'b.example' })];
      const { secret } = versionOf(mechanism) === 'TLSv1.2' ? first.client.session : firstTicket(first);
      expect(toHex(first.connection.resumption.session?.secret ?? secret).length).to.be.above(60);
      for (const link of links) {
        const json = JSON.stringify(verdictOf(link));
        expect(JSON.parse(json)).to.have.keys(
          ...(link.client.isResumed ? [] : ['reason', 'remedy']),
          ...['mechanism', 'accepted', 'sessionId', 'age', 'authAge', 'checks'],
          ...(versionOf(mechanism) === 'TLSv1.3' ? ['identityIndex'] : []),
          ...('keys' in tickets ? ['ticket'] : []),
        );
        for (const bytes of [secret, keySecret, keySecret.subarray(0, 16), keySecret.subarray(16)]) {
          expect(json).not.to.contain(toHex(bytes));
          expect(json).not.to.contain(Buffer.from(bytes).toString('base64').slice(0, 20));
          expect(json).not.to.contain([...bytes.subarray(0, 8)].join());
        }
        expect(json).not.to.contain('hidden');
      }
    }
  });
});
