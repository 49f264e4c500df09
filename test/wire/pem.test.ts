import { expect } from 'chai';
import fc from 'fast-check';
import { encodePem, PemError, parsePem } from '../../src/wire/pem.ts';

const block = (label: string, ...bytes: number[]) => encodePem(label, Uint8Array.from(bytes));

describe('PEM', () => {
  it('writes and reads blocks, whatever stands around them', () => {
    const label = fc.constantFrom('CERTIFICATE', 'PRIVATE KEY', 'X509 CRL');
    const noise = fc.constantFrom('', 'subject=CN = localhost\n', '\n\n', '  \t\n-----\n', 'a:b\n\n');
    const one = fc.tuple(noise, label, fc.uint8Array({ minLength: 1, maxLength: 200 }));
    fc.assert(
      fc.property(fc.array(one, { minLength: 1 }), fc.constantFrom('\n', '\r\n', '\r'), (blocks, end) => {
        const text = blocks.map(([before, name, bytes]) => before + encodePem(name, bytes)).join('');
        expect(parsePem(text.replaceAll('\n', end))).to.deep.equal(
          blocks.map(([, name, bytes]) => ({ label: name, encrypted: false, bytes })),
        );
      }),
    );
  });

  it('breaks lines after 64 characters', () => {
    const lines = encodePem('X', new Uint8Array(100)).split('\n');
    expect(lines.map((line) => line.length)).to.deep.equal([17, 64, 64, 8, 15, 0]);
  });

  it('allows indentation and blanks at the end of a line', () => {
    const text = block('X', 1, 2, 3).replaceAll('\n', ' \n    ');
    expect(parsePem(text)[0]?.bytes).to.deep.equal(Uint8Array.of(1, 2, 3));
  });

  it('sees that a key is encrypted', () => {
    expect(parsePem(block('ENCRYPTED PRIVATE KEY', 1))[0]?.encrypted).to.equal(true);
    const headers = 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233\n\n';
    const [traditional] = parsePem(block('EC PRIVATE KEY', 1, 2).replace('KEY-----\n', `KEY-----\n${headers}`));
    expect(traditional).to.deep.equal({ label: 'EC PRIVATE KEY', encrypted: true, bytes: Uint8Array.of(1, 2) });
  });

  for (const [what, text, message] of [
    ['nothing', '', 'no -----BEGIN in it; pass the contents of the PEM file, not its name'],
    ['a file name', './server.pem', 'not its name'],
    ['DER', '0\x82\x01\x0a', 'it is DER, not PEM; convert it with "openssl x509"'],
    ['a short key in DER', '0\x03\x02\x01\x00', 'it is DER, not PEM'],
    ['the name of a file that begins as DER does', '0.pem', 'not its name'],
    ['written-out line breaks', block('X', 1).replaceAll('\n', '\\n'), 'turn each "\\n" into a line break'],
    ['a single line', block('X', 1).replaceAll('\n', ' '), 'put BEGIN and END on lines of their own'],
    ['no END', block('X', 1).replace('-----END X-----', ''), 'BEGIN X without its END'],
    ['no BEGIN', block('X', 1).replace('-----BEGIN X-----', ''), 'END X without its BEGIN'],
    ['another END', block('X', 1).replace('END X', 'END Y'), 'END Y without its BEGIN'],
    ['BEGIN twice', `-----BEGIN X-----\nAA==\n${block('Y', 1)}`, 'BEGIN X without its END'],
    ['no contents', '-----BEGIN X-----\n-----END X-----', 'the X block is empty'],
    ['no base64', '-----BEGIN X-----\n&&&&\n-----END X-----', 'the X block is not base64'],
    ['headers without end', '-----BEGIN X-----\na: b\n-----END X-----', 'the X block is not base64'],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => parsePem(text)).to.throw(PemError, message);
    });
  }

  it('throws nothing but PemError', () => {
    const piece = fc.constantFrom('-----BEGIN X-----', '-----END X-----', '\n', '\r', 'AAAA', ':', '=', '\\n', 'é');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          parsePem(pieces.join(''));
        } catch (error) {
          expect(error).to.be.instanceOf(PemError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
