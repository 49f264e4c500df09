/** Mutants for the scenarios with a client of TLS 1.3: what each is about, taken out. */

import type { MutantEdit, Mutants } from './build.ts';

/** A lifetime of more than seven days is a decode_error. */
const LIFETIME_REFUSED: readonly MutantEdit[] = [
  {
    file: 'handshake/client/new-session-tickets.ts',
    within: 'receive',
    find: 'parse(newSessionTicket, raw)',
    replace:
      "parse(newSessionTicket, raw); if (ticket.ticketLifetime > MAX_TICKET_LIFETIME) throw new TlsAlert('decode_error', '')",
  },
  {
    file: 'handshake/client/new-session-tickets.ts',
    find: "import { MAX_TICKET_LIFETIME, type NewSessionTicket, newSessionTicket } from '../messages/new-session-ticket.ts';",
    replace:
      "import { MAX_TICKET_LIFETIME, type NewSessionTicket, newSessionTicket } from '../messages/new-session-ticket.ts'; import { TlsAlert } from '../../wire/alert.ts';",
  },
];

/** A ticket that cannot be read is ignored. */
const UNREADABLE_TICKETS: readonly MutantEdit[] = [
  {
    file: 'handshake/client/new-session-tickets.ts',
    within: 'receive',
    find: 'const ticket = parse(newSessionTicket, raw);',
    replace: 'let ticket; try { ticket = parse(newSessionTicket, raw); } catch { return; }',
  },
];

/** early_data of a ticket is not read. */
const EARLY_DATA_UNREAD: readonly MutantEdit[] = [
  {
    file: 'handshake/messages/new-session-ticket.ts',
    within: 'NewSessionTicket',
    find: 'extensions({ earlyData: [ExtensionType.early_data, uint32] })',
    replace: 'extensions({})',
  },
];

/** An extension that nobody knows is misplaced. */
const NOTHING_UNKNOWN: readonly MutantEdit[] = [
  {
    file: 'handshake/client/answer-rules.ts',
    within: 'requirePlaced',
    find: '!allowed.includes(type) && isKnown(type)',
    replace: '!allowed.includes(type)',
  },
];

/** An extension may be in any message. */
const ANY_PLACE: readonly MutantEdit[] = [
  {
    file: 'handshake/client/answer-rules.ts',
    within: 'requirePlaced',
    find: 'misplaced !== undefined',
    replace: 'false',
  },
];

/** An extension may answer nothing. */
const UNASKED: readonly MutantEdit[] = [
  {
    file: 'handshake/client/answer-rules.ts',
    within: 'requireAnswers',
    find: 'unsolicited !== undefined',
    replace: 'false',
  },
];

/** A suite that was not offered is taken for the first. */
const ANY_SUITE: readonly MutantEdit[] = [
  {
    file: 'handshake/client/answer-rules.ts',
    within: 'selectedSuite',
    find: 'suite !== undefined && draft.cipherSuites.includes(id)',
    replace: 'true',
  },
  {
    file: 'handshake/client/answer-rules.ts',
    within: 'selectedSuite',
    find: 'settings.suites.find((one) => one.id === id && one.version === version)',
    replace:
      'settings.suites.find((one) => one.id === id && one.version === version) ?? (settings.suites[0] as SuiteParameters)',
  },
];

/** An extension may occur twice. */
const TWICE: readonly MutantEdit[] = [
  {
    file: 'wire/codec.ts',
    within: 'Seen',
    find: 'this.#set?.has(type) ?? this.order.includes(type)',
    replace: 'false',
  },
];

/** A message of another type is taken for the one that is expected. */
const ANY_ORDER: readonly MutantEdit[] = [
  {
    file: 'wire/handshake-buffer.ts',
    within: 'accepted',
    find: `throw new TlsAlert('unexpected_message', \`handshake message \${type}, \${expected?.name ?? 'none'} expected\`);`,
    replace: "return { name: '', type, limit: 0xffffff };",
  },
];

/** What follows in the record in which the keys change is dropped. */
const STRADDLING: readonly MutantEdit[] = [
  {
    file: 'crypto/record-reader.ts',
    within: 'protect',
    find: "throw new TlsAlert('unexpected_message', 'a message straddles a change of keys');",
    replace: 'this.#messages.clear();',
  },
];

/** An identity out of range is the first. */
const FIRST_IDENTITY: readonly MutantEdit[] = [
  {
    file: 'handshake/client/client-tls13.ts',
    within: 'selectedPsk',
    find: 'sent.draft.psks[index]',
    replace: 'sent.draft.psks[index] ?? sent.draft.psks[0]',
  },
];

/** psk_ke is taken for offered. */
const KE_ALLOWED: readonly MutantEdit[] = [
  {
    file: 'handshake/client/client-tls13.ts',
    within: 'selectedShare',
    find: "offersMode(draft, 'psk_ke')",
    replace: 'true',
  },
];

/** Keys are derived of nothing. */
const NO_SECRET: readonly MutantEdit[] = [
  {
    file: 'handshake/client/client-tls13.ts',
    within: 'selectedShare',
    find: "offersMode(draft, 'psk_ke')",
    replace: 'true',
  },
  {
    file: 'handshake/client/client-tls13.ts',
    within: 'selectedShare',
    find: '!hasPsk',
    replace: 'false',
  },
];

/** The group of a share is not looked at. */
const ANY_GROUP: readonly MutantEdit[] = [
  {
    file: 'handshake/client/client-tls13.ts',
    within: 'selectedShare',
    find: '[...keys.keys()].find((name) => NamedGroup[name] === keyShare.group)',
    replace: '[...keys.keys()][0]',
  },
];

/** The echo of the session id is not looked at. */
const ANY_ECHO: readonly MutantEdit[] = [
  {
    file: 'handshake/client/client-tls13.ts',
    within: 'requireHead',
    find: '!equalBytes(hello.legacySessionIdEcho, sent.draft.legacySessionId)',
    replace: 'false',
  },
];

/** The end of the random is not looked at. */
const ANY_MARK: readonly MutantEdit[] = [
  {
    file: 'handshake/client/connect.ts',
    within: 'requireNoDowngrade',
    find: 'isFrom13 || isBelow',
    replace: 'false',
  },
];

/** The group of a HelloRetryRequest is not looked at. */
const ANY_RETRY_GROUP: readonly MutantEdit[] = [
  {
    file: 'handshake/client/client-tls13.ts',
    within: 'acceptRetry',
    find: '!isOffered || isShared',
    replace: 'false',
  },
];

/** legacy_version is not looked at. */
const ANY_LEGACY_VERSION: readonly MutantEdit[] = [
  {
    file: 'handshake/client/answer-rules.ts',
    within: 'requireConstants',
    find: "legacyVersion !== ProtocolVersion['TLSv1.2']",
    replace: 'false',
  },
];

/** supported_versions selects TLS 1.3, whatever is in it. */
const ANY_SELECTED_VERSION: readonly MutantEdit[] = [
  {
    file: 'handshake/client/connect.ts',
    within: 'selectedVersion',
    find: "selected === ProtocolVersion['TLSv1.3'] && isOffered",
    replace: 'isOffered',
  },
];

/** The level of an alert decides. */
const WARNINGS: readonly MutantEdit[] = [
  {
    file: 'engine/peer-alerts.ts',
    within: 'fatalAlert',
    find: "version !== 'TLSv1.3' && isWarning",
    replace: 'isWarning',
  },
];

/** Early data is sent whatever the ticket allows. */
const EARLY_DATA_UNBOUND: readonly MutantEdit[] = [
  {
    file: 'handshake/client/early-data.ts',
    within: 'allowsEarlyData',
    find: '(foreign.maxEarlyData ?? 0) >= Math.max(1, earlyDataLength)',
    replace: 'true',
  },
];

/** A ticket stays in the cache. */
const TICKETS_FOR_EVER: readonly MutantEdit[] = [
  {
    file: 'engine/client/session-cache.ts',
    within: 'take',
    find: 'psk !== undefined && this.#options.singleUse',
    replace: 'false',
  },
];

/** Tickets are kept without the server name. */
const ONE_NAME: readonly MutantEdit[] = [
  {
    file: 'engine/client/session-cache.ts',
    within: 'keyOf',
    find: 'serverName?.toLowerCase() ?? null',
    replace: 'null',
  },
];

/** A KeyUpdate changes no keys of the peer. */
const OLD_KEYS: readonly MutantEdit[] = [
  {
    file: 'handshake/key-updates.ts',
    within: 'receive',
    find: 'this.#context.protectReading(trafficProtection(this.#traffic.aead, this.#reading))',
    replace: 'undefined',
  },
];

export const clientTls13: Mutants = {
  'client/psk/ticket-lifetime-zero': [
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: 'receive',
      find: 'ticket.ticketLifetime > 0',
      replace: 'true',
    },
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: '#keep',
      find: 'Math.min(ticketLifetime, MAX_TICKET_LIFETIME)',
      replace: '7200',
    },
  ],
  'client/psk/ticket-lifetime-over': [
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: '#keep',
      find: 'Math.min(ticketLifetime, MAX_TICKET_LIFETIME)',
      replace: '7200',
    },
  ],
  'client/psk/ticket-lifetime-short': [
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: 'receive',
      find: 'ticket.ticketLifetime > 0',
      replace: 'ticket.ticketLifetime > 60',
    },
  ],
  'client/psk/ticket-lifetime-above-seven-days': LIFETIME_REFUSED,
  'client/psk/ticket-lifetime-highest': LIFETIME_REFUSED,
  'client/psk/ticket-nonce-empty': [
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: '#keep',
      find: 'resumptionPsk(this.#main.resumption, ticketNonce)',
      replace: 'resumptionPsk(this.#main.resumption, ticketNonce.length > 0 ? ticketNonce : new Uint8Array(1))',
    },
  ],
  'client/psk/ticket-nonce-longest': [
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: '#keep',
      find: 'resumptionPsk(this.#main.resumption, ticketNonce)',
      replace: 'resumptionPsk(this.#main.resumption, ticketNonce.subarray(0, 32))',
    },
  ],
  'client/psk/ticket-nonce-repeated': [
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: 'receive',
      find: 'parse(newSessionTicket, raw)',
      replace:
        'parse(newSessionTicket, raw); const seen = ((this as any).seen ??= new Set()); if (seen.has(String(ticket.ticketNonce))) requirePlaced([ExtensionType.cookie], []); seen.add(String(ticket.ticketNonce))',
    },
  ],
  'client/psk/tickets-many': [
    {
      file: 'handshake/client/new-session-tickets.ts',
      within: 'receive',
      find: 'parse(newSessionTicket, raw)',
      replace:
        'parse(newSessionTicket, raw); const seen = ((this as any).seen ??= new Set()); if (seen.size === 50) requirePlaced([ExtensionType.cookie], []); seen.add(raw)',
    },
  ],
  'client/psk/ticket-empty': [
    {
      file: 'handshake/messages/new-session-ticket.ts',
      within: 'NewSessionTicket',
      find: 'opaque(1, 0xffff)',
      replace: 'opaque(0, 0xffff)',
    },
  ],
  'client/psk/ticket-longest': [
    {
      file: 'handshake/messages/new-session-ticket.ts',
      find: "message('new_session_ticket', NewSessionTicket)",
      replace: "message('new_session_ticket', NewSessionTicket, 0x4000)",
    },
  ],
  'client/psk/ticket-truncated': UNREADABLE_TICKETS,
  'client/psk/ticket-with-a-byte-more': UNREADABLE_TICKETS,
  'client/psk/ticket-extension-unknown': NOTHING_UNKNOWN,
  'client/psk/ticket-extension-grease': NOTHING_UNKNOWN,
  'client/psk/ticket-extension-misplaced': ANY_PLACE,
  'client/psk/ticket-early-data-twice': TWICE,
  'client/psk/ticket-early-data-short': EARLY_DATA_UNREAD,
  'client/psk/ticket-early-data-long': EARLY_DATA_UNREAD,
  'client/psk/ticket-before-finished': ANY_ORDER,
  'client/psk/ticket-before-finished-of-a-resumption': ANY_ORDER,
  'client/psk/ticket-in-the-record-of-finished': STRADDLING,
  'client/psk/tickets-in-one-record': [
    {
      file: 'wire/handshake-buffer.ts',
      within: 'next',
      find: 'return { type, raw: withoutSlack(this.#queue.take(MESSAGE_HEADER + length)) };',
      replace:
        "if (type === 4 && this.#queue.length > MESSAGE_HEADER + length) throw new TlsAlert('decode_error', ''); return { type, raw: withoutSlack(this.#queue.take(MESSAGE_HEADER + length)) };",
    },
  ],
  'client/psk/ticket-in-many-records': [
    {
      file: 'wire/handshake-buffer.ts',
      within: 'next',
      find: 'if (this.#queue.length < MESSAGE_HEADER + length) return this.#queue.trim();',
      replace:
        "if (this.#queue.length < MESSAGE_HEADER + length) { if (type === 4) throw new TlsAlert('decode_error', ''); return this.#queue.trim(); }",
    },
  ],
  'client/psk/ticket-with-data-inside': [
    {
      file: 'crypto/record-reader.ts',
      within: '#readData',
      find: "this.#requireWholeMessages('application_data')",
      replace: 'undefined',
    },
  ],
  'client/psk/selected-identity-out-of-range': FIRST_IDENTITY,
  'client/psk/selected-identity-next': FIRST_IDENTITY,
  'client/psk/selected-identity-highest': FIRST_IDENTITY,
  'client/psk/selected-identity-short': [
    {
      file: 'handshake/messages/server-hello.ts',
      within: 'ServerHello',
      find: '[ExtensionType.pre_shared_key, uint16]',
      replace: '[ExtensionType.pre_shared_key, rest]',
    },
  ],
  'client/psk/selected-unasked': UNASKED,
  'client/psk/suite-of-another-hash': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'selectedPsk',
      find: 'psk.hash !== suite.hash',
      replace: 'false',
    },
  ],
  'client/psk/suite-of-the-same-hash': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'selectedPsk',
      find: 'psk.hash !== suite.hash',
      replace: 'offerOf(sent, psk)?.session?.cipherSuite !== suite.id',
    },
  ],
  'client/psk/suite-not-offered': ANY_SUITE,
  'client/psk/binder-sha384': [
    {
      file: 'engine/client/offers.ts',
      within: '#offer',
      find: "suiteById(session.cipherSuite)?.hash ?? 'sha256'",
      replace: "'sha256'",
    },
  ],
  'client/psk/no-key-share': KE_ALLOWED,
  'client/psk/neither-psk-nor-key-share': NO_SECRET,
  'client/psk/neither-though-offered': NO_SECRET,
  'client/psk/key-share-with-psk-ke': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'selectedShare',
      find: "throw new TlsAlert('illegal_parameter', 'psk_dhe_ke, which was not offered');",
      replace: 'return undefined;',
    },
  ],
  'client/psk/key-share-of-another-group': ANY_GROUP,
  'client/psk/session-id-echo-wrong': ANY_ECHO,
  'client/psk/version-changed': [
    {
      file: 'handshake/client/connect.ts',
      within: 'requireTls12',
      find: 'early !== undefined',
      replace: 'draft.psks.length > 0',
    },
    {
      file: 'handshake/client/connect.ts',
      within: 'requireTls12',
      find: "throw new TlsAlert('protocol_version', 'the server has selected TLS 1.2 after early data');",
      replace: "throw new TlsAlert('illegal_parameter', '');",
    },
  ],
  'client/psk/downgrade-mark-tls12': ANY_MARK,
  'client/psk/downgrade-mark-tls11': ANY_MARK,
  'client/psk/protocol-changed': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'receiveEncryptedExtensions',
      find: 'context.facts.alpnProtocol = selectedProtocol(sent, extensions.alpn);',
      replace:
        "context.facts.alpnProtocol = selectedProtocol(sent, extensions.alpn); if (psk !== undefined && context.facts.alpnProtocol !== 'h2') throw new TlsAlert('illegal_parameter', '');",
    },
  ],
  'client/psk/resumes': [
    {
      file: 'handshake/client/hello-draft.ts',
      within: 'binderOf',
      find: 'pskBinderKey(early, kind)',
      replace: "pskBinderKey(early, 'external')",
    },
  ],
  'client/psk/extension-last': [
    {
      file: 'handshake/client/hello-draft.ts',
      within: 'encodeHello',
      find: 'const raw = frameHello(draft);',
      replace:
        'const raw = frameHello({ ...draft, extensions: [place, ...(draft.extensions ?? []).filter((one) => one !== place)] });',
    },
  ],
  'client/psk/modes-sent': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'draftExtensions',
      find: 'list.push({ type: ExtensionType.pre_shared_key, data: EMPTY })',
      replace:
        'list.splice(list.findIndex(({ type }) => type === ExtensionType.psk_key_exchange_modes), 1), list.push({ type: ExtensionType.pre_shared_key, data: EMPTY })',
    },
  ],
  'client/psk/fallback-offered': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'draftExtensions',
      find: 'list.push({ type: ExtensionType.pre_shared_key, data: EMPTY })',
      replace:
        'list.splice(list.findIndex(({ type }) => type === ExtensionType.key_share), 1), list.push({ type: ExtensionType.pre_shared_key, data: EMPTY })',
    },
  ],
  'client/psk/suite-offered': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'suitesFor',
      find: '[...new Set([...own, ...alike, ...suites])].map(({ id }) => id)',
      replace: 'suites.map(({ id }) => id).filter((id) => id !== psk?.session?.cipherSuite)',
    },
  ],
  'client/psk/age': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'obfuscatedAge',
      find: '(context.ageOf(offer) + offer.session.ticketAgeAdd) % 2 ** 32',
      replace: 'context.ageOf(offer)',
    },
  ],
  'client/psk/random-fresh': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'draftHello',
      find: "context.randomBytes(32, 'random')",
      replace: 'new Uint8Array(32)',
    },
  ],
  'client/psk/ticket-reused': TICKETS_FOR_EVER,
  'client/psk/ticket-reused-after-rejection': [
    ...TICKETS_FOR_EVER,
    {
      file: 'engine/client/client-role.ts',
      within: 'established',
      find: "resumption.reason === 'declined' && version === 'TLSv1.3'",
      replace: 'false',
    },
  ],
  'client/psk/ticket-of-another-name': ONE_NAME,
  'client/psk/tickets-of-two-names': ONE_NAME,
  'client/hello-retry/twice': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'receiveServerHello',
      find: 'isRetry(second)',
      replace: 'false',
    },
  ],
  'client/hello-retry/group-already-sent': ANY_RETRY_GROUP,
  'client/hello-retry/group-not-offered': ANY_RETRY_GROUP,
  'client/hello-retry/nothing-asked': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'acceptRetry',
      find: 'keyShare === undefined && cookie === undefined',
      replace: 'false',
    },
  ],
  'client/hello-retry/cookie-empty': [
    {
      file: 'handshake/messages/server-hello.ts',
      within: 'HelloRetryRequest',
      find: 'opaque(1, 0xffff)',
      replace: 'opaque(0, 0xffff)',
    },
    {
      file: 'handshake/messages/client-hello.ts',
      within: 'helloExtensions',
      find: "[ExtensionType.cookie, opaque(1, 0xffff), 'TLSv1.3']",
      replace: "[ExtensionType.cookie, opaque(0, 0xffff), 'TLSv1.3']",
    },
  ],
  'client/hello-retry/suite-not-offered': [
    {
      file: 'handshake/client/answer-rules.ts',
      within: 'selectedSuite',
      find: 'suite !== undefined && draft.cipherSuites.includes(id)',
      replace: 'true',
    },
    {
      file: 'handshake/client/answer-rules.ts',
      within: 'selectedSuite',
      find: 'settings.suites.find((one) => one.id === id && one.version === version)',
      replace:
        'settings.suites.find((one) => one.id === id && one.version === version) ?? (settings.suites[0] as SuiteParameters)',
    },
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'receiveServerHello',
      find: 'second.body.cipherSuite !== retry.cipherSuite',
      replace: 'false',
    },
  ],
  'client/hello-retry/suite-changed': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'receiveServerHello',
      find: 'second.body.cipherSuite !== retry.cipherSuite',
      replace: 'false',
    },
  ],
  'client/hello-retry/version-changed': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'receiveServerHello',
      find: "second.body.extensions.supportedVersions !== ProtocolVersion['TLSv1.3']",
      replace: 'false',
    },
  ],
  'client/hello-retry/version-missing': [
    {
      file: 'handshake/client/connect.ts',
      within: 'selectedVersion',
      find: "throw new TlsAlert('missing_extension', 'a HelloRetryRequest without supported_versions');",
      replace: "return 'TLSv1.3';",
    },
  ],
  'client/hello-retry/session-id-echo-wrong': ANY_ECHO,
  'client/hello-retry/share-of-another-group': ANY_GROUP,
  'client/hello-retry/pre-shared-key': ANY_PLACE,
  'client/hello-retry/resumes': [
    {
      file: 'handshake/client/hello-draft.ts',
      within: 'binderOf',
      find: 'transcript.hashWith(early.hash, truncated)',
      replace: 'early.hash.digest(truncated)',
    },
  ],
  'client/hello-retry/psk-declined': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'selectedPsk',
      find: 'if (index === undefined) return undefined;',
      replace:
        "if (index === undefined && sent.draft.psks.length > 0) throw new TlsAlert('illegal_parameter', ''); if (index === undefined) return undefined;",
    },
  ],
  'client/hello-retry/psk-of-another-hash': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'sendSecondHello',
      find: 'psk.hash === undefined || psk.hash === hash',
      replace: 'true',
    },
  ],
  'client/hello-retry/psk-selected-that-was-left-out': [
    {
      file: 'handshake/client/answer-rules.ts',
      within: 'requireAnswers',
      find: 'unsolicited !== undefined',
      replace: 'false',
    },
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'selectedPsk',
      find: 'index === undefined',
      replace: 'index === undefined || sent.draft.psks.length === 0',
    },
  ],
  'client/hello-retry/cookie': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'sendSecondHello',
      find: "insert(extensions, extension('cookie', cookie))",
      replace: 'undefined',
    },
  ],
  'client/hello-retry/second-hello-unchanged': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'sendSecondHello',
      find: 'const { draft } = first;',
      replace: "const draft = { ...first.draft, random: context.randomBytes(32, 'random') };",
    },
  ],
  'client/hello-retry/one-share': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'sendSecondHello',
      find: "replace(extensions, extension('keyShare', sharesOf(keys)))",
      replace: "replace(extensions, extension('keyShare', sharesOf(new Map([...first.keys, ...keys]))))",
    },
  ],
  'client/hello-retry/ticket-request': ANY_PLACE,
  'client/psk/ticket-after-key-update': OLD_KEYS,
  'client/psk/key-update-while-resumed': OLD_KEYS,
  'client/psk/change-cipher-spec-protected': [
    {
      file: 'crypto/record-reader.ts',
      within: 'read',
      find: 'const content = this.#open(record);',
      replace:
        'const content = this.#open(record); if (content?.type === ContentType.change_cipher_spec) return undefined;',
    },
  ],
  'client/psk/handshake-record-empty': [
    {
      file: 'crypto/protection.ts',
      find: `throw new TlsAlert('unexpected_message', \`an empty record of type \${type}\`);`,
      replace: 'undefined;',
    },
    {
      file: 'crypto/record-reader.ts',
      within: '#readHandshake',
      find: "throw new TlsAlert('unexpected_message', 'an empty handshake record');",
      replace: 'return;',
    },
  ],
  'client/server-hello/session-id-echo-wrong': ANY_ECHO,
  'client/server-hello/session-id-echo-empty': ANY_ECHO,
  'client/server-hello/compression': [
    {
      file: 'handshake/client/answer-rules.ts',
      within: 'requireConstants',
      find: 'legacyCompressionMethod !== 0',
      replace: 'false',
    },
  ],
  'client/server-hello/legacy-version-tls13': ANY_LEGACY_VERSION,
  'client/server-hello/legacy-version-tls11': ANY_LEGACY_VERSION,
  'client/server-hello/supported-versions-tls12': ANY_SELECTED_VERSION,
  'client/server-hello/supported-versions-unknown': ANY_SELECTED_VERSION,
  'client/server-hello/extension-twice': TWICE,
  'client/server-hello/ticket-request': ANY_PLACE,
  'client/server-hello/psk-key-exchange-modes': ANY_PLACE,
  'client/psk/finished-wrong': [
    {
      file: 'handshake/messages/finished.ts',
      within: 'requireVerifyData',
      find: '!equalConstantTime(verifyData, expected)',
      replace: 'false',
    },
  ],
  'client/psk/finished-empty': [
    {
      file: 'handshake/messages/finished.ts',
      within: 'requireVerifyData',
      find: 'verifyData.length !== expected.length',
      replace: 'false',
    },
    {
      file: 'handshake/messages/finished.ts',
      within: 'requireVerifyData',
      find: '!equalConstantTime(verifyData, expected)',
      replace: 'verifyData.some((byte, i) => byte !== expected[i])',
    },
  ],
  'client/psk/finished-missing': [
    {
      file: 'crypto/record-reader.ts',
      within: '#open',
      find: 'throw error;',
      replace: 'return undefined;',
    },
  ],
  'client/psk/finished-early': ANY_ORDER,
  'client/psk/encrypted-extensions-missing': ANY_ORDER,
  'client/psk/certificate-beside-psk': ANY_ORDER,
  'client/psk/certificate-request-beside-psk': ANY_ORDER,
  'client/psk/end-of-early-data-from-server': ANY_ORDER,
  'client/psk/key-update-before-finished': ANY_ORDER,
  'client/psk/finished-twice': STRADDLING,
  'client/psk/data-before-finished': [
    {
      file: 'engine/core.ts',
      within: '#receiveEarlyData',
      find: "throw new TlsAlert('unexpected_message', 'application data in the handshake');",
      replace: 'return;',
    },
  ],
  'client/psk/alert-as-a-warning': WARNINGS,
  'client/psk/alert-unknown': WARNINGS,
  'client/psk/alert-of-one-byte': [
    {
      file: 'crypto/record-reader.ts',
      within: '#readAlert',
      find: 'content.length !== 2 || level === undefined || description === undefined',
      replace: 'false',
    },
  ],
  'client/psk/fatal-alert-after-ticket': [
    {
      file: 'engine/client/client-role.ts',
      within: 'failed',
      find: 'this.sessions.forbid()',
      replace: 'undefined',
    },
  ],
  'client/psk/unclean-end-after-ticket': [
    {
      file: 'engine/client/client-role.ts',
      within: 'close',
      find: 'this.sessions.close()',
      replace: 'this.sessions.forbid(), this.sessions.close()',
    },
  ],
  'client/encrypted-extensions/pre-shared-key': ANY_PLACE,
  'client/encrypted-extensions/key-share': ANY_PLACE,
  'client/encrypted-extensions/psk-key-exchange-modes': ANY_PLACE,
  'client/encrypted-extensions/early-data-unasked': UNASKED,
  'client/encrypted-extensions/ticket-request-unasked': UNASKED,
  'client/encrypted-extensions/unknown': UNASKED,
  'client/encrypted-extensions/ticket-request-empty': [
    {
      file: 'handshake/messages/encrypted-extensions.ts',
      within: 'EncryptedExtensions',
      find: '[ExtensionType.ticket_request, uint8]',
      replace:
        '[ExtensionType.ticket_request, { max: 1, read: (reader) => (reader.remaining > 0 ? uint8.read(reader) : 0), write: () => {} }]',
    },
  ],
  'client/early-data/ticket-without': EARLY_DATA_UNBOUND,
  'client/early-data/max-size': EARLY_DATA_UNBOUND,
  'client/early-data/full-handshake': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'draftExtensions',
      find: 'allowsEarlyData(context, psks[0], name?.toLowerCase())',
      replace: 'context.earlyDataLength !== undefined',
    },
  ],
  'client/early-data/accepted': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'connectTls13',
      find: "context.facts.earlyData === 'accepted'",
      replace: 'false',
    },
  ],
  'client/early-data/rejected': [
    {
      file: 'handshake/client/client-tls13.ts',
      within: 'connectTls13',
      find: "context.facts.earlyData === 'accepted'",
      replace: "context.facts.earlyData !== 'none'",
    },
  ],
  'client/early-data/rejected-with-the-session': [
    {
      file: 'handshake/client/early-data.ts',
      within: 'answerEarlyData',
      find: 'context.protectWriting(next())',
      replace: 'undefined',
    },
  ],
  'client/early-data/after-hello-retry': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'sendSecondHello',
      find: '(draft.extensions ?? []).filter(({ type }) => type !== ExtensionType.early_data)',
      replace: '[...(draft.extensions ?? [])]',
    },
  ],
  'client/early-data/accepted-without-its-psk': [
    {
      file: 'handshake/client/early-data.ts',
      within: 'answerEarlyData',
      find: 'selected.identityIndex !== 0',
      replace: 'false',
    },
  ],
  'client/early-data/accepted-for-another-identity': [
    ...FIRST_IDENTITY,
    {
      file: 'handshake/client/early-data.ts',
      within: 'answerEarlyData',
      find: 'selected.identityIndex !== 0',
      replace: 'false',
    },
  ],
  'client/early-data/accepted-after-hello-retry': UNASKED,
  'client/early-data/accepted-under-another-suite': [
    {
      file: 'handshake/client/early-data.ts',
      within: 'answerEarlyData',
      find: 'selected.suite.id !== early.suite.id',
      replace: 'false',
    },
  ],
  'client/early-data/accepted-with-content': [
    {
      file: 'handshake/messages/encrypted-extensions.ts',
      within: 'EncryptedExtensions',
      find: '[ExtensionType.early_data, flag]',
      replace: '[ExtensionType.early_data, uint8]',
    },
  ],
  'client/early-data/accepted-in-server-hello': ANY_PLACE,
  'client/early-data/answered-by-tls12': [
    {
      file: 'handshake/client/connect.ts',
      within: 'requireTls12',
      find: 'early !== undefined',
      replace: 'false',
    },
  ],
  'client/record-size-limit/below-64': [
    {
      file: 'handshake/record-size-limit.ts',
      within: 'obeyRecordSizeLimit',
      find: 'limit < MIN_LIMIT',
      replace: 'false',
    },
  ],
  'client/record-size-limit/lowest': [
    {
      file: 'handshake/record-size-limit.ts',
      within: 'obeyRecordSizeLimit',
      find: 'limit < MIN_LIMIT',
      replace: 'limit <= MIN_LIMIT',
    },
  ],
  'client/record-size-limit/above-the-highest': [
    {
      file: 'handshake/record-size-limit.ts',
      within: 'obeyRecordSizeLimit',
      find: "const contentType = context.facts.version === 'TLSv1.3' ? 1 : 0;",
      replace:
        "const contentType = context.facts.version === 'TLSv1.3' ? 1 : 0; if (limit > MAX_PLAINTEXT + 1) throw new TlsAlert('decode_error', '');",
    },
  ],
  'client/record-size-limit/unasked': UNASKED,
  'client/record-size-limit/beside-max-fragment-length': [
    {
      file: 'handshake/client/answer-rules.ts',
      within: 'applyLimits',
      find: 'recordSizeLimit !== undefined && maxFragmentLength !== undefined',
      replace: 'false',
    },
  ],
  'client/max-fragment-length/another': [
    {
      file: 'handshake/client/answer-rules.ts',
      within: 'applyLimits',
      find: 'maxFragmentLength !== settings.maxFragmentLength',
      replace: 'false',
    },
  ],
};
