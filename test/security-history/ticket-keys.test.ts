/**
 * The history of session resumption, 3: ticket cryptography and the keys of tickets (STEK).
 *
 *     GnuTLS CVE-2020-13777, Hebrok et al. 2023, GnuTLS 3.8.13 and wolfSSL CVE-2025-11932, padding oracles of tickets, long-lived
 *     STEKs, the master secret that is wrapped again for ever, OpenSSL CVE-2014-3567
 */

import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { Session } from '../../src/sessions/session.ts';
import type { TicketFormat } from '../../src/tickets/format.ts';
import { aeadTickets } from '../../src/tickets/format-aead.ts';
import { cbcTickets } from '../../src/tickets/format-cbc.ts';
import { TicketKey } from '../../src/tickets/key.ts';
import { type TicketKeyProducer, ticketKeysFrom } from '../../src/tickets/key-files.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { WeakTicketKeyError } from '../../src/tickets/key-strength.ts';
import { openSession, openTicket } from '../../src/tickets/ticket.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { systemWorld } from '../../src/world.ts';
import { expectFull, expectResumed, MECHANISMS } from '../support/mechanisms.ts';
import { growth } from '../support/memory.ts';
import { many, patience } from '../support/runs.ts';
import type { Exchange } from '../support/scripted-client.ts';
import { codeOf, readSources } from '../support/sources.ts';
import { TestWorld } from '../support/world.ts';
import { FORMATS, newKey, random, sealed } from '../tickets/support.ts';
import { each, failedCallbacks, STATELESS } from './support.ts';

const NAME = 16;
const opening = (key: TicketKey) => [{ key, renewal: 'as-usual' }] as const;
const secretOf = ({ secretLength }: TicketFormat, byteAt: (i: number) => number) =>
  Uint8Array.from({ length: secretLength }, (_, i) => byteAt(i));

describe('security history: ticket keys', () => {
  describe('GnuTLS CVE-2020-13777: no key before it is seeded, and none that is all zero', () => {
    each('a key of zeros opens no ticket of a server that makes its own', STATELESS, (trial) => {
      const first = trial.visit(trial.host());
      const ticket = trial.offered(first);
      for (const { format } of FORMATS) {
        const zeros = format.cipher(ticket.subarray(0, NAME), new Uint8Array(format.secretLength));
        expect(zeros.open(ticket)).to.be.oneOf(['malformed', 'bad-mac']);
      }
    });

    each(
      'dice that only know zeros make no key: no ticket, an event, and the handshake goes on',
      STATELESS,
      (trial) => {
        const world = new TestWorld(1);
        const keys = TicketKeyRing.rotating({
          now: () => world.now(),
          randomBytes: (length) => new Uint8Array(length),
        });
        const link = trial.visit(trial.serve({ tickets: { keys } }));
        expect(link.connection.isEstablished).to.equal(true);
        expect(ticketsOf(link)).to.have.length(0);
        expect([...new Set(failedCallbacks(link))]).to.deep.equal(['sealingKey']);
        expect(keys.keys).to.have.length(0);
      },
    );

    it('two rings have two keys', () => {
      const rings = [1, 2].map((seed) => TicketKeyRing.rotating(new TestWorld(seed)));
      const secrets = rings.map((ring) => toHex((ring.sealingKey() as TicketKey).exportSecret()));
      expect(secrets[0]).not.to.equal(secrets[1]);
      expect(secrets).not.to.include('00'.repeat(aeadTickets.secretLength));
    });
  });

  describe('Hebrok et al. 2023: keys that are known', () => {
    /** Families of what was found in the field. */
    const KNOWN: Record<string, (format: TicketFormat) => Uint8Array[]> = {
      'one byte, repeated': (format) => Array.from({ length: 256 }, (_, byte) => secretOf(format, () => byte)),
      'counting up': (format) => [0, 1, 0x10, 0xf0].map((start) => secretOf(format, (i) => start + i)),
      'counting down': (format) => [0xff, 0x20, 0].map((start) => secretOf(format, (i) => start - i)),
      'counting in each half': (format) => [0, 1].map((start) => secretOf(format, (i) => start + (i % 16))),
      'two bytes, in turn': (format) => [secretOf(format, (i) => (i % 2 === 0 ? 0xa5 : 0x5a))],
      'digits and letters': (format) => [
        secretOf(format, (i) => 0x30 + (i % 10)),
        secretOf(format, (i) => 0x61 + ((i * 7) % 26)),
      ],
      'one half of zeros': (format) => {
        const half = format.secretLength / 2;
        return [concat(random(half), new Uint8Array(half)), concat(new Uint8Array(half), random(half))];
      },
    };
    for (const { format } of FORMATS) {
      for (const [what, keys] of Object.entries(KNOWN)) {
        it(`${what}: refused, ${format.name}`, () => {
          for (const secret of keys(format)) {
            expect(() => new TicketKey(format, random(NAME), secret), toHex(secret)).to.throw(WeakTicketKeyError);
          }
        });
      }
    }

    it('so are files of them, whoever has written them', () => {
      const LENGTHS: Record<Exclude<TicketKeyProducer, 'haproxy'>, readonly number[]> = {
        'tls-resume': [48],
        openssl: [80],
        node: [48],
        apache: [48],
        nginx: [48, 80],
      };
      for (const [producer, lengths] of Object.entries(LENGTHS)) {
        for (const length of lengths) {
          for (const byte of [0, 0x31, 0xa5, 0xff]) {
            const load = () => ticketKeysFrom(producer as TicketKeyProducer, new Uint8Array(length).fill(byte));
            expect(load).to.throw(WeakTicketKeyError);
          }
        }
      }
      for (const length of [48, 80]) {
        const line = Buffer.alloc(length).toString('base64');
        expect(() => ticketKeysFrom('haproxy', Buffer.from(`${line}\n${line}\n${line}\n`))).to.throw(
          WeakTicketKeyError,
        );
      }
    });

    for (const { format, nonceLength } of FORMATS) {
      it(`each ticket has a nonce of its own, drawn for it, also after a restart, ${format.name}`, () => {
        const secret = random(format.secretLength);
        const name = random(NAME);
        const nonces = new Set<string>();
        for (let restart = 0; restart < 2; restart++) {
          const key = new TicketKey(format, name, secret);
          for (let i = 0; i < 500; i++) {
            const drawn: Uint8Array[] = [];
            const ticket = key.seal(new Uint8Array(40), (length) => {
              const bytes = systemWorld.randomBytes(length);
              drawn.push(bytes);
              return bytes;
            });
            if (typeof ticket === 'string') throw new Error(ticket);
            const at = ticket.length - paddedLength(format) - nonceLength;
            expect(drawn.map(toHex)).to.deep.equal([toHex(ticket.subarray(at, at + nonceLength))]);
            nonces.add(toHex(ticket.subarray(at, at + nonceLength)));
          }
        }
        expect(nonces.size).to.equal(1000);
      });
    }

    it('2^20 nonces are 2^20 different ones', () => {
      const count = 2 ** 20;
      const batch = 4096;
      const firstHalves = new BigUint64Array(count);
      for (let i = 0; i < count; i += batch) {
        const drawn = new DataView(systemWorld.randomBytes(12 * batch).buffer);
        for (let n = 0; n < batch; n++) firstHalves[i + n] = drawn.getBigUint64(12 * n);
      }
      firstHalves.sort();
      // Of 8 bytes of each: two may be the same once in 2^25 runs.
      let same = 0;
      for (let i = 1; i < count; i++) if (firstHalves[i] === firstHalves[i - 1]) same++;
      expect(same).to.equal(0);
    });

    each('no two tickets of a server share a keystream', STATELESS, (trial) => {
      const config = trial.serve({ tickets: { initial: 20 } });
      const tickets = Array.from({ length: 20 }, () => ticketsOf(trial.visit(config))).flat();
      expect(new Set(tickets.map((ticket) => toHex(ticket.subarray(NAME, NAME + 13)))).size).to.equal(tickets.length);
    });
  });

  describe('GnuTLS 3.8.13, wolfSSL CVE-2025-11932: MAC, binder, Finished and key name are compared in constant time', () => {
    const sources = readSources();
    const SECRET = /mac\b|binder|verifyData|finished|keyName|\btag\b|secret|psk/i;

    /** What is compared in another way, with a name that says it must not be. */
    function complaints(text: string): string[] {
      const lines = codeOf(text).split('\n');
      return lines.filter((line) => {
        const bytes = /equalBytes\((?:[^()]|\([^()]*\))*\)/.exec(line)?.[0];
        if (bytes !== undefined && SECRET.test(bytes)) return true;
        if (/timingSafeEqual|Buffer\.compare|\.equals\(|\.localeCompare\(/.test(line)) return true;
        const compared = /([\w.#?[\]]+(?:\(\w*\))?)\s*[!=]==\s*([\w.#?]+)/g;
        return [...line.matchAll(compared)].some(([, left = '', right = '']) => isSecret(left) && isOther(right));
      });
    }
    const isSecret = (operand: string) =>
      !/\.length$|typeof/.test(operand) &&
      /(?:^|\.|#|\()(?:mac|binder|verifyData|expected|keyName|tag)\b/i.test(operand);
    const isOther = (operand: string) => !/^(?:undefined|null|\d+|true|false)$/.test(operand);

    const USES: Record<string, RegExp> = {
      'tickets/format-cbc.ts': /equalConstantTime\(mac\.sign\(body\), /,
      'handshake/server/binder.ts': /equalConstantTime\(binder, expected\)/,
      'handshake/messages/finished.ts': /equalConstantTime\(verifyData, expected\)/,
      'tickets/key.ts': /equalConstantTime\(this\.#name, requireBytes\(/,
    };
    for (const [path, use] of Object.entries(USES)) {
      it(`in ${path}`, () => expect(codeOf(sources.get(path) ?? '')).to.match(use));
    }

    it('and nowhere in another way', () => {
      const found = [...sources].flatMap(([path, text]) => complaints(text).map((line) => `${path}: ${line.trim()}`));
      expect(found).to.deep.equal([]);
    });

    it('by a function that looks at every byte', () => {
      const text = codeOf(sources.get('wire/bytes.ts') ?? '');
      const [body = ''] = /function equalConstantTime[\s\S]*?\n}/.exec(text) ?? [];
      expect(body).to.match(/difference \|= .* \^ .*;\n\s*return difference === 0;/);
      expect(body.match(/return/g)).to.have.length(2); // and that of the lengths
    });

    for (const wrong of [
      'if (equalBytes(binder, expected)) return;',
      'if (!equalBytes(mac.sign(body), ticket)) return;',
      'const same = toHex(a) === b && tag === other;',
      'return body.verifyData !== computed;',
      'crypto.timingSafeEqual(a, b)',
      'if (keyName === this.name) found();',
    ]) {
      it(`which this would notice: ${wrong}`, () => expect(complaints(wrong)).to.have.length(1));
    }
  });

  describe('padding oracles of tickets', () => {
    for (const { format, reference } of FORMATS.filter((each) => each.format !== aeadTickets)) {
      each(`bad padding and a bad MAC are one to the client, ${format.name}`, STATELESS, (trial) => {
        const secret = random(format.secretLength);
        const name = random(NAME);
        const key = new TicketKey(format, name, secret);
        const config = trial.serve({ tickets: { keys: TicketKeyRing.of([key], trial.bench.world) } });
        const first = trial.visit(config);
        const ticket = trial.offered(first);
        const macAt = ticket.length - (format.name.endsWith('sha384') ? 48 : 32);
        const reactions = new Set<string>();
        for (const at of [macAt - 1, macAt - 16, macAt - 17, macAt - 32, macAt, ticket.length - 1]) {
          const flipped = ticket.map((byte, i) => (i === at ? byte ^ 1 : byte));
          reactions.add(reactionTo(trial.bench.connect(config, trial.showing(first, flipped))));
          expect(openTicket(flipped, opening(key)).status).to.equal('bad-mac');
        }
        // Right in its MAC, and its last block decrypts to no padding: whoever has the key could send it.
        const sound = reference(name, secret, random(16), (first.connection.session as Session).toDer());
        const body = sound.subarray(0, macAt - 16);
        const hmacKey = secret.subarray(0, format.secretLength / 2);
        const cut = concat(
          body,
          createHmac(ticket.length - macAt === 48 ? 'sha384' : 'sha256', hmacKey)
            .update(body)
            .digest(),
        );
        expect(openTicket(cut, opening(key)).status).to.equal('bad-mac');
        reactions.add(reactionTo(trial.bench.connect(config, trial.showing(first, cut))));
        expect([...reactions]).to.have.length(1);
        expectResumed(trial.back(first, config), trial.mechanism);
      });
    }

    it('the MAC is verified before anything is decrypted', () => {
      const text = codeOf(readSources().get('tickets/format-cbc.ts') ?? '');
      const open = text.slice(text.indexOf('open: ('));
      expect(open.indexOf('equalConstantTime(')).to.be.above(0).and.below(open.indexOf('decryptCbc('));
    });
  });

  describe('long-lived STEKs: Springall et al. 2016, nginx before 1.23.2', () => {
    each('no ticket is good when the time of its key is over, and the key is overwritten', STATELESS, (trial) => {
      const secrets: Uint8Array[] = [];
      const format: TicketFormat = {
        ...aeadTickets,
        cipher: (name, secret) => {
          secrets.push(secret);
          return aeadTickets.cipher(name, secret);
        },
      };
      const { world } = trial.bench;
      const keys = TicketKeyRing.rotating(world, { format, rotateEvery: 3600, keepFor: 7200 });
      const config = trial.serve({ sessions: { timeout: 600_000 }, tickets: { keys } });
      const first = trial.visit(config);
      world.advance(3600 + 7200);
      expectResumed(trial.back(first, config), trial.mechanism);
      expect(secrets[0]?.some((byte) => byte !== 0)).to.equal(true);
      world.advance(1);
      expectFull(trial.back(first, config), 'undecryptable');
      expect(secrets[0]?.every((byte) => byte === 0)).to.equal(true);
      expect(secrets.length).to.be.above(1);
      keys.close();
      for (const secret of secrets) expect(secret.every((byte) => byte === 0)).to.equal(true);
    });

    each('a server that never restarts changes its key all the same', STATELESS, (trial) => {
      const config = trial.host();
      const names = new Set<string>();
      for (let day = 0; day < 30; day++) {
        names.add(toHex(trial.offered(trial.visit(config)).subarray(0, NAME)));
        trial.bench.world.advance(86_400);
      }
      expect(names.size).to.equal(30);
    });
  });

  each(
    'a master secret that is wrapped again for ever (Go, s2n, BoringSSL): hourly, until the authentication is too old',
    MECHANISMS,
    (trial) => {
      const sessions = { timeout: 3_000_000, updateTime: true };
      const config = trial.serve({ sessions, tickets: { maxAuthAge: 86_400 } });
      const { world } = trial.bench;
      let last = trial.visit(config);
      for (let hour = 1; hour <= 24; hour++) {
        world.advance(3600);
        last = trial.back(last, config);
        expectResumed(last, trial.mechanism);
      }
      world.advance(1);
      // The last resumption gave out nothing any more in TLS 1.3, as nothing would have come of it.
      if (trial.version === 'TLSv1.3') expect(last.client.tickets).to.have.length(0);
      else expectFull(trial.back(last, config), 'auth-age');
    },
  );

  each('the same by default, after seven days', MECHANISMS, (trial) => {
    const config = trial.serve({ sessions: { timeout: 3_000_000, updateTime: true } });
    const { world } = trial.bench;
    const first = trial.visit(config);
    let last = first;
    for (let hour = 2; hour < 7 * 24; hour += 2) {
      world.advance(7200);
      last = trial.back(last, config);
      expect(last.connection.resumption.reason, `hour ${hour}`).to.equal(undefined);
    }
    world.advance(7201);
    expect(trial.back(last, config).connection.resumption.reason).to.equal('auth-age');
  });

  describe('OpenSSL CVE-2014-3567: bad tickets leave nothing behind', () => {
    const COUNT = many(10_000);

    it(`${COUNT} of them, opened`, function () {
      this.timeout(patience());
      const key = newKey(cbcTickets(16));
      const bad = sealed(key, random(200)); // authentic, and no session
      const worse = bad.map((byte, i) => (i === 40 ? byte ^ 1 : byte));
      const strange = bad.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
      const open = (count: number) => {
        for (let i = 0; i < count; i++) {
          openSession(i % 4 === 0 ? bad : i % 4 === 1 ? strange : worse, opening(key), 0);
        }
      };
      open(2000);
      const limit = 10 * COUNT + 2 ** 17; // of what a trial adds: little more than a pointer for each of them
      expect(growth(() => open(COUNT), limit)).to.be.below(limit);
    });

    each('hundreds of them, offered to a server', STATELESS, (trial) => {
      const config = trial.serve();
      const first = trial.visit(config);
      const ticket = trial.offered(first);
      const hellos = Array.from(ticket, (_, at) => {
        const bad = ticket.map((byte, n) => (n === at ? byte ^ 0xff : byte));
        return trial.bench.client(trial.showing(first, bad)).take();
      });
      let resumed = 0;
      const offer = (count: number) => {
        for (let i = 0; i < count; i++) {
          const connection = new ServerConnection(config);
          connection.receive(hellos[i % hellos.length] as Uint8Array);
          if (connection.resumption.resumed) resumed++;
          connection.dispose();
        }
      };
      offer(hellos.length);
      const count = many(700);
      const limit = 300 * count; // a session or a connection that stayed behind is above a kilobyte
      expect(growth(() => offer(count), limit)).to.be.below(limit);
      expect(resumed).to.equal(0);
      expect(trial.bench.cache.size).to.equal(0);
    });
  });
});

function ticketsOf({ client }: Exchange): readonly Uint8Array[] {
  if (client.version === 'TLSv1.3') return client.tickets.map(({ identity }) => identity);
  const { ticket } = client.session;
  return ticket === undefined ? [] : [ticket];
}

/** Bytes behind the nonce, of 40 that are sealed. */
function paddedLength(format: TicketFormat): number {
  if (format === aeadTickets) return 40 + 16;
  return 48 + (format.name.endsWith('sha384') ? 48 : 32);
}

/** All that a client sees of what became of its ticket. */
function reactionTo({ client, connection }: Exchange): string {
  return JSON.stringify([
    client.heard,
    client.alerts,
    connection.resumption.reason,
    connection.verdicts[0]?.ticket?.failure,
  ]);
}
