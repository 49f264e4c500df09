/**
 * The history of session resumption: Node CVE-2026-21637, where what a callback threw escaped, and one client could end the
 * process. Each callback of the user's throws, rejects, or never answers: that is an event, and the handshake ends as it should.
 */

import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import type { CallbackName, Mechanism, NoResumption } from '../../src/handshake/outcome.ts';
import type { AlertName } from '../../src/wire/registry.ts';
import { startServer, stopServers, until, visit } from '../node/support.ts';
import { clientCertificate } from '../support/client-certificates.ts';
import { type BenchOptions, expectResumed, firstOffer, MECHANISMS, returning } from '../support/mechanisms.ts';
import type { ClientOptions, Exchange } from '../support/scripted-client.ts';
import { quickCredential, toyCrypto } from '../support/servers.ts';
import { Timers } from '../support/timers.ts';
import { each, failedCallbacks, ID_CONTEXT, STATEFUL, STATELESS, TLS13, type Trial } from './support.ts';

const boom = new Error('a callback of the user’s');

/** Each is called with whatever the callback is called with. */
const MANNERS = {
  throws: (): never => {
    throw boom;
  },
  rejects: (): Promise<never> => Promise.reject(boom),
  'never answers': (): Promise<never> => new Promise<never>(() => {}),
} as const;
type Manner = keyof typeof MANNERS;
type Fault = (typeof MANNERS)[Manner];

type End = 'established' | NoResumption | { readonly alert: AlertName };

interface Case {
  readonly mechanisms: readonly Mechanism[];
  /** Its types say what a callback may answer, and this is none of it. */
  options(fault: never): BenchOptions;
  /** Of a client that comes again, or of one that comes first. */
  readonly returns?: boolean;
  readonly client?: ClientOptions;
  readonly end: End;
  /** With an answer that is given no more time, where that is another end; 'waits': nobody limits its time but the shell. */
  readonly late?: End | 'waits';
  /** Nobody waits for it: that it does not answer is no event. */
  readonly isAside?: boolean;
  /** What has it called, once the connection is established. */
  readonly follow?: (link: Exchange) => void;
}

const internal = { alert: 'internal_error' } as const;
const certificate = clientCertificate('ecdsaP256');
const sessions = { idContext: ID_CONTEXT };
const NOT_TICKET = MECHANISMS.filter((mechanism) => mechanism !== 'ticket');
const NOT_ID = MECHANISMS.filter((mechanism) => mechanism !== 'session-id');

const CASES: Partial<Record<CallbackName, Case>> = {
  onServerName: {
    mechanisms: MECHANISMS,
    returns: true,
    options: (onServerName) => ({ onServerName }),
    end: internal,
    late: 'waits',
  },
  onNew: { mechanisms: NOT_TICKET, options: (onNew) => ({ sessions: { onNew } }), end: 'established', isAside: true },
  onGet: {
    mechanisms: STATEFUL,
    returns: true,
    options: (onGet) => ({ sessions: { onGet, internalLookup: false } }),
    end: 'store-error',
    late: 'store-timeout',
  },
  onTake: {
    mechanisms: TLS13,
    returns: true,
    options: (onTake) => ({ sessions: { onTake }, tickets: { singleUse: true } }),
    end: 'store-error',
    late: 'store-timeout',
  },
  onRemove: {
    mechanisms: STATEFUL,
    options: (onRemove) => ({ sessions: { onRemove }, tickets: { initial: 1 } }),
    end: 'established',
    isAside: true,
    follow: (link) => {
      link.client.sendAlert('internal_error');
      link.run();
    },
  },
  generateId: {
    mechanisms: NOT_TICKET,
    options: (generateId) => ({ sessions: { generateId } }),
    end: 'established',
  },
  notResumable: {
    mechanisms: MECHANISMS,
    options: (notResumable) => ({ sessions: { notResumable } }),
    end: 'established',
  },
  sealingKey: {
    mechanisms: STATELESS,
    options: (sealingKey) => ({ tickets: { keys: { sealingKey, openingKeys: () => [] } } }),
    end: 'established',
  },
  openingKeys: {
    mechanisms: STATELESS,
    returns: true,
    options: (openingKeys) => ({ tickets: { keys: { sealingKey: () => undefined, openingKeys } } }),
    end: 'undecryptable',
    late: 'store-timeout',
  },
  onGenerate: { mechanisms: NOT_ID, options: (onGenerate) => ({ tickets: { onGenerate } }), end: 'established' },
  onDecrypt: {
    mechanisms: STATELESS,
    returns: true,
    options: (onDecrypt) => ({ tickets: { onDecrypt } }),
    end: 'ignored',
  },
  sign: {
    mechanisms: MECHANISMS,
    options: (sign) => ({ credentials: [{ ...quickCredential, sign }] }),
    end: internal,
    late: 'waits',
  },
  agree: {
    mechanisms: MECHANISMS,
    options: (generate) => ({ crypto: { ...toyCrypto, groups: { x25519: { generate } } } }),
    end: internal,
    late: 'waits',
  },
  verifyClient: {
    mechanisms: MECHANISMS,
    options: (verifyClient) => ({ sessions, clientAuth: { mode: 'require', verifyClient } }),
    client: { certificate },
    end: internal,
    late: 'waits',
  },
  keylog: { mechanisms: MECHANISMS, options: (keylog) => ({ keylog }), end: 'established', isAside: true },
};

async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('this promise is one to be rejected');
}

/** Runs to the end; the budget for lookups is used up at the first that does not answer. */
async function runOut(link: Exchange, manner: Manner): Promise<Exchange> {
  link.run();
  while (link.question !== undefined) {
    const { promise, budgeted } = link.question;
    if (manner === 'never answers' && !budgeted) return link;
    if (manner === 'never answers') link.answer({ late: true });
    else await rejection(promise).then((error) => link.answer({ error }));
  }
  return link;
}

/** What every shell does with promises that no handshake waits for. */
async function settleAll(link: Exchange): Promise<void> {
  for (const event of [...link.events]) {
    if (event.type !== 'deferred') continue;
    const { deferred } = event;
    const error = await rejection(deferred.promise);
    link.step(link.connection.settle(deferred, { error }));
  }
}

function expectEnd({ connection, client, failure }: Exchange, end: End): void {
  if (typeof end === 'object') {
    expect(failure?.alert).to.equal(end.alert);
    expect(client.alert?.name).to.equal(end.alert);
    return;
  }
  expect(failure).to.equal(undefined);
  expect(connection.isEstablished).to.equal(true);
  expect(client.isEstablished).to.equal(true);
  if (end !== 'established') expect(connection.resumption.reason).to.equal(end);
}

function offerOf(trial: Trial, { returns = false, client }: Case): ClientOptions {
  const offer = returns ? returning(trial.visit(trial.serve())) : firstOffer(trial.mechanism);
  return { ...offer, ...client };
}

describe('security history: Node CVE-2026-21637, callbacks that fail', () => {
  /** What would have ended the process. */
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  before(() => void process.on('unhandledRejection', note));
  beforeEach(() => void unhandled.splice(0));
  after(() => void process.off('unhandledRejection', note));

  for (const [callback, tried] of Object.entries(CASES)) {
    for (const [manner, fault] of Object.entries(MANNERS) as [Manner, Fault][]) {
      each(`${callback} ${manner}`, tried.mechanisms, async (trial) => {
        const config = trial.serve(tried.options(fault as never));
        const link = await runOut(trial.bench.link(config, offerOf(trial, tried)), manner);
        const late = manner === 'never answers' ? tried.late : undefined;
        if (late === 'waits') {
          expect(link.question?.budgeted).to.equal(false);
          expect(link.connection.isEstablished).to.equal(false);
          link.connection.dispose();
          return;
        }
        expectEnd(link, late ?? tried.end);
        tried.follow?.(link);
        if (manner === 'rejects') await settleAll(link);
        const isTold = manner !== 'never answers' || !tried.isAside;
        expect(new Set(failedCallbacks(link))).to.deep.equal(new Set(isTold ? [callback] : []));
        await new Promise(setImmediate); // by now Node would have told
        expect(unhandled).to.deep.equal([]);
        expectEnd(trial.bench.connect(trial.serve(), firstOffer(trial.mechanism)), 'established');
      });
    }
  }

  each('what the keeper of keys tells of them rejects', STATELESS, async (trial) => {
    const { keys } = trial.bench;
    const find = MANNERS.rejects as never;
    const asking = { sealingKey: () => keys.sealingKey(), openingKeys: keys.openingKeys.bind(keys), find };
    const link = trial.back(trial.visit(trial.serve()), trial.serve({ tickets: { keys: asking } }));
    expectResumed(link, trial.mechanism);
    await settleAll(link);
    await new Promise(setImmediate);
    expect(unhandled).to.deep.equal([]);
    expect(failedCallbacks(link)).to.deep.equal(['openingKeys']);
  });

  describe('over sockets', () => {
    afterEach(stopServers);

    for (const [manner, fault] of Object.entries(MANNERS)) {
      it(`onServerName ${manner}: an error for this client, and the next one is served`, async () => {
        let isBroken = true;
        let isAsked = false;
        const onServerName = () => {
          isAsked = true;
          return isBroken ? fault() : undefined;
        };
        const timers = new Timers(60_000);
        const { server, port } = await startServer({ onServerName });
        const failed = once(server, 'tlsClientError');
        const client = connectTls({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false });
        client.on('error', () => {});
        if (manner === 'never answers') {
          await until(() => isAsked);
          timers.expire();
        }
        await failed;
        timers.restore();
        isBroken = false;
        expect((await visit({ port })).text).to.equal('bye');
        client.destroy();
      });
    }
  });
});
