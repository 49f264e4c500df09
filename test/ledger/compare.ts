/** A ledger beside the text of its RFC: which sentences have no row, which rows no sentence, and which sentences have changed. */

import type { Ledger, Row } from './ledger.ts';
import { type Sentence, sentencesOf } from './sentences.ts';

/** The number of the RFC whose text this is, by its head. */
export function rfcOf(text: string): number | undefined {
  const [, number] = /^(?:Request for Comments|RFC):?\s+(\d+)/m.exec(text) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** One line for each difference. */
export function compare({ rows }: Ledger, text: string): string[] {
  const sentences = new Map(sentencesOf(text).map((sentence) => [placeOf(sentence), sentence]));
  const places = new Set(rows.map(placeOf));
  const missing = [...sentences.values()].filter((sentence) => !places.has(placeOf(sentence)));
  return [...missing.map(asNewRow), ...rows.flatMap((row) => differenceOf(row, sentences.get(placeOf(row))) ?? [])];
}

function placeOf({ section, ordinal }: Row | Sentence): string {
  return `${section}-${ordinal}`;
}

function asNewRow({ section, ordinal, levels, fingerprint, text }: Sentence): string {
  return `${section}-${ordinal} has no row: ${levels.join(', ')}, fingerprint ${fingerprint}, “${opening(text)} …”`;
}

function differenceOf(row: Row, sentence: Sentence | undefined): string | undefined {
  if (sentence === undefined) return `${row.clause} has no sentence`;
  if (sentence.fingerprint !== row.fingerprint) {
    return `${row.clause} is of another sentence: fingerprint ${sentence.fingerprint}, “${opening(sentence.text)} …”`;
  }
  const levels = sentence.levels.join(', ');
  return levels === row.level ? undefined : `${row.clause} says ${row.level}, its sentence ${levels}`;
}

function opening(sentence: string): string {
  return sentence.split(' ').slice(0, 8).join(' ');
}
