/** What is told of scenarios, whatever the peer says of itself. */

import { expect } from 'chai';
import { printable } from '../../src/judges/printable.ts';
import { fails, junitOf, type ReportedResult, resultOf, tableOf } from '../../src/judges/report.ts';
import type { Judgement } from '../../src/testing/scenarios/judge.ts';

const judgement = (got: string): Judgement => ({
  id: 'client/psk/selected-unasked',
  title: 'a title',
  clause: 'RFC 9846 §4.3',
  side: 'client',
  version: 'TLSv1.3',
  mechanism: 'psk',
  severity: 'must',
  expected: ['unsupported_extension'],
  visits: [],
  verdict: 'not-run',
  got,
});

const HOSTILE = [
  ['escape sequences', '\x1b[2J\x1b]0;title\x07\x9b31m', '\\u001b[2J\\u001b]0;title\\u0007\\u009b31m'],
  ['lines and columns', 'a\r\nb\tc\x7f', 'a\\u000d\\u000ab\\u0009c\\u007f'],
  ['marks of direction', 'a\u202eb\u2066c\u200fd', 'a\\u202eb\\u2066c\\u200fd'],
  ['half of a pair, and what is no character', 'a\ud83db\udc00\ufffe\uffff', 'a\\ud83db\\udc00\\ufffe\\uffff'],
  ['bytes that are not UTF-8', Buffer.from('a\xff\xc3(', 'latin1').toString('utf8'), 'a\\ufffd\\ufffd('],
] as const;

/** XML 1.0 §2.2: what may stand in a document. */
const XML = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

describe('reports of what a peer has said', () => {
  for (const [what, said, told] of HOSTILE)
    it(`are safe with ${what}`, () => {
      const result = resultOf(judgement(said), new Set());
      expect(result.got).to.equal(told);
      for (const line of tableOf([result])) expect(line).to.equal(printable(line));
    });

  it('show what passes though it is known to fail: it fails the run', () => {
    const result = resultOf({ ...judgement('unsupported_extension'), verdict: 'pass' }, new Set([judgement('').id]));
    expect(tableOf([result])[1]).to.match(/ pass, known$/);
    expect(junitOf([result])).to.include('<failure message="it passes, but is known to fail">');
  });

  it('know what is known to fail, in all versions or in one', () => {
    const tls13 = { ...judgement('resumes'), verdict: 'finding' } as const;
    const tls12 = { ...tls13, version: 'TLSv1.2', verdict: 'pass' } as const;
    const failing = (...known: readonly string[]) =>
      [tls13, tls12].filter((one) => fails(resultOf(one, new Set(known)))).map(({ version }) => version);
    expect(failing()).to.deep.equal(['TLSv1.3']);
    expect(failing(`${tls13.id} (TLSv1.3)`)).to.deep.equal([]);
    expect(failing(`${tls13.id} (TLSv1.2)`)).to.deep.equal(['TLSv1.3', 'TLSv1.2']);
    expect(failing(tls13.id)).to.deep.equal(['TLSv1.2']);
  });

  it('are no longer than anybody reads', () => {
    expect(resultOf(judgement('x'.repeat(100_000)), new Set()).got).to.equal(`${'x'.repeat(300)}...`);
  });

  it('are XML whatever is in a result', () => {
    const all = String.fromCharCode(...Array.from({ length: 0x10000 }, (_, i) => i));
    const results = (['not-run', 'finding'] as const).map(
      (verdict): ReportedResult => ({ ...judgement(''), got: `"/><x a="${all}]]>`, verdict, isKnown: false }),
    );
    const xml = junitOf(results);
    expect(xml).to.match(XML);
    const tags = xml.match(/<\/?[a-z]+(?: [a-z]+="[^"<]*")*\??\/?>/g) ?? [];
    expect(tags.map((tag) => /[a-z]+/.exec(tag)?.[0])).to.deep.equal([
      ...['testsuite', 'testcase', 'skipped', 'testcase', 'testcase', 'failure', 'failure', 'testcase', 'testsuite'],
    ]);
    expect(xml.replace(/<[^>]*>/g, '')).not.to.match(/[<]|&(?!amp;|lt;|gt;|quot;)/);
  });
});
