/** The ratios as a picture: a bar each, with its spread; a line where ours and the peer are equal, a mark where it must be. */

import type { Figure } from './figure.ts';

const ROW = 18;
const LABEL = 300;
const WIDTH = 520;
const TOP = 34;
/** The scale is logarithmic: half as much and twice as much are equally far from 1. */
const LOW = 0.125;
const HIGH = 32;
const MARKS = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32] as const;

const INK = '#24292f';
const PALE = '#d0d7de';
const LESS = '#2f6f4f';
const MORE = '#9a5b13';
const MUST = '#b3261e';

export function toSvg(figures: readonly Figure[]): string {
  const height = TOP + ROW * figures.length + 12;
  const width = LABEL + WIDTH + 60;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="${INK}">`,
    `<title>CPU time as a ratio to the peer's; less is better</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...MARKS.map((mark) => scaleLine(mark, height)),
    ...figures.flatMap((figure, i) => bar(figure, TOP + ROW * i)),
    '</svg>',
    '',
  ].join('\n');
}

/** Where a ratio lies; what is off the scale, at its end. */
function x(ratio: number): number {
  const share = Math.log(Math.min(HIGH, Math.max(LOW, ratio)) / LOW) / Math.log(HIGH / LOW);
  return Math.round(10 * (LABEL + WIDTH * share)) / 10;
}

function scaleLine(mark: number, height: number): string {
  const at = x(mark);
  const stroke = mark === 1 ? INK : PALE;
  return (
    `<line x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${height - 8}" stroke="${stroke}"/>` +
    `<text x="${at}" y="${TOP - 14}" text-anchor="middle">${mark}</text>`
  );
}

function bar({ name, ratio, spread, target }: Figure, top: number): string[] {
  const middle = top + ROW / 2;
  const [from, to] = [Math.min(x(1), x(ratio)), Math.max(x(1), x(ratio))];
  const must = target && x(target.must);
  return [
    `<text x="${LABEL - 8}" y="${middle + 4}" text-anchor="end">${name}</text>`,
    `<rect x="${from}" y="${top + 3}" width="${Math.max(1, to - from).toFixed(1)}" height="${ROW - 6}" fill="${ratio <= 1 ? LESS : MORE}"/>`,
    `<line x1="${x(spread.min)}" x2="${x(spread.max)}" y1="${middle}" y2="${middle}" stroke="${INK}"/>`,
    `<text x="${LABEL + WIDTH + 10}" y="${middle + 4}">${ratio.toFixed(2)}</text>`,
    ...(must === undefined
      ? []
      : [`<line x1="${must}" x2="${must}" y1="${top + 1}" y2="${top + ROW - 1}" stroke="${MUST}" stroke-width="2"/>`]),
  ];
}
