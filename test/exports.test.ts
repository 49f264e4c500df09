/** What the entries export: every type that they name, so that a program can write down whatever it is given. */

import { expect } from 'chai';
import { type Declared, exportsOf, isDocumented, namesIn, strictMembersIn } from './support/declarations.ts';

const ENTRIES = ['index', 'tls13', 'openssl', 'node/index', 'client', 'client13', 'testing', 'judges'];

function labelOf({ path, name }: Declared): string {
  return `${path.replace('.d.ts', '')}#${name}`;
}

for (const entry of ENTRIES) {
  describe(`the entry ${entry}`, () => {
    const exported = exportsOf(`${entry}.d.ts`);

    it('is read at all', () => {
      expect(exported.map(({ name }) => name)).to.include.members(['Session', 'ServerOptions', 'World']);
      expect(exported.flatMap(namesIn).map(({ name }) => name)).to.include.members(['Session', 'World']);
    });

    it('exports every type that its signatures name', () => {
      const known = new Set(exported.map(labelOf));
      const missing = exported.flatMap((of) =>
        namesIn(of)
          .map(labelOf)
          .filter((label) => !known.has(label))
          .map((label) => `${label}, which ${of.name} names`),
      );
      expect([...new Set(missing)]).to.deep.equal([]);
    });

    it('documents every name', () => {
      const documentedElsewhere = /^openssl\/constants#/; // docs/openssl.md has a row for each, of the manual page that it is from
      const bare = exported.filter((of) => !isDocumented(of)).map(labelOf);
      expect(bare.filter((label) => !documentedElsewhere.test(label))).to.deep.equal([]);
    });

    it('takes undefined for whatever is optional', () => {
      const strict = exported.flatMap((of) => strictMembersIn(of).map((member) => `${labelOf(of)}: ${member}`));
      expect([...new Set(strict)]).to.deep.equal([]);
    });
  });
}
