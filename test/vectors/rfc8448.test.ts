/**
 * RFC 8448, "Example Handshake Traces for TLS 1.3": §3 byte for byte through a connection, §4 and §5 as values only, because
 * the one is a 0-RTT handshake and the HelloRetryRequest of the other carries a cookie.
 */

import { constants, createHmac, verify, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import type { Credential } from '../../src/crypto/credentials/credential.ts';
import {
  applicationTrafficSecrets,
  certificateVerifyContent,
  earlySecret,
  expandLabel,
  exporterMasterSecret,
  exportKeyingMaterial,
  finishedMac,
  handshakeSecret,
  handshakeTrafficSecrets,
  masterSecret,
  pskBinderKey,
  resumptionMasterSecret,
  resumptionPsk,
  type TrafficSecret,
  trafficKeys,
} from '../../src/crypto/key-schedule.ts';
import { Plaintext, Tls13Protection } from '../../src/crypto/protection.ts';
import type { EphemeralKey, KeyAgreement } from '../../src/crypto/provider.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { Secret } from '../../src/crypto/secret.ts';
import { Transcript } from '../../src/crypto/transcript.ts';
import type { Event } from '../../src/engine/events.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { certificate } from '../../src/handshake/messages/certificate.ts';
import { certificateVerify } from '../../src/handshake/messages/certificate-verify.ts';
import { type ClientHello, clientHello, truncateBeforeBinders } from '../../src/handshake/messages/client-hello.ts';
import { encryptedExtensions } from '../../src/handshake/messages/encrypted-extensions.ts';
import { finished } from '../../src/handshake/messages/finished.ts';
import { frame, type Message } from '../../src/handshake/messages/message.ts';
import { newSessionTicket } from '../../src/handshake/messages/new-session-ticket.ts';
import {
  HELLO_RETRY_REQUEST_RANDOM,
  helloRetryRequest,
  serverHello,
} from '../../src/handshake/messages/server-hello.ts';
import { faults } from '../../src/testing.ts';
import { ascii, concat, EMPTY, fromHex, toHex } from '../../src/wire/bytes.ts';
import { decode } from '../../src/wire/codec.ts';
import { RecordBuffer, type TlsRecord } from '../../src/wire/record.ts';
import { CipherSuite, ContentType, ExtensionType, NamedGroup, SignatureScheme } from '../../src/wire/registry.ts';
import { fixture } from '../fixtures.ts';
import { synchronousProvider } from '../support/provider.ts';
import { seal } from '../support/seal.ts';

const fixtures = JSON.parse(fixture('rfc8448.json')) as Record<string, Record<string, string>>;

/** One section of the RFC. It remembers what has been asked of it, so that nothing is left unchecked. */
class Trace {
  readonly #values: Record<string, string>;
  readonly #used = new Set<string>();

  constructor(section: string) {
    this.#values = fixtures[section] ?? {};
  }

  hex(name: string): string {
    const value = this.#values[name];
    if (value === undefined) throw new Error(`no ${name} in this trace`);
    this.#used.add(name);
    return value;
  }

  bytes(name: string): Uint8Array {
    return fromHex(this.hex(name));
  }

  get unused(): string[] {
    return Object.keys(this.#values).filter((name) => !this.#used.has(name));
  }

  /** The value that we have come to is that of the trace. */
  check(name: string, actual: Uint8Array | Secret<string>): void {
    expect(toHex(actual instanceof Secret ? actual.bytes : actual), name).to.equal(this.hex(name));
  }

  /** A handshake message, taken apart by its struct. */
  body<T>(message: Message<T>, name: string): T {
    const raw = this.bytes(name);
    expect(raw[0], `the type of ${name}`).to.equal(message.type);
    expect(raw.length, `the length of ${name}`).to.equal(4 + new DataView(raw.buffer).getUint16(2));
    return decode(message.body, raw.subarray(4));
  }
}

const hash = synchronousProvider.hashes.sha256;
const aead = synchronousProvider.aeads['aes-128-gcm'];
const x25519 = synchronousProvider.groups.x25519 as KeyAgreement;
const secp256r1 = noble.groups.secp256r1 as KeyAgreement;

/** The secret of a branded kind that the schedule of early data has, which a server without 0-RTT does not need. */
const derive = (secret: Secret<string>, label: string, transcriptHash: Uint8Array): TrafficSecret =>
  new Secret(hash, expandLabel(secret, label, transcriptHash, hash.length));

const derived = (secret: Secret<string>): TrafficSecret => derive(secret, 'derived', hash.digest(EMPTY));

function recordOf(bytes: Uint8Array): TlsRecord {
  const buffer = new RecordBuffer();
  buffer.push(bytes);
  const record = buffer.next(0x8000);
  if (record === undefined || buffer.length > 0) throw new Error('not one record');
  return record;
}

/** Key and IV of a traffic secret are the trace's, and so is every record under them, both ways. */
function checkRecords(
  trace: Trace,
  secret: TrafficSecret,
  names: { readonly key?: string; readonly iv?: string },
  records: readonly (readonly [type: number, content: Uint8Array, record: string])[],
): void {
  const keys = trafficKeys(aead, secret);
  if (names.key !== undefined) trace.check(names.key, keys.key);
  if (names.iv !== undefined) trace.check(names.iv, keys.iv);
  const writing = new Tls13Protection(aead, keys);
  const reading = new Tls13Protection(aead, keys);
  for (const [type, content, name] of records) {
    trace.check(name, seal(writing, type, content));
    const opened = reading.open(recordOf(trace.bytes(name)));
    expect({ ...opened, content: toHex(opened.content) }, name).to.deep.equal({ type, content: toHex(content) });
  }
}

/** A message in the clear is in one record, whose version is that of the trace (0x0301 for a first ClientHello). */
function checkPlainRecord(trace: Trace, name: string): void {
  const record = recordOf(trace.bytes(`${name}Record`));
  const { type, content } = new Plaintext().open(record);
  expect(type).to.equal(ContentType.handshake);
  trace.check(name, content);
}

function transcriptHash(...messages: readonly Uint8Array[]): Uint8Array {
  return hash.digest(concat(...messages));
}

async function generate(group: KeyAgreement, seed: Uint8Array): Promise<EphemeralKey> {
  return await group.generate(() => seed.slice());
}

describe('RFC 8448 §3, simple 1-RTT handshake', () => {
  const trace = new Trace('simple1Rtt');
  const signed: { scheme: string; message: Uint8Array }[] = [];

  /** The choices that are the server's in the trace: certificate, and a signature that RSA-PSS has salted. */
  function credential(): Credential {
    return {
      certificateChain: trace.body(certificate, 'certificate').certificateList.map(({ certData }) => certData),
      schemes: ['rsa_pss_rsae_sha256'],
      names: ['server'],
      sign: (scheme, message) => {
        signed.push({ scheme, message });
        return trace.body(certificateVerify, 'certificateVerify').signature;
      },
    };
  }

  /** Dice that fall as they fell for the RFC: the server's random, an id that the ticket replaces, ticket_age_add. */
  function randomBytes(): (length: number) => Uint8Array {
    const { random } = trace.body(serverHello, 'serverHello');
    const script = [random, new Uint8Array(32).fill(7), trace.bytes('ticketAgeAdd')];
    return (length) => {
      const next = script.shift();
      if (next?.length !== length) throw new Error(`${length} random bytes are not in the script`);
      return next;
    };
  }

  function connect(): ServerConnection {
    const config = defineServer({
      credentials: [credential()],
      tickets: { initial: 1 },
      world: { now: () => Date.UTC(2018, 0, 1), randomBytes: randomBytes() },
      crypto: { ...synchronousProvider, groups: { x25519: { generate: () => generateAsRecorded() } } },
      groups: ['x25519'],
    });
    const generateAsRecorded = () => x25519.generate(() => trace.bytes('serverX25519Private'));
    return new ServerConnection(config, {
      wantsKeylog: () => true,
      // What the peer of the trace says and this server does not.
      faults: [
        faults.raw('encrypted_extensions', () => trace.bytes('encryptedExtensions'), { isHashed: true }),
        faults.raw('new_session_ticket', () => trace.bytes('newSessionTicket')),
      ],
    });
  }

  /** The client's four records and the server's two calls, in the order of the RFC. */
  function replay(
    connection: ServerConnection,
    chunksOf: (bytes: Uint8Array) => readonly Uint8Array[],
  ): { output: Record<string, string>; events: readonly Event[] } {
    const output: Record<string, string> = {};
    const events: Event[] = [];
    const receive = (name: string, ...records: readonly string[]) => {
      const steps = chunksOf(concat(...records.map((record) => trace.bytes(record)))).map((chunk) =>
        connection.receive(chunk),
      );
      output[name] = toHex(concat(...steps.map((step) => step.output)));
      events.push(...steps.flatMap((step) => step.events));
    };
    receive('hello', 'clientHelloRecord');
    receive('finished', 'clientFinishedRecord');
    receive('data', 'clientAppDataRecord');
    output['write'] = toHex(connection.write(trace.bytes('serverAppData')).output);
    receive('alert', 'clientAlertRecord');
    output['end'] = toHex(connection.end().output);
    return { output, events };
  }

  const whole = (bytes: Uint8Array) => [bytes];
  const byteByByte = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte));

  const expected = () => ({
    hello: trace.hex('serverHelloRecord') + trace.hex('serverFlightRecord'),
    finished: trace.hex('newSessionTicketRecord'),
    data: '',
    write: trace.hex('serverAppDataRecord'),
    alert: '',
    end: trace.hex('serverAlertRecord'),
  });

  it('is what the server says, byte for byte', () => {
    expect(replay(connect(), whole).output).to.deep.equal(expected());
  });

  it('is what the server says when it hears one byte at a time', () => {
    expect(replay(connect(), byteByByte).output).to.deep.equal(expected());
  });

  it('is what the server says when all that the client has left to say comes at once', () => {
    const connection = connect();
    const wanted = expected();
    expect(toHex(connection.receive(trace.bytes('clientHelloRecord')).output)).to.equal(wanted.hello);
    const rest = ['clientFinishedRecord', 'clientAppDataRecord', 'clientAlertRecord'].map((name) => trace.bytes(name));
    const step = connection.receive(concat(...rest));
    expect(toHex(step.output)).to.equal(wanted.finished);
    expect(step.events.map(({ type }) => type)).to.include.members(['established', 'data', 'alert', 'end']);
    expect(toHex(connection.write(trace.bytes('serverAppData')).output)).to.equal(wanted.write);
    expect(toHex(connection.end().output)).to.equal(wanted.end);
  });

  it('is what the connection tells of itself', () => {
    const connection = connect();
    const { events } = replay(connection, whole);
    const { random } = trace.body(clientHello, 'clientHello');
    const line = (label: string, name: string) => `${label} ${toHex(random)} ${trace.hex(name)}`;
    expect(events.flatMap((event) => (event.type === 'keylog' ? [event.line] : []))).to.have.members([
      line('CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'clientHandshakeTrafficSecret'),
      line('SERVER_HANDSHAKE_TRAFFIC_SECRET', 'serverHandshakeTrafficSecret'),
      line('CLIENT_TRAFFIC_SECRET_0', 'clientApplicationTrafficSecret0'),
      line('SERVER_TRAFFIC_SECRET_0', 'serverApplicationTrafficSecret0'),
      line('EXPORTER_SECRET', 'exporterMasterSecret'),
    ]);
    const data = events.flatMap((event) => (event.type === 'data' ? [toHex(event.data)] : []));
    expect(data).to.deep.equal([trace.hex('clientAppData')]);
    const received = events.flatMap((event) => (event.type === 'alert' ? [event] : []));
    expect(received).to.deep.equal([{ type: 'alert', direction: 'received', level: 1, description: 0 }]);
    expect(connection.version).to.equal('TLSv1.3');
    expect(connection.cipherSuite).to.equal('TLS_AES_128_GCM_SHA256');
    expect(connection.group).to.equal('x25519');
    expect(connection.serverName).to.equal('server');
    expect(connection.signatureScheme).to.equal('rsa_pss_rsae_sha256');
    const exporter = new Secret(hash, trace.bytes('exporterMasterSecret')) as Parameters<
      typeof exportKeyingMaterial
    >[0];
    expect(toHex(connection.exportKeyingMaterial(40, 'EXPORTER-test', Uint8Array.of(1)))).to.equal(
      toHex(exportKeyingMaterial(exporter, 'EXPORTER-test', Uint8Array.of(1), 40)),
    );
  });

  it('leads to a session whose PSK is made of the resumption master secret of the trace', () => {
    const connection = connect();
    replay(connection, whole);
    const resumption = new Secret(hash, trace.bytes('resumptionMasterSecret')) as Parameters<typeof resumptionPsk>[0];
    const ourNonce = new Uint8Array(8); // that of the trace has two bytes; it is on the wire by rewriting
    const psk = connection.session?.secret ?? EMPTY;
    expect(toHex(psk)).to.equal(toHex(resumptionPsk(resumption, ourNonce)));
    expect(connection.session?.ticketAgeAdd).to.equal(Number.parseInt(trace.hex('ticketAgeAdd'), 16));
  });

  it('has a CertificateVerify over what we ask to be signed', () => {
    signed.length = 0;
    connect().receive(trace.bytes('clientHelloRecord'));
    const [{ scheme, message } = { scheme: '', message: EMPTY }, ...others] = signed;
    expect([scheme, ...others]).to.deep.equal(['rsa_pss_rsae_sha256']);
    const messages = ['clientHello', 'serverHello', 'encryptedExtensions', 'certificate'];
    const content = certificateVerifyContent('server', transcriptHash(...messages.map((name) => trace.bytes(name))));
    expect(toHex(message)).to.equal(toHex(content));
    const [entry] = trace.body(certificate, 'certificate').certificateList;
    const key = new X509Certificate(entry?.certData ?? EMPTY).publicKey;
    const { algorithm, signature } = trace.body(certificateVerify, 'certificateVerify');
    expect(algorithm).to.equal(SignatureScheme.rsa_pss_rsae_sha256);
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    expect(verify('sha256', message, { key, ...padding }, signature)).to.equal(true);
  });

  it('has messages that our structs read and write again', () => {
    for (const [message, name] of [
      [serverHello, 'serverHello'],
      [encryptedExtensions, 'encryptedExtensions'],
      [certificate, 'certificate'],
      [certificateVerify, 'certificateVerify'],
      [finished, 'serverFinished'],
      [finished, 'clientFinished'],
      [newSessionTicket, 'newSessionTicket'],
    ] as readonly [Message<unknown>, string][]) {
      trace.check(name, frame(message, trace.body(message, name)));
    }
    const ticket = trace.body(newSessionTicket, 'newSessionTicket');
    trace.check('ticketLifetime', Uint8Array.of(0, 0, 0, ticket.ticketLifetime));
    expect(ticket.ticketAgeAdd).to.equal(Number.parseInt(trace.hex('ticketAgeAdd'), 16));
    trace.check('ticketNonce', ticket.ticketNonce);
    trace.check('ticket', ticket.ticket);
    expect(ticket.extensions.earlyData).to.equal(1024);
    const hello = trace.body(clientHello, 'clientHello');
    const [share] = hello.extensions.keyShare ?? [];
    expect(share?.group).to.equal(NamedGroup.x25519);
    trace.check('clientX25519Public', share?.keyExchange ?? EMPTY);
  });

  it('has the shared secret of both key pairs', async () => {
    const client = await generate(x25519, trace.bytes('clientX25519Private'));
    const server = await generate(x25519, trace.bytes('serverX25519Private'));
    trace.check('clientX25519Public', client.publicKey);
    trace.check('serverX25519Public', server.publicKey);
    trace.check('ecdheSharedSecret', await server.agree(client.publicKey));
    trace.check('ecdheSharedSecret', await client.agree(server.publicKey));
  });

  it('has the key schedule', () => {
    const transcript = new Transcript();
    transcript.add(trace.bytes('clientHello'));
    transcript.start(hash);
    transcript.add(trace.bytes('serverHello'));
    trace.check('hashChSh', transcript.peek());
    const early = earlySecret(hash, undefined);
    trace.check('earlySecret', early);
    trace.check('derivedForHandshake', derived(early));
    const handshake = handshakeSecret(early, trace.bytes('ecdheSharedSecret'));
    trace.check('handshakeSecret', handshake);
    const traffic = handshakeTrafficSecrets(handshake, transcript.peek());
    trace.check('clientHandshakeTrafficSecret', traffic.client);
    trace.check('serverHandshakeTrafficSecret', traffic.server);
    trace.check('derivedForMaster', derived(handshake));
    trace.check('masterSecret', masterSecret(handshake));
    for (const name of ['encryptedExtensions', 'certificate', 'certificateVerify']) transcript.add(trace.bytes(name));
    trace.check('serverFinishedKey', expandLabel(traffic.server, 'finished', EMPTY, 32));
    const serverMac = finishedMac(traffic.server, transcript.peek());
    trace.check('serverFinished', frame(finished, { verifyData: serverMac }));
    transcript.add(trace.bytes('serverFinished'));
    trace.check('hashChSfin', transcript.peek());
    trace.check('clientFinishedKey', expandLabel(traffic.client, 'finished', EMPTY, 32));
    const clientMac = finishedMac(traffic.client, transcript.peek());
    trace.check('clientFinished', frame(finished, { verifyData: clientMac }));
    trace.check('clientFinishedPayload', trace.bytes('clientFinished'));
  });

  it('has the secrets of the application', () => {
    const master = masterSecret(handshakeSecret(earlySecret(hash, undefined), trace.bytes('ecdheSharedSecret')));
    const application = applicationTrafficSecrets(master, trace.bytes('hashChSfin'));
    trace.check('clientApplicationTrafficSecret0', application.client);
    trace.check('serverApplicationTrafficSecret0', application.server);
    trace.check('exporterMasterSecret', exporterMasterSecret(master, trace.bytes('hashChSfin')));
    const flight = ['encryptedExtensions', 'certificate', 'certificateVerify', 'serverFinished'];
    const names = ['clientHello', 'serverHello', ...flight, 'clientFinished'];
    trace.check('hashChCfin', transcriptHash(...names.map((name) => trace.bytes(name))));
    const resumption = resumptionMasterSecret(master, trace.bytes('hashChCfin'));
    trace.check('resumptionMasterSecret', resumption);
    trace.check('resumptionPsk', resumptionPsk(resumption, trace.bytes('ticketNonce')));
    const byHand = createHmac('sha256', resumption.bytes)
      .update(trace.bytes('resumptionNonceInfo'))
      .update(Uint8Array.of(1));
    trace.check('resumptionPsk', byHand.digest());
  });

  it('has the records', () => {
    const flight = ['encryptedExtensions', 'certificate', 'certificateVerify', 'serverFinished'];
    trace.check('serverFlightPayload', concat(...flight.map((name) => trace.bytes(name))));
    checkPlainRecord(trace, 'clientHello');
    checkPlainRecord(trace, 'serverHello');
    const secret = (name: string): TrafficSecret => new Secret(hash, trace.bytes(name));
    const { handshake, application_data, alert } = ContentType;
    checkRecords(
      trace,
      secret('serverHandshakeTrafficSecret'),
      { key: 'serverHandshakeKey', iv: 'serverHandshakeIv' },
      [[handshake, trace.bytes('serverFlightPayload'), 'serverFlightRecord']],
    );
    checkRecords(
      trace,
      secret('clientHandshakeTrafficSecret'),
      { key: 'clientHandshakeKey', iv: 'clientHandshakeIv' },
      [[handshake, trace.bytes('clientFinished'), 'clientFinishedRecord']],
    );
    checkRecords(
      trace,
      secret('serverApplicationTrafficSecret0'),
      { key: 'serverApplicationKey', iv: 'serverApplicationIv' },
      [
        [handshake, trace.bytes('newSessionTicket'), 'newSessionTicketRecord'],
        [application_data, trace.bytes('serverAppData'), 'serverAppDataRecord'],
        [alert, trace.bytes('serverAlert'), 'serverAlertRecord'],
      ],
    );
    checkRecords(
      trace,
      secret('clientApplicationTrafficSecret0'),
      { key: 'clientApplicationKey', iv: 'clientApplicationIv' },
      [
        [application_data, trace.bytes('clientAppData'), 'clientAppDataRecord'],
        [alert, trace.bytes('clientAlert'), 'clientAlertRecord'],
      ],
    );
  });

  it('has nothing more', () => {
    expect(trace.unused).to.deep.equal([]);
  });
});

describe('RFC 8448 §4, resumed 0-RTT handshake', () => {
  const trace = new Trace('resumed0Rtt');

  it('is resumed with the PSK of §3', () => {
    trace.check('psk', new Trace('simple1Rtt').bytes('resumptionPsk'));
    const [identity] = trace.body(clientHello, 'clientHello').extensions.preSharedKey?.identities ?? [];
    expect(toHex(identity?.identity ?? EMPTY)).to.equal(new Trace('simple1Rtt').hex('ticket'));
  });

  it('has the binder', () => {
    const raw = trace.bytes('clientHello');
    const offered = trace.body(clientHello, 'clientHello').extensions.preSharedKey;
    const truncated = offered === undefined ? EMPTY : truncateBeforeBinders(raw, offered);
    trace.check('clientHelloPrefix', truncated);
    const early = earlySecret(hash, trace.bytes('psk'));
    trace.check('earlySecret', early);
    const binderHash = new Transcript().hashWith(hash, truncated);
    trace.check('binderHash', binderHash);
    const binderKey = pskBinderKey(early, 'resumption');
    trace.check('binderPrkBinderKey', binderKey);
    trace.check('binderFinishedKey', expandLabel(binderKey, 'finished', EMPTY, 32));
    trace.check('binder', finishedMac(binderKey, binderHash));
    const [binder = EMPTY] = offered?.binders ?? [];
    trace.check('binder', binder);
  });

  it('has the secrets and records of early data', () => {
    trace.check('hashCh', transcriptHash(trace.bytes('clientHello')));
    const early = new Secret<'early'>(hash, trace.bytes('earlySecret'));
    const traffic = derive(early, 'c e traffic', trace.bytes('hashCh'));
    trace.check('clientEarlyTrafficSecret', traffic);
    trace.check('earlyExporterMasterSecret', derive(early, 'e exp master', trace.bytes('hashCh')));
    checkRecords(trace, traffic, { key: 'earlyKey', iv: 'earlyIv' }, [
      [ContentType.application_data, trace.bytes('earlyData'), 'earlyDataRecord'],
      [ContentType.handshake, trace.bytes('endOfEarlyData'), 'endOfEarlyDataRecord'],
    ]);
    expect(toHex(ascii('ABCDEF'))).to.equal(trace.hex('earlyData'));
  });

  it('has a ServerHello that our struct reads and writes again', () => {
    checkPlainRecord(trace, 'clientHello');
    checkPlainRecord(trace, 'serverHello');
    const body = trace.body(serverHello, 'serverHello');
    expect(body.extensions.preSharedKey).to.equal(0);
    trace.check('serverX25519Public', body.extensions.keyShare?.keyExchange ?? EMPTY);
    trace.check('serverHello', frame(serverHello, body));
  });

  it('has the key schedule of a PSK with (EC)DHE', async () => {
    const client = await generate(x25519, trace.bytes('clientX25519Private'));
    const server = await generate(x25519, trace.bytes('serverX25519Private'));
    trace.check('clientX25519Public', client.publicKey);
    trace.check('ecdheSharedSecret', await server.agree(client.publicKey));
    const early = earlySecret(hash, trace.bytes('psk'));
    trace.check('derivedForHandshake', derived(early));
    const handshake = handshakeSecret(early, trace.bytes('ecdheSharedSecret'));
    trace.check('handshakeSecret', handshake);
    const hellos = ['clientHello', 'serverHello'].map((name) => trace.bytes(name));
    const traffic = handshakeTrafficSecrets(handshake, transcriptHash(...hellos));
    trace.check('clientHandshakeTrafficSecret', traffic.client);
    trace.check('serverHandshakeTrafficSecret', traffic.server);
    const master = masterSecret(handshake);
    trace.check('masterSecret', master);
    const untilFinished = concat(...hellos, trace.bytes('encryptedExtensions'));
    const serverMac = finishedMac(traffic.server, transcriptHash(untilFinished));
    trace.check('serverFinished', frame(finished, { verifyData: serverMac }));
    const throughFinished = concat(untilFinished, trace.bytes('serverFinished'));
    const application = applicationTrafficSecrets(master, transcriptHash(throughFinished));
    trace.check('clientApplicationTrafficSecret0', application.client);
    trace.check('serverApplicationTrafficSecret0', application.server);
    trace.check('exporterMasterSecret', exporterMasterSecret(master, transcriptHash(throughFinished)));
    const throughEarlyData = concat(throughFinished, trace.bytes('endOfEarlyData'));
    const clientMac = finishedMac(traffic.client, transcriptHash(throughEarlyData));
    trace.check('clientFinished', frame(finished, { verifyData: clientMac }));
    const all = transcriptHash(throughEarlyData, trace.bytes('clientFinished'));
    trace.check('resumptionMasterSecret', resumptionMasterSecret(master, all));
  });

  it('has the records', () => {
    const secret = (name: string): TrafficSecret => new Secret(hash, trace.bytes(name));
    const { handshake, application_data, alert } = ContentType;
    const closeNotify = Uint8Array.of(1, 0);
    trace.check('serverFlightPayload', concat(trace.bytes('encryptedExtensions'), trace.bytes('serverFinished')));
    checkRecords(
      trace,
      secret('serverHandshakeTrafficSecret'),
      { key: 'serverHandshakeKey', iv: 'serverHandshakeIv' },
      [[handshake, trace.bytes('serverFlightPayload'), 'serverFlightRecord']],
    );
    checkRecords(
      trace,
      secret('clientHandshakeTrafficSecret'),
      { key: 'clientHandshakeKey', iv: 'clientHandshakeIv' },
      [[handshake, trace.bytes('clientFinished'), 'clientFinishedRecord']],
    );
    checkRecords(
      trace,
      secret('serverApplicationTrafficSecret0'),
      { key: 'serverApplicationKey', iv: 'serverApplicationIv' },
      [
        [application_data, trace.bytes('serverAppData'), 'serverAppDataRecord'],
        [alert, closeNotify, 'serverAlertRecord'],
      ],
    );
    checkRecords(
      trace,
      secret('clientApplicationTrafficSecret0'),
      { key: 'clientApplicationKey', iv: 'clientApplicationIv' },
      [
        [application_data, trace.bytes('clientAppData'), 'clientAppDataRecord'],
        [alert, closeNotify, 'clientAlertRecord'],
      ],
    );
  });

  it('has nothing more', () => {
    expect(trace.unused).to.deep.equal([]);
  });
});

describe('RFC 8448 §5, HelloRetryRequest', () => {
  const trace = new Trace('helloRetryRequest');

  it('has messages that our structs read', () => {
    for (const name of ['clientHello1', 'helloRetryRequest', 'clientHello2', 'serverHello'])
      checkPlainRecord(trace, name);
    const retry = trace.body(helloRetryRequest, 'helloRetryRequest');
    expect(toHex(retry.random)).to.equal(toHex(HELLO_RETRY_REQUEST_RANDOM));
    expect(retry.cipherSuite).to.equal(CipherSuite.TLS_AES_128_GCM_SHA256);
    expect(retry.extensions.keyShare).to.equal(NamedGroup.secp256r1);
    expect(retry.extensions.order).to.include(ExtensionType.cookie);
    const first = trace.body(clientHello, 'clientHello1');
    const second = trace.body(clientHello, 'clientHello2');
    const groupsOf = ({ extensions }: ClientHello) => Array.from(extensions.keyShare ?? [], ({ group }) => group);
    expect(groupsOf(first)).to.deep.equal([NamedGroup.x25519]);
    expect(groupsOf(second)).to.deep.equal([NamedGroup.secp256r1]);
    expect(second.extensions.cookie).to.have.length(114);
    trace.check('serverHello', frame(serverHello, trace.body(serverHello, 'serverHello')));
  });

  it('has the shared secret of secp256r1', async () => {
    const [first] = trace.body(clientHello, 'clientHello1').extensions.keyShare ?? [];
    const x25519Key = await generate(x25519, trace.bytes('clientX25519Private'));
    expect(toHex(x25519Key.publicKey)).to.equal(toHex(first?.keyExchange ?? EMPTY));
    const client = await generate(secp256r1, seedOf(trace.bytes('clientP256Private')));
    trace.check('clientP256Public', client.publicKey);
    const [share] = trace.body(clientHello, 'clientHello2').extensions.keyShare ?? [];
    trace.check('clientP256Public', share?.keyExchange ?? EMPTY);
    const server = trace.body(serverHello, 'serverHello').extensions.keyShare;
    trace.check('ecdheSharedSecret', await client.agree(server?.keyExchange ?? EMPTY));
  });

  it('has the transcript of RFC 9846 §4.1 and the key schedule', () => {
    const transcript = new Transcript();
    transcript.add(trace.bytes('clientHello1'));
    transcript.replaceByMessageHash(hash);
    transcript.add(trace.bytes('helloRetryRequest'));
    transcript.add(trace.bytes('clientHello2'));
    transcript.start(hash);
    transcript.add(trace.bytes('serverHello'));
    trace.check('hashMhHrrCh2Sh', transcript.peek());
    const handshake = handshakeSecret(earlySecret(hash, undefined), trace.bytes('ecdheSharedSecret'));
    trace.check('handshakeSecret', handshake);
    trace.check('masterSecret', masterSecret(handshake));
    const traffic = handshakeTrafficSecrets(handshake, transcript.peek());
    trace.check('clientHandshakeTrafficSecret', traffic.client);
    trace.check('serverHandshakeTrafficSecret', traffic.server);
  });

  it('has nothing more', () => {
    expect(trace.unused).to.deep.equal([]);
  });
});

/** The 48 random bytes of which noble makes this private key of secp256r1: FIPS 186-5 A.4.1, reduced to [0, n - 2], plus one. */
function seedOf(privateKey: Uint8Array): Uint8Array {
  const lessOne = (BigInt(`0x${toHex(privateKey)}`) - 1n).toString(16);
  return fromHex(lessOne.padStart(96, '0'));
}
