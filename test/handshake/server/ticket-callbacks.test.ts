/** Whoever is asked about tickets: the keeper of the keys, onGenerate, onDecrypt. Each answer, at once and later, in both versions. */

import { expect } from 'chai';
import type { TicketOptions } from '../../../src/engine/server/options.ts';
import type { NoResumption } from '../../../src/handshake/outcome.ts';
import type { Session } from '../../../src/sessions/session.ts';
import type { OnDecryptTicket, TicketAnswer, TicketStatus } from '../../../src/tickets/callbacks.ts';
import type { TicketKey } from '../../../src/tickets/key.ts';
import type { OpeningKey, TicketKeyProvider } from '../../../src/tickets/key-provider.ts';
import { TicketKeyRing } from '../../../src/tickets/key-ring.ts';
import { TlsAlert } from '../../../src/wire/alert.ts';
import { EMPTY, toHex } from '../../../src/wire/bytes.ts';
import {
  Bench,
  expectFull,
  expectResumed,
  firstOffer,
  firstTicket,
  returning,
  VERSIONS,
} from '../../support/mechanisms.ts';
import type { ClientOptions, Exchange } from '../../support/scripted-client.ts';
import { newKey } from '../../tickets/support.ts';

const STATELESS = { 'TLSv1.2': 'ticket', 'TLSv1.3': 'psk-stateless' } as const;
/** At once, or later. */
const TIMES = ['at once', 'later'] as const;
const boom = new Error('the key service is down');

let bench: Bench;
let key: TicketKey;
beforeEach(() => {
  bench = new Bench();
  key = newKey();
});
afterEach(() => bench.close());

type When = (typeof TIMES)[number];

/** An answer, as a value or as the promise of one. */
function answering<T>(when: When, answer: () => T): T | Promise<T> {
  return when === 'at once' ? answer() : Promise.resolve().then(answer);
}

function serve(version: (typeof VERSIONS)[number], tickets: TicketOptions) {
  return bench.server(STATELESS[version], { tickets });
}

function sound(version: (typeof VERSIONS)[number]) {
  return serve(version, { keys: TicketKeyRing.of([key], bench.world) });
}

function ticketsGot({ client }: Exchange): number {
  const { ticket = EMPTY } = client.ticketTls12 ?? {};
  return client.version === 'TLSv1.2' ? Math.min(1, ticket.length) : client.tickets.length;
}

function errorsOf({ events }: Exchange): string[] {
  return events.flatMap((event) => (event.type === 'callback-error' ? [event.callback] : []));
}

/** Each that was due has failed, and nothing else has. */
function expectNoTicket(link: Exchange, due: number): void {
  expectFull(link, 'not-offered');
  expect(ticketsGot(link)).to.equal(0);
  expect(errorsOf(link)).to.deep.equal(Array.from({ length: due }, () => 'onGenerate'));
  expect(link.has('new-session')).to.equal(false);
  expect(bench.cache.size).to.equal(0);
}

for (const version of VERSIONS) {
  const mechanism = STATELESS[version];
  const usual = version === 'TLSv1.2' ? 1 : 2;

  describe(`the keeper of ticket keys, ${version}`, () => {
    for (const when of TIMES) {
      it(`answers ${when}, and knows whom it is asked for`, async () => {
        const asked: string[] = [];
        const keys: TicketKeyProvider = {
          sealingKey: ({ serverName, version: spoken }) => {
            asked.push(`seal ${serverName} ${spoken}`);
            return answering(when, () => key);
          },
          openingKeys: (name, { serverName }, ticket) => {
            asked.push(`open ${serverName} ${toHex(name) === toHex(key.name)} ${ticket.length > 45}`);
            name.fill(0); // its own to overwrite
            ticket.fill(0);
            return answering(when, (): OpeningKey[] => [
              { key: newKey(), renewal: 'due' },
              { key, renewal: 'declined' },
            ]);
          },
        };
        const first = await bench.connectAsync(serve(version, { keys }), firstOffer(mechanism));
        expect(ticketsGot(first)).to.equal(usual);
        const second = await bench.connectAsync(serve(version, { keys }), returning(first));
        expectResumed(second, mechanism);
        expect(ticketsGot(second), 'renewal is declined').to.equal(0);
        const seals = new Array<string>(usual).fill(`seal localhost ${version}`);
        expect(asked).to.deep.equal([...seals, 'open localhost true true']);
      });

      const keyFailures: readonly [string, () => unknown][] = [
        [
          'throws',
          () => {
            throw boom;
          },
        ],
        ['has a string', () => 'key'],
        ['has null', () => null],
        ['has an object', () => ({ seal: () => new Uint8Array(50) })],
        ['has an array', () => [key]],
      ];
      for (const [what, answer] of keyFailures) {
        it(`${what} ${when} to seal with: an event, and no ticket`, async () => {
          const keys = {
            sealingKey: () => answering(when, answer) as TicketKey,
            openingKeys: () => [],
          } satisfies TicketKeyProvider;
          const link = await bench.connectAsync(serve(version, { keys }), firstOffer(mechanism));
          expectFull(link, 'not-offered');
          expect(ticketsGot(link)).to.equal(0);
          expect(errorsOf(link)).to.deep.equal(new Array(usual).fill('sealingKey'));
          if (version === 'TLSv1.2')
            expect(link.client.ticketTls12).to.deep.equal({ ticketLifetimeHint: 0, ticket: EMPTY });
        });
      }

      const openingFailures: readonly [string, () => unknown][] = [
        [
          'throws',
          () => {
            throw boom;
          },
        ],
        ['has a string', () => 'keys'],
        ['has one key', () => ({ key, renewal: 'due' })],
        ['has keys without renewal', () => [{ key }]],
        ['has keys with some other renewal', () => [{ key, renewal: 'toString' }]],
        ['has bare keys', () => [key]],
        ['has nothing in an array', () => [undefined]],
        ['has null in an array', () => [null]],
        ['has keys that are none', () => [{ key: { hasName: () => true }, renewal: 'due' }]],
        [
          'has a hostile object',
          () => [
            new Proxy(
              {},
              {
                get: () => {
                  throw boom;
                },
              },
            ),
          ],
        ],
      ];
      for (const [what, answer] of openingFailures) {
        it(`${what} ${when} to open with: an event, and a full handshake with new tickets`, async () => {
          const first = bench.connect(sound(version), firstOffer(mechanism));
          const keys = {
            sealingKey: () => key,
            openingKeys: () => answering(when, answer) as [],
          } satisfies TicketKeyProvider;
          const link = await bench.connectAsync(serve(version, { keys }), returning(first));
          expectFull(link, 'undecryptable');
          expect(ticketsGot(link)).to.equal(usual);
          expect(errorsOf(link)).to.deep.equal(['openingKeys']);
        });
      }

      it(`throws an alert ${when}: that is how the connection ends`, async () => {
        const first = bench.connect(sound(version), firstOffer(mechanism));
        const refuse = () =>
          answering(when, () => {
            throw new TlsAlert('access_denied', 'not for you');
          });
        const sealing = serve(version, { keys: { sealingKey: refuse, openingKeys: () => [] } });
        expect((await bench.connectAsync(sealing, firstOffer(mechanism))).client.alert?.name).to.equal('access_denied');
        const opening = serve(version, { keys: { sealingKey: () => key, openingKeys: refuse } });
        const link = await bench.connectAsync(opening, returning(first));
        expect(link.failure?.alert).to.equal('access_denied');
        expect(link.client.alert?.name).to.equal('access_denied');
      });
    }

    it('comes too late: an event, no ticket, no session, and what comes then is ignored', () => {
      const never = () => new Promise<never>(() => {});
      const first = bench.connect(sound(version), firstOffer(mechanism));
      const config = serve(version, { keys: { sealingKey: never, openingKeys: never } });
      const link = bench.connect(config, returning(first));
      const { question } = link;
      expect(question).to.deep.include({ kind: 'ticket', budgeted: true });
      while (link.question !== undefined) link.answer({ late: true });
      expectFull(link, 'store-timeout');
      expect(ticketsGot(link)).to.equal(0);
      expect(errorsOf(link)).to.deep.equal(['openingKeys', ...new Array(usual).fill('sealingKey')]);
      if (question !== undefined)
        link.step(link.connection.answer(question, { value: [{ key, renewal: 'due' }] })).run();
      expectFull(link, 'store-timeout');
    });

    it('destroys the key meanwhile: as if there were none', () => {
      const first = bench.connect(sound(version), firstOffer(mechanism));
      const pending = () => new Promise<never>(() => {});
      const config = serve(version, { keys: { sealingKey: pending, openingKeys: pending } });
      const link = bench.connect(config, returning(first));
      key.destroy();
      link.answer({ value: [{ key, renewal: 'as-usual' }] });
      while (link.question !== undefined) link.answer({ value: key });
      expectFull(link, 'undecryptable');
      expect(ticketsGot(link)).to.equal(0);
      expect(link.events).to.deep.include({ type: 'no-ticket', reason: 'no-key' });
    });

    it('has a format that throws, or makes no tickets: an event', () => {
      const cipher = { seal: () => new Uint8Array(64), open: () => new Uint8Array(0), wipe: () => {} };
      const broken = {
        'seal throws': {
          ...cipher,
          seal: () => {
            throw boom;
          },
        },
        'nothing is sealed': { ...cipher, seal: () => EMPTY },
        'too much is sealed': { ...cipher, seal: () => new Uint8Array(65_536) },
        'no bytes are sealed': { ...cipher, seal: () => 7 as unknown as Uint8Array },
      };
      for (const [name, made] of Object.entries(broken)) {
        const strange = newKey({ name, secretLength: 32, cipher: () => made });
        const keys = { sealingKey: () => strange, openingKeys: () => [] } satisfies TicketKeyProvider;
        const link = bench.connect(serve(version, { keys }), firstOffer(mechanism));
        expectFull(link, 'not-offered');
        expect(ticketsGot(link), name).to.equal(0);
        expect(errorsOf(link), name).to.deep.equal(new Array(usual).fill('sealingKey'));
      }
      const throwing = newKey({
        name: 'open throws',
        secretLength: 32,
        cipher: () => ({
          ...cipher,
          open: () => {
            throw boom;
          },
        }),
      });
      const keys = {
        sealingKey: () => key,
        openingKeys: () => [{ key: throwing, renewal: 'due' }],
      } satisfies TicketKeyProvider;
      const psk = { identity: new Uint8Array(80).fill(1), secret: new Uint8Array(32), hash: 'sha256' } as const;
      psk.identity.set(throwing.name);
      const offer: ClientOptions =
        version === 'TLSv1.2' ? { version, ticketExt: psk.identity } : { version, psks: [psk] };
      const link = bench.connect(serve(version, { keys }), offer);
      expectFull(link, 'undecryptable');
      expect(errorsOf(link)).to.deep.equal(['openingKeys']);
    });

    it('tells of a key what it likes, or throws: the connection goes on', () => {
      const first = bench.connect(sound(version), firstOffer(mechanism));
      const find = (answer: () => unknown) => answer as NonNullable<TicketKeyProvider['find']>;
      const base = {
        sealingKey: () => key,
        openingKeys: () => [{ key, renewal: 'as-usual' }],
      } satisfies TicketKeyProvider;
      const odd = serve(version, { keys: { ...base, find: find(() => ({ phase: 'retired' })) } });
      const link = bench.connect(odd, returning(first));
      expectResumed(link, mechanism);
      expect(link.connection.verdicts[0]?.ticket?.phase).to.equal(undefined);
      const throwing = serve(version, {
        keys: {
          ...base,
          find: find(() => {
            throw boom;
          }),
        },
      });
      const second = bench.connect(throwing, returning(first));
      expect(second.connection.isEstablished).to.equal(true);
      expect(errorsOf(second)).to.deep.equal(['openingKeys']);
    });
  });

  describe(`onDecrypt, ${version}`, () => {
    interface Row {
      readonly status: TicketStatus;
      readonly answer: TicketAnswer;
      /** 'fatal', or what comes of it, and how many tickets the client gets. */
      readonly outcome: 'fatal' | readonly [NoResumption | 'resumed', number];
    }
    const opened = (status: TicketStatus): Row[] => [
      { status, answer: 'abort', outcome: 'fatal' },
      { status, answer: 'ignore', outcome: ['ignored', 0] },
      { status, answer: 'ignore-renew', outcome: ['ignored', usual] },
      { status, answer: 'use', outcome: ['resumed', 0] },
      { status, answer: 'use-renew', outcome: ['resumed', 1] },
    ];
    const unopened = (status: TicketStatus, reason: NoResumption | 'resumed'): Row[] => [
      { status, answer: 'abort', outcome: 'fatal' },
      { status, answer: 'ignore', outcome: [reason, 0] },
      { status, answer: 'ignore-renew', outcome: [reason, reason === 'resumed' ? 1 : usual] },
      { status, answer: 'use', outcome: 'fatal' },
      { status, answer: 'use-renew', outcome: 'fatal' },
    ];
    const rows = [
      ...opened('success'),
      ...opened('success-renew'),
      ...unopened('no-decrypt', 'undecryptable'),
      ...(version === 'TLSv1.2' ? unopened('empty', 'resumed') : []), // by the id that stands beside it
    ];

    function offerFor(status: TicketStatus): ClientOptions {
      if (status !== 'empty') return returning(bench.connect(sound(version), firstOffer(mechanism)));
      return { ...returning(bench.connect(sound(version), { version })), ticketExt: EMPTY };
    }

    function keysFor(status: TicketStatus): TicketKeyProvider {
      const renewal = status === 'success' ? 'declined' : 'due';
      return { sealingKey: () => key, openingKeys: () => (status === 'no-decrypt' ? [] : [{ key, renewal }]) };
    }

    for (const when of TIMES) {
      for (const { status, answer, outcome } of rows) {
        it(`${status}: ${answer} ${when}`, async () => {
          const asked: unknown[] = [];
          const onDecrypt: OnDecryptTicket = (session, keyName, given, connection) => {
            asked.push([session?.version, toHex(keyName), given, connection.serverName]);
            return answering(when, () => answer);
          };
          const link = await bench.connectAsync(serve(version, { keys: keysFor(status), onDecrypt }), offerFor(status));
          const isOpened = status === 'success' || status === 'success-renew';
          const name = status === 'empty' ? '' : toHex(key.name);
          expect(asked).to.deep.equal([[isOpened ? version : undefined, name, status, 'localhost']]);
          if (outcome === 'fatal') {
            expect(link.client.alert?.name).to.equal('internal_error');
            return;
          }
          const [reason, count] = outcome;
          if (reason === 'resumed') expectResumed(link, status === 'empty' ? 'session-id' : mechanism);
          else expectFull(link, reason);
          expect(ticketsGot(link)).to.equal(count);
        });
      }

      for (const [what, answer] of [
        ['answers with nothing', () => undefined],
        ['answers with what is no answer', () => 'maybe'],
      ] as const) {
        it(`${what} ${when}: internal_error`, async () => {
          const onDecrypt = () => answering<unknown>(when, answer) as TicketAnswer;
          const link = await bench.connectAsync(
            serve(version, { keys: keysFor('success'), onDecrypt }),
            offerFor('success'),
          );
          expect(link.client.alert?.name).to.equal('internal_error');
          expect(errorsOf(link)).to.deep.equal([]);
        });
      }

      it(`throws ${when}: a full handshake, with new tickets, and an event`, async () => {
        const onDecrypt = () =>
          answering<TicketAnswer>(when, () => {
            throw boom;
          });
        const config = serve(version, { keys: keysFor('success'), onDecrypt });
        const link = await bench.connectAsync(config, offerFor('success'));
        expectFull(link, 'ignored');
        expect(ticketsGot(link)).to.equal(usual);
        expect(errorsOf(link)).to.deep.equal(['onDecrypt']);
      });
    }

    it('too late is no answer: a full handshake, and an event', () => {
      const onDecrypt = () => new Promise<never>(() => {});
      const link = bench.connect(serve(version, { keys: keysFor('success'), onDecrypt }), offerFor('success'));
      link.answer({ late: true });
      expectFull(link, 'ignored');
      expect(errorsOf(link)).to.deep.equal(['onDecrypt']);
    });

    it('without it the keys have the say', () => {
      for (const [renewal, count] of [
        ['declined', 0],
        ['due', 1],
        ['as-usual', version === 'TLSv1.2' ? 0 : 1],
      ] as const) {
        const keys: TicketKeyProvider = { sealingKey: () => key, openingKeys: () => [{ key, renewal }] };
        const link = bench.connect(serve(version, { keys }), offerFor('success'));
        expectResumed(link, mechanism);
        expect(ticketsGot(link), renewal).to.equal(count);
      }
    });

    it('is not asked where no ticket is shown, nor in the stateful mode', () => {
      let asked = 0;
      const onDecrypt = () => {
        asked++;
        return 'abort' as const;
      };
      expectFull(bench.connect(serve(version, { onDecrypt }), { version }), 'not-offered');
      const stateful = bench.server('session-id', { tickets: { onDecrypt } });
      const first = bench.connect(stateful, { version });
      expectResumed(bench.connect(stateful, returning(first)));
      expect(asked).to.equal(0);
    });

    it('sees what onGenerate has put in, to the byte, and so do those that come after', async () => {
      const data = Uint8Array.from({ length: 256 }, (_, i) => i);
      for (const when of TIMES) {
        const seen: (string | undefined)[] = [];
        let visits = 0;
        const config = serve(version, {
          keys: keysFor('success-renew'),
          onGenerate: () => answering(when, () => (visits === 0 ? data : undefined)),
          onDecrypt: (session, _name, status) => {
            seen.push(session && toHex(session.applicationData));
            return answering(when, () => (status === 'empty' ? 'ignore-renew' : 'use-renew'));
          },
        });
        const first = await bench.connectAsync(config, firstOffer(mechanism));
        visits++;
        const second = await bench.connectAsync(config, returning(first));
        const third = await bench.connectAsync(config, returning(second));
        expectResumed(third, mechanism);
        expect(seen.filter((each) => each !== undefined)).to.deep.equal([toHex(data), toHex(data)]);
      }
    });
  });

  for (const mode of ['stateless', 'stateful'] as const) {
    if (version === 'TLSv1.2' && mode === 'stateful') continue; // no tickets are made
    const how = mode === 'stateless' ? mechanism : 'psk-stateful';

    describe(`onGenerate, ${version}, ${mode}`, () => {
      for (const when of TIMES) {
        it(`is asked before each ticket ${when}, of a session that has all but its ticket`, async () => {
          const asked: Session[] = [];
          const config = bench.server(how, {
            tickets: {
              onGenerate: (session) => {
                asked.push(session);
                expect(session.time).to.equal(bench.world.now() / 1000);
                expect(session.id.length).to.equal(version === 'TLSv1.2' ? 0 : 32);
                return answering(when, () => Uint8Array.of(asked.length));
              },
            },
          });
          const first = await bench.connectAsync(config, firstOffer(how));
          expect(ticketsGot(first)).to.equal(usual);
          expect(asked.map(({ applicationData }) => [...applicationData])).to.deep.equal(
            Array.from({ length: usual }, (_, i) => [i + 1]),
          );
          const second = await bench.connectAsync(config, returning(first));
          expectResumed(second, how);
          expect([...(second.connection.resumption.session?.applicationData ?? [])]).to.deep.equal([1]);
        });

        for (const [what, answer] of [
          ['nothing', undefined],
          ['true', true],
        ] as const) {
          it(`${what} ${when} leaves the data as they are`, async () => {
            const onGenerate = () => answering(when, () => answer);
            const link = await bench.connectAsync(bench.server(how, { tickets: { onGenerate } }), firstOffer(how));
            expectFull(link, 'not-offered');
            expect(ticketsGot(link)).to.equal(usual);
          });
        }

        it(`false ${when}: internal_error, and nobody keeps the session`, async () => {
          const onGenerate = () => answering(when, () => false);
          const link = await bench.connectAsync(bench.server(how, { tickets: { onGenerate } }), firstOffer(how));
          expect(link.failure?.alert).to.equal('internal_error');
          expect(link.client.alert?.name).to.equal('internal_error');
          expect(errorsOf(link)).to.deep.equal([]);
          expect(link.has('new-session')).to.equal(false);
          expect(bench.cache.size).to.equal(0);
        });

        for (const [what, answer] of [
          [
            'an error',
            () => {
              throw boom;
            },
          ],
          ['more data than a session holds', () => new Uint8Array(65_536)],
        ] as const) {
          it(`${what} ${when}: no ticket, and the connection goes on`, async () => {
            const onGenerate = () => answering<Uint8Array | boolean>(when, answer);
            const link = await bench.connectAsync(bench.server(how, { tickets: { onGenerate } }), firstOffer(how));
            expectNoTicket(link, usual);
          });
        }
      }

      it('too late is no answer: no ticket', () => {
        const onGenerate = () => new Promise<never>(() => {});
        const link = bench.connect(bench.server(how, { tickets: { onGenerate } }), firstOffer(how));
        for (let i = 0; i < usual; i++) link.answer({ late: true });
        expectNoTicket(link, usual);
      });
    });
  }
}

describe('onDecrypt and several identities', () => {
  it('one that is ignored is followed by the next; with all of them ignored there are no tickets', () => {
    const config = (answers: readonly TicketAnswer[]) => {
      let i = 0;
      return bench.server('psk-stateless', { tickets: { onDecrypt: () => answers[i++] ?? 'abort' } });
    };
    const first = bench.connect(bench.server('psk-stateless'), {});
    const psks = first.client.tickets;
    const second = bench.connect(config(['ignore', 'use-renew']), { psks });
    expectResumed(second, 'psk-stateless');
    expect(second.connection.resumption.identityIndex).to.equal(1);
    expect(second.client.tickets.length).to.equal(1);
    const neither = bench.connect(config(['ignore', 'ignore']), { psks });
    expectFull(neither, 'ignored');
    expect(neither.client.tickets.length).to.equal(0);
    const either = bench.connect(config(['ignore', 'ignore-renew']), { psks });
    expectFull(either, 'ignored');
    expect(either.client.tickets.length).to.equal(2);
    expect(bench.connect(config(['ignore', 'abort']), { psks }).failure?.alert).to.equal('internal_error');
  });

  it('is asked once about each, whatever HelloRetryRequest there is in between', () => {
    const seen: TicketStatus[] = [];
    const onDecrypt: OnDecryptTicket = (_session, _name, status) => {
      seen.push(status);
      return status === 'no-decrypt' ? 'ignore-renew' : 'use-renew';
    };
    let opened = 0;
    const keys: TicketKeyProvider = {
      sealingKey: () => key,
      openingKeys: () => {
        opened++;
        return [{ key, renewal: 'as-usual' }];
      },
    };
    const config = bench.server('psk-stateless', { tickets: { keys, onDecrypt } });
    const first = bench.connect(config, {});
    const junk = { identity: new Uint8Array(90).fill(1), secret: new Uint8Array(32), hash: 'sha256' } as const;
    const second = bench.connect(config, { keyShares: [], psks: [junk, firstTicket(first)] });
    expectResumed(second, 'psk-stateless');
    expect(second.client.hellos.length).to.equal(2);
    expect(seen).to.deep.equal(['no-decrypt', 'success-renew']);
    expect(opened).to.equal(2);
  });
});
