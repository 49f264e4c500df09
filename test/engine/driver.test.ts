/** What every shell does with a Step: here where a connection waits for a ticket after its handshake. */

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { type Clock, Driver, type Shell } from '../../src/engine/driver.ts';
import type { Event } from '../../src/engine/events.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { TicketKeyProvider } from '../../src/tickets/key-provider.ts';
import { uncaughtIn } from '../support/rejections.ts';
import { type ClientOptions, ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { newKey } from '../tickets/support.ts';

const DATA = Uint8Array.of(1, 2, 3);

function drive(options: Partial<ServerOptions>, shell: Shell, clock?: Clock): Driver<ServerConnection> {
  const config = testServer(options);
  return new Driver(new ServerConnection(config), shell, config.lookupTimeoutMs, clock);
}

/** A driver and its client, which hears what is sent at once. */
class Link {
  readonly events: Event[] = [];
  readonly #said: Uint8Array[] = [];
  readonly client: ScriptedClient;
  readonly driver: Driver<ServerConnection>;
  /** Dispatches the type of each event. */
  readonly heard = new EventTarget();
  /** Called when no question is open any more. */
  onReady = (): void => {};

  constructor(
    options: Partial<ServerOptions>,
    clientOptions: ClientOptions = {},
    clock?: Clock,
    onSend?: Shell['send'],
  ) {
    this.client = new ScriptedClient({ crypto: toyCrypto, ...clientOptions });
    const shell: Shell = {
      send: (output, isData) => {
        onSend?.(output, isData);
        this.client.receive(output);
      },
      attend: (event) => {
        this.events.push(event);
        this.heard.dispatchEvent(new globalThis.Event(event.type));
      },
      crash: (error) => {
        throw error;
      },
      ready: () => {
        this.pass();
        this.onReady();
      },
    };
    this.driver = drive({ crypto: toyCrypto, ...options }, shell, clock);
  }

  /** Passes what the client has to say, and keeps what the driver does not take. */
  pass(): void {
    for (this.#say(); this.#said.length > 0 && this.driver.receive(this.#said[0] ?? DATA); this.#say())
      this.#said.shift();
  }

  #say(): void {
    const input = this.client.take();
    if (input.length > 0) this.#said.push(input);
  }

  has(type: Event['type']): boolean {
    return this.events.some((event) => event.type === type);
  }
}

/** A second driver of the connection of a link, whose shell attends in its own way. */
function listening(link: Link, attend: Shell['attend']): Driver<ServerConnection> {
  const shell: Shell = {
    send: (output) => link.client.receive(output),
    attend,
    crash: (error) => {
      throw error;
    },
  };
  return new Driver(link.driver.connection, shell, 1000);
}

function stateless(sealingKey: TicketKeyProvider['sealingKey'], initial: number): Pick<ServerOptions, 'tickets'> {
  return { tickets: { mode: 'stateless', initial, keys: { sealingKey, openingKeys: () => [] } } };
}

/** A session that no server has issued, under an id of `byte` alone. */
function unknownPsk(byte: number): NonNullable<ClientOptions['psks']>[number] {
  return { identity: new Uint8Array(32).fill(byte), secret: new Uint8Array(32).fill(byte), hash: 'sha256' };
}

describe('Driver', () => {
  it('has nothing sent for a step without output, nor for data of no bytes', () => {
    const sizes: number[] = [];
    const link = new Link({ tickets: { mode: 'off' } }, {}, undefined, (output) => sizes.push(output.length));
    const hello = link.client.take();
    link.driver.receive(hello.subarray(0, 10));
    expect(sizes).to.deep.equal([]);
    link.driver.receive(hello.subarray(10));
    link.pass();
    expect(link.has('established')).to.equal(true);
    const before = sizes.length;
    expect(link.driver.write(new Uint8Array(0))).to.equal(0);
    link.client.sendData(DATA);
    link.pass();
    expect([link.has('data'), sizes.length]).to.deep.equal([true, before]);
    expect(sizes).not.to.include(0);
    link.driver.run(() => link.driver.connection.dispose());
  });

  it('attends to as many events as a step has, in order', () => {
    const link = new Link({ tickets: { mode: 'off' } });
    const numbers: number[] = [];
    const driver = listening(link, (event) => {
      if (event.type === 'data') numbers.push(event.data.length);
    });
    const events = Array.from({ length: 200_000 }, (_, i) => ({ type: 'data', data: new Uint8Array(i % 3) }) as const);
    driver.run(() => ({ output: new Uint8Array(0), events, question: undefined }));
    expect(numbers).to.deep.equal(events.map(({ data }) => data.length));
  });

  it('holds a new session until the shell has attended to it, also if an event before has ended the connection', () => {
    const link = new Link({ tickets: { timing: 'manual', mode: 'stateless' } });
    link.pass();
    const holds: number[] = [];
    const driver = listening(link, (event) => {
      if (event.type === 'keylog') driver.run(() => driver.connection.dispose());
      if (event.type === 'new-session') holds.push(event.session.holds);
    });
    const { output, events } = link.driver.connection.sendTicket();
    const [told] = events.filter((event) => event.type === 'new-session');
    driver.run(() => ({ output, events: [{ type: 'keylog', line: '' }, ...events], question: undefined }));
    expect(holds).to.deep.equal([1]);
    expect(told?.session.holds).to.equal(0);
  });

  it('reads on where end() is called before a ticket is sealed', async () => {
    const link = new Link(stateless(() => new Promise(() => {}), 0));
    link.pass();
    link.driver.run(() => link.driver.connection.sendTicket());
    expect(link.driver.isWaiting).to.equal(true);
    link.client.sendData(DATA);
    link.pass();
    link.client.close();
    link.pass();
    expect(link.has('data')).to.equal(false);
    const isReady = new Promise<void>((resolve) => {
      link.onReady = resolve;
    });
    link.driver.run(() => link.driver.connection.end());
    await isReady;
    expect(link.driver.isWaiting).to.equal(false);
    expect([link.has('data'), link.has('end'), link.has('failed')]).to.deep.equal([true, true, false]);
    link.driver.run(() => link.driver.connection.dispose());
  });

  it('sends the alert of a connection that a bug has ended, and then tells of the bug', () => {
    const bug = new Error('no dice');
    const world = {
      now: () => 0,
      randomBytes: () => {
        throw bug;
      },
    };
    const heard: unknown[] = [];
    const client = new ScriptedClient({ crypto: toyCrypto, version: 'TLSv1.2' });
    const driver = drive(
      { crypto: toyCrypto, world },
      {
        send: (output) => client.receive(output),
        attend: ({ type }) => heard.push(type),
        crash: (error) => heard.push(client.alert?.name, error),
      },
    );
    driver.receive(client.take());
    expect(heard).to.deep.equal(['alert', 'internal_error', bug]);
    expect(driver.connection.hasFailed).to.equal(true);
  });

  it('has the shell attend to all events although one listener throws, and then throws the error', () => {
    const link = new Link({});
    link.pass();
    const heard: string[] = [];
    const driver = listening(link, (event) => {
      heard.push(event.type === 'data' ? String(event.data[0]) : event.type);
      if (heard.length === 1) throw new Error('the listener');
    });
    for (const byte of [1, 2, 3]) link.client.sendData(Uint8Array.of(byte));
    link.client.sendAlert('handshake_failure');
    const input = link.client.take();
    expect(() => driver.receive(input)).to.throw('the listener');
    expect(heard).to.deep.equal(['1', '2', '3', 'alert', 'failed', 'session-removed']);
  });

  it('has the host report each further error, so that none is lost', async () => {
    const link = new Link({});
    link.pass();
    let count = 0;
    const driver = listening(link, () => {
      throw new Error(`error ${++count}`);
    });
    for (const byte of [1, 2, 3]) link.client.sendData(Uint8Array.of(byte));
    const input = link.client.take();
    const reported = await uncaughtIn(async () => {
      expect(() => driver.receive(input)).to.throw('error 1');
      await delay(0);
    });
    expect(reported.map(({ message }) => message)).to.deep.equal(['error 2', 'error 3']);
  });

  it('has the shell attend to what its own call brings after what is there', () => {
    const link = new Link({});
    link.pass();
    const heard: string[] = [];
    const driver = listening(link, (event) => {
      if (event.type === 'data') heard.push(`data ${event.data[0]}`);
      if (event.type === 'alert') heard.push(`alert ${event.direction}`);
      if (heard.length === 1) driver.run(() => driver.connection.end());
    });
    for (const byte of [1, 2]) link.client.sendData(Uint8Array.of(byte));
    driver.receive(link.client.take());
    expect(heard).to.deep.equal(['data 1', 'data 2', 'alert sent']);
  });

  it('has the shell attend to what came before a bug', () => {
    let isBroken = false;
    const world = new TestWorld(4);
    const now = () => {
      if (isBroken) throw new Error('no clock');
      return world.now();
    };
    const heard: unknown[] = [];
    const client = new ScriptedClient({ crypto: toyCrypto });
    const driver = drive(
      { crypto: toyCrypto, world: { now, randomBytes: (length) => world.randomBytes(length) } },
      {
        send: (output) => client.receive(output),
        attend: ({ type }) => heard.push(type),
        crash: (error) => heard.push(String(error)),
      },
    );
    driver.receive(client.take());
    driver.receive(client.take());
    heard.length = 0;
    isBroken = true;
    driver.write(DATA);
    expect(heard).to.deep.equal(['alert', 'session-removed', 'Error: no clock']);
    expect(client.alert?.name).to.equal('internal_error');
  });

  it('does not take the mistake of a caller for one', () => {
    const errors: unknown[] = [];
    const driver = drive(
      { crypto: toyCrypto },
      { send: () => {}, attend: () => {}, crash: (error) => errors.push(error) },
    );
    driver.run(() => driver.connection.write(DATA));
    expect(errors.length).to.equal(1);
    expect(driver.connection.waitingFor?.kind).to.equal('message');
    driver.run(() => driver.connection.dispose());
  });

  it('tells how many bytes of output a write has had, and the shell which output that is', () => {
    const sent: [number, boolean][] = [];
    const link = new Link({}, {}, undefined, (output, isData) => sent.push([output.length, isData]));
    link.pass();
    expect(sent.map(([, isData]) => isData)).to.not.include(true);
    sent.length = 0;
    const length = link.driver.write(DATA);
    expect(length).to.be.greaterThan(DATA.length);
    expect(sent).to.deep.equal([[length, true]]);
    expect(link.driver.write(new Uint8Array(0))).to.equal(0);
    link.driver.run(() => link.driver.connection.end());
    expect(sent.map(([, isData]) => isData)).to.deep.equal([true, false]);
    link.driver.run(() => link.driver.connection.dispose());
  });

  it('gives a ticket after the handshake a budget of its own, whatever the handshake has used up', async () => {
    const key = newKey();
    let isSlow = true;
    const sealingKey = () => (isSlow ? new Promise<never>(() => {}) : delay(5).then(() => key));
    const link = new Link({ ...stateless(sealingKey, 1), sessions: { lookupTimeoutMs: 60 } });
    link.pass();
    await once(link.heard, 'established');
    expect(link.has('callback-error'), 'too late').to.equal(true);
    expect(link.client.tickets).to.deep.equal([]);
    isSlow = false;
    const isTold = once(link.heard, 'new-session');
    link.driver.run(() => link.driver.connection.sendTicket());
    await isTold;
    expect(link.client.tickets.length).to.equal(1);
    link.driver.run(() => link.driver.connection.dispose());
  });

  it('takes the time from the clock that it is given: one budget for all lookups of a handshake', async () => {
    const clock = new ManualClock();
    const answers: ((_: undefined) => void)[] = [];
    const onGet = () => new Promise<undefined>((resolve) => void answers.push(resolve));
    const psks = [1, 2].map((byte) => unknownPsk(byte));
    const link = new Link({ sessions: { onGet, lookupTimeoutMs: 1000 } }, { psks }, clock);
    link.pass();
    expect(clock.delays).to.deep.equal([1000]);
    clock.advance(400);
    answers[0]?.(undefined);
    await delay(0);
    expect(clock.delays).to.deep.equal([600]);
    expect(link.has('callback-error')).to.equal(false);
    clock.advance(600);
    expect(link.has('callback-error')).to.equal(true);
    expect(link.driver.isWaiting).to.equal(false);
    expect(clock.delays).to.deep.equal([]);
    link.driver.run(() => link.driver.connection.dispose());
  });

  it('limits no question of a connection that a bug has ended', () => {
    const clock = new ManualClock();
    let now = () => 1e12;
    const world = { now: () => now(), randomBytes: (length: number) => new Uint8Array(length).fill(1) };
    const onGet = () => new Promise<undefined>(() => {});
    const link = new Link({ world, sessions: { onGet, cache: false } }, { psks: [unknownPsk(1)] }, clock);
    link.pass();
    expect(clock.delays).to.deep.equal([1000]);
    now = () => {
      throw new Error('a broken clock');
    };
    expect(() => link.driver.run(() => link.driver.connection.end())).to.throw('a broken clock');
    expect(clock.delays).to.deep.equal([]);
    expect(link.driver.isWaiting).to.equal(false);
  });
});

/** A clock that stands still until it is advanced. */
class ManualClock implements Clock {
  #time = 0;
  #timers: { readonly due: number; readonly action: () => void }[] = [];
  readonly performance = { now: () => this.#time };

  /** The time that each running timer has left. */
  get delays(): number[] {
    return this.#timers.map(({ due }) => due - this.#time);
  }

  setTimeout(action: () => void, delayMs: number): unknown {
    const timer = { due: this.#time + delayMs, action };
    this.#timers.push(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  advance(ms: number): void {
    this.#time += ms;
    for (const timer of this.#timers.filter(({ due }) => due <= this.#time)) {
      this.clearTimeout(timer);
      timer.action();
    }
  }
}
