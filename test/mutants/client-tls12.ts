/** Mutants for the scenarios with a client of TLS 1.2: what each is about, taken out. */

import type { MutantEdit, Mutants } from './build.ts';

const FLOW = 'handshake/client/client-tls12.ts';

/** An edit of the client of TLS 1.2. */
const flow = (within: string, find: string, replace: string): MutantEdit => ({ file: FLOW, within, find, replace });

/** What the client takes for the echo of its id. */
const echo = (replace: string): MutantEdit =>
  flow('acceptServerHello', 'id.length > 0 && equalBytes(id, sent.draft.legacySessionId)', replace);

const FIRST = 'const next = yield* receiveAnyTls12([full, newSessionTicketTls12], choice.mayResume);';

/** Passes over a message behind ServerHello. */
const passesOver = (message: string, where = 'true'): MutantEdit =>
  flow(
    'connectTls12',
    FIRST,
    `const first = [full, newSessionTicketTls12, ${message}];
     let next = yield* receiveAnyTls12(first, choice.mayResume);
     while (next?.message === ${message} && ${where}) {
       context.transcript.add(next.raw);
       next = yield* receiveAnyTls12(first, choice.mayResume);
     }`,
  );

const neverOffers: readonly MutantEdit[] = [
  {
    file: 'engine/client/offers.ts',
    within: 'select',
    find: 'return sessions.filter((session) => this.#isFresh(session, time)).map((session) => this.#offer(session));',
    replace: 'return [];',
  },
];

const certificateAfterEcho = [flow('connectTls12', 'isFull && choice.isEchoed', 'false')];
const takesAnyFinished: readonly MutantEdit[] = [
  {
    file: 'handshake/messages/finished.ts',
    within: 'requireVerifyData',
    find: 'equalConstantTime(verifyData, expected)',
    replace: 'true',
  },
];
const EMS = 'session.extendedMasterSecret !== isExtended';
const dropsExtendedMasterSecret = [flow('requireSameSession', EMS, '!session.extendedMasterSecret && isExtended')];

/** Something that a resumption does before all else. */
const whenResuming = (statement: string): MutantEdit =>
  flow('resume', 'context.transcript.forget();', `context.transcript.forget(); ${statement}`);

const FINISHED = 'yield* receiveFinishedUnder(context, choice, keys);';
const takesUnpromised = flow('takeTicket', '!hello.extensions.sessionTicket', 'false');
const PROMISED = 'if (!choice.hello.extensions.sessionTicket) return undefined;';
const LIFETIME = 'Math.min(given?.ticketLifetimeHint ?? 0, MAX_TICKET_LIFETIME)';

const ticketLength = (codec: string): readonly MutantEdit[] => [
  {
    file: 'handshake/messages/new-session-ticket.ts',
    within: 'NewSessionTicketTls12',
    find: 'opaque(0, 0xffff)',
    replace: codec,
  },
];

/** The cache has a session as soon as the handshake gives it. */
const keepsAtOnce: MutantEdit = {
  file: 'engine/client/received-sessions.ts',
  within: 'add',
  find: 'this.#waiting.push(session);',
  replace: 'this.#waiting.push(session); this.#keep(session);',
};

const ROLE = 'engine/client/client-role.ts';
const forgetsNoneOfItsOwn: readonly MutantEdit[] = [
  { file: ROLE, within: 'failed', find: 'this.sessions.forbid();', replace: ';' },
];
const resumedNotForgotten: readonly MutantEdit[] = [
  { file: ROLE, within: 'failed', find: 'this.io.facts.resumption.session?.forbidResumption();', replace: ';' },
];
const endsWithTheTransport: readonly MutantEdit[] = [
  {
    file: 'engine/core.ts',
    within: 'transportEnded',
    find: 'this.#isTransportOver = true;',
    replace: "this.#isTransportOver = true; if (this.#life.reading === 'open') this.#role.failed('alert-received');",
  },
];
const forgetsTheName: readonly MutantEdit[] = [
  {
    file: 'engine/client/session-cache.ts',
    within: 'keyOf',
    find: 'serverName?.toLowerCase() ?? null',
    replace: 'null',
  },
];

const ignoresSentinels: readonly MutantEdit[] = [
  { file: 'handshake/client/connect.ts', within: 'requireNoDowngrade', find: 'isFrom13 || isBelow', replace: 'false' },
];
const takesUnaskedExtensions: readonly MutantEdit[] = [
  {
    file: 'handshake/client/answer-rules.ts',
    within: 'requireAnswers',
    find: 'unsolicited !== undefined',
    replace: 'false',
  },
];

const sessionIds: Mutants = {
  'client/session-id/resumed': neverOffers,
  'client/session-id/echo-truncated': [echo('equalBytes(id, sent.draft.legacySessionId.subarray(0, id.length))')],
  'client/session-id/echo-other': [echo('sent.tls12 !== undefined')],
  'client/session-id/echo-empty': [echo('sent.tls12 !== undefined')],
  'client/session-id/echo-of-33-bytes': [
    {
      file: 'handshake/messages/server-hello.ts',
      within: 'helloFields',
      find: 'opaque(0, 32)',
      replace: 'opaque(0, 255)',
    },
    echo('equalBytes(id.subarray(0, 32), sent.draft.legacySessionId)'),
  ],
  'client/session-id/echo-unasked': [echo('sent.tls12 !== undefined && equalBytes(id, sent.draft.legacySessionId)')],
  'client/session-id/certificate-after-echo': certificateAfterEcho,
  'client/session-id/suite-changed': [flow('requireSameSession', 'session.cipherSuite !== suite.id', 'false')],
  'client/session-id/suite-not-offered': [
    flow(
      'acceptServerHello',
      "selectedSuite(context, sent, hello.cipherSuite, 'TLSv1.2')",
      "selectedSuite(context, sent, sent.tls12?.session.cipherSuite ?? hello.cipherSuite, 'TLSv1.2')",
    ),
  ],
  'client/session-id/version-changed': [
    {
      file: 'handshake/client/answer-rules.ts',
      within: 'requireConstants',
      find: "legacyVersion !== ProtocolVersion['TLSv1.2']",
      replace: 'false',
    },
  ],
  'client/session-id/compression-changed': [
    {
      file: 'handshake/client/answer-rules.ts',
      within: 'requireConstants',
      find: 'legacyCompressionMethod !== 0',
      replace: 'false',
    },
  ],
  'client/session-id/extended-master-secret-dropped': dropsExtendedMasterSecret,
  'client/session-id/extended-master-secret-added': [
    flow('requireSameSession', EMS, 'session.extendedMasterSecret && !isExtended'),
    {
      file: 'engine/client/offers.ts',
      find: 'session.isResumable && session.extendedMasterSecret',
      replace: 'session.isResumable',
    },
  ],
  'client/session-id/extended-master-secret-neither': [
    {
      file: 'engine/client/offers.ts',
      find: 'session.isResumable && session.extendedMasterSecret',
      replace: 'session.isResumable',
    },
  ],
  'client/session-id/extended-master-secret-not-offered': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'draftExtensions',
      find: "add('extendedMasterSecret', true);",
      replace: "add('extendedMasterSecret', tls12 === undefined || undefined);",
    },
  ],
  'client/session-id/suite-of-the-session-not-offered': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'draftHello',
      find: 'suitesFor(settings, psks[0])',
      replace: 'suitesFor(settings, psks[0]).filter((id) => id !== tls12?.session.cipherSuite)',
    },
  ],
  'client/session-id/hello-without-server-name': [
    {
      file: 'handshake/client/send-hello.ts',
      within: 'draftExtensions',
      find: 'name && [{ nameType: 0, name }]',
      replace: 'tls12 === undefined && name ? [{ nameType: 0, name }] : undefined',
    },
  ],
  'client/session-id/renegotiation-info-not-empty': [
    flow('requireExtensions', 'renegotiationInfo.length > 0', 'false'),
  ],
  'client/session-id/renegotiation-info-dropped': [
    flow(
      'requireExtensions',
      "if (renegotiationInfo.length > 0) throw new TlsAlert('handshake_failure', 'a renegotiation_info that is not empty');",
      "if (extensions.renegotiationInfo === undefined) throw new TlsAlert('illegal_parameter', '');",
    ),
  ],
  'client/session-id/server-name-acknowledged': [
    whenResuming("if (choice.hello.extensions.serverName) throw new TlsAlert('illegal_parameter', '');"),
  ],
  'client/session-id/application-protocol-changed': [
    whenResuming(
      "if (offer.session.alpnProtocol !== context.facts.alpnProtocol) throw new TlsAlert('illegal_parameter', '');",
    ),
  ],
  'client/session-id/fragment-length-changed': [
    {
      file: 'handshake/client/answer-rules.ts',
      within: 'applyLimits',
      find: 'maxFragmentLength !== settings.maxFragmentLength',
      replace: 'false',
    },
  ],
  'client/session-id/extension-unasked': takesUnaskedExtensions,
};

const order: Mutants = {
  'client/session-id/finished-wrong': takesAnyFinished,
  'client/session-ticket/finished-wrong': takesAnyFinished,
  'client/session-id/finished-missing': [
    flow('resume', FINISHED, 'context.protectReading(keys.server); context.proved();'),
  ],
  'client/session-id/data-before-finished': [
    {
      file: 'engine/core.ts',
      find: "if (this.#life.phase !== 'established') return this.#receiveEarlyData(incoming.data);",
      replace: "if (this.#life.phase !== 'established') return;",
    },
  ],
  'client/session-id/finished-without-change-cipher-spec': [
    flow(
      'connectTls12',
      FIRST,
      'const next = yield* receiveAnyTls12([full, newSessionTicketTls12, finished], choice.mayResume);',
    ),
    flow(
      'resume',
      'const ticket = next && takeTicket(context, choice, next.raw);',
      `if (next?.message === finished) {
         const expected = tls12VerifyData(keys.master, 'server', context.transcript.peek());
         requireVerifyData(parse(finished, next.raw), expected);
         context.proved();
         context.transcript.add(next.raw);
         context.protectReading(keys.server);
         sendFinished(context, keys);
         return establishedTls12(keys, isExtended, helloRequest);
       }
       const ticket = next && takeTicket(context, choice, next.raw);`,
    ),
  ],
  'client/session-id/change-cipher-spec-twice': [
    flow('resume', FINISHED, `context.tolerateChangeCipherSpec(true); ${FINISHED}`),
  ],
  'client/none/change-cipher-spec-early': [
    flow('connectTls12', 'context.tolerateChangeCipherSpec(false);', ';'),
    flow(
      'sendFinished',
      'context.sendChangeCipherSpec();',
      'context.sendChangeCipherSpec(); context.tolerateChangeCipherSpec(false);',
    ),
  ],
  'client/session-id/server-key-exchange-unasked': [passesOver('serverKeyExchange')],
  'client/session-id/server-hello-done-unasked': [passesOver('serverHelloDone')],
  'client/session-id/certificate-request-unasked': [passesOver('certificateRequestTls12')],
  'client/session-id/certificate-status-unasked': [passesOver('certificateStatus')],
  'client/session-id/hello-request': [
    {
      file: 'handshake/client/receive-tls12.ts',
      within: 'receiveAnyTls12',
      find: 'parse(helloRequest, received.raw);',
      replace: "throw new TlsAlert('unexpected_message', '');",
    },
  ],
  'client/session-id/warning': [
    {
      file: 'engine/peer-alerts.ts',
      within: 'fatalAlert',
      find: "version !== 'TLSv1.3' && isWarning",
      replace: 'false',
    },
  ],
  'client/none/server-hello-done-twice': [
    flow(
      'receiveServerHelloDone',
      'parse(serverHelloDone, first.raw);',
      'parse(serverHelloDone, first.raw); yield* receiveTls12(serverHelloDone);',
    ),
  ],
};

const tickets: Mutants = {
  'client/session-ticket/resumed': neverOffers,
  'client/session-ticket/not-promised': [flow('receiveNewSessionTicket', PROMISED, ';'), takesUnpromised],
  'client/session-ticket/not-promised-on-resumption': [takesUnpromised],
  'client/session-ticket/promised-and-missing': [flow('receiveNewSessionTicket', PROMISED, 'return undefined;')],
  'client/session-ticket/promised-and-missing-on-resumption': [
    flow('resume', 'next === undefined && choice.hello.extensions.sessionTicket', 'false'),
  ],
  'client/session-ticket/twice': [
    flow(
      'receiveNewSessionTicket',
      'return takeTicket(context, choice, raw);',
      `takeTicket(context, choice, raw);
       return takeTicket(context, choice, (yield* receiveTls12(newSessionTicketTls12)).raw);`,
    ),
  ],
  'client/session-ticket/before-certificate': [passesOver('newSessionTicketTls12', '!choice.mayResume')],
  'client/session-ticket/after-finished': [
    flow(
      'resume',
      'return establishedTls12(keys, isExtended, helloRequest);',
      'return establishedTls12(keys, isExtended, newSessionTicketTls12);',
    ),
  ],
  'client/session-ticket/empty': ticketLength('opaque(1, 0xffff)'),
  'client/session-ticket/of-65535-bytes': ticketLength('opaque(0, 0x3fff)'),
  'client/session-ticket/lifetime-hint-zero': [
    flow(
      'keep',
      'given !== undefined && given.ticket.length > 0',
      'given !== undefined && given.ticket.length > 0 && given.ticketLifetimeHint > 0',
    ),
  ],
  'client/session-ticket/lifetime-hint-of-32-bits': [
    flow('keep', 'ticket.length > room', 'ticket.length > room || ((given?.ticketLifetimeHint ?? 0) | 0) < 0'),
  ],
  'client/session-ticket/lifetime-hint-over': [flow('keep', LIFETIME, '0')],
  'client/session-ticket/renewed': [
    flow('resume', 'if (ticket !== undefined && ticket.ticket.length > 0) keep(context, choice, keys, ticket);', ';'),
  ],
  'client/session-ticket/kept-before-finished': [
    keepsAtOnce,
    flow(
      'finishFull',
      'yield* receiveFinished(context, choice, keys);',
      'keep(context, choice, keys, ticket); yield* receiveFinished(context, choice, keys);',
    ),
  ],
  'client/session-ticket/renewed-before-finished': [
    keepsAtOnce,
    flow('resume', FINISHED, `if (ticket !== undefined) keep(context, choice, keys, ticket); ${FINISHED}`),
  ],
  'client/session-ticket/declined': [
    flow('connectTls12', 'isFull && choice.isEchoed', 'isFull && choice.offer !== undefined'),
  ],
  'client/session-ticket/certificate-after-echo': certificateAfterEcho,
  'client/session-ticket/echo-other': [flow('acceptServerHello', 'isEchoed || isSilent', 'true')],
  'client/session-ticket/extended-master-secret-dropped': dropsExtendedMasterSecret,
  'client/session-ticket/id-of-the-server-kept': [
    flow('keep', 'ticket === undefined ? hello.legacySessionIdEcho : undefined', 'hello.legacySessionIdEcho'),
  ],
  'client/none/record-of-16385-bytes': [
    {
      file: 'crypto/record-reader.ts',
      find: 'return fragmentLimit;',
      replace: 'return fragmentLimit + 1;',
    },
    {
      file: 'crypto/protection.ts',
      within: 'Plaintext',
      find: 'fragment.length > MAX_PLAINTEXT',
      replace: 'false',
    },
  ],
};

const ended: Mutants = {
  'client/session-id/after-alert-received': forgetsNoneOfItsOwn,
  'client/session-id/after-alert-sent': forgetsNoneOfItsOwn,
  'client/session-id/after-alert-on-resumption': resumedNotForgotten,
  'client/session-ticket/after-alert-on-resumption': resumedNotForgotten,
  'client/session-ticket/after-alert-received': forgetsNoneOfItsOwn,
  'client/session-ticket/after-alert-sent': forgetsNoneOfItsOwn,
  'client/session-id/after-close-without-close-notify': endsWithTheTransport,
  'client/session-ticket/after-close-without-close-notify': endsWithTheTransport,
  'client/session-id/other-name': forgetsTheName,
  'client/session-ticket/other-name': forgetsTheName,
};

const downgrades: Mutants = {
  'client/none/downgrade-to-tls12': ignoresSentinels,
  'client/none/downgrade-to-tls11': ignoresSentinels,
  'client/session-id/downgrade-on-resumption': ignoresSentinels,
  'client/psk/server-now-speaks-tls12': [
    {
      file: 'handshake/client/connect.ts',
      within: 'requireTls12',
      find: 'early !== undefined',
      replace: 'typesIn(draft).has(ExtensionType.pre_shared_key)',
    },
  ],
  'client/session-id/server-now-speaks-tls13': [
    {
      file: 'handshake/client/connect.ts',
      within: 'connect',
      find: 'context.facts.version = version;',
      replace:
        "context.facts.version = version; if (version === 'TLSv1.3' && sent.tls12 !== undefined) throw new TlsAlert('illegal_parameter', '');",
    },
  ],
  'client/none/extension-unasked': takesUnaskedExtensions,
  'client/none/extension-twice': [
    {
      file: 'wire/codec.ts',
      within: 'Seen',
      find: 'this.#set?.has(type) ?? this.order.includes(type)',
      replace: 'false',
    },
  ],
  'client/none/point-formats-without-uncompressed': [flow('requireExtensions', '!ecPointFormats.includes(0)', 'false')],
  'client/none/extended-master-secret-unknown': [
    flow('acceptServerHello', 'extensions.extendedMasterSecret === true', 'true'),
  ],
};

export const clientTls12: Mutants = { ...sessionIds, ...order, ...tickets, ...ended, ...downgrades };
