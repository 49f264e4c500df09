/** A connection is a function of seed, clock, input and answers: how the input is cut into pieces changes nothing. */

import { expect } from 'chai';
import type { Event, Step } from '../../../src/engine/events.ts';
import type { Question } from '../../../src/engine/questions.ts';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import type { TicketKeyProvider } from '../../../src/tickets/key-provider.ts';
import { concat, EMPTY, toHex } from '../../../src/wire/bytes.ts';
import { clientCertificate } from '../../support/client-certificates.ts';
import { type ClientOptions, type Exchange, exchange, ScriptedClient } from '../../support/scripted-client.ts';
import { rawMessage } from '../../support/scripted-hello.ts';
import { quickCredential, testServer, toyCrypto } from '../../support/servers.ts';
import { newKey } from '../../tickets/support.ts';

/** What happens at a connection besides its handshake; the server's own doings are written down with the input. */
type Script = (at: Recorder) => void;

interface Scenario {
  readonly name: string;
  readonly server?: Partial<ServerOptions>;
  readonly client?: ClientOptions;
  /** Offers what the connection before has left, which had the same options. */
  readonly resumes?: boolean;
  readonly script?: Script;
}

/** One thing that was done to a connection. */
type Deed =
  | { readonly received: Uint8Array }
  | { readonly answer: unknown }
  | { readonly call: (connection: ServerConnection) => Step };

const key = newKey();
/** What the questions of an asynchronous server are answered with. */
const ANSWERS: Partial<Record<Question['kind'], unknown>> = {
  signature: new Uint8Array(70).fill(3),
  'client-certificate': true,
  ticket: key,
  'application-protocol': 'h2',
  psk: {
    secret: new Uint8Array(32),
    earlyData: { maxSize: 100, cipherSuite: 'TLS_AES_128_GCM_SHA256', alpnProtocol: 'h2' },
  },
  'early-data': true,
};
const later = () => new Promise<never>(() => {});
const asynchronous = {
  onServerName: later,
  onAlpn: later,
  sessions: { onGet: later },
  credentials: [{ ...quickCredential, sign: later }],
};

/** The verdict is among the answers. */
const certificate = clientCertificate('ed25519');
const asking: Partial<ServerOptions> = {
  sessions: { idContext: Uint8Array.of(1) },
  clientAuth: { mode: 'require', verifyClient: later },
};
const stateless = { tickets: { mode: 'stateless' } } as const;
const laterKeys: TicketKeyProvider = { sealingKey: later, openingKeys: () => [{ key, renewal: 'due' }] };
const asynchronousTickets = { ...asynchronous, tickets: { mode: 'stateless', keys: laterKeys } } as const;

class Recorder {
  readonly deeds: Deed[] = [];
  readonly link: Exchange;
  #recorded = 0;

  constructor(client: ScriptedClient, config: ServerConfig) {
    this.link = exchange(client, new ServerConnection(config));
    this.run();
  }

  run(): void {
    this.#takeDown();
    for (let { question } = this.link; question !== undefined; { question } = this.link) {
      const answer = ANSWERS[question.kind];
      this.deeds.push({ answer });
      this.link.answer({ value: answer });
      this.#takeDown();
    }
  }

  #takeDown(): void {
    this.link.run();
    for (const received of this.link.input.slice(this.#recorded)) this.deeds.push({ received });
    this.#recorded = this.link.input.length;
  }

  /** Something that the server's user does. */
  call(call: (connection: ServerConnection) => Step): void {
    this.deeds.push({ call });
    this.link.step(call(this.link.connection));
    this.run();
  }
}

/** Data both ways, KeyUpdates where there are such, and an orderly end. */
const conversation: Script = (at) => {
  const { client } = at.link;
  client.sendData(Uint8Array.of(1, 2, 3));
  client.sendData(new Uint8Array(300).fill(4));
  at.run();
  at.call((connection) => connection.write(new Uint8Array(20).fill(5)));
  if (client.version === 'TLSv1.3') {
    client.sendKeyUpdate('update_requested');
    client.sendData(Uint8Array.of(6));
    at.run();
    at.call((connection) => connection.updateKeys(true));
  }
  client.sendData(Uint8Array.of(7));
  at.call((connection) => connection.end());
  client.close();
  at.run();
};

const tls12 = { version: 'TLSv1.2' } as const;
const scenarios: readonly Scenario[] = [
  { name: 'TLS 1.3, full' },
  { name: 'TLS 1.3, full, with conversation', script: conversation },
  { name: 'TLS 1.3, resumed', resumes: true, script: conversation },
  {
    name: 'TLS 1.3, resumed with psk_ke',
    resumes: true,
    server: { pskModes: ['psk_ke'] },
    script: conversation,
  },
  { name: 'TLS 1.3, HelloRetryRequest', client: { keyShares: [] }, script: conversation },
  { name: 'TLS 1.3, HelloRetryRequest, resumed', resumes: true, client: { keyShares: [] }, script: conversation },
  { name: 'TLS 1.3, a fragmented and padded client', client: { fragment: 40, padding: 30 }, script: conversation },
  {
    name: 'TLS 1.3, early data',
    client: { earlyData: true, stopBefore: 'finished' },
    script: (at) => {
      at.link.client.injector.bytes(Uint8Array.of(23, 3, 3, 0, 30, ...new Array<number>(30).fill(9)));
      at.link.client.proceed();
      conversation(at);
    },
  },
  { name: 'TLS 1.2, full', client: tls12, script: conversation },
  { name: 'TLS 1.2, full, without extended_master_secret', client: { ...tls12, ems: false }, script: conversation },
  { name: 'TLS 1.2, resumed', client: tls12, resumes: true, script: conversation },
  { name: 'TLS 1.2, fragmented', client: { ...tls12, fragment: 11 }, script: conversation },
  {
    name: 'TLS 1.2, renegotiation refused, closed by the client',
    client: tls12,
    script: (at) => {
      at.link.client.sendMessage(rawMessage('client_hello', ...new Array<number>(60).fill(0)));
      at.link.client.close();
      at.run();
    },
  },
  {
    name: 'TLS 1.3, every answer later',
    server: asynchronous,
    client: { psks: [{ identity: new Uint8Array(32).fill(1), secret: new Uint8Array(32), hash: 'sha256' }] },
    script: conversation,
  },
  {
    name: 'TLS 1.3, early data under an external PSK, every answer later',
    server: {
      ...asynchronous,
      psks: later,
      earlyData: { maxSize: 100, antiReplay: { keepsForever: true, admit: later } },
    },
    client: {
      psks: [{ identity: Uint8Array.of(1), secret: new Uint8Array(32), hash: 'sha256', kind: 'external' }],
      earlyData: true,
    },
    script: (at) => {
      expect(at.link.connection.earlyData).to.equal('accepted');
      conversation(at);
    },
  },
  {
    name: 'TLS 1.3, every answer later, HelloRetryRequest',
    server: asynchronous,
    client: { keyShares: [] },
    script: conversation,
  },
  {
    name: 'TLS 1.2, every answer later',
    server: asynchronous,
    client: { ...tls12, sessionId: new Uint8Array(32).fill(1) },
    script: conversation,
  },
  { name: 'TLS 1.3, client certificate', server: asking, client: { certificate }, script: conversation },
  {
    name: 'TLS 1.3, client certificate, HelloRetryRequest',
    server: asking,
    client: { certificate, keyShares: [], fragment: 100 },
    script: conversation,
  },
  { name: 'TLS 1.3, client certificate, resumed', server: asking, client: { certificate }, resumes: true },
  { name: 'TLS 1.3, none where one is demanded', server: asking },
  { name: 'TLS 1.2, client certificate', server: asking, client: { ...tls12, certificate }, script: conversation },
  { name: 'TLS 1.2, client certificate, resumed', server: asking, client: { ...tls12, certificate }, resumes: true },
  { name: 'TLS 1.2, none where one is demanded', server: asking, client: tls12 },
  ...(['after-finished', 'half-rtt', 'with-first-write', 'manual'] as const).map((timing) => ({
    name: `TLS 1.3, tickets ${timing}`,
    server: { tickets: { mode: 'stateless', timing } } as const,
    client: { ticketRequest: { newSessionCount: 4, resumptionCount: 2 } },
    script: conversation,
  })),
  {
    name: 'TLS 1.3, tickets on demand',
    server: { tickets: { mode: 'stateless', timing: 'manual' } },
    script: (at) => {
      at.call((connection) => connection.sendTicket());
      at.link.client.sendData(Uint8Array.of(1));
      at.run();
      at.call((connection) => connection.sendTicket());
      conversation(at);
    },
  },
  { name: 'TLS 1.3, resumed from a stateless ticket', resumes: true, server: stateless, script: conversation },
  {
    name: 'TLS 1.3, resumed from an early stateless ticket, once',
    resumes: true,
    server: { tickets: { mode: 'stateless', timing: 'half-rtt', singleUse: true } },
    script: conversation,
  },
  {
    name: 'TLS 1.3, HelloRetryRequest, resumed from a stateless ticket',
    resumes: true,
    server: stateless,
    client: { keyShares: [] },
    script: conversation,
  },
  {
    name: 'TLS 1.2, full with a ticket',
    server: stateless,
    client: { ...tls12, ticketExt: EMPTY },
    script: conversation,
  },
  {
    name: 'TLS 1.2, resumed from a ticket',
    resumes: true,
    server: stateless,
    client: { ...tls12, ticketExt: EMPTY, sessionId: new Uint8Array(11).fill(2) },
    script: conversation,
  },
  {
    name: 'TLS 1.2, resumed from a ticket, with a new one',
    resumes: true,
    server: { tickets: { mode: 'stateless', onDecrypt: (session) => (session ? 'use-renew' : 'ignore-renew') } },
    client: { ...tls12, ticketExt: EMPTY },
    script: conversation,
  },
  { name: 'TLS 1.3, tickets, every answer later', server: asynchronousTickets, script: conversation },
  {
    name: 'TLS 1.3, early tickets, every answer later',
    server: { ...asynchronousTickets, tickets: { ...asynchronousTickets.tickets, timing: 'half-rtt' } },
    script: conversation,
  },
  {
    name: 'TLS 1.3, resumed from a stateless ticket, every answer later',
    resumes: true,
    server: asynchronousTickets,
    script: conversation,
  },
  {
    name: 'TLS 1.2, resumed from a ticket, every answer later',
    resumes: true,
    server: asynchronousTickets,
    client: { ...tls12, ticketExt: EMPTY },
    script: conversation,
  },
  { name: 'a wrong hello', client: { ciphers: [0x1304] } },
  {
    name: 'a wrong Finished',
    client: { rewriteMessage: (name, raw) => (name === 'finished' ? raw.map((byte) => byte & 0x7f) : raw) },
  },
  {
    name: 'a record that does not open, and others behind it',
    script: (at) => {
      at.link.client.sendData(Uint8Array.of(1));
      at.link.client.injector.bytes(Uint8Array.of(23, 3, 3, 0, 17, ...new Array<number>(17).fill(1)));
      at.link.client.sendData(Uint8Array.of(2));
      at.run();
    },
  },
  {
    name: 'noise behind a close_notify',
    script: (at) => {
      at.link.client.close();
      at.link.client.injector.bytes(Uint8Array.of(1, 2, 3));
      at.run();
    },
  },
  {
    name: 'HTTP',
    client: { stopBefore: 'client_hello' },
    script: (at) => {
      at.link.client.injector.bytes(new TextEncoder().encode('GET / HTTP/1.1\r\n'));
      at.run();
    },
  },
];

/** A server in its first state: the same seed, the same clock, nothing in its cache. */
const freshServer = ({ server }: Scenario) => testServer({ crypto: toyCrypto, alpn: ['h2'], ...server });

function record(scenario: Scenario): { readonly before: readonly Deed[]; readonly at: Recorder } {
  const config = freshServer(scenario);
  const options = { crypto: toyCrypto, alpn: ['h2'], sni: 'localhost', ...scenario.client };
  if (!scenario.resumes) {
    const at = new Recorder(new ScriptedClient(options), config);
    scenario.script?.(at);
    return { before: [], at };
  }
  const before = new Recorder(new ScriptedClient(options), config);
  const { client } = before.link;
  const offer = options.version === 'TLSv1.2' ? sessionOf(client) : { psks: client.tickets };
  const at = new Recorder(new ScriptedClient({ ...options, ...offer }), config);
  expect(at.link.client.isResumed).to.equal(true);
  scenario.script?.(at);
  return { before: before.deeds, at };
}

function sessionOf({ session }: ScriptedClient): ClientOptions {
  return session.ticket === undefined ? { session } : { session, ticketExt: session.ticket };
}

interface Outcome {
  readonly output: string;
  readonly events: readonly string[];
  readonly data: string;
}

type Cut = (deeds: readonly Deed[]) => Iterable<Deed>;

function replay(scenario: Scenario, before: readonly Deed[], deeds: readonly Deed[], cut: Cut): Outcome {
  const config = freshServer(scenario);
  if (before.length > 0) perform(new ServerConnection(config), before);
  return perform(new ServerConnection(config), cut(deeds));
}

function perform(connection: ServerConnection, deeds: Iterable<Deed>): Outcome {
  const steps: Step[] = [];
  for (const deed of deeds) {
    const question = steps.at(-1)?.question;
    if ('received' in deed) steps.push(connection.receive(deed.received));
    else if ('call' in deed) steps.push(deed.call(connection));
    else if (question === undefined) throw new Error('nothing was asked');
    else steps.push(connection.answer(question, { value: deed.answer }));
  }
  return outcome(
    steps.map(({ output }) => output),
    steps.flatMap(({ events }) => events),
  );
}

function outcome(output: readonly Uint8Array[], events: readonly Event[]): Outcome {
  const data = concat(...events.map((event) => (event.type === 'data' ? event.data : new Uint8Array(0))));
  return { output: toHex(concat(...output)), events: events.flatMap(describeEvent), data: toHex(data) };
}

function describeEvent(event: Event): string[] {
  switch (event.type) {
    case 'data':
      return [];
    case 'failed':
      return [`failed ${event.error.message}`];
    case 'alert':
      return [`${event.direction} ${event.level} ${event.description}`];
    case 'keylog':
      return [event.line];
    case 'new-session':
      return [`new ${toHex(event.session.id)}`];
    case 'session-removed':
      return [`removed ${toHex(event.session.id)} ${event.reason}`];
    default:
      return [event.type];
  }
}

const inPieces = (size: number): Cut =>
  function* cut(deeds) {
    for (const deed of deeds) {
      if (!('received' in deed)) yield deed;
      else {
        const { received } = deed;
        for (let i = 0; i < received.length; i += size) yield { received: received.subarray(i, i + size) };
      }
    }
  };

/** As much in one piece as nothing that the server's user does comes between. */
const coalesced: Cut = function* cut(deeds) {
  let waiting: Uint8Array[] = [];
  for (const deed of deeds) {
    if ('received' in deed) waiting.push(deed.received);
    else {
      if (waiting.length > 0) yield { received: concat(...waiting) };
      waiting = [];
      yield deed;
    }
  }
  if (waiting.length > 0) yield { received: concat(...waiting) };
};

/** Answers come only when all the input, up to what the server's user does next, is there. */
const answeredLate: Cut = function* cut(deeds) {
  let waiting: Deed[] = [];
  for (const deed of deeds) {
    if ('received' in deed) yield deed;
    else if ('answer' in deed) waiting.push(deed);
    else {
      yield* waiting;
      waiting = [];
      yield deed;
    }
  }
  yield* waiting;
};

describe('chunking', () => {
  const cuts: readonly [string, Cut][] = [
    ['whole', (deeds) => deeds],
    ['byte by byte', inPieces(1)],
    ['in pieces of 7', inPieces(7)],
    ['coalesced', coalesced],
    ['answered late', answeredLate],
  ];
  for (const scenario of scenarios) {
    describe(scenario.name, () => {
      let recorded: ReturnType<typeof record>;
      before(() => {
        recorded = record(scenario);
      });

      const isAsynchronous = scenario.server?.onServerName === later;
      for (const [how, cut] of cuts.filter(([, cut]) => isAsynchronous || cut !== answeredLate)) {
        it(how, () => {
          const { link, deeds } = recorded.at;
          expect(replay(scenario, recorded.before, deeds, cut)).to.deep.equal(outcome(link.output, link.events));
        });
      }
    });
  }
});
