/** What a client makes of the answer to its PSKs: RFC 9846 §4.3.11. */

import { concat } from '../../../wire/bytes.ts';
import { encode, opaque, struct, uint16 } from '../../../wire/codec.ts';
import { CipherSuite, ExtensionType, PskKeyExchangeMode } from '../../../wire/registry.ts';
import { faults } from '../../faults.ts';
import type { ClientScenario } from '../scenario.ts';
import { NotRun } from '../visit.ts';
import { offering, resuming } from './connections.ts';
import { helloOf, requireHello } from './hello.ts';

const TLS13 = { side: 'client', versions: ['TLSv1.3'], mechanism: 'psk' } as const;
const CLAUSE = 'RFC 9846 §4.3.11';

/** A ServerHello that selects an identity by its index. */
const selecting = (index: number) =>
  faults.extension('server_hello', ExtensionType.pre_shared_key, Uint8Array.of(index >> 8, index));
/** A ServerHello of another suite than the server has selected. */
const claiming = (cipherSuite: number) => faults.change<object>('server_hello', (body) => ({ ...body, cipherSuite }));
const withoutKeyShare = faults.extension('server_hello', ExtensionType.key_share, undefined);

const KeyShare = struct({ group: uint16, keyExchange: opaque(1, 0xffff) });

const identities: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/selected-identity-out-of-range',
    title: 'ServerHello selects an identity that was not offered',
    clause: CLAUSE,
    reason: 'The client would go on under a key that it does not have, or read beyond its list.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server();
      await server.hand();
      return (await server.accept({ faults: [selecting(7)] })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/selected-identity-next',
    title: 'ServerHello selects the identity after the last one',
    clause: CLAUSE,
    reason: 'The first identity is number 0: a list of one has no number 1.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server();
      await server.hand();
      const count = helloOf(await offering(server)).psks.length;
      const visit = await offering(server, { faults: [selecting(count)] });
      return requireHello(visit, ({ psks }) => psks.length <= count, 'the client offers more identities than before')
        .reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/selected-identity-highest',
    title: 'ServerHello selects identity 65,535',
    clause: CLAUSE,
    reason: 'An index that is read as a number with a sign is -1, which stands before the list.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => (await resuming(bench, [selecting(0xffff)])).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/selected-identity-short',
    title: 'ServerHello selects an identity by one byte',
    clause: 'RFC 9846 §6, §4.3.11',
    reason: 'The index is a number of two bytes. Half of it cannot be read.',
    severity: 'must',
    expect: ['decode_error'],
    run: async (bench) => {
      const half = faults.extension('server_hello', ExtensionType.pre_shared_key, Uint8Array.of(0));
      return (await resuming(bench, [half])).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/selected-unasked',
    title: 'ServerHello selects an identity though none was offered',
    clause: 'RFC 9846 §4.3',
    reason: 'An extension that answers nothing is unsupported_extension.',
    mechanism: 'none',
    severity: 'must',
    expect: ['unsupported_extension'],
    run: async (bench) => (await bench.server().accept({ resumes: false, faults: [selecting(0)] })).reaction,
  },
];

const suites: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/suite-of-another-hash',
    title: 'ServerHello selects the PSK, and a suite of another hash',
    clause: CLAUSE,
    reason: 'A PSK is for one hash. Under another, the two would derive keys that nobody has analysed.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const other = CipherSuite.TLS_AES_256_GCM_SHA384;
      const visit = await resuming(bench, [claiming(other)], { ciphers: ['TLS_AES_128_GCM_SHA256'] });
      return requireHello(visit, ({ fields }) => fields.cipherSuites.includes(other), 'the client has one hash')
        .reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/suite-of-the-same-hash',
    title: 'the session is resumed under another suite of its hash',
    clause: 'RFC 9846 §4.7.1',
    reason: 'A ticket is bound to the hash of its suite, and not to the suite.',
    severity: 'should',
    expect: ['resumes'],
    run: async (bench) => {
      const other = CipherSuite.TLS_CHACHA20_POLY1305_SHA256;
      const visit = await resuming(bench, [faults.resumeUnder('TLS_CHACHA20_POLY1305_SHA256')], {
        ciphers: ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
      });
      return requireHello(
        visit,
        ({ fields }) => fields.cipherSuites.includes(other),
        'the client has one suite of a hash',
      ).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/suite-not-offered',
    title: 'ServerHello selects the PSK, and a suite that was not offered',
    clause: 'RFC 9846 §4.2.3',
    reason: 'What a client has not offered it may have turned off, for a reason.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const AES_128_CCM_8_SHA256 = 0x1305;
      const visit = await resuming(bench, [claiming(AES_128_CCM_8_SHA256)], { ciphers: ['TLS_AES_128_GCM_SHA256'] });
      return requireHello(visit, ({ fields }) => !fields.cipherSuites.includes(AES_128_CCM_8_SHA256), 'it was offered')
        .reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/binder-sha384',
    title: 'the session has a suite with SHA-384',
    clause: 'RFC 9846 §4.3.11.2',
    reason: 'Binder and PSK are made with the hash of the session. Who uses SHA-256 throughout never resumes here.',
    severity: 'should',
    expect: ['resumes'],
    run: async (bench) => (await resuming(bench, [], { ciphers: ['TLS_AES_256_GCM_SHA384'] })).reaction,
  },
];

const modes: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/no-key-share',
    title: 'ServerHello selects the PSK without key_share, which the client has not allowed',
    clause: CLAUSE,
    reason: 'The connection would have no forward secrecy: whoever has the keys of the tickets reads all of it.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const visit = await resuming(bench, [withoutKeyShare]);
      const offersKe = ({ modes }: { modes: readonly number[] }) => modes.includes(PskKeyExchangeMode.psk_ke);
      return requireHello(visit, (hello) => !offersKe(hello), 'the client offers psk_ke').reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/neither-psk-nor-key-share',
    title: 'ServerHello has neither key_share nor a PSK',
    clause: 'RFC 9846 §4.2.1, §9.2',
    reason: 'There is no secret then. Who derives keys all the same derives those that everybody has.',
    mechanism: 'none',
    severity: 'should',
    expect: ['missing_extension', 'illegal_parameter', 'handshake_failure'],
    run: async (bench) => (await bench.server().accept({ resumes: false, faults: [withoutKeyShare] })).reaction,
  },
  {
    ...TLS13,
    id: 'client/psk/neither-though-offered',
    title: 'ServerHello takes neither the PSK that is offered nor a share',
    clause: 'RFC 9846 §4.2.1, §9.2',
    reason: 'A PSK that the server has not selected is no secret of the two.',
    severity: 'should',
    expect: ['missing_extension', 'illegal_parameter', 'handshake_failure'],
    run: async (bench) => {
      const withoutPsk = faults.extension('server_hello', ExtensionType.pre_shared_key, undefined);
      return (await resuming(bench, [withoutKeyShare, withoutPsk])).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/key-share-with-psk-ke',
    title: 'ServerHello has a key_share though the client has allowed psk_ke alone',
    clause: 'RFC 9846 §4.3.8, §4.3.9',
    reason: 'Servers must not select a mode that the client has not listed.',
    severity: 'should',
    expect: ['illegal_parameter', 'unsupported_extension'],
    run: async (bench) => {
      bench.need('resume');
      const server = bench.server({ pskModes: ['psk_ke', 'psk_dhe_ke'] });
      await server.hand();
      const plain = helloOf(await offering(server));
      const [group] = plain.shares;
      if (group === undefined || plain.modes.includes(PskKeyExchangeMode.psk_dhe_ke))
        throw new NotRun('the client does not offer a share beside psk_ke alone');
      const share = encode(KeyShare, { group, keyExchange: concat(Uint8Array.of(9), new Uint8Array(31)) });
      const unasked = faults.extension('server_hello', ExtensionType.key_share, share);
      return (await offering(server, { faults: [unasked] })).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/key-share-of-another-group',
    title: 'ServerHello has a share of a group of which the client has sent none',
    clause: 'RFC 9846 §4.3.8',
    reason: 'The client has no private key for it.',
    severity: 'should',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const SECP521R1 = 0x19;
      const other = faults.extension(
        'server_hello',
        ExtensionType.key_share,
        (share) => share && concat(encode(uint16, SECP521R1), share.subarray(2)),
      );
      const visit = await resuming(bench, [other]);
      return requireHello(visit, ({ shares }) => !shares.includes(SECP521R1), 'it has sent one').reaction;
    },
  },
];

const fields: readonly ClientScenario[] = [
  {
    ...TLS13,
    id: 'client/psk/session-id-echo-wrong',
    title: 'ServerHello resumes, and echoes another session id',
    clause: 'RFC 9846 §4.2.3',
    reason: 'The echo has to be that of the hello. Another one may answer another hello.',
    severity: 'must',
    expect: ['illegal_parameter'],
    run: async (bench) => {
      const legacySessionIdEcho = bench.randomBytes(32);
      const wrong = faults.change<object>('server_hello', (body) => ({ ...body, legacySessionIdEcho }));
      return (await resuming(bench, [wrong])).reaction;
    },
  },
  {
    ...TLS13,
    id: 'client/psk/version-changed',
    title: 'a server that has spoken TLS 1.3 selects TLS 1.2, and has no mark in its random',
    clause: 'RFC 9846 §4.2.3, Appendix E.1',
    reason:
      'It may have been set up anew: a session of TLS 1.3 says nothing of the next connection, except with early data.',
    severity: 'observed',
    expect: ['full handshake', 'protocol_version'],
    run: async (bench) => {
      bench.need('resume');
      await bench.server().hand();
      return (await offering(bench.server({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }))).reaction;
    },
  },
  ...(['TLS 1.2', 'TLS 1.1'] as const).map(
    (version): ClientScenario => ({
      ...TLS13,
      id: `client/psk/downgrade-mark-${version === 'TLS 1.2' ? 'tls12' : 'tls11'}`,
      title: `a server selects TLS 1.2 for a client that offers a PSK, and its random has the mark for ${version}`,
      clause: 'RFC 9846 §4.2.3',
      reason: 'The server says that it speaks TLS 1.3: somebody between has taken the offer away.',
      severity: 'must',
      expect: ['illegal_parameter'],
      run: async (bench) => {
        bench.need('resume');
        await bench.server().hand();
        const mark = Uint8Array.of(0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, version === 'TLS 1.2' ? 1 : 0);
        const marked = faults.change<{ random: Uint8Array }>('server_hello', (body) => ({
          ...body,
          random: concat(body.random.subarray(0, 24), mark),
        }));
        const visit = await offering(bench.server({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }), {
          faults: [marked],
        });
        return requireHello(visit, ({ versions }) => versions.includes(0x0303), 'the client does not offer TLS 1.2')
          .reaction;
      },
    }),
  ),
  {
    ...TLS13,
    id: 'client/psk/protocol-changed',
    title: 'the resumption selects another application protocol than the session has had',
    clause: 'RFC 7301 §3.1',
    reason:
      'Extensions are negotiated in each handshake, also when it resumes. Early data alone is bound to the protocol.',
    severity: 'should',
    expect: ['resumes'],
    run: async (bench) => {
      bench.need('resume');
      const offered = await bench.server().accept({ resumes: false });
      const alpn = helloOf(offered).protocols;
      if (alpn.length < 2) throw new NotRun('the client offers fewer than two protocols');
      const server = bench.server({ alpn: [alpn[0] ?? ''] });
      await server.hand();
      const name = alpn[1] ?? '';
      const other = faults.change<{ extensions: object }>('encrypted_extensions', (body) => ({
        extensions: { ...body.extensions, alpn: [name] },
      }));
      return (await offering(server, { faults: [other] })).reaction;
    },
  },
];

export const clientPsk: readonly ClientScenario[] = [...identities, ...suites, ...modes, ...fields];
