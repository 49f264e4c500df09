import { expect } from 'chai';
import { Session } from '../../src/sessions/session.ts';
import {
  DEFAULT_ANSWERS,
  judgeTicket,
  type OnDecryptTicket,
  type OnGenerateTicket,
  openedStatus,
  type TicketAnswer,
  type TicketStatus,
  type TicketVerdict,
} from '../../src/tickets/callbacks.ts';
import { openSession, sealSession } from '../../src/tickets/ticket.ts';
import { ascii, latin1, toHex } from '../../src/wire/bytes.ts';
import { FORMATS, newKey, random } from './support.ts';

const STATUSES: readonly TicketStatus[] = ['empty', 'no-decrypt', 'success', 'success-renew'];

/** SSL_CTX_set_session_ticket_cb(3): for each answer what it comes to, by status. */
const TABLE: Readonly<Record<TicketAnswer, readonly string[]>> = {
  abort: ['abort', 'abort', 'abort', 'abort'],
  ignore: ['full', 'full', 'full', 'full'],
  'ignore-renew': ['full, ticket', 'full, ticket', 'full, ticket', 'full, ticket'],
  use: ['abort', 'abort', 'resume', 'resume'],
  'use-renew': ['abort', 'abort', 'resume, ticket', 'resume, ticket'],
};

function shown(verdict: TicketVerdict | 'abort'): string {
  if (verdict === 'abort') return verdict;
  return `${verdict.use ? 'resume' : 'full'}${verdict.renew ? ', ticket' : ''}`;
}

describe('ticket callbacks', () => {
  for (const [answer, expected] of Object.entries(TABLE)) {
    it(`${answer}: ${expected.join(' | ')}`, () => {
      expect(STATUSES.map((status) => shown(judgeTicket(status, answer)))).to.deep.equal(expected);
    });
  }

  it('what is no answer aborts', () => {
    for (const answer of [undefined, null, 3, true, 'USE', '']) {
      expect(STATUSES.map((status) => judgeTicket(status, answer))).to.deep.equal(STATUSES.map(() => 'abort'));
    }
  });

  it('without a callback: what opens is used, and who cannot be resumed gets a ticket', () => {
    const verdicts = STATUSES.map((status) => shown(judgeTicket(status, DEFAULT_ANSWERS[status])));
    expect(verdicts).to.deep.equal(['full, ticket', 'full, ticket', 'resume', 'resume, ticket']);
  });

  it('the current key renews in TLS 1.3 alone, a retired one always, a key that declines never', () => {
    const renewals = ['as-usual', 'due', 'declined'] as const;
    expect(renewals.map((renewal) => openedStatus(renewal, 'TLSv1.3'))).to.deep.equal([
      'success-renew',
      'success-renew',
      'success',
    ]);
    expect(renewals.map((renewal) => openedStatus(renewal, 'TLSv1.2'))).to.deep.equal([
      'success',
      'success-renew',
      'success',
    ]);
  });

  for (const { format } of FORMATS) {
    it(`${format.name}: what generate gives the application's data, decrypt sees`, () => {
      const connection = { serverName: 'a.example', version: 'TLSv1.3' } as const;
      const seen: string[] = [];
      const onGenerate: OnGenerateTicket = (session) => ascii(`for ${session.serverName}`);
      const onDecrypt: OnDecryptTicket = (session, keyName, status) => {
        seen.push(`${status} ${latin1(session?.applicationData ?? ascii('?'))} ${toHex(keyName)}`);
        return 'use';
      };
      const key = newKey(format);
      const session = new Session({
        version: 'TLSv1.3',
        cipherSuite: 0x1301,
        id: random(32),
        secret: random(32),
        time: 100,
        timeout: 300,
        authTime: 100,
        extendedMasterSecret: true,
        idContext: random(1),
        serverName: 'a.example',
      });
      const applicationData = onGenerate(session, connection);
      if (!(applicationData instanceof Uint8Array)) throw new Error('no application data');
      const ticket = sealSession(key, session.dup({ applicationData }), random);
      if (typeof ticket === 'string') throw new Error(ticket);
      const opened = openSession(ticket, [{ key, renewal: 'due' }], 200);
      if (opened.status !== 'opened') throw new Error(opened.status);
      const status = openedStatus(opened.renewal, opened.session.version);
      const answer = onDecrypt(opened.session, opened.keyName, status, connection);
      expect(seen).to.deep.equal([`success-renew for a.example ${toHex(key.name)}`]);
      expect(judgeTicket(status, answer)).to.deep.equal({ use: true, renew: false });
    });
  }
});
