/** The page of a run, as text. test/interop/report-page.test.ts has it in a browser. */

import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { htmlOf } from '../../src/judges/html.ts';
import { failsProbe } from '../../src/judges/probe-report.ts';
import type { Recording } from '../../src/testing/recording.ts';
import { replay } from '../../src/testing/replay.ts';
import { HOSTILE, hostile, shown } from './shown.ts';

const HEAD = { peer: HOSTILE, version: '1.0', time: Date.UTC(2026, 0, 1), facts: [[HOSTILE, HOSTILE]] as const };

/** The elements of a page that are no text of it. */
const count = (page: string, pattern: RegExp): number => page.match(pattern)?.length ?? 0;

describe('the page of a run', () => {
  it('counts, and has a row for each scenario under its clause', async () => {
    const page = htmlOf(HEAD, await shown('server/psk/binders-rotated', 'server/psk/key-share-absent'));
    expect(page).to.include('<b>2</b> passed').and.to.include('<b>0</b> findings').and.to.include('Nothing fails.');
    expect(count(page, /<tr class="result pass"/g)).to.equal(2);
    expect(page).to.match(/<th scope="rowgroup" colspan="3">RFC 9846 §/);
  });

  it('says how many results fail the run', async () => {
    const [result] = await shown('server/psk/binders-rotated');
    if (result === undefined) throw new Error('no result');
    const page = htmlOf(HEAD, [result, hostile(result)]);
    expect(page).to.include('<b>✕ 1 result fails the run</b>').and.to.include('<b>1</b> findings');
  });

  it('says the same of a probe as its exit code does', async () => {
    const [like] = await shown('server/psk/binders-rotated');
    if (like === undefined) throw new Error('no result');
    const secret = { ...like.result, id: 'probe/keys/secret', verdict: 'finding', severity: 'should' } as const;
    const all = [{ ...like, result: secret }];
    expect(htmlOf(HEAD, all)).to.include('Nothing fails.');
    expect(htmlOf({ ...HEAD, fails: failsProbe }, all)).to.include('<b>✕ 1 result fails the run</b>');
  });

  it('takes nothing from elsewhere, and no word for a tag', async () => {
    const [result] = await shown('server/psk/binders-rotated');
    if (result === undefined) throw new Error('no result');
    const page = htmlOf(HEAD, [result, hostile(result)]);
    expect(page).to.not.match(/<[^>]*\s(?:src|href|style|on\w+)=/);
    for (const text of ['<img', '\u202e', '\u0007']) expect(page).to.not.include(text);
    // The script of the page, and a recording for each connection.
    expect(count(page, /<script/g)).to.equal(1 + result.visits.length + 1);
    expect(count(page, /<\/script>/g)).to.equal(1 + result.visits.length + 1);
    expect(count(page, /<\/title>/g)).to.equal(1);
  });

  it('has a policy that lets its own style and script in, and nothing else', async () => {
    const page = htmlOf(HEAD, []);
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    for (const name of ['style', 'script']) {
      const [, text = ''] = new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(page) ?? [];
      const hash = createHash('sha256').update(text).digest('base64');
      expect(policy).to.include(`${name}-src 'sha256-${hash}';`);
    }
    expect(policy).to.include("default-src 'none'").and.not.to.include('unsafe');
  });

  it('has the recordings, which replay', async () => {
    const [first] = await shown('server/psk/binders-rotated');
    const page = htmlOf(HEAD, first === undefined ? [] : [first]);
    const recordings = [...page.matchAll(/<script type="application\/json">(.*?)<\/script>/g)].map(
      ([, json = '']) => json,
    );
    expect(recordings)
      .to.have.lengthOf(first?.visits.length ?? 0)
      .and.not.to.have.lengthOf(0);
    for (const json of recordings) replay(JSON.parse(json) as Recording);
  });

  it('opens a message at the field that a fault has changed', async () => {
    const page = htmlOf(HEAD, await shown('server/second-flight/finished-wrong'));
    expect(page).to.include('<mark>changed: .finished.verifyData</mark>');
    expect(page).to.match(
      /<li class="message changed"><details open>.*<li><mark><span class="label">verifyData<\/span> <b>changed<\/b><\/mark>/,
    );
  });

  it('marks what an edit has changed in a hello', async () => {
    for (const [id, path] of [
      ['server/hello/compression-other', '.client_hello.legacyCompressionMethods'],
      ['server/psk/binders-rotated', '.client_hello.extensions.preSharedKey.binders[0]'],
    ] as const) {
      const [result] = await shown(id);
      expect(result?.visits.flatMap(({ lines }) => lines.flatMap(({ mark }) => mark ?? []))).to.deep.equal([path]);
    }
  });
});
