/** Lines of a trace as HTML. */

import { holdsMark, type Line } from '../testing/render.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes what may be a peer's. Characters that control, or turn the direction of what follows, are shown as one that says nothing. */
export function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Bidi_Control}]/gu, (one) => (one === '\n' || one === '\t' ? ' ' : '\ufffd'))
    .replace(/[&<>"']/g, (one) => ENTITIES[one] ?? one);
}

/** Prints the entries of a trace. A message opens to its fields, and is open if one of them is marked. */
export function traceHtml(lines: readonly Line[]): string {
  return `<ol class="trace">\n${lines.map(entry).join('\n')}\n</ol>`;
}

const ALERT = /^(?:record|event) alert$/;

function entry(line: Line): string {
  const { kind, place, label, value, mark, children } = line;
  const isChanged = holdsMark(line);
  const classes = [
    kind,
    ...(isChanged ? ['changed'] : []),
    ...(ALERT.test(label) && !value.includes('close_notify') ? ['alert'] : []),
  ].join(' ');
  const what = isChanged && mark !== undefined ? `<mark>changed: ${escaped(mark)}</mark> ` : '';
  const row = `<span class="place">${escaped(place)}</span> <span class="label">${escaped(label)}</span> <span class="value">${what}${escaped(value)}</span>`;
  const below = fieldsIn(line);
  if (below === '') return `<li class="${classes}">${row}</li>`;
  const open = children.some(holdsMark) ? ' open' : '';
  return `<li class="${classes}"><details${open}><summary>${row}</summary>${below}</details></li>`;
}

/** The fields of a message, or its bytes if it cannot be read. */
function fieldsIn({ kind, bytes, children }: Line): string {
  if (children.length > 0) return `<ul class="fields">${children.map(field).join('')}</ul>`;
  return kind === 'message' && bytes !== undefined && bytes.length > HEADER
    ? `<p class="bytes">${escaped(hex(bytes))}</p>`
    : '';
}

/** Of a message: one without a body has nothing to show. */
const HEADER = 4;
/** The most bytes of a field that are shown at once. */
const SHORT = 48;

function field({ label, value, bytes, isMarked, children }: Line): string {
  const name = `<span class="label">${escaped(label)}</span>`;
  const marked = isMarked ? `<mark>${name} <b>changed</b></mark>` : name;
  if (children.length > 0) return `<li>${marked}<ul class="fields">${children.map(field).join('')}</ul></li>`;
  if (bytes === undefined || bytes.length <= SHORT)
    return `<li>${marked} <span class="value">${escaped(value)}</span></li>`;
  const start = escaped(hex(bytes.subarray(0, SHORT / 2)));
  return `<li>${marked} <details class="long"><summary>${bytes.length} bytes: ${start}…</summary><p class="bytes">${escaped(value)}</p></details></li>`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
