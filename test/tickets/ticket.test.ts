import { expect } from 'chai';
import type { SessionParameters } from '../../src/sessions/parameters.ts';
import { Session } from '../../src/sessions/session.ts';
import { aeadTickets } from '../../src/tickets/format-aead.ts';
import { cbcTickets } from '../../src/tickets/format-cbc.ts';
import { TicketKey } from '../../src/tickets/key.ts';
import { ticketKeysFrom } from '../../src/tickets/key-files.ts';
import type { OpeningKey } from '../../src/tickets/key-provider.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import {
  type OpenedSession,
  openSession,
  openTicket,
  type RejectedTicket,
  sealSession,
  ticketKeyName,
} from '../../src/tickets/ticket.ts';
import { ascii, concat, copyOf, toHex } from '../../src/wire/bytes.ts';
import { growth } from '../support/memory.ts';
import { many, patience } from '../support/runs.ts';
import { TestWorld } from '../support/world.ts';
import { FORMATS, newKey, random, sealed, VECTOR_NAMES, vector } from './support.ts';

const NOW = 2_000_000_000;

const parameters: SessionParameters = {
  version: 'TLSv1.2',
  cipherSuite: 0xc02b,
  id: random(32),
  secret: random(48),
  time: NOW - 100,
  timeout: 7200,
  authTime: NOW - 500,
  extendedMasterSecret: true,
  idContext: random(4),
  serverName: 'a.example',
  scope: { label: '00112233445566778899aabbccddeeff' },
  applicationData: ascii('mine'),
};

const usual = (key: TicketKey): OpeningKey => ({ key, renewal: 'as-usual' });

function ticketOf(key: TicketKey, session = new Session(parameters)): Uint8Array {
  const ticket = sealSession(key, session, random);
  if (typeof ticket === 'string') throw new Error(ticket);
  return ticket;
}

function requireOpened(opened: OpenedSession | RejectedTicket): OpenedSession {
  if (opened.status !== 'opened') throw new Error(opened.status);
  return opened;
}

describe('tickets', () => {
  for (const name of VECTOR_NAMES) {
    it(`${name}: the session of the other server, and its ticket again`, () => {
      const { keyFile, ticket, plaintext } = vector(name);
      const keys = ticketKeysFrom(name.startsWith('node') ? 'node' : 'openssl', keyFile);
      const { session, keyName } = requireOpened(openSession(ticket, keys.map(usual), NOW));
      expect(toHex(session.toDer())).to.equal(toHex(plaintext));
      expect(session.version).to.equal(name.slice(-7));
      expect(toHex(keyName)).to.equal(toHex(keyFile.subarray(0, 16)));
      expect(sealSession(keys[0], session, () => ticket.subarray(16, 32))).to.deep.equal(ticket);
    });
  }

  for (const { format } of FORMATS) {
    it(`${format.name}: a session comes back as it was, with one hold`, () => {
      const key = newKey(format);
      const { session, renewal } = requireOpened(openSession(ticketOf(key), [{ key, renewal: 'due' }], NOW));
      const { id, secret, idContext, applicationData, foreign, ...rest } = session.parameters();
      expect({ ...rest, id, secret, idContext, applicationData }).to.deep.include(parameters);
      expect([session.holds, renewal]).to.deep.equal([1, 'due']);
      session.free();
    });
  }

  it('the session of a ticket from the future begins now', () => {
    const key = newKey();
    const { session } = requireOpened(openSession(ticketOf(key), [usual(key)], NOW - 1000));
    expect(session.time).to.equal(NOW - 1000);
  });

  it('what is no session is malformed', () => {
    for (const { format } of FORMATS) {
      const key = newKey(format);
      const der = new Session(parameters).toDer();
      for (const plaintext of [ascii('?'), der.subarray(1), concat(der, random(1)), random(200)]) {
        const opened = openSession(sealed(key, plaintext), [usual(key)], NOW);
        expect(opened).to.deep.equal({ status: 'malformed', keyName: key.name });
      }
    }
  });

  it('says why there is no ticket', () => {
    const session = new Session(parameters);
    expect(sealSession(undefined, session, random)).to.equal('no-key');
    const large = new Session({ ...parameters, applicationData: new Uint8Array(0xffff) });
    expect(sealSession(newKey(), large, random)).to.equal('too-large');
    const worn = newKey(aeadTickets, { share: 1 / 2 ** 32 });
    ticketOf(worn, session);
    expect(sealSession(worn, session, random)).to.equal('exhausted');
    worn.destroy();
    expect(sealSession(worn, session, random)).to.equal('no-key');
    session.free();
    expect(() => sealSession(newKey(), session, random)).to.throw('after its last free()');
  });

  it('wipes what it had in the clear', () => {
    const clear: Uint8Array[] = [];
    const spy = newKey({
      ...aeadTickets,
      cipher: (name, secret) => {
        const cipher = aeadTickets.cipher(name, secret);
        const keep = <T>(value: T): T => {
          if (value instanceof Uint8Array) clear.push(value);
          return value;
        };
        return {
          ...cipher,
          seal: (plaintext, randomBytes) => cipher.seal(keep(plaintext), randomBytes),
          open: (ticket) => keep(cipher.open(ticket)),
        };
      },
    });
    const ticket = ticketOf(spy);
    const { session } = requireOpened(openSession(ticket, [usual(spy)], NOW));
    openSession(sealed(spy, ascii('no session')), [usual(spy)], NOW);
    expect(clear).to.have.length(4);
    expect(clear.map((bytes) => bytes.every((byte) => byte === 0))).to.deep.equal([true, true, false, true]);
    expect(toHex(session.secret)).to.equal(toHex(parameters.secret));
  });

  describe('openTicket', () => {
    it('asks nobody about what is shorter than 32 bytes or longer than 65535', () => {
      const key = newKey();
      for (const length of [0, 1, 15, 16, 31, 65536, 1e6]) {
        const ticket = concat(key.name, new Uint8Array(1e6)).subarray(0, length);
        expect(ticketKeyName(ticket), `${length}`).to.equal(undefined);
        expect(openTicket(ticket, [usual(key)])).to.deep.equal({ status: 'malformed', keyName: undefined });
      }
      expect(ticketKeyName(concat(key.name, new Uint8Array(16)))).to.deep.equal(key.name);
    });

    it('is bounded by the name: of another name no key is set to work', () => {
      let calls = 0;
      const counting = newKey({
        ...aeadTickets,
        cipher: (name, secret) => ({
          ...aeadTickets.cipher(name, secret),
          open: () => {
            calls++;
            return 'bad-mac';
          },
        }),
      });
      expect(openTicket(random(60000), [usual(counting)]).status).to.equal('unknown-key');
      expect(calls).to.equal(0);
      expect(openTicket(concat(counting.name, random(60000)), [usual(counting)]).status).to.equal('bad-mac');
      expect(calls).to.equal(1);
    });

    it('tells apart who has no key, who has another, and what is no ticket', () => {
      for (const { format } of FORMATS) {
        const key = newKey(format);
        const ticket = ticketOf(key);
        const forged = copyOf(ticket);
        forged[40] = (forged[40] as number) ^ 1;
        const { name } = key;
        expect(openTicket(ticket, [])).to.deep.equal({ status: 'unknown-key', keyName: name });
        expect(openTicket(ticket, [usual(newKey(format))])).to.deep.equal({ status: 'unknown-key', keyName: name });
        expect(openTicket(forged, [usual(key)])).to.deep.equal({ status: 'bad-mac', keyName: name });
        expect(openTicket(ticket.subarray(0, 33), [usual(key)])).to.deep.equal({ status: 'malformed', keyName: name });
      }
    });

    it('a bad MAC is told though another key of the name is destroyed', () => {
      const name = random(16);
      const [one, two] = [1, 2].map(() => new TicketKey(aeadTickets, name, random(32)));
      if (one === undefined || two === undefined) throw new Error('no keys');
      two.destroy();
      const ticket = sealed(new TicketKey(aeadTickets, name, random(32)), ascii('x'));
      for (const keys of [
        [one, two],
        [two, one],
      ]) {
        expect(openTicket(ticket, keys.map(usual)).status).to.equal('bad-mac');
      }
    });

    it('keeps nothing of the ticket: it may lie in a buffer that is used again', () => {
      const key = newKey();
      const ticket = sealed(key, ascii('state'));
      const opened = [openTicket(ticket, [usual(key)]), openTicket(ticket, [])];
      ticket.fill(0);
      expect(opened.map(({ keyName }) => keyName)).to.deep.equal([key.name, key.name]);
      expect(opened[0]).to.deep.include({ plaintext: ascii('state') });
    });

    it('tries all keys of the name, of whatever format', () => {
      const name = random(16);
      const make = (format = aeadTickets) => new TicketKey(format, name, random(format.secretLength));
      const [one, two, three] = [make(), make(cbcTickets(16)), make(cbcTickets(32))];
      const keys: OpeningKey[] = [usual(one), { key: two, renewal: 'declined' }, { key: three, renewal: 'due' }];
      const renewals = [one, two, three].map((key) => openTicket(sealed(key, ascii('x')), keys));
      expect(renewals.map((opened) => opened.status === 'opened' && opened.renewal)).to.deep.equal([
        'as-usual',
        'declined',
        'due',
      ]);
    });
  });

  it(`${many(20_000)} bad tickets leave nothing behind`, function () {
    this.timeout(patience());
    const world = new TestWorld();
    const ring = TicketKeyRing.rotating(world);
    const given = TicketKeyRing.of([newKey(cbcTickets(16)), newKey(cbcTickets(32))], world);
    const session = new Session(parameters);
    const good = [ring, given].map((each) => sealSession(each.sealingKey(), session, random));
    const bad = good.flatMap((ticket) => {
      if (typeof ticket === 'string') throw new Error(ticket);
      const forged = copyOf(ticket);
      forged[60] = (forged[60] as number) ^ 1;
      return [forged, ticket.subarray(0, 40), concat(random(16), ticket.subarray(16))];
    });
    let opened = 0;
    const round = (count: number) => {
      for (let i = 0; i < count; i++) {
        const ticket = bad[i % bad.length] as Uint8Array;
        const name = ticketKeyName(ticket);
        const keys = name === undefined ? [] : [...ring.openingKeys(name), ...given.openingKeys(name)];
        if (openSession(ticket, keys, NOW).status === 'opened') opened++;
      }
    };
    round(3000);
    const limit = 20 * many(20_000); // less than a ticket is, had it stayed
    expect(growth(() => round(many(20_000)), limit)).to.be.below(limit);
    expect(opened).to.equal(0);
  });
});
