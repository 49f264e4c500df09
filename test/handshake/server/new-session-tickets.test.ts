/** Tickets of TLS 1.3 (RFC 9846 §4.7.1): when they leave, who hears of them and when, how many, how long, and how often each is good. */

import { expect } from 'chai';
import { SessionCache } from '../../../src/cache/session-cache.ts';
import type { Step } from '../../../src/engine/events.ts';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { TicketOptions } from '../../../src/engine/server/options.ts';
import type { Session } from '../../../src/sessions/session.ts';
import type { TicketKeyProvider } from '../../../src/tickets/key-provider.ts';
import { TicketKeyRing } from '../../../src/tickets/key-ring.ts';
import { openSession } from '../../../src/tickets/ticket.ts';
import { concat, EMPTY, toHex } from '../../../src/wire/bytes.ts';
import { Bench, expectFull, expectResumed, firstTicket, returning } from '../../support/mechanisms.ts';
import type { ClientOptions, Exchange } from '../../support/scripted-client.ts';
import { FORMATS, newKey, sealed } from '../../tickets/support.ts';

const MODES = ['psk-stateful', 'psk-stateless'] as const;
const TIMINGS = ['after-finished', 'half-rtt', 'with-first-write', 'manual'] as const;
const DATA = Uint8Array.of(1, 2, 3);

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

/** A key service under the test's hand. */
function heldKeys() {
  const key = newKey();
  const waiting: ((value: typeof key) => void)[] = [];
  const keys: TicketKeyProvider = {
    sealingKey: () => new Promise((resolve) => waiting.push(resolve)),
    openingKeys: () => [{ key, renewal: 'as-usual' }],
  };
  return { key, keys, waiting };
}

/** What happened, but for the key log. */
function happenings({ events }: Exchange): string[] {
  return events.flatMap(({ type }) => (type === 'keylog' ? [] : [type]));
}

function newSessions({ events }: Exchange): Session[] {
  return events.flatMap((event) => (event.type === 'new-session' ? [event.session] : []));
}

/** The ticket messages that the client has heard, each by what came before it. */
function ticketsIn({ client }: Exchange): string[] {
  return client.heard.flatMap((name, i) => (name === 'new_session_ticket' ? [client.heard[i - 1] ?? ''] : []));
}

for (const mode of MODES) {
  describe(`tickets of TLS 1.3, ${mode}`, () => {
    const serve = (tickets: TicketOptions = {}, options: Parameters<Bench['server']>[1] = {}): ServerConfig =>
      bench.server(mode, { ...options, tickets });

    describe('timing', () => {
      for (const timing of TIMINGS) {
        it(`${timing}: resumes, from every ticket, each with its own PSK`, () => {
          const config = serve({ timing });
          const first = bench.connect(config, {});
          if (timing === 'manual') for (let i = 0; i < 2; i++) first.step(first.connection.sendTicket());
          if (timing === 'with-first-write') first.step(first.connection.write(DATA));
          expect(first.client.tickets.length).to.equal(2);
          expect(newSessions(first).length).to.equal(2);
          for (const ticket of first.client.tickets) {
            const second = bench.connect(config, { psks: [ticket] });
            expectResumed(second, mode);
            if (timing === 'with-first-write') second.step(second.connection.write(DATA));
            expect(second.client.tickets.length).to.equal(timing === 'manual' ? 0 : 1);
          }
        });
      }

      it('after-finished: none before the client’s Finished, all with it', () => {
        const link = bench.connect(serve(), { stopBefore: 'finished' });
        expect(ticketsIn(link)).to.deep.equal([]);
        expect(newSessions(link)).to.deep.equal([]);
        link.client.proceed();
        link.run();
        expect(ticketsIn(link)).to.deep.equal(['finished', 'new_session_ticket']);
        expect(happenings(link)).to.deep.equal(['new-session', 'new-session', 'established']);
      });

      it('half-rtt: with the server’s flight; announced once the client’s Finished has verified', () => {
        let told = 0;
        const config = serve({ timing: 'half-rtt' }, { sessions: { onNew: () => void told++ } });
        const link = bench.connect(config, { stopBefore: 'finished' });
        expect(ticketsIn(link)).to.deep.equal(['finished', 'new_session_ticket']);
        expect(link.output.length, 'one Step').to.equal(1);
        expect([newSessions(link).length, told, bench.cache.size]).to.deep.equal([0, 0, 0]);
        link.client.proceed();
        link.run();
        expectFull(link, 'not-offered');
        expect([newSessions(link).length, told]).to.deep.equal([2, 2]);
        expect(bench.cache.size).to.equal(mode === 'psk-stateful' ? 2 : 0);
        expect(ticketsIn(link).length, 'and none again').to.equal(2);
        expect(link.connection.session).to.equal(newSessions(link)[1]);
      });

      it('half-rtt: a Finished that does not verify leaves nothing behind, and the PSKs are wiped', () => {
        const made: Session[] = [];
        const config = serve(
          { timing: 'half-rtt', onGenerate: (session) => void made.push(session) },
          { sessions: { onNew: () => true, onRemove: () => {} } },
        );
        const rewriteWire = (name: string, raw: Uint8Array) =>
          name === 'finished' ? raw.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) : raw;
        const link = bench.connect(config, { rewriteWire });
        expect(link.failure?.alert).to.equal('decrypt_error');
        expect(ticketsIn(link).length).to.equal(2);
        expect(link.events.map(({ type }) => type)).not.to.include.members(['new-session', 'session-removed']);
        expect(bench.cache.size).to.equal(0);
        expect(made.map(({ holds }) => holds)).to.deep.equal([0, 0]);
        const replay = bench.connect(config, { psks: link.client.tickets.slice(0, 1) });
        if (mode === 'psk-stateful') expectFull(replay, 'unknown');
        // Sealed is sealed: who has made the handshake's keys knows the PSK, and has proved nothing that a full one would not.
        else expectResumed(replay, mode);
      });

      it('half-rtt: a client that leaves before its Finished leaves nothing in cache or store', () => {
        const made: Session[] = [];
        const config = serve({ timing: 'half-rtt', onGenerate: (session) => void made.push(session) });
        for (const leave of ['close', 'alert', 'dispose'] as const) {
          const link = bench.connect(config, { stopBefore: 'finished' });
          if (leave === 'close') link.client.close();
          if (leave === 'alert') link.client.sendAlert('user_canceled');
          link.send(link.client.take());
          link.connection.dispose();
          expect(newSessions(link)).to.deep.equal([]);
        }
        expect(bench.cache.size).to.equal(0);
        expect(made.map(({ holds }) => holds)).to.deep.equal(new Array(6).fill(0));
      });

      it('half-rtt: where there is to be no ticket the connection still has its session', () => {
        const config = serve({ timing: 'half-rtt' }, { sessions: { notResumable: () => true } });
        expect(bench.connect(config, {}).connection.session?.isResumable).to.equal(false);
      });

      it('with-first-write: in front of the first data, in one Step; nobody hears of them before', () => {
        const link = bench.connect(serve({ timing: 'with-first-write' }), {});
        expect(ticketsIn(link)).to.deep.equal([]);
        expect(newSessions(link)).to.deep.equal([]);
        const step = link.connection.write(DATA);
        expect(step.events.map(({ type }) => type)).to.deep.equal(['new-session', 'new-session']);
        link.step(step);
        expect(link.client.heard.slice(-3)).to.deep.equal(['new_session_ticket', 'new_session_ticket', 'data']);
        const again = link.connection.write(DATA);
        expect(again.events).to.deep.equal([]);
        link.step(again);
        expect(link.client.tickets.length).to.equal(2);
      });

      for (const ending of ['end', 'dispose'] as const) {
        it(`with-first-write: whose callback ends the connection (${ending}) has no data sent behind that`, () => {
          const endings: Step[] = [];
          const onGenerate = (): undefined => void endings.push(link.connection[ending]());
          const link = bench.connect(serve({ timing: 'with-first-write', onGenerate }), {});
          const step = link.connection.write(DATA);
          expect(endings.length).to.equal(1);
          expect(step.output).to.deep.equal(EMPTY);
          expect(happenings(link.step(step))).not.to.include('failed');
        });
      }

      it('with-first-write: who never writes sends none', () => {
        const link = bench.connect(serve({ timing: 'with-first-write' }), {});
        link.step(link.connection.end());
        expect(link.client.tickets).to.deep.equal([]);
        expect(bench.cache.size).to.equal(0);
        expect(link.connection.session?.id).to.deep.equal(EMPTY);
      });

      it('manual: none but on demand', () => {
        const link = bench.connect(serve({ timing: 'manual' }), {});
        link.step(link.connection.write(DATA));
        expect(link.client.tickets).to.deep.equal([]);
        link.step(link.connection.sendTicket());
        expect(link.client.tickets.length).to.equal(1);
        expect(newSessions(link).length).to.equal(1);
      });
    });

    describe('sendTicket()', () => {
      it('is not bounded by initial, and counts on with the nonces', () => {
        const link = bench.connect(serve({ initial: 0 }), {});
        expect(link.client.tickets).to.deep.equal([]);
        expect(link.connection.session?.isResumable).to.equal(false);
        for (let i = 0; i < 300; i++) link.step(link.connection.sendTicket());
        const { tickets } = link.client;
        expect(tickets.length).to.equal(300);
        const distinct = (of: (ticket: (typeof tickets)[number]) => string) => new Set(tickets.map(of)).size;
        expect(distinct(({ nonce }) => toHex(nonce))).to.equal(300);
        expect(distinct(({ secret }) => toHex(secret))).to.equal(300);
        expect(distinct(({ identity }) => toHex(identity))).to.equal(300);
        expect(distinct(({ ageAdd }) => String(ageAdd))).to.be.above(295); // 32 random bits each
        expect(tickets.map(({ nonce }) => toHex(nonce)).slice(0, 2)).to.deep.equal([
          '0000000000000000',
          '0000000000000001',
        ]);
        expect(toHex(tickets[299]?.nonce ?? EMPTY)).to.equal('000000000000012b');
        expectResumed(bench.connect(serve(), { psks: tickets.slice(299) }), mode);
      });

      it('has the connection hold the last 256 sessions, besides the one that it resumed', () => {
        const config = serve(
          { initial: 1, afterResumption: 1 },
          { sessions: { cache: new SessionCache({ maxEntries: 1 }) } },
        );
        const first = bench.connect(config, {});
        const link = bench.connect(config, returning(first));
        first.step(first.connection.dispose());
        for (let i = 0; i < 256; i++) link.step(link.connection.sendTicket());
        const { resumption, session: last } = link.connection;
        const sessions = newSessions(link);
        expect(sessions.slice(0, 2).map(({ holds }) => holds)).to.deep.equal([0, 1]);
        expect(last?.holds).to.be.above(0);
        expect(resumption.session?.holds).to.equal(1);
        link.step(link.connection.dispose());
        expect([resumption.session, sessions[1], sessions[255]].map((each) => each?.holds)).to.deep.equal([0, 0, 0]);
      });

      it('has age_add in the session too', () => {
        const link = bench.connect(serve(), {});
        expect(newSessions(link).map(({ ticketAgeAdd }) => ticketAgeAdd)).to.deep.equal(
          link.client.tickets.map(({ ageAdd }) => ageAdd),
        );
      });

      for (const how of ['with-first-write', 'sendTicket()'] as const) {
        it(`goes to a client that has sent close_notify and waits for its answer, ${how}`, () => {
          const config = serve({ initial: 1, timing: how === 'sendTicket()' ? 'manual' : how });
          const link = bench.connect(config, {});
          link.client.close();
          link.run();
          expect(link.client.tickets).to.deep.equal([]);
          expect(link.connection.canSendTicket).to.equal(true);
          if (how === 'sendTicket()') link.step(link.connection.sendTicket());
          link.step(link.connection.write(DATA));
          expect(link.client.data).to.deep.equal(DATA);
          link.step(link.connection.end());
          expect(link.connection.canSendTicket).to.equal(false);
          expectResumed(bench.connect(config, returning(link)));
        });
      }

      it('comes to nothing once the connection is over, by whomever', () => {
        for (const how of ['end', 'dispose', 'alert'] as const) {
          const link = bench.connect(serve(), {});
          if (how === 'alert') link.client.sendAlert('internal_error');
          link.run();
          if (how === 'end') link.step(link.connection.end());
          if (how === 'dispose') link.step(link.connection.dispose());
          expect(link.connection.canSendTicket).to.equal(false);
          const { output, events } = link.connection.sendTicket();
          expect([output.length, events.length], how).to.deep.equal([0, 0]);
        }
      });

      it('is an error before establishment, in TLS 1.2 and with tickets off', () => {
        const early = bench.link(serve(), {});
        expect(() => early.connection.sendTicket()).to.throw('sendTicket()');
        const old = bench.connect(serve(), { version: 'TLSv1.2' });
        expect(() => old.connection.sendTicket()).to.throw('sendTicket()');
        const off = bench.connect(bench.server('psk-stateful', { tickets: { mode: 'off' } }), {});
        expect(() => off.connection.sendTicket()).to.throw('sendTicket()');
      });

      it('sends nothing that nobody could use', () => {
        const useless: [string, ServerConfig, ClientOptions][] = [
          ['not-resumable', serve({}, { sessions: { notResumable: () => true } }), {}],
          ['psk-mode', serve(), { pskModes: false }],
        ];
        if (mode === 'psk-stateful') useless.push(['not-kept', serve({}, { sessions: { cache: false } }), {}]);
        for (const [why, config, options] of useless) {
          const link = bench.connect(config, options);
          const step = link.connection.sendTicket();
          expect(step.output.length, why).to.equal(0);
          expect(step.events).to.deep.equal([{ type: 'no-ticket', reason: why }]);
          expect(link.client.tickets, why).to.deep.equal([]);
        }
      });

      it('comes with a new PSK for each connection that resumed', () => {
        const config = serve();
        const first = bench.connect(config, {});
        const second = bench.connect(config, returning(first));
        second.step(second.connection.sendTicket());
        expect(second.client.tickets.length).to.equal(2);
        for (const ticket of second.client.tickets) expectResumed(bench.connect(config, { psks: [ticket] }), mode);
      });
    });

    describe('ticket_request (RFC 9149)', () => {
      const asking = (newSessionCount: number, resumptionCount: number) => ({
        ticketRequest: { newSessionCount, resumptionCount },
      });

      it('gets as many as it asks for, up to the bound, and is told how many', () => {
        for (const maxRequested of [0, 1, 10, 255]) {
          for (const count of [0, 1, 2, 9, 10, 11, 255]) {
            const link = bench.connect(serve({ maxRequested }), asking(count, 7));
            const expected = Math.min(count, maxRequested);
            expect(link.client.tickets.length, `${count} of ${maxRequested}`).to.equal(expected);
            expect(link.client.encryptedExtensions?.ticketRequest).to.equal(expected);
          }
        }
      });

      it('counts for resumptions on their own', () => {
        const config = serve();
        const first = bench.connect(config, {});
        const second = bench.connect(config, returning(first, asking(9, 3)));
        expectResumed(second, mode);
        expect(second.client.tickets.length).to.equal(3);
        expect(second.client.encryptedExtensions?.ticketRequest).to.equal(3);
        const refused = bench.connect(config, returning(first, { ...asking(4, 1), sni: 'b.example' }));
        expectFull(refused, 'scope');
        expect(refused.client.tickets.length).to.equal(4);
        expect(refused.client.encryptedExtensions?.ticketRequest).to.equal(4);
      });

      it('is not answered where it was not asked, and with what can be expected where it was', () => {
        expect(bench.connect(serve(), {}).client.encryptedExtensions?.ticketRequest).to.equal(undefined);
        for (const [timing, expected] of [
          ['half-rtt', 3],
          ['with-first-write', 3],
          ['manual', 0],
        ] as const) {
          const link = bench.connect(serve({ timing }), asking(3, 3));
          expect(link.client.encryptedExtensions?.ticketRequest).to.equal(expected);
          if (timing === 'with-first-write') link.step(link.connection.write(DATA));
          expect(link.client.tickets.length).to.equal(expected);
        }
        const ruledOut = serve({}, { sessions: { notResumable: () => true } });
        expect(bench.connect(ruledOut, asking(3, 3)).client.encryptedExtensions?.ticketRequest).to.equal(0);
        const off = bench.server('psk-stateful', { tickets: { mode: 'off' } });
        expect(bench.connect(off, asking(3, 3)).client.encryptedExtensions?.ticketRequest).to.equal(0);
      });

      it('must stay the same after a HelloRetryRequest', () => {
        const rewriteHello: ClientOptions['rewriteHello'] = (hello, attempt) =>
          attempt === 1
            ? hello
            : {
                ...hello,
                extensions: { ...hello.extensions, ticketRequest: { newSessionCount: 5, resumptionCount: 1 } },
              };
        const options = { keyShares: [], ...asking(4, 1) } as const;
        expect(bench.connect(serve(), options).client.tickets.length).to.equal(4);
        expect(bench.connect(serve(), { ...options, rewriteHello }).failure?.alert).to.equal('illegal_parameter');
      });
    });

    describe('lifetime', () => {
      it('is seven days at most, on the wire and when it comes to the test', () => {
        for (const timeout of [604_800, 604_801, 2 ** 40]) {
          const config = serve({ keys: undefined }, { sessions: { cache: new SessionCache(), timeout } });
          const start = bench.world.now();
          const link = bench.connect(config, {});
          expect(link.client.tickets.map(({ lifetime }) => lifetime)).to.deep.equal([604_800, 604_800]);
          if (mode === 'psk-stateless') continue; // its own ring keeps keys for hours; see below
          bench.world.time = start + 604_800_000;
          expectResumed(bench.connect(config, returning(link)), mode);
          bench.world.time = start + 604_801_000;
          expectFull(bench.connect(config, returning(link)), 'expired');
        }
      });

      it('is the session’s timeout where that is less, to the second', () => {
        const config = serve({}, { sessions: { timeout: 100 } });
        const link = bench.connect(config, {});
        expect(firstTicket(link).lifetime).to.equal(100);
        bench.world.advance(100);
        expectResumed(bench.connect(config, returning(link)), mode);
        bench.world.advance(1);
        const late = bench.connect(config, returning(link));
        expectFull(late, 'expired');
        expect(late.client.tickets.length).to.equal(2);
        expect(config.statistics().timeouts).to.equal(1);
      });

      it('no chain of resumptions outlives maxAuthAge, and no ticket says it would', () => {
        const config = serve({ maxAuthAge: 250 }, { sessions: { timeout: 100 } });
        let link = bench.connect(config, {});
        const lifetimes = [firstTicket(link).lifetime];
        for (let i = 0; i < 4; i++) {
          bench.world.advance(60);
          link = bench.connect(config, returning(link));
          expectResumed(link, mode);
          lifetimes.push(firstTicket(link).lifetime);
        }
        expect(lifetimes).to.deep.equal([100, 100, 100, 70, 10]);
        bench.world.advance(10);
        const last = bench.connect(config, returning(link));
        expectResumed(last, mode);
        expect(last.client.tickets, 'they would be worth nothing').to.deep.equal([]);
        expect(last.connection.sendTicket().output.length).to.equal(0);
        bench.world.advance(1);
        expectFull(bench.connect(config, returning(link)), 'auth-age');
      });
    });

    describe('single use', () => {
      const once = (sessions: object = {}, tickets: TicketOptions = {}) =>
        serve({ singleUse: true, ...tickets }, { sessions });

      it('of the internal cache: once', () => {
        const removed: string[] = [];
        const config = once({ onRemove: (_session: Session, reason: string) => void removed.push(reason) });
        const first = bench.connect(config, {});
        expect(bench.cache.size, 'it has to know both').to.equal(2);
        expectResumed(bench.connect(config, returning(first)), mode);
        expect(removed).to.deep.equal(['consumed']);
        const again = bench.connect(config, returning(first));
        expectFull(again, 'consumed');
        expect(again.client.tickets.length).to.equal(2);
        expectResumed(bench.connect(config, { psks: first.client.tickets.slice(1) }), mode);
      });

      it('of one that another connection has used while mayResume was asked: consumed', async () => {
        const answers: ((answer: boolean) => void)[] = [];
        const mayResume = () => new Promise<boolean>((resolve) => answers.push(resolve));
        const config = once({ mayResume });
        const first = bench.connect(config, {});
        const links = [bench.connectAsync(config, returning(first)), bench.connectAsync(config, returning(first))];
        for (const answer of answers) answer(true);
        const [winner, loser] = await Promise.all(links);
        expect(winner?.client.isResumed).to.equal(true);
        expect(loser?.connection.resumption.reason).to.equal('consumed');
      });

      it('of one that another connection has used before the second hello: consumed', () => {
        const config = once();
        const first = bench.connect(config, {});
        const again = { ...returning(first), keyShares: [] };
        const loser = bench.link(config, { ...again, stopBefore: 'second_client_hello' });
        loser.run();
        expectResumed(bench.connect(config, returning(first)), mode);
        loser.client.proceed();
        loser.run();
        expectFull(loser, 'consumed');
      });

      for (const later of [false, true]) {
        it(`of onTake, ${later ? 'later' : 'at once'}: true for one; the loser gets a full handshake`, async () => {
          const taken: string[] = [];
          const onTake = (id: Uint8Array) => {
            taken.push(toHex(id));
            const isFirst = taken.filter((each) => each === toHex(id)).length === 1;
            return later ? Promise.resolve(isFirst) : isFirst;
          };
          const db = new Map<string, Uint8Array>();
          const config = once({
            onTake,
            onNew: (session: Session) => void db.set(toHex(session.id), session.toDer()),
            onGet: (id: Uint8Array) => db.get(toHex(id)),
            internalLookup: false,
          });
          const first = bench.connect(config, {});
          const links = await Promise.all([1, 2, 3].map(() => bench.connectAsync(config, returning(first))));
          expect(links.filter(({ client }) => client.isResumed).length).to.equal(1);
          for (const loser of links.filter(({ client }) => !client.isResumed)) {
            expectFull(loser, 'consumed');
            expect(loser.client.tickets.length).to.equal(2);
          }
          expect(taken.length).to.equal(3);
        });

        it(`of onTake, ${later ? 'later' : 'at once'}: the cache lets go after it, as onRemove may delete what it takes`, async () => {
          const db = new Map<string, Uint8Array>();
          const order: string[] = [];
          const take = (id: Uint8Array) => order.push('take') > 0 && db.delete(toHex(id));
          const config = once({
            onNew: (session: Session) => void db.set(toHex(session.id), session.toDer()),
            onGet: (id: Uint8Array) => db.get(toHex(id)),
            onTake: (id: Uint8Array) => (later ? Promise.resolve(id).then(take) : take(id)),
            onRemove: ({ id }: Session, reason: string) => {
              order.push(reason);
              db.delete(toHex(id));
            },
          });
          const first = bench.connect(config, {});
          const { size } = bench.cache;
          expectResumed(await bench.connectAsync(config, returning(first)), mode);
          expect(order).to.deep.equal(['take', 'consumed']);
          expect(bench.cache.size, 'one gone, one new').to.equal(size);
          expectFull(await bench.connectAsync(config, returning(first)), 'consumed');
        });

        for (const [what, answer] of [
          [
            'throws',
            () => {
              throw new Error('gone');
            },
          ],
          ['answers with something that is not true', () => 1],
        ] as const) {
          it(`onTake that ${what}, ${later ? 'later' : 'at once'}: nobody has it`, async () => {
            const onTake = () => (later ? Promise.resolve().then(answer) : answer());
            const config = once({ onTake });
            const first = bench.connect(config, {});
            const link = await bench.connectAsync(config, returning(first));
            expectFull(link, what === 'throws' ? 'store-error' : 'consumed');
            expect(link.has('callback-error')).to.equal(what === 'throws');
          });
        }
      }

      it('onTake that answers too late: a full handshake', () => {
        const config = once({ onTake: () => new Promise(() => {}) });
        const first = bench.connect(config, {});
        const link = bench.connect(config, returning(first));
        expect(link.question).to.deep.include({ kind: 'take', budgeted: true });
        link.answer({ late: true });
        expectFull(link, 'store-timeout');
      });

      it('is asked last: lookup, scope, binder, take', () => {
        const order: string[] = [];
        const key = newKey();
        const keys: TicketKeyProvider = {
          sealingKey: () => key,
          openingKeys: () => {
            order.push('lookup');
            return [{ key, renewal: 'as-usual' }];
          },
        };
        const sessions = {
          internalLookup: false,
          onGet: (id: Uint8Array) => {
            order.push('lookup');
            return [...bench.cache].find((session) => toHex(session.id) === toHex(id));
          },
          onTake: () => {
            order.push('take');
            return true;
          },
        };
        const config = once(sessions, mode === 'psk-stateless' ? { keys } : {});
        const first = bench.connect(config, {});
        const rewriteBinders = (binders: readonly Uint8Array[]) =>
          binders.map((binder) => binder.map((byte) => byte ^ 1));
        expectFull(bench.connect(config, returning(first, { sni: 'b.example', rewriteBinders })), 'scope');
        expect(order.splice(0)).to.deep.equal(['lookup']);
        const forged = bench.connect(config, returning(first, { rewriteBinders }));
        expect(forged.failure?.alert).to.equal('decrypt_error');
        expect(order.splice(0)).to.deep.equal(['lookup']);
        expectResumed(bench.connect(config, returning(first)), mode);
        expect(order.splice(0)).to.deep.equal(['lookup', 'take']);
      });

      it('a forged hello burns nothing, a HelloRetryRequest takes once', () => {
        let takes = 0;
        const config = once({
          onTake: () => {
            takes++;
            return takes === 1;
          },
        });
        const first = bench.connect(config, {});
        const rewriteBinders = (binders: readonly Uint8Array[]) =>
          binders.map((binder) => binder.map((byte) => byte ^ 1));
        for (const keyShares of [[], ['x25519']] as const) {
          expect(bench.connect(config, returning(first, { rewriteBinders, keyShares })).failure?.alert).to.equal(
            'decrypt_error',
          );
        }
        expect(takes).to.equal(0);
        const link = bench.connect(config, returning(first, { keyShares: [] }));
        expectResumed(link, mode);
        expect(link.client.hellos.length).to.equal(2);
        expect(takes).to.equal(1);
      });

      it('why it is gone is remembered of the last few thousand', () => {
        const { store } = once();
        const id = (i: number) => Uint8Array.of(i >> 8, i);
        for (let i = 0; i <= 4096; i++) store.taken(id(i));
        expect([0, 1, 4096, 4097].map((i) => store.wasTaken(id(i)))).to.deep.equal([false, true, true, false]);
      });

      it('in psk_ke too', () => {
        const config = bench.server(mode, { pskModes: ['psk_ke'], tickets: { singleUse: true } });
        const first = bench.connect(config, {});
        const link = bench.connect(config, returning(first));
        expectResumed(link, mode);
        expect(link.connection.resumption.pskMode).to.equal('psk_ke');
        expectFull(bench.connect(config, returning(first)), 'consumed');
      });
    });

    describe('pskModes', () => {
      const both = ['psk_dhe_ke', 'psk_ke'] as const;
      const rows = [
        { server: ['psk_dhe_ke'], client: both, chosen: 'psk_dhe_ke' },
        { server: ['psk_ke'], client: both, chosen: 'psk_ke' },
        { server: both, client: ['psk_ke', 'psk_dhe_ke'], chosen: 'psk_dhe_ke' },
        { server: ['psk_ke', 'psk_dhe_ke'], client: both, chosen: 'psk_ke' },
        { server: both, client: ['psk_ke'], chosen: 'psk_ke' },
        { server: ['psk_dhe_ke'], client: ['psk_ke'], chosen: undefined },
        { server: ['psk_ke'], client: ['psk_dhe_ke'], chosen: undefined },
      ] as const;
      for (const { server, client, chosen } of rows) {
        it(`${server.join()} at the server, ${client.join()} at the client: ${chosen ?? 'no tickets'}`, () => {
          const config = bench.server(mode, { pskModes: server });
          const first = bench.connect(config, { pskModes: client });
          if (chosen === undefined) {
            expect(first.client.tickets, 'of no use to this client').to.deep.equal([]);
            const other = bench.connect(bench.server(mode, { pskModes: both }), {});
            return expectFull(bench.connect(config, returning(other, { pskModes: client })), 'psk-mode');
          }
          const second = bench.connect(config, returning(first, { pskModes: client }));
          expectResumed(second, mode);
          expect(second.connection.resumption.pskMode).to.equal(chosen);
          expect(second.connection.group).to.equal(chosen === 'psk_ke' ? undefined : 'x25519');
        });
      }
    });

    it('a suite with another hash gets a full handshake, and its tickets', () => {
      const config = serve();
      const first = bench.connect(config, { ciphers: ['TLS_AES_256_GCM_SHA384'] });
      const other = bench.connect(config, returning(first, { ciphers: ['TLS_AES_128_GCM_SHA256'] }));
      expectFull(other, 'hash');
      expect(other.client.tickets.length, 'OpenSSL 3.0 sends none').to.equal(2);
      const same = bench.connect(config, { ciphers: ['TLS_AES_128_GCM_SHA256'] });
      expectResumed(bench.connect(config, returning(same, { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] })), mode);
    });

    it('mode off hands out nothing and resumes nothing', () => {
      const first = bench.connect(serve(), {});
      const old = bench.connect(serve(), { version: 'TLSv1.2' });
      const off = bench.server('psk-stateful', { tickets: { mode: 'off' } });
      const link = bench.connect(off, returning(first));
      expectFull(link, 'disabled');
      expect(link.client.tickets).to.deep.equal([]);
      const tls12 = bench.connect(off, returning(old));
      expectFull(tls12, 'disabled');
      expect(tls12.client.session.id).to.deep.equal(EMPTY);
      expect(bench.connect(off, { version: 'TLSv1.2', ticketExt: EMPTY }).client.ticketTls12).to.equal(undefined);
    });
  });
}

describe('stateless tickets of TLS 1.3', () => {
  const serve = (tickets: TicketOptions = {}, options: Parameters<Bench['server']>[1] = {}): ServerConfig =>
    bench.server('psk-stateless', { ...options, tickets });

  it('are told of one by one, and kept by nobody here, unless somebody wants to know of their end', () => {
    const told: Session[] = [];
    const onNew = (session: Session) => void told.push(session);
    const link = bench.connect(serve({}, { sessions: { onNew } }), {});
    expect(told.length).to.equal(2);
    expect(told.map(({ id }) => id.length)).to.deep.equal([32, 32]);
    expect(new Set(told.map(({ id }) => toHex(id))).size).to.equal(2);
    expect(bench.cache.size).to.equal(0);
    bench.connect(serve({}, { sessions: { onNew } }), returning(link));
    expect(told.length).to.equal(3);
    bench.connect(serve({}, { sessions: { onRemove: () => {} } }), {});
    expect(bench.cache.size, 'as in OpenSSL').to.equal(2);
    bench.connect(serve({ singleUse: true }), {});
    expect(bench.cache.size).to.equal(4);
    bench.connect(serve({}, { sessions: { onNew, onRemove: () => {}, mode: 'off' } }), {});
    expect([told.length, bench.cache.size], 'caching is off').to.deep.equal([3, 4]);
  });

  it('never ask onGet, and resume without a cache', () => {
    let asked = 0;
    const config = serve({}, { sessions: { cache: false, onGet: () => void asked++ } });
    const first = bench.connect(config, {});
    expectResumed(bench.connect(config, returning(first)), 'psk-stateless');
    expectResumed(bench.connect(config, returning(first)), 'psk-stateless');
    expectFull(
      bench.connect(config, { psks: [{ ...firstTicket(first), identity: new Uint8Array(32).fill(4) }] }),
      'undecryptable',
    );
    expect(asked).to.equal(0);
  });

  it('have the whole session sealed in them', () => {
    const key = newKey();
    const link = bench.connect(serve({ keys: TicketKeyRing.of([key], bench.world) }, { alpn: ['h2'] }), {
      alpn: ['h2'],
    });
    for (const [i, { identity, secret, ageAdd }] of link.client.tickets.entries()) {
      const opened = openSession(identity, [{ key, renewal: 'as-usual' }], bench.world.now() / 1000);
      if (opened.status !== 'opened') throw new Error(opened.status);
      expect(opened.session).to.deep.include({ version: 'TLSv1.3', alpnProtocol: 'h2', ticketAgeAdd: ageAdd });
      expect(toHex(opened.session.secret)).to.equal(toHex(secret));
      expect(toHex(opened.session.id)).to.equal(toHex(newSessions(link)[i]?.id ?? EMPTY));
    }
  });

  it('under an older key resume all the same', () => {
    const config = serve();
    const first = bench.connect(config, {});
    bench.keys.rotate();
    const second = bench.connect(config, returning(first));
    expectResumed(second, 'psk-stateless');
    expect(second.client.tickets.length).to.equal(1);
    bench.world.advance(7201);
    expectFull(bench.connect(config, returning(first)), 'undecryptable');
  });

  it('are good for seven days where the keys are, and no longer', () => {
    const keys = TicketKeyRing.of([newKey()], bench.world);
    const config = serve({ keys }, { sessions: { timeout: 2 ** 40 } });
    const link = bench.connect(config, {});
    expect(firstTicket(link).lifetime).to.equal(604_800);
    bench.world.advance(604_800);
    expectResumed(bench.connect(config, returning(link)), 'psk-stateless');
    bench.world.advance(1);
    expectFull(bench.connect(config, returning(link)), 'expired');
  });

  for (const { format } of FORMATS) {
    it(`that cannot be opened or read, ${format.name}: a full handshake, and new ones`, () => {
      const key = newKey(format);
      const config = serve({ keys: TicketKeyRing.of([key], bench.world) });
      const first = bench.connect(config, {});
      const ticket = firstTicket(first);
      const show = (identity: Uint8Array) => {
        const link = bench.connect(config, { psks: [{ ...ticket, identity }] });
        expect(link.connection.resumption.resumed).to.equal(false);
        expect(link.failure).to.equal(undefined);
        expect(link.client.tickets.length).to.equal(2);
        return link.connection.resumption.reason;
      };
      const { identity } = ticket;
      const der = newSessions(first)[0]?.toDer() ?? EMPTY;
      for (let at = 0; at < identity.length; at += at < 34 || at > identity.length - 50 ? 1 : 17) {
        show(identity.map((byte, i) => (i === at ? byte ^ 1 : byte)));
      }
      for (let length = 1; length < identity.length; length += length < 64 ? 3 : 31) show(identity.subarray(0, length));
      expect(show(concat(identity, Uint8Array.of(0)))).to.be.oneOf(['undecryptable', 'malformed']);
      expect(show(sealed(newKey(format), der))).to.equal('undecryptable');
      expect(show(sealed(key, Uint8Array.of(0x30)))).to.equal('malformed');
      expect(show(sealed(key, concat(der, Uint8Array.of(0))))).to.equal('malformed');
      expectResumed(bench.connect(config, { psks: [{ ...ticket, identity: sealed(key, der) }] }), 'psk-stateless');
    });
  }

  it('of TLS 1.2 are none of TLS 1.3, nor the other way round', () => {
    const config = serve();
    const old = bench.connect(config, { version: 'TLSv1.2', ticketExt: EMPTY }).client.session;
    const psk = { identity: old.ticket ?? EMPTY, secret: old.secret, hash: 'sha256' } as const;
    expectFull(bench.connect(config, { psks: [psk] }), 'version');
    const young = firstTicket(bench.connect(config, {}));
    const session = { id: EMPTY, secret: young.secret, cipherSuite: old.cipherSuite, ticket: young.identity };
    expectFull(bench.connect(config, { version: 'TLSv1.2', session }), 'version');
  });

  it('that nobody can seal are left out, and the rest goes on', () => {
    const key = newKey();
    let asked = 0;
    const keys: TicketKeyProvider = { sealingKey: () => (asked++ === 0 ? undefined : key), openingKeys: () => [] };
    const link = bench.connect(serve({ keys }), {});
    expect(link.client.tickets.length).to.equal(1);
    expect(newSessions(link).length).to.equal(1);
    expect(link.events).to.deep.include({ type: 'no-ticket', reason: 'no-key' });
    expect(toHex(firstTicket(link).nonce), 'a nonce is not used twice').to.equal('0000000000000001');
    const large = bench.connect(serve({ onGenerate: () => new Uint8Array(65_000 + 500) }), {});
    expect(large.client.tickets).to.deep.equal([]);
    expect(large.events).to.deep.include({ type: 'no-ticket', reason: 'too-large' });
    expect(large.connection.session?.isResumable).to.equal(false);
  });

  it('that nobody could seal leave the connection a session of its own, half-rtt too', () => {
    const keys = { sealingKey: () => undefined, openingKeys: () => [] } satisfies TicketKeyProvider;
    for (const timing of ['half-rtt', 'after-finished'] as const) {
      const link = bench.connect(serve({ timing, keys }), {});
      expect(link.connection.session?.isResumable).to.equal(false);
      expect(link.client.tickets).to.deep.equal([]);
    }
  });

  it('open each identity once, whatever HelloRetryRequest there is in between', () => {
    const key = newKey();
    let opened = 0;
    const keys: TicketKeyProvider = {
      sealingKey: () => key,
      openingKeys: () => {
        opened++;
        return [{ key, renewal: 'as-usual' }];
      },
    };
    const config = serve({ keys });
    const first = bench.connect(config, {});
    const junk = { identity: new Uint8Array(70).fill(9), secret: new Uint8Array(32), hash: 'sha256' } as const;
    const link = bench.connect(config, { keyShares: [], psks: [junk, firstTicket(first)] });
    expectResumed(link, 'psk-stateless');
    expect(link.client.hellos.length).to.equal(2);
    expect(opened).to.equal(2);
    expect(link.connection.verdicts.length, 'not told twice').to.equal(2);
  });

  describe('whose key comes later', () => {
    it('leave in the Step of the answer; data may go first', () => {
      const { key, keys } = heldKeys();
      const link = bench.connect(serve({ keys, initial: 0 }), {});
      link.step(link.connection.sendTicket());
      expect(link.question).to.deep.include({ kind: 'ticket', budgeted: true });
      const { question } = link;
      link.step(link.connection.write(DATA));
      expect(link.question, 'it is still open').to.deep.equal(question);
      expect(link.client.data).to.deep.equal(DATA);
      link.step(link.connection.sendTicket());
      link.answer({ value: key });
      expect(link.client.tickets.length, 'one at a time').to.equal(1);
      link.answer({ value: key });
      expect(link.client.tickets.length).to.equal(2);
      expect(link.question).to.equal(undefined);
      expectResumed(
        bench.connect(serve({ keys: TicketKeyRing.of([key], bench.world) }), returning(link)),
        'psk-stateless',
      );
    });

    it('half-rtt: with a key that comes later the flight goes first, and the tickets follow', () => {
      const { key, keys } = heldKeys();
      const link = bench.connect(serve({ timing: 'half-rtt', keys }), {});
      expect(link.client.heard.at(-1)).to.equal('finished');
      expect(link.question?.kind).to.equal('ticket');
      while (link.question !== undefined) link.answer({ value: key });
      expectFull(link, 'not-offered');
      expect(link.client.tickets.length).to.equal(2);
      expectResumed(
        bench.connect(serve({ keys: TicketKeyRing.of([key], bench.world) }), returning(link)),
        'psk-stateless',
      );
    });

    it('with-first-write: the data do not wait for them', () => {
      const { key, keys } = heldKeys();
      const link = bench.connect(serve({ keys, timing: 'with-first-write' }), {});
      link.step(link.connection.write(DATA));
      expect(link.client.data).to.deep.equal(DATA);
      while (link.question !== undefined) link.answer({ value: key });
      expect(link.client.tickets.length).to.equal(2);
    });

    it('after-finished: established when they have left', () => {
      const { key, keys } = heldKeys();
      const link = bench.connect(serve({ keys }), {});
      expect(link.connection.isEstablished).to.equal(false);
      link.client.sendData(DATA);
      link.send(link.client.take());
      link.answer({ value: key });
      link.answer({ value: key });
      expect(happenings(link)).to.deep.equal(['new-session', 'new-session', 'established', 'data']);
    });

    for (const ending of ['end', 'dispose', 'peer', 'alert'] as const) {
      it(`and the connection is over meanwhile (${ending}): nothing is sent, told or left unwiped`, () => {
        const { key, keys } = heldKeys();
        const made: Session[] = [];
        const config = serve({ keys, initial: 0, onGenerate: (session) => void made.push(session) });
        const link = bench.connect(config, {});
        link.step(link.connection.sendTicket());
        const { question } = link;
        if (question === undefined) throw new Error('nothing was asked');
        link.client.sendData(DATA);
        if (ending === 'peer') link.client.close();
        if (ending === 'alert') link.client.sendAlert('internal_error');
        link.step(link.connection.receive(link.client.take()));
        expect(link.data, 'what comes in waits').to.deep.equal(EMPTY);
        if (ending === 'end') link.step(link.connection.end());
        if (ending === 'end') expect(link.data, 'and is heard once nothing is waited for').to.deep.equal(DATA);
        if (ending === 'dispose') link.step(link.connection.dispose());
        const before = link.client.heard.length;
        link.step(link.connection.answer(question, { value: key }));
        const isHeard = ending === 'peer' || ending === 'alert'; // their end was still unread
        expect(link.client.heard.slice(before)).to.deep.equal(isHeard ? ['new_session_ticket'] : []);
        expect(newSessions(link).length).to.equal(isHeard ? 1 : 0);
        expect(link.failure?.origin).to.equal(ending === 'alert' ? 'remote' : undefined);
        link.connection.dispose();
        expect(made.map(({ holds }) => holds)).to.deep.equal([0]);
      });
    }

    it('and onGenerate disposes of the connection: nothing follows', () => {
      let link: Exchange | undefined;
      const made: Session[] = [];
      const onGenerate = (session: Session) => {
        made.push(session);
        link?.connection.dispose();
      };
      link = bench.link(serve({ onGenerate }), {});
      link.run();
      expect(link.client.tickets).to.deep.equal([]);
      expect(link.has('established')).to.equal(false);
      expect(made.map(({ holds }) => holds)).to.deep.equal([0]);
    });
  });

  it('a hold that the application takes in onGenerate is its own, ticket or no ticket', () => {
    const taken: Session[] = [];
    const onGenerate = (session: Session) => void taken.push(session.upRef());
    const none = { sealingKey: () => undefined, openingKeys: () => [] } satisfies TicketKeyProvider;
    for (const tickets of [{ onGenerate }, { onGenerate, keys: none }]) {
      const link = bench.connect(serve(tickets), {});
      link.connection.dispose();
    }
    expect(taken.map(({ holds }) => holds)).to.deep.equal([1, 1, 1, 1]);
  });

  it('for single use want somebody who can tell', () => {
    const singleUse = { singleUse: true };
    expect(() => serve(singleUse, { sessions: { cache: false } })).to.throw(TypeError, 'tickets.singleUse');
    expect(() => serve(singleUse, { sessions: { internalStore: false } })).to.throw(TypeError, 'tickets.singleUse');
    expect(() => serve(singleUse, { sessions: { mode: 'off' } })).to.throw(TypeError, 'tickets.singleUse');
    const used = new Set<string>();
    const onTake = (id: Uint8Array) => used.size < used.add(toHex(id)).size;
    const config = serve(singleUse, { sessions: { cache: false, onTake } });
    const first = bench.connect(config, {});
    expectResumed(bench.connect(config, returning(first)), 'psk-stateless');
    expectFull(bench.connect(config, returning(first)), 'consumed');
  });
});
