/** Mutants for the scenarios with a server of TLS 1.3: what each is about, taken out. */

import type { MutantEdit, Mutants } from './build.ts';

/** Accepts every binder. */
const ACCEPTS_BINDERS: readonly MutantEdit[] = [
  {
    file: 'handshake/server/binder.ts',
    within: 'verifiedBinder',
    find: 'equalConstantTime(binder, expected) ? early : undefined',
    replace: 'early',
  },
];

/** Does not count the binders. */
const COUNTS_NO_BINDERS: MutantEdit = {
  file: 'handshake/server/negotiate-tls13.ts',
  within: 'requirePskRules',
  find: 'preSharedKey.identities.length !== preSharedKey.binders.length',
  replace: 'false',
};

const MISSES_NO_BINDER: readonly MutantEdit[] = [
  ...ACCEPTS_BINDERS,
  COUNTS_NO_BINDERS,
  {
    file: 'handshake/server/binder.ts',
    within: 'verifiedBinder',
    find: 'offered === undefined || binder === undefined',
    replace: 'offered === undefined',
  },
];

/** Reads binders of any length. */
const SHORT_BINDERS: readonly MutantEdit[] = [
  { file: 'handshake/messages/client-hello.ts', within: 'Binders', find: 'opaque(32, 255)', replace: 'opaque(0, 255)' },
];

const EMPTY_IDENTITIES: readonly MutantEdit[] = [
  {
    file: 'handshake/messages/client-hello.ts',
    within: 'PskIdentity',
    find: 'opaque(1, 0xffff)',
    replace: 'opaque(0, 0xffff)',
  },
];

/** The same at each place of a list of five. */
function atEachPlace(id: string, edits: readonly MutantEdit[]): Mutants {
  return Object.fromEntries([1, 2, 3, 4, 5].map((place) => [`server/psk/${id}-at-${place}`, edits]));
}

/** The same for several scenarios. */
function forAll(ids: readonly string[], edits: readonly MutantEdit[]): Mutants {
  return Object.fromEntries(ids.map((id) => [id, edits]));
}

/** Ends the handshake for an unknown identity. */
const REFUSES_UNKNOWN: readonly MutantEdit[] = [
  {
    file: 'handshake/server/psk.ts',
    within: 'findPsk',
    find: 'if (session === undefined || suite === undefined) continue;',
    replace:
      "if (session === undefined && verdict.reason !== 'disabled') throw new TlsAlert('unknown_psk_identity', ''); if (session === undefined || suite === undefined) continue;",
  },
];

/** Looks at the verdicts on all identities, those behind the one that it selects included. */
const REFUSES_UNKNOWN_BEHIND: readonly MutantEdit[] = [
  {
    file: 'handshake/server/psk.ts',
    within: 'selectPsk',
    find: 'const early = verifiedBinder(context, hello, found);',
    replace:
      "if (hello.body.extensions.preSharedKey.identities.length > 1) throw new TlsAlert('unknown_psk_identity', ''); const early = verifiedBinder(context, hello, found);",
  },
];

/** Ends the handshake where an age is not right within two seconds. */
const REFUSES_AGES: readonly MutantEdit[] = [
  {
    file: 'handshake/server/psk.ts',
    within: 'findPsk',
    find: 'const offer = offerOf(context, hello, suites);',
    replace: `
      const offer = offerOf(context, hello, suites);
      const stated = [...hello.extensions.preSharedKey.identities][identityIndex].obfuscatedTicketAge;
      const age = found.session && (stated - found.session.ticketAgeAdd) >>> 0;
      if (found.session && Math.abs(age - 1000 * (context.now() - found.session.time)) > 2000)
        throw new TlsAlert('illegal_parameter', '');`,
  },
];

/** Drops handshake messages that are not expected. */
const SKIPS_MESSAGES: readonly MutantEdit[] = [
  {
    file: 'wire/handshake-buffer.ts',
    within: 'next',
    find: 'const { name, limit } = accepted(type, expected);',
    replace: `
      if (type !== expected?.type && type !== expected?.or?.type) {
        this.#queue.take(MESSAGE_HEADER + 65536 * this.#queue.at(1) + 256 * this.#queue.at(2) + this.#queue.at(3));
        return this.next(expected);
      }
      const { name, limit } = accepted(type, expected);`,
  },
];

/** The same, and lets them stand where keys change. */
const LETS_MESSAGES_STRADDLE: readonly MutantEdit[] = [
  ...SKIPS_MESSAGES,
  {
    file: 'crypto/record-reader.ts',
    within: 'protect',
    find: "if (!this.#messages.isEmpty) throw new TlsAlert('unexpected_message', 'a message straddles a change of keys');",
    replace: '',
  },
];

/** Takes every second hello for the same as the first. */
const COMPARES_NO_HELLOS: readonly MutantEdit[] = [
  {
    file: 'handshake/server/negotiate-tls13.ts',
    within: 'sendHelloRetryRequest',
    find: 'before.requireSame(second);',
    replace: '',
  },
];

/** Has the second hello no PSK selected anew. */
const SELECTS_ONCE: readonly MutantEdit[] = [
  {
    file: 'handshake/server/negotiate-tls13.ts',
    within: 'negotiateShare',
    find: 'retried ? offered && (yield* selectPsk(context, hello, [suite], lookups)) : offered',
    replace: 'offered',
  },
];

const ANY_SHARE: MutantEdit = {
  file: 'handshake/server/negotiate-tls13.ts',
  within: 'onlyShare',
  find: 'share?.group !== NamedGroup[group] || others.length > 0',
  replace: 'false',
};

/** Does not skip early data. */
const SKIPS_NO_EARLY_DATA: readonly MutantEdit[] = [
  {
    file: 'handshake/server/negotiate-tls13.ts',
    within: 'negotiateTls13',
    find: 'if (first.body.extensions.earlyData) context.skipEarlyData();',
    replace: '',
  },
];

/** Goes on where early data do not open. */
const OPENS_OR_SKIPS: readonly MutantEdit[] = [
  {
    file: 'crypto/record-reader.ts',
    within: '#skip',
    find: "this.#early.mode !== 'skip' || type !== ContentType.application_data",
    replace: "this.#early.mode === 'refuse' || type !== ContentType.application_data",
  },
];

/** Decides on early data without looking at one thing. */
function admitsEarlyData(find: string): readonly MutantEdit[] {
  return [{ file: 'handshake/server/early-data.ts', within: 'mismatch', find, replace: '' }];
}

const IGNORES_EARLY_AGES: readonly MutantEdit[] = [
  {
    file: 'handshake/server/early-data.ts',
    within: 'decide',
    find: "isFresh(context, offer, asked, late) ? undefined : 'age'",
    replace: 'undefined',
  },
  {
    file: 'handshake/server/early-data.ts',
    within: 'admit',
    find: "if (expiresIn < 0) return 'age';",
    replace: '',
  },
];

/** Sends tickets whatever the modes of the client. */
const TICKETS_FOR_ALL: readonly MutantEdit[] = [
  {
    file: 'handshake/server/new-session-tickets.ts',
    within: 'whyNoTicket',
    find: "if (selectPskMode(hello.body, settings, true) === undefined) return 'psk-mode';",
    replace: '',
  },
];

/** Sends as many tickets as always. */
const COUNTS_NO_REQUEST: readonly MutantEdit[] = [
  {
    file: 'handshake/server/new-session-tickets.ts',
    within: 'dueTickets',
    find: 'asked === undefined ? usual : Math.min(asked, maxRequested)',
    replace: 'usual',
  },
];

/** Makes a ticket with a field that is always the same. */
function ticketWith(field: string): readonly MutantEdit[] {
  return [
    {
      file: 'handshake/server/new-session-tickets.ts',
      within: '#issue',
      find: 'const ticketLifetime = lifetime ?? this.#lifetime(session);',
      replace: `const ticketAgeAdd = (session.ticketAgeAdd + fraction) % 2 ** 32; return { session, message: { ticketLifetime: 7200, ticketAgeAdd, ticketNonce, ticket, extensions: {}, ...{ ${field} } } };`,
    },
  ];
}

/** Says more of a session of another version than that it is unknown. */
const REFUSES_VERSIONS: readonly MutantEdit[] = [
  {
    file: 'handshake/server/resumption.ts',
    within: 'BASIC',
    find: 'session.version === offer.version',
    replace: "session.version === offer.version || new TlsAlert('illegal_parameter', '')",
  },
];

/** Negotiates the length of fragments and records by no limit of the client's. */
const OBEYS_NO_LIMIT: readonly MutantEdit[] = [
  {
    file: 'handshake/record-size-limit.ts',
    within: 'obeyRecordSizeLimit',
    find: 'context.limitRecords(Math.min(limit - contentType, MAX_PLAINTEXT));',
    replace: '',
  },
];

/** Echoes another id, if it resumes. */
const ECHOES_ANOTHER: readonly MutantEdit[] = [
  {
    file: 'handshake/server/server-tls13.ts',
    within: 'sendServerHello',
    find: 'context.transcript.add(context.send(serverHello, body));',
    replace: `
      if (psk !== undefined) body.legacySessionIdEcho = new Uint8Array(body.legacySessionIdEcho.length === 0 ? 32 : 0);
      context.transcript.add(context.send(serverHello, body));`,
  },
];

/** Reads an id of any length, and echoes what there is room for. */
const ID_OF_ANY_LENGTH: readonly MutantEdit[] = [
  { file: 'handshake/messages/client-hello.ts', within: 'head', find: 'opaque(0, 32)', replace: 'opaque(0, 255)' },
  {
    file: 'handshake/server/server-tls13.ts',
    within: 'sendServerHello',
    find: 'context.transcript.add(context.send(serverHello, body));',
    replace: `
      body.legacySessionIdEcho = body.legacySessionIdEcho.subarray(0, 32);
      context.transcript.add(context.send(serverHello, body));`,
  },
];

const ANY_COMPRESSION: readonly MutantEdit[] = [
  {
    file: 'handshake/server/negotiate-tls13.ts',
    within: 'requireTls13Hello',
    find: 'legacyCompressionMethods.length !== 1 || legacyCompressionMethods[0] !== 0',
    replace: 'false',
  },
  {
    file: 'handshake/messages/client-hello.ts',
    within: 'head',
    find: 'vector(1, 255, uint8)',
    replace: 'vector(0, 255, uint8)',
  },
];

const ANY_LEGACY_VERSION: readonly MutantEdit[] = [
  {
    file: 'handshake/server/negotiate-tls13.ts',
    within: 'requireTls13Hello',
    find: "legacyVersion !== ProtocolVersion['TLSv1.2']",
    replace: 'false',
  },
];

const EXTENSIONS_TWICE: readonly MutantEdit[] = [
  {
    file: 'wire/codec.ts',
    within: 'Seen',
    find: 'this.#set?.has(type) ?? this.order.includes(type)',
    replace: 'false',
  },
];

const PSK_ANYWHERE: MutantEdit = {
  file: 'handshake/server/negotiate-tls13.ts',
  within: 'requirePskRules',
  find: 'last !== ExtensionType.pre_shared_key',
  replace: 'false',
};

/** The modes of psk_key_exchange_modes are not looked at. */
function selectsMode(mode: string): readonly MutantEdit[] {
  return [
    {
      file: 'handshake/server/negotiate.ts',
      within: 'selectPskMode',
      find: 'const offered = hello.extensions.pskKeyExchangeModes ?? [];',
      replace: `return '${mode}';`,
    },
  ];
}

const REQUIRES_NO_MODES: MutantEdit = {
  file: 'handshake/server/negotiate-tls13.ts',
  within: 'requirePskRules',
  find: 'pskKeyExchangeModes === undefined',
  replace: 'false',
};

const MODES_OF_NONE: MutantEdit = {
  file: 'handshake/messages/client-hello.ts',
  within: 'helloExtensions',
  find: "[ExtensionType.psk_key_exchange_modes, vector(1, 255, uint8), 'TLSv1.3']",
  replace: "[ExtensionType.psk_key_exchange_modes, vector(0, 255, uint8), 'TLSv1.3']",
};

const REMAINDERS: readonly MutantEdit[] = [
  { file: 'wire/codec.ts', within: 'readExtension', find: 'data.finish();', replace: '' },
];

const ANY_NAME: readonly MutantEdit[] = [
  {
    file: 'handshake/server/resumption.ts',
    within: 'SCOPE',
    find: 'scope === undefined || isSameDigest(scope[field], offer.scope[field])',
    replace: 'true',
  },
];

const psk: Mutants = {
  'server/psk/binder-wrong': [
    {
      file: 'handshake/server/psk.ts',
      within: 'selectPsk',
      find: "throw new TlsAlert('decrypt_error', 'the binder does not verify');",
      replace: 'return undefined;',
    },
  ],
  'server/psk/identity-unknown': [
    {
      file: 'handshake/server/psk.ts',
      within: 'selectPsk',
      find: 'found === undefined',
      replace:
        "found === undefined && facts.verdicts.length > 0) throw new TlsAlert('decrypt_error', ''); if (found === undefined",
    },
  ],
  ...atEachPlace('binder-wrong', ACCEPTS_BINDERS),
  ...atEachPlace('binder-of-another-secret', ACCEPTS_BINDERS),
  ...atEachPlace('binder-of-another-hash', ACCEPTS_BINDERS),
  ...atEachPlace('binder-long', ACCEPTS_BINDERS),
  ...atEachPlace('binder-short', SHORT_BINDERS),
  ...atEachPlace('binder-missing', MISSES_NO_BINDER),
  ...atEachPlace('identity-empty', EMPTY_IDENTITIES),
  'server/psk/binders-rotated': ACCEPTS_BINDERS,
  'server/psk/binders-too-many': [COUNTS_NO_BINDERS],
  'server/psk/identity-unknown-in-front': REFUSES_UNKNOWN,
  'server/psk/identity-known-at-fifth': [
    {
      file: 'engine/server/session-options.ts',
      within: 'sessionSettings',
      find: 'DEFAULT_MAX_IDENTITIES',
      replace: '4',
    },
  ],
  'server/psk/identity-unknown-behind': REFUSES_UNKNOWN_BEHIND,
  'server/psk/identities-many': REFUSES_UNKNOWN,
  'server/psk/unknown-without-signature-algorithms': [
    {
      file: 'handshake/server/negotiate-tls13.ts',
      within: 'requireFullHello',
      find: 'psk === undefined && extensions.signatureAlgorithms === undefined',
      replace: 'false',
    },
  ],
  'server/psk/extension-not-last': [PSK_ANYWHERE],
  'server/psk/modes-absent': [REQUIRES_NO_MODES],
  'server/psk/certificate-request': [
    {
      file: 'handshake/server/server-tls13.ts',
      within: 'wantedCertificates',
      find: 'psk !== undefined || settings.clientAuth === undefined',
      replace: 'settings.clientAuth === undefined',
    },
  ],
  'server/psk/modes-empty': [MODES_OF_NONE],
  'server/psk/modes-trailing': REMAINDERS,
  'server/psk/modes-unknown-only': selectsMode('psk_dhe_ke'),
  'server/psk/modes-psk-ke-only': selectsMode('psk_dhe_ke'),
  'server/psk/modes-both': selectsMode('psk_ke'),
  'server/psk/key-share-absent': [
    {
      file: 'handshake/server/negotiate-tls13.ts',
      within: 'requireTls13Hello',
      find: '(extensions.supportedGroups === undefined) !== (extensions.keyShare === undefined)',
      replace: 'false',
    },
  ],
  'server/psk/groups-absent': selectsMode('psk_ke'),
  'server/psk/suites-of-another-hash': [
    {
      file: 'handshake/server/resumption.ts',
      within: 'TLS13',
      find: 'suites.some(({ hash }) => hash === suiteById(cipherSuite)?.hash)',
      replace: 'true',
    },
    {
      file: 'handshake/server/resumption.ts',
      within: 'resumedSuite',
      find: 'suites.find((suite) => suite.hash === hash)',
      replace: 'suites[0]',
    },
  ],
  'server/psk/unknown-values': [
    {
      file: 'wire/codec.ts',
      within: 'extensions',
      find: 'if (extension === undefined) continue;',
      replace: "if (extension === undefined) throw new DecodeError('unknown', 'illegal_parameter');",
    },
  ],
  ...forAll(
    ['server/psk/age-zero', 'server/psk/age-too-old', 'server/psk/age-too-young', 'server/psk/age-highest'],
    REFUSES_AGES,
  ),
};

const tickets: Mutants = {
  'server/tickets/lifetime': ticketWith('ticketLifetime: 604801'),
  'server/tickets/nonces': ticketWith('ticketNonce: new Uint8Array(4)'),
  'server/tickets/age-add': ticketWith('ticketAgeAdd: 7'),
  'server/tickets/distinct': ticketWith('ticket: new Uint8Array(32)'),
  'server/tickets/modes-absent': TICKETS_FOR_ALL,
  'server/tickets/modes-unknown-only': TICKETS_FOR_ALL,
  'server/tickets/requested-none': COUNTS_NO_REQUEST,
  'server/tickets/requested-one': COUNTS_NO_REQUEST,
  'server/tickets/requested-many': [
    {
      file: 'handshake/server/new-session-tickets.ts',
      within: 'dueTickets',
      find: 'Math.min(asked, maxRequested)',
      replace: 'asked',
    },
  ],
  'server/tickets/request-promise-kept': [
    {
      file: 'handshake/server/new-session-tickets.ts',
      within: 'expectedTickets',
      find: "context.settings.tickets.timing === 'manual' ? 0 : ticketCount(context, choice)",
      replace: '9',
    },
  ],
  'server/tickets/request-of-1-byte': [
    {
      file: 'handshake/messages/client-hello.ts',
      within: 'TicketRequest',
      find: 'struct({ newSessionCount: uint8, resumptionCount: uint8 })',
      replace:
        'mapped(rest, ([newSessionCount, resumptionCount]) => ({ newSessionCount, resumptionCount }), (v) => new Uint8Array(2))',
    },
  ],
  'server/tickets/request-of-3-bytes': REMAINDERS,
  'server/tickets/bit-flips': [
    {
      file: 'handshake/server/tickets.ts',
      find: "import { EMPTY } from '../../wire/bytes.ts';",
      replace: "import { EMPTY } from '../../wire/bytes.ts'; import { TlsAlert } from '../../wire/alert.ts';",
    },
    {
      file: 'handshake/server/tickets.ts',
      within: 'openTicket',
      find: 'const judging = sealed.judge(opened, ticket);',
      replace:
        "if (opened.facts?.failure === 'bad-mac') throw new TlsAlert('decrypt_error', ''); const judging = sealed.judge(opened, ticket);",
    },
  ],
  'server/tickets/cut': REFUSES_UNKNOWN,
  'server/tickets/of-one-byte': REFUSES_UNKNOWN,
  'server/tickets/longest': REFUSES_UNKNOWN,
  'server/tickets/id-of-tls12': [
    ...REFUSES_VERSIONS,
    {
      file: 'handshake/server/psk-lookups.ts',
      within: 'findById',
      find: "sessions.find('TLSv1.3', id)",
      replace: "sessions.find(id[0] === undefined ? 'TLSv1.3' : 'TLSv1.2', id)",
    },
  ],
  'server/tickets/ticket-of-tls12': REFUSES_VERSIONS,
  ...forAll(['server/tickets/another-name', 'server/tickets/name-left-out'], ANY_NAME),
  'server/tickets/name-in-capitals': [
    {
      file: 'handshake/server/negotiate.ts',
      within: 'canonicalName',
      find: 'name?.toLowerCase()',
      replace: 'name',
    },
  ],
  'server/tickets/another-suite': [
    {
      file: 'handshake/server/resumption.ts',
      within: 'resumedSuite',
      find: 'suites.find(({ id }) => id === cipherSuite)',
      replace: 'suiteById(cipherSuite)',
    },
  ],
  'server/tickets/another-protocol': [
    {
      file: 'handshake/server/psk.ts',
      within: 'takePsk',
      find: 'context.facts.session = session;',
      replace: 'context.facts.session = session; context.facts.alpnProtocol = session.alpnProtocol;',
    },
  ],
  'server/tickets/used-twice': [
    {
      file: 'handshake/server/psk.ts',
      within: 'settle',
      find: 'veto !== undefined || !settings.tickets.singleUse',
      replace: 'true',
    },
  ],
  'server/tickets/after-key-update': [
    {
      file: 'handshake/key-updates.ts',
      within: 'receive',
      find: 'this.#context.protectReading(trafficProtection(this.#traffic.aead, this.#reading));',
      replace: '',
    },
  ],
  'server/tickets/after-unclean-end': [
    {
      file: 'engine/server/session-options.ts',
      within: 'sessionPolicy',
      find: "options.removeUnclean ?? ['TLSv1.2']",
      replace: "['TLSv1.2', 'TLSv1.3']",
    },
    {
      file: 'engine/server/server-role.ts',
      within: 'endedUncleanly',
      find: 'const { session, version } = this.io.facts;',
      replace: 'const { version, resumption: { session } } = this.io.facts;',
    },
  ],
  ...forAll(
    ['server/tickets/after-alert-before-finished', 'server/tickets/after-wrong-finished'],
    [
      {
        file: 'engine/server/server-role.ts',
        within: 'failed',
        find: 'const isEntitled = this.io.hasProof || session !== resumption.session;',
        replace: 'const isEntitled = true;',
      },
    ],
  ),
  'server/tickets/after-alert-of-client': [
    { file: 'engine/server/server-role.ts', within: 'failed', find: 'reason !== undefined', replace: 'false' },
  ],
  'server/tickets/renewed': [
    {
      file: 'handshake/server/new-session-tickets.ts',
      within: 'dueTickets',
      find: 'isResumption ? afterResumption : initial',
      replace: 'isResumption ? 0 : initial',
    },
  ],
};

const retry: Mutants = {
  ...forAll(
    [
      'session-id-changed',
      'random-changed',
      'suites-changed',
      'early-data-added',
      'cookie-unasked',
      'extension-added',
      'extension-left-out',
      'early-data-kept',
      'modes-changed',
      'signature-algorithms-changed',
      'name-changed',
      'protocol-added',
    ].map((id) => `server/retry/${id}`),
    COMPARES_NO_HELLOS,
  ),
  'server/retry/psk-added': COMPARES_NO_HELLOS,
  'server/retry/version-dropped': COMPARES_NO_HELLOS,
  'server/retry/groups-changed': [
    ...COMPARES_NO_HELLOS,
    {
      file: 'handshake/server/negotiate-tls13.ts',
      within: 'requireShares',
      find: '!supported.has(group)',
      replace: 'false',
    },
  ],
  'server/retry/large': [
    {
      file: 'handshake/messages/client-hello.ts',
      within: 'undecidedHello',
      find: "message('client_hello', helloWith(extensions(helloExtensions, ['serverName', 'supportedVersions'])))",
      replace:
        "message('client_hello', helloWith(extensions(helloExtensions, ['serverName', 'supportedVersions'])), 0x4000)",
    },
  ],
  'server/retry/padding-added': [
    {
      file: 'handshake/server/second-hello.ts',
      within: 'fixedDigest',
      find: 'MAY_CHANGE.has(type)',
      replace: 'MAY_CHANGE.has(type) && type !== ExtensionType.padding',
    },
  ],
  'server/retry/psk-left-out': [
    {
      file: 'handshake/server/second-hello.ts',
      within: 'isSubsequence',
      find: 'at === part.length',
      replace: 'part.length === whole.length',
    },
  ],
  'server/retry/share-of-another-group': [ANY_SHARE],
  'server/retry/share-missing': [
    ANY_SHARE,
    {
      file: 'handshake/server/negotiate-tls13.ts',
      within: 'onlyShare',
      find: 'copyOf(share.keyExchange)',
      replace: 'copyOf(share?.keyExchange ?? new Uint8Array(32).fill(9))',
    },
  ],
  'server/retry/binder-of-first': ACCEPTS_BINDERS,
  'server/retry/psk-dropped': SELECTS_ONCE,
};

const earlyData: Mutants = {
  'server/early-data/skipped-to-the-limit': [
    {
      file: 'crypto/record-reader.ts',
      within: '#skip',
      find: 'left < 0 && dataLeft < 0',
      replace: 'dataLeft < 512',
    },
  ],
  'server/early-data/skipped-with-session': SKIPS_NO_EARLY_DATA,
  'server/early-data/skipped-with-unknown-psk': SKIPS_NO_EARLY_DATA,
  'server/early-data/skipped-after-retry': SKIPS_NO_EARLY_DATA,
  'server/early-data/skipped-too-much': [
    {
      file: 'crypto/record-reader.ts',
      within: '#skip',
      find: 'this.#early.left - fragment.length',
      replace: 'this.#early.left',
    },
  ],
  'server/early-data/record-does-not-open': [
    ...OPENS_OR_SKIPS,
    {
      file: 'crypto/record-reader.ts',
      within: '#skip',
      find: 'const left = this.#early.left - fragment.length;',
      replace: 'return true;',
    },
  ],
  'server/early-data/end-missing': [
    {
      file: 'handshake/server/server-tls13.ts',
      within: 'sendServerHello',
      find: 'early === undefined',
      replace: 'true',
    },
    {
      file: 'handshake/server/server-tls13.ts',
      within: 'serveTls13',
      find: 'if (early !== undefined) yield* receiveEarlyData(context, early, handshake);',
      replace: '',
    },
  ],
  'server/early-data/end-twice': LETS_MESSAGES_STRADDLE,
  'server/early-data/end-with-content': [
    {
      file: 'handshake/messages/end-of-early-data.ts',
      find: "import { struct } from '../../wire/codec.ts';",
      replace: "import { rest } from '../../wire/codec.ts';",
    },
    {
      file: 'handshake/messages/end-of-early-data.ts',
      within: 'EndOfEarlyData',
      find: 'struct({})',
      replace: '{ ...rest, write: () => {} }',
    },
  ],
  'server/early-data/finished-in-place-of-end': SKIPS_MESSAGES,
  'server/early-data/too-much': [
    { file: 'handshake/server/early-data.ts', within: 'receive', find: 'this.#left < 0', replace: 'false' },
  ],
  'server/early-data/second-identity': admitsEarlyData("if (identityIndex !== 0) return 'not-first';"),
  ...forAll(
    ['server/early-data/age-too-old', 'server/early-data/age-too-young', 'server/early-data/age-half-way'],
    IGNORES_EARLY_AGES,
  ),
  'server/early-data/another-protocol': admitsEarlyData(
    "if (facts.alpnProtocol !== terms.alpnProtocol) return 'alpn';",
  ),
  'server/early-data/another-suite': admitsEarlyData("if (suite.id !== terms.cipherSuite) return 'cipher-suite';"),
  'server/early-data/another-name': [
    {
      file: 'handshake/server/early-data.ts',
      within: 'mismatch',
      find: 'canonicalName(facts.serverName) === canonicalName(name)',
      replace: 'true',
    },
  ],
  'server/early-data/replayed': [
    {
      file: 'handshake/server/early-data.ts',
      within: 'admit',
      find: 'settings.admit === undefined || settings.admit({ key, expiresIn, connection: context.info() })',
      replace: 'true',
    },
  ],
};

const secondFlight: Mutants = {
  ...forAll(
    ['server/second-flight/finished-wrong', 'server/second-flight/finished-short'],
    [
      {
        file: 'handshake/server/server-tls13.ts',
        within: 'receiveFinished',
        find: 'requireVerifyData(body, expected);',
        replace: '',
      },
    ],
  ),
  ...forAll(
    [
      'finished-first',
      'client-hello-again',
      'certificate-beside-psk',
      'key-update-before-finished',
      'end-of-early-data-unasked',
    ].map((id) => `server/second-flight/${id}`),
    SKIPS_MESSAGES,
  ),
  'server/second-flight/finished-missing': [
    {
      file: 'handshake/server/server-tls13.ts',
      within: 'receiveFinished',
      find: 'const expected = known ?? finishedMac(secrets.client, context.transcript.peek());',
      replace: `
        const expected = known ?? finishedMac(secrets.client, context.transcript.peek());
        if (context.facts.resumption.resumed) {
          context.proved();
          return context.protectReading(trafficProtection(application.aead, application.secrets.client));
        }`,
    },
  ],
  'server/second-flight/finished-twice': LETS_MESSAGES_STRADDLE,
  'server/second-flight/change-cipher-spec-of-another-value': [
    {
      file: 'crypto/record-reader.ts',
      within: '#readChangeCipherSpec',
      find: 'fragment.length !== 1 || fragment[0] !== 1',
      replace: 'false',
    },
  ],
  'server/second-flight/change-cipher-spec-protected': [
    {
      file: 'crypto/record-reader.ts',
      within: '#open',
      find: 'const content = this.#protection.open(record);',
      replace: 'const content = this.#protection.open(record); if (content.type === 20) return undefined;',
    },
  ],
  'server/second-flight/change-cipher-spec-after-finished': [
    {
      file: 'handshake/server/server-tls13.ts',
      within: 'receiveFinished',
      find: 'context.tolerateChangeCipherSpec(false);',
      replace: '',
    },
  ],
};

const recordLimits: Mutants = {
  'server/record-limits/limit-obeyed': OBEYS_NO_LIMIT,
  'server/record-limits/limit-on-resumption': OBEYS_NO_LIMIT,
  'server/record-limits/limit-below-64': [
    {
      file: 'handshake/record-size-limit.ts',
      within: 'obeyRecordSizeLimit',
      find: 'limit < MIN_LIMIT',
      replace: 'false',
    },
  ],
  'server/record-limits/limit-above-all': [
    {
      file: 'handshake/record-size-limit.ts',
      within: 'obeyRecordSizeLimit',
      find: 'limit < MIN_LIMIT',
      replace: 'limit < MIN_LIMIT || limit > MAX_PLAINTEXT + 1',
    },
  ],
  'server/record-limits/both': [
    {
      file: 'handshake/max-fragment-length.ts',
      within: 'wantedFragmentLength',
      find: 'code === undefined || recordSizeLimit !== undefined',
      replace: 'code === undefined',
    },
  ],
  'server/record-limits/fragment-length-unknown': [
    {
      file: 'handshake/max-fragment-length.ts',
      within: 'wantedFragmentLength',
      find: 'code < 1 || code > LAST_CODE',
      replace: 'false',
    },
  ],
  'server/record-limits/fragment-length-changed': [
    {
      file: 'handshake/server/resumption.ts',
      within: 'LENGTH',
      find: 'wanted === undefined || wanted === (foreign.maxFragmentLength ?? 0)',
      replace: 'true',
    },
  ],
};

const hello: Mutants = {
  ...forAll(
    ['server/hello/session-id-of-0', 'server/hello/session-id-of-1', 'server/hello/session-id-of-32'],
    ECHOES_ANOTHER,
  ),
  'server/hello/session-id-of-33': ID_OF_ANY_LENGTH,
  ...forAll(
    ['server/hello/compression-none', 'server/hello/compression-other', 'server/hello/compression-two'],
    ANY_COMPRESSION,
  ),
  ...forAll(['server/hello/legacy-version-0301', 'server/hello/legacy-version-0304'], ANY_LEGACY_VERSION),
  ...forAll(
    [
      'server/hello/pre-shared-key-twice',
      'server/hello/psk-key-exchange-modes-twice',
      'server/hello/supported-versions-twice',
      'server/hello/key-share-twice',
      'server/hello/server-name-twice',
    ],
    EXTENSIONS_TWICE,
  ),
  'server/hello/change-cipher-spec-answered': [
    {
      file: 'handshake/server/server-tls13.ts',
      within: 'sendServerHello',
      find: 'if (hello.body.legacySessionId.length > 0 && !choice.retried) context.sendChangeCipherSpec();',
      replace: '',
    },
  ],
};

export const serverTls13: Mutants = {
  ...psk,
  ...tickets,
  ...retry,
  ...earlyData,
  ...secondFlight,
  ...recordLimits,
  ...hello,
};
