/** Servers that send nonsense: whatever they send, a client ends with an alert, or is established, and never throws. */

import { expect } from 'chai';
import fc from 'fast-check';
import { Oid } from '../../../src/crypto/credentials/certificate.ts';
import type { Credential } from '../../../src/crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../../src/crypto/provider.ts';
import type { ExternalPsk } from '../../../src/engine/psk-options.ts';
import { certificate, certificateTls12 } from '../../../src/handshake/messages/certificate.ts';
import { certificateRequest, certificateRequestTls12 } from '../../../src/handshake/messages/certificate-request.ts';
import { certificateStatus } from '../../../src/handshake/messages/certificate-status.ts';
import { certificateVerify } from '../../../src/handshake/messages/certificate-verify.ts';
import { encryptedExtensions } from '../../../src/handshake/messages/encrypted-extensions.ts';
import { finished } from '../../../src/handshake/messages/finished.ts';
import type { Message } from '../../../src/handshake/messages/message.ts';
import { newSessionTicket, newSessionTicketTls12 } from '../../../src/handshake/messages/new-session-ticket.ts';
import { helloRetryRequest, serverHello, serverHelloTls12 } from '../../../src/handshake/messages/server-hello.ts';
import { serverHelloDone } from '../../../src/handshake/messages/server-hello-done.ts';
import { serverKeyExchange } from '../../../src/handshake/messages/server-key-exchange.ts';
import { concat } from '../../../src/wire/bytes.ts';
import { bitString, oid, sequence } from '../../../src/wire/der.ts';
import { certificateFor } from '../../support/client-certificates.ts';
import { expectEstablished, Meeting, rawMessage, type Script, sending } from '../../support/client-exchange.ts';
import { runs } from '../../support/runs.ts';
import { quickCredential, toyCrypto } from '../../support/servers.ts';

/** A provider that any signature satisfies, at no cost. */
const CRYPTO: CryptoProvider = { ...toyCrypto, verifier: () => () => true };
const G =
  '046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5';
const SPKI = sequence(
  sequence(oid(Oid.ecPublicKey), oid(Oid.secp256r1)),
  bitString(Uint8Array.from(G.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16))),
);
const CREDENTIAL: Credential = {
  ...quickCredential,
  certificateChain: [certificateFor(SPKI)],
  ocspResponse: new Uint8Array(20),
  signedCertificateTimestamps: [new Uint8Array(10)],
};
const PSK: ExternalPsk = {
  identity: new Uint8Array(8),
  secret: new Uint8Array(32),
  earlyData: { maxSize: 1000, cipherSuite: 'TLS_AES_128_GCM_SHA256', alpnProtocol: 'h2' },
};

const BASE: Script = {
  client: {
    crypto: CRYPTO,
    alpn: ['h2'],
    recordSizeLimit: 2000,
    statusRequest: true,
    signedCertificateTimestamp: true,
    ticketRequest: { newSessionCount: 2, resumptionCount: 1 },
  },
  server: {
    crypto: CRYPTO,
    credentials: [CREDENTIAL],
    alpn: ['h2'],
    clientAuth: { mode: 'request', verifyClient: () => true },
    sessions: { idContext: Uint8Array.of(1) },
    recordSizeLimit: 3000,
    earlyData: { maxSize: 1000, antiReplay: { keepsForever: true, admit: () => true } },
  },
};
const SCRIPTS: readonly Script[] = [
  BASE,
  { ...BASE, client: { ...BASE.client, keyShares: [] } },
  { ...BASE, client: { ...BASE.client, psks: [PSK] }, server: { ...BASE.server, psks: [PSK] } },
  { ...BASE, version: 'TLSv1.2' },
  { ...BASE, version: 'TLSv1.2', server: { ...BASE.server, tickets: { mode: 'stateless' } } },
];
const MESSAGES = [
  certificate,
  certificateRequest,
  certificateRequestTls12,
  certificateTls12,
  certificateStatus,
  certificateVerify,
  encryptedExtensions,
  finished,
  helloRetryRequest,
  newSessionTicket,
  newSessionTicketTls12,
  serverHello,
  serverHelloDone,
  serverHelloTls12,
  serverKeyExchange,
] as Message<unknown>[];

interface Mutation {
  readonly message: number;
  readonly kind: 'flip' | 'cut' | 'insert' | 'drop' | 'repeat' | 'swap type';
  readonly at: number;
  readonly byte: number;
}

/** The message with a right header, so that the mutation is in its body. */
function mutated(raw: Uint8Array, { kind, at, byte }: Mutation): Uint8Array {
  const body = raw.slice(4);
  const place = body.length === 0 ? 0 : at % body.length;
  const framed = (content: Uint8Array) => concat(raw.subarray(0, 1), rawMessage('finished', content).subarray(1));
  if (kind === 'drop') return new Uint8Array(0);
  if (kind === 'repeat') return concat(raw, raw);
  if (kind === 'swap type') return concat(Uint8Array.of(byte), raw.subarray(1));
  if (kind === 'cut') return framed(body.subarray(0, place));
  if (kind === 'insert') return framed(concat(body.subarray(0, place), Uint8Array.of(byte), body.subarray(place)));
  if (body.length > 0) body[place] = byte;
  return framed(body);
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  message: fc.nat(MESSAGES.length - 1),
  kind: fc.constantFrom('flip', 'flip', 'cut', 'insert', 'drop', 'repeat', 'swap type'),
  at: fc.nat(2000),
  byte: fc.nat(255),
});

/** Meets a server that mutates its messages; sessions of a good handshake are offered. A throw of either end is the test's. */
function run(script: Script, mutations: readonly Mutation[], resumes: boolean): void {
  const meeting = new Meeting(script);
  const sessions = resumes ? meeting.sessions() : [];
  const alter = mutations.map((one) => sending(MESSAGES[one.message] ?? finished, (raw) => mutated(raw, one)));
  const link = meeting.meet({ connect: { sessions, earlyData: new Uint8Array(100) }, alter });
  const { client } = link;
  const failures = link.eventsOf('client', 'failed');
  expect(failures.length).to.be.at.most(1);
  expect(failures[0]?.error.alert).to.not.equal('internal_error');
  if (client.isEstablished) client.write(Uint8Array.of(1));
  client.dispose();
  link.server.dispose();
}

describe('a client of a server that sends nonsense', () => {
  for (const [i, script] of SCRIPTS.entries())
    for (const resumes of [false, true])
      it(`never throws, ${i}${resumes ? ', resuming' : ''}`, () => {
        const property = fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) =>
          run(script, mutations, resumes),
        );
        fc.assert(property, { ...runs(20), seed: 9846 + i });
      });

  it('is established without it', () => {
    for (const script of SCRIPTS) expectEstablished(new Meeting(script).meet());
  });

  it('never throws for bytes that are no TLS', () => {
    const property = fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      const { client } = new Meeting(BASE).pair();
      client.connect();
      client.receive(bytes);
      client.dispose();
    });
    fc.assert(property, { ...runs(50), seed: 9846 });
  });
});
