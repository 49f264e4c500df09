import { expect } from 'chai';
import type { ConnectionInfo } from '../../src/sessions/connection-info.ts';
import type { TicketFormat } from '../../src/tickets/format.ts';
import { cbcTickets } from '../../src/tickets/format-cbc.ts';
import { TicketKey } from '../../src/tickets/key.ts';
import type { OpeningKey, TicketKeyProvider } from '../../src/tickets/key-provider.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { SealCounts } from '../../src/tickets/seal-counts.ts';
import { openTicket, ticketKeyName } from '../../src/tickets/ticket.ts';
import { ascii, concat, toHex } from '../../src/wire/bytes.ts';
import { TestWorld } from '../support/world.ts';
import { FORMATS, newKey, random, sealed } from './support.ts';

const STATE = ascii('state');
const about = (serverName: string | undefined): ConnectionInfo => ({ serverName, version: 'TLSv1.3' });

/** As an engine does it: ask, wait, then compute. */
async function seal(provider: TicketKeyProvider, connection = about(undefined)): Promise<Uint8Array | undefined> {
  const key = await provider.sealingKey(connection);
  return key && sealed(key, STATE);
}

async function open(provider: TicketKeyProvider, ticket: Uint8Array, connection = about(undefined)): Promise<string> {
  const name = ticketKeyName(ticket);
  const opened = openTicket(ticket, name === undefined ? [] : await provider.openingKeys(name, connection, ticket));
  return opened.status === 'opened' ? opened.renewal : opened.status;
}

/** What the ticket key callback of SSL_CTX_set_tlsext_ticket_key_evp_cb(3) fills in, and its return value. */
interface CallbackAnswer {
  readonly code: number;
  readonly name?: Uint8Array;
  readonly iv?: Uint8Array;
  readonly hmacKey?: Uint8Array;
  readonly aesKey?: Uint8Array;
}
type Callback = (name: Uint8Array | undefined, iv: Uint8Array | undefined, encrypts: boolean) => CallbackAnswer;

/** The callback as a provider, in so many lines. */
class CallbackProvider implements TicketKeyProvider {
  readonly #callback: Callback;

  constructor(callback: Callback) {
    this.#callback = callback;
  }

  sealingKey(): TicketKey | undefined {
    const answer = this.#callback(undefined, undefined, true);
    return this.#keyOf(answer, answer.name ?? new Uint8Array(0));
  }

  openingKeys(keyName: Uint8Array, _connection: ConnectionInfo, ticket: Uint8Array): OpeningKey[] {
    const answer = this.#callback(keyName, ticket.subarray(16, 32), false);
    const key = this.#keyOf(answer, keyName);
    return key === undefined ? [] : [{ key, renewal: answer.code === 2 ? 'due' : 'declined' }];
  }

  #keyOf({ code, iv, hmacKey, aesKey }: CallbackAnswer, name: Uint8Array): TicketKey | undefined {
    if (code < 0) throw new Error('the ticket key callback has failed');
    if (code === 0 || hmacKey === undefined || aesKey === undefined) return undefined;
    const format = cbcTickets(32);
    const withItsIv: TicketFormat = {
      ...format,
      cipher: (keyName, secret) => {
        const cipher = format.cipher(keyName, secret);
        return { ...cipher, seal: (plaintext, dice) => cipher.seal(plaintext, iv === undefined ? dice : () => iv) };
      },
    };
    return new TicketKey(withItsIv, name, concat(hmacKey, aesKey), { counts: new SealCounts() });
  }
}

describe('TicketKeyProvider', () => {
  it('is what a ring is', async () => {
    const ring = TicketKeyRing.rotating(new TestWorld());
    const ticket = (await seal(ring)) ?? random(1);
    expect(await open(ring, ticket)).to.equal('as-usual');
  });

  it('may have keys for each name and wait for them; what is sealed for one opens for no other', async () => {
    const world = new TestWorld();
    const rings = new Map(['a.example', 'b.example'].map((name) => [name, TicketKeyRing.rotating(world)]));
    const ringOf = async ({ serverName = '' }: ConnectionInfo) => rings.get(serverName);
    const provider: TicketKeyProvider = {
      sealingKey: async (connection) => (await ringOf(connection))?.sealingKey(),
      openingKeys: async (name, connection) => (await ringOf(connection))?.openingKeys(name) ?? [],
    };
    const ticket = (await seal(provider, about('a.example'))) ?? random(1);
    expect(await open(provider, ticket, about('a.example'))).to.equal('as-usual');
    expect(await open(provider, ticket, about('b.example'))).to.equal('unknown-key');
    expect(await seal(provider, about('c.example'))).to.equal(undefined);
  });

  it('may return all its keys: those of another name are passed over', async () => {
    const keys = [newKey(), newKey(cbcTickets(16)), newKey()];
    const provider: TicketKeyProvider = {
      sealingKey: () => keys[1],
      openingKeys: () => keys.map((key) => ({ key, renewal: 'declined' })),
    };
    const ticket = (await seal(provider)) ?? random(1);
    expect(await open(provider, ticket)).to.equal('declined');
    expect(await open(provider, sealed(newKey(), STATE))).to.equal('unknown-key');
  });

  it('a key destroyed while a handshake waited for it neither opens nor seals', async () => {
    const ring = TicketKeyRing.of([newKey()], new TestWorld());
    const ticket = (await seal(ring)) ?? random(1);
    const slow: TicketKeyProvider = {
      sealingKey: () => ring.sealingKey(),
      openingKeys: async (name) => {
        const keys = ring.openingKeys(name);
        ring.close();
        return keys;
      },
    };
    expect(await open(slow, ticket)).to.equal('unknown-key');
  });

  describe('as the callback of OpenSSL', () => {
    const [name, iv, hmacKey, aesKey] = [random(16), random(16), random(32), random(32)];
    const answering = (code: number) => new CallbackProvider(() => ({ code, name, iv, hmacKey, aesKey }));
    const secret = concat(hmacKey, aesKey);
    const [, , openssl] = FORMATS;
    const ticket = openssl?.reference(name, secret, iv, STATE) ?? random(1);

    it('1 and 2 seal, with its own vector', async () => {
      for (const code of [1, 2]) expect(toHex((await seal(answering(code))) ?? random(1))).to.equal(toHex(ticket));
    });

    it('0 seals nothing, a negative value throws', async () => {
      expect(await seal(answering(0))).to.equal(undefined);
      expect(() => answering(-1).sealingKey()).to.throw('has failed');
    });

    it('0 opens nothing, 1 opens and has no new ticket sent, 2 has one sent, a negative value throws', async () => {
      const outcomes = [0, 1, 2].map((code) => open(answering(code), ticket));
      expect(await Promise.all(outcomes)).to.deep.equal(['unknown-key', 'declined', 'due']);
      expect(() => answering(-1).openingKeys(name, about(undefined), ticket)).to.throw('has failed');
    });

    it('is told the name and the vector of the ticket', async () => {
      const seen: string[] = [];
      const provider = new CallbackProvider((keyName, vector, encrypts) => {
        seen.push(`${encrypts} ${toHex(keyName ?? random(1))} ${toHex(vector ?? random(1))}`);
        return { code: 0 };
      });
      await open(provider, ticket);
      expect(seen).to.deep.equal([`false ${toHex(name)} ${toHex(iv)}`]);
    });
  });
});
