/** The messages and records of a resumption in TLS 1.2, out of order, too many, or missing: RFC 5246 §7.3 Figure 2, §7.4.9. */

import { certificateRequestTls12 } from '../../../handshake/messages/certificate-request.ts';
import { certificateStatus } from '../../../handshake/messages/certificate-status.ts';
import { helloRequest } from '../../../handshake/messages/hello-request.ts';
import { frame } from '../../../handshake/messages/message.ts';
import { serverHelloDone } from '../../../handshake/messages/server-hello-done.ts';
import { serverKeyExchange } from '../../../handshake/messages/server-key-exchange.ts';
import { utf8 } from '../../../wire/bytes.ts';
import { AlertDescription, AlertLevel, ContentType, NamedGroup, SignatureScheme } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ClientBench } from '../bench.ts';
import type { ClientScenario } from '../scenario.ts';
import type { Reaction } from '../visit.ts';
import { begins, follow, type Means, plainRecord, records, resume } from './tls12.ts';

const TLS12 = { side: 'client', versions: ['TLSv1.2'], mechanism: 'session-id' } as const;
const CHANGE = Uint8Array.of(1);

const resumedWith =
  (faultsOfServer: () => Parameters<typeof resume>[2], means: Means = 'session-id') =>
  async (bench: ClientBench): Promise<Reaction> =>
    (await resume(bench, means, faultsOfServer())).reaction;

/** Leaves out ChangeCipherSpec, and sends Finished in the clear. */
const finishedInTheClear = () =>
  records('Finished in the clear', (type, content) => {
    if (type === ContentType.change_cipher_spec) return [];
    return begins(type, content, 'finished') ? [plainRecord(type, content)] : undefined;
  });

const changeTwice = () =>
  records('ChangeCipherSpec twice', (type, content, put) =>
    type === ContentType.change_cipher_spec ? [put(type, content), put(type, content)] : undefined,
  );

/** Sends other records in front of Finished, or in its place. */
const atFinished = (type: number, content: Uint8Array, isFinishedSent = true) =>
  records('at Finished', (of, message, put) => {
    if (!begins(of, message, 'finished')) return undefined;
    return [put(type, content), ...(isFinishedSent ? [put(of, message)] : [])];
  });

const wrongFinished = () =>
  faults.change<{ readonly verifyData: Uint8Array }>('finished', ({ verifyData }) => ({
    verifyData: verifyData.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
  }));

const KEY_EXCHANGE = frame(serverKeyExchange, {
  params: { curveType: 'named_curve', namedCurve: NamedGroup.x25519, point: new Uint8Array(32).fill(9) },
  signed: { algorithm: SignatureScheme.ecdsa_secp256r1_sha256, signature: new Uint8Array(70) },
});
const CERTIFICATE_REQUEST = frame(certificateRequestTls12, {
  certificateTypes: [64],
  supportedSignatureAlgorithms: [SignatureScheme.ecdsa_secp256r1_sha256],
  certificateAuthorities: [],
});
const STATUS = frame(certificateStatus, { statusType: 1, response: new Uint8Array(5) });

/** The transcript has it once: a client may have ended the handshake before it reads the second. */
const doneTwice = () => follow('server_hello_done', frame(serverHelloDone, {}), { isHashed: false });

const ORDER = 'A message out of order is a fatal error: a client that passes over it can be led past others as well.';

export const resumptionTls12: readonly ClientScenario[] = [
  {
    ...TLS12,
    id: 'client/session-id/finished-wrong',
    title: "the server's Finished of a resumption is wrong in one bit",
    clause: 'RFC 5246 §7.4.9',
    reason: 'Finished is all by which the server proves that it has the session.',
    severity: 'must',
    expect: ['aborts'],
    run: resumedWith(() => [wrongFinished()]),
  },
  {
    ...TLS12,
    id: 'client/session-ticket/finished-wrong',
    title: "the server's Finished of a resumption by ticket is wrong in one bit",
    clause: 'RFC 5246 §7.4.9',
    reason: 'Finished is all by which the server proves that it can open the ticket.',
    mechanism: 'session-ticket',
    severity: 'must',
    expect: ['aborts'],
    run: resumedWith(() => [wrongFinished()], 'session-ticket'),
  },
  {
    ...TLS12,
    id: 'client/session-id/finished-missing',
    title: 'application data in the place of Finished',
    clause: 'RFC 5246 §6, §7.4.9',
    reason: 'Until Finished is there, nobody has proved anything, and nothing says that the handshake was not changed.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: resumedWith(() => [atFinished(ContentType.application_data, utf8('early'), false)]),
  },
  {
    ...TLS12,
    id: 'client/session-id/data-before-finished',
    title: 'application data between ChangeCipherSpec and Finished',
    clause: 'RFC 5246 §6, §7.4.9',
    reason: 'Application data follows Finished. Taken before, it is of a server that has proved nothing.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: resumedWith(() => [atFinished(ContentType.application_data, utf8('early'))]),
  },
  {
    ...TLS12,
    id: 'client/session-id/finished-without-change-cipher-spec',
    title: 'Finished in the clear, without a ChangeCipherSpec',
    clause: 'RFC 5246 §7.4.9',
    reason:
      'It is a fatal error if no ChangeCipherSpec precedes Finished: the connection would go on without protection.',
    severity: 'must',
    expect: ['aborts'],
    run: resumedWith(() => [finishedInTheClear()]),
  },
  {
    ...TLS12,
    id: 'client/session-id/change-cipher-spec-twice',
    title: 'ChangeCipherSpec comes twice before Finished',
    clause: 'RFC 5246 §6, §7.1',
    reason: 'A second change is to a state that has not been negotiated.',
    severity: 'must',
    expect: ['aborts'],
    run: resumedWith(() => [changeTwice()]),
  },
  {
    ...TLS12,
    id: 'client/none/change-cipher-spec-early',
    title: 'ChangeCipherSpec right behind the ServerHello of a full handshake',
    clause: 'RFC 5246 §6, §7.1',
    reason:
      'A client that changes to keys which it has not agreed on uses those of a master secret that anybody knows.',
    mechanism: 'none',
    severity: 'must',
    expect: ['aborts'],
    run: async (bench) => {
      let isDone = false;
      const early = records('early ChangeCipherSpec', (type, content, put) => {
        if (isDone || !begins(type, content, 'server_hello')) return undefined;
        isDone = true;
        const end = 4 + 65_536 * (content[1] ?? 0) + 256 * (content[2] ?? 0) + (content[3] ?? 0);
        const rest = content.subarray(end);
        const change = put(ContentType.change_cipher_spec, CHANGE);
        return [put(type, content.subarray(0, end)), change, ...(rest.length > 0 ? [put(type, rest)] : [])];
      });
      return (await bench.server().accept({ resumes: false, faults: [early] })).reaction;
    },
  },
  {
    ...TLS12,
    id: 'client/session-id/server-key-exchange-unasked',
    title: 'ServerKeyExchange in a resumption',
    clause: 'RFC 5246 §7.4',
    reason: ORDER,
    severity: 'must',
    expect: ['aborts'],
    run: resumedWith(() => [follow('server_hello', KEY_EXCHANGE)]),
  },
  {
    ...TLS12,
    id: 'client/session-id/server-hello-done-unasked',
    title: 'ServerHelloDone in a resumption',
    clause: 'RFC 5246 §7.4',
    reason: ORDER,
    severity: 'must',
    expect: ['aborts'],
    run: resumedWith(() => [follow('server_hello', frame(serverHelloDone, {}))]),
  },
  {
    ...TLS12,
    id: 'client/session-id/certificate-request-unasked',
    title: 'CertificateRequest in a resumption',
    clause: 'RFC 5246 §7.4',
    reason: ORDER,
    severity: 'must',
    expect: ['aborts'],
    run: resumedWith(() => [follow('server_hello', CERTIFICATE_REQUEST)]),
  },
  {
    ...TLS12,
    id: 'client/session-id/certificate-status-unasked',
    title: 'CertificateStatus in a resumption',
    clause: 'RFC 5246 §7.4, RFC 6066 §8',
    reason: 'It stands right behind the certificate, and a resumption has none.',
    severity: 'must',
    expect: ['aborts'],
    run: resumedWith(() => [follow('server_hello', STATUS)]),
  },
  {
    ...TLS12,
    id: 'client/session-id/hello-request',
    title: 'HelloRequest in a resumption',
    clause: 'RFC 5246 §7.4.1.1',
    reason: 'A client that is negotiating ignores it, and no transcript has it.',
    severity: 'should',
    expect: ['resumes'],
    run: resumedWith(() => [follow('server_hello', frame(helloRequest, {}), { isHashed: false })]),
  },
  {
    ...TLS12,
    id: 'client/session-id/warning',
    title: 'a warning, unrecognized_name, before ServerHello',
    clause: 'RFC 5246 §7.2.2',
    reason: 'After a warning the connection generally goes on. There are servers that send this one (RFC 6066 §3).',
    severity: 'observed',
    expect: ['resumes'],
    run: resumedWith(() => [
      records('warning', (type, content, put) => {
        if (!begins(type, content, 'server_hello')) return undefined;
        const warning = Uint8Array.of(AlertLevel.warning, AlertDescription.unrecognized_name);
        return [put(ContentType.alert, warning), put(type, content)];
      }),
    ]),
  },
  {
    ...TLS12,
    id: 'client/none/server-hello-done-twice',
    title: 'ServerHelloDone comes twice',
    clause: 'RFC 5246 §7.4',
    reason: ORDER,
    mechanism: 'none',
    severity: 'must',
    expect: ['aborts'],
    run: async (bench) => (await bench.server().accept({ resumes: false, faults: [doneTwice()] })).reaction,
  },
];
