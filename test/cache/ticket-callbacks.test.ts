import { expect } from 'chai';
import {
  DEFAULT_ANSWERS,
  judgeTicket,
  openedStatus,
  type TicketAnswer,
  type TicketStatus,
  type TicketVerdict,
} from '../../src/cache/ticket-callbacks.ts';

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
});
