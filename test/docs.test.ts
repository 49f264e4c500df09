/** Every TypeScript block of the documents compiles against the built package, as a user's project would see it. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert } from 'chai';

const root = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : findRoot(dirname(from));
}

function documents(): string[] {
  const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')).map((name) => `docs/${name}`) : [];
  return [...readdirSync(root), ...docs].filter((name) => name.endsWith('.md'));
}

/** The blocks that are fenced as `ts`. */
function blocks(document: string): string[] {
  return [...document.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code ?? '');
}

/** The files of the repository that a document links to, as paths from its root. */
function linked(document: string): string[] {
  const text = readFileSync(join(root, document), 'utf8');
  const targets = [...text.matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g)].map(([, target]) => target ?? '');
  return targets
    .filter((target) => !/^https?:/.test(target))
    .map((target) => normalize(join(dirname(document), target)));
}

/** Pages that say themselves that the tests they link to are in the repository alone. */
const WITH_TESTS = ['docs/openssl.md', 'docs/rfc9846.md'];

const TSCONFIG = {
  compilerOptions: {
    target: 'es2022',
    lib: ['es2023', 'dom'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  },
  include: ['*.ts'],
};

describe('documents', () => {
  it('finds code blocks, so that the next test can fail', () => {
    assert.isAtLeast(blocks(readFileSync(join(root, 'README.md'), 'utf8')).length, 3);
  });

  it('link to nothing but what the package has', () => {
    const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
    const shipped = [...files, 'README.md', 'LICENSE'];
    for (const name of [...documents(), 'examples/scenarios/README.md'])
      for (const target of linked(name)) {
        assert.isTrue(existsSync(join(root, target)), `${name}: ${target} exists`);
        if (target.startsWith('test/') && WITH_TESTS.includes(name)) continue;
        assert.isTrue(
          shipped.some((one) => target === one || target.startsWith(`${one}/`)),
          `${name}: ${target} is in the package`,
        );
      }
  });

  it('type-check, block by block', function () {
    this.timeout(60000);
    const folder = mkdtempSync(join(tmpdir(), 'tls-resume-docs-'));
    try {
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
      mkdirSync(join(folder, 'node_modules'));
      symlinkSync(root, join(folder, 'node_modules', 'tls-resume'));
      symlinkSync(join(root, 'node_modules', '@noble'), join(folder, 'node_modules', '@noble'));
      symlinkSync(join(root, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
      for (const name of documents()) {
        blocks(readFileSync(join(root, name), 'utf8')).forEach((code, i) => {
          writeFileSync(join(folder, `${name.replace(/\W/g, '_')}_${i}.ts`), `${code}\nexport {};\n`);
        });
      }
      const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      execFileSync(process.execPath, [tsc, '-p', folder], { stdio: 'pipe', encoding: 'utf8' });
    } catch (error) {
      assert.fail(
        typeof error === 'object' && error !== null && 'stdout' in error ? String(error.stdout) : String(error),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
