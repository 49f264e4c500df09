/** What a client makes of a HelloRetryRequest, with sessions and without: RFC 9846 §4.2.4. */

import type { Fault } from '../../../engine/fault.ts';
import type { ServerOptions } from '../../../engine/server/options.ts';
import { concat, equalBytes } from '../../../wire/bytes.ts';
import { encode, opaque, uint16 } from '../../../wire/codec.ts';
import { CipherSuite, ExtensionType, type GroupName, NamedGroup } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ClientBench } from '../bench.ts';
import type { ClientScenario } from '../scenario.ts';
import { NotRun, type Visit } from '../visit.ts';
import { conforms, offering } from './connections.ts';
import { groupWithoutShare, type Hello, helloOf, requireHello } from './hello.ts';

const RETRY = { side: 'client', versions: ['TLSv1.3'], mechanism: 'none' } as const;
const CLAUSE = 'RFC 9846 §4.2.4';

/** What a client offers in a connection without fault, and a group of which it has sent no share. */
async function groupsOf(bench: ClientBench): Promise<{ readonly hello: Hello; readonly group: GroupName }> {
  const hello = helloOf(await bench.server().accept({ resumes: false }));
  return { hello, group: groupWithoutShare(hello) };
}

/** Has the client connect to a server that asks for another group. */
async function retried(
  bench: ClientBench,
  edits: (hello: Hello) => readonly Fault[],
  options: Partial<ServerOptions> = {},
): Promise<Visit> {
  const { hello, group } = await groupsOf(bench);
  return bench.server({ groups: [group], ...options }).accept({ resumes: false, faults: edits(hello) });
}

/** The same of a client that offers the ticket of the server. */
async function retriedWithTicket(bench: ClientBench, edits: readonly Fault[] = []): Promise<Visit> {
  bench.need('resume');
  const { group } = await groupsOf(bench);
  const server = bench.server({ groups: [group] });
  await server.hand();
  return offering(server, { faults: edits });
}

/** secp521r1, x448 and those of RFC 7919 and RFC 8734. */
const NO_GROUPS_OF_OURS = [0x19, 0x1e, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104, 0x1f, 0x20, 0x21];

/** A HelloRetryRequest with this group in it. */
const asking = (group: number) =>
  faults.extension('hello_retry_request', ExtensionType.key_share, encode(uint16, group));
/** A message of another suite than the server has selected. */
const claiming = (name: 'hello_retry_request' | 'server_hello', cipherSuite: number) =>
  faults.change<object>(name, (body) => ({ ...body, cipherSuite }));

/** The same HelloRetryRequest again, in the place of the ServerHello. */
function secondRetry(): readonly Fault[] {
  let first: Uint8Array | undefined;
  const keep = faults.raw('hello_retry_request', (raw) => {
    first = raw;
    return raw;
  });
  return [keep, faults.raw('server_hello', (raw) => first ?? raw)];
}

const refusals: readonly ClientScenario[] = [
  {
    ...RETRY,
    id: 'client/hello-retry/twice',
    title: 'a second HelloRetryRequest answers the second ClientHello',
    clause: CLAUSE,
    reason: 'A client that goes on is kept busy for ever.',
    severity: 'must',
    expect: ['unexpected_message'],
    run: async (bench) => (await retried(bench, secondRetry)).reaction,
  },
  {
    ...RETRY,
    id: 'client/hello-retry/group-already-sent',
    title: 'HelloRetryRequest asks for a group of which there is a share',
    clause: 'RFC 9846 §4.3.8',
    reason: 'The second hello would be the first again.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) =>
      (
        await retried(bench, ({ shares }) => {
          if (shares[0] === undefined) throw new NotRun('the client sends no share');
          return [asking(shares[0])];
        })
      ).reaction,
  },
  {
    ...RETRY,
    id: 'client/hello-retry/group-not-offered',
    title: 'HelloRetryRequest asks for a group that was not offered',
    clause: 'RFC 9846 §4.3.8',
    reason: 'What a client has not offered it may have turned off.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) =>
      (
        await retried(bench, ({ groups }) => {
          const other = NO_GROUPS_OF_OURS.find((group) => !groups.includes(group));
          if (other === undefined) throw new NotRun('the client offers all groups');
          return [asking(other)];
        })
      ).reaction,
  },
  {
    ...RETRY,
    id: 'client/hello-retry/nothing-asked',
    title: 'HelloRetryRequest asks for neither a group nor a cookie',
    clause: CLAUSE,
    reason: 'It would lead to no change of the hello, and so to a loop.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const nothing = faults.extension('hello_retry_request', ExtensionType.key_share, undefined);
      return (await retried(bench, () => [nothing])).reaction;
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/cookie-empty',
    title: 'HelloRetryRequest has a cookie of no bytes',
    clause: 'RFC 9846 §6, §4.3.2',
    reason: 'A cookie has a byte at least.',
    severity: 'must',
    expect: ['decode_error'],
    run: async (bench) => {
      const empty = faults.extension('hello_retry_request', ExtensionType.cookie, Uint8Array.of(0, 0));
      return (await retried(bench, () => [empty])).reaction;
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/suite-not-offered',
    title: 'HelloRetryRequest selects a suite that was not offered',
    clause: 'RFC 9846 §4.2.3, §4.2.4',
    reason: 'The suite decides which hash the transcript has, and which PSKs go on.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const AES_128_CCM_8_SHA256 = 0x1305;
      const visit = await retried(bench, () => [claiming('hello_retry_request', AES_128_CCM_8_SHA256)]);
      return requireHello(visit, ({ fields }) => !fields.cipherSuites.includes(AES_128_CCM_8_SHA256), 'it was offered')
        .reaction;
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/suite-changed',
    title: 'ServerHello has another suite than the HelloRetryRequest',
    clause: CLAUSE,
    reason: 'The transcript has begun with the hash of the first.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const other = CipherSuite.TLS_CHACHA20_POLY1305_SHA256;
      const visit = await retried(bench, () => [claiming('server_hello', other)], {
        ciphers: ['TLS_AES_128_GCM_SHA256'],
      });
      return requireHello(visit, ({ fields }) => fields.cipherSuites.includes(other), 'the client does not offer it')
        .reaction;
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/version-changed',
    title: 'ServerHello selects another version than the HelloRetryRequest',
    clause: CLAUSE,
    reason: 'The version of the retry has to stay.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const tls12 = faults.extension('server_hello', ExtensionType.supported_versions, Uint8Array.of(3, 3));
      return (await retried(bench, () => [tls12])).reaction;
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/version-missing',
    title: 'HelloRetryRequest without supported_versions',
    clause: CLAUSE,
    reason: 'There is no HelloRetryRequest in any version but TLS 1.3, which has to be selected.',
    severity: 'should',
    expect: ['missing_extension', 'illegal_parameter', 'protocol_version', 'unexpected_message', 'decode_error'],
    run: async (bench) => {
      const without = faults.extension('hello_retry_request', ExtensionType.supported_versions, undefined);
      return (await retried(bench, () => [without])).reaction;
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/session-id-echo-wrong',
    title: 'HelloRetryRequest echoes another session id',
    clause: 'RFC 9846 §4.2.3, §4.2.4',
    reason: 'It is checked as in a ServerHello.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const legacySessionIdEcho = bench.randomBytes(32);
      const wrong = faults.change<object>('hello_retry_request', (body) => ({ ...body, legacySessionIdEcho }));
      return (await retried(bench, () => [wrong])).reaction;
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/share-of-another-group',
    title: 'ServerHello has a share of another group than the HelloRetryRequest has asked for',
    clause: 'RFC 9846 §4.3.8',
    reason: 'The group of the retry has to stay, also where the first hello had a share of the other one.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) =>
      (
        await retried(bench, ({ shares: [first] }) => {
          if (first === undefined) throw new NotRun('the client sends no share');
          const other = (share: Uint8Array | undefined) => share && concat(encode(uint16, first), share.subarray(2));
          return [faults.extension('server_hello', ExtensionType.key_share, other)];
        })
      ).reaction,
  },
  {
    ...RETRY,
    id: 'client/hello-retry/pre-shared-key',
    title: 'HelloRetryRequest has the extension pre_shared_key',
    clause: 'RFC 9846 §4.3',
    reason: 'A PSK is selected by ServerHello, when its binder covers all that was said.',
    mechanism: 'psk',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const selected = faults.extension('hello_retry_request', ExtensionType.pre_shared_key, Uint8Array.of(0, 0));
      return (await retriedWithTicket(bench, [selected])).reaction;
    },
  },
];

const ticketRequests: readonly ClientScenario[] = [
  {
    ...RETRY,
    id: 'client/hello-retry/ticket-request',
    title: 'HelloRetryRequest answers ticket_request',
    clause: 'RFC 9149 §3',
    reason: 'The answer has its place in EncryptedExtensions, where it is protected.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const answer = faults.extension('hello_retry_request', ExtensionType.ticket_request, Uint8Array.of(2));
      const visit = await retried(bench, () => [answer]);
      return requireHello(visit, (hello) => hello.has('ticket_request'), 'it asks for no tickets').reaction;
    },
  },
];

const secondHellos: readonly ClientScenario[] = [
  {
    ...RETRY,
    id: 'client/hello-retry/resumes',
    title: 'the session is resumed after a HelloRetryRequest',
    clause: 'RFC 9846 §4.2.2, §4.3.11.2',
    reason:
      'The binders of the second hello cover the first, the retry and the second. Those of the first are wrong there.',
    mechanism: 'psk',
    severity: 'should',
    expect: ['ignores'],
    run: async (bench) => (await retriedWithTicket(bench)).reaction,
  },
  {
    ...RETRY,
    id: 'client/hello-retry/psk-declined',
    title: 'HelloRetryRequest answers a hello with a ticket, and ServerHello does not select it',
    clause: 'RFC 9846 §4.3.11, §4.2.4',
    reason: 'A retry promises nothing of the session: a full handshake has to follow, with the certificate.',
    mechanism: 'psk',
    severity: 'should',
    expect: ['full handshake'],
    run: async (bench) => {
      bench.need('resume');
      const { group } = await groupsOf(bench);
      await bench.server().hand();
      const visit = await offering(bench.server({ groups: [group] }));
      helloOf(visit, 2);
      return visit.reaction;
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/psk-of-another-hash',
    title: 'HelloRetryRequest selects a suite of another hash than that of the ticket',
    clause: CLAUSE,
    reason:
      'The server has chosen a hash with which the PSK cannot be used, so it is to be left out of the second hello.',
    mechanism: 'psk',
    severity: 'should',
    expect: ['conforms'],
    run: async (bench) => {
      bench.need('resume');
      const { group } = await groupsOf(bench);
      await bench.server({ ciphers: ['TLS_AES_128_GCM_SHA256'] }).hand();
      const second = helloOf(await offering(bench.server({ groups: [group], ciphers: ['TLS_AES_256_GCM_SHA384'] })), 2);
      return conforms(!second.has('pre_shared_key'), 'the second hello offers the PSK nevertheless');
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/psk-selected-that-was-left-out',
    title: 'ServerHello selects the PSK of the first hello, which the second has left out',
    clause: 'RFC 9846 §4.3, §4.3.11',
    reason: 'The range of identities is that of the second hello.',
    mechanism: 'psk',
    severity: 'must',
    expect: ['unsupported_extension', 'illegal_parameter'],
    run: async (bench) => {
      bench.need('resume');
      const { group } = await groupsOf(bench);
      await bench.server({ ciphers: ['TLS_AES_128_GCM_SHA256'] }).hand();
      const server = bench.server({ groups: [group], ciphers: ['TLS_AES_256_GCM_SHA384'] });
      const selected = faults.extension('server_hello', ExtensionType.pre_shared_key, Uint8Array.of(0, 0));
      const visit = await offering(server, { faults: [selected] });
      if (helloOf(visit, 2).has('pre_shared_key')) throw new NotRun('the second hello offers it nevertheless');
      return visit.reaction;
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/cookie',
    title: 'HelloRetryRequest has a cookie',
    clause: 'RFC 9846 §4.3.2',
    reason: 'A server without state finds in it what it has to know. It must come back as it was.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const cookie = encode(opaque(1, 0xffff), bench.randomBytes(300));
      const visit = await retried(bench, () => [faults.extension('hello_retry_request', ExtensionType.cookie, cookie)]);
      const echo = helloOf(visit, 2).data('cookie');
      return conforms(echo !== undefined && equalBytes(echo, cookie), 'the second hello has not the cookie');
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/second-hello-unchanged',
    title: 'the second hello, beside what a HelloRetryRequest changes',
    clause: 'RFC 9846 §4.2.2',
    reason: 'Random, session id, suites, versions and all other extensions must be those of the first hello.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const visit = await retried(bench, () => []);
      const [first, second] = [fixedPart(helloOf(visit, 1)), fixedPart(helloOf(visit, 2))];
      const changed = Object.keys(first).find((name) => first[name] !== second[name]);
      const added = Object.keys(second).find((name) => first[name] === undefined);
      return conforms(
        changed === undefined && added === undefined,
        `${changed ?? added} is not that of the first hello`,
      );
    },
  },
  {
    ...RETRY,
    id: 'client/hello-retry/one-share',
    title: 'the shares of the second hello',
    clause: 'RFC 9846 §4.3.8',
    reason: 'There must be one, of the group that the server has asked for.',
    severity: 'must',
    expect: ['conforms'],
    run: async (bench) => {
      const { group } = await groupsOf(bench);
      const second = helloOf(await bench.server({ groups: [group] }).accept({ resumes: false }), 2);
      const isAlone = second.shares.length === 1 && second.shares[0] === NamedGroup[group];
      return conforms(isAlone, `the second hello has shares of the groups ${second.shares.join(', ')}`);
    },
  },
];

/** What the second hello must have from the first: fields and extensions, as text. */
function fixedPart({ fields }: Hello): Record<string, string> {
  const { extensions = [], ...head } = fields;
  const type = ExtensionType;
  const free: readonly number[] = [
    type.key_share,
    type.pre_shared_key,
    type.early_data,
    type.cookie,
    type.padding,
    type.encrypted_client_hello,
  ];
  const fixed = extensions.filter((one) => !free.includes(one.type));
  const named = fixed.map((one) => [`extension ${one.type}`, one.data.join()]);
  return Object.fromEntries([...Object.entries(head).map(([name, value]) => [name, String(value)]), ...named]);
}

export const helloRetry: readonly ClientScenario[] = [...refusals, ...ticketRequests, ...secondHellos];
