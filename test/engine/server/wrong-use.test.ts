/** Mistakes of programs without types, and of programs that come from node:tls: the error names the option, what it is, and what to do. */

import { Duplex, PassThrough } from 'node:stream';
import { expect } from 'chai';
import * as index from '../../../src/index.ts';
import * as node from '../../../src/node/index.ts';
import * as openssl from '../../../src/openssl.ts';
import * as tls13 from '../../../src/tls13.ts';
import { kindOf, requireBytes } from '../../../src/wire/kind-of.ts';
import { nearest } from '../../../src/wire/nearest.ts';
import { certificates } from '../../fixtures.ts';

const { cert, key } = certificates.ecdsaP256;
const { systemWorld } = index;

/** A function of the library, for arguments that its type refuses. */
function loose(callee: unknown): (...args: readonly unknown[]) => unknown {
  return callee as (...args: readonly unknown[]) => unknown;
}

/** The same for a class. */
function looseNew(callee: unknown): (...args: readonly unknown[]) => unknown {
  const Class = callee as new (...args: readonly unknown[]) => unknown;
  return (...args) => new Class(...args);
}

const define = loose(index.defineServer);
const withOption = (options: object) => define({ credentials: [{ cert, key }], ...options });
const ring = loose(index.TicketKeyRing.of);
const rotating = loose(index.TicketKeyRing.rotating);
const newKey = loose(index.TicketKey.generate);
const context = () => new openssl.SslContext({ credentials: [{ cert, key }] });
const anSsl = () => new openssl.Ssl(context());
const aKey = () => index.TicketKey.generate(index.aeadTickets, systemWorld.randomBytes);

const aRing = () => index.TicketKeyRing.rotating(systemWorld);
const credential = index.credentialFromPem({ cert, key });
const aSession = () => ({
  version: 'TLSv1.3' as const,
  cipherSuite: 0x1301,
  id: new Uint8Array(4),
  secret: new Uint8Array(32),
  time: 0,
  timeout: 1,
  authTime: 0,
  extendedMasterSecret: true,
  idContext: new Uint8Array(0),
});

const MISTAKES: readonly (readonly [string, () => unknown, RegExp])[] = [
  [
    'options for a connection',
    () => looseNew(index.ServerConnection)({ credentials: [] }),
    /^config: .*pass defineServer\(options\)/,
  ],
  ['no array', () => define({ credentials: { cert, key } }), /^credentials: .*\[\{ cert, key \}\], not an object/],
  [
    'cert and key beside the others',
    () => define({ cert, key }),
    /^unknown option cert; .*credentials: \[\{ cert, key \}\]$/,
  ],
  [
    'a configuration for options',
    () => define(index.defineServer({ credentials: [{ cert, key }] })),
    /^options: this is what/,
  ],
  ['cert alone', () => define({ credentials: [{ cert }] }), /^key: is missing; give the private key of cert/],
  ['key alone', () => define({ credentials: [{ key }] }), /^cert: is missing/],
  [
    'two arguments',
    () => loose(index.credentialFromPem)(cert, key),
    /^pem: an object is wanted, not a string; give \{ cert, key \}$/,
  ],
  [
    "OpenSSL's ciphers",
    () => withOption({ ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }),
    /^ciphers: .* such as \['TLS_.*, not a string/,
  ],
  [
    "OpenSSL's cipher",
    () => withOption({ ciphers: ['ECDHE-RSA-AES128-GCM-SHA256'] }),
    /is 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' meant\?/,
  ],
  ["Web Crypto's group", () => withOption({ groups: ['P-256'] }), /is 'secp256r1' meant\?/],
  ['a short version', () => withOption({ minVersion: '1.2' }), /is 'TLSv1.2' meant\?/],
  [
    'text for bytes',
    () => withOption({ sessions: { idContext: 'x' } }),
    /^sessions.idContext: a Uint8Array is wanted, not a string; .*TextEncoder/,
  ],
  [
    'a misspelt option',
    () => withOption({ sessions: { OnGet: () => null } }),
    /^unknown option sessions.OnGet; .*is sessions.onGet meant\?$/,
  ],
  ["node:tls's option", () => withOption({ requestCert: true }), /^unknown option requestCert; .*docs\/node-tls.md/],
  [
    'a world without functions',
    () => withOption({ world: { now: 1, randomBytes: 2 } }),
    /^world.now: a function is wanted, not a number/,
  ],
  [
    'a key file for a ring',
    () => withOption({ tickets: { mode: 'stateless', keys: new Uint8Array(48) } }),
    /^tickets.keys: .*TicketKeyRing.of/,
  ],
  ['hexadecimal for a ring', () => ring('00'), /^keys: an array of TicketKey is wanted, not a string/],
  ['a key for a ring', () => ring(aKey(), systemWorld), /^keys: an array of TicketKey is wanted, not a TicketKey/],
  [
    'bytes in a ring',
    () => ring([new Uint8Array(48)], systemWorld),
    /^keys\[0\]: a TicketKey is wanted, not a Uint8Array/,
  ],
  ['an object without a clock for a world', () => ring([aKey()], {}), /^world: now\(\) is missing; give systemWorld/],
  ['options for a world', () => rotating({ rotateEvery: 3600 }), /^world: now\(\) is missing/],
  [
    "a ring's misspelt option",
    () => rotating(systemWorld, { rotateevery: 1 }),
    /^unknown option rotateevery; there are format, rotateEvery/,
  ],
  [
    "a ring's text",
    () => rotating(systemWorld, { rotateEvery: '3600' }),
    /^rotateEvery: a number is wanted, not a string/,
  ],
  ["a ring's format", () => rotating(systemWorld, { format: 'aead' }), /^format: .*aeadTickets.*, not a string/],
  [
    'a world for random bytes',
    () => newKey(index.aeadTickets, systemWorld),
    /^randomBytes: a function is wanted.*, not an object/,
  ],
  ['an AES-192 key', () => loose(index.cbcTickets)(24), /^cbcTickets\(24\): .*16 or 32/],
  ['the name of a key file', () => loose(index.ticketKeysFrom)('nginx', 'ticket.key'), /^files: .*not its name/],
  [
    'a key file without its kind',
    () => loose(index.ticketKeysFrom)(new Uint8Array(48)),
    /^producer: a Uint8Array is not one of tls-resume, openssl/,
  ],
  ['a size for a cache', () => looseNew(index.SessionCache)(5), /^options: an object is wanted, .*not a number/],
  [
    'bytes for a cache',
    () => loose(index.SessionCache.prototype.add).call(new index.SessionCache(), key),
    /^session: a Session is wanted, .*not a string/,
  ],
  [
    'an id for what a cache should remove',
    () => loose(index.SessionCache.prototype.remove).call(new index.SessionCache(), new Uint8Array(32)),
    /^session: a Session is wanted, .*not a Uint8Array/,
  ],
  [
    'bytes for a session',
    () => loose(index.defineServer({ credentials: [{ cert, key }] }).addSession)(new Uint8Array(3)),
    /^addSession\(\): a Session is wanted/,
  ],
  [
    'an id for a session',
    () => loose(index.defineServer({ credentials: [{ cert, key }] }).removeSession)(new Uint8Array(3)),
    /^removeSession\(\): a Session is wanted/,
  ],
  [
    'base64 for DER',
    () => loose(index.Session.fromDer.bind(index.Session))('MIIB'),
    /^session: a Uint8Array is wanted, not a string/,
  ],
  ['a session of nothing', () => looseNew(index.Session)({}), /^session id: a Uint8Array is wanted, not undefined/],
  [
    'no world for a certificate',
    () => loose(index.selfSignedCertificate)({ names: ['x'] }),
    /^now\(\) is missing: spread a world/,
  ],
  [
    'a name for names',
    () => loose(index.selfSignedCertificate)({ ...systemWorld, names: 'x' }),
    /^names: an array .*not a string/,
  ],
  ['a number for warmup()', () => loose(index.warmup)(5), /^warmup: .*not a number/],
  ['no parts', () => loose(tls13.defineServer)({ credentials: [] }, 5), /^parts: an object is wanted, not a number/],
  [
    'a flag for a part',
    () => loose(tls13.defineServer)({ credentials: [] }, { sealedTickets: true }),
    /^parts.sealedTickets: write defineServer/,
  ],
  [
    'a promise for credentials',
    () => loose(tls13.defineServer)({ credentials: Promise.resolve() }),
    /\[await webCryptoCredential\(.*not a Promise/,
  ],
  ['no context', () => looseNew(openssl.Ssl)({}), /^ctx: an SslContext is wanted, not an object/],
  [
    'a callback that is none',
    () => loose(context().setNewSessionCallback)('x'),
    /^setNewSessionCallback\(\): a function is wanted/,
  ],
  [
    'text for an id context',
    () => loose(context().setSessionIdContext)('x'),
    /^setSessionIdContext\(\): a Uint8Array is wanted/,
  ],
  [
    'text for a mode',
    () => loose(context().setSessionCacheMode)('on'),
    /^setSessionCacheMode\(\): a whole number is wanted, not a string/,
  ],
  ...Object.entries(openssl)
    .filter(([name]) => /^(?:SSL_SESSION_(?!CACHE)|i2d_)/.test(name))
    .map(
      ([name, use]) =>
        [
          `DER for the session of ${name}`,
          () => loose(use)(new Uint8Array(9), 1),
          /^session: a Session is wanted/,
        ] as const,
    ),
  [
    'text for seconds, in OpenSSL’s words',
    () => loose(openssl.SSL_SESSION_set_timeout)(new index.Session(aSession()), '300'),
    /^seconds: a number is wanted, not a string/,
  ],
  ...(['setTimeout', 'setSessionCacheSize', 'setNumTickets'] as const).map(
    (name) =>
      [
        `text for ${name}()`,
        () => loose(context()[name].bind(context()))('3'),
        new RegExp(`^${name}\\(\\): a number`),
      ] as const,
  ),
  ...(['clearOptions', 'setQuietShutdown'] as const).map(
    (name) =>
      [
        `text for ${name}()`,
        () => loose(context()[name].bind(context()))('1'),
        new RegExp(`^${name}\\(\\): a whole`),
      ] as const,
  ),
  ['text for setShutdown()', () => loose(anSsl().setShutdown.bind(anSsl()))('1'), /^setShutdown\(\): a whole number/],
  [
    'text for write()',
    () => loose(anSsl().write.bind(anSsl()))('hello'),
    /^write\(\): a Uint8Array is wanted, not a string/,
  ],
  ['text for receive()', () => loose(anSsl().receive.bind(anSsl()))('hello'), /^receive\(\): a Uint8Array is wanted/],
  ['cert alone, in Node', () => node.createServer({ cert }), /^cert without its key; give key, too/],
  [
    'two certificates and one key, in Node',
    () => node.createServer({ cert: [cert, cert], key }),
    /^key is missing: 2 cert and 1 key/,
  ],
  [
    "node:tls's key objects",
    () => loose(node.createServer)({ cert, key: [{ pem: key }] }),
    /^key: PEM is wanted, .*give its pem/,
  ],
  [
    'milliseconds for seconds',
    () => index.defineServer({ credentials: [{ cert, key }] }).flushSessions(Date.now()),
    /^flush at \d+, which are milliseconds; .* \/ 1000/,
  ],
  [
    'the name of a provider for a credential',
    () => loose(index.credentialFromPem)({ cert, key }, 'node'),
    /^crypto: an object is wanted, not a string/,
  ],
  [
    'a signer that is none',
    () => loose(index.credentialFromPem)({ cert, key }, { signer: 'hsm' }),
    /^crypto.signer: a function is wanted, not a string/,
  ],
  [
    'PEM in a credential of one’s own',
    () => define({ credentials: [{ ...credential, certificateChain: [cert] }] }),
    /^credentials\[0\].certificateChain: a Uint8Array is wanted, not a string/,
  ],
  [
    'no chain in one',
    () => define({ credentials: [{ ...credential, certificateChain: [] }] }),
    /^credentials\[0\].certificateChain: an array with at least one entry is wanted, such as \[der\], not an empty one/,
  ],
  [
    'one scheme in one',
    () => define({ credentials: [{ ...credential, schemes: 'ed25519' }] }),
    /^credentials\[0\].schemes: an array with at least one entry is wanted, such as \['ed25519'\], not a string/,
  ],
  [
    'one name in one',
    () => define({ credentials: [{ ...credential, names: 'localhost' }] }),
    /^credentials\[0\].names: an array is wanted, such as \['localhost'\], not a string/,
  ],
  [
    'a key for sign() in one',
    () => define({ credentials: [{ ...credential, sign: key }] }),
    /^credentials\[0\].sign: a function is wanted, not a string/,
  ],
  [
    'no sign() in one',
    () => define({ credentials: [{ ...credential, sign: undefined }] }),
    /^credentials\[0\]: sign is missing/,
  ],
  ['no options, in TLS 1.3 alone', () => loose(tls13.defineServer)(), /^options: an object is wanted, not undefined/],
  ['null for options', () => loose(tls13.defineServer)(null), /^options: an object is wanted, not null/],
  [
    'no name for a certificate',
    () => loose(index.selfSignedCertificate)({ ...systemWorld, names: [80] }),
    /^names\[0\]: a string is wanted, not a number/,
  ],
  ...[
    '',
    'a b',
    'ä.example',
    '1.2.3.256',
    '::g',
    '1:2',
    '1:::2',
    '1::2::3',
    '1::2:',
    ':1::2',
    '12345::',
    '1:2:3:4:5:6:7:8:9',
  ].map(
    (name) =>
      [
        `'${name}' for a name of one`,
        () => index.selfSignedCertificate({ ...systemWorld, names: ['ok', name] }),
        /^names\[1\]: '.*' is neither a host name in ASCII, nor an IP address/,
      ] as const,
  ),
  ...[0, -1, 365_001, Number.NaN].map(
    (days) =>
      [
        `${days} days for one`,
        () => index.selfSignedCertificate({ ...systemWorld, days }),
        /^days: a number above 0 is wanted, 365000 at most/,
      ] as const,
  ),
  [
    'a short key for one',
    () => index.selfSignedCertificate({ ...systemWorld, secretKey: new Uint8Array(31) }),
    /^secretKey: 31 bytes; 32 are wanted/,
  ],
  ['a misspelt provider for warmup()', () => loose(index.warmup)({ crpyto: index.fast }), /is server.crypto meant\?/],
  ['fewer than no handshakes', () => index.warmup({}, -1), /^warmup: -1 handshakes; 0 and more are possible/],
  [
    'hexadecimal for an id',
    () => loose(index.SessionCache.prototype.has).call(new index.SessionCache(), 'TLSv1.3', '5e5e'),
    /^id: a Uint8Array is wanted, not a string/,
  ],
  [
    'a date for seconds',
    () => loose(index.defineServer({ credentials: [{ cert, key }] }).flushSessions)(new Date()),
    /^now: a number is wanted, not a Date/,
  ],
  [
    'text for how many',
    () => loose(index.defineServer({ credentials: [{ cert, key }] }).flushSessions)(1, '5'),
    /^atMost: a number is wanted, not a string/,
  ],
  ...(['serverName', 'alpnProtocol'] as const).map(
    (field) =>
      [
        `bytes for the ${field} of a session`,
        () => looseNew(index.Session)({ ...aSession(), [field]: new Uint8Array(3) }),
        new RegExp(`^session ${field}: a string is wanted, not a Uint8Array`),
      ] as const,
  ),
  ...(['scope', 'foreign'] as const).map(
    (field) =>
      [
        `text for the ${field} of a session`,
        () => looseNew(index.Session)({ ...aSession(), [field]: 'x' }),
        new RegExp(`^session ${field}: an object is wanted, not a string`),
      ] as const,
  ),
  [
    'PEM for the certificate of a session',
    () => looseNew(index.Session)({ ...aSession(), peerCertificate: cert }),
    /^session peerCertificate: a Uint8Array is wanted, not a string/,
  ],
  [
    'text for a share',
    () => newKey(index.aeadTickets, systemWorld.randomBytes, { share: '1' }),
    /^share: a number is wanted, not a string/,
  ],
  [
    'a number for counts',
    () => newKey(index.aeadTickets, systemWorld.randomBytes, { counts: 5 }),
    /^counts: a SealCounts is wanted, not a number/,
  ],
  [
    'text to be sealed',
    () => loose(aKey().seal.bind(aKey()))('x', systemWorld.randomBytes),
    /^plaintext: a Uint8Array/,
  ],
  [
    'a world to seal with',
    () => loose(aKey().seal.bind(aKey()))(new Uint8Array(1), systemWorld),
    /^randomBytes: a function is wanted, not an object; systemWorld.randomBytes is one/,
  ],
  ['text to be opened', () => loose(aKey().open.bind(aKey()))('x'), /^ticket: a Uint8Array is wanted, not a string/],
  [
    'hexadecimal for the name of a key',
    () => loose(aKey().hasName.bind(aKey()))('00'),
    /^name: a Uint8Array is wanted/,
  ],
  [
    'hexadecimal for the name of a key of a ring',
    () => loose(aRing().find.bind(aRing()))('00'),
    /^keyName: a Uint8Array is wanted, not a string/,
  ],
  ['the same, where it opens', () => loose(aRing().openingKeys.bind(aRing()))('00'), /^keyName: a Uint8Array/],
  ['no timer for a ring', () => loose(aRing().useTimer.bind(aRing()))(60), /^setTimer: a function is wanted/],
  [
    'PEM for a session of Node',
    () => loose(node.wrapNodeSession)('x', 'a'),
    /^der: a Uint8Array is wanted, not a string/,
  ],
  [
    'a socket for the host of one',
    () => loose(node.wrapNodeSession)(new index.Session(aSession()).toDer(), {}),
    /^host: a string is wanted, not an object/,
  ],
  ['no options, in Node', () => loose(node.createServer)(() => {}), /^options: an object is wanted, .*not a function/],
];

describe('wrong use is named', () => {
  for (const [name, use, message] of MISTAKES) {
    it(name, () => expect(use).to.throw(Error, message));
  }

  it('and says nothing of what may be a secret', () => {
    const secret = 'c0ffee'.repeat(8);
    for (const use of [
      () => ring(secret, systemWorld),
      () => withOption({ tickets: { mode: 'stateless', keys: secret } }),
    ])
      expect(use).to.throw(Error).with.property('message').that.does.not.contain('c0ffee');
  });
});

/** `base` with the options, if they are an object. */
function over(base: object, options: unknown): unknown {
  return typeof options === 'object' && options !== null && !Array.isArray(options) ? { ...base, ...options } : options;
}

/** Each object of options, with the names of its options and a call that takes it. */
const OBJECTS: Readonly<Record<string, readonly [names: string, use: (options: unknown) => unknown]>> = {
  'defineServer()': [
    'credentials minVersion maxVersion ciphers groups alpn onServerName clientAuth sessions tickets pskModes scope requireExtendedMasterSecret compat crypto world limits keylog',
    (options) => define(over({ credentials: [{ cert, key }] }, options)),
  ],
  sessions: [
    'cache mode internalLookup internalStore autoClear updateTime timeout maxEntries maxBytes idContext foreign removeUnclean generateId notResumable mayResume onNew onGet onTake onRemove lookupTimeoutMs maxIdentities',
    (sessions) => withOption({ sessions }),
  ],
  tickets: [
    'mode keys foreign initial afterResumption timing maxRequested onGenerate onDecrypt singleUse maxAuthAge',
    (tickets) => withOption({ tickets }),
  ],
  clientAuth: [
    'mode verifyClient authorities',
    (options) => withOption({ clientAuth: over({ mode: 'request', verifyClient: () => true }, options) }),
  ],
  scope: ['label shareAcross bindLocalAddress bindAlpn', (scope) => withOption({ scope })],
  limits: ['recordsPerKey skippedEarlyData', (limits) => withOption({ limits })],
  'credentials[0]': ['cert key', (pair) => define({ credentials: [over({ cert, key }, pair)] })],
  'parts of tls13': [
    'clientCertificates sealedTickets',
    (parts) => loose(tls13.defineServer)({ credentials: [index.credentialFromPem({ cert, key })] }, parts),
  ],
  'new SessionCache()': ['maxEntries maxBytes compat onRemove world', looseNew(index.SessionCache)],
  'TicketKeyRing.rotating()': [
    'format rotateEvery keepFor share counts',
    (options) => loose(index.TicketKeyRing.rotating)(systemWorld, options),
  ],
  'TicketKey.generate()': ['share counts', (options) => newKey(index.aeadTickets, systemWorld.randomBytes, options)],
  'new ServerConnection()': [
    'addresses faults wantsKeylog keyTimer',
    (options) => looseNew(index.ServerConnection)(CONFIG, options),
  ],
  'accept() of the index': [
    'addresses handshakeTimeout signal onCallbackError faults',
    (options) => loose(index.accept)(streams(), CONFIG, options),
  ],
  'accept() of tls13': [
    'addresses handshakeTimeout signal onCallbackError faults',
    (options) => loose(tls13.accept)(streams(), CONFIG, options),
  ],
  'fromMessagePort()': ['maxBuffered', (options) => loose(index.fromMessagePort)(PORT, options)],
  'new Ssl()': ['send attend addresses', (options) => looseNew(openssl.Ssl)(context(), options)],
  'createServer()': [
    'credentials key cert ticketKeys config allowHalfOpen handshakeTimeout faults sessions tickets world',
    (options) => loose(node.createServer)(over({ credentials: [{ cert, key }] }, options)),
  ],
  'accept() of Node': [
    'credentials key cert ticketKeys config allowHalfOpen handshakeTimeout faults',
    (options) => loose(node.accept)(duplex(), over({ credentials: [{ cert, key }] }, options)),
  ],
  'new TlsSocket()': [
    'allowHalfOpen handshakeTimeout isAwaited faults',
    (options) => looseNew(node.TlsSocket)(duplex(), CONFIG, options),
  ],
};
/** Options that may not be left out, or that another one excludes. */
const NOT_UNDEFINED = /^(?:credentials|mode|verifyClient|cert|key)$/;

const CONFIG = index.defineServer({ credentials: [{ cert, key }] });
const PORT = { postMessage: () => {}, addEventListener: () => {} };

function streams() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  return { readable, writable };
}

function duplex(): Duplex {
  return new PassThrough().on('error', () => {});
}

/** The error of a call, also of one that returns a promise. */
async function errorOf(use: () => unknown): Promise<unknown> {
  try {
    const made = use();
    if (made instanceof Promise) await Promise.race([made, new Promise((resolve) => setImmediate(resolve))]);
    if (made instanceof Duplex) made.destroy();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('every object of options', () => {
  for (const [name, [names, use]] of Object.entries(OBJECTS)) {
    it(`${name}: null is a mistake, undefined is not, and what is unknown is named`, async () => {
      for (const option of names.split(' ')) {
        expect(await errorOf(() => use({ [option]: null })), option)
          .to.be.instanceOf(TypeError)
          .with.property('message')
          .that.matches(new RegExp(`\\b${option}: (?:null is no value of it; leave it out|an object is wanted)`));
        if (!NOT_UNDEFINED.test(option))
          expect(await errorOf(() => use({ [option]: undefined })), option).to.equal(undefined);
      }
      const [option = ''] = names.split(' ');
      expect(await errorOf(() => use({ [`${option}s_`]: 1 })))
        .to.be.instanceOf(TypeError)
        .with.property('message')
        .that.matches(new RegExp(`^unknown option \\S*${option}s_; there are .*; is \\S*${option} meant\\?$`));
      for (const none of [null, 1, 'text', []])
        expect(await errorOf(() => use(none)), String(none))
          .to.be.instanceOf(TypeError)
          .with.property('message')
          .that.matches(/[\w\]]: .* is wanted|: null is no value/);
    });
  }

  for (const [what, options] of Object.entries({
    'no signal': { signal: 1 },
    'no addresses': { addresses: 'here' },
    'no function': { onCallbackError: {} },
  })) {
    it(`accept() refuses ${what}`, async () => {
      const [option = ''] = Object.keys(options);
      const error = await errorOf(() => loose(index.accept)(streams(), CONFIG, options));
      expect(error)
        .to.be.instanceOf(TypeError)
        .with.property('message')
        .that.matches(new RegExp(`^${option}: .* is wanted, not `));
    });
  }
});

describe('PEM may be bytes', () => {
  const bytes = { cert: Buffer.from(cert), key: new Uint8Array(Buffer.from(key)) };

  it('for credentials', async () => {
    index.defineServer({ credentials: [bytes] });
    index.credentialFromPem(bytes);
    await index.webCryptoCredential(bytes);
    node.createServer({ cert: [bytes.cert], key: [bytes.key] });
  });

  it('for authorities, one or several', () => {
    for (const authorities of [cert, bytes.cert, [cert, bytes.cert]])
      withOption({ clientAuth: { mode: 'request', verifyClient: () => true, authorities } });
  });

  it('for sessions', () => {
    const session = new index.Session(aSession());
    expect(index.Session.fromPem(Buffer.from(session.toPem())).id).to.deep.equal(session.id);
  });
});

describe('kindOf()', () => {
  for (const [value, kind] of [
    [undefined, 'undefined'],
    [null, 'null'],
    ['x', 'a string'],
    [1, 'a number'],
    [[], 'an array'],
    [{}, 'an object'],
    [new Uint8Array(0), 'a Uint8Array'],
    [new ArrayBuffer(0), 'an ArrayBuffer'],
    [Object.create(null), 'an object'],
    [
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('hostile');
          },
        },
      ),
      'an object',
    ],
  ] as const) {
    it(`is ${kind}`, () => expect(kindOf(value)).to.equal(kind));
  }
});

describe('requireBytes()', () => {
  for (const [value, message] of [
    ['x', 'names: a Uint8Array is wanted, not a string; encode it'],
    [new ArrayBuffer(1), 'names: a Uint8Array is wanted, not an ArrayBuffer; wrap it, as in new Uint8Array(buffer)'],
    [new Int8Array(1), 'names: a Uint8Array is wanted, not an Int8Array; wrap it, as in new Uint8Array(buffer)'],
    [
      new Uint8ClampedArray(1),
      'names: a Uint8Array is wanted, not a Uint8ClampedArray; wrap it, as in new Uint8Array(buffer)',
    ],
    [null, 'names: a Uint8Array is wanted, not null'],
  ] as const) {
    it(`refuses ${kindOf(value)}, wherever bytes are wanted`, () => {
      expect(() => requireBytes('names', value)).to.throw(TypeError, message);
      expect(() => looseNew(index.TicketKey)(index.aeadTickets, value, value)).to.throw(
        TypeError,
        'a Uint8Array is wanted',
      );
      expect(() => withOption({ sessions: { idContext: value } })).to.throw(TypeError, /^sessions.idContext: /);
    });
  }
});

describe('nearest()', () => {
  const names = ['onGet', 'onNew', 'onTake', 'timeout', 'TLSv1.2', 'TLSv1.3', 'secp256r1'];
  for (const [name, meant] of [
    ['onget', 'onGet'],
    ['timout', 'timeout'],
    ['time-out', 'timeout'],
    ['1.3', 'TLSv1.3'],
    ['TLSv1.1', undefined],
    ['P-256', 'secp256r1'],
    ['on', undefined],
    ['other', undefined],
    ['x'.repeat(1000), undefined],
    [`${'-'.repeat(57)}timeout`, 'timeout'], // 64 characters are read
    [`${'-'.repeat(58)}timeout`, undefined],
  ] as const) {
    it(`of ${name.slice(0, 10)} is ${meant}`, () => expect(nearest(name, names)).to.equal(meant));
  }
});
