/** Key agreement that answers later: the handshake waits for it wherever it agrees on keys, and no secret is left behind. */

import { expect } from 'chai';
import type { Awaitable } from '../../src/awaitable.ts';
import {
  type CryptoProvider,
  type EphemeralKey,
  InvalidPublicKey,
  type KeyAgreement,
} from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { webCrypto } from '../../src/crypto/providers/web-crypto.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { nodeCrypto } from '../../src/node/index.ts';
import type { GroupName } from '../../src/wire/registry.ts';
import { Exchange, exchange, exchangeAsync } from '../support/exchange.ts';
import { type ClientOptions, ScriptedClient } from '../support/scripted-client.ts';
import { testServer } from '../support/servers.ts';

/** What a provider has made: all of it has to be zero, or wiped, in the end. */
class Made {
  readonly secrets: Uint8Array[] = [];
  readonly keys: { wipes: number }[] = [];

  get isGone(): boolean {
    return (
      this.keys.every(({ wipes }) => wipes > 0) && this.secrets.every((secret) => secret.every((byte) => byte === 0))
    );
  }
}

type Step = 'generate' | 'agree';
/** How a step comes out: as @noble's does, at once or by a promise. */
type How = <T>(step: Step, run: () => T) => Awaitable<T>;

const later: How = (_, run) => Promise.resolve().then(run);

/** A step that rejects; where a ticket has to be had first, the one after that. */
function rejecting(step: Step, fault: Error, isResumed: boolean): How {
  let spared = isResumed ? 1 : 0;
  return (at, run) => (at === step && spared-- <= 0 ? Promise.reject(fault) : later(at, run));
}

/** @noble's X25519, which tells what it has made. */
function observed(how: How): CryptoProvider & { readonly made: Made } {
  const made = new Made();
  const { generate } = noble.groups.x25519 as KeyAgreement;
  const observe = (key: EphemeralKey): EphemeralKey => {
    const record = { wipes: 0 };
    made.keys.push(record);
    const shared = (peer: Uint8Array) => {
      const secret = key.agree(peer) as Uint8Array;
      made.secrets.push(secret);
      return secret;
    };
    const wipe = () => {
      record.wipes++;
      key.wipe();
    };
    return { publicKey: key.publicKey, agree: (peer) => how('agree', () => shared(peer)), wipe };
  };
  const x25519: KeyAgreement = {
    generate: (randomBytes) => how('generate', () => observe(generate(randomBytes) as EphemeralKey)),
  };
  return { ...defaultProvider, groups: { x25519 }, made };
}

/** Wherever keys are agreed on. */
const MODES: Readonly<Record<string, { readonly client: ClientOptions; readonly isResumed?: boolean }>> = {
  'TLSv1.2': { client: { version: 'TLSv1.2' } },
  'TLSv1.2 without extended_master_secret': { client: { version: 'TLSv1.2', ems: false } },
  'TLSv1.3': { client: {} },
  'TLSv1.3 after a HelloRetryRequest': { client: { keyShares: [] } },
  'TLSv1.3 psk_dhe_ke': { client: { ciphers: ['TLS_AES_128_GCM_SHA256'] }, isResumed: true },
  'TLSv1.3 psk_dhe_ke after a HelloRetryRequest': {
    client: { ciphers: ['TLS_AES_128_GCM_SHA256'], keyShares: [] },
    isResumed: true,
  },
};

/** Both ends of one mode before the first byte; a resumption has its ticket. */
async function ends(mode: string, crypto: CryptoProvider, group: GroupName = 'x25519') {
  const { client, isResumed } = MODES[mode] as (typeof MODES)[string] & object;
  const options = { ...client, groups: [...new Set([group, 'secp256r1'] as const)] }; // of the certificate's curve in TLS 1.2
  const config = testServer({ crypto, groups: [group] });
  const first = isResumed ? await exchangeAsync(new ScriptedClient(options), new ServerConnection(config)) : undefined;
  const psks = first?.client.tickets.slice(0, 1);
  return {
    client: new ScriptedClient({ ...options, ...(psks && { psks }) }),
    connection: new ServerConnection(config),
  };
}

/** How often the handshake asks, and for what. */
async function questionsOf(link: Exchange): Promise<string[]> {
  const kinds: string[] = [];
  while (link.question !== undefined) {
    kinds.push(link.question.kind);
    link.answer({ value: await link.question.promise });
  }
  return kinds;
}

/** The outcome of what is being asked, told to the connection whether it still wants to know or not. */
async function lateAnswer(link: Exchange): Promise<void> {
  const { question } = link;
  if (question === undefined) throw new Error('nothing is asked');
  const outcome = await Promise.resolve(question.promise).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  link.step(link.connection.answer(question, outcome));
}

for (const [mode, { isResumed = false }] of Object.entries(MODES)) {
  describe(`key agreement that waits, ${mode}`, () => {
    it('asks for the key and for the secret, and goes on with them', async () => {
      const crypto = observed(later);
      const { client, connection } = await ends(mode, crypto);
      const link = exchange(client, connection);
      expect(await questionsOf(link)).to.deep.equal(['key-generation', 'key-agreement']);
      expect([link.failure, client.isEstablished, connection.isEstablished]).to.deep.equal([undefined, true, true]);
      expect(connection.resumption.resumed).to.equal(isResumed);
      expect(crypto.made.isGone).to.equal(true);
    });

    it('takes one answer at once and the other later', async () => {
      for (const waiting of ['generate', 'agree'] as const) {
        const crypto = observed((step, run) => (step === waiting ? Promise.resolve().then(run) : run()));
        const { client, connection } = await ends(mode, crypto);
        const link = exchange(client, connection);
        expect(await questionsOf(link), waiting).to.have.length(1);
        expect(client.isEstablished, waiting).to.equal(true);
      }
    });

    for (const step of ['generate', 'agree'] as const) {
      /** As far as the question of this step. */
      const asked = async (crypto: CryptoProvider): Promise<Exchange> => {
        const { client, connection } = await ends(mode, crypto);
        const link = exchange(client, connection);
        if (step === 'agree') link.answer({ value: await link.question?.promise });
        return link;
      };
      const kind = step === 'generate' ? 'key-generation' : 'key-agreement';

      it(`${step}: what comes in meanwhile waits`, async () => {
        const link = await asked(observed(later));
        const { question } = link;
        expect(question?.kind).to.equal(kind);
        const { output, events } = link.connection.receive(Uint8Array.of(21, 3, 3, 0, 2, 2, 40));
        expect([output.length, events]).to.deep.equal([0, []]);
        await lateAnswer(link);
        await questionsOf(link);
        expect(link.has('failed')).to.equal(true); // by that alert, and in TLS 1.3 by its having come in the clear
        link.connection.dispose();
      });

      it(`${step}: end() and dispose() while it waits leave nothing behind`, async () => {
        for (const stop of ['end', 'dispose'] as const) {
          const crypto = observed(later);
          const link = await asked(crypto);
          const { question } = link;
          link.step(link.connection[stop]());
          const sent = link.output.length;
          if (question === undefined) throw new Error('nothing was asked');
          for (const value of [undefined, null, 1, 'x', {}, { wipe: 1 }, await question.promise])
            link.step(link.connection.answer(question, { value }));
          expect(link.output.length, stop).to.equal(sent);
          link.step(link.connection.dispose());
          expect(crypto.made.isGone, stop).to.equal(true);
        }
      });

      it(`${step}: a rejection is internal_error, and an event`, async () => {
        const fault = new Error('out of order');
        const link = await asked(observed(rejecting(step, fault, isResumed)));
        await lateAnswer(link);
        expect(link.failure?.alert).to.equal('internal_error');
        expect(link.events).to.deep.include({ type: 'callback-error', callback: 'agree', error: fault });
      });
    }

    it('agree: a key that is none is the peer’s illegal_parameter, and no event', async () => {
      const crypto = observed(rejecting('agree', new InvalidPublicKey('no point'), isResumed));
      const { client, connection } = await ends(mode, crypto);
      const link = await exchangeAsync(client, connection);
      expect(link.failure?.alert).to.equal('illegal_parameter');
      expect(link.has('callback-error')).to.equal(false);
      expect(crypto.made.isGone).to.equal(true);
    });

    for (const step of ['generate', 'agree'] as const) {
      it(`${step}: any other RangeError, as of a stack overflow, is not the peer’s`, async () => {
        const fault = new RangeError('Maximum call stack size exceeded');
        const crypto = observed(rejecting(step, fault, isResumed));
        const { client, connection } = await ends(mode, crypto);
        const link = await exchangeAsync(client, connection);
        expect(link.failure?.alert).to.equal('internal_error');
        expect(link.events).to.deep.include({ type: 'callback-error', callback: 'agree', error: fault });
        expect(crypto.made.isGone).to.equal(true);
      });
    }

    it('a provider that disposes of the connection leaves nothing behind', async () => {
      for (const step of ['generate', 'agree'] as const) {
        for (const isLater of [false, true]) {
          let dispose = (): void => {};
          const crypto = observed((at, run) => {
            if (at === step) dispose();
            return isLater ? Promise.resolve().then(run) : run();
          });
          const { client, connection } = await ends(mode, crypto);
          const link = new Exchange(client, connection);
          dispose = () => void link.step(connection.dispose());
          await link.runAsync();
          for (const event of link.events) {
            if (event.type !== 'deferred') continue;
            expect(event.deferred.callback).to.equal('agree');
            link.step(connection.settle(event.deferred, { value: await event.deferred.promise }));
          }
          expect(crypto.made.keys.length, step).to.be.above(isResumed ? 1 : 0);
          expect(crypto.made.isGone, `${step}${isLater ? ', later' : ''}`).to.equal(true);
        }
      }
    });

    for (const [name, groups] of Object.entries({ webCrypto: webCrypto.groups, nodeCrypto: nodeCrypto.groups })) {
      it(`agrees by ${name} in every group`, async () => {
        for (const group of ['x25519', 'secp256r1', 'secp384r1'] as const) {
          const { client, connection } = await ends(mode, { ...defaultProvider, groups }, group);
          const link = await exchangeAsync(client, connection);
          expect([link.failure, client.isEstablished], group).to.deep.equal([undefined, true]);
          expect(connection.resumption.resumed, group).to.equal(isResumed);
        }
      });
    }
  });
}
