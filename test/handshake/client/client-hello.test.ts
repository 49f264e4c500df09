/** The ClientHello: what an RFC says that it MUST have, and MUST NOT. RFC 9846 §4.2.2, §4.3, §9.2, E.4; RFC 5246, 5746, 7627, 8422, 8449. */

import { expect } from 'chai';
import type { ConnectOptions } from '../../../src/engine/client/client-connection.ts';
import type { ClientOptions } from '../../../src/engine/client/options.ts';
import { singleUse } from '../../../src/engine/server/single-use.ts';
import type { HelloDraft } from '../../../src/handshake/client/hello-draft.ts';
import { rawExtensions } from '../../../src/handshake/messages/client-hello.ts';
import { concat } from '../../../src/wire/bytes.ts';
import { ContentType, ExtensionType, NamedGroup, SignatureScheme } from '../../../src/wire/registry.ts';
import { expectEstablished, hellosOf, Meeting } from '../../support/client-exchange.ts';

/** The first hello of a client with these options, and the types of its extensions in their order. */
function helloOf(client: Partial<ClientOptions> = {}, connect: ConnectOptions = {}, meeting = new Meeting({ client })) {
  const link = meeting.pair({ connect });
  const hellos = hellosOf(link);
  link.runSync();
  const [hello] = hellos;
  if (hello === undefined) throw new Error('no hello');
  return { link, ...hello, types: [...rawExtensions(hello.raw)].map(({ type }) => type) };
}

const {
  ec_point_formats,
  extended_master_secret,
  key_share,
  pre_shared_key,
  psk_key_exchange_modes,
  renegotiation_info,
  session_ticket,
  signature_algorithms,
  supported_groups,
  supported_versions,
} = ExtensionType;
const OF_TLS12 = [ec_point_formats, extended_master_secret, renegotiation_info, session_ticket];
const OF_TLS13 = [supported_versions, key_share, psk_key_exchange_modes];

describe('the hello of a client', () => {
  it('§4.2.2: has legacy_version 0x0303, 32 random bytes, and the one null compression', () => {
    const { body } = helloOf();
    expect(body.legacyVersion).to.equal(0x0303);
    expect([...body.legacyCompressionMethods]).to.deep.equal([0]);
    const meeting = new Meeting();
    const randoms = [0, 1].map(() => String(helloOf({}, {}, meeting).body.random));
    expect(randoms[0]).to.not.equal(randoms[1]);
  });

  it('E.4: has a session id of 32 bytes, another each time, unless it is told not to look like TLS 1.2', () => {
    const meeting = new Meeting();
    const ids = [0, 1].map(() => helloOf({}, {}, meeting).body.legacySessionId);
    expect(ids.map(({ length }) => length)).to.deep.equal([32, 32]);
    expect(ids[0]).to.not.deep.equal(ids[1]);
    expect(helloOf({ middleboxCompatibility: false }).body.legacySessionId).to.have.lengthOf(0);
    expect(helloOf({ maxVersion: 'TLSv1.2' }).body.legacySessionId).to.have.lengthOf(0);
  });

  it('§9.2: has what a handshake without a PSK needs', () => {
    const { types } = helloOf();
    expect(types).to.include.members([supported_versions, signature_algorithms, supported_groups, key_share]);
  });

  it('§4.3: has no extension twice', () => {
    const meeting = new Meeting({ client: { alpn: ['h2'], recordSizeLimit: 100, maxFragmentLength: 512 } });
    const sessions = meeting.sessions({ serverName: 'localhost' });
    const { types } = helloOf({}, { serverName: 'localhost', sessions }, meeting);
    expect(new Set(types).size).to.equal(types.length);
    expect(types.at(-1), '§4.3.11: pre_shared_key is the last').to.equal(pre_shared_key);
    expect(types, '§4.3.9').to.include(psk_key_exchange_modes);
  });

  it('§4.3: has the extensions of the versions that it offers, and no others', () => {
    expect(helloOf().types).to.include.members([...OF_TLS12, ...OF_TLS13]);
    expect(helloOf({ minVersion: 'TLSv1.3' }).types).to.not.include.oneOf(OF_TLS12);
    expect(helloOf({ maxVersion: 'TLSv1.2' }).types).to.not.include.oneOf(OF_TLS13);
  });

  it('§4.3.1: has the suites of the versions that it offers', () => {
    expect([...helloOf({ minVersion: 'TLSv1.3' }).body.cipherSuites].every((id) => id >> 8 === 0x13)).to.equal(true);
    expect([...helloOf({ maxVersion: 'TLSv1.2' }).body.cipherSuites].some((id) => id >> 8 === 0x13)).to.equal(false);
  });

  it('§4.3.11: has the suites with the hash of its PSK first, as a server may take the first, and no PSK of another hash', () => {
    const meeting = new Meeting({ server: { ciphers: ['TLS_AES_256_GCM_SHA384'] } });
    const sessions = meeting.sessions({ serverName: 'localhost' });
    const { body } = helloOf({}, { serverName: 'localhost', sessions }, meeting);
    const suites = [...body.cipherSuites];
    expect(suites.slice(0, 3)).to.deep.equal([0x1302, 0x1301, 0x1303]);
    expect(new Set(suites).size).to.equal(suites.length);
    expect([...helloOf().body.cipherSuites].slice(0, 3)).to.deep.equal([0x1301, 0x1302, 0x1303]);
  });

  it('§4.3.3: has no scheme of MD5, SHA-1, SHA-224 or DSA', () => {
    const known: readonly number[] = Object.values(SignatureScheme);
    const { signatureAlgorithms = [] } = helloOf().body.extensions;
    expect([...signatureAlgorithms].every((scheme) => known.includes(scheme))).to.equal(true);
  });

  it('RFC 5746 §3.4: has an empty renegotiation_info; RFC 8422 §5.1.2: the uncompressed format alone', () => {
    const { renegotiationInfo, ecPointFormats, extendedMasterSecret } = helloOf().body.extensions;
    expect(renegotiationInfo).to.have.lengthOf(0);
    expect(ecPointFormats).to.deep.equal([0]);
    expect(extendedMasterSecret, 'RFC 7627 §5.1').to.equal(true);
  });

  it('RFC 8449 §4: has a limit that includes the content type if TLS 1.3 is offered', () => {
    const limits = (['TLSv1.3', 'TLSv1.2'] as const).map(
      (maxVersion) => helloOf({ maxVersion, recordSizeLimit: 500 }).body.extensions.recordSizeLimit,
    );
    expect(limits).to.deep.equal([501, 500]);
    expect(helloOf({ recordSizeLimit: 16384 }).body.extensions.recordSizeLimit).to.equal(16385);
  });

  it('RFC 8449 §4: has no limit below 64, nor above that of the version', () => {
    for (const recordSizeLimit of [63, 16385]) {
      expect(() => new Meeting({ client: { recordSizeLimit } }), String(recordSizeLimit)).to.throw(RangeError);
    }
    for (const recordSizeLimit of [64, 16384]) expectEstablished(helloOf({ recordSizeLimit }).link);
  });

  it('RFC 9149 §3: asks for tickets of a resumption only where it offers a ticket', () => {
    const ticketRequest = { newSessionCount: 3, resumptionCount: 2 };
    const asked = (connect: ConnectOptions, psks?: ClientOptions['psks']) => {
      const meeting = new Meeting({ client: { ticketRequest, psks } });
      return helloOf({}, { ...connect, ...(!connect.sessions && { sessions: meeting.sessions() }) }, meeting).body
        .extensions.ticketRequest;
    };
    const fresh = { newSessionCount: 3, resumptionCount: 0 };
    expect(asked({})).to.deep.equal(ticketRequest);
    expect(asked({ sessions: [] })).to.deep.equal(fresh);
    const psk = { identity: Uint8Array.of(1), secret: new Uint8Array(16).fill(1) };
    expect(asked({ sessions: [] }, [psk])).to.deep.equal(fresh);
  });

  it('§4.3.8: has one share, of the group that the client likes best', () => {
    const { keyShare = [] } = helloOf({ groups: ['secp384r1', 'x25519'] }).body.extensions;
    expect([...keyShare].map(({ group }) => group)).to.deep.equal([NamedGroup.secp384r1]);
  });

  it('§4.3.2: has no cookie, nor early_data', () => {
    expect(helloOf().types).to.not.include.oneOf([ExtensionType.cookie, ExtensionType.early_data]);
  });
});

/** The versions in the headers of these records. */
function versionsOf(records: Uint8Array): number[] {
  const versions: number[] = [];
  for (let at = 0; at < records.length; ) {
    const [, major = 0, minor = 0, high = 0, low = 0] = records.subarray(at);
    versions.push(major * 256 + minor);
    at += 5 + high * 256 + low;
  }
  return versions;
}

describe('what a client sends after it', () => {
  it('§5.5: replaces its key before that has protected as many records as it may', () => {
    const meeting = new Meeting({ client: { recordsPerKey: 8 } });
    const link = meeting.meet();
    for (let i = 0; i < 30; i++) link.take('client', link.client.write(Uint8Array.of(i))).runSync();
    expectEstablished(link);
    expect(link.eventsOf('server', 'data')).to.have.lengthOf(30);
  });

  it('§6.1: close_notify, of level warning, before it ends', () => {
    const link = new Meeting().meet();
    link.take('client', link.client.end()).runSync();
    const sent = link.eventsOf('client', 'alert');
    expect(sent.map(({ level, description }) => [level, description])).to.deep.equal([[1, 0]]);
    expect(link.eventsOf('server', 'end')).to.have.lengthOf(1);
  });

  for (const keyShares of [['x25519'], []] as const) {
    it(`§5.1: records of version 0x0303, ${keyShares.length === 0 ? 'a second hello included' : 'after the first'}`, () => {
      const link = new Meeting({ client: { keyShares } }).pair();
      const sent: Uint8Array[] = [];
      const receive = link.server.receive.bind(link.server);
      link.server.receive = (bytes) => {
        sent.push(bytes.slice());
        return receive(bytes);
      };
      expectEstablished(link.runSync());
      link.take('client', link.client.write(Uint8Array.of(1))).runSync();
      const [first, ...versions] = versionsOf(concat(...sent));
      expect(first).to.equal(0x0301); // §5.1: of the first hello
      expect(versions).to.have.lengthOf.at.least(3);
      expect(new Set(versions)).to.deep.equal(new Set([0x0303]));
    });
  }

  it('§5.1: records of version 0x0301 with a first hello that takes several, and of no other with early data behind it', () => {
    const meeting = new Meeting({ server: { earlyData: { maxSize: 100, antiReplay: singleUse() } } });
    const sessions = meeting.sessions();
    const hello = ({ extensions = [] }: HelloDraft) => {
      extensions.unshift({ type: 0xff00, data: new Uint8Array(20_000) });
      return undefined;
    };
    const link = meeting.pair({ connect: { sessions, earlyData: Uint8Array.of(1), edits: { hello } } });
    const versions = versionsOf(link.client.connect().output);
    expect(versions).to.deep.equal([0x0301, 0x0301, 0x0303, 0x0303]); // two of the hello, ChangeCipherSpec, early data
    link.dispose();
  });

  it('§5.1: no record without content', () => {
    const link = new Meeting().pair();
    const lengths: number[] = [];
    const { writer } = link.client.channel;
    const record = writer.record.bind(writer);
    writer.record = (type, content) => {
      if (type !== ContentType.application_data) lengths.push(content.length);
      record(type, content);
    };
    expectEstablished(link.runSync());
    expect(lengths.every((length) => length > 0)).to.equal(true);
  });
});
