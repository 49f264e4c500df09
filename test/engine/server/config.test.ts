import { expect } from 'chai';
import { SessionCache } from '../../../src/cache/session-cache.ts';
import { webCryptoCredential } from '../../../src/crypto/credentials/web-crypto-credential.ts';
import { defaultProvider } from '../../../src/crypto/providers/default.ts';
import { webCrypto } from '../../../src/crypto/providers/web-crypto.ts';
import { SUITES } from '../../../src/crypto/suites.ts';
import { defineServer } from '../../../src/engine/server/define-server.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { recordHellos } from '../../../src/engine/server/record-hellos.ts';
import { sessionOf } from '../../../src/engine/server/warmup.ts';
import { systemWorld } from '../../../src/world.ts';
import { certificates } from '../../fixtures.ts';
import { quickCredential } from '../../support/servers.ts';

const { ecdsaP256, ecdsaP384, rsa2048 } = certificates;
const credentials = [quickCredential];

/** defineServer() with whatever a user may write in JavaScript. */
function define(options: Record<string, unknown>) {
  return defineServer({ credentials, ...options } as ServerOptions);
}

const nothing = () => undefined;
const clientAuth = { mode: 'require', verifyClient: () => true };

/** Objects that a configuration only refers to: the user's own, and constants of the library. */
const REFERRED_TO = [/credentials\.\d+$/, /\.(crypto|world|clientCertificates|sealing)$/, /\.(suites|protocols)\.\d+$/];

/** Walks the plain objects and arrays that a configuration consists of. */
function survey(config: object): { readonly places: string[]; readonly unfrozen: string[] } {
  const places: string[] = [];
  const unfrozen: string[] = [];
  const visit = (value: unknown, place: string): void => {
    if (typeof value !== 'object' || value === null || REFERRED_TO.some((pattern) => pattern.test(place))) return;
    places.push(place);
    const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
    if (isPlain && !Object.isFrozen(value)) unfrozen.push(place);
    for (const [key, part] of Object.entries(value)) visit(part, `${place}.${key}`);
  };
  visit(config, 'config');
  return { places, unfrozen };
}

describe('defineServer()', () => {
  it('fills in the defaults', () => {
    const config = define({});
    expect(config).to.include({
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      requireExtendedMasterSecret: false,
      maxIdentities: 5,
      lookupTimeoutMs: 1000,
      hasOwnStore: false,
      crypto: defaultProvider,
      world: systemWorld,
      onServerName: undefined,
      keylog: undefined,
      clientAuth: undefined,
    });
    expect(config.sessionTimeout()).to.equal(7200);
    expect(config.suites).to.deep.equal(SUITES);
    expect(config.groups).to.deep.equal(['x25519', 'secp256r1', 'secp384r1']);
    expect(config.pskModes).to.deep.equal(['psk_dhe_ke']);
    expect(config.alpn).to.deep.equal([]);
    expect(config.idContext).to.have.length(0);
    expect(config.scope).to.deep.equal({ label: '', shareAcross: undefined, bindLocalAddress: false, bindAlpn: false });
    expect(config.tickets).to.deep.equal({
      mode: 'stateful',
      timing: 'after-finished',
      maxRequested: 10,
      initial: 2,
      afterResumption: 1,
      singleUse: false,
      maxAuthAge: 604800,
    });
    expect(config.limits).to.deep.equal({ recordsPerKey: Number.MAX_SAFE_INTEGER, skippedEarlyData: 18432 });
    expect(config.store.cache).to.include({ maxEntries: 20480, maxBytes: 80 * 2 ** 20 });
  });

  it('takes what it is given', () => {
    const config = define({
      minVersion: 'TLSv1.3',
      ciphers: ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
      groups: ['secp384r1', 'x25519'],
      alpn: ['h2', 'http/1.1'],
      pskModes: ['psk_ke', 'psk_dhe_ke'],
      requireExtendedMasterSecret: true,
      sessions: { timeout: 60, maxEntries: 0, idContext: Uint8Array.of(1), lookupTimeoutMs: 0, maxIdentities: 1 },
      tickets: { mode: 'off', initial: 0, afterResumption: 255, timing: 'after-finished', maxAuthAge: 1 },
      scope: { label: 'a', shareAcross: 'b' },
      limits: { recordsPerKey: 4, skippedEarlyData: 0 },
    });
    expect(config.suites.map(({ name }) => name)).to.deep.equal([
      'TLS_CHACHA20_POLY1305_SHA256',
      'TLS_AES_128_GCM_SHA256', // the suite of TLS 1.2 is out of the question
    ]);
    expect(config.groups).to.deep.equal(['secp384r1', 'x25519']);
    expect(config.alpn).to.deep.equal(['h2', 'http/1.1']);
    expect(config.pskModes).to.deep.equal(['psk_ke', 'psk_dhe_ke']);
    expect(config.tickets).to.deep.equal({
      mode: 'off',
      timing: 'after-finished',
      maxRequested: 10,
      initial: 0,
      afterResumption: 255,
      singleUse: false,
      maxAuthAge: 1,
    });
    expect(config.limits).to.deep.equal({ recordsPerKey: 4, skippedEarlyData: 0 });
    expect(define({ alpn: [] }).alpn).to.deep.equal([]);
    expect(config.scope).to.deep.equal({ label: 'a', shareAcross: 'b', bindLocalAddress: false, bindAlpn: false });
    expect(config).to.include({ maxIdentities: 1, lookupTimeoutMs: 0 });
    expect(config.sessionTimeout()).to.equal(60);
    expect(config.store.cache?.maxEntries).to.equal(0);
  });

  it('reads an option that is undefined as one that is not there', () => {
    const names = 'minVersion maxVersion ciphers groups alpn onServerName sessions tickets pskModes scope';
    const more = 'requireExtendedMasterSecret crypto world limits keylog';
    const config = define(Object.fromEntries(`${names} ${more}`.split(' ').map((name) => [name, undefined])));
    expect(config.groups).to.deep.equal(define({}).groups);
    const undefinedSessions = { cache: undefined, onNew: undefined, onGet: undefined, timeout: undefined };
    expect(define({ sessions: undefinedSessions }).sessionTimeout()).to.equal(7200);
    expect(define({ sessions: undefinedSessions }).hasOwnStore).to.equal(false);
  });

  it('returns a frozen configuration that later changes to the options do not reach', () => {
    const options = {
      alpn: ['h2'],
      groups: ['x25519'],
      tickets: { initial: 1 },
      sessions: { idContext: Uint8Array.of(1) },
    };
    const config = define(options);
    options.alpn.push('http/1.1');
    options.groups.pop();
    options.tickets.initial = 9;
    options.sessions.idContext.fill(9);
    expect(config.alpn).to.deep.equal(['h2']);
    expect(config.groups).to.deep.equal(['x25519']);
    expect(config.tickets.initial).to.equal(1);
    expect(config.idContext).to.deep.equal(Uint8Array.of(1));
    expect(config).to.be.frozen;
  });

  it('freezes every object and list that it has made', () => {
    const config = define({
      alpn: ['h2'],
      clientAuth: { ...clientAuth, authorities: [ecdsaP256.cert] },
      sessions: { onNew: nothing, generateId: nothing },
      tickets: { mode: 'stateless', onGenerate: nothing, onDecrypt: nothing },
    });
    const { places, unfrozen } = survey(config);
    expect(unfrozen).to.deep.equal([]);
    expect(places).to.include.members(['config.store.policy.removeUnclean', 'config.ticketPolicy.callbacks']);
  });

  describe('refuses an unknown option and names it', () => {
    for (const [options, name] of [
      [{ cipher: [] }, 'cipher'],
      [{ cert: '', key: '' }, 'cert'],
      [{ sessions: { ttl: 1 } }, 'sessions.ttl'],
      [{ sessions: { onDelete: nothing } }, 'sessions.onDelete'],
      [{ tickets: { count: 1 } }, 'tickets.count'],
      [{ clientAuth: { ...clientAuth, ca: '' } }, 'clientAuth.ca'],
      [{ scope: { name: '' } }, 'scope.name'],
      [{ limits: { records: 1 } }, 'limits.records'],
      [{ credentials: [{ ...ecdsaP256, passphrase: '' }] }, 'credentials[0].passphrase'],
    ] as const) {
      it(name, () => {
        expect(() => define(options)).to.throw(TypeError, `unknown option ${name}; there are `);
      });
    }
  });

  describe('refuses what is of the wrong kind and names it', () => {
    for (const [options, message] of [
      [{ credentials: undefined }, /^credentials: give at least one/],
      [{ credentials: [] }, /^credentials: give at least one/],
      [{ credentials: ecdsaP256 }, /^credentials: give at least one/],
      [{ credentials: [null] }, /^credentials\[0\]: an object is wanted/],
      [{ credentials: ['PEM'] }, /^credentials\[0\]: an object is wanted/],
      [{ credentials: [webCryptoCredential(ecdsaP256)] }, /^credentials\[0\]: await the promise/],
      [{ credentials: [{ sign: nothing }] }, /^credentials\[0\]: certificateChain is missing/],
      [{ credentials: [{ cert: ecdsaP256.cert }] }, /^key: /],
      [{ credentials: [{ key: ecdsaP256.key }] }, /^cert: /],
      [{ minVersion: 'TLSv1.1' }, /^minVersion: "TLSv1.1" is not one of TLSv1.2, TLSv1.3/],
      [{ maxVersion: 1.3 }, /^maxVersion: 1.3 is not one of/],
      [{ ciphers: [] }, /^ciphers: an array with at least one/],
      [{ ciphers: 'TLS_AES_128_GCM_SHA256' }, /^ciphers: an array/],
      [{ ciphers: ['AES128-SHA'] }, /^ciphers: "AES128-SHA" is not one of TLS_AES_128_GCM_SHA256/],
      [{ ciphers: ['TLS_FALLBACK_SCSV'] }, /^ciphers: "TLS_FALLBACK_SCSV"/],
      [{ ciphers: [1] }, /^ciphers: 1 is not/],
      [{ groups: [] }, /^groups: an array/],
      [{ groups: ['x448'] }, /^groups: "x448" is not one of/],
      [{ groups: 'x25519' }, /^groups: an array/],
      [{ earlyData: true }, /^earlyData: an object/],
      [{ earlyData: { maxSize: 1 } }, /^earlyData.antiReplay is missing/],
      [{ earlyData: { maxSize: 1, antiReplay: recordHellos } }, /^earlyData.antiReplay: a strategy is wanted, not a f/],
      [{ earlyData: { maxSize: 1, antiReplay: {} } }, /^earlyData.antiReplay: admit is missing/],
      [{ earlyData: { maxSize: 1, antiReplay: { admit: true } } }, /^earlyData.antiReplay.admit: a function/],
      [{ earlyData: { antiReplay: { admit: nothing } } }, /^earlyData.maxSize is missing/],
      [{ pskModes: [] }, /^pskModes: an array/],
      [{ pskModes: ['psk'] }, /^pskModes: "psk" is not one of psk_ke, psk_dhe_ke/],
      [{ alpn: 'h2' }, /^alpn: an array/],
      [{ alpn: [''] }, /^alpn: "" is no protocol name/],
      [{ alpn: ['x'.repeat(256)] }, /^alpn: "x+" is no protocol name/],
      [{ alpn: ['\u{1f512}'] }, /^alpn: .* is no protocol name/],
      [{ alpn: [2] }, /^alpn: 2 is no protocol name/],
      [{ requireExtendedMasterSecret: 1 }, /^requireExtendedMasterSecret: true or false/],
      [{ onServerName: {} }, /^onServerName: a function/],
      [{ keylog: 'file' }, /^keylog: a function/],
      [{ crypto: 'node' }, /^crypto: an object is wanted, the provider and not its name/],
      [{ crypto: 5 }, /^crypto: an object/],
      [{ crypto: { hashes: {} } }, /^crypto: aeads is missing; spread a whole provider/],
      [
        { crypto: { ...defaultProvider, hashes: { sha256: defaultProvider.hashes.sha256 } } },
        /^crypto.hashes: sha384 is missing/,
      ],
      [{ crypto: { ...defaultProvider, aeads: {} } }, /^crypto.aeads: aes-128-gcm is missing/],
      [{ crypto: { ...defaultProvider, groups: webCrypto.supportedGroups() } }, /^crypto.groups: await the promise/],
      [{ crypto: { ...defaultProvider, signer: {} } }, /^crypto.signer: a function/],
      [{ crypto: { ...defaultProvider, verifier: true } }, /^crypto.verifier: a function/],
      [{ world: {} }, /^world: now is missing/],
      [{ world: { now: Date.now } }, /^world: randomBytes is missing/],
      [{ sessions: true }, /^sessions: an object/],
      [{ sessions: [] }, /^sessions: an object/],
      [{ sessions: { cache: true } }, /^sessions.cache: a SessionCache, or false/],
      [{ sessions: { cache: new Map() } }, /^sessions.cache: a SessionCache, or false/],
      [{ sessions: { idContext: 'app' } }, /^sessions.idContext: a Uint8Array/],
      [{ sessions: { timeout: '60' } }, /^sessions.timeout: a number/],
      [{ sessions: { maxEntries: '60' } }, /^sessions.maxEntries: a number/],
      [{ sessions: { maxIdentities: '5' } }, /^sessions.maxIdentities: a number/],
      [{ sessions: { lookupTimeoutMs: true } }, /^sessions.lookupTimeoutMs: a number/],
      [{ sessions: { internalLookup: 0 } }, /^sessions.internalLookup: true or false/],
      [{ sessions: { internalStore: 'no' } }, /^sessions.internalStore: true or false/],
      [{ sessions: { autoClear: 1 } }, /^sessions.autoClear: true or false/],
      [{ sessions: { updateTime: 1 } }, /^sessions.updateTime: true or false/],
      [{ sessions: { onNew: true } }, /^sessions.onNew: a function/],
      [{ sessions: { onGet: {} } }, /^sessions.onGet: a function/],
      [{ sessions: { onTake: 1 } }, /^sessions.onTake: a function/],
      [{ sessions: { onRemove: 'x' } }, /^sessions.onRemove: a function/],
      [{ sessions: { generateId: Uint8Array.of(1) } }, /^sessions.generateId: a function/],
      [{ tickets: 2 }, /^tickets: an object/],
      [{ tickets: { mode: 'on' } }, /^tickets.mode: "on" is not one of/],
      [{ tickets: { timing: 'later' } }, /^tickets.timing: "later" is not one of/],
      [{ tickets: { initial: '2' } }, /^tickets.initial: a number/],
      [{ tickets: { afterResumption: '1' } }, /^tickets.afterResumption: a number/],
      [{ tickets: { singleUse: 'yes' } }, /^tickets.singleUse: true or false/],
      [{ tickets: { maxAuthAge: '1' } }, /^tickets.maxAuthAge: a number/],
      [{ clientAuth: 'require' }, /^clientAuth: an object/],
      [{ clientAuth: { verifyClient: nothing } }, /^clientAuth.mode: undefined is not one of request, require/],
      [{ clientAuth: { ...clientAuth, mode: true } }, /^clientAuth.mode: true is not one of/],
      [{ clientAuth: { mode: 'require' } }, /^clientAuth.verifyClient is missing/],
      [{ clientAuth: { ...clientAuth, verifyClient: true } }, /^clientAuth.verifyClient: a function/],
      [
        { clientAuth: { ...clientAuth, authorities: { pem: ecdsaP256.cert } } },
        /^clientAuth.authorities: PEM is wanted/,
      ],
      [{ clientAuth: { ...clientAuth, authorities: [1] } }, /^clientAuth.authorities: PEM is wanted, .* not a number/],
      [{ clientAuth: { ...clientAuth, authorities: ['ca.pem'] } }, /^clientAuth.authorities: no -----BEGIN in it/],
      [{ clientAuth: { ...clientAuth, authorities: [rsa2048.key] } }, /^clientAuth.authorities: no CERTIFICATE in it/],
      [{ scope: 'a' }, /^scope: an object/],
      [{ scope: { label: 1 } }, /^scope.label: a string/],
      [{ scope: { shareAcross: true } }, /^scope.shareAcross: a string/],
      [{ limits: 5 }, /^limits: an object/],
      [{ limits: { recordsPerKey: '9' } }, /^limits.recordsPerKey: a number/],
      [{ recordSizeLimit: '100' }, /^recordSizeLimit: a number/],
      [{ onAlpn: 'h2' }, /^onAlpn: a function/],
    ] as readonly [Record<string, unknown>, RegExp][]) {
      it(`${message.source.slice(1)}`, () => {
        expect(() => define(options)).to.throw(TypeError, message);
      });
    }

    for (const options of [undefined, null, 'options', []]) {
      it(`${JSON.stringify(options)} for options`, () => {
        expect(() => defineServer(options as unknown as ServerOptions)).to.throw(TypeError, 'options: an object');
      });
    }
  });

  describe('refuses what is out of range and names it', () => {
    for (const [options, message] of [
      [{ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, /^minVersion TLSv1.3 is above maxVersion TLSv1.2/],
      [{ maxVersion: 'TLSv1.2', ciphers: ['TLS_AES_128_GCM_SHA256'] }, /^ciphers: none of them belongs to TLSv1.2/],
      [{ sessions: { idContext: new Uint8Array(33) } }, /^sessions.idContext has 33 bytes, 32 are possible/],
      [{ tickets: { maxRequested: 256 } }, /^tickets.maxRequested is 256/],
      [{ tickets: { afterResumption: 256 } }, /^tickets.afterResumption is 256/],
      [{ tickets: { maxAuthAge: 0 } }, /^tickets.maxAuthAge is 0/],
      [{ sessions: { timeout: 0 } }, /^sessions.timeout is 0/],
      [{ sessions: { timeout: Number.POSITIVE_INFINITY } }, /^sessions.timeout is Infinity/],
      [{ sessions: { maxEntries: -1 } }, /^sessions.maxEntries is -1/],
      [{ sessions: { maxBytes: -1 } }, /^sessions.maxBytes is -1/],
      [{ sessions: { maxBytes: 1.5 } }, /^sessions.maxBytes is 1.5/],
      [{ sessions: { maxEntries: 1.5 } }, /^sessions.maxEntries is 1.5/],
      [{ sessions: { maxIdentities: 0 } }, /^sessions.maxIdentities is 0/],
      [{ sessions: { lookupTimeoutMs: -1 } }, /^sessions.lookupTimeoutMs is -1/],
      [{ sessions: { lookupTimeoutMs: Number.NaN } }, /^sessions.lookupTimeoutMs is NaN/],
      [{ sessions: { lookupTimeoutMs: 2 ** 31 } }, /^sessions.lookupTimeoutMs is 2147483648/], // setTimeout would fire at once
      [{ tickets: { initial: -1 } }, /^tickets.initial is -1/],
      [{ tickets: { initial: 256 } }, /^tickets.initial is 256/],
      [{ tickets: { afterResumption: 0.5 } }, /^tickets.afterResumption is 0.5/],
      [{ tickets: { maxAuthAge: 604801 } }, /^tickets.maxAuthAge is 604801/],
      [
        { clientAuth: { ...clientAuth, authorities: new Array<string>(3000).fill(ecdsaP256.cert) } },
        /^clientAuth.authorities: 72000 bytes of names, more than 65280/,
      ],
      [{ limits: { recordsPerKey: 3 } }, /^limits.recordsPerKey is 3/],
      [{ recordSizeLimit: 0 }, /^recordSizeLimit is 0/],
      [{ recordSizeLimit: 63 }, /^recordSizeLimit is 63/],
      [{ recordSizeLimit: 16385 }, /^recordSizeLimit is 16385/],
      [{ limits: { skippedEarlyData: -1 } }, /^limits.skippedEarlyData is -1/],
    ] as readonly [Record<string, unknown>, RegExp][]) {
      it(`${message.source.slice(1)}`, () => {
        expect(() => define(options)).to.throw(RangeError, message);
      });
    }
  });

  describe('takes the first and the last value of a range', () => {
    for (const options of [
      { sessions: { idContext: new Uint8Array(32).fill(1) } },
      { sessions: { timeout: 1, maxEntries: 0, maxIdentities: 1, lookupTimeoutMs: 0 } },
      { sessions: { lookupTimeoutMs: 2 ** 31 - 1 } },
      { tickets: { initial: 0, afterResumption: 0, maxRequested: 0, maxAuthAge: 1 } },
      { tickets: { initial: 255, afterResumption: 255, maxRequested: 255, maxAuthAge: 604800 } },
      { limits: { recordsPerKey: 4, skippedEarlyData: 0 } },
    ]) {
      it(JSON.stringify(options), () => expect(() => define(options)).not.to.throw());
    }

    it('and copies a session id context of 32 bytes', () => {
      const idContext = Uint8Array.from({ length: 32 }, (_, i) => i);
      expect(define({ sessions: { idContext } }).idContext).to.deep.equal(idContext);
    });
  });

  it('has no internal cache to add a session to where there is none, and says so', () => {
    const config = define({ sessions: { cache: false } });
    expect(() => config.addSession(sessionOf('TLSv1.2'))).to.throw(
      Error,
      'there is no internal cache to add a session to',
    );
  });

  describe('refuses what does not go together', () => {
    it('a key that does not belong to its certificate', () => {
      const mixed = { cert: ecdsaP256.cert, key: ecdsaP384.key };
      expect(() => define({ credentials: [mixed] })).to.throw(TypeError, /^key: does not belong to the certificate/);
      expect(() => define({ credentials: [ecdsaP256, { cert: rsa2048.cert, key: ecdsaP256.key }] })).to.throw(
        TypeError,
        /^credentials\[1\].key: does not belong to the certificate/,
      );
      expect(() => define({ credentials: [{ cert: ecdsaP256.key, key: ecdsaP256.cert }] })).to.throw(
        TypeError,
        /^cert: no CERTIFICATE in it, only EC PRIVATE KEY; were cert and key interchanged/,
      );
    });

    it('ticket keys beside a mode that uses none', () => {
      for (const tickets of [{ keys: {} }, { mode: 'stateful', keys: {} }, { mode: 'off', keys: [] }]) {
        expect(() => define({ tickets })).to.throw(TypeError, /^tickets.keys: the mode '(stateful|off)' uses none/);
      }
    });

    it('single use with a get callback, without a take callback', () => {
      const tickets = { singleUse: true };
      expect(() => define({ tickets, sessions: { onGet: nothing } })).to.throw(TypeError, /^tickets.singleUse with/);
      expect(define({ tickets, sessions: { onGet: nothing, onTake: () => true } }).tickets.singleUse).to.equal(true);
      expect(define({ tickets }).tickets.singleUse).to.equal(true);
    });

    it('groups that the crypto provider lacks', () => {
      const { secp256r1 } = defaultProvider.groups;
      const crypto = { ...defaultProvider, groups: { secp256r1 } };
      expect(() => define({ crypto, groups: ['secp256r1', 'x25519'] })).to.throw(
        TypeError,
        /^groups: .* has no x25519$/,
      );
      expect(() => define({ groups: ['X25519MLKEM768'] })).to.throw(
        TypeError,
        / has no X25519MLKEM768; see hybridGroups\(\)$/,
      );
      expect(define({ crypto }).groups).to.deep.equal(['secp256r1']);
      expect(() => define({ crypto: { ...crypto, groups: {} } })).to.throw(
        TypeError,
        /^crypto.groups: has none of X25519MLKEM768/,
      );
    });

    it('a size for a cache that is not its own', () => {
      for (const cache of [new SessionCache(), false]) {
        expect(() => define({ sessions: { cache, maxEntries: 5 } })).to.throw(TypeError, /^sessions.maxEntries is for/);
        expect(() => define({ sessions: { cache, maxBytes: 5 } })).to.throw(TypeError, /^sessions.maxBytes is for/);
      }
    });
  });

  it('takes credentials of every kind beside one another, in their order', () => {
    const config = define({ credentials: [ecdsaP256, rsa2048, quickCredential] });
    expect(config.credentials.map(({ schemes }) => schemes[0])).to.deep.equal([
      'ecdsa_secp256r1_sha256',
      'rsa_pss_rsae_sha256',
      'ecdsa_secp256r1_sha256',
    ]);
    expect(config.credentials[2]).to.equal(quickCredential);
  });

  describe('knows who can find and who keeps a session', () => {
    for (const [what, sessions, canFind, canKeep, hasOwnStore] of [
      ['a cache of its own', {}, true, true, false],
      ['a cache of others', { cache: new SessionCache() }, true, true, true],
      ['nothing', { cache: false }, false, false, true],
      ['callbacks', { cache: false, onGet: nothing, onNew: nothing }, true, true, true],
      ['a get callback', { cache: false, onGet: nothing }, true, false, true],
      ['a new callback', { cache: false, onNew: nothing }, false, true, true],
      ['a cache not looked into', { internalLookup: false }, false, true, false],
      ['a cache to be stored in by hand', { internalStore: false }, true, true, false],
    ] as const) {
      it(what, () => {
        const config = define({ sessions });
        expect(config.store).to.include({ canFind, canKeep });
        expect(config.hasOwnStore).to.equal(hasOwnStore);
      });
    }
  });
});
