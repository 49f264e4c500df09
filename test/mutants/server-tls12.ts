/** Mutants for the scenarios with a server of TLS 1.2, and of both versions: what each is about, taken out. */

import type { MutantEdit, Mutants } from './build.ts';

const SERVER = 'handshake/server/server-tls12.ts';
const OFFERS = 'handshake/server/negotiate-tls12.ts';
const RULES = 'handshake/server/resumption.ts';
const NEGOTIATION = 'handshake/server/negotiate.ts';
const READER = 'crypto/record-reader.ts';

/** An edit of the function that makes the extensions of ServerHello. */
const answer = (find: string, replace: string): MutantEdit => ({
  file: SERVER,
  within: 'serverHelloExtensions',
  find,
  replace,
});

/** A ticket that is met by an alert if `condition` holds. */
const refuseTicketIf = (condition: string): MutantEdit => ({
  file: OFFERS,
  within: 'findOffered',
  find: 'ticket.length > 0',
  replace: `ticket.length > 0 && ${condition}) throw new TlsAlert('decode_error', ''); if (ticket.length > 0`,
});

/** A sealed ticket that does not open, for such a reason, is met by an alert. */
const refuseSealed = (status: string): MutantEdit => ({
  file: 'engine/server/ticket-sealing.ts',
  within: '#opened',
  find: "opened.status !== 'opened'",
  replace: `opened.status === '${status}') throw new TlsAlert('decrypt_error', ''); if (opened.status !== 'opened'`,
});

const keepsSession = (unless: string): MutantEdit => ({
  file: 'engine/server/server-role.ts',
  within: 'failed',
  find: 'session !== undefined && reason !== undefined && isEntitled',
  replace: `session !== undefined && reason !== undefined && isEntitled && !(${unless})`,
});

const LONG_IDS: MutantEdit = {
  file: 'handshake/messages/client-hello.ts',
  within: 'head',
  find: 'opaque(0, 32)',
  replace: 'opaque(0, 255)',
};
const VERSION_IS_FATAL: MutantEdit = {
  file: RULES,
  within: 'BASIC',
  find: 'session.version === offer.version',
  replace: "session.version === offer.version || new TlsAlert('protocol_version', '')",
};
const ANY_SCOPE: MutantEdit = {
  file: RULES,
  within: 'SCOPE',
  find: 'scope === undefined || isSameDigest(scope[field], offer.scope[field])',
  replace: 'true',
};
const NAMES_AS_WRITTEN: MutantEdit = {
  file: NEGOTIATION,
  within: 'canonicalName',
  find: 'name?.toLowerCase()',
  replace: 'name',
};
const NAME_ANSWERED = answer('full && facts.serverName !== undefined', 'facts.serverName !== undefined');
const ANY_SUITE: MutantEdit = {
  file: RULES,
  within: 'TLS12',
  find: 'suites.some(({ id }) => id === cipherSuite)',
  replace: 'true',
};
const PREFERRED_SUITE: MutantEdit = {
  file: RULES,
  within: 'resumedSuite',
  find: 'suites.find(({ id }) => id === cipherSuite) ?? suites.find((suite) => suite.hash === hash)',
  replace: "suites.find(({ authentication }) => authentication === 'ecdsa')",
};
const SECRET_MAY_GO: MutantEdit = {
  file: RULES,
  within: 'TLS12',
  find: "new TlsAlert('handshake_failure', 'the session has the extended master secret, the hello has not')",
  replace: 'true',
};
const SAME_SECRET = 'session.extendedMasterSecret === offer.extendedMasterSecret';
const SECRET_MAY_COME: MutantEdit = {
  file: RULES,
  within: 'TLS12',
  find: SAME_SECRET,
  replace: `${SAME_SECRET} || !session.extendedMasterSecret`,
};
const SECRET_IS_WANTED: MutantEdit = {
  file: RULES,
  within: 'TLS12',
  find: SAME_SECRET,
  replace: 'session.extendedMasterSecret && offer.extendedMasterSecret',
};
const SECRET_UNANSWERED = answer(
  'extensions.extendedMasterSecret',
  'full ? extensions.extendedMasterSecret : undefined',
);
const PROTOCOL_OF_SESSION = answer(
  'facts.alpnProtocol === undefined ? undefined : [facts.alpnProtocol]',
  '((name) => (name === undefined ? undefined : [name]))(facts.resumption.session?.alpnProtocol ?? facts.alpnProtocol)',
);
const ANY_LENGTH: MutantEdit = {
  file: RULES,
  within: 'LENGTH',
  find: 'wanted === undefined || wanted === (foreign.maxFragmentLength ?? 0)',
  replace: 'true',
};
const LENGTH_ANSWERED = answer('full ? fragmentLength : undefined', 'fragmentLength');
const UNKNOWN_SUITES_REFUSED: MutantEdit = {
  file: NEGOTIATION,
  within: 'commonSuites',
  find: 'const common: SuiteParameters[] = [];',
  replace: `const common = [];
    for (const id of hello.cipherSuites)
      if (!Object.values(CipherSuite).includes(id)) throw new TlsAlert('illegal_parameter', '');`,
};

/** An edit of the function that waits for ChangeCipherSpec and Finished. */
const finishing = (find: string, replace: string): MutantEdit => ({
  file: SERVER,
  within: 'receiveFinished',
  find,
  replace,
});
const VERIFIES = 'requireVerifyData(body, expected);';
const RECEIVES_CHANGE = 'yield* receiveChangeCipherSpec();';
/** Messages of a type are passed over until ChangeCipherSpec comes. */
const passOver = (type: number): MutantEdit =>
  finishing(
    RECEIVES_CHANGE,
    `while ((yield { kind: 'message', orChangeCipherSpec: true, name: '', type: ${type}, limit: 1000 }) !== undefined);`,
  );
const CHANGE_AT_ANY_TIME: MutantEdit = {
  file: 'engine/core.ts',
  within: '#receiveChangeCipherSpec',
  find: "if (!isDue) throw new TlsAlert('unexpected_message', 'a ChangeCipherSpec');",
  replace: 'if (!isDue) return;',
};
const DATA_AT_ANY_TIME: MutantEdit = {
  file: 'engine/core.ts',
  within: '#receiveEarlyData',
  find: "wait?.kind !== 'message' || wait.takeData === undefined",
  replace: "wait?.kind !== 'message' || wait.takeData === undefined) return; if (false",
};

const flights: Mutants = {
  'server/full-flight-tls12/change-cipher-spec-first': [CHANGE_AT_ANY_TIME],
  'server/full-flight-tls12/change-cipher-spec-of-another-value': [
    {
      file: READER,
      within: '#readChangeCipherSpec',
      find: 'fragment.length !== 1 || fragment[0] !== 1',
      replace: 'false',
    },
  ],
  'server/full-flight-tls12/data-before-key-exchange': [DATA_AT_ANY_TIME],
  'server/full-flight-tls12/certificate-unasked': [
    {
      file: SERVER,
      within: 'receiveClientKeyExchange',
      find: 'const { body, raw } = yield* receive(clientKeyExchange);',
      replace: `const { name, type, limit } = clientKeyExchange;
        const next = { kind: 'message', name: '', type: 11, limit: 1000, or: { name, type, limit } };
        let { raw } = yield next;
        if (raw[0] === 11) ({ raw } = yield next);
        const body = { point: raw.subarray(5) };`,
    },
  ],
};

const ids: Mutants = {
  'server/session-id/resumed': [
    {
      file: OFFERS,
      within: 'lookUp',
      find: "yield* perform(sessions.find('TLSv1.2', id))",
      replace: "{ reason: 'unknown' }",
    },
  ],
  'server/session-id/unknown-of-each-length': [
    {
      file: SERVER,
      within: 'fullHandshake',
      find: "yield* call(() => context.sessions.newId('TLSv1.2', hello.body.legacySessionId))",
      replace: `hello.body.legacySessionId.length === 17
        ? hello.body.legacySessionId
        : yield* call(() => context.sessions.newId('TLSv1.2', hello.body.legacySessionId))`,
    },
  ],
  'server/session-id/cut-short': [
    {
      file: 'engine/server/session-lookup.ts',
      within: '#find',
      find: 'cache?.get(version, id, this.store.now(), this)',
      replace: '[...(cache ?? [])].find((one) => one.id.subarray(0, id.length).join() === id.join())',
    },
  ],
  'server/session-id/of-33-bytes': [LONG_IDS],
  'server/session-id/of-255-bytes': [LONG_IDS],
  'server/session-id/of-tls13-ticket': [
    {
      file: 'engine/server/session-lookup.ts',
      within: '#find',
      find: 'cache?.get(version, id, this.store.now(), this)',
      replace: "cache?.get('TLSv1.3', id, this.store.now(), this)",
    },
    VERSION_IS_FATAL,
  ],
  'server/session-id/in-hello-of-tls11': [
    {
      file: NEGOTIATION,
      within: 'selectVersion',
      find: "Math.min(hello.legacyVersion, ProtocolVersion['TLSv1.2'])",
      replace: "ProtocolVersion['TLSv1.2']",
    },
  ],
  'server/session-id/after-alert-of-server': [keepsSession("reason === 'alert-sent'")],
  'server/session-id/after-alert-of-client': [keepsSession("reason === 'alert-received'")],
  'server/session-id/after-alert-in-resumed': [keepsSession('session === resumption.session')],
  'server/session-id/after-wrong-finished': [
    keepsSession('true'),
    {
      file: SERVER,
      within: 'fullHandshake',
      find: 'yield* receiveFinished(context, hello.body, keys);',
      replace: `yield* keepSession(context, newSession(context, hello.body, id, keys.master.bytes));
        yield* receiveFinished(context, hello.body, keys);`,
    },
  ],
  'server/session-id/after-unclean-end': [
    {
      file: 'engine/server/server-role.ts',
      within: 'endedUncleanly',
      find: 'session === undefined || version === undefined',
      replace: 'true',
    },
  ],
};

const tickets: Mutants = {
  'server/ticket-tls12/renewed': [
    {
      file: SERVER,
      within: 'resume',
      find: 'sendNewSessionTicket(context, session, UNSPECIFIED)',
      replace: 'sendNewSessionTicket(context, newSession(context, hello.body, EMPTY, new Uint8Array(48)), 0)',
    },
  ],
  'server/ticket-tls12/bit-flips': [refuseSealed('bad-mac')],
  'server/ticket-tls12/cut-short': [refuseTicketIf('ticket.length < 32')],
  'server/ticket-tls12/of-zeros': [refuseSealed('unknown-key')],
  'server/ticket-tls12/of-65000-bytes': [refuseTicketIf('ticket.length > 16384')],
  'server/ticket-tls12/of-tls13': [VERSION_IS_FATAL],
  'server/ticket-tls12/id-echoed': [
    {
      file: SERVER,
      within: 'resume',
      find: 'hello.body.legacySessionId',
      replace: 'Uint8Array.from({ length: 32 }, (_, i) => hello.body.legacySessionId[i] ?? 0)',
    },
  ],
  'server/ticket-tls12/without-id': [refuseTicketIf('hello.legacySessionId.length === 0')],
  'server/ticket-tls12/beside-known-id': [
    {
      file: OFFERS,
      within: 'findOffered',
      find: "if (ticket.length > 0) return yield* openTicket(context, 'TLSv1.2', ticket, hello.legacySessionId);",
      replace: `if (ticket.length > 0) {
          const opened = yield* openTicket(context, 'TLSv1.2', ticket, hello.legacySessionId);
          return opened.found.session ? opened : { found: yield* lookUp(context, hello), renew: undefined };
        }`,
    },
  ],
  'server/ticket-tls12/empty-beside-known-id': [
    {
      file: OFFERS,
      within: 'findOffered',
      find: '({ found: yield* lookUp(context, hello), renew })',
      replace: "{ found: { reason: 'unknown' }, renew }",
    },
  ],
  'server/ticket-tls12/not-asked-for': [answer('ticketed || undefined', 'full || undefined')],
  'server/ticket-tls12/promise-kept': [
    {
      file: SERVER,
      within: 'fullHandshake',
      find: 'if (ticketed) yield* sendNewSessionTicket(context, session, lifetimeHint(context, session));',
      replace: '',
    },
  ],
  'server/ticket-tls12/before-finished': [
    {
      file: SERVER,
      within: 'fullHandshake',
      find: 'yield* receiveFinished(context, hello.body, keys);',
      replace: `const ticket = { ticketLifetimeHint: 0, ticket: context.randomBytes(32) };
        const early = ticketed ? context.send(newSessionTicketTls12, ticket) : new Uint8Array(0);
        yield* receiveFinished(context, hello.body, keys);
        context.transcript.add(early);`,
    },
    {
      file: SERVER,
      within: 'fullHandshake',
      find: 'if (ticketed) yield* sendNewSessionTicket(context, session, lifetimeHint(context, session));',
      replace: '',
    },
  ],
  'server/ticket-tls12/another-after-declined': [
    {
      file: OFFERS,
      within: 'selectSessionTls12',
      find: 'isSpent || (renew ?? resumed === undefined)',
      replace: 'renew ?? (resumed === undefined && ticket.length === 0)',
    },
  ],
};

const INFO_OF_ANY_LENGTH: MutantEdit = {
  file: OFFERS,
  within: 'requireTls12Hello',
  find: 'extensions.renegotiationInfo !== undefined && extensions.renegotiationInfo.length > 0',
  replace: 'false',
};
const NO_FALLBACK: MutantEdit = {
  file: NEGOTIATION,
  within: 'selectVersion',
  find: 'hello.cipherSuites.includes(CipherSuite.TLS_FALLBACK_SCSV) && isBelow(offered, maxVersion)',
  replace: 'false',
};
const sentinel = (replace: string): MutantEdit => ({
  file: SERVER,
  within: 'sendServerHello',
  find: "settings.maxVersion === 'TLSv1.3'",
  replace,
});

const negotiation: Mutants = {
  'server/renegotiation/info-not-empty': [INFO_OF_ANY_LENGTH],
  'server/renegotiation/signalling-suite': [
    answer(
      'extensions.renegotiationInfo !== undefined || cipherSuites.includes(CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)',
      'extensions.renegotiationInfo !== undefined',
    ),
  ],
  'server/renegotiation/unsignalled': [answer('secureRenegotiation ? EMPTY : undefined', 'EMPTY')],
  'server/downgrade/sentinel': [sentinel('false')],
  'server/downgrade/fallback': [NO_FALLBACK],
  'server/downgrade/fallback-at-highest': [
    { ...NO_FALLBACK, replace: 'hello.cipherSuites.includes(CipherSuite.TLS_FALLBACK_SCSV)' },
  ],
};

const HELLO = 'handshake/messages/client-hello.ts';

const hellos: Mutants = {
  'server/hello/trailing-bytes': [{ file: 'wire/codec.ts', within: 'decode', find: 'reader.finish();', replace: '' }],
  'server/hello/truncated': [
    { file: 'wire/reader.ts', within: '#advance', find: 'length > this.remaining', replace: 'false' },
  ],
  'server/hello/extension-twice': [
    { file: 'wire/codec.ts', within: 'add', find: 'this.order.includes(type)', replace: 'false' },
  ],
  'server/hello/unknown-values': [UNKNOWN_SUITES_REFUSED],
  'server/hello/without-extensions': [
    { file: HELLO, within: 'helloWith', find: 'optionalTail(codec)', replace: 'codec' },
  ],
  'server/hello/compression-without-null': [
    { file: OFFERS, within: 'requireTls12Hello', find: '!legacyCompressionMethods.includes(0)', replace: 'false' },
  ],
  'server/hello/extended-master-secret-left-out': [answer('extensions.extendedMasterSecret', 'true')],
  'server/hello/fragment-length-unknown': [
    {
      file: 'handshake/max-fragment-length.ts',
      within: 'wantedFragmentLength',
      find: 'code < 1 || code > LAST_CODE',
      replace: 'false',
    },
  ],
  'server/hello/pre-shared-key-tls12': [
    {
      file: HELLO,
      within: 'helloExtensions',
      find: "[ExtensionType.pre_shared_key, OfferedPsks, 'TLSv1.3']",
      replace: '[ExtensionType.pre_shared_key, OfferedPsks]',
    },
  ],
  'server/hello/in-records-of-one-byte': [
    { file: READER, within: '#readHandshake', find: 'fragment.length === 0', replace: 'fragment.length < 4' },
  ],
};

const VERSION_OF_RECORD: MutantEdit = {
  file: READER,
  within: 'read',
  find: 'record.type === ContentType.change_cipher_spec',
  replace:
    "record.version !== 0x0303) throw new TlsAlert('protocol_version', ''); if (record.type === ContentType.change_cipher_spec",
};
const UNKNOWN_TYPES_DROPPED: readonly MutantEdit[] = [
  {
    file: 'wire/record.ts',
    within: 'isContentType',
    find: 'type >= ContentType.change_cipher_spec && type <= ContentType.application_data',
    replace: 'type >= 20 && type < 100',
  },
  {
    file: READER,
    within: 'read',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code
    find: "throw new TlsAlert('unexpected_message', `content type ${content?.type}`);",
    replace: 'return undefined;',
  },
];
const EMPTY_MESSAGES: MutantEdit = {
  file: READER,
  within: '#readHandshake',
  find: 'fragment.length === 0',
  replace: 'false',
};
const NEVER_IDLE: MutantEdit = { file: READER, within: 'MAX_IDLE', find: '32', replace: '1e9' };

const records: Mutants = {
  'server/records/version-0300': [VERSION_OF_RECORD],
  'server/records/version-0301': [VERSION_OF_RECORD],
  'server/records/version-0302': [VERSION_OF_RECORD],
  'server/records/version-0304': [VERSION_OF_RECORD],
  'server/records/version-03ff': [VERSION_OF_RECORD],
  'server/records/hello-of-ssl2': [
    {
      file: 'wire/record.ts',
      within: 'isContentType',
      find: 'type >= ContentType.change_cipher_spec && type <= ContentType.application_data',
      replace: 'true',
    },
  ],
  'server/records/heartbeat': UNKNOWN_TYPES_DROPPED,
  'server/records/unknown-type': UNKNOWN_TYPES_DROPPED,
  'server/records/heartbeat-in-handshake': UNKNOWN_TYPES_DROPPED,
  'server/records/empty-handshake': [EMPTY_MESSAGES],
  'server/records/empty-handshake-protected': [
    EMPTY_MESSAGES,
    {
      file: 'crypto/protection.ts',
      within: 'unpad',
      find: 'end === 0 && type !== ContentType.application_data',
      replace: 'false',
    },
  ],
  'server/records/empty-data': [
    {
      file: READER,
      within: '#readData',
      find: 'data.length > 0',
      replace: "data.length === 0) throw new TlsAlert('decode_error', ''); if (data.length > 0",
    },
  ],
  'server/records/many-empty-data': [NEVER_IDLE],
  'server/records/many-warnings': [NEVER_IDLE],
  'server/records/one-warning': [
    {
      file: 'engine/peer-alerts.ts',
      within: 'fatalAlert',
      find: "version !== 'TLSv1.3' && isWarning",
      replace: 'false',
    },
  ],
};

/** What both ways to resume have in common. */
const RULES_OF_SESSIONS: Mutants = {
  'another-name': [ANY_SCOPE],
  'name-left-out': [ANY_SCOPE],
  'name-in-capitals': [NAMES_AS_WRITTEN],
  'name-unanswered': [NAME_ANSWERED],
  'suite-not-offered': [ANY_SUITE],
  'suite-offered-last': [PREFERRED_SUITE],
  'extended-master-secret-dropped': [SECRET_MAY_GO],
  'extended-master-secret-added': [SECRET_MAY_COME],
  'extended-master-secret-neither': [SECRET_IS_WANTED],
  'extended-master-secret-both': [SECRET_UNANSWERED],
  'another-protocol': [PROTOCOL_OF_SESSION],
  'protocol-left-out': [PROTOCOL_OF_SESSION],
  'another-fragment-length': [ANY_LENGTH, LENGTH_ANSWERED],
  'fragment-length-unanswered': [LENGTH_ANSWERED],
  'unknown-suites': [UNKNOWN_SUITES_REFUSED],
  'renegotiation-info-not-empty': [INFO_OF_ANY_LENGTH],
  'renegotiation-info-answered': [
    answer('secureRenegotiation ? EMPTY : undefined', 'secureRenegotiation && full ? EMPTY : undefined'),
  ],
  'renegotiation-refused': [
    {
      file: 'engine/channel.ts',
      within: '#refuseRenegotiation',
      find: "this.sendAlert('no_renegotiation', AlertLevel.warning)",
      replace: 'this.sendRaw(Uint8Array.of(2, 0, 0, 0))',
    },
  ],
  'downgrade-sentinel': [sentinel("settings.maxVersion === 'TLSv1.3' && !facts.resumption.resumed")],
  fallback: [NO_FALLBACK],
  'compression-preferred': [
    { file: SERVER, within: 'sendServerHello', find: '0', replace: 'hello.body.legacyCompressionMethods[0]' },
  ],
  'status-request': [
    {
      file: SERVER,
      within: 'sendServerHello',
      find: 'stapled?.ocspResponse && (true as const)',
      replace: 'hello.body.extensions.statusRequest && true',
    },
  ],
  'finished-wrong': [finishing(VERIFIES, '')],
  'finished-empty': [finishing(VERIFIES, 'if (body.verifyData.length > 0) requireVerifyData(body, expected);')],
  'finished-short': [
    finishing(VERIFIES, 'if (body.verifyData.length === expected.length) requireVerifyData(body, expected);'),
  ],
  'finished-missing': [finishing('receive(finished)', 'receive(finished, (data) => context.emitEarlyData(data))')],
  'change-cipher-spec-missing': [
    finishing(
      RECEIVES_CHANGE,
      "const early = yield { kind: 'message', orChangeCipherSpec: true, name: '', type: 20, limit: 48 };",
    ),
    finishing('context.protectReading(reading);', 'if (early === undefined) context.protectReading(reading);'),
    finishing(
      'yield* receive(finished)',
      'early === undefined ? yield* receive(finished) : { raw: early.raw, body: { verifyData: early.raw.subarray(4) } }',
    ),
  ],
  'change-cipher-spec-twice': [CHANGE_AT_ANY_TIME],
  'certificate-unasked': [passOver(11)],
  'key-exchange-unasked': [passOver(16)],
  'data-before-change-cipher-spec': [DATA_AT_ANY_TIME],
};
const bothWays: Mutants = Object.fromEntries(
  ['session-id', 'ticket-tls12'].flatMap((topic) =>
    Object.entries(RULES_OF_SESSIONS).map(([name, edits]) => [`server/${topic}/${name}`, edits]),
  ),
);

export const serverTls12: Mutants = {
  ...bothWays,
  ...ids,
  ...tickets,
  ...flights,
  ...negotiation,
  ...hellos,
  ...records,
};
