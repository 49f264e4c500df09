/** The limits of what a session may hold, from both sides. */

import { expect } from 'chai';
import { writeNodeSession } from '../../src/sessions/node-session.ts';
import type { SessionParameters } from '../../src/sessions/parameters.ts';
import { Session } from '../../src/sessions/session.ts';
import { atMost, range, testLimits } from '../support/limits.ts';

const parameters: SessionParameters = {
  version: 'TLSv1.3',
  cipherSuite: 0x1301,
  id: new Uint8Array(32),
  secret: new Uint8Array(32).fill(2),
  time: 1000,
  timeout: 300,
  authTime: 1000,
  extendedMasterSecret: true,
  idContext: new Uint8Array(0),
};
const der = new Session(parameters).toDer();
const text = (length: number) => 'x'.repeat(length);
const bytes = (length: number) => new Uint8Array(length);

/** Makes a session with the field changed to what the number says. */
const field =
  <K extends keyof SessionParameters>(name: K, value: (n: number) => SessionParameters[K]) =>
  (n: number): void =>
    new Session({ ...parameters, [name]: value(n) }).release();
const itself = (n: number) => n;

describe('limits of a session', () => {
  testLimits({
    'bytes of its id': { ...atMost(32), attempt: field('id', bytes), error: 'session id' },
    'bytes of its context': { ...atMost(32), attempt: field('idContext', bytes), error: 'session idContext' },
    'bytes of its secret': {
      ...range(1, 512),
      passes: [1, 512],
      refused: [0, 513],
      attempt: field('secret', bytes),
      error: 'session secret',
    },
    'bytes of its application data': {
      ...atMost(65_535),
      attempt: field('applicationData', bytes),
      error: 'applicationData',
    },
    'its time': { ...range(0, Number.MAX_SAFE_INTEGER), attempt: field('time', itself), error: 'session time' },
    'its timeout': {
      ...range(0, Number.MAX_SAFE_INTEGER),
      attempt: field('timeout', itself),
      error: 'session timeout',
    },
    'the time of its full handshake': {
      ...range(0, Number.MAX_SAFE_INTEGER),
      attempt: field('authTime', itself),
      error: 'authTime',
    },
    'its suite': { ...range(0, 0xffff), attempt: field('cipherSuite', itself), error: 'uint16' },
    'its group': { ...range(0, 0xffffffff), attempt: field('group', itself), error: 'uint32' },
    'its ticket_age_add': { ...range(0, 0xffffffff), attempt: field('ticketAgeAdd', itself), error: 'uint32' },
    'characters of its host': { ...atMost(65_535), attempt: field('serverName', text), error: 'serverName' },
    'characters of its protocol': { ...atMost(255), attempt: field('alpnProtocol', text), error: 'alpnProtocol' },
    'a character of its host': {
      ...atMost(0xff),
      attempt: field('serverName', (n) => String.fromCharCode(n)),
      error: 'one byte',
    },
    'bytes of the host that Node wraps around it': {
      ...range(1, 65_535),
      attempt: (n) => writeNodeSession(der, text(n)),
      error: 'host',
    },
  });

  it('its scope is a frozen copy: later changes of what was given do not reach it', () => {
    const scope = { label: '00' };
    const session = new Session({ ...parameters, scope });
    expect(session.scope).to.not.equal(scope);
    expect(Object.isFrozen(session.scope)).to.equal(true);
  });
});
