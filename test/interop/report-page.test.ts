/** The page of a run in Chromium: every word that the documents say of it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { htmlOf } from '../../src/judges/html.ts';
import { replay } from '../../src/testing/replay.ts';
import { HOSTILE, hostile, shown } from '../judges/shown.ts';
import { openChromium, type Page } from '../support/chromium.ts';
import { describeWith, workFolder } from './peers.ts';

const IDS = ['server/second-flight/finished-wrong', 'server/psk/binders-rotated', 'server/hello/compression-other'];

/** In the page: the rows that are shown, and the one that has the focus. */
const SHOWN = `[...document.querySelectorAll('.result')].filter((row) => row.checkVisibility())`;
const FOCUSED = 'document.activeElement';
/** In the page: the contrast of a colour with its ground (WCAG 2.2, 1.4.3). */
const CONTRAST = `(element, ground) => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((one) => one / 255).map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low, high] = [light(getComputedStyle(element).color), light(getComputedStyle(ground).backgroundColor)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}`;

describeWith(['chromium'], 'interop: the page of a run, in Chromium', () => {
  const folder = workFolder;
  let page: Page;

  before(async function () {
    this.timeout(120_000);
    const results = await shown(...IDS);
    const [first] = results;
    if (first === undefined) throw new Error('no result');
    const facts = [['TLSv1.3', HOSTILE] as const, ['  tickets', '2 after a full handshake'] as const];
    const head = { peer: HOSTILE, version: '1.0', time: Date.UTC(2026, 0, 1), facts };
    const file = join(folder(), 'report.html');
    writeFileSync(file, htmlOf(head, [...results, hostile(first)]));
    page = await openChromium();
    await page.look({});
    await page.load(pathToFileURL(file).href);
  });
  after(() => page.close());

  it('needs nothing from elsewhere, and runs no script but its own', async () => {
    expect(page.requests).to.have.lengthOf(1);
    expect(page.complaints).to.deep.equal([]);
    expect(await page.evaluate('[typeof isOurs, document.images.length]')).to.deep.equal(['undefined', 0]);
    expect(await page.evaluate('document.title')).to.include('<script>globalThis.isOurs=true</script>');
  });

  it('shows what did not pass, and by its boxes and words the rest', async () => {
    expect(await page.evaluate(`${SHOWN}.length`)).to.equal(1);
    await page.evaluate(`document.querySelector('[data-shows=pass]').click()`);
    expect(await page.evaluate(`${SHOWN}.length`)).to.equal(4);
    const filter = (words: string) =>
      page.evaluate(
        `{ const field = document.querySelector('[type=search]'); field.value = ${JSON.stringify(words)}; field.dispatchEvent(new Event('input')); ${SHOWN}.length }`,
      );
    expect(await filter('FINISHED-wrong tlsv1.3')).to.equal(1);
    expect(await filter('nothing has this')).to.equal(0);
    expect(await page.evaluate(`document.querySelector('.none').checkVisibility()`)).to.equal(true);
    expect(await filter('')).to.equal(4);
  });

  it('is used by keys alone: / and Tab, arrows, Enter', async () => {
    await page.evaluate('document.body.focus()');
    await page.press('/');
    expect(await page.evaluate(`${FOCUSED}.type`)).to.equal('search');
    await page.press('Tab');
    expect(await page.evaluate(`${SHOWN}[0].contains(${FOCUSED})`)).to.equal(true);
    await page.press('ArrowDown');
    expect(await page.evaluate(`${SHOWN}[1].contains(${FOCUSED})`)).to.equal(true);
    expect(await page.evaluate(`getComputedStyle(${FOCUSED}).outlineStyle`)).to.equal('solid');
    await page.press('Enter');
    expect(await page.evaluate(`${FOCUSED}.ariaExpanded`)).to.equal('true');
    expect(await page.evaluate(`${SHOWN}[1].nextElementSibling.checkVisibility()`)).to.equal(true);
    await page.press('Tab');
    expect(await page.evaluate(`${FOCUSED}.dataset.saves`)).to.match(/\.json$/);
    await page.press('Tab');
    expect(await page.evaluate(`${FOCUSED}.matches('.message summary')`)).to.equal(true);
  });

  it('opens a row to the trace, with the field that was changed in sight', async () => {
    await page.evaluate(
      `for (const row of ${SHOWN}) if (row.querySelector('.opens').ariaExpanded === 'false') row.click()`,
    );
    const marked = await page.evaluate<string[]>(
      `[...document.querySelectorAll('.fields mark')].filter((one) => one.checkVisibility()).map((one) => one.textContent)`,
    );
    expect(marked).to.include.members(['verifyData changed', 'legacyCompressionMethods changed', '[0] changed']);
  });

  it('saves a recording, which replays', async () => {
    const name = await page.download(folder(), () =>
      page.evaluate(`document.querySelector('[data-saves*=finished-wrong]').click()`),
    );
    expect(name).to.match(/^server-second-flight-finished-wrong-TLSv1\.3-1\.json$/);
    replay(readFileSync(join(folder(), name), 'utf8'));
  });

  for (const scheme of ['light', 'dark'] as const)
    it(`can be read in ${scheme} mode`, async () => {
      await page.look({ scheme });
      const ground = `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((one) => one < 64)`;
      expect(await page.evaluate(ground)).to.equal(scheme === 'dark');
      const texts =
        '.verdict, .opens, small, td.outcome b, .trace .place, .trace .value, .tools label, .trace .alert, mark .label';
      const worst = `Math.min(...[...document.querySelectorAll('${texts}')].filter((one) => one.checkVisibility() && !one.closest('details[open] > summary')).map((one) => (${CONTRAST})(one, one.closest('mark, td, th') ?? document.body)))`;
      expect(await page.evaluate(worst)).to.be.above(4.5);
    });

  it('prints without what a hand would press, dark on light', async () => {
    await page.look({ scheme: 'dark', media: 'print' });
    const isSeen = (what: string) => page.evaluate(`document.querySelector('${what}').checkVisibility()`);
    expect([await isSeen('.tools'), await isSeen('[data-saves]'), await isSeen('.outcome')]).to.deep.equal([
      false,
      false,
      true,
    ]);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).to.equal('rgb(255, 255, 255)');
    await page.look({});
  });

  it('fits on a telephone', async () => {
    await page.look({ width: 360 });
    const wide = `[...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth).map((one) => one.outerHTML.slice(0, 80))`;
    expect(await page.evaluate(wide)).to.deep.equal([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).to.be.at.most(360);
    await page.look({});
  });

  it('tells what its tables are to those who hear it', async () => {
    expect(await page.evaluate(`[...document.querySelectorAll('th')].every((one) => one.scope !== '')`)).to.equal(true);
    expect(
      await page.evaluate(`[...document.querySelectorAll('table')].every((one) => one.caption !== null)`),
    ).to.equal(true);
    expect(
      await page.evaluate(
        `[...document.querySelectorAll('button, input')].every((one) => one.matches('label *') || (one.ariaLabel ?? one.textContent).trim() !== '')`,
      ),
    ).to.equal(true);
    expect(
      await page.evaluate(
        `[...document.querySelectorAll('[aria-controls]')].every((one) => document.getElementById(one.getAttribute('aria-controls')) !== null)`,
      ),
    ).to.equal(true);
  });
});
