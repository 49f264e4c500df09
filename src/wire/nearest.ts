/** What is meant by a name that is misspelt, for messages. */

/** The cost grows with the square of the length, and nobody means a name by a text. */
const MAX_LENGTH = 64;

/**
 * Returns the one candidate that is the name but for case, punctuation and filler words, or that is the shortest to contain it and part of all others that do, or that is few
 * edits away: OpenSSL's name of a suite is near IANA's, P-256 near secp256r1. `undefined` if there is none. Names whose numbers differ
 * are different names.
 */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const wanted = plain(name);
  const same = candidates.find((candidate) => plain(candidate) === wanted);
  if (same !== undefined || wanted.length < 2) return same;
  const longer = candidates
    .filter((candidate) => plain(candidate).includes(wanted))
    .sort((a, b) => a.length - b.length);
  const [shortest] = longer;
  if (shortest !== undefined)
    return longer.every((candidate) => plain(candidate).includes(plain(shortest))) ? shortest : undefined;
  const most = Math.floor(wanted.length / 3);
  const near = candidates
    .filter((candidate) => digits(candidate) === digits(name))
    .map((candidate) => ({ candidate, distance: edits(wanted, plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  return near[0] !== undefined && near[0].distance <= most ? near[0].candidate : undefined;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]|tls|with/g, '');
}

function digits(name: string): string {
  return name.replace(/[^0-9]/g, '');
}

/** How many characters must be put in, left out or replaced, or swapped with the next (Damerau's distance). */
function edits(a: string, b: string): number {
  let before: readonly number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      const isSwapped = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j];
      const swapped = isSwapped ? (before[j - 1] ?? 0) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
