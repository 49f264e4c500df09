/**
 * The sentences of an RFC that ask for something, in the words of RFC 2119. The text is the one that the RFC Editor
 * publishes, with pages or without; it is not ours to ship, so a user names a copy.
 */

import { createHash } from 'node:crypto';

export interface Sentence {
  readonly section: string;
  /** Its place among those of its section that ask for something, from 1. */
  readonly ordinal: number;
  /** The words of RFC 2119 in it, each once, in the order in which they come. */
  readonly levels: readonly string[];
  readonly fingerprint: string;
  readonly text: string;
}

const LEVELS = /\b(?:MUST NOT|MUST|SHALL NOT|SHALL|SHOULD NOT|SHOULD|NOT RECOMMENDED|RECOMMENDED|REQUIRED)\b/g;
const HEADING = /^(?:Appendix ([A-Z])|([A-Z](?:\.\d+)+|\d+(?:\.\d+)*))\.?\s+(\S.*)$/;
const FOOTER = /^\S.*\[Page \d+\]\s*$/;
const HEADER = /^RFC \d+ .*\b\d{4}\s*$/;
const ITEM = /^\s+(?:[*o-]|\d+\.|\(\d+\))\s+/;
const SENTENCE_END = /(?<!\b(?:e\.g|i\.e|cf|vs|etc))([.!?]["')\]]*)\s+(?=["'([]*[A-Z])/g;

/** Letters and digits alone, so that neither line breaks nor hyphens count. Eight digits tell the sentences of an RFC apart. */
export function fingerprint(sentence: string): string {
  const letters = sentence.toLowerCase().replace(/[^a-z0-9]/g, '');
  return createHash('sha256').update(letters).digest('hex').slice(0, 8);
}

/** The titles of the sections by their numbers. */
export function sectionsOf(text: string): Map<string, string> {
  const headings = linesOf(text).flatMap((line) => headingOf(line) ?? []);
  return new Map(headings.map(({ section, title }) => [section, title]));
}

export function sentencesOf(text: string): Sentence[] {
  const found: Sentence[] = [];
  const counts = new Map<string, number>();
  for (const { section, paragraph } of paragraphsOf(linesOf(text))) {
    for (const sentence of paragraph.replace(SENTENCE_END, '$1\n').split('\n')) {
      const levels = [...new Set(sentence.match(LEVELS))];
      if (levels.length === 0 || /"(?:MUST|REQUIRED)"/.test(sentence)) continue; // which says what the words mean
      const ordinal = (counts.get(section) ?? 0) + 1;
      counts.set(section, ordinal);
      found.push({ section, ordinal, levels, fingerprint: fingerprint(sentence), text: sentence });
    }
  }
  return found;
}

function headingOf(line: string): { section: string; title: string } | undefined {
  const [, appendix, number, title] = HEADING.exec(line) ?? [];
  const section = appendix ?? number;
  return section !== undefined && title !== undefined ? { section, title } : undefined;
}

/** Without what stands at the edge of a page. A paragraph that goes on behind it is one. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  let edge = false;
  for (const line of text.split(/\r?\n|\f/)) {
    if (FOOTER.test(line) || HEADER.test(line)) edge = true;
    else if (edge && line.trim() === '') continue;
    else {
      if (edge) leaveEdge(lines);
      edge = false;
      lines.push(line);
    }
  }
  return lines;
}

/** Takes the empty lines above the edge away, and puts one there if a paragraph has ended. */
function leaveEdge(lines: string[]): void {
  while (lines.at(-1)?.trim() === '') lines.pop();
  if (/[.:;!?]["')\]]*$/.test(lines.at(-1) ?? '.')) lines.push('');
}

function paragraphsOf(lines: readonly string[]): { section: string; paragraph: string }[] {
  const paragraphs: { section: string; paragraph: string }[] = [];
  let section = '';
  let current: string[] = [];
  const end = (): void => {
    if (current.length > 0) paragraphs.push({ section, paragraph: current.join(' ') });
    current = [];
  };
  for (const line of lines) {
    const heading = headingOf(line);
    if (heading !== undefined || line.trim() === '') end();
    if (heading !== undefined) section = heading.section;
    else if (line.trim() !== '') current.push((current.length === 0 ? line.replace(ITEM, '') : line).trim());
  }
  end();
  return paragraphs;
}
