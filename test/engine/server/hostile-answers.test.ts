/**
 * A callback of the user's may answer, throw or reject with any value: the connection takes it for the failure of that callback. No
 * exception leaves the connection, nothing stays waiting or unhandled, and the next client is served.
 */

import { expect } from 'chai';
import { type Given, give } from '../../../src/cache/callbacks.ts';
import { SessionCache } from '../../../src/cache/session-cache.ts';
import type { EphemeralKey, KeyAgreement } from '../../../src/crypto/provider.ts';
import type { CallbackName, Mechanism } from '../../../src/handshake/outcome.ts';
import { Session } from '../../../src/sessions/session.ts';
import { equalBytes } from '../../../src/wire/bytes.ts';
import { ID_CONTEXT, Trial } from '../../security-history/support.ts';
import { clientCertificate } from '../../support/client-certificates.ts';
import type { Exchange } from '../../support/exchange.ts';
import { type BenchOptions, firstOffer, returning } from '../../support/mechanisms.ts';
import { ODD_BYTES, POISONS, revoked, THENABLES, trap } from '../../support/poisons.ts';
import type { ClientOptions } from '../../support/scripted-client.ts';
import { quickCredential, toyCrypto } from '../../support/servers.ts';

interface Case {
  readonly callback: CallbackName;
  readonly mechanisms: readonly Mechanism[];
  /** Its types say what a callback may answer, and this is none of it. */
  options(fault: never): BenchOptions;
  /** Of a client that comes again, or of one that comes first. */
  readonly returns?: boolean;
  readonly client?: ClientOptions;
  /** How a handshake ends in which it fails. */
  readonly fails: 'established' | 'internal_error';
  /** What an answer that is none comes to, where that is no failure of the callback. */
  readonly answered?: string;
  /** What of the answers it takes. */
  readonly takes?: readonly string[];
  readonly follow?: (link: Exchange) => void;
}

/** A provider of whose keys one part is at fault. */
function keyWith(fault: () => unknown, part: 'agree' | 'wipe'): BenchOptions {
  const { generate } = toyCrypto.groups.x25519 as KeyAgreement;
  const x25519 = {
    generate: (random: (length: number) => Uint8Array) => {
      const key = generate(random) as EphemeralKey;
      return { ...key, [part]: fault };
    },
  };
  return { crypto: { ...toyCrypto, groups: { x25519: x25519 as KeyAgreement } } };
}
const clientAuth = { mode: 'require', verifyClient: () => true } as const;
const sessions = { idContext: ID_CONTEXT };
const trustingCrypto = { ...toyCrypto, verifier: () => () => true };
const certificate = clientCertificate('ecdsaP256');
const [STATEFUL, STATELESS, TLS13] = [
  ['session-id', 'psk-stateful'],
  ['ticket', 'psk-stateless'],
  ['psk-stateful'],
] as const;
const BOTH = ['session-id', 'psk-stateful'] as const;

const FAULTS: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  null: () => null,
  NaN: () => Number.NaN,
  'a string': () => 'broken',
  'a trap': () => trap(),
  'a trap around an Error': () => trap(new Error('broken')),
  'a revoked Proxy': () => revoked(),
  'an Error that throws when it is looked at': () => Object.setPrototypeOf(new Error('broken'), trap()) as object,
  'a then that throws when it is got': THENABLES['a then that throws when it is got'] as () => unknown,
};

const CASES: Readonly<Record<string, Case>> = {
  onServerName: {
    callback: 'onServerName',
    mechanisms: BOTH,
    options: (onServerName) => ({ onServerName }),
    fails: 'internal_error',
  },
  onAlpn: {
    callback: 'onAlpn',
    mechanisms: BOTH,
    options: (onAlpn) => ({ onAlpn }),
    client: { alpn: ['h2'] },
    fails: 'internal_error',
  },
  onNew: {
    callback: 'onNew',
    mechanisms: STATEFUL,
    options: (onNew) => ({ sessions: { onNew } }),
    fails: 'established',
    answered: 'established',
  },
  onGet: {
    callback: 'onGet',
    mechanisms: STATEFUL,
    returns: true,
    options: (onGet) => ({ sessions: { onGet, internalLookup: false } }),
    fails: 'established',
  },
  onTake: {
    callback: 'onTake',
    mechanisms: TLS13,
    returns: true,
    options: (onTake) => ({ sessions: { onTake }, tickets: { singleUse: true } }),
    fails: 'established',
    answered: 'established',
  },
  onRemove: {
    callback: 'onRemove',
    mechanisms: STATEFUL,
    options: (onRemove) => ({ sessions: { onRemove }, tickets: { initial: 1 } }),
    fails: 'established',
    answered: 'established',
    follow: (link) => {
      link.client.sendAlert('internal_error');
      link.run();
    },
  },
  generateId: {
    callback: 'generateId',
    mechanisms: BOTH,
    options: (generateId) => ({ sessions: { generateId } }),
    fails: 'established',
    takes: Object.keys(ODD_BYTES).slice(1),
  },
  notResumable: {
    callback: 'notResumable',
    mechanisms: BOTH,
    options: (notResumable) => ({ sessions: { notResumable } }),
    fails: 'established',
    answered: 'established',
  },
  sealingKey: {
    callback: 'sealingKey',
    mechanisms: STATELESS,
    options: (sealingKey) => ({ tickets: { keys: { sealingKey, openingKeys: () => [] } } }),
    fails: 'established',
  },
  openingKeys: {
    callback: 'openingKeys',
    mechanisms: STATELESS,
    returns: true,
    options: (openingKeys) => ({ tickets: { keys: { sealingKey: () => undefined, openingKeys } } }),
    fails: 'established',
  },
  find: {
    callback: 'openingKeys',
    mechanisms: STATELESS,
    returns: true,
    options: (find) => ({ tickets: { keys: { sealingKey: () => undefined, openingKeys: () => [], find } } }),
    fails: 'established',
    answered: 'established',
  },
  useTimer: {
    callback: 'openingKeys',
    mechanisms: STATELESS,
    options: (useTimer) => ({ tickets: { keys: { sealingKey: () => undefined, openingKeys: () => [], useTimer } } }),
    fails: 'established',
    answered: 'established',
  },
  onGenerate: {
    callback: 'onGenerate',
    mechanisms: ['ticket', 'psk-stateful', 'psk-stateless'],
    options: (onGenerate) => ({ tickets: { onGenerate } }),
    fails: 'established',
    answered: 'established',
  },
  onDecrypt: {
    callback: 'onDecrypt',
    mechanisms: STATELESS,
    returns: true,
    options: (onDecrypt) => ({ tickets: { onDecrypt } }),
    fails: 'established',
    answered: 'internal_error',
  },
  sign: {
    callback: 'sign',
    mechanisms: BOTH,
    options: (sign) => ({ credentials: [{ ...quickCredential, sign }] }),
    fails: 'internal_error',
    takes: Object.keys(ODD_BYTES).slice(1),
  },
  ocspResponse: {
    callback: 'ocspResponse',
    mechanisms: BOTH,
    options: (ocspResponse) => ({ credentials: [{ ...quickCredential, ocspResponse }] }),
    client: { rewriteExtensions: (list) => [{ type: 5, data: Uint8Array.of(1, 0, 0, 0, 0) }, ...list] },
    fails: 'established',
    takes: Object.keys(ODD_BYTES).slice(1),
  },
  generate: {
    callback: 'agree',
    mechanisms: BOTH,
    options: (generate) => ({ crypto: { ...toyCrypto, groups: { x25519: { generate } } } }),
    fails: 'internal_error',
  },
  agree: { callback: 'agree', mechanisms: BOTH, options: (fault) => keyWith(fault, 'agree'), fails: 'internal_error' },
  verifyClient: {
    callback: 'verifyClient',
    mechanisms: BOTH,
    options: (verifyClient) => ({ sessions, clientAuth: { mode: 'require', verifyClient }, crypto: trustingCrypto }),
    client: { certificate },
    fails: 'internal_error',
    answered: 'certificate_unknown',
  },
  verifier: {
    callback: 'verify',
    mechanisms: BOTH,
    options: (verifier) => ({ sessions, clientAuth, crypto: { ...toyCrypto, verifier } }),
    client: { certificate },
    fails: 'internal_error',
  },
  verify: {
    callback: 'verify',
    mechanisms: BOTH,
    options: (verify) => ({ sessions, clientAuth, crypto: { ...toyCrypto, verifier: () => verify } }),
    client: { certificate },
    fails: 'internal_error',
  },
  wipe: {
    callback: 'agree',
    mechanisms: BOTH,
    options: (fault) => keyWith(fault, 'wipe'),
    fails: 'established',
    answered: 'established',
  },
  keylog: {
    callback: 'keylog',
    mechanisms: BOTH,
    options: (keylog) => ({ keylog }),
    fails: 'established',
    answered: 'established',
  },
};

/** Answers questions and settles what is left, as every shell does; the host's promise calls a user's `then`. */
async function runOut(link: Exchange): Promise<void> {
  await link.run().runAsync();
  let settled = 0;
  for (let at = 0; at < link.events.length; at++) {
    const event = link.events[at];
    if (event?.type !== 'deferred') continue;
    settled++;
    const { deferred } = event;
    const outcome = await Promise.race([
      Promise.resolve(deferred.promise).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
      new Promise<undefined>((resolve) => setImmediate(resolve, undefined)),
    ]);
    if (outcome !== undefined) link.step(link.connection.settle(deferred, outcome));
  }
  expect(settled).to.be.below(20);
}

const endOf = ({ failure, connection }: Exchange): string =>
  failure?.alert ?? (connection.isEstablished ? 'established' : 'hangs');

const failuresOf = ({ events }: Exchange) => events.filter((event) => event.type === 'callback-error');

describe('callbacks that answer with anything', () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  before(() => void process.on('unhandledRejection', note));
  beforeEach(() => void unhandled.splice(0));
  after(() => void process.off('unhandledRejection', note));

  async function outcomeOf(trial: Trial, tried: Case, fault: () => unknown) {
    const offer = tried.returns ? returning(trial.visit(trial.serve())) : firstOffer(trial.mechanism);
    const config = trial.serve(tried.options(fault as never));
    const link = trial.bench.link(config, { ...offer, ...tried.client }, { keyTimer: () => {} });
    await runOut(link);
    const end = endOf(link);
    tried.follow?.(link);
    await runOut(link);
    link.step(link.connection.dispose());
    return { link, end };
  }

  async function trying(mechanism: Mechanism, what: string, body: (trial: Trial) => Promise<void>): Promise<void> {
    const trial = new Trial(mechanism);
    try {
      await body(trial);
      await new Promise(setImmediate);
      expect(unhandled, what).to.deep.equal([]);
    } catch (error) {
      throw new Error(`${mechanism}, ${what}: ${error instanceof Error ? error.stack : 'thrown'}`, { cause: error });
    } finally {
      trial.bench.close();
    }
  }

  for (const [name, tried] of Object.entries(CASES)) {
    for (const mechanism of tried.mechanisms) {
      it(`${name} throws or rejects with anything (${mechanism})`, async () => {
        for (const [what, make] of Object.entries(FAULTS)) {
          for (const isAsync of [false, true]) {
            if (name === 'wipe' && isAsync) continue; // whose answer nobody looks at
            await trying(mechanism, what, async (trial) => {
              const error = make();
              const { link, end } = await outcomeOf(trial, tried, () => {
                if (isAsync) return Promise.reject(error);
                throw error;
              });
              expect(end, what).to.equal(tried.fails);
              const told = failuresOf(link);
              expect(told.length, `${what}: events`).to.be.above(0);
              const immediate = name === 'generateId' || name === 'notResumable';
              for (const event of told) {
                expect(event.callback).to.equal(tried.callback);
                if (!(isAsync && immediate) && !Object.is(event.error, error)) throw new Error('another error');
              }
              const ends = tried.fails === 'established' && tried.follow === undefined ? 0 : 1;
              expect(link.events.filter(({ type }) => type === 'failed')).to.have.length(ends);
            });
          }
        }
      });

      it(`${name} answers with anything, at once or later (${mechanism})`, async () => {
        const { 'no bytes': none, ...odd } = ODD_BYTES;
        const bytes = { 'no bytes': none as () => unknown, ...(name !== 'agree' && odd) }; // which are as good as a secret
        const answers = { ...POISONS, ...bytes, ...THENABLES };
        for (const [what, make] of Object.entries(answers)) {
          for (const isAsync of [false, true]) {
            await trying(mechanism, `${what}${isAsync ? ', later' : ''}`, async (trial) => {
              const { link, end } = await outcomeOf(trial, tried, () =>
                isAsync ? Promise.resolve().then(make) : make(),
              );
              const told = failuresOf(link);
              for (const event of told) expect(event.callback).to.equal(tried.callback);
              const isTaken = tried.takes?.includes(what) ?? false;
              const harmless = isTaken ? 'established' : tried.answered;
              expect(end).to.equal(told.length > 0 ? tried.fails : (harmless ?? 'a callback-error event'));
            });
          }
        }
      });
    }
  }
});

describe('what onGet gives for a session', () => {
  const bound = (session: Session): Session =>
    new Proxy(session, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  const pretending = ({ id, version }: Session): Session =>
    Object.create(Session.prototype, {
      upRef: { value: () => ({ id, version }) },
      id: { value: id },
      version: { value: version },
      isResumable: { value: true },
      isRuledOut: { value: false },
    }) as Session;
  const changing = (session: Session): Given => {
    const answers = [session, {}];
    return Object.defineProperty(give(session), 'session', { get: () => answers.shift() });
  };
  const cases: Readonly<Record<string, readonly [(session: Session) => Session | Given, 'resumed' | 'store-error']>> = {
    'a Proxy that passes for it': [bound, 'store-error'],
    'an object that inherits from it': [pretending, 'store-error'],
    'a gift of an object that inherits from it': [(session) => give(pretending(session)), 'store-error'],
    'a gift that changes': [changing, 'resumed'],
    'one whose upRef() answers with something else': [
      (session) => Object.assign(session, { upRef: () => Session.prototype.upRef.call(session) && {} }),
      'resumed',
    ],
    'one whose free() throws': [
      (session) =>
        Object.assign(session, {
          free: () => {
            throw new Error('broken');
          },
        }),
      'resumed',
    ],
  };
  for (const [what, [answer, end]] of Object.entries(cases)) {
    for (const mechanism of STATEFUL) {
      it(`${what}: ${end}, and the connection ends in order (${mechanism})`, () => {
        const trial = new Trial(mechanism);
        const first = trial.visit(trial.serve());
        const kept = [...trial.bench.cache].map((session) => session.dup());
        const onGet = (id: Uint8Array) => {
          const found = kept.find((session) => equalBytes(session.id, id));
          return found && answer(found);
        };
        const link = trial.back(first, trial.serve({ sessions: { cache: new SessionCache(), onGet } }));
        expect(link.connection.isEstablished).to.equal(true);
        expect(link.connection.resumption.reason ?? 'resumed').to.equal(end);
        expect(() => link.step(link.connection.dispose())).not.to.throw();
        trial.bench.close();
      });
    }
  }
});
