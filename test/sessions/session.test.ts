import { expect } from 'chai';
import type { SessionParameters } from '../../src/sessions/parameters.ts';
import { ownCertificate, Session } from '../../src/sessions/session.ts';

const parameters: SessionParameters = {
  version: 'TLSv1.2',
  cipherSuite: 0xc02b,
  id: new Uint8Array(32).fill(1),
  secret: new Uint8Array(48).fill(2),
  time: 1000,
  timeout: 300,
  authTime: 900,
  extendedMasterSecret: true,
  idContext: new Uint8Array(4).fill(3),
  serverName: 'a.example',
  alpnProtocol: 'h2',
  group: 29,
  ticketAgeAdd: 7,
  scope: { label: '00112233445566778899aabbccddeeff' },
  applicationData: Uint8Array.of(5, 6),
  peerCertificate: Uint8Array.of(0x30, 0),
  foreign: { maxEarlyData: 16384 },
};

describe('Session', () => {
  it('keeps what it was made of', () => {
    expect(new Session(parameters).parameters()).to.deep.equal(parameters);
  });

  it('has defaults for what may be absent', () => {
    const { serverName, alpnProtocol, group, ticketAgeAdd, scope, ...rest } = parameters;
    const { applicationData, peerCertificate, foreign, ...required } = rest;
    const session = new Session(required);
    expect(session).to.include({ serverName: undefined, alpnProtocol: undefined, group: 0, ticketAgeAdd: 0 });
    expect(session.applicationData).to.have.length(0);
    expect(session.foreign).to.deep.equal({}).and.to.be.frozen;
    expect(session.peerCertificate).to.equal(undefined);
    const absent = [serverName, alpnProtocol, group, ticketAgeAdd, scope, applicationData, peerCertificate, foreign];
    expect(absent).to.not.include(undefined);
  });

  it('is not changed through the bytes that it was given, nor through those that it gives away', () => {
    const id = new Uint8Array(32).fill(1);
    const session = new Session({ ...parameters, id });
    id.fill(9);
    session.id.fill(9);
    session.idContext.fill(9);
    session.applicationData.fill(9);
    session.peerCertificate?.fill(9);
    expect(session.parameters()).to.deep.equal(parameters);
  });

  it('shares its certificate with its copies, and with nobody else', () => {
    const peerCertificate = Uint8Array.of(0x30, 0);
    const session = new Session({ ...parameters, peerCertificate });
    expect(ownCertificate(session)).to.not.equal(peerCertificate);
    expect(session.peerCertificate).to.not.equal(ownCertificate(session));
    expect(ownCertificate(session.dup())).to.equal(ownCertificate(session));
    expect(ownCertificate(new Session({ ...parameters, peerCertificate }))).to.not.equal(ownCertificate(session));
  });

  const outOfRange: Partial<SessionParameters>[] = [
    { id: new Uint8Array(33) },
    { idContext: new Uint8Array(33) },
    { secret: new Uint8Array(0) },
    { secret: new Uint8Array(513) },
    { applicationData: new Uint8Array(65536) },
    { time: -1 },
    { time: Number.NaN },
    { timeout: 0.5 },
    { timeout: Number.POSITIVE_INFINITY },
    { authTime: -1 },
    { cipherSuite: 65536 },
    { group: -1 },
    { ticketAgeAdd: 2 ** 32 },
    { serverName: '☃' },
    { alpnProtocol: 'x'.repeat(256) },
  ];
  for (const wrong of outOfRange) {
    const [field, value] = Object.entries(wrong)[0] ?? [];
    const shown = value instanceof Uint8Array ? `of ${value.length} bytes` : String(value).slice(0, 20);
    it(`refuses ${field} ${shown}`, () => {
      expect(() => new Session({ ...parameters, ...wrong })).to.throw(RangeError, `session ${field} `);
    });
  }

  describe('holds', () => {
    it('wipes the secret with the last one, and is of no use afterwards', () => {
      const session = new Session(parameters);
      const { secret } = session;
      expect(session.upRef()).to.equal(session);
      session.free();
      expect(secret).to.deep.equal(parameters.secret);
      session.free();
      expect(secret).to.deep.equal(new Uint8Array(48));
      expect(session).to.include({ holds: 0, isResumable: false });
      expect(() => session.secret).to.throw('session.secret after its last free()');
      expect(() => session.upRef()).to.throw('session.upRef() after');
      expect(() => session.free()).to.throw('session.free() after');
      expect(() => session.dup()).to.throw('after its last free()');
      expect(() => session.toDer()).to.throw('after its last free()');
    });

    it('does not wipe a duplicate along', () => {
      const session = new Session(parameters);
      session.upRef();
      session.data = 'kept';
      const copy = session.dup({ timeout: 5 });
      session.free();
      session.free();
      expect(copy.secret).to.deep.equal(parameters.secret);
      expect(copy).to.include({ holds: 1, timeout: 5, data: 'kept' });
    });
  });

  it('is resumable while it has an id and nobody ruled it out; a duplicate inherits that (SSL_SESSION_dup)', () => {
    const session = new Session(parameters);
    expect(session.isResumable).to.equal(true);
    expect(session.dup({ id: new Uint8Array(0) }).isResumable).to.equal(false);
    session.forbidResumption();
    expect(session.isResumable).to.equal(false);
    expect(session.dup().isResumable).to.equal(false);
  });

  it('tells its one cache of a new time or timeout', () => {
    const session = new Session(parameters);
    const expiries: number[] = [];
    session.claim(({ expires }) => expiries.push(expires));
    session.time = 2000;
    session.timeout = 1;
    expect(() => {
      session.time = -1;
    }).to.throw(RangeError);
    expect(expiries).to.deep.equal([2300, 2001]);
    expect(() => session.claim(() => {})).to.throw('in another cache');
    session.claim(undefined);
    session.time = 1;
    expect(expiries).to.have.length(2);
  });

  it('shows no secret in JSON', () => {
    expect(Object.keys(new Session(parameters).toJSON())).to.deep.equal([
      'version',
      'cipherSuite',
      'serverName',
      'expires',
    ]);
  });
});
