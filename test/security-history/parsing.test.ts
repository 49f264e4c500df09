/**
 * The history of session resumption, 2: parsing and memory.
 *
 *     GnuTLS CVE-2026-1584, GnuTLS CVE-2025-6395, GnuTLS CVE-2021-20231, wolfSSL CVE-2022-39173, wolfSSL CVE-2019-11873 and
 *     CVE-2022-38153, Mbed TLS CVE-2024-30166, Mbed TLS CVE-2015-5291, OpenSSL CVE-2016-6302, F5 CVE-2016-9244, NSS CVE-2016-9574,
 *     OpenSSL CVE-2010-3864, CVE-2014-3509 and CVE-2015-1791, wolfSSL CVE-2026-5507, Go 79853
 *
 * Node CVE-2026-21637, callbacks that fail, is in callbacks.test.ts.
 */

import { expect } from 'chai';
import { SUITES } from '../../src/crypto/suites.ts';
import type { Session } from '../../src/sessions/session.ts';
import { TicketKey } from '../../src/tickets/key.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { openTicket } from '../../src/tickets/ticket.ts';
import { concat, EMPTY } from '../../src/wire/bytes.ts';
import { ExtensionType } from '../../src/wire/registry.ts';
import {
  expectFull,
  expectResumed,
  firstOffer,
  firstTicket,
  MECHANISMS,
  returning,
  versionOf,
} from '../support/mechanisms.ts';
import type { ClientOptions } from '../support/scripted-client.ts';
import { type RawExtension, withExtension } from '../support/scripted-hello.ts';
import { quickCredential, quickRsaCredential } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { FORMATS, newKey } from '../tickets/support.ts';
import {
  each,
  expectAlert,
  failedCallbacks,
  type Probed,
  STATEFUL,
  STATELESS,
  TLS12,
  TLS13,
  type Trial,
} from './support.ts';

/** What a server may say of a hello that is none. */
const COMPLAINTS = [
  'decode_error',
  'illegal_parameter',
  'handshake_failure',
  'missing_extension',
  'protocol_version',
  'unexpected_message',
  'unsupported_extension',
  'no_application_protocol',
  'decrypt_error',
] as const;

/** Neither resumed nor a bug: a full handshake under way, or an alert that says what is wrong. */
function expectSound({ resumption, failed }: Probed, what: string): void {
  expect(resumption.resumed, what).to.equal(false);
  if (failed !== undefined) expect(failed, what).to.be.oneOf(COMPLAINTS);
}

const body = (raw: Uint8Array) => raw.subarray(4);
/** A handshake message with another body, and a header that is right for it. */
function reframed(raw: Uint8Array, content: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(raw[0] ?? 0, 0, content.length >> 8, content.length & 0xff), content);
}

describe('security history: parsing and memory', () => {
  each('GnuTLS CVE-2026-1584: a wrong binder of any length is an alert, and burns nothing', TLS13, (trial) => {
    const config = trial.serve();
    const first = trial.visit(config);
    for (let length = 0; length <= 255; length++) {
      const rewriteBinders = () => [new Uint8Array(length).fill(length)];
      const { failed } = trial.probe(config, returning(first, { rewriteBinders }));
      expect(failed, `${length} bytes`).to.equal(length < 32 ? 'decode_error' : 'decrypt_error');
    }
    expectResumed(trial.back(first, config), trial.mechanism);
  });

  each('GnuTLS CVE-2025-6395: the second ClientHello omits its PSK: a full handshake', TLS13, (trial) => {
    const config = trial.serve();
    const first = trial.visit(config);
    const rewriteHello: ClientOptions['rewriteHello'] = (hello, attempt) =>
      attempt === 1 ? hello : { ...hello, extensions: { ...hello.extensions, preSharedKey: undefined } };
    const second = trial.back(first, config, { keyShares: [], rewriteHello });
    expect(second.client.helloRetryRequest).not.to.equal(undefined);
    expectFull(second, 'not-offered');
    expectResumed(trial.back(first, config, { keyShares: [] }), trial.mechanism);
  });

  each('GnuTLS CVE-2021-20231: a ClientHello of 60 KB, with a HelloRetryRequest and a PSK', TLS13, (trial) => {
    const config = trial.serve();
    const first = trial.visit(config);
    const padding: RawExtension = { type: ExtensionType.padding, data: new Uint8Array(60_000) };
    const rewriteExtensions: ClientOptions['rewriteExtensions'] = (list) => [padding, ...list];
    const second = trial.back(first, config, { keyShares: [], rewriteExtensions });
    expect(second.input.reduce((sum, { length }) => sum + length, 0)).to.be.above(120_000);
    expectResumed(second, trial.mechanism);
  });

  describe('wolfSSL CVE-2022-39173: a second ClientHello that was tampered with resumes nothing', () => {
    const changes: Record<string, (list: readonly RawExtension[], dice: TestWorld) => readonly RawExtension[]> = {
      'an extension less': (list, dice) => {
        const left = pick(dice, list.length - 1);
        return list.filter((_, i) => i !== left);
      },
      'an extension twice': (list) => [...list.slice(0, 1), ...list],
      'another order': (list) => [...list].reverse(),
      'more groups': (list) => withExtension(list, ExtensionType.supported_groups, 0, 4, 0, 29, 0, 29),
      'a ticket of TLS 1.2': (list) => withExtension(list, ExtensionType.session_ticket, ...new Uint8Array(300)),
    };
    for (const [what, change] of Object.entries(changes)) {
      each(what, TLS13, (trial) => {
        const config = trial.serve();
        for (let i = 0; i < 12; i++) {
          const first = trial.visit(config);
          const dice = new TestWorld(i);
          const rewriteExtensions: ClientOptions['rewriteExtensions'] = (list, attempt) =>
            attempt === 1 ? list : change(list, dice);
          const second = trial.back(first, config, { keyShares: [], rewriteExtensions });
          expect(second.client.helloRetryRequest).not.to.equal(undefined);
          expect(second.connection.resumption.resumed).to.equal(false);
          expect(second.failure?.alert).to.be.oneOf(COMPLAINTS);
        }
      });
    }

    each('many suites, each of them many times', TLS13, (trial) => {
      const config = trial.serve();
      const first = trial.visit(config);
      const rewriteHello: ClientOptions['rewriteHello'] = (hello, attempt) =>
        attempt === 1 ? hello : { ...hello, cipherSuites: new Array(30_000).fill(0x1301) };
      expectAlert(trial.back(first, config, { keyShares: [], rewriteHello }), 'illegal_parameter');
    });

    each('every other byte', TLS13, (trial) => {
      const config = trial.serve();
      const first = trial.visit(config);
      let hellos = 0;
      const length = sizeOfSecondHello(trial, config);
      for (let at = 4; at < length; at += 2) {
        const rewriteWire: ClientOptions['rewriteWire'] = (name, raw) =>
          name === 'client_hello' && ++hellos % 2 === 0
            ? raw.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte))
            : raw;
        const link = trial.bench.link(config, returning(first, { keyShares: [], rewriteWire }));
        link.step(link.connection.receive(link.client.take()));
        const { events } = link.connection.receive(link.client.take());
        const failed = events.flatMap((event) => (event.type === 'failed' ? [event.error.alert] : []))[0];
        expect(link.connection.resumption.resumed, `byte ${at}`).to.equal(false);
        expect(failed, `byte ${at}`).to.be.oneOf([...COMPLAINTS, undefined]);
        link.connection.dispose();
      }
      expectResumed(trial.back(first, config), trial.mechanism);
    });
  });

  describe('wolfSSL CVE-2019-11873: identities and tickets as long as they can be', () => {
    each('and longer', MECHANISMS, (trial) => {
      if (trial.mechanism === 'session-id') return expectLongIdRefused(trial);
      const config = trial.serve();
      const first = trial.visit(config);
      for (const length of [65_000, 60_000, 16_384, 256]) {
        const identity = concat(trial.offered(first), new Uint8Array(length)).subarray(0, length);
        const second = trial.bench.connect(config, trial.showing(first, identity));
        expectFull(second, 'undecryptable');
      }
      expectResumed(trial.back(first, config), trial.mechanism);
    });

    each('or said to be 65535 bytes, and are not there', TLS13, (trial) => {
      const config = trial.serve();
      const first = trial.visit(config);
      const rewriteExtensions: ClientOptions['rewriteExtensions'] = (list) => {
        const psk = list.at(-1)?.data ?? EMPTY;
        const data = psk.map((byte, i) => (i === 2 || i === 3 ? 0xff : byte));
        return [...list.slice(0, -1), { type: ExtensionType.pre_shared_key, data }];
      };
      expect(trial.probe(config, returning(first, { rewriteExtensions })).failed).to.equal('decode_error');
    });
  });

  each('wolfSSL CVE-2022-38153: a connection that is over is not used again', MECHANISMS, (trial) => {
    const config = trial.serve();
    const first = trial.visit(config);
    const second = trial.back(first, config);
    const { connection } = second;
    const session = connection.session as Session;
    connection.end();
    connection.dispose(true);
    for (const use of [
      () => connection.write(Uint8Array.of(1)),
      () => connection.updateKeys(),
      () => connection.exportKeyingMaterial(32, 'EXPERIMENTAL'),
    ]) {
      expect(use).to.throw(Error, /end|TLS 1\.3/);
    }
    const again = connection.receive(trial.bench.client(returning(first)).take());
    expect(again).to.deep.equal({ output: EMPTY, events: [], question: undefined });
    while (session.holds > 0) session.free();
    for (const use of [() => session.secret, () => session.upRef(), () => session.free(), () => session.dup()]) {
      expect(use).to.throw(Error, /after its last free/);
    }
  });

  each('Mbed TLS CVE-2024-30166: a ClientHello that is cut off at any byte', MECHANISMS, (trial) => {
    const config = trial.serve();
    const first = trial.visit(config);
    const whole = body(trial.bench.client(returning(first)).take().subarray(5));
    for (let length = 0; length < whole.length; length++) {
      const rewriteMessage = (_: string, raw: Uint8Array) => reframed(raw, body(raw).subarray(0, length));
      const probed = trial.probe(config, returning(first, { rewriteMessage }));
      expect(probed.failed, `${length} bytes`).to.be.oneOf(COMPLAINTS);
      expectSound(probed, `${length} bytes`);
    }
  });

  describe('Mbed TLS CVE-2015-5291: the boundaries of each length', () => {
    /** What a length field may be made to say. */
    const boundaries = (right: number) =>
      [0, 1, right - 1, right + 1, 0x7fff, 0x8000, 0xffff].filter((value) => value !== right && value >= 0);
    const written = (data: Uint8Array, at: number, value: number) =>
      data.map((byte, i) => (i === at ? value >> 8 : i === at + 1 ? value & 0xff : byte));
    const changing =
      (type: number, at: number, value: number): ClientOptions['rewriteExtensions'] =>
      (list) =>
        list.map((extension) =>
          extension.type === type ? { type, data: written(extension.data, at, value) } : extension,
        );

    each('of a host name', MECHANISMS, (trial) => {
      const config = trial.serve();
      const first = trial.visit(config, { sni: 'a.example' });
      for (const [at, right] of [
        [0, 12],
        [3, 9],
      ] as const) {
        for (const value of boundaries(right)) {
          const rewriteExtensions = changing(ExtensionType.server_name, at, value);
          const probed = trial.probe(config, returning(first, { sni: 'a.example', rewriteExtensions }));
          expect(probed.failed, `${value} at ${at}`).to.be.oneOf(['decode_error', 'illegal_parameter']);
        }
      }
    });

    each('of the identities', TLS13, (trial) => {
      const config = trial.serve();
      const first = trial.visit(config);
      const { length } = firstTicket(first).identity;
      for (const [at, right] of [
        [0, length + 6],
        [2, length],
        [length + 8, 33],
      ] as const) {
        for (const value of boundaries(right)) {
          const rewriteExtensions = changing(ExtensionType.pre_shared_key, at, value);
          const probed = trial.probe(config, returning(first, { rewriteExtensions }));
          expect(probed.failed, `${value} at ${at}`).to.be.oneOf(['decode_error', 'illegal_parameter']);
        }
      }
    });

    each('of a session id and of a ticket', TLS12, (trial) => {
      const config = trial.serve();
      const first = trial.visit(config);
      const { length: ticketLength } = first.client.session.ticket ?? EMPTY;
      const type = ExtensionType.session_ticket;
      for (const value of boundaries(ticketLength)) {
        const rewriteMessage = (_: string, raw: Uint8Array) => {
          if (trial.mechanism === 'session-id') return raw.map((byte, i) => (i === 38 ? value & 0xff : byte));
          const at = raw.findIndex(
            (_, i) =>
              raw[i] === 0 &&
              raw[i + 1] === type &&
              raw[i + 2] === ticketLength >> 8 &&
              raw[i + 3] === (ticketLength & 0xff),
          );
          return written(raw, at + 2, value);
        };
        const probed = trial.probe(config, returning(first, { rewriteMessage }));
        expectSound(probed, `${value}`);
        expect(probed.failed, `${value}`).to.be.oneOf([...COMPLAINTS, undefined]);
      }
    });
  });

  for (const { format, overhead } of FORMATS) {
    each(`OpenSSL CVE-2016-6302: short tickets, ${format.name}`, STATELESS, (trial) => {
      const key = newKey(format);
      const keys = TicketKeyRing.of([key], trial.bench.world);
      const config = trial.serve({ tickets: { keys } });
      const first = trial.visit(config);
      const ticket = trial.offered(first);
      expectResumed(trial.back(first, config), trial.mechanism);
      for (let length = 0; length <= overhead + 1; length++) {
        const cut = ticket.subarray(0, length);
        expect(openTicket(cut, [{ key, renewal: 'as-usual' }]).status).not.to.equal('opened');
        const second = trial.bench.connect(config, trial.showing(first, cut, { sessionId: new Uint8Array(32) }));
        if (length > 0) expect(second.connection.resumption.reason).to.be.oneOf(['malformed', 'undecryptable']);
        else if (trial.mechanism === 'ticket') expect(second.connection.resumption.reason).to.equal('unknown');
        else expectAlert(second, 'decode_error');
        expect(second.connection.resumption.resumed).to.equal(false);
      }
    });
  }

  each('OpenSSL CVE-2016-6302: identities of every length, none of which is an id', ['psk-stateful'], (trial) => {
    const config = trial.serve();
    const first = trial.visit(config);
    for (let length = 1; length <= 66; length++) {
      if (length === 32) continue;
      const identity = concat(trial.offered(first), new Uint8Array(34)).subarray(0, length);
      const second = trial.bench.connect(config, trial.showing(first, identity));
      expectFull(second, length > 32 ? 'undecryptable' : 'unknown');
    }
  });

  each('F5 Ticketbleed, CVE-2016-9244: a session id is echoed as it came, whatever its length', MECHANISMS, (trial) => {
    for (let length = 1; length <= 32; length++) {
      const id = new Uint8Array(length).fill(0xa0 + length);
      const generateId = () => id;
      const config = trial.serve(trial.mechanism === 'session-id' ? { sessions: { generateId } } : {});
      const first = trial.visit(config);
      const second = trial.back(first, config, { sessionId: id });
      expectResumed(second, trial.mechanism);
      expect(second.client.serverHello?.legacySessionIdEcho).to.deep.equal(id);
      trial.bench.cache.flush();
    }
  });

  for (const { name, version } of SUITES) {
    const mechanisms = MECHANISMS.filter((mechanism) => versionOf(mechanism) === version);
    each(`NSS CVE-2016-9574: ${name}`, mechanisms, (trial) => {
      const config = trial.serve({ credentials: [quickCredential, quickRsaCredential] });
      const first = trial.visit(config, { ciphers: [name] });
      const second = trial.back(first, config, { ciphers: [name] });
      expectResumed(second, trial.mechanism);
      expect(second.connection.cipherSuite).to.equal(name);
    });
  }

  describe('OpenSSL CVE-2010-3864, CVE-2014-3509, CVE-2015-1791: what was negotiated does not change', () => {
    each('while a hundred handshakes resume one session', MECHANISMS, async (trial) => {
      const gates: (() => void)[] = [];
      const later = <T>(value: T) => new Promise<T>((resolve) => gates.push(() => resolve(value)));
      const first = trial.visit(trial.serve());
      const session = (first.connection.session as Session).upRef();
      const kept = [...trial.bench.cache].find(({ id }) => id.join() === trial.offered(first).join()) ?? session;
      const before = snapshot(kept);
      const { keys } = trial.bench;
      const config = trial.isStateless
        ? trial.serve({
            tickets: {
              keys: { sealingKey: () => keys.sealingKey(), openingKeys: (name) => later(keys.openingKeys(name)) },
            },
          })
        : trial.serve({ sessions: { internalLookup: false, onGet: () => later(kept) } });
      const links = Array.from({ length: 100 }, () => trial.bench.connectAsync(config, returning(first)));
      expect(gates).to.have.length(100);
      for (const open of shuffled(gates)) open();
      for (const link of await Promise.all(links)) {
        expectResumed(link, trial.mechanism);
        link.connection.end();
        link.connection.dispose();
      }
      expect(snapshot(kept)).to.deep.equal(before);
      expect(kept.secret.some((byte) => byte !== 0)).to.equal(true);
      session.free();
    });

    each('by whoever has the session', MECHANISMS, (trial) => {
      const { session } = trial.visit(trial.serve()).connection;
      if (session === undefined) throw new Error('no session');
      expect(Object.isFrozen(session.scope)).to.equal(true);
      expect(Object.isFrozen(session.foreign)).to.equal(true);
      const before = snapshot(session);
      session.id.fill(0);
      session.idContext.fill(0);
      session.applicationData.fill(0);
      expect(() => Object.assign(session.scope as object, { serverName: 'x' })).to.throw(TypeError);
      for (const name of ['id', 'idContext', 'secret'] as const) {
        expect(() => Object.assign(session, { [name]: EMPTY })).to.throw(TypeError);
      }
      expect(snapshot(session)).to.deep.equal(before);
    });
  });

  each('wolfSSL CVE-2026-5507: a record of a poisoned store, any byte of it', STATEFUL, (trial) => {
    const first = trial.visit(trial.serve());
    const id = trial.offered(first);
    const session = [...trial.bench.cache].find((candidate) => candidate.id.join() === id.join()) as Session;
    const record = session.toDer();
    let poisoned = record;
    const config = trial.serve({ sessions: { cache: false, onGet: () => poisoned, onNew: () => {} } });
    const answers = new Set<unknown>();
    for (let at = 0; at < record.length; at++) {
      for (const flip of [1 << (at % 8), 0xff]) {
        poisoned = record.map((byte, i) => (i === at ? byte ^ flip : byte));
        const { resumption, failed } = trial.probe(config, returning(first));
        expect(failed, `byte ${at}`).to.be.oneOf([undefined, 'decrypt_error', 'handshake_failure']);
        answers.add(resumption.reason);
      }
    }
    expect([...answers]).to.include.members(['malformed', 'wrong-id', 'scope', 'cipher-suite']);
    for (let length = 0; length < record.length; length += 3) {
      poisoned = record.subarray(0, length);
      expect(trial.probe(config, returning(first)).resumption.reason).to.equal('malformed');
    }
    poisoned = record;
    expectResumed(trial.back(first, config), trial.mechanism);
  });

  each('wolfSSL CVE-2026-5507: a ticket that was tampered with, any byte of it', STATELESS, (trial) => {
    const config = trial.serve();
    const first = trial.visit(config);
    const ticket = trial.offered(first);
    for (let at = 0; at < ticket.length; at++) {
      const tampered = ticket.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte));
      const probed = trial.probe(config, trial.showing(first, tampered));
      expect(probed.resumption.reason, `byte ${at}`).to.be.oneOf(['undecryptable', 'malformed']);
      expectSound(probed, `byte ${at}`);
    }
  });

  describe('Go 79853: dice that give fewer bytes than they are asked for', () => {
    each('end the handshake, loudly, before anything was made of them', MECHANISMS, (trial) => {
      const config = trial.serve();
      const { world } = trial.bench;
      const link = trial.bench.link(config, firstOffer(trial.mechanism));
      const whole = world.randomBytes;
      world.randomBytes = () => whole.call(world, 1);
      const isThrown = throwsShort(() => link.run());
      world.randomBytes = whole;
      expect(isThrown || failedCallbacks(link).includes('agree')).to.equal(true);
      expect(link.connection.isEstablished).to.equal(false);
      expect(trial.bench.cache.size).to.equal(0);
      expect(link.has('new-session')).to.equal(false);
    });

    each('make neither id nor ticket nor ticket_age_add', MECHANISMS, (trial) => {
      const config = trial.serve();
      const { world } = trial.bench;
      const whole = world.randomBytes;
      trial.bench.link(config, firstOffer(trial.mechanism)).run(); // the cache draws its seed with the first session
      const link = trial.bench.link(config, { ...firstOffer(trial.mechanism), stopBefore: 'finished' }).run();
      const lengths: number[] = [];
      world.randomBytes = (length) => {
        lengths.push(length);
        return whole.call(world, Math.min(1, length));
      };
      link.client.proceed();
      const isThrown = throwsShort(() => link.run());
      // In TLS 1.2 the id is drawn before; and a ticket that cannot be sealed fails nobody.
      expect(isThrown).to.equal(trial.version === 'TLSv1.3');
      if (trial.mechanism === 'ticket') expect(failedCallbacks(link)).to.deep.equal(['sealingKey']);
      expect(lengths.length > 0).to.equal(trial.mechanism !== 'session-id');
      world.randomBytes = whole;
      expect(link.client.tickets).to.have.length(0);
      expect(link.client.ticketTls12?.ticket ?? EMPTY).to.have.length(0);
    });

    it('and no ticket key', () => {
      for (const { format } of FORMATS) {
        expect(() => TicketKey.generate(format, () => Uint8Array.of(7))).to.throw(RangeError, 'returned 1 bytes');
        const key = newKey(format);
        expect(() => key.seal(new Uint8Array(9), () => Uint8Array.of(7))).to.throw(RangeError, 'returned 1 bytes');
      }
    });
  });
});

/** Whether it has thrown for want of random bytes. */
function throwsShort(action: () => void): boolean {
  try {
    action();
    return false;
  } catch (error) {
    expect(error).to.be.instanceOf(RangeError).with.property('message').that.contains('returned 1 bytes');
    return true;
  }
}

/** RFC 5246 §7.4.1.2: `opaque SessionID<0..32>`. */
function expectLongIdRefused(trial: Trial): void {
  const config = trial.serve();
  const first = trial.visit(config);
  const rewriteMessage = (_: string, raw: Uint8Array) => {
    const longer = concat(raw.subarray(4, 38), Uint8Array.of(255), new Uint8Array(255), raw.subarray(39 + 32));
    return reframed(raw, longer);
  };
  expect(trial.probe(config, returning(first, { rewriteMessage })).failed).to.equal('decode_error');
}

function sizeOfSecondHello(trial: Trial, config: ReturnType<Trial['serve']>): number {
  const { client } = trial.back(trial.visit(config), config, { keyShares: [] });
  return client.sent.filter(({ name }) => name === 'client_hello').at(-1)?.raw.length ?? 0;
}

/** All of a session that handshakes go by. */
function snapshot(session: Session): unknown {
  const { secret, ...rest } = session.parameters();
  return structuredClone({ ...rest, secret: [...secret] });
}

/** A whole number below `limit`. */
function pick(dice: TestWorld, limit: number): number {
  return (dice.randomBytes(1)[0] ?? 0) % limit;
}

/** In another order, always the same. */
function shuffled<T>(list: readonly T[]): T[] {
  return list.map((_, i) => list[(i * 37 + 11) % list.length] as T);
}
