/** What the core promises of any connection: whose answer is taken, how its life goes on, and what is reported. */

import { expect } from 'chai';
import type { Event } from '../../src/engine/events.ts';
import { LifeCycle } from '../../src/engine/life-cycle.ts';
import type { Deferred, Question } from '../../src/engine/questions.ts';
import type { TicketKeyProvider } from '../../src/tickets/key-provider.ts';
import { Bench, firstTicket, returning } from '../support/mechanisms.ts';

describe('ConnectionCore', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench.close());

  const never = () => new Promise<undefined>(() => {});

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

describe('LifeCycle', () => {
  const LEGAL = new Set([
    'handshaking open open',
    'handshaking ended open',
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
    (life) => life.endReading(true),
    (life) => life.endReading(false),
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
});
