import { expect } from 'chai';
import { compare, rfcOf } from './compare.ts';
import { toLedger } from './ledger.ts';
import { fingerprint, sectionsOf, sentencesOf } from './sentences.ts';

const TEXT = `
Internet Engineering Task Force (IETF)                         A. Nobody
Request for Comments: 1                                      April 2026

1.  Words

   The key words "MUST", "MUST NOT" and "REQUIRED" are those of RFC 2119.

2.  Doors

   A door opens.  A door MUST open (e.g., to a guest) and SHOULD NOT
   creak.  It is REQUIRED to be closed
   at night.

   *  A gate MUST be shut

      1.  by SHOULD who opened it.

Nobody                       Standards Track                    [Page 1]
\f
RFC 1                            Doors                        April 2026


2.1.  Windows

   A window MUST let light in, which is RECOMMENDED for

Nobody                       Standards Track                    [Page 2]
\f
RFC 1                            Doors                        April 2026


   doors as well.

Appendix A.  Locks

A.1.  Keys

   A key SHALL fit.
`;

describe('the sentences of an RFC that ask for something', () => {
  const sentences = sentencesOf(TEXT);

  it('are counted in their section, also in lists and over the edge of a page', () => {
    expect(sentences.map(({ section, ordinal, levels }) => `${section}-${ordinal} ${levels.join(', ')}`)).to.deep.equal(
      ['2-1 MUST, SHOULD NOT', '2-2 REQUIRED', '2-3 MUST', '2-4 SHOULD', '2.1-1 MUST, RECOMMENDED', 'A.1-1 SHALL'],
    );
    expect(sentences[4]?.text).to.equal('A window MUST let light in, which is RECOMMENDED for doors as well.');
  });

  it('are known by their letters, not by their line breaks', () => {
    expect(fingerprint('It is REQUIRED to be\nclosed at night.')).to.equal(sentences[1]?.fingerprint);
    expect(fingerprint('It is REQUIRED to be closed at dusk.')).to.not.equal(sentences[1]?.fingerprint);
  });

  it('stand in sections that have titles', () => {
    const titles = { 1: 'Words', 2: 'Doors', 2.1: 'Windows', A: 'Locks', 'A.1': 'Keys' };
    expect(Object.fromEntries(sectionsOf(TEXT))).to.deep.equal(titles);
  });
});

describe('a ledger beside the text of its RFC', () => {
  const good = sentencesOf(TEXT).map(({ section, ordinal, levels, fingerprint }) => ({
    clause: `${section}-${ordinal}`,
    level: levels.join(', '),
    binds: 'application',
    rule: 'Doors do what doors do',
    fingerprint,
  }));
  const [first, ...rest] = good.map((row): object => row);
  const differences = (rows: readonly object[]) =>
    compare(toLedger({ rfc: 1, title: 'Doors', sections: ['2 Doors'], rows }), TEXT);

  it('is known by the head of the text', () => {
    expect(rfcOf(TEXT)).to.equal(1);
    expect(rfcOf('no RFC')).to.equal(undefined);
  });

  it('has no differences if each sentence has its row, or several', () => {
    expect(differences(good)).to.deep.equal([]);
    expect(differences([{ ...first, clause: '2-1a' }, { ...first, clause: '2-1b' }, ...rest])).to.deep.equal([]);
  });

  for (const [what, rows, complaint] of [
    ['a sentence has no row', rest, '2-1 has no row: MUST, SHOULD NOT, fingerprint'],
    ['a row has no sentence', [{ ...first, clause: '2-9' }, ...good], '2-9 has no sentence'],
    ['a sentence is another', [{ ...first, fingerprint: '0' }, ...rest], '2-1 is of another sentence: fingerprint'],
    ['a row has other words', [{ ...first, level: 'MUST' }, ...rest], '2-1 says MUST, its sentence MUST, SHOULD NOT'],
  ] as const) {
    it(`has one where ${what}`, () => {
      const lines = differences(rows);
      expect(lines).to.have.lengthOf(1);
      expect(lines[0]).to.include(complaint);
    });
  }
});
