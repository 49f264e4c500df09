/** Handshakes in the hybrid groups, of both roles: draft-ietf-tls-ecdhe-mlkem-05, RFC 9846 §4.2.4, §4.3.8. */

import { expect } from 'chai';
import type { CryptoProvider, KeyEncapsulation } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { ClientConnection } from '../../src/engine/client/client-connection.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { HelloDraft } from '../../src/handshake/client/hello-draft.ts';
import { serverHello } from '../../src/handshake/messages/server-hello.ts';
import { nodeCrypto } from '../../src/node/index.ts';
import { pair } from '../../src/testing/pair.ts';
import { replay } from '../../src/testing/replay.ts';
import { EMPTY } from '../../src/wire/bytes.ts';
import { ExtensionType, type GroupName, type HybridGroupName, NamedGroup } from '../../src/wire/registry.ts';
import {
  expectAlert,
  expectEstablished,
  hellosOf,
  Meeting,
  play,
  rewriting,
  type Script,
} from '../support/client-exchange.ts';
import { HYBRID_GROUPS, hybridCrypto, pointOf } from '../support/hybrid.ts';
import { testServer } from '../support/servers.ts';

const CRYPTO = { client: { crypto: hybridCrypto }, server: { crypto: hybridCrypto } } as const;

/** The lengths of a client's share, and where its encapsulation key begins. */
const SHARE = { X25519MLKEM768: [1216, 0], SecP256r1MLKEM768: [1249, 65] } as const;

/** A client and a server that have these groups. */
function having(client: readonly GroupName[], server: readonly GroupName[], keyShares?: readonly GroupName[]): Script {
  return {
    client: { crypto: hybridCrypto, groups: client, ...(keyShares && { keyShares }) },
    server: { crypto: hybridCrypto, groups: server },
  };
}

/** Has the client send its only share as `change` makes it. */
function sharing(change: (share: Uint8Array) => Uint8Array): Script['connect'] {
  const hello = ({ extensions = [] }: HelloDraft) => {
    for (const one of extensions) {
      if (one.type !== ExtensionType.key_share) continue;
      const share = change(one.data.slice(6));
      const [list, length] = [share.length + 4, share.length];
      one.data = Uint8Array.of(
        list >> 8,
        list,
        one.data[2] as number,
        one.data[3] as number,
        length >> 8,
        length,
        ...share,
      );
    }
    return undefined;
  };
  return { edits: { hello } };
}

/** Has the server send its share as `change` makes it. */
function answering(change: (share: Uint8Array) => Uint8Array) {
  return rewriting(serverHello, (body) => {
    const { keyShare } = body.extensions;
    if (keyShare === undefined) throw new Error('no share');
    return {
      ...body,
      extensions: { ...body.extensions, keyShare: { ...keyShare, keyExchange: change(keyShare.keyExchange.slice()) } },
    };
  });
}

function withBytes(share: Uint8Array, at: number, ...bytes: readonly number[]): Uint8Array {
  share.set(bytes, at);
  return share;
}

/** The server has sent this alert, and the client has got it. */
function expectServerAlert(script: Script, alert: string): void {
  const link = play(script);
  expect(link.eventsOf('server', 'failed').map(({ error }) => [error.alert, error.origin])).to.deep.equal([
    [alert, 'local'],
  ]);
  expect(link.eventsOf('server', 'callback-error')).to.deep.equal([]);
  expect(link.eventsOf('client', 'failed').map(({ error }) => error.alert)).to.deep.equal([alert]);
}

for (const group of HYBRID_GROUPS) {
  const [keyLength, keyAt] = SHARE[group];

  describe(`a handshake in ${group}`, () => {
    it('is established, with the same group on both sides', () => {
      const link = play(having([group], [group]));
      expectEstablished(link);
      expect([link.client.group, link.server.group]).to.deep.equal([group, group]);
    });

    it('is established after a HelloRetryRequest that asks for it', () => {
      const meeting = new Meeting(having(['x25519', group], [group]));
      const link = meeting.pair();
      const hellos = hellosOf(link);
      expectEstablished(link.runSync());
      const shares = hellos.map(({ body }) => [...(body.extensions.keyShare ?? [])].map((share) => share.group));
      expect(shares).to.deep.equal([[NamedGroup.x25519], [NamedGroup[group]]]);
      expect(link.client.group).to.equal(group);
    });

    it('gives way, after a HelloRetryRequest, to a curve', () => {
      const link = play(having([group, 'x25519'], ['x25519'], [group]));
      expectEstablished(link);
      expect([link.client.group, link.server.group]).to.deep.equal(['x25519', 'x25519']);
    });

    it('resumes by psk_dhe_ke, with a HelloRetryRequest to it and from it, too', () => {
      for (const script of [
        having([group], [group]),
        having(['x25519', group], [group]),
        having([group, 'x25519'], ['x25519'], [group]),
      ]) {
        const link = play({ ...script, resumes: true });
        expectEstablished(link);
        const { resumed, mechanism, pskMode } = link.client.resumption;
        expect({ resumed, mechanism, pskMode }).to.deep.equal({
          resumed: true,
          mechanism: 'psk',
          pskMode: 'psk_dhe_ke',
        });
      }
    });

    it('is established however small the pieces are in which its hellos arrive', () => {
      for (const chunks of [1, 536, 1448]) {
        const { client, server } = new Meeting(having([group], [group]));
        const link = pair(client, server, { trace: false, chunks }).runSync();
        expectEstablished(link);
      }
    });

    it('is established if its hello comes in records of a byte and of a hundred', () => {
      for (const length of [1, 100]) {
        const meeting = new Meeting(having([group], [group]));
        const client = new ClientConnection(meeting.client);
        const server = new ServerConnection(meeting.server);
        const [, ...steps] = inRecords(client.receive(EMPTY).output, length).map((record) => server.receive(record));
        const reply = steps.flatMap(({ output }) => [...output]);
        expect(client.receive(Uint8Array.from(reply)).events.map(({ type }) => type)).to.contain('established');
      }
    });

    const client = [
      ['shorter by a byte', (share: Uint8Array) => share.slice(1)],
      ['longer by a byte', (share: Uint8Array) => Uint8Array.of(...share, 0)],
      ['without the curve', (share: Uint8Array) => share.slice(0, 1184)],
      ['of zeros in the place of the point', (share: Uint8Array) => zeroPoint(group, share, 1184)],
      ['with a coefficient of q', (share: Uint8Array) => withBytes(share, keyAt, 3329 & 255, 3329 >> 8)],
      ['with a last coefficient of 4095', (share: Uint8Array) => withBytes(share, keyAt + 1150, 255, 255)],
    ] as const;
    for (const [what, change] of client)
      it(`a client’s share ${what} → illegal_parameter`, () =>
        expectServerAlert({ ...having([group], [group]), connect: sharing(change) }, 'illegal_parameter'));

    const server = [
      ['shorter by a byte', (share: Uint8Array) => share.slice(1)],
      ['longer by a byte', (share: Uint8Array) => Uint8Array.of(...share, 0)],
      ['as long as a client’s', () => new Uint8Array(keyLength).fill(1)],
      ['of zeros in the place of the point', (share: Uint8Array) => zeroPoint(group, share, 1088)],
    ] as const;
    for (const [what, change] of server)
      it(`a server’s share ${what} → illegal_parameter`, () =>
        expectAlert(play({ ...having([group], [group]), alter: [answering(change)] }), 'illegal_parameter'));

    it('FIPS 203 §6.3: an altered ciphertext gives another secret, so that the next record is bad → bad_record_mac', () => {
      const at = group === 'X25519MLKEM768' ? 0 : 65;
      const flip = (share: Uint8Array) => withBytes(share, at, (share[at] as number) ^ 1);
      const link = play({ ...having([group], [group]), alter: [answering(flip)] });
      const [failed] = link.eventsOf('client', 'failed');
      expect([failed?.error.alert, failed?.error.origin]).to.deep.equal(['bad_record_mac', 'local']);
    });

    it('is replayed from the recordings of both ends', () => {
      const { client, server } = new Meeting(having([group], [group]));
      const link = pair(client, server, { trace: false, record: true }).runSync();
      expectEstablished(link);
      for (const recording of [link.recordings?.client, link.recordings?.server]) {
        if (recording === undefined) throw new Error('no recording');
        replay(recording);
      }
    });
  });
}

function zeroPoint(group: HybridGroupName, share: Uint8Array, kemLength: number): Uint8Array {
  const [at, length] = pointOf(group, kemLength);
  return share.fill(0, at, at + length);
}

/** The same handshake message in records of so many bytes. */
function inRecords(flight: Uint8Array, length: number): Uint8Array[] {
  const records: Uint8Array[] = [new Uint8Array(0)];
  const content = flight.subarray(5);
  for (let at = 0; at < content.length; at += length) {
    const part = content.subarray(at, at + length);
    records.push(Uint8Array.of(22, 3, 1, part.length >> 8, part.length, ...part));
  }
  return records;
}

describe('hybrid groups and the others', () => {
  it('come first where the provider has them, and a share of the first curve goes with them', () => {
    const { client, server } = new Meeting(CRYPTO);
    const order = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1', 'SecP256r1MLKEM768'];
    expect([client.groups, server.groups]).to.deep.equal([order, order]);
    expect(client.keyShares).to.deep.equal(['X25519MLKEM768', 'x25519']);
    expect(play(CRYPTO).client.group).to.equal('X25519MLKEM768');
    const own = defineClient({ verifyServer: 'any', crypto: hybridCrypto, groups: ['SecP256r1MLKEM768'] });
    expect(own.keyShares).to.deep.equal(['SecP256r1MLKEM768']);
  });

  it('cost no round trip at a peer that has none', () => {
    const old = { crypto: defaultProvider };
    for (const script of [
      { ...CRYPTO, server: old },
      { ...CRYPTO, client: old },
    ]) {
      const meeting = new Meeting(script);
      const link = meeting.pair();
      const hellos = hellosOf(link);
      expectEstablished(link.runSync());
      expect([hellos.length, link.client.group]).to.deep.equal([1, 'x25519']);
    }
  });

  it('are not there unless the provider has them', () => {
    const groups = ['X25519MLKEM768'] as const;
    expect(() => testServer({ crypto: defaultProvider, groups })).to.throw(TypeError, 'has no X25519MLKEM768');
    expect(defineClient({ verifyServer: 'any' }).groups).to.deep.equal(['x25519', 'secp256r1', 'secp384r1']);
  });
});

describe('hybrid groups and TLS 1.2', () => {
  const version = 'TLSv1.2' as const;

  it('a server selects none, whichever the client prefers', () => {
    const link = play({ ...CRYPTO, version });
    expectEstablished(link);
    expect([link.client.version, link.client.group, link.server.group]).to.deep.equal([version, 'x25519', 'x25519']);
  });

  it('a server that has no others has no handshake in common with a client', () => {
    const { X25519MLKEM768 } = hybridCrypto.groups;
    const crypto = { ...hybridCrypto, groups: { X25519MLKEM768 } };
    expectServerAlert(
      { client: { crypto: hybridCrypto, maxVersion: version }, server: { crypto } },
      'handshake_failure',
    );
  });

  it('an endpoint of TLS 1.2 alone offers none, and is not defined with no others', () => {
    const options = { verifyServer: 'any', crypto: hybridCrypto, maxVersion: version } as const;
    const client = defineClient({ ...options, groups: ['X25519MLKEM768', 'secp256r1'] });
    expect(client.groups).to.deep.equal(['secp256r1']);
    expect(defineClient(options).groups).to.deep.equal(['x25519', 'secp256r1', 'secp384r1']);
    const { verifyServer: _, ...ofServer } = options;
    for (const define of [
      () => defineClient({ ...options, groups: HYBRID_GROUPS }),
      () => testServer({ ...ofServer, groups: HYBRID_GROUPS }),
    ])
      expect(define).to.throw(TypeError, 'TLSv1.2');
  });
});

/** A provider whose only group answers as `change` has it. */
function answeringBy(change: (group: KeyEncapsulation) => Partial<KeyEncapsulation>): CryptoProvider {
  const group = hybridCrypto.groups.X25519MLKEM768 as KeyEncapsulation;
  const { generate, encapsulate } = group;
  const whole = { generate: generate.bind(group), encapsulate: encapsulate.bind(group) };
  return { ...hybridCrypto, groups: { X25519MLKEM768: { ...whole, ...change(whole) } } };
}

describe('a provider that encapsulates', () => {
  it('may answer later', async () => {
    const crypto = answeringBy(({ generate, encapsulate }) => ({
      generate: async (random) => {
        const key = await generate(random);
        return {
          ...key,
          publicKey: key.publicKey,
          decapsulate: async (peer) => key.decapsulate(peer),
          wipe: () => key.wipe(),
        };
      },
      encapsulate: async (peer, random) => encapsulate(peer, random),
    }));
    const { client, server } = new Meeting({ client: { crypto }, server: { crypto } });
    expectEstablished(await pair(client, server, { trace: false }).run());
  });

  it('has its secret overwritten, once it is copied', () => {
    const secrets: Uint8Array[] = [];
    const crypto = answeringBy(({ encapsulate }) => ({
      encapsulate: (peer, random) => {
        const made = encapsulate(peer, random) as { keyShare: Uint8Array; sharedSecret: Uint8Array };
        secrets.push(made.sharedSecret);
        return made;
      },
    }));
    expectEstablished(play({ ...CRYPTO, server: { crypto } }));
    expect(secrets.map((secret) => secret.every((byte) => byte === 0))).to.deep.equal([true]);
  });

  it('and answers with what is none is at fault: internal_error, and an event that says so', () => {
    const share = new Uint8Array(1120);
    for (const made of [
      undefined,
      null,
      1,
      {},
      { keyShare: share },
      { keyShare: share, sharedSecret: new Uint8Array(32) },
      { keyShare: new Uint8Array(1216), sharedSecret: new Uint8Array(64) },
      { keyShare: 'x', sharedSecret: new Uint8Array(64) },
    ]) {
      const crypto = answeringBy(() => ({ encapsulate: () => made as never }));
      const link = play({ ...CRYPTO, server: { crypto } });
      expect(link.eventsOf('server', 'failed').map(({ error }) => error.alert)).to.deep.equal(['internal_error']);
      const [event] = link.eventsOf('server', 'callback-error');
      expect(event?.callback).to.equal('agree');
      expect(event?.error).to.be.instanceOf(TypeError);
    }
  });
});

describe('hybrid groups of node:crypto', () => {
  const isThere = nodeCrypto.groups.X25519MLKEM768 !== undefined;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

  it('are there from Node 24.7 on', () => {
    expect(isThere).to.equal(major > 24 || (major === 24 && minor >= 7));
  });

  for (const group of HYBRID_GROUPS)
    it(`are established in ${group}`, function () {
      if (!isThere) return this.skip();
      for (const [client, server] of [
        [nodeCrypto, hybridCrypto],
        [hybridCrypto, nodeCrypto],
      ] as const) {
        const link = play({ client: { crypto: client, groups: [group] }, server: { crypto: server, groups: [group] } });
        expectEstablished(link);
      }
    });
});
